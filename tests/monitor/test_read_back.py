"""Reading back beyond what is kept of the log: masked, in its place, and counted nowhere."""

from __future__ import annotations

from collections.abc import Callable

from litellm_tui.analysis.redaction.redactor import MASK, Redactor
from litellm_tui.logs.entry import Entry
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.found import Found
from litellm_tui.model.log import LogRecord
from litellm_tui.model.service_kinds import Tools
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.target.profile import Profile

NOW = 1_800_000_000.0


class Past:
    """A tail whose source holds lines numbered from 0, one a second, of which the last are in the store."""

    def __init__(self, lines: int) -> None:
        self.lines = [Entry(NOW + n, f"ERROR:    line {n} hunter22hunter", 6, 1, "", n) for n in range(lines)]
        self.failure: Failure | None = None
        self.meanwhile: Callable[[], None] = lambda: None

    async def run(self) -> None:
        raise AssertionError

    async def before(self, entry: Entry, count: int) -> list[Entry] | Failure:
        self.meanwhile()
        older = [line for line in self.lines if (line.time, line.place) < (entry.time, entry.place)]
        return self.failure or older[-count:]


def _monitor(past: Past, shown: int) -> Monitor:
    monitor = Monitor(Profile(name="test", host="here", url=Found("http://127.0.0.1:1", "a test"), tools=Tools()))
    monitor._intake.redact = Redactor(["hunter22hunter"])
    monitor._tail = past
    monitor._intake.add_entries(past.lines[-shown:])
    return monitor


def _texts(monitor: Monitor) -> list[str]:
    return [record.text for record in monitor.store.since(monitor.store.first)]


async def test_older_records_stand_before_the_others_until_there_are_none() -> None:
    monitor = _monitor(Past(100), shown=10)
    counted = monitor.snapshot().log.errors_per_minute
    came = [await monitor.read_back(40) for _ in range(4)]
    assert came == [40, 40, 10, 0]
    assert _texts(monitor) == [f"line {n} {MASK}" for n in range(100)]
    assert monitor.store.first == -90
    assert monitor.snapshot().log.first == -90
    assert monitor.snapshot().log.errors_per_minute == counted


async def test_records_are_given_from_before_any_time_without_being_kept() -> None:
    monitor = _monitor(Past(100), shown=10)
    found = await monitor.older(NOW + 50, 5)
    assert isinstance(found, tuple)
    assert [record.text for record in found] == [f"line {n} {MASK}" for n in range(45, 50)]
    assert all(isinstance(record, LogRecord) and record.level == "ERROR" for record in found)
    assert len(monitor.store) == 10


async def test_what_comes_meanwhile_drops_nothing_between_the_old_and_the_new() -> None:
    past = Past(100)
    monitor = _monitor(past, shown=10)
    monitor.store._own_bounds = monitor.store._bounds = (10, 1 << 20)
    past.meanwhile = lambda: monitor._intake.add_entries([Entry(NOW + 200, "INFO:     new", 6, 1, "")])
    assert await monitor.read_back(5) == 5
    assert _texts(monitor) == [f"line {n} {MASK}" for n in range(85, 100)] + ["new"]
    monitor.store.release_older()
    assert len(monitor.store) == 10


async def test_a_log_that_cannot_be_read_back_says_why() -> None:
    past = Past(10)
    monitor = _monitor(past, shown=5)
    past.failure = NotAvailable("it only follows")
    assert await monitor.read_back() == NotAvailable("it only follows")
    assert len(monitor.store) == 5
    monitor._tail = None
    assert isinstance(await monitor.read_back(), NotAvailable)
