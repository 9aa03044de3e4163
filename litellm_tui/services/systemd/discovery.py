"""Finding LiteLLM's unit, and through it configuration, address, environment and interpreter."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping

import msgspec

from litellm_tui.host import proc
from litellm_tui.host.command import run_now
from litellm_tui.host.systemd_tools import (
    UNIT_PROPERTIES,
    expand,
    parse_environment,
    parse_environment_files,
    parse_exec_start,
    parse_show,
    parse_time_span,
    read_environment_files,
)
from litellm_tui.model.service import Obstacle, Unit, Variable
from litellm_tui.model.service_kinds import Scope, Tools
from litellm_tui.services.docker.run_command import RunCommand, is_compose, parse_run
from litellm_tui.services.docker.run_unit import unit_of_run
from litellm_tui.services.litellm_command import PROCESS_SOURCE, interpreter_of, is_litellm, unit_from_command
from litellm_tui.services.own_dotenv import own_dotenv, withheld_secrets
from litellm_tui.services.systemd.obstacles import unit_obstacles
from litellm_tui.services.systemd.unit_paths import written_unit_files

DEFAULT_UNIT = "litellm.service"
_RUNNING = ("active", "activating", "reloading")


class ContainerUnit(msgspec.Struct, frozen=True):
    """A unit that runs a container of which it is not known whether that is LiteLLM, or a Compose project."""

    run: RunCommand
    block: dict[str, str]
    scope: Scope
    is_compose: bool = False

    @property
    def names_litellm(self) -> bool:
        """Whether its name or its command line has the word."""
        return "litellm" in f"{self.block.get('Id', '')} {self.block.get('ExecStart', '')}".casefold()

    def unit(self) -> Unit:
        """The unit, with what its container says."""
        return unit_from(self.block, self.scope)


class UnitSearch(msgspec.Struct, frozen=True):
    """All units found, in order of preference, and the reasons why a place could not be searched.

    `containers` are units that run some container; only a search for every unit has them. `runs` are the names of the
    containers that found units run, by unit and scope.
    """

    units: tuple[Unit, ...] = ()
    failures: tuple[str, ...] = ()
    containers: tuple[ContainerUnit, ...] = ()
    runs: Mapping[tuple[str, str], str] = {}


def find_units(tools: Tools, unit: str | None = None, scope: Scope | None = None, *, every: bool = False) -> UnitSearch:
    """User units before system units; in each, the named one, else litellm.service while it runs, else all that run
    LiteLLM. With `every` all that run LiteLLM, whatever runs. Without a name those that run come first.
    """
    units: list[Unit] = []
    containers: list[ContainerUnit] = []
    failures: list[str] = []
    runs: dict[tuple[str, str], str] = {}
    for place in (scope,) if scope else ("user", "system"):
        try:
            blocks = _show(tools, place, [_with_suffix(unit or DEFAULT_UNIT)])
            found = [b for b in blocks if b.get("LoadState") == "loaded" and (unit or _runs_litellm(b))]
            if unit is None and (every or not any(b.get("ActiveState") in _RUNNING for b in found)):
                known = {b.get("Id") for b in found}
                others = [b for b in _all_services(tools, place) if b.get("Id") not in known]
                found += [b for b in others if _runs_litellm(b)]
                containers += _container_units({b.get("Id"): b for b in (*blocks, *others)}.values(), place)
        except (OSError, subprocess.SubprocessError) as error:
            failures.append(f"{place} units: {_reason(error)}")
            continue
        units += [unit_from(block, place) for block in found]
        for block in found:
            if run := parse_run(parse_exec_start(block.get("ExecStart", ""))):
                runs[block.get("Id", ""), place] = run.name or run.image
    if unit is None:
        units.sort(key=lambda found: not found.active)
    return UnitSearch(tuple(units), tuple(failures), tuple(containers), runs)


def _container_units(blocks: Iterable[dict[str, str]], scope: Scope) -> list[ContainerUnit]:
    found = []
    for block in blocks:
        words = parse_exec_start(block.get("ExecStart", ""))
        run = parse_run(words)
        if run is not None and not run.is_litellm:
            found.append(ContainerUnit(run, block, scope))
        elif is_compose(words):
            found.append(ContainerUnit(RunCommand(words[0], ""), block, scope, is_compose=True))
    return found


def next_start(tools: Tools, unit: str, scope: Scope) -> Unit | None:
    """The unit as its next start will find it, from its command line and its files as they are now.

    None where that cannot be told: the unit does not exist, or a script starts LiteLLM.
    """
    try:
        blocks = _show(tools, scope, [unit])
    except (OSError, subprocess.SubprocessError):
        return None
    found = next((block for block in blocks if block.get("LoadState") == "loaded"), None)
    if found is None or not any(is_litellm(word) for word in parse_exec_start(found.get("ExecStart", ""))):
        return None
    return unit_from({**found, "MainPID": "0"}, scope)


def obstacles(tools: Tools, unit: str, scope: Scope) -> tuple[Obstacle, ...]:
    """What the unit's next start would fail on, from its settings as systemd has them and the files as they are now."""
    if tools.booted_at is not None:
        # the simulated machine has no program
        return ()
    try:
        blocks = _show(tools, scope, [unit])
    except (OSError, subprocess.SubprocessError):
        return ()
    return unit_obstacles(blocks[0]) if blocks else ()


