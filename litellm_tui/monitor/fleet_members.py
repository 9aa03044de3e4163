"""Asks every gateway of the settings file what it says of itself: once, or for as long as somebody looks.

Each is asked by a litellm-tui of its own, on its own host: nothing that one of them says or does stops another.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Final

import msgspec

from litellm_tui.analysis.fleet.link_states import failure, link_failure
from litellm_tui.analysis.phrases import shortened
from litellm_tui.host.command import Done
from litellm_tui.host.far_child import FarChild, answer
from litellm_tui.logs.log_line import clean
from litellm_tui.model.fleet import LinkFailure, Member, Seen, StatusDocument
from litellm_tui.monitor.supervisor import crashed
from litellm_tui.target.far_side import member_words, members
from litellm_tui.target.settings import Settings

# so many are asked, or connected to, at a time
MOST_AT_ONCE: Final = 16
# a look without a screen takes 20 s where a log is long
LOOK_SECONDS: Final = 40.0
# a document comes every 30 s
SILENCE_SECONDS: Final = 70.0
# a link that is lost is tried again after so many seconds, then after twice as many
AGAIN_SECONDS: Final = 2.0
LONGEST_SECONDS: Final = 60.0
# of what a document holds: a row shows a sentence of it
_MOST_ITEMS: Final = 2000
_LONGEST_TEXT: Final = 500


async def look_once(
    settings: Settings, now: Callable[[], float] = time.time, chosen: Sequence[Member] | None = None
) -> tuple[Seen, ...]:
    """All of them, or the `chosen` ones, side by side, each asked once."""
    gate = asyncio.Semaphore(MOST_AT_ONCE)

    async def one(member: Member) -> Seen:
        words = member_words(member, settings, "status", "--json")
        async with gate, FarChild(member.ssh, words) as child:
            found = await answer(child, LOOK_SECONDS)
        came = now()
        read = read_document(found.output.encode(), member) if isinstance(found, Done) else found
        if isinstance(read, LinkFailure) and isinstance(found, Done) and found.status > 3:
            # what it printed in place of a document is of no use, and what it said is
            read = link_failure(_where(member), found.status, found.error, connected=bool(member.ssh))
        return _seen(member, read, came, child.round_trip)

    return tuple(await asyncio.gather(*(one(member) for member in (members(settings) if chosen is None else chosen))))


def read_document(line: bytes, member: Member) -> StatusDocument | LinkFailure:
    """The document of a line; why it is none. Its texts are bounded, and have no control characters left."""
    try:
        found = msgspec.json.decode(line, type=StatusDocument)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return failure("program failed", _where(member), "what it printed is no document of a status")
    if found.format < 1:
        return failure("program too old", _where(member))
    if max(len(found.problems), len(found.deployments), len(found.headline.parts)) > _MOST_ITEMS:
        cut = {name: getattr(found, name)[:_MOST_ITEMS] for name in ("problems", "deployments")}
        found = msgspec.structs.replace(found, **cut)
    plain = msgspec.to_builtins(found)
    return msgspec.convert(_cleaned(plain), StatusDocument)


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return shortened(clean(value).replace("\n", " "), _LONGEST_TEXT)
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _cleaned(item) for key, item in value.items()}
    return value


def _where(member: Member) -> str:
    return member.ssh or "this machine"


def _seen(member: Member, read: StatusDocument | LinkFailure, came: float, round_trip: float) -> Seen:
    if isinstance(read, LinkFailure):
        return Seen(member, failure=read)
    return Seen(member, read, came, round_trip=round_trip)


class FleetWatch:
    """What each of them says, as long as `run` runs. `changed` is called on the event loop at every news."""

    def __init__(self, settings: Settings, changed: Callable[[], None]) -> None:
        self._settings, self._changed = settings, changed
        self._gate = asyncio.Semaphore(MOST_AT_ONCE)
        self._seen = {member.name: Seen(member) for member in members(settings)}

    @property
    def seen(self) -> tuple[Seen, ...]:
        """What is known of each now."""
        return tuple(self._seen.values())

    async def run(self) -> None:
        """Follow all of them until cancelled; every child has ended when this returns."""
        async with asyncio.TaskGroup() as tasks:
            for one in self._seen.values():
                tasks.create_task(self._follow(one.member))

    async def _follow(self, member: Member) -> None:
        for pause in _pauses():
            before = self._seen[member.name].came_at
            try:
                ended = await self._connected(member)
            except Exception as error:  # noqa: BLE001  # one of them must not take the others along
                ended = failure("link failed", _where(member), crashed(error).why)
            self._fail(member, ended)
            # what has told something was well: it is tried again soon
            await asyncio.sleep(AGAIN_SECONDS if self._seen[member.name].came_at != before else pause)

    async def _connected(self, member: Member) -> LinkFailure:
        """From the beginning of a link to its end, and why that came."""
        words = member_words(member, self._settings, "status", "--follow", "--json")
        async with AsyncExitStack() as stack:
            async with self._gate:
                child = await stack.enter_async_context(FarChild(member.ssh, words))
                failed = await child.begun()
            if failed is not None and failed.state == "slow link":
                self._fail(member, failed)
                failed = await child.begun(LONGEST_SECONDS)
            if failed is not None:
                return failed
            while True:
                try:
                    async with asyncio.timeout(SILENCE_SECONDS):
                        line = await child.line()
                except TimeoutError:
                    return failure("link lost", child.where, f"nothing has come for {SILENCE_SECONDS:g} s")
                if line is None:
                    return await child.ended()
                found = read_document(line, member)
                if isinstance(found, LinkFailure):
                    return found
                self._tell(Seen(member, found, time.time(), round_trip=child.round_trip))

    def _fail(self, member: Member, failed: LinkFailure) -> None:
        known = self._seen[member.name]
        since = known.failing_since if known.failure is not None else time.time()
        self._tell(msgspec.structs.replace(known, failure=failed, failing_since=since))

    def _tell(self, seen: Seen) -> None:
        self._seen[seen.member.name] = seen
        self._changed()


def _pauses() -> Iterator[float]:
    pause = AGAIN_SECONDS
    while True:
        yield pause
        pause = min(LONGEST_SECONDS, pause * 2)
