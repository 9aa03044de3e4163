"""Packs what is older than this hour: one chunk for each series and level, and drops what is older than is kept."""

from __future__ import annotations

import sqlite3
from typing import Final, cast

from litellm_tui.model.history import Measure
from litellm_tui.storage.history.packing import (
    LEVELS,
    PACKED_SECONDS,
    STEP,
    Value,
    chunk_bytes,
    coarser,
    joined,
    samples_of,
    values_of,
)
from litellm_tui.storage.history.schema import chunk_key

_SLOTS: Final = PACKED_SECONDS // STEP


def pack(connection: sqlite3.Connection, now: float) -> set[int]:
    """Pack the steps of the hours that have ended; returns the numbers of the series of which nothing is left.

    The caller holds the transaction. Raises sqlite3.Error.
    """
    measures = {number: cast(Measure, name) for number, name in connection.execute("SELECT id, measure FROM series")}
    end = int(now // PACKED_SECONDS) * _SLOTS
    hours = [
        int(hour)
        for (hour,) in connection.execute(
            f"SELECT DISTINCT step / {_SLOTS} FROM fresh WHERE step < ? ORDER BY 1", (end,)
        )
    ]
    for hour in hours:
        for number, values in _hour(connection, hour, measures).items():
            for level in range(len(LEVELS)):
                _merge(connection, number, level, hour, values, measures[number])
        connection.execute("DELETE FROM fresh WHERE step >= ? AND step < ?", (hour * _SLOTS, (hour + 1) * _SLOTS))
    return _dropped(connection, now, set(measures))


def _hour(connection: sqlite3.Connection, hour: int, measures: dict[int, Measure]) -> dict[int, list[Value]]:
    """The values of an hour by the numbers of their series, one for each step."""
    found: dict[int, list[Value]] = {}
    rows = connection.execute(
        "SELECT step, data FROM fresh WHERE step >= ? AND step < ? ORDER BY id", (hour * _SLOTS, (hour + 1) * _SLOTS)
    )
    for step, data in rows:
        try:
            numbers, values = samples_of(data)
        except ValueError:
            # one damaged step is lost alone
            continue
        for number, value in zip(numbers, values, strict=True):
            if number not in measures:
                continue
            mine = found.get(number)
            if mine is None:
                mine = found[number] = [None] * _SLOTS
            place = step - hour * _SLOTS
            mine[place] = joined((mine[place], value), measures[number])
    return found


def _merge(
    connection: sqlite3.Connection, number: int, level: int, hour: int, values: list[Value], measure: Measure
) -> None:
    """Add an hour to the chunk of this level that it belongs to."""
    step, slots, _ = LEVELS[level]
    first = hour * PACKED_SECONDS // step
    key = chunk_key(number, level, first // slots)
    mine = coarser(values, step // STEP, measure)
    row = connection.execute("SELECT data FROM chunks WHERE id = ?", (key,)).fetchone()
    whole: list[Value] = [None] * slots
    if row is not None:
        try:
            whole = values_of(row[0], measure, slots)
        except ValueError:
            # a damaged chunk is lost alone
            whole = [None] * slots
    for place, value in enumerate(mine, first % slots):
        whole[place] = joined((whole[place], value), measure)
    connection.execute("INSERT OR REPLACE INTO chunks (id, data) VALUES (?, ?)", (key, chunk_bytes(whole, measure)))


def _dropped(connection: sqlite3.Connection, now: float, numbers: set[int]) -> set[int]:
    """Drop the chunks that are older than is kept, and the series without any."""
    used: set[int] = set()
    for (data,) in connection.execute("SELECT data FROM fresh"):
        try:
            used.update(samples_of(data)[0])
        except ValueError:
            continue
    gone: set[int] = set()
    for number in numbers:
        for level, (step, slots, kept) in enumerate(LEVELS):
            oldest = int((now - kept) // (step * slots))
            bounds = chunk_key(number, level, 0), chunk_key(number, level, oldest)
            connection.execute("DELETE FROM chunks WHERE id >= ? AND id < ?", bounds)
        bounds = chunk_key(number, 0, 0), chunk_key(number + 1, 0, 0)
        left = connection.execute("SELECT 1 FROM chunks WHERE id >= ? AND id < ? LIMIT 1", bounds).fetchone()
        if left is None and number not in used:
            connection.execute("DELETE FROM series WHERE id = ?", (number,))
            gone.add(number)
    return gone
