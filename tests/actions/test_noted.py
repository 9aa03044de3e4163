"""What was done to a gateway is noted for its record, by whichever process has done it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from litellm_tui.actions.noted import note, noted, rehearsal_event
from litellm_tui.actions.transaction.events import Event, Outcome, Step
from litellm_tui.model.found import Found
from litellm_tui.model.rehearsal import Rehearsal
from litellm_tui.model.service_kinds import Tools
from litellm_tui.storage.backups import Backups, FileCopy, FileSet
from litellm_tui.storage.history.paths import history_path_of
from litellm_tui.storage.history.reader import HistoryReader
from litellm_tui.storage.history.writer import HistoryWriter
from litellm_tui.target.profile import Profile, Secret

NOON = 1_760_000_400.0


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    unit = Found("litellm.service", "test")
    return Profile("p", "h", Found("http://127.0.0.1:4000", "test"), Tools(), unit=unit, key=Secret("sk-of-the-test"))


def recorded(profile: Profile) -> HistoryReader:
    writer = HistoryWriter.open(history_path_of(profile))
    assert isinstance(writer, HistoryWriter)
    writer.write([], [], NOON)
    writer.close(NOON)
    return HistoryReader(history_path_of(profile))


async def _events() -> AsyncGenerator[Event, None]:
    yield Step("restart")
    yield Outcome("rolled back", "rolled back, because sk-of-the-test", 12.0, "it refuses sk-of-the-test", 4.5)


def test_a_transaction_is_noted_with_its_outcome_and_passed_on(profile: Profile) -> None:
    reader = recorded(profile)

    async def run() -> list[Event]:
        return [event async for event in noted(profile, _events(), upgrade=True)]

    assert len(asyncio.run(run())) == 2
    (event,) = reader.events(0)
    assert (event.kind, event.title, event.severity) == ("upgrade", "upgrade: rolled back", "warn")
    assert event.until is not None
    assert event.until - event.at == pytest.approx(12.0)
    assert event.hit == "4.5 s without an answer"
    assert "sk-of-the-test" not in event.cause + event.text


def test_a_rehearsal_is_noted(profile: Profile) -> None:
    reader = recorded(profile)
    note(profile, rehearsal_event(Rehearsal("refused", "no such provider", took=9.0), NOON))
    (event,) = reader.events(0)
    assert (event.kind, event.title, event.cause) == ("rehearsal", "rehearsal: refused", "no such provider")


def test_a_backup_is_noted_and_what_is_kept_of_a_start_is_not(profile: Profile, tmp_path: Path) -> None:
    reader = recorded(profile)
    backups = Backups("http://127.0.0.1:4000", "litellm.service")
    copy = FileSet((FileCopy("/c.yaml", "config", b"a: 1"),))
    backups.keep(copy, "seen running", at=NOON)
    backups.keep(copy, "before a restart", at=NOON + 1)
    (event,) = reader.events(0)
    assert (event.kind, event.at, event.subject) == ("backup", NOON + 1, "/c.yaml")


def test_where_nothing_is_recorded_nothing_is_noted(profile: Profile) -> None:
    note(profile, rehearsal_event(Rehearsal("refused"), NOON))
    assert not history_path_of(profile).parent.exists()
