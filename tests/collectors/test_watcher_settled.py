"""A change is told once it has settled, and from wherever it comes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from litellm_tui.collectors.config import watcher as watcher_module
from litellm_tui.collectors.config.file_times import changed_at
from litellm_tui.collectors.config.includes import include_entries, named_files
from litellm_tui.collectors.config.watcher import Watcher, being_written, places_of, signature, wait_until_released
from tests.waiting import eventually


@asynccontextmanager
async def watching(path: Path, *others: Path) -> AsyncIterator[tuple[Watcher, list[str]]]:
    """A watcher at work, and what was read of the first file at each of its events."""
    events: list[str] = []
    watcher = Watcher(map(str, (path, *others)), lambda: events.append(path.read_text() if path.exists() else "(gone)"))
    task = asyncio.create_task(watcher.run())
    # inotify is set up when the first look of the following has been made
    await eventually(lambda: bool(watcher._followed[0]))
    try:
        yield watcher, events
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("old")
    return path


async def test_a_file_is_not_told_while_somebody_has_it_open_for_writing(saved: Path) -> None:
    async with watching(saved) as (_, events):
        with saved.open("w") as file:
            file.write("half")
            file.flush()
            assert being_written(str(saved))
            # long after the quiet time
            await asyncio.sleep(4 * watcher_module.QUIET)
            assert events == []
            file.write(" whole")
        await eventually(lambda: bool(events))
        assert events == ["half whole"]


async def test_a_writer_that_never_closes_is_not_waited_for_forever(saved: Path) -> None:
    async with watching(saved) as (_, events):
        with saved.open("w") as file:
            file.write("left open")
            file.flush()
            await eventually(lambda: bool(events))
            assert events == ["left open"]
            await asyncio.wait_for(wait_until_released([str(saved)]), 10)


async def test_a_storm_of_saves_is_one_event_with_the_last_content(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a process that gets no processor for a moment pauses in its storm
    monkeypatch.setattr(watcher_module, "QUIET", 0.6)
    monkeypatch.setattr(watcher_module, "STORM_SECONDS", 60.0)
    async with watching(saved) as (_, events):
        for number in range(200):
            if number % 2:
                saved.write_text(str(number))
            else:
                saved.with_suffix(".new").write_text(str(number))
                saved.with_suffix(".new").replace(saved)
            await asyncio.sleep(0.002)
        await eventually(lambda: bool(events))
        await asyncio.sleep(4 * watcher_module.QUIET)
        assert events == ["199"]


async def test_a_storm_without_end_is_told_now_and_then(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher_module, "STORM_SECONDS", 0.3)
    async with watching(saved) as (_, events):

        async def storm() -> None:
            for number in range(100_000):
                saved.write_text(str(number))
                await asyncio.sleep(0.01)

        task = asyncio.create_task(storm())
        await eventually(lambda: len(events) >= 3)
        task.cancel()


async def test_one_change_of_several_files_is_one_event(saved: Path, tmp_path: Path) -> None:
    included, variables = tmp_path / "models.yaml", tmp_path / "litellm.env"
    async with watching(saved, included, variables) as (_, events):
        variables.write_text("A=1")
        included.write_text("model_list: []")
        saved.write_text("new")
        await eventually(lambda: bool(events))
        await asyncio.sleep(4 * watcher_module.QUIET)
        assert events == ["new"]


async def test_a_folder_on_the_way_that_is_a_link_may_be_led_elsewhere(tmp_path: Path) -> None:
    for name in ("1", "2"):
        (tmp_path / "releases" / name).mkdir(parents=True)
        (tmp_path / "releases" / name / "config.yaml").write_text(name)
    (tmp_path / "etc").mkdir()
    (tmp_path / "current").symlink_to("releases/1")
    (tmp_path / "etc" / "config.yaml").symlink_to("../current/config.yaml")
    async with watching(tmp_path / "etc" / "config.yaml") as (_, events):
        (tmp_path / "next").symlink_to("releases/2")
        (tmp_path / "next").replace(tmp_path / "current")
        await eventually(lambda: bool(events))
        (tmp_path / "releases" / "2" / "config.yaml").write_text("2, edited")
        await eventually(lambda: len(events) == 2)
        assert events == ["2", "2, edited"]


async def test_a_file_that_appears_with_its_folder(saved: Path, tmp_path: Path) -> None:
    included = tmp_path / "conf.d" / "deep" / "models.yaml"
    async with watching(included, saved) as (_, events):
        included.parent.mkdir(parents=True)
        included.write_text("here")
        await eventually(lambda: events[-1:] == ["here"])


async def test_a_file_deployed_with_an_old_time_is_a_change(saved: Path, tmp_path: Path) -> None:
    os.utime(saved, (1000, 1000))
    before = saved.stat()
    async with watching(saved) as (_, events):
        with saved.open("r+") as file:
            file.write("new")
        os.utime(saved, ns=(before.st_atime_ns, before.st_mtime_ns))
        await eventually(lambda: bool(events))
        assert events == ["new"]


def test_no_time_that_is_set_back_hides_a_change(tmp_path: Path) -> None:
    old, link, folder = tmp_path / "old.yaml", tmp_path / "config.yaml", tmp_path / "current"
    old.write_text("x")
    os.utime(old, (1000, 1000))
    assert changed_at([str(old)]) == old.stat().st_ctime
    link.symlink_to("old.yaml")
    os.utime(link, (2e9, 2e9), follow_symlinks=False)
    assert changed_at([str(link)]) == 2e9
    folder.symlink_to(tmp_path.name and ".")
    os.utime(folder, (3e9, 3e9), follow_symlinks=False)
    assert changed_at([str(folder / "old.yaml")]) == 3e9
    assert changed_at([str(tmp_path / "missing")]) == 0.0


@pytest.mark.parametrize("name", ["missing", "folder", "pipe", "loop"])
def test_what_is_no_file_is_not_being_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    assert not being_written(str(tmp_path / name))
    assert signature([str(tmp_path / name)]) == signature([str(tmp_path / name)])
    assert places_of([str(tmp_path / name)])[1]


async def test_asking_for_a_lease_stops_no_writer(saved: Path) -> None:
    """A writer that comes while the lease is held waits for it, and its holder is signalled: neither may be noticed."""

    def write() -> None:
        for number in range(3000):
            saved.write_text(str(number))

    writer = asyncio.create_task(asyncio.to_thread(write))
    asked = 0
    while not writer.done():
        being_written(str(saved))
        asked += 1
        await asyncio.sleep(0)
    await writer
    assert asked
    assert saved.read_text() == "2999"
    assert not being_written(str(saved))


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("include:\n  - a.yaml\n  - 'b.yaml'\nmodel_list: [a, {include: [no.yaml]}]\n", ["a.yaml", "b.yaml"]),
        ("include: [a.yaml]\nbroken: : :\n", ["a.yaml"]),
        ("general_settings: {include: [no]}\nlitellm_settings: [{x: y}]\ninclude: [c.yaml, {d: e}, f]\nz: include\n",
         ["c.yaml", "f"]),
        ("a: include\nb: [no]\n", []),
        ("include: a.yaml\n", []),
        ("", []),
        ("\0", []),
        ("x: [", []),
    ],
)  # fmt: skip
def test_the_includes_of_a_file_are_found_up_to_its_first_mistake(text: str, entries: list[str]) -> None:
    found = list(include_entries(text))
    assert [entry for entry, _, _ in found] == entries
    assert [text[begin:end].strip("'") for _, begin, end in found] == entries


def test_the_files_named_are_those_where_litellm_would_look(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    root, inner = tmp_path / "config.yaml", tmp_path / "sub" / "models.yaml"
    root.write_text("include: [sub/models.yaml, missing.yaml]\n")
    inner.write_text("include: [more.yaml, ../config.yaml]\n")
    named = [str(tmp_path / name) for name in ("config.yaml", "sub/models.yaml", "missing.yaml", "sub/more.yaml",
                                               "more.yaml")]  # fmt: skip
    # "../config.yaml" beside the root leads out of the folder
    assert named_files(str(root)) == (*named, str(tmp_path.parent / "config.yaml"))
    assert named_files(str(tmp_path / "none.yaml")) == (str(tmp_path / "none.yaml"),)
