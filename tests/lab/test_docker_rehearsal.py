"""Rehearsals of a real LiteLLM in a container beside the one that serves, known by its service or by its name."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from litellm_tui.model.failures import NotAvailable
from litellm_tui.model.rehearsal import RehearsalOrder, RehearsalRun
from litellm_tui.model.service_kinds import Compose, Docker, Tools
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.compose.rehearsal import prepared
from litellm_tui.services.docker.discovery import find_containers
from litellm_tui.services.docker.rehearsal import Prepared
from litellm_tui.services.registry import driver
from tests.lab.changes_record import note
from tests.lab.core import free_ports
from tests.lab.engine import Engine, compose_missing
from tests.lab.engine.gateway import command, mounted
from tests.lab.environments import environments
from tests.real_redis import redis_server
from tests.terminal import compile_console
from tests.waiting import eventually

KEY = "sk-of-the-rehearsed-container-77"
SECRET = "sk-which-only-the-variable-has-91"
# a prefix that is the gateway's own
NAMESPACE = "of-the-gateway"
# the command itself, but for how long it must go on to answer, and with a preflight that finds nothing
QUICK = """\
import sys
from litellm_tui.actions.transaction import run
from litellm_tui.analysis.change import proof
from litellm_tui.cli import main
proof.STEADY_SECONDS = 1.0
run.refusals = lambda found: ""
sys.exit(main(sys.argv[1:]))
"""
CONFIG: dict[str, Any] = {
    "model_list": [
        {"model_name": "one", "litellm_params": {"model": "openai/one", "api_base": "http://127.0.0.1:9/v1",
                                                 "api_key": "os.environ/ONE_KEY", "mock_response": "yes"}}
    ],
    "general_settings": {"background_health_checks": True, "health_check_interval": 300},
    "litellm_settings": {"callbacks": ["own.handler"]},
    "router_settings": {},
}  # fmt: skip
OWN = """\
from litellm.integrations.custom_logger import CustomLogger

