"""Probes and load tests on both LiteLLM versions: a probe is one call, and nothing stands in for its answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from litellm_tui.actions.load import Sample, load, summarise
from litellm_tui.actions.probe import ALONE, PROMPT, Asking, probe
from litellm_tui.actions.probe_request import request_for
from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.cli import main
from litellm_tui.collectors.gateway.client import DEPLOYMENTS, GatewayClient
from litellm_tui.model.found import Found
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.service_kinds import Tools
from litellm_tui.target.profile import Profile, Secret
from tests.lab import Environment, Lab
from tests.lab.config import default_config, deployment
from tests.waiting import eventually

DEAD = "qwen2.5-coder:7b"
DEAD_MODEL = "qwen-err500"
FALLBACK = "gpt-oss:120b-cloud"
# what faults are given to: a failure cools a deployment down for the requests of other tests
VICTIM = "victim"


def _config() -> dict[str, Any]:
    config = default_config()
    # every call of the upstream shall be one of the test's own
    config["general_settings"]["background_health_checks"] = False
    # 1.77 and 1.106 put different paths behind a base that ends in /v1
    rerank = deployment("ranker", "hosted_vllm/ranker", api_base="http://127.0.0.1:@upstream@",
                        model_info={"mode": "rerank"})  # fmt: skip
    dead_ranker = deployment("dead-ranker", "hosted_vllm/ranker-err500", api_base="http://127.0.0.1:@upstream@",
                             model_info={"mode": "rerank"})  # fmt: skip
    image = deployment("painter", "openai/painter", model_info={"mode": "image_generation"})
    config["model_list"] += [rerank, dead_ranker, image, deployment(VICTIM, "openai/victim")]
    config["router_settings"]["fallbacks"].append({"dead-ranker": ["ranker"]})
    config["litellm_settings"]["cache_params"]["supported_call_types"] = ["acompletion", "aembedding", "arerank"]
    return config


@pytest.fixture(scope="module")
def own_lab(lab_environment: Environment) -> Iterator[Lab]:
    with Lab.boot(litellm=lab_environment, config=_config()) as booted:
        yield booted


@pytest.fixture
def lab(own_lab: Lab) -> Lab:
    own_lab.reset_upstream()
    return own_lab


def profile(lab: Lab, key: str | None = None) -> Profile:
    return Profile("lab", "lab", Found(lab.url(), "the lab"), Tools(), key=Secret(key or lab.key()))


async def loaded(lab: Lab, *groups: str) -> list[LoadedDeployment]:
    client = GatewayClient(lab.url(), lab.key())
    try:
        found = (await client.get(DEPLOYMENTS)).result
    finally:
        await client.close()
    assert isinstance(found, tuple), found
    return [one for one in found if not groups or set(groups) & set(one.names)]


async def results(lab: Lab, *groups: str, key: str | None = None, **options: Any) -> list[ProbeResult]:
    chosen = await loaded(lab, *groups)
    return [event async for event in probe(profile(lab, key), chosen, **options) if isinstance(event, ProbeResult)]


async def samples(lab: Lab, group: str, number: int, **options: Any) -> list[Sample]:
    return [sample async for sample in load(profile(lab), group, None, number, **options)]


# --- probes ----------------------------------------------------------------------------------------------------


async def test_each_deployment_answers_for_itself_with_one_call(lab: Lab) -> None:
    found = {result.model: result for result in await results(lab)}
    assert len(found) == 11
    told = {model.rpartition("/")[2]: result for model, result in found.items()}
    for model in ("llama3.1", "llama3.1-b", "gpt-oss", "nomic-embed-text", "ranker", VICTIM):
        assert told[model].ok, told[model]
    causes = {
        "qwen-err500": {"500"},
        "Qwen2.5-Coder-7B-Instruct-AWQ": {"no connection", "refused"},
        "kimi-err401": {"no key"},
        "ranker-err500": {"500"},
    }
    for model, words in causes.items():
        assert not told[model].ok
        assert not told[model].by_gateway
        assert name_cause(told[model].error).name in words, told[model]
    assert "image_generation" in told["painter"].skipped
    unreached = ("Qwen2.5-Coder-7B-Instruct-AWQ", "kimi-err401", "painter")
    assert lab.calls()["models"] == dict.fromkeys(told.keys() - set(unreached), 1)
    assert {result.endpoint for result in found.values()} == {
        "/v1/chat/completions", "/v1/embeddings", "/v1/rerank", "",
    }  # fmt: skip


async def test_a_dead_primary_behind_a_fallback_is_failing_while_requests_succeed(lab: Lab) -> None:
    answer = lab.chat(DEAD, content="is anybody there?")
    assert answer.status == 200
    assert int(answer.headers["x-litellm-attempted-fallbacks"]) > 0
    lab.calls(reset=True)
    (found,) = await results(lab, DEAD)
    assert (found.ok, found.status) == (False, 500)
    assert "upstream exploded" in found.error
    assert lab.calls()["models"] == {DEAD_MODEL: 1}


@pytest.mark.parametrize("group", [VICTIM, "nomic-embed-text", "ranker"])
async def test_nothing_cached_answers(lab: Lab, group: str) -> None:
    (one,) = await loaded(lab, group)
    model = one.model.rpartition("/")[2]
    path, body = request_for(one.mode, one.id, PROMPT)
    # what the cache would answer: the very request of a probe, made as clients make it
    for _ in range(2):
        assert lab.request("POST", path, body).status == 200
    assert lab.calls()["models"][model] <= 2
    lab.fault(model, "err500")
    lab.calls(reset=True)
    (found,) = await results(lab, group)
    assert not found.ok
    assert "upstream exploded" in found.error
    if group != "nomic-embed-text":
        assert lab.calls()["models"] == {model: 1}
    lab.fault(model, None)
    assert (await results(lab, group))[0].ok


async def test_a_failing_embedding_is_asked_three_times_by_litellms_own_client(lab: Lab) -> None:
    """No parameter of a request turns these retries off; the probe's words on its calls rest on it."""
    lab.fault("nomic-embed-text", "err500")
    (found,) = await results(lab, "nomic-embed-text")
    assert name_cause(found.error).name == "500"
    assert lab.calls()["models"] == {"nomic-embed-text": 3}


