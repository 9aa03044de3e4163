"""`litellm-tui check`: phase by phase, a line each, for whoever has changed something and for cron.

Exit status: 0 ok, 1 warnings, 2 something is broken, 3 the gateway cannot be reached, 64 a wrong command line.
"""

from __future__ import annotations

import sys
import time
from typing import Final

import msgspec

from litellm_tui.analysis.health.phases import UNREACHABLE, Outcome, Phase, check_phases
from litellm_tui.commands.look import look
from litellm_tui.commands.one_of_several import say_which
from litellm_tui.logs.log_line import clean
from litellm_tui.target.profile import Options
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import load_settings

MINUTES: Final = 10
_WORDS: Final[dict[Outcome, str]] = {"ok": "ok", "warning": "WARN", "broken": "FAIL", "skipped": "-"}


def run(options: Options, json: bool = False, minutes: int = MINUTES) -> int:
    """Look once and check every phase; errors of the log are counted over the last `minutes`."""
    began = time.monotonic()
    seen = look(say_which(resolve(options, load_settings())), remembers=False)
    found = check_phases(seen.snapshot, seen.diagnosis, seen.now, minutes)
    status = exit_status(found, seen.diagnosis.gateway.state)
    took = time.monotonic() - began
    if json:
        document = {"taken_at": seen.now, "exit_status": status, "took": took, "phases": msgspec.to_builtins(found)}
        print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
        return status
    narrow = "utf" not in (sys.stdout.encoding or "").lower()
    for phase in found:
        for line in _told(phase):
            print(line.encode("ascii", "replace").decode() if narrow else line)
    counts = [sum(phase.outcome == outcome for phase in found) for outcome in ("ok", "warning", "broken", "skipped")]
    print(f"{counts[0]} ok, {counts[1]} warnings, {counts[2]} broken, {counts[3]} skipped, in {took:.1f} s")
    return status


def exit_status(found: tuple[Phase, ...], gateway: str) -> int:
    """The worst of the phases as a number."""
    outcomes = {phase.outcome for phase in found}
    if gateway in UNREACHABLE:
        return 3
    return 2 if "broken" in outcomes else 1 if "warning" in outcomes else 0


def _told(phase: Phase) -> list[str]:
    told = [f"{_WORDS[phase.outcome]:<5}{phase.name:<12}{clean(phase.text)}"]
    if phase.do and phase.outcome in ("warning", "broken"):
        told.append(f"{'':<17}{clean(phase.do)}")
    return told
