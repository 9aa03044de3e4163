"""What weighs how much: requests, probes, the health report, each by its age and by whom it is about."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.evidence import FAILURE_MEMORY, UNSEEN_SECONDS
from litellm_tui.analysis.health.verdicts import judge_deployments
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.intake import LogIntake
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.configuration import ConfigError, Configuration
from litellm_tui.model.diagnosis import Deployment
from litellm_tui.model.failures import Denied, Failure, Malformed, NotAvailable, Unauthorized, Unreachable
from litellm_tui.model.gateway import CachePing, Gateway, HealthEntry, HealthReport, LoadedDeployment, Readiness
from litellm_tui.model.log import Log
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Notice, Tally, Traffic
from tests.analysis.test_problems import fault
from tests.recorded import file_deployment, loaded_deployment, made_file

NOW = 1_800_000_000.0
A, B = "http://a:8000/v1", "http://b:8000/v1"
REFUSED = "litellm.InternalServerError: OpenAIException - [Errno 111] Connect call failed"
TIMEOUT = "litellm.Timeout: APITimeoutError - Request timed out."
ONE = (loaded_deployment("g", "openai/m", A, "id1"),)
TWO = (*ONE, loaded_deployment("g", "openai/n", B, "id2"))


def _read(value: Any) -> Reading[Any]:
    return Reading(value=value, seen_at=NOW - 1, tried_at=NOW - 1, interval=5.0)


def _rows(
    loaded: tuple[LoadedDeployment, ...],
    *tallies: Tally,
    visible: bool = True,
    probes: tuple[ProbeResult, ...] = (),
    health: HealthReport | None = None,
    cooling: dict[str, float] | None = None,
) -> list[Deployment]:
    gateway = Gateway(liveliness=_read("x"), deployments=_read(loaded), health=_read(health) if health else Reading())
    snapshot = Snapshot(
        taken_at=NOW,
        gateway=gateway,
        log=Log(state="following"),
        traffic=Traffic(tallies=tallies, per_model=visible, cooling=cooling or {}),
        probes=probes,
    )
    return list(judge_deployments(snapshot, NOW, False))


def _states(*arguments: Any, **more: Any) -> list[str]:
    return [row.verdict.state for row in _rows(*arguments, **more)]


def _group(age: float, failed: int = 1, error: str = TIMEOUT, row: int = 0, **more: Any) -> Tally:
    row = row or failed
    return Tally("group", "g", failed=failed, last_failed=NOW - age, failing_since=NOW - age - row, in_a_row=row,
                 error=error, failures=tuple(NOW - age - n for n in reversed(range(min(row, 3)))), **more)  # fmt: skip


def _ok(age: float, ok: int = 20, name: str = "openai/m") -> Tally:
    return Tally("model", name, ok=ok, last_ok=NOW - age)


# --- a group of one -----------------------------------------------------------------------------------------------


def test_one_timeout_among_many_answers_is_no_outage() -> None:
    """A timeout is written of the group alone: the model's own line says nothing of it."""
    assert _states(ONE, _ok(5), _group(2)) == ["serving"]
    assert _states(ONE, _ok(2), _group(5)) == ["serving"]


def test_timeouts_behind_the_last_answer_are_counted_together_with_it() -> None:
    (row,) = _rows(ONE, _ok(30), _group(2, failed=4))
    assert (row.verdict.state, row.verdict.brief) == ("failing", "timeout")
    assert row.verdict.since == NOW - 6


def test_of_failures_before_and_behind_an_answer_only_those_behind_it_make_a_row() -> None:
    # twelve timeouts, of which the last two came after the last answer
    (row,) = _rows(ONE, _ok(3.5), _group(2, failed=12))
    assert (row.verdict.state, row.verdict.brief) == ("degraded", "timeout")


def test_one_that_answers_again_is_not_failing_any_more() -> None:
    assert _states(ONE, _ok(1, ok=8), _group(6, failed=9)) == ["degraded"]
    assert _states(ONE, _ok(1, ok=60), _group(90, failed=9)) == ["serving"]


def test_the_clearer_of_two_words_for_the_same_failure_is_used() -> None:
    vague = "litellm.InternalServerError: InternalServerError: OpenAIException - Connection error."
    own = Tally("model", "openai/m", failed=3, last_failed=NOW - 2, failing_since=NOW - 9, in_a_row=3, error=vague)
    (row,) = _rows(ONE, own, _group(2, failed=3, error=f"{vague}\nstack trace: [Errno 111] Connect call failed"))
    assert row.verdict.brief == "refused"