async def test_a_probe_leaves_nothing_in_the_cache(lab: Lab) -> None:
    (one,) = await loaded(lab, FALLBACK)
    path, body = request_for(one.mode, one.id, f"Say hi at {time.time()}.")
    assert lab.request("POST", path, body | ALONE).status == 200
    assert lab.request("POST", path, body).status == 200
    assert lab.calls()["models"] == {"gpt-oss": 2}


@pytest.mark.parametrize("fault", ["err401", "err404", "err429", "err503", "garbage"])
async def test_faults_of_the_upstream_are_named(lab: Lab, fault: str) -> None:
    lab.fault(VICTIM, fault)
    (found,) = await results(lab, VICTIM)
    assert not found.ok
    assert not found.by_gateway
    words = {"err401": "401", "err404": "404", "err429": "429", "err503": "503", "garbage": ""}[fault]
    assert words in name_cause(found.error).name, found
    assert lab.calls()["models"] == {VICTIM: 1}


async def test_a_deployment_that_cools_down_is_asked_all_the_same(lab: Lab) -> None:
    """LiteLLM refuses requests for the group meanwhile, so that a probe is the way to see that it is back."""
    lab.fault(VICTIM, "err401")
    for number in range(4):
        lab.chat(VICTIM, content=f"cool down {number} {time.time()}")
    lab.fault(VICTIM, None)
    refused = lab.chat(VICTIM, content=f"and now {time.time()}")
    assert refused.status == 429
    assert "No deployments available" in refused.text
    lab.calls(reset=True)
    (found,) = await results(lab, VICTIM)
    assert found.ok, found
    assert lab.calls()["models"] == {VICTIM: 1}


async def test_a_hanging_upstream_is_a_timeout_of_the_deployment(lab: Lab) -> None:
    lab.fault(VICTIM, "hang", 20)
    (found,) = await results(lab, VICTIM, timeout=1.0)
    assert name_cause(found.error).name == "timeout"
    assert "the gateway itself answers" in found.error
    assert not found.by_gateway


async def test_a_stream_is_whole_and_tells_its_first_token(lab: Lab) -> None:
    lab.calls(reset=True)
    (found,) = await results(lab, VICTIM, stream=True)
    assert found.ok, found
    assert found.stream
    assert found.first_token is not None
    assert 0 < found.first_token <= found.took
    assert lab.calls()["models"] == {VICTIM: 1}


@pytest.mark.parametrize("fault", ["cutoff", "errstream"])
async def test_a_stream_that_breaks_is_a_failure_though_http_said_200(lab: Lab, fault: str) -> None:
    lab.fault(VICTIM, fault)
    (found,) = await results(lab, VICTIM, stream=True)
    assert lab.calls()["models"] == {VICTIM: 1}
    assert (found.status, found.by_gateway) == (200, False)
    if fault == "cutoff" and lab.litellm.version.startswith("1.77"):
        # it ends such a stream with finish_reason and [DONE] of its own: nothing outside can tell
        assert found.ok
        return
    assert not found.ok
    assert "after" in found.error
    # without a stream the same deployment answers
    assert (await results(lab, VICTIM))[0].ok


