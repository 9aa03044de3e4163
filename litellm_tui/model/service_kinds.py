"""The kinds of service beside a systemd unit, and what the settings file says of each.

Commands are lists of words and never pass a shell. A number may stand in YAML where a word is meant (`--port, 4000`).
"""

from __future__ import annotations

import signal
from typing import Annotated, Literal

import msgspec

Command = Annotated[tuple[str | int, ...], msgspec.Meta(min_length=1)]


class Compose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service of a Docker Compose project. What is left out is found through the containers that there are.

    `folder` is the project directory, `file` the compose file, `project` the project's name, `docker` the client.
    """

    folder: str | None = None
    file: str | None = None
    project: str | None = None
    service: str | None = None
    docker: str = "docker"


class Process(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A process that a command starts and that a PID file names.

    `folder` is where it is started, and `environment_file` holds NAME=VALUE lines for it, beside the environment of the
    console. `stop_signal` asks it to end; after `stop_seconds` it is killed with its children.
    """

    start: Command
    pid_file: str
    log_file: str | None = None
    folder: str | None = None
    environment_file: str | None = None
    stop_signal: str = "SIGTERM"
    stop_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.stop_signal not in signal.Signals.__members__:
            raise ValueError(f"stop_signal: there is no signal {self.stop_signal!r} (such as SIGTERM, SIGINT)")
        if self.stop_seconds <= 0:
            raise ValueError("stop_seconds: expected a number of seconds above 0")


class Custom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service that only its own commands know. `status` ends as LSB init scripts do: 0 it runs, 3 it is stopped,
    4 there is no such service, anything else it has failed.

    The log is a file, or what the command `log` prints while it runs. With a `pid_file` the process can be looked at.
    """

    status: Command
    start: Command | None = None
    stop: Command | None = None
    restart: Command | None = None
    log_file: str | None = None
    log: Command | None = None
    pid_file: str | None = None

    def __post_init__(self) -> None:
        if self.log is not None and self.log_file is not None:
            raise ValueError("log and log_file: expected one of them")


ServiceSettings = Compose | Process | Custom
KindName = Literal["systemd", "compose", "process", "custom"]


Scope = Literal["user", "system"]


class Tools(msgspec.Struct, frozen=True):
    """What reaches the service: commands as argument vectors, and whether there is a Redis server to be asked itself.

    The simulated gateway brings its own commands, only pretends to have a Redis, and has files that are younger than
    they say: without `inodes`, only their times of modification count. Its machine is simulated too: `booted_at` is
    when that one was started, in seconds since the epoch. None is this machine.
    """

    systemctl: tuple[str, ...] = ("systemctl",)
    journalctl: tuple[str, ...] = ("journalctl",)
    sudo: tuple[str, ...] = ("sudo",)
    redis: bool = True
    inodes: bool = True
    booted_at: float | None = None

    def unit_command(self, scope: Scope, *words: str) -> list[str]:
        """`systemctl [--user] WORDS`, never asking for a password by itself."""
        return [*self.systemctl, *(["--user"] if scope == "user" else []), "--no-ask-password", *words]

    def privileged_command(self, *words: str) -> list[str]:
        """`sudo systemctl WORDS`, for a terminal that sudo may ask on."""
        return [*self.sudo, *self.systemctl, *words]
