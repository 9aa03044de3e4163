"""The live log: filter as you type, search, following, and text that wants to be more than text."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from textual.widgets import Input

from litellm_tui.analysis.log_filter.pattern import Pattern
from litellm_tui.demo import Simulation
from litellm_tui.logs.store import LogStore
from litellm_tui.ui.widgets.log_view import LogView
from tests.ui.drawn import Drawn
from tests.ui.scene import Scene, opened, quiet
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("scene")


def _shown(scene: Scene) -> list[str]:
    """The texts of the records that the filter lets through."""
    found = [scene.monitor.store.get(sequence) for sequence in scene.log._index.sequences]
    return [record.text for record in found if record]


def _prompt(scene: Scene) -> Input:
    return scene.app.screen_stack[0].query_one("#log-prompt Input", Input)


# --- the filter --------------------------------------------------------------------------------------------------


async def test_the_filter_narrows_with_every_letter(scene: Scene) -> None:
    scene.write("zebra one", "zebu two", "zoo three")
    await scene.press("2", "slash")
    counts = []
    for letter in "zeb":
        await scene.press(letter)
        counts.append(len(_shown(scene)))
    assert _shown(scene) == ["zebra one", "zebu two"]
    assert counts == sorted(counts, reverse=True)
    await scene.press("u")
    assert _shown(scene) == ["zebu two"]
    await scene.press("backspace", "backspace", "backspace", "o", "o")
    assert _shown(scene) == ["zoo three"]
    await scene.shows("filter zoo")


async def test_a_burst_typed_right_after_the_slash_goes_to_the_filter(scene: Scene) -> None:
    """A slow line delivers all of it in one packet: no letter may act as the key it is elsewhere."""
    scene.write("Rqz12wfn is typed in one go")
    await scene.press("2")
    for key in ("slash", *"Rqz12wfn"):
        scene.app.post_message(_key(key))
    await scene.until(lambda: _prompt(scene).value == "Rqz12wfn")
    # the filter follows what is typed by a message of its own
    await scene.until(lambda: _shown(scene) == ["Rqz12wfn is typed in one go"])
    assert len(scene.app.screen_stack) == 1
    assert scene.app.is_running
    assert not scene.log.wrapped


async def test_a_burst_that_ends_the_filter_goes_on_in_the_log(scene: Scene) -> None:
    await quiet(scene)
    scene.write("needle one", "hay", "needle two")
    await scene.press("2")
    for key in ("slash", *"needle", "enter", "k", "k", "m"):
        scene.app.post_message(_key(key))
    await scene.until(lambda: scene.log.marks)
    assert (scene.log.filter.typed, scene.pane) == ("needle", "logs")
    assert scene.log.chosen is not None
    assert scene.log.chosen.text == "needle one"


async def test_a_time_that_is_none_is_typed_anew(scene: Scene) -> None:
    await scene.press("t", *"soon", "enter")
    await scene.shows("no time: soon")
    await scene.press(*["backspace"] * 4, *"1h", "enter")
    assert scene.pane == "logs"
    assert not scene.log.following


def _key(name: str):  # type: ignore[no-untyped-def]
    from textual.events import Key

    return Key(name, "/" if name == "slash" else name)


async def test_text_is_found_in_any_case_in_source_and_in_the_stack(scene: Scene) -> None:
    scene.write("an Elephant in the text", level="INFO")
    scene.write("two", source="elephant")
    scene.write("three", level="ERROR", stack="File elephant.py")
    await scene.press("2", "slash", *"ELEPHANT", "enter")
    assert _shown(scene) == ["an Elephant in the text", "two", "three"]


async def test_plain_text_is_no_pattern_and_a_tilde_makes_it_one(scene: Scene) -> None:
    scene.write("gpt-4.1 [x]", "gpt-4x1")
    scene.log.set_filter("gpt-4.1 [")
    assert _shown(scene) == ["gpt-4.1 [x]"]
    scene.log.set_filter("~^gpt-4.1( |$)")
    assert _shown(scene) == ["gpt-4.1 [x]", "gpt-4x1"]


@pytest.mark.parametrize(
    "typed",
    [
        "~(",
        "~[",
        "~*",
        "~a{2,1}",
        "~(?P<",
        "~\\",
        "~(?<=a+)b",
        "~a{99999999999}",
        pytest.param("~" + "(" * 500, id="deep"),
    ],
)
async def test_a_regex_that_is_none_is_told_and_matches_as_text(scene: Scene, typed: str) -> None:
    scene.write(f"holds {typed[1:]} literally", "holds nothing")
    await scene.press("2")
    scene.log.set_filter(typed)
    assert Pattern(typed).error
    assert f"holds {typed[1:]} literally" in _shown(scene)
    assert "holds nothing" not in _shown(scene)
    await scene.shows("filter ~")
    scene.log.search(typed)
    await scene.press("n", "N")
    assert scene.app.is_running


async def test_a_regex_is_typed_through_its_broken_beginnings(scene: Scene) -> None:
    scene.write("code 500 here", "code 503 here", "code 200 here")
    await scene.press("2", "slash", "tilde", *"code", "space", "5", "left_parenthesis", *"00", "vertical_line", *"03")
    await scene.press("right_parenthesis", "enter")
    assert _shown(scene) == ["code 500 here", "code 503 here"]


async def test_a_lonely_tilde_filters_nothing(scene: Scene) -> None:
    before = len(_shown(scene))
    scene.log.set_filter("~")
    assert len(_shown(scene)) == before


async def test_escape_takes_back_what_was_typed(scene: Scene) -> None:
    await quiet(scene)
    before = len(_shown(scene))
    await scene.press("2", "slash", *"nothing has this")
    assert _shown(scene) == []
    await scene.press("escape")
    assert len(_shown(scene)) >= before
    assert scene.pane == "logs"
    assert not _prompt(scene).parent.display  # type: ignore[union-attr]


async def test_the_filter_is_edited_where_it_was_left(scene: Scene) -> None:
    await scene.press("2", "slash", *"abc", "enter", "1", "2", "slash")
    assert _prompt(scene).value == "abc"
    await scene.press("d")
    assert scene.log.filter.typed == "abcd"


async def test_new_lines_pass_the_filter_or_do_not(scene: Scene) -> None:
    await scene.press("2", "slash", *"wanted", "enter")
    scene.write("wanted 1", "other", "wanted 2")
    assert _shown(scene) == ["wanted 1", "wanted 2"]
    await scene.shows("wanted 2")


# --- the search --------------------------------------------------------------------------------------------------


async def test_a_search_goes_to_the_nearest_match_above_and_marks_it(scene: Scene) -> None:
    scene.write(*(f"line {n} {'needle' if n in (3, 50) else ''}" for n in range(100)))
    await scene.press("s", *"needle", "enter")
    record = scene.log.chosen
    assert record
    assert record.text == "line 50 needle"
    await scene.shows("line 50 needle")
    match = scene.log.style_of("match")
    painted = [segment for y in range(scene.log.size.height) for segment in scene.log.render_line(y)]
    assert [s.text for s in painted if s.style and s.style.bgcolor == match.bgcolor] == ["needle"]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_search_says_which_of_how_many_and_shows_the_match(
    simulation: Simulation, size: tuple[int, int]
) -> None:
    async with opened(simulation, size) as scene:
        # a pane that cannot be seen indexes nothing
        await scene.press("2")
        await quiet(scene)
        # the second is far behind the edge, the third in what the line does not show of the record
        scene.write("a Qneedle here", *("hay" for _ in range(60)), "far " + "hay " * 60 + "Qneedle in the hay")
        scene.write("folded", stack="Traceback\n  File x\nValueError: Qneedle below")
        await scene.press("s", *"qneedle")
        await eventually(lambda: "search qneedle: 3 found" in Drawn(scene.app).text, scene.text)
        await scene.press("enter")
        for number, words in ((3, "ValueError: Qneedle below"), (2, "Qneedle in the hay"), (1, "a Qneedle here")):
            await eventually(lambda n=number: f"search qneedle: {n} of 3" in Drawn(scene.app).text, scene.text)  # type: ignore[misc]
            drawn = Drawn(scene.app)
            # on a ground of its own, under the cursor too
            at = words.index("Qneedle")
            grounds = {cell.ground for cell in drawn.cells_of(words)[at : at + 7]}
            assert len(grounds) == 1
            assert not grounds & {cell.ground for cell in list(drawn.cells(drawn.row_of(words)))[2:10]}
            await scene.press("N")
        # more come while it is searched for
        scene.write("another Qneedle")
        await scene.press("n")
        await eventually(lambda: "search qneedle: 2 of 4" in Drawn(scene.app).text, scene.text)
        await scene.press("up")
        await eventually(lambda: "search qneedle: 4 found" in Drawn(scene.app).text, scene.text)
        await scene.press("escape")
        await eventually(lambda: "search" not in Drawn(scene.app).text.partition("2 Logs")[2].partition("\n")[0])


async def test_all_lines_of_a_wrapped_match_come_into_sight(scene: Scene) -> None:
    await quiet(scene)
    scene.write("long " * 150 + "Qneedle", *("hay" for _ in range(80)))
    await scene.press("w", "home", "end", "s", *"qneedle", "enter")
    await scene.shows("Qneedle")
    assert scene.log.chosen is not None


async def test_n_without_a_match_stays_and_says_so(scene: Scene) -> None:
    await scene.press("s", *"nobody", "enter")
    await scene.until(lambda: any("no match of 'nobody' above" in note for note in _notes(scene)))
    await scene.press("home", "n")
    await scene.until(lambda: any("no match of 'nobody' below" in note for note in _notes(scene)))


def _notes(scene: Scene) -> list[str]:
    return [note.message for note in scene.app._notifications]


async def test_n_without_a_search_finds_refused_requests_too(scene: Scene) -> None:
    await quiet(scene)
    scene.write("POST /v1/chat/completions 500  10.0.0.1", status=500)
    scene.write("fine", "fine")
    await scene.press("2", "N")
    record = scene.log.chosen
    assert record
    assert record.status == 500


# --- following ---------------------------------------------------------------------------------------------------


async def test_scrolling_up_pauses_and_counts_what_comes(scene: Scene) -> None:
    await quiet(scene)
    await scene.press("2", "pageup")
    await scene.shows("paused, 0 new lines")
    before, top = scene.shown_rows("logs"), scene.log.scroll_offset.y
    scene.write("one more")
    await scene.shows("paused, 1 new line")
    scene.write("two", "three")
    await scene.shows("paused, 3 new lines")
    assert scene.log.scroll_offset.y == top
    assert scene.shown_rows("logs") == before
    await scene.press("end")
    await scene.shows("following")
    await scene.shows("three")


async def test_scrolling_down_to_the_end_follows_again(scene: Scene) -> None:
    await quiet(scene)
    await scene.press("2", "pageup")
    assert not scene.log.following
    await scene.press("pagedown")
    assert scene.log.following


async def test_lines_that_are_filtered_out_are_not_counted(scene: Scene) -> None:
    await quiet(scene)
    await scene.press("2", "f")
    scene.log.set_filter("wanted")
    scene.write("other", "wanted", "other")
    await scene.until(lambda: scene.log.settled)
    assert scene.log.unseen == 1


async def test_what_is_read_stays_when_old_records_go(scene: Scene) -> None:
    await quiet(scene)
    store = LogStore(most_records=200)
    scene.monitor.store = store
    scene.write(*(f"record {number:04}" for number in range(200)))
    await scene.press("2", "pageup", "pageup")
    before = scene.shown_rows("logs")
    assert "record 01" in before[0]
    scene.write(*(f"record {number:04}" for number in range(200, 260)))
    assert store.first == 60
    await scene.pilot.pause()
    assert scene.shown_rows("logs") == before
    assert scene.log.unseen == 60
    # and when what is read goes too, the oldest that is left is shown
    scene.write(*(f"record {number:04}" for number in range(260, 500)))
    await scene.pilot.pause()
    assert "record 0300" in scene.shown_rows("logs")[0]


async def test_what_is_read_stays_when_old_records_go_from_wrapped_lines(scene: Scene) -> None:
    await quiet(scene)
    store = LogStore(most_records=100)
    scene.monitor.store = store
    await scene.press("2", "w")
    scene.write(*(f"record {number:04} " + "x" * (number % 7) * 60 for number in range(100)))
    await scene.until(lambda: scene.log.settled)
    await scene.press("pageup")
    before = scene.shown_rows("logs")
    scene.write(*(f"record {number:04} " + "y" * 150 for number in range(100, 130)))
    await scene.until(lambda: scene.log.settled)
    assert scene.shown_rows("logs") == before


async def test_the_record_in_sight_stays_when_the_filter_goes(scene: Scene) -> None:
    await quiet(scene)
    scene.write(*(f"{'even' if n % 2 == 0 else 'odd'} {n}" for n in range(300)))
    scene.log.set_filter("even")
    await scene.press("2", "pageup", "pageup", "k")
    record = scene.log.chosen
    assert record
    scene.log.set_filter("")
    await scene.pilot.pause()
    assert any(record.text in row for row in scene.shown_rows("logs"))


async def test_a_record_that_the_filter_hides_is_neither_copied_nor_marked(scene: Scene) -> None:
    await quiet(scene)
    scene.write("even", "odd", "even again", "odd again")
    await scene.press("2", "k")
    assert scene.log.chosen is not None
    assert scene.log.chosen.text == "odd again"
    scene.log.set_filter("even")
    assert scene.log.chosen is None
    await scene.press("y", "m")
    await scene.until(lambda: scene.app.clipboard)
    assert scene.app.clipboard.endswith(" even again")
    record = scene.log.chosen
    assert record is not None
    assert scene.log.marks == {record.sequence}


async def test_a_paused_log_of_less_than_a_screen_stays_when_lines_come_and_the_filter_changes(scene: Scene) -> None:
    await quiet(scene)
    scene.monitor.store = LogStore()
    scene.write("one", "two")
    await scene.press("2", "f")
    scene.log.set_filter("one|three")
    scene.log.set_filter("")
    scene.write(*(f"more {number}" for number in range(100)))
    await scene.pilot.pause()
    assert "one" in scene.shown_rows("logs")[0]
    assert scene.log.unseen == 100


async def test_a_failure_is_found_by_the_traceback_that_is_folded_in_late(scene: Scene) -> None:
    await quiet(scene)
    scene.log.set_filter("zebrafish")
    scene.write("it failed", level="ERROR")
    assert _shown(scene) == []
    record = scene.monitor.store.get(scene.monitor.store.last)
    assert record
    scene.monitor.store.append(_continuing(record, "Traceback (most recent call last): zebrafish"), continues=True)
    scene.app.redraw()
    assert _shown(scene) == ["it failed"]


async def test_a_traceback_that_is_folded_in_late_is_shown(scene: Scene) -> None:
    await quiet(scene)
    scene.write("it failed", level="ERROR")
    await scene.shows("it failed")
    assert "(+" not in scene.text
    record = scene.monitor.store.get(scene.monitor.store.last)
    assert record
    scene.monitor.store.append(_continuing(record, "Traceback (most recent call last):"), continues=True)
    scene.app.redraw()
    await scene.shows("it failed  (+1 lines)")


def _continuing(record, text: str):  # type: ignore[no-untyped-def]
    from msgspec.structs import replace

    return replace(record, text=text, level="INFO")


async def test_resizing_keeps_following_and_rewraps(scene: Scene) -> None:
    await quiet(scene)
    scene.write("begin " + "x" * 400 + " end")
    await scene.press("2", "w")
    for size in ((80, 24), (200, 50), (120, 40)):
        await scene.pilot.resize_terminal(*size)
        await scene.until(lambda: scene.log.following and "x end" in scene.text)
        assert scene.log.scroll_offset.y == scene.log.max_scroll_y


# --- text from outside -------------------------------------------------------------------------------------------

HOSTILE = [
    "[bold red]not bold[/]",
    "[/]",
    "[@click=app.quit]press me[/]",
    "[link=http://x]y[/link]",
    "$background 50% [",
    "\\[escaped",
    "{braces} %s %(x)s",
    "<b>html</b> & entities",
    "漢字 and émoji 🙂 and ﷽",
    "e\u0301 combining",
    "tab\tseparated",
    "a" * 5000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
async def test_a_line_of_log_is_never_markup(scene: Scene, text: str) -> None:
    scene.write(text, source="[red]src", level="ERROR", stack=text, call_id=text[:30])
    await scene.press("2")
    shown = normalize("NFC", text.replace("\t", "    "))[:40]
    await scene.shows(shown)
    scene.log.set_filter(text)
    scene.log.search(text)
    await scene.press("w")
    await scene.shows(shown[:20])
    await scene.press("w", "enter")
    await scene.shows("Log record")
    assert shown[:40] in scene.text
    await scene.press("escape")
    assert scene.app.is_running


async def test_escape_sequences_in_names_and_errors_never_reach_the_terminal(scene: Scene) -> None:
    """The log is cleaned as it is read; names and errors come by other ways."""
    hostile = "\\e[2J\\e]0;owned\\a\\e[31mred\\u202e"
    text = scene.simulation.config_path.read_text(encoding="utf-8")
    scene.simulation.edit_config(
        text.replace("- model_name: nomic-embed-text", f'- model_name: "x{hostile}"').replace(
            "- gemini-2.5-flash: [claude-haiku]", f'- "y{hostile}": ["z{hostile}"]'
        )
    )
    await scene.shows("xred")
    for keys in (("1", "end", "enter"), ("escape", "3", "end", "up", "enter"), ("escape", "R")):
        await scene.press(*keys)
        assert "\x1b" not in scene.text
        assert "\x07" not in scene.text
        assert "\u202e" not in scene.text


async def test_a_view_that_has_no_width_yet_takes_records_without_harm(scene: Scene) -> None:
    view = LogView()
    store = LogStore()
    view.take(store)
    assert view.records() == []
