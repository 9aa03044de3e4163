"""The state of a container with systemd's names for states, from what `docker inspect` says of it."""

from __future__ import annotations

import shlex
from typing import Final

from litellm_tui.analysis.phrases import size
from litellm_tui.host import proc
from litellm_tui.logs.log_line import clean
from litellm_tui.model.service import HealthTest, Service, ServicePlace
from litellm_tui.services.docker import docker_cli

# what systemd too counts as a clean exit: HUP, INT, PIPE, TERM (systemd.service(5), SuccessExitStatus=)
CLEAN: Final = (0, 129, 130, 141, 143)
SIGNALLED: Final = range(129, 129 + 64)
# between the engine's own stamp and the kernel's
_START_SECONDS: Final = 5.0
# Docker keeps 4,096 bytes of an output
_LONGEST_OUTPUT: Final = 4096
_STATES: Final = {
    "created": ("inactive", "dead"),
    "running": ("active", "running"),
    "paused": ("active", "paused"),
    "restarting": ("activating", "auto-restart"),
    "removing": ("deactivating", "stop"),
    "exited": ("inactive", "dead"),
    "dead": ("failed", "failed"),
    # Podman's own
    "configured": ("inactive", "dead"),
    "initialized": ("inactive", "dead"),
    "stopping": ("deactivating", "stop-sigterm"),
    "stopped": ("inactive", "dead"),
}


def service_from(found: docker_cli.Container, name: str, place: ServicePlace, fragment: str = "") -> Service:
    """A `Service` from one `docker inspect`. A status above 128 is a signal, as everywhere on Unix."""
    state = found.state
    active, sub = _STATES.get(state.status, ("unknown", state.status))
    ended = state.status in ("exited", "dead", "restarting", "stopped")
    well = state.exit_code in CLEAN and not state.oom_killed
    if state.status in ("exited", "stopped") and not well:
        active, sub = "failed", "failed"
    signalled = state.exit_code in SIGNALLED
    result = "oom-kill" if state.oom_killed else "success" if well else "signal" if signalled else "exit-code"
    running = active == "active"
    started, finished = docker_cli.parse_time(state.started_at), docker_cli.parse_time(state.finished_at)
    return Service(
        unit=name,
        scope=place,
        load_state="loaded",
        active_state=active,
        sub_state=sub,
        result=result if ended else "success" if running else "",
        main_pid=state.pid if running and is_here(found) else 0,
        restarts=found.restart_count,
        started_at=started if running else None,
        changed_at=started if running else finished,
        exit_code=("killed" if signalled else "exited") if ended else "",
        exit_status=state.exit_code - 128 if ended and signalled else state.exit_code if ended else 0,
        invocation=f"{found.id[:12]} {state.started_at}",
        fragment=fragment,
        # the engine keeps the last result of what has ended
        health=state.health.status if running and state.health and state.health.status != "none" else "",
        note=state.error,
        health_test=_health_test(found) if running else None,
    )


def is_here(found: docker_cli.Container) -> bool:
    """Whether the engine's number of the process means the same process here.

    It does not where the engine is on another machine, in a machine of its own (Docker Desktop) or in a PID namespace.
    """
    process = proc.stat(found.state.pid) if found.state.pid else None
    if process is None:
        return False
    started = docker_cli.parse_time(found.state.started_at)
    near = started is not None and abs(process.started_at - started) <= _START_SECONDS
    return near or found.id in proc.control_groups(found.state.pid)


def policy_of(found: docker_cli.Container) -> dict[str, str]:
    """How the container is run, by Docker's own names."""
    again, limit = found.host_config.restart_policy, found.host_config.memory
    tries = f":{again.maximum_retry_count}" if again and again.maximum_retry_count else ""
    told = {
        "image": found.config.image,
        "command": shlex.join([found.path, *(found.args or ())]),
        "working-dir": found.config.working_dir,
        "network": found.host_config.network_mode,
        "restart": f"{again.name}{tries}" if again and again.name else "no",
        "memory": size(limit) if limit else "",
    }
    return {name: value for name, value in told.items() if value}


def mounts_of(found: docker_cli.Container) -> tuple[str, ...]:
    """What the container sees of this machine, a line for each mount."""
    return tuple(
        f"{mount.destination} is {_whence(mount)}{'' if mount.rw else ', read-only'}" for mount in found.mounts or ()
    )


def _whence(mount: docker_cli.Mount) -> str:
    return f"the volume {mount.name}" if mount.type == "volume" else mount.source or mount.type


def _health_test(found: docker_cli.Container) -> HealthTest | None:
    """The container's own check with its last run; None where it has none."""
    check, health = found.config.healthcheck, found.state.health
    if health is None or health.status in ("", "none"):
        return None
    last = health.log[-1] if health.log else None
    return HealthTest(
        command=(check.test if check else None) or (),
        status=last.exit_code if last else None,
        output=clean(last.output[:_LONGEST_OUTPUT]) if last else "",
        failing=health.failing_streak,
    )
