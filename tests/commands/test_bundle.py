"""`litellm-tui bundle` on the simulated gateway: what is in it, what is not, and that it is whole or not there."""

from __future__ import annotations

import io
import os
import stat
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.cli import main
from litellm_tui.commands import bundle
from litellm_tui.demo import Simulation
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings, SettingsError

DEAD = "qwen2.5-coder:32b"


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    with Simulation(tmp_path / "gateway", scripted=False) as found:
        yield found


@pytest.fixture(autouse=True)
def own_world(simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine: the simulation's profile, and folders of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    def found(options: Options, *_: object) -> Profile:
        chosen = Options(unit=simulation.unit, scope="user", read_only=options.read_only)
        return resolve(chosen, Settings(), tools=simulation.tools, environ={})

    monkeypatch.setattr(bundle, "resolve", found)


def contents(path: Path) -> dict[str, str]:
    """The files of an archive by their names without its folder."""
    with tarfile.open(path) as tar:
        files = {member.name.partition("/")[2]: tar.extractfile(member) for member in tar.getmembers()}
        return {name: file.read().decode() for name, file in files.items() if file}


def test_it_holds_everything_masked_and_says_what_it_does_not(
    simulation: Simulation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulation.break_model(DEAD, "refused")
    for _ in range(3):
        simulation.request(DEAD)
    for number in range(10):
        # a gateway that gets no processor within the patience of one look is looked at again
        assert main(["bundle", "--yes", "--output", f"b{number}.tar.gz"]) == 0
        found = contents(tmp_path / f"b{number}.tar.gz")
        if "version is not" not in found["MANIFEST.txt"]:
            break
    assert set(found) == {
        "MANIFEST.txt", "status.txt", "status.json", "audit.txt", "configuration/0-litellm.yaml", "environment.txt",
        "health.json", "routing.json", "service.json", "unit.txt",
        "unit-properties.txt", "incidents.txt",
        "incidents.json", "log.txt",
    }  # fmt: skip
    assert simulation.key not in "".join(found.values())
    assert f"refused: {DEAD}" in found["incidents.txt"]
    assert "model_list:" in found["configuration/0-litellm.yaml"]
    assert "LITELLM_MASTER_KEY=•••" in found["environment.txt"]
    assert "POST /v1/chat/completions" in found["log.txt"]
    manifest, said = found["MANIFEST.txt"], capsys.readouterr().out
    for words in ("LiteLLM: 1.106.2", "left out:", "values of the environment", "masks"):
        assert words in manifest
    for name in found:
        assert name in said
    assert "secrets masked" in said
    assert "readable by you alone" in said


def test_it_is_the_owners_alone_and_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle", "--yes", "--output", "b.tar.gz"]) == 0
    written = tmp_path / "b.tar.gz"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    before = written.read_bytes()
    assert main(["bundle", "--yes", "--output", "b.tar.gz"]) == 73
    assert written.read_bytes() == before
    assert "is not overwritten" in capsys.readouterr().err
    dangling = tmp_path / "link.tar.gz"
    dangling.symlink_to(tmp_path / "elsewhere")
    assert main(["bundle", "--yes", "--output", str(dangling)]) == 73
    assert not (tmp_path / "elsewhere").exists()


def test_what_appears_meanwhile_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "b.tar.gz"
    real = bundle.archive

    def slow(*arguments: object) -> bytes:
        target.write_text("of somebody else")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(bundle, "archive", slow)
    assert main(["bundle", "--yes", "--output", str(target)]) == 73
    assert target.read_text() == "of somebody else"
    assert [path.name for path in tmp_path.glob(".bundle-*")] == []


def test_nothing_is_left_when_it_fails_half_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    before = sorted(path.name for path in tmp_path.iterdir())
    assert main(["bundle", "--yes", "--output", "b.tar.gz"]) == 73
    assert sorted({path.name for path in tmp_path.iterdir()} - {"state", "config"}) == sorted(
        set(before) - {"state", "config"}
    )


def test_it_asks_and_writes_nothing_without_a_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert main(["bundle", "--output", "b.tar.gz"]) == 1
    said = capsys.readouterr()
    assert "MANIFEST.txt" in said.out
    assert "Write it?" in said.err
    assert not (tmp_path / "b.tar.gz").exists()
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert main(["bundle", "--output", "b.tar.gz"]) == 0
    assert (tmp_path / "b.tar.gz").exists()


def test_without_a_terminal_it_wants_a_yes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle"]) == 64
    assert "--yes" in capsys.readouterr().err


def test_it_is_made_of_a_broken_gateway_and_names_the_gaps(simulation: Simulation, tmp_path: Path) -> None:
    simulation.edit_config("model_list: [\n  api_key: sk-planted-in-a-broken-file\n")
    simulation.gateway_down()
    assert main(["--read-only", "bundle", "--yes", "--output", "b.tar.gz"]) == 0
    found = contents(tmp_path / "b.tar.gz")
    assert "fatal" in found["audit.txt"]
    assert "cannot be used" in found["configuration/error.txt"]
    assert "planted" not in "".join(found.values())
    assert found["status.txt"].startswith("DOWN")
    assert "its version is not known" in found["MANIFEST.txt"]


def test_it_is_made_where_there_is_no_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, simulation: Simulation
) -> None:
    monkeypatch.setattr(
        bundle, "resolve", lambda *_: resolve(Options(url="http://192.0.2.1:4000"), Settings(), simulation.tools, {})
    )
    monkeypatch.setattr("litellm_tui.commands.look.PATIENCE_SECONDS", 0.5)
    assert main(["bundle", "--yes", "--output", "b.tar.gz"]) == 0
    manifest = contents(tmp_path / "b.tar.gz")["MANIFEST.txt"]
    for gap in ("configuration ", "environment.txt ", "unit.txt ", "log.txt "):
        assert gap in manifest.partition("left out:")[2]


def test_the_lines_of_the_unit_keep_the_names_of_their_variables_alone() -> None:
    from litellm_tui.commands.bundle_parts import _ASSIGNED, _names_alone

    unit = (
        '[Service]\nEnvironment=A=plant1 "B=plant2 more" \\\n  C=plant3\n#Environment=D=plant4\nExecStart=/x --port 1\n'
    )
    shown = _ASSIGNED.sub(_names_alone, unit)
    assert "plant" not in shown
    assert "more" not in shown
    for kept in ("A=•••", "B=•••", "C=•••", "D=•••", "ExecStart=/x --port 1"):
        assert kept in shown


def test_without_an_output_it_is_named_by_host_and_time(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        bundle.run(Options())
    assert main(["bundle", "--yes"]) == 0
    (written,) = tmp_path.glob("litellm-tui-*.tar.gz")
    assert tarfile.is_tarfile(written)
