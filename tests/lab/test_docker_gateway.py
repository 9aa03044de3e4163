"""A real LiteLLM in containers of a real engine: restarted with proof and way back, read where only it has its file."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from litellm_tui.logs.entry import Entry
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Service
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings
from tests.lab.core import free_ports
from tests.lab.engine import Engine
from tests.lab.engine.gateway import command, options
from tests.lab.environments import environments
from tests.waiting import eventually

KEY = "sk-of-the-container-1234"
CONFIG = """\
model_list:
  - {{model_name: one, litellm_params: {{model: openai/one, api_base: "http://127.0.0.1:9", api_key: sk-none}}}}
{more}
"""
# LiteLLM ends with this at its start, and nothing that only reads the file can know it
ENDS = "litellm_settings: {callbacks: custom.handler}"
# the command itself, but for how long it must go on to answer
QUICK = """\
import sys
from litellm_tui.analysis.change import proof
from litellm_tui.cli import main
proof.STEADY_SECONDS = 1.0
sys.exit(main(sys.argv[1:]))
"""


class Gateway:
    """One container of a real LiteLLM, with its configuration on this machine."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.name = "gateway"
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "app" / "config.yaml"
        self.config.parent.mkdir()
        self.write()
        environment = environments()[0]
        engine.docker(
            "run", "--detach", "--name", self.name, "--workdir", "/app", "--volume", f"{folder}/app:/app",
            "--restart", "on-failure:3", *options(environment, LITELLM_MASTER_KEY=KEY), engine.image,
            *command(environment, "--config", "config.yaml", "--port", str(self.port)),
        )  # fmt: skip

    def write(self, more: str = "") -> None:
        self.config.write_text(CONFIG.format(more=more), encoding="utf-8")

    def answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health/liveliness", timeout=2).status_code == 200
        return False

    def wait(self) -> None:
        end = time.monotonic() + 180
        while not self.answers():
            assert time.monotonic() < end, self.engine.docker("logs", self.name)[-2000:]
            time.sleep(0.2)

    def console(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ, **self.engine.environment, "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CACHE_HOME": str(self.folder / "cache"), "HOME": str(self.folder), "PYTHONIOENCODING": "utf-8",
        }  # fmt: skip
        environment.pop("LITELLM_PROXY_API_KEY", None)
        argv = [sys.executable, "-c", QUICK, *words, "--container", self.name]
        return subprocess.run(argv, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=400)

    def restart(self) -> tuple[int, dict[str, Any]]:
        done = self.console("restart", "--yes", "--no-rehearsal", "--json")
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def gateway(docker_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    if not environments():
        pytest.skip("no lab: no environment with LiteLLM")
    made = Gateway(docker_engine, tmp_path_factory.mktemp("gateway"))
    try:
        made.wait()
        yield made
    finally:
        docker_engine.docker("rm", "--force", "--volumes", made.name)


@pytest.fixture(autouse=True)
def environment(docker_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**docker_engine.environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)


def _resolve(container: str) -> Profile:
    return resolve(Options(container=container), Settings())


async def _look(profile: Profile) -> Service:
    found = await driver(profile.service_target).look()
    assert isinstance(found, Service), found
    return found


async def test_all_that_is_known_of_it_comes_from_the_engine(gateway: Gateway) -> None:
    profile = await asyncio.to_thread(_resolve, gateway.name)
    assert (profile.kind, profile.url.value, profile.missing) == ("docker", gateway.url, ())
    assert profile.config is not None
    assert profile.config.value == str(gateway.config), "by its place on this machine, where it is edited"
    assert profile.key is not None
    assert profile.key.reveal() == KEY
    service = await _look(profile)
    assert service.main_pid == int(gateway.engine.docker("inspect", "--format", "{{.State.Pid}}", gateway.name))
    assert service.memory is not None
    assert service.memory > 50e6
    assert service.cpu_seconds is not None
    told = await driver(profile.service_target).describe(service)
    assert told.policy["restart"] == "on-failure:3"
    assert f"/app is {gateway.config.parent}" in told.mounts
    shown = gateway.console("service")
    assert "LITELLM_MASTER_KEY=•••" in shown.stdout
    assert KEY not in shown.stdout


async def test_a_restart_is_proved_and_what_does_not_start_is_rolled_back_by_itself(gateway: Gateway) -> None:
    status, said = await asyncio.to_thread(gateway.restart)
    assert (status, said["result"]) == (0, "applied"), said
    good = gateway.config.read_bytes()
    gateway.write(ENDS)
    (gateway.config.parent / "custom.py").write_text("import os\nos._exit(7)\nhandler = print\n", encoding="utf-8")
    status, said = await asyncio.to_thread(gateway.restart)
    assert (status, said["result"]) == (1, "rolled back"), said
    assert gateway.config.read_bytes() == good
    assert gateway.answers()
    profile = await asyncio.to_thread(_resolve, gateway.name)
    told = await driver(profile.service_target).describe(await _look(profile))
    assert not isinstance(told.exits, Failure)
    ends = [(end.code, end.status, end.by, end.again) for end in told.exits]
    assert ("exited", 7, "", True) in ends, ends
    assert all(end.keeper == "Docker" for end in told.exits)


async def test_its_log_goes_on_in_another_container_and_keeps_the_lines_of_the_one_before(
    docker_engine: Engine, tmp_path: Path
) -> None:
    def make(number: int) -> None:
        script = f"i=0; while [ $i -lt 50 ]; do echo cause {number} $i >&2; echo effect {number} $i; i=$((i+1)); done"
        docker_engine.docker(
            "run", "--detach", "--name", "talks", "--network", "none", docker_engine.image, "sh", "-c",
            f"{script}; trap 'exit 0' TERM; sleep 600 & wait",
        )  # fmt: skip

    make(1)
    try:
        profile = await asyncio.to_thread(_resolve, "talks")
        entries: list[Entry] = []
        tail = driver(profile.service_target).tail(entries.extend, lambda *_: None)
        assert not isinstance(tail, Failure)
        running = asyncio.create_task(tail.run())
        try:
            await eventually(lambda: len(entries) == 100)
            docker_engine.docker("rm", "--force", "talks")
            make(2)
            await eventually(lambda: len(entries) == 200)
        finally:
            running.cancel()
            await asyncio.wait([running])
    finally:
        docker_engine.docker("rm", "--force", "talks")
    assert {entry.message.split()[1] for entry in entries[:100]} == {"1"}
    assert {entry.message.split()[1] for entry in entries[100:]} == {"2"}
    # what comes while it is followed stands as the engine wrote it down, which takes the streams apart from each other
    for said in (f"{word} {number}" for word in ("cause", "effect") for number in (1, 2)):
        assert [entry.message for entry in entries if entry.message.startswith(said)] == [
            f"{said} {i}" for i in range(50)
        ]


@pytest.mark.parametrize("place", ["image", "volume"])
async def test_a_configuration_that_only_the_container_has_is_read_and_not_edited(
    docker_engine: Engine, tmp_path: Path, place: str
) -> None:
    name = f"alone-{place}"
    volume = ["--volume", f"{name}:/conf"] if place == "volume" else []
    text = CONFIG.format(more="include: [more.yaml]\n# Größe")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "more.yaml").write_text("litellm_settings: {num_retries: 2}\n", encoding="utf-8")
    docker_engine.docker(
        "create", "--name", name, "--network", "none", "--workdir", "/conf", *volume, docker_engine.image,
        "litellm", "--config", "linked.yaml", "--port", "4000",
    )  # fmt: skip
    try:
        for file in ("config.yaml", "more.yaml"):
            docker_engine.docker("cp", str(tmp_path / file), f"{name}:/conf/{file}")
        os.symlink("config.yaml", tmp_path / "linked.yaml")
        docker_engine.docker("cp", str(tmp_path / "linked.yaml"), f"{name}:/conf/linked.yaml")
        profile = await asyncio.to_thread(_resolve, name)
        assert profile.config is not None
        copy = Path(profile.config.value)
        assert copy.read_text(encoding="utf-8") == text
        assert copy.with_name("more.yaml").exists()
        assert profile.config.source == (
            f"a copy of /conf/linked.yaml, which only the container {name} has: not editable here"
        )
        assert copy.stat().st_mode & 0o777 == 0o400
        assert copy.stat().st_mtime == pytest.approx((tmp_path / "config.yaml").stat().st_mtime, abs=1.5)
    finally:
        docker_engine.docker("rm", "--force", "--volumes", name)
        if volume:
            docker_engine.docker("volume", "rm", name)
