"""A profile that is read-only has no key that changes anything; one in production is marked, and asks twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.widgets import Input

from litellm_tui.demo import Simulation
from litellm_tui.demo.files import CONFIG
from litellm_tui.target.profile import Options, Profile, may_change
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import ProfileSettings, Settings, SettingsError
from litellm_tui.ui.keys import KEYS
from litellm_tui.ui.screens import filled
from litellm_tui.ui.screens.audit import AuditScreen
from litellm_tui.ui.screens.restart import RestartDialog
from litellm_tui.ui.widgets.strip import Hints
from tests.ui.scene import Scene, opened, profile_of


@pytest.fixture
def simulation(tmp_path: Path) -> Simulation:
    return Simulation(tmp_path / "gateway", scripted=False)


def _text(hints: Hints) -> str:
    return "".join(text for row in hints._rows for text, _ in row.spans)


async def _watched(simulation: Simulation, scene: Scene, **marks: bool) -> None:
    """The profile that was found has these marks."""
    scene.monitor.profile = replace(profile_of(simulation), **marks)
    await scene.press("f5")
    await scene.pilot.pause(0.5)


async def test_no_key_of_a_read_only_profile_leads_to_a_change(simulation: Simulation) -> None:
    acting = [key for key in KEYS if key.acts]
    acts = {"probe", "load", "restart", "rehearse", "upgrade", "start_stop", "edit", "drill", "expect_down"}
    assert {key.action.partition("(")[0] for key in acting} == acts
    with simulation:
        async with opened(simulation) as scene:
            await _watched(simulation, scene, read_only=True)
            await scene.shows("READ-ONLY")
            for key in acting:
                await scene.press("3" if key.place == "fallbacks" else "1", key.keys)
                assert len(scene.app.screen_stack) == 1, key.help
            assert not scene.app._notifications
            assert _text(scene.app.screen.query_one(Hints)) == f" read-only: {acting[-1].shown} is off"
            scene.app.screen.query_one(Hints).say("")
            hints = _text(scene.app.screen.query_one(Hints))
            assert "restart" not in hints
            assert "probe" not in hints
            assert "audit" in hints
            offered = {command.title for command in scene.app.get_system_commands(scene.app.screen)}
            assert not {key.help.partition(":")[0].partition(" (")[0] for key in acting} & offered
            # the first of what is filtered for would be in sight
            await scene.press("question_mark", "slash", *"this help")
            await scene.shows("This help")
            await scene.press("escape", "question_mark", "slash", *"restart")
            await scene.until(lambda: "Restart the service" not in scene.text and "This help" not in scene.text)
            await scene.shows("restart")


async def test_a_fix_of_a_read_only_profile_is_not_written(simulation: Simulation) -> None:
    with simulation:
        async with opened(simulation) as scene:
            await _watched(simulation, scene, read_only=True)
            simulation.edit_config(CONFIG.replace("  cooldown_time: 60", "  cooldown_time: 60\n  max_retries: 2"))
            before = simulation.config_path.read_bytes()
            await scene.until(lambda: scene.monitor.audits.audit and scene.monitor.audits.audit.findings)
            await scene.press("a")
            assert isinstance(scene.app.screen, AuditScreen)
            await scene.until(lambda: "fix" in scene.text)
            await scene.press("enter", "w")
            await scene.until(lambda: any("read-only" in note.message for note in scene.app._notifications))
        assert simulation.config_path.read_bytes() == before


async def test_production_is_marked_and_its_restart_wants_the_name(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filled, "DEAF_SECONDS", 0.0)
    with simulation:
        async with opened(simulation) as scene:
            await _watched(simulation, scene, production=True)
            await scene.shows("PRODUCTION")
            await scene.press("R")
            screen = scene.app.screen
            assert isinstance(screen, RestartDialog)
            await scene.until(lambda: screen._checks is not None)
            screen.query_one("#restart").focus()
            await scene.press("enter")
            assert screen._began == 0.0
            assert isinstance(scene.app.focused, Input)
            await scene.press(*"litellm.servic", "enter")
            screen.query_one("#restart").focus()
            await scene.press("enter")
            assert screen._began == 0.0
            screen.query_one(Input).value = "litellm.service"
            screen.query_one("#restart").focus()
            await scene.until(lambda: not screen.query_one("#restart").has_class("-active"))
            await scene.press("enter")
            await scene.until(lambda: screen._began > 0.0)


def _profile(**settings: bool) -> Profile:
    chosen = ProfileSettings(url="http://127.0.0.1:1", unit="none-such.service", **settings)  # type: ignore[arg-type]
    return resolve(Options(profile="x"), Settings(profiles={"x": chosen}), environ={})


def test_settings_and_the_command_line_say_so() -> None:
    assert _profile(read_only=True).read_only
    assert _profile(production=True).production
    plain = _profile()
    assert not plain.read_only
    may_change(plain, "restart")
    with pytest.raises(SettingsError, match="restart: x is read-only"):
        may_change(_profile(read_only=True), "restart")
