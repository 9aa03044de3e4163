"""From the lines of the log to counts of failures: each told once, whoever tells it, and bounded in number."""

from __future__ import annotations

import json

import pytest

from litellm_tui.analysis.failures.incidents import Incident, find_incidents
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.collectors.gateway.client import TAG
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.failure_counter import MOST_KNOWN, MOST_UNKNOWN, FailureCounter
from litellm_tui.logs.intake import LogIntake
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.traffic import Failures
from tests.recorded import VERSIONS, entries, snapshot_of

NOW = 1_800_000_000.0


class Fed:
    """A counter that is fed whole lines of a journal."""

    def __init__(self) -> None:
        self.intake = LogIntake(LogStore(), Redactor(), TrafficCounter())
        self.counter: FailureCounter = self.intake.incidents

    def write(self, *messages: str, at: float = NOW, pid: int = 1) -> None:
        self.intake.add_entries([Entry(at, message, 6, pid, "litellm") for message in messages])

    def failures(self, now: float = NOW + 2) -> Failures:
        return self.counter.failures(now)

    def found(self, now: float = NOW + 2) -> tuple[Incident, ...]:
        return find_incidents(self.failures(now), diagnose(snapshot_of("1.106.2"), now), now)


def _error(text: str, **more: str) -> str:
    return json.dumps({"message": text, "level": "ERROR", "component": "LiteLLM Proxy", **more})


def _access(path: str, status: int, client: str = "10.0.0.9") -> str:
    return f'INFO:     {client}:5000 - "POST {path} HTTP/1.1" {status} X'


def _refused(group: str, error: str = "litellm.RateLimitError: slow down") -> str:
    place = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - litellm_call_id=c-1 - "
    return _error(
        f"{place}{error}\n\nLiteLLM: model group '{group}' failed with the error above", litellm_call_id="c-1"
    )


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("journal", ["journal", "journal-plain", "journal-info"])
def test_a_recorded_fault_is_one_incident_whatever_the_number_of_lines_that_tell_it(version: str, journal: str) -> None:
    fed = Fed()
    lines = entries(version, journal)
    fed.intake.add_entries(lines)
    now = lines[-1].time + 2
    found = find_incidents(fed.failures(now), diagnose(snapshot_of(version), now), now)
    named = [(incident.subject, incident.cause) for incident in found if incident.subject]
    assert len(named) == len(set(named))
    if journal != "journal-info":
        # two of them, as the recorder asked
        assert ("qwen-coder-vllm", "refused") in named
        refused = next(i for i in found if i.subject == "qwen-coder-vllm")
        # the router of 1.77.7 tells it for the request and for the one it was the fallback of
        assert refused.count == (2 if (version, journal) == ("1.77.7", "journal") else 1)
        assert [group for group, _ in named].count("qwen-coder-vllm") == 1
    else:
        assert ("qwen2.5-coder:7b", "500") in named


def test_the_voices_that_tell_of_one_failure_do_not_add_up() -> None:
    fed = Fed()
    for second in range(3):
        fed.write(
            '{"message": "litellm.acompletion(model=openai/qwen-err500) Exception litellm.InternalServerError: no", '
            '"level": "INFO", "component": "LiteLLM Router"}',
            _error(
                "litellm.router.py::async_function_with_fallbacks() - Error occurred while trying to do fallbacks - "
                "litellm.InternalServerError: no\n\nLiteLLM: model group 'qwen2.5-coder:7b' failed with the error above"
            ),
            _refused("qwen2.5-coder:7b", "litellm.InternalServerError: no"),
            at=NOW + second,
        )
    (incident,) = fed.found(NOW + 10)
    assert (incident.subject, incident.cause, incident.count) == ("qwen2.5-coder:7b", "500", 3)
    assert incident.models == ("openai/qwen-err500",)
    assert incident.provider == "openai"
    assert incident.place.kind == "deployment"
    assert incident.minutes[-1] == 3
    assert incident.calls[-1] == "c-1"
    assert incident.means
    assert incident.do


def test_other_groups_in_the_list_of_cooling_deployments_make_no_incident() -> None:
    fed = Fed()
    fed.write(
        _error(
            "litellm.router.py::async_function_with_fallbacks() - Error occurred while trying to do fallbacks - "
            "litellm.InternalServerError: upstream exploded\n\nLiteLLM: model group 'g' failed with the error above"
            "\nDebug Information:\nCooldown Deployments=[('id-1', {'exception_received': 'litellm.AuthenticationError: "
            "401 bad key', 'status_code': '401', 'timestamp': 1, 'cooldown_time': 60})]"
        )
    )
    (incident,) = fed.found()
    assert (incident.subject, incident.cause) == ("g", "500")


