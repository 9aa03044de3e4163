"""The settings of each kind of service beside a systemd unit, and the tools that reach a service.

Commands are lists of words and never pass a shell. YAML may give a number for a word (`--port, 4000`).
"""

from __future__ import annotations

import signal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Command = Annotated[tuple[str | int, ...], Meta(min_length=1)]
Scope = Literal["user", "system"]


class Compose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service of a Docker Compose project. Missing settings are found through the existing containers."""

    folder: Annotated[str | None, Meta(
        description="The project's folder.", examples=["/srv/llm"])] = None  # fmt: skip
    file: Annotated[str | None, Meta(
        description="The compose file.", examples=["/srv/llm/compose.yaml"])] = None  # fmt: skip
    project: Annotated[str | None, Meta(description="The project's name.", examples=["llm"])] = None
    service: Annotated[str | None, Meta(
        description="The service; without it the one that mounts the configuration, else the one that runs LiteLLM.",
        examples=["litellm"])] = None  # fmt: skip
    docker: Annotated[str, Meta(
        description="The client, docker or podman.", examples=["podman"])] = "docker"  # fmt: skip


class Docker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A container that was made by itself, such as by `docker run`."""

    container: Annotated[str | None, Meta(
        description="Its name; another container that gets the name is the same service.",
        examples=["gateway"])] = None  # fmt: skip
    client: Annotated[str, Meta(
        description="The client, docker or podman.", examples=["podman"])] = "docker"  # fmt: skip


class Process(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A process that a command starts. A PID file names it, or the `port` on which it listens is its own.

    What the console starts lives in a session of its own, and stays when the console goes.
    """

    start: Annotated[Command | None, Meta(
        description="The command, as a list of words; without it the console starts again what it has seen running.",
        examples=[["/opt/venv/bin/litellm", "--config", "config.yaml", "--port", 4000]])] = None  # fmt: skip
    pid_file: Annotated[str | None, Meta(
        description="The file that names the process; start is then needed.",
        examples=["/srv/llm/litellm.pid"])] = None  # fmt: skip
    port: Annotated[Annotated[int, Meta(ge=1, le=65535)] | None, Meta(
        description="The port on which it listens, where no PID file names it.", examples=[4000])] = None  # fmt: skip
    log_file: Annotated[str | None, Meta(
        description="The file of its log.", examples=["/srv/llm/litellm.log"])] = None  # fmt: skip
    folder: Annotated[str | None, Meta(
        description="The folder in which it is started.", examples=["/srv/llm"])] = None  # fmt: skip
    environment_file: Annotated[str | None, Meta(
        description="A file of NAME=VALUE lines that are added to the environment of the console.",
        examples=["/srv/llm/litellm.env"])] = None  # fmt: skip
    stop_signal: Annotated[str, Meta(
        description="The signal that asks it to end.", examples=["SIGINT"])] = "SIGTERM"  # fmt: skip
    stop_seconds: Annotated[float, Meta(
        description="Seconds after which it is killed with its children.", examples=[60])] = 30.0  # fmt: skip

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
    """A service that only its own commands know. Each command is a list of words that no shell sees."""

    status: Annotated[Command, Meta(
        description="Ends as LSB init scripts do: 0 runs, 3 stopped, 4 no such service, anything else failed.",
        examples=[["rc-service", "litellm", "status"]])]  # fmt: skip
    start: Annotated[Command | None, Meta(
        description="Starts it.", examples=[["sudo", "-n", "rc-service", "litellm", "start"]])] = None  # fmt: skip
    stop: Annotated[Command | None, Meta(
        description="Stops it.", examples=[["sudo", "-n", "rc-service", "litellm", "stop"]])] = None  # fmt: skip
    restart: Annotated[Command | None, Meta(
        description="Restarts it; without it stop and start do.",
        examples=[["sudo", "-n", "rc-service", "litellm", "restart"]])] = None  # fmt: skip
    log_file: Annotated[str | None, Meta(
        description="The file of its log.", examples=["/var/log/litellm.log"])] = None  # fmt: skip
    log: Annotated[Command | None, Meta(
        description="A command that follows its log, in place of log_file.",
        examples=[["tail", "-F", "/var/log/litellm.log"]])] = None  # fmt: skip
    pid_file: Annotated[str | None, Meta(
        description="The file that names its process, for its age and memory.",
        examples=["/run/litellm.pid"])] = None  # fmt: skip

    def __post_init__(self) -> None:
        if self.log is not None and self.log_file is not None:
            raise ValueError("log and log_file: expected one of them")


class Kubernetes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Deployment of a Kubernetes cluster. Missing settings are found through kubectl."""

    context: Annotated[str | None, Meta(
        description="A context of the kubeconfig; its current one where none is given.",
        examples=["prod-eu"])] = None  # fmt: skip
    namespace: Annotated[str | None, Meta(
        description="The namespace; that of the context where none is given.", examples=["llm"])] = None  # fmt: skip
    deployment: Annotated[str | None, Meta(
        description="The Deployment that runs LiteLLM.", examples=["litellm"])] = None  # fmt: skip
    container: Annotated[str | None, Meta(
        description="LiteLLM's container in the pod.", examples=["litellm"])] = None  # fmt: skip
    configmap: Annotated[str | None, Meta(
        description="The ConfigMap that holds the configuration, or secret/NAME.",
        examples=["litellm-config"])] = None  # fmt: skip
    service: Annotated[str | None, Meta(
        description="The Service in front of the Deployment.", examples=["litellm"])] = None  # fmt: skip
    kubectl: Annotated[str, Meta(
        description="The client, by its name or path.", examples=["kubectl"])] = "kubectl"  # fmt: skip
    pod: Annotated[str | None, Meta(
        description="One pod by itself, in place of a Deployment.",
        examples=["litellm-7d4b9c-x2x1z"])] = None  # fmt: skip


ServiceSettings = Compose | Docker | Process | Custom | Kubernetes
KindName = Literal["systemd", "compose", "docker", "process", "custom", "kubernetes"]


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
