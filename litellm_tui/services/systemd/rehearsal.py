"""The rehearsal of a unit: a transient unit with the unit's own properties, made by systemd-run.

The properties are those that the manager has loaded (`systemctl show`), as they are what the next restart would use.
What would touch something that the running unit uses, or the world outside, is not taken over: commands before and
after the start, RuntimeDirectory= (it is deleted at the end), OnFailure=, a slice with limits, restarts.
"""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from litellm_tui.host import proc
from litellm_tui.host.command import run
from litellm_tui.host.environment_file import systemd_lines
from litellm_tui.host.systemd_tools import (
    expand,
    parse_environment,
    parse_environment_files,
    parse_exec_start,
    parse_show,
    parse_time_span,
    read_environment_files,
)
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from litellm_tui.model.rehearsal import RehearsalOrder, RehearsalRun
from litellm_tui.model.service_kinds import Scope, Tools
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.process.rehearsal import HowItRuns, changed, of_process
from litellm_tui.services.rehearsal import kept
from litellm_tui.services.rehearsal_command import RehearsalCommand, rehearsal_command, starts_litellm

SHOW_SECONDS: Final = 5.0
# taken over as they are shown
_LIMITS: Final = (
    "LimitNOFILE", "LimitNPROC", "LimitAS", "LimitDATA", "LimitSTACK", "LimitCORE", "LimitFSIZE", "LimitRSS",
    "LimitMEMLOCK", "MemoryMax", "MemoryHigh", "MemorySwapMax", "TasksMax",
)  # fmt: skip
_IDENTITY: Final = ("User", "Group", "SupplementaryGroups", "UMask")
_SANDBOX: Final = (
    "NoNewPrivileges", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "PrivateUsers",
    "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups", "ProtectClock",
    "ProtectHostname", "ProtectProc", "ProcSubset", "MemoryDenyWriteExecute", "LockPersonality", "RestrictRealtime",
    "RestrictSUIDSGID", "RestrictNamespaces", "RestrictAddressFamilies", "RemoveIPC", "ReadWritePaths",
    "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths", "BindPaths", "BindReadOnlyPaths",
    "SystemCallFilter", "SystemCallArchitectures", "SystemCallErrorNumber", "CapabilityBoundingSet",
    "AmbientCapabilities", "StateDirectory", "CacheDirectory", "LogsDirectory", "ConfigurationDirectory",
    "KeyringMode", "UnsetEnvironment", "PassEnvironment", "IPAddressAllow", "IPAddressDeny", "LoadCredential",
)  # fmt: skip
_NOT_RUN: Final = ("ExecStartPre", "ExecStartPost", "ExecCondition")
_ASKED: Final = (
    "ExecStart", "WorkingDirectory", "Environment", "EnvironmentFiles", "DynamicUser", "RootDirectory", "RootImage",
    "PrivateNetwork", "NetworkNamespacePath", "RuntimeDirectory", "CPUQuotaPerSecUSec", "Slice", "MainPID", "LoadState",
)  # fmt: skip
_DEFAULTS: Final = ("", "no", "infinity", "[not set]", "default", "all", "18446744073709551615")
# whoever has all of them is not limited
_MOST_CAPABILITIES: Final = 35
# above it stands a number of systemd's own for "none"
_LAST_ERROR: Final = 4095
# what systemd gives to a run, and to no other
_OF_RUN: Final = (
    "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "NOTIFY_SOCKET", "MAINPID", "MANAGERPID", "LISTEN_PID",
    "LISTEN_FDS", "CREDENTIALS_DIRECTORY", "RUNTIME_DIRECTORY", "WATCHDOG_PID", "WATCHDOG_USEC",
)  # fmt: skip
# what ProtectHome= hides
_HOMES: Final = ("/home/", "/root/", "/run/user/")
_COMMON_SLICES: Final = ("app.slice", "system.slice", "session.slice", "-.slice", "user.slice")