def unit_from(block: Mapping[str, str], scope: Scope) -> Unit:
    """A `Unit` from one block of `systemctl show`, with /proc of the running process where it may be read."""
    pid = _pid(block)
    files = parse_environment_files(block.get("EnvironmentFiles", ""))
    from_files, unread = read_environment_files(files)
    name = block.get("Id", DEFAULT_UNIT)
    environment = {
        key: Variable(value, f"Environment= of {name}")
        for key, value in parse_environment(block.get("Environment", "")).items()
    }
    environment |= {key: Variable(value, path) for key, (value, path) in from_files.items()}
    running = proc.environment(pid) if pid else {}
    for key, value in running.items():
        environment.setdefault(key, Variable(value, f"{PROCESS_SOURCE} {pid}"))

    arguments = _litellm_arguments(block, pid)
    run = parse_run(arguments)
    interpreter = None if run is not None else interpreter_of(arguments)
    own, unread_own = own_dotenv(interpreter, environment)
    unread += unread_own
    for key, variable in own.items():
        environment.setdefault(key, variable)

    plain = {key: variable.value for key, variable in environment.items()}
    words = [expand(word, plain) for word in arguments]
    folder = block.get("WorkingDirectory", "").lstrip("!-") or None
    run = parse_run(words)
    if run is not None:
        # what LiteLLM gets is in the container, and not in its client
        unit = unit_of_run(run, name, scope)
    else:
        unit = unit_from_command(name, scope, words, folder, environment)
    return msgspec.structs.replace(
        unit,
        active=block.get("ActiveState") in _RUNNING,
        interpreter=interpreter,
        environment_files=(*files, *unit.environment_files),
        unread=tuple(unread),
        fragment=block.get("FragmentPath", ""),
        definition_files=written_unit_files(block, scope),
        withheld=(*unit.withheld, *withheld_secrets([*files, *(variable.source for variable in own.values())])),
        exec_reload=" ".join(parse_exec_start(block.get("ExecReload", ""))),
        stop_seconds=parse_time_span(block.get("TimeoutStopUSec", "")),
    )


def _litellm_arguments(block: Mapping[str, str], pid: int) -> list[str]:
    """The command line that starts LiteLLM: of the running process where readable, else of ExecStart.

    The running one is exact (words with blanks stay whole) and sees through a start script.
    """
    started = parse_exec_start(block.get("ExecStart", ""))
    if parse_run(started) is not None:
        # of the same words, and nothing in them is a file of this machine
        return _exact(started, pid)
    for member in proc.family(pid) if pid else []:
        words = proc.command_line(member)
        if any(is_litellm(word) for word in words):
            return words
    return started


def _exact(started: list[str], pid: int) -> list[str]:
    """The running client's own words, where it is the main process: a word with a blank is whole there."""
    words = proc.command_line(pid) if pid else []
    return words if parse_run(words) is not None and words[1:2] == started[1:2] else started


def _pid(block: Mapping[str, str]) -> int:
    told = block.get("MainPID", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 11 else 0


def _runs_litellm(block: Mapping[str, str]) -> bool:
    words = parse_exec_start(block.get("ExecStart", ""))
    if (run := parse_run(words)) is not None:
        return run.is_litellm
    if is_compose(words):
        # the service of the project is the gateway
        return False
    if any(is_litellm(word) for word in words):
        return True
    if any(_is_own(word) for word in words):
        # a recorder, or a console that is served: named after the gateway, whatever it has started
        return False
    pid = _pid(block)
    named = "litellm" in block.get("Id", "")
    return named and (not pid or any(is_litellm(w) for m in proc.family(pid) for w in proc.command_line(m)))


def _is_own(word: str) -> bool:
    """Whether a word of a command line starts this program."""
    return os.path.basename(word) == "litellm-tui" or word.partition(".")[0] == "litellm_tui"


def _all_services(tools: Tools, scope: Scope) -> list[dict[str, str]]:
    listed = _run(
        tools.unit_command(scope, "list-unit-files", "--type=service", "--no-legend", "--no-pager", "--plain")
    )
    names = [line.split()[0] for line in listed.splitlines() if line.split() and "litellm" in line.split()[0]]
    names = [name for name in names if not name.endswith("@.service")]
    named = _show(tools, scope, names) if names else []
    loaded = _show(tools, scope, ["--type=service", "*"])
    known = {block.get("Id") for block in named}
    return named + [block for block in loaded if block.get("Id") not in known]


def _show(tools: Tools, scope: Scope, words: list[str]) -> list[dict[str, str]]:
    return parse_show(_run(tools.unit_command(scope, "show", f"--property={UNIT_PROPERTIES}", *words)))


def _run(command: list[str]) -> str:
    done = run_now(command, timeout=5)
    if done.status:
        raise subprocess.CalledProcessError(done.status, command, done.output, done.error)
    return done.output


def _reason(error: OSError | subprocess.SubprocessError) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = str(error.stderr or "").strip().splitlines()
        return lines[0] if lines else f"{error.cmd[0]} ended with {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return "systemctl did not answer in 5 s"
    return f"{error.filename or 'systemctl'}: {error.strerror}" if isinstance(error, OSError) else str(error)


def _with_suffix(unit: str) -> str:
    return unit if "." in unit else f"{unit}.service"
