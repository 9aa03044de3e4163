"""The backups: what is kept, what going back to one changes, and that it is written only when it is asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from litellm_tui.demo import Simulation
from litellm_tui.demo.files import CONFIG
from litellm_tui.storage.backups import Backup, Backups, FileCopy, FileSet, copy_current
from litellm_tui.target.settings import Settings
from litellm_tui.ui.screens.backups import BackupsScreen
from litellm_tui.ui.screens.restore import RestoreScreen
from litellm_tui.ui.widgets.lines import Lines
from tests.ui.scene import Scene, opened
from tests.waiting import eventually

RPM = ("      rpm: 600\n", "      rpm: 900\n")
FASTER = CONFIG.replace(*RPM)


def _store(scene: Scene) -> Backups:
    """The console's own store, as another console would see it."""
    assert scene.app.session.backups is not None
    store = Backups("", "")
    store.folder = scene.app.session.backups.folder
    store.load()
    return store


def _path(scene: Scene) -> Path:
    return scene.simulation.config_path


def _keep(scene: Scene, text: str, result: str = "", good: bool = False, at: float = 1_700_000_000.0) -> Backup:
    held = FileCopy(str(_path(scene)), "config", text.encode(), 0o600)
    made = _store(scene).keep(
        FileSet((held,)), "before a restart", at=at, litellm_version="1.106.2", result=result, good=good
    )
    assert isinstance(made, Backup), made
    return made


def _list(scene: Scene) -> Lines:
    return scene.app.screen.query_one("#backups-lines", Lines)


def _texts(lines: Lines) -> list[str]:
    return ["".join(text for text, _ in row.spans) for row in lines._rows]


def _all(scene: Scene, name: str) -> str:
    return " ".join(" ".join(" ".join(_texts(w)) for w in scene.app.screen.query(f"#{name}").results(Lines)).split())


async def _says(scene: Scene, words: str, name: str = "backups-lines") -> None:
    # a long path is broken anywhere
    bare = words.replace(" ", "")
    await eventually(lambda: bare in _all(scene, name).replace(" ", ""), f"{name} says {words!r}")


async def _open(scene: Scene) -> None:
    await scene.press("b")
    assert isinstance(scene.app.screen, BackupsScreen)
    await eventually(lambda: "looking" not in _all(scene, "backups-lines") and _list(scene)._rows, "it has looked")


async def _select(scene: Scene, backup: Backup) -> None:
    _list(scene).select(str(backup.id))
    await scene.settled()
    assert _list(scene).selected == str(backup.id)


def _told(scene: Scene) -> str:
    return "\n".join(note.message for note in scene.app._notifications)


# --- the list ----------------------------------------------------------------------------------------------------


async def test_nothing_is_kept_at_first(scene: Scene) -> None:
    await _open(scene)
    await _says(scene, "nothing is kept yet")
    assert not scene.app.screen.query_one("#backups-detail", Lines).display
    await scene.press("enter")
    assert isinstance(scene.app.screen, BackupsScreen)


async def test_the_newest_is_first_with_what_became_of_it(scene: Scene) -> None:
    _keep(scene, FASTER, "rejected: port taken", at=1_700_000_000.0)
    _keep(scene, CONFIG, "applied", good=True, at=1_600_000_000.0)
    await _open(scene)
    await _says(scene, "before a restart")
    first, second = _texts(_list(scene))
    assert "rejected: port taken" in first
    assert "1 file" in first
    assert "1.106.2" in first
    assert first.split()[1].startswith("2023-")
    assert "applied" in second
    assert "as now" in second
    assert second.lstrip().startswith(scene.app.session.notation.signs.states["serving"])


async def test_what_going_back_changes_stands_below(scene: Scene) -> None:
    old = _keep(scene, FASTER)
    _keep(scene, CONFIG, at=1_600_000_000.0)
    await _open(scene)
    await _says(scene, "gpt-4.1 (azure/gpt-41-prod): rpm: 600 → 900", "backups-detail")
    await _says(scene, f"going back changes {_path(scene)}", "backups-detail")
    await _says(scene, f"{_path(scene).name}.backup.{old.id}", "backups-detail")
    await scene.press("down")
    await _says(scene, "the files are as in this set", "backups-detail")


