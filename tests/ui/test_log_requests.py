"""The log read as requests: one line each, the outcome in sight, and every way about in it as in the lines."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_tui.logs.store import LogStore
from litellm_tui.model.log import LogRecord
from litellm_tui.ui.widgets.log_index import LogIndex
from litellm_tui.ui.widgets.log_reading import LogReading, cut, middle_cut, rows_of
from tests.ui.drawn import Drawn
from tests.ui.scene import Scene, quiet

NOW = 1_796_000_000.0
REFUSED = "litellm.InternalServerError: InternalServerError: OpenAIException - Connection error."


def record(text: str, step: str = "", at: float = 0.0, **more: Any) -> LogRecord:
    fields: dict[str, Any] = {"level": "INFO", "source": "router", "pid": 7} | more
    return LogRecord(sequence=0, time=NOW + at, text=text, step=step, **fields)  # type: ignore[arg-type]


def answered(status: int, at: float = 0.0, client: str = "10.20.0.12") -> LogRecord:
    text = f"POST /v1/chat/completions {status}  {client}"
    return record(text, "answered", at, source="access", status=status)


def failed(model: str, at: float = 0.0, cause: str = "refused") -> LogRecord:
    return record(f"litellm.acompletion(model={model}) Exception {REFUSED}", "failed", at, model=model, cause=cause)


def fallen_back(at: float = 0.0) -> list[LogRecord]:
    """A request that goes to another group, alone in a process that was seen to start."""
    return [
        record("Started server process [7]", "started", at - 1, source="uvicorn"),
        record("SESSION REUSE: Attached shared aiohttp session", "begun", at),
        failed("openai/large", at + 0.1),
        record("Falling back to model_group = small:8b", "fallback", at + 0.2, model="small:8b"),
        record("litellm.acompletion(model=openai/small) 200 OK", "ok", at + 0.7, model="openai/small"),
        answered(200, at + 0.8),
    ]


def store_of(*records: LogRecord) -> LogStore:
    store = LogStore()
    for one in records:
        store.append(one)
    return store


def read(store: LogStore, sequence: int, room: int = 120, again: tuple[int, ...] = ()) -> str:
    reading = LogReading(store)
    reading.groups = {"openai/large": "large:70b"}
    found = store.get(sequence)
    assert found is not None
    return "".join(text for text, _ in reading.text(found, again, room))


# --- what a line says --------------------------------------------------------------------------------------------


def test_a_request_is_one_line_with_its_groups_status_time_and_caller() -> None:
    store = store_of(*fallen_back())
    assert read(store, store.last) == "large:70b ✖ refused → small:8b ✓ 200  0.8 s  10.20.0.12"
    reading = LogReading(store)
    inside = [found.sequence for found in store.since(0) if reading.is_inside(found)]
    assert inside == [1, 2, 3, 4]


@pytest.mark.parametrize("room", range(24, 60))
def test_what_does_not_fit_leaves_the_outcome_and_says_that_it_is_cut(room: int) -> None:
    store = store_of(*fallen_back())
    text = read(store, store.last, room)
    assert len(text) <= room
    if room >= 36:
        assert "✖ refused → " in text
        assert "✓ 200" in text
    assert "…" in text or "10.20.0.12" not in text or text.endswith("10.20.0.12")


def test_a_line_by_itself_says_its_outcome_first_and_no_class_of_an_exception() -> None:
    store = store_of(failed("openai/large"), answered(500))
    assert read(store, 0) == "✖ refused  large:70b: Connection error."
    assert read(store, 1) == "✖ 500 POST /v1/chat/completions  10.20.0.12"


def test_a_repeat_is_told_with_its_number_and_no_caller_where_there_are_several() -> None:
    store = store_of(answered(500), answered(500, 3, "10.20.0.13"), answered(500, 30))
    assert read(store, 0, again=(1, 2)) == "✖ 500 POST /v1/chat/completions  several callers  ×3 in 30 s"


def test_only_what_is_not_routine_and_follows_soon_is_a_repeat() -> None:
    reading = LogReading(LogStore())
    assert reading.repeats(failed("a"), failed("a", 5))
    assert not reading.repeats(failed("a"), failed("b", 5))
    assert not reading.repeats(failed("a"), failed("a", 5, cause="timeout"))
    assert not reading.repeats(failed("a"), failed("a", 700))
    assert not reading.repeats(answered(200), answered(200, 1))


def test_a_name_is_cut_in_its_middle_and_a_line_at_its_end() -> None:
    assert middle_cut("hosted_vllm/Qwen2.5-Coder", 11) == "hoste…Coder"
    assert cut([("abc", ""), ("defghi", "bad")], 6) == [("abc", ""), ("de…", "bad")]
    assert cut([("abc", ""), ("def", "bad")], 6) == [("abc", ""), ("def", "bad")]
    assert cut([("abcd", ""), ("ef", "bad")], 4) == [("abc…", "")]
    assert rows_of([("abc", ""), ("defg", "bad")], 5) == [[("abc", ""), ("de", "bad")], [("fg", "bad")]]


# --- the index ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pivot", [-1, 3, 8])
def test_repeats_are_folded_in_both_directions(pivot: int) -> None:
    store = store_of(*(failed("a", n) for n in range(4)), answered(200, 5), *(failed("b", 6 + n) for n in range(4)))
    reading = LogReading(store)
    index = LogIndex(store, lambda _: True, lambda _: 1, pivot, reading.repeats)
    while not index.done:
        index.look(0.0, 5)
    index.merge()
    assert index.sequences == [0, 4, 5]
    assert index.height == 3
    assert {head: list(again) for head, again in index.folded.items()} == {0: [1, 2, 3], 5: [6, 7, 8]}


def test_lines_that_a_request_has_taken_leave_the_index() -> None:
    store = store_of(*fallen_back()[:-1])
    reading = LogReading(store)
    index = LogIndex(store, lambda found: not reading.is_inside(found), lambda _: 1, -1, reading.repeats)
    index.look(float("inf"), 5)
    assert index.sequences == [0, 2, 3, 4]
    store.append(fallen_back()[-1])
    index.look_again(store.requests.lowest_since(0))
    index.look(float("inf"), 5)
    assert index.sequences == [0, 5]
    assert index.height == 2


# --- going about -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("scene")
async def test_both_ways_of_reading_keep_the_place_the_marks_the_filter_and_what_is_written(scene: Scene) -> None:
    await quiet(scene)
    scene.log.action_clear()
    for one in (*fallen_back(40_000_000.0), answered(500, 40_000_002.0), answered(200, 40_000_003.0, "10.9.9.9")):
        scene.monitor.store.append(one)
    scene.app.redraw()
    await scene.press("2")
    await scene.shows("→ small:8b ✓ 200  0.8 s  10.20.0.12")
    assert "Falling back to model_group" not in scene.text

    # a line of the request is found by what another one of it says
    await scene.press("slash", *"group", "enter")
    await scene.until(lambda: [found.step for found in scene.log.records()][-1:] == ["answered"])
    await scene.shows("→ small:8b ✓ 200")
    await scene.press("escape", "k", "k", "k", "m")
    chosen = scene.log.chosen
    assert chosen is not None
    assert chosen.text.endswith("10.20.0.12")
    await scene.press("v")
    await scene.shows("Falling back to model_group = small:8b")
    assert scene.log.chosen == chosen
    await scene.press("k", "v")
    await scene.until(lambda: scene.log.chosen is not None and scene.log.settled)
    assert scene.log.chosen == chosen
    assert scene.log.marks == {chosen.sequence}
    await scene.press("enter")
    await scene.shows("Falling back to model_group = small:8b")
    assert "─ Request" in scene.text
    await scene.press("escape")


@pytest.mark.usefixtures("scene")
async def test_the_simulated_gateway_has_one_line_for_a_request(scene: Scene) -> None:
    await quiet(scene)
    await scene.press("2", "z")
    scene.simulation.break_model("qwen2.5-coder:32b")
    scene.simulation.request("qwen2.5-coder:32b", client="10.20.9.9:40022")
    await scene.shows("qwen2.5-coder:32b ✖ refused ×2 → llama3.1:8b ✓ 200")
    chain = next(line for line in Drawn(scene.app).text.splitlines() if "10.20.9.9" in line)
    assert "✖ refused ×2 → llama3.1:8b ✓ 200  " in chain
    assert " s  10.20.9.9" in chain, "how long it took stands with it"
    # nor does anything of its other lines stand for itself
    assert "is asked in its place" not in scene.text
    await scene.press("v")
    await scene.shows("Falling back to model_group = llama3.1:8b")


@pytest.mark.usefixtures("scene")
async def test_the_keys_at_the_bottom_are_those_of_the_pane_and_one_of_another_pane_says_so(scene: Scene) -> None:
    await scene.press("1")
    await scene.shows("! problems")
    await scene.press("n")
    await scene.shows("n belongs to the log (2)")
    await scene.press("2")
    scene.app.main.say("")
    await scene.shows("/ filter  s search  l level  n next error  c call  t time  m mark  v lines  C charts  ? all")
    await scene.press("question_mark")
    await scene.shows("In the log, where you are")
