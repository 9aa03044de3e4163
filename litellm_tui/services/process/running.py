"""The processes of this machine that are a LiteLLM gateway, outside of containers; workers count with their master."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from litellm_tui.host.process_table import Listener, ProcessTable
from litellm_tui.services.litellm_command import DEFAULT_PORT, is_litellm
from litellm_tui.services.process.origin import Origin, origin_of

_PYTHON: Final = re.compile(r"(?:python|pypy)[0-9.]{0,8}")
_SERVERS: Final = frozenset({"uvicorn", "gunicorn", "hypercorn", "granian"})
# `setproctitle` puts all of a command line into one word
_TITLE: Final = re.compile(r"gunicorn: (?:master|worker) \[litellm\.proxy\.")
# of Python's own options these have a word behind them
_WITH_VALUE: Final = frozenset({"-W", "-X", "--check-hash-based-pycs"})
# with these `litellm` asks a gateway, or prints something, and ends
_CLIENT: Final = frozenset({"--test", "--test_async", "--health", "--version", "-v", "--help", "--model_list"})
# what `uvicorn` and `gunicorn` listen on by themselves
_SERVER_PORT: Final = 8000
_NONE: Final[dict[str, str]] = {}


class RunningGateway(msgspec.Struct, frozen=True):
    """A gateway that runs. `environment` and `folder` are None where they may not be read (another user's process).

    `listeners` is empty while it starts, and where its descriptors may not be read; `port` is then what it was told.
    `log_file` is where its output goes, `other_log` where stdout goes apart from that; empty where that is no file.
    """

    pid: int
    words: tuple[str, ...]
    user: int | None
    folder: str | None
    environment: dict[str, str] | None
    listeners: tuple[Listener, ...]
    port: int
    origin: Origin
    log_file: str = ""
    other_log: str = ""
    unit: tuple[str, bool] | None = None

    @property
    def listener(self) -> Listener | None:
        """The socket on its own port; None where it was not seen."""
        return next((one for one in self.listeners if one.port == self.port), None)


class Contained(msgspec.Struct, frozen=True):
    """A LiteLLM that lives in a container; `container` is its id, empty where that cannot be told."""

    pid: int
    container: str


def find_running(table: ProcessTable) -> tuple[list[RunningGateway], list[Contained]]:
    """The gateways outside and inside of containers. Reads the command line of every process: some ten milliseconds."""
    words = {pid: line for pid in table.pids() if (line := table.words(pid)) and serves(line)}
    outside: list[RunningGateway] = []
    inside: list[Contained] = []
    for pid, line in words.items():
        if any(ancestor in words for ancestor in table.ancestors(pid)):
            continue
        container = table.container(pid)
        if container or table.is_contained(pid):
            inside.append(Contained(pid, container))
        else:
            outside.append(_gateway(table, pid, line))
    return outside, inside


def serves(words: Sequence[str]) -> bool:
    """Whether this command line is that of a LiteLLM gateway, and not of something that only names it."""
    if not words:
        return False
    if _TITLE.match(words[0]):
        return True
    rest = _program(words)
    if not rest:
        return False
    program = os.path.basename(rest[0])
    if program in _SERVERS:
        return any(word.startswith("litellm.proxy.") for word in rest[1:])
    own = is_litellm(rest[0]) or (program == "proxy_cli.py" and "litellm" in rest[0])
    return own and not _CLIENT.intersection(rest[1:])


def _program(words: Sequence[str]) -> Sequence[str]:
    """The command line without the interpreter in front of it: begins with the script, or the module."""
    if not _PYTHON.fullmatch(os.path.basename(words[0])):
        return words
    place = 1
    while place < len(words) and words[place].startswith("-"):
        if words[place] == "-m":
            return words[place + 1 :]
        if words[place] in ("-c", "-"):
            return ()
        place += 2 if words[place] in _WITH_VALUE else 1
    return words[place:]


def _gateway(table: ProcessTable, pid: int, words: tuple[str, ...]) -> RunningGateway:
    environment, listeners = table.environment(pid), tuple(table.listeners(pid))
    told = told_port(words, environment or _NONE)
    user = table.user(pid)
    if not listeners and environment is None:
        # another user's: the kernel tells whose socket listens on that port, not which process has it
        listeners = tuple(one for one in table.all_listeners().values() if one.port == told and one.user == user)
    ports = [one.port for one in listeners]
    log_file, other_log = _outputs(table, pid)
    return RunningGateway(
        pid=pid,
        words=words,
        user=user,
        folder=table.folder(pid),
        environment=environment,
        listeners=listeners,
        port=told if told in ports or not ports else ports[0],
        origin=origin_of(table, pid, environment or _NONE),
        log_file=log_file,
        other_log=other_log,
        unit=table.unit(pid),
    )


def told_port(words: Sequence[str], environment: dict[str, str]) -> int:
    """The port that the command line or the environment names, else the program's own."""
    rest = _program(words)
    server = bool(rest) and os.path.basename(rest[0]) in _SERVERS
    options = ("--port", "--bind", "-b", "-p") if server else ("--port",)
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in options:
            value = value if equals else words[place + 1] if place + 1 < len(words) else ""
            number = value.rpartition(":")[2]
            if found := _port(number):
                return found
    return _port(environment.get("PORT", "")) or (_SERVER_PORT if server else DEFAULT_PORT)


def _port(text: str) -> int:
    """The number of a port; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536 else 0


def _outputs(table: ProcessTable, pid: int) -> tuple[str, str]:
    """The files of stderr, where LiteLLM's own lines go, and of stdout where that is another one."""
    out, err = (_file(table.output(pid, number)) for number in (1, 2))
    return (err, out if out != err else "") if err else (out, "")


def _file(link: str | None) -> str:
    if link is None or not os.path.isabs(link) or link.startswith("/dev/") or link.endswith(" (deleted)"):
        return ""
    return link
