"""A look without a screen is over when it has seen everything, however long a busy machine takes for that."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from litellm_tui.commands import look
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.log import Log, LogRecord
from litellm_tui.model.snapshot import Snapshot

NEWEST = 2000.0


class Paused:
    """A monitor whose log pauses in the middle; `newest` is what is said of its end."""

    def __init__(self, newest: tuple[LogRecord, ...] | Failure) -> None:
        self.newest = newest
        self.audits = SimpleNamespace(settled=True, audit=None)
        self._log = Log(state="following", last=-1)

    async def run(self) -> None:
        self._log = Log(state="following", last=0, last_at=NEWEST - 1000)
        await asyncio.sleep(4 * look.LOG_QUIET_SECONDS)
        self._log = Log(state="following", last=1, last_at=NEWEST)
        await asyncio.Event().wait()

    async def older(self, before: float, count: int) -> tuple[LogRecord, ...] | Failure:
        assert before > NEWEST
        assert count > 1
        return self.newest

    def snapshot(self) -> Snapshot:
        return Snapshot(NEWEST, log=self._log)

    last_snapshot = snapshot


@pytest.fixture(autouse=True)
def nothing_else_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "all_asked", lambda snapshot: True)


def _seen(newest: tuple[LogRecord, ...] | Failure) -> Log:
    monitor: Any = Paused(newest)
    return asyncio.run(look._settled(monitor))[0].log


def test_a_log_that_pauses_in_the_middle_is_read_to_its_newest_line() -> None:
    records = tuple(LogRecord(-number, NEWEST - number, "INFO", "stdout", "x") for number in (3, 0))
    assert _seen(records).last == 1


def test_what_else_has_not_answered_is_waited_for_less_long_than_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "all_asked", lambda snapshot: False)
    monkeypatch.setattr(look, "PATIENCE_SECONDS", look.LOG_QUIET_SECONDS)
    assert _seen((LogRecord(0, NEWEST, "INFO", "stdout", "x"),)).last == 1


@pytest.mark.parametrize("newest", [(), NotAvailable("no such command")])
def test_where_the_end_is_not_known_a_pause_ends_it(newest: tuple[LogRecord, ...] | Failure) -> None:
    assert _seen(newest).last >= 0
