"""What single lines say of requests: the forms that 1.77.7 and 1.106.2 write, and what only looks like them."""

from __future__ import annotations

import json

import pytest

from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.logs import call_line, log_line
from tests.analysis.test_problems import fault
from tests.recorded import VERSIONS

ROUTER = "litellm.router.py::async_function_with_fallbacks() - Error occurred while trying to do fallbacks - "
PROXY = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - litellm_call_id=a-b - "


def _group_failure(text: str, begins: str) -> call_line.GroupFailure | None:
    """What a line says of a group, in a record that begins with this text."""
    return call_line.group_failure(call_line.failed_group(text), call_line.failure_report(begins))


def test_an_attempt_names_the_model_and_how_it_ended() -> None:
    assert call_line.attempt("litellm.acompletion(model=openai/m) 200 OK") == ("openai/m", True, "")
    assert call_line.attempt("litellm.aembedding(model=openai/e) 200 OK") == ("openai/e", True, "")
    failed = call_line.attempt("litellm.acompletion(model=openai/m) Exception litellm.RateLimitError: slow\ndown")
    assert failed == ("openai/m", False, "litellm.RateLimitError: slow\ndown")


@pytest.mark.parametrize(
    "text",
    [
        "litellm.acompletion(model=None) Exception No deployments available",
        "LiteLLM completion() model= calm-m; provider = openai",
        "litellm.acompletion(model=openai/m) 200 OKAY",
        "I read: litellm.acompletion(model=openai/m) 200 OK",
        "x" * 100 + "(model=openai/m) 200 OK",
        "",
    ],
)
def test_what_only_looks_like_an_attempt_is_none(text: str) -> None:
    assert call_line.attempt(text) is None


def test_a_failure_names_its_group_in_every_form() -> None:
    for text in (
        f"{PROXY}litellm.X: y\n\nLiteLLM: model group 'g' failed with the error above",
        f"{PROXY}litellm.X: yNo fallback model group found for original model_group=g. Fallbacks=[{{'a': ['b']}}]",
        f"{PROXY}litellm.X: y. Received Model Group=g\nAvailable Model Group Fallbacks=None",
        f"{ROUTER}litellm.X: y. Received Model Group=g",
    ):
        found = _group_failure(text, text)
        assert found is not None
        assert (found.group, found.error, found.cooling) == ("g", "litellm.X: y", None)
        assert found.request is text.startswith(PROXY)


def test_a_cooling_group_says_how_long() -> None:
    text = (
        f"{PROXY}No deployments available for selected model, Try again in 7 seconds. All deployments for selected "
        "model are in cooldown. Passed model=pool. pre-call-checks=False, cooldown_list=['a']"
    )
    found = _group_failure(text, text)
    assert found is not None
    assert (found.group, found.cooling) == ("pool", 7.0)


def test_a_callback_that_repeats_a_request_reports_none() -> None:
    text = (
        "LiteLLM Redis Caching: async set() - Got exception from REDIS, Writing value={'x': \"model group 'g' failed\"}"
    )
    assert _group_failure(text, text) is None
    assert _group_failure("prometheus Layer Error(): Exception occured - model group 'g' failed", "x") is None


def test_in_a_plain_log_the_groups_own_error_stands_before_its_name() -> None:
    """The record begins with what the fallback of the group said."""
    begins = f"{ROUTER}litellm.BadRequestError: You passed in model=phantom. There are no healthy deployments"
    line = (
        "litellm.exceptions.InternalServerError: litellm.InternalServerError: OpenAIException - upstream exploded. "
        "Received Model Group=calm"
    )
    found = _group_failure(line, begins)
    assert found is not None
    assert found.group == "calm"
    assert name_cause(found.error).name == "500"


