"""Where the cache's Redis is, and what it says of itself: asked for real, over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from litellm_tui.analysis.addresses import is_this_machine
from litellm_tui.collectors.redis import Address, address, is_down, ping
from litellm_tui.model.failures import Failure, Malformed, Unreachable
from litellm_tui.model.reading import Reading
from tests.recorded import made_file


def _address(environment: dict[str, str] | None = None, cache: Any = True, **params: Any) -> Address | None:
    return address(made_file(litellm_settings={"cache": cache, "cache_params": params}), environment or {})


def test_the_file_says_where() -> None:
    assert _address(type="redis", host="r1", port=7000) == Address("r1", 7000)
    assert _address(host="r1") == Address("r1", 6379)
    assert _address(host="r1", port="7000", ssl=True) == Address("r1", 7000, True)
    assert _address(type="redis", url="rediss://user:secret@r2:7001/0") == Address("r2", 7001, True)
    assert _address(url="redis://r2") == Address("r2", 6379)
    assert str(Address("r1", 7000)) == "r1:7000"


def test_variables_say_where_as_litellm_reads_them() -> None:
    environment = {"REDIS_HOST": "r3", "REDIS_PORT": "7003", "MINE": "r4"}
    assert _address(environment, type="redis") == Address("r3", 7003)
    assert _address(environment, host="os.environ/MINE", port=1) == Address("r4", 1)
    assert _address({"REDIS_URL": "redis://r5:7005"}, host="r1") == Address("r5", 7005)


def test_without_one_redis_there_is_nobody_to_ask() -> None:
    assert _address(cache=False, host="r1") is None
    assert _address(type="local", host="r1") is None
    assert _address(type="redis") is None
    assert _address(host="r1", port="many") is None
    assert _address(host="os.environ/UNSET") is None
    assert _address(url="redis://r1:99999") is None
    assert _address(host="r1", redis_startup_nodes=[{"host": "a"}]) is None
    assert address(made_file(litellm_settings={"cache": True, "cache_params": "nonsense"}), {}) is None


def test_which_names_mean_this_machine() -> None:
    assert all(map(is_this_machine, ("127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]")))
    assert not any(map(is_this_machine, ("10.0.0.1", "redis", "example.org", "")))


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def _server(handler: Handler) -> AsyncIterator[Address]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    try:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()


def _saying(words: bytes) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readline() == b"PING\r\n"
        writer.write(words)
        await writer.drain()
        writer.close()

    return handle


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (b"+PONG\r\n", "PONG"),
        (b"-NOAUTH Authentication required.\r\n", "NOAUTH"),
        (b"-NOPERM this user has no permissions\r\n", "NOPERM"),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "LOADING"),
        (b"-ERR max number of clients reached\r\n", "ERR"),
        (b"-DENIED Redis is running in protected mode\r\n", "DENIED"),
    ],
)
async def test_one_that_is_alive_says_so_in_its_own_words(words: bytes, said: str) -> None:
    async with _server(_saying(words)) as where:
        assert await ping(where, 5) == said


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"hello\n", b"-\x1b[31m\r\n"])
async def test_what_speaks_otherwise_is_no_redis(words: bytes) -> None:
    async with _server(_saying(words)) as where:
        found = await ping(where, 5)
        assert isinstance(found, Malformed)
        assert "\x1b" not in found.why


async def test_an_endless_line_is_not_read_to_its_end() -> None:
    async with _server(_saying(b"x" * 1_000_000)) as where:
        assert isinstance(await ping(where, 5), Failure)


async def test_one_that_hangs_up_without_a_word_is_not_alive() -> None:
    async with _server(_saying(b"")) as where:
        found = await ping(where, 5)
        assert isinstance(found, Unreachable)
        assert found.kind == "closed"


async def test_one_that_hangs_is_told_from_one_that_refuses() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with _server(silent) as where:
        hangs = await ping(where, 0.2)
    assert isinstance(hangs, Unreachable)
    assert hangs.kind == "timeout"
    assert "gives no answer" in hangs.why
    refuses = await ping(where, 5)
    assert isinstance(refuses, Unreachable)
    assert refuses.kind == "refused"


async def test_a_name_that_does_not_exist_is_named() -> None:
    found = await ping(Address("no-such-host.invalid", 6379), 10)
    assert isinstance(found, Unreachable)
    assert found.kind in ("dns", "timeout")


async def test_tls_to_a_plain_port_fails_as_tls_or_as_a_closed_connection() -> None:
    async with _server(_saying(b"+PONG\r\n")) as where:
        assert isinstance(await ping(where._replace(tls=True), 2), Unreachable)


def test_a_redis_that_only_litellms_network_knows_is_not_called_down() -> None:
    assert not is_down(Reading())
    assert not is_down(Reading(value="PONG", seen_at=1.0))
    assert not is_down(Reading(failure=Unreachable("no such host", kind="dns")))
    assert not is_down(Reading(failure=Malformed("not Redis")))
    assert is_down(Reading(failure=Unreachable("refused", kind="refused")))
    assert is_down(Reading(failure=Unreachable("silent", kind="timeout")))
    assert is_down(Reading(value="PONG", seen_at=1.0, failure=Unreachable("no such host", kind="dns")))
