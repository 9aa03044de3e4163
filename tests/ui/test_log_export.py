"""What leaves the log: copies and exports, masked, and never over a file that is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import Input

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.demo import Simulation
from litellm_tui.model.log import LogRecord
from litellm_tui.ui.log_export import as_json, as_text, copied_to, terminal_keeps_it, write
from tests.ui.scene import Scene, opened, quiet

SECRET = "sk-planted-0123456789abcdef"
RECORD = LogRecord(
    sequence=3,
    time=1_800_000_000.5,
    level="ERROR",
    source="proxy",
    text=f"it failed for {SECRET}",
    stack=f"Traceback\n  File x, api_key={SECRET}",
    pid=31,
    call_id="c-1",
    status=500,
    model="openai/x",
    logger="utils.py:1",
)
PLAIN = LogRecord(sequence=4, time=1_800_000_001.0, level="INFO", source="access", text="GET / 200")


def test_a_record_as_text_has_its_trace_below_it_and_no_secret() -> None:
    assert as_text(RECORD, Redactor()) == (
        "2027-01-15T08:00:00.500Z ERROR    proxy [31] it failed for •••\nTraceback\n  File x, api_key=•••"
    )


def test_a_record_as_json_has_what_is_known_and_no_secret() -> None:
    assert json.loads(as_json(RECORD, Redactor())) == {
        "time": "2027-01-15T08:00:00.500Z", "level": "ERROR", "source": "proxy", "logger": "utils.py:1", "pid": 31,
        "model": "openai/x", "call_id": "c-1", "status": 500, "text": "it failed for •••",
        "stack": "Traceback\n  File x, api_key=•••",
    }  # fmt: skip
    assert json.loads(as_json(PLAIN, Redactor())) == {
        "time": "2027-01-15T08:00:01.000Z", "level": "INFO", "source": "access", "text": "GET / 200",
    }  # fmt: skip


def test_the_ending_says_the_form(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.NDJSON", "a.json"):
        assert write(tmp_path / name, [RECORD, PLAIN], Redactor()) is None
        assert [json.loads(line)["level"] for line in (tmp_path / name).read_text().splitlines()] == ["ERROR", "INFO"]
    assert write(tmp_path / "a.log", [RECORD, PLAIN], Redactor()) is None
    assert (tmp_path / "a.log").read_text().endswith("\n2027-01-15T08:00:01.000Z INFO     access [0] GET / 200\n")
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert SECRET not in path.read_text()


def test_no_file_is_written_over(tmp_path: Path) -> None:
    path, link = tmp_path / "a", tmp_path / "link"
    path.write_text("mine")
    link.symlink_to(path)
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    for target in (path, link, dangling):
        failure = write(target, [PLAIN], Redactor())
        assert failure is not None
        assert "is there already" in failure.why
    assert path.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    failure = write(tmp_path / "no" / "a", [PLAIN], Redactor())
    assert failure is not None
    assert "No such file or directory" in failure.why


def test_half_an_export_is_taken_away(tmp_path: Path) -> None:
    def full_disk(text: str) -> str:
        raise OSError(28, "No space left on device")

    failure = write(tmp_path / "a", [PLAIN], full_disk)
    assert failure is not None
    assert "No space left on device" in failure.why
    assert list(tmp_path.iterdir()) == []


def test_a_copy_takes_the_place_of_the_last_one(tmp_path: Path) -> None:
    path = tmp_path / "copied.txt"
    for text in ("a long text", "short"):
        assert copied_to(path, text) is None
    assert path.read_text() == "short\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_text_with_half_a_character_is_written(tmp_path: Path) -> None:
    assert copied_to(tmp_path / "a", "x\ud800y") is None
    assert (tmp_path / "a").read_text() == "x?y\n"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"TERM": "xterm-256color"}, ""),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/x"}, "set-clipboard"),
        ({"TERM": "screen", "STY": "1.x"}, "screen"),
        ({"TERM": "linux"}, "no such clipboard"),
        ({"TERM_PROGRAM": "Apple_Terminal", "TERM": "xterm-256color"}, "no such clipboard"),
    ],
)
def test_where_a_copy_may_not_arrive_is_known(environment: dict[str, str], words: str) -> None:
    assert words in terminal_keeps_it("x", environment)
    assert bool(words) == bool(terminal_keeps_it("x", environment))
    assert terminal_keeps_it("x" * 80_000, environment)


async def test_a_copy_under_tmux_goes_to_a_file_too(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux")
    scene.write(f"it failed for {SECRET}", level="ERROR")
    await scene.press("2", "k", "y")
    path = scene.simulation.config_path.parent / "copied.txt"
    await scene.until(lambda: any(str(path) in note.message for note in scene.app._notifications))
    assert path.read_text() == scene.app.clipboard + "\n"
    assert "it failed for •••" in path.read_text()


async def test_a_copy_from_a_records_sheet(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    scene.write("one", call_id="c-7")
    await scene.press("2", "k", "enter", "y")
    await scene.until(lambda: scene.app.clipboard.endswith("one"))
    await scene.press("c")
    assert len(scene.app.screen_stack) == 1
    assert scene.log.filter.typed == "call_id:c-7"


async def test_an_export_into_a_file_that_is_there_is_refused(scene: Scene) -> None:
    await quiet(scene)
    path = scene.simulation.config_path
    before = path.read_bytes()
    await scene.press("Y")
    scene.app.screen.query_one("LogPrompt Input", Input).value = str(path)
    await scene.press("enter")
    await scene.until(lambda: any("is there already" in note.message for note in scene.app._notifications))
    assert path.read_bytes() == before


async def test_the_trace_of_a_record_is_unfolded_with_a_key(scene: Scene) -> None:
    frames = "\n".join(f'  File "/x/site-packages/httpx/{n}.py", line {n}, in f\n    code()' for n in range(9))
    scene.write("it failed", level="ERROR", stack=f"Traceback (most recent call last):\n{frames}\nhttpx.Error: no")
    await scene.press("2", "k", "enter")
    await scene.shows("… 9 frames: httpx 9")
    assert "httpx.Error: no" in scene.text
    assert "site-packages" not in scene.text
    await scene.press("f")
    await scene.shows("site-packages/httpx/0.py")
    await scene.shows("f fold · y copy")
    await scene.press("f")
    await scene.shows("… 9 frames: httpx 9")


async def test_saved_filters_stay_in_the_state_folder(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with opened(simulation, memory=True) as scene:
        await scene.press("2", "slash", *"status:5xx", "enter", "F", "a", *"broken", "enter")
        await scene.shows("broken  status:5xx")
    assert "status:5xx" in (tmp_path / "state" / "litellm-tui" / "filters.json").read_text()
    async with opened(simulation, memory=True) as scene:
        await scene.press("F", "enter")
        assert scene.log.filter.typed == "status:5xx"
        # a secret is never kept
        await scene.press("escape", "2", "slash", *"sk-planted-0123456789", "enter", "F", "a")
        assert any("holds a secret" in note.message for note in scene.app._notifications)
        await scene.press("escape")
        assert len(scene.app.screen_stack) == 1
