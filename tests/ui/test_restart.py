"""The restart dialog: nobody gets through it by accident, and it ends in a plain result."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from textual.widgets import Button

from litellm_tui.actions.in_place import _Intent
from litellm_tui.actions.transaction.events import Outcome
from litellm_tui.actions.transaction.record import Record, RestartLock, here
from litellm_tui.analysis.change import proof
from litellm_tui.demo import Simulation, files
from litellm_tui.demo.files import CONFIG
from litellm_tui.storage.backups import Backup, Backups
from litellm_tui.ui.screens import filled
from litellm_tui.ui.screens.restart import RestartDialog
from litellm_tui.ui.widgets.lines import Lines
from tests.demo.probing import shown
from tests.ui.scene import Scene, opened


def _invocation(simulation: Simulation) -> str:
    return shown(simulation)["InvocationID"]


def _label(scene: Scene, button: str) -> str:
    return str(scene.app.screen.query_one(f"#{button}", Button).label)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulation stays up when it has answered."""
    monkeypatch.setattr(proof, "STEADY_SECONDS", 0.3)


async def _asked(scene: Scene) -> None:
    """The dialog is open, and has looked at everything."""
    await scene.press("R")
    await scene.until(lambda: isinstance(scene.app.screen, RestartDialog) and scene.app.screen._checks is not None)


async def _ends(scene: Scene, result: str) -> Outcome:
    def ended() -> Outcome | None:
        screen = scene.app.screen
        return screen._outcome if isinstance(screen, RestartDialog) else None

    outcome = await scene.until(ended)
    assert outcome is not None
    assert outcome.result == result, outcome
    await scene.shows(result)
    return outcome


def _backups(scene: Scene) -> Backups:
    assert scene.app.session.backups is not None
    return scene.app.session.backups


def _hear(monkeypatch: pytest.MonkeyPatch) -> None:
    """The moments in which the dialog is deaf are over."""
    monkeypatch.setattr(filled, "DEAF_SECONDS", 0.0)


async def test_it_starts_on_cancel_and_says_what_will_happen(scene: Scene) -> None:
    await scene.press("R")
    assert scene.app.focused is not None
    assert scene.app.focused.id == "cancel"
    for words in (
        "litellm.service (user)",
        "active (running)",
        "parses: 8 deployments",
        "nothing differs from what runs",
        "how many are in flight is not known",
    ):
        await scene.shows(words)
    assert "Requests in flight are cut off" in scene.text


async def test_enter_on_cancel_does_nothing(scene: Scene) -> None:
    before = _invocation(scene.simulation)
    await scene.press("R", "enter")
    assert len(scene.app.screen_stack) == 1
    assert _invocation(scene.simulation) == before


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_escape_leaves_it(scene: Scene, key: str) -> None:
    await scene.press("R", "escape")
    assert len(scene.app.screen_stack) == 1
    assert scene.app.is_running


async def test_what_was_typed_before_it_could_be_read_is_not_an_answer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filled, "DEAF_SECONDS", 3600.0)
    before = _invocation(scene.simulation)
    await _asked(scene)
    await scene.press("right", "enter", "enter")
    assert isinstance(scene.app.screen, RestartDialog)
    assert scene.app.screen._began == 0.0
    assert _invocation(scene.simulation) == before


async def test_it_is_deaf_for_long_enough_for_a_paste() -> None:
    assert 0.2 <= filled.DEAF_SECONDS <= 1.0


async def test_what_will_change_is_listed(scene: Scene) -> None:
    scene.simulation.edit_config()
    await scene.until(lambda: (view := scene.app.view) is not None and len(view.diagnosis.drift) == 2)
    await scene.press("R")
    await scene.shows("added: qwen2.5-coder:32b")
    assert "fallbacks of" in scene.text


