"""Counts by minute that stay small: by the hour where they are older than one."""

from __future__ import annotations

from typing import Final

MINUTES: Final = 60
HOURS: Final = 48


def coarse(counts: dict[int, int], newest: int) -> dict[int, int]:
    """The counts by minute for the last hour and by hour before it, for two days."""
    after: dict[int, int] = {}
    for minute, number in counts.items():
        if minute > newest - HOURS * 60:
            place = minute if minute > newest - MINUTES else minute - minute % 60
            after[place] = after.get(place, 0) + number
    return after
