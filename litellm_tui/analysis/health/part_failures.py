"""Problems of what stands beside the models: MCP servers, side services, database, workers, the machine, guardrails.

No request for a model may fail by them, and yet not all is well: the log told of it during this run of the gateway.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Final

from litellm_tui.analysis.failures.causes import first_words
from litellm_tui.analysis.failures.explanations import explain_cause
from litellm_tui.analysis.phrases import count
from litellm_tui.model.diagnosis import Place, Problem
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import FailureTally, Subject

# what was told longer ago, and not again, may be over
RECENT: Final = 300.0
NOT_LOADED: Final = "guardrail not loaded"
_TITLES: Final[dict[Subject, str]] = {
    "mcp": "MCP server",
    "side service": "side service",
    "database": "database",
    "worker": "workers",
    "machine": "machine",
}
_HIT: Final[dict[Subject, str]] = {
    "mcp": "callers that use its tools",
    "side service": "nobody, where it only records",
    "database": "what needs keys, budgets or spend",
    "worker": "the requests that were in it",
    "machine": "any request",
}
# what is told of a gateway without a database is its callers' keys
_NONE: Final = ("no database",)


def part_problems(snapshot: Snapshot, now: float, told: Collection[str] = ()) -> Iterator[Problem]:
    """A problem for each part and cause that the log told of lately, and for each guardrail that was left out.

    `told` are subjects that have a problem of their own.
    """
    service = snapshot.service.value
    begun = (service.started_at if service else None) or 0.0
    found: dict[tuple[str, Subject, str], list[FailureTally]] = defaultdict(list)
    for tally in snapshot.failures.tallies:
        if tally.last < begun:
            continue
        if tally.cause == NOT_LOADED:
            # it lasts until the next start
            found[tally.cause, tally.subject, ""].append(tally)
        elif tally.subject in _TITLES and tally.subject not in told and now - tally.last <= RECENT:
            if not tally.cause or tally.cause in _NONE:
                continue
            name = tally.name if tally.kind == "part" else ""
            found[tally.cause, tally.subject, name].append(tally)
    for (cause, subject, name), tallies in found.items():
        yield _problem(cause, subject, name, tallies)


def _problem(cause: str, subject: Subject, name: str, tallies: list[FailureTally]) -> Problem:
    newest = max(tallies, key=lambda tally: tally.last)
    known = explain_cause(cause, subject)
    times = sum(number for tally in tallies for _, number in tally.counts)
    title = "guardrails" if cause == NOT_LOADED else f"{_TITLES[subject]} {name}".rstrip()
    told = f"{count(times, 'time')} in the log: {first_words(newest.words)}"
    return Problem(
        key=f"log:part:{subject}:{name}:{cause}",
        severity="warn",
        title=title,
        cause=cause,
        reason=f"{known.means}; {told}" if known.means else told,
        place=Place("log"),
        do=known.do,
        hit="requests are answered without its protection" if cause == NOT_LOADED else _HIT[subject],
        since=min(tally.first for tally in tallies),
    )
