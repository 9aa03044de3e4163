"""What a terminal shows of the console in few colours, in none and in ASCII: where one is, and what can be pressed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from litellm_tui.model.configuration import ConfigError
from litellm_tui.target.settings import Settings
from litellm_tui.ui.contrast import contrast
from litellm_tui.ui.screens.confirm import ConfirmDialog
from litellm_tui.ui.signs import to_ascii
from tests.ui import frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen
from tests.waiting import eventually

TERMINALS = {
    "16 colours": {"TERM": "linux", "COLORTERM": ""},
    "256 colours": {"TERM": "xterm-256color", "COLORTERM": ""},
    "true colour": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    "no colour": {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"},
}


@asynccontextmanager
async def _shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch, terminal: str, **settings: object
) -> AsyncIterator[tuple[Frozen, Pilot[int]]]:
    for name, value in TERMINALS[terminal].items():
        monkeypatch.setenv(name, value)
    app = Frozen(frozen.degraded(folder), Settings(utc=True, **settings))  # type: ignore[arg-type]
    async with app.run_test(size=(120, 40)) as pilot:
        await eventually(lambda: "qwen-coder-vllm" in Drawn(app).text)
        await pilot.pause()
        yield app, pilot


@pytest.mark.parametrize("theme", ["dark", "light", "high-contrast"])
@pytest.mark.parametrize("terminal", TERMINALS)
async def test_the_selected_row_is_as_readable_as_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: str, theme: str
) -> None:
    async with _shown(tmp_path, monkeypatch, terminal, theme=theme) as (app, _):
        # what is wrong stands first
        await eventually(lambda: "▌✖" in Drawn(app).text)
        drawn = Drawn(app)
        row = list(drawn.cells(drawn.row_of("▌")))
        inside = row[1 : next(n for n, cell in enumerate(row) if n and cell.sign in "┃│")]
        assert "✖" in "".join(cell.sign for cell in inside), drawn.text
        dim = {cell.sign: round(contrast(cell.text, cell.ground), 1) for cell in inside if cell.sign.strip()}
        assert min(dim.values()) >= 4.5, dim


@pytest.mark.parametrize("ascii", [False, True])
async def test_the_focus_is_seen_without_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ascii: bool) -> None:
    async with _shown(tmp_path, monkeypatch, "no colour", ascii=ascii) as (app, pilot):
        for key, title, other in (("1", "1 Models", "2 Logs"), ("2", "2 Logs", "1 Models")):
            await pilot.press(key)
            await pilot.pause()
            drawn = Drawn(app)
            if ascii:
                bold, plain = drawn.cells_of(title)[0], drawn.cells_of(other)[0]
                assert contrast(bold.text, plain.text) > 4.5, "one is in reverse"
                assert bold.bold
            else:
                assert f"┏━ {title}" in drawn.text
                assert f"╭─ {other}" in drawn.text


async def test_a_button_has_a_shape_and_shows_that_it_has_the_focus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _shown(tmp_path, monkeypatch, "no colour", ascii=True) as (app, pilot):
        app.push_screen(ConfirmDialog("Stop", "Stop it?"))
        await eventually(lambda: "[> Cancel <]" in Drawn(app).text)
        assert "[  Stop  ]" in Drawn(app).text
        await pilot.press("right")
        await eventually(lambda: "[> Stop <]" in Drawn(app).text)
        assert "[  Cancel  ]" in Drawn(app).text


async def test_signs_of_ascii_say_what_they_stand_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _shown(tmp_path, monkeypatch, "16 colours", ascii=True) as (app, _):
        drawn = Drawn(app)
        assert "level >= info" in drawn.text
        assert "x -> qwen-coder-vllm x -> gpt-oss:120b-cloud *" in drawn.text
        assert "Cannot connect to h~ " in drawn.text
        assert not {sign for sign in drawn.text if ord(sign) > 126} - set("漢字")
        # the columns stand where they stood
        row = next(line for line in drawn.text.split("\n") if "openai/llama3.1 " in line)
        head = next(line for line in drawn.text.split("\n") if "group" in line and "seen" in line)
        assert row.index("now") + len("now") == head.index("seen") + len("seen")


def test_a_longer_sign_takes_blanks_that_fill_up() -> None:
    assert to_ascii("a → b     ") == "a -> b    "
    assert to_ascii("a → b ") == "a -> b "
    assert to_ascii("≥ → x   ") == ">= -> x "
    assert to_ascii("cut…") == "cut~"
    assert to_ascii("a → cut…") == "a -> cu~"


async def test_that_the_file_is_broken_stands_above_the_list(tmp_path: Path) -> None:
    well = frozen.healthy(tmp_path)
    error = ConfigError(frozen.PLACE, "did not find expected key", 84, 3, frozen.NOW - 20)
    app = Frozen(replace(well, configuration=replace(well.configuration, error=error)))
    async with app.run_test(size=(80, 24)):
        await eventually(lambda: "llama3.1:latest " in Drawn(app).text)
        drawn = Drawn(app)
        assert drawn.row_of("group  ") < drawn.row_of("the file is broken") < drawn.row_of("llama3.1:latest ")
