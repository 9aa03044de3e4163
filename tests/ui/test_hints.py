"""One grammar of hints in every frame, y and n in every confirmation, and a record that steps to the next one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.screen import Screen

from litellm_tui.target.settings import Settings
from litellm_tui.ui.screens.confirm import ConfirmDialog
from litellm_tui.ui.screens.fix import FixScreen
from litellm_tui.ui.screens.note import NotePrompt
from litellm_tui.ui.screens.record import RecordSheet
from tests.ui import frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen
from tests.ui.scene import Scene, quiet, settled
from tests.waiting import eventually

_KEY = r"(?:Enter|Esc|Tab|↑↓|\S)"
_GRAMMAR = re.compile(rf"{_KEY} [\w, ()]+(?: · {_KEY} [\w, ()]+)*")


def _frame(app: Frozen) -> str:
    return str(app.screen.query(".sheet, .dialog").first().border_subtitle)


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        (("exclamation_mark",), "Enter its row · / filter · Esc close"),
        (("i",), "Enter log · o model · r since start"),
        (("a",), "Enter fix"),
        (("d",), "/ filter · Esc close"),
        (("b",), "Enter go back (asks) · / filter · Esc close"),
        (("question_mark",), "Esc close"),
        (("1", "enter"), "y copy · Esc close"),
    ],
)
async def test_every_list_and_sheet_says_its_keys_in_one_grammar(
    tmp_path: Path, keys: tuple[str, ...], wanted: str
) -> None:
    app = Frozen(frozen.failing(tmp_path), audited=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(*keys)
        await eventually(lambda: len(app.screen_stack) == 2 and wanted in _frame(app))
        await settled(pilot)
        assert _GRAMMAR.fullmatch(_frame(app)), _frame(app)
        # and nothing of it is cut at 80 columns
        assert _frame(app) in Drawn(app).text


@pytest.mark.parametrize(
    ("screen", "wanted"),
    [
        (ConfirmDialog("Stop", "Every request fails until it is started."), "y stop · n leave"),
        (ConfirmDialog("Stop", "Every request fails.", "litellm.service"), "type the name · Enter stop · Esc leave"),
        (FixScreen("a fix", "", "-a\n+b"), "y write, with a backup · c copy the patch · n leave"),
        (NotePrompt("Expected down", "why?"), "Enter mark · Esc leave"),
    ],
    ids=["confirm", "named", "fix", "note"],
)
@pytest.mark.parametrize("ascii_only", [False, True])
async def test_every_confirmation_says_what_answers_it(
    tmp_path: Path, screen: Screen[bool], wanted: str, ascii_only: bool
) -> None:
    app = Frozen(frozen.healthy(tmp_path), Settings(ascii=ascii_only, utc=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.push_screen(type(screen)(*_parameters(screen)))
        said = wanted.replace("·", "|") if ascii_only else wanted
        await eventually(lambda: said in Drawn(app).text, Drawn(app).text)


def _parameters(screen: Screen[bool]) -> tuple[str, ...]:
    """What it was made with: a screen belongs to one run."""
    if isinstance(screen, ConfirmDialog):
        return screen._word, screen._question, screen._unit
    if isinstance(screen, FixScreen):
        return screen._title, screen._decision, screen._diff
    assert isinstance(screen, NotePrompt)
    return screen._title, screen._question


@pytest.mark.parametrize(("key", "answer"), [("y", True), ("n", False), ("w", True), ("escape", False)])
async def test_a_change_of_a_file_is_answered_with_y_or_n(tmp_path: Path, key: str, answer: bool) -> None:
    app = Frozen(frozen.healthy(tmp_path))
    answers: list[bool | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.push_screen(FixScreen("a fix", "", "-a\n+b"), answers.append)
        await settled(pilot)
        await pilot.press(key)
        await eventually(lambda: answers == [answer])


async def test_j_and_k_step_from_record_to_record(scene: Scene) -> None:
    await quiet(scene)
    scene.write("the first one", "the second one", "the third one")
    await scene.until(lambda: "the third one" in scene.text and scene.log.settled)
    await scene.press("2", "up", "enter")
    sheet = scene.app.screen
    assert isinstance(sheet, RecordSheet)

    def shown() -> str:
        return Drawn(scene.app).text.partition("Log record")[2]

    await eventually(lambda: "the third one" in shown())
    await scene.press("k")
    await eventually(lambda: "the second one" in shown() and "the third one" not in shown())
    await scene.press("k", "j")
    await eventually(lambda: "the second one" in shown())
    await scene.press("j", "j")
    await eventually(lambda: "no record after this one · Esc close" in shown())
    assert "the third one" in shown()
    await scene.press("k", "escape")
    assert scene.log.chosen is not None
    assert scene.log.chosen.text == "the second one"


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        (("2", "slash"), "F1 terms · Enter keep · Esc clear"),
        (("s",), "Enter go · Esc clear"),
        (("t",), "Enter go · Esc leave"),
        (("1", "slash"), "Enter keep · Esc clear"),
    ],
)
async def test_every_line_that_is_typed_into_says_what_ends_it(
    tmp_path: Path, keys: tuple[str, ...], wanted: str
) -> None:
    app = Frozen(frozen.healthy(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(*keys)
        await eventually(lambda: wanted in Drawn(app).text, Drawn(app).text)
        await pilot.press(*"zzz")
        await eventually(lambda: "zzz" in Drawn(app).text and wanted in Drawn(app).text)
        await pilot.press("escape")
        await eventually(lambda: "zzz" not in Drawn(app).text and wanted not in Drawn(app).text)
