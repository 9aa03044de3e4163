"""Docker's command line: runs it, parses `docker compose ps`, `inspect` and `stats`, and names its errors.

The shapes are those of Docker's client 28 and Compose v2: `ps --format json` printed one array until 2.20 and prints
one object a line since 2.21; times are RFC 3339 with nanoseconds, the year 1 meaning never.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from litellm_tui.host.command import Done, run
from litellm_tui.model.failures import Denied, Failure, Malformed, NotAvailable, Unreachable

# the client needs some 30 ms, Compose 100; an engine that is busy with an image takes seconds
CLIENT_SECONDS = 10.0


class NoSuchService(NotAvailable, frozen=True, tag=True):
    """The project has no service, or the engine no container, of this name."""


class Row(msgspec.Struct, frozen=True, rename="pascal"):
    """One container in `docker compose ps --format json`."""

    id: str = msgspec.field(name="ID")
    service: str = ""
    state: str = ""
    labels: str | None = ""

    @property
    def one_off(self) -> bool:
        """Whether `docker compose run` made it: it is then no container of the service."""
        return "com.docker.compose.oneoff=True" in (self.labels or "")


class HealthRun(msgspec.Struct, frozen=True, rename="pascal"):
    exit_code: int = 0
    output: str = ""


class Health(msgspec.Struct, frozen=True, rename="pascal"):
    """`log` holds the last five runs, the newest last."""

    status: str = ""
    failing_streak: int = 0
    log: tuple[HealthRun, ...] | None = None


class Healthcheck(msgspec.Struct, frozen=True, rename="pascal"):
    """`interval` is in nanoseconds, 0 or None for Docker's default."""

    test: tuple[str, ...] | None = None
    interval: int | float | None = None


class State(msgspec.Struct, frozen=True, rename="pascal"):
    """`status` is created, running, paused, restarting, removing, exited or dead."""

    status: str = ""
    oom_killed: bool = msgspec.field(default=False, name="OOMKilled")
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    started_at: str = ""
    finished_at: str = ""
    health: Health | None = None


class Mount(msgspec.Struct, frozen=True, rename="pascal"):
    """`type` is bind, volume or tmpfs; `name` that of a volume."""

    type: str = ""
    name: str = ""
    source: str = ""
    destination: str = ""
    rw: bool = msgspec.field(default=True, name="RW")


class Config(msgspec.Struct, frozen=True, rename="pascal"):
    image: str = ""
    env: tuple[str, ...] | None = None
    labels: dict[str, str] | None = None
    working_dir: str = ""
    healthcheck: Healthcheck | None = None


class Binding(msgspec.Struct, frozen=True, rename="pascal"):
    host_ip: str = ""
    host_port: str = ""


class RestartPolicy(msgspec.Struct, frozen=True, rename="pascal"):
    """`name` is no, always, unless-stopped or on-failure, the last with a limit of tries; 0 is none."""

    name: str = ""
    maximum_retry_count: int = 0


class HostConfig(msgspec.Struct, frozen=True, rename="pascal"):
    """`memory` is the limit in bytes; 0 is none."""

    network_mode: str = ""
    memory: int = 0
    restart_policy: RestartPolicy | None = None
    port_bindings: dict[str, tuple[Binding, ...] | None] | None = None


class Network(msgspec.Struct, frozen=True, rename="pascal"):
    ip_address: str = msgspec.field(default="", name="IPAddress")


class NetworkSettings(msgspec.Struct, frozen=True, rename="pascal"):
    ports: dict[str, tuple[Binding, ...] | None] | None = None
    networks: dict[str, Network | None] | None = None

    @property
    def address(self) -> str:
        """The container's address in the first of its networks; empty where it has none."""
        return next((net.ip_address for net in (self.networks or {}).values() if net and net.ip_address), "")


class Container(msgspec.Struct, frozen=True, rename="pascal"):
    """The fields of one container in `docker inspect` that are used here."""

    id: str
    name: str = ""
    image: str = ""
    created: str = ""
    path: str = ""
    args: tuple[str, ...] | None = None
    restart_count: int = 0
    state: State = State()
    mounts: tuple[Mount, ...] | None = None
    config: Config = Config()
    host_config: HostConfig = HostConfig()
    network_settings: NetworkSettings = NetworkSettings()

    def label(self, name: str) -> str:
        """One of Compose's labels (`project`, `service`, `project.working_dir`, …); empty when it is missing."""
        return (self.config.labels or {}).get(f"com.docker.compose.{name}", "")


