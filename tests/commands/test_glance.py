"""`litellm-tui status` and `check` on the simulated gateway: what they print, what they remember, how they end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from litellm_tui.actions.transaction.record import Holder, Record, RestartLock
from litellm_tui.cli import main
from litellm_tui.commands import check, look, status
from litellm_tui.commands.documents import CheckDocument, StatusDocument
from litellm_tui.commands.look import is_saved
from litellm_tui.demo import Simulation
from litellm_tui.model.configuration import ConfigError, Configuration
from litellm_tui.model.probe import ProbeResult
from litellm_tui.storage.state import state_of
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings
from tests.recorded import loaded_file


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    with Simulation(tmp_path / "gateway", scripted=False) as found:
        yield found


@pytest.fixture(autouse=True)
def own_world(simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine: the simulation's profile, and a state folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def found(*_: object) -> Profile:
        return _profile(simulation)

    monkeypatch.setattr(status, "resolve", found)
    monkeypatch.setattr(check, "resolve", found)


def _profile(simulation: Simulation) -> Profile:
    options = Options(unit=simulation.unit, scope="user")
    return resolve(options, Settings(), tools=simulation.tools, environ={})


def _break(simulation: Simulation) -> None:
    """Somebody finds it dead."""
    simulation.break_model("llama3.1:8b", "refused")
    for _ in range(8):
        simulation.request("llama3.1:8b")


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_problems_stand_first_and_are_new_only_once(simulation: Simulation, capsys: pytest.CaptureFixture[str]) -> None:
    _break(simulation)
    assert main(["status"]) == 1
    first = _said(capsys).splitlines()
    assert first[0].startswith("DEGRADED")
    problem = next(line for line in first if "llama3.1:8b" in line)
    # its default fallback answers
    assert problem.startswith("◐ new")
    assert "refused" in problem
    assert first.index(problem) < first.index("models")
    assert main(["status"]) == 1
    again = _said(capsys)
    assert "◐ llama3.1:8b" in again
    assert "since the last look" in again
    assert "nothing has changed" in again


def test_what_has_ended_is_told_as_ended(simulation: Simulation, capsys: pytest.CaptureFixture[str]) -> None:
    simulation.edit_config("model_list: [\n")
    main(["status"])
    assert "configuration: does not parse" in _said(capsys)
    simulation.restore_config()
    main(["status"])
    gone = _said(capsys).partition("not seen any more")[2].partition("\n\n")[0]
    assert "configuration: does not parse" in gone


def is_the_document(said: str, record: type[msgspec.Struct]) -> None:
    """What was printed has every field of the record that docs/schema/ is made from, of its type, and no other."""
    whole = msgspec.json.decode(said, type=record)
    # a field that the record does not know would be lost on the way
    assert json.loads(msgspec.json.encode(whole)) == json.loads(said)


def test_json_is_one_document_and_leaves_new_problems_new(
    simulation: Simulation, capsys: pytest.CaptureFixture[str]
) -> None:
    _break(simulation)
    for _ in range(2):
        assert main(["status", "--json"]) == 1
        found = json.loads(said := _said(capsys))
        is_the_document(said, StatusDocument)
        assert found["exit_status"] == 1
        assert found["headline"]["word"] == "DEGRADED"
        worst = found["problems"][0]
        assert (worst["cause"], worst["new"]) == ("refused", True)
        assert {d["verdict"]["state"] for d in found["deployments"]} == {"serving", "masked"}


@pytest.mark.parametrize("form", [[], ["--json"], ["--markdown"]])
def test_no_form_shows_a_secret(simulation: Simulation, capsys: pytest.CaptureFixture[str], form: list[str]) -> None:
    main(["status", *form])
    assert simulation.key not in _said(capsys)


def test_markdown_has_its_tables_and_escapes_what_comes_from_outside(
    simulation: Simulation, capsys: pytest.CaptureFixture[str]
) -> None:
    text = simulation.config_path.read_text(encoding="utf-8")
    simulation.edit_config(text.replace("model_name: gpt-4.1\n", "model_name: 'gpt|4.1 <b>*x*'\n"))
    main(["status", "--markdown"])
    found = _said(capsys)
    for title in ("## Problems", "## Health", "## Routing", "## Settings", "## Checklist"):
        assert title in found
    assert "gpt\\|4.1 \\<b>\\*x\\*" in found
    widths = {line.replace("\\|", "").count("|") for line in found.splitlines() if line.startswith("|")}
    assert widths <= {3, 5, 6, 7}


def test_a_gateway_that_is_down_ends_with_three(simulation: Simulation, capsys: pytest.CaptureFixture[str]) -> None:
    simulation.gateway_down()
    assert main(["status"]) == 3
    assert _said(capsys).startswith("DOWN")
    assert main(["check"]) == 3
    lines = {line[5:17].strip(): line[:5].strip() for line in _said(capsys).splitlines() if line[:5].strip()}
    assert (lines["gateway"], lines["models"]) == ("FAIL", "-")


def test_check_has_a_line_for_each_phase(simulation: Simulation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) in (0, 1)
    words = [line.split()[1] for line in _said(capsys).splitlines() if line.split()[0] in ("ok", "WARN", "FAIL", "-")]
    assert words[:12] == [
        "file", "audit", "references", "service", "port", "gateway", "key", "models", "routing", "cache",
        "database", "log",
    ]  # fmt: skip
    assert main(["check", "--json"]) in (0, 1)
    said = _said(capsys)
    assert len(json.loads(said)["phases"]) == 12
    is_the_document(said, CheckDocument)


@pytest.mark.parametrize("arguments", [["check", "--minutes", "0"], ["check", "--minutes", "x"],
                                       ["status", "--json", "--markdown"]])  # fmt: skip
def test_a_wrong_command_line_ends_with_sixty_four(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 64


# --- what was said before is known ---------------------------------------------------------------------------------


def test_a_gateway_that_died_since_is_a_change(simulation: Simulation, capsys: pytest.CaptureFixture[str]) -> None:
    main(["status"])
    simulation.gateway_down()
    main(["status"])
    assert "the gateway: answering → down" in _said(capsys).partition("since the last look")[2]
    main(["status"])
    assert "nothing has changed" in _said(capsys)
    # what the dead one could not show is compared with what was seen before it
    simulation.gateway_up()
    main(["status"])
    since = _said(capsys).partition("since the last look")[2]
    assert "the gateway: down → " in since
    assert "added:" not in since


def test_another_trouble_at_the_same_place_is_new_and_a_change(
    simulation: Simulation, capsys: pytest.CaptureFixture[str]
) -> None:
    _break(simulation)
    main(["status"])
    assert "new: llama3.1:8b: refused" not in _said(capsys)
    simulation.break_model("llama3.1:8b", "auth")
    for _ in range(8):
        simulation.request("llama3.1:8b")
    main(["status"])
    said = _said(capsys)
    assert "◐ new  llama3.1:8b: 401 key refused" in said
    assert "llama3.1:8b: refused → 401 key refused" in said


def test_a_probe_of_another_command_is_evidence(simulation: Simulation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json"]) == 0
    found = json.loads(_said(capsys))
    row = next(d for d in found["deployments"] if d["group"] == "llama3.1:8b")
    probe = ProbeResult(
        row["id"], row["group"], row["model"], False, time.time(), error="Error code: 404, no such model"
    )
    assert state_of(_profile(simulation)).add_probes([probe]) == ""
    assert main(["status"]) > 0
    said = _said(capsys)
    assert "llama3.1:8b: 404 not found" in said
    assert "nothing is wrong" not in said
    assert main(["check"]) > 0


def test_a_transaction_that_was_left_open_is_the_first_thing_that_is_said(
    simulation: Simulation, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = _profile(simulation)
    lock = RestartLock.of(profile)
    holder = Holder("eva", "gw-01", 999_999_999, time.time())
    lock.folder.mkdir(parents=True)
    assert lock.write(Record(simulation.unit, holder, "proof")) is None
    assert main(["status"]) == 2
    lines = _said(capsys).splitlines()
    assert lines[0].startswith("AT RISK  a restart was left open")
    assert next(line for line in lines if line.startswith(("✖", "◐"))).startswith("✖ new  restart: left open")
    assert "--finish" in "".join(lines)
    assert main(["check"]) == 2
    assert "FAIL service" in _said(capsys)
    assert lock.end() is None
    assert main(["status"]) == 0


# --- half-saved files ----------------------------------------------------------------------------------------------


def test_a_file_that_is_being_saved_is_not_judged_before_it_is_whole(
    simulation: Simulation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = simulation.config_path
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[: whole.index("api_base") + 4], encoding="utf-8")
    begun = path.stat().st_mtime
    judged: list[bool] = []

    def asked(configuration: Configuration, now: float) -> bool:
        """The half file was written a moment ago, however slow the machine is; its writer then goes on."""
        if judged or configuration.error is None:
            return is_saved(configuration, now)
        judged.append(is_saved(configuration, begun + 0.1))
        path.write_text(whole, encoding="utf-8")
        return judged[0]

    monkeypatch.setattr(look, "is_saved", asked)
    assert main(["status", "--json"]) in (0, 1)
    assert judged == [False]
    assert not any("parse" in problem["cause"] for problem in json.loads(_said(capsys))["problems"])


@pytest.mark.parametrize(
    ("changed", "since", "checked", "whole"),
    [
        # an old file that is whole, and one that was broken long ago
        (100.0, None, 0.1, True),
        (100.0, 1.5, 0.1, True),
        # just written; read before it was written; an error of just now, and one in a file of just now
        (0.1, None, 0.05, False),
        (5.0, None, 6.0, False),
        (100.0, 0.2, 0.1, False),
        (1.5, 1.2, 0.1, False),
    ],
)
def test_what_counts_as_saved(tmp_path: Path, changed: float, since: float | None, checked: float, whole: bool) -> None:
    path = tmp_path / "config.yaml"
    file = loaded_file(path)
    seen = path.stat()
    now = max(seen.st_mtime, seen.st_ctime) + changed
    error = ConfigError(str(path), "broken", 1, 1, now - since) if since else None
    read = Configuration(path=str(path), current=None if error else file, error=error, checked_at=now - checked)
    assert is_saved(read, now) is whole
