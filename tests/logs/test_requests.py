"""What is put together of the lines of requests, and what is not because two may be meant."""

from __future__ import annotations

import json

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.intake import LogIntake
from litellm_tui.logs.requests import LONGEST
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.log import Hop, Request

NOW = 1_796_000_000.0
BEGUN = ("LiteLLM Proxy", "SESSION REUSE: Attached shared aiohttp session to request (ID: 1)")
FALLING = ("LiteLLM Router", "Trying to fallback b/w models")
FELL = ("LiteLLM Router", "Successful fallback b/w models.")


def to(group: str) -> tuple[str, str]:
    return "LiteLLM Router", f"Falling back to model_group = {group}"


def chosen(group: str) -> tuple[str, str]:
    return "LiteLLM Router", f"Selected deployment for model {group}: {{'id': 'a1'}}"


def ok(model: str, name: str = "acompletion") -> tuple[str, str]:
    return "LiteLLM Router", f"litellm.{name}(model={model}) 200 OK"


def refused(model: str) -> tuple[str, str]:
    error = "litellm.InternalServerError: InternalServerError: OpenAIException - Connection error."
    return "LiteLLM Router", f"litellm.acompletion(model={model}) Exception {error}"


def error(group: str, call: str = "c-1", name: str = "RateLimitError") -> tuple[str, str]:
    place = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - "
    return "LiteLLM Proxy:ERROR", f"{place}litellm_call_id={call} - litellm.{name}: {name}: slow down\n" + (
        f"LiteLLM: model group '{group}' failed with the error above"
    )


def key_refused() -> tuple[str, str]:
    place = "litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - "
    return "LiteLLM Proxy:ERROR", f"{place}Authentication Error, Invalid proxy server token passed."


def access(status: int, client: str = "10.20.0.12", path: str = "/v1/chat/completions") -> tuple[str, str]:
    return "uvicorn.access", f'{client}:41000 - "POST {path} HTTP/1.1" {status}'


class Gateway:
    """One process that was seen to start."""

    def __init__(self, *, started: bool = True) -> None:
        self.store = LogStore()
        self.intake = LogIntake(self.store, Redactor(), TrafficCounter())
        self.now = NOW
        if started:
            self.say(("uvicorn.error", "Started server process [7]"))

    def say(self, *lines: tuple[str, str], apart: float = 0.1, pid: int = 7) -> None:
        for source, message in lines:
            self.now += apart
            component, _, level = source.partition(":")
            text = json.dumps({"message": message, "level": level or "INFO", "component": component})
            self.intake.add_entries([Entry(self.now, text, 6, pid, "", 0)])

    @property
    def requests(self) -> list[Request]:
        found = (self.store.requests.at(record.sequence) for record in self.store.since(self.store.first))
        return [request for request in found if request is not None]

    @property
    def hops(self) -> list[tuple[Hop, ...]]:
        return [request.hops for request in self.requests]


def test_a_request_alone_in_its_process_is_told_with_every_group_that_it_went_to() -> None:
    gateway = Gateway()
    gateway.say(
        BEGUN, refused("openai/a"), refused("openai/a"), FALLING, to("small:8b"), ok("openai/b"), FELL, access(200)
    )

    (request,) = gateway.requests
    assert request.hops == (Hop("openai/a", False, "no connection", 2), Hop("small:8b", True))
    assert request.began is not None
    assert abs(gateway.now - request.began - 0.7) < 0.01
    assert gateway.store.requests.anchor(request.members[0]) == request.anchor


def test_the_group_that_the_router_chose_from_names_a_hop_with_its_colon() -> None:
    gateway = Gateway()
    gateway.say(BEGUN, chosen("large:70b"), ok("openai/l-2"), access(200))

    assert gateway.hops == [(Hop("large:70b", True),)]


def test_requests_that_overlap_are_told_only_by_their_end() -> None:
    gateway = Gateway()
    gateway.say(BEGUN, refused("openai/a"), BEGUN, ok("openai/b"), access(200))
    gateway.say(to("small"), ok("openai/c"), access(200, "10.20.0.13"))

    assert gateway.hops == [(Hop("openai/b", True),), (Hop("openai/c", True),)]
    assert [request.began for request in gateway.requests] == [None, None]


