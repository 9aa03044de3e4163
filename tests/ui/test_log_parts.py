"""On a slow line the log is painted a few rows at a time, and what comes meanwhile afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from litellm_tui.ui.paint_pace import Pace
from litellm_tui.ui.terminal_link import Link
from litellm_tui.ui.widgets import log_lines
from tests.ui.scene import Scene, quiet


class _Line(Link):
    """Slow, and behind as long as one wants it to be."""

    def __init__(self) -> None:
        super().__init__(lambda _: None)
        self.is_behind = False

    def behind(self) -> bool:
        return self.is_behind


class _SlowPace(Pace):
    link: _Line

    @property
    def slow(self) -> bool:
        return True


@pytest.fixture
async def line(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[_Line]:
    monkeypatch.setattr(log_lines, "PART_SECONDS", 0.01)
    await quiet(scene)
    scene.write(*(f"old {number}" for number in range(30)))
    await scene.shows("old 29")
    line = _Line()
    scene.log._pace = _SlowPace(line)
    yield line
    line.is_behind = False


def _painted(scene: Scene) -> list[str]:
    """What stands in the log, by its first words."""
    rows = [row for row in scene.text.splitlines() if " proxy " in row]
    return [row.split(" proxy ")[1].split()[0] for row in rows]


async def _begun(scene: Scene, line: _Line) -> None:
    """New lines have come, and one part of them is painted."""
    line.is_behind = True
    scene.write(*(f"new {number}" for number in range(30)))
    line.is_behind = False
    await scene.until(lambda: "new" in _painted(scene))
    line.is_behind = True
    assert scene.log.is_in_parts


async def test_the_newest_rows_come_first_and_the_rest_waits_for_the_terminal(scene: Scene, line: _Line) -> None:
    await _begun(scene, line)
    assert "new 29" in scene.text
    await scene.pilot.pause(0.1)
    painted = _painted(scene)
    assert painted[0] == "old"
    assert painted[-1] == "new"
    line.is_behind = False
    await scene.until(lambda: not scene.log.is_in_parts)
    assert set(_painted(scene)) == {"new"}


async def test_what_comes_meanwhile_is_shown_afterwards(scene: Scene, line: _Line) -> None:
    await _begun(scene, line)
    scene.write(*(f"later {number}" for number in range(30)))
    await scene.pilot.pause(0.1)
    assert "later" not in _painted(scene)
    line.is_behind = False
    await scene.until(lambda: set(_painted(scene)) == {"later"})


async def test_a_key_is_answered_with_all_rows_at_once(scene: Scene, line: _Line) -> None:
    await scene.press("2")
    await _begun(scene, line)
    await scene.press("pageup")
    assert set(_painted(scene)) == {"new"}
    assert "new 29" not in scene.text
    line.is_behind = False
    await scene.until(lambda: not scene.log.is_in_parts)
    assert not scene.log.following


async def test_a_filter_is_answered_while_the_terminal_is_behind(scene: Scene, line: _Line) -> None:
    await _begun(scene, line)
    scene.log.set_filter("29")
    await scene.until(lambda: _painted(scene) == ["old", "new"])
    assert not scene.log.is_in_parts
    assert line.is_behind


async def test_on_a_fast_line_all_is_painted_at_once(scene: Scene) -> None:
    await quiet(scene)
    scene.write(*(f"new {number}" for number in range(30)))
    assert not scene.log.is_in_parts
    await scene.until(lambda: set(_painted(scene)) == {"new"})