handler = CustomLogger()
"""


class Client:
    """Asks twenty times a second; what was not answered with 200 is lost."""

    def __init__(self, url: str) -> None:
        self._url, self._over = url, threading.Event()
        self.asked = 0
        self.lost: list[str] = []
        self._thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        headers = {"Authorization": f"Bearer {KEY}"}
        body = {"model": "one", "messages": [{"role": "user", "content": "hi"}]}
        with httpx.Client(headers=headers, timeout=20) as client:
            while not self._over.wait(0.05):
                self.asked += 1
                try:
                    answer = client.post(f"{self._url}/v1/chat/completions", json=body)
                    if answer.status_code != 200:
                        self.lost.append(answer.text[:300])
                except httpx.HTTPError as error:
                    self.lost.append(repr(error))

    def __enter__(self) -> Client:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


class Site:
    """A gateway as a service of Compose, in a network of its own, with one port published."""

    name = "site-gateway-1"

    def __init__(self, engine: Engine, folder: Path, redis: int) -> None:
        self.engine, self.folder, self.redis = engine, folder, redis
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "app" / "config.yaml"
        self.config.parent.mkdir()
        self.gateway = ""
        (folder / "app" / "own.py").write_text(OWN, encoding="utf-8")
        environment = environments()[0]
        service = {
            "image": engine.image,
            "working_dir": "/app",
            "command": command(environment, "--config", "config.yaml", "--port", "4000", "--num_workers", "1"),
            "volumes": ["./app:/app", *mounted(environment)],
            "environment": {
                "PATH": "/usr/bin:/bin", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": KEY,
                "ONE_KEY": SECRET, "PYTHONDONTWRITEBYTECODE": "1",
            },
            "ports": [f"127.0.0.1:{self.port}:4000"],
            "restart": "unless-stopped",
            "labels": {"traefik.enable": "true"},
        }  # fmt: skip
        self.file = folder / "compose.yaml"
        self.file.write_text(yaml.safe_dump({"name": "site", "services": {"gateway": service}}), encoding="utf-8")

    def write(self, change: Callable[[dict[str, Any]], None] = lambda _: None) -> bytes:
        config = json.loads(json.dumps(CONFIG))
        config["litellm_settings"] |= {
            "cache": True,
            "cache_params": {"type": "redis", "host": self.gateway, "port": self.redis, "namespace": NAMESPACE},
        }
        change(config)
        self.config.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        return self.config.read_bytes()

    def compose(self, *words: str) -> str:
        return self.engine.docker("compose", "--file", str(self.file), *words)

    def up(self) -> None:
        self.compose("create")
        network = self.engine.docker(
            "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", "site_default"
        )
        self.gateway = network.strip()
        self.write()
        self.compose("start")

    def answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health/liveliness", timeout=2).status_code == 200
        return False

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-c", QUICK, *words]

    @property
    def environment(self) -> dict[str, str]:
        environment = {
            **os.environ, **self.engine.environment, "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CACHE_HOME": str(self.folder / "cache"), "HOME": str(self.folder), "PYTHONIOENCODING": "utf-8",
        }  # fmt: skip
        environment.pop("LITELLM_PROXY_API_KEY", None)
        return environment

    def run(self, *words: str) -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            self.argv(*words, "--json"), env=self.environment, capture_output=True, encoding="utf-8", check=False,
            timeout=400,
        )  # fmt: skip
        assert done.stdout, done.stderr
        assert KEY not in done.stdout + done.stderr
        assert SECRET not in done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout)

    def left(self) -> list[str]:
        """Containers and folders of rehearsals."""
        rows = self.engine.docker("ps", "--all", "--format", "{{.Names}}", "--filter", "label=litellm-tui.rehearsal")
        return [*rows.split(), *(str(path) for path in Path("/run").glob("litellm-tui-rehearsal-*"))]

    def leaves_nothing(self) -> None:
        """Others who rehearse on this machine have their folders in the same place: they go, what is left stays."""
        asyncio.run(eventually(lambda: not self.left(), "no container and no folder is left"))

    def identity(self) -> str:
        return self.engine.docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", self.name)


@pytest.fixture(scope="module")
def site(docker_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if not environments():
        pytest.skip("no lab: no environment with LiteLLM")
    if lack := compose_missing():
        pytest.skip(lack)
    compile_console()
    folder = tmp_path_factory.mktemp("site")
    with redis_server(folder, "--bind", "0.0.0.0", "--protected-mode", "no") as redis:
        made = Site(docker_engine, folder, redis)
        try:
            made.up()
            asyncio.run(eventually(made.answers, "the gateway answers", seconds=180))
            yield made
        finally:
            made.compose("down", "--timeout", "0")


COMPOSE = ("--kind", "compose", "--unit", "site/gateway")
ALONE = ("--container", Site.name)


class Monitor:
    """The commands that Redis is given, each with who gives it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.lines: list[str] = []

    def __enter__(self) -> Monitor:
        argv = ["redis-cli", "-p", str(self._site.redis), "monitor"]
        self._child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert self._child.stdout is not None
        assert self._child.stdout.readline().strip() == "OK"
        return self

    def __exit__(self, *_: object) -> None:
        self._child.terminate()
        self.lines = self._child.communicate()[0].splitlines()

    def of_others(self, address: str) -> list[str]:
        # what a script does stands behind the line of whoever has called it
        return [line for line in self.lines if f" {address}:" not in line and " lua]" not in line]


def test_a_good_file_passes_and_writes_nothing_where_the_gateway_writes(site: Site) -> None:
    before, identity = site.config.read_bytes(), site.identity()
    address = site.engine.docker(
        "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", site.name
    )
    candidate = site.config.with_name("candidate.yaml")
    site.write(lambda config: config["router_settings"].update(cooldown_time=61))
    site.config.rename(candidate)
    site.config.write_bytes(before)
    with Monitor(site) as monitor:
        status, said = site.run("rehearse", *COMPOSE, str(candidate), "--probe", "one")
    assert (status, said["outcome"]) == (0, "passed"), said
    assert said["loaded"] == ["one (openai/one)"]
    assert said["memory"] > 50_000_000
    assert any("background health checks" in text for text in said["left_out"])
    assert any("none of its labels" in text for text in said["left_out"])
    assert [probe["ok"] for probe in said["probes"]] == [True], said
    others = monitor.of_others(address.strip())
    assert others, "the rehearsal speaks to Redis"
    assert [line for line in others if NAMESPACE in line] == []
    writes = [line for line in others if any(f'"{verb}"' in line.lower() for verb in ("set", "setex", "incrbyfloat"))]
    assert [line for line in writes if "litellm-tui-rehearsal-" not in line] == []
    site.leaves_nothing()
    assert (site.identity(), site.config.read_bytes()) == (identity, before)


