"""Reads what a Redis server tells of itself: INFO, and CLUSTER INFO and CONFIG GET where they matter and are allowed.

Shapes: Redis 7.0. Nothing is written into it.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import Mapping
from typing import Final, Literal

from litellm_tui.collectors.redis import Address, Login, ping
from litellm_tui.model.failures import Failure, Malformed, Unreachable
from litellm_tui.model.gateway import RedisServer

# INFO takes some 6 KB, and some more a module
_LONGEST: Final = 1 << 18
_LENGTH: Final = re.compile(rb"([$*])(-?[0-9]{1,9})\r\n")
_REFUSAL: Final = re.compile(r"-([A-Z]{3,20})\b")
_VOLATILE: Final = re.compile(r"\bexpires=([0-9]{1,18})")


def may_want_tls(failure: Failure, where: Address) -> bool:
    """Whether this failure of a PING is one that a server gives to a client which speaks TLS, or does not."""
    kinds = ("closed", "tls", "timeout") if where.tls else ("closed",)
    return isinstance(failure, Unreachable) and failure.kind in kinds


async def inspect(where: Address, login: Login | None, timeout: float) -> RedisServer | Failure:
    """What the server tells within `timeout` seconds, after AUTH where a password is known.

    The password is sent as LiteLLM sends it: in clear where no TLS is wanted, and to a checked certificate otherwise.
    """
    try:
        async with asyncio.timeout(timeout):
            context = await asyncio.to_thread(_context, login) if where.tls else None
            told = await _ask(where, login, context)
    except ssl.SSLCertVerificationError as error:
        return Unreachable(f"Redis at {where}: {error.verify_message}", kind="tls")
    except ssl.SSLError as error:
        told = Unreachable(f"Redis at {where}: {error}", kind="tls")
    except TimeoutError:
        # a server without TLS waits for the end of what it takes for a line
        told = Unreachable(f"Redis at {where} gives no answer within {timeout:g} s", kind="timeout")
    except (OSError, ValueError, EOFError) as error:
        kind: Literal["closed", "other"] = "closed" if isinstance(error, ConnectionError) else "other"
        told = Unreachable(f"Redis at {where}: {str(error) or type(error).__name__}", kind=kind)
    if not isinstance(told, Unreachable) or told.kind not in ("closed", "tls", "timeout"):
        return told
    return await _other_way(where, timeout) or told


async def _other_way(where: Address, timeout: float) -> RedisServer | None:
    """A record that says so where the port speaks TLS and is not asked so, or the other way; nothing secret is sent."""
    other = where._replace(tls=not where.tls)
    answer = await ping(other, timeout)
    if isinstance(answer, Failure):
        return None
    return RedisServer(tls="wanted" if other.tls else "unspoken")


def _context(login: Login | None) -> ssl.SSLContext:
    if login is not None and not login.checked:
        return ssl._create_unverified_context()
    authority = login.authority if login and os.path.isfile(login.authority) else None
    return ssl.create_default_context(cafile=authority)


async def _ask(where: Address, login: Login | None, context: ssl.SSLContext | None) -> RedisServer | Failure:
    reader, writer = await asyncio.open_connection(where.host, where.port, ssl=context, limit=_LONGEST)
    # a name that is none of the certificate's is refused by `open_connection` itself
    try:
        # nothing secret goes to what is no Redis
        if not (first := await _say(reader, writer, "PING")):
            return Unreachable(f"Redis at {where} closes the connection without a word", kind="closed")
        if first[0] not in "+-":
            return Malformed(f"what listens at {where} is not Redis")
        if login is not None and login.password:
            words = ["AUTH", *([login.user] if login.user else []), login.password]
            if refusal := _refused(await _say(reader, writer, *words)):
                return RedisServer(refusal=refusal)
        info = await _say(reader, writer, "INFO")
        if refusal := _refused(info):
            return RedisServer(refusal=refusal)
        fields = parse_info(info)
        if "redis_version" not in fields:
            return Malformed(f"what listens at {where} is not Redis")
        cluster, keeps_on = "", None
        if fields.get("cluster_enabled") == "1":
            cluster = await _say(reader, writer, "CLUSTER", "INFO")
        if fields.get("rdb_last_bgsave_status") == "err":
            setting = await _say(reader, writer, "CONFIG", "GET", "stop-writes-on-bgsave-error")
            saves = await _say(reader, writer, "CONFIG", "GET", "save")
            keeps_on = _keeps_on(setting.splitlines(), saves.splitlines())
        return server_from(fields, parse_info(cluster), keeps_on)
    finally:
        writer.transport.abort()


async def _say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *words: str) -> str:
    """The answer to one command: a line, or the texts of a bulk or an array one a line; empty where none came."""
    parts = [word.encode() for word in words]
    writer.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts))
    line = await reader.readline()
    found = _LENGTH.fullmatch(line)
    if found is None:
        return line.decode(errors="replace").strip()
    kind, size = found[1], int(found[2])
    if kind == b"$":
        return await _bulk(reader, size)
    texts = []
    for _ in range(min(size, 8)):
        item = _LENGTH.fullmatch(await reader.readline())
        texts.append(await _bulk(reader, int(item[2])) if item and item[1] == b"$" else "")
    return "\n".join(texts)


async def _bulk(reader: asyncio.StreamReader, size: int) -> str:
    if not 0 <= size <= _LONGEST:
        raise ValueError("an answer of no usable length")
    return (await reader.readexactly(size + 2))[:-2].decode(errors="replace")


def _refused(answer: str) -> str:
    """The code of a refusal; NOPASS for a password that nobody wants."""
    if not answer.startswith("-"):
        return ""
    if "without any password configured" in answer or "no password is set" in answer:
        return "NOPASS"
    # before version 6 a wrong password has no code of its own
    if "invalid password" in answer:
        return "WRONGPASS"
    found = _REFUSAL.match(answer)
    return found[1] if found else "ERR"


def parse_info(text: str) -> dict[str, str]:
    """The fields of INFO or CLUSTER INFO."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value for name, colon, value in pairs if colon and not name.startswith("#")}


