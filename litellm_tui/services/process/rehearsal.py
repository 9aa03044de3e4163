"""The rehearsal of a plain process: the same command in a session of its own, and its log in the given folder."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec

from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.host.process_table import ProcessTable
from litellm_tui.host.systemd_tools import read_environment_files
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from litellm_tui.model.rehearsal import RehearsalOrder, RehearsalRun
from litellm_tui.model.service_kinds import Process
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.process import locate, start_stop
from litellm_tui.services.rehearsal import Child, kept
from litellm_tui.services.rehearsal_command import rehearsal_command, starts_litellm


class HowItRuns(msgspec.Struct, frozen=True):
    """A command line with its folder and its whole environment. `user` is None for the console's own."""

    words: tuple[str, ...]
    folder: str | None
    environment: dict[str, str]
    user: tuple[int, int, tuple[int, ...]] | None = None
    left_out: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"HowItRuns(words={self.words[:1]!r})"


def how_it_starts(settings: Process) -> HowItRuns | Failure:
    """What the next start would run, where the command names LiteLLM; else what its script has made of that. Blocks."""
    if settings.start is not None:
        plan = start_stop.plan(settings)
        if isinstance(plan, Failure):
            return plan
        if starts_litellm(plan.command):
            return HowItRuns(tuple(plan.command), plan.folder, plan.environment)
    seen = locate.locate(settings)
    if isinstance(seen, Failure):
        return seen
    script = os.path.basename(str(settings.start[0])) if settings.start else ""
    if not seen.pid:
        what = f"{script} starts it" if script else "it was not seen running"
        return NotAvailable(f"{what}, and it does not run: its command line is not known")
    return of_process(seen.pid, script, settings.environment_file)


def of_process(pid: int, script: str = "", environment_file: str | None = None) -> HowItRuns | Failure:
    """What this process runs. The variables of a file win over those that it was started with. Blocks."""
    table = ProcessTable()
    words, environment, folder = table.words(pid), table.environment(pid), table.folder(pid)
    user, groups = _user(pid)
    if environment is None or folder is None or user is None:
        return Denied(f"process {pid} belongs to another user: run the console as that user, or as root")
    if not starts_litellm(words):
        return NotAvailable(f"the command line of process {pid} does not show how LiteLLM is started")
    left_out = (f"{script} is not run: its command line and variables are those of process {pid}",) if script else ()
    if environment_file:
        written, unread = read_environment_files([os.path.expanduser(environment_file)])
        if unread:
            return NotAvailable(f"{unread[0][0]}: {unread[0][1]}")
        environment = environment | {name: value for name, (value, _) in written.items()}
    mine = user[0] == os.geteuid()
    if not mine and os.geteuid() != 0:
        return Denied(f"process {pid} belongs to another user: run the console as that user, or as root")
    return HowItRuns(words, folder, environment, None if mine else (*user, groups), left_out)


def _user(pid: int) -> tuple[tuple[int, int] | None, tuple[int, ...]]:
    """The effective user and group of a process, and its further groups; None where it has ended."""
    found: dict[str, list[int]] = {}
    try:
        for line in read_text(f"/proc/{pid}/status", SMALL, errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name in ("Uid", "Gid", "Groups"):
                found[name] = [int(word) for word in value.split()]
        return (found["Uid"][1], found["Gid"][1]), tuple(found.get("Groups", ()))
    except (OSError, ValueError, KeyError, IndexError):
        return None, ()


def user_of(how: HowItRuns | Failure) -> tuple[int, int] | Failure:
    """The user and the group that it is started as."""
    if isinstance(how, Failure):
        return how
    return (how.user[0], how.user[1]) if how.user else (os.geteuid(), os.getegid())


@asynccontextmanager
async def as_child(
    target: ServiceTarget, how: HowItRuns | Failure, order: RehearsalOrder
) -> AsyncIterator[RehearsalRun | Failure]:
    """Run it as a child of a keeper, with its log and its PID file in the order's folder."""
    if isinstance(how, Failure):
        yield how
        return
    variables = how.environment | {name: value for name, value in order.environment.items() if value is not None}
    command = rehearsal_command(
        how.words, variables, config=order.derived, port=order.port, program=order.program,
        database=bool(variables.get("DATABASE_URL")),
    )  # fmt: skip
    if isinstance(command, Failure):
        yield command
        return
    environment = changed(how.environment, {**order.environment, **command.environment})
    log, pid_file = (
        os.path.join(order.folder, ".litellm-tui-rehearsal.log"),
        os.path.join(order.folder, ".litellm-tui-rehearsal.pid"),
    )
    child = Child(command.words, how.folder, environment, log, pid_file, how.user)
    settings = Process(start=command.words, pid_file=pid_file, log_file=log, folder=how.folder)
    async with kept(child, rests=(order.folder,), seconds=order.seconds) as started:
        if isinstance(started, Failure):
            yield started
            return
        ours = msgspec.structs.replace(target, name=order.name, settings=settings, unit=None)
        left_out = (*how.left_out, *command.left_out)
        yield RehearsalRun(ours, f"http://127.0.0.1:{order.port}", left_out)


def changed(environment: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """The environment with these changes; None takes a variable away."""
    return {name: value for name, value in {**environment, **changes}.items() if value is not None}


@asynccontextmanager
async def rehearse(
    target: ServiceTarget, settings: Process, order: RehearsalOrder
) -> AsyncIterator[RehearsalRun | Failure]:
    """See `Rehearses`."""
    how = await asyncio.to_thread(how_it_starts, settings)
    async with as_child(target, how, order) as run:
        yield run
