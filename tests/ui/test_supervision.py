"""A job of the monitor that fails ends nothing else: its pane says so, the others go on, and it comes back."""

from __future__ import annotations

import gc
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.gateway.client import Answer, Endpoint
from litellm_tui.demo import Simulation
from litellm_tui.model.failures import Crashed
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor import auditor
from litellm_tui.monitor.supervisor import Pace
from litellm_tui.services.systemd.driver import UnitDriver
from litellm_tui.target.settings import Settings
from litellm_tui.ui import session as session_module
from litellm_tui.ui.app import Console
from litellm_tui.ui.panes.cache import Cache
from tests.ui.scene import Scene, opened, profile_of

PACE = Pace(first=0.02, longest=0.05, settled=0.2)
SECRET = "sk-this-must-never-be-seen-1234567890"

Set = Callable[[], None]
Injection = Callable[[Scene, pytest.MonkeyPatch], Set]


def _fail(*_: Any, **__: Any) -> Any:
    raise KeyError(SECRET)


async def _fail_later(*_: Any, **__: Any) -> Any:
    raise KeyError(SECRET)


def _endpoint(path: str) -> Injection:
    def inject(scene: Scene, patch: pytest.MonkeyPatch) -> Set:
        client = scene.monitor._gateway._client
        assert client is not None
        real: Callable[..., Awaitable[Answer]] = client.get

        async def get(endpoint: Endpoint, url: str = "") -> Answer:
            return _fail() if endpoint.path.startswith(path) else await real(endpoint, url)

        patch.setattr(client, "get", get)
        return scene.monitor.look_now

    return inject


def _service(scene: Scene, patch: pytest.MonkeyPatch) -> Set:
    patch.setattr(UnitDriver, "look", _fail_later)
    return scene.monitor.look_now


def _touched(scene: Scene) -> Set:
    config = scene.monitor.profile.config
    assert config is not None

    def touch() -> None:
        with open(config.value, "a", encoding="utf-8") as file:
            file.write(f"# {time.monotonic_ns()}\n")

    return touch


def _file(scene: Scene, patch: pytest.MonkeyPatch) -> Set:
    patch.setattr(config_file, "load", _fail)
    return _touched(scene)


def _audit(scene: Scene, patch: pytest.MonkeyPatch) -> Set:
    patch.setattr(auditor.Auditor, "audit", _fail)
    return _touched(scene)


def _log(scene: Scene, patch: pytest.MonkeyPatch) -> Set:
    patch.setattr(scene.monitor._intake, "add_lines", _fail)
    return lambda: scene.simulation.request("llama3.1:latest")


class Case(NamedTuple):
    """`seen` tells of a snapshot when the source was last read; `shown` is the pane that says that it is not."""

    source: str
    inject: Injection
    shown: str
    seen: Callable[[Snapshot], object]


CASES = (
    Case("liveliness", _endpoint("/health/liveliness"), "", lambda s: s.gateway.liveliness.seen_at),
    Case("readiness", _endpoint("/health/readiness"), "", lambda s: s.gateway.readiness.seen_at),
    Case("groups", _endpoint("/v1/models"), "models", lambda s: s.gateway.groups.seen_at),
    Case("deployments", _endpoint("/v1/model/info"), "models", lambda s: s.gateway.deployments.seen_at),
    Case("router", _endpoint("/get/config"), "models", lambda s: s.gateway.router.seen_at),
    Case("cache_ping", _endpoint("/cache/ping"), "cache", lambda s: s.gateway.cache_ping.seen_at),
    Case("metrics", _endpoint("/metrics"), "", lambda s: s.gateway.metrics.tried_at),
    Case("service", _service, "service", lambda s: s.service.seen_at),
    Case("configuration", _file, "models", lambda s: s.configuration.checked_at),
    Case("audit", _audit, "audit", lambda s: s.configuration.checked_at),
    Case("log", _log, "logs", lambda s: s.log.last_at),
)


def _crash(scene: Scene, source: str) -> Crashed | None:
    found = [crash for crash in scene.monitor.snapshot().crashes if crash.source == source]
    return found[0].failure if found else None


def _problem(scene: Scene, source: str) -> str:
    view = scene.app.view
    assert view is not None
    problems = [p for p in view.diagnosis.problems if p.key == f"reading:{source}" and p.solved_at is None]
    return problems[0].reason if problems else ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.source)
