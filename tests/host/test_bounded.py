"""Nothing from outside is read without a cap: answers, streams, output of commands, files. The cap is said."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from litellm_tui.actions.probe_wire import Asker
from litellm_tui.actions.transaction.record import RestartLock
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.includes import named_files
from litellm_tui.collectors.gateway import client as gateway
from litellm_tui.collectors.gateway.client import HEALTH_URL, METRICS, READINESS, GatewayClient
from litellm_tui.host import bounded, proc
from litellm_tui.host.bounded import TooLarge, read_bytes, read_text
from litellm_tui.host.command import Done, run, run_now
from litellm_tui.host.systemd_tools import read_environment_files
from litellm_tui.logs.file_past import _read_back
from litellm_tui.model.configuration import ConfigError
from litellm_tui.model.failures import Failure, Malformed, Unreachable
from litellm_tui.services.process.pid_file import find
from litellm_tui.storage.backups import index
from litellm_tui.storage.filters import SavedFilters
from litellm_tui.storage.state import StateFile
from litellm_tui.target.settings import SettingsError, load_settings
from litellm_tui.ui.themes import load_theme

MB = 1 << 20
# what the kernel's buffers of both ends may hold beside what was read
BUFFERS = 16 * MB


class Endless:
    """A server that sends a head, then `piece` again and again for as long as it is taken, and counts the bytes."""

    def __init__(self, head: str, piece: bytes, pause: float = 0.0) -> None:
        self.head, self.piece, self.pause = head, piece, pause
        self.sent = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
            while not writer.is_closing():
                writer.write(self.piece)
                await writer.drain()
                self.sent += len(self.piece)
                await asyncio.sleep(self.pause)
        writer.transport.abort()


@asynccontextmanager
async def serving(endless: Endless) -> AsyncIterator[Endless]:
    server = await asyncio.start_server(endless.serve, "127.0.0.1", 0)
    endless.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield endless
    finally:
        server.close()


async def answer_to(endless: Endless, endpoint: gateway.Endpoint, url: str = "") -> object:
    async with serving(endless):
        client = GatewayClient(endless.url, "sk-right")
        try:
            return (await client.get(endpoint, endless.url if url else "")).result
        finally:
            await client.close()


JSON = "HTTP/1.1 200 OK\ncontent-type: application/json"


@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error", "503 Service Unavailable"])
@pytest.mark.parametrize("endpoint", [READINESS, gateway.GROUPS, METRICS], ids=lambda endpoint: endpoint.field)
async def test_an_answer_without_end_is_read_up_to_the_cap(endpoint: gateway.Endpoint, status: str) -> None:
    endless = Endless(f"HTTP/1.1 {status}\ncontent-type: application/json", b'{"a":1}' * 9000)
    patient = endpoint._replace(timeout=60.0, limit=min(endpoint.limit, 8 * MB))
    result = await answer_to(endless, patient)
    assert isinstance(result, Malformed)
    assert f"more than {bounded.size(patient.limit)}: not read" in result.why
    assert result.why.startswith(endpoint.path)
    assert patient.limit < endless.sent < patient.limit + BUFFERS


async def test_a_length_beyond_the_cap_is_believed_before_anything_is_read() -> None:
    endless = Endless(f"{JSON}\ncontent-length: 500000000", b"x" * MB)
    result = await answer_to(endless, READINESS._replace(timeout=60.0))
    assert isinstance(result, Malformed)
    assert "more than 4 MB: not read" in result.why
    assert endless.sent < BUFFERS


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_compressed_answer_is_capped_after_it_is_decompressed(coding: str) -> None:
    press = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16 if coding == "gzip" else zlib.MAX_WBITS)
    bomb = b"".join(press.compress(bytes(4 * MB)) for _ in range(50)) + press.flush()
    assert len(bomb) < MB / 2
    tracemalloc.start()
    try:
        result = await answer_to(Endless(f"{JSON}\ncontent-encoding: {coding}", bomb), READINESS._replace(timeout=60.0))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(result, Malformed)
    assert "more than 4 MB: not read" in result.why
    assert peak < 24 * MB


async def test_a_small_compressed_answer_is_read_though_it_was_not_asked_for() -> None:
    async def whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        press = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        body = press.compress(b'{"status":"healthy"}') + press.flush()
        writer.write(f"{JSON}\ncontent-encoding: gzip\ncontent-length: {len(body)}\n\n".replace("\n", "\r\n").encode())
        writer.write(body)

    asked: list[bytes] = []
    server = await asyncio.start_server(whole, "127.0.0.1", 0)
    client = GatewayClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    result = (await client.get(READINESS)).result
    await client.close()
    server.close()
    assert result.status == "healthy"
    assert b"accept-encoding: identity" in asked[0].lower()


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "x" * 500])
async def test_another_coding_is_refused_in_words(coding: str) -> None:
    result = await answer_to(Endless(f"{JSON}\ncontent-encoding: {coding}", b"x" * 1000), READINESS)
    assert isinstance(result, Malformed)
    assert "compressed as" in result.why
    assert len(result.why) < 120


async def test_what_is_no_gzip_is_malformed() -> None:
    result = await answer_to(Endless(f"{JSON}\ncontent-encoding: gzip", b"plain text"), READINESS)
    assert isinstance(result, Malformed)
    assert "cannot be decompressed" in result.why


async def test_a_body_that_drips_ends_with_the_deadline_of_the_whole_answer() -> None:
    endless = Endless(JSON, b" ", pause=0.02)
    result = await answer_to(endless, READINESS._replace(timeout=0.4))
    assert isinstance(result, Unreachable)
    assert result.kind == "timeout"


async def test_a_health_url_is_judged_by_its_status_whatever_its_length() -> None:
    endless = Endless("HTTP/1.1 200 OK\ncontent-type: text/html", b"<p>" * 30000)
    result = await answer_to(endless, HEALTH_URL._replace(timeout=60.0), "its own")
    assert isinstance(result, Malformed)
    async with serving(endless):
        client = GatewayClient("http://127.0.0.1:9")
        assert (await client.get(HEALTH_URL, endless.url)).result == "HTTP 200"
        await client.close()


EVENT = b'data: {"id":"1","choices":[{"delta":{"content":"a"}}]}\n\n'


@pytest.mark.parametrize(
    ("kind", "piece", "words"),
    [
        ("text/event-stream", EVENT * 2000, "more than 2 MB: not read"),
        ("text/event-stream", b"data: " + b"x" * 60000, "an event of more than 1 MB: not read"),
        ("application/json", b'{"a":1}' * 9000, "more than 2 MB: not read"),
    ],
)
async def test_a_probe_reads_no_more_than_its_caps(
    kind: str, piece: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, cap in (("_MOST_OF_A_STREAM", 2), ("_MOST_OF_AN_ANSWER", 2), ("_MOST_OF_AN_EVENT", 1)):
        monkeypatch.setattr(f"litellm_tui.actions.probe_wire.{name}", cap * MB)
    async with serving(Endless(f"HTTP/1.1 200 OK\ncontent-type: {kind}\nx-litellm-call-id: 1", piece)) as endless:
        asker = Asker(endless.url, "sk-right", 1)
        said = await asker.ask("/v1/chat/completions", {"model": "m", "stream": True}, 60.0)
        await asker.close()
    assert words in said.error
    assert not said.by_gateway
    assert endless.sent < 2 * MB + BUFFERS


async def test_events_come_apart_at_every_kind_of_line_end(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = EVENT.replace(b'"delta"', b'"finish_reason":"stop","delta"')
    body = EVENT + EVENT.replace(b"\n", b"\r\n") + stop.replace(b"\n", b"\r") + b"data: [DONE]"
    for cut in (1, 7, len(body)):
        monkeypatch.setattr(bounded, "_CHUNK", cut)

        async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: int = cut) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
            for at in range(0, len(body), cut):
                writer.write(body[at : at + cut])
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(send, "127.0.0.1", 0)
        asker = Asker(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", None, 1)
        said = await asker.ask("/v1/chat/completions", {"model": "m", "stream": True}, 60.0)
        await asker.close()
        server.close()
        assert said.error == ""
        assert said.first_token is not None


# --- commands --------------------------------------------------------------------------------------------------

YES = [sys.executable, "-c", "import sys\nwhile True: sys.stdout.write('y' * 65536)"]
LOUD = [sys.executable, "-c", "import sys\nsys.stderr.write('e' * 3000000)\nprint('done')"]


async def test_a_command_that_prints_without_end_is_ended() -> None:
    found = await run(YES, 60.0, 3 * MB)
    assert isinstance(found, Malformed)
    assert found.why == f"{sys.executable} printed more than 3 MB: not read"
    with pytest.raises(TooLarge, match="printed more than 3 MB: not read"):
        run_now(YES, 60.0, 3 * MB)


async def test_of_the_errors_of_a_command_the_beginning_is_kept() -> None:
    for found in (await run(LOUD, 60.0), run_now(LOUD, 60.0)):
        assert isinstance(found, Done)
        assert found.output == "done\n"
        assert found.error == "e" * 65536


async def test_a_command_that_hangs_is_ended_in_either_way() -> None:
    command = [sys.executable, "-c", "import time\nprint('a', flush=True)\ntime.sleep(600)"]
    assert isinstance(await run(command, 0.5), Unreachable)
    with pytest.raises(subprocess.TimeoutExpired):
        run_now(command, 0.5)


def test_a_command_that_is_not_there_raises_what_the_system_says() -> None:
    with pytest.raises(FileNotFoundError):
        run_now(["/nonexistent/docker"], 5.0)


# --- files -----------------------------------------------------------------------------------------------------


def sparse(path: Path, megabytes: int = 70) -> Path:
    """A file of this length that costs no disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(megabytes * MB)
    return path