class UnitRehearsal(msgspec.Struct, frozen=True):
    """How a unit is started: its words and variables, and its properties as `systemd-run` is given them.

    Those of `sandbox` can be done without. `expands` tells whether systemd is to expand `$NAME` in the words.
    """

    how: HowItRuns
    properties: tuple[str, ...]
    environment: dict[str, str]
    environment_files: tuple[str, ...]
    sandbox: tuple[str, ...] = ()
    user: str = ""
    group: str = ""
    expands: bool = True

    def __repr__(self) -> str:
        return f"UnitRehearsal({self.how!r})"


async def read_unit(tools: Tools, name: str, scope: Scope) -> UnitRehearsal | Failure:
    """What the manager has loaded of this unit, or why it cannot be rehearsed."""
    if tools.booted_at is not None:
        return NotAvailable("the simulated gateway is not rehearsed")
    if shutil.which("systemd-run") is None:
        return NotAvailable("systemd-run is not there")
    asked = ",".join((*_ASKED, *_NOT_RUN, *_IDENTITY, *_LIMITS, *(f"{limit}Soft" for limit in _LIMITS[:9]), *_SANDBOX))
    done = await run(tools.unit_command(scope, "show", name, f"--property={asked}"), SHOW_SECONDS)
    if isinstance(done, Failure):
        return done
    values = next(iter(parse_show(done.output)), {})
    if done.status or values.get("LoadState") != "loaded":
        return NotAvailable(done.first_error or f"{name} is {values.get('LoadState', 'not known')}")
    return await asyncio.to_thread(unit_rehearsal, values, name)


def unit_rehearsal(values: Mapping[str, str], name: str) -> UnitRehearsal | Failure:
    """From a block of `systemctl show`. Reads the environment files, and /proc of the main process."""
    if blocked := _why_not(values):
        return NotAvailable(f"{name} has {blocked}: that cannot be had twice")
    environment = parse_environment(values.get("Environment", ""))
    shown = [line for line in values.get("EnvironmentFiles", "").splitlines() if line.strip()]
    files = parse_environment_files("\n".join(shown))
    from_files, _ = read_environment_files(files)
    known = {**environment, **{key: value for key, (value, _) in from_files.items()}}
    folder, pid = values.get("WorkingDirectory", "").removeprefix("!") or None, values.get("MainPID", "0")
    words, expands = _exact(parse_exec_start(values.get("ExecStart", "")), known, pid)
    how = HowItRuns(tuple(words), folder, known)
    if not starts_litellm(words):
        script = os.path.basename(words[0]) if words else name
        if not pid.isdigit() or pid == "0":
            return NotAvailable(f"{script} starts LiteLLM, with options that are not known while it does not run")
        found = of_process(int(pid), script)
        if isinstance(found, Failure):
            return found
        how = found
        # what the script has set belongs to it; its words are final
        environment = {name: value for name, value in how.environment.items() if name not in _OF_RUN} | known
        expands, folder = False, how.folder or folder
    left_out = (*how.left_out, *_left_out(values))
    may_lack = (line.endswith("(ignore_errors=yes)") for line in shown)
    return UnitRehearsal(
        msgspec.structs.replace(how, left_out=left_out, folder=folder),
        tuple(_properties(values, folder)),
        environment,
        tuple(f"{'-' if lacks else ''}{path}" for path, lacks in zip(files, may_lack, strict=True)),
        tuple(_sandbox(values)),
        values.get("User", ""),
        values.get("Group", ""),
        expands,
    )


def _why_not(values: Mapping[str, str]) -> str:
    """The setting that keeps a second process of this unit from being made beside it; empty where there is none."""
    if values.get("DynamicUser") == "yes":
        # its directories would be given to another user under the running one
        return "DynamicUser="
    if values.get("PrivateNetwork") == "yes" or values.get("NetworkNamespacePath"):
        return "a network of its own"
    return next((f"{key}=" for key in ("RootDirectory", "RootImage") if values.get(key) not in (None, "", "/")), "")


