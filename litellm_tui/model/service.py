"""The service that runs LiteLLM, its environment, and how its runs ended.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from litellm_tui.model.workload import Workload

ServicePlace = Literal["user", "system", "compose", "docker", "process", "custom", "kubernetes"]
Verb = Literal["start", "stop", "restart"]
_KEEPERS: Final[Mapping[ServicePlace, str]] = {
    "user": "systemd", "system": "systemd", "compose": "Docker", "docker": "Docker", "kubernetes": "Kubernetes",
}  # fmt: skip


class Obstacle(msgspec.Struct, frozen=True):
    """Something that a start of the service fails on: in three words, in a sentence, and what mends it.

    `subject` is the path or name concerned.
    """

    brief: str
    text: str
    do: str
    subject: str = ""


class HealthTest(msgspec.Struct, frozen=True):
    """A container's own check: its command with CMD or CMD-SHELL in front, and the status and output of its last run.

    `failing` counts the failures in a row.
    """

    command: tuple[str, ...] = ()
    status: int | None = None
    output: str = ""
    failing: int = 0


class Worker(msgspec.Struct, frozen=True):
    """One process of several that serve requests, each with its own memory and cooldowns. Resident bytes."""

    pid: int
    memory: int
    started_at: float


class Service(msgspec.Struct, frozen=True):
    """The state of what runs LiteLLM, a unit, a container or a process, always in systemd's terms.

    A unit is read by `systemctl show`, with /proc of its processes where systemd does no accounting. `scope` is
    `user` or `system` for a unit, otherwise the kind of service. `started_at` is the start of the main process, and
    `started_after`, where that is not known, a time at which it was seen not to run; `cpu_percent` is of one core,
    over the time since the last reading. None and "" mean not known. `invocation` differs from one run to the next,
    `fragment` is the file that defines the service, `health` the result of a container's own check (`health_test`),
    and `note` a remark on this reading, such as a stale PID file. `unit_file_state` says whether systemd starts it at
    boot (enabled, disabled, static …), `booted_at` is the start of the machine.

    `obstacles` are what its next start fails on. While it does not run, `killed_for_memory` is the kernel's own message
    about it. `ports` are the TCP ports that it listens on, where they may be seen. `workers` are its processes where it
    has several, `lost` the times at which one was seen to be gone, `recycles` whether it ends them itself
    (`--max_requests_before_restart`), and `oom_kills` how many the kernel has killed for memory in its control group.
    `workload` has the pods of a Deployment of Kubernetes.
    """

    unit: str
    scope: ServicePlace
    load_state: str
    active_state: str
    sub_state: str
    result: str = ""
    main_pid: int = 0
    restarts: int | None = None
    started_at: float | None = None
    changed_at: float | None = None
    memory: int | None = None
    cpu_seconds: float | None = None
    cpu_percent: float | None = None
    exit_code: str = ""
    exit_status: int = 0
    invocation: str = ""
    fragment: str = ""
    need_daemon_reload: bool = False
    health: str = ""
    note: str = ""
    unit_file_state: str = ""
    booted_at: float | None = None
    health_test: HealthTest | None = None
    obstacles: tuple[Obstacle, ...] = ()
    killed_for_memory: str = ""
    workers: tuple[Worker, ...] = ()
    ports: tuple[int, ...] = ()
    recycles: bool = False
    lost: tuple[float, ...] = ()
    oom_kills: int = 0
    started_after: float | None = None
    workload: Workload | None = None

    @property
    def keeper(self) -> str:
        """What starts the service again when it ends; empty where nothing is known to."""
        return _KEEPERS.get(self.scope, "")


class Exit(msgspec.Struct, frozen=True):
    """The end of one run, from the messages of its `keeper`: systemd, or Docker.

    `began` is None where the start is not known. `code` is exited, killed or dumped, `status` the exit status or the
    signal, `name` systemd's name for it, `result` systemd's result. `by` is the cause where the process did not end by
    itself: an order, a lack of memory, or a restart of the machine. With `again` its keeper started it again, with
    `given_up` it refused to.
    """

    at: float
    began: float | None = None
    code: str = ""
    status: int = 0
    name: str = ""
    result: str = ""
    by: Literal["", "order", "memory", "reboot"] = ""
    again: bool = False
    given_up: bool = False
    keeper: str = "systemd"


class Variable(msgspec.Struct, frozen=True):
    """One environment variable of the service and what sets it. The value is left out of the repr."""

    value: str
    source: str

    def __repr__(self) -> str:
        return f"Variable(source={self.source!r})"


class Unit(msgspec.Struct, frozen=True):
    """The definition of what runs LiteLLM: a unit, or another kind of service.

    `inside` is the path of the configuration in the container that has it. `unread` are environment files that could
    not be read, with the reason. `withheld` are the secrets in environment files, also those that the service does not
    use. `definition_files` say how it is run next (compose files, `.env`, `env_file`; a unit's own file and drop-ins):
    they are kept and brought back with the configuration. `variables_in` are those of them that give their variables to
    the service as they stand. `image` is the image of a container, `root` the folder in which its files are seen from
    here, `health_command` its own check with CMD or CMD-SHELL in front, made every `health_seconds`.
    """

    name: str
    scope: ServicePlace
    active: bool
    arguments: tuple[str, ...]
    folder: str | None
    environment: dict[str, Variable]
    config: str | None
    url: str
    interpreter: str | None = None
    environment_files: tuple[str, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    fragment: str = ""
    exec_reload: str = ""
    stop_seconds: float | None = None
    withheld: tuple[Variable, ...] = ()
    inside: str = ""
    definition_files: tuple[str, ...] = ()
    variables_in: tuple[str, ...] = ()
    image: str = ""
    root: str = ""
    health_command: tuple[str, ...] = ()
    health_seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.scope})"
