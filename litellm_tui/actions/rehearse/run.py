"""A rehearsal from its beginning to its end: derived, started beside the running gateway, looked at, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from litellm_tui.actions.noted import note, rehearsal_event
from litellm_tui.actions.rehearse.derived import derive
from litellm_tui.actions.rehearse.folder import PREFIX, make_folder, new_place
from litellm_tui.actions.rehearse.look import Look, look_at
from litellm_tui.actions.rehearse.own_fault import own_fault
from litellm_tui.actions.rehearse.room import free_bytes, lacks_memory, spare_port
from litellm_tui.actions.transaction.events import Seen
from litellm_tui.actions.transaction.rehearsal import Rehearse
from litellm_tui.collectors.config import config_file
from litellm_tui.host.bounded import MEDIUM, read_bytes
from litellm_tui.model.configuration import ConfigError, ConfigFile, Mark
from litellm_tui.model.failures import Crashed, Failure
from litellm_tui.model.rehearsal import Derived, Rehearsal, RehearsalOrder
from litellm_tui.model.service import Variable
from litellm_tui.monitor.supervisor import guarded, guarded_async
from litellm_tui.services.capabilities import Rehearses, TellsVariables
from litellm_tui.services.registry import driver
from litellm_tui.services.rehearsal import kept
from litellm_tui.target.profile import Profile

# the proof takes 180 s at most; whoever is still there then ends it
TIME_LIMIT_SECONDS: Final = 240.0
# with what comes before and after it
_FOLDER_SECONDS: Final = TIME_LIMIT_SECONDS + 300.0


class Wish(msgspec.Struct, frozen=True):
    """What is to be rehearsed.

    `file` is another configuration than the service's own, `program` another `litellm` (or image) than its own. The
    groups of `probes` are asked, a paid request to each deployment. With `database` it uses the database, and
    migrates it.
    """

    file: str | None = None
    program: str = ""
    probes: tuple[str, ...] = ()
    database: bool = False


def of_restart(profile: Profile) -> Rehearse | None:
    """What a restart rehearses with; None on the simulated machine, which has nothing to start."""
    if profile.tools.booted_at is not None:
        return None
    return lambda seen, tell: rehearse(profile, Wish(), seen, tell)


async def rehearse(
    profile: Profile,
    wish: Wish,
    running: Callable[[], Seen | None] = lambda: None,
    tell: Callable[[str], None] = lambda _: None,
    free: Callable[[], int | None] = free_bytes,
) -> Rehearsal:
    """Rehearse it, and end it again in every case. `running` gives what is known by then of the gateway that serves.

    `tell` gets how it stands, in words, each time that changes. `free` gives the free memory in bytes.
    """
    began, at = time.monotonic(), time.time()
    found = await guarded_async(_rehearsed(profile, wish, running, tell, free))
    if isinstance(found, Crashed):
        found = _impossible(found.why)
    found = msgspec.structs.replace(found, took=time.monotonic() - began)
    await asyncio.to_thread(note, profile, rehearsal_event(found, at))
    return found


async def _rehearsed(
    profile: Profile,
    wish: Wish,
    running: Callable[[], Seen | None],
    tell: Callable[[str], None],
    free: Callable[[], int | None],
) -> Rehearsal:
    of_kind = driver(profile.service_target)
    path = wish.file or (profile.config.value if profile.config else None)
    if profile.unit is None or not isinstance(of_kind, Rehearses):
        return _impossible(f"a service of the kind {profile.kind} is not rehearsed" if profile.unit else
                           "no service is known that would run it")  # fmt: skip
    if path is None:
        return _impossible("no configuration is known")
    tell("reading the configuration")
    told = await of_kind.rehearsal_variables() if isinstance(of_kind, TellsVariables) else None
    if isinstance(told, Failure):
        return _impossible(told.why)
    environment = await asyncio.to_thread(_environment, profile) if told is None else told
    plain = {name: variable.value for name, variable in environment.items()}
    file = await asyncio.to_thread(config_file.load, path, plain)
    if isinstance(file, ConfigError):
        # LiteLLM would not get further either
        mark = Mark(file.file, file.line, file.column or 1) if file.line else None
        return _impossible(str(file)) if file.unread else Rehearsal("refused", file.problem, mark)
    user = await of_kind.rehearsal_user()
    if isinstance(user, Failure):
        return _impossible(user.why)
    seen = running()
    service = seen.snapshot.service.value if seen else None
    if lacks := lacks_memory(service, await asyncio.to_thread(free)):
        return _impossible(lacks)
    derived = await asyncio.to_thread(_derived, file, environment, wish)
    if isinstance(derived, Failure):
        return _impossible(derived.why)
    beside = profile.config.value if wish.file and profile.config else None
    async with _order(derived, path, beside, user, wish, profile) as order:
        if isinstance(order, Failure):
            return _impossible(order.why)
        tell(f"starting it on port {order.port}")
        ordered = time.time()
        async with of_kind.rehearse(order) as run:
            if isinstance(run, Failure):
                return _impossible(f"it could not be started: {run.why}")
            left_out = (*derived.left_out, *run.left_out)
            done = await look_at(
                Look(profile, file, environment, order, run, wish.probes, running, wish.database, ordered), tell
            )
            if why := own_fault(done, order.derived):
                done = msgspec.structs.replace(done, outcome="not possible", cause=why, mark=None)
        if await asyncio.to_thread(_has_changed, file, plain):
            return _impossible(f"{path} was changed while it was rehearsed")
    return msgspec.structs.replace(done, left_out=(*left_out, *done.left_out))


def _impossible(why: str) -> Rehearsal:
    return Rehearsal("not possible", why)


def _environment(profile: Profile) -> Mapping[str, Variable]:
    """The variables of the next start, as far as they are known."""
    then = guarded(driver(profile.service_target).next_start)
    if then is not None and not isinstance(then, Crashed):
        return then.environment
    again = guarded(profile.again) if profile.again else None
    return profile.environment if again is None or isinstance(again, Crashed) else again.environment


def _derived(file: ConfigFile, environment: Mapping[str, Variable], wish: Wish) -> Derived | Failure:
    content: bytes | None = None
    if len(file.files) == 1:
        with contextlib.suppress(OSError):
            content = read_bytes(file.path, MEDIUM)
    return derive(
        file, environment, content=content, with_database=wish.database, namespace=f"{PREFIX}{secrets.token_hex(4)}"
    )


@asynccontextmanager
async def _order(
    derived: Derived, path: str, beside: str | None, user: tuple[int, int], wish: Wish, profile: Profile
) -> AsyncIterator[RehearsalOrder | Failure]:
    """The order, with a folder that is deleted at the end.

    The copy in it holds secrets: who is to delete it is there before it is made, also where the console is killed.
    """
    place = await asyncio.to_thread(new_place)
    if isinstance(place, Failure):
        yield place
        return
    async with kept(rests=(place,), seconds=_FOLDER_SECONDS) as keeper:
        made = keeper if isinstance(keeper, Failure) else await asyncio.to_thread(
            make_folder, place, derived.text, path, beside, user
        )  # fmt: skip
        if isinstance(made, Failure):
            yield made
            return
        folder, copy = made
        config = profile.config.value if profile.config else None
        yield RehearsalOrder(
            os.path.basename(folder), config, copy, folder, spare_port(), derived.environment, wish.program,
            TIME_LIMIT_SECONDS,
        )  # fmt: skip


def _has_changed(file: ConfigFile, environment: Mapping[str, str]) -> bool:
    now = config_file.load(file.path, environment)
    return isinstance(now, ConfigError) or now.digest != file.digest
