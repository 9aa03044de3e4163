"""The index of the log: whatever the order in which it is looked through, it ends as a plain walk over the store."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_tui.logs.store import LogStore
from litellm_tui.model.log import LogRecord
from litellm_tui.ui.widgets.log_index import LogIndex


def _record(number: int) -> LogRecord:
    return LogRecord(sequence=0, time=float(number), level="INFO", source="proxy", text=str(number), pid=number % 3)


def _number(record: LogRecord) -> int:
    return int(record.text)


def _shows(record: LogRecord) -> bool:
    return _number(record) % 3 != 1


def _height(record: LogRecord) -> int:
    return 1 + _number(record) % 4


class _Model:
    def __init__(self, most: int) -> None:
        self.store = LogStore(most_records=most)
        self.number = 0

    def write(self, count: int) -> None:
        for _ in range(count):
            self.store.append(_record(self.number))
            self.number += 1

    def shown(self) -> list[LogRecord]:
        return [record for record in self.store.since(self.store.first) if _shows(record)]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 40)),
        st.tuples(st.just("slice"), st.integers(0, 10)),
        st.tuples(st.just("merge"), st.just(0)),
        st.tuples(st.just("again"), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 60), st.integers(0, 59), st.integers(1, 12), STEPS)
def test_it_ends_as_a_plain_walk_and_what_is_in_place_keeps_its_line(
    written: int, pivot: int, room: int, steps: list[tuple[str, int]]
) -> None:
    model = _Model(50)
    model.write(written)
    pivot = min(pivot, model.store.last)
    index = LogIndex(model.store, _shows, _height, pivot)
    for step, number in steps:
        lines = dict(zip(index.sequences, index.begins, strict=True))
        if step == "write":
            model.write(number)
            index.forget()
        elif step == "slice":
            # a deadline that is over lets it look at one record
            for _ in range(number):
                index.look(-math.inf, room)
        elif step == "merge":
            before = index.top
            assert index.merge() == before - index.top
        else:
            index.look_again()
        assert index.sequences == sorted(index.sequences)
        for sequence, line in zip(index.sequences, index.begins, strict=True):
            assert lines.get(sequence, line) == line
    while not index.done:
        index.look(math.inf, room)
    index.merge()
    shown = model.shown()
    assert index.sequences == [record.sequence for record in shown]
    assert index.height == sum(map(_height, shown))
    line = 0
    for place, record in enumerate(shown):
        assert index.line_of(place) == line
        for inside in range(_height(record)):
            assert index.at_line(line + inside) == place
        line += _height(record)
    assert not shown or index.share == 1


def test_what_is_near_the_reader_comes_first() -> None:
    model = _Model(10_000)
    model.write(9_000)
    index = LogIndex(model.store, _shows, _height, 4_500)
    # so many steps as two screens of ten lines can take
    for _ in range(40):
        index.look(-math.inf, 10)
    index.merge()
    assert index.sequences[0] > 4_450
    assert index.sequences[-1] < 4_550
    assert index.height >= 20


def test_a_place_is_found_by_its_record_or_the_nearest() -> None:
    model = _Model(100)
    model.write(10)
    index = LogIndex(model.store, _shows, _height, model.store.last)
    index.look(math.inf, 5)
    index.merge()
    assert index.sequences == [0, 2, 3, 5, 6, 8, 9]
    assert [index.at_or_before(sequence) for sequence in (-1, 0, 1, 2, 99)] == [-1, 0, 0, 1, 6]
    assert [index.at_or_after(sequence) for sequence in (-1, 0, 1, 2, 99)] == [0, 0, 1, 1, 7]
    assert index.after(5) == 3
