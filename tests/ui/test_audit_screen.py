"""The audit: findings worst first, one in full below, its fix as a diff that is written only when it is asked for."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from litellm_tui.demo import Simulation
from litellm_tui.demo.files import CONFIG
from litellm_tui.model.audit import RANK, Audit, Finding
from litellm_tui.target.profile import Options
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings
from litellm_tui.ui.app import Console
from litellm_tui.ui.screens.audit import AuditScreen
from litellm_tui.ui.screens.fix import FixScreen
from litellm_tui.ui.widgets.lines import Lines
from tests.ui import frozen
from tests.ui.frozen import Frozen
from tests.ui.scene import Scene, opened, screen_text
from tests.waiting import eventually

SECRET = "AIzaSyHunter22Hunter22"
MISSPELT = "sk-hunter22-of-another-time"
FAULTY = (
    CONFIG.replace("simple-shuffle", "simple-shufle")
    .replace("  num_retries: 1\n", "  num_retris: 1\n")
    .replace("    assistant: gpt-4.1\n", "    assistant: gpt-4.1\n    '[red]x[/]': nobody\n")
    .replace("os.environ/GEMINI_API_KEY", SECRET)
    .replace("  background_health_checks", f"  master_keyy: {MISSPELT}\n  background_health_checks")
)


def _list(scene: Scene) -> Lines:
    return scene.app.screen.query_one("#audit-lines", Lines)


def _texts(lines: Lines) -> list[str]:
    return ["".join(text for text, _ in row.spans) for row in lines._rows]


def _detail(scene: Scene) -> str:
    return " ".join(" ".join(_texts(scene.app.screen.query_one("#audit-detail", Lines))).split())


def _painted(scene: Scene) -> str:
    return " ".join(scene.text.replace("│", " ").split())


def _audit(scene: Scene) -> Audit:
    view = scene.app.view
    assert view is not None
    assert view.diagnosis.audit is not None
    return view.diagnosis.audit


def _finding(scene: Scene, rule: str) -> Finding:
    audit = _audit(scene)
    return next(finding for finding in (*audit.findings, *audit.silenced) if finding.rule == rule)


def _content(scene: Scene) -> bytes:
    return scene.simulation.config_path.read_bytes()


def _backups(scene: Scene) -> list[Path]:
    return sorted((scene.simulation.folder / "backups").glob("*/*.backup.*"))


def _told(scene: Scene) -> str:
    return "\n".join(note.message for note in scene.app._notifications)


async def _faulty(scene: Scene, text: str = FAULTY, rule: str = "unknown-routing-strategy") -> None:
    """The audit of this file is on the screen."""
    scene.simulation.edit_config(text)
    await scene.until(lambda: any(finding.rule == rule for finding in _audit(scene).findings))
    await scene.press("a")
    assert isinstance(scene.app.screen, AuditScreen)
    await scene.until(lambda: any(row.key.startswith(rule) for row in _list(scene)._rows))
    await scene.settled()


async def _select(scene: Scene, rule: str) -> None:
    row = next(row for row in _list(scene)._rows if row.key.startswith(f"{rule}:"))
    _list(scene).select(row.key)
    await scene.settled()
    assert _list(scene).selected == row.key


async def _open_fix(scene: Scene, rule: str) -> None:
    await _select(scene, rule)
    await scene.press("enter")
    await scene.until(lambda: isinstance(scene.app.screen, FixScreen) and _fix_text(scene))


def _fix_text(scene: Scene) -> str:
    # nothing, while the screen is being put together
    return "\n".join(text for lines in scene.app.screen.query("#fix-lines").results(Lines) for text in _texts(lines))


async def _back(scene: Scene) -> None:
    await scene.until(lambda: isinstance(scene.app.screen, AuditScreen))


# --- the list ----------------------------------------------------------------------------------------------------


async def test_the_list_is_worst_first_with_its_lines(scene: Scene) -> None:
    await _faulty(scene)
    findings = _audit(scene).findings
    ranks = [RANK[finding.severity] for finding in findings]
    assert ranks == sorted(ranks)
    assert {"fatal", "warning", "advice"} <= {finding.severity for finding in findings}
    rows = [row for row in _list(scene)._rows if row.key]
    assert len(rows) == len(findings)
    lines = FAULTY.splitlines()
    for row, finding in zip(rows, findings, strict=True):
        words = "".join(text for text, _ in row.spans)
        assert finding.severity in words
        assert f"{finding.mark.line} " in words
        assert ("fix" in words[-4:]) == (finding.fix is not None)
    # the fatal one comes first, and its line is the one in the file
    assert "simple-shufle" in lines[findings[0].mark.line - 1]
    assert _list(scene).selected == rows[0].key
    await scene.shows("fatal")


async def test_the_counts_and_the_score_add_up_on_the_screen(scene: Scene) -> None:
    await _faulty(scene)
    findings = _audit(scene).findings
    await scene.until(lambda: _audit(scene).version == "1.106.2")
    await scene.shows("for LiteLLM 1.106.2")
    text = " ".join(" ".join(_texts(_list(scene))).split())
    number = sum(finding.severity == "warning" for finding in findings)
    assert f"1 fatal, {number} warnings" in text
    assert f"score {_audit(scene).score.value:g} of 10 = 10 − 1 fatal × 10" in text
    assert "for LiteLLM 1.106.2, from the shipped catalogue" in text
    assert "a rule counting once" in text


async def test_what_is_right_is_listed_below(scene: Scene) -> None:
    await scene.press("a")
    await scene.shows("score")
    texts = _texts(_list(scene))
    head = texts.index(" right")
    score = next(number for number, text in enumerate(texts) if text.strip().startswith("score"))
    assert score < head
    assert len(_audit(scene).right) > 3
    for strength in _audit(scene).right:
        assert any(strength.text in text for text in texts[head + 1 :])


async def test_the_selected_finding_is_in_full_below(scene: Scene) -> None:
    await _faulty(scene)
    for finding in _audit(scene).findings:
        detail = _detail(scene)
        words = [finding.text, finding.do, finding.why, finding.rule, finding.source]
        for text in words:
            assert " ".join(text.split()) in detail, finding.rule
        assert f"litellm.yaml:{finding.mark.line}" in detail.replace(" ", "") or ".service:" in str(finding.mark)
        await scene.press("down")


async def test_a_fix_that_needs_a_decision_says_so_before_and_in_the_diff(scene: Scene) -> None:
    await _faulty(scene)
    decision = _finding(scene, "ghost-alias").fix
    assert decision is not None
    assert decision.decision
    await _select(scene, "ghost-alias")
    await scene.until(lambda: f"decide {decision.decision}" in _detail(scene))
    await _open_fix(scene, "ghost-alias")
    assert f"to be decided: {decision.decision}" in _fix_text(scene)
    await scene.press("escape")
    await _select(scene, "unknown-litellm-key")
    await scene.until(lambda: "num_retris" in _detail(scene))
    assert " decide " not in _detail(scene)
    await _open_fix(scene, "unknown-litellm-key")
    assert "to be decided" not in _fix_text(scene)


async def test_a_finding_without_a_fix_says_so(scene: Scene) -> None:
    await _faulty(scene)
    assert _finding(scene, "cache-four-messages").fix is None
    await _select(scene, "cache-four-messages")
    await scene.press("enter")
    await scene.until(lambda: "no edit of the file settles this by itself: see what to do" in _told(scene))
    assert isinstance(scene.app.screen, AuditScreen)


async def test_a_silenced_finding_is_listed_as_silenced_with_its_reason(scene: Scene) -> None:
    silenced = FAULTY.replace(
        "  num_retris: 1\n", "  num_retris: 1  # litellm-tui: ignore unknown-litellm-key we know\n"
    )
    await _faulty(scene, silenced)
    assert [finding.rule for finding in _audit(scene).silenced] == ["unknown-litellm-key"]
    texts = _texts(_list(scene))
    head = texts.index(" silenced")
    row = next(number for number, text in enumerate(texts) if "num_retris" in text)
    assert row == head + 1
    assert not texts[row].rstrip().endswith("fix")
    await _select(scene, "unknown-litellm-key")
    assert "silenced we know" in _detail(scene)
    before = _content(scene)
    await scene.press("enter")
    await scene.until(lambda: _told(scene))
    assert isinstance(scene.app.screen, AuditScreen)
    assert _content(scene) == before


async def test_rules_silenced_in_the_settings_are_silenced_here(simulation: Simulation) -> None:
    options, settings = Options(unit=simulation.unit, scope="user"), Settings()
    found = resolve(options, settings, tools=simulation.tools, environ={})
    profile = msgspec.structs.replace(found, ignored_rules={"cache-four-messages": "chats are short here"})
    app = Console(profile, settings, memory=False)
    async with app.run_test(size=(120, 40)) as pilot:
        scene = Scene(app, pilot, simulation)
        await scene.until(lambda: app.view is not None and app.view.diagnosis.audit is not None)
        await scene.press("a")
        await scene.shows("silenced")
        await _select(scene, "cache-four-messages")
        assert "silenced chats are short here" in _detail(scene)
        assert "cache-four-messages" not in {finding.rule for finding in _audit(scene).findings}


# --- states ------------------------------------------------------------------------------------------------------


async def test_a_file_that_cannot_be_parsed_is_one_fatal_finding_with_its_line(scene: Scene) -> None:
    await _faulty(scene, CONFIG.replace("litellm_settings:\n", "litellm_settings: [\n"), "unusable-file")
    (finding,) = _audit(scene).findings
    assert finding.severity == "fatal"
    (row,) = (row for row in _list(scene)._rows if row.key)
    assert f" {finding.mark.line} " in "".join(text for text, _ in row.spans)
    # the sequence that is opened there is never closed: the parser stumbles in one of the lines right below
    begin = CONFIG.splitlines().index("litellm_settings:") + 1
    assert begin <= finding.mark.line <= begin + 3
    assert f"litellm.yaml:{finding.mark.line}" in _detail(scene).replace(" ", "")
    # mended, all of it is back by itself
    scene.simulation.restore_config()
    await scene.until(lambda: any(row.key.startswith("ghost-fallback") for row in _list(scene)._rows))


async def test_without_a_configuration_it_says_that_none_is_known(tmp_path: Path) -> None:
    app = Frozen(frozen.bare(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("a")
        await eventually(lambda: "no configuration file is known here" in screen_text(app))
        lines = app.screen.query_one("#audit-lines", Lines)
        assert lines.selected == ""
        assert not app.screen.query_one("#audit-detail", Lines).display
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, AuditScreen)


async def test_text_of_the_file_is_text_and_no_markup(scene: Scene) -> None:
    await _faulty(scene)
    assert any("[red]x[/]" in text for text in _texts(_list(scene)))
    await _select(scene, "ghost-alias")
    await scene.shows("'[red]x[/]' stands for 'nobody'")
    assert "[red]x[/]" in _detail(scene)
    await _open_fix(scene, "ghost-alias")
    await scene.shows("-    '[red]x[/]': nobody")


async def test_no_secret_of_the_file_is_on_the_screen(scene: Scene) -> None:
    await _faulty(scene)
    seen = []
    for finding in _audit(scene).findings:
        seen += [scene.text, _detail(scene), *_texts(_list(scene))]
        if finding.fix is not None:
            await scene.press("enter")
            await scene.until(lambda: isinstance(scene.app.screen, FixScreen) and _fix_text(scene))
            seen += [scene.text, _fix_text(scene)]
            await scene.press("escape")
            await _back(scene)
        await scene.press("down")
    everything = "\n".join(seen)
    # the line with the misspelt key was in a diff
    assert "-  master_keyy: •••" in everything
    for secret in (SECRET, MISSPELT, scene.simulation.key):
        assert secret not in everything


# --- the fix -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["escape", "q", "enter"])
async def test_a_fix_that_is_left_leaves_the_file_untouched(scene: Scene, key: str) -> None:
    await _faulty(scene)
    before, made = _content(scene), os.stat(scene.simulation.config_path)
    await _open_fix(scene, "unknown-litellm-key")
    text = _fix_text(scene)
    assert "-  num_retris: 1" in text
    assert "+  num_retries: 1" in text
    await scene.press(key)
    await _back(scene)
    assert _content(scene) == before
    after = os.stat(scene.simulation.config_path)
    assert (after.st_ino, after.st_mtime_ns) == (made.st_ino, made.st_mtime_ns)
    assert _backups(scene) == []
    assert _told(scene) == ""


async def test_w_writes_exactly_the_fix_with_a_backup_and_the_finding_goes(scene: Scene) -> None:
    await _faulty(scene)
    before = _content(scene)
    mode = os.stat(scene.simulation.config_path).st_mode
    rows = [row.key for row in _list(scene)._rows if row.key]
    place = next(number for number, key in enumerate(rows) if key.startswith("unknown-litellm-key"))
    await _open_fix(scene, "unknown-litellm-key")
    await scene.press("w")
    await _back(scene)
    await scene.until(lambda: "written; the file before is " in _told(scene))
    assert _content(scene) == before.replace(b"num_retris", b"num_retries")
    assert os.stat(scene.simulation.config_path).st_mode == mode
    (backup,) = _backups(scene)
    assert backup.read_bytes() == before
    assert str(backup) in _told(scene)
    assert backup.stat().st_mode & 0o077 == 0
    # nobody looked again: the file is watched
    await scene.until(lambda: not any(row.key.startswith("unknown-litellm-key") for row in _list(scene)._rows))
    # a finding that is gone hands its place to the one that followed it
    assert _list(scene).selected == rows[place + 1]
    await scene.settled()
    assert _finding(scene, rows[place + 1].partition(":")[0]).text in _detail(scene)


async def test_the_selection_stays_with_its_finding_while_the_file_is_edited_around_it(scene: Scene) -> None:
    await _faulty(scene)
    await _select(scene, "ghost-fallback")
    chosen = _list(scene).selected
    scene.simulation.edit_config("# a line more\n" + FAULTY.replace("simple-shufle", "simple-shuffle"))
    await scene.until(lambda: not any(row.key.startswith("unknown-routing") for row in _list(scene)._rows))
    assert _list(scene).selected == chosen
    line = next(n for n, text in enumerate(_content(scene).decode().splitlines(), 1) if "claude-haiku" in text)
    await scene.until(lambda: f"litellm.yaml:{line}" in _detail(scene).replace(" ", ""))


async def test_fixes_can_be_written_one_after_the_other(scene: Scene) -> None:
    await _faulty(scene)
    expected = _content(scene)
    for rule, old, new in (
        ("unknown-litellm-key", b"num_retris", b"num_retries"),
        ("unknown-routing-strategy", b"simple-shufle", b"simple-shuffle"),
    ):
        await _open_fix(scene, rule)
        await scene.press("w")
        await _back(scene)
        expected = expected.replace(old, new)
        await scene.until(lambda e=expected: _content(scene) == e)  # type: ignore[misc]
        await scene.until(lambda r=rule: not any(row.key.startswith(f"{r}:") for row in _list(scene)._rows))  # type: ignore[misc]
    assert len(_backups(scene)) == 2
    assert _audit(scene).worst() != "fatal"


async def test_a_file_that_was_changed_while_its_diff_was_read_is_not_overwritten(scene: Scene) -> None:
    await _faulty(scene)
    await _open_fix(scene, "unknown-litellm-key")
    theirs = FAULTY + "# somebody else was here\n"
    scene.simulation.edit_config(theirs)
    await scene.press("w")
    await scene.until(lambda: "was changed by somebody else meanwhile" in _told(scene))
    assert _content(scene) == theirs.encode()
    assert _backups(scene) == []
    await _back(scene)
    # what it says to do works
    await _open_fix(scene, "unknown-litellm-key")
    await scene.press("w")
    await scene.until(lambda: _content(scene) == theirs.replace("num_retris", "num_retries").encode())


async def test_a_file_that_is_gone_by_the_time_is_not_made_again(scene: Scene) -> None:
    await _faulty(scene)
    await _open_fix(scene, "unknown-litellm-key")
    scene.simulation.config_path.unlink()
    await scene.press("w")
    await scene.until(lambda: "cannot be read" in _told(scene))
    assert not scene.simulation.config_path.exists()
    await _back(scene)


async def test_what_the_fix_was_for_has_gone_meanwhile(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is pressed on a finding that is older than the file."""
    await _faulty(scene)
    await _select(scene, "unknown-litellm-key")
    finding = _finding(scene, "unknown-litellm-key")
    scene.simulation.edit_config(FAULTY.replace("  num_retris: 1\n", ""))
    before = _content(scene)
    assert isinstance(scene.app.screen, AuditScreen)
    scene.app.screen._on_fix(finding)
    await scene.until(lambda: _told(scene))
    assert isinstance(scene.app.screen, AuditScreen)
    assert _content(scene) == before


