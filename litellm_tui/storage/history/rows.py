"""Events as rows of the record, and back."""

from __future__ import annotations

import sqlite3
from typing import Any, Final, cast, get_args

from litellm_tui.model.diagnosis import Severity
from litellm_tui.model.history import EVENT_KINDS, Event, EventKind

COLUMNS: Final = "id, at, until, kind, key, subject, severity, title, cause, do, hit, text"
_PUT: Final = f"INSERT OR REPLACE INTO events ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SEVERITIES: Final = get_args(Severity)
# of one text; the beginning of an error says what counts
LONGEST: Final = 500


def put_event(connection: sqlite3.Connection, event: Event) -> None:
    """Add the event, or replace the one with its number. Raises sqlite3.Error."""
    texts = (event.key, event.subject, event.severity, event.title, event.cause, event.do, event.hit, event.text)
    key, subject, severity, title, cause, do, hit, text = (_kept(one) for one in texts)
    row = (event.id, event.at, event.until, event.kind, key, subject, severity, title, cause, do, hit, text)
    connection.execute(_PUT, row)


def event_of(row: tuple[Any, ...]) -> Event | None:
    """The event of a row with `COLUMNS`; None for a kind that a later version has written."""
    number, at, until, kind, key, subject, severity, title, cause, do, hit, text = row
    if kind not in EVENT_KINDS:
        return None
    return Event(
        number, at, cast(EventKind, kind), key, subject,
        cast(Severity, severity if severity in _SEVERITIES else "unknown"), title, cause, do, hit, until, text,
    )  # fmt: skip


def _kept(text: str) -> str:
    # what stands for bytes that are no text cannot be kept as such
    return text[:LONGEST].encode(errors="replace").decode()
