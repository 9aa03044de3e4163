"""The ring of records, and the tracebacks that are folded into the record they belong to."""

from __future__ import annotations

import random
from sys import getsizeof

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.logs.store import FOLD_SECONDS, LONGEST_STACK, LogStore
from litellm_tui.model.log import LogRecord
from tests.recorded import VERSIONS, records


def _record(text: str, *, time: float = 0.0, level: str = "INFO", pid: int = 1, stack: str = "") -> LogRecord:
    return LogRecord(0, time, level, "stdout", text, stack, pid)  # type: ignore[arg-type]  # a level by its name


def _texts(store: LogStore) -> list[str]:
    return [record.text for record in store.since(0)]


# --- the ring ----------------------------------------------------------------------------------------------------


def test_records_are_found_by_their_sequence() -> None:
    store = LogStore()
    assert (len(store), store.first, store.last, store.get(0)) == (0, 0, -1, None)
    for number in range(5):
        assert store.append(_record(str(number))).sequence == number
    assert (len(store), store.first, store.last) == (5, 0, 4)
    found = store.get(3)
    assert found is not None
    assert found.text == "3"
    assert [record.text for record in store.since(3)] == ["3", "4"]
    assert list(store.since(5)) == []
    assert store.get(5) is None
    assert store.get(-1) is None


def test_the_oldest_records_go_when_there_are_too_many() -> None:
    store = LogStore(most_records=100)
    for number in range(5000):
        store.append(_record(str(number)))
    assert (len(store), store.first, store.last, store.dropped) == (100, 4900, 4999, 4900)
    assert _texts(store) == [str(number) for number in range(4900, 5000)]
    assert store.get(4899) is None
    assert [record.sequence for record in store.since(10)][:1] == [4900]


def test_the_oldest_records_go_when_they_are_too_big() -> None:
    store = LogStore(most_bytes=100_000)
    for number in range(100):
        store.append(_record(f"{number} " + "x" * 10_000))
    kept = list(store.since(0))
    assert sum(len(record.text) for record in kept) <= 100_000
    assert [record.sequence for record in kept] == list(range(100 - len(kept), 100))
    assert len(kept) >= 9


def test_one_record_bigger_than_everything_is_kept_alone() -> None:
    store = LogStore(most_bytes=1000)
    store.append(_record("small"))
    store.append(_record("x" * 100_000))
    assert (len(store), store.first) == (1, 1)


def test_memory_is_given_back() -> None:
    store = LogStore(most_records=10)
    for number in range(10_000):
        store.append(_record(str(number)))
    assert len(store._records) <= 2002


@given(st.lists(st.tuples(st.integers(0, 300), st.booleans(), st.integers(0, 2)), max_size=60))
def test_sequences_have_no_gap_and_the_bounds_hold(steps: list[tuple[int, bool, int]]) -> None:
    store = LogStore(most_records=7, most_bytes=3000)
    for size, continues, pid in steps:
        kept = store.append(_record("x" * size, level="ERROR", pid=pid), continues)
        assert store.get(kept.sequence) is kept
    found = list(store.since(0))
    assert [record.sequence for record in found] == list(range(store.first, store.last + 1))
    assert len(found) == len(store) <= 7
    assert store.dropped == store.first


def test_the_revision_tells_of_every_change() -> None:
    store = LogStore()
    seen = {store.revision}
    for record, continues in ((_record("a", level="ERROR"), False), (_record("  b"), True), (_record("c"), False)):
        store.append(record, continues)
        seen.add(store.revision)
    assert len(seen) == 4
    assert store.folds == 1


# --- folding -----------------------------------------------------------------------------------------------------


def test_a_traceback_is_folded_into_the_failure_above_it() -> None:
    store = LogStore()
    failure = store.append(_record("it failed", level="ERROR"))
    for line in ("Traceback (most recent call last):", "  File x", "ValueError: no"):
        folded = store.append(_record(line), continues=True)
        assert folded.sequence == failure.sequence
    (record,) = store.since(0)
    assert (record.text, record.stack) == ("it failed", "Traceback (most recent call last):\n  File x\nValueError: no")


def test_a_traceback_of_its_own_is_an_error_named_by_its_last_line() -> None:
    store = LogStore()
    for line in ("Traceback (most recent call last):", "  File x", "    raise ValueError", "ValueError: no"):
        store.append(_record(line), continues=True)
    (record,) = store.since(0)
    assert (record.level, record.text) == ("ERROR", "ValueError: no")
    assert record.stack.startswith("Traceback (most recent call last):\n  File x")


def test_an_indented_line_below_an_ordinary_one_stands_by_itself() -> None:
    store = LogStore()
    store.append(_record("Set models:"))
    store.append(_record("    llama3.1:latest"), continues=True)
    assert _texts(store) == ["Set models:", "    llama3.1:latest"]


def test_what_comes_later_belongs_to_something_else() -> None:
    store = LogStore()
    store.append(_record("it failed", level="ERROR", time=10.0))
    store.append(_record("  in time", time=10.0 + FOLD_SECONDS), continues=True)
    store.append(_record("  too late", time=10.1 + FOLD_SECONDS), continues=True)
    assert _texts(store) == ["it failed", "  too late"]


def test_what_another_process_wrote_between_is_not_in_the_way() -> None:
    store = LogStore()
    store.append(_record("one failed", level="ERROR", pid=1))
    store.append(_record("two failed", level="ERROR", pid=2))
    store.append(_record("  of one"), continues=True)
    store.append(_record("  of two", pid=2), continues=True)
    assert [(record.text, record.stack) for record in store.since(0)] == [
        ("one failed", "  of one"),
        ("two failed", "  of two"),
    ]


