"""Who began a process and would begin it again: a supervisor, a script, a terminal, or nobody."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from litellm_tui.host.process_table import ProcessTable
from litellm_tui.logs.log_line import clean

_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "busybox", "fish"})
# the kernel's name of a process -> what an operator calls it, and its order to restart one of its processes
_SUPERVISORS: Final = {
    "supervisord": ("supervisord", "supervisorctl restart"),
    "runsv": ("runit", "sv restart"),
    "s6-supervise": ("s6", "s6-svc -r"),
    "circusd": ("circus", "circusctl restart"),
    "monit": ("monit", "monit restart"),
    "pm2": ("pm2", "pm2 restart"),
    "god": ("god", "god restart"),
}
_MULTIPLEXERS: Final = {"tmux": "tmux", "screen": "screen"}
_LONGEST: Final = 120
_LOGINS: Final = frozenset({"sshd", "sshd-session", "login", "su", "sudo"})


class Origin(msgspec.Struct, frozen=True):
    """How a process came to be, in words. A supervisor's `order` restarts it; `script` is the shell's command line of
    a script that is its parent, which runs in `folder` as process `pid`.
    """

    kind: Literal["supervisor", "script", "multiplexer", "login", "nobody", "unknown"]
    words: str
    order: str = ""
    script: tuple[str, ...] = ()
    folder: str | None = None
    pid: int = 0


def origin_of(table: ProcessTable, pid: int, environment: Mapping[str, str]) -> Origin:
    """Read from its ancestors, and from what supervisors and multiplexers leave in its environment."""
    script: Origin | None = None
    for number, ancestor in enumerate(table.ancestors(pid)):
        kernel_name = table.name(ancestor)
        if found := _supervisor(kernel_name, table.words(ancestor), environment):
            return found
        if script is None and number == 0 and (words := _script(table.words(ancestor))):
            # its own words may hold a secret
            name = _said(next(word for word in words[1:] if not word.startswith("-")))
            script = Origin("script", f"started by {name}", script=words, folder=table.folder(ancestor), pid=ancestor)
        for begin, multiplexer in _MULTIPLEXERS.items():
            if kernel_name.casefold().startswith(begin):
                pane = _said(environment.get("TMUX_PANE" if multiplexer == "tmux" else "STY", ""))
                return script or Origin("multiplexer", f"in {multiplexer}{f' ({pane})' if pane else ''}")
        if kernel_name in _LOGINS:
            return script or Origin("login", "started in a login, and may end with it")
    if script is not None:
        return script
    if table.parent(pid) == 1:
        return Origin("nobody", "started by hand: nothing starts it again")
    return Origin("unknown", "")


def _supervisor(name: str, words: tuple[str, ...], environment: Mapping[str, str]) -> Origin | None:
    # a program of an interpreter has the interpreter's name
    names = [name, *(os.path.basename(word) for word in words[:2])]
    for known, (shown, order) in _SUPERVISORS.items():
        if known in names or any(other.startswith(f"{known} ") for other in names):
            group, own = environment.get("SUPERVISOR_GROUP_NAME", ""), environment.get("SUPERVISOR_PROCESS_NAME", "")
            own = own if group in ("", own) else f"{group}:{own}"
            own = own if known == "supervisord" else environment.get("name", "") if known == "pm2" else ""
            return Origin("supervisor", f"kept by {shown}", f"{order} {_said(own) or 'NAME'}")
    return None


def _said(text: str) -> str:
    """A word from outside, as it may be shown."""
    return clean(text)[:_LONGEST]


def _script(words: tuple[str, ...]) -> tuple[str, ...]:
    """The shell and its script, with the script's own words; empty for a shell that someone types into."""
    if not words or os.path.basename(words[0]).lstrip("-") not in _SHELLS:
        return ()
    options = 1
    while options < len(words) and words[options].startswith("-"):
        if "c" in words[options]:
            # a command, and no script
            return ()
        options += 1
    return words if options < len(words) else ()
