"""`litellm-tui restart` on the simulated gateway: what it says, and how it ends."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from litellm_tui.actions import control
from litellm_tui.actions.transaction.record import Record, RestartLock, here
from litellm_tui.analysis.change import proof
from litellm_tui.cli import main
from litellm_tui.commands import restart
from litellm_tui.demo import Simulation
from litellm_tui.demo.files import CONFIG
from litellm_tui.model.failures import Denied, Failure
from litellm_tui.storage.backups import Backup, Backups, FileSet, copy_current
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings

BROKEN = CONFIG + "  : [\n"


class Bench:
    """The simulation, its profile, and what is kept of it; what runs is known to be good."""

    def __init__(self, simulation: Simulation, profile: Profile) -> None:
        self.simulation = simulation
        self.profile = profile
        assert profile.unit
        self.lock = RestartLock(profile.url.value, profile.unit.value)
        self.backups = Backups(profile.url.value, profile.unit.value)
        self.keep(good=True)

    @property
    def path(self) -> Path:
        return self.simulation.config_path

    def keep(self, *, good: bool) -> Backup:
        taken = copy_current(str(self.path), self.profile.environment_files)
        assert isinstance(taken, FileSet)
        made = self.backups.keep(taken, "seen running", good=good)
        assert isinstance(made, Backup)
        return made

    def shown(self) -> str:
        """Which run of the process it is."""
        tools = self.profile.tools
        command = [*tools.unit_command("user", "show", self.simulation.unit), "--property=InvocationID"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(proof, "STEADY_SECONDS", 0.3)
    with Simulation(tmp_path / "gateway", speed=5, scripted=False) as simulation:
        found = resolve(Options(unit=simulation.unit, scope="user"), Settings(), tools=simulation.tools, environ={})
        monkeypatch.setattr(restart, "resolve", lambda *_: found)
        yield Bench(simulation, found)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_what_is_applied_ends_with_0_and_tells_each_step(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    before = bench.shown()
    bench.simulation.edit_config()
    assert main(["restart", "--yes"]) == 0
    said = capsys.readouterr().out.splitlines()
    # what a preflight notes stands indented below it
    lines = [line for line in said if not line.startswith("  ")]
    assert [line.split()[:2] for line in lines[:4]] == [
        ["ok", "preflight"], ["ok", "backup"], ["ok", "restart"], ["ok", "proof"]
    ]  # fmt: skip
    assert all(" s  " in line for line in lines[:2])
    assert any("added: qwen2.5-coder:32b" in line for line in said if line not in lines)
    assert lines[4] == "applied: applied and proved; 9 of 9 deployments loaded"
    assert lines[5].endswith("s of them without an answer")
    assert bench.shown() != before


def test_what_fails_is_rolled_back_with_1_and_the_cause(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    good = bench.path.read_bytes()
    bench.simulation.edit_config(BROKEN)
    assert main(["restart", "--yes", "--force"]) == 1
    said = capsys.readouterr().out
    assert "FAIL  proof" in said
    assert "ok    proof again" in said
    assert "rolled back: rolled back to what ran before, because" in said
    assert "yaml.parser.ParserError" in said
    assert "the service said:" in said
    assert bench.path.read_bytes() == good
    rejected = bench.backups.load()[-1].id
    assert f"litellm-tui rollback --to {rejected}" in said
    content = bench.backups.content(rejected)
    assert isinstance(content, dict)
    assert content[str(bench.path)].decode() == BROKEN


def test_what_a_preflight_finds_is_refused_with_2(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    before = bench.shown()
    bench.simulation.edit_config(BROKEN)
    assert main(["restart", "--yes", "--json"]) == 2
    document = _document(capsys)
    assert (document["exit_status"], document["result"]) == (2, "refused")
    assert str(bench.path) in document["text"]
    assert (bench.shown(), bench.path.read_text(), bench.lock.unfinished()) == (before, BROKEN, None)


def test_what_is_not_to_be_rolled_back_ends_with_3(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.simulation.edit_config(BROKEN)
    assert main(["restart", "--yes", "--force", "--no-rollback", "--json"]) == 3
    document = _document(capsys)
    assert (document["exit_status"], document["result"]) == (3, "failed")
    assert "as told, nothing was rolled back" in document["text"]
    assert document["cause"]
    assert document["log"]
    assert document["took"] > 0
    assert bench.path.read_text() == BROKEN


def test_the_document_of_what_is_applied(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restart", "--yes", "--json"]) == 0
    document = _document(capsys)
    assert (document["exit_status"], document["result"], document["cause"]) == (0, "applied", "")
    assert 0 < document["downtime"] <= document["took"]
    assert (document["rejected"], document["log"], document["needs_rights"]) == (None, [], False)


def test_a_right_that_is_missing_is_2(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def denied(*_: object) -> Failure:
        return Denied("Interactive authentication required.")

    monkeypatch.setattr(control, "order", denied)
    before = bench.shown()
    assert main(["restart", "--yes", "--json"]) == 2
    document = _document(capsys)
    assert document["needs_rights"] is True
    assert "Interactive authentication required." in document["text"]
    assert bench.shown() == before


# --- asking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "yellow\n"])
def test_on_a_terminal_it_asks_and_no_is_2(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    before = bench.shown()
    monkeypatch.setattr("sys.stdin", _Terminal(answer))
    assert main(["restart"]) == 2
    said = capsys.readouterr().out
    assert f"Restart litellm.service ({bench.profile.address})? [y/N]" in said
    assert "nothing was changed" in said
    assert bench.shown() == before


def test_on_a_terminal_yes_restarts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = bench.shown()
    monkeypatch.setattr("sys.stdin", _Terminal("Yes\n"))
    assert main(["restart"]) == 0
    assert "applied and proved" in capsys.readouterr().out
    assert bench.shown() != before


@pytest.mark.parametrize(("answer", "status"), [("y\n", 2), ("litellm\n", 2), ("litellm.service\n", 0)])
def test_in_production_the_name_is_wanted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, status: int
) -> None:
    before = bench.shown()
    monkeypatch.setattr(restart, "resolve", lambda *_: replace(bench.profile, production=True))
    monkeypatch.setattr("sys.stdin", _Terminal(answer))
    assert main(["restart"]) == status
    assert "in production? Type litellm.service" in capsys.readouterr().out
    assert (bench.shown() == before) == (status == 2)


@pytest.mark.parametrize("arguments", [[], ["--force"], ["--finish"], ["--undo"], ["--json"]])
def test_where_nobody_can_be_asked_it_wants_to_be_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    before = bench.shown()
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["restart", *arguments]) == 64
    assert "--yes where nobody can be asked" in capsys.readouterr().err
    assert bench.shown() == before


@pytest.mark.parametrize("arguments", [["--finish", "--undo"], ["surplus"], ["--to", "3"], ["--rollback"]])
def test_a_wrong_command_line_is_64(bench: Bench, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["restart", *arguments])
    assert ended.value.code == 64


def test_without_a_service_it_is_64(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = replace(bench.profile, unit=None)
    monkeypatch.setattr(restart, "resolve", lambda *_: alone)
    assert main(["restart", "--yes"]) == 64
    assert "no service was found" in capsys.readouterr().err


# --- another one ------------------------------------------------------------------------------------------------------


def test_while_another_console_restarts_it_says_who_and_since_when(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    before = bench.shown()
    assert bench.lock.take() is None
    try:
        assert main(["restart", "--yes"]) == 2
    finally:
        bench.lock.release()
    said = capsys.readouterr().out
    assert f"refused: {here().user}@{here().host} (process {here().pid}), since 20" in said
    assert "is restarting it: wait for that to end" in said
    assert bench.shown() == before


def _interrupted(bench: Bench) -> None:
    """A restart with a new file was given up before it was proved."""
    good = bench.backups.load()[-1]
    bench.simulation.edit_config()
    backup = bench.keep(good=False)
    assert bench.lock.take() is None
    record = Record(bench.simulation.unit, here(), "restart", backup=backup.id, good=good.id)
    assert bench.lock.write(record) is None
    bench.lock.release()


@pytest.mark.parametrize(("ending", "status", "result"), [("--finish", 0, "applied"), ("--undo", 1, "rolled back")])
def test_what_was_interrupted_is_told_and_ended(
    bench: Bench, capsys: pytest.CaptureFixture[str], ending: str, status: int, result: str
) -> None:
    good = bench.path.read_bytes()
    _interrupted(bench)
    changed = bench.path.read_bytes()
    assert main(["restart", "--yes"]) == 2
    said = capsys.readouterr().out
    assert "was interrupted: the service had been, or was just being, told to restart" in said
    assert "--finish" in said
    assert "--undo" in said
    assert main(["restart", ending, "--yes"]) == status
    assert f"{result}: " in capsys.readouterr().out
    assert bench.path.read_bytes() == (changed if ending == "--finish" else good)
    assert bench.lock.unfinished() is None
    assert main(["restart", ending, "--yes"]) == 2
    assert "no restart was interrupted here" in capsys.readouterr().out


def test_what_was_interrupted_is_told_before_it_is_asked_about(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _interrupted(bench)
    monkeypatch.setattr("sys.stdin", _Terminal("n\n"))
    assert main(["restart", "--undo"]) == 2
    said = capsys.readouterr().out
    assert said.index("was interrupted") < said.index("Take that back? [y/N]")


def test_no_secret_and_no_control_character_is_printed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.profile.key

    async def said(*_: object) -> Failure:
        return Denied("\x1b[31m[red]no[/red]\x07")

    monkeypatch.setattr(control, "order", said)
    assert main(["restart", "--yes"]) == 2
    shown = capsys.readouterr()
    assert "[red]no[/red]" in shown.out
    assert "\x1b" not in shown.out
    assert "\x07" not in shown.out
    assert bench.profile.key.reveal() not in shown.out + shown.err
