"""Starting something that must not outlive its rehearsal: by a keeper that ends it, also where the console is
killed."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from litellm_tui.host.command import denied, helper_environment
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from litellm_tui.services import rehearsal_keeper

# as long as the keeper may take for all that it does before it answers, and at the end
_ANSWER_SECONDS: Final = 60.0
_END_SECONDS: Final = 90.0


class Child(msgspec.Struct, frozen=True):
    """A program that the keeper starts in a session of its own. `environment` is all that it gets.

    `log` and `pid_file` are files that are made. `user` is a user, a group and further groups by their numbers; None
    for the console's own.
    """

    command: tuple[str, ...]
    folder: str | None
    environment: Mapping[str, str]
    log: str
    pid_file: str
    user: tuple[int, int, tuple[int, ...]] | None = None

    def __repr__(self) -> str:
        return f"Child(command={self.command[:1]!r})"


class Engine(msgspec.Struct, frozen=True):
    """An engine of containers at its socket. Requests are methods, targets and bodies, which may hold secrets."""

    socket: str
    begin: tuple[tuple[str, str, str], ...]
    end: tuple[tuple[str, str, str], ...]

    def __repr__(self) -> str:
        return f"Engine(socket={self.socket!r})"


class _Order(msgspec.Struct, frozen=True):
    child: Child | None
    begin: tuple[tuple[tuple[str, ...], ...], ...]
    end: tuple[tuple[str, ...], ...]
    rests: tuple[str, ...]
    seconds: float
    engine: Engine | None = None


@asynccontextmanager
async def kept(
    child: Child | None = None,
    *,
    begin: Sequence[Sequence[Sequence[str]]] = (),
    end: Sequence[Sequence[str]] = (),
    rests: Sequence[str] = (),
    seconds: float,
    engine: Engine | None = None,
) -> AsyncIterator[int | Failure]:
    """Have a keeper start a child, or something else by the commands of one of the ways of `begin`.

    The ways are tried until all commands of one succeed. The number is that of the child's process, or that of the way.
    An `engine` is asked for what it is to begin, and at the end for what it is to end.

    Leaving this ends the child and all of its descendants, runs the commands of `end` and deletes the folders `rests`:
    it waits for that. The same happens when the console is killed, or after `seconds`. After a `Failure` nothing runs.
    """
    try:
        keeper = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", rehearsal_keeper.__file__, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
            env=helper_environment(),
        )  # fmt: skip
    except OSError as error:
        yield NotAvailable(f"{sys.executable}: {error.strerror}")
        return
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    order = _Order(child, tuple(map(_words, begin)), _words(end), tuple(rests), seconds, engine)
    try:
        keeper.stdin.write(msgspec.json.encode(order) + b"\n")
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await keeper.stdin.drain()
                answer = (await keeper.stdout.readline()).decode(errors="replace").strip()
        except (TimeoutError, OSError, ValueError):
            answer = "failed its keeper does not answer"
        word, _, rest = answer.partition(" ")
        if word == "started" and rest.isascii() and rest.isdigit():
            yield int(rest)
        else:
            why = rest or "its keeper ended"
            yield Denied(why) if denied(why) else NotAvailable(why)
    finally:
        keeper.stdin.close()
        await _ended(keeper)


def _words(commands: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(command) for command in commands)


async def _ended(keeper: asyncio.subprocess.Process) -> None:
    """Wait until the keeper has ended everything; one that does not is killed, and its child with it."""
    try:
        async with asyncio.timeout(_END_SECONDS):
            await keeper.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            keeper.kill()
        await keeper.wait()
