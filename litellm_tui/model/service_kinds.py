"""The settings of each kind of service beside a systemd unit, and the tools that reach a service.

Commands are lists of words and never pass a shell. YAML may give a number for a word (`--port, 4000`).
"""

from __future__ import annotations

import signal
from typing import Annotated, Literal

import msgspec

Command = Annotated[tuple[str | int, ...], msgspec.Meta(min_length=1)]


class Compose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service of a Docker Compose project. Missing settings are found through the existing containers.

    `folder` is the project directory, `file` the compose file, `project` the project's name, `docker` the client.
    """

    folder: str | None = None
    file: str | None = None
    project: str | None = None
    service: str | None = None
    docker: str = "docker"


class Docker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A container that was made by itself, such as by `docker run`. `container` is its name; `client` the client."""

    container: str | None = None
    client: str = "docker"


class Process(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A process that a command starts. A PID file names it, or the `port` on which it listens is its own.

    Without `start` the console starts again what it has seen running. `folder` is its working directory.
    `environment_file` has NAME=VALUE lines that are added to the environment of the console. `stop_signal` asks it to
    end; after `stop_seconds` it is killed with its children.
    """

    start: Command | None = None
    pid_file: str | None = None
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    log_file: str | None = None
    folder: str | None = None
    environment_file: str | None = None
    stop_signal: str = "SIGTERM"
    stop_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.pid_file is None and self.port is None:
            raise ValueError("pid_file or port: expected one of them")
        if self.pid_file is not None and self.start is None:
            raise ValueError("start: expected the command whose process the PID file names")
        if self.stop_signal not in signal.Signals.__members__:
            raise ValueError(f"stop_signal: there is no signal {self.stop_signal!r} (such as SIGTERM, SIGINT)")
        if self.stop_seconds <= 0:
            raise ValueError("stop_seconds: expected a number of seconds above 0")


class Custom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service that only its own commands know.

    `status` exits as LSB init scripts do: 0 for running, 3 for stopped, 4 for unknown, anything else for failed.

    The log is a file, or the output of the command `log`. With a `pid_file` the process can be inspected.
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


class Kubernetes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Deployment of a Kubernetes cluster. Missing settings are found through kubectl.

    `context` is one of the kubeconfig, its current one where none is given; `namespace` that of the context.
    `container` is LiteLLM's container in the pod, `configmap` the ConfigMap or `secret/NAME` that holds its
    configuration, `service` the Service in front of it, `kubectl` the client. `pod` is
    one pod by itself, in place of a Deployment.
    """

    context: str | None = None
    namespace: str | None = None
    deployment: str | None = None
    container: str | None = None
    configmap: str | None = None
    service: str | None = None
    kubectl: str = "kubectl"
    pod: str | None = None


ServiceSettings = Compose | Docker | Process | Custom | Kubernetes
KindName = Literal["systemd", "compose", "docker", "process", "custom", "kubernetes"]


Scope = Literal["user", "system"]


class Tools(msgspec.Struct, frozen=True):
    """The tools that reach the service: commands as argument vectors, and whether Redis and Postgres can be asked.

    The simulated gateway has its own commands, neither of these servers, and files that are younger than their times of
    modification: without `inodes` only those times count. `booted_at` is the start of the simulated machine in seconds
    since the epoch, None for this machine.

    `proc` is the folder of the processes of this machine, `docker_sockets` the sockets at which an engine may listen:
    None for those of this machine, nothing to leave them out.
    """

    systemctl: tuple[str, ...] = ("systemctl",)
    journalctl: tuple[str, ...] = ("journalctl",)
    sudo: tuple[str, ...] = ("sudo",)
    redis: bool = True
    postgres: bool = True
    inodes: bool = True
    booted_at: float | None = None
    proc: str = "/proc"
    docker_sockets: tuple[str, ...] | None = None

    def unit_command(self, scope: Scope, *words: str) -> list[str]:
        """`systemctl [--user] WORDS`, never asking for a password by itself."""
        return [*self.systemctl, *(["--user"] if scope == "user" else []), "--no-ask-password", *words]

    def privileged_command(self, *words: str) -> list[str]:
        """`sudo systemctl WORDS`, for a terminal where sudo can ask for a password."""
        return [*self.sudo, *self.systemctl, *words]