# --- where answers are not written --------------------------------------------------------------------------------


def test_a_single_failure_is_no_outage_where_answers_would_not_be_seen() -> None:
    (row,) = _rows(ONE, _group(5), visible=False)
    assert (row.verdict.state, row.verdict.brief) == ("degraded", "timeout")
    assert "answers are not written" in row.verdict.reason
    # where they would be seen, it is the only thing known
    assert _states(ONE, _group(5)) == ["failing"]


def test_failures_in_a_row_are_an_outage_until_nothing_more_is_heard() -> None:
    assert _states(ONE, _group(5, failed=3), visible=False) == ["failing"]
    assert _states(ONE, _group(UNSEEN_SECONDS + 1, failed=3), visible=False) == ["degraded"]
    assert _states(ONE, _group(FAILURE_MEMORY + 1, failed=3), visible=False) == ["idle"]


def test_where_little_is_asked_a_failure_speaks_for_longer() -> None:
    """One request in two minutes, and every one fails: it does not come and go with each of them."""
    slow = Tally("group", "g", failed=3, last_failed=NOW - 130, failing_since=NOW - 370, in_a_row=3, error=TIMEOUT,
                 failures=(NOW - 370, NOW - 250, NOW - 130))  # fmt: skip
    assert _states(ONE, slow, visible=False) == ["failing"]


def test_a_single_failure_that_the_health_check_confirms_is_an_outage() -> None:
    red = HealthReport((), (HealthEntry("openai/m", A, "id1", REFUSED),))
    (row,) = _rows(ONE, _group(5), visible=False, health=red)
    assert row.verdict.state == "failing"


# --- a group of several -------------------------------------------------------------------------------------------


def test_the_one_that_was_not_seen_to_answer_is_suspected_of_its_groups_timeouts() -> None:
    tallies = (_ok(1), _ok(60, name="openai/n"), _group(2, failed=6))
    assert _states(TWO, *tallies) == ["serving", "degraded"]


def test_the_failures_of_one_are_not_held_against_the_others() -> None:
    own = Tally("model", "openai/n", failed=5, last_failed=NOW - 2, failing_since=NOW - 9, in_a_row=5, error=REFUSED)
    assert _states(TWO, own, _group(2, failed=5, error=REFUSED)) == ["idle", "failing"]


def test_what_answers_under_the_same_model_name_elsewhere_acquits_nobody() -> None:
    twins = (loaded_deployment("g", "openai/m", A, "id1"), loaded_deployment("h", "openai/m", B, "id2"))
    rows = _rows(twins, _ok(1), _group(3, failed=4, error=REFUSED))
    assert [(row.group, row.verdict.state) for row in rows] == [("g", "failing"), ("h", "serving")]


def test_what_fails_under_the_same_model_name_convicts_nobody() -> None:
    twins = (loaded_deployment("g", "openai/m", A, "id1"), loaded_deployment("h", "openai/m", B, "id2"))
    own = Tally("model", "openai/m", failed=5, last_failed=NOW - 2, failing_since=NOW - 9, in_a_row=5, error=REFUSED)
    rows = _rows(twins, own)
    assert [row.verdict.state for row in rows] == ["degraded", "degraded"]
    assert "does not say which" in rows[0].verdict.reason
    assert [(row.ok, row.failed) for row in rows] == [(None, None), (None, None)]


# --- probes, metrics, cooldowns -----------------------------------------------------------------------------------


def test_a_line_of_the_log_is_newer_than_the_metrics_of_half_a_minute_ago() -> None:
    counted = Tally("deployment", "id1", ok=50, last_ok=NOW - 5)
    written = Tally("model", "openai/m", ok=50, failed=4, last_ok=NOW - 30, last_failed=NOW - 8, in_a_row=4,
                    failing_since=NOW - 20, error=REFUSED)  # fmt: skip
    assert _states(ONE, counted, written) == ["failing"]
    # a log that fell silent is not
    silent = Tally("model", "openai/m", ok=1, last_ok=NOW - 250)
    failing = Tally("deployment", "id1", failed=9, last_failed=NOW - 5, failing_since=NOW - 60, in_a_row=9, error="500")
    assert _states(ONE, failing, silent) == ["failing"]


def test_the_log_knows_better_than_the_metrics_why() -> None:
    counted = Tally("deployment", "id1", failed=4, last_failed=NOW - 1, failing_since=NOW - 30, in_a_row=4,
                    error="Openai.InternalServerError 500")  # fmt: skip
    (row,) = _rows(ONE, counted, _group(9, failed=4, error=REFUSED))
    assert row.verdict.brief == "refused"


