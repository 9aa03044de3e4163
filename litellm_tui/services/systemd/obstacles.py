"""What a unit's start would fail on: a file, a folder, a program or a user that is not there.

systemd ends such a start before LiteLLM runs a line (systemd.exec(5), "Process Exit Codes"), and a unit that is
restarted with it loses a healthy process. Only what is surely missing is named: what this user may not see is none.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from litellm_tui.host.systemd_tools import parse_exec_start
from litellm_tui.model.service import Obstacle

_FILE: Final = re.compile(r"(.{1,4096}) \(ignore_errors=(yes|no)\)")
_PATH: Final = re.compile(r"\{ path=(\S{1,4096}) ;")
_HEAD: Final = 256
_SOME: Final = "*?["
_RELOAD: Final = "then systemctl daemon-reload, and R"


def unit_obstacles(values: Mapping[str, str]) -> tuple[Obstacle, ...]:
    """The obstacles of one block of `systemctl show`. Reads files: not for the event loop."""
    if values.get("RootDirectory") or values.get("RootImage") or values.get("LoadState") != "loaded":
        # its paths are those of another root
        return ()
    return tuple(_found(values))


def _found(values: Mapping[str, str]) -> Iterator[Obstacle]:
    for line in values.get("EnvironmentFiles", "").splitlines():
        file = _FILE.fullmatch(line)
        if file and file[2] == "no" and not set(_SOME) & set(file[1]) and _is_missing(file[1]):
            yield Obstacle(
                "EnvironmentFile missing",
                f"{file[1]} is not there, and the unit has it as a mandatory EnvironmentFile",
                f"put {file[1]} back (or write EnvironmentFile=-{file[1]} in the unit, {_RELOAD})",
                file[1],
            )
    folder = values.get("WorkingDirectory", "")
    if folder.startswith("/") and _is_missing(folder):
        yield Obstacle(
            "WorkingDirectory missing",
            f"{folder} is not there, and the unit starts in it",
            f"make {folder} again, or correct WorkingDirectory= in the unit, {_RELOAD}",
            folder,
        )
    yield from _program(values.get("ExecStart", ""))
    if values.get("DynamicUser") == "yes":
        return
    if (user := values.get("User", "")) and not user.isdigit() and not _is_known(pwd.getpwnam, user):
        yield _account("user", "User", user, "useradd --system")
    if (group := values.get("Group", "")) and not group.isdigit() and not _is_known(grp.getgrnam, group):
        yield _account("group", "Group", group, "groupadd --system")


def _account(what: str, setting: str, name: str, command: str) -> Obstacle:
    return Obstacle(
        f"{setting} missing",
        f"there is no {what} {name}, and the unit runs as it",
        f"make it ({command} {name}), or correct {setting}= in the unit, {_RELOAD}",
        name,
    )


def _program(exec_start: str) -> Iterator[Obstacle]:
    found = _PATH.match(exec_start)
    path = found[1] if found else next(iter(parse_exec_start(exec_start)), "")
    if not path.startswith("/"):
        return
    mend = f"install it again, or correct ExecStart= in the unit, {_RELOAD}"
    if _is_missing(path):
        yield Obstacle("program missing", f"{path} is not there, and the unit starts it", mend, path)
        return
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return
    if stat.S_ISREG(mode) and not mode & 0o111:
        yield Obstacle("program not executable", f"{path} is no program: nobody may run it", f"chmod +x {path}", path)
    elif (interpreter := _interpreter(path)) and _is_missing(interpreter):
        yield Obstacle(
            "interpreter missing",
            f"{interpreter} is not there, and {path} is run by it: its Python was removed or moved",
            f"install LiteLLM's environment anew, or correct ExecStart= in the unit, {_RELOAD}",
            interpreter,
        )


def _interpreter(path: str) -> str:
    """The interpreter in the first line of a script; empty for a program, and for what cannot be read."""
    try:
        with open(path, "rb") as script:
            head = script.read(_HEAD)
    except OSError:
        return ""
    words = head.partition(b"\n")[0][2:].split() if head.startswith(b"#!") else []
    found = words[0].decode(errors="replace") if words else ""
    return found if found.startswith("/") else ""


def _is_missing(path: str) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def _is_known(look_up: Callable[[str], object], name: str) -> bool:
    try:
        look_up(name)
    except (KeyError, ValueError):
        return False
    return True