def test_the_list_of_cooling_deployments_is_taken_apart() -> None:
    text = (
        "x\nCooldown Deployments=[('id-1', {'exception_received': \"it said ('no')\", 'status_code': '429', "
        "'timestamp': 100.5, 'cooldown_time': 6}), ('id-2', {'exception_received': '', 'status_code': '401', "
        "'timestamp': 200.0, 'cooldown_time': 5.5})]"
    )
    assert call_line.cooling(text) == [("id-1", 106.5), ("id-2", 205.5)]
    assert call_line.cooling("Cooldown Deployments=[]") == []
    assert call_line.cooling("nothing") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[Errno 98] error while attempting to bind on address ('127.0.0.1', 4000): address already in use",
         ("port taken", "127.0.0.1', 4000")),
        ("Error creating deployment: litellm.BadRequestError: LLM Provider NOT provided. You passed model=untyped-m\nx",
         ("dropped", "untyped-m")),
        ("400: {'error': '/chat/completions: Invalid model name passed in model=a b. Call `/v1/models`",
         ("no such group", "a b")),
        ("litellm.BadRequestError: You passed in model=phantom. There are no healthy deployments",
         ("no such group", "phantom")),
        ("litellm.proxy.proxy_server.async_data_generator(): Exception occured - litellm.X: died\nmore",
         ("stream breaks", "litellm.X: died")),
        ("list indices must be integers or slices, not str",
         ("alias", "list indices must be integers or slices, not str")),
        ("all is well", None),
    ],
)  # fmt: skip
def test_what_else_explains_a_fault(text: str, found: object) -> None:
    assert call_line.notice(text) == found


def test_the_error_alone_is_left_of_a_report() -> None:
    said = (
        f"{ROUTER}litellm.InternalServerError: OpenAIException - Connection error.No fallback model group found for "
        "original model_group=g. Fallbacks=[]\nTraceback (most recent call last):\n  [Errno 111] Connect call failed\n"
        "Debug Information:\nCooldown Deployments=[('a', {'status_code': '401'})]"
    )
    words = call_line.error_words(said)
    assert words.startswith("litellm.InternalServerError: OpenAIException - Connection error\nstack trace: ")
    assert name_cause(words).name == "refused"
    assert "401" not in words
    assert call_line.own_trace("mine\nCooldown Deployments=[('a', '401')]") == "mine\n"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("key", ["refused", "500", "401", "404", "429", "hang", "tls", "dns", "key-unset"])
def test_recorded_failures_name_their_group_and_are_the_callers(version: str, key: str) -> None:
    named = []
    for entry in fault(version, key)["journal"]["json"]:
        text = log_line.parse(entry["MESSAGE"]).text
        if found := _group_failure(text, text):
            named.append(found)
        assert "Cooldown" not in call_line.error_words(text)
    assert len({found.group for found in named}) == 1
    # told once to the caller, however many lines report it
    assert sum(found.request for found in named) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_no_recorded_line_of_redis_is_a_failure_of_a_group(version: str) -> None:
    for key in ("redis-stopped", "redis-hung"):
        for form in ("json", "plain"):
            for entry in fault(version, key)["journal"][form]:
                line = log_line.parse(entry["MESSAGE"])
                assert _group_failure(line.text, line.text) is None, json.dumps(entry)


@pytest.mark.parametrize("number", [".", "1.", "1.2.3", "1" * 400, "٣", "1e5", "-1", "nan"])
def test_what_is_no_number_of_seconds_is_none(number: str) -> None:
    """A client that asks for a model of this name has it written into the proxy's log."""
    text = f"{PROXY}Received Model Group=a No deployments available Try again in {number} seconds"
    found = _group_failure(text, text)
    assert found is not None
    assert found.cooling is None
    listed = f"Cooldown Deployments=[('id', {{'timestamp': {number}, 'cooldown_time': {number}}})]"
    assert call_line.cooling(listed) == []


@pytest.mark.parametrize("form", ["model group '{}' failed", "original model_group={}. Fallbacks=[]"])
def test_a_name_without_end_is_cut(form: str) -> None:
    named = call_line.failed_group(form.format("g" * 40_000))
    assert named is not None
    assert named.group == "g" * call_line.LONGEST_NAME


def test_a_name_stands_in_one_line_with_what_is_around_it() -> None:
    named = call_line.failed_group("original model_group=a\n b. Fallbacks= original model_group=c. Fallbacks=[]")
    assert named is not None
    assert named.group == "c"
