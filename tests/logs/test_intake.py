"""From lines of the journal to records: masked, folded, counted, and the console's own polling told apart."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.redaction.redactor import MASK, Redactor
from litellm_tui.collectors.gateway.client import TAG
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.intake import LogIntake
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.failures import NotAvailable
from tests.recorded import VERSIONS, entries

NOW = 1_800_000_000.0


def _taken(*messages: str, time: float = NOW, redact: Redactor | None = None) -> tuple[LogStore, LogIntake]:
    store = LogStore()
    intake = LogIntake(store, redact or Redactor(), TrafficCounter())
    intake.add_entries([Entry(time, message, 6, 1, "litellm") for message in messages])
    return store, intake


@pytest.mark.parametrize("journal", ["journal", "journal-plain", "journal-info"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_recorded_journal_is_taken_in_whole(version: str, journal: str) -> None:
    store, intake = LogStore(), None
    lines = entries(version, journal)
    intake = LogIntake(store, Redactor(), TrafficCounter(), "journalctl -u x")
    intake.add_entries(lines)
    log = intake.log(lines[-1].time)
    assert log.last == store.last > 10
    assert log.last_at == lines[-1].time
    assert log.source == "journalctl -u x"
    errors = [record for record in store.since(0) if record.level in ("ERROR", "CRITICAL")]
    assert sum(log.errors_per_minute) == len(errors) > 0
    assert all(record.text.strip() or record.stack for record in store.since(0))


def test_a_traceback_is_one_error_with_all_that_was_folded_in() -> None:
    store, intake = _taken(
        "12:00:00 - LiteLLM Router:ERROR: router.py:1 - it failed",
        "Traceback (most recent call last):", "ValueError: no",
        "LiteLLM: model group 'g' failed with the error above",
    )  # fmt: skip
    log = intake.log(NOW)
    assert log.errors_per_minute[-1] == 1
    failure = store.get(store.last)
    assert failure is not None
    assert "model group 'g' failed" in failure.stack


def test_errors_are_counted_by_the_minute() -> None:
    store, intake = LogStore(), None
    intake = LogIntake(store, Redactor(), TrafficCounter())
    line = '{"message": "x", "level": "ERROR"}'
    for minutes in (0, 0, 3, 9, 10, 500):
        intake.add_entries([Entry(NOW - minutes * 60, line, 6, 1, "litellm")])
    assert intake.log(NOW).errors_per_minute[-10:] == (1, 0, 0, 0, 0, 0, 1, 0, 0, 2)
    assert set(intake.log(NOW + 3600).errors_per_minute) <= {0, 1}
    assert sum(intake.log(NOW + 9000).errors_per_minute) == 0


def test_secrets_are_masked_before_they_are_kept() -> None:
    redact = Redactor(["hunter22hunter"])
    store, _ = _taken(
        "the password is hunter22hunter",
        '{"message": "m hunter22hunter", "stacktrace": "s hunter22hunter sk-abcdef123456"}',
        "INFO:     1.2.3.4:5 - \"GET /v1/models?api_key=sk-abcdef123456 HTTP/1.1\" 200 OK", redact=redact,
    )  # fmt: skip
    kept = "\n".join(f"{record.text}\n{record.stack}" for record in store.since(0))
    assert "hunter22" not in kept
    assert "sk-abcdef" not in kept
    assert kept.count(MASK) == 5


@pytest.mark.parametrize(
    ("path", "status", "own"),
    [
        (f"/v1/models?{TAG}", 200, True),
        (f"/v1/model/info?{TAG}", 401, True),
        ("/health/liveliness", 200, True),
        ("/cache/ping", 200, True),
        ("/cache/ping", 503, False),
        ("/health/readiness", 500, False),
        ("/v1/models", 200, False),
        ("/v1/chat/completions", 500, False),
        (f"/v1/chat/completions?a={TAG}x", 200, False),
    ],
)
def test_polling_is_told_from_traffic(path: str, status: int, own: bool) -> None:
    store, _ = _taken(f'INFO:     10.0.0.1:5 - "GET {path} HTTP/1.1" {status} X')
    (record,) = store.since(0)
    assert (record.own, record.status) == (own, status)


def test_blank_lines_are_not_kept() -> None:
    store, _ = _taken("", "   ", "\x1b[94m", "text")
    assert [record.text for record in store.since(0)] == ["text"]


def test_the_state_of_the_tail_and_its_restarts() -> None:
    intake = LogIntake(LogStore(), Redactor(), TrafficCounter())
    assert intake.log(NOW).state == "starting"
    intake.set_state("following", None, "a hint")
    assert (intake.log(NOW).state, intake.log(NOW).hint) == ("following", "a hint")
    for _ in range(2):
        intake.set_state("ended", NotAvailable("gone"), None)
    assert (intake.log(NOW).restarts, intake.log(NOW).failure) == (2, NotAvailable("gone"))