async def test_enter_held_down_does_not_write(scene: Scene) -> None:
    await _faulty(scene)
    before = _content(scene)
    await _select(scene, "unknown-litellm-key")
    for _ in range(12):
        await scene.pilot.press("enter")
    await scene.until(lambda: isinstance(scene.app.screen, AuditScreen | FixScreen))
    assert _content(scene) == before
    assert _backups(scene) == []
    assert len(scene.app.screen_stack) <= 3


async def test_two_enters_at_once_open_one_diff_that_still_writes(scene: Scene) -> None:
    await _faulty(scene)
    await _select(scene, "unknown-litellm-key")
    lines = _list(scene)
    for _ in range(3):
        lines.action_open()
        await asyncio.sleep(0)
    await scene.until(lambda: isinstance(scene.app.screen, FixScreen) and _fix_text(scene))
    await scene.pilot.pause(0.2)
    assert len(scene.app.screen_stack) == 3
    await scene.press("w")
    await _back(scene)
    await scene.until(lambda: b"num_retries" in _content(scene))


async def test_w_on_the_list_writes_nothing(scene: Scene) -> None:
    await _faulty(scene)
    before = _content(scene)
    await _select(scene, "unknown-litellm-key")
    await scene.press("w", "w")
    assert isinstance(scene.app.screen, AuditScreen)
    assert _content(scene) == before


