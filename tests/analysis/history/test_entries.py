"""The timeline: what is folded, and that nobody looked is something else than that nothing happened."""

from __future__ import annotations

import msgspec

from litellm_tui.analysis.history.entries import (
    Entry,
    entries_of,
    has_words,
    lasts,
    length_words,
    line_words,
    title_words,
)
from tests.analysis.history.made import DAY, HOUR, NOW, event

ALWAYS = [(NOW - DAY, NOW)]


def _words(entries: tuple[Entry, ...]) -> list[str]:
    return [title_words(entry) for entry in entries if entry.kind == "event"]


def test_the_newest_comes_first() -> None:
    found = entries_of([event(1, NOW - 300), event(2, NOW - 100), event(3, NOW - 200)], ALWAYS, NOW - DAY, NOW)
    assert _words(found) == ["title 2", "title 3", "title 1"]


def test_that_nobody_looked_is_told_apart_from_that_nothing_happened() -> None:
    looked = [(NOW - DAY, NOW - 20 * HOUR), (NOW - 10 * HOUR, NOW)]
    found = entries_of([event(1, NOW - 5 * HOUR)], looked, NOW - DAY, NOW)
    told = [(entry.kind, entry.at - NOW, (entry.until or 0.0) - NOW) for entry in found if entry.kind != "event"]
    assert told == [
        ("quiet", -5 * HOUR, 0.0),
        ("quiet", -10 * HOUR, -5 * HOUR),
        ("unwatched", -20 * HOUR, -10 * HOUR),
        ("quiet", -DAY, -20 * HOUR),
    ]
    assert title_words(found[-2]) == "nobody looked, for 10 h"
    assert title_words(found[0]) == "nothing happened, for 5 h"


def test_a_recorder_that_is_started_anew_leaves_no_gap() -> None:
    looked = [(NOW - HOUR, NOW - 1800), (NOW - 1770, NOW)]
    found = entries_of([event(1, NOW - 1790)], looked, NOW - HOUR, NOW)
    assert all(entry.kind != "unwatched" for entry in found)


def test_where_nobody_ever_looked_nothing_is_said_to_have_been_quiet() -> None:
    (only,) = entries_of([], [], NOW - DAY, NOW)
    assert (only.kind, only.at, only.until) == ("unwatched", NOW - DAY, NOW)


def test_the_gaps_of_the_record_are_told_once() -> None:
    looked = [(NOW - DAY, NOW - 2 * HOUR), (NOW - HOUR, NOW)]
    found = entries_of([event(1, NOW - 2 * HOUR, "gap", until=NOW - HOUR)], looked, NOW - DAY, NOW)
    assert [entry.kind for entry in found].count("unwatched") == 1
    assert all(entry.kind != "event" for entry in found)


def test_the_same_again_and_again_is_one_line_with_its_number() -> None:
    same = [
        event(n, NOW - 1000 + n * 60, key="group:a", title="a", cause="refused", until=NOW - 980 + n * 60)
        for n in range(5)
    ]
    found = entries_of(same, ALWAYS, NOW - DAY, NOW)
    (one,) = [entry for entry in found if entry.kind == "event"]
    assert len(one.events) == 5
    assert length_words(one, NOW) == "5 times"
    assert one.event is not None
    assert one.event.id == 4
    # while it grows the cursor stays on it
    assert one.key == entries_of([*same, event(9, NOW - 1, key="group:a", title="a", cause="refused")], ALWAYS,
                                 NOW - DAY, NOW)[0].key  # fmt: skip


def test_what_comes_between_keeps_them_apart() -> None:
    found = entries_of(
        [event(1, NOW - 99, key="k", title="a"), event(2, NOW - 50, "start"), event(3, NOW - 20, key="k", title="a")],
        ALWAYS, NOW - DAY, NOW,
    )  # fmt: skip
    assert _words(found) == ["a", "title 2", "a"]


def test_states_that_change_at_once_are_one_line() -> None:
    states = [
        event(n, NOW - 500 + n, "verdict", key=f"d{n}", title=f"group-{n} (openai/m): serving → failing")
        for n in range(7)
    ]
    found = entries_of(states, ALWAYS, NOW - DAY, NOW)
    assert _words(found) == ["7 states changed: group-0 (openai/m), group-1 (openai/m), group-2 (openai/m), "
                             "group-3 (openai/m) and 3 more"]  # fmt: skip
    assert len(_words(entries_of(states[:2], ALWAYS, NOW - DAY, NOW))) == 2


def test_what_lasts_says_for_how_long_and_what_is_over_how_long_it_was() -> None:
    going_on, over = event(1, NOW - 7200), event(2, NOW - 3600, until=NOW - 3000)
    first, second = [e for e in entries_of([going_on, over], ALWAYS, NOW - DAY, NOW) if e.kind == "event"]
    assert (lasts(first), length_words(first, NOW)) == (False, "10 min")
    assert (lasts(second), length_words(second, NOW)) == (True, "for 2 h")
    # a start has no length, and does not go on for ever
    (start,) = [e for e in entries_of([event(3, NOW - 60, "start")], ALWAYS, NOW - DAY, NOW) if e.kind == "event"]
    assert (lasts(start), length_words(start, NOW)) == (False, "")


def test_the_filter_looks_at_all_that_is_known() -> None:
    (entry,) = [
        e for e in entries_of([event(1, NOW - 60, cause="Refused", hit="callers of coder")], ALWAYS, NOW - DAY, NOW)
        if e.kind == "event"
    ]  # fmt: skip
    assert has_words(entry, "refused CODER problem")
    assert not has_words(entry, "refused other")


def test_a_line_does_not_repeat_the_word_of_its_kind() -> None:
    started = event(1, NOW - 10, "start", title="started")
    told = {
        "litellm.service, LiteLLM 1.109.3": msgspec.structs.replace(
            started, subject="litellm.service", hit="LiteLLM 1.109.3"
        ),
        "started": msgspec.structs.replace(started, subject="", hit=""),
        "1 warning": event(2, NOW - 20, "audit", title="audit: 1 warning"),
        "rolled back: it said no": event(3, NOW - 30, "upgrade", title="upgrade: rolled back", cause="it said no"),
        "killed by SIGKILL": event(4, NOW - 40, "end", title="killed by SIGKILL"),
    }
    for words, one in told.items():
        assert line_words(Entry("event", one.at, None, (one,))) == words
