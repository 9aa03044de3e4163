"""Probes, notes, what if and the drill through the whole console, on the simulated gateway."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Button, Input

from litellm_tui.demo import Simulation
from litellm_tui.model.diagnosis import Deployment
from litellm_tui.storage.state import StateFile
from litellm_tui.target.settings import Settings
from litellm_tui.ui.app import Console
from litellm_tui.ui.panes.fallbacks import Fallbacks
from litellm_tui.ui.screens import filled
from litellm_tui.ui.screens.drill import DrillDialog
from litellm_tui.ui.screens.note import NotePrompt
from litellm_tui.ui.screens.probe import ProbeDialog
from litellm_tui.ui.screens.sheet import Sheet
from litellm_tui.ui.widgets.chain_lines import ChainLines
from litellm_tui.ui.widgets.lines import Lines
from tests.ui.scene import Scene, opened, profile_of

CODER = "qwen2.5-coder:32b"
EMBEDDING = "nomic-embed-text"


@pytest.fixture(autouse=True)
def _hears_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled, "DEAF_SECONDS", 0.0)


def _row(scene: Scene, group: str) -> Deployment:
    view = scene.app.view
    assert view is not None
    return next(row for row in view.diagnosis.deployments if row.group == group)


def _select(scene: Scene, group: str) -> None:
    scene.lines("models").select(_row(scene, group).key)


def _told(scene: Scene) -> str:
    return "\n".join(note.message for note in scene.app._notifications)


# --- probes ------------------------------------------------------------------------------------------------------


async def test_a_probe_that_fails_becomes_the_verdict_of_its_row(scene: Scene) -> None:
    await scene.press("1")
    _select(scene, CODER)
    assert _row(scene, CODER).verdict.state == "serving"
    scene.simulation.break_model(CODER, "refused")
    await scene.press("p")
    # one call is not asked about, and has no dialog
    await scene.shows(": failed after ")
    assert len(scene.app.screen_stack) == 1
    await scene.until(lambda: _row(scene, CODER).verdict.state == "masked")
    verdict = _row(scene, CODER).verdict
    assert verdict.reason.startswith("a probe failed: ")
    assert any(item.kind == "probe" and item.speaks == "against" for item in verdict.evidence)
    await scene.shows("masked: refused")


async def test_a_probe_that_is_answered_clears_its_row(scene: Scene) -> None:
    scene.break_for_all(CODER)
    await scene.until(lambda: _row(scene, CODER).verdict.state == "masked")
    scene.simulation.heal_model(CODER)
    await scene.press("1")
    _select(scene, CODER)
    await scene.press("p")
    await scene.shows(": answered in ")
    await scene.until(lambda: _row(scene, CODER).verdict.state == "serving")
    assert _row(scene, CODER).verdict.reason.startswith("a probe was answered in ")


async def test_probing_all_asks_first_and_then_asks_each_in_its_own_way(scene: Scene) -> None:
    await scene.press("P")
    assert isinstance(scene.app.screen, ProbeDialog)
    assert scene.app.focused is not None
    assert scene.app.focused.id == "cancel"
    await scene.shows("8, one to each deployment")
    assert scene.monitor.snapshot().probes == ()
    await scene.press("right", "enter")
    await scene.shows("8 of 8 calls · 8 answered")
    probes = {probe.model: probe for probe in scene.monitor.snapshot().probes}
    assert len(probes) == 8
    assert probes["ollama/nomic-embed-text"].endpoint.startswith("/v1/embeddings")
    assert all(probe.ok for probe in probes.values())
    # a row in full, and back to the list
    await scene.press("enter")
    assert isinstance(scene.app.screen, Sheet)
    assert "answered" in scene.text
    await scene.press("escape")
    assert isinstance(scene.app.screen, ProbeDialog)


async def test_cancelling_before_the_first_call_asks_nobody(scene: Scene) -> None:
    await scene.press("P", "enter")
    assert len(scene.app.screen_stack) == 1
    assert scene.monitor.snapshot().probes == ()


async def test_a_probe_is_no_traffic(scene: Scene) -> None:
    await scene.press("1")
    _select(scene, "gemini-2.5-flash")
    before = _row(scene, "gemini-2.5-flash")
    scene.simulation.break_model("gemini-2.5-flash", "error")
    await scene.press("p")
    await scene.until(lambda: _row(scene, "gemini-2.5-flash").probe)
    scene.simulation.request("llama3.1:8b", client="10.20.9.9:4711")
    await scene.until(
        lambda: any("10.20.9.9" in r.text for r in scene.monitor.store.since(scene.monitor.store.last - 5))
    )
    after = _row(scene, "gemini-2.5-flash")
    assert (after.ok, after.failed) == (before.ok, before.failed)


async def test_a_gateway_that_is_down_is_not_probed(scene: Scene) -> None:
    scene.simulation.gateway_down()
    await scene.shows("DOWN")
    await scene.press("1", "p")
    assert len(scene.app.screen_stack) == 1
    assert "not probed: " in _told(scene)


# --- expected down -----------------------------------------------------------------------------------------------


async def test_a_note_marks_the_row_and_the_problem_is_none_any_more(scene: Scene) -> None:
    scene.break_for_all(CODER)
    await scene.until(lambda: _row(scene, CODER).verdict.state == "masked")
    await scene.shows("1 problem ·")
    await scene.press("1")
    _select(scene, CODER)
    await scene.press("E")
    assert isinstance(scene.app.screen, NotePrompt)
    await scene.shows(f"{CODER} · ")
    # every one of these is a key of the console
    typed = "qPRe!/2z?sp gone till 5"
    await scene.press(*("space" if letter == " " else letter for letter in typed))
    assert isinstance(scene.app.screen, NotePrompt)
    assert scene.app.screen.query_one(Input).value == typed
    await scene.press("tab", "enter")
    assert len(scene.app.screen_stack) == 1
    await scene.until(lambda: _row(scene, CODER).verdict.state == "expected down")
    assert _row(scene, CODER).verdict.reason == typed
    await scene.shows("1 down as expected")
    assert scene.monitor.expected_down == {_row(scene, CODER).key: typed}
    # and back
    await scene.press("E")
    assert len(scene.app.screen_stack) == 1
    await scene.until(lambda: _row(scene, CODER).verdict.state == "masked")
    assert "is not expected down any more" in _told(scene)


async def test_escape_marks_nothing(scene: Scene) -> None:
    await scene.press("1", "E", "x", "escape")
    assert len(scene.app.screen_stack) == 1
    assert scene.monitor.expected_down == {}


async def test_marks_and_what_was_looked_at_last_from_one_run_to_the_next(
    simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with opened(simulation, memory=True) as scene:
        await scene.press("1")
        _select(scene, EMBEDDING)
        await scene.press("E", *"moved", "enter")
        await scene.press("exclamation_mark")
        await scene.shows(" new ")
        await scene.press("escape", "q")
        await scene.until(lambda: not scene.app.is_running)
    profile = profile_of(simulation)
    assert profile.unit is not None
    file = StateFile(profile.url.value, profile.unit.value)
    assert file.path.is_relative_to(tmp_path / "state")
    assert file.path.stat().st_mode & 0o077 == 0
    assert simulation.key not in file.path.read_text()
    kept = file.load()
    assert list(kept.expected_down.values()) == ["moved"]
    async with opened(simulation, memory=True) as scene:
        assert list(scene.monitor.expected_down.values()) == ["moved"]
        await scene.press("exclamation_mark")
        await scene.shows("ghost fallback")
        assert " new " not in scene.text


async def test_a_state_file_that_cannot_be_read_is_told_and_nothing_is_lost_by_it(
    simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    profile = profile_of(simulation)
    assert profile.unit is not None
    path = StateFile(profile.url.value, profile.unit.value).path
    path.parent.mkdir(parents=True)
    path.write_text("{ not JSON")
    async with opened(simulation, memory=True) as scene:
        assert str(path) in _told(scene)
        assert "8 deployments" in scene.text


async def test_without_memory_nothing_is_written(
    simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    app = Console(profile_of(simulation), Settings(), memory=False)
    async with app.run_test() as pilot:
        await pilot.pause()
    assert not (tmp_path / "state").exists()


# --- fallbacks ---------------------------------------------------------------------------------------------------


async def test_what_if_is_asked_and_taken_back(scene: Scene) -> None:
    await scene.press("3", "z")
    scene.lines("fallbacks").select(f"general:{CODER}")
    await scene.press("x")
    await scene.shows(f"{CODER} ▼ MARKED")
    assert "= answered by llama3.1:8b" in scene.text
    await scene.press("enter")
    assert isinstance(scene.app.screen, Sheet)
    await scene.shows(f"with {CODER} down")
    assert "llama3.1:8b answers" in scene.text
    await scene.press("escape", "escape")
    assert scene.app.query_one(Fallbacks).marked == ()
    assert "what if:" not in scene.text
    # nothing real was changed by it
    assert _row(scene, CODER).verdict.state == "serving"


async def test_enter_tells_everything_of_a_group_without_a_chain(scene: Scene) -> None:
    await scene.press("3")
    scene.lines("fallbacks").select(f"group:{EMBEDDING}")
    assert scene.lines("fallbacks").selected == f"group:{EMBEDDING}"
    await scene.press("enter")
    assert isinstance(scene.app.screen, Sheet)
    assert f"{EMBEDDING} · group" in scene.text
    assert "a request now" in scene.text
    assert f"{EMBEDDING} answers" in scene.text


async def test_a_drill_asks_first_and_shows_what_came_of_it(scene: Scene) -> None:
    await scene.press("3")
    scene.lines("fallbacks").select(f"general:{CODER}")
    await scene.press("D")
    assert isinstance(scene.app.screen, DrillDialog)
    await scene.shows(f"{CODER} → llama3.1:8b → gpt-4.1-mini")
    await scene.press("right", "enter")
    await scene.until(lambda: str(scene.app.screen.query_one("#cancel", Button).label) == "Close")
    lines = scene.app.screen.query_one("#dialog-lines", Lines)
    said = " ".join("".join(text for row in lines._rows for text, _ in row.spans).split())
    # this version refuses it, and each target is asked by itself
    assert "the gateway does not permit it" in said
    assert "not drilled; asked alone, llama3.1:8b is the first to answer" in said
    assert "dangerously_allow_mock_testing_request_params" in said
    await scene.press("enter")
    assert len(scene.app.screen_stack) == 1


async def test_the_default_chain_is_not_drilled(scene: Scene) -> None:
    await scene.press("3")
    scene.lines("fallbacks").select("default:*")
    assert scene.lines("fallbacks").selected == "default:*"
    await scene.press("D")
    assert len(scene.app.screen_stack) == 1
    assert "no drill: only the chain of a named group can be drilled" in _told(scene)


async def test_the_keys_of_the_fallbacks_are_theirs_alone(scene: Scene) -> None:
    await scene.press("1", "x", "D")
    assert len(scene.app.screen_stack) == 1
    assert scene.app.query_one(Fallbacks).marked == ()
    assert isinstance(scene.lines("fallbacks"), ChainLines)
