"""A container's log from the engine's socket: found through the client, followed, and every refusal told as its own."""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
from pathlib import Path

import pytest

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.logs.command_tail import CommandTail
from litellm_tui.logs.entry import Entry
from litellm_tui.model.failures import Denied, Failure, NotAvailable, Unreachable
from litellm_tui.services.docker import engine
from litellm_tui.services.docker.container_log import DockerLines, LogOf
from litellm_tui.services.docker.docker_cli import NoSuchService
from litellm_tui.services.docker.engine import find_socket
from tests.recorded import FOLDER
from tests.standins.engine import Engine, client
from tests.waiting import eventually

FRAMES = gzip.decompress((FOLDER / "docker-20.10.24" / "log-frames.gz").read_bytes())
TERMINAL = gzip.decompress((FOLDER / "docker-20.10.24" / "log-terminal.gz").read_bytes())


async def _the_container() -> str:
    return "abc"


class Following:
    """The log of the one container of an engine."""

    def __init__(self, there: Engine, history: int = 100) -> None:
        self.entries: list[Entry] = []
        self.states: list[str] = []
        self.lines = DockerLines(LogOf(str(there.client), "litellm", _the_container), history)
        self.tail = CommandTail(self.lines, self.entries.extend, lambda state, *_: self.states.append(state))


# --- where it is ---------------------------------------------------------------------------------------------------


async def test_the_socket_is_the_one_that_the_client_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Engine(tmp_path) as there:
        assert await find_socket(str(there.client)) == str(there.socket)
        monkeypatch.setattr(os, "access", lambda *_: False)
        assert await find_socket(str(there.client)) == "", "it may not be opened by this user"


@pytest.mark.parametrize(
    "endpoint",
    ["tcp://10.0.0.5:2376", "ssh://ops@gw-02", "npipe:////./pipe/docker_engine", "unix:///nonexistent/docker.sock",
     "unix:///dev/null", "unix://", "", "unix://\x00"],
)  # fmt: skip
async def test_an_engine_elsewhere_is_read_through_the_client(endpoint: str, tmp_path: Path) -> None:
    assert await find_socket(str(client(tmp_path, endpoint))) == ""


async def test_a_client_without_contexts_is_read_itself(tmp_path: Path) -> None:
    podman = tmp_path / "podman"
    podman.write_text("#!/bin/sh\necho unix:///run/podman.sock; exit 125\n", encoding="utf-8")
    podman.chmod(0o755)
    assert await find_socket(str(podman)) == ""
    assert await find_socket(str(tmp_path / "none")) == ""


# --- what it gives -------------------------------------------------------------------------------------------------


async def test_the_recorded_log_is_read_with_both_streams_in_their_order(tmp_path: Path) -> None:
    with Engine(tmp_path, [FRAMES[:20], FRAMES[20:30000], FRAMES[30000:]]) as there:
        following = Following(there)
        ended = await following.tail._follow_once()
        assert isinstance(ended, NotAvailable)
        told = [(len(entry.message), entry.message[:5]) for entry in following.entries[:6]]
        assert told == [
            (8, "an er"), (5, "hello"), (40003, "xxxxx"), (16384, "zzzzz"), (7, "betwe"), (10, "unfin"),
        ]  # fmt: skip
        assert following.states == ["following"]
        # first where the history begins, then from there on
        logs = [target for target in there.asked if "/logs?" in target]
        begin, follow = (dict(pair.split("=") for pair in target.partition("?")[2].split("&")) for target in logs)
        assert begin == {"stdout": "1", "stderr": "1", "timestamps": "1", "follow": "0", "tail": "100"}
        assert follow == {**begin, "follow": "1", "tail": "1200", "since": "1795974738.112190768"}


async def test_a_secret_across_the_seam_is_masked(tmp_path: Path) -> None:
    redact = Redactor(["sk-" + "A" * 45])
    with Engine(tmp_path, [FRAMES]) as there:
        following = Following(there)
        await following.tail._follow_once()
        older = await following.tail.before(Entry(2e9, "", 6, 0, "", 0), 100)
        assert isinstance(older, list)
        for entries in (following.entries, older):
            long = [redact(entry.message) for entry in entries if len(entry.message) > 40000]
            assert len(long) == 2
            assert not any("AAAA" in text for text in long)


async def test_the_log_of_a_terminal_is_told_by_its_container(tmp_path: Path) -> None:
    with Engine(tmp_path, [TERMINAL], tty=True) as there:
        following = Following(there)
        await following.tail._follow_once()
        assert [len(entry.message) for entry in following.entries] == [5, 8, 40007, 3, 16384, 10]


