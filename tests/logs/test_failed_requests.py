"""Every failed request is somebody's: lines of 1.77.7 and 1.106.2, as they were written, to whose failure each is."""

from __future__ import annotations

import json

import pytest

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.failed_requests import MOST_CALLERS, MOST_WAITING
from litellm_tui.logs.intake import LogIntake
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.traffic import Tally, Traffic

NOW = 1_800_000_000.0
ROUTER = "litellm.router.py::async_function_with_fallbacks() - Error occurred while trying to do fallbacks - "
PROXY = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - "
CALL = "litellm_call_id=863e7b78-6a0e-410f-b374-a5b8c87931b6 - "
STREAM = "litellm.proxy.proxy_server.async_data_generator(): Exception occured - "
AUTH = "litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - "
WEIGHT = "Deployment weight must be numeric"
DEBUG = "\nDebug Information:\nCooldown Deployments=[]"
SOCKET = "litellm.APIConnectionError: APIConnectionError: OpenAIException - Timeout on reading data from socket"
ALONE = (
    "\n\nLiteLLM: model group '{}' failed with the error above and no fallback model group was found for it, so the "
    "request was not retried on another model. Fallbacks are configured for: front."
)


class Fed:
    """A counter that is fed lines of one process, in order, a hundredth of a second apart."""

    def __init__(self) -> None:
        self.store, self.counter = LogStore(), TrafficCounter()
        self.intake = LogIntake(self.store, Redactor(), self.counter)
        self.at = NOW

    def write(self, *messages: str, pid: int = 1) -> None:
        for message in messages:
            self.intake.add_entries([Entry(self.at, message, 6, pid, "litellm")])
            self.at += 0.01

    def traffic(self, after: float = 3.0) -> Traffic:
        return self.counter.traffic(self.at + after, self.store.get)

    def told(self) -> list[tuple[str, str, int]]:
        return [(failed.by, failed.name, failed.times) for failed in self.traffic().failed]

    def group(self, name: str) -> Tally:
        (found,) = [t for t in self.traffic().tallies if (t.kind, t.name) == ("group", name)]
        return found


def error(text: str) -> str:
    return json.dumps({"message": text, "level": "ERROR"})


def info(text: str) -> str:
    return json.dumps({"message": text, "level": "INFO"})


def access(status: int, path: str = "/v1/chat/completions", client: str = "10.0.0.7:5000") -> str:
    return f'INFO:     {client} - "POST {path} HTTP/1.1" {status} OK'


def _unnamed(text: str = WEIGHT, status: int = 500) -> tuple[str, ...]:
    """A request that fails inside LiteLLM: neither line names its group."""
    return error(ROUTER + text + DEBUG), error(PROXY + CALL + text), access(status)


def test_a_failure_inside_litellm_is_somewhere_in_its_own_words() -> None:
    fed = Fed()
    for _ in range(4):
        fed.write(*_unnamed())
    (failed,) = fed.traffic().failed
    assert (failed.by, failed.name, failed.times, failed.words) == ("", "", 4, WEIGHT)
    assert failed.callers == ("10.0.0.7",)


@pytest.mark.parametrize("lookup", ["lookup_groups=weighted", "original model_group=weighted"])
def test_the_router_names_the_group_in_a_line_before_at_info(lookup: str) -> None:
    fed = Fed()
    for _ in range(3):
        fed.write(info(f"No fallback model group found for {lookup}. Fallbacks=[{{'front': ['spare']}}]"), *_unnamed())
    assert fed.told() == [("group", "weighted", 3)]
    tally = fed.group("weighted")
    assert (tally.failed, tally.in_a_row, tally.broken) == (3, 3, 0)
    assert tally.error.startswith(WEIGHT)


def _tried(model: str, text: str) -> str:
    return info(f"litellm.acompletion(model={model})\x1b[31m Exception {text}\x1b[0m")


def test_a_failure_without_a_group_is_the_models_whose_attempt_failed_so() -> None:
    fed = Fed()
    for _ in range(3):
        fed.write(_tried("openai/small", SOCKET), _tried("openai/small", SOCKET), *_unnamed(SOCKET))
    fed.write(*_unnamed(WEIGHT))
    assert fed.told() == [("model", "openai/small", 3), ("", "", 1)]
    assert [(t.kind, t.name, t.failed) for t in fed.traffic().tallies] == [("model", "openai/small", 6)]


