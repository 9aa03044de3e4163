"""Reads the record, beside whoever writes it. All of it blocks: it is called in a thread."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeVar, cast

from litellm_tui.model.history import COUNTED, LASTING, SOURCES, UNITS, Event, EventKind, Measure, Series, Source
from litellm_tui.storage.history import notes
from litellm_tui.storage.history.packing import LEVELS, STEP, Value, joined, samples_of, values_of
from litellm_tui.storage.history.rows import COLUMNS, event_of
from litellm_tui.storage.history.schema import LaterVersion, chunk_key, chunk_number, open_to_read

T = TypeVar("T")

# steps that people read well, in seconds
_STEPS: Final = (10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)
_LONGEST_STEP: Final = 1 << 40


class HistoryReader:
    """`failure` says why the last question could not be answered; a record that is not there yet holds nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failure = ""

    def events(
        self, since: float, until: float | None = None, kinds: Iterable[EventKind] = (), limit: int = 1000
    ) -> list[Event]:
        """The events from `since` on, before `until`, the newest first; also what began before and lasted until then.

        Those that nobody has taken into the record yet have the number 0.
        """
        wanted, before = frozenset(kinds), until if until is not None else float("inf")
        found = self._asked(lambda connection: _events(connection, since, before, wanted, limit), list[Event]())
        known = {(event.kind, event.key, event.at) for event in found}
        for event in notes.waiting(self.path):
            mine = (not wanted or event.kind in wanted) and (event.kind, event.key, event.at) not in known
            if mine and event.at < before and (event.until or event.at) >= since:
                found.append(event)
        found.sort(key=lambda event: (event.at, event.id), reverse=True)
        return found[: max(limit, 0)]

    def series(self, subject: str, measure: Measure, since: float, until: float, most: int = 400) -> Series:
        """The measure in the finest steps that are kept for the whole time, at most `most` of them.

        Where several sources tell of it, the one that tells most of this time.
        """
        nothing = _empty(subject, measure, since, until, _step(since, until, most, STEP))
        return self._asked(lambda connection: _series(connection, nothing, most, since, until), nothing)

    def looked(self, since: float, until: float) -> list[tuple[float, float]]:
        """When somebody was recording, as `(from, to)` in order; at all other times nobody looked."""
        return self._asked(lambda connection: _looked(connection, since, until), list[tuple[float, float]]())

    def subjects(self) -> list[str]:
        """The subjects of which something was measured: see `Sample`."""
        asked = "SELECT DISTINCT subject FROM series ORDER BY subject"
        return self._asked(lambda connection: [str(row[0]) for row in connection.execute(asked)], list[str]())

    def _asked(self, ask: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """The answer from the file as it is now: it may have been set aside since the last question."""
        self.failure = ""
        if not self.path.exists():
            return otherwise
        try:
            connection = open_to_read(self.path)
            try:
                # everything of one answer is of one moment
                connection.execute("BEGIN")
                return ask(connection)
            finally:
                connection.close()
        except LaterVersion:
            self.failure = f"{self.path} was written by a later litellm-tui"
        except (sqlite3.Error, OSError) as error:
            self.failure = f"{self.path}: {error}"
        return otherwise


def _events(
    connection: sqlite3.Connection, since: float, before: float, kinds: frozenset[EventKind], limit: int
) -> list[Event]:
    lasting = ", ".join(f"'{kind}'" for kind in sorted(LASTING))
    which = f" AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM events WHERE at < ? AND (at >= ? OR until >= ? "
        f"OR (until IS NULL AND kind IN ({lasting}))){which} ORDER BY at DESC, id DESC LIMIT ?",
        (min(before, 1e18), since, since, *sorted(kinds), max(limit, 0)),
    )
    return [event for row in rows if (event := event_of(row)) is not None]


def _looked(connection: sqlite3.Connection, since: float, until: float) -> list[tuple[float, float]]:
    rows = connection.execute(
        "SELECT since, until FROM spans WHERE until >= ? AND since < ? ORDER BY since", (since, until)
    )
    found: list[tuple[float, float]] = []
    for began, ended in rows:
        one = max(began, since), min(ended, until)
        if found and one[0] <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], one[1])
        elif one[1] > one[0]:
            found.append(one)
    return found


def _step(since: float, until: float, most: int, finest: int) -> int:
    """The shortest step that covers the time in at most `most` steps, and is no shorter than the finest one kept."""
    span, most = max(until - since, 0.0), max(most, 1)
    # a time that does not begin with a step needs one more
    for step in _STEPS:
        if step >= finest and step % finest == 0 and span / step + 1 <= max(most, 2):
            return step
    step = _STEPS[-1]
    while span / step + 1 > max(most, 2) and step < _LONGEST_STEP:
        step *= 2
    return step