async def test_it_follows_until_it_is_cancelled_and_then_its_connection_ends(tmp_path: Path) -> None:
    with Engine(tmp_path, [FRAMES], stays=True) as there:
        following = Following(there, history=0)
        running = asyncio.create_task(following.tail.run())
        # the last line has no end yet
        await eventually(lambda: len(following.entries) == 11)
        assert len(there.connections) == 1
        running.cancel()
        await asyncio.wait([running])
        await eventually(lambda: not there.connections)


async def test_after_the_engines_restart_it_goes_on_behind_the_last_line(tmp_path: Path) -> None:
    with Engine(tmp_path, [FRAMES]) as there:
        following = Following(there)
        running = asyncio.create_task(following.tail.run())
        await eventually(lambda: "ended" in following.states)
        there.stays = True
        count = len(following.entries)
        asked = len(there.asked)
        await eventually(lambda: len(there.asked) >= asked + 2)
        assert "since=1795974745.305370657" in there.asked[-1]
        there.hang_up()
        await eventually(lambda: len(there.asked) >= asked + 4)
        running.cancel()
        await asyncio.wait([running])
        assert len(following.entries) == count == 12


# --- what it refuses -----------------------------------------------------------------------------------------------


async def test_a_container_that_is_gone_is_sought_again(tmp_path: Path) -> None:
    with Engine(tmp_path) as there:
        there.status, there.inspected = "404 Not Found", b'{"message":"No such container: abc"}\n'
        following = Following(there)
        failure = await following.tail._follow_once()
        assert failure == NoSuchService("Error response from daemon: No such container: abc")
        assert following.lines._container == ""
        older = await following.tail.before(Entry(2e9, "", 6, 0, "", 0), 10)
        assert isinstance(older, NotAvailable)


async def test_an_engine_that_is_stopped_is_unreachable_in_the_clients_words(tmp_path: Path) -> None:
    with Engine(tmp_path) as there:
        following = Following(there)
        following.lines._socket = str(there.socket)
    failure = await following.tail._follow_once()
    assert isinstance(failure, Unreachable)
    assert f"does not answer at unix://{there.socket}: start it" in failure.why
    there.socket.unlink()
    following.lines._socket = str(there.socket)
    assert await following.tail._follow_once() == failure


OK = b"HTTP/1.0 200 OK\r\n\r\n"
UNREADABLE = b'{"message":"configured logging driver\\n does not support reading"}'
ANSWERS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "does not answer at unix://"),
    "half a head": (b"HTTP/1.0 200 OK\r\nServer: x\r\n", "does not answer at unix://"),
    "ssh": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "speaks no HTTP"),
    "no status": (b"HTTP/1.0 two OK\r\n\r\n", "speaks no HTTP"),
    "an endless head": (b"HTTP/1.0 200 OK\r\n" + b"x: y\r\n" * 20000, "no end of its head"),
    "no JSON": (OK + b"<html>", "described its container"),
    "deep JSON": (OK + b"[" * 100_000, "described its container"),
    "another shape": (OK + b'{"Config": {"Tty": 1}}', "described its container"),
    "more than is kept": (OK + b'{"Config": {}, "x": "' + b"y" * (5 << 20) + b'"}', "described its container"),
    "unreadable": (b"HTTP/1.0 501 Not Implemented\r\n\r\n" + UNREADABLE,
                   "configured logging driver does not support reading"),
    "no reason": (b"HTTP/1.0 500 Internal Server Error\r\n\r\n<html>", "status 500"),
    "a long reason": (b"HTTP/1.0 500 Internal Server Error\r\n\r\n" + b"x" * 300_000, "status 500"),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
async def test_any_other_answer_is_a_failure_with_its_reason(name: str, tmp_path: Path) -> None:
    with Engine(tmp_path) as there:
        there.raw, words = ANSWERS[name]
        following = Following(there, history=0)
        failure = await following.tail._follow_once()
        assert isinstance(failure, Failure)
        assert words in failure.why
        assert len(failure.why) < 300
        assert following.entries == []


async def test_what_is_no_frame_ends_the_log_with_its_reason(tmp_path: Path) -> None:
    with Engine(tmp_path, [FRAMES[:48], b"something else"]) as there:
        following = Following(there, history=0)
        failure = await following.tail._follow_once()
        assert isinstance(failure, NotAvailable)
        assert "a frame cannot begin with" in failure.why


async def test_an_engine_that_takes_the_question_and_is_silent_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CLIENT_SECONDS", 0.05)
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        lines = DockerLines(LogOf("none", "litellm", _the_container), 0)
        lines._socket = str(path)
        failure = await CommandTail(lines, lambda _: None, lambda *_: None)._follow_once()
    assert isinstance(failure, Unreachable)


async def test_a_socket_whose_right_was_taken_away_is_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with Engine(tmp_path) as there:
        following = Following(there, history=0)
        monkeypatch.setattr(socket.socket, "connect", refuse)
        failure = await following.tail._follow_once()
    assert isinstance(failure, Denied)
    assert "join the group docker" in failure.why