def _keeps_on(setting: list[str], saves: list[str]) -> bool | None:
    """Whether writes go on after a failed snapshot; None where CONFIG may not be asked."""
    if len(setting) < 2 or not saves or saves[0] != "save":
        return None
    # without a schedule of snapshots none is missed
    return setting[1] == "no" or not "".join(saves[1:]).strip()


def server_from(info: Mapping[str, str], cluster: Mapping[str, str], keeps_on: bool | None) -> RedisServer:
    """The record of a server from its INFO and, for a node of a cluster, its CLUSTER INFO."""
    volatile = (_VOLATILE.search(value) for name, value in info.items() if name[:2] == "db" and name[2:].isdigit())
    limit = _whole(info.get("maxmemory"))
    return RedisServer(
        version=info.get("redis_version", ""),
        role=info.get("role", ""),
        read_only=info.get("role") == "slave" and info.get("slave_read_only", "1") == "1",
        master_link=info.get("master_link_status", ""),
        loading=info.get("loading") == "1",
        held=_held(_whole(info.get("used_memory")) - _whole(info.get("mem_not_counted_for_evict")), limit),
        max_memory=limit,
        policy=info.get("maxmemory_policy", ""),
        volatile=min(1, sum(int(found[1]) for found in volatile if found)),
        save_failed=info.get("rdb_last_bgsave_status") == "err",
        keeps_on=keeps_on,
        aof_failed=info.get("aof_enabled") == "1" and info.get("aof_last_write_status") == "err",
        # only there where min-replicas-to-write is set, to 1 at least
        lacks_replicas=info.get("min_slaves_good_slaves") == "0",
        cluster=info.get("cluster_enabled") == "1",
        cluster_nodes=_whole(cluster.get("cluster_size")),
        cluster_state=cluster.get("cluster_state", ""),
    )


def _held(bytes_: int, limit: int) -> int:
    """In steps of a hundredth of the limit, on the side of it on which it is: an exact figure is another each time."""
    step = max(1, limit // 100)
    stepped = -(-max(0, bytes_) // step) * step
    return 0 if not limit else stepped if bytes_ > limit else min(stepped, limit)


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0
