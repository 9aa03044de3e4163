"""The operator's marks: what is expected to be down, why, and until when.

A mark is a note by the key of a deployment or the name of a group. A note that says until when ("until 18:00", "until
2026-12-01 06:00") carries that moment in full, so that every face ends it then, in whatever zone it was made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from litellm_tui.analysis.health.states import verdict_of
from litellm_tui.analysis.latest import latest
from litellm_tui.model.diagnosis import Evidence, Verdict

_UNTIL: Final = re.compile(r"\buntil (?:(\d{4})-(\d\d)-(\d\d)[ T])?(\d{1,2}):(\d\d)(?![\d:+-])", re.IGNORECASE)
_DATED: Final = re.compile(r"\buntil (\d{4}-\d\d-\d\d \d\d:\d\d[+-]\d\d:\d\d)")


def dated(note: str, now: datetime) -> str:
    """The note with the end that it names in full; `now` is the local time, without a zone that of this machine.

    A time of day is the next such moment.
    """
    match = _UNTIL.search(note)
    if match is None:
        return note
    year, month, day, hour, minute = match.groups()
    try:
        end = now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
        if year:
            end = end.replace(year=int(year), month=int(month), day=int(day))
        elif end <= now:
            end += timedelta(days=1)
    except ValueError:
        # no such day or hour: the words stay as they are, and the mark has no end
        return note
    if end.tzinfo is None:
        # by this machine's zone: another day may be of another offset from UTC
        end = end.astimezone()
    return f"{note[: match.start()]}until {end.isoformat(' ', 'minutes')}{note[match.end() :]}"


@lru_cache(maxsize=512)
def end_of(note: str) -> float | None:
    """When the mark ends, in seconds since the epoch; None for one without an end."""
    match = _DATED.search(note)
    if match is None:
        return None
    try:
        return datetime.fromisoformat(match[1]).timestamp()
    except (ValueError, OverflowError):
        return None


def lasting(marks: Mapping[str, str], now: float) -> Mapping[str, str]:
    """The marks that have not ended; the same mapping where none has."""
    ended = {key for key, note in marks.items() if (end := end_of(note)) is not None and end <= now}
    return {key: note for key, note in marks.items() if key not in ended} if ended else marks


def keep_marks(marks: Mapping[str, str], now: float) -> Mapping[str, str]:
    """The marks that last; the same mapping until another one of them ends."""
    return _without_ended(marks, frozenset(marks.keys() - lasting(marks, now).keys()))


@latest
def _without_ended(marks: Mapping[str, str], ended: frozenset[str]) -> Mapping[str, str]:
    return {key: note for key, note in marks.items() if key not in ended} if ended else marks


def expected_down(verdict: Verdict, note: str) -> Verdict:
    """The verdict of a marked deployment: what is seen to serve is not down."""
    # the mark is told in the operator's words and no other: what is seen has evidence of its own
    said = Evidence("operator", f"marked as expected down: {note or 'no note'}", "neither")
    if verdict.state in ("serving", "not in file", "unknown") or verdict.severity == "ok":
        return msgspec.structs.replace(verdict, evidence=(*verdict.evidence, said))
    expected = verdict_of(
        "expected down", note or "marked so by the operator", verdict.seen_at, "", verdict.brief, verdict.since
    )
    was = Evidence("operator", f"without the mark: {verdict.state}, {verdict.reason}", "neither")
    return msgspec.structs.replace(expected, evidence=(*verdict.evidence, said, was))
