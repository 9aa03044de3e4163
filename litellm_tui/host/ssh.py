"""OpenSSH's client as a child: how it is called, where its shared connections live, what it may be told as a host.

A host is data from a settings file or the command line: it stands behind `--`, is never read by a shell, and what ssh
itself would hand to one (`ProxyCommand` with `%h`) is refused.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

CONNECT_SECONDS: Final = 4
# an answer that takes longer is a slow link
ANSWER_SECONDS: Final = 5.0
# printed by the other side when it has begun; what comes before it is of that side's login scripts
BEGUN: Final = b"litellm-tui: begun\n"
_OPTIONS: Final = (
    "BatchMode=yes",
    f"ConnectTimeout={CONNECT_SECONDS}",
    "ConnectionAttempts=1",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=2",
    # no banner, but what went wrong, whatever the user's own level is
    "LogLevel=ERROR",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    # ssh's own default; a user's RemoteCommand would be another command
    "RemoteCommand=none",
)
_PERSIST_SECONDS: Final = 30
# sun_path of Linux, its NUL, and what ssh appends while it makes the socket
_LONGEST_SOCKET: Final = 108 - 1 - 17
# %C of ssh_config(5), SHA-1 of machine, host, port and user; before it, of the name that was given: two aliases of one
# host may have different keys, and what refuses one of them lets the other in
_ALIAS: Final = 8
_HASH: Final = _ALIAS + 1 + 40
# those that OpenSSH itself refuses in a name from the command line (ssh.c), and white space
_REFUSED: Final = re.compile(r"[\s'`\"$\\;&<>|(){}\x00-\x1f\x7f]")
_LONGEST_HOST: Final = 255
# a program that pipx, uv or pip --user has installed is there, and a command by ssh reads no profile of a shell
_FIND: Final = (
    'PATH="$PATH:$HOME/.local/bin"; export PATH; '
    "command -v litellm-tui >/dev/null 2>&1 || { echo 'litellm-tui: not found' >&2; exit 127; }; "
)
_RUN: Final = 'exec litellm-tui "$@"'
_BEGIN: Final = f"printf '%s\\n' '{BEGUN.decode().strip()}'; "


def refused(host: str) -> str:
    """Why ssh is not given this host; empty where it may be."""
    if not host:
        return "it is empty"
    if len(host) > _LONGEST_HOST:
        return f"it is longer than {_LONGEST_HOST} characters"
    name = host.removeprefix("ssh://").rpartition("@")[2]
    if host.startswith("-") or name.startswith("-"):
        return "it begins like an option"
    if found := _REFUSED.search(host):
        return f"no name of a host holds {found[0]!r}"
    return ""


def ssh_command(
    host: str, remote: str, *, terminal: bool = False, environ: Mapping[str, str] | None = None
) -> list[str]:
    """The call of ssh that runs `remote`, a line for the shell of the other side, as `far_line` makes it.

    Raises ValueError for a host that is refused.
    """
    if why := refused(host):
        raise ValueError(f"ssh: {host[:80]!r}: {why}")
    shared = control_path(host, os.environ if environ is None else environ)
    options = list(_OPTIONS)
    if shared is not None:
        options += ["ControlMaster=auto", f"ControlPath={shared}", f"ControlPersist={_PERSIST_SECONDS}"]
    else:
        options += ["ControlPath=none"]
    given = [word for option in options for word in ("-o", option)]
    return ["ssh", "-t" if terminal else "-T", *given, "--", host, remote]


def far_line(words: Sequence[str], *, terminal: bool = False) -> str:
    """The line that runs litellm-tui with these words on the other side, whatever login shell reads it.

    Without a `terminal` it prints `BEGUN` first.
    """
    return script_line(("" if terminal else _BEGIN) + _FIND + _RUN, words)


def script_line(script: str, words: Sequence[str] = ()) -> str:
    """The line that runs this script of a POSIX shell with these words as its arguments."""
    return " ".join(["exec", "sh", "-c", *map(shlex.quote, (script, "litellm-tui", *words))])


def checking_line(script: str, words: Sequence[str] = ()) -> str:
    """The line that runs a script of this program with these words, after `BEGUN` and with the same PATH."""
    return script_line(_BEGIN + 'PATH="$PATH:$HOME/.local/bin"; export PATH; ' + script, words)


def control_path(host: str, environ: Mapping[str, str]) -> str | None:
    """The socket of the shared connection to a host, in a folder that nobody else can enter; None without one."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    places = [Path(runtime) / "litellm-tui"] if runtime.startswith("/") else []
    for folder in (*places, Path(f"/tmp/litellm-tui-{os.getuid()}")):
        # % has a meaning to ssh
        if len(os.fsencode(folder)) + 1 + _HASH <= _LONGEST_SOCKET and "%" not in str(folder) and _is_private(folder):
            alias = hashlib.sha256(host.encode(errors="surrogateescape")).hexdigest()[:_ALIAS]
            return f"{folder}/{alias}-%C"
    return None


def _is_private(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) & 0o077 == 0


def own_command(words: Sequence[str]) -> list[str]:
    """This program as a child, with these words."""
    # -P: a folder of the same name where one stands is not taken for it
    return [sys.executable, "-P", "-m", "litellm_tui.cli", *words]
