"""A real Redis server of a test's own, with settings of its own, for some milliseconds."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab import required
from tests.lab.core import free_ports

STARTING_SECONDS = 30.0


def say(port: int, *words: str) -> str:
    """The first line of its answer to one command."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        parts = [f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words)]
        connection.sendall("".join(parts).encode())
        with connection.makefile("rb") as stream:
            return stream.readline().decode().strip()


@contextmanager
def redis_server(folder: Path, *settings: str) -> Iterator[int]:
    """The port of a server with these settings, which say `PORT` where they mean it."""
    binary = shutil.which("redis-server")
    if binary is None:
        if required():
            pytest.fail("the lab is required here, but: no redis-server on PATH", pytrace=False)
        pytest.skip("no redis-server on PATH")
    (port,) = free_ports(1)
    given = [setting.replace("PORT", str(port)) for setting in settings]
    own = [] if "--port" in given else ["--port", str(port)]
    command = [binary, *own, "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), *given]
    with open(folder / "redis.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + STARTING_SECONDS
        # it listens before it has loaded its data, and says when it has
        while b"Ready to accept connections" not in (folder / "redis.log").read_bytes():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail((folder / "redis.log").read_text(errors="replace"), pytrace=False)
            time.sleep(0.01)
        yield port
    finally:
        process.kill()
        process.wait()
