"""Gateways of other hosts by a real ssh: the named states, a command that runs there, all of them side by side."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from litellm_tui import __version__
from litellm_tui.monitor.fleet_members import FleetWatch
from litellm_tui.target.settings import ProfileSettings, Settings
from tests.lab import Lab
from tests.lab.engine.sshd import missing
from tests.lab.far_side import ALIASES, PYTHON, FarSide
from tests.lab.keeper import HOST
from tests.terminal import Terminal
from tests.waiting import DEADLINE, eventually

PROFILES = "profiles:\n" + "".join(f"  {name}: {{ssh: {name}, unit: litellm.service}}\n" for name in ("well", *ALIASES))


@pytest.fixture(scope="module")
def far(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarSide]:
    if why := missing():
        pytest.skip(why)
    lab.wait_ready()
    with FarSide(lab, tmp_path_factory.mktemp("far")) as found:
        found.write_settings(PROFILES)
        yield found


def test_a_command_runs_on_the_other_host_with_its_own_exit_status(far: FarSide) -> None:
    # beside everything else that starts with the lab, LiteLLM may need longer than a look has
    for _ in range(5):
        done = far.tui("--profile", "well", "status", "--json")
        found = json.loads(done.stdout)
        assert done.returncode == found["exit_status"], done.stderr
        if found["litellm_version"]:
            break
    assert (found["format"], found["program"], found["unit"]) == (1, __version__, "litellm.service")
    assert found["litellm_version"] == far.lab.litellm.version
    assert far.lab.key() not in done.stdout + done.stderr


@pytest.mark.parametrize("alias", [name for name in ALIASES if name != "old"])
def test_what_stands_between_has_a_name_and_something_to_do(far: FarSide, alias: str) -> None:
    done = far.tui("--profile", alias, "status", "--json")
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.startswith(f"litellm-tui: {ALIASES[alias]}: "), done.stderr
    assert "to do: " in done.stderr


def test_a_program_that_is_too_old_is_named(far: FarSide) -> None:
    done = far.tui("--profile", "old", "status", "--follow", "--json")
    assert done.returncode == 69
    assert done.stderr.startswith("litellm-tui: program too old: "), done.stderr


def test_a_check_says_what_is_there_and_what_is_missing(far: FarSide) -> None:
    well = far.tui("host", "check", "well")
    assert well.returncode == 0, well.stdout + well.stderr
    assert f"is {__version__}" in well.stdout
    lacking = far.tui("host", "check", "missing")
    assert lacking.returncode == 1
    assert "program    missing  no litellm-tui on the PATH" in lacking.stdout
    assert f"litellm-tui host install missing puts version {__version__} there" in lacking.stdout
    old = far.tui("host", "check", "old")
    assert old.returncode == 1
    assert "0.0.9, too old for the fleet" in old.stdout
    assert far.tui("host", "check", "refused").returncode == 69
    assert far.tui("host", "check", "-oProxyCommand=x").returncode == 64


def test_all_stand_side_by_side_worst_first_with_what_is_wrong(far: FarSide) -> None:
    key = far.folder / "gateway-key"
    key.write_text(far.lab.key())
    here = f'  here: {{url: "{far.lab.url()}", key_file: "{key}"}}\n'
    far.write_settings(PROFILES + here)
    done = far.tui("fleet", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["exit_status"]) == (3, 3), done.stderr
    rows = {row["name"]: row for row in found["gateways"]}
    assert {name: rows[name]["state"].lower() for name in ALIASES} == ALIASES
    assert [row["status"] for row in found["gateways"]] == sorted((r["status"] for r in rows.values()), reverse=True)
    for name in ("well", "here"):
        # its own word, of which a busy machine may show an early one
        assert rows[name]["state"].lower() not in ALIASES.values()
        assert rows[name]["sentence"]
        assert rows[name]["age"] is not None
    assert rows["well"]["digest"]
    assert far.lab.key() not in done.stdout + done.stderr


def test_a_clock_that_is_off_is_named(far: FarSide) -> None:
    far.write_settings("profiles:\n  ahead: {ssh: ahead, unit: litellm.service}\n")
    try:
        found = json.loads(far.tui("fleet", "--json").stdout)
    finally:
        far.write_settings(PROFILES)
    assert found["differences"] == ["the clock of ahead is 2 min ahead of this machine's"]


def test_it_is_installed_where_there_is_no_index(far: FarSide) -> None:
    if subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode:
        pytest.skip(f"{PYTHON} has no pip")
    assert far.tui("host", "check", "bare").returncode == 1
    done = far.tui("host", "install", "bare", "--yes", seconds=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "never with sudo" in done.stdout
    assert done.stdout.splitlines()[-1] == f"installed: litellm-tui {__version__} answers on bare"
    assert (far.bare_home / ".local" / "bin" / "litellm-tui").exists()


def test_enter_opens_the_console_of_the_host_in_this_terminal_and_q_comes_back(far: FarSide) -> None:
    far.write_settings("profiles:\n  well: {ssh: well, unit: litellm.service}\n")
    key = far.folder / "gateway-key"
    key.write_text(far.lab.key())
    command = far.command("--url", far.lab.url(), "--key-file", str(key))
    try:
        with Terminal(command, environment=far.environment) as terminal:
            # a key is taken once there is something to be seen
            terminal.wait_for("openai/llama3.1-b", timeout=DEADLINE)
            terminal.press("G")
            terminal.wait_for(re.compile(r"well .*litellm|seen .* ago"), timeout=DEADLINE)
            terminal.press("enter")
            # the far side's machine has a name of its own
            terminal.wait_for(lambda text: text.lstrip().startswith(HOST) and "litellm.service" in text, DEADLINE)
            terminal.press("q")
            terminal.wait_for(lambda text: "Fleet" in text and "Enter open" in text, DEADLINE)
            assert terminal.running, terminal.screen_text()
            terminal.press("escape")
            terminal.wait_for(lambda text: "1 Models" in text and "Enter open" not in text, DEADLINE)
            terminal.press("q")
            assert terminal.exit_status(DEADLINE) == 0
    finally:
        far.write_settings(PROFILES)


def test_a_file_is_applied_on_the_other_host_and_kept_there(far: FarSide, tmp_path: Path) -> None:
    far.write_settings("profiles:\n  well: {ssh: well, unit: litellm.service, group: web}\n")
    before = far.lab.config_path().read_text(encoding="utf-8")
    file = tmp_path / "new.yaml"
    file.write_text(before + "# from afar\n", encoding="utf-8")
    try:
        done = far.tui("fleet", "apply", str(file), "web", "--no-rehearsal", "--yes", "--json", seconds=600)
        found = json.loads(done.stdout)
        assert (done.returncode, found["members"][0]["stage"]) == (0, "applied"), done.stdout + done.stderr
        assert far.lab.config_path().read_text(encoding="utf-8") == file.read_text(encoding="utf-8")
        kept = json.loads(far.tui("--profile", "well", "rollback", "--list", "--json").stdout)
        assert "before an apply" in {one["why"] for one in kept}
    finally:
        far.lab.write_config(before)
        far.write_settings(PROFILES)


async def test_it_is_followed_over_a_link_that_breaks(far: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PATH", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, far.environment[name])
    settings = Settings(profiles={"well": ProfileSettings(ssh="well", unit="litellm.service")})
    watch = FleetWatch(settings, lambda: None)
    running = asyncio.create_task(watch.run())
    try:
        first = (await eventually(lambda: [one for one in watch.seen if one.document is not None], "it is told"))[0]
        assert first.failure is None
        # the shared connection is the one that the end of it takes along
        far.cut()
        lost = (await eventually(lambda: [one for one in watch.seen if one.failure is not None], "the end is told"))[0]
        assert lost.failure is not None
        assert lost.failure.state == "link lost", lost.failure
        assert lost.document == first.document
        again = (await eventually(lambda: [one for one in watch.seen if one.failure is None], "it is back"))[0]
        assert (again.came_at or 0) > (first.came_at or 0)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
