"""A log taken in from its lines, for tests of what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.intake import LogIntake
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.log import Log, LogRecord
from litellm_tui.model.traffic import FailureTally

NOW = 1_796_000_000.0
# long enough for all that waits
LATER = NOW + 3600.0


class TakenLog:
    """The lines of a source without times of its own, read at once at `NOW`."""

    def __init__(self, lines: str | Iterable[str], *, at: float = NOW) -> None:
        self.store = LogStore()
        self.traffic = TrafficCounter()
        self.intake = LogIntake(self.store, Redactor(), self.traffic)
        self.add(lines, at)

    def add(self, lines: str | Iterable[str], at: float = NOW) -> None:
        """Take in more lines."""
        texts = lines.strip("\n").split("\n") if isinstance(lines, str) else lines
        self.intake.add_entries([Entry(at, text, 6, 0, "", n, unstamped=True) for n, text in enumerate(texts)])

    @property
    def records(self) -> list[LogRecord]:
        return list(self.store.since(self.store.first))

    def log(self, now: float = LATER) -> Log:
        """The state of the log when nothing more has come until `now`."""
        return self.intake.log(now)

    def failures(self, now: float = LATER) -> tuple[FailureTally, ...]:
        """What failed, with starts that did not complete by `now`."""
        self.log(now)
        self.intake.incidents.settle()
        return self.intake.incidents.failures(now).tallies

    def told(self) -> list[tuple[str, str, int]]:
        """Each kind of failure: its cause, the beginning of its words, and how many."""
        return sorted((tally.cause, tally.words[:60], sum(n for _, n in tally.counts)) for tally in self.failures())