def test_a_cooldown_belongs_to_the_failure_that_began_it() -> None:
    fed = Fed()
    cooling = "No deployments available for selected model, Try again in 5 seconds. Passed model=g. x"
    fed.write(_refused("g", "litellm.RateLimitError: slow down"), at=NOW)
    for second in (1, 2, 3):
        fed.write(_refused("g", cooling), at=NOW + second)
    (incident,) = fed.found(NOW + 10)
    # its callers saw four: the three that were refused in the cooldown failed, too
    assert (incident.cause, incident.count, incident.also) == ("429 rate limit", 4, ("cooling down, 3 times",))
    assert incident.words == "slow down"
    alone = Fed()
    alone.write(_refused("g", cooling))
    (incident,) = alone.found()
    assert incident.cause == "cooling down"


def test_a_failure_told_without_a_name_belongs_to_the_group_that_fails_in_the_same_words() -> None:
    fed = Fed()
    place = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - litellm_call_id=c-2 - "
    for second in (1, 2):
        fed.write(_refused("g", "litellm.Timeout: Request timed out after 3.5 s"), at=NOW + second)
        fed.write(_error(f"{place}litellm.Timeout: Request timed out after {second} s"), at=NOW + second)
    fed.write(_error(f"{place}litellm.Timeout: Request timed out in another way"), at=NOW)
    found = {(incident.subject, incident.cause): incident.count for incident in fed.found(NOW + 10)}
    assert found == {("g", "timeout"): 4, ("", "timeout"): 1}


def test_what_the_router_and_the_request_say_in_the_same_words_is_one_incident() -> None:
    fed = Fed()
    words = "unsupported operand type(s) for +: 'int' and 'str'"
    trace = (
        'Traceback (most recent call last):\n  File "/x/litellm/router_strategy/simple_shuffle.py", line 6, in choose'
    )
    router = "litellm.router.py::async_function_with_fallbacks() - Error occurred while trying to do fallbacks - "
    request = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - "
    fed.write(_error(router + words), _error(request + words, stacktrace=f"{trace}\nTypeError: {words}"))
    (incident,) = fed.found()
    assert (incident.failure_of, incident.count) == ("gateway", 1)


def test_a_refusal_of_the_gateways_own_belongs_to_the_group_that_it_names() -> None:
    fed = Fed()
    limit = "litellm.RateLimitError: Deployment over defined rpm limit=1. current usage=2"
    place = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - litellm_call_id=c-2 - "
    fed.write(_refused("g", limit), _error(f"{place}{limit}"))
    fed.write(_error(f"{place}Not allowed to access model due to tags configuration. Passed model=t and tags=['a']"))
    found = {(one.failure_of, one.cause, one.subject): one.count for one in fed.found(NOW + 10)}
    assert found == {
        ("gateway", "own deployment limit", "g"): 2,
        ("gateway", "tags not allowed", "t"): 1,
    }


def test_what_the_check_of_a_key_leaves_unsaid_is_said_to_be_unsaid() -> None:
    fed = Fed()
    fed.write(
        "05:06:07 - LiteLLM Proxy:ERROR: auth_exception_handler.py:7 - "
        "litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - "
    )
    (incident,) = fed.found()
    assert (incident.failure_of, incident.cause, incident.place.kind) == ("gateway", "key check refused", "gateway")


def test_a_plain_traceback_is_named_by_its_last_line() -> None:
    fed = Fed()
    for port in (4001, 4009):
        fed.write(
            "Traceback (most recent call last):", '  File "x.py", line 1, in f', f"OSError: cannot bind {port}",
            at=NOW + port,
        )  # fmt: skip
    (incident,) = fed.found(NOW + 5000)
    assert (incident.cause, incident.count, incident.place.kind) == ("cannot bind 4009", 2, "log")


def test_who_called_is_read_from_the_access_line_of_the_same_process() -> None:
    fed = Fed()
    fed.write(_refused("g"), pid=1)
    fed.write(_access("/v1/chat/completions", 429, "10.0.0.1"), pid=2)
    fed.write(_access("/v1/chat/completions", 200, "10.0.0.2"), pid=1)
    fed.write(_access("/v1/chat/completions", 429, "10.0.0.3"), pid=1)
    (incident,) = fed.found()
    assert incident.callers == (("10.0.0.3", 1),)


