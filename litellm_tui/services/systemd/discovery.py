"""Finding LiteLLM's unit or process, and through it configuration, address, environment and interpreter."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from litellm_tui.host import proc
from litellm_tui.host.bounded import SMALL, read_bytes
from litellm_tui.host.command import run_now
from litellm_tui.host.environment_file import parse_dotenv, secrets_in_file
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
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import ServicePlace, Unit, Variable
from litellm_tui.model.service_kinds import Process, Scope, Tools, words
from litellm_tui.services.process import pid_file

DEFAULT_UNIT = "litellm.service"
# defaults of `litellm --host --port` (litellm/proxy/proxy_cli.py)
DEFAULT_PORT = 4000
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "[::]": "[::1]", "": "127.0.0.1"}


# begins the source of what only /proc of the running process told
PROCESS_SOURCE = "the running process"


class Search(msgspec.Struct, frozen=True):
    """All units found, in the order of preference, and the reasons why a place could not be searched."""

    units: tuple[Unit, ...] = ()
    failures: tuple[str, ...] = ()


def find_units(tools: Tools, unit: str | None = None, scope: Scope | None = None) -> Search:
    """User units before system units; in each, the named one, else litellm.service, else whatever runs LiteLLM."""
    units: list[Unit] = []
    failures: list[str] = []
    for place in (scope,) if scope else ("user", "system"):
        try:
            blocks = _show(tools, place, [_with_suffix(unit or DEFAULT_UNIT)])
            found = [b for b in blocks if b.get("LoadState") == "loaded" and (unit or _runs_litellm(b))]
            if not found and unit is None:
                found = [b for b in _all_services(tools, place) if _runs_litellm(b)]
        except (OSError, subprocess.SubprocessError) as error:
            failures.append(f"{place} units: {_reason(error)}")
            continue
        units += [unit_from(block, place) for block in found]
    return Search(tuple(units), tuple(failures))


def next_start(tools: Tools, unit: str, scope: Scope) -> Unit | None:
    """The unit as its next start will find it, from its command line and what its files say now.

    None where that cannot be told: it is not there, or a script of its own starts LiteLLM.
    """
    try:
        blocks = _show(tools, scope, [unit])
    except (OSError, subprocess.SubprocessError):
        return None
    found = next((block for block in blocks if block.get("LoadState") == "loaded"), None)
    if found is None or not any(is_litellm(word) for word in parse_exec_start(found.get("ExecStart", ""))):
        return None
    return unit_from({**found, "MainPID": "0"}, scope)


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
    interpreter = _interpreter(arguments)
    own, unread_own = _own_dotenv(interpreter, environment)
    unread += unread_own
    for key, variable in own.items():
        environment.setdefault(key, variable)

    plain = {key: variable.value for key, variable in environment.items()}
    unit = described(
        name,
        scope,
        [expand(word, plain) for word in arguments],
        block.get("WorkingDirectory", "").lstrip("!-") or None,
        environment,
    )
    return msgspec.structs.replace(
        unit,
        active=block.get("ActiveState") in ("active", "activating", "reloading"),
        interpreter=interpreter,
        environment_files=tuple(files),
        unread=tuple(unread),
        fragment=block.get("FragmentPath", ""),
        withheld=withheld([*files, *(variable.source for variable in own.values())]),
        exec_reload=" ".join(parse_exec_start(block.get("ExecReload", ""))),
        stop_seconds=parse_time_span(block.get("TimeoutStopUSec", "")),
    )


def process_unit(settings: Process, name: str, environ: Mapping[str, str]) -> Unit:
    """What the start command of a plain process says, and the process itself where it runs and may be read.

    `environ` is the console's environment, which a process that the console starts gets beside its file.
    """
    start = words(settings.start)
    files = [os.path.expanduser(settings.environment_file)] if settings.environment_file else []
    from_files, unread = read_environment_files(files)
    environment = {key: Variable(value, path) for key, (value, path) in from_files.items()}
    seen = pid_file.find(settings.pid_file, start)
    pid = 0 if isinstance(seen, Failure) else seen.pid
    running = proc.environment(pid) if pid else {}
    source = f"{PROCESS_SOURCE} {pid}" if running else "the console's environment"
    for key, value in (running or environ).items():
        environment.setdefault(key, Variable(value, source))
    line = proc.command_line(pid) if pid else []
    arguments = line if any(is_litellm(word) for word in line) else [pid_file.program(settings) or start[0], *start[1:]]
    folder = os.path.abspath(os.path.expanduser(settings.folder or ""))
    interpreter = _interpreter(arguments)
    own, unread_own = _own_dotenv(interpreter, environment)
    for key, variable in own.items():
        environment.setdefault(key, variable)
    return msgspec.structs.replace(
        described(name, "process", arguments, folder, environment),
        active=bool(pid),
        interpreter=interpreter,
        environment_files=tuple(files),
        unread=(*unread, *unread_own),
        withheld=withheld([*files, *(variable.source for variable in own.values())]),
        stop_seconds=settings.stop_seconds,
    )


def withheld(files: Iterable[str]) -> tuple[Variable, ...]:
    """The secrets that stand in these files; one that cannot be read holds none that could be known."""
    return tuple(Variable(value, path) for path in dict.fromkeys(files) for value in sorted(secrets_in_file(path)))


def described(
    name: str, place: ServicePlace, arguments: list[str], folder: str | None, environment: dict[str, Variable]
) -> Unit:
    """What LiteLLM's command line and environment say of its configuration and address."""
    options = _options(arguments)
    plain = {key: variable.value for key, variable in environment.items()}
    config = options.get("--config") or plain.get("CONFIG_FILE_PATH")
    if config and not os.path.isabs(config):
        config = os.path.normpath(os.path.join(folder or "/", config))
    return Unit(
        name=name,
        scope=place,
        active=False,
        arguments=tuple(arguments),
        folder=folder,
        environment=environment,
        config=config,
        url=_address(options, plain),
    )


