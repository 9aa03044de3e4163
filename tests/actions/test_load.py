"""The load test: what its requests are, and that its figures are those of the answers."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.actions.load import CACHED_PROMPT, IN_VAIN, Sample, load, percentile, summarise
from tests.actions.standin import KEY, Answer, StandIn, hangs, recorded, says
from tests.recorded import VERSIONS, case
from tests.waiting import eventually


async def samples(standin: StandIn, answer: Answer, number: int, **options: Any) -> list[Sample]:
    standin.answers["group"] = answer
    return [sample async for sample in load(standin.profile, "group", options.pop("mode", None), number, **options)]


def prompts(standin: StandIn) -> list[str]:
    return [body["messages"][0]["content"] for _, body in standin.asked]


async def test_requests_are_those_of_a_client_and_tagged(standin: StandIn) -> None:
    found = await samples(standin, recorded("1.106.2", "chat-200"), 9, concurrency=3)
    assert len(found) == len(standin.asked) == 9
    assert all(sample.ok for sample in found)
    assert standin.most_at_once <= 3
    for path, body in standin.asked:
        assert path == "/v1/chat/completions?from=litellm-tui"
        assert set(body) == {"model", "messages", "max_tokens"}
        assert body["model"] == "group"
    assert len(set(prompts(standin))) == 9
    assert standin.keys == {f"Bearer {KEY}"}


async def test_two_runs_share_no_prompt_unless_the_cache_is_wanted(standin: StandIn) -> None:
    for _ in range(2):
        await samples(standin, recorded("1.106.2", "chat-200"), 5)
    assert len(set(prompts(standin))) == 10
    standin.asked.clear()
    for _ in range(2):
        await samples(standin, recorded("1.106.2", "chat-200"), 5, cached=True)
    assert set(prompts(standin)) == {CACHED_PROMPT}


async def test_what_the_headers_tell(standin: StandIn) -> None:
    (sample,) = await samples(standin, recorded("1.106.2", "chat-200-by-fallback"), 1)
    headers = case("1.106.2", "chat-200-by-fallback")["headers"]
    assert sample.ok, sample
    assert sample.deployment == headers["x-litellm-model-id"]
    assert sample.group == headers["x-litellm-model-group"]
    assert sample.fallbacks == int(headers["x-litellm-attempted-fallbacks"]) > 0
    for name, cached in (("chat-200", False), ("chat-200-cached", True)):
        (sample,) = await samples(standin, recorded("1.106.2", name), 1)
        assert (sample.cached, sample.fallbacks) == (cached, 0)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_500_tells_neither_who_failed_nor_of_fallbacks(standin: StandIn, version: str) -> None:
    (sample,) = await samples(standin, recorded(version, "chat-500-after-fallback"), 1)
    assert not sample.ok
    assert (sample.status, sample.deployment, sample.group, sample.fallbacks) == (500, "", "", None)
    assert not sample.by_gateway


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_stream_tells_the_first_token(standin: StandIn, version: str) -> None:
    (sample,) = await samples(standin, recorded(version, "probe-stream"), 1, stream=True)
    assert sample.ok
    assert sample.first_token is not None
    assert standin.asked[0][1]["stream"] is True


async def test_a_gateway_that_fails_is_not_asked_on_and_on(standin: StandIn) -> None:
    found = await samples(standin, recorded("1.77.7", "probe-wrong-key"), 500, concurrency=2)
    assert IN_VAIN <= len(found) <= IN_VAIN + 1
    assert all(sample.by_gateway for sample in found)


async def test_failures_of_deployments_do_not_end_it(standin: StandIn) -> None:
    found = await samples(standin, recorded("1.77.7", "probe-500"), 40, concurrency=4)
    assert len(found) == 40
    assert not any(sample.ok or sample.by_gateway for sample in found)


async def test_cancelling_keeps_what_came_and_hangs_up(standin: StandIn) -> None:
    turn = itertools.count()

    def three_then_none(handler: Any) -> None:
        (recorded("1.77.7", "chat-200") if next(turn) < 3 else hangs)(handler)

    standin.answers["group"] = three_then_none
    found: list[Sample] = []
    task = asyncio.create_task(_follow(standin, found))
    await eventually(lambda: len(found) == 3 and standin.at_once == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: standin.hung_up == 2)
    assert len(found) == 3
    assert len(standin.asked) == 5


async def _follow(standin: StandIn, found: list[Sample]) -> None:
    async with aclosing(load(standin.profile, "group", None, 50, concurrency=2)) as source:
        async for sample in source:
            found += [sample]


async def test_secrets_are_masked(standin: StandIn) -> None:
    body = b'{"error": {"message": "litellm.AuthenticationError: refused: %s"}}' % KEY.encode()
    (sample,) = await samples(standin, says(401, body, "application/json", x_litellm_call_id="1"), 1)
    assert KEY not in sample.error


# --- the figures -----------------------------------------------------------------------------------------------


def test_the_report_adds_up() -> None:
    good = [
        Sample(True, took, status=200, deployment="a" if number % 4 else "b", group="g", fallbacks=0, retries=1)
        for number, took in enumerate((0.4, 0.1, 0.2, 0.3), start=1)
    ]
    other = Sample(True, 1.0, status=200, deployment="c", group="h", fallbacks=1, retries=0, cached=True)
    # a stream of 1.77.7 does not say that it came from a fallback
    silent = Sample(True, 0.5, first_token=0.25, status=200, deployment="c")
    refused = Sample(False, 9.0, status=500, error="litellm.InternalServerError: Connection refused")
    wrong = Sample(False, 9.0, status=400, error="the gateway refused the key", by_gateway=True)
    report = summarise([*good, other, silent, refused, wrong, refused], 2.0, {"a", "b"})
    assert (report.requests, report.answered, report.failed) == (9, 6, 3)
    assert report.rate == 3.0
    # failures are quick or slow for reasons of their own: the times are those of answers
    assert (report.p50, report.p95, report.p99, report.slowest) == (0.3, 1.0, 1.0, 1.0)
    assert report.first_token_p50 == 0.25
    assert [(error.cause, error.count) for error in report.errors] == [("refused", 2), ("gateway", 1)]
    assert report.errors[0].example == refused.error
    assert report.fallbacks == 2
    assert report.retries == 4
    assert report.cache_hits == 1
    assert report.groups == {"g": 4, "h": 1}
    assert report.shares == {"a": 3, "c": 2, "b": 1}


def test_a_report_of_nothing_divides_by_nothing() -> None:
    report = summarise([], 0.0, set())
    assert (report.requests, report.rate, report.p50, report.cache_hits) == (0, 0.0, None, 0)


def test_hits_that_are_not_marked_are_not_called_none() -> None:
    answer = Sample(True, 0.1, status=200)
    assert summarise([answer], 1.0, set(), cached=True).cache_hits is None
    assert summarise([answer], 1.0, set(), cached=False).cache_hits == 0


@given(st.lists(st.floats(0, 1e6), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(values: list[float], percent: int) -> None:
    ordered = sorted(values)
    found = percentile(ordered, percent)
    assert found in ordered
    assert sum(value <= found for value in ordered) * 100 >= percent * len(ordered)
    below = [value for value in ordered if value < found]
    assert not below or len(below) * 100 < percent * len(ordered)


async def test_the_time_of_an_answer_is_that_of_the_whole_request(standin: StandIn) -> None:
    def slow(handler: Any) -> None:
        time.sleep(0.05)
        recorded("1.77.7", "chat-200")(handler)

    began = time.monotonic()
    found = await samples(standin, slow, 4, concurrency=1)
    took = time.monotonic() - began
    assert all(sample.took >= 0.05 for sample in found)
    assert sum(sample.took for sample in found) <= took