def test_the_consoles_own_requests_are_nobodys_incident() -> None:
    fed = Fed()
    fed.write(
        _error("litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - Malformed API Key passed in."),
        _access(f"/v1/models?{TAG}", 401),
        '{"message": "litellm.acompletion(model=m) Exception litellm.Timeout: no", "level": "INFO"}',
        _refused("ab" * 32),
        _access(f"/v1/chat/completions?{TAG}", 500),
    )
    assert [incident.subject for incident in fed.found()] in ([], ["m"])
    assert fed.failures().answers == ()


def test_a_request_of_the_console_that_fails_later_is_not_the_failure_before_it() -> None:
    fed = Fed()
    fed.write(_refused("g"), at=NOW - 30)
    # /metrics are off
    fed.write(_access(f"/metrics?{TAG}", 404), at=NOW)
    assert [incident.subject for incident in fed.found()] == ["g"]


def test_what_the_console_asks_and_is_not_there_takes_no_failure_of_a_model_back() -> None:
    fed = Fed()
    for path, status in (("/metrics/", 404), ("/health/readiness/details", 404), ("/cache/ping", 503)):
        fed.write(_refused("g"), _access("/v1/chat/completions", 500), _access(f"{path}?{TAG}", status))
    # an attempt at a model, and a request of it that the log does not name
    fed.write(
        '{"message": "litellm.acompletion(model=openai/m) Exception litellm.Timeout: no", "level": "INFO"}',
        _access(f"/v1/model/info?{TAG}", 500),
    )
    assert sorted((one.subject, one.count) for one in fed.found()) == [("g", 3), ("openai/m", 1)]
    # the check of its own key, and what a page of the gateway's fails at, are taken back
    own = Fed()
    key = "litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - Malformed API Key passed in."
    own.write(_error(key), _access(f"/cache/ping?{TAG}", 401), _error("cache ping went wrong"))
    own.write(_access(f"/cache/ping?{TAG}", 503))
    assert own.found() == ()


def test_a_probe_takes_back_its_own_failure_and_not_that_of_a_caller_beside_it() -> None:
    fed = Fed()
    fed.write(_refused("ab" * 32), _refused("g"), _access(f"/v1/chat/completions?{TAG}", 500))
    fed.write(_access("/v1/chat/completions", 500))
    assert [(one.subject, one.count) for one in fed.found()] == [("g", 1)]


def test_requests_that_failed_by_a_part_are_counted_where_what_they_met_is_told_better() -> None:
    fed = Fed()
    fed.write(_error("Error getting models - Client is not connected to the query engine, you must call `connect()`"))
    for second in range(3):
        fed.write(
            _error(
                "litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - All connection attempts failed"
            ),
            _access("/v1/chat/completions", 401),
            at=NOW + second,
        )
    (incident,) = fed.found(NOW + 10)
    assert (incident.cause, incident.count) == ("database client lost", 3)
    assert incident.also == ("key check cannot connect, 3 times",)
    assert incident.words.startswith("Error getting models")


def test_names_that_callers_invent_are_one_incident() -> None:
    fed = Fed()
    for number in range(50):
        fed.write(
            _error(
                "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - 400: {'error': "
                f"'/chat/completions: Invalid model name passed in model=fantasy-{number}. Call `/v1/models` to view'}}"
            ),
            at=NOW + number,
        )
    (incident,) = fed.found(NOW + 60)
    assert (incident.cause, incident.count) == ("no such group", 50)
    assert incident.asked[-1] == "and 45 more"


def test_a_callers_bad_key_and_redis_are_named_as_such() -> None:
    fed, redis = Fed(), "127.0.0.1:6379. Connection refused."
    fed.write(
        _error("litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - No api key passed in."),
        _error("litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - Invalid key sk-1"),
        _error(f"LiteLLM Redis Caching: async set() - Got exception from REDIS Error 111 connecting to {redis}"),
        _error(f"LiteLLM Redis Cache PING: - Got exception from REDIS : Error 111 connecting to {redis}"),
    )
    found = {(one.failure_of, one.cause): (one.subject, one.count, one.place.kind) for one in fed.found()}
    assert found == {
        ("caller", "no key given"): ("caller", 1, "gateway"),
        ("caller", "unknown key"): ("caller", 1, "gateway"),
        ("cache", "refused"): ("cache", 2, "cache"),
    }


