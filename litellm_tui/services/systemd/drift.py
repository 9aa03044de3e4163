"""A unit's process against its unit file, its drop-ins and its environment files."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Final

from litellm_tui.analysis.redaction.redactor import MASK
from litellm_tui.collectors.config.file_times import changed_at
from litellm_tui.host import proc
from litellm_tui.host.command import run
from litellm_tui.host.systemd_tools import (
    expand,
    parse_environment,
    parse_environment_files,
    parse_exec_start,
    parse_show,
    read_environment_files,
    split_words,
)
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Service
from litellm_tui.model.service_drift import Difference, ServiceDrift
from litellm_tui.model.service_kinds import Scope, Tools
from litellm_tui.services.docker.run_command import RunCommand, parse_run
from litellm_tui.services.drifted_variables import changed_variables
from litellm_tui.services.litellm_command import is_litellm

_SECONDS: Final = 3.0
_PROPERTIES: Final = (
    "Id,MainPID,FragmentPath,DropInPaths,NeedDaemonReload,Environment,EnvironmentFiles,UnsetEnvironment,ExecStart"
)
# systemd itself gives these (systemd.exec(5), "Environment variables in spawned processes"), and a login
_SYSTEMDS: Final = re.compile(
    r"(?:LANG|LC_\w+|PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|SHLVL|TERM|TZ|MAIL|_|INVOCATION_ID|JOURNAL_STREAM|"
    r"SYSTEMD_\w+|MANAGERPID\w*|LISTEN_\w+|NOTIFY_SOCKET|WATCHDOG_\w+|MAINPID|MEMORY_PRESSURE_\w+|EXIT_\w+|"
    r"CREDENTIALS_DIRECTORY|FDSTORE|(?:RUNTIME|STATE|CACHE|LOGS|CONFIGURATION)_DIRECTORY|XDG_\w+|DBUS_\w+|SSH_\w+)"
)


class UnitFiles:
    """The files that the unit consists of, as systemctl told them last."""

    def __init__(self) -> None:
        self.paths: tuple[str, ...] = ()
        self.run: RunCommand | None = None
        """The container that each start of the unit makes anew."""

    def note(self, values: Mapping[str, str]) -> None:
        """Keep the files that are in this block of `systemctl show`."""
        drop_ins = split_words(values.get("DropInPaths", ""))
        files = parse_environment_files(values.get("EnvironmentFiles", ""))
        run = parse_run(parse_exec_start(values.get("ExecStart", "")))
        self.run = run if run is not None and run.name and run.image else None
        self.paths = tuple(filter(None, (values.get("FragmentPath", ""), *drop_ins, *files)))


async def drift_of(tools: Tools, name: str, scope: Scope, service: Service, files: UnitFiles) -> ServiceDrift | Failure:
    """What the next start of the unit would do in another way. Runs systemctl twice."""
    done = await run(tools.unit_command(scope, "show", name, f"--property={_PROPERTIES}"), _SECONDS)
    if isinstance(done, Failure):
        return done
    values = next(iter(parse_show(done.output)), {})
    files.note(values)
    handed = await run(tools.unit_command(scope, "show-environment"), _SECONDS)
    known = None if isinstance(handed, Failure) or handed.status else frozenset(_names(handed.output))
    return await asyncio.to_thread(compare_unit, values, service, scope, known)


def _names(output: str) -> Iterator[str]:
    """The variables that the manager hands down to every unit."""
    for line in output.splitlines():
        name, equals, _ = line.partition("=")
        if equals:
            yield name


def compare_unit(
    values: Mapping[str, str], service: Service, scope: Scope, handed_down: frozenset[str] | None = None
) -> ServiceDrift:
    """The process of `service` against one block of `systemctl show`. Reads files and /proc.

    `handed_down` are the variables that every unit gets; None where that is not known: then none is said to be gone.
    """
    found = list(_unit_files(values, scope))
    unknown: list[str] = []
    # one that has ended meanwhile is looked at again
    if service.main_pid and service.active_state == "active" and proc.stat(service.main_pid) is not None:
        found += _process(values, service, unknown, handed_down)
    reload = values.get("NeedDaemonReload") == "yes"
    order = f"{_systemctl(scope)} daemon-reload, and then a restart," if reload else "a restart"
    return ServiceDrift(tuple(found), tuple(unknown), "reload" if reload else "restart", order)


def _systemctl(scope: Scope) -> str:
    return "systemctl --user" if scope == "user" else "systemctl"


def _unit_files(values: Mapping[str, str], scope: Scope) -> Iterator[Difference]:
    if values.get("NeedDaemonReload") != "yes":
        return
    names = [values.get("FragmentPath", ""), *split_words(values.get("DropInPaths", ""))]
    note = f"changed on disk since systemd has read it: only {_systemctl(scope)} daemon-reload brings it in"
    yield Difference("unit file", ", ".join(filter(None, names)), note=note)


def _process(
    values: Mapping[str, str], service: Service, unknown: list[str], handed_down: frozenset[str] | None
) -> Iterator[Difference]:
    paths = parse_environment_files(values.get("EnvironmentFiles", ""))
    from_files, unread = read_environment_files(paths)
    unknown += [f"{path}: {why}" for path, why in unread]
    unit = f"Environment= of {values.get('Id', service.unit)}"
    written = {name: (value, unit) for name, value in parse_environment(values.get("Environment", "")).items()}
    written |= from_files
    for name in split_words(values.get("UnsetEnvironment", "")):
        written.pop(name.partition("=")[0], None)
    running = proc.environment(service.main_pid)
    newer = [path for path in paths if service.started_at and changed_at([path]) > service.started_at]
    if not running:
        unknown.append(f"the environment of process {service.main_pid}: it may not be read by this user")
        for path in newer:
            note = "changed since the process was started; what it has of it cannot be compared here"
            yield Difference("definition", path, source=path, note=note)
    else:
        yield from changed_variables(written, running)
        if newer and not unread and handed_down is not None:
            gone = sorted(running.keys() - written.keys() - handed_down)
            for name in gone:
                if not _SYSTEMDS.fullmatch(name):
                    yield Difference("variable", name, MASK, "", newer[-1], "no file of the unit sets it any more")
    yield from _command(values, service, {name: value for name, (value, _) in written.items()})


def _command(values: Mapping[str, str], service: Service, environment: Mapping[str, str]) -> Iterator[Difference]:
    """The command line, where both are LiteLLM's: a start script says nothing of its own."""
    words = [expand(word, environment) for word in parse_exec_start(values.get("ExecStart", ""))]
    line = proc.command_line(service.main_pid)
    if not any(map(is_litellm, words)) or not any(map(is_litellm, line)):
        return
    wanted, runs = _from_litellm(words), _from_litellm(line)
    # systemd shows its words joined, without quotes
    if " ".join(wanted).split() != " ".join(runs).split():
        source = values.get("FragmentPath", "")
        yield Difference("command", "", shlex.join(runs)[:300], shlex.join(wanted)[:300], source)


def _from_litellm(words: list[str]) -> list[str]:
    """Without the interpreter in front, which a script brings."""
    at = next(place for place, word in enumerate(words) if is_litellm(word))
    return words[at:]