def _address(options: Mapping[str, str], environment: Mapping[str, str]) -> str:
    host = options.get("--host") or environment.get("HOST") or "0.0.0.0"
    port = options.get("--port") or environment.get("PORT") or str(DEFAULT_PORT)
    certificate = options.get("--ssl_certfile_path") or environment.get("SSL_CERTFILE_PATH")
    host = _WILDCARDS.get(host, f"[{host}]" if ":" in host and not host.startswith("[") else host)
    root = environment.get("SERVER_ROOT_PATH", "").rstrip("/")
    return f"{'https' if certificate else 'http'}://{host}:{port}{root}"


_LONG_NAMES = {"-c": "--config"}


def _options(arguments: list[str]) -> dict[str, str]:
    """The options of `litellm` that say where it listens and what it reads; `--name value` and `--name=value`."""
    options: dict[str, str] = {}
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        name = _LONG_NAMES.get(name, name)
        if name in ("--config", "--port", "--host", "--ssl_certfile_path"):
            options[name] = value if equals else next(words, "")
    return options


def is_litellm(word: str) -> bool:
    return os.path.basename(word) in ("litellm", "litellm-proxy") or word.startswith("litellm.proxy.")


def _litellm_arguments(block: Mapping[str, str], pid: int) -> list[str]:
    """The command line that starts LiteLLM: of the running process where readable, else of ExecStart.

    The running one is exact (words with blanks stay whole) and sees through a start script.
    """
    for member in proc.family(pid) if pid else []:
        words = proc.command_line(member)
        if any(is_litellm(word) for word in words):
            return words
    return parse_exec_start(block.get("ExecStart", ""))


def _pid(block: Mapping[str, str]) -> int:
    told = block.get("MainPID", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 11 else 0


def _interpreter(arguments: list[str]) -> str | None:
    """The Python that runs LiteLLM: named in the command line, or beside the `litellm` script."""
    for word in arguments:
        if is_litellm(word) and os.path.isabs(word):
            beside = os.path.join(os.path.dirname(word), "python")
            return beside if os.path.exists(beside) else None
        if os.path.basename(word).startswith("python") and os.path.isabs(word):
            return word
    return None


def _own_dotenv(
    interpreter: str | None, environment: Mapping[str, Variable]
) -> tuple[dict[str, Variable], list[tuple[str, str]]]:
    """What LiteLLM takes from the `.env` that it looks for itself, and which it could not be read, with the reason.

    It does so unless LITELLM_MODE is another than DEV (litellm/__init__.py, litellm/proxy/proxy_cli.py), and what is
    set already stays as it is.
    """
    plain = {name: variable.value for name, variable in environment.items()}
    disabled = plain.get("PYTHON_DOTENV_DISABLED", "").casefold() in ("1", "true", "t", "yes", "y")
    if interpreter is None or disabled or plain.get("LITELLM_MODE", "DEV") != "DEV":
        return {}, []
    found: dict[str, Variable] = {}
    unread: list[tuple[str, str]] = []
    for path in _dotenv_files(interpreter):
        known = plain | {name: variable.value for name, variable in found.items()}
        try:
            values = parse_dotenv(read_bytes(path, SMALL), known)
        except OSError as error:
            unread.append((path, error.strerror or str(error)))
        except ValueError as error:
            why = "LiteLLM cannot start with it: it is not UTF-8" if isinstance(error, UnicodeError) else str(error)
            unread.append((path, why))
        else:
            found |= {name: Variable(value, path) for name, value in values.items() if name not in known}
    return found, unread


def _dotenv_files(interpreter: str) -> Iterator[str]:
    """The `.env` of each of LiteLLM's two load_dotenv(): the nearest one from the calling file's folder upwards."""
    from litellm_tui.collectors.litellm_source.catalogues import package_folder

    package = package_folder(interpreter)
    if isinstance(package, Failure):
        starts = [Path(os.path.dirname(interpreter))]
    else:
        starts = [Path(os.path.abspath(package)), Path(os.path.abspath(package)) / "proxy"]
    nearest = (
        next((str(place / ".env") for place in (start, *start.parents) if (place / ".env").is_file()), None)
        for start in starts
    )
    yield from dict.fromkeys(path for path in nearest if path)


def _runs_litellm(block: Mapping[str, str]) -> bool:
    words = parse_exec_start(block.get("ExecStart", ""))
    if any(is_litellm(word) for word in words):
        return True
    pid = _pid(block)
    named = "litellm" in block.get("Id", "")
    return named and (not pid or any(is_litellm(w) for m in proc.family(pid) for w in proc.command_line(m)))


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