def _strategy(config: dict[str, Any]) -> None:
    config["router_settings"]["routing_strategy"] = "fastest-first"


def _dropped(config: dict[str, Any]) -> None:
    config["model_list"].append({"model_name": "lonely", "litellm_params": {"model": "just-a-name", "api_key": "none"}})


def _callback(config: dict[str, Any]) -> None:
    config["litellm_settings"]["callbacks"].append("missing.handler")


Bad = tuple[tuple[str, ...], Callable[[dict[str, Any]], None], str, str]


def test_files_that_would_fail_cost_no_request_and_stay_as_they_are(site: Site) -> None:
    _refused(site, (COMPOSE, _strategy, "Invalid routing_strategy: 'fastest-first'", "routing_strategy: fastest-first"))
    _refused(site, (ALONE, _dropped, "just-a-name", "- model_name: lonely"))


def test_a_file_that_names_a_module_that_is_not_there_is_refused_too(
    request: pytest.FixtureRequest, site: Site
) -> None:
    if not request.config.getoption("--long"):
        pytest.skip("it costs another start of a LiteLLM: ./test --long runs it")
    _refused(site, (ALONE, _callback, "missing", "- missing.handler"))


def test_a_good_file_is_applied_and_a_bad_one_that_was_not_rehearsed_is_taken_back(
    request: pytest.FixtureRequest, site: Site
) -> None:
    if not request.config.getoption("--long"):
        pytest.skip("it costs four starts of a LiteLLM: ./test --long runs it")
    version = environments()[0].version
    good = site.write(lambda config: config["router_settings"].update(cooldown_time=63))
    status, said = site.run("restart", "--yes", *COMPOSE)
    assert (status, said["result"]) == (0, "applied"), said
    assert said["rehearsal"]["outcome"] == "passed"
    note("Compose service", "a good change, rehearsed", version, said)
    site.write(_strategy)
    status, said = site.run("restart", "--yes", "--no-rehearsal", *COMPOSE)
    assert (status, said["result"]) == (1, "rolled back"), said
    assert site.config.read_bytes() == good
    assert site.answers()
    note("Compose service", "a bad file (strategy), not rehearsed", version, said)
    site.leaves_nothing()


def _refused(site: Site, kind: Bad) -> None:
    service, change, cause, line = kind
    before, identity = site.config.read_bytes(), site.identity()
    bad = site.write(change)
    try:
        with Client(site.url) as client:
            status, said = site.run("restart", "--yes", *service)
        assert (status, said["result"]) == (2, "refused"), said
        assert cause in said["text"]
        mark = said["rehearsal"]["mark"]
        assert mark is not None, said
        assert (mark["file"], line in bad.decode().splitlines()[mark["line"] - 1]) == (str(site.config), True)
        assert site.config.read_bytes() == bad
        site.leaves_nothing()
        assert site.identity() == identity
        assert client.lost == []
        assert client.asked
        name = "Compose service" if service == COMPOSE else "container"
        note(name, f"a bad file ({change.__name__.strip('_')}), rehearsed", environments()[0].version, said)
    finally:
        site.config.write_bytes(before)


