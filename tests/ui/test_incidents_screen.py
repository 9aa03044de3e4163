"""Incidents: what fails in the log, drawn while it grows; Enter goes to the record, `o` to the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.demo import Simulation
from litellm_tui.ui.screens.incidents import IncidentsScreen
from litellm_tui.ui.widgets.lines import Lines
from tests.ui.scene import Scene, opened

DEAD = "qwen2.5-coder:32b"
OTHER = "gpt-4.1-mini"


def _list(scene: Scene) -> Lines:
    return scene.app.screen.query_one("#incidents-lines", Lines)


def _detail(scene: Scene) -> str:
    lines = scene.app.screen.query_one("#incidents-detail", Lines)
    return "\n".join("".join(text for text, _ in row.spans) for row in lines._rows)


def _keys(scene: Scene) -> list[str]:
    return [row.key for row in _list(scene)._rows if row.key]


async def _shown(scene: Scene, *names: str) -> None:
    """The incidents of these groups are in the list."""
    await scene.until(lambda: all(any(name in key for key in _keys(scene)) for name in names))


async def test_a_dead_model_is_one_line_with_all_about_it_below(scene: Scene) -> None:
    scene.break_for_all(DEAD)
    await scene.press("i")
    await _shown(scene, DEAD)
    (key,) = [key for key in _keys(scene) if DEAD in key]
    assert key == f"refused:{DEAD}"
    _list(scene).select(key)
    await scene.until(lambda: "nothing listens at the address of api_base" in _detail(scene))
    for words in ("start the upstream", DEAD, "provider", "last hour"):
        assert words in _detail(scene)


async def test_it_grows_while_it_is_open_and_the_cursor_stays(scene: Scene) -> None:
    scene.break_for_all(DEAD)
    await scene.press("i")
    await _shown(scene, DEAD)
    _list(scene).select(f"refused:{DEAD}")
    for _ in range(3):
        scene.break_for_all(OTHER, "error")
    await _shown(scene, DEAD, OTHER)
    assert _list(scene).selected == f"refused:{DEAD}"


async def test_enter_goes_to_an_example_in_the_log_past_the_filter(scene: Scene) -> None:
    scene.break_for_all(DEAD)
    await scene.press("i")
    await _shown(scene, DEAD)
    _list(scene).select(f"refused:{DEAD}")
    scene.log.set_filter("nothing has this")
    await scene.press("enter")
    assert len(scene.app.screen_stack) == 1
    assert scene.pane == "logs"
    await scene.until(lambda: scene.log.chosen is not None)
    record = scene.log.chosen
    assert record is not None
    # the line stands for the whole request, one of whose groups failed so
    request = scene.monitor.store.requests.at(record.sequence)
    assert request is not None
    assert "refused" in [hop.cause for hop in request.hops]


async def test_o_goes_to_the_model(scene: Scene) -> None:
    scene.break_for_all(DEAD)
    await scene.press("i")
    await _shown(scene, DEAD)
    _list(scene).select(f"refused:{DEAD}")
    await scene.press("o")
    assert scene.pane == "models"
    view = scene.app.view
    assert view is not None
    row = next(row for row in view.diagnosis.deployments if row.key == scene.lines("models").selected)
    assert row.group == DEAD


@pytest.mark.parametrize("key", ["escape", "q", "i"])
async def test_these_keys_close_it(scene: Scene, key: str) -> None:
    await scene.press("i", key)
    assert len(scene.app.screen_stack) == 1
    assert scene.app.is_running


async def test_since_the_restart_is_one_key(scene: Scene) -> None:
    scene.break_for_all(DEAD)
    await scene.press("i")
    await _shown(scene, DEAD)
    await scene.press("r")
    await scene.shows("since the restart")
    await scene.press("r")
    assert "since the restart" not in str(scene.app.screen.query(".sheet").first().border_title)


async def test_what_was_looked_at_is_not_new_to_the_next_console(
    simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with opened(simulation, memory=True) as scene:
        scene.break_for_all(DEAD)
        await scene.press("i")
        await _shown(scene, DEAD)
        assert ("new ", "mark") in next(row for row in _list(scene)._rows if DEAD in row.key).spans
        await scene.press("escape")
    async with opened(simulation, memory=True) as scene:
        scene.break_for_all(OTHER, "error")
        await scene.press("i")
        await _shown(scene, DEAD, OTHER)
        new = {row.key for row in _list(scene)._rows if ("new ", "mark") in row.spans}
        assert not any(DEAD in key for key in new)
        assert any(OTHER in key for key in new)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_it_fits_every_width(simulation: Simulation, size: tuple[int, int]) -> None:
    async with opened(simulation, size) as scene:
        scene.break_for_all(DEAD)
        await scene.press("i")
        assert isinstance(scene.app.screen, IncidentsScreen)
        await _shown(scene, DEAD)
        await scene.shows("refused")
        room = _list(scene).room
        assert all(sum(len(text) for text, _ in row.spans) <= room for row in _list(scene)._rows)