async def test_a_set_that_is_kept_meanwhile_appears_and_the_selection_stays(scene: Scene) -> None:
    old = _keep(scene, FASTER, "the first")
    await _open(scene)
    await _says(scene, "the first")
    new = _keep(scene, CONFIG, "the second", at=1_750_000_000.0)
    scene.app.redraw()
    await _says(scene, "the second")
    assert _list(scene).selected == str(old.id)
    assert [row.key for row in _list(scene)._rows] == [str(new.id), str(old.id)]


async def test_a_file_that_is_saved_meanwhile_is_compared_anew(scene: Scene) -> None:
    _keep(scene, FASTER)
    await _open(scene)
    await _says(scene, "1 file")
    scene.simulation.edit_config(FASTER)
    await _says(scene, "as now")
    await _says(scene, "the files are as in this set", "backups-detail")


async def test_a_copy_that_is_damaged_is_named_and_not_restored(scene: Scene) -> None:
    made = _keep(scene, FASTER)
    copy = _store(scene).copy(made, str(_path(scene)))
    assert copy
    copy.write_text("[red]sk-somebody-edited-this[/]")
    await _open(scene)
    await _says(scene, f"damaged the copy of {_path(scene)} is damaged", "backups-detail")
    await scene.press("enter")
    await scene.until(lambda: "is damaged" in _told(scene))
    assert isinstance(scene.app.screen, BackupsScreen)
    assert "sk-somebody" not in scene.text + _told(scene)


async def test_an_index_that_is_damaged_is_said(scene: Scene) -> None:
    _keep(scene, FASTER)
    (_store(scene).folder / "index.json").write_text("{")
    await _open(scene)
    await _says(scene, "is not known any more")


async def test_what_comes_from_outside_is_no_markup(scene: Scene) -> None:
    _keep(scene, FASTER.replace("rpm: 900", "rpm: '[red]x[/]'"), "rejected: [red]x[/]\x1b[31m")
    await _open(scene)
    await _says(scene, "rejected: [red]x[/]")
    await _says(scene, "600 → [red]x[/]", "backups-detail")
    await scene.pilot.pause()
    assert "\x1b[31m" not in scene.text


async def test_many_sets_are_listed(scene: Scene) -> None:
    store = _store(scene)
    for number in range(60):
        held = FileCopy(str(_path(scene)), "config", CONFIG.encode())
        made = store.keep(FileSet((held,)), "before a fix", at=1_700_000_000.0 + number, result=f"number {number}")
        assert isinstance(made, Backup)
    await _open(scene)
    await scene.until(lambda: len(_list(scene)._rows) == 60)
    await scene.press("end")
    await scene.shows("number 0")
    await scene.press("home")
    await scene.shows("number 59")


# --- going back --------------------------------------------------------------------------------------------------


async def _ask(scene: Scene) -> None:
    await scene.press("enter")
    await scene.until(lambda: isinstance(scene.app.screen, RestoreScreen) and "rpm" in _all(scene, "restore-lines"))


@pytest.mark.parametrize("key", ["escape", "q", "enter"])
async def test_it_is_asked_first_and_left_alone_unless_w_is_pressed(scene: Scene, key: str) -> None:
    _keep(scene, FASTER, "applied", good=True)
    await _open(scene)
    await _says(scene, "rpm: 600 → 900", "backups-detail")
    before = os.stat(_path(scene))
    await _ask(scene)
    assert "rpm: 600 → 900" in _all(scene, "restore-lines")
    assert "a restart applies it" in _all(scene, "restore-lines")
    await scene.press(key)
    await scene.until(lambda: isinstance(scene.app.screen, BackupsScreen))
    after = os.stat(_path(scene))
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len(_store(scene).records()) == 1
    assert _told(scene) == ""


async def test_enter_held_down_does_not_write(scene: Scene) -> None:
    _keep(scene, FASTER)
    await _open(scene)
    await _says(scene, "rpm: 600 → 900", "backups-detail")
    for _ in range(12):
        await scene.press("enter")
    assert _path(scene).read_text() == CONFIG
    assert len(_store(scene).records()) == 1


