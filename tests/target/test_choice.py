"""Which of several is meant: what is named, what was chosen before, what runs; and that it stays the one."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from litellm_tui.commands.one_of_several import say_which
from litellm_tui.model.service_kinds import Process
from litellm_tui.target.choice import remember, remembered
from litellm_tui.target.profile import may_change
from litellm_tui.target.settings import ProfileSettings, Settings, SettingsError
from tests.machine import Machine
from tests.processes import FakeProcesses

GATEWAY = ["/opt/venv/bin/python", "/opt/venv/bin/litellm", "--config", "/p.yaml", "--port", "4321"]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = Machine(tmp_path)
    processes = FakeProcesses(tmp_path / "proc")
    processes.add(20, GATEWAY, ports=[4321])
    made.tools = msgspec.structs.replace(made.tools, proc=str(processes.root), docker_sockets=())
    return made


def test_the_only_one_is_opened_and_says_so(machine: Machine) -> None:
    found = machine.resolve()
    assert found.unit
    assert (found.unit.value, found.kind, found.undecided) == ("litellm:4321", "process", False)
    assert found.unit.source.startswith("found (the only one here): process 20 is LiteLLM")
    assert found.gateway == "process 4321"
    assert not found.found_nothing


def test_the_only_one_that_runs_is_opened_before_those_that_do_not(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm --port 1", ActiveState="inactive")
    found = machine.resolve()
    assert (found.gateway, found.undecided) == ("process 4321", False)
    assert found.unit
    assert "(the only one that runs)" in found.unit.source
    assert found.also_found == ("litellm.service (user)",)


def test_several_that_run_are_a_question_until_it_is_answered(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm --port 1")
    found = machine.resolve()
    assert (found.gateway, found.undecided) == ("systemd user litellm.service", True)
    assert found.choose is not None
    chosen = found.choose("process 4321")
    assert (chosen.gateway, chosen.undecided) == ("process 4321", False)
    assert chosen.unit
    assert "(chosen by you)" in chosen.unit.source
    assert remember("process 4321") == ""
    again = machine.resolve()
    assert (again.gateway, again.undecided) == ("process 4321", False)
    assert again.unit
    assert "(chosen by you)" in again.unit.source


def test_a_choice_that_is_gone_is_no_choice(machine: Machine) -> None:
    remember("docker gone")
    assert machine.resolve().gateway == "process 4321"
    machine.unit("/opt/bin/litellm --port 1")
    assert machine.resolve().undecided


def test_a_choice_that_stands_still_is_still_the_choice(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm --port 1", ActiveState="failed")
    remember("systemd user litellm.service")
    found = machine.resolve()
    assert (found.gateway, found.undecided) == ("systemd user litellm.service", False)


def test_an_address_and_a_file_say_which_one(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm --port 1 --config /u.yaml")
    remember("systemd user litellm.service")
    assert machine.resolve(url="http://127.0.0.1:4321").gateway == "process 4321"
    assert machine.resolve(config="/p.yaml").gateway == "process 4321"
    assert machine.resolve(config="/u.yaml").gateway == "systemd user litellm.service"


def test_the_same_search_once_more_finds_the_same_or_nothing(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm --port 1")
    found = machine.resolve()
    assert found.again is not None
    assert found.again().gateway == "systemd user litellm.service"
    (machine.folder / "user" / "litellm.service").unlink()
    gone = found.again()
    assert (gone.gateway, gone.unit) == (None, None), "another gateway is not what was open"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"form": 9, "gateway": "x"}', b'{"gateway": 7}', b'{"form": 1}']
)
def test_a_file_that_cannot_be_read_is_no_choice(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "gateway.json"
    file.write_bytes(content)
    assert remembered(file) is None


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    assert "state" in remember("x", tmp_path / "state" / "gateway.json")


def test_a_kind_is_searched_alone(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm --port 1")
    assert machine.resolve(kind="process").gateway == "process 4321"
    assert machine.resolve(kind="systemd").gateway == "systemd user litellm.service"
    none = machine.resolve(kind="docker")
    assert none.unit is None
    assert none.found_nothing


def test_a_kind_with_a_name_is_that_one(machine: Machine) -> None:
    found = machine.resolve(kind="process", unit="4321")
    assert found.url.value == "http://127.0.0.1:4321"
    assert found.kind == "process"
    assert machine.resolve(kind="process", unit="litellm:4321").url.value == "http://127.0.0.1:4321"
    gone = machine.resolve(kind="process", unit="4999")
    assert "no LiteLLM process listens on port 4999" in gone.missing[0].why


def test_a_named_process_is_not_the_profiles(machine: Machine) -> None:
    home = Settings(profile="home", profiles={"home": ProfileSettings(process=Process(port=4000))})
    assert machine.resolve(home, kind="process", unit="4321").service == Process(port=4321)
    assert machine.resolve(home, kind="process").service == Process(port=4000)


@pytest.mark.parametrize("name", ["gateway", "0", "99999999", ""])
def test_a_process_that_is_not_named_by_its_port_is_refused(machine: Machine, name: str) -> None:
    if not name:
        assert machine.resolve(kind="process", unit=name).gateway == "process 4321"
        return
    with pytest.raises(SettingsError, match="a process is named by the port"):
        machine.resolve(kind="process", unit=name)


def test_a_custom_service_needs_its_profile(machine: Machine) -> None:
    with pytest.raises(SettingsError, match="its commands stand in a profile"):
        machine.resolve(kind="custom")


def test_what_only_looks_says_which_one_and_what_acts_wants_it_named(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    may_change(say_which(machine.resolve()), "restart")
    assert capsys.readouterr() == ("", "")
    machine.unit("/opt/bin/litellm --port 1")
    found = machine.resolve()
    assert say_which(found) is found
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "litellm-tui: of 2 gateways that run here this is litellm.service (user); the others: "
        "litellm:4321 (process) [--kind process --unit litellm:4321]\n"
    )
    with pytest.raises(SettingsError, match="2 gateways run here") as refused:
        may_change(found, "restart")
    for option in ("[--unit litellm.service --user]", "[--kind process --unit litellm:4321]"):
        assert option in str(refused.value)
    say_which(machine.resolve(kind="docker"))
    assert "no gateway was found here, so LiteLLM's own address 127.0.0.1:4000 is asked" in capsys.readouterr().err
    # what is named, or was chosen in the console, is meant
    may_change(say_which(machine.resolve(url="http://127.0.0.1:4321")), "restart")
    may_change(say_which(machine.resolve(kind="process", unit="litellm:4321")), "restart")
    remember("process 4321")
    may_change(say_which(machine.resolve()), "restart")
    assert capsys.readouterr() == ("", "")
