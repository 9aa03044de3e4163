"""The monitor reads a file as of one moment, with all that it includes, and is told of what does not exist yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.collectors.config import config_file
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.found import Found
from litellm_tui.model.service import Unit
from litellm_tui.model.service_kinds import Tools
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.target.profile import Profile
from tests.waiting import eventually


class Follower:
    """A monitor that follows the file and does nothing else."""

    def __init__(self, folder: Path) -> None:
        self.path, self.variables = folder / "config.yaml", folder / "litellm.env"
        # of what nothing known runs, the environment would not be known either
        unit = Unit(
            name="litellm.service", scope="user", active=False, arguments=("litellm",), folder=None, environment={},
            config=str(self.path), url="http://127.0.0.1:1",
        )  # fmt: skip
        profile = Profile(
            name="test", host="here", url=Found("http://127.0.0.1:1", "test"), tools=Tools(), found_unit=unit,
            config=Found(str(self.path), "test"), environment_files=(str(self.variables),),
        )  # fmt: skip
        self.monitor = Monitor(profile)
        assert self.monitor.file
        self.file = self.monitor.file
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.read()
        self.task = asyncio.create_task(self.file.run())
        await eventually(lambda: bool(self.file.watcher._followed[0]))

    async def read(self) -> None:
        await self.file.read()

    @property
    def current(self) -> ConfigFile | None:
        return self.monitor.snapshot().configuration.current

    @property
    def error(self) -> ConfigError | None:
        return self.monitor.snapshot().configuration.error

    async def reads(self, data: dict[str, Any]) -> None:
        await eventually(lambda: self.current is not None and self.current.data == data, f"{data} is read")


@pytest.fixture
async def follower(tmp_path: Path) -> AsyncIterator[Follower]:
    found = Follower(tmp_path)
    yield found
    if found.task:
        found.task.cancel()
        await asyncio.gather(found.task, return_exceptions=True)


async def test_an_included_file_that_does_not_exist_yet_is_seen_when_it_appears(follower: Follower) -> None:
    follower.path.write_text("include: [conf.d/more.yaml]\n")
    await follower.start()
    assert follower.current is None
    assert "does not exist" in str(follower.error)
    (follower.path.parent / "conf.d").mkdir()
    (follower.path.parent / "conf.d" / "more.yaml").write_text("a: 1\n")
    await follower.reads({"a": 1})
    assert follower.error is None


async def test_a_broken_included_file_is_seen_when_it_is_mended(follower: Follower) -> None:
    more = follower.path.with_name("more.yaml")
    follower.path.write_text("include: [more.yaml]\n")
    more.write_text("a: [\n")
    await follower.start()
    assert follower.error is not None
    assert follower.error.file == str(more)
    more.write_text("a: 1\n")
    await follower.reads({"a": 1})
    # broken while it is watched, and mended again
    more.write_text("a: {\n")
    await eventually(lambda: follower.error is not None)
    more.write_text("a: 2\n")
    await follower.reads({"a": 2})


async def test_an_environment_file_that_appears_is_read(follower: Follower) -> None:
    follower.path.write_text("general_settings: {master_key: os.environ/LATER}\n")
    await follower.start()
    assert follower.current
    assert follower.current.references[0].source is None
    follower.variables.write_text("LATER=sk-now\n")
    await eventually(lambda: follower.current is not None and follower.current.references[0].source is not None)


async def test_a_file_that_is_half_written_at_the_start_is_waited_for(follower: Follower) -> None:
    with follower.path.open("w") as file:
        file.write("a: 1\n")
        file.flush()
        reading = asyncio.create_task(follower.read())
        await asyncio.sleep(0.2)
        assert not reading.done()
        file.write("b: 2\n")
    await reading
    assert follower.current
    assert follower.current.data == {"a": 1, "b": 2}


async def test_a_file_that_is_changed_while_it_is_read_is_read_again(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower.path.write_text("a: 1\n")
    read = config_file.load

    def load(path: str, environment: Any) -> ConfigFile | ConfigError:
        found = read(path, environment)
        if isinstance(found, ConfigFile) and found.data == {"a": 1}:
            follower.path.write_text("a: 2\n")
        return found

    monkeypatch.setattr(config_file, "load", load)
    seen: list[Any] = []
    monkeypatch.setattr(follower.monitor, "_judge_background_checks", lambda: seen.append(follower.current))
    await follower.start()
    assert [file.data for file in seen] == [{"a": 2}]


async def test_what_never_holds_still_is_not_shown_and_what_was_known_stays(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower.path.write_text("a: 1\n")
    await follower.read()
    read, number = config_file.load, 0

    def load(path: str, environment: Any) -> ConfigFile | ConfigError:
        nonlocal number
        number += 1
        follower.path.write_text(f"a: {number + 10}\n")
        return read(path, environment)

    monkeypatch.setattr(config_file, "load", load)
    await follower.read()
    assert number > 1
    assert follower.current
    assert follower.current.data == {"a": 1}
