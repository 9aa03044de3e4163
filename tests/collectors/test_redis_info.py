"""What a real Redis tells of itself in each state in which it answers and is of no use as a cache."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from litellm_tui.analysis.health.redis_refusals import figures, told_refusal
from litellm_tui.collectors.redis import Address, Login, login, ping
from litellm_tui.collectors.redis_info import inspect, may_want_tls, server_from
from litellm_tui.model.failures import Failure, Malformed, Unreachable
from litellm_tui.model.gateway import RedisServer
from tests.lab.core import free_ports
from tests.real_redis import redis_server, say
from tests.recorded import made_file

SECONDS = 20.0


async def _told(port: int, entry: Login | None = None, *, tls: bool = False) -> RedisServer:
    found = await inspect(Address("127.0.0.1", port, tls), entry, SECONDS)
    assert isinstance(found, RedisServer), found
    return found


async def _told_when(port: int, holds: Callable[[RedisServer], bool]) -> RedisServer:
    async with asyncio.timeout(SECONDS):
        while True:
            if holds(told := await _told(port)):
                return told
            await asyncio.sleep(0.02)


async def test_one_that_takes_writes_is_nothing_against(tmp_path: Path) -> None:
    with redis_server(tmp_path) as port:
        told = await _told(port)
        assert told.version
        assert told_refusal(told) == ""
        assert say(port, "DBSIZE") == ":0"


@pytest.mark.parametrize("policy", ["noeviction", "volatile-lru"])
async def test_one_that_is_full_and_may_drop_nothing_refuses_writes(tmp_path: Path, policy: str) -> None:
    with redis_server(tmp_path, "--maxmemory", "1", "--maxmemory-policy", policy) as port:
        assert "maxmemory" in say(port, "SET", "a", "b")
        told = await _told(port)
        assert told_refusal(told) == "OOM"
        assert policy in figures("OOM", told)


async def test_one_that_drops_old_keys_is_not_full(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--maxmemory-policy", "allkeys-lru", "--maxmemory", "1") as port:
        assert told_refusal(await _told(port)) == ""


async def test_a_replica_refuses_writes_and_its_link_is_told(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--replicaof", "127.0.0.1", "1") as port:
        assert "read only" in say(port, "SET", "a", "b")
        told = await _told(port)
        assert told_refusal(told) == "READONLY"
        assert "down" in figures("READONLY", told)
    with redis_server(tmp_path, "--replicaof", "127.0.0.1", "1", "--replica-read-only", "no") as port:
        assert told_refusal(await _told(port)) == ""


async def test_one_that_too_few_replicas_follow_refuses_writes(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--min-replicas-to-write", "1") as port:
        assert "NOREPLICAS" in say(port, "SET", "a", "b")
        assert told_refusal(await _told(port)) == "NOREPLICAS"


@pytest.mark.parametrize(("schedule", "stops", "refusal"), [
    ("3600 1", "yes", "MISCONF"),
    ("3600 1", "no", ""),
    ("", "yes", ""),
])  # fmt: skip
async def test_one_that_cannot_save_refuses_writes_where_its_settings_say_so(
    tmp_path: Path, schedule: str, stops: str, refusal: str
) -> None:
    settings = ("--save", schedule, "--stop-writes-on-bgsave-error", stops)
    with redis_server(tmp_path, *settings) as port:
        (tmp_path / "dump.rdb").mkdir()
        say(port, "SET", "a", "b")
        say(port, "BGSAVE")
        told = await _told_when(port, lambda told: told.save_failed)
        assert told_refusal(told) == refusal
        assert ("MISCONF" in say(port, "SET", "c", "d")) == bool(refusal)


@pytest.mark.parametrize(("entry", "refusal"), [
    (None, "NOAUTH"),
    (Login(password="another"), "WRONGPASS"),
    (Login("nobody", "planted-word"), "WRONGPASS"),
    (Login(password="planted-word"), ""),
    (Login("default", "planted-word"), ""),
])  # fmt: skip
async def test_one_with_a_password_tells_who_knows_it(tmp_path: Path, entry: Login | None, refusal: str) -> None:
    with redis_server(tmp_path, "--requirepass", "planted-word") as port:
        assert told_refusal(await _told(port, entry)) == refusal


async def test_a_password_that_nobody_wants_is_refused_too(tmp_path: Path) -> None:
    with redis_server(tmp_path) as port:
        assert told_refusal(await _told(port, Login(password="planted-word"))) == "NOPASS"


async def test_a_user_without_the_right_to_ask_is_told_and_hides_nothing_else(tmp_path: Path) -> None:
    with redis_server(tmp_path) as port:
        assert say(port, "ACL", "SETUSER", "cache", "on", ">planted-word", "~*", "+get", "+set", "+ping") == "+OK"
        told = await _told(port, Login("cache", "planted-word"))
        assert told.refusal == "NOPERM"


async def test_a_node_of_a_cluster_is_told_from_a_server_that_has_all_keys(tmp_path: Path) -> None:
    # by itself it takes a port 10,000 higher for its bus, which may be another's
    with redis_server(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(free_ports(1)[0])) as port:
        assert "CLUSTERDOWN" in say(port, "SET", "a", "b")
        assert told_refusal(await _told(port)) == "CLUSTERDOWN"
        assert say(port, "CLUSTER", "ADDSLOTSRANGE", "0", "16383") == "+OK"
        told = await _told_when(port, lambda told: told.cluster_state == "ok")
        assert told_refusal(told) == ""
    several = RedisServer(cluster=True, cluster_nodes=3, cluster_state="ok")
    assert told_refusal(several) == "CLUSTER"
    assert "3 nodes" in figures("CLUSTER", several)


def test_one_that_loads_its_data_says_so() -> None:
    info = {"redis_version": "7.0.15", "loading": "1"}
    assert told_refusal(server_from(info, {}, None)) == "LOADING"
    assert told_refusal(RedisServer(refusal="LOADING")) == "LOADING"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, found = folder / "key.pem", folder / "cert.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-keyout", str(key), "-out", str(found), "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*made, *names, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return found, key


def _with_tls(certificate: tuple[Path, Path]) -> tuple[str, ...]:
    found, key = map(str, certificate)
    port = ("--port", "0", "--tls-port", "PORT")
    return (
        *port,
        "--tls-cert-file",
        found,
        "--tls-key-file",
        key,
        "--tls-ca-cert-file",
        found,
        "--tls-auth-clients",
        "no",
    )


async def test_a_port_with_tls_and_one_without_are_told_apart(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    with redis_server(tmp_path, *_with_tls(certificate)) as port:
        plain = await ping(Address("127.0.0.1", port), SECONDS)
        assert isinstance(plain, Failure)
        assert may_want_tls(plain, Address("127.0.0.1", port))
        assert told_refusal(await _told(port)) == "TLS wanted"
        known = Login(authority=str(certificate[0]))
        assert told_refusal(await _told(port, known, tls=True)) == ""
        unknown = await inspect(Address("127.0.0.1", port, True), Login(password="planted-word"), SECONDS)
        assert isinstance(unknown, Unreachable)
        assert unknown.kind == "tls"
        unchecked = Login(checked=False)
        assert told_refusal(await _told(port, unchecked, tls=True)) == ""
    with redis_server(tmp_path) as port:
        # it waits for the end of a line, which the beginning of TLS has not
        silent = await inspect(Address("127.0.0.1", port, True), None, 0.5)
        assert isinstance(silent, RedisServer)
        assert told_refusal(silent) == "TLS unspoken"


async def test_what_is_no_redis_gets_no_password() -> None:
    got: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.read(1000))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        where = Address("127.0.0.1", server.sockets[0].getsockname()[1])
        assert isinstance(await inspect(where, Login(password="planted-word"), SECONDS), Malformed)
    assert got
    assert b"planted-word" not in b"".join(got)


@pytest.mark.parametrize("answer", [b"$99999999\r\n", b"$-1\r\n", b"*999999999\r\n", b"", b"$5\r\nab"])
async def test_an_answer_that_lies_about_its_length_costs_only_itself(answer: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"+PONG\r\n")
        await reader.read(1000)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        where = Address("127.0.0.1", server.sockets[0].getsockname()[1])
        assert isinstance(await inspect(where, None, SECONDS), Failure)


def _login(environment: dict[str, str] | None = None, **params: object) -> Login | None:
    return login(made_file(litellm_settings={"cache": True, "cache_params": params}), environment or {})


def test_the_login_is_the_one_that_litellm_uses() -> None:
    assert _login(host="r") is None
    assert _login(password="p4ss") == Login("", "p4ss")
    assert _login({"PW": "p5"}, password="os.environ/PW", username="u") == Login("u", "p5")
    assert _login({"REDIS_PASSWORD": "p6", "REDIS_USERNAME": "v"}) == Login("v", "p6")
    assert _login(url="redis://me:p%407@r:1/0") == Login("me", "p@7")
    assert _login(ssl_cert_reqs="none") == Login(checked=False)
    assert "p4ss" not in repr(_login(password="p4ss"))
