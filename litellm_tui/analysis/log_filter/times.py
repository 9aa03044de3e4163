"""Times as typed: a duration ago, a time of day, a date with or without a time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from typing import Final

_DURATION: Final = re.compile(r"(\d{1,9})(s|min|m|h|d)")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?")
_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d))?)?([Zz])?")
_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
FORMS: Final = "10m, 02:14 or 2026-11-21T02:20"


def parse_duration(typed: str) -> float | None:
    """Seconds in `90s`, `10m`, `3h` or `2d`; None for anything else."""
    found = _DURATION.fullmatch(typed)
    return float(int(found[1]) * _SECONDS[found[2]]) if found else None


def parse_moment(typed: str, now: float, zone: tzinfo | None) -> float | None:
    """The typed time in seconds since the epoch; None when it is not a time.

    A duration, with or without `ago`, counts back from `now`. A time of day is the latest one before `now`, in `zone`
    (None: the machine's own). A date that ends in Z is in UTC in any zone.
    """
    if (ago := parse_duration(typed.removesuffix(" ago"))) is not None:
        return now - ago
    try:
        if found := _CLOCK.fullmatch(typed):
            hour, minute, second = (int(part or 0) for part in found.groups())
            today = datetime.fromtimestamp(now, zone).replace(hour=hour, minute=minute, second=second, microsecond=0)
            return (today if today.timestamp() <= now else today - timedelta(days=1)).timestamp()
        if found := _DATE.fullmatch(typed):
            year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
            text = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
            naive = datetime.fromisoformat(text + ("+00:00" if found[7] else ""))
            return (naive if naive.tzinfo or zone is None else naive.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError, OSError):
        # a 13th month, or a year before there were any
        return None
    return None