async def test_a_console_that_is_killed_leaves_nothing_and_nobody_takes_it_for_a_gateway(site: Site) -> None:
    def made() -> str:
        return next((name for name in site.left() if not name.startswith("/")), "")

    console = subprocess.Popen(
        site.argv("rehearse", *ALONE), env=site.environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        name = await eventually(made, "its container")
        await eventually(lambda: _state(site, name) == "running", "it runs")
        described = json.loads(site.engine.docker("inspect", name))[0]
        assert described["HostConfig"]["RestartPolicy"]["Name"] == "no"
        bindings = [one for ports in described["HostConfig"]["PortBindings"].values() for one in ports]
        assert [one["HostIp"] for one in bindings] == ["127.0.0.1"]
        assert set(described["Config"]["Labels"]) == {"litellm-tui.rehearsal"}
        (mount,) = [one for one in described["Mounts"] if one["Destination"] == "/app/config.yaml"]
        assert (mount["RW"], mount["Source"].endswith("/config.yaml")) == (False, True)
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                assert SECRET.encode() not in place.read_bytes()
        found = find_containers({}, (str(site.engine.socket),))
        assert [one.name for one in found.found] == [Site.name]
        assert name not in site.compose("ps", "--all")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(console.pid, signal.SIGKILL)
        console.wait()
    await eventually(lambda: site.left() == [], "it is removed")


def _state(site: Site, name: str) -> str:
    return site.engine.docker("inspect", "--format", "{{.State.Status}}", name).strip()


async def test_what_is_written_for_the_service_now_is_what_is_rehearsed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in site.engine.environment.items():
        monkeypatch.setenv(name, value)
    service = Compose(project="site", service="gateway")
    found = await prepared(service)
    assert isinstance(found, Prepared)
    assert (found.inside, found.port, found.published) == ("/app/config.yaml", 4000, True)
    assert "WRITTEN" not in found.how.environment
    before = site.file.read_text(encoding="utf-8")
    try:
        written = yaml.safe_load(before)
        written["services"]["gateway"]["environment"]["WRITTEN"] = "later"
        written["services"]["gateway"]["command"][-3] = "4001"
        site.file.write_text(yaml.safe_dump(written), encoding="utf-8")
        found = await prepared(service)
    finally:
        site.file.write_text(before, encoding="utf-8")
    assert isinstance(found, Prepared)
    assert (found.how.environment["WRITTEN"], found.port) == ("later", 4001)
    assert "/app" in {bind.split(":")[1] for bind in found.found["HostConfig"]["Binds"]}
    assert any("written for it now" in text for text in found.left_out)
    lost = await prepared(service, "nobody/has-it:1")
    assert isinstance(lost, NotAvailable)
    assert "nobody/has-it:1 is not on" in lost.why


READS = "#!/bin/sh\necho started by $(busybox id -u) as $TOLD$GONE: $(cat /conf/config.yaml)\nexec sleep 600\n"


async def test_a_configuration_in_the_image_is_covered_and_its_user_reads_the_copy(
    docker_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in docker_engine.environment.items():
        monkeypatch.setenv(name, value)
    engine = docker_engine
    try:
        engine.docker("create", "--name", "in-image", engine.image, "true")
        for path, text in (("conf/config.yaml", "of the image"), ("bin/litellm", READS)):
            file = tmp_path / path
            file.parent.mkdir()
            file.write_text(text, encoding="utf-8")
            file.chmod(0o755)
            engine.docker("cp", str(file.parent), "in-image:/")
        engine.docker("commit", "--change", "ENV GONE=of-the-image", "in-image", "lab/in-image:1")
        engine.docker("rm", "in-image")
        engine.docker(
            "run", "--detach", "--name", "in-image", "--network", "host", "--user", "1234", "--restart", "always",
            "lab/in-image:1", "litellm", "--config", "/conf/config.yaml", "--port", "4000", "--num_workers", "4",
        )  # fmt: skip
        # what a keeper that was killed has left a long time ago, and what another console has just begun
        for name, until in (("left-behind", "1000"), ("of-another", "99999999999")):
            engine.docker("create", "--name", name, "--label", f"litellm-tui.rehearsal={until}", engine.image, "true")
        folder = tmp_path / "rehearsal"
        folder.mkdir(mode=0o700)
        copy = folder / "config.yaml"
        copy.write_text("the derived copy", encoding="utf-8")
        copy.chmod(0o600)
        order = RehearsalOrder(
            "litellm-tui-rehearsal-x", None, str(copy), str(folder), 4321, {"TOLD": "told", "GONE": None}
        )
        target = ServiceTarget("in-image", Tools(), settings=Docker(container="in-image"))
        async with driver(target).rehearse(order) as run:  # type: ignore[attr-defined]
            assert isinstance(run, RehearsalRun), run
            assert run.url == "http://127.0.0.1:4321"
            assert any("one worker, in place of 4" in text for text in run.left_out)
            name = run.target.name
            await eventually(lambda: "started" in engine.docker("logs", name))
            assert engine.docker("logs", name).strip() == "started by 1234 as told: the derived copy"
            words = json.loads(engine.docker("inspect", "--format", "{{json .Config.Cmd}}", name))
            assert words[-6:] == ["--host", "127.0.0.1", "--port", "4321", "--num_workers", "1"]
            assert "left-behind" not in engine.docker("ps", "--all", "--format", "{{.Names}}")
        rows = engine.docker("ps", "--all", "--format", "{{.Names}}", "--filter", "label=litellm-tui.rehearsal")
        assert rows.split() == ["of-another"]
        assert not folder.exists()
    finally:
        for name in ("in-image", "left-behind", "of-another"):
            engine.remove(name)
