"""A session is all that belongs to one gateway; it needs no screen, and several can be open at once."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from litellm_tui.demo import Simulation
from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import SettingsError
from litellm_tui.ui import session as session_module
from litellm_tui.ui.session import Session
from litellm_tui.ui.signs import ASCII
from litellm_tui.ui.view import Notation, View, local_clock, utc_clock
from tests.ui.scene import Scene, profile_of
from tests.waiting import eventually


@asynccontextmanager
async def running(session: Session) -> AsyncIterator[list[View]]:
    """An open session that looks; with every view that it tells."""
    views: list[View] = []
    await session.open()
    work = asyncio.create_task(session.run(views.append))
    try:
        yield views
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        await session.close()


def _serves(session: Session) -> bool:
    view = session.view
    return view is not None and view.answering and bool(view.diagnosis.deployments)


def test_a_session_loads_nothing_that_draws() -> None:
    code = "import sys, litellm_tui.ui.session; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert {name.split(".")[0] for name in loaded.stdout.split()} & {"textual", "rich", "httpx", "watchfiles"} == set()


async def test_it_is_operated_without_a_screen(simulation: Simulation) -> None:
    session = Session(lambda: profile_of(simulation), Notation(ascii=True), "LAB", memory=False)
    assert (session.profile, session.view, session.read_only) == (None, None, False)
    async with running(session) as views:
        await eventually(lambda: _serves(session), "the gateway answers")
        assert session.profile is not None
        assert session.profile.config is not None
        assert session.own_folder == Path(session.profile.config.value).parent
        assert session.backups is not None
        assert session.history is None
        view = session.view
        assert view is not None
        assert (view.title, view.signs) == ("LAB", ASCII)
        assert views[-1].profile is session.profile
        before = len(views)
        session.look_now()
        await eventually(lambda: len(views) > before, "another view is told")


async def test_two_are_open_at_once_and_share_nothing(tmp_path: Path) -> None:
    with (
        Simulation(tmp_path / "one", speed=5, scripted=False) as one,
        Simulation(tmp_path / "two", speed=5, scripted=False) as two,
    ):
        notation = Notation()
        first, second = (Session(profile_of(found), notation, memory=False) for found in (one, two))
        async with running(first), running(second):
            await eventually(lambda: _serves(first) and _serves(second), "both gateways answer")
            assert first.view is not None
            assert second.view is not None
            assert first.view.store is not second.view.store
            assert first.view.profile.url.value != second.view.profile.url.value
            two.gateway_down()
            await eventually(lambda: not _serves(second), "the second is down")
            assert _serves(first)


async def test_another_notation_is_in_the_next_view(simulation: Simulation) -> None:
    notation = Notation()
    session = Session(profile_of(simulation), notation, memory=False)
    async with running(session):
        await eventually(lambda: session.view is not None, "there is a view")
        assert session.view is not None
        assert session.view.clock is local_clock
        notation.utc = True
        assert session.view.clock is utc_clock


async def test_what_is_wrong_with_the_settings_is_raised_where_it_is_opened() -> None:
    def sought() -> Profile:
        raise SettingsError("profiles: no such thing")

    session = Session(sought, Notation(), memory=False)
    with pytest.raises(SettingsError, match="no such thing"):
        await session.open()
    assert session.monitor is None


async def test_what_cannot_be_read_of_the_last_run_is_told(
    simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    session = Session(profile_of(simulation), Notation())
    assert await session.open() == ()
    async with asyncio.timeout(60):
        work = asyncio.create_task(session.run(lambda _: None))
        await eventually(lambda: _serves(session), "the gateway answers")
        session.keep()
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        await session.close()
    kept = list((tmp_path / "state").rglob("*.json"))
    assert kept
    for path in kept:
        path.write_text("{", encoding="utf-8")
    assert any("state" in failure for failure in await Session(profile_of(simulation), Notation()).open())


async def test_two_sessions_of_one_gateway_take_over_each_others_marks(
    simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(session_module, "OTHERS_SECONDS", 0.05)
    first, second = (Session(profile_of(simulation), Notation()) for _ in range(2))
    async with running(first), running(second):
        assert first.monitor is not None
        assert second.monitor is not None
        marks = {"a deployment": "no GPU here"}
        first.monitor.expect_down(marks)
        first.keep()
        monitor = second.monitor
        await eventually(lambda: monitor.expected_down == marks, "the other session has the mark")


async def test_work_of_a_session_that_fails_is_told_and_none_is_begun_after_its_end(simulation: Simulation) -> None:
    async def fail() -> None:
        raise KeyError("sk-this-must-never-be-seen-1234567890")

    warnings: list[str] = []
    session = Session(profile_of(simulation), Notation(), memory=False)
    await session.open()
    work = asyncio.create_task(session.run(lambda _: None, warn=warnings.append))
    await eventually(lambda: _serves(session), "the gateway answers")
    session._start(fail())
    await eventually(lambda: warnings, "its exception is told")
    assert warnings[0].startswith("diagnosis failed: the console's own fault: KeyError at ")
    assert "sk-" not in warnings[0]
    assert not work.done()
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    await session.close()
    late = fail()
    session._start(late)
    assert inspect.getcoroutinestate(late) == inspect.CORO_CLOSED


async def test_the_app_stores_nothing_of_a_gateway(scene: Scene) -> None:
    """What it has of one it has from its session: another one can be shown in its place."""
    session = scene.app.session
    own = {id(part) for part in (session.monitor, session.backups, session.memory, session.profile)}
    kept = {name for name, value in vars(scene.app).items() if id(value) in own}
    assert kept == set()


async def test_the_runs_that_ended_before_it_are_on_the_timeline(simulation: Simulation) -> None:
    simulation.crash()
    # the past is read once, with the first view
    await eventually(lambda: simulation._unit.restarts == 1 and simulation._unit.active == "active", "it runs again")
    session = Session(profile_of(simulation), Notation(), memory=False)
    async with running(session) as views:

        def ends() -> list[str]:
            return [event.words for view in views[-1:] for event in view.events if event.key == "end"]

        await eventually(lambda: _serves(session) and ends(), "the end is told of")
        assert len(ends()) == 1
        assert "started again by systemd" in ends()[0]
