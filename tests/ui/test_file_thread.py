"""Nothing of the console touches a file, or waits for a lock, on the thread of the event loop."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import fcntl
import io
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import litellm_tui
from litellm_tui.demo import Simulation
from litellm_tui.model.notify_settings import NotifySettings, Receiver, Webhook
from litellm_tui.storage.backups import index
from litellm_tui.storage.outbox import outbox_path
from litellm_tui.storage.starts import StartHistory
from litellm_tui.storage.state import StateFile
from litellm_tui.target.settings import Settings
from litellm_tui.ui import session as session_module
from tests.ui.scene import Scene, opened

PACKAGE = os.path.dirname(litellm_tui.__file__) + os.sep
CALLS: tuple[tuple[Any, str], ...] = (
    *((os, name) for name in (
        "stat", "lstat", "open", "fsync", "replace", "rename", "unlink", "mkdir", "scandir", "listdir", "readlink",
        "access", "chmod", "statvfs",
    )),
    (sqlite3, "connect"), (builtins, "open"), (io, "open"), (fcntl, "flock"), (fcntl, "fcntl"), (fcntl, "lockf"),
    *((Path, name) for name in ("read_bytes", "read_text", "write_bytes", "write_text", "exists", "is_file", "mkdir")),
)  # fmt: skip
# what may touch a file there, and why
ALLOWED = {
    # the simulated gateway is not part of the console
    "demo/": "the simulation",
}
# memory of the kernel: no disk and no network stands behind it
KERNEL = ("/proc/", "/sys/")


class Guard:
    """Notes each of these calls of the package on one thread, by the innermost frame of the package."""

    def __init__(self) -> None:
        self.loop_thread = 0
        self.found: list[str] = []

    def note(self, name: str, what: tuple[object, ...]) -> None:
        # a pipe that has its number already, and the device that a child process reads from, are no files
        if threading.get_ident() != self.loop_thread or what == (os.devnull,):
            return
        if name.endswith("open") and what and isinstance(what[0], int):
            return
        if what and str(what[0]).startswith(KERNEL):
            return
        frame = sys._getframe(2)
        while frame is not None:
            file = frame.f_code.co_filename
            if "importlib" in file or "frozen" in file:
                # a module that is loaded when it is used first
                return
            if file.startswith(PACKAGE):
                place = file.removeprefix(PACKAGE)
                if not place.startswith(tuple(ALLOWED)):
                    self.found.append(f"{place}:{frame.f_lineno} {frame.f_code.co_name}: {name}({what!r})")
                return
            frame = frame.f_back  # type: ignore[assignment]


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    found = Guard()

    def watched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            found.note(name, given[:1])
            return real(*given, **named)

        return call

    with monkeypatch.context() as patch:
        for owner, name in CALLS:
            patch.setattr(owner, name, watched(f"{getattr(owner, '__name__', owner)}.{name}", getattr(owner, name)))
        yield found


_connect = sqlite3.connect


def _states(box: Path) -> set[str]:
    """Of the messages in this outbox."""
    with (
        contextlib.suppress(sqlite3.OperationalError),
        contextlib.closing(_connect(f"file:{box}?mode=ro", uri=True)) as reader,
    ):
        return {state for (state,) in reader.execute("SELECT DISTINCT state FROM message")}
    return set()


def _kept(scene: Scene) -> StateFile:
    profile = scene.monitor.profile
    return StateFile(profile.url.value, profile.unit.value if profile.unit else "")


async def test_a_session_touches_no_file_on_the_event_loop(
    simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guard: Guard
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(session_module, "OTHERS_SECONDS", 0.05)
    monkeypatch.setattr(session_module, "KEEP_SECONDS", 0.1)
    monkeypatch.setattr("litellm_tui.notify.notifier.PATIENCE_SECONDS", 0.0)
    url = tmp_path / "url"
    url.write_text("http://127.0.0.1:1/hook\n", encoding="utf-8")
    told = {"hook": Receiver(webhook=Webhook(url_file=str(url))), "page": Receiver(command=("true",))}
    settings = Settings(notify=NotifySettings(told))
    async with opened(simulation, settings=settings, memory=True) as scene:
        guard.loop_thread = threading.get_ident()
        scene.break_for_all("qwen2.5-coder:32b")
        box = outbox_path(scene.monitor.profile.url.value, simulation.unit)
        await scene.until(lambda: _states(box) == {"waiting", "sent"}, "one receiver is told, and one cannot be")
        config = scene.monitor.profile.config
        assert config is not None
        # the start is recorded
        history = scene.app.session.history
        assert history is not None
        await scene.until(history.versions, "the start is recorded")
        # the file is changed
        before = scene.monitor.snapshot().configuration.checked_at
        text = await asyncio.to_thread(Path(config.value).read_text)
        await asyncio.to_thread(Path(config.value).write_text, text + "\n# changed\n")
        await scene.until(lambda: scene.monitor.snapshot().configuration.checked_at != before)
        # a mark is set
        view = scene.app.view
        assert view is not None
        key = view.diagnosis.deployments[0].key
        scene.app._overlays._mark_down(view.diagnosis.deployments[0], "no GPU here")
        await scene.until(lambda: not scene.app.session.is_keeping)
        # every list and dialog that shows what is kept
        for name in ("b", "d", "a", "i", "h", "C", "exclamation_mark", "F", "R", "S"):
            await scene.press(name)
            await scene.pilot.pause(0.1)
            while len(scene.app.screen_stack) > 1:
                await scene.press("escape")
        await scene.press("2", "y")
        await scene.pilot.pause(0.1)
        await scene.press("q")
        await scene.pilot.pause()
    assert guard.found == [], "\n".join(guard.found)
    assert _kept(scene).load().expected_down == {key: "no GPU here"}


async def test_a_guard_sees_what_it_is_to_see(tmp_path: Path, guard: Guard) -> None:
    guard.loop_thread = threading.get_ident()
    StateFile("http://a", "", tmp_path).save({}, {"a": "b"}, None)
    assert any("state.py" in found for found in guard.found)
    guard.found.clear()
    await asyncio.to_thread(StateFile("http://a", "", tmp_path).load)
    assert guard.found == []


async def test_a_busy_store_holds_no_key_and_the_start_is_recorded_when_it_is_free(
    simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("litellm_tui.ui.starts_recorder.AGAIN_SECONDS", 0.02)
    monkeypatch.setattr("litellm_tui.ui.starts_recorder.LONGEST_SECONDS", 0.05)
    busy = threading.Event()
    tried = threading.Event()
    real = index._locked

    def locked(handle: int) -> bool:
        tried.set()
        assert threading.current_thread() is not threading.main_thread()
        return not busy.is_set() and real(handle)

    monkeypatch.setattr(index, "_locked", locked)
    busy.set()
    async with opened(simulation, memory=True) as scene:
        await scene.until(tried.is_set)
        history = scene.app.session.history
        assert isinstance(history, StartHistory)
        await scene.until(lambda: history.retry and "another litellm-tui" in history.failure)
        assert history.versions() == ()
        busy.clear()
        scene.monitor.look_now()
        await scene.until(history.versions, "the start is recorded")