# --- keys and sizes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["escape", "q", "a"])
async def test_these_keys_close_it_and_nothing_else(scene: Scene, key: str) -> None:
    before = scene.pane
    await scene.press("a", key)
    assert len(scene.app.screen_stack) == 1
    assert scene.app.is_running
    assert scene.pane == before


async def test_keys_of_the_console_do_nothing_from_here(scene: Scene) -> None:
    await scene.press("a", "R", "p", "P", "e", "z", "s", "question_mark", "exclamation_mark", "d")
    assert isinstance(scene.app.screen, AuditScreen)
    assert len(scene.app.screen_stack) == 2
    assert scene.app.focused is _list(scene)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 50)])
async def test_the_detail_leaves_room_for_the_list(simulation: Simulation, size: tuple[int, int]) -> None:
    async with opened(simulation, size) as scene:
        await _faulty(scene)
        lines = _list(scene)
        detail = scene.app.screen.query_one("#audit-detail", Lines)
        await scene.until(lambda: detail._rows)
        assert lines.size.height >= 5
        assert detail.size.height >= 5
        assert detail.region.bottom <= size[1]
        assert detail.region.right <= size[0]
        for shown in (lines, detail):
            assert all(sum(len(text) for text, _ in row.spans) <= shown.room for row in shown._rows)
        for finding in _audit(scene).findings:
            row = next(row for row in lines._rows if row.key == lines.selected)
            assert finding.severity in "".join(text for text, _ in row.spans)
            assert 0 <= lines._cursor - lines.scroll_offset.y < lines.size.height
            # what is wrong and what to do about it are never below the edge
            for words in (finding.text, finding.do):
                await scene.until(lambda w=words: " ".join(w.split())[:30] in _painted(scene), words)  # type: ignore[misc]
            await scene.press("down")


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_the_diff_can_be_read_where_it_is_narrow(simulation: Simulation, size: tuple[int, int]) -> None:
    async with opened(simulation, size) as scene:
        await _faulty(scene)
        await _open_fix(scene, "unknown-routing-strategy")
        for words in (
            "-  routing_strategy: simple-shufle",
            "+  routing_strategy: simple-shuffle",
            "y write, with a backup",
        ):
            await scene.shows(words)


async def test_it_follows_the_size_of_the_terminal(scene: Scene) -> None:
    await _faulty(scene)
    lines = _list(scene)

    def fits() -> bool:
        return all(sum(len(text) for text, _ in row.spans) <= lines.room for row in lines._rows)

    for size in ((60, 20), (160, 45)):
        await scene.pilot.resize_terminal(*size)
        await scene.until(lambda width=size[0]: 0 < lines.room <= width and fits())  # type: ignore[misc]  # bound now
        await scene.shows("simple-shufle")