def test_of_two_models_that_failed_alike_neither_is_meant() -> None:
    fed = Fed()
    fed.write(_tried("openai/small", SOCKET), _tried("openai/large", SOCKET), *_unnamed(SOCKET))
    assert fed.told() == [("", "", 1)]


def test_of_two_groups_that_may_be_meant_neither_is_named() -> None:
    fed = Fed()
    for name in ("one", "two"):
        fed.write(info(f"No fallback model group found for lookup_groups={name}. Fallbacks=None"))
    fed.write(*_unnamed())
    assert fed.told() == [("", "", 1)]


def test_the_lines_of_another_worker_name_nothing_here() -> None:
    fed = Fed()
    fed.write(info("No fallback model group found for lookup_groups=other. Fallbacks=None"), pid=2)
    fed.write(*_unnamed())
    assert fed.told() == [("", "", 1)]


def test_a_stream_that_never_brings_a_word_is_its_groups() -> None:
    """1.106.2: its 200 comes with the headers of the upstream; only the lines before the last name the group."""
    fed = Fed()
    middle = f"litellm.MidStreamFallbackError: {SOCKET}{ALONE.format('silent')}"
    for _ in range(4):
        fed.write(
            info("litellm.acompletion(model=openai/silent-m)\u001b[32m 200 OK\u001b[0m"),
            error(ROUTER + middle + DEBUG),
            error(f"Fallback also failed: {middle}"),
            error(STREAM + SOCKET),
            access(500),
        )
    assert fed.told() == [("group", "silent", 4)]
    assert (fed.group("silent").failed, fed.group("silent").broken) == (4, 4)


def test_a_stream_that_breaks_without_a_name_is_no_request_of_somewhere() -> None:
    fed = Fed()
    fed.write(access(200), error(STREAM + "litellm.APIConnectionError: OpenAIException - the engine died"))
    assert fed.told() == [("stream", "", 1)]


def test_a_plain_record_names_its_group_some_lines_below() -> None:
    fed = Fed()
    fed.write(
        f"21:19:06 - LiteLLM Proxy:ERROR: common_request_processing.py:1687 - {PROXY}{CALL}litellm.Timeout: too slow",
        "",
        ALONE.format("late").strip(),
        access(408),
    )
    assert fed.told() == [("group", "late", 1)]


def test_an_access_line_without_a_record_is_counted_all_the_same() -> None:
    fed = Fed()
    fed.write(access(500), access(502), access(503, "/key/generate"), access(200))
    assert fed.told() == [("", "", 2), ("other", "", 1)]


def test_an_access_line_may_be_read_before_the_record_of_its_failure() -> None:
    """Standard output and standard error are read apart."""
    fed = Fed()
    fed.write(access(500), error(PROXY + CALL + WEIGHT))
    assert fed.told() == [("", "", 1)]


def test_what_callers_do_wrong_is_theirs_and_is_counted() -> None:
    fed = Fed()
    fed.write(error(f"{AUTH}Invalid proxy server token passed"), access(401))
    fed.write(error(f"{PROXY}{CALL}400: {{'error': 'Invalid model name passed in model=gone. Call `/v1/models`'}}"))
    fed.write(access(400), access(404, "/favicon.ico"), access(401, client="10.0.0.8:1"))
    assert fed.told() == [("caller", "", 4)]
    (failed,) = fed.traffic().failed
    assert failed.callers == ("10.0.0.7", "10.0.0.8")


def test_a_refusal_that_names_neither_is_a_refusal() -> None:
    fed = Fed()
    fed.write(*_unnamed("Violated guardrail policy", 400))
    # 1.77 with json_logs writes no access line: the text begins with the status
    fed.write(error(f"{PROXY}400: {{'error': 'the request is blocked'}}"))
    assert fed.told() == [("refused", "", 2)]


def test_an_error_at_the_key_check_that_is_answered_with_500_is_not_the_callers() -> None:
    fed = Fed()
    fed.write(error(f"{AUTH}Can't reach database server"), access(500))
    assert fed.told() == [("", "", 1)]


