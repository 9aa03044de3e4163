"""Where a history is read from: the file of a gateway, or what the simulated one brings along."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from litellm_tui.model.history import Event, EventKind, Measure, Series


class HistorySource(Protocol):
    """Its calls may block, and are made in a thread by whoever must not wait. Times are seconds since the epoch.

    `failure` says why the last question could not be answered; empty where it could.
    """

    failure: str

    def events(
        self, since: float, until: float | None = None, kinds: Iterable[EventKind] = (), limit: int = 1000
    ) -> list[Event]:
        """What began within the span or lasted into it, the newest first; of some kinds alone, where they are given."""

    def series(self, subject: str, measure: Measure, since: float, until: float, most: int = 400) -> Series:
        """One figure over the span, in the finest steps that make at most `most` points."""

    def looked(self, since: float, until: float) -> list[tuple[float, float]]:
        """When somebody recorded; nothing is known of the rest."""

    def subjects(self) -> list[str]:
        """Those with figures: empty for the whole gateway, `group:NAME`, `deployment:KEY`, `cause:GROUP:CAUSE`."""
