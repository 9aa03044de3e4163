"""What every kind of service must show and do, in the same words. A module that imports it has a fixture `scene`."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Protocol

from litellm_tui.actions.control import order
from litellm_tui.logs.entry import Entry
from litellm_tui.model.failures import Denied, Failure
from litellm_tui.model.service import Service
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Profile
from tests.waiting import DEADLINE, eventually


class Scene(Protocol):
    """One service of its kind, stopped, and what can be done to it from outside. `knows_process` is false for a kind
    that cannot tell one run from the next."""

    profile: Profile
    knows_process: bool
    marker: str
    """What it writes to its log when it starts."""

    def pid(self) -> int:
        """The process itself, by whatever way there is."""
        ...

    def kill(self, pid: int) -> None:
        """`kill -9`."""
        ...

    def lives(self, pid: int) -> bool:
        """Whether a process of this number runs."""
        ...

    def remove(self) -> None:
        """There is no such service any more."""
        ...

    def deny(self) -> None:
        """From now on the right to control it is missing."""
        ...


async def _seen(scene: Scene) -> Service:
    found = await driver(scene.profile.service_target).look()
    assert isinstance(found, Service), found
    return found


async def _until(scene: Scene, state: str) -> Service:
    """Until it is in this state: most orders are carried out when they return, a crash is seen a moment later."""
    found = await _seen(scene)
    end = time.monotonic() + DEADLINE
    while f"{found.active_state} ({found.sub_state})" != state:
        assert time.monotonic() < end, f"not {state}, but {found}"
        await asyncio.sleep(0.02)
        found = await _seen(scene)
    return found


async def _start(scene: Scene) -> Service:
    assert await order(scene.profile, "start") is None
    return await _until(scene, "active (running)")


async def test_before_its_first_start_it_is_inactive(scene: Scene) -> None:
    found = await _seen(scene)
    assert (found.load_state, found.active_state, found.sub_state) == ("loaded", "inactive", "dead")
    assert (found.main_pid, found.started_at, found.memory) == (0, None, None)
    assert (found.unit, found.scope) == (scene.profile.unit and scene.profile.unit.value, scene.profile.place)


async def test_what_runs_is_active_with_its_process_where_that_is_known(scene: Scene) -> None:
    found = await _start(scene)
    assert found.load_state == "loaded"
    if scene.knows_process:
        assert found.main_pid == scene.pid()
        assert found.started_at is not None
        assert found.invocation
    else:
        assert (found.main_pid, found.started_at, found.memory, found.invocation) == (0, None, None, "")


async def test_starting_what_runs_leaves_it_alone(scene: Scene) -> None:
    await _start(scene)
    before = scene.pid()
    assert await order(scene.profile, "start") is None
    assert scene.pid() == before


async def test_stopped_it_is_inactive_and_stopping_again_is_no_error(scene: Scene) -> None:
    await _start(scene)
    pid = scene.pid()
    assert await order(scene.profile, "stop") is None
    found = await _until(scene, "inactive (dead)")
    assert found.main_pid == 0
    assert not scene.lives(pid)
    assert await order(scene.profile, "stop") is None


async def test_restarted_it_is_another_process(scene: Scene) -> None:
    first = await _start(scene)
    pid = scene.pid()
    assert await order(scene.profile, "restart") is None
    second = await _until(scene, "active (running)")
    assert scene.pid() != pid
    assert not scene.lives(pid)
    if scene.knows_process:
        assert second.invocation != first.invocation
        assert second.main_pid == scene.pid()


async def test_restarting_what_is_stopped_starts_it(scene: Scene) -> None:
    await _start(scene)
    assert await order(scene.profile, "stop") is None
    assert await order(scene.profile, "restart") is None
    await _until(scene, "active (running)")


async def test_killed_it_has_failed_and_can_be_started_again(scene: Scene) -> None:
    await _start(scene)
    scene.kill(scene.pid())
    found = await _until(scene, "failed (failed)")
    assert found.main_pid == 0
    # how it ended is told where it is known, and nothing is made up where it is not
    assert (found.exit_code, found.exit_status) in (("killed", 9), ("", 0))
    await _start(scene)


async def test_a_service_that_is_not_there_is_not_found(scene: Scene) -> None:
    scene.remove()
    found = await _seen(scene)
    assert (found.load_state, found.active_state) == ("not-found", "inactive")
    for verb in ("start", "restart"):
        refused = await order(scene.profile, verb)
        assert isinstance(refused, Failure), verb
        assert refused.why
        assert not isinstance(refused, Denied)


async def test_without_the_right_nothing_is_changed(scene: Scene) -> None:
    await _start(scene)
    pid = scene.pid()
    scene.deny()
    for verb in ("stop", "restart"):
        refused = await order(scene.profile, verb)
        assert isinstance(refused, Denied), (verb, refused)
        assert refused.why
    assert scene.lives(pid)


async def test_its_log_is_followed_over_a_restart(scene: Scene) -> None:
    await _start(scene)
    lines: list[Entry] = []
    states: list[str] = []
    tail = driver(scene.profile.service_target).tail(lines.extend, lambda state, *_: states.append(state))
    assert not isinstance(tail, Failure), tail
    running = asyncio.create_task(tail.run())
    try:
        await eventually(lambda: _count(scene, lines) == 1, "the first start is in the log")
        await eventually(lambda: states[-1:] == ["following"], "it is said to be followed")
        assert await order(scene.profile, "restart") is None
        await eventually(lambda: _count(scene, lines) == 2, "the second start is in the log")
        await eventually(lambda: states[-1:] == ["following"], "it is said to be followed again")
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert all(line.time > 1.7e9 for line in lines)


def _count(scene: Scene, lines: list[Entry]) -> int:
    return sum(scene.marker in line.message for line in lines)