def test_the_consoles_own_requests_and_looks_at_the_state_are_nobodys_failures() -> None:
    fed = Fed()
    fed.write(error(f"{PROXY}{CALL}{WEIGHT}"), access(500, "/v1/chat/completions?from=litellm-tui"))
    fed.write(access(503, "/health/readiness"), access(404, "/metrics"))
    assert fed.told() == []


def test_a_probe_of_a_dead_deployment_is_not_the_failure_of_the_request_beside_it() -> None:
    fed = Fed()
    fed.write(error(f"{PROXY}{CALL}litellm.Timeout: slow{ALONE.format('a' * 64)}"), *_unnamed()[1:])
    fed.write(access(500, "/v1/chat/completions?from=litellm-tui"))
    assert fed.told() == [("", "", 1)]


def test_storms_stay_within_bounds() -> None:
    fed = Fed()
    for number in range(MOST_WAITING + 50):
        fed.intake.add_entries([Entry(NOW, error(PROXY + CALL + WEIGHT), 6, 1, "litellm")])
        fed.intake.add_entries([Entry(NOW, access(500, client=f"10.1.{number % 250}.1:1"), 6, 1, "litellm")])
    (failed,) = fed.traffic().failed
    assert failed.times == MOST_WAITING + 50
    assert len(failed.callers) == MOST_CALLERS


def test_a_named_failure_does_not_name_another_one_with_the_same_error() -> None:
    fed = Fed()
    middle = f"litellm.MidStreamFallbackError: {SOCKET}{ALONE.format('one')}"
    fed.write(error(ROUTER + middle + DEBUG), error(f"Fallback also failed: {middle}"), error(STREAM + SOCKET))
    fed.write(error(STREAM + SOCKET))
    assert sorted(fed.told()) == [("group", "one", 1), ("stream", "", 1)]


@pytest.mark.parametrize(
    "before", ["LiteLLM Router:ERROR: router.py:5555 - ", "LiteLLM:ERROR: main.py:1 - ", "ERROR:    "]
)
def test_an_error_of_a_group_that_names_no_place_is_its_groups(before: str) -> None:
    fed = Fed()
    for _ in range(3):
        fed.write(f"{before}some_pkg.WeirdThing: the flux is off. Received Model Group=zed", access(500))
    (failed,) = fed.traffic().failed
    assert (failed.by, failed.name, failed.times) == ("group", "zed", 3)
    assert failed.words == "some_pkg.WeirdThing: the flux is off"
    assert (fed.group("zed").failed, fed.group("zed").error) == (3, "some_pkg.WeirdThing: the flux is off")


def test_one_request_that_two_records_tell_of_is_one() -> None:
    fed = Fed()
    said = "some_pkg.WeirdThing: the flux is off. Received Model Group=zed"
    fed.write(f"LiteLLM Router:ERROR: router.py:5555 - {said}", error(PROXY + said), access(500))
    assert fed.told() == [("group", "zed", 1)]
    assert fed.group("zed").failed == 1


def test_what_a_client_sends_names_no_group() -> None:
    fed = Fed()
    fed.write(error("LiteLLM Redis Caching: async set() - got ? in. Received Model Group=zed"))
    asked = "litellm.BadRequestError: Invalid model name passed in model=x. Received Model Group=zed. Call"
    fed.write(f"LiteLLM Router:ERROR: router.py:5 - {asked}")
    assert not any(tally.name == "zed" for tally in fed.traffic().tallies)


@pytest.mark.parametrize(("route", "path"), [
    ("embeddings", "/v1/embeddings"), ("image_generation", "/v1/images/generations"), ("rerank", "/rerank"),
    ("completion", "/v1/completions"), ("anthropic_response", "/v1/messages"),
])  # fmt: skip
def test_every_route_of_1_77_reports_a_request_of_its_group(route: str, path: str) -> None:
    fed = Fed()
    said = f"litellm.proxy.proxy_server.{route}(): Exception occured - litellm.NotFoundError: it is gone"
    for _ in range(3):
        fed.write(error(f"{said}. Received Model Group=g\nAvailable Model Group Fallbacks=None"), access(404, path))
    assert fed.told() == [("group", "g", 3)]
    assert fed.group("g").failed == 3