def _left_out(values: Mapping[str, str]) -> list[str]:
    found = [f"{key}= of the unit is not run" for key in _NOT_RUN if values.get(key)]
    if values.get("RuntimeDirectory"):
        found.append("RuntimeDirectory= of the unit is not made: it would be deleted under the running one")
    if values.get("Slice") and values["Slice"] not in _COMMON_SLICES:
        found.append(f"it is not in {values['Slice']}, so as not to take memory from the running one")
    return found


def _properties(values: Mapping[str, str], folder: str | None) -> list[str]:
    found = [f"{name}={values[name]}" for name in _IDENTITY if values.get(name, "") not in _DEFAULTS]
    for name in _LIMITS:
        hard, soft = values.get(name, ""), values.get(f"{name}Soft", "")
        if hard in _DEFAULTS and soft in _DEFAULTS:
            continue
        found.append(
            f"{name}={soft}:{hard}" if name.startswith("Limit") and soft and soft != hard else f"{name}={hard}"
        )
    if (share := parse_time_span(values.get("CPUQuotaPerSecUSec", ""))) is not None:
        found.append(f"CPUQuota={max(1, round(share * 100))}%")
    if folder:
        found.append(f"WorkingDirectory={folder}")
    return found


def _sandbox(values: Mapping[str, str]) -> Iterator[str]:
    for name in _SANDBOX:
        value = values.get(name, "")
        if name == "CapabilityBoundingSet" and len(value.split()) >= _MOST_CAPABILITIES:
            continue
        if name == "SystemCallErrorNumber" and (not value.isdigit() or int(value) > _LAST_ERROR):
            continue
        # a list is shown with one value a line, or all of them in one
        yield from (f"{name}={line}" for line in value.splitlines() if line not in _DEFAULTS)


def _exact(words: list[str], environment: Mapping[str, str], pid: str) -> tuple[list[str], bool]:
    """The words, and whether systemd is to expand them. systemctl shows a word with a blank as two.

    The process that runs has them as they are, where it is of this command line.
    """
    line = proc.command_line(int(pid)) if pid.isdigit() and pid != "0" else []
    shown = " ".join(expand(word, environment) for word in words)
    for place in range(len(line)):
        if " ".join(line[place:]) == shown and len(line) - place != len(words):
            return line[place:], False
    return words, True


def transient_unit(
    scope: Scope,
    order: RehearsalOrder,
    unit: UnitRehearsal,
    command: RehearsalCommand,
    files: tuple[str, str],
    *,
    sandboxed: bool = True,
) -> list[str]:
    """The words of `systemd-run`. `files` are the variables before the unit's own files, and those after them.

    A value never stands in a command line, as those can be read by everybody.
    """
    before, after = files
    # the words of a script have been expanded already, and a dollar in them is one
    words = command.words if unit.expands else tuple(word.replace("$", "$$") for word in command.words)
    gone = [name for name, value in {**order.environment, **command.environment}.items() if value is None]
    sandbox = _seeing(unit.sandbox, order.folder) if sandboxed else ()
    return [
        "systemd-run", *(["--user"] if scope == "user" else []), "--quiet", "--no-ask-password", f"--unit={order.name}",
        "--service-type=exec", f"--description=A rehearsal by litellm-tui (pid {os.getpid()})",
        *(f"--property={text}" for text in (*unit.properties, *sandbox)),
        f"--property=EnvironmentFile={before}",
        *(f"--property=EnvironmentFile={path}" for path in unit.environment_files),
        f"--property=EnvironmentFile={after}",
        *([f"--property=UnsetEnvironment={' '.join(gone)}"] if gone else []),
        f"--property=RuntimeMaxSec={order.seconds + 30:g}", "--property=Restart=no", "--property=TimeoutStopSec=5",
        "--property=OOMScoreAdjust=600", "--property=Nice=5", "--", *words,
    ]  # fmt: skip