async def test_a_job_that_fails_says_so_and_comes_back(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    async with opened(simulation, size=(180, 44), pace=PACE) as scene:
        with monkeypatch.context() as patch:
            disturb = case.inject(scene, patch)
            disturb()
            await scene.until(lambda: _crash(scene, case.source), f"{case.source} has failed")
            await scene.until(lambda: _problem(scene, case.source), "the problem is told")
            if case.shown == "audit":
                await scene.press("a")
            if case.shown:
                await scene.shows("KeyError")
            assert "KeyError at ui/" not in scene.text
            assert "not read: " in scene.text
            assert SECRET not in scene.text + repr(scene.monitor.snapshot().crashes) + _problem(scene, case.source)
            if case.shown == "audit":
                await scene.press("escape")
            # the others go on
            other = CASES[0] if case.source == "service" else CASES[7]
            before = other.seen(scene.monitor.snapshot())
            scene.monitor.look_now()
            await scene.until(lambda: other.seen(scene.monitor.snapshot()) != before, f"{other.source} goes on")
            before = case.seen(scene.monitor.snapshot())
        disturb()
        await scene.until(lambda: case.seen(scene.monitor.snapshot()) != before, f"{case.source} is read again")
        await scene.until(lambda: not _crash(scene, case.source), "it has recovered")
        await scene.until(lambda: not _problem(scene, case.source), "the problem is over")
        if case.source == "log":
            await scene.until(lambda: scene.monitor.snapshot().log.state == "following")


async def test_a_diagnosis_that_fails_is_told_in_the_header_and_tried_again(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(simulation, pace=PACE) as scene:
        rows = scene.shown_rows("models")
        with monkeypatch.context() as patch:
            patch.setattr(session_module, "diagnose", _fail)
            scene.monitor.look_now()
            await scene.shows("NOT JUDGED")
            assert "KeyError at " in scene.text
            assert SECRET not in scene.text
            # what was thought before is still there
            assert [row[:20] for row in scene.shown_rows("models")] == [row[:20] for row in rows]
        scene.monitor.look_now()
        await scene.until(lambda: "NOT JUDGED" not in scene.text)
        assert scene.app.is_running


async def test_a_first_diagnosis_that_fails_leaves_a_console(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fails = [True]
        patch.setattr(session_module, "diagnose", lambda *given: _fail() if fails[0] else diagnose(*given))
        app = Console(
            profile_of(simulation),
            Settings(),
            memory=False,
            pace=PACE,
        )
        async with app.run_test(size=(120, 40)) as pilot:
            scene = Scene(app, pilot, simulation)
            await scene.shows("NOT JUDGED")
            fails[0] = False
            scene.monitor.look_now()
            await scene.until(lambda: "NOT JUDGED" not in scene.text)


async def test_a_pane_that_cannot_be_drawn_says_so_and_the_others_are_drawn(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(simulation, pace=PACE) as scene:
        with monkeypatch.context() as patch:
            patch.setattr(Cache, "rows", _fail)
            scene.app.redraw()
            await scene.shows("not drawn: KeyError")
            assert SECRET not in scene.text
            scene.break_for_all("qwen2.5-coder:32b")
            await scene.shows("refused")
        scene.app.redraw()
        await scene.until(lambda: "not drawn" not in scene.text)


async def test_work_beside_the_screen_that_fails_is_told_and_ends_nothing(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(simulation, pace=PACE) as scene:
        scene.app.begin(_fail_later, group="some work")
        (said,) = await scene.until(lambda: [note.message for note in scene.app._notifications])
        assert said.startswith("some work failed: the console's own fault: KeyError at ")
        assert SECRET not in said
        assert scene.app.is_running


async def test_work_that_a_console_ends_before_it_begins_leaves_nothing_over(simulation: Simulation) -> None:
    begun: list[str] = []

    async def work() -> None:
        begun.append("begun")

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", RuntimeWarning)
        async with opened(simulation, pace=PACE) as scene:
            scene.app.begin(work, group="some work").cancel()
            await scene.app.begin(work, group="other work").wait()
        # a coroutine that nobody awaits is told of when it is let go
        gc.collect()
    assert begun == ["begun"]
    assert [str(one.message) for one in told if "never awaited" in str(one.message)] == []


async def test_what_takes_the_snapshots_may_fail(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(simulation, pace=PACE) as scene:
        with monkeypatch.context() as patch:
            patch.setattr(scene.monitor, "_on_snapshot", _fail)
            scene.monitor.look_now()
            await scene.until(lambda: _crash(scene, "screen"))
        scene.monitor.look_now()
        await scene.until(lambda: not _crash(scene, "screen"))


@pytest.mark.parametrize("part", ["traffic", "incidents", "log counts"])
async def test_a_count_that_fails_costs_that_count_alone(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    async with opened(simulation, pace=PACE) as scene:
        monitor = scene.monitor
        target, name = {
            "traffic": (monitor._traffic, "traffic"),
            "incidents": (monitor._intake.incidents, "failures"),
            "log counts": (monitor._intake, "log"),
        }[part]
        before = monitor.snapshot()
        with monkeypatch.context() as patch:
            patch.setattr(target, name, _fail)
            now = monitor.snapshot()
            assert [crash.source for crash in now.crashes] == [part]
            assert now.log.last >= before.log.last
            await scene.until(lambda: _problem(scene, part))
        assert not monitor.snapshot().crashes
