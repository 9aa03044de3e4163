"""Restarting real units: the steps, the ways it ends, and the terminal handed to sudo."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.actions.restart import STEPS, Outcome, Step, restart
from litellm_tui.collectors.systemd import Scope, Tools
from litellm_tui.profile import Found, Profile, Secret
from tests.lab import Lab
from tests.terminal import CONSOLE, Terminal, TerminalError, compile_console

UNIT = "litellm.service"


@pytest.fixture(scope="module")
def module_lab(lab_possible: None) -> Iterator[Lab]:
    compile_console()
    with Lab.boot() as lab:
        yield lab


@pytest.fixture
def lab(module_lab: Lab) -> Iterator[Lab]:
    before = module_lab.config_path().read_text()
    yield module_lab
    if module_lab.config_path().read_text() != before:
        module_lab.write_config(before)
        module_lab.systemctl("reset-failed", UNIT, user=True, check=False)
        module_lab.systemctl("restart", UNIT, user=True)
        module_lab.wait_ready(("user",))


def profile(lab: Lab, scope: Scope = "user") -> Profile:
    """The unit of this scope, with the tools of the ordinary user inside the lab."""
    user = scope == "user"
    return Profile(
        name="lab",
        host="lab",
        url=Found(lab.url(user), "the lab"),
        tools=Tools(systemctl=tuple(lab.argv(["systemctl"])), journalctl=tuple(lab.argv(["journalctl"]))),
        unit=Found(UNIT, "the lab"),
        scope=scope,
        key=Secret(lab.key(user)),
    )


async def events(lab: Lab, expected: int | None, scope: Scope = "user") -> tuple[list[Step], Outcome]:
    steps: list[Step] = []
    async for event in restart(profile(lab, scope), expected):
        if isinstance(event, Outcome):
            return steps, event
        steps.append(event)
    raise AssertionError("a restart without an outcome")


def pid(lab: Lab, user: bool = True) -> int:
    return int(lab.show(UNIT, "MainPID", user=user)["MainPID"])


async def test_each_step_begins_and_ends_in_order(lab: Lab) -> None:
    before = pid(lab)
    steps, outcome = await events(lab, 7)
    assert outcome.ok, outcome
    assert re.fullmatch(r"restarted in \d+\.\d s; 7 deployments loaded", outcome.text)
    assert [step.name for step in steps] == [name for name in STEPS for _ in range(2)]
    assert [step.took is None for step in steps] == [True, False] * len(STEPS)
    assert steps[-1].detail == "7 of 7"
    # The time in which models are waited for is not added to the total a second time.
    assert sum(step.took or 0 for step in steps) == pytest.approx(outcome.took, abs=1)
    assert pid(lab) not in (0, before)
    print("\n ", ", ".join(f"{step.name} {step.took:.1f} s" for step in steps if step.took is not None))


async def test_fewer_deployments_than_the_file_has_are_no_success(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litellm_tui.actions.restart.LOAD_SECONDS", 1.0)
    _, outcome = await events(lab, 9)
    assert not outcome.ok
    assert re.fullmatch(r"restarted in \d+\.\d s; only 7 of 9 deployments were loaded", outcome.text)


async def test_a_litellm_that_dies_at_its_start_is_a_failure_with_the_units_result(lab: Lab) -> None:
    lab.write_config("model_list: [\n")
    begun = time.monotonic()
    _, outcome = await events(lab, 7)
    assert not outcome.ok
    assert not outcome.needs_rights
    assert re.search(r"litellm\.service .*\(exit-code, exited [13]\)", outcome.text), outcome.text
    # It is not waited for what cannot come.
    assert time.monotonic() - begun < 60


async def test_a_unit_that_is_gone_is_told_in_systemds_words(lab: Lab) -> None:
    hidden = lab.unit_path().with_suffix(".hidden")
    lab.systemctl("stop", UNIT, user=True)
    os.rename(lab.unit_path(), hidden)
    try:
        lab.systemctl("daemon-reload", user=True)
        _, outcome = await events(lab, 7)
        assert not outcome.ok
        assert not outcome.needs_rights
        assert "not found" in outcome.text
    finally:
        os.rename(hidden, lab.unit_path())
        lab.systemctl("daemon-reload", user=True)
    # A restart starts what is not running.
    _, outcome = await events(lab, 7)
    assert outcome.ok, outcome


async def test_a_system_unit_needs_rights_and_is_left_alone(lab: Lab) -> None:
    properties = ("ActiveState", "InvocationID", "NRestarts", "Job")
    before = lab.show(UNIT, *properties, user=False)
    steps, outcome = await events(lab, 7, "system")
    assert not outcome.ok
    assert outcome.needs_rights, outcome
    assert [step.name for step in steps] == ["stopping"]
    assert lab.show(UNIT, *properties, user=False) == before


# -- sudo, as the console calls it

SUDO = """\
#!/bin/sh
# What it was asked for, for the test to look at.
echo "$@" > "{folder}/called"
test -t 0 && test -t 1 && test -t 2 || echo "sudo: no tty present"
stty -echo
printf '[sudo] password for %s: ' "$USER"
read -r password
stty echo
echo
if [ "$password" != open ]; then
    echo "sudo: 1 incorrect password attempt"
    exit 1