def why_not(tell: Callable[[], object]) -> str:
    try:
        found = tell()
    except SettingsError as error:
        return str(error)
    return found.problem if isinstance(found, ConfigError) else found.why if isinstance(found, Failure) else str(found)


def _state(path: Path) -> str:
    file = StateFile("http://gw", "litellm.service", path.parent)
    sparse(file.path)
    file.load()
    return file.failure


def _filters(path: Path) -> str:
    filters = SavedFilters(sparse(path))
    filters.load()
    return filters.failure


def _environment(path: Path) -> str:
    values, unread = read_environment_files([str(sparse(path))])
    assert values == {}
    return unread[0][1]


def _transaction(path: Path) -> object:
    lock = RestartLock("http://gw", "litellm.service", path.parent)
    sparse(lock._record.path)
    return lock.unfinished()


READERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "configuration": (lambda path: config_file.load(str(sparse(path)), {}), "32 MB"),
    "settings": (lambda path: load_settings(sparse(path)), "1 MB"),
    "theme": (lambda path: load_theme(sparse(path)), "1 MB"),
    "state": (_state, "32 MB"),
    "filters": (_filters, "4 MB"),
    "environment file": (_environment, "4 MB"),
    "backups": (lambda path: index.read(sparse(path.parent / index.INDEX).parent), "32 MB"),
    "transaction": (_transaction, "4 MB"),
    "PID file": (lambda path: find(str(sparse(path))), "1 MB"),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_is_too_large_is_refused_and_the_cap_is_said(reader: str, tmp_path: Path) -> None:
    read, cap = READERS[reader]
    tracemalloc.start()
    try:
        said = why_not(lambda: read(tmp_path / "file"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert f"more than {cap}: not read" in said
    assert peak < 8 * MB


def test_an_include_that_is_too_large_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("include: [more.yaml]\n")
    sparse(tmp_path / "more.yaml")
    found = config_file.load(str(tmp_path / "config.yaml"), {})
    assert isinstance(found, ConfigError)
    assert found.file.endswith("more.yaml")
    assert "more than 32 MB" in found.problem
    assert str(tmp_path / "more.yaml") in named_files(str(tmp_path / "config.yaml"))


@contextmanager
def a_socket(path: Path) -> Iterator[Path]:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        yield path


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        read_bytes(tmp_path / "pipe")
    with pytest.raises(IsADirectoryError):
        read_bytes(tmp_path)
    with a_socket(tmp_path / "s"), pytest.raises(OSError):
        read_bytes(tmp_path / "s")
    with pytest.raises(TooLarge, match="more than 4 kB: not read"):
        read_bytes("/dev/zero", 4096)
    assert read_bytes(os.devnull) == b""


def test_a_file_of_just_the_cap_is_read_and_its_line_ends_are_those_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"a\r\nb\rc\n")
    assert read_bytes(tmp_path / "f", 7) == b"a\r\nb\rc\n"
    assert read_text(tmp_path / "f", 7) == "a\nb\nc\n"
    with pytest.raises(TooLarge, match="more than 6 bytes: not read"):
        read_bytes(tmp_path / "f", 6)


def test_files_of_proc_say_a_size_of_0_and_are_read() -> None:
    assert proc.command_line(os.getpid())
    assert "PATH" in proc.environment(os.getpid())


def test_reading_back_ends_at_its_cap_where_no_line_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litellm_tui.logs.file_past.MOST_BYTES", 2 * MB)
    path = sparse(tmp_path / "log")
    tracemalloc.start()
    try:
        assert _read_back(path, 70 * MB, 100) == []
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * MB
