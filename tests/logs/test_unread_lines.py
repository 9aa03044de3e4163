"""A line that cannot be read costs that line: it stands in the log as it is, masked, is counted, and said."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from litellm_tui.analysis.health.coverage import blind_spots, source_coverage
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.logs import call_line, command_tail, journal_line
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.intake import UNREADABLE, LogIntake
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.log import LogRecord
from litellm_tui.model.snapshot import Snapshot

NOW = 1_800_000_000.0
SECRET = "hunter22hunter"
FATAL = "Received Model Group=a No deployments available Try again in . seconds"


def _intake(redact: Callable[[str], str] | None = None) -> tuple[LogIntake, LogStore]:
    store = LogStore()
    return LogIntake(store, redact or Redactor([SECRET]), TrafficCounter()), store


def _error(text: str) -> str:
    place = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - litellm_call_id=c-1 - "
    return json.dumps({"message": f"{place}{text}", "level": "ERROR", "component": "LiteLLM Proxy"})


def _take(intake: LogIntake, store: LogStore, *messages: str) -> list[LogRecord]:
    intake.add_entries([Entry(NOW + n, message, 3, 1, "litellm", n) for n, message in enumerate(messages)])
    intake.incidents.settle()
    return list(store.since(store.first))


def test_a_clients_request_ends_nothing() -> None:
    intake, store = _intake()
    records = _take(intake, store, _error(FATAL), "INFO:     after")
    assert [record.level for record in records] == ["ERROR", "INFO"]
    assert intake.log(NOW).unread == 0
    assert sum(n for tally in intake.incidents.failures(NOW).tallies for _, n in tally.counts) == 1


def test_a_line_that_cannot_be_read_costs_that_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str) -> call_line.FailureReport | None:
        if "poison" in text:
            raise ZeroDivisionError
        return real(text)

    real = call_line.failure_report
    monkeypatch.setattr(call_line, "failure_report", broken)
    intake, store = _intake()
    before, poison, after = _take(intake, store, _error("before"), _error(f"poison {SECRET}\x1b[2J"), _error("after"))
    assert "poison" in poison.text
    assert SECRET not in poison.text
    assert "\x1b" not in poison.text
    assert (poison.level, poison.pid, poison.place, poison.time) == ("ERROR", 1, 1, NOW + 1)
    assert (before.source, after.source) == ("proxy", "proxy")
    assert intake.log(NOW).unread == 1
    assert sum(n for tally in intake.incidents.failures(NOW).tallies for _, n in tally.counts) == 2


def test_a_line_that_cannot_be_masked_is_not_shown() -> None:
    def broken(text: str) -> str:
        if SECRET in text:
            raise RecursionError
        return text

    intake, store = _intake(broken)
    (record,) = _take(intake, store, f"LiteLLM:ERROR: {SECRET}")
    assert record.text == UNREADABLE
    assert intake.log(NOW).unread == 1


def test_older_lines_are_read_with_the_same_care(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_line, "failure_report", lambda text: 1 / 0)
    intake, _ = _intake()
    (record,) = intake.older_records([Entry(NOW, _error(f"poison {SECRET}"), 3, 1, "litellm")])
    assert "poison" in record.text
    assert SECRET not in record.text


def test_a_line_of_the_journal_that_cannot_be_decoded_costs_that_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(line: bytes) -> tuple[Entry, str] | None:
        if b"poison" in line:
            raise OverflowError
        return real(line)

    real = journal_line.decode
    monkeypatch.setattr(journal_line, "decode", broken)
    lines = [
        json.dumps({"MESSAGE": list(f"INFO:     {word}".encode()), "__CURSOR": word, "__REALTIME_TIMESTAMP": "1"})
        for word in ("one", "poison", "three")
    ]
    lines[1] += "poison"
    entries, cursor = journal_line.decode_lines("\n".join(lines).encode())
    assert [entry.unread for entry in entries] == [False, True, False]
    assert cursor == "three"
    intake, store = _intake()
    intake.add_entries(entries)
    assert len(store) == 3
    assert intake.log(NOW).unread == 1


def test_a_line_that_its_source_cannot_read_costs_that_line() -> None:
    class Broken:
        pause = 1.0

        def entries(self, line: str, error: bool) -> list[Entry] | str:
            if "poison" in line:
                raise ValueError(line)
            return [Entry(NOW, line, 6, 0, "")]

    class Kept:
        def __init__(self) -> None:
            self.items: list[Entry] = []

        def call(self, function: Callable[[], None]) -> None:
            function()

        def put(self, items: list[Entry]) -> None:
            self.items += items

    pump = Kept()
    followed = command_tail.CommandTail(Broken(), lambda _: None, lambda *_: None)  # type: ignore[arg-type]  # no more is asked
    followed._read_lines(pump, [], 0, b"one\npoison\nthree", False)  # type: ignore[arg-type]  # likewise
    assert [(entry.message, entry.unread) for entry in pump.items] == [
        ("one", False),
        ("poison", True),
        ("three", False),
    ]


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -1e30, 1e300, -5.0])
def test_a_time_that_is_none_is_one_that_can_be_shown(time: float) -> None:
    intake, store = _intake()
    intake.add_entries([Entry(time, "x", 6, 1, ""), Entry(time, "rate limited", 4, 1, "", gap=True)])
    assert all(0.0 <= record.time <= 32_503_680_000.0 for record in store.since(store.first))
    intake.log(NOW)


def test_lines_that_could_not_be_read_are_said() -> None:
    def broken(text: str) -> str:
        raise ValueError

    intake, store = _intake(broken)
    untouched = Snapshot(taken_at=NOW, log=intake.log(NOW))
    assert not any("could not be read" in spot.what for spot in blind_spots(untouched, NOW))
    _take(intake, store, "one", "two")
    snapshot = Snapshot(taken_at=NOW, log=intake.log(NOW))
    (spot,) = [spot for spot in blind_spots(snapshot, NOW) if "could not be read" in spot.what]
    assert "2 lines of the log" in spot.what
    (log,) = [source for source in source_coverage(snapshot) if source.what == "log"]
    assert "2 lines could not be read" in log.text