fi
echo "$password" > "{folder}/asked"
while [ ! -e "{folder}/restarted" ]; do sleep 0.05; done
"""


@pytest.fixture
def sudo(lab: Lab) -> Iterator[Path]:
    """A folder with a `sudo` that knows one password; the restart itself is the test's, which is root."""
    folder = lab.home / "stand-in"
    folder.mkdir()
    script = folder / "sudo"
    script.write_text(SUDO.format(folder=folder))
    script.chmod(0o755)
    (folder / "key").write_text(lab.key(user=False))
    folder.chmod(0o777)
    (folder / "key").chmod(0o644)
    yield folder
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def test_sudo_gets_the_terminal_and_gives_it_back(lab: Lab, sudo: Path) -> None:
    path = f"{sudo}:{os.environ['PATH']}"
    command = [*CONSOLE, "--system", "--key-file", str(sudo / "key")]
    with Terminal(lab.argv(command, env={"PATH": path})) as console:
        console.wait_for(r"DOWN .*litellm\.service is inactive", 10)

        def restart_through_sudo() -> None:
            console.press("R")
            console.wait_for("Cancel .*Restart")
            asked_at = time.monotonic()
            # For its first moments the dialog takes no Enter.
            console.wait_for(lambda _: time.monotonic() - asked_at > 0.6)
            console.press("right", "enter")
            console.wait_for(r"\[sudo\] password for")

        restart_through_sudo()
        shown = console.screen_text()
        assert "may not restart litellm.service for you" in shown
        assert "╭─ 1 Models" not in shown, "the console is still on the terminal"
        assert (sudo / "called").read_text().split() == ["systemctl", "restart", UNIT]
        assert "no tty present" not in shown
        console.type("wrong")
        console.press("enter")
        console.wait_for("1 incorrect password attempt")
        assert "wrong" not in console.screen_text(), "the password was echoed"
        console.wait_for("Nothing was restarted. Enter goes back")
        console.press("enter")
        console.wait_for("╭─ 1 Models")
        console.wait_for("result +.*(denied|authentication required)")
        assert lab.show(UNIT, "ActiveState", user=False)["ActiveState"] == "inactive"
        console.press("enter")
        console.wait_gone("result +")

        restart_through_sudo()
        console.type("open")
        console.press("enter")
        lab.wait("sudo has the password", (sudo / "asked").exists, 10)
        try:
            lab.systemctl("restart", UNIT)
            (sudo / "restarted").touch()
            console.wait_for("╭─ 1 Models")
            console.wait_for(r"restarted in \d+\.\d s; 7 deployments loaded", 60)
            console.press("enter")
            console.wait_gone("restarted in")
            console.wait_gone("╭─ Restart")
            console.wait_for(r"active \(running\)")
            # The keys go to the console again; one that comes while the terminal is taken back may be lost.
            for _ in range(3):
                console.press("?")
                with contextlib.suppress(TerminalError):
                    console.wait_for("Keys and signs", 4)
                    break
            assert "Keys and signs" in console.screen_text()
            console.press("escape")
            console.wait_gone("Keys and signs")
            console.press("q")
            assert console.exit_status() == 0
        finally:
            lab.systemctl("stop", UNIT)
