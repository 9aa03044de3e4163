"""Rehearsals of a real LiteLLM in a container beside the one that serves: of a Compose service, and by its name alone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

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
    "general_settings": {"background_health_checks": True, "health_check_interval": 5},
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
        self.write()
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
        network = {"default": {"driver_opts": {"com.docker.network.bridge.name": "lab-rehearsal"}}}
        self.file = folder / "compose.yaml"
        self.file.write_text(
            yaml.safe_dump({"name": "site", "services": {"gateway": service}, "networks": network}), encoding="utf-8"
        )

    def write(self, change: Callable[[dict[str, Any]], None] = lambda _: None) -> bytes:
        config = json.loads(json.dumps(CONFIG))
        config["litellm_settings"] |= {
            "cache": True,
            "cache_params": {"type": "redis", "host": "cache.lab", "port": self.redis, "namespace": NAMESPACE},
        }
        change(config)
        self.config.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        return self.config.read_bytes()

    def compose(self, *words: str) -> str:
        return self.engine.docker("compose", "--file", str(self.file), *words)
