"""`litellm-tui apply` on the simulated gateway: what is refused leaves everything as it is, what fails comes back."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.actions.rehearse.run import Wish
from litellm_tui.actions.transaction.record import Record, RestartLock, here
from litellm_tui.analysis.change import proof
from litellm_tui.cli import main
from litellm_tui.commands import apply
from litellm_tui.demo import Simulation
from litellm_tui.demo.files import CONFIG
from litellm_tui.model.configuration import Mark
from litellm_tui.model.rehearsal import Rehearsal, RehearsalOutcome
from litellm_tui.storage.backups import Backups
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings

BROKEN = CONFIG + "  : [\n"


class Site:
    """The simulation with its profile, and a file that is to be applied."""

    def __init__(self, simulation: Simulation, profile: Profile, file: Path) -> None:
        self.simulation, self.profile, self.file = simulation, profile, file
        self.before = simulation.config_path.read_bytes()

    @property
    def now(self) -> bytes:
        return self.simulation.config_path.read_bytes()

    def beside(self) -> list[str]:
        return sorted(path.name for path in self.simulation.config_path.parent.iterdir())

    def backups(self) -> Backups:
        assert self.profile.unit
        found = Backups(self.profile.url.value, self.profile.unit.value)
        found.load()
        return found


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(proof, "STEADY_SECONDS", 0.3)
    with Simulation(tmp_path / "gateway", speed=5, scripted=False) as simulation:
        found = resolve(Options(unit=simulation.unit, scope="user"), Settings(), tools=simulation.tools, environ={})
        monkeypatch.setattr(apply, "resolve", lambda *_: found)
        yield Site(simulation, found, tmp_path / "new.yaml")


def _document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_it_is_kept_written_restarted_and_proved(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    content = CONFIG + "# another\n"
    site.file.write_text(content)
    beside = site.beside()
    assert main(["apply", str(site.file), "--yes"]) == 0
    said = [line.split()[:2] for line in capsys.readouterr().out.splitlines() if line[:4].strip()]
    assert said[:6] == [
        ["ok", "audit"], ["ok", "write"], ["ok", "preflight"], ["ok", "backup"], ["ok", "restart"], ["ok", "proof"]
    ]  # fmt: skip
    assert site.now.decode() == content
    assert site.beside() == beside
    kept = next(one for one in site.backups().records() if one.why == "before an apply")
    assert next(iter(site.backups().content(kept.id).values())) == site.before  # type: ignore[union-attr]


def test_what_cannot_be_read_is_refused_and_nothing_is_touched(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.file.write_text(BROKEN)
    assert main(["apply", str(site.file), "--yes", "--json"]) == 2
    found = _document(capsys)
    assert (found["result"], found["exit_status"]) == ("refused", 2)
    assert found["text"].startswith("nothing was changed: it cannot be used: ")
    assert site.now == site.before
    assert site.backups().records() == ()


def test_what_fails_goes_back_to_what_was_there_though_it_was_never_proved(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.file.write_text(BROKEN)
    assert main(["apply", str(site.file), "--yes", "--json", "--force"]) == 1
    assert _document(capsys)["result"] == "rolled back"
    assert site.now == site.before


def test_trying_out_changes_nothing(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.file.write_text(CONFIG + "# another\n")
    assert main(["apply", str(site.file), "--rehearse", "--json"]) == 0
    assert _document(capsys)["result"] == "tried out"
    assert site.now == site.before
    site.file.write_text(BROKEN)
    assert main(["apply", str(site.file), "--rehearse", "--json"]) == 2
    assert site.now == site.before


def test_stdin_is_taken_and_asks_for_yes(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (CONFIG + "# from stdin\n").encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert main(["apply", "-"]) == 64
    assert "needs --yes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert main(["apply", "-", "--yes", "--json"]) == 0
    assert site.now == content


@pytest.mark.parametrize("content", [b"", b" \n\n"])
def test_an_empty_file_is_no_configuration(site: Site, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    site.file.write_bytes(content)
    assert main(["apply", str(site.file), "--yes"]) == 66
    assert "it is empty" in capsys.readouterr().err
    assert main(["apply", str(site.file) + ".missing", "--yes"]) == 66


def test_beside_a_restart_that_was_not_ended_it_is_refused(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    lock = RestartLock.of(site.profile)
    assert lock.take() is None
    assert lock.write(Record("litellm.service", here(), "proof")) is None
    lock.release()
    site.file.write_text(CONFIG + "# another\n")
    assert main(["apply", str(site.file), "--yes", "--json"]) == 2
    assert "finish it" in _document(capsys)["text"]
    assert site.now == site.before


def test_the_file_comes_back_where_the_restart_is_refused(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from litellm_tui.actions.transaction import run as transaction
    from litellm_tui.analysis.change.preflight import PreflightCheck

    async def found(*_: object) -> tuple[PreflightCheck, ...]:
        return (PreflightCheck("disk", "refused", "there is no room"),)

    monkeypatch.setattr(transaction, "inspect", found)
    site.file.write_text(CONFIG + "# another\n")
    assert main(["apply", str(site.file), "--yes", "--json"]) == 2
    assert "the file is again as it was" in _document(capsys)["text"]
    assert site.now == site.before


@pytest.mark.parametrize("outcome", ["passed", "refused", "not judged", "not possible"])
def test_the_candidate_is_rehearsed_before_anything_is_written(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, outcome: RehearsalOutcome
) -> None:
    content = CONFIG + "# another\n"
    rehearsed: list[Path] = []

    async def rehearse(profile: Profile, wish: Wish, *_: object) -> Rehearsal:
        assert wish.file is not None
        path = Path(wish.file)
        rehearsed.append(path)
        # as LiteLLM wants it, beside what it includes, and for nobody else to read
        assert path.name.endswith(".yaml")
        assert path.parent == site.simulation.config_path.parent
        assert (path.read_text(), path.stat().st_mode & 0o077) == (content, 0)
        assert site.now == site.before
        return Rehearsal(outcome, f"what is in {path}", Mark(str(path), 3, 1))

    monkeypatch.setattr(apply, "rehearse", rehearse)
    monkeypatch.setattr(apply, "can_rehearse", lambda _: True)
    site.file.write_text(content)
    stops = outcome in ("refused", "not judged")
    assert main(["apply", str(site.file), "--yes", "--json"]) == (2 if stops else 0)
    found = _document(capsys)
    assert len(rehearsed) == 1
    assert not rehearsed[0].exists()
    assert str(rehearsed[0]) not in json.dumps(found)
    assert (site.now == site.before) is stops
    if stops:
        assert f"what is in {site.simulation.config_path}" in found["text"]
