"""When the recorder writes: what comes and goes between two writes is in the record all the same."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.failures import NotAvailable
from litellm_tui.model.service import Exit, Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.recorder import PATIENCE_SECONDS, WRITE_SECONDS, Recorder
from litellm_tui.storage.history.reader import HistoryReader
from tests.monitor.test_record_keeper import NOON, diagnosis, problem
from tests.waiting import eventually


async def _no_exits(_: Service | None) -> tuple[Exit, ...] | NotAvailable:
    return ()


async def test_a_problem_that_was_away_for_less_than_a_write_is_two(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    recorder = Recorder(path, str, lambda _: None, _no_exits)

    async def see(at: float, found: Diagnosis) -> None:
        recorder.take(Snapshot(taken_at=NOON + at), found, NOON + at)
        await eventually(lambda: not recorder._busy)

    starting = problem("gateway:", "starting")
    hanging = problem("gateway:", "hanging", since=NOON + 23)
    try:
        await see(0, diagnosis(starting))
        await see(PATIENCE_SECONDS, diagnosis(starting))
        # it answers, as two looks say, and does not again before the next write is due
        assert WRITE_SECONDS > 4
        await see(21, diagnosis(starting))
        await see(22, diagnosis(replace(starting, solved_at=NOON + 21.5)))
        await see(24, diagnosis(hanging))
        await see(25, diagnosis(replace(hanging, solved_at=NOON + 24.5)))
    finally:
        await recorder.close()
    found = HistoryReader(path).events(0, kinds=["problem"])
    told = [(event.at - NOON, event.until and event.until - NOON, event.cause) for event in found]
    assert sorted(told) == [(0.0, 21.5, "starting"), (23.0, 24.5, "hanging")]
