"""Whatever a gateway answers, each endpoint's reader has a value or a `Failure` for it: nothing is raised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from litellm_tui.actions.probe_stream import Stream
from litellm_tui.actions.probe_wire import Asker
from litellm_tui.collectors.gateway import client as gateway
from litellm_tui.collectors.gateway import metrics
from litellm_tui.collectors.gateway.client import Endpoint, GatewayClient
from litellm_tui.model.failures import Failure
from tests.fuzz.mutations import mutated, torn
from tests.recorded import FOLDER, VERSIONS, case, content

RECORDED: list[tuple[Endpoint, str]] = [
    (gateway.LIVELINESS, "health-liveliness"),
    (gateway.READINESS, "health-readiness"),
    (gateway.READINESS_DETAILS, "health-readiness-details"),
    (gateway.GROUPS, "v1-models"),
    (gateway.GROUPS, "v1-models-wrong-key"),
    (gateway.DEPLOYMENTS, "v1-model-info"),
    (gateway.ROUTER, "get-config-callbacks"),
    (gateway.HEALTH, "health"),
    (gateway.CACHE_PING, "cache-ping"),
    (gateway.CACHE_PING, "cache-ping-redis-stopped"),
    (gateway.CACHE_PING, "cache-ping-off"),
    (gateway.REDIS_INFO, "cache-redis-info"),
    (gateway.REDIS_INFO, "cache-redis-info-redis-stopped"),
]
MOST = 220


class Says:
    """A gateway that says what it is told to."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, b"", {"content-type": "application/json"}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self.status, content=self.body, headers=self.headers)


async def _client(says: Says) -> GatewayClient:
    client = GatewayClient("http://127.0.0.1:4000", "sk-right")
    await client._client.aclose()
    client._client = httpx.AsyncClient(transport=httpx.MockTransport(says))
    return client


def _is_usable(result: Any) -> None:
    """What every pane does with a value: it is shown, compared and written as JSON."""
    assert result is not None
    hash(str(result))
    if isinstance(result, Failure):
        assert len(result.why) < 2000


@pytest.mark.parametrize(("endpoint", "name"), RECORDED, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("version", VERSIONS)
async def test_an_answer_with_any_value_in_any_place(version: str, endpoint: Endpoint, name: str) -> None:
    if not (FOLDER / version / f"{name}.json").exists():
        pytest.skip(f"{version} was not asked for {name}")
    found = case(version, name)
    says = Says()
    client = await _client(says)
    body = content(found)
    for number, says.body in enumerate([*mutated(body, MOST, VERSIONS.index(version)), *torn(body)]):
        says.status = found["status"] if number % 4 else (200, 500, 503, 404)[number // 4 % 4]
        _is_usable((await client.get(endpoint)).result)
    await client.close()


METRICS_LINES = (
    'litellm_deployment_success_responses_total{model_id="a",requested_model="b"} 1e400',
    'litellm_deployment_success_responses_total{model_id="a"} NaN',
    'litellm_deployment_success_responses_total{model_id="a"} -Inf',
    'litellm_deployment_success_responses_total{model_id="a"',
    "litellm_deployment_success_responses_total{model_id=} 1",
    'litellm_deployment_success_responses_total{=""} 1',
    "litellm_deployment_success_responses_total",
    'litellm_deployment_failure_responses_total{model_id="\\"\\\\\\n"} 1 99999999999999999999999999',
    'litellm_cache_hits_metric_total{a="' + "x" * 50000 + '"} 1',
    "litellm_cache_hits_metric_total{" + 'a="b",' * 5000 + "} 1",
    "litellm_in_flight_requests 0x10",
    "litellm_in_flight_requests 1_000",
    "litellm_in_flight_requests \u0661",
    'litellm_deployment_cooled_down_total{model_id="a"} ' + "9" * 5000,
)


def _metrics() -> Iterator[bytes]:
    text = (FOLDER / "1.106.2/metrics.txt").read_bytes()
    yield from torn(text[:20000])
    for line in METRICS_LINES:
        yield text[:5000] + b"\n" + line.encode() + b"\n"
        yield b"# HELP a b\n# TYPE a counter\n" + line.encode() + b"\n" + text[:300]


async def test_metrics_of_any_form() -> None:
    says = Says()
    client = await _client(says)
    for says.body in _metrics():
        _is_usable((await client.get(gateway.METRICS)).result)
        try:
            metrics.decode(200, says.body)
        except (ValueError, OverflowError):
            continue
    await client.close()


@pytest.mark.parametrize(
    "name", ["probe-200", "probe-500", "probe-wrong-key", "probe-embedding-200", "probe-rerank-200"]
)
async def test_an_answer_to_a_probe_with_any_value_in_any_place(name: str) -> None:
    found = case("1.106.2", name)
    says = Says()
    asker = Asker("http://127.0.0.1:4000", "sk-right", 1)
    await asker._client.aclose()
    asker._client = httpx.AsyncClient(transport=httpx.MockTransport(says))
    says.status = found["status"]
    for path in ("/v1/chat/completions", "/v1/embeddings", "/v1/rerank"):
        for says.body in [*mutated(content(found), MOST // 2), *torn(content(found))]:
            said = await asker.ask(path, {"model": "m"}, 20.0)
            assert len(said.error) < 80000
    await asker.close()


def test_events_of_a_stream_with_any_value_in_any_place() -> None:
    event = json.dumps(
        {"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}]}
    ).encode()
    errors = b'{"error": {"message": "m", "type": "t", "code": 500}}'
    for one in (*mutated(event), *mutated(errors), *torn(event)):
        stream = Stream(0.0)
        for line in ("data: [DONE]", "data:", "event: x", "data: " + one.decode(errors="replace")):
            stream.take(line, 1.0)
        assert len(stream.complaint()) < 80000


def test_what_is_read_is_of_the_types_that_it_says() -> None:
    """A value of a wrong type would end the console later, far from where it was read."""
    for endpoint, name in RECORDED:
        for version in VERSIONS:
            if not (FOLDER / version / f"{name}.json").exists():
                continue
            found = case(version, name)
            for body in mutated(content(found), MOST):
                try:
                    result = endpoint.decode(200, body)
                except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
                    continue
                if isinstance(result, msgspec.Struct) and not isinstance(result, Failure):
                    msgspec.convert(msgspec.structs.asdict(result), type(result), from_attributes=True)
