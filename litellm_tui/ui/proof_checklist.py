"""The proof of a restart as a list of what is checked: what is done, what it waits for, and a bar for the watch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from litellm_tui.analysis.change.proof import NOT_WANTED, STEADY_SECONDS, CheckName, ProofCheck
from litellm_tui.ui.detail import Paragraph
from litellm_tui.ui.view import View

BAR: Final = 20
_NAMES: Final[dict[CheckName, str]] = {
    "unit": "process",
    "answers": "alive",
    "ready": "ready",
    "deployments": "deployments",
    "cache": "cache",
    "database": "database",
    "log": "log",
    "probes": "probes",
    "steady": "watch",
}


def expected_checks(view: View) -> tuple[CheckName, ...]:
    """What will be checked of a gateway that looks so: no cache where it has none, nor what nobody asks to probe."""
    names: list[CheckName] = ["unit", "answers", "ready", "deployments"]
    if view.diagnosis.cache.state in ("healthy", "slow"):
        names.append("cache")
    if view.diagnosis.database.state in ("connected", "slow"):
        names.append("database")
    if view.profile.probes:
        names.append("probes")
    return (*names, "steady")


def checklist(
    checks: Sequence[ProofCheck], expected: Sequence[CheckName], signs: Mapping[str, str], now: float, *, ended: bool
) -> Iterator[Paragraph]:
    """A line for each check, also for those to come; `ended` says that what waits is not waited for any more.

    `signs` are those of the states, `now` is in seconds since the epoch.
    """
    found = {check.name: check for check in checks}
    waits = True
    for name, words in _NAMES.items():
        check = found.get(name)
        # what is well without being wanted was never expected
        if check is not None and check.state == "ok" and (check.text == NOT_WANTED or name == "log"):
            continue
        if check is None:
            if name in expected:
                yield f"  {words}", signs["idle"] if not ended else f"{signs['idle']} not reached", "quiet"
        elif check.state == "ok":
            yield f"  {words}", f"{signs['serving']} {check.text}".rstrip(), "ok"
        elif check.state == "failed" or (ended and check.state == "waiting"):
            yield f"  {words}", f"{signs['failing']} {check.text}", "bad"
        elif check.state == "not known":
            yield f"  {words}", f"{signs['unknown']} {check.text}", "unknown"
        else:
            # of several that wait, the first is the one that the others wait for too
            style = "strong" if waits else "quiet"
            yield f"  {words}", f"{signs['unproven']} {_watched(check, now) or check.text}", style
            waits = False


def _watched(check: ProofCheck, now: float) -> str:
    """How much of the watch is over, as a bar; empty for a check that waits for something else than time."""
    if check.until is None:
        return ""
    over = min(max(STEADY_SECONDS - (check.until - now), 0.0), STEADY_SECONDS)
    full = round(BAR * over / STEADY_SECONDS)
    return f"{'█' * full}{'▁' * (BAR - full)} {over:.0f} of {STEADY_SECONDS:.0f} s"