def test_an_access_line_that_comes_after_its_failure_was_counted_is_no_second_failure() -> None:
    """A gateway that gets no processor writes it seconds later, and a reader of old lines reads it in a later batch."""
    fed = Fed()
    fed.write(error(f"{PROXY}{CALL}litellm.Timeout: slow{ALONE.format('one')}"), error(PROXY + CALL + WEIGHT))
    assert sorted(fed.told()) == [("", "", 1), ("group", "one", 1)]
    fed.at += 2
    fed.write(access(408), access(500))
    assert sorted(fed.told()) == [("", "", 1), ("group", "one", 1)]
    assert {failed.callers for failed in fed.traffic().failed} == {("10.0.0.7",)}
    # one more is another request's
    fed.write(access(500))
    assert sorted(fed.told()) == [("", "", 2), ("group", "one", 1)]


def test_an_access_line_that_comes_late_still_says_that_the_request_was_refused() -> None:
    fed = Fed()
    fed.write(error(f"{PROXY}{CALL}Violated guardrail policy"))
    assert fed.told() == [("", "", 1)]
    fed.at += 2
    fed.write(access(400))
    assert fed.told() == [("refused", "", 1)]


def test_a_probe_of_the_console_whose_answer_comes_late_is_taken_back() -> None:
    fed = Fed()
    fed.write(error(PROXY + CALL + WEIGHT))
    assert fed.told() == [("", "", 1)]
    fed.at += 2
    fed.write(access(500, "/v1/chat/completions?from=litellm-tui"))
    assert fed.told() == []


def test_streams_of_two_groups_that_break_alike_are_each_their_own() -> None:
    fed = Fed()
    for _ in range(2):
        for name in ("one", "two"):
            middle = f"litellm.MidStreamFallbackError: {SOCKET}{ALONE.format(name)}"
            fed.write(error(ROUTER + middle + DEBUG), error(f"Fallback also failed: {middle}"), error(STREAM + SOCKET))
    assert sorted(fed.told()) == [("group", "one", 2), ("group", "two", 2)]


def test_groups_that_their_own_reports_name_hide_no_group_that_only_its_look_up_names() -> None:
    fed = Fed()
    for _ in range(3):
        for name in ("one", "two"):
            text = f"litellm.Timeout: slow{ALONE.format(name)}"
            fed.write(info(f"No fallback model group found for lookup_groups={name}. Fallbacks=None"))
            fed.write(error(ROUTER + text + DEBUG), error(PROXY + CALL + text), access(408))
        fed.write(info("No fallback model group found for lookup_groups=weighted. Fallbacks=None"), *_unnamed())
    assert sorted(fed.told()) == [("group", "one", 3), ("group", "two", 3), ("group", "weighted", 3)]


@pytest.mark.parametrize("path", ["/metrics/?from=litellm-tui", "/health/readiness/details", "/cache/ping"])
def test_who_asks_for_the_gateways_state_and_is_refused_answers_no_failure_of_a_model(path: str) -> None:
    fed = Fed()
    fed.write(
        error(f"{PROXY}{CALL}litellm.InternalServerError: no{ALONE.format('g')}"),
        f'INFO:     10.0.0.2:40001 - "GET {path} HTTP/1.1" 404 Not Found',
        'INFO:     10.0.0.9:40000 - "POST /v1/chat/completions HTTP/1.1" 500 Internal Server Error',
    )
    assert fed.told() == [("group", "g", 1)]
    (failed,) = fed.traffic().failed
    assert failed.callers == ("10.0.0.9",)


def test_a_probe_of_the_console_takes_no_callers_failure_with_it() -> None:
    fed = Fed()
    fed.write(
        error(f"{PROXY}{CALL}litellm.InternalServerError: no{ALONE.format('g')}"),
        error(f"{PROXY}{CALL}litellm.InternalServerError: no{ALONE.format('ab' * 32)}"),
        'INFO:     127.0.0.1:40001 - "POST /v1/chat/completions?from=litellm-tui HTTP/1.1" 500 Internal Server Error',
        'INFO:     10.0.0.9:40000 - "POST /v1/chat/completions HTTP/1.1" 500 Internal Server Error',
    )
    assert fed.told() == [("group", "g", 1)]
