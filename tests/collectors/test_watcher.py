"""A change is told however the file was saved."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from litellm_tui.collectors.config import watcher as watcher_module
from litellm_tui.collectors.config.watcher import Watcher, signature
from litellm_tui.demo.files import write_atomically
from tests.waiting import eventually


class Watched:
    """A file, the watcher on it, and what was read at each of its events."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "config.yaml"
        self.path.write_text("0")
        self.events: list[str] = []
        self.watcher = Watcher([str(self.path)], self._read)

    def _read(self) -> None:
        try:
            self.events.append(self.path.read_text())
        except OSError:
            self.events.append("(gone)")

    async def settles_at(self, text: str) -> None:
        await eventually(lambda: bool(self.events) and self.events[-1] == text, f"the last event reads {text!r}")


async def _at_work(path: Path, events: list[str]) -> None:
    """Change the file until that is told: what happens before inotify is set up is for the polling to find."""

    def changed() -> bool:
        path.write_text(path.read_text() + "!")
        return bool(events)

    await eventually(changed)
    path.write_text("begin")
    await eventually(lambda: events[-1:] == ["begin"])
    events.clear()


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    found = Watched(tmp_path)
    task = asyncio.create_task(found.watcher.run())
    await _at_work(found.path, found.events)
    yield found
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def without_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told is told by inotify."""
    monkeypatch.setattr(watcher_module, "FALLBACK_SECONDS", 3600.0)


@pytest.mark.usefixtures("without_polling")
async def test_a_file_written_in_place(watched: Watched) -> None:
    with watched.path.open("w") as file:
        file.write("half ")
        file.flush()
        file.write("whole")
    await watched.settles_at("half whole")


@pytest.mark.usefixtures("without_polling")
async def test_a_file_renamed_over_again_and_again(watched: Watched) -> None:
    for number in range(3):
        write_atomically(watched.path, f"new {number}")
        await watched.settles_at(f"new {number}")


@pytest.mark.usefixtures("without_polling")
async def test_the_way_of_vim_with_a_backup(watched: Watched) -> None:
    watched.path.rename(watched.path.with_suffix(".yaml~"))
    watched.path.write_text("edited")
    watched.path.with_suffix(".yaml~").unlink()
    await watched.settles_at("edited")


@pytest.mark.usefixtures("without_polling")
async def test_a_file_deleted_and_created_again(watched: Watched) -> None:
    watched.path.unlink()
    await watched.settles_at("(gone)")
    watched.path.write_text("back")
    await watched.settles_at("back")


@pytest.mark.usefixtures("without_polling")
async def test_a_new_time_alone_is_a_change_and_other_files_are_none(watched: Watched) -> None:
    (watched.path.parent / "other.yaml").write_text("x")
    os.utime(watched.path, (1000, 1000))
    await eventually(lambda: bool(watched.events))
    assert watched.events == ["begin"]


@pytest.mark.usefixtures("without_polling")
async def test_a_storm_of_saves_is_few_events_and_the_last_content_is_seen(watched: Watched) -> None:
    saves = 400
    for number in range(saves):
        if number % 2:
            write_atomically(watched.path, str(number))
        else:
            watched.path.write_text(str(number))
        if number % 40 == 0:
            await asyncio.sleep(0)
    await watched.settles_at(str(saves - 1))
    assert 1 <= len(watched.events) <= 20


@pytest.mark.usefixtures("without_polling")
async def test_a_link_that_is_swapped(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(name)
    link = tmp_path / "config.yaml"
    link.symlink_to("one/config.yaml")
    events: list[str] = []
    task = asyncio.create_task(Watcher([str(link)], lambda: events.append(link.read_text())).run())
    try:
        await _at_work(tmp_path / "one" / "config.yaml", events)
        (tmp_path / "new").symlink_to("two/config.yaml")
        (tmp_path / "new").replace(link)
        await eventually(lambda: events[-1:] == ["two"])
        # what it leads to now is what is watched now
        (tmp_path / "two" / "config.yaml").write_text("two, edited")
        await eventually(lambda: events[-1:] == ["two, edited"])
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.usefixtures("without_polling")
async def test_a_mounted_configuration_that_swaps_its_data_folder(tmp_path: Path) -> None:
    for name in ("v1", "v2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(name)
    (tmp_path / "..data").symlink_to("v1")
    link = tmp_path / "config.yaml"
    link.symlink_to("..data/config.yaml")
    events: list[str] = []
    task = asyncio.create_task(Watcher([str(link)], lambda: events.append(link.read_text())).run())
    try:
        await _at_work(tmp_path / "v1" / "config.yaml", events)
        (tmp_path / "..new").symlink_to("v2")
        (tmp_path / "..new").replace(tmp_path / "..data")
        await eventually(lambda: events[-1:] == ["v2"])
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.usefixtures("without_polling")
async def test_another_file_may_be_watched_from_now_on(watched: Watched) -> None:
    other = watched.path.parent / "elsewhere" / "included.yaml"
    other.parent.mkdir()
    other.write_text("1")
    await watched.watcher.watch([str(watched.path), str(other)])

    def changed() -> bool:
        other.write_text(other.read_text() + "1")
        return bool(watched.events)

    await eventually(changed)
    watched.events.clear()
    watched.path.write_text("still watched")
    await watched.settles_at("still watched")


async def test_a_file_system_without_notifications_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module, "FALLBACK_SECONDS", 0.02)
    monkeypatch.setattr(watcher_module, "places_of", lambda _: ({}, set()))
    path = tmp_path / "config.yaml"
    path.write_text("a")
    events: list[str] = []
    watcher = Watcher([str(path)], lambda: events.append(path.read_text()))
    task = asyncio.create_task(watcher.run())
    try:
        await eventually(lambda: watcher.paths)
        path.write_text("longer")
        await eventually(lambda: events == ["longer"])
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_folder_that_goes_and_comes_back_is_seen_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher_module, "FALLBACK_SECONDS", 0.1)
    folder = tmp_path / "etc"
    folder.mkdir()
    watched = Watched(folder)
    task = asyncio.create_task(watched.watcher.run())
    try:
        await eventually(lambda: watched.watcher.paths)
        watched.path.write_text("begin")
        await watched.settles_at("begin")
        shutil.rmtree(folder)
        await watched.settles_at("(gone)")
        folder.mkdir()
        watched.path.write_text("back")
        await watched.settles_at("back")
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_watcher_that_is_cancelled_leaves_no_task(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    watched = Watched(tmp_path)
    task = asyncio.create_task(watched.watcher.run())
    await eventually(lambda: watched.watcher.paths)
    watched.path.write_text("begin")
    await watched.settles_at("begin")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await eventually(lambda: asyncio.all_tasks() == before)


def test_a_signature_tells_a_missing_file_from_one_that_is_there(tmp_path: Path) -> None:
    path = str(tmp_path / "a")
    missing = signature([path])
    (tmp_path / "a").write_text("x")
    there = signature([path])
    assert missing != there
    assert signature([path]) == there
    write_atomically(tmp_path / "a", "y")
    os.utime(path, ns=(there[0][3], there[0][3]))
    assert signature([path]) != there
