"""The state of a unit from `systemctl show`, with /proc where systemd does no accounting."""

from __future__ import annotations

import asyncio
import time

import msgspec

from litellm_tui.host import proc
from litellm_tui.host.cgroup import oom_kills
from litellm_tui.host.command import run
from litellm_tui.host.listening import listening_ports
from litellm_tui.host.systemd_tools import UNIT_PROPERTIES, parse_show
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Scope, Tools
from litellm_tui.services.systemd.obstacles import unit_obstacles
from litellm_tui.services.workers import does_recycle, workers_of

SHOW_TIMEOUT = 3.0


async def read_service(tools: Tools, unit: str, scope: Scope) -> Service | Failure:
    """One look at the unit."""
    command = tools.unit_command(scope, "show", unit, f"--property={UNIT_PROPERTIES}")
    started = time.time()
    done = await run(command, SHOW_TIMEOUT)
    if isinstance(done, Failure):
        return done
    if done.status:
        return _refusal(done.first_error, command[0])
    blocks = parse_show(done.output)
    values = blocks[0] if blocks else {}
    found = service_from(values, unit, scope, started, tools.booted_at)
    # the files of its start may be on a slow file system
    return await asyncio.to_thread(_with_files, found, values, tools.booted_at is not None)


def _with_files(service: Service, values: dict[str, str], simulated: bool) -> Service:
    """The service with its processes, and with what a start would fail on: while it runs, the next one."""
    if service.main_pid and service.active_state == "active":
        service = with_processes(service, values.get("ControlGroup", ""))
    # the simulated machine has no program
    return service if simulated else msgspec.structs.replace(service, obstacles=unit_obstacles(values))


def with_processes(service: Service, group: str = "") -> Service:
    """The service with what /proc says of its workers, and its control group of those killed for memory."""
    workers = workers_of(service.main_pid)
    recycles = bool(workers) and does_recycle(service.main_pid)
    kills = oom_kills(group) if group else 0
    ports = listening_ports(service.main_pid)
    return msgspec.structs.replace(service, workers=workers, recycles=recycles, oom_kills=kills, ports=ports)


def service_from(
    values: dict[str, str], unit: str, scope: Scope, now: float, booted_at: float | None = None
) -> Service:
    """A `Service` from one block of `systemctl show`, whose monotonic times count from the machine's start.

    `now` and `booted_at` are seconds since the epoch. Without `booted_at` the unit is on this machine.
    """
    boot = now - time.clock_gettime(time.CLOCK_MONOTONIC) if booted_at is None else booted_at
    pid = _number(values.get("MainPID")) or 0
    memory, cpu_nanoseconds = _number(values.get("MemoryCurrent")), _number(values.get("CPUUsageNSec"))
    cpu = None if cpu_nanoseconds is None else cpu_nanoseconds / 1e9
    if pid and (memory is None or cpu is None) and (used := proc.usage(pid)):
        memory, cpu = memory if memory is not None else used[0], cpu if cpu is not None else used[1]
    since = _number(values.get("ExecMainStartTimestampMonotonic"))
    changed = _number(values.get("StateChangeTimestampMonotonic"))
    return Service(
        unit=values.get("Id") or unit,
        scope=scope,
        load_state=values.get("LoadState", "unknown"),
        active_state=values.get("ActiveState", "unknown"),
        sub_state=values.get("SubState", ""),
        result=values.get("Result", ""),
        main_pid=pid,
        restarts=_number(values.get("NRestarts")),
        started_at=boot + since / 1e6 if since and pid else None,
        changed_at=boot + changed / 1e6 if changed else None,
        memory=memory if pid else None,
        cpu_seconds=cpu if pid else None,
        exit_code=_EXIT_CODES.get(values.get("ExecMainCode", ""), ""),
        exit_status=_number(values.get("ExecMainStatus")) or 0,
        invocation=values.get("InvocationID", ""),
        fragment=values.get("FragmentPath", ""),
        need_daemon_reload=values.get("NeedDaemonReload") == "yes",
        unit_file_state=values.get("UnitFileState", ""),
    )


def cpu_percent(before: Service | None, now: Service, elapsed: float) -> float | None:
    """The share of one core between two readings of the same process, in percent; None where it is unknown."""
    if before is None or before.main_pid != now.main_pid or elapsed <= 0:
        return None
    if before.cpu_seconds is None or now.cpu_seconds is None:
        return None
    return max(0.0, (now.cpu_seconds - before.cpu_seconds) / elapsed * 100)


# si_code of waitid(2): CLD_EXITED, CLD_KILLED, CLD_DUMPED
_EXIT_CODES = {"1": "exited", "2": "killed", "3": "dumped"}


def _number(value: str | None) -> int | None:
    # systemd prints 2^64-1 for "not accounted" where it does not print "[not set]"
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 19 else None


def _refusal(said: str, command: str) -> Failure:
    line = said or f"{command} failed"
    return Denied(line) if "permission" in line.lower() or "denied" in line.lower() else NotAvailable(line)
