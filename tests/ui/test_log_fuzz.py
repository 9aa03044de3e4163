"""Hostile records, drawn: every line is exactly as wide as the view, and nothing of it moves a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from litellm_tui.logs.store import LogStore
from litellm_tui.model.log import LogRecord
from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.themes import STATES
from litellm_tui.ui.widgets.log_paint import body, broken, lines_of
from litellm_tui.ui.widgets.log_view import LogView

MEGABYTE = 1 << 20
PIECES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "[bold red]", "[/]", "[@click=app.quit]x[/]", "\x1b[2J", "\x1b]0;title\x07", "\x1b]52;c;eA==\x07", "\x00",
            "\r", "\n", "\t", "\x7f", "\x9b31m", "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u2028",
            "漢字", "ｱ", "שלום", "مرحبا", "e\u0301", "o" + "\u0308" * 300, "👩\u200d💻", "❤\ufe0f", "👍\U0001f3fd",
            "🇩🇪", "\ud800", "\U000e0041", "﷽", "\U0010ffff", "각", "นี้", "x" * 300, "{" * 200, "%s", "$background",
        ]
    ),
)  # fmt: skip
HOSTILE = st.lists(PIECES, max_size=12).map("".join)


class _App(App[None]):
    CSS = "LogView { height: 1fr; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; overflow-x: hidden; }"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {f"state-{name}": "#808080" for name in STATES}

    def compose(self) -> ComposeResult:
        yield LogView()


def _moves_nothing(text: str) -> bool:
    """No control character, no direction mark, nothing without a width of its own."""
    return not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in text)


def _store(*records: tuple[str, str, str]) -> LogStore:
    store = LogStore()
    for text, source, stack in records:
        store.append(LogRecord(sequence=0, time=0.0, level="ERROR", source=source, text=text, stack=stack))
    return store


@pytest.mark.parametrize("size", [(20, 6), (80, 24), (133, 9)])
async def test_every_line_is_as_wide_as_the_view_and_moves_nothing(size: tuple[int, int]) -> None:
    app = _App()
    async with app.run_test(size=size) as pilot:
        view = app.query_one(LogView)

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE), min_size=1, max_size=6), st.booleans(), HOSTILE)
        def draws(records: list[tuple[str, str, str]], wrapped: bool, sought: str) -> None:
            view.wrapped = wrapped
            view.search(sought)
            view.take(_store(*records))
            view.marks = {0}
            while not view.settled:
                view._work()
            assert view.virtual_size.width == view.room
            for y in range(view.size.height):
                strip = view.render_line(y)
                assert strip.cell_length == view.room
                assert cell_len(strip.text) == view.room
                assert _moves_nothing(strip.text)
                assert len(strip.text) <= 4 * view.room + 40, "what is not seen is not drawn"

        draws()
        await pilot.pause()


@given(HOSTILE, st.integers(10, 200))
def test_a_text_is_broken_into_lines_that_fit(text: str, width: int) -> None:
    for line in broken(drawable(text), width):
        assert cell_len(line) <= width
        assert _moves_nothing(line)


@given(HOSTILE, st.integers(30, 200))
def test_a_record_is_as_high_as_the_lines_that_are_drawn_of_it(text: str, room: int) -> None:
    record = LogRecord(sequence=0, time=0.0, level="INFO", source="x", text=text)
    assert 1 <= lines_of(record, room) <= 20


@pytest.mark.parametrize("letter", ["x", "漢", "\u0301", "\u202e", "\x1b"])
async def test_a_line_of_a_megabyte_is_looked_at_as_far_as_it_is_seen(letter: str) -> None:
    """Counted, not timed: what is drawn comes from the first few thousand characters."""
    record = LogRecord(sequence=0, time=0.0, level="INFO", source=letter * 100, text=letter * MEGABYTE)
    assert len(body(record)) <= 4000
    app = _App()
    async with app.run_test(size=(80, 24)):
        view = app.query_one(LogView)
        for view.wrapped in (False, True):
            view.take(_store((record.text, record.source, "")))
            assert view.virtual_size.height <= 20
            for y in range(view.size.height):
                assert view.render_line(y).cell_length == view.room


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("plain", "plain"),
        ("a\tb", "a    b"),
        ("🇩🇪 flag", "DE flag"),
        ("❤\ufe0f 👍\U0001f3fd", "❤ 👍"),
        ("e\u0301", "é"),
        ("\u1100\u1161\u11a8", "각"),
        ("x" + "\u0325" * 9, "x" + "\u0325" * 3),
        ("soft\u00adhyphen", "soft\ufffdhyphen"),
        ("no\u00a0break\u3000wide\nline", "no break wide line"),
    ],
)
def test_what_terminals_disagree_on_is_drawn_as_something_they_agree_on(text: str, drawn: str) -> None:
    assert drawable(text) == drawn
