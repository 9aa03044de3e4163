"""Every answer that a real LiteLLM gave, and every way in which there may be none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from litellm_tui.collectors.gateway import client as gateway
from litellm_tui.collectors.gateway.client import GatewayClient
from litellm_tui.model.failures import Failure, Malformed, NotAvailable, Unauthorized, Unreachable
from litellm_tui.model.gateway import CachePing, HealthReport, Readiness, RedisInfo
from tests.recorded import ENDPOINTS, FOLDER, VERSIONS, case, content

Handler = Callable[[httpx.Request], httpx.Response]
EVERY = {
    endpoint.path: endpoint
    for endpoint in (
        gateway.LIVELINESS, gateway.READINESS, gateway.READINESS_DETAILS, gateway.GROUPS, gateway.DEPLOYMENTS,
        gateway.ROUTER, gateway.HEALTH, gateway.CACHE_PING, gateway.REDIS_INFO,
    )
}  # fmt: skip


async def _get(endpoint: gateway.Endpoint, handler: Handler, key: str | None = "sk-right") -> Any:
    client = GatewayClient("http://127.0.0.1:4000", key)
    await client._client.aclose()
    client._client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    try:
        return (await client.get(endpoint)).result
    finally:
        await client.close()


def _says(status: int, body: bytes, kind: str = "application/json") -> Handler:
    return lambda _: httpx.Response(status, content=body, headers={"content-type": kind})


async def _recorded(version: str, name: str, endpoint: gateway.Endpoint, key: str | None = "sk-right") -> Any:
    found = case(version, name)
    return await _get(endpoint, _says(found["status"], content(found), found["headers"]["content-type"]), key)


# --- what was recorded -----------------------------------------------------------------------------------------


def _recorded_gets() -> list[tuple[str, str]]:
    found = []
    for version in VERSIONS:
        for path in sorted((FOLDER / version).glob("*.json")):
            request = case(version, path.stem)["request"]
            if request["method"] == "GET" and request["path"].partition("?")[0] in EVERY:
                found.append((version, path.stem))
    return found


@pytest.mark.parametrize(("version", "name"), _recorded_gets())
async def test_every_recorded_answer_is_a_value_or_a_named_failure(version: str, name: str) -> None:
    recorded = case(version, name)
    sent = recorded["request"].get("key")
    key = None if sent in (None, "none") else "sk-some"
    result = await _recorded(version, name, EVERY[recorded["request"]["path"].partition("?")[0]], key)
    if recorded["status"] == 200:
        assert not isinstance(result, Failure)
    else:
        assert isinstance(result, NotAvailable | Unauthorized | Unreachable | CachePing), result


def test_both_versions_were_recorded() -> None:
    for version in VERSIONS:
        assert {name for known, name in _recorded_gets() if known == version} >= set(ENDPOINTS)


@pytest.mark.parametrize("version", VERSIONS)
async def test_liveliness_and_readiness(version: str) -> None:
    assert await _recorded(version, "health-liveliness", gateway.LIVELINESS) == "I'm alive!"
    ready = await _recorded(version, "health-readiness", gateway.READINESS)
    assert isinstance(ready, Readiness)
    assert (ready.status, ready.db) == ("healthy", "Not connected")


async def test_the_version_stands_in_the_details_of_1_106_and_in_the_plain_answer_of_1_77() -> None:
    new = await _recorded("1.106.2", "health-readiness-details", gateway.READINESS_DETAILS)
    assert (new.version, new.cache) == ("1.106.2", "redis")
    assert isinstance(await _recorded("1.77.7", "health-readiness-details", gateway.READINESS_DETAILS), NotAvailable)
    old = await _recorded("1.77.7", "health-readiness", gateway.READINESS)
    assert (old.version, old.cache) == ("1.77.7", "redis")


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_deployment_that_an_alias_lists_again_is_one_deployment(version: str) -> None:
    found = await _recorded(version, "v1-model-info", gateway.DEPLOYMENTS)
    listed = json.loads(content(case(version, "v1-model-info")))["data"]
    assert len(found) == len({entry["model_info"]["id"] for entry in listed}) == 7
    assert len(listed) > len(found)
    shared = [entry for entry in found if "gpt-4" in entry.names]
    assert [entry.model for entry in shared] == ["openai/llama3.1", "openai/llama3.1-b"]
    assert all("llama3.1:latest" in entry.names for entry in shared)
    assert {entry.model: entry.rpm for entry in shared} == {"openai/llama3.1": 100, "openai/llama3.1-b": 50}
    assert next(entry for entry in found if entry.group == "nomic-embed-text").mode == "embedding"
    assert not any("api_key" in entry.params for entry in found)


@pytest.mark.parametrize("version", VERSIONS)
async def test_groups_are_listed_with_their_aliases(version: str) -> None:
    groups = await _recorded(version, "v1-models", gateway.GROUPS)
    assert {"gpt-4", "llama3.1:latest", "kimi-k2:1t-cloud"} <= set(groups)


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_running_routers_settings(version: str) -> None:
    router = await _recorded(version, "get-config-callbacks", gateway.ROUTER)
    assert {"kimi-k2:1t-cloud": ["nonexistent-model"]} in router["fallbacks"]
    assert router["model_group_alias"] == {"gpt-4": "llama3.1:latest"}


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_health_report_tells_the_dead_from_the_living(version: str) -> None:
    report = await _recorded(version, "health", gateway.HEALTH)
    assert isinstance(report, HealthReport)
    assert {entry.model for entry in report.unhealthy} >= {"openai/qwen-err500", "openai/kimi-err401"}
    assert all(entry.error for entry in report.unhealthy)
    assert {entry.model for entry in report.healthy} >= {"openai/llama3.1", "openai/gpt-oss"}
    assert all(bool(entry.model_id) == (version == "1.106.2") for entry in (*report.healthy, *report.unhealthy))


@pytest.mark.parametrize("body", [b"{}", b'{"healthy_endpoints": null, "unhealthy_endpoints": null}'])
async def test_health_before_the_first_round_is_not_a_report_without_deployments(body: bytes) -> None:
    assert isinstance(await _get(gateway.HEALTH, _says(200, body)), NotAvailable)


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_states_of_the_cache_are_told_apart(version: str) -> None:
    ping = await _recorded(version, "cache-ping", gateway.CACHE_PING)
    assert (ping.status, ping.type, ping.ping, ping.ttl, ping.namespace) == ("healthy", "redis", True, 3600.0, None)
    assert ping.server.startswith("127.0.0.1:")
    assert ping.server_version.startswith("7.")
    local = await _recorded(version, "cache-ping-local", gateway.CACHE_PING)
    assert (local.status, local.type, local.ping) == ("healthy", "local", None)
    assert isinstance(await _recorded(version, "cache-ping-off", gateway.CACHE_PING), NotAvailable)
    down = await _recorded(version, "cache-ping-redis-stopped", gateway.CACHE_PING)
    assert (down.status, down.type) == ("unhealthy", "redis")
    assert down.server.startswith("127.0.0.1:")


async def test_the_reason_of_a_dead_cache_is_told_where_the_version_gives_one() -> None:
    old = await _recorded("1.77.7", "cache-ping-redis-stopped", gateway.CACHE_PING)
    assert old.error == "Connection closed by server."
    assert (await _recorded("1.106.2", "cache-ping-redis-stopped", gateway.CACHE_PING)).error == ""


async def test_metrics_that_are_not_there_are_off_and_not_missing_from_the_version() -> None:
    """1.77.7 and 1.106.2 answer so without the callback."""
    found = await _get(gateway.METRICS, _says(404, b'{"detail":"Not Found"}'))
    assert isinstance(found, NotAvailable)
    assert "callbacks" in found.why


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_figures_of_redis(version: str) -> None:
    info = await _recorded(version, "cache-redis-info", gateway.REDIS_INFO)
    assert isinstance(info, RedisInfo)
    recorded = case(version, "cache-redis-info")["body"]
    assert (info.hits, info.misses) == (recorded["info"]["keyspace_hits"], recorded["info"]["keyspace_misses"])
    assert info.keys == recorded["info"]["db0"]["keys"]
    assert info.clients == recorded["num_clients"]
    assert info.used_memory > 100_000
    assert isinstance(await _recorded(version, "cache-redis-info-local", gateway.REDIS_INFO), NotAvailable)
    assert isinstance(await _recorded(version, "cache-redis-info-off", gateway.REDIS_INFO), NotAvailable)
    down = await _recorded(version, "cache-redis-info-redis-stopped", gateway.REDIS_INFO)
    assert isinstance(down, Unreachable)
    assert down.kind == "refused"


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_missing_and_a_refused_key_are_told_apart(version: str) -> None:
    missing = await _recorded(version, "v1-models-no-key", gateway.GROUPS, None)
    assert isinstance(missing, Unauthorized)
    assert not missing.sent
    wrong = await _recorded(version, "v1-models-wrong-key", gateway.GROUPS, "sk-wrong")
    assert isinstance(wrong, Unauthorized)
    assert wrong.sent


# --- what no LiteLLM says --------------------------------------------------------------------------------------

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


@pytest.mark.parametrize("endpoint", EVERY.values(), ids=EVERY)
@pytest.mark.parametrize(
    ("body", "kind"),
    [(HTML, "text/html"), (b"", "application/json"), (b"hello", "text/plain"), (b"\xff\xfe\x00", "application/json")],
    ids=["html", "empty", "text", "binary"],
)
async def test_an_answer_that_is_no_litellms_is_malformed(endpoint: gateway.Endpoint, body: bytes, kind: str) -> None:
    result = await _get(endpoint, _says(200, body, kind))
    assert isinstance(result, Malformed)
    assert result.status == 200
    assert "\n" not in result.why


@pytest.mark.parametrize("body", [b"[]", b'"a string"', b"7", b"null", b"true"])
@pytest.mark.parametrize("endpoint", [e for e in EVERY.values() if e is not gateway.LIVELINESS], ids=lambda e: e.path)
async def test_json_of_another_type_is_malformed(endpoint: gateway.Endpoint, body: bytes) -> None:
    assert isinstance(await _get(endpoint, _says(200, body)), Malformed)


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        (gateway.GROUPS, {"data": {"id": "x"}}),
        (gateway.GROUPS, {"data": [{"id": 7}]}),
        (gateway.DEPLOYMENTS, {"data": [{"model_name": None}]}),
        (gateway.DEPLOYMENTS, {"data": [{"litellm_params": []}]}),
        (gateway.ROUTER, {"router_settings": []}),
        (gateway.HEALTH, {"healthy_endpoints": "many"}),
        (gateway.READINESS, {"state": "fine"}),
        (gateway.REDIS_INFO, {"info": []}),
        (gateway.REDIS_INFO, {"num_clients": 3}),
    ],
)
async def test_a_value_of_a_wrong_type_is_malformed(endpoint: gateway.Endpoint, body: Any) -> None:
    assert isinstance(await _get(endpoint, _says(200, json.dumps(body).encode())), Malformed)


async def test_numbers_that_are_none_leave_the_rest_readable() -> None:
    params = {"model": "openai/a", "rpm": "many", "tpm": 1.5e3}
    body = json.dumps({"data": [{"model_name": "a", "litellm_params": params}]}).encode()
    (found,) = await _get(gateway.DEPLOYMENTS, _says(200, body))
    assert (found.rpm, found.tpm) == (None, 1500)


@pytest.mark.parametrize(
    "number",
    [
        "1e999",
        '"nan"',
        pytest.param("1" + "0" * 400, id="400 digits"),
        '"inf"',
        '"-inf"',
        '"1e999"',
    ],
)
async def test_an_oversized_number_never_raises(number: str) -> None:
    body = f'{{"data": [{{"model_name": "a", "litellm_params": {{"model": "b", "rpm": {number}}}}}]}}'.encode()
    result = await _get(gateway.DEPLOYMENTS, _says(200, body))
    assert isinstance(result, Malformed) or result[0].rpm is None
    body = f'{{"num_clients": {number}, "info": {{"redis_version": "7", "used_memory": {number}}}}}'.encode()
    result = await _get(gateway.REDIS_INFO, _says(200, body))
    assert isinstance(result, Malformed) or (result.clients, result.used_memory) == (0, 0)


@pytest.mark.parametrize("endpoint", [e for e in EVERY.values() if e is not gateway.LIVELINESS], ids=lambda e: e.path)
async def test_json_nested_ten_thousand_deep_never_raises(endpoint: gateway.Endpoint) -> None:
    deep = b'{"data": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    assert isinstance(await _get(endpoint, _says(200, deep)), Malformed)
    wrapped = json.dumps({"status": "healthy", "litellm_cache_params": "[" * 10_000}).encode()
    result = await _get(gateway.CACHE_PING, _says(200, wrapped))
    assert isinstance(result, CachePing | Malformed)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", [b'{"error": {"message": "no"}}', b"", HTML])
async def test_401_and_403_are_about_the_key_whatever_the_body(status: int, body: bytes) -> None:
    result = await _get(gateway.GROUPS, _says(status, body))
    assert isinstance(result, Unauthorized)
    assert result.sent


async def test_a_400_that_is_not_about_the_key_is_not_called_so() -> None:
    assert isinstance(await _get(gateway.GROUPS, _says(400, b'{"error": {"message": "bad"}}')), Malformed)


async def test_a_500_with_a_reason_or_with_a_key_is_not_about_the_key() -> None:
    reason = b'{"error": {"message": "exploded", "code": "500"}}'
    told = await _get(gateway.GROUPS, _says(500, reason), None)
    assert isinstance(told, Malformed)
    assert "exploded" in told.why
    assert isinstance(await _get(gateway.GROUPS, _says(500, b"Internal Server Error", "text/plain")), Malformed)


async def test_a_missing_database_is_not_an_outage() -> None:
    body = b'{"error": {"message": "Database not initialized"}}'
    assert isinstance(await _get(gateway.ROUTER, _says(500, body)), NotAvailable)


@pytest.mark.parametrize("endpoint", [gateway.LIVELINESS, gateway.READINESS], ids=lambda e: e.path)
async def test_a_404_on_what_every_version_has_is_not_litellm(endpoint: gateway.Endpoint) -> None:
    result = await _get(endpoint, _says(404, HTML, "text/html"))
    assert isinstance(result, Malformed)
    assert "is this LiteLLM?" in result.why


@pytest.mark.parametrize("body", [b"{}", b'{"error": "x"}', b'{"error": {"message": "{broken"}}', b'{"detail": []}'])
async def test_a_503_of_the_cache_in_any_form_is_an_unhealthy_cache(body: bytes) -> None:
    result = await _get(gateway.CACHE_PING, _says(503, body))
    assert isinstance(result, CachePing)
    assert result.status == "unhealthy"
    assert isinstance(await _get(gateway.REDIS_INFO, _says(503, body)), Unreachable)


async def test_a_503_of_a_reverse_proxy_says_nothing_of_the_cache() -> None:
    assert isinstance(await _get(gateway.CACHE_PING, _says(503, HTML, "text/html")), Malformed)
    assert isinstance(await _get(gateway.GROUPS, _says(503, HTML, "text/html")), Malformed)


@pytest.mark.parametrize("endpoint", EVERY.values(), ids=EVERY)
async def test_a_redirect_is_not_followed(endpoint: gateway.Endpoint) -> None:
    asked: list[str] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"location": "http://127.0.0.1:1/elsewhere"})

    assert isinstance(await _get(endpoint, redirect), Malformed)
    assert len(asked) == 1


@pytest.mark.parametrize("endpoint", EVERY.values(), ids=EVERY)
async def test_the_key_goes_only_where_it_is_needed_and_every_request_is_tagged(endpoint: gateway.Endpoint) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(404)

    await _get(endpoint, answer)
    assert seen[0].headers.get("authorization") == ("Bearer sk-right" if endpoint.keyed else None)
    assert seen[0].url.query.decode() == gateway.TAG
    assert seen[0].method == "GET"


@pytest.mark.parametrize("sent", ["", "sk-r\u00e9sum\u00e9", "sk-a\nb"])
async def test_a_key_that_cannot_be_sent_is_a_failure_that_does_not_show_it(sent: str) -> None:
    result = await _get(gateway.GROUPS, _says(401, b""), sent)
    assert isinstance(result, Failure)
    if sent:
        assert sent not in result.why


@pytest.mark.parametrize("endpoint", [gateway.LIVELINESS, gateway.GROUPS], ids=lambda e: e.path)
@pytest.mark.parametrize(("status", "headers", "said"), [
    (502, {"server": "nginx/1.22.1", "content-type": "text/html"}, "nginx, 502"),
    (302, {"location": "https://sso.example.org/login"}, "302 to https://sso.example.org"),
    (200, {"server": "Caddy", "content-type": "text/html"}, "Caddy, 200, a page"),
])  # fmt: skip
async def test_a_proxy_in_front_is_named_whatever_is_asked(
    endpoint: gateway.Endpoint, status: int, headers: dict[str, str], said: str
) -> None:
    result = await _get(endpoint, lambda _: httpx.Response(status, content=HTML, headers=headers))
    assert isinstance(result, Malformed)
    assert said in result.front
    assert "something in front of LiteLLM answers" in result.why


# --- over a real socket ----------------------------------------------------------------------------------------

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _server(serve: Serve) -> AsyncIterator[str]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _ask(url: str, endpoint: gateway.Endpoint) -> Any:
    client = GatewayClient(url, "sk-right")
    try:
        return (await client.get(endpoint)).result
    finally:
        await client.close()


async def test_a_port_where_nobody_listens_is_refused() -> None:
    async def nobody(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with _server(nobody) as url:
        pass
    result = await _ask(url, gateway.LIVELINESS)
    assert isinstance(result, Unreachable)
    # an operator has several gateways: the sentence says which address
    assert (result.kind, result.why) == (
        "refused",
        f"no connection to {url.removeprefix('http://')}: connection refused",
    )


async def test_a_gateway_that_takes_the_connection_and_says_nothing_is_a_timeout() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with _server(hang) as url:
        result = await _ask(url, gateway.LIVELINESS._replace(timeout=0.05))
    assert isinstance(result, Unreachable)
    assert (result.kind, result.why) == ("timeout", f"no answer within 0.05 s from {url.removeprefix('http://')}")


async def test_an_answer_that_trickles_without_end_is_a_timeout_too() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.01)

    async with _server(trickle) as url:
        result = await _ask(url, gateway.LIVELINESS._replace(timeout=0.2))
    assert isinstance(result, Unreachable)
    assert result.kind == "timeout"


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", b"SSH-2.0-OpenSSH_9.2\r\n", b"\0\0\0"]
)
async def test_a_connection_that_closes_early_or_speaks_otherwise_is_named(said: bytes) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(said)
        await writer.drain()
        writer.close()

    async with _server(hang_up) as url:
        result = await _ask(url, gateway.LIVELINESS)
    assert isinstance(result, Unreachable)
    assert result.kind == "closed"


async def test_a_host_without_an_address_is_named() -> None:
    result = await _ask("http://nowhere.invalid:4000", gateway.LIVELINESS._replace(timeout=10))
    assert isinstance(result, Unreachable)
    assert result.kind in ("dns", "timeout")


async def test_tls_spoken_to_a_plain_port_is_named() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with _server(plain) as url:
        result = await _ask(url.replace("http:", "https:"), gateway.LIVELINESS)
    assert isinstance(result, Unreachable)
    assert result.kind == "tls"


async def test_a_proxy_of_the_environment_is_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async def alive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n"I\'m alive!"')
        await writer.drain()
        writer.close()

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with _server(alive) as url:
        assert await _ask(url, gateway.LIVELINESS) == "I'm alive!"


# --- a readiness of 503, as both versions' own functions give it ---------------------------------------------------


async def test_a_readiness_of_503_tells_of_the_database() -> None:
    body = b'{"status":"healthy","db":"disconnected","litellm_version":"1.106.2"}'
    for endpoint in (gateway.READINESS, gateway.READINESS_DETAILS):
        found = await _get(endpoint, _says(503, body))
        assert found == Readiness("healthy", db="disconnected", version="1.106.2", ready=False)
    words = b'{"detail":"Service Unhealthy (All connection attempts failed)"}'
    found = await _get(gateway.READINESS, _says(503, words))
    assert found == Readiness("unhealthy", ready=False, error="All connection attempts failed")
    found = await _get(gateway.READINESS, _says(503, b'{"status":"shutting_down"}'))
    assert (found.status, found.db, found.ready) == ("shutting_down", None, False)


async def test_another_503_in_front_of_it_is_none_of_litellm() -> None:
    assert isinstance(await _get(gateway.READINESS, _says(503, b"<html>no upstream</html>", "text/html")), Malformed)
    assert isinstance(await _get(gateway.READINESS, _says(503, b'{"detail":"try again"}')), Malformed)
