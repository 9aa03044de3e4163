"""`litellm-tui fleet`: every gateway of the settings file, on this machine and on others, worst first.

Exit status as of `status`, the worst of all: 0 all is well, 1 warnings or differences, 2 something is broken, 3 one of
them cannot be reached, 64 a wrong command line.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from litellm_tui.analysis.fleet.rows import fleet_of
from litellm_tui.analysis.fleet.words import NO_PROFILES, facts
from litellm_tui.commands.status_document import FORMAT
from litellm_tui.logs.log_line import clean
from litellm_tui.model.fleet import Fleet
from litellm_tui.monitor.fleet_members import look_once
from litellm_tui.target.profile import Options
from litellm_tui.target.settings import SettingsError, load_settings


def run(options: Options, json: bool = False) -> int:
    """Ask all of them once, print, and say by the exit status how they stand."""
    if options != Options():
        raise SettingsError(
            "fleet: is about every profile of the settings file, and takes no option that chooses a gateway"
        )
    settings = load_settings()
    if not settings.profiles:
        raise SettingsError(f"fleet: {NO_PROFILES}")
    found = fleet_of(asyncio.run(look_once(settings)), time.time())
    if json:
        print(msgspec.json.format(msgspec.json.encode(document(found)), indent=2).decode())
    else:
        ascii_only = settings.draws_ascii or "utf" not in (sys.stdout.encoding or "").lower()
        for line in lines(found):
            print(_in_ascii(line) if ascii_only else line)
    return found.status


def document(fleet: Fleet) -> dict[str, Any]:
    """The fleet as plain data, described in docs/status.md."""
    return {
        "format": FORMAT,
        "written_at": time.time(),
        "exit_status": fleet.status,
        "gateways": msgspec.to_builtins(fleet.rows),
        "differences": list(fleet.differences),
    }


def lines(fleet: Fleet) -> Iterator[str]:
    """The fleet as plain text."""
    names = max((len(row.name) for row in fleet.rows), default=0)
    states = max((len(row.state) for row in fleet.rows), default=0)
    for row in fleet.rows:
        yield clean(f"{row.name:<{names}}  {row.state:<{states}}  {row.sentence}")
        told = " · ".join(text for _, text in facts(row))
        yield clean(f"{'':<{names}}  {told}")
        if row.do and row.status:
            yield clean(f"{'':<{names}}  next: {row.do}")
    if fleet.differences:
        yield ""
        yield "differences"
        yield from (clean(f"  {text}") for text in fleet.differences)


def _in_ascii(text: str) -> str:
    from litellm_tui.ui.signs import to_ascii

    return to_ascii(text).encode("ascii", "replace").decode()