def test_a_line_whose_failure_has_gone_stands_by_itself() -> None:
    store = LogStore(most_records=1)
    store.append(_record("it failed", level="ERROR", pid=1))
    store.append(_record("other", pid=2))
    store.append(_record("  at x", pid=1), continues=True)
    assert _texts(store) == ["  at x"]


def test_a_traceback_without_end_is_bounded() -> None:
    store = LogStore()
    store.append(_record("it failed", level="ERROR"))
    for _ in range(3000):
        store.append(_record("  " + "x" * 100), continues=True)
    first = store.get(0)
    assert first is not None
    assert len(first.stack) <= LONGEST_STACK + 200
    assert len(store) > 1


@pytest.mark.parametrize("version", VERSIONS)
def test_the_recorded_plain_tracebacks_belong_to_the_two_failures(version: str) -> None:
    store = LogStore()
    lines = [item for item in records(version, "journal-plain") if item[0].text.strip()]
    for record, continues in lines:
        store.append(record, continues)
    kept = [record for record in store.since(0) if record.level == "ERROR"]
    assert [record.source for record in kept] == ["router", "proxy"]
    assert all(record.text.startswith("litellm.") for record in kept)
    # the lines from the first failure on are in these two, except the access line at the end
    begin = next(number for number, (record, _) in enumerate(lines) if record.source == "router")
    below = sum(record.stack.count("\n") + 1 for record in kept)
    access = [record for record, _ in lines[begin:] if record.source == "access"]
    assert below + len(kept) + len(access) == len(lines) - begin
    traced = [record for record in kept if "Traceback (most recent call last):" in record.stack]
    assert traced
    assert "Connect call failed ('127.0.0.1', 9199)" in traced[0].stack


@pytest.mark.parametrize("version", VERSIONS)
def test_the_tracebacks_of_two_processes_at_once_are_kept_apart(version: str) -> None:
    lines = [item for item in records(version, "journal-plain") if item[0].text.strip()]
    begin = next(number for number, (record, _) in enumerate(lines) if record.source == "router")
    alone = LogStore()
    for record, continues in lines[begin:]:
        alone.append(record, continues)
    expected = [(record.text, record.stack) for record in alone.since(0)]

    from msgspec.structs import replace

    shuffle, both = random.Random(7), LogStore()
    left = {pid: [(replace(record, pid=pid), continues) for record, continues in lines[begin:]] for pid in (1, 2)}
    while any(left.values()):
        pid = shuffle.choice([pid for pid, waiting in left.items() if waiting])
        both.append(*left[pid].pop(0))
    for pid in (1, 2):
        assert [(record.text, record.stack) for record in both.since(0) if record.pid == pid] == expected


# --- what is fetched from before ---------------------------------------------------------------------------------


def test_older_records_come_before_the_oldest_and_have_sequences_below_it() -> None:
    store = LogStore()
    for number in range(3):
        store.append(_record(f"new {number}"))
    assert store.prepend([_record("old 1"), _record("old 2")], before=0) == 2
    assert store.prepend([_record("old 0")], before=-2) == 1
    assert [record.text for record in store.since(store.first)] == [
        "old 0",
        "old 1",
        "old 2",
        "new 0",
        "new 1",
        "new 2",
    ]
    assert [record.sequence for record in store.since(store.first)] == [-3, -2, -1, 0, 1, 2]
    assert (store.first, store.last, store.prepended) == (-3, 2, 3)
    oldest = store.get(-3)
    assert oldest is not None
    assert oldest.text == "old 0"
    assert [record.text for record in store.slice(-1, 2)] == ["old 2", "new 0"]
    store.append(_record("  at x", level="ERROR"), continues=True)
    assert store.last == 3


def test_a_full_ring_takes_older_records_only_where_room_was_made() -> None:
    store = LogStore(most_records=10)
    for number in range(25):
        store.append(_record(str(number)))
    assert store.prepend([_record("old")], before=store.first) == 0
    store.make_room()
    assert store.prepend([_record("old")], before=store.first) == 1
    assert store.prepend([_record("hole")], before=store.first + 1) == 0, "between it and the ring records would lack"
    store.append(_record("25"))
    assert [record.sequence for record in store.since(store.first)] == list(range(14, 26))
    store.release_older()
    assert [record.sequence for record in store.since(store.first)] == list(range(16, 26))


def test_older_records_beyond_the_room_are_left_out_from_their_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litellm_tui.logs.store.MOST_OLDER_RECORDS", 5)
    store = LogStore(most_records=10)
    for number in range(10):
        store.append(_record(str(number)))
    store.make_room()
    assert store.prepend([_record(f"old {number}") for number in range(20)], before=0) == 5
    assert [record.text for record in store.slice(-5, 5)] == [f"old {number}" for number in range(15, 20)]


def test_the_bytes_are_those_of_the_strings_and_come_back_to_nothing() -> None:
    store = LogStore(most_records=3)
    for number in range(500):
        store.append(_record("ÿ" * number if number % 2 else "\U0001f310" * number, level="ERROR"))
        store.append(_record("  at " + "x" * number), continues=True)
    held = sum(getsizeof(record.text) + getsizeof(record.stack) for record in store.since(store.first))
    assert held < store.bytes < held + 3 * 500
    assert not any(store._records[: store._start]), "what was dropped is let go at once"
