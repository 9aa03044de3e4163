"""What a console sees is recorded where nobody else records, and the next one goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from litellm_tui.demo import Simulation
from litellm_tui.monitor import recorder
from litellm_tui.storage.history.paths import history_path_of
from litellm_tui.storage.history.reader import HistoryReader
from litellm_tui.storage.history.writer import HistoryWriter
from litellm_tui.ui.session import Session
from litellm_tui.ui.view import Notation
from tests.ui.scene import profile_of
from tests.ui.test_session import running
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recorder, "WRITE_SECONDS", 0.05)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def _session(simulation: Simulation, *, records: bool = True, read_only: bool = False) -> Session:
    return Session(replace(profile_of(simulation), read_only=read_only), Notation(), records=records)


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_console_records_where_nobody_else_does(simulation: Simulation, *, read_only: bool) -> None:
    session = _session(simulation, read_only=read_only)
    async with running(session):
        assert session.profile is not None
        path = history_path_of(session.profile)
        reader = HistoryReader(path)
        await eventually(lambda: reader.events(0, kinds=["start"]), "the start that runs")
        await eventually(lambda: "group:" in " ".join(reader.subjects()), "the groups are measured")
        assert session.record_path == str(path)
        assert session.record_words == ""
    opened = HistoryWriter.open(path)
    assert isinstance(opened, HistoryWriter), "the lock was given back"
    opened.close(0.0)


async def test_a_second_console_reads_until_the_first_one_has_ended(simulation: Simulation) -> None:
    one, other = _session(simulation), _session(simulation)
    async with running(one):
        await eventually(lambda: HistoryReader(Path(one.record_path)).events(0), "one records")
        async with running(other):
            await eventually(lambda: "records already" in other.record_words, "the other is told")
            await eventually(lambda: one.record_words == "")
            # the first one ends while the second looks
            assert one._record is not None
            await one._record.close()
            one._record = None
            await eventually(lambda: other.record_words == "", "the other goes on")


async def test_a_session_that_is_not_to_record_leaves_nothing(simulation: Simulation) -> None:
    session = _session(simulation, records=False)
    async with running(session) as views:
        await eventually(lambda: len(views) > 3)
        assert session.profile is not None
        assert not history_path_of(session.profile).parent.exists()


async def test_a_record_that_cannot_be_written_is_a_problem_until_it_can(simulation: Simulation) -> None:
    session = _session(simulation)
    profile = await session.find()
    folder = history_path_of(profile).parent
    folder.parent.mkdir(parents=True)
    folder.write_text("in its place")

    def told() -> list[str]:
        view = session.view
        return (
            [p.reason for p in view.diagnosis.problems if p.key == "reading:record" and not p.solved_at] if view else []
        )

    async with running(session):
        await eventually(told, "the problem is on the screen")
        assert str(folder) in told()[0]
        folder.unlink()
        await eventually(lambda: not told(), "it goes on by itself")
        await eventually(lambda: HistoryReader(history_path_of(profile)).events(0, kinds=["start"]))