def test_an_answered_probe_of_long_ago_does_not_speak_against_a_red_check() -> None:
    red = HealthReport((), (HealthEntry("openai/m", A, "id1", REFUSED),))
    for age, state in ((FAILURE_MEMORY - 10, "serving"), (FAILURE_MEMORY + 10, "failing")):
        probe = ProbeResult("id1", "g", "openai/m", True, NOW - age)
        assert _states(ONE, probes=(probe,), health=red) == [state]


def test_a_refused_key_stays_one_while_the_router_takes_a_pause() -> None:
    refused = "litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect API key provided"
    for until in (None, NOW + 5):
        (row,) = _rows(ONE, _group(1, failed=4, error=refused, cooling_until=until))
        assert (row.verdict.state, row.verdict.brief) == ("failing", "401 key refused")


def test_a_rate_limit_that_began_a_pause_is_a_pause() -> None:
    limited = "litellm.RateLimitError: RateLimitError: OpenAIException - slow down"
    (row,) = _rows(ONE, _group(1, failed=4, error=limited, cooling_until=NOW + 5))
    assert (row.verdict.state, row.verdict.brief) == ("cooling down", "429 rate limit")


def test_a_cooldown_of_one_of_two_is_not_the_others() -> None:
    assert _states(TWO, _ok(1), cooling={"id2": NOW + 9}) == ["serving", "cooling down"]


# --- streams ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "plain"])
def test_a_stream_that_begins_well_and_breaks_is_not_serving(form: str) -> None:
    """1.77.7 writes `200 OK` when a stream begins, and an error that names the group when it breaks: all three did."""
    store, counter = LogStore(), TrafficCounter()
    intake = LogIntake(store, Redactor(), counter)
    for begun in (30, 20, 10):
        lines = fault("1.77.7", "stream-error")["journal"][form]
        intake.add_entries(
            [Entry(NOW - begun + n / 1000, line["MESSAGE"], 6, 7, "litellm") for n, line in enumerate(lines)]
        )
    loaded = (loaded_deployment("garbled", "openai/garbled-m", A, "id1"),)
    gateway = Gateway(liveliness=_read("x"), deployments=_read(loaded))
    snapshot = Snapshot(NOW, gateway=gateway, traffic=counter.traffic(NOW, store.get), log=Log(state="following"))
    (row,) = judge_deployments(snapshot, NOW, False)
    assert (row.verdict.state, row.verdict.brief) == ("failing", "stream breaks")
    assert [p.cause for p in diagnose(snapshot, NOW).problems] == ["stream breaks"]


# --- anything at all ----------------------------------------------------------------------------------------------

TIMES = st.one_of(st.none(), st.floats(NOW - 5000, NOW + 60))
MOMENTS = st.floats(NOW - 5000, NOW)
ERRORS = st.sampled_from(["", REFUSED, TIMEOUT, "litellm.ContextWindowExceededError: x", "401", "\nstack trace: ", "é"])
COUNTS = st.integers(0, 9)
TALLIES = st.builds(
    Tally,
    kind=st.sampled_from(["model", "group", "deployment"]),
    name=st.sampled_from(["openai/m", "openai/n", "g", "h", "id1"]),
    ok=COUNTS, failed=COUNTS, last_ok=TIMES, last_failed=TIMES, failing_since=TIMES, in_a_row=COUNTS, error=ERRORS,
    cooling_until=TIMES, failures=st.lists(MOMENTS, max_size=3).map(lambda found: tuple(sorted(found))),
)  # fmt: skip
FAILURES: st.SearchStrategy[Failure | None] = st.sampled_from(
    [None, Unreachable("x", kind="refused"), Unreachable("x", kind="timeout"), Unreachable("x", kind="dns"),
     Unauthorized("x", sent=True), NotAvailable("off"), Malformed("HTML"), Denied("no")]
)  # fmt: skip
ENTRIES = st.lists(
    st.builds(HealthEntry, model=st.sampled_from(["openai/m", ""]), api_base=st.sampled_from([A, None]),
              model_id=st.sampled_from(["id1", None]), error=st.one_of(st.none(), ERRORS)),
    max_size=2,
).map(tuple)  # fmt: skip


def _reading(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Reading[Any]]:
    return st.builds(Reading, value=st.one_of(st.none(), values), seen_at=TIMES, failure=FAILURES,
                     failing_since=TIMES, tried_at=TIMES, took=st.one_of(st.none(), st.floats(0, 9)))  # fmt: skip


