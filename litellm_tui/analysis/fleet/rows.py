"""From what the members of a fleet have told to its rows, worst first, and its differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from litellm_tui.analysis.fleet.differences import Difference, differences
from litellm_tui.analysis.phrases import age
from litellm_tui.model.fleet import Fleet, FleetRow, Seen, StatusDocument

# a document comes every 30 s at least: what is older is of a link that hangs
STALE_SECONDS: Final = 75.0
_NOT_REACHED: Final = 3
_HERE: Final = "this machine"
_DIGEST: Final = 8


def fleet_of(seen: Sequence[Seen], now: float) -> Fleet:
    """All rows at this moment, in seconds since the epoch."""
    found = differences(seen)
    rows = [_row(one, found, now) for one in seen]
    rows.sort(key=lambda row: (not row.known, -row.status, -(row.problems or 0), not row.differs, row.name))
    return Fleet(tuple(rows), tuple(one.text for one in found))


def _row(seen: Seen, found: Sequence[Difference], now: float) -> FleetRow:
    member, document = seen.member, seen.document
    where = member.ssh or _HERE
    aged = max(0.0, now - seen.came_at) if seen.came_at is not None else None
    digest = document.configuration.digest[:_DIGEST] if document is not None and document.configuration else ""
    told = FleetRow(
        name=member.name,
        where=where,
        group=member.group,
        status=_NOT_REACHED,
        state="",
        sentence="",
        version=(document.litellm_version or "") if document is not None else "",
        digest=digest,
        age=aged,
        differs=tuple(one.members[member.name] for one in found if member.name in one.members),
    )
    if seen.failure is not None:
        lasting = now - seen.failing_since if seen.failing_since is not None else 0.0
        since = f", for {age(lasting)}" if lasting >= 1 else ""
        sentence = f"{seen.failure.why}{since}"
        return _with(told, state=seen.failure.state.upper(), sentence=sentence, do=seen.failure.do)
    if document is None:
        return _with(told, status=0, state="ASKED", sentence=f"{where} has not answered yet", known=False)
    if aged is not None and aged > STALE_SECONDS:
        sentence = f"nothing has come from {where} for {age(aged)}; before: {_sentence(document)}"
        return _with(
            told, state="SILENT", sentence=sentence, do="see whether the link hangs, and whether the host does"
        )
    return _with(
        told,
        status=min(_NOT_REACHED, max(0, document.exit_status)),
        state=document.headline.word,
        sentence=_sentence(document),
        problems=_problems(document),
        errors_per_minute=_errors(document),
        do=document.headline.advice,
    )


def _with(row: FleetRow, **changes: object) -> FleetRow:
    return replace(row, **changes)


def _sentence(document: StatusDocument) -> str:
    return " · ".join(part.text for part in document.headline.parts)


def _problems(document: StatusDocument) -> int:
    return sum(one.solved_at is None and one.severity in ("bad", "warn") for one in document.problems)


def _errors(document: StatusDocument) -> float | None:
    """Failed requests a minute; lines of errors where no request is known to have failed."""
    rates = document.rates
    return rates.failed_per_minute or rates.error_lines_per_minute
