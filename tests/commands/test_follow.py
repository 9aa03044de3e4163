"""`litellm-tui status --follow --json`: when a document is written, to whom, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.commands import follow, status
from litellm_tui.commands.follow import Follower, Lines, open_lines, significant
from litellm_tui.commands.status_document import FORMAT, document
from litellm_tui.demo import Simulation
from litellm_tui.target.profile import Options
from litellm_tui.target.settings import SettingsError
from litellm_tui.ui.session import Session
from litellm_tui.ui.view import Notation
from tests.ui.scene import profile_of
from tests.waiting import DEADLINE, eventually

DOCS = Path(__file__).parents[2] / "docs" / "status.md"


class Kept(Lines):
    """Lines that stay here; `busy` as long as the test says so."""

    def __init__(self) -> None:
        super().__init__(-1)
        self.documents: list[dict[str, Any]] = []

    def write(self, line: bytes) -> None:
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")
        self.documents.append(json.loads(line))


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    with Simulation(tmp_path / "gateway", speed=5, scripted=False) as found:
        yield found


class Scene:
    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.session = Session(profile_of(simulation), Notation(), memory=False)
        self.lines = Kept()


@asynccontextmanager
async def followed(simulation: Simulation, heartbeat: float) -> AsyncIterator[Scene]:
    scene = Scene(simulation)
    follower = Follower(scene.session, scene.lines, heartbeat)
    await scene.session.open()
    work = [asyncio.create_task(one) for one in (scene.session.run(follower.take), follower.run())]
    try:
        yield scene
    finally:
        for task in work:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await scene.session.close()


@pytest.fixture
async def quick(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """A follower whose heartbeat does not come within a test."""
    monkeypatch.setattr(follow, "PACE_SECONDS", 0.02)
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", DEADLINE)
    async with followed(simulation, 10 * DEADLINE) as scene:
        yield scene


def _word(scene: Scene) -> str:
    return scene.session.view.diagnosis.headline.word if scene.session.view else ""


async def test_a_change_is_a_line_and_what_stays_the_same_is_none(quick: Scene) -> None:
    first = (await eventually(lambda: quick.lines.documents, "the first document"))[0]
    assert (first["format"], first["gateway"]["state"], first["changes"]) == (1, "answering", [])
    assert first["written_at"] >= first["taken_at"]
    quick.simulation.gateway_down()
    await eventually(lambda: quick.lines.documents[-1]["exit_status"] == 3, "the gateway is down")
    for before, after in zip(quick.lines.documents, quick.lines.documents[1:], strict=False):
        plain = [
            {key: one[key] for key in one if key not in ("written_at", "taken_at", "looked_at")}
            for one in (before, after)
        ]
        assert plain[0] != plain[1]


async def test_counts_and_times_alone_are_no_change(quick: Scene) -> None:
    await eventually(lambda: quick.lines.documents, "the first document")
    view = quick.session.view
    assert view is not None
    later = view._replace(now=view.now + 900)
    assert significant(later) == significant(view)
    text = json.dumps(significant(view))
    assert re.search(r"\d{9,}\.\d", text) is None, "a moment would be another with every look"


async def test_without_a_change_there_is_a_heartbeat(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "PACE_SECONDS", 0.02)
    async with followed(simulation, 0.2) as scene:
        await eventually(lambda: len(scene.lines.documents) >= 4, "it beats")


async def test_a_reader_that_does_not_read_gets_the_newest_and_no_more(
    quick: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await eventually(lambda: quick.lines.documents, "the first document")
    monkeypatch.setattr(quick.lines, "busy", True)
    before = len(quick.lines.documents)
    quick.simulation.gateway_down()
    await eventually(lambda: _word(quick) == "DOWN", "it is seen")
    assert len(quick.lines.documents) == before
    monkeypatch.setattr(quick.lines, "busy", False)
    await eventually(lambda: quick.lines.documents[-1]["exit_status"] == 3, "the newest comes")


async def test_a_pipe_whose_reader_goes_is_noticed_while_nothing_is_written() -> None:
    reader, writer = os.pipe()
    gone = asyncio.Event()
    lines = await open_lines(writer, gone.set)
    lines.write(b"{}\n")
    assert os.read(reader, 10) == b"{}\n"
    assert not gone.is_set()
    os.close(reader)
    await asyncio.wait_for(gone.wait(), DEADLINE)
    lines.close()
    os.close(writer)


async def test_a_full_pipe_keeps_nobody_waiting() -> None:
    reader, writer = os.pipe()
    lines = await open_lines(writer, lambda: None)
    lines.write(b"x" * (1 << 20))
    assert lines.busy
    lines.close()
    os.close(reader)
    os.close(writer)


async def test_a_file_takes_whole_lines(tmp_path: Path) -> None:
    with (tmp_path / "lines").open("wb") as file:
        lines = await open_lines(file.fileno(), lambda: None)
        assert not lines.busy
        lines.write(b"{}\n")
        lines.close()
    assert (tmp_path / "lines").read_bytes() == b"{}\n"


@pytest.mark.parametrize("end", ["the pipe is closed", "SIGTERM"])
def test_the_program_ends_with_0_when_nobody_reads_it_any_more(end: str, tmp_path: Path) -> None:
    with Simulation(tmp_path / "gateway", speed=5, scripted=False) as simulation:
        command = [sys.executable, "-m", "litellm_tui.cli", "status", "--follow", "--json", "--url", simulation.url]
        environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as child:
            assert child.stdout is not None
            assert child.stderr is not None
            assert json.loads(child.stdout.readline())["format"] == 1
            if end == "SIGTERM":
                child.send_signal(signal.SIGTERM)
            else:
                child.stdout.close()
            assert child.wait(timeout=DEADLINE) == 0
            assert child.stderr.read() == b""


def test_the_page_names_every_field_and_the_number_of_its_format(simulation: Simulation) -> None:
    from litellm_tui.commands.look import look

    told_of = document(look(profile_of(simulation), remembers=False))
    page = DOCS.read_text(encoding="utf-8").partition("\n## ")[0]
    told = {name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    # the figures of a span are there where one is asked for
    assert told == {*told_of, "since"}
    assert f"`format`, now {FORMAT}" in page
    assert set(told_of["rates"]) <= set(re.findall(r"`(\w+)`", page))


def test_a_stream_of_text_is_refused(monkeypatch: pytest.MonkeyPatch, simulation: Simulation) -> None:
    monkeypatch.setattr(status, "resolve", lambda *_: profile_of(simulation))
    with pytest.raises(SettingsError, match="prints JSON alone"):
        status.run(Options(), follow=True)
