"""Pictures of the screen, drawn from records in which time stands still.

After a change that is meant: `pytest tests/ui/test_snapshots.py --snapshot-update`, and look at what has changed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from litellm_tui.actions.splice import diff, splice
from litellm_tui.actions.transaction import preflight
from litellm_tui.analysis.change.preflight import PreflightCheck, preflight_checks
from litellm_tui.demo.past import Past
from litellm_tui.model.configuration import ConfigError
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.target.settings import Settings
from litellm_tui.ui.screens.fix import FixScreen
from litellm_tui.ui.screens.note import NotePrompt
from litellm_tui.ui.widgets.lines import Lines
from tests.ui import frozen
from tests.ui.frozen import Frozen
from tests.ui.scene import settled
from tests.waiting import eventually

Compare = Callable[..., bool]
SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x50": (200, 50)}


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture
def snap_compare(snap_compare: Compare) -> Compare:
    """The plugin's, but each key is pressed when what it acts on is drawn."""

    def compare(
        app: Frozen,
        *,
        terminal_size: tuple[int, int],
        press: Sequence[str] = (),
        run_before: Callable[[Pilot[Any]], Awaitable[None]] | None = None,
    ) -> bool:
        async def pressed(pilot: Pilot[Any]) -> None:
            await settled(pilot)
            if run_before is not None:
                await run_before(pilot)
            for key in press:
                await pilot.press(key)
                await settled(pilot)

        return snap_compare(app, terminal_size=terminal_size, run_before=pressed)

    return compare


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
class TestMain:
    def test_healthy(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        assert snap_compare(Frozen(frozen.healthy(tmp_path)), terminal_size=size)

    def test_degraded(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        assert snap_compare(Frozen(frozen.degraded(tmp_path)), terminal_size=size)

    def test_gateway_down(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        assert snap_compare(Frozen(frozen.down(tmp_path)), terminal_size=size)

    def test_help(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        assert snap_compare(Frozen(frozen.healthy(tmp_path)), terminal_size=size, press=["question_mark"])

    def test_detail(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        press = ["1", "down", "down", "down", "enter"]
        assert snap_compare(Frozen(frozen.degraded(tmp_path)), terminal_size=size, press=press)

    def test_problems(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        app = Frozen(frozen.degraded(tmp_path))
        assert snap_compare(app, terminal_size=size, press=["exclamation_mark", "down"])

    def test_what_if(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        press = ["3", "z", "x", "down", "x"]
        assert snap_compare(Frozen(frozen.degraded(tmp_path)), terminal_size=size, press=press)

    def test_incidents(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        assert snap_compare(Frozen(frozen.failing(tmp_path)), terminal_size=size, press=["i", "down", "up"])

    def test_restart(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        assert snap_compare(Frozen(frozen.degraded(tmp_path)), terminal_size=size, press=["R"])


@pytest.fixture(autouse=True)
def no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """How much room there is here, and who listens, is in no picture."""

    async def inspect(_: object, snapshot: Snapshot, diagnosis: Diagnosis, __: object) -> tuple[PreflightCheck, ...]:
        return tuple(preflight_checks(snapshot, diagnosis))

    monkeypatch.setattr(preflight, "inspect", inspect)


@pytest.mark.parametrize("size", [SIZES["80x24"], SIZES["120x40"]], ids=["80x24", "120x40"])
class TestFile:
    def test_audit(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        app = Frozen(frozen.degraded(tmp_path), audited=True)
        assert snap_compare(app, terminal_size=size, press=["a", "down"])

    def test_fix(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        app = Frozen(frozen.degraded(tmp_path), audited=True)

        async def shown(pilot: Pilot[int]) -> None:
            audit = app.view.diagnosis.audit
            assert audit
            fix = next(finding.fix for finding in audit.findings if finding.rule == "ghost-fallback")
            assert fix
            before = (tmp_path / "edited.yaml").read_bytes()
            text = diff(before, splice(before, fix.edits), "config.yaml", app.view.redact)
            await pilot.press("a")
            app.push_screen(FixScreen(fix.title, fix.decision, text))
            await pilot.pause()

        assert snap_compare(app, terminal_size=size, run_before=shown)

    def test_difference(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        async def compared(pilot: Pilot[int]) -> None:
            await pilot.press("d")
            # it is compared in a thread
            await eventually(lambda: pilot.app.screen.query_one("#difference-lines", Lines).selected)
            await pilot.press("down")

        assert snap_compare(Frozen(frozen.edited(tmp_path)), terminal_size=size, run_before=compared)


@pytest.mark.parametrize("size", [SIZES["80x24"], SIZES["120x40"]], ids=["80x24", "120x40"])
class TestPast:
    """What happened, as the simulated gateway tells it."""

    def test_history(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        app = Frozen(frozen.degraded(tmp_path))
        app.session.past = Past(frozen.NOW, UTC)

        async def read(pilot: Pilot[int]) -> None:
            await pilot.press("h")
            lines = pilot.app.screen.query_one("#history-lines", Lines)
            # it is read in a thread
            await eventually(lambda: lines.selected)
            await pilot.press("down", "down", "down", "down", "down", "down")

        assert snap_compare(app, terminal_size=size, run_before=read)

    def test_charts(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        app = Frozen(frozen.degraded(tmp_path))
        app.session.past = Past(frozen.NOW, UTC)

        async def drawn(pilot: Pilot[int]) -> None:
            await pilot.press("C")
            lines = pilot.app.screen.query_one("#chart-lines", Lines)
            await eventually(lambda: len(lines._rows) > 10)
            await pilot.press("N", "N")

        assert snap_compare(app, terminal_size=size, run_before=drawn)

    def test_charts_in_ascii(self, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
        app = Frozen(frozen.degraded(tmp_path), Settings(ascii=True, utc=True))
        app.session.past = Past(frozen.NOW, UTC)

        async def drawn(pilot: Pilot[int]) -> None:
            await pilot.press("C")
            lines = pilot.app.screen.query_one("#chart-lines", Lines)
            await eventually(lambda: len(lines._rows) > 10)
            # a group, over a week
            await pilot.press("down", "plus", "plus")
            await eventually(lambda: "last 7 d" in str(pilot.app.screen.query(".sheet").first().border_title))

        assert snap_compare(app, terminal_size=size, run_before=drawn)


class TestPanes:
    @pytest.mark.parametrize("key", ["2", "3", "4", "5"])
    def test_a_pane_alone(self, snap_compare: Compare, tmp_path: Path, key: str) -> None:
        assert snap_compare(Frozen(frozen.degraded(tmp_path)), terminal_size=(80, 24), press=[key])

    def test_the_log_filtered_and_searched(self, snap_compare: Compare, tmp_path: Path) -> None:
        press = ["2", "slash", *"chat", "enter", "s", *"500", "enter"]
        assert snap_compare(Frozen(frozen.healthy(tmp_path)), terminal_size=(120, 40), press=press)

    def test_the_log_wrapped(self, snap_compare: Compare, tmp_path: Path) -> None:
        assert snap_compare(Frozen(frozen.healthy(tmp_path)), terminal_size=(80, 24), press=["2", "w"])

    def test_a_record_with_its_stack(self, snap_compare: Compare, tmp_path: Path) -> None:
        press = ["2", "home", "down", "down", "down", "down", "down", "enter"]
        assert snap_compare(Frozen(frozen.healthy(tmp_path)), terminal_size=(120, 40), press=press)

    def test_a_chain(self, snap_compare: Compare, tmp_path: Path) -> None:
        assert snap_compare(Frozen(frozen.degraded(tmp_path)), terminal_size=(120, 40), press=["3", "enter"])


class TestStates:
    def test_the_file_is_broken(self, snap_compare: Compare, tmp_path: Path) -> None:
        assert snap_compare(Frozen(_broken(tmp_path)), terminal_size=(120, 40))

    def test_restarting_into_a_broken_file(self, snap_compare: Compare, tmp_path: Path) -> None:
        assert snap_compare(Frozen(_broken(tmp_path)), terminal_size=(120, 40), press=["R"])

    def test_the_problems_of_nothing_but_an_address(self, snap_compare: Compare, tmp_path: Path) -> None:
        app = Frozen(frozen.bare(tmp_path))
        assert snap_compare(app, terminal_size=(120, 40), press=["exclamation_mark"])

    def test_a_note_on_what_is_expected_down(self, snap_compare: Compare, tmp_path: Path) -> None:
        async def asked(pilot: Pilot[int]) -> None:
            pilot.app.push_screen(NotePrompt("Expected down", "qwen2.5-coder:7b · openai/qwen is masked. " * 4))
            await pilot.pause()
            await pilot.press(*"moved")

        assert snap_compare(Frozen(frozen.degraded(tmp_path)), terminal_size=(80, 24), run_before=asked)

    def test_nothing_but_an_address(self, snap_compare: Compare, tmp_path: Path) -> None:
        assert snap_compare(Frozen(frozen.bare(tmp_path)), terminal_size=(120, 40))


class TestThemes:
    @pytest.mark.parametrize("theme", ["light", "high-contrast"])
    def test_degraded(self, snap_compare: Compare, tmp_path: Path, theme: str) -> None:
        app = Frozen(frozen.degraded(tmp_path), Settings(theme=theme, utc=True))
        assert snap_compare(app, terminal_size=(120, 40))

    def test_ascii(self, snap_compare: Compare, tmp_path: Path) -> None:
        app = Frozen(frozen.degraded(tmp_path), Settings(ascii=True, utc=True))
        assert snap_compare(app, terminal_size=(120, 40))


def _broken(folder: Path) -> Snapshot:
    from msgspec.structs import replace

    well = frozen.healthy(folder)
    error = ConfigError(frozen.PLACE, "did not find expected key while parsing a block mapping", 84, 3, frozen.NOW - 20)
    return replace(well, configuration=replace(well.configuration, error=error))


def test_a_picture_does_not_depend_on_the_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were anything drawn from a clock of its own, the pictures would differ from run to run."""
    import asyncio
    import time

    async def drawn() -> str:
        app = Frozen(frozen.degraded(tmp_path))
        async with app.run_test(size=(200, 50)) as pilot:
            # a pane that overflows gets its scroll bar a moment later
            picture = ""
            while (newer := app.export_screenshot()) != picture:
                picture = newer
                await pilot.pause(0.2)
            return picture

    first = asyncio.run(drawn())
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 100_000)

    def plain(svg: str) -> str:
        import re

        return re.sub(r"terminal-\d+", "terminal", svg)

    assert plain(asyncio.run(drawn())) == plain(first)
