"""A unit as it is rehearsed, from what `systemctl show` of systemd 252 says of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.rehearsal import RehearsalOrder
from litellm_tui.services.rehearsal_command import RehearsalCommand
from litellm_tui.services.systemd.rehearsal import UnitRehearsal, transient_unit, unit_rehearsal

SHOWN = {
    "LoadState": "loaded", "MainPID": "0", "WorkingDirectory": "!/srv/gw", "User": "gw", "Group": "gw",
    "ExecStart": "{ path=/opt/v/bin/litellm ; argv[]=/opt/v/bin/litellm --config /etc/gw.yaml --port ${PORT} ; "
    "ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }",
    "ExecStartPre": "{ path=/bin/mv ; argv[]=/bin/mv a b ; ignore_errors=no }",
    "Environment": "PORT=4000 \"GREETING=a b\" SECRET=sk-very-own", "ProtectSystem": "strict", "ProtectHome": "no",
    "PrivateTmp": "yes", "ReadWritePaths": "/srv/gw /var/cache/gw", "LimitNOFILE": "524288", "LimitNOFILESoft": "4096",
    "LimitNPROC": "infinity", "LimitNPROCSoft": "infinity", "MemoryMax": "2147483648", "MemoryHigh": "infinity",
    "CPUQuotaPerSecUSec": "1.500s", "RuntimeDirectory": "gw", "Slice": "paid.slice", "StateDirectory": "gw",
    "CapabilityBoundingSet": " ".join(f"cap_{n}" for n in range(41)), "SystemCallErrorNumber": "2147483646",
}  # fmt: skip


def read(**changes: str) -> UnitRehearsal:
    found = unit_rehearsal(SHOWN | changes, "gw.service")
    assert isinstance(found, UnitRehearsal), found
    return found


def words(
    unit: UnitRehearsal,
    command: tuple[str, ...] = ("/opt/v/bin/litellm",),
    *,
    sandboxed: bool = True,
    folder: str = "/run/f",
) -> str:
    order = RehearsalOrder("litellm-tui-rehearsal-x", None, "/run/c", folder, 4711, {"GONE": None, "A": "b"})
    made = RehearsalCommand(command, {"PORT": "4711"})
    return "\n".join(transient_unit("system", order, unit, made, ("/run/f/1", "/run/f/2"), sandboxed=sandboxed))


def test_user_folder_limits_and_protection_are_the_units_own() -> None:
    text = words(read())
    for wanted in ("User=gw", "Group=gw", "WorkingDirectory=/srv/gw", "ProtectSystem=strict", "PrivateTmp=yes",
                   "ReadWritePaths=/srv/gw /var/cache/gw", "LimitNOFILE=4096:524288", "MemoryMax=2147483648",
                   "CPUQuota=150%", "StateDirectory=gw", "UnsetEnvironment=GONE"):  # fmt: skip
        assert f"--property={wanted}\n" in text
    for other in ("ProtectHome", "LimitNPROC", "MemoryHigh", "CapabilityBoundingSet", "SystemCallErrorNumber"):
        assert other not in text


def test_what_the_running_unit_needs_or_the_world_would_notice_is_not_taken_over() -> None:
    unit = read()
    text = words(unit)
    assert "--property=Restart=no\n" in text
    assert "RuntimeMaxSec=" in text
    for other in ("RuntimeDirectory", "Slice", "/bin/mv"):
        assert other not in text
    said = " ".join(unit.how.left_out)
    assert "ExecStartPre=" in said
    assert "RuntimeDirectory=" in said
    assert "paid.slice" in said


def test_no_value_of_a_variable_stands_in_a_command_line() -> None:
    unit = read()
    assert unit.environment == {"PORT": "4000", "GREETING": "a b", "SECRET": "sk-very-own"}
    assert "sk-very-own" not in words(unit)


def test_the_changes_win_over_every_file_of_the_unit(tmp_path: Path) -> None:
    file = tmp_path / "gw.env"
    file.write_text("FROM_FILE=1\n")
    unit = read(EnvironmentFiles=f"{file} (ignore_errors=no)\n{tmp_path}/none.env (ignore_errors=yes)")
    files = [line for line in words(unit).splitlines() if "EnvironmentFile=" in line]
    assert files == [f"--property=EnvironmentFile={path}" for path in
                     ("/run/f/1", str(file), f"-{tmp_path}/none.env", "/run/f/2")]  # fmt: skip
    assert unit.how.environment["FROM_FILE"] == "1"


@pytest.mark.parametrize(
    "setting",
    [{"DynamicUser": "yes"}, {"PrivateNetwork": "yes"}, {"RootDirectory": "/srv/root"}, {"NetworkNamespacePath": "/n"}],
)
def test_what_cannot_be_had_twice_is_not_rehearsed(setting: dict[str, str]) -> None:
    assert isinstance(unit_rehearsal(SHOWN | setting, "gw.service"), NotAvailable)


@pytest.mark.parametrize("hides", ["yes", "tmpfs"])
def test_a_copy_where_homes_are_hidden_is_seen_by_its_process(hides: str) -> None:
    unit = read(ProtectHome=hides)
    text = words(unit, folder="/run/user/1000/r")
    assert [line for line in text.splitlines() if "Home=" in line] == ["--property=ProtectHome=tmpfs"]
    assert "--property=BindReadOnlyPaths=/run/user/1000/r\n" in text
    # what root makes stands elsewhere
    assert f"--property=ProtectHome={hides}\n" in words(unit)
    assert "/run/user" not in words(read(ProtectHome="read-only"), folder="/run/user/1000/r")


def test_what_the_unit_forbids_can_be_left_away_where_systemd_run_refuses_it() -> None:
    text = words(read(), sandboxed=False)
    assert "ProtectSystem" not in text
    assert "User=gw" in text


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Something that looks like LiteLLM, started by a script with an option that holds a blank."""
    script = tmp_path / "litellm"
    script.write_text("import sys, time\nprint(flush=True)\ntime.sleep(600)\n")
    process = subprocess.Popen(
        [sys.executable, str(script), "--config", "/etc/my gateway.yaml", "--debug", "a$b"],
        stdout=subprocess.PIPE, env={"FROM_SCRIPT": "1", "INVOCATION_ID": "x"}, cwd=tmp_path,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_of_a_unit_with_a_script_the_running_process_is_the_command_line(running: subprocess.Popen[bytes]) -> None:
    shown = "{ path=/usr/local/bin/run-gw ; argv[]=/usr/local/bin/run-gw ; ignore_errors=no }"
    unit = read(ExecStart=shown, MainPID=str(running.pid))
    assert unit.how.words[2:] == ("--config", "/etc/my gateway.yaml", "--debug", "a$b")
    assert unit.environment["FROM_SCRIPT"] == "1"
    assert "INVOCATION_ID" not in unit.environment
    assert "run-gw is not run" in " ".join(unit.how.left_out)
    # systemd is not to expand what has been expanded
    assert words(unit, unit.how.words).endswith("\na$$b")
    assert isinstance(unit_rehearsal(SHOWN | {"ExecStart": shown}, "gw.service"), Failure)


def test_a_word_with_a_blank_stays_one_word_where_it_runs(running: subprocess.Popen[bytes]) -> None:
    line = " ".join(str(word) for word in running.args)  # type: ignore[union-attr]
    unit = read(
        ExecStart=f"{{ path={sys.executable} ; argv[]={line.replace('a$b', 'a${NOT}$b')} ; ignore_errors=no }}",
        MainPID=str(running.pid), Environment='NOT= b="$b"',
    )  # fmt: skip
    assert unit.how.words[2:4] == ("--config", "/etc/my gateway.yaml")
