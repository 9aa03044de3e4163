"""The help: what is of use where one is comes first, in two columns where there is room, and typing narrows it down."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.demo import Simulation
from litellm_tui.ui.keys import KEYS, keys_of
from litellm_tui.ui.screens import filled
from litellm_tui.ui.screens.difference import DifferenceScreen
from litellm_tui.ui.screens.help import HelpScreen, help_sections
from litellm_tui.ui.screens.note import NotePrompt
from litellm_tui.ui.screens.sheet import Sheet
from litellm_tui.ui.signs import UNICODE
from tests.ui import frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen
from tests.ui.scene import opened, settled


def test_it_begins_with_the_keys_of_where_one_is() -> None:
    for pane, title in (("logs", "In the log"), ("timeline", "In the timeline"), ("fallbacks", "In the fallbacks")):
        first = help_sections(UNICODE, pane=pane)[0]
        assert first.title == f"{title}, where you are"
        assert [name for name, _, _ in first.paragraphs] == [key.shown for key in keys_of(pane)]  # type: ignore[arg-type]
    assert help_sections(UNICODE, pane="cache")[0].title == "Everywhere"


def test_read_only_it_has_no_key_that_changes_something() -> None:
    told = {text for section in help_sections(UNICODE, True) for _, text, _ in section.paragraphs}
    assert not {key.help for key in KEYS if key.acts} & told


@pytest.mark.parametrize("size", [(80, 24), (99, 40), (100, 40), (120, 40), (200, 50)])
async def test_it_has_two_columns_from_a_hundred_cells_on(tmp_path: Path, size: tuple[int, int]) -> None:
    app = Frozen(frozen.healthy(tmp_path))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("2", "question_mark")
        await settled(pilot)
        drawn = Drawn(app)
        first = drawn.text.split("\n")[drawn.row_of("In the log, where you are")]
        beside = first.split("In the log, where you are")[1].strip(" │")
        assert bool(beside) == (size[0] >= 100)
        assert "Esc close" in drawn.text
        lines = app.screen.query_one("#sheet-lines")
        assert all(sum(len(text) for text, _ in row.spans) <= lines.room for row in lines._rows)  # type: ignore[attr-defined]


async def test_what_is_typed_narrows_it_down(tmp_path: Path) -> None:
    app = Frozen(frozen.healthy(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark", *"restart")
        await settled(pilot)
        text = Drawn(app).text
        assert "filter: restart" in text
        assert "Restart the service (asks first)" in text
        assert "Next restart, save or incident" in text
        assert "Models: every deployment" not in text
        # kept, and taken away again
        await pilot.press("enter")
        await settled(pilot)
        assert "Models: every deployment" not in Drawn(app).text
        await pilot.press("escape")
        await settled(pilot)
        assert "Models: every deployment" in Drawn(app).text
        await pilot.press("escape")
        await settled(pilot)
        assert not isinstance(app.screen, HelpScreen)


async def test_a_key_is_found_by_its_letter_and_nothing_says_so(tmp_path: Path) -> None:
    app = Frozen(frozen.healthy(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark", "slash", "w")
        await settled(pilot)
        text = Drawn(app).text
        assert "Wrap long lines, or cut them" in text
        assert "Which gateway" in text
        assert "Quit at once" not in text
        await pilot.press(*"xyz")
        await settled(pilot)
        assert "nothing here has wxyz" in Drawn(app).text


@pytest.mark.parametrize("key", ["q", "question_mark", "escape", "enter"])
async def test_it_closes_by_every_key_that_closes_a_sheet(tmp_path: Path, key: str) -> None:
    app = Frozen(frozen.healthy(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark")
        await settled(pilot)
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("j", "space", "G", "k", key)
        await settled(pilot)
        assert not isinstance(app.screen, HelpScreen)


# --- a detail says what can be done with it ------------------------------------------------------------------------


async def test_a_detail_offers_what_can_be_done_with_it(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filled, "DEAF_SECONDS", 0.0)
    async with opened(simulation) as scene:
        await scene.press("1", "enter")
        await scene.shows("p probe · E expect down, or not · a audit · d diff · y copy · Esc close")
        await scene.press("E")
        await scene.until(lambda: isinstance(scene.app.screen, NotePrompt))
        await scene.press("escape", "1", "enter", "d")
        await scene.until(lambda: isinstance(scene.app.screen, DifferenceScreen))
        await scene.press("escape", "3", "enter")
        await scene.shows("p probe · x what if · D drill · y copy · Esc close")
        await scene.press("x")
        await scene.shows("what if: 1 marked down")
        await scene.press("1", "enter")
        await scene.until(lambda: isinstance(scene.app.screen, Sheet))
        await scene.press("p")
        await scene.shows("answered in ")