async def test_a_restart_is_followed_to_its_result(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    _hear(monkeypatch)
    before = _invocation(scene.simulation)
    scene.simulation.edit_config()
    await scene.until(lambda: (view := scene.app.view) is not None and bool(view.diagnosis.drift))
    await _asked(scene)
    monkeypatch.setattr(proof, "STEADY_SECONDS", 3600.0)
    await scene.press("right", "enter")
    await scene.shows("proof")
    assert _label(scene, "cancel").startswith("Hide")
    monkeypatch.setattr(proof, "STEADY_SECONDS", 0.3)
    await scene.shows("applied and proved; 9 of 9 deployments loaded")
    for step in ("preflight", "backup", "restart", "proof", "total", "without an answer"):
        assert step in scene.text
    assert "restore" not in scene.text
    assert _label(scene, "cancel") == "Close"
    assert _invocation(scene.simulation) != before
    await scene.press("enter")
    assert len(scene.app.screen_stack) == 1
    await scene.until(lambda: (view := scene.app.view) is not None and not view.diagnosis.drift)


async def test_a_dialog_that_is_closed_leaves_the_restart_running(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hear(monkeypatch)
    before = _invocation(scene.simulation)
    await _asked(scene)
    await scene.press("right", "enter", "escape")
    assert len(scene.app.screen_stack) == 1
    await scene.until(lambda: _invocation(scene.simulation) not in (before, ""))
    await scene.until(lambda: any("applied and proved" in note.message for note in scene.app._notifications))


async def test_a_broken_file_takes_two_presses_and_is_rolled_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.pilot.resize_terminal(80, 24)
    _hear(monkeypatch)
    # what runs well is known to
    await _asked(scene)
    await scene.press("right", "enter")
    await scene.shows("applied and proved")
    await scene.press("enter")
    good = scene.simulation.config_path.read_bytes()
    before = _invocation(scene.simulation)
    scene.simulation.edit_config(CONFIG + "  : [\n")
    await scene.until(lambda: (view := scene.app.view) is not None and view.snapshot.configuration.error)
    await _asked(scene)
    await scene.shows("LiteLLM cannot read it")
    assert _label(scene, "restart") == "Restart anyway"
    await scene.press("right", "enter")
    await scene.shows("Press again to restart against all that.")
    assert _label(scene, "restart") == "Press again"
    assert _invocation(scene.simulation) == before
    assert scene.app.screen._began == 0.0  # type: ignore[attr-defined]
    # a button is deaf while it is drawn pressed
    await scene.until(lambda: not scene.app.screen.query_one("#restart").has_class("-active"))
    await scene.press("enter")
    outcome = await _ends(scene, "rolled back")
    assert "yaml.parser.ParserError" in outcome.cause
    # however long the steps are, how long nobody was answered is in sight
    assert "s without an answer" in scene.text
    # what the first proof failed on may leave it no room without scrolling
    rows = scene.app.screen.query_one("#dialog-lines", Lines)._rows
    assert any("proof again" in "".join(text for text, _ in row.spans) for row in rows)
    assert scene.simulation.config_path.read_bytes() == good
    rejected = [backup for backup in _backups(scene).records() if backup.why == "rejected"]
    assert rejected
    assert "rejected" in rejected[-1].result


async def test_a_restart_that_was_interrupted_is_told_and_can_be_taken_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hear(monkeypatch)
    await _asked(scene)
    await scene.press("right", "enter")
    await scene.shows("applied and proved")
    await scene.press("enter")
    backups, profile = _backups(scene), scene.monitor.profile
    good = backups.load()[-1]
    content = scene.simulation.config_path.read_bytes()
    scene.simulation.edit_config()
    assert profile.config
    taken = backups.make([(profile.config.value, "config")], "before a restart")
    assert isinstance(taken, Backup)
    assert profile.unit
    lock = RestartLock(profile.url.value, profile.unit.value, backups.state)
    assert lock.take() is None
    lock.write(Record("litellm.service", here(), "proof", taken.id, good.id))
    lock.release()
    scene.app._control.offer_to_end()
    await scene.until(lambda: any("was not proved yet" in note.message for note in scene.app._notifications))
    await scene.press("R")
    await scene.shows("Take it back:")
    await scene.settled()
    await scene.press("right", "right", "enter")
    await _ends(scene, "rolled back")
    assert scene.simulation.config_path.read_bytes() == content
    assert lock.unfinished() is None


async def test_what_stands_by_while_another_console_restarts_says_who(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hear(monkeypatch)
    profile = scene.monitor.profile
    assert profile.unit
    lock = RestartLock(profile.url.value, profile.unit.value, _backups(scene).state)
    assert lock.take() is None
    before = _invocation(scene.simulation)
    await _asked(scene)
    await scene.press("right", "enter")
    # before it is asked for, and when it is wanted all the same
    await scene.shows("another restart is under way: ")
    await scene.shows("Press again to restart against all that.")
    # a button is deaf while it is drawn pressed
    await scene.until(lambda: not scene.app.screen.query_one("#restart").has_class("-active"))
    await scene.press("enter")
    outcome = await _ends(scene, "refused")
    assert f"(process {os.getpid()})" in outcome.text
    assert "is restarting it" in outcome.text
    assert _invocation(scene.simulation) == before
    lock.release()


async def test_a_file_that_is_mended_needs_one_press_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    _hear(monkeypatch)
    scene.simulation.edit_config(CONFIG + "  : [\n")
    await scene.until(lambda: (view := scene.app.view) is not None and view.snapshot.configuration.error)
    scene.simulation.edit_config(files.CONFIG)
    await scene.until(lambda: (view := scene.app.view) is not None and not view.snapshot.configuration.error)
    await scene.until(lambda: scene.monitor.audits.current)
    await _asked(scene)
    assert _label(scene, "restart") == "Restart"


async def test_the_console_follows_the_gateway_down_and_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _hear(monkeypatch)
    # slower than it is: a quick restart would fall between two looks at the gateway
    with Simulation(tmp_path / "slow", speed=0.4, scripted=False) as slow:
        async with opened(slow) as scene:
            await _follows_down_and_up(scene)


async def _follows_down_and_up(scene: Scene) -> None:
    words: list[str] = []

    def word() -> str:
        view = scene.app.view
        assert view is not None
        if not words or words[-1] != view.diagnosis.headline.word:
            words.append(view.diagnosis.headline.word)
        return words[-1]

    started = word()
    await _asked(scene)
    await scene.press("right", "enter")
    assert started == "OK"
    await scene.until(lambda: word() not in (started, "DEGRADED", "ANSWERING"))
    await scene.until(lambda: word() == started)
    assert set(words[1:-1]) & {"STOPPING", "STARTING", "DOWN"}


async def test_without_a_unit_there_is_nothing_to_restart(scene: Scene) -> None:
    from msgspec.structs import replace

    scene.monitor.profile = replace(scene.monitor.profile, unit=None)
    await scene.press("R")
    assert len(scene.app.screen_stack) == 1
    assert any("nothing to restart" in note.message for note in scene.app._notifications)


async def test_a_file_whose_writer_was_killed_is_completed_at_the_start(scene: Scene) -> None:
    path, backups = scene.simulation.config_path, _backups(scene)
    old, new = path.read_bytes(), path.read_bytes() + b"# a line more\n"
    # the console looks by itself, too
    scene.monitor.profile = replace(scene.monitor.profile, read_only=True)
    torn = new[:-4]
    path.write_bytes(torn)
    backups.folder.mkdir(parents=True, exist_ok=True)
    (backups.folder / "copy").write_bytes(old)
    intent = _Intent(str(path), hashlib.sha256(old).hexdigest(), new, "copy")
    (backups.folder / "in-place.0.json").write_bytes(msgspec.json.encode(intent))
    await scene.app._control.make_whole()
    assert path.read_bytes() == torn, "what is read-only changes nothing"
    scene.monitor.profile = replace(scene.monitor.profile, read_only=False)
    await scene.app._control.make_whole()
    assert path.read_bytes() == new

    def told(words: str) -> bool:
        said = [note.message for note in scene.app._notifications]
        return any(f"{path} is half-written" in message and words in message for message in said)

    await scene.until(lambda: told("what was begun is completed"))
    await scene.until(lambda: told(f"copy {backups.folder / 'copy'} to it"))
