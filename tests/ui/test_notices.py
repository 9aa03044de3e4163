"""Every key answers, and what is told lies over nothing that is read."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from litellm_tui.demo import Simulation
from litellm_tui.ui.keys import unanswered
from litellm_tui.ui.widgets.strip import SAID_SECONDS, fitting
from tests.ui import frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen
from tests.ui.scene import opened, quiet, settled
from tests.waiting import eventually

SIZES = [(80, 24), (120, 40), (200, 50)]
LONG = "the gateway was not restarted: " + "because of what is told here in so many words " * 3 + "until its end"


def _drawn(app: Frozen) -> str:
    return Drawn(app).text


def _tells(app: Frozen, words: str) -> bool:
    """Whether the last line of the screen has these words."""
    return words in _drawn(app).split("\n")[-1]


@pytest.mark.parametrize("size", SIZES)
async def test_a_short_notice_takes_the_line_of_the_keys_and_gives_it_back(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        app.redraw()
        await settled(pilot)
        before = _drawn(app).split("\n")
        app.notify("that was copied", timeout=2.0, markup=False)
        await eventually(lambda: "that was copied" in _drawn(app).split("\n")[-1], "it is told")
        assert _drawn(app).split("\n")[:-1] == before[:-1]
        await eventually(lambda: _drawn(app).split("\n") == before, "the keys are back")


@pytest.mark.parametrize("size", SIZES)
async def test_a_long_notice_makes_the_strip_higher_and_covers_nothing(tmp_path: Path, size: tuple[int, int]) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await settled(pilot)
        app.redraw()
        await settled(pilot)
        before = _drawn(app)
        app.notify(LONG, severity="warning", timeout=30, markup=False)
        await eventually(lambda: "until its end" in _drawn(app), "it is told to its end")
        app.redraw()
        await settled(pilot)
        drawn = _drawn(app)
        assert " ".join(LONG.split()) in " ".join(drawn[drawn.rindex("the gateway was") :].split()) or size[0] == 200
        # the newest line of the log, and what its frame says
        for words in ("the last words", "journalctl --user -u litellm.service"):
            assert words in drawn, drawn
        app.main.say("")
        await settled(pilot)
        app.redraw()
        await eventually(lambda: _drawn(app) == before, "all is as it was")


async def test_a_longer_one_comes_back_behind_a_short_one(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        app.main.say("told for long", 60)
        app.main.say("told for a moment", 0.3)
        await eventually(lambda: "told for a moment" in _drawn(app), "the newest is seen")
        await eventually(lambda: "told for long" in _drawn(app), "then the one before")
        # another pane ends what was said of a key, and nothing else
        app.main.say("of a key")
        await eventually(lambda: "of a key" in _drawn(app), "it is told")
        await pilot.press("3")
        await eventually(lambda: "told for long" in _drawn(app), "it is still told")
        assert SAID_SECONDS < 60


async def test_over_a_sheet_a_notice_covers_no_hints(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("exclamation_mark")
        await settled(pilot)
        foot = _drawn(app).split("\n")[-3:]
        app.notify("told over a sheet", markup=False)
        await eventually(lambda: "told over a sheet" in _drawn(app), "it is told")
        assert _drawn(app).split("\n")[-3:] == foot
        await pilot.press("escape")
        # what is left of its time it stands in the line of the keys
        await eventually(lambda: "told over a sheet" in _drawn(app).split("\n")[-1], "it is told there")


async def test_a_mark_says_what_happened_and_what_takes_it_back(simulation: Simulation) -> None:
    async with opened(simulation) as scene:
        await quiet(scene)
        await scene.press("1", "home", "E", *"tonight", "enter")
        await scene.shows("is expected down: tonight; E takes it back")
        await scene.press("E")
        await scene.shows("is not expected down any more")
        await scene.press("E", "escape")
        await scene.shows("not marked")


async def test_a_key_that_does_nothing_says_so(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        told = (
            ("1", "n", "n belongs to the log (2)"),
            ("2", "x", "x belongs to the fallbacks (3)"),
            ("3", "O", "O belongs to the models (1)"),
            ("1", "Q", "Q does nothing; ? lists the keys"),
            ("4", "enter", "nothing opens here"),
            ("1", "ctrl+c", "q quits"),
        )
        for pane, key, words in told:
            await pilot.press(pane, key)
            await eventually(partial(_tells, app, words), words)
        app.main.say("")
        for pane in "1235":
            await pilot.press(pane, "enter")
            await settled(pilot)
            assert len(app.screen_stack) == 2, pane
            await pilot.press("escape")
            await settled(pilot)
            assert "nothing opens" not in _drawn(app)


def test_a_key_that_is_off_says_why() -> None:
    assert unanswered("R", "models", True) == "read-only: R is off"
    assert unanswered("R", "models", False) == ""
    assert unanswered("escape", "models", False) == ""
    assert unanswered("left", "models", False) == "← belongs to the timeline (6)"


@pytest.mark.parametrize("pane", ["models", "logs", "fallbacks", "cache", "service", "timeline", "worst"])
@pytest.mark.parametrize("width", [79, 119, 199])
def test_of_the_keys_those_of_the_pane_and_the_way_to_all_others_always_fit(pane: str, width: int) -> None:
    shown = fitting(pane, read_only=False, width=width)
    assert sum(len(f"{key} {word}  ") for key, word in shown) - 2 <= width
    assert "?" in {key for key, _ in shown}
    assert width < 100 or "q" in {key for key, _ in shown}
    own = {"fallbacks": {"x", "D"}, "timeline": {"←", "→", "Enter"}, "worst": {"Enter"}, "logs": {"/", "s", "l"}}
    assert own.get(pane, set()) <= {key for key, _ in shown}