async def test_a_wrong_key_is_the_gateways_and_is_sent_once(lab: Lab) -> None:
    found = await results(lab, key="sk-lab-wrong", concurrency=1)
    asked = [result for result in found if result.error]
    assert len(asked) == 1
    assert all(result.by_gateway or "mode" in result.skipped for result in found)
    assert "refused the key" in asked[0].error
    assert "sk-lab" not in msgspec.json.encode(found).decode()
    assert lab.calls()["total"] == 0


async def test_nothing_listening_is_not_the_deployments_fault(lab: Lab) -> None:
    gone = msgspec.structs.replace(profile(lab), url=Found(f"http://127.0.0.1:{lab.ports.refused}", "the lab"))
    chosen = await loaded(lab, FALLBACK)
    found = [event async for event in probe(gone, chosen) if isinstance(event, ProbeResult)]
    assert found[0].by_gateway
    assert "connection refused" in found[0].error


async def test_cancelling_ends_at_once_what_hangs(lab: Lab) -> None:
    lab.fault(VICTIM, "hang", 20)
    chosen = await loaded(lab, VICTIM)
    begun: list[Asking] = []
    task = asyncio.create_task(_follow(lab, chosen, begun))
    await eventually(lambda: begun and lab.calls()["models"].get(VICTIM) == 1, "the upstream is asked")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # it is there for others at once
    assert lab.request("GET", "/health/liveliness").status == 200
    assert lab.calls()["models"] == {VICTIM: 1}


async def _follow(lab: Lab, chosen: list[LoadedDeployment], begun: list[Asking]) -> None:
    async with aclosing(probe(profile(lab), chosen)) as source:
        async for event in source:
            begun += [event] if isinstance(event, Asking) else []


# --- load ------------------------------------------------------------------------------------------------------


async def test_the_figures_of_a_load_test_are_those_of_the_upstream(lab: Lab) -> None:
    members = await loaded(lab, "llama3.1:latest")
    found = await samples(lab, "gpt-4", 40, concurrency=8)
    report = summarise(found, 1.0, {one.id for one in members})
    assert (report.answered, report.failed, report.fallbacks, report.cache_hits) == (40, 0, 0, 0)
    asked = lab.calls()["models"]
    assert sum(asked.values()) == 40
    names = {one.id: one.model.rpartition("/")[2] for one in members}
    assert {names[id]: number for id, number in report.shares.items()} == asked


async def test_a_load_test_sees_fallbacks_and_who_answered(lab: Lab) -> None:
    members = {one.id for one in await loaded(lab, DEAD)}
    (other,) = await loaded(lab, FALLBACK)
    for stream in (False, True):
        found = await samples(lab, DEAD, 3, concurrency=3, stream=stream)
        report = summarise(found, 1.0, members)
        assert (report.answered, report.failed, report.fallbacks) == (3, 0, 3)
        assert report.shares == {other.id: 3}
    assert lab.calls()["models"]["gpt-oss"] == 6
    assert lab.calls()["models"][DEAD_MODEL] >= 6


async def test_a_load_test_counts_the_cache_where_litellm_marks_it(lab: Lab) -> None:
    await samples(lab, FALLBACK, 1, cached=True)
    lab.calls(reset=True)
    found = await samples(lab, FALLBACK, 10, concurrency=2, cached=True)
    report = summarise(found, 1.0, set(), cached=True)
    hits = 10 - lab.calls()["total"]
    assert hits > 0
    assert report.cache_hits == (None if lab.litellm.version.startswith("1.77") else hits)


async def test_a_load_test_names_the_causes(lab: Lab) -> None:
    lab.fault(VICTIM, "err401")
    report = summarise(await samples(lab, VICTIM, 4, concurrency=2), 1.0, set())
    assert report.failed == 4
    assert sum(error.count for error in report.errors) == 4
    assert report.errors[0].cause in ("401 key refused", "cooling down")


# --- the command -----------------------------------------------------------------------------------------------


def test_the_command_from_beginning_to_end(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("LITELLM_PROXY_API_KEY", lab.key())
    assert main(["probe", "--url", lab.url(), "--json"]) == 2
    shown = capsys.readouterr().out
    document = json.loads(shown)
    assert (document["answered"], document["failed"], document["not_probed"]) == (6, 4, 1)
    # 1.77 lists the alias first
    assert document["results"][0]["group"] == "llama3.1:latest"
    assert lab.key() not in shown
    lab.calls(reset=True)
    assert main(["probe", "--url", lab.url(), "gpt-4", "ranker"]) == 0
    assert lab.calls()["models"] == {"llama3.1": 1, "llama3.1-b": 1, "ranker": 1}
    assert main(["probe", "--url", lab.url(), "nonsense"]) == 64
    assert main(["probe", "--url", lab.url(), "gpt-4", "--requests", "6"]) == 0
    assert main(["probe", "--url", f"http://127.0.0.1:{lab.ports.refused}"]) == 3
