"""The suite over the kinds of service with Podman's client in the place of Docker's, as far as it goes.

Not of it: Podman has no daemon, and so no socket whose right could be missing, and no events of Docker's form.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from litellm_tui.host import proc
from litellm_tui.model.failures import NotAvailable
from litellm_tui.model.found import Found
from litellm_tui.model.rehearsal import RehearsalOrder
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Docker, Tools
from litellm_tui.services.capabilities import Rehearses
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Profile
from tests.lab.engine import IMAGE
from tests.lab.engine.podman import Podman, missing
from tests.service_suite import *  # noqa: F403  # the tests themselves

PROGRAM = "trap 'exit 0' TERM; echo it has started; sleep 600 & wait"


class InPodman:
    """A container that `podman run` would have made."""

    knows_process = True
    marker = "it has started"
    container = "gateway"

    def __init__(self, podman: Podman) -> None:
        self.podman = podman
        self.profile = Profile(
            name="lab", host="lab", url=Found("http://127.0.0.1:1", "the lab"), tools=Tools(),
            unit=Found(self.container, "the lab"), service=Docker(container=self.container, client=podman.client),
        )  # fmt: skip
        podman.docker(
            "create", "--name", self.container, "--network", "none", "--log-driver", "k8s-file", IMAGE, "sh", "-c",
            PROGRAM,
        )  # fmt: skip

    def pid(self) -> int:
        return int(self.podman.docker("inspect", "--format", "{{.State.Pid}}", self.container))

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def lives(self, pid: int) -> bool:
        stat = proc.stat(pid)
        return stat is not None and not stat.gone

    def deny(self) -> None:
        pytest.skip("Podman has no engine whose socket could refuse")

    def remove(self) -> None:
        self.podman.docker("rm", "--force", "--time", "0", "--ignore", self.container)


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    if lack := missing():
        pytest.skip(lack)
    # Podman takes no path of more than 50 characters for what runs
    made = Podman(Path(mkdtemp(prefix="podman-")))
    yield made
    made.end()


@pytest.fixture
def scene(podman: Podman) -> Iterator[InPodman]:
    made = InPodman(podman)
    yield made
    made.remove()


async def test_its_memory_is_that_of_its_processes(scene: InPodman, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litellm_tui.services.docker.driver.CALM_SECONDS", 0.0)
    scene.podman.docker("start", scene.container)
    found = await driver(scene.profile.service_target).look()
    assert isinstance(found, Service)
    assert found.memory is not None
    assert found.memory > 0


async def test_no_rehearsal_is_made_without_a_socket_and_that_is_said(scene: InPodman) -> None:
    """Podman alone has no engine that would make a second container and remove it whoever is killed."""
    scene.podman.docker("start", scene.container)
    operated = driver(scene.profile.service_target)
    assert isinstance(operated, Rehearses)
    order = RehearsalOrder("litellm-tui-rehearsal-x", None, "/run/x/config.yaml", "/run/x", 4321, {})
    async with operated.rehearse(order) as run:
        assert isinstance(run, NotAvailable)
    assert run.why == "the engine is reached over no socket of this machine: no container is made beside it"
    assert await operated.rehearsal_user() == run