ROUTERS = st.sampled_from(
    [{}, {"fallbacks": [{"g": ["h", "ghost"]}], "model_group_alias": {"a": ["g"], "b": "g", "c": None}},
     {"fallbacks": [{"g": ["h"]}, {"h": ["g"]}], "default_fallbacks": ["g"]}, {"fallbacks": "nonsense"}]
)  # fmt: skip
LOADED = st.lists(
    st.sampled_from([*TWO, loaded_deployment("h", "openai/m", B, "id3"), loaded_deployment("", "")]), max_size=4
).map(tuple)
FILE = made_file(litellm_settings={"cache": True}, router_settings={"fallbacks": [{"g": ["h"]}]})
FILES = st.sampled_from(
    [None, FILE, type(FILE)("c", "0", NOW - 10, ("c",), {}, {}, deployments=(file_deployment("g", "m"),))]
)
GATEWAYS = st.builds(
    Gateway,
    liveliness=_reading(st.just("alive")),
    readiness=_reading(st.builds(Readiness, status=st.just("healthy"), log_level=st.sampled_from([None, "INFO"]))),
    groups=_reading(st.just(("g", "h"))),
    deployments=_reading(LOADED),
    router=_reading(ROUTERS),
    health=_reading(st.builds(HealthReport, healthy=ENTRIES, unhealthy=ENTRIES)),
    cache_ping=_reading(
        st.builds(CachePing, status=st.sampled_from(["healthy", "unhealthy"]), ping=st.sampled_from([True, None]))
    ),
)
SERVICES = _reading(
    st.builds(
        Service, unit=st.just("u"), scope=st.just("user"), load_state=st.sampled_from(["loaded", "not-found"]),
        active_state=st.sampled_from(["active", "failed", "inactive", "activating", "deactivating", "odd"]),
        sub_state=st.sampled_from(["running", "auto-restart", "dead"]), restarts=st.integers(0, 3),
        result=st.sampled_from(["success", "oom-kill", "start-limit-hit"]), started_at=TIMES, changed_at=TIMES,
        exit_code=st.sampled_from(["", "exited", "killed"]),
    )
)  # fmt: skip
NOTICES = st.builds(
    Notice, kind=st.sampled_from(["port taken", "dropped", "no such group", "alias", "stream breaks"]),
    name=st.sampled_from(["g", "m", "x"]), first=MOMENTS, last=MOMENTS, times=st.integers(1, 9),
)  # fmt: skip
SNAPSHOTS = st.builds(
    Snapshot,
    taken_at=st.just(NOW),
    gateway=GATEWAYS,
    configuration=st.builds(Configuration, current=FILES, error=st.sampled_from([None, ConfigError("c", "bad", 3)])),
    service=SERVICES,
    log=st.builds(Log, state=st.sampled_from(["following", "off"]), failure=FAILURES,
                  errors_per_minute=st.sampled_from([(), (0, 9)])),
    traffic=st.builds(Traffic, tallies=st.lists(TALLIES, max_size=6).map(tuple), per_model=st.booleans(),
                      notices=st.lists(NOTICES, max_size=4).map(tuple), counted=st.booleans(),
                      cooling=st.sampled_from([{}, {"id1": NOW + 5}])),
    redis_answer=_reading(st.sampled_from(["PONG", "NOAUTH"])),
    probes=st.lists(
        st.builds(ProbeResult, deployment=st.just("id1"), group=st.just("g"), model=st.just("m"), ok=st.booleans(),
                  asked_at=MOMENTS, error=ERRORS, skipped=st.sampled_from(["", "no chat"])), max_size=2,
    ).map(tuple),
    expected_down=st.sampled_from([{}, {"g": "no GPU"}, {"h": ""}]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(SNAPSHOTS)
def test_no_combination_of_readings_is_too_odd_to_be_diagnosed(snapshot: Snapshot) -> None:
    diagnosis = diagnose(snapshot, NOW)
    assert diagnosis.headline.word
    assert len({problem.key for problem in diagnosis.problems}) == len(diagnosis.problems)
    assert len({row.key for row in diagnosis.deployments}) == len(diagnosis.deployments)
    answering = snapshot.gateway.liveliness.failure is None and snapshot.gateway.liveliness.value is not None
    for row in diagnosis.deployments:
        # nothing is claimed of what cannot be asked
        assert answering or row.verdict.state == "unknown"
    for problem in diagnosis.problems:
        assert problem.cause
        assert problem.reason or problem.severity == "quiet" or problem.place.kind in ("service", "deployment")
    for entry in diagnosis.looked:
        assert entry.text
