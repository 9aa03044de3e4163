"""A span in figures: what was watched counts, and nothing is said of what is not known."""

from __future__ import annotations

from datetime import UTC

import pytest

from litellm_tui.analysis.history.axis import moment_words
from litellm_tui.analysis.history.glance import glance_of, glance_words, share_words
from tests.analysis.history.made import DAY, HOUR, NOW, Record, event, series


def _told(record: Record, since: float = NOW - DAY) -> dict[str, str]:
    glance = glance_of(record, since, NOW)
    return {name: words for name, words, _ in glance_words(glance, lambda at: moment_words(at, day=False, zone=UTC))}


def test_availability_is_a_share_of_what_was_watched() -> None:
    record = Record([event(1, NOW - HOUR, "downtime", until=NOW - HOUR / 2)], [(NOW - 10 * HOUR, NOW)])
    glance = glance_of(record, NOW - DAY, NOW)
    assert glance.looked == 10 * HOUR
    assert glance.availability == pytest.approx(0.95)
    told = _told(record)
    assert told["availability"] == "95.00 % of the 10 h that somebody looked"
    assert told["unwatched"] == "14 h of 1 d"
    assert told["outages"] == "07:00 for 30 min"


def test_an_outage_that_nobody_watched_costs_no_availability() -> None:
    record = Record([event(1, NOW - 20 * HOUR, "downtime", until=NOW - 19 * HOUR)], [(NOW - 10 * HOUR, NOW)])
    assert glance_of(record, NOW - DAY, NOW).availability == 1.0
    assert len(glance_of(record, NOW - DAY, NOW).outages) == 1


def test_where_nobody_looked_nothing_is_said_to_have_been_well() -> None:
    told = _told(Record())
    assert told["availability"] == "not known: nobody looked"
    assert told["outages"] == "not known"
    assert told["requests"] == told["errors"] == "not recorded"


def test_one_outage_that_is_told_twice_is_one_with_its_cause() -> None:
    twice = [
        event(1, NOW - 100, "downtime", until=NOW - 50),
        event(2, NOW - 95, cause="killed: out of memory", hit="every request fails", until=NOW - 40, key="service:"),
        # a model that is dead is no outage
        event(3, NOW - 90, cause="refused", hit="callers of coder", until=NOW - 10),
    ]
    (outage,) = glance_of(Record(twice, [(NOW - DAY, NOW)]), NOW - DAY, NOW).outages
    assert (outage.at, outage.until, outage.cause) == (NOW - 100, NOW - 40, "killed: out of memory")


def test_an_outage_that_goes_on_is_said_to() -> None:
    record = Record([event(1, NOW - 600, "downtime", cause="hangs")], [(NOW - DAY, NOW)])
    assert _told(record)["outages"] == "07:50 for 10 min, goes on: hangs"
    assert glance_of(record, NOW - DAY, NOW).availability == pytest.approx(1 - 600 / DAY)


def test_changes_are_counted_by_kind() -> None:
    events = [event(1, NOW - 300, "start"), event(2, NOW - 200, "start"), event(3, NOW - 310, "applied"), event(4, NOW)]
    assert _told(Record(events, [(NOW - DAY, NOW)]))["changes"] == "2 starts (07:56); 1 configuration applied (07:54)"


def test_errors_are_told_by_group_with_their_causes() -> None:
    ollama = "llama3.1:8b"
    record = Record(series={
        ("", "requests"): series("requests", 60, 500.0, 500.0),
        ("", "failed"): series("failed", 60, 7.0, 5.0),
        (f"group:{ollama}", "requests"): series("requests", 60, 100.0, None),
        (f"group:{ollama}", "failed"): series("failed", 60, 9.0, None),
        ("group:quiet", "requests"): series("requests", 60, 100.0),
        ("group:quiet", "failed"): series("failed", 60, 0.0),
        (f"cause:{ollama}:timeout", "failed"): series("failed", 60, 2.0, None),
        (f"cause:{ollama}:upstream refused: no route", "failed"): series("failed", 60, 7.0, None),
    })  # fmt: skip
    told = _told(record)
    assert told["requests"] == "1,000 requests, 12 failed (1.20 %)"
    assert told["errors"] == "llama3.1:8b 9 of 100 (upstream refused: no route 7 and timeout 2)"


def test_the_slowest_group_is_named_with_who_measured_it() -> None:
    record = Record(series={
        ("group:a", "latency_p95"): series("latency_p95", 60, 1.0, 1.0),
        ("group:b", "latency_p95"): series("latency_p95", 60, 4.0, None, 2.0),
    })  # fmt: skip
    assert _told(record)["slowest"] == "b: p95 about 3 s, at worst 4 s (by log)"


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "100 %"), (0.99999999, "99.999 %"), (0.9995, "99.950 %"), (0.5, "50.00 %"), (0.0, "0.00 %")],
)
def test_all_but_a_moment_is_not_all(share: float, words: str) -> None:
    assert share_words(share) == words
