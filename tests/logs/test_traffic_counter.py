"""From the lines of the log and from /metrics to counts of real requests, with probes and health checks kept out."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.intake import LogIntake
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.subject_counts import WINDOW
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.gateway import DeploymentCounters, Metrics
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.traffic import Tally, Traffic
from tests.recorded import VERSIONS, entries

NOW = 1_800_000_000.0


class Fed:
    """A counter that is fed whole lines of a journal."""

    def __init__(self) -> None:
        self.store = LogStore()
        self.counter = TrafficCounter()
        self.intake = LogIntake(self.store, Redactor(), self.counter)

    def write(self, *messages: str, at: float = NOW) -> None:
        self.intake.add_entries([Entry(at, message, 6, 1, "litellm") for message in messages])

    def traffic(self, now: float = NOW + 2) -> Traffic:
        return self.counter.traffic(now, self.store.get)

    def tally(self, kind: str, name: str, now: float = NOW + 2) -> Tally:
        (found,) = [t for t in self.traffic(now).tallies if (t.kind, t.name) == (kind, name)]
        return found


def _ok(model: str) -> str:
    return f'{{"message": "litellm.acompletion(model={model})\\u001b[32m 200 OK\\u001b[0m", "level": "INFO"}}'


def _bad(model: str, error: str = "litellm.RateLimitError: slow down") -> str:
    return (
        f'{{"message": "litellm.acompletion(model={model})\\u001b[31m Exception {error}\\u001b[0m", "level": "INFO"}}'
    )


def _access(path: str, status: int) -> str:
    return f'INFO:     127.0.0.1:5000 - "POST {path} HTTP/1.1" {status} OK'


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_attempts_are_counted_by_model(version: str) -> None:
    fed = Fed()
    lines = entries(version, "journal-info")
    fed.intake.add_entries(lines)
    now = lines[-1].time + 2
    assert fed.traffic(now).per_model
    gpt = fed.tally("model", "openai/gpt-oss", now)
    assert (gpt.ok, gpt.failed) == (2, 0)
    qwen = fed.tally("model", "openai/qwen-err500", now)
    assert (qwen.ok, qwen.failed) == (0, 2)
    assert "upstream exploded" in qwen.error
    assert qwen.failing_since is not None
    assert qwen.failing_since < (qwen.last_failed or 0)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("journal", ["journal", "journal-plain"])
def test_a_recorded_failure_names_its_group_and_its_cause_at_any_level(version: str, journal: str) -> None:
    fed = Fed()
    lines = entries(version, journal)
    fed.intake.add_entries(lines)
    tally = fed.tally("group", "qwen-coder-vllm", lines[-1].time + 2)
    # the caller's failure is counted once, whatever the number of lines that tell it
    assert tally.failed == 1
    assert tally.last_failed is not None
    assert name_cause(tally.error).name == "refused"
    assert "Cooldown Deployments" not in tally.error


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ghost_fallback_does_not_take_the_blame_of_the_group(version: str) -> None:
    fed = Fed()
    lines = entries(version, "journal")
    fed.intake.add_entries(lines)
    now = lines[-1].time + 2
    assert fed.tally("group", "kimi-k2:1t-cloud", now).failed == 1
    assert name_cause(fed.tally("group", "kimi-k2:1t-cloud", now).error).name == "no key"
    notices = {(notice.kind, notice.name) for notice in fed.traffic(now).notices}
    assert ("no such group", "nonexistent-model") in notices


def test_a_failure_begins_behind_the_last_success_and_ends_with_the_next() -> None:
    fed = Fed()
    fed.write(_ok("m"), at=NOW - 60)
    for age in (50, 40, 30):
        fed.write(_bad("m"), at=NOW - age)
    tally = fed.tally("model", "m")
    assert (tally.ok, tally.failed, tally.in_a_row) == (1, 3, 3)
    assert (tally.last_ok, tally.failing_since, tally.last_failed) == (NOW - 60, NOW - 50, NOW - 30)
    fed.write(_ok("m"), at=NOW)
    healed = fed.tally("model", "m")
    assert (healed.in_a_row, healed.failing_since, healed.last_ok) == (0, None, NOW)


def test_counts_leave_the_window_and_times_stay() -> None:
    fed = Fed()
    fed.write(_ok("m"), at=NOW)
    later = fed.tally("model", "m", NOW + WINDOW + 60)
    assert (later.ok, later.last_ok) == (0, NOW)


def test_a_probe_is_taken_back_by_the_access_line_that_carries_the_consoles_tag() -> None:
    fed = Fed()
    fed.write(_ok("m"), _access("/v1/chat/completions", 200), at=NOW - 3)
    fed.write(_ok("m"), _access("/v1/chat/completions?from=litellm-tui", 200), at=NOW)
    assert fed.tally("model", "m").ok == 1
    traffic = fed.traffic()
    assert (traffic.requests, traffic.refused, traffic.access_lines) == (1, 0, True)


def test_where_there_are_no_access_lines_the_consoles_own_probe_is_known_by_its_time() -> None:
    fed = Fed()
    fed.write(_bad("m"), at=NOW)
    fed.counter.note_probe(ProbeResult("id", "g", "m", False, NOW - 0.2, took=0.3))
    fed.write(_bad("m"), at=NOW + 60)
    assert fed.tally("model", "m", NOW + 62).failed == 1


def test_a_probes_failure_names_a_deployment_and_is_not_its_groups() -> None:
    fed = Fed()
    identity = "ab" * 32
    fed.write(
        "12:00:00 - LiteLLM Proxy:ERROR: x.py:1 - litellm.proxy.proxy_server._handle_llm_api_exception(): Exception "
        f"occured - litellm.RateLimitError: no\n\nLiteLLM: model group '{identity}' failed with the error above"
    )
    assert fed.traffic().tallies == ()


def test_what_callbacks_write_of_a_request_is_no_failure_of_a_group() -> None:
    fed = Fed()
    fed.write(
        "12:00:00 - LiteLLM:ERROR: redis_cache.py:1 - LiteLLM Redis Caching: async set() - Got exception from REDIS "
        "Error 111, Writing value={'text': \"model group 'g' failed\"}"
    )
    assert fed.traffic().tallies == ()


def test_a_refusal_to_ask_a_cooling_group_says_for_how_long() -> None:
    fed = Fed()
    fed.write(
        '{"level": "ERROR", "message": "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - '
        "litellm.RateLimitError: No deployments available for selected model, Try again in 7 seconds. "
        "Passed model=pool. pre-call-checks=False, cooldown_list=['a', 'b']\"}"
    )
    assert fed.tally("group", "pool").cooling_until == NOW + 7


def test_the_list_of_cooling_deployments_is_read_and_is_nobodys_cause() -> None:
    fed = Fed()
    fed.write(
        '{"level": "ERROR", "message": "litellm.router.py::async_function_with_fallbacks() - Error occurred while '
        "trying to do fallbacks - litellm.InternalServerError: OpenAIException - Connection error."
        "No fallback model group found for original model_group=g. Fallbacks=[]\\nDebug Information:\\nCooldown "
        "Deployments=[('id-1', {'exception_received': 'litellm.RateLimitError: 429', 'status_code': '429', "
        f"'timestamp': {NOW}, 'cooldown_time': 60}})]\"}}"
    )
    assert fed.traffic().cooling == {"id-1": NOW + 60}
    assert name_cause(fed.tally("group", "g").error).name == "no connection"


def test_a_name_that_a_client_invents_is_noticed_without_its_control_characters() -> None:
    fed = Fed()
    for _ in range(3):
        fed.write(
            '{"level": "ERROR", "message": "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured '
            "- 400: {'error': '/chat/completions: Invalid model name passed in model=gpt\\u001b[31m-9. Call "
            "`/v1/models` to view'}\"}"
        )
    (notice,) = fed.traffic().notices
    assert (notice.kind, notice.name, notice.times) == ("no such group", "gpt-9", 3)


def test_metrics_count_from_the_first_reading_on_and_survive_a_restart() -> None:
    counter = TrafficCounter()

    def read(ok: float, failed: float, at: float) -> None:
        errors = {"Timeout 408": failed} if failed else {}
        counter.add_metrics(Metrics((DeploymentCounters("id", ok=ok, failed=failed, errors=errors),)), at)

    read(100, 5, NOW)
    assert counter.traffic(NOW, lambda _: None).tallies == ()
    read(104, 5, NOW + 30)
    read(104, 7, NOW + 60)
    (tally,) = counter.traffic(NOW + 60, lambda _: None).tallies
    assert (tally.kind, tally.name, tally.ok, tally.failed) == ("deployment", "id", 4, 2)
    assert (tally.last_ok, tally.failing_since, tally.error) == (NOW + 30, NOW + 60, "Timeout 408")
    read(3, 0, NOW + 90)
    (tally,) = counter.traffic(NOW + 90, lambda _: None).tallies
    assert (tally.ok, tally.in_a_row) == (7, 0)


def test_metrics_do_not_count_the_consoles_own_probes() -> None:
    counter = TrafficCounter()
    counter.add_metrics(Metrics((DeploymentCounters("id", ok=1),)), NOW)
    counter.note_probe(ProbeResult("id", "g", "m", True, NOW + 1))
    counter.add_metrics(Metrics((DeploymentCounters("id", ok=2),)), NOW + 30)
    assert counter.traffic(NOW + 30, lambda _: None).tallies == ()
    assert counter.traffic(NOW + 30, lambda _: None).counted


def test_any_number_of_names_is_bounded() -> None:
    fed = Fed()
    for number in range(3000):
        fed.write(_ok(f"model-{number}"), at=NOW + number)
    assert len(fed.traffic(NOW + 4000).tallies) <= 1000


# --- the last hour -----------------------------------------------------------------------------------------------


def test_an_hour_is_kept_by_minutes_and_no_more() -> None:
    fed = Fed()
    minute = int(NOW // 60)
    for back in range(90, -1, -1):
        fed.write(_ok("openai/big"), at=NOW - 60 * back)
    fed.write(_bad("openai/big"), at=NOW + 1)
    fed.counter.settle()
    hour = fed.tally("model", "openai/big", NOW + 2).hour
    assert [one[0] for one in hour] == list(range(minute - 59, minute + 1))
    assert hour[-1] == (minute, 1, 1)
    assert fed.tally("model", "openai/big", NOW + 1800).hour[0][0] == minute - 29
    assert fed.tally("model", "openai/big", NOW + 4000).hour == ()


def test_the_last_three_failures_keep_their_words_in_one_line() -> None:
    fed = Fed()
    for number in range(5):
        fed.write(_bad("openai/big", f"litellm.RateLimitError: number {number}"), at=NOW + 10 * number)
    fed.counter.settle()
    errors = fed.tally("model", "openai/big", NOW + 60).errors
    assert [error.words for error in errors] == [f"litellm.RateLimitError: number {n}" for n in (2, 3, 4)]
    assert [error.time for error in errors] == [NOW + 20, NOW + 30, NOW + 40]
    assert [fed.store.get(error.sequence) is not None for error in errors] == [True] * 3


def test_what_callers_ask_wrongly_is_in_no_minute_of_failures() -> None:
    fed = Fed()
    fed.write(_access("/v1/chat/completions", 500), at=NOW)
    fed.write(_access("/v1/chat/completions", 500), at=NOW + 61)
    fed.write(_access("/v1/chat/completions", 401), at=NOW + 61)
    traffic = fed.traffic(NOW + 70)
    minute = int(NOW // 60)
    assert traffic.failed_hour == ((minute, 0, 1), (minute + 1, 0, 1))
    assert traffic.hour == ((minute, 0, 1), (minute + 1, 1, 1))
    # an hour later only the second is left, and it is out of the window
    assert fed.traffic(NOW + 3600).failed_hour == ((minute + 1, 0, 1),)
