"""Parses what systemctl prints: unit properties, ExecStart, Environment, EnvironmentFile.

The formats are those of systemd 252 (`systemctl show`, systemd.exec(5)).
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping

from litellm_tui.host.bounded import MEDIUM, read_bytes
from litellm_tui.host.environment_file import parse_systemd

UNIT_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,Result,MainPID,NRestarts,ExecMainCode,ExecMainStatus,"
    "ExecMainStartTimestampMonotonic,StateChangeTimestampMonotonic,MemoryCurrent,CPUUsageNSec,FragmentPath,"
    "ExecStart,ExecReload,TimeoutStopUSec,Environment,EnvironmentFiles,WorkingDirectory,NeedDaemonReload,InvocationID,ControlGroup,"
    "UnitFileState,DropInPaths,User,Group,DynamicUser,RootDirectory,RootImage"
)


def parse_show(text: str) -> list[dict[str, str]]:
    """The blocks of `systemctl show`, one mapping per unit. A repeated property keeps all its values, one a line."""
    blocks: list[dict[str, str]] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        values: dict[str, list[str]] = {}
        for line in block.splitlines():
            name, equals, value = line.partition("=")
            if equals:
                values.setdefault(name, []).append(value)
        if values:
            blocks.append({name: "\n".join(found) for name, found in values.items()})
    return blocks


def split_words(text: str) -> list[str]:
    """Words as systemctl prints them in one property, such as `DropInPaths`; quotes that do not end split nothing."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def parse_exec_start(value: str) -> list[str]:
    """The argument vector from `{ path=… ; argv[]=… ; ignore_errors=… }`.

    systemd joins the words with blanks and drops the quotes: a word with a blank becomes two.
    """
    first = value.splitlines()[0] if value else ""
    words, end, _ = first.partition("argv[]=")[2].partition(" ; ignore_errors=")
    return words.split() if end else []


def parse_time_span(value: str) -> float | None:
    """Seconds of a time span as systemctl shows it (`1min 30s`); None for `infinity` and anything else."""
    units = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
    parts = [re.fullmatch(r"([0-9]{1,20}(?:\.[0-9]{1,20})?)([a-z]{1,9})", word) for word in value.split()]
    if not parts or not all(part and part[2] in units for part in parts):
        return None
    return sum(float(part[1]) * units[part[2]] for part in parts if part)


def directive_lines(text: str) -> dict[str, int]:
    """The 1-based line of each directive of a unit file, the last of several; `Environment:NAME` of a variable."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.partition("=")
        if equals and name.strip().isidentifier():
            found[name.strip()] = number
            if name.strip() == "Environment":
                found |= {f"Environment:{variable}": number for variable in parse_environment(value)}
    return found


def parse_environment(value: str) -> dict[str, str]:
    """`Environment=` as shown: assignments separated by blanks, quoted where they hold one."""
    try:
        words = shlex.split(value)
    except ValueError:
        words = value.split()
    return dict(word.split("=", 1) for word in words if "=" in word)


def parse_environment_files(value: str) -> list[str]:
    """The paths in `EnvironmentFiles=`, one `PATH (ignore_errors=…)` a line, in the order they are read."""
    return [re.sub(r" \(ignore_errors=\w+\)$", "", line) for line in value.splitlines() if line.strip()]


def read_environment_files(paths: list[str]) -> tuple[dict[str, tuple[str, str]], list[tuple[str, str]]]:
    """`({NAME: (value, path)}, [(path, why it could not be read)])`; a later file wins, as with systemd."""
    values: dict[str, tuple[str, str]] = {}
    unread: list[tuple[str, str]] = []
    for path in paths:
        try:
            found = parse_systemd(read_bytes(path, MEDIUM))
        except OSError as error:
            unread.append((path, error.strerror or str(error)))
        except ValueError as error:
            unread.append((path, str(error)))
        else:
            values |= {name: (value, path) for name, value in found.items()}
    return values, unread


def expand(word: str, environment: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` as systemd expands them in ExecStart; an unset one becomes nothing."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda m: environment.get(m.group(1) or m.group(2), ""), word)


def runtime_environment() -> dict[str, str]:
    """This process's environment, with XDG_RUNTIME_DIR where a plain `su` or `sudo -u` session left it out."""
    environment = dict(os.environ)
    runtime = f"/run/user/{os.getuid()}"
    if "XDG_RUNTIME_DIR" not in environment and os.path.isdir(runtime):
        environment["XDG_RUNTIME_DIR"] = runtime
    return environment
