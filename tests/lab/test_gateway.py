"""The gateway's collector and the monitor on both LiteLLM versions, as they really answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.collectors.gateway import client as gateway
from litellm_tui.collectors.gateway.client import Endpoint, GatewayClient
from litellm_tui.model.failures import NotAvailable, Unauthorized, Unreachable
from litellm_tui.model.found import Found
from litellm_tui.model.gateway import CachePing, HealthReport, Readiness, RedisInfo
from litellm_tui.model.service import Variable
from litellm_tui.model.service_kinds import Tools
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.target.profile import Profile, Secret
from tests.lab import Environment, Lab, environments
from tests.lab.config import default_config
from tests.waiting import eventually

UNIT = "litellm.service"
OPEN = (gateway.LIVELINESS, gateway.READINESS)
KEYED = (
    gateway.GROUPS,
    gateway.DEPLOYMENTS,
    gateway.ROUTER,
    gateway.HEALTH,
    gateway.CACHE_PING,
    gateway.REDIS_INFO,
)
GROUPS = {entry["model_name"] for entry in default_config()["model_list"]}


@pytest.fixture(scope="module")
def lab_version(lab_environment: Environment) -> Iterator[Lab]:
    """Not the shared lab: what is refused here, and Redis gone, fills a log with stack traces."""
    with Lab.boot(litellm=lab_environment) as booted:
        yield booted


async def ask(lab: Lab, key: str | None, *endpoints: Endpoint) -> list[Any]:
    client = GatewayClient(lab.url(), key)
    try:
        return [(await client.get(endpoint)).result for endpoint in endpoints]
    finally:
        await client.close()


def has_details(lab: Lab) -> bool:
    return not lab.litellm.version.startswith("1.77")


# -- the client


async def test_every_endpoint_answers_to_the_key(lab_version: Lab) -> None:
    lab_version.wait_health_round()
    alive, ready, groups, deployments, router, health, ping, redis = await ask(
        lab_version, lab_version.key(), *OPEN, *KEYED
    )
    assert alive == "I'm alive!"
    assert isinstance(ready, Readiness)
    assert set(groups) == GROUPS | {"gpt-4"}
    assert len(deployments) == 7
    assert router["routing_strategy"] == "simple-shuffle"
    assert {"kimi-k2:1t-cloud": ["nonexistent-model"]} in router["fallbacks"]
    assert isinstance(health, HealthReport)
    assert len(health.healthy) + len(health.unhealthy) == 7
    assert isinstance(ping, CachePing)
    assert (ping.type, ping.ping, ping.ttl) == ("redis", True, 3600)
    assert ping.server == f"127.0.0.1:{lab_version.ports.redis}"
    assert isinstance(redis, RedisInfo)
    assert redis.version == ping.server_version


async def test_the_version_is_told_by_one_of_the_two_readiness_endpoints(lab_version: Lab) -> None:
    plain, details = await ask(lab_version, lab_version.key(), gateway.READINESS, gateway.READINESS_DETAILS)
    if has_details(lab_version):
        assert plain.version is None
        assert details.version == lab_version.litellm.version
    else:
        assert plain.version == lab_version.litellm.version
        assert isinstance(details, NotAvailable)


@pytest.mark.parametrize("key", ["sk-lab-wrong", None], ids=["wrong key", "no key"])
async def test_a_key_that_is_wrong_or_absent_is_told_apart(lab_version: Lab, key: str | None) -> None:
    keyed = (*KEYED, gateway.READINESS_DETAILS) if has_details(lab_version) else KEYED
    for result in await ask(lab_version, key, *keyed):
        assert isinstance(result, Unauthorized)
        assert result.sent is (key is not None)
        assert "sk-lab" not in result.why
    alive, ready = await ask(lab_version, key, *OPEN)
    assert alive == "I'm alive!"
    assert isinstance(ready, Readiness)


@pytest.fixture(scope="module")
def keyless_lab(lab_possible: None) -> Iterator[Lab]:
    """LiteLLM without any key, which later versions refuse to start as."""
    old = next((found for found in environments() if found.version.startswith("1.77")), None)
    if old is None:
        pytest.skip("no LiteLLM 1.77 among the environments")
    config = default_config()
    del config["general_settings"]["master_key"]
    with Lab.boot(litellm=old, config=config, keyed=()) as lab:
        yield lab


@pytest.mark.parametrize("key", [None, "sk-any"], ids=["no key", "some key"])
async def test_a_keyless_gateway_answers_to_everyone(keyless_lab: Lab, key: str | None) -> None:
    keyless_lab.wait_health_round()
    for result in await ask(keyless_lab, key, *OPEN, *KEYED):
        assert not isinstance(result, Unauthorized | Unreachable)
    (deployments,) = await ask(keyless_lab, key, gateway.DEPLOYMENTS)
    assert len(deployments) == 7


async def test_nothing_listening_and_no_such_host_are_different_words(lab: Lab) -> None:
    client = GatewayClient(f"http://127.0.0.1:{lab.ports.refused}", None)
    refused = (await client.get(gateway.LIVELINESS)).result
    await client.close()
    assert isinstance(refused, Unreachable)
    assert refused.kind == "refused"
    assert refused.why.endswith(": connection refused")
    client = GatewayClient("http://no-such-host.invalid:4000", None)
    unknown = (await client.get(gateway.LIVELINESS)).result
    await client.close()
    assert isinstance(unknown, Unreachable)
    assert unknown.kind in ("dns", "timeout")


# -- the monitor


def tools(lab: Lab) -> Tools:
    """The tools that reach into the lab from here.

    They stay in this process's PID namespace: to enter the lab's, nsenter forks, and the collectors would end nsenter
    and leave the tool behind.
    """

    def reaching(name: str) -> tuple[str, ...]:
        words = lab.argv([name])
        words.remove("-p")
        return tuple(words)

    return Tools(systemctl=reaching("systemctl"), journalctl=reaching("journalctl"))


def profile(lab: Lab) -> Profile:
    """What discovery would find inside the lab, with the tools that reach into it from here."""
    return Profile(
        name="lab",
        host="lab",
        url=Found(lab.url(), "the lab"),
        tools=tools(lab),
        config=Found(str(lab.config_path()), "the lab"),
        unit=Found(UNIT, "the lab"),
        key=Secret(lab.key()),
        environment={"LITELLM_MASTER_KEY": Variable(lab.key(), "the lab")},
    )


class Watched:
    """A monitor that runs, and everything it has published."""

    def __init__(self, lab: Lab) -> None:
        self.snapshots: list[Snapshot] = []
        self.monitor = Monitor(profile(lab), self.snapshots.append)

    @property
    def last(self) -> Snapshot:
        return self.snapshots[-1] if self.snapshots else Snapshot(taken_at=0.0)


@asynccontextmanager
async def watching(lab: Lab) -> AsyncIterator[Watched]:
    watched = Watched(lab)
    task = asyncio.create_task(watched.monitor.run())
    try:
        yield watched
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


# what was refused while other labs boot beside this one is asked again after a back-off
BUSY = 60.0


def filled(snapshot: Snapshot) -> bool:
    seen = snapshot.gateway
    readings: tuple[Any, ...] = (seen.liveliness, seen.readiness, seen.groups, seen.deployments, seen.router)
    readings += (seen.cache_ping, seen.redis, seen.health, snapshot.service)
    # a busy LiteLLM that does not answer with the details is asked for the short form, which has no version
    known = seen.readiness.value is not None and seen.readiness.value.version
    return all(reading.value is not None and reading.failure is None for reading in readings) and bool(
        known and snapshot.configuration.current and snapshot.log.last >= 0
    )


async def test_a_monitor_fills_every_reading(lab_version: Lab) -> None:
    lab_version.wait_health_round()
    async with watching(lab_version) as watched:
        await eventually(lambda: filled(watched.last), "every reading", seconds=BUSY)
        snapshot = watched.last
    service = snapshot.service.value
    assert service is not None
    assert service.main_pid == int(lab_version.show(UNIT, "MainPID")["MainPID"])
    assert service.active_state == "active"
    assert snapshot.gateway.readiness.value is not None
    assert snapshot.gateway.readiness.value.version == lab_version.litellm.version
    assert snapshot.log.state == "following"
    assert snapshot.configuration.current is not None
    assert snapshot.configuration.current.background_health_checks


async def test_an_alias_is_no_deployment_of_its_own(lab_version: Lab) -> None:
    """1.77 lists an alias before its group, 1.106 after it; both list the same deployments twice."""
    async with watching(lab_version) as watched:
        await eventually(lambda: filled(watched.last), "every reading", seconds=BUSY)
        found = diagnose(watched.last, time.time())
    rows = [(row.group, row.model) for row in found.deployments]
    assert rows == [(entry["model_name"], entry["litellm_params"]["model"]) for entry in default_config()["model_list"]]
    assert all(row.loaded and row.file and row.listed and not row.differences for row in found.deployments)
    assert not found.drift
    alias = next(chain for chain in found.chains if chain.kind == "alias")
    assert (alias.source.name, alias.targets[0].name) == ("gpt-4", "llama3.1:latest")
    states = {row.group: row.verdict.state for row in found.deployments}
    assert states["llama3.1:latest"] == "serving"
    assert states["qwen2.5-coder:7b"] == "masked"
    assert states["qwen-coder-vllm"] == "failing"


async def test_with_redis_gone_the_call_that_blocks_litellm_is_not_made(lab_version: Lab) -> None:
    def in_access_log(path: str) -> int:
        # 1.77 writes no access lines with json_logs on.
        return lab_version.journal("-o", "cat", "--all", since, lines=5000).count(f"GET {path}")

    async with watching(lab_version) as watched:
        await eventually(lambda: filled(watched.last), "every reading", seconds=BUSY)
        lab_version.systemctl("stop", "redis.service")
        try:

            def down() -> bool:
                watched.monitor.look_now()
                return diagnose(watched.last, time.time()).cache.state == "down"

            await eventually(down, "the cache is down")
            since = f"--since=@{int(time.time())}"
            asked = watched.last.gateway.redis.tried_at
            calls, begun = in_access_log("/cache/redis/info"), len(watched.snapshots)

            def rounds() -> int:
                watched.monitor.look_now()
                return len({shot.gateway.liveliness.tried_at for shot in watched.snapshots[begun:]})

            # the ping is not made either once the Redis server itself is known to be gone
            await eventually(lambda: rounds() >= 4, "more rounds")
            shots = watched.snapshots[begun:]
            assert {shot.gateway.redis.tried_at for shot in shots} == {asked}
            assert in_access_log("/cache/redis/info") == calls
            slowest = max(shot.gateway.liveliness.took or 0 for shot in shots)
            print(f"\n  slowest liveliness while Redis was gone: {slowest:.2f} s")
            assert not any(shot.gateway.liveliness.failure for shot in shots)
            # What was known before stays, with its age.
            assert shots[-1].gateway.redis.value is not None
        finally:
            lab_version.systemctl("start", "redis.service")

        def back() -> bool:
            watched.monitor.look_now()
            return diagnose(watched.last, time.time()).cache.state in ("healthy", "slow")

        await eventually(back, "the cache is back", 60)
