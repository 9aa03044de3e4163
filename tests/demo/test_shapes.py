"""Every answer has the shape of the one a real LiteLLM 1.106.2 gave to the same request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.collectors.gateway import client as gateway
from litellm_tui.demo import Simulation, files
from litellm_tui.model.failures import Failure, NotAvailable, Unreachable
from litellm_tui.model.gateway import CachePing, HealthReport, Readiness, RedisInfo
from tests.demo.probing import ask, chat, shown, state, systemctl, until

RECORDINGS = Path(__file__).parents[1] / "recordings" / files.VERSION

# keys that come from the configuration: the recorded gateway had another one
_FREE = {
    "router_settings.fallbacks[]",
    "router_settings.context_window_fallbacks[]",
    "router_settings.model_group_alias",
}
# parameters of kinds of deployments that the recorded gateway did not have
_CONFIGURED = {"api_version", "rpm", "tpm", "api_base", "timeout"}

_REDIS = "    type: redis\n    host: 127.0.0.1\n    port: 6379\n    ttl: 3600\n"

CALLABLE: dict[str, Callable[[Simulation], tuple[int, dict[str, str], Any]]] = {
    "health-liveliness": lambda s: ask(s, "/health/liveliness"),
    "health-readiness": lambda s: ask(s, "/health/readiness"),
    "health-readiness-details": lambda s: ask(s, "/health/readiness/details"),
    "v1-models": lambda s: ask(s, "/v1/models"),
    "v1-models-no-key": lambda s: ask(s, "/v1/models", key=None),
    "v1-models-wrong-key": lambda s: ask(s, "/v1/models", key="sk-wrong"),
    "v1-model-info": lambda s: ask(s, "/v1/model/info"),
    "model-group-info": lambda s: ask(s, "/model_group/info"),
    "get-config-callbacks": lambda s: ask(s, "/get/config/callbacks"),
    "health": lambda s: ask(s, "/health"),
    "cache-ping": lambda s: ask(s, "/cache/ping"),
    "cache-redis-info": lambda s: ask(s, "/cache/redis/info"),
    "cache-ping-redis-stopped": lambda s: _without_cache(s, "/cache/ping"),
    "cache-redis-info-redis-stopped": lambda s: _without_cache(s, "/cache/redis/info"),
    "cache-ping-off": lambda s: _with_config(s, "cache: true", "cache: false", "/cache/ping"),
    "cache-redis-info-off": lambda s: _with_config(s, "cache: true", "cache: false", "/cache/redis/info"),
    "cache-ping-local": lambda s: _with_config(s, _REDIS, "    type: local\n", "/cache/ping"),
    "cache-redis-info-local": lambda s: _with_config(s, _REDIS, "    type: local\n", "/cache/redis/info"),
    "chat-200": lambda s: chat(s, "gpt-4.1-mini"),
    "chat-200-by-fallback": lambda s: chat(s, _broken(s, "qwen2.5-coder:32b")),
    "chat-500-after-fallback": lambda s: chat(s, _all_broken(s)),
    "probe-200": lambda s: _probe(s, "gpt-4.1-mini"),
    "probe-500": lambda s: _probe(s, _broken(s, "gpt-4.1-mini", "error")),
    "probe-stream": lambda s: _probe(s, "gpt-4.1-mini", stream=True),
    "probe-embedding-200": lambda s: _probe_embedding(s, "nomic-embed-text"),
    "probe-refused": lambda s: _probe(s, _broken(s, "gpt-4.1-mini")),
}


@pytest.mark.parametrize("name", CALLABLE)
def test_an_answer_has_the_recorded_shape(quiet: Simulation, name: str) -> None:
    path = RECORDINGS / f"{name}.json"
    if not path.exists():
        pytest.skip(f"no recording {path.name}")
    recorded = json.loads(path.read_text(encoding="utf-8"))
    if name == "health":
        quiet.break_model("azure/gpt-41-prod", "refused")

    status, headers, body = CALLABLE[name](quiet)

    assert status == recorded["status"]
    assert headers["content-type"] == recorded["headers"]["content-type"]
    ours = {header for header in headers if header.startswith("x-litellm")}
    assert ours <= set(recorded["headers"])
    assert list(_differences(body, recorded["body"])) == []


def _differences(ours: Any, recorded: Any, path: str = "") -> Iterator[str]:
    """Where our document holds what the recorded one does not; null on either side fits anything."""
    ours, recorded = _unwrapped(ours), _unwrapped(recorded)
    if ours is None or recorded is None or path in _FREE:
        return
    if _kind(ours) != _kind(recorded):
        yield f"{path}: {_kind(ours)} instead of {_kind(recorded)}"
    elif isinstance(ours, dict):
        for key, value in ours.items():
            if key in recorded:
                yield from _differences(value, recorded[key], f"{path}.{key}".lstrip("."))
            elif key not in _CONFIGURED:
                yield f"{path}.{key}: not in the recording"
    elif isinstance(ours, list) and recorded:
        known = _merged(recorded)
        for value in ours:
            yield from _differences(value, known, f"{path}[]")


def _merged(items: list[Any]) -> Any:
    """One item that has every key that any has; a key that is null in one may be filled in another."""
    if items and all(isinstance(item, list) for item in items):
        return [value for item in items for value in item]
    mappings = [item for item in items if isinstance(item, dict)]
    if not mappings:
        return next((item for item in items if item is not None), None)
    keys = dict.fromkeys(key for item in mappings for key in item)
    return {key: _merged([item[key] for item in mappings if key in item]) for key in keys}


def _unwrapped(value: Any) -> Any:
    """LiteLLM wraps JSON into strings of JSON."""
    if isinstance(value, str) and value.startswith("{"):
        return json.loads(value)
    if isinstance(value, str) and value.startswith("data: "):
        *events, last = (event.removeprefix("data: ") for event in value.strip().split("\n\n"))
        return {"events": [json.loads(event) for event in events], f"ends in {last}": True}
    return value


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def test_the_comparison_finds_a_key_that_was_made_up_and_a_wrong_type() -> None:
    recorded = {"data": [{"id": "a", "n": 1}, {"id": "b", "more": None}]}
    assert list(_differences({"data": [{"id": "x", "more": 3}]}, recorded)) == []
    assert list(_differences({"data": [{"id": 1}, {"new": 1}]}, recorded)) == [
        "data[].id: number instead of str",
        "data[].new: not in the recording",
    ]


async def test_the_collectors_read_every_answer(quiet: Simulation) -> None:
    quiet.break_model("qwen2.5-coder:32b", "refused")
    client = gateway.GatewayClient(quiet.url, quiet.key)
    try:
        live = (await client.get(gateway.LIVELINESS)).result
        ready = (await client.get(gateway.READINESS_DETAILS)).result
        groups = (await client.get(gateway.GROUPS)).result
        deployments = (await client.get(gateway.DEPLOYMENTS)).result
        router = (await client.get(gateway.ROUTER)).result
        health = (await client.get(gateway.HEALTH)).result
        ping = (await client.get(gateway.CACHE_PING)).result
        redis = (await client.get(gateway.REDIS_INFO)).result
        for value in (live, ready, groups, deployments, router, health, ping, redis):
            assert not isinstance(value, Failure)
    finally:
        await client.close()

    assert ready == Readiness("healthy", "Not connected", files.VERSION, "redis", "INFO")
    assert groups[0] == "assistant"
    assert len({entry.id for entry in deployments}) == 8
    assert all(entry.id and entry.group and entry.model for entry in deployments)
    assert {entry.mode for entry in deployments} == {"chat", "embedding", None}
    assert router["fallbacks"][-1] == {"*": ["gpt-4.1-mini"]}
    assert isinstance(health, HealthReport)
    assert len(health.healthy) == 7
    assert [entry.status for entry in health.unhealthy] == [500]
    assert "Cannot connect to host gpu-b.example:8000" in (health.unhealthy[0].error or "")
    assert health.unhealthy[0].model_id in {entry.id for entry in deployments}
    assert ping == CachePing("healthy", "redis", True, 3600, None, "127.0.0.1:6379", "7.0.15")
    assert isinstance(redis, RedisInfo)
    assert redis.keys > 0
    assert redis.hits > 0
    assert redis.policy == "allkeys-lru"


async def test_a_cache_that_is_down_and_one_that_is_off_are_told_apart(quiet: Simulation) -> None:
    client = gateway.GatewayClient(quiet.url, quiet.key)
    try:
        quiet.cache_down()
        ping = (await client.get(gateway.CACHE_PING)).result
        redis = (await client.get(gateway.REDIS_INFO)).result
        assert isinstance(ping, CachePing)
        assert ping.status == "unhealthy"
        assert isinstance(redis, Unreachable)

        _with_config(quiet, "cache: true", "cache: false", "/cache/ping")
        assert isinstance((await client.get(gateway.CACHE_PING)).result, NotAvailable)
        assert isinstance((await client.get(gateway.REDIS_INFO)).result, NotAvailable)
    finally:
        await client.close()


def test_systemctl_shows_the_properties_of_the_recorded_unit(quiet: Simulation) -> None:
    path = RECORDINGS / "systemctl-show-user.txt"
    if not path.exists():
        pytest.skip(f"no recording {path.name}")
    recorded = dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines())
    from litellm_tui.host.systemd_tools import UNIT_PROPERTIES

    ours = shown(quiet)
    assert set(UNIT_PROPERTIES.split(",")) <= set(ours)
    for name in set(ours) & set(recorded):
        assert ours[name].isdigit() == recorded[name].isdigit() or "[not set]" in recorded[name], name
    frame = ("{ path=", " ; argv[]=", " ; ignore_errors=no ; start_time=[", "] ; stop_time=[n/a] ; pid=")
    assert all(part in ours["ExecStart"] and part in recorded["ExecStart"] for part in frame)


def _without_cache(simulation: Simulation, path: str) -> tuple[int, dict[str, str], Any]:
    simulation.cache_down()
    return ask(simulation, path)


def _with_config(simulation: Simulation, old: str, new: str, path: str) -> tuple[int, dict[str, str], Any]:
    assert old in files.CONFIG
    simulation.edit_config(files.CONFIG.replace(old, new))
    assert systemctl(simulation, "restart", simulation.unit).returncode == 0
    until(lambda: state(simulation) == "answering")
    return ask(simulation, path)


def _broken(simulation: Simulation, name: str, fault: Any = "refused") -> str:
    simulation.break_model(name, fault)
    return name


def _all_broken(simulation: Simulation) -> str:
    for name in ("gpt-4.1", "gpt-4.1-mini"):
        simulation.break_model(name, "refused")
    return "gpt-4.1"


_ALONE: dict[str, Any] = {
    "disable_fallbacks": True, "num_retries": 0, "cache": {"no-cache": True, "no-store": True},
}  # fmt: skip


def _probe(simulation: Simulation, name: str, **more: Any) -> tuple[int, dict[str, str], Any]:
    return chat(simulation, _id_of(simulation, name), max_tokens=5, **_ALONE, **more)


def _probe_embedding(simulation: Simulation, name: str) -> tuple[int, dict[str, str], Any]:
    return ask(simulation, "/v1/embeddings", {"model": _id_of(simulation, name), "input": ["Say hi."], **_ALONE})


def _id_of(simulation: Simulation, group: str) -> str:
    found = ask(simulation, "/v1/model/info")[2]["data"]
    return next(str(entry["model_info"]["id"]) for entry in found if entry["model_name"] == group)