def test_what_systemd_says_of_an_end_is_about_the_service() -> None:
    fed = Fed()
    for status in (1, 3):
        fed.intake.add_entries([Entry(NOW, f"litellm.service: Failed with result 'exit-{status}'.", 4, 1, "systemd")])
    (incident,) = fed.found()
    assert (incident.subject, incident.cause, incident.count) == ("service", "service ended", 2)


def test_a_storm_of_different_messages_is_bounded_and_leaves_what_is_known() -> None:
    fed = Fed()
    fed.write(_refused("g"), at=NOW)
    words = [chr(97 + n // 676 % 26) + chr(97 + n // 26 % 26) + chr(97 + n % 26) for n in range(10_000)]
    for number, word in enumerate(words):
        fed.write(_error(f"something {word} of kind {chr(97 + number // 17576)} went wrong"), at=NOW + number / 1000)
    failures = fed.failures(NOW + 20)
    assert len(failures.tallies) <= MOST_KNOWN + MOST_UNKNOWN
    assert failures.other + sum(n for t in failures.tallies for _, n in t.counts) == 10_001
    found = fed.found(NOW + 20)
    assert len(found) == MOST_UNKNOWN + 1
    assert ("g", "429 rate limit") in [(incident.subject, incident.cause) for incident in found]
    # the newest stay
    assert max(incident.last for incident in found) == pytest.approx(NOW + 9.999)


def test_words_and_names_of_any_length_are_cut() -> None:
    fed = Fed()
    fed.write(_refused("g" * 40_000), _error("x" * 60_000), at=NOW)
    tallies = fed.failures().tallies
    assert len(tallies) == 2
    assert all(len(tally.name) <= 120 and len(tally.words) <= 2000 for tally in tallies)


def test_a_storm_of_invented_groups_is_bounded_too() -> None:
    fed = Fed()
    for number in range(2000):
        fed.write(_refused(f"group-{number}"), at=NOW + number / 100)
    failures = fed.failures(NOW + 30)
    assert len(failures.tallies) <= MOST_KNOWN
    assert failures.other == 2000 - len(failures.tallies)


def test_counts_of_hours_ago_are_kept_by_the_hour_and_can_be_left_out() -> None:
    fed = Fed()
    for minutes in range(600, -1, -1):
        fed.write(_refused("g"), at=NOW - 60 * minutes)
    (tally,) = fed.failures().tallies
    assert len(tally.counts) <= 60 + 48 + 1
    (all_,) = fed.found()
    assert all_.count == 601
    view = diagnose(snapshot_of("1.106.2"), NOW)
    (late,) = find_incidents(fed.failures(), view, NOW + 2, since=NOW - 600)
    assert late.count == 11
    assert late.first == NOW - 600
    assert find_incidents(fed.failures(), view, NOW + 7200, since=NOW + 60) == ()


def test_what_was_looked_at_is_not_new() -> None:
    fed = Fed()
    fed.write(_refused("old"), at=NOW - 100)
    fed.write(_refused("young"), at=NOW)
    view = diagnose(snapshot_of("1.106.2"), NOW)
    found = find_incidents(fed.failures(), view, NOW + 2, looked_at=NOW - 50)
    assert {incident.subject: incident.new for incident in found} == {"old": False, "young": True}


def test_what_goes_on_stands_before_what_has_ended() -> None:
    fed = Fed()
    for second in range(9):
        fed.write(_refused("ended"), at=NOW - 3000 + second)
    fed.write(_refused("rare"), at=NOW - 30)
    for second in range(3):
        fed.write(_refused("often"), at=NOW - 60 + second)
    assert [i.subject for i in fed.found()] == ["often", "rare", "ended"]
    assert [i.going_on for i in fed.found()] == [True, True, False]


def test_access_lines_are_counted_by_minute_and_kind() -> None:
    fed = Fed()
    for status in (200, 200, 200, 404, 500):
        fed.write(_access("/v1/chat/completions", status))
    fed.write(_access("/health/liveliness", 200), _access(f"/v1/models?{TAG}", 200))
    assert fed.failures().answers == ((int(NOW // 60), 5, 1, 1),)


def test_the_same_object_is_told_until_something_is_added() -> None:
    fed = Fed()
    fed.write(_refused("g"))
    before = fed.failures()
    assert fed.failures() is before
    fed.write(_refused("g"), at=NOW + 5)
    assert fed.failures(NOW + 10) is not before
