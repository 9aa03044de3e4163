"""The suite over the kinds of service, on real units: a user's, and the system's as root and as an ordinary user."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from litellm_tui.actions.control import order
from litellm_tui.model.failures import Denied
from litellm_tui.model.found import Found
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Scope, Tools
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Profile
from tests.lab import Lab
from tests.lab.engine import Engine
from tests.service_suite import *  # noqa: F403  # the tests themselves

UNIT = """\
[Unit]
Description=Something that runs
[Service]
ExecStart=/bin/sh -c 'echo it has started; exec sleep 600'
"""


CONTAINER_UNIT = """\
[Unit]
Description=A container that runs
[Service]
Environment=HOME=/tmp
ExecStartPre=-{docker} rm --force {name}
ExecStart={docker} run --rm --name {name} --network none {image} \\
  sh -c 'trap "exit 0" TERM; echo it has started; sleep 600 & wait'
ExecStop={docker} stop --time 5 {name}
# of a client that hangs
TimeoutStopSec=20
"""


class RealUnit:
    """A unit of one scope, operated by the one who owns it."""

    knows_process = True
    marker = "it has started"

    def __init__(self, lab: Lab, scope: Scope, name: str, text: str = UNIT) -> None:
        self.lab, self.user, self.name = lab, scope == "user", name
        self.path = lab.unit_path(self.user).with_name(name)
        self.path.write_text(text)
        self.path.chmod(0o644)
        lab.systemctl("daemon-reload", user=self.user)
        self.profile = Profile(
            name="lab", host="lab", url=Found("http://127.0.0.1:1", "the lab"), tools=self.tools(self.user),
            unit=Found(name, "the lab"), scope=scope,
        )  # fmt: skip

    def tools(self, user: bool) -> Tools:
        # a tail is ended by killing what stands outside: it is to take the one inside with it
        journalctl = ["setpriv", "--pdeathsig", "KILL", "journalctl"]
        return Tools(
            systemctl=tuple(self.lab.argv(["systemctl"], user)), journalctl=tuple(self.lab.argv(journalctl, user))
        )

    def pid(self) -> int:
        return int(self.lab.show(self.name, "MainPID", user=self.user)["MainPID"])

    def kill(self, pid: int) -> None:
        self.lab.run(["kill", "-9", str(pid)])

    def lives(self, pid: int) -> bool:
        return self.lab.run(["kill", "-0", str(pid)], check=False).returncode == 0

    def remove(self) -> None:
        self.path.unlink()
        self.lab.systemctl("daemon-reload", user=self.user)

    def deny(self) -> None:
        if self.user:
            pytest.skip("nobody can take the right to his own units from a user")
        self.profile = replace(self.profile, tools=self.tools(True))

    def end(self) -> None:
        self.lab.systemctl("stop", self.name, user=self.user, check=False)
        self.lab.systemctl("reset-failed", self.name, user=self.user, check=False)
        self.path.unlink(missing_ok=True)
        self.lab.systemctl("daemon-reload", user=self.user)


@pytest.fixture(scope="module")
def bare_lab(lab_possible: None) -> Iterator[Lab]:
    with Lab.boot(units=()) as lab:
        yield lab


# what is another's where a unit runs the engine's client, and the client a container
CONTAINED = ("restarted_it", "stopped_it", "killed_it", "its_log_is")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "scene" in metafunc.fixturenames:
        contained = ["docker run"] if any(words in metafunc.function.__name__ for words in CONTAINED) else []
        metafunc.parametrize("scene", ["user", "system", *contained], indirect=True)


@pytest.fixture
def scene(request: pytest.FixtureRequest, bare_lab: Lab, tmp_path: Path) -> Iterator[RealUnit]:
    # a name of its own each time, for the journal keeps what was written under it
    name = re.sub(r"\W+", "-", tmp_path.name[:40])
    if request.param == "docker run":
        engine: Engine = request.getfixturevalue("docker_engine")
        docker = f"{shutil.which('docker')} --host {engine.host}"
        made = RealUnit(
            bare_lab, "system", f"{name}.service", CONTAINER_UNIT.format(docker=docker, name=name, image=engine.image)
        )
    else:
        made = RealUnit(bare_lab, request.param, f"{name}.service")
    yield made
    made.end()
    if request.param == "docker run":
        # of a client that was killed
        request.getfixturevalue("docker_engine").remove(name)


async def test_an_ordinary_user_sees_a_system_unit_and_may_order_nothing(bare_lab: Lab, tmp_path: Path) -> None:
    unit = RealUnit(bare_lab, "system", "seen-by-all.service")
    try:
        assert await order(unit.profile, "start") is None
        unit.deny()
        found = await driver(unit.profile.service_target).look()
        assert isinstance(found, Service)
        assert (found.active_state, found.scope) == ("active", "system")
        for verb in ("start", "stop", "restart"):
            assert isinstance(await order(unit.profile, verb), Denied), verb
    finally:
        unit.end()