def _grid(since: float, until: float, step: int) -> tuple[int, int]:
    """The number of the first step and how many there are."""
    first = int(since // step)
    return first, max(int(-(-until // step)) - first, 0)


def _empty(subject: str, measure: Measure, since: float, until: float, step: int) -> Series:
    first, length = _grid(since, until, step)
    points = tuple(((first + place) * float(step), None) for place in range(length))
    return Series(subject, measure, UNITS[measure], step, points, SOURCES[0])


def _series(connection: sqlite3.Connection, nothing: Series, most: int, since: float, until: float) -> Series:
    subject, measure = nothing.subject, nothing.measure
    row = connection.execute("SELECT max(until) FROM spans").fetchone()
    newest = row[0] if row is not None and row[0] is not None else until
    finest = next((level.step for level in LEVELS if newest - since <= level.kept), LEVELS[-1].step)
    step = _step(since, until, most, finest)
    best = _empty(subject, measure, since, until, step)
    known = -1
    rows = connection.execute(
        "SELECT id, source FROM series WHERE subject = ? AND measure = ?", (subject, measure)
    ).fetchall()
    for number, source in sorted(rows, key=lambda row: SOURCES.index(row[1]) if row[1] in SOURCES else len(SOURCES)):
        values, parts = _values(connection, number, measure, step, since, until)
        told = sum(value is not None for value in values)
        if told > known:
            known = told
            first = int(since // step)
            points = tuple(((first + place) * float(step), value) for place, value in enumerate(values))
            covered = _covered(connection, parts, step, since, until) if measure in COUNTED else ()
            best = Series(subject, measure, UNITS[measure], step, points, cast(Source, source), covered)
    return best


def _values(
    connection: sqlite3.Connection, number: int, measure: Measure, step: int, since: float, until: float
) -> tuple[list[Value], list[float]]:
    """The values of one series in these steps, and how many seconds of each have one."""
    level = max(place for place, one in enumerate(LEVELS) if step % one.step == 0)
    base, slots, _ = LEVELS[level]
    first, length = _grid(since, until, step)
    parts: list[list[Value]] = [[] for _ in range(length)]
    begin, end = first * (step // base), (first + length) * (step // base)
    bounds = chunk_key(number, level, begin // slots), chunk_key(number, level, (end - 1) // slots)
    asked = "SELECT id, data FROM chunks WHERE id >= ? AND id <= ?"
    for key, data in connection.execute(asked, bounds) if length else ():
        try:
            values = values_of(data, measure, slots)
        except ValueError:
            # a damaged chunk is lost alone
            continue
        start = chunk_number(key) * slots
        for at, value in enumerate(values, start):
            if value is not None and begin <= at < end:
                parts[(at - begin) // (step // base)].append(value)
    packed = [len(part) for part in parts]
    _add_fresh(connection, number, parts, first, step)
    # what is not packed yet is in the shortest steps
    known = [float(base * long + STEP * (len(part) - long)) for long, part in zip(packed, parts, strict=True)]
    return [joined(part, measure) for part in parts], known


def _covered(
    connection: sqlite3.Connection, known: Sequence[float], step: int, since: float, until: float
) -> tuple[float, ...]:
    """How many seconds of each step were recorded: somebody looked, or the log told of them afterwards."""
    first, length = _grid(since, until, step)
    looked = [0.0] * length
    for began, ended in _looked(connection, first * step, (first + length) * step):
        for place in range(int(began // step) - first, min(int(ended // step) - first + 1, length)):
            begin = float((first + place) * step)
            looked[place] += max(0.0, min(ended, begin + step) - max(began, begin))
    return tuple(min(float(step), max(pair)) for pair in zip(known, looked, strict=True))


def _add_fresh(connection: sqlite3.Connection, number: int, parts: list[list[Value]], first: int, step: int) -> None:
    """Add what is not packed yet: it is in no chunk."""
    begin = first * step // STEP
    asked = "SELECT step, data FROM fresh WHERE step >= ? AND step < ? ORDER BY id"
    for at, data in connection.execute(asked, (begin, begin + len(parts) * step // STEP)):
        try:
            numbers, values = samples_of(data)
        except ValueError:
            continue
        place = _place(numbers, number)
        if place >= 0:
            parts[(at - begin) * STEP // step].append(values[place])


def _place(numbers: array[int], number: int) -> int:
    try:
        return numbers.index(number)
    except ValueError:
        return -1


def gaps(looked: Iterable[tuple[float, float]], since: float, until: float) -> list[tuple[float, float]]:
    """The times between those in which somebody looked."""
    edges = [(since, since), *looked, (until, until)]
    return [(before[1], after[0]) for before, after in pairwise(edges) if after[0] > before[1]]