async def test_w_goes_back_and_what_was_there_can_be_had_again(scene: Scene) -> None:
    _keep(scene, FASTER, "applied", good=True)
    await _open(scene)
    await _says(scene, "rpm: 600 → 900", "backups-detail")
    await _ask(scene)
    await scene.press("w")
    await scene.until(lambda: "1 file restored" in _told(scene))
    assert _path(scene).read_text() == FASTER
    before = _store(scene).records()[-1]
    content = _store(scene).content(before.id)
    assert isinstance(content, dict)
    assert (before.why, content[str(_path(scene))]) == ("before a rollback", CONFIG.encode())
    assert f"backup {before.id}" in _told(scene)
    assert "a restart applies it" in _told(scene)
    # the console sees the file by itself, and so does the list
    await _says(scene, "as now")
    await scene.press("escape")
    await scene.shows("config saved")
    # and back to where it was
    await _open(scene)
    await _select(scene, before)
    await _says(scene, "rpm: 900 → 600", "backups-detail")
    await _ask(scene)
    await scene.press("w")
    await scene.until(lambda: _path(scene).read_text() == CONFIG)


async def test_a_file_that_is_gone_is_brought_back(scene: Scene) -> None:
    made = _store(scene).make(copy_current(str(_path(scene))), "before a fix")  # type: ignore[arg-type]
    assert isinstance(made, Backup)
    _path(scene).unlink()
    await _open(scene)
    await _says(scene, f"going back makes {_path(scene)}", "backups-detail")
    await scene.press("enter")
    await scene.until(lambda: isinstance(scene.app.screen, RestoreScreen))
    await scene.press("w")
    await scene.until(lambda: _path(scene).exists())
    assert _path(scene).read_text() == CONFIG


async def test_what_is_there_already_is_not_asked_about(scene: Scene) -> None:
    _keep(scene, CONFIG)
    await _open(scene)
    await _says(scene, "as now")
    await scene.press("enter")
    await scene.until(lambda: "the files are as in this backup" in _told(scene))
    assert isinstance(scene.app.screen, BackupsScreen)


async def test_a_refusal_is_said_and_nothing_changes(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    _keep(scene, FASTER)
    await _open(scene)
    await _says(scene, "rpm: 600 → 900", "backups-detail")
    await _ask(scene)

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "replace", full)
    await scene.press("w")
    await scene.until(lambda: "nothing was changed" in _told(scene))
    assert "disk is full" in _told(scene)
    monkeypatch.undo()
    assert _path(scene).read_text() == CONFIG


# --- keys and sizes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["escape", "q", "b"])
async def test_these_keys_close_it_and_nothing_else(scene: Scene, key: str) -> None:
    before = scene.pane
    await scene.press("b", key)
    assert len(scene.app.screen_stack) == 1
    assert scene.app.is_running
    assert scene.pane == before


async def test_keys_of_the_console_do_nothing_from_here(scene: Scene) -> None:
    await scene.press("b", "R", "p", "P", "e", "z", "s", "question_mark", "exclamation_mark", "a", "d")
    assert isinstance(scene.app.screen, BackupsScreen)
    assert len(scene.app.screen_stack) == 2
    assert scene.app.focused is _list(scene)


async def test_f5_looks_at_the_disk_again(scene: Scene, tmp_path: Path) -> None:
    beside = tmp_path / "litellm.env"
    beside.write_text("A=1\n")
    made = _store(scene).make([(str(beside), "environment")], "before a restart")
    assert isinstance(made, Backup)
    await _open(scene)
    await _says(scene, "as now")
    # the console does not follow this file
    beside.write_text("A=2\n")
    await scene.press("f5")
    await _says(scene, "1 file")
    await _says(scene, "environment A: changed (not shown)", "backups-detail")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 50)])
async def test_it_fits_every_size(simulation: Simulation, size: tuple[int, int]) -> None:
    async with opened(simulation, size) as scene:
        for number in range(12):
            text = CONFIG.replace(RPM[0], f"      rpm: {number}\n")
            _keep(scene, text, f"rejected: {'a long reason ' * 10}{number}", at=1_700_000_000.0 + number)
        await _open(scene)
        await _says(scene, "rpm: 600", "backups-detail")
        lines, detail = _list(scene), scene.app.screen.query_one("#backups-detail", Lines)
        assert lines.size.height >= 5
        assert detail.size.height >= 4
        assert detail.region.bottom <= size[1]
        assert detail.region.right <= size[0]
        for shown in (lines, detail):
            assert all(sum(len(text) for text, _ in row.spans) <= shown.room for row in shown._rows)


async def test_ascii_is_ascii(simulation: Simulation) -> None:
    async with opened(simulation, settings=Settings(ascii=True)) as scene:
        _keep(scene, FASTER, "applied", good=True)
        await _open(scene)
        await _says(scene, "rpm: 600", "backups-detail")
        await scene.shows("600 -> 900")
        assert scene.text.isascii(), [c for c in scene.text if not c.isascii()]