def test_of_two_answers_that_wait_none_is_given_to_an_access_line() -> None:
    gateway = Gateway()
    gateway.say(BEGUN, BEGUN, ok("openai/a"), ok("openai/b"), access(200), access(200, "10.20.0.13"))
    assert gateway.requests == []

    gateway.say(BEGUN, ok("openai/a"), access(200))
    assert gateway.hops == [(Hop("openai/a", True),)]


def test_of_two_errors_that_wait_none_is_given_to_an_access_line_and_none_of_those_that_come_between() -> None:
    gateway = Gateway()
    gateway.say(error("a", "c-1"), error("a", "c-2"), access(429), error("a", "c-3"), access(429), access(429))
    assert gateway.requests == []


def test_the_only_error_that_waits_belongs_to_the_access_line_of_its_status() -> None:
    gateway = Gateway(started=False)
    gateway.say(error("a"), access(429), error("b"), access(500))

    (request,) = gateway.requests
    assert request.hops == (Hop("a", False, "429 rate limit"),)
    assert request.level == "ERROR"


def test_a_key_that_is_refused_while_a_request_runs_does_not_end_it() -> None:
    gateway = Gateway()
    gateway.say(BEGUN, key_refused(), access(401, "10.9.9.9"), ok("openai/a"), access(200))

    first, second = gateway.requests
    assert (first.hops[0].ok, len(first.members)) == (False, 1)
    assert second.hops == (Hop("openai/a", True),)


def test_a_request_from_before_the_log_is_not_taken_for_the_first_one_seen() -> None:
    gateway = Gateway(started=False)
    gateway.say(BEGUN, ok("openai/old"), access(200, "10.1.1.1"), ok("openai/new"), access(200))

    assert [request.began for request in gateway.requests] == [None, None]
    gateway.say(("LiteLLM", "nothing"), apart=100.0)
    gateway.say(BEGUN, ok("openai/a"), access(200))
    assert gateway.requests[-1].began is not None


def test_a_request_whose_caller_has_gone_keeps_the_others_from_being_told_as_alone_for_a_while_only() -> None:
    gateway = Gateway()
    gateway.say(BEGUN, refused("openai/gone"))
    gateway.say(BEGUN, refused("openai/gone"), ok("openai/a"), access(200))
    assert gateway.hops == [(Hop("openai/a", True),)]

    gateway.say(("LiteLLM", "nothing"), apart=LONGEST)
    gateway.say(BEGUN, refused("openai/a"), ok("openai/a"), access(200))
    assert gateway.hops[-1] == (Hop("openai/a", True, "no connection", 1),)


def test_answers_that_come_behind_their_access_lines_are_given_to_none() -> None:
    gateway = Gateway()
    gateway.say(access(200), ok("openai/a"), apart=0.01)
    gateway.say(access(200), ok("openai/b"), access(200), ok("openai/c"), apart=0.01)

    assert gateway.requests == []


def test_an_answer_of_another_kind_is_not_the_one_of_the_access_line() -> None:
    gateway = Gateway(started=False)
    gateway.say(ok("openai/e", "aembedding"), access(200))

    assert gateway.requests == []


def test_requests_of_two_processes_do_not_touch() -> None:
    gateway = Gateway(started=False)
    gateway.say(("uvicorn.error", "Started server process [1]"), pid=1)
    gateway.say(("uvicorn.error", "Started server process [2]"), pid=2)
    gateway.say(BEGUN, pid=1)
    gateway.say(BEGUN, ok("openai/b"), pid=2)
    gateway.say(ok("openai/a"), access(200), pid=1)
    gateway.say(access(200, "10.20.0.13"), pid=2)

    assert gateway.hops == [(Hop("openai/a", True),), (Hop("openai/b", True),)]
    assert all(request.began for request in gateway.requests)


def test_what_the_store_has_dropped_is_forgotten() -> None:
    store = LogStore(most_records=2000)
    gateway = Gateway()
    gateway.store, gateway.intake = store, LogIntake(store, Redactor(), TrafficCounter())
    gateway.say(("uvicorn.error", "Started server process [7]"))
    for _ in range(1200):
        gateway.say(BEGUN, ok("openai/a"), access(200))

    assert store.requests.at(3) is None
    assert store.requests.count == 1200
    assert len(gateway.requests) >= 600
    assert len(store.requests._joined) < 1200
