"""A gateway that was found running is stopped and started again as it was; not where another keeps it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.host import proc
from litellm_tui.model.failures import Denied, NotAvailable
from litellm_tui.model.service_kinds import Process
from litellm_tui.services.process import locate, start_stop
from litellm_tui.services.process.origin import Origin
from litellm_tui.services.process.pid_file import FoundProcess
from tests.waiting import eventually

# writes what it was given, and listens
GATEWAY = """#!{python} -u
import os, socket, sys, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[2])))
print("given", os.environ.get("GIVEN"), os.getcwd())
time.sleep(600)
"""


class Place:
    """A folder with a gateway of its own, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "litellm"
        program.write_text(GATEWAY.format(python=sys.executable), encoding="utf-8")
        program.chmod(0o755)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.line = f"{program} --port {self.port}"
        self.log = folder / "out.log"
        self.settings = Process(port=self.port)

    def begin(self, line: str, **environment: str) -> subprocess.Popen[bytes]:
        """This line of a shell, with its output in the log."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                ["sh", "-c", line], cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **environment}, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        found = locate.locate(self.settings)
        assert isinstance(found, FoundProcess)
        return found.pid

    @property
    def given(self) -> list[str]:
        return [line for line in self.log.read_text(encoding="utf-8").splitlines() if line.startswith("given")]

    async def runs(self) -> int:
        await eventually(lambda: self.pid, "it is found")
        known = locate.recipe(self.settings)
        assert known is not None
        return self.pid


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    known = locate.recipe(made.settings)
    for pid in {made.pid, known.origin.pid if known else 0} - {0}:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _lives(pid: int) -> bool:
    stat = proc.stat(pid)
    return stat is not None and not stat.gone


async def test_it_is_started_again_with_its_own_environment_folder_and_log(place: Place) -> None:
    place.begin(f"exec {place.line}", GIVEN="sk-of-its-own")
    first = await place.runs()
    await eventually(lambda: len(place.given) == 1)
    assert await start_stop.restart(place.settings) is None
    second = await place.runs()
    assert second != first
    assert not _lives(first)
    await eventually(lambda: len(place.given) == 2)
    assert place.given == [f"given sk-of-its-own {place.folder}"] * 2


async def test_what_a_script_has_begun_is_begun_by_the_script_again(place: Place) -> None:
    script = place.folder / "start.sh"
    script.write_text(f"#!/bin/sh\nexport GIVEN=one\n{place.line}\n")
    script.chmod(0o755)
    place.begin("./start.sh; true")
    await place.runs()
    await eventually(lambda: len(place.given) == 1)
    # what is changed in the script comes with the restart
    script.write_text(f"#!/bin/sh\nexport GIVEN=two\n{place.line}\n")
    assert await start_stop.restart(place.settings) is None
    await place.runs()
    await eventually(lambda: len(place.given) == 2)
    assert place.given == [f"given one {place.folder}", f"given two {place.folder}"]


async def test_a_script_that_begins_it_again_by_itself_is_waited_for_and_stopped_with_it(place: Place) -> None:
    script = place.folder / "loop.sh"
    script.write_text(f"#!/bin/sh\nwhile :; do {place.line}; sleep 0.2; done\n")
    script.chmod(0o755)
    loop = place.begin("exec ./loop.sh")
    first = await place.runs()
    assert await start_stop.restart(place.settings) is None
    second = await place.runs()
    assert second != first
    assert loop.poll() is None, "the loop itself goes on"
    known = locate.recipe(place.settings)
    assert known is not None
    assert known.origin.pid == loop.pid
    assert await start_stop.stay_stopped(place.settings) is None
    await eventually(lambda: loop.poll() is not None, "the loop has ended")
    await asyncio.sleep(0.5)
    assert place.pid == 0


async def test_stopped_by_an_order_it_has_not_failed_and_can_be_started(place: Place) -> None:
    place.begin(f"exec {place.line}")
    await place.runs()
    assert await start_stop.stay_stopped(place.settings) is None
    found = locate.look(place.settings, "x")
    assert not isinstance(found, NotAvailable)
    assert (found.active_state, found.load_state) == ("inactive", "loaded")  # type: ignore[union-attr]
    assert start_stop.start(place.settings) is None
    pid = await place.runs()
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: not _lives(pid))
    found = locate.look(place.settings, "x")
    assert (found.active_state, found.load_state) == ("failed", "loaded")  # type: ignore[union-attr]


async def test_what_was_never_seen_cannot_be_started(place: Place) -> None:
    found = locate.look(place.settings, "x")
    assert (found.load_state, found.note) == (  # type: ignore[union-attr]
        "not-found", f"no LiteLLM process listens on port {place.port}",
    )  # fmt: skip
    refused = start_stop.start(place.settings)
    assert isinstance(refused, NotAvailable)
    assert "name process.start in the profile" in refused.why


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (Origin("supervisor", "kept by supervisord", "supervisorctl restart llm"), "supervisorctl restart llm"),
        (Origin("multiplexer", "in tmux (%3)"), "in tmux (%3), and its output goes to no file"),
    ],
)
async def test_what_is_in_other_hands_is_not_restarted_and_goes_on(
    place: Place, origin: Origin, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.begin(f"exec {place.line}")
    pid = await place.runs()
    known = locate.recipe(place.settings)
    assert known is not None
    kept = locate.Recipe(known.pid, known.ticks, known.command, known.folder, known.environment, "", origin)
    monkeypatch.setitem(locate._recipes, place.port, kept)
    refused = await start_stop.restart(place.settings)
    assert isinstance(refused, NotAvailable)
    assert words in refused.why
    assert _lives(pid)
    if origin.kind == "supervisor":
        stopped = await start_stop.stay_stopped(place.settings)
        assert isinstance(stopped, NotAvailable)
        assert "supervisorctl stop" in stopped.why
        assert _lives(pid)


async def test_whose_environment_may_not_be_read_is_not_started_from_here(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.begin(f"exec {place.line}")
    pid = await place.runs()
    known = locate.recipe(place.settings)
    assert known is not None
    closed = locate.Recipe(known.pid, known.ticks, known.command, None, None, str(place.log), known.origin)
    monkeypatch.setitem(locate._recipes, place.port, closed)
    refused = await start_stop.restart(place.settings)
    assert isinstance(refused, Denied)
    assert _lives(pid)


def test_what_is_remembered_shows_no_variable() -> None:
    made = locate.Recipe(7, 7, ("litellm",), None, {"KEY": "sk-secret-1"}, "", Origin("nobody", ""))
    assert "sk-secret-1" not in repr(made)
