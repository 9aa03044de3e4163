"""A gateway that a real supervisord keeps: it is found as that, left in its hands, and operated by its own commands."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.host.process_table import ProcessTable
from litellm_tui.model.discovered import DiscoveredGateway
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Custom, Tools
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.process.discovery import discovered
from litellm_tui.services.process.running import find_running
from litellm_tui.services.registry import driver
from tests.lab.core import free_ports
from tests.waiting import eventually

STAND_IN = Path(__file__).parents[1] / "lab" / "engine" / "stand_in_litellm.py"
BIN = Path(sys.executable).parent
SETTINGS = """\
[unix_http_server]
file={folder}/sock
[supervisord]
logfile={folder}/log
pidfile={folder}/pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/sock
[program:gateway]
command={folder}/litellm --config {folder}/config.yaml --port {port}
stdout_logfile={folder}/out
redirect_stderr=true
startsecs=0
environment=SOME_KEY="x"
"""


class Supervised:
    """One supervisord with one gateway."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (self.port,) = free_ports(1)
        program = folder / "litellm"
        program.write_text(f"#!{sys.executable} -I\n{STAND_IN.read_text(encoding='utf-8')}", encoding="utf-8")
        program.chmod(0o755)
        (folder / "config.yaml").write_text(json.dumps({"model_list": []}), encoding="utf-8")
        (folder / "conf").write_text(SETTINGS.format(folder=folder, port=self.port), encoding="utf-8")
        self._own = subprocess.Popen(
            [str(BIN / "supervisord"), "-n", "-c", f"{folder}/conf"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def control(self, *words: str) -> tuple[str, ...]:
        return (str(BIN / "supervisorctl"), "-c", f"{self.folder}/conf", *words)

    def found(self) -> DiscoveredGateway | None:
        running = (one for one in find_running(ProcessTable("/proc"))[0] if one.port == self.port and one.listeners)
        return next(map(discovered, running), None)

    def end(self) -> None:
        self._own.terminate()
        self._own.wait()


@pytest.fixture
def supervised() -> Iterator[Supervised]:
    # the socket's path has to be short
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        made = Supervised(Path(folder))
        yield made
        made.end()


async def test_it_is_left_in_the_supervisors_hands_and_operated_by_its_commands(supervised: Supervised) -> None:
    await eventually(lambda: supervised.found() is not None, "the gateway listens")
    found = supervised.found()
    assert found is not None
    assert found.why.endswith("; kept by supervisord")
    assert found.unit.environment["SOME_KEY"].value == "x"
    (lacking,) = found.missing
    assert "its stdout_logfile" in lacking.mend
    target = ServiceTarget(found.name, Tools(), settings=found.settings, unit=found.unit)
    refused = await driver(target).order("restart")
    assert isinstance(refused, Failure)
    assert "kept by supervisord: supervisorctl restart gateway" in refused.why

    custom = Custom(
        status=supervised.control("status", "gateway"), start=supervised.control("start", "gateway"),
        stop=supervised.control("stop", "gateway"), restart=supervised.control("restart", "gateway"),
        log_file=f"{supervised.folder}/out",
    )  # fmt: skip
    own = driver(ServiceTarget("gateway", Tools(), settings=custom))

    async def state() -> str:
        seen = await own.look()
        assert isinstance(seen, Service)
        return seen.active_state

    assert await state() == "active"
    assert await own.order("stop") is None
    assert await state() == "inactive"
    assert supervised.found() is None
    assert await own.order("restart") is None
    assert await state() == "active"
