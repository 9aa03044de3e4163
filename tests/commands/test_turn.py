"""`litellm-tui turn`: an order of a fleet is carried out once on its host, whoever asks again, whatever was cut."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from litellm_tui.cli import main
from litellm_tui.commands import turn
from litellm_tui.storage.turns import Turn, is_turn
from tests.waiting import eventually

ID = "restart-0123456789abcdef"
# it tells each call in a file, and ends with what the file of its order says
PROGRAM = """\
echo "$*" >> "{folder}/calls"
case "$*" in
*--finish*) [ -e "{folder}/finish" ] || {{ echo '{{"exit_status": 2, "text": "nothing to finish"}}'; exit 2; }}
  cat "{folder}/finish"; exit 0 ;;
esac
while [ -e "{folder}/wait" ]; do sleep 0.05; done
[ -e "{folder}/stdin" ] && cat > "{folder}/read"
cat "{folder}/said"
exit "$(cat "{folder}/status")"
"""


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "program").write_text(PROGRAM.format(folder=tmp_path))
    (tmp_path / "said").write_text('{"exit_status": 0, "result": "applied", "text": "applied and proved"}')
    (tmp_path / "status").write_text("0")

    def own(words: Sequence[str]) -> list[str]:
        return ["sh", str(tmp_path / "program"), *words]

    monkeypatch.setattr(turn, "own_command", own)
    return tmp_path


def _calls(far: Path) -> list[str]:
    return (far / "calls").read_text().splitlines() if (far / "calls").exists() else []


def test_the_same_id_is_carried_out_once_and_tells_the_same(far: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main(["--unit=x.service", "--user", "turn", ID, "restart"]) == 0
        assert json.loads(capsys.readouterr().out)["text"] == "applied and proved"
    assert _calls(far) == ["--unit=x.service --user restart --no-rehearsal --yes --json"]


def test_its_exit_status_is_that_of_the_order(far: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (far / "said").write_text('{"exit_status": 1, "result": "rolled back", "text": "it was bad"}')
    (far / "status").write_text("1")
    assert main(["turn", ID, "restart"]) == 1
    assert json.loads(capsys.readouterr().out)["result"] == "rolled back"


def test_the_file_comes_by_stdin_and_is_not_kept(
    far: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (far / "stdin").touch()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"model_list: []\n")))
    assert main(["turn", ID, "apply"]) == 0
    assert (far / "read").read_bytes() == b"model_list: []\n"
    assert _calls(far) == ["apply - --no-rehearsal --yes --json"]
    assert not Turn(ID).file.exists()
    assert Turn(ID).folder.stat().st_mode & 0o077 == 0


def test_what_was_cut_is_finished_first(far: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = Turn(ID)
    os.close(kept.open())
    kept.begin("restart")
    kept.output.write_text('{"exit_sta')
    (far / "finish").write_text('{"exit_status": 0, "result": "applied", "text": "finished"}')
    assert main(["turn", ID, "restart"]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == "finished"
    assert _calls(far) == ["restart --finish --yes --json"]


def test_what_was_cut_before_anything_was_changed_begins_anew(far: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = Turn(ID)
    os.close(kept.open())
    kept.begin("restart")
    assert main(["turn", ID, "restart"]) == 0
    assert _calls(far) == ["restart --finish --yes --json", "restart --no-rehearsal --yes --json"]


def test_what_says_nothing_has_failed_with_its_last_words(far: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (far / "program").write_text("echo first >&2; echo 'no such thing' >&2; exit 1")
    assert main(["turn", ID, "restart"]) == 3
    assert json.loads(capsys.readouterr().out)["text"] == "no such thing"
    (far / "program").write_text("echo 'no service was found' >&2; exit 64")
    assert main(["turn", ID.replace("0", "9"), "restart"]) == 2


async def test_it_goes_on_when_who_ordered_it_is_killed_and_is_waited_for(
    far: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (far / "wait").touch()
    script = (
        "import sys\nfrom litellm_tui.commands import turn\n"
        f"turn.own_command = lambda words: ['sh', {str(far / 'program')!r}, *words]\n"
        f"from litellm_tui.cli import main\nsys.exit(main(['turn', {ID!r}, 'restart']))"
    )
    command = [sys.executable, "-c", script]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    await eventually(lambda: _calls(far), "it has begun")
    first.kill()
    first.wait()
    second = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    (far / "wait").unlink()
    output, _ = second.communicate(timeout=60)
    assert (second.returncode, json.loads(output)["text"]) == (0, "applied and proved")
    assert len(_calls(far)) == 1


@pytest.mark.parametrize(
    "id", ["short", "../../etc", "UPPER-0123456789", "x" * 65, "-begins-with-a-dash", "a/b-012345"]
)
def test_a_name_that_could_lead_elsewhere_is_none(id: str) -> None:
    assert not is_turn(id)


def test_a_wrong_command_line_is_64(far: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["turn", "short", "restart"]) == 64
    assert main(["turn", ID, "restart", "1.2.3"]) == 64
    assert main(["turn", ID, "upgrade"]) == 64
    assert _calls(far) == []