def _seeing(sandbox: Sequence[str], folder: str) -> Iterator[str]:
    """What protects the unit, with the folder of the copy in sight: it may stand where homes are hidden."""
    for text in sandbox:
        if text in ("ProtectHome=yes", "ProtectHome=tmpfs") and folder.startswith(_HOMES):
            # below what is inaccessible nothing can be mounted (systemd.exec(5)); an empty home shows as little
            yield from ("ProtectHome=tmpfs", f"BindReadOnlyPaths={folder}")
        else:
            yield text


async def user_of(tools: Tools, name: str, scope: Scope) -> tuple[int, int] | Failure:
    """The user and the group that the unit runs as."""
    unit = await read_unit(tools, name, scope)
    if isinstance(unit, Failure):
        return unit
    if scope == "user":
        return os.geteuid(), os.getegid()
    if os.geteuid() != 0:
        return Denied("only root may start a unit of the system beside it")
    return await asyncio.to_thread(_account, unit.user, unit.group)


def _account(user: str, group: str) -> tuple[int, int] | Failure:
    try:
        if user.isdigit():
            number, main = int(user), pwd.getpwuid(int(user)).pw_gid
        else:
            entry = pwd.getpwnam(user or "root")
            number, main = entry.pw_uid, entry.pw_gid
        return number, (int(group) if group.isdigit() else grp.getgrnam(group).gr_gid) if group else main
    except KeyError:
        return NotAvailable(f"there is no user {user}, or no group {group}")


def _write(files: tuple[str, str], before: Mapping[str, str], after: Mapping[str, str]) -> Failure | None:
    for path, variables in zip(files, (before, after), strict=True):
        try:
            with open(path, "x", encoding="utf-8", opener=_for_owner) as file:
                file.write(systemd_lines(variables))
        except OSError as error:
            return NotAvailable(f"{path}: {error.strerror}")
    return None


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@asynccontextmanager
async def rehearse(target: ServiceTarget, order: RehearsalOrder) -> AsyncIterator[RehearsalRun | Failure]:
    """See `Rehearses`."""
    unit = await read_unit(target.tools, target.name, target.scope)
    if isinstance(unit, Failure):
        yield unit
        return
    changes = {name: value for name, value in order.environment.items() if value is not None}
    variables = {**unit.how.environment, **changes}
    command = rehearsal_command(
        unit.how.words, variables, config=order.derived, port=order.port, program=order.program,
        database=bool(variables.get("DATABASE_URL")),
    )  # fmt: skip
    if isinstance(command, Failure):
        yield command
        return
    files = os.path.join(order.folder, ".litellm-tui-before.env"), os.path.join(order.folder, ".litellm-tui-after.env")
    written = changed({}, {**order.environment, **command.environment})
    refused = await asyncio.to_thread(_write, files, unit.environment, written)
    if refused is not None:
        yield refused
        return
    name = f"{order.name}.service"
    ways = [transient_unit(target.scope, order, unit, command, files, sandboxed=True)]
    if unit.sandbox:
        ways.append(transient_unit(target.scope, order, unit, command, files, sandboxed=False))
    end = [target.tools.unit_command(target.scope, verb, name) for verb in ("stop", "reset-failed")]
    async with kept(begin=[[way] for way in ways], end=end, rests=(order.folder,), seconds=order.seconds) as started:
        if isinstance(started, Failure):
            yield started
            return
        ours = msgspec.structs.replace(target, name=name, unit=None)
        left_out = (*unit.how.left_out, *command.left_out)
        if started == 1:
            left_out = (*left_out, "what the unit forbids its process is not forbidden here: systemd-run refuses that")
        yield RehearsalRun(ours, f"http://127.0.0.1:{order.port}", left_out)