class Stats(msgspec.Struct, frozen=True, rename="pascal"):
    """One line of `docker stats`."""

    cpu: str = msgspec.field(default="", name="CPUPerc")
    memory: str = msgspec.field(default="", name="MemUsage")


async def run_docker(command: Sequence[str], seconds: float | None = CLIENT_SECONDS) -> str | Failure:
    """The output of the client, or why it failed."""
    done = await run(command, seconds)
    if isinstance(done, Failure):
        return missing(command[0], done) if isinstance(done, NotAvailable) else done
    return done.output if done.status == 0 else refusal(done, command[0])


def missing(client: str, failure: Failure) -> Failure:
    """The failure of a client that cannot be run, with what to do."""
    return NotAvailable(f"{failure.why}: install Docker's client, or name it in the profile")


def refusal(done: Done, client: str) -> Failure:
    """Why the client failed, with what to do; its own words where the error is unknown."""
    lines = [line.strip() for line in done.error.splitlines() if line.strip()]
    # Compose prints warnings about its file on every run, in the form of log lines
    lines = [line for line in lines if not re.match(r"time=\S+ level=warning", line)]
    said = " ".join(lines)
    if "permission denied" in said and "socket" in said:
        return Denied(
            f"{client} may not use the engine's socket{_place(said)} (permission denied): join the group docker, "
            "or run the console as a user who may"
        )
    if "Cannot connect to the Docker daemon" in said or "error during connect" in said:
        return Unreachable(
            f"the Docker engine does not answer{_place(said)}: start it (systemctl start docker), or see DOCKER_HOST",
            kind="refused",
        )
    if re.search(r"no such (service|container|object)", said, re.IGNORECASE):
        return NoSuchService(lines[-1])
    if re.search(r"unknown command: docker compose|is not a docker command|unknown (shorthand )?flag", said):
        return NotAvailable(f"{client} has no Compose: install Docker Compose v2 (docker-compose-plugin)")
    if "no configuration file provided" in said:
        return NotAvailable(
            "no compose file was found: name it as compose.file, or its folder as compose.folder, in the profile"
        )
    return NotAvailable(lines[-1] if lines else f"{client} ended with {done.status}")


def lacks_compose(failure: Failure) -> bool:
    """Whether this failure of the client says that it has no Compose."""
    return "has no Compose" in failure.why


def parse_rows(output: str) -> list[Row] | Malformed:
    """The containers that `docker compose ps --format json` printed, in either form."""
    text = output.strip()
    try:
        if text.startswith("["):
            return msgspec.json.decode(text, type=list[Row])
        return [msgspec.json.decode(line, type=Row) for line in text.splitlines() if line.strip()]
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"docker compose ps printed something else than its JSON ({error})")


def parse_containers(output: str) -> list[Container] | Malformed:
    """What `docker inspect` printed."""
    try:
        return msgspec.json.decode(output, type=list[Container])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"docker inspect printed something else than its JSON ({error})")


def parse_stats(output: str) -> Stats | None:
    """The first line of `docker stats`; None where it has none."""
    try:
        return msgspec.json.decode(output.strip().partition("\n")[0], type=Stats)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def parse_time(text: str) -> float | None:
    """Seconds since the epoch; None for never."""
    try:
        found = datetime.fromisoformat(text)
        return None if found.year <= 1 else found.timestamp()
    except (ValueError, OverflowError, OSError):
        # without a zone it is local time, which fails for a year that far away
        return None


def nanoseconds(stamp: str) -> int:
    """The part of a stamp below the second, in nanoseconds."""
    digits = re.search(r"\.([0-9]{1,9})", stamp)
    return int(digits[1].ljust(9, "0")) if digits else 0


def format_stamp(moment: float, nanoseconds: int | None = None) -> str:
    """A time as the engine writes it; the part below the second can be given exactly."""
    below = round(moment % 1 * 1e9) if nanoseconds is None else nanoseconds
    whole = int(moment) + below // 1_000_000_000
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{below % 1_000_000_000:09}Z"


def parse_size(text: str) -> int | None:
    """Bytes of `45.2MiB / 1GiB`, the first of the two; None for what is no size."""
    match = re.match(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s{0,4}(?:([kKMGTPE])(i?))?B", text)
    if match is None:
        return None
    power = " KMGTPE".index(match[2].upper()) if match[2] else 0
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def parse_percent(text: str) -> float | None:
    """The number of `0.50%`; None for anything else."""
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)%", text.strip())
    return float(match[1]) if match else None


def _place(said: str) -> str:
    match = re.search(r"((?:unix|tcp|npipe|ssh|https?)://[^\s:,\"]+(?::\d+)?)", said)
    return f" at {match[1].rstrip('.')}" if match else ""
