"""What every part of the screen is drawn from: one snapshot, what is thought of it, and how it is to be drawn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from litellm_tui.analysis.health.timeline import Event
from litellm_tui.analysis.phrases import age
from litellm_tui.logs.store import LogStore
from litellm_tui.model.diagnosis import Deployment, Diagnosis, Verdict
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import ColumnSettings
from litellm_tui.ui.signs import ASCII, UNICODE, Signs

ALL_COLUMNS: Final = ColumnSettings()


class Known(NamedTuple):
    """What was thought of a deployment, and until when."""

    verdict: Verdict
    at: float


def known_of(deployments: Iterable[Deployment], now: float) -> dict[str, Known]:
    """What is known of these now, by their keys: it is shown when nothing is known any more."""
    return {row.key: Known(row.verdict, now) for row in deployments if row.verdict.state != "unknown"}


class View(NamedTuple):
    """Handed whole to every pane. `now` is seconds since the epoch; `clock` formats such a time for the person."""

    snapshot: Snapshot
    diagnosis: Diagnosis
    store: LogStore
    profile: Profile
    signs: Signs
    now: float
    clock: Callable[[float], str]
    redact: Callable[[str], str]
    title: str = ""
    known: Mapping[str, Known] = {}
    """By the key of a deployment: what was known of it before the gateway fell silent."""
    calm_since: float | None = None
    """Since when nothing has been wrong; None while something is, or as long as that is not known."""
    events: tuple[Event, ...] = ()
    """What happened in the last hour."""
    fallen: bool = False
    """Whether judging the snapshot failed: the diagnosis is what was thought before."""
    columns: ColumnSettings = ALL_COLUMNS
    """Which columns the lists have."""

    @property
    def answering(self) -> bool:
        """Whether the gateway answers at this moment."""
        liveliness = self.snapshot.gateway.liveliness
        return liveliness.failure is None and liveliness.value is not None

    def freshness(self, *readings: Reading[Any]) -> tuple[str, bool]:
        """`(words for the frame, whether it is stale)` for what was read; the oldest reading decides.

        What is of now says nothing of its age.
        """
        seen = [reading.seen_at for reading in readings if reading.seen_at is not None]
        if not seen:
            return ("no answer yet", False)
        oldest = self.now - min(seen)
        stale = any(reading.stale(self.now) for reading in readings) or not self.answering
        return (f"{age(oldest)} old" if stale else "", stale)


class Notation:
    """How states and times are written, everywhere on the screen, and which columns lists have."""

    def __init__(self, *, ascii: bool = False, utc: bool = False, columns: ColumnSettings = ALL_COLUMNS) -> None:
        self.signs = ASCII if ascii else UNICODE
        self.utc = utc
        self.columns = columns

    @property
    def clock(self) -> Callable[[float], str]:
        """A moment as HH:MM:SS, in the zone that times are shown in."""
        return utc_clock if self.utc else local_clock


def local_clock(seconds: float) -> str:
    """HH:MM:SS in local time."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))


def utc_clock(seconds: float) -> str:
    """HH:MM:SS in UTC."""
    return time.strftime("%H:%M:%S", time.gmtime(seconds))
