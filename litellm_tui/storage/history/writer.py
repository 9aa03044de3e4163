"""Writes the record: the one process that holds its lock. What cannot be written waits in memory, within bounds."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.host.file_lock import FileLock
from litellm_tui.host.host_lock import Holder
from litellm_tui.model.failures import Failure
from litellm_tui.model.history import COUNTED, LASTING, PEAKS, Event, EventKind, Sample
from litellm_tui.storage.history import notes
from litellm_tui.storage.history.packing import PACKED_SECONDS, STEP, sample_bytes
from litellm_tui.storage.history.rollup import pack
from litellm_tui.storage.history.rows import COLUMNS, event_of, put_event
from litellm_tui.storage.history.salvage import is_damage, renew
from litellm_tui.storage.history.schema import LaterVersion, changing, open_to_write

# nothing was recorded where two writes are further apart
GAP_SECONDS: Final = 2.0 * STEP
# steps and events that wait while nothing can be written: an hour, and all that happens in a bad one
MOST_STEPS: Final = 360
MOST_EVENTS: Final = 2000
# series of one step: beyond, the first ones are kept
MOST_SERIES: Final = 20_000
_CLOSED: Final = "closed"

SeriesKey = tuple[str, str, str]


class HistoryWriter:
    """Made by `open`. Its methods block, and are called from one thread at a time.

    `failure` says why the last write could not be made, empty where it was. `damage` says what became of a file that
    was broken: it is beside the new one, which has what could still be read of it.
    """

    def __init__(self, path: Path, lock: FileLock, connection: sqlite3.Connection, damage: str = "") -> None:
        self.path = path
        self.failure = ""
        self.damage = damage
        self._lock = lock
        self._connection = connection
        self._steps: dict[int, dict[SeriesKey, float]] = {}
        self._events: dict[int, Event] = {}
        self._lost_until: float | None = None
        self._covered: float | None = None
        self._packed = -1
        self._read()

    @classmethod
    def open(cls, path: Path) -> HistoryWriter | Holder | Failure:
        """Open the record, made where there is none. `Holder`: somebody else writes it; nothing was touched."""
        lock = _lock(path)
        try:
            if (held := lock.take()) is not None:
                return held
        except OSError as error:
            return Failure(f"{path}: {error.strerror}")
        try:
            return cls._opened(path, lock)
        except LaterVersion:
            why = f"{path} was written by a later litellm-tui, and is left as it is"
        except (sqlite3.Error, OSError) as error:
            why = f"{path}: {error}"
        lock.release()
        return Failure(why)

    @classmethod
    def _opened(cls, path: Path, lock: FileLock) -> HistoryWriter:
        try:
            connection = open_to_write(path)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            return cls(path, lock, *renew(path))
        try:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found is not None and found[0] == "ok":
                return cls(path, lock, connection)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                connection.close()
                raise
        connection.close()
        return cls(path, lock, *renew(path))

    def _read(self) -> None:
        """Take up what the file has: the numbers of its series, and its last span."""
        ask = self._connection.execute
        self._inode = os.stat(self.path).st_ino
        self._series: dict[SeriesKey, int] = {
            (subject, measure, source): number
            for number, subject, measure, source in ask("SELECT id, subject, measure, source FROM series")
        }
        self._next = 1 + max(ask("SELECT max(id) FROM events").fetchone()[0] or 0, max(self._events, default=0))
        self._span: tuple[int, float, str] | None = ask(
            "SELECT id, until, ended FROM spans ORDER BY id DESC LIMIT 1"
        ).fetchone()

    # --- what is known ---------------------------------------------------------------------------------------------

    def lasting(self) -> list[Event]:
        """The problems, times without an answer and marks that have not ended, the oldest first."""
        marks = ", ".join("?" * len(LASTING))
        asked = f"SELECT {COLUMNS} FROM events WHERE until IS NULL AND kind IN ({marks}) ORDER BY at"
        found = self._known(asked, tuple(LASTING))
        return [event for event in found.values() if event.until is None and event.kind in LASTING]

    def last(self, kind: EventKind, key: str | None = None) -> Event | None:
        """The latest event of this kind, with this key where one is given."""
        which = "" if key is None else " AND key = ?"
        asked = f"SELECT {COLUMNS} FROM events WHERE kind = ?{which} ORDER BY at DESC, id DESC LIMIT 1"
        found = self._known(asked, (kind,) if key is None else (kind, key))
        mine = [event for event in found.values() if event.kind == kind and key in (None, event.key)]
        return max(mine, key=lambda event: (event.at, event.id), default=None)

    @property
    def recorded_until(self) -> float | None:
        """When the record was last written, by whoever; None of a new one."""
        return self._covered if self._covered is not None else self._span[1] if self._span else None

    def _known(self, asked: str, values: tuple[str, ...]) -> dict[int, Event]:
        """The events of the file and those that wait, by their numbers; of the latter alone where it cannot be read."""
        found: dict[int, Event] = {}
        with contextlib.suppress(sqlite3.Error):
            rows = self._connection.execute(asked, values).fetchall()
            found = {event.id: event for row in rows if (event := event_of(row)) is not None}
        return found | self._events

    # --- writing ---------------------------------------------------------------------------------------------------

    def write(self, samples: Iterable[Sample], events: Iterable[Event], now: float) -> list[int]:
        """Write these; returns the numbers of the events. An event that has a number replaces the one of that number.

        Where it cannot be written `failure` says why, and it is written with one of the next calls.
        """
        numbers = [self._queue(event) for event in events]
        for sample in samples:
            self._add(sample)
        while len(self._steps) > MOST_STEPS:
            oldest = min(self._steps)
            del self._steps[oldest]
            self._lost_until = (oldest + 1) * float(STEP)
        self._flush(now)
        self._covered = now
        return numbers

    def end(self, event_id: int, at: float) -> None:
        """This event has ended at `at`. What is not known is left as it is."""
        event = self._events.get(event_id)
        if event is None:
            found = self._known(f"SELECT {COLUMNS} FROM events WHERE id = {int(event_id)}", ())
            event = found.get(event_id)
        if event is not None:
            self._queue(msgspec.structs.replace(event, until=max(at, event.at)))
            self._flush(None)

    def close(self, now: float) -> None:
        """Write what waits, note that the end was meant, and give the lock back."""
        self._flush(now, closing=True)
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self._lock.release()

    def _queue(self, event: Event) -> int:
        if event.id == 0:
            event = msgspec.structs.replace(event, id=self._next)
            self._next += 1
        self._events[event.id] = event
        while len(self._events) > MOST_EVENTS:
            # the newest are lost, never the old
            del self._events[max(self._events)]
        return event.id

    def _add(self, sample: Sample) -> None:
        values = self._steps.setdefault(int(sample.at // STEP), {})
        key = (sample.subject, sample.measure, sample.source)
        before = values.get(key)
        if before is None and len(values) >= MOST_SERIES:
            return
        value = sample.value
        if before is not None and sample.measure in COUNTED:
            value += before
        elif before is not None and sample.measure in PEAKS:
            value = max(value, before)
        values[key] = value

    def _flush(self, now: float | None, *, closing: bool = False) -> None:
        for _ in range(2):
            try:
                self._reopen_if_gone()
                self._write(now, closing=closing)
            except sqlite3.DatabaseError as error:
                self.failure = f"{self.path}: {error}"
                if not (is_damage(error) and self._renewed()):
                    return
            except OSError as error:
                self.failure = f"{self.path}: {error.strerror}"
                return
            else:
                self.failure = ""
                return

    def _renewed(self) -> bool:
        """Whether a new file took the place of the broken one."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        try:
            self._connection, self.damage = renew(self.path)
            self._read()
        except (sqlite3.Error, OSError, LaterVersion) as error:
            self.failure = f"{self.path}: {error}"
            return False
        return True

    def _reopen_if_gone(self) -> None:
        """Begin a new file where somebody has taken the old one away: what is written there would be nowhere."""
        with contextlib.suppress(OSError):
            if os.stat(self.path).st_ino == self._inode:
                return
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = open_to_write(self.path)
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self._connection = connection
        self._read()

    def _write(self, now: float | None, *, closing: bool) -> None:
        """All that waits, in one transaction. Raises sqlite3.Error and OSError, and nothing is forgotten."""
        taken = notes.take(self.path) if now is not None else []
        noted = [msgspec.structs.replace(note, id=self._next + place) for place, note in enumerate(taken)]
        made: dict[SeriesKey, int] = {}
        span = self._span
        with changing(self._connection):
            if now is not None:
                span = self._spanned(now, self._next + len(noted), closing=closing)
            for step in sorted(self._steps):
                self._put_step(step, self._steps[step], made)
            for event in self._events.values():
                put_event(self._connection, event)
            for note in noted:
                if not self._has(note):
                    put_event(self._connection, note)
        self._next += len(noted) + 1
        self._series |= made
        self._steps, self._events, self._span, self._lost_until = {}, {}, span, None
        if taken:
            notes.forget(self.path)
        if now is not None and int(now // PACKED_SECONDS) != self._packed:
            with changing(self._connection):
                gone = pack(self._connection, now)
            for key in [key for key, number in self._series.items() if number in gone]:
                del self._series[key]
            self._packed = int(now // PACKED_SECONDS)

    def _spanned(self, now: float, number: int, *, closing: bool) -> tuple[int, float, str]:
        """The span that this write belongs to; a new one after a gap, which is an event with this number."""
        ended = _CLOSED if closing else ""
        span = self._span
        # what waited in memory while nothing could be written was recorded all the same
        until = None if span is None else span[1]
        if until is not None and self._lost_until is None and self._covered is not None:
            until = max(until, self._covered)
        if span is None or until is None or now - until > GAP_SECONDS:
            began = now
            if span is not None and until is not None:
                began = min(max(self._lost_until or now, until), now)
                self._put_gap(number, span, began)
            row = self._connection.execute(
                "INSERT INTO spans (since, until, ended) VALUES (?, ?, ?) RETURNING id", (began, now, ended)
            ).fetchone()
            return int(row[0]), now, ended
        after = (span[0], max(now, span[1]), ended)
        self._connection.execute("UPDATE spans SET until = ?, ended = ? WHERE id = ?", (after[1], ended, after[0]))
        return after

    def _put_gap(self, number: int, span: tuple[int, float, str], until: float) -> None:
        if self._lost_until is not None:
            cause = "the record could not be written"
        elif self._covered is not None:
            cause = "the recorder stood still, or the machine slept"
        elif span[2] == _CLOSED:
            cause = "nobody looked: the recorder and every console had ended"
        else:
            cause = "whoever recorded was killed, or the machine ended"
        gap = Event(number, span[1], "gap", "record", "", "quiet", "nothing was recorded", cause, until=until)
        put_event(self._connection, gap)

    def _put_step(self, step: int, values: dict[SeriesKey, float], made: dict[SeriesKey, int]) -> None:
        numbered: dict[int, float] = {}
        for key, value in values.items():
            number = self._series.get(key) or made.get(key)
            if number is None:
                row = self._connection.execute(
                    "INSERT INTO series (subject, measure, source) VALUES (?, ?, ?) RETURNING id", key
                ).fetchone()
                number = made[key] = int(row[0])
            numbered[number] = value
        self._connection.execute("INSERT INTO fresh (step, data) VALUES (?, ?)", (step, sample_bytes(numbered)))

    def _has(self, event: Event) -> bool:
        asked = "SELECT 1 FROM events WHERE kind = ? AND key = ? AND at = ?"
        return self._connection.execute(asked, (event.kind, event.key, event.at)).fetchone() is not None


def who_writes(path: Path) -> Holder | None:
    """Who writes this record now; None where nobody does."""
    return _lock(path).holder()


def _lock(path: Path) -> FileLock:
    return FileLock(path.with_name(f".{path.name}.writer"))
