from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from litellm_tui.collectors.config import config_file
from litellm_tui.demo import Simulation, files
from litellm_tui.demo.simulation import MACHINE_UPTIME, UPTIME
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.failures import NotAvailable
from litellm_tui.model.service import Service
from litellm_tui.services.registry import driver
from litellm_tui.services.systemd.unit_state import read_service
from litellm_tui.target import resolution
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.settings import Settings
from tests.demo.probing import journal, systemctl


def _resolved(simulation: Simulation, **options: str) -> Profile:
    return resolution.resolve(Options(**options), Settings(), tools=simulation.tools, environ={})  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{}, {"unit": "litellm.service", "scope": "user"}])
def test_the_unit_leads_to_address_file_and_key(quiet: Simulation, options: dict[str, str]) -> None:
    found = _resolved(quiet, **options)
    assert found.url.value == quiet.url
    assert found.config is not None
    assert Path(found.config.value) == quiet.config_path
    assert (found.scope, found.unit and found.unit.value) == ("user", "litellm.service")
    assert found.key is not None
    assert found.key.reveal() == quiet.key
    assert found.key_source == f"LITELLM_MASTER_KEY from {quiet.folder / 'litellm.env'}"
    assert found.missing == ()
    assert set(files.UNIT_ENVIRONMENT) <= set(found.environment)
    assert found.interpreter is None


def test_the_main_process_is_nobody_on_this_machine(quiet: Simulation) -> None:
    unit_pid = int(
        dict(line.split("=", 1) for line in systemctl(quiet, "show", quiet.unit).stdout.splitlines())["MainPID"]
    )
    assert not os.path.exists(f"/proc/{unit_pid}")
    # PID_MAX_LIMIT: no kernel ever gives such a number
    assert unit_pid >= 1 << 22


def test_a_temporary_folder_with_a_blank_in_its_name_serves_as_well(tmp_path: Path) -> None:
    with Simulation(tmp_path / "a folder", scripted=False) as simulation:
        found = _resolved(simulation)
        assert found.config is not None
        assert Path(found.config.value) == simulation.config_path
        assert found.key is not None


async def test_the_service_is_read_in_either_scope(quiet: Simulation) -> None:
    service = await read_service(quiet.tools, quiet.unit, "user")
    assert isinstance(service, Service)
    assert (service.load_state, service.active_state, service.sub_state) == ("loaded", "active", "running")
    assert service.memory
    assert service.cpu_seconds
    assert service.started_at
    assert len(service.invocation) == 32
    other = await read_service(quiet.tools, quiet.unit, "system")
    assert isinstance(other, Service)
    assert other.load_state == "not-found"


async def test_systemctl_says_that_it_has_lost_the_bus_when_the_simulation_is_gone(tmp_path: Path) -> None:
    simulation = Simulation(tmp_path / "gateway", scripted=False)
    simulation.start()
    tools = simulation.tools
    simulation.stop()
    assert isinstance(await read_service(tools, simulation.unit, "user"), NotAvailable)


def test_the_configuration_is_one_that_litellm_reads(quiet: Simulation) -> None:
    loaded = config_file.load(str(quiet.config_path), dict.fromkeys(files.make_secrets(), "x"))
    assert isinstance(loaded, ConfigFile)
    assert loaded.background_health_checks
    assert len(loaded.deployments) == 8
    assert len({deployment.group for deployment in loaded.deployments}) == 6
    assert not any(deployment.missing for deployment in loaded.deployments)


def test_only_the_owner_may_read_what_it_writes() -> None:
    with Simulation(scripted=False) as simulation:
        assert simulation.folder.parent == Path(tempfile.gettempdir()).resolve()
        assert simulation.folder.stat().st_mode & 0o777 == 0o700
        assert (simulation.folder / "litellm.env").stat().st_mode & 0o777 == 0o600
    assert not simulation.folder.exists()


def test_a_taken_port_and_a_folder_that_exists_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    with Simulation(tmp_path / "one", scripted=False) as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(OSError, match="taken"):
            Simulation(tmp_path / "two", port=port, scripted=False).start()
        with pytest.raises(FileExistsError):
            Simulation(tmp_path / "one", scripted=False).start()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uptime", [60.0, 400 * 86400.0], ids=["a minute", "400 days"])
async def test_how_long_this_machine_has_been_up_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uptime: float
) -> None:
    monkeypatch.setattr(time, "clock_gettime", lambda _: uptime)
    before = time.time()
    with Simulation(tmp_path / "gateway", scripted=False) as simulation:
        after = time.time()
        service = await driver(_resolved(simulation).service_target).look()
        first = int(journal(simulation)[0]["__REALTIME_TIMESTAMP"]) / 1e6
    assert isinstance(service, Service)
    assert service.started_at is not None
    assert service.booted_at is not None
    # systemd counts in microseconds
    assert before - UPTIME - 1e-5 <= service.started_at <= after - UPTIME
    assert before - MACHINE_UPTIME <= service.booted_at <= after - MACHINE_UPTIME
    assert abs(first - service.started_at) < 1e-5
