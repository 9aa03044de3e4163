"""A real LiteLLM with a configuration that does all the harm it can, as it is and as it is rehearsed."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from litellm_tui.actions.rehearse.derived import derive
from litellm_tui.collectors.config.config_file import load
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.rehearsal import Derived
from litellm_tui.model.service import Variable
from tests.lab import Environment, environments, required
from tests.lab.core import free_ports
from tests.lab.environments import PATIENCE
from tests.lab.rehearsal_recorder import Recorder
from tests.real_redis import redis_server

KEY = "sk-rehearsed-4f81c0d27be9"
OWN = """\
import os
import urllib.request

from litellm.integrations.custom_logger import CustomLogger

open(os.environ["IMPORTED"], "w").close()


def tell():
    urllib.request.urlopen(os.environ["RECORDER"] + "/own", b"{}").close()


class Handler(CustomLogger):
    async def async_log_success_event(self, *given, **named):
        tell()

    async def async_log_failure_event(self, *given, **named):
        tell()

    async def async_post_call_failure_hook(self, *given, **named):
        tell()


handler = Handler()
"""
# they leave a trace where they are started
PROGRAM = "#!/bin/sh\ntouch {0}\nexec sleep 600\n"


@dataclass
class Scene:
    """A folder with the configuration, and all that it leads to."""

    folder: Path
    environment: Environment
    recorder: Recorder
    redis: int

    @property
    def serves_mcp(self) -> bool:
        # the package that 1.77.7 brings for it does not go with its pydantic, and ends the start
        return self.environment.order > (1, 80)

    @property
    def traces(self) -> list[str]:
        return sorted(file.name for file in self.folder.glob("*.trace"))

    def write(self) -> Path:
        provider = f"{self.recorder.url}/provider/v1"
        (self.folder / "own.py").write_text(OWN, encoding="utf-8")
        for name in ("ollama", "tool"):
            (self.folder / "bin").mkdir(exist_ok=True)
            program = self.folder / "bin" / name
            program.write_text(PROGRAM.format(self.folder / f"{name}.trace"), encoding="utf-8")
            program.chmod(0o755)
        models = [
            {"model_name": name, "litellm_params": {"model": f"openai/{name}", "api_base": provider, "api_key": "k"}}
            for name in ("good", "bad")
        ]
        models.append({"model_name": "local", "litellm_params": {"model": "ollama/llama3"}})
        settings: dict[str, Any] = {
            "include": ["models.yaml"],
            "general_settings": {
                "master_key": KEY,
                "background_health_checks": True,
                "health_check_interval": 1,
                "alerting": ["slack"],
            },
            "litellm_settings": {
                "cache": True,
                "cache_params": {"type": "redis", "host": "127.0.0.1", "port": self.redis},
                "callbacks": ["own.handler", "generic_api"],
                "num_retries": 0,
            },
            "router_settings": {"redis_host": "127.0.0.1", "redis_port": self.redis, "routing_strategy": "least-busy"},
        }
        if self.serves_mcp:
            settings["mcp_servers"] = {
                "remote": {"url": f"{self.recorder.url}/mcp", "transport": "http"},
                "here": {"transport": "stdio", "command": str(self.folder / "bin" / "tool"), "args": []},
            }
        (self.folder / "models.yaml").write_text(yaml.safe_dump({"model_list": models}), encoding="utf-8")
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return path

    def variables(self) -> dict[str, str]:
        own = {
            "RECORDER": self.recorder.url,
            "IMPORTED": str(self.folder / "imported"),
            "SLACK_WEBHOOK_URL": f"{self.recorder.url}/hook",
            "GENERIC_LOGGER_ENDPOINT": f"{self.recorder.url}/generic",
            "LITELLM_ENABLE_MCP_STDIO": "true",
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
        }
        # it fetches no prices, and writes what it has gathered every second
        rest = {"HOME": str(self.folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True", "DEFAULT_FLUSH_INTERVAL_SECONDS": "1"}
        return {**own, **rest}

    def written(self) -> list[str]:
        client = ["redis-cli", "-p", str(self.redis), "--scan"]
        return sorted(subprocess.run(client, capture_output=True, text=True, check=True).stdout.split())

    @contextlib.contextmanager
    def started(self, config: Path, variables: Mapping[str, str]) -> Iterator[int]:
        """The port of a LiteLLM that answers."""
        (port,) = free_ports(1)
        command = [str(self.environment.bin), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        with open(self.folder / "log", "wb") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=dict(variables), stdout=log, stderr=log, start_new_session=True
            )
        try:
            deadline = time.monotonic() + PATIENCE
            while _asked(port, "GET", "/health/readiness")[0] != 200:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail((self.folder / "log").read_text(errors="replace")[-6000:], pytrace=False)
                time.sleep(0.1)
            yield port
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _asked(port: int, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        given = json.dumps(body) if body is not None else None
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        connection.request(method, path, given, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        return 0, None
    finally:
        connection.close()


def _ask(port: int, model: str) -> int:
    """A request as a probe makes it."""
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5, "num_retries": 0}
    return _asked(port, "POST", "/v1/chat/completions", body | {"cache": {"no-cache": True, "no-store": True}})[0]


NAMED: list[Environment | None] = [*environments()] or [None]


@pytest.fixture(params=NAMED, ids=lambda environment: environment.version if environment else "none")
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    if request.param is None:
        if required():
            pytest.fail("the lab is required here, but no LiteLLM is named", pytrace=False)
        pytest.skip("no LiteLLM is named")
    recorder = Recorder()
    try:
        with redis_server(tmp_path) as redis:
            yield Scene(tmp_path, request.param, recorder, redis)
    finally:
        recorder.close()


def derived(scene: Scene, path: Path, variables: Mapping[str, str]) -> Derived:
    file = load(str(path), variables)
    assert isinstance(file, ConfigFile)
    made = derive(file, {name: Variable(value, "test") for name, value in variables.items()}, namespace="rehearsed-7")
    assert isinstance(made, Derived)
    return made


def test_a_rehearsal_starts_what_the_service_starts_and_does_none_of_the_harm(scene: Scene) -> None:
    path = scene.write()
    # without Prisma and a server, LiteLLM would not start with it
    variables = {**scene.variables(), "DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:9/none"}
    subprocess.run(["redis-cli", "-p", str(scene.redis), "set", "of-the-gateway", "1"], check=True, capture_output=True)
    made = derived(scene, path, variables)
    copy = scene.folder / "derived.yaml"
    copy.write_bytes(made.text)
    given = {name: value for name, value in {**variables, **made.environment}.items() if value is not None}
    with scene.started(copy, given) as port:
        loaded = _asked(port, "GET", "/v1/model/info")[1]["data"]
        assert [entry["model_name"] for entry in loaded] == ["good", "bad", "local"]
        asked = [_ask(port, "good"), _ask(port, "bad")]
        # as long as the original needs for all of it, and longer
        time.sleep(4)
    assert asked[0] == 200
    assert asked[1] >= 400
    assert (scene.folder / "imported").exists()
    assert scene.recorder.calls == Counter(provider=2)
    assert scene.traces == []
    assert [key for key in scene.written() if not key.startswith("rehearsed-7:")] == ["of-the-gateway"]


def test_the_same_configuration_does_it_where_it_is_not_rehearsed(scene: Scene) -> None:
    path = scene.write()
    with scene.started(path, scene.variables()) as port:
        _ask(port, "good")
        _seen(lambda: scene.recorder.calls["provider"] > 2)
        _seen(lambda: scene.recorder.calls["own"])
        # 1.77.7 sends what it has gathered later than anybody waits for
        _seen(lambda: scene.recorder.calls["generic"] or not scene.serves_mcp)
        _seen(lambda: "ollama.trace" in scene.traces)
        _seen(lambda: bool(scene.written()))


def _seen(look: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < end
        time.sleep(0.05)
