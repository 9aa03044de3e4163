"""Probing: what is sent, what counts as an answer, and that nothing else can pass for one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from litellm_tui.actions.probe import ALONE, Asking, Done, Event, Started, probe
from litellm_tui.actions.probe_cost import calls_needed, is_paid, not_here, place_of, reachable
from litellm_tui.actions.probe_request import why_not
from litellm_tui.actions.probe_stream import Stream
from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.analysis.routing.table import Routing
from litellm_tui.collectors.gateway.client import LIVELINESS
from litellm_tui.model.found import Found
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.probe import ProbeResult
from litellm_tui.target.profile import Profile
from tests.actions.standin import KEY, Answer, StandIn, deployment, hangs, recorded, says, streams
from tests.recorded import VERSIONS, case
from tests.waiting import eventually

HELLO = '{"id":"1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"}}]}'
STOP = '{"id":"1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'


async def events(profile: Profile, deployments: Sequence[LoadedDeployment], **options: Any) -> list[Event]:
    return [event async for event in probe(profile, deployments, **options)]


async def result(standin: StandIn, answer: Answer, mode: str | None = None, **options: Any) -> ProbeResult:
    """What a probe of one deployment, with the id `id`, makes of this answer."""
    standin.answers["id"] = answer
    found = [event for event in await events(standin.profile, [deployment("id", mode)], **options)
             if isinstance(event, ProbeResult)]  # fmt: skip
    assert len(found) == 1
    return found[0]


def of_id(version: str, name: str) -> Answer:
    """A recorded answer that comes from the deployment `id`."""
    said = case(version, name)["headers"]
    return recorded(version, name, **({"x_litellm_model_id": "id"} if "x-litellm-model-id" in said else {}))


# --- what is sent ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "path", "field"),
    [
        (None, "/v1/chat/completions", "messages"),
        ("chat", "/v1/chat/completions", "messages"),
        ("completion", "/v1/completions", "prompt"),
        ("embedding", "/v1/embeddings", "input"),
        ("rerank", "/v1/rerank", "documents"),
    ],
)
async def test_each_mode_has_its_endpoint_and_is_asked_alone_and_tagged(
    standin: StandIn, mode: str | None, path: str, field: str
) -> None:
    found = await result(standin, recorded("1.106.2", "probe-200"), mode)
    ((asked, body),) = standin.asked
    assert asked == f"{path}?from=litellm-tui"
    assert body["model"] == "id"
    assert field in body
    assert {name: body[name] for name in ALONE} == ALONE
    assert ALONE == {"disable_fallbacks": True, "num_retries": 0, "cache": {"no-cache": True, "no-store": True}}
    assert body.get("max_tokens", 5) == 5
    assert "stream" not in body
    assert standin.keys == {f"Bearer {KEY}"}
    assert found.endpoint == path


@pytest.mark.parametrize("mode", ["embedding", "rerank"])
async def test_what_has_no_stream_is_asked_without_one(standin: StandIn, mode: str) -> None:
    found = await result(standin, of_id("1.106.2", f"probe-{mode}-200"), mode, stream=True)
    assert "stream" not in standin.asked[0][1]
    assert found.ok
    assert not found.stream


@pytest.mark.parametrize("mode", ["responses", "image_generation", "audio_transcription", "moderation", "realtime"])
async def test_another_mode_is_not_guessed(standin: StandIn, mode: str) -> None:
    found = await events(standin.profile, [deployment("id", mode)])
    assert found[0] == Started(0, 1)
    assert isinstance(found[1], ProbeResult)
    assert mode in found[1].skipped
    assert not found[1].ok
    assert isinstance(found[2], Done)
    assert (found[2].answered, found[2].failed, found[2].skipped) == (0, 0, 1)
    assert standin.asked == []


def test_a_wildcard_and_what_has_no_id_are_not_guessed() -> None:
    assert "wildcard" in why_not(deployment("id", model="openai/*"))
    # 1.106 lists one as every model that it may stand for
    listed = LoadedDeployment("id", "openai/gpt-4o", "openai/gpt-4o", names=("openai/gpt-4o", "openai/gpt-4"))
    assert "wildcard" in why_not(listed)
    aliased = LoadedDeployment("id", "openai/gpt-4o", "openai/gpt-4o", names=("openai/gpt-4o", "best"))
    assert why_not(aliased) == ""
    assert "no id" in why_not(deployment(""))
    assert "no id" in why_not(deployment("#3"))


# --- what is an answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("probe-200", None),
        ("probe-reasoning", None),
        ("probe-completion-200", "completion"),
        ("probe-embedding-200", "embedding"),
        ("probe-rerank-200", "rerank"),
    ],
)
async def test_a_recorded_answer_is_one(standin: StandIn, version: str, name: str, mode: str | None) -> None:
    found = await result(standin, of_id(version, name), mode)
    assert found.ok, found
    assert (found.error, found.skipped, found.status, found.first_token) == ("", "", 200, None)
    assert found.took > 0


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "cause"), [("probe-500", "500"), ("probe-refused", "no connection"), ("probe-rerank-500", "500")]
)
async def test_a_recorded_failure_is_the_deployments_own(standin: StandIn, version: str, name: str, cause: str) -> None:
    found = await result(standin, of_id(version, name))
    assert not found.ok
    assert not found.by_gateway
    assert found.status == 500
    assert name_cause(found.error).name == cause


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_refused_key_is_the_gateways_fault_and_is_not_asked_again(standin: StandIn, version: str) -> None:
    ids = [str(number) for number in range(20)]
    standin.answers = {id: recorded(version, "probe-wrong-key") for id in ids}
    found = [event for event in await events(standin.profile, [deployment(id) for id in ids], concurrency=2)
             if isinstance(event, ProbeResult)]  # fmt: skip
    assert len(found) == 20
    assert len(standin.asked) <= 2
    assert all(event.by_gateway and not event.ok for event in found)
    refused = [event for event in found if event.error]
    assert len(refused) == len(standin.asked)
    assert "refused the key" in refused[0].error
    assert all("refused the key" in event.skipped for event in found if not event.error)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_missing_key_is_asked_for(standin: StandIn, version: str) -> None:
    standin.answers["id"] = recorded(version, "probe-no-key")
    profile = msgspec.structs.replace(standin.profile, key=None)
    found = (await events(profile, [deployment("id")]))[2]
    assert isinstance(found, ProbeResult)
    assert found.by_gateway
    assert "key" in found.error
    assert standin.keys == {None}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (says(502, b"<html><h1>502 Bad Gateway</h1></html>", "text/html"), "HTTP 502, text/html"),
        (says(200, b"<html>Log in</html>", "text/html"), "HTTP 200, text/html"),
        (says(200, b"", "application/json"), "nothing"),
        (says(500, b"Internal Server Error", "text/plain"), "Internal Server Error"),
        (says(200, b"[1]", "application/json"), "not what LiteLLM says"),
        (says(200, b"\xff\xfe", "application/json"), "not what LiteLLM says"),
        (says(200, b"{" * 100_000, "application/json"), "not what LiteLLM says"),
    ],
)
async def test_what_is_not_litellms_is_the_gateways_fault(standin: StandIn, answer: Answer, words: str) -> None:
    found = await result(standin, answer)
    assert not found.ok
    assert found.by_gateway
    assert words in found.error


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"choices": []}', b'{"choices": null}', b'{"choices": "x"}', b'{"choices": [1]}',
     b'{"error": {"message": "boom"}}', b'{"error": "boom"}', b'{"detail": "boom"}'],
)  # fmt: skip
async def test_a_200_without_an_answer_is_none(standin: StandIn, body: bytes) -> None:
    found = await result(standin, says(200, body, "application/json", x_litellm_call_id="1"))
    assert not found.ok
    assert not found.by_gateway
    assert "boom" in found.error or "without an answer" in found.error


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"x_litellm_model_id": "another"}, "another deployment answered"),
        ({"x_litellm_model_id": "id", "x_litellm_attempted_fallbacks": "1"}, "a fallback answered"),
        ({"x_litellm_model_id": "id", "x_litellm_cache_key": "6eac"}, "the cache answered"),
    ],
)
async def test_nothing_else_passes_for_its_answer(standin: StandIn, headers: dict[str, str], words: str) -> None:
    found = await result(standin, recorded("1.106.2", "probe-200", **headers))
    assert not found.ok
    assert words in found.error


async def test_nothing_listening_is_the_gateways_fault() -> None:
    found = await events(Profile("t", "h", Found("http://127.0.0.1:1", "t"), StandIn().profile.tools),
                         [deployment("id")])  # fmt: skip
    said = [event for event in found if isinstance(event, ProbeResult)]
    assert said[0].by_gateway
    assert said[0].status == 0
    assert "connection refused" in said[0].error


async def test_a_connection_that_closes_without_an_answer_is_the_gateways_fault(standin: StandIn) -> None:
    def closes(handler: Any) -> None:
        handler.close_connection = True

    found = await result(standin, closes)
    assert found.by_gateway
    assert "closed before an answer" in found.error


async def test_a_deployment_that_hangs_and_a_gateway_that_hangs_are_told_apart(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await result(standin, hangs, timeout=0.2)
    assert not found.by_gateway
    assert name_cause(found.error).name == "timeout"
    standin.alive = False
    monkeypatch.setattr("litellm_tui.actions.probe_wire.LIVELINESS", LIVELINESS._replace(timeout=0.2))
    found = await result(standin, hangs, timeout=0.2)
    assert found.by_gateway
    assert "the gateway itself hangs" in found.error


async def test_no_secret_is_in_a_result(standin: StandIn) -> None:
    body = b'{"error": {"message": "litellm.AuthenticationError: Incorrect API key provided: %s, hunter22"}}'
    answer = says(401, body % KEY.encode(), "application/json", x_litellm_call_id="1")
    found = await result(standin, answer)
    assert KEY not in found.error
    assert name_cause(found.error).name == "401 key refused"
    assert not found.by_gateway
    found = await result(standin, answer, redact=lambda text: text.replace("hunter22", "•••"))
    assert "hunter22" not in found.error


# --- streams ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "mode"), [("probe-stream", None), ("probe-completion-stream", "completion")])
async def test_a_recorded_stream_is_whole(standin: StandIn, version: str, name: str, mode: str | None) -> None:
    found = await result(standin, of_id(version, name), mode, stream=True)
    assert found.ok, found
    assert found.stream
    assert standin.asked[0][1]["stream"] is True
    assert found.first_token is not None
    assert 0 < found.first_token <= found.took


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_recorded_stream_with_an_error_event_failed_though_http_said_200(
    standin: StandIn, version: str
) -> None:
    found = await result(standin, of_id(version, "probe-stream-error"), stream=True)
    assert (found.ok, found.status, found.by_gateway) == (False, 200, False)
    assert "backend exploded mid-way" in found.error
    assert "after 1 event)" in found.error
    assert found.first_token is not None


async def test_a_stream_that_litellm_reports_as_cut_off(standin: StandIn) -> None:
    found = await result(standin, of_id("1.106.2", "probe-stream-cut-off"), stream=True)
    assert name_cause(found.error).name == "stream breaks"


async def test_a_stream_that_another_model_went_on_with_failed(standin: StandIn) -> None:
    """1.77.7 hands a broken stream to a default fallback, `disable_fallbacks` or not."""
    found = await result(standin, of_id("1.77.7", "probe-stream-replaced"), stream=True)
    assert not found.ok
    assert "another model went on" in found.error


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (streams(HELLO, STOP), "without [DONE]"),
        (streams(HELLO, "[DONE]"), "without a finish_reason"),
        (streams(HELLO), "without a finish_reason"),
        (streams("[DONE]"), "empty stream"),
        (streams(), "empty stream"),
        (streams(HELLO, whole=False), "the stream broke after 1 event"),
        (streams(HELLO, '{"error": "boom"}', STOP, "[DONE]"), "boom"),
        (streams(HELLO, '{"error": {"code": 500}}', "[DONE]"), "500"),
        (streams(HELLO, "<html>", STOP, "[DONE]"), "not JSON"),
        (streams(HELLO, "[1]", STOP, "[DONE]"), "not JSON"),
        (recorded("1.106.2", "probe-200", x_litellm_model_id="id"), "asked for a stream"),
    ],
)
async def test_a_stream_that_is_not_whole_failed(standin: StandIn, answer: Answer, words: str) -> None:
    found = await result(standin, answer, stream=True)
    assert (found.ok, found.status, found.by_gateway) == (False, 200, False)
    assert words in found.error


async def test_a_stream_that_stands_still_times_out(standin: StandIn) -> None:
    def still(handler: Any) -> None:
        streams(HELLO, whole=False)(handler)
        handler.wfile.flush()
        hangs(handler)

    found = await result(standin, still, stream=True, timeout=0.3)
    assert name_cause(found.error).name == "timeout"
    assert "stood still after 1 event" in found.error
    assert found.first_token is not None


def test_thoughts_are_tokens_and_azures_empty_first_event_is_no_other_model() -> None:
    stream = Stream(10.0)
    stream.take('data: {"id":"","model":"","choices":[]}', 10.1)
    stream.take(": a comment", 10.2)
    stream.take('data: {"id":"1","model":"m","choices":[{"delta":{"role":"assistant"}}]}', 10.3)
    assert stream.first_token is None
    stream.take('data: {"id":"1","model":"m","choices":[{"delta":{"reasoning_content":"Hm"}}]}', 11.0)
    stream.take('data: {"id":"1","model":"m","choices":[{"delta":{},"finish_reason":"length"}]}', 12.0)
    stream.take('data: {"id":"1","model":"m","choices":[],"usage":{}}', 12.0)
    stream.take("data: [DONE]", 12.0)
    assert stream.first_token == 1.0
    assert stream.complaint() == ""


# --- many ------------------------------------------------------------------------------------------------------


async def test_events_come_in_order_and_never_more_than_wanted_at_once(standin: StandIn) -> None:
    ids = [str(number) for number in range(12)]

    def slow(handler: Any) -> None:
        time.sleep(0.03)
        recorded("1.77.7", "probe-500")(handler)

    standin.answers = dict.fromkeys(ids, slow)
    found = await events(standin.profile, [*map(deployment, ids), deployment("img", "image_generation")], concurrency=3)
    assert found[0] == Started(12, 1)
    assert isinstance(found[1], ProbeResult)
    assert found[1].skipped
    begun = [event.deployment for event in found if isinstance(event, Asking)]
    ended = [event.deployment for event in found if isinstance(event, ProbeResult) and not event.skipped]
    assert sorted(begun) == sorted(ended) == sorted(ids)
    assert all(found.index(Asking(id)) < next(n for n, event in enumerate(found)
               if isinstance(event, ProbeResult) and event.deployment == id) for id in ids)  # fmt: skip
    last = found[-1]
    assert isinstance(last, Done)
    assert (last.answered, last.failed, last.skipped) == (0, 12, 1)
    assert standin.most_at_once == 3
    assert len(standin.asked) == 12


async def test_cancelling_hangs_up_at_once_and_keeps_what_came(standin: StandIn) -> None:
    standin.answers = {"well": of_id("1.77.7", "probe-500"), "a": hangs, "b": hangs, "later": hangs}
    found: list[Event] = []

    task = asyncio.create_task(_follow(standin, found))
    await eventually(lambda: standin.at_once == 2 and len(standin.asked) == 3, "two hang")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: standin.hung_up == 2, "both connections are closed")
    assert [event.deployment for event in found if isinstance(event, ProbeResult)] == ["well"]
    assert len(standin.asked) == 3


async def _follow(standin: StandIn, found: list[Event]) -> None:
    chosen = [deployment(id) for id in ("well", "a", "b", "later")]
    async with aclosing(probe(standin.profile, chosen, concurrency=2)) as source:
        async for event in source:
            found += [event]


async def test_closing_the_iterator_hangs_up_too(standin: StandIn) -> None:
    standin.answers["id"] = hangs
    source = probe(standin.profile, [deployment("id")])
    assert isinstance(await anext(source), Started)
    assert isinstance(await anext(source), Asking)
    await eventually(lambda: standin.at_once == 1)
    await source.aclose()
    await eventually(lambda: standin.hung_up == 1)


# --- what it costs, and where it goes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://127.0.0.1:11434", "here"), ("http://localhost:1", "here"), ("http://[::1]:1/v1", "here"),
        ("127.0.0.5:80", "here"), ("http://0.0.0.0:8000", "here"), ("http://[::ffff:127.0.0.1]:1", "here"),
        ("http://192.168.1.4:8000/v1", "private"), ("http://10.0.0.1", "private"), ("http://172.20.0.2", "private"),
        ("http://[fd00::1]:1", "private"), ("http://[fe80::1%25eth0]", "private"), ("http://100.64.0.9", "private"),
        ("http://ollama:11434", "private"), ("http://gpu.local:1", "private"),
        ("http://host.docker.internal:1", "private"),
        ("https://api.openai.com/v1", "public"), ("http://8.8.8.8", "public"), ("https://127.0.0.1.evil.com", "public"),
        ("http://172.32.0.1", "public"), ("", "public"), ("http://[::1", "public"),
    ],
)  # fmt: skip
def test_where_an_address_leads(url: str, place: str) -> None:
    assert place_of(url) == place


@pytest.mark.parametrize(
    ("model", "api_base", "paid"),
    [
        ("openai/gpt-4o", None, True),
        ("openai/x", "http://127.0.0.1:8000/v1", False),
        ("openai/x", "https://api.openai.com/v1", True),
        ("openai/x", "http://10.1.2.3/v1", False),
        ("ollama/llama3.1", None, False),
        ("ollama_chat/llama3.1", "http://ollama:11434", False),
        ("ollama/gpt-oss:120b-cloud", None, True),
        ("hosted_vllm/m", "http://192.168.0.2:8000/v1", False),
        ("hosted_vllm/m", "https://gpu.example.com/v1", True),
        ("lm_studio/m", None, False),
        ("gpt-4o", None, True),
        ("anthropic/claude", None, True),
    ],
)
def test_what_is_paid(model: str, api_base: str | None, paid: bool) -> None:
    assert is_paid(deployment("id", model=model, api_base=api_base)) is paid


def test_a_provider_or_base_url_among_the_parameters_counts() -> None:
    assert not is_paid(deployment("id", model="m", custom_llm_provider="ollama"))
    assert not is_paid(deployment("id", model="openai/m", base_url="http://127.0.0.1:1/v1"))


def test_the_calls_are_said_before() -> None:
    free, paid = deployment("1", api_base="http://127.0.0.1:1"), deployment("2")
    image = deployment("3", "image_generation")
    assert calls_needed([free, paid, image]) == (1, 1, 1)
    assert calls_needed([free, paid, image]).total == 2
    assert not calls_needed([free, free, free, paid]).wants_consent
    assert calls_needed([paid, paid]).wants_consent
    assert not calls_needed([image, image]).wants_consent


def test_all_that_a_request_may_end_at() -> None:
    def made(group: str) -> LoadedDeployment:
        return deployment(group, group=group)

    all_ = [made(name) for name in ("a", "b", "c", "d", "e", "unrelated")]
    routing = Routing.of_router(
        {
            "fallbacks": [{"a": ["b"]}, {"b": ["a", "alias"]}],
            "context_window_fallbacks": [{"c": ["d"]}],
            "model_group_alias": {"alias": "c"},
            "default_fallbacks": ["e"],
        }
    )
    assert [d.group for d in reachable("a", all_, routing)] == ["a", "b", "c", "d", "e"]
    assert [d.group for d in reachable("a", all_, None)] == ["a"]


def test_what_is_not_on_this_machine_is_named() -> None:
    here = deployment("1", api_base="http://127.0.0.1:1/v1")
    assert not_here("http://localhost:4000", [here, deployment("2", model="ollama/m")]) == []
    away = not_here(
        "http://u:p@gw.example.com:4000",
        [deployment("3", model="openai/m", api_base="http://10.0.0.1:1/v1"), deployment("4", model="openai/gpt-4o"),
         deployment("5", model="ollama/x-cloud", api_base="http://127.0.0.1:1")],
    )  # fmt: skip
    assert away == [
        "the gateway gw.example.com:4000",
        "openai/m at 10.0.0.1:1",
        "openai/gpt-4o at its provider",
        "ollama/x-cloud, which Ollama runs on its own machines",
    ]
