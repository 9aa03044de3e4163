"""A unit's state out of `systemctl show`, with what /proc says of its processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.host import proc
from litellm_tui.host.systemd_tools import parse_show
from litellm_tui.model.failures import Denied, Failure, NotAvailable, Unreachable
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Tools
from litellm_tui.services.systemd import unit_state
from litellm_tui.services.systemd.unit_state import cpu_percent, read_service, service_from
from tests.recorded import FOLDER, VERSIONS
from tests.waiting import eventually

NOW = 1_800_000_000.0


def _shown(version: str, scope: str) -> dict[str, str]:
    return parse_show((FOLDER / version / f"systemctl-show-{scope}.txt").read_text(encoding="utf-8"))[0]


@pytest.fixture
def family() -> Iterator[int]:
    """A process with a child of its own, both alive until the test is over."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'], stdin=sys.stdin)"
    parent = subprocess.Popen(
        [sys.executable, "-c", code, "--port", "4000"], stdin=subprocess.PIPE, env={"HELD": "yes=no"}
    )
    yield parent.pid
    parent.communicate(b"\n")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_recorded_unit_is_up(version: str) -> None:
    values = _shown(version, "user") | {"MainPID": "4194305"}
    found = service_from(values, "ignored", "user", NOW)
    assert (found.unit, found.load_state, found.active_state, found.sub_state) == (
        "litellm.service", "loaded", "active", "running",
    )  # fmt: skip
    assert (found.result, found.restarts, found.exit_code) == ("success", 0, "")
    assert found.fragment.endswith("litellm.service")
    assert not found.need_daemon_reload
    boot = NOW - time.clock_gettime(time.CLOCK_MONOTONIC)
    assert found.started_at == pytest.approx(boot + int(values["ExecMainStartTimestampMonotonic"]) / 1e6, abs=1)
    # nothing was accounted, and no process of that number is there to look at
    assert (found.memory, found.cpu_seconds) == (None, None)


async def test_without_accounting_memory_and_time_are_those_of_the_process_and_its_children(family: int) -> None:
    await eventually(lambda: len(proc.family(family)) == 2)
    values = _shown("1.106.2", "user") | {"MainPID": str(family)}
    found = service_from(values, "x", "user", NOW)
    alone = proc.usage(proc.family(family)[1])
    assert alone is not None
    assert found.memory
    assert found.memory > alone[0]
    assert found.cpu_seconds is not None


def test_systemds_own_figures_go_before_those_of_proc(family: int) -> None:
    values = {"MainPID": str(family), "MemoryCurrent": "1234", "CPUUsageNSec": "5000000000"}
    found = service_from(values, "x", "user", NOW)
    assert (found.memory, found.cpu_seconds) == (1234, 5.0)


@pytest.mark.parametrize("unset", ["[not set]", "18446744073709551615", "", "n/a"])
def test_figures_that_are_not_kept_are_none(unset: str) -> None:
    found = service_from({"MemoryCurrent": unset, "CPUUsageNSec": unset, "NRestarts": unset}, "x", "user", NOW)
    assert (found.memory, found.cpu_seconds, found.restarts) == (None, None, None)


def test_a_unit_that_is_not_there_and_one_of_which_nothing_is_shown() -> None:
    gone = service_from({"Id": "x.service", "LoadState": "not-found", "ActiveState": "inactive"}, "x", "user", NOW)
    assert (gone.load_state, gone.active_state, gone.started_at, gone.main_pid) == ("not-found", "inactive", None, 0)
    nothing = service_from({}, "x.service", "system", NOW)
    assert (nothing.unit, nothing.load_state, nothing.active_state) == ("x.service", "unknown", "unknown")


def test_how_a_process_ended() -> None:
    killed = service_from({"ExecMainCode": "2", "ExecMainStatus": "9", "Result": "signal"}, "x", "user", NOW)
    assert (killed.exit_code, killed.exit_status, killed.result) == ("killed", 9, "signal")
    assert service_from({"ExecMainCode": "1", "ExecMainStatus": "3"}, "x", "user", NOW).exit_code == "exited"


def test_the_start_of_a_process_that_is_gone_is_not_an_uptime() -> None:
    found = service_from({"MainPID": "0", "ExecMainStartTimestampMonotonic": "1000000"}, "x", "user", NOW)
    assert found.started_at is None


