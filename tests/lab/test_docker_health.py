"""A container's own check, on a real Docker engine: what it runs, what that printed, and what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from litellm_tui.analysis.container_health import explain_health
from litellm_tui.model.service_kinds import Compose
from litellm_tui.services.compose.container import service_from
from litellm_tui.services.docker import docker_cli
from tests.lab.engine import Engine
from tests.waiting import eventually

LIVE = "http://localhost:4000/health/liveliness"


@pytest.mark.parametrize(("name", "check", "brief"), [
    ("absent", ["CMD", "curl", "-f", LIVE], "no curl in the image"),
    ("shell", ["CMD-SHELL", f"curl -f {LIVE} || exit 1"], "no curl in the image"),
    ("operators", ["CMD", "busybox", "false", "||", "true"], "health test without shell"),
    ("away", ["CMD", "busybox", "wget", "-q", "-O", "-", LIVE], "health test asks elsewhere"),
])  # fmt: skip
async def test_what_docker_says_of_a_check_names_its_fault(
    docker_engine: Engine, name: str, check: list[str], brief: str
) -> None:
    container = f"health-{name}"
    second = 1_000_000_000
    health = {"Test": check, "Interval": second, "Timeout": 5 * second, "Retries": 1, "StartPeriod": 0}
    # the client has no words for a check without a shell
    transport = httpx.AsyncHTTPTransport(uds=docker_engine.host.removeprefix("unix://"))
    async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=60) as engine:
        wanted = {"Image": docker_engine.image, "Cmd": ["sleep", "600"], "Healthcheck": health}
        made = await engine.post("/containers/create", params={"name": container}, json=wanted)
        assert made.status_code == 201, made.text
    try:
        docker_engine.docker("start", container)
        found: list[docker_cli.Container] = []

        def unhealthy() -> bool:
            told: Any = docker_cli.parse_containers(docker_engine.docker("inspect", container))
            found[:] = told
            return bool(told[0].state.health and told[0].state.health.status == "unhealthy")

        await eventually(unhealthy)
        service = service_from(found[0], Compose())
        assert service.health == "unhealthy"
        assert service.health_test is not None
        assert list(service.health_test.command) == check
        assert service.health_test.failing >= 1
        assert explain_health(service.health_test).brief == brief, json.dumps(service.health_test.output)
    finally:
        docker_engine.docker("rm", "-f", container)