def _service(pid: int, cpu: float | None) -> Service:
    return Service("x", "user", "loaded", "active", "running", main_pid=pid, cpu_seconds=cpu)


def test_the_share_of_a_core_between_two_readings() -> None:
    assert cpu_percent(_service(1, 10.0), _service(1, 10.5), 2.0) == 25.0
    # a child that ended takes its time with it
    assert cpu_percent(_service(1, 10.0), _service(1, 9.0), 2.0) == 0.0


@pytest.mark.parametrize(
    ("before", "now", "elapsed"),
    [
        (None, _service(1, 1.0), 2.0),
        (_service(1, 1.0), _service(2, 1.0), 2.0),
        (_service(1, None), _service(1, 1.0), 2.0),
        (_service(1, 1.0), _service(1, None), 2.0),
        (_service(1, 1.0), _service(1, 2.0), 0.0),
    ],
)
def test_the_share_is_unknown_over_a_restart_or_without_figures(
    before: Service | None, now: Service, elapsed: float
) -> None:
    assert cpu_percent(before, now, elapsed) is None


# --- systemctl itself --------------------------------------------------------------------------------------------


def _tools(folder: Path, script: str) -> Tools:
    path = folder / "systemctl"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    return Tools(systemctl=("/bin/sh", str(path)))


async def test_a_reading_through_systemctl(tmp_path: Path) -> None:
    text = (FOLDER / "1.106.2" / "systemctl-show-system.txt").read_text(encoding="utf-8")
    (tmp_path / "shown").write_text(text.replace("MainPID=", "MainPID=0\nX="), encoding="utf-8")
    found = await read_service(
        _tools(tmp_path, f'echo "$@" >{tmp_path}/said; cat {tmp_path}/shown'), "litellm.service", "system"
    )
    assert isinstance(found, Service)
    assert found.active_state == "active"
    words = (tmp_path / "said").read_text().split()
    assert words[:3] == ["--no-ask-password", "show", "litellm.service"]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Failed to connect to bus: No such file or directory", NotAvailable),
        ("Failed to connect to bus: Permission denied", Denied),
        ("", NotAvailable),
    ],
)
async def test_a_refusal_is_shown_in_systemctls_own_words(tmp_path: Path, said: str, kind: type) -> None:
    found = await read_service(_tools(tmp_path, f'echo "{said}" >&2; exit 1'), "x", "user")
    assert type(found) is kind
    assert isinstance(found, Failure)
    assert said in found.why


async def test_a_missing_systemctl_is_a_state() -> None:
    found = await read_service(Tools(systemctl=("/nonexistent/systemctl",)), "x", "user")
    assert isinstance(found, NotAvailable)
    assert "No such file" in found.why


async def test_a_systemctl_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_state, "SHOW_TIMEOUT", 0.3)
    found = await read_service(_tools(tmp_path, f"echo $$ >{tmp_path}/pid; exec sleep 60"), "x", "user")
    assert isinstance(found, Unreachable)
    assert found.kind == "timeout"
    pid = int((tmp_path / "pid").read_text())
    assert not os.path.exists(f"/proc/{pid}")


# --- /proc -------------------------------------------------------------------------------------------------------


async def test_a_process_its_words_its_environment_and_its_children(family: int) -> None:
    await eventually(lambda: len(proc.family(family)) == 2)
    assert proc.family(family)[0] == family
    assert proc.command_line(family)[-2:] == ["--port", "4000"]
    assert proc.environment(family)["HELD"] == "yes=no"


async def test_memory_is_that_of_the_whole_family(family: int) -> None:
    # one that is just being executed has no memory yet
    await eventually(lambda: [bool(s and s.memory) for s in map(proc.stat, proc.family(family))] == [True, True])
    both, child = proc.usage(family), proc.usage(proc.family(family)[1])
    assert both is not None
    assert child is not None
    assert both[0] > child[0] > 0


def test_a_process_that_is_gone_has_nothing() -> None:
    pid = 4_194_305
    assert proc.command_line(pid) == []
    assert proc.environment(pid) == {}
    assert proc.family(pid) == [pid]
    assert proc.usage(pid) is None
