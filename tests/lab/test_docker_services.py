"""The suite over the kinds of service on a real engine: a container by itself, a service of Compose, near and far."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from litellm_tui.host import proc
from litellm_tui.model.found import Found
from litellm_tui.model.service_kinds import Compose, Docker, ServiceSettings, Tools
from litellm_tui.target.profile import Profile
from tests.lab.engine import Engine, compose_missing
from tests.lab.engine.forwarder import Forwarder
from tests.lab.engine.sshd import Sshd
from tests.lab.engine.sshd import missing as sshd_missing
from tests.service_suite import *  # noqa: F403  # the tests themselves
from tests.service_suite import Scene

# it says that it has started, and ends when it is asked to
PROGRAM = "trap 'exit 0' TERM; echo it has started; sleep 600 & wait"
COMPOSE = """\
services:
  gateway:
    image: {image}
    network_mode: none
    env_file: gateway.env
    command: ["sh", "-c", "{program}"]
    healthcheck: {{test: ["CMD", "busybox", "true"], interval: 1s}}
    depends_on: [other]
  other:
    image: {image}
    network_mode: none
    build: .
    command: ["sleep", "600"]
    stop_signal: KILL
"""


class InEngine:
    """A service of the engine, and its one container."""

    knows_process = True
    marker = "it has started"

    def __init__(self, engine: Engine, service: ServiceSettings, name: str) -> None:
        self.engine = engine
        self.profile = Profile(
            name="lab", host="lab", url=Found("http://127.0.0.1:1", "the lab"), tools=Tools(),
            unit=Found(name, "the lab"), service=service,
        )  # fmt: skip

    @property
    def container(self) -> str:
        raise NotImplementedError

    def pid(self) -> int:
        return int(self.engine.docker("inspect", "--format", "{{.State.Pid}}", self.container))

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def lives(self, pid: int) -> bool:
        stat = proc.stat(pid)
        return stat is not None and not stat.gone

    def deny(self) -> None:
        # the kernel's own refusal: somebody who is in no group that may open the socket
        os.seteuid(65534)

    def end(self) -> None:
        os.seteuid(0)
        self.remove()

    def remove(self) -> None:
        raise NotImplementedError


class ByItself(InEngine):
    """A container that `docker run` would have made."""

    container = "gateway"

    def __init__(self, engine: Engine, client: str = "docker") -> None:
        super().__init__(engine, Docker(container=self.container, client=client), self.container)
        engine.docker(
            "create", "--name", self.container, "--network", "none", engine.image, "sh", "-c", PROGRAM
        )  # fmt: skip

    def remove(self) -> None:
        self.engine.docker("rm", "--force", "--volumes", self.container)


class InCompose(InEngine):
    """A service among others, with an environment file, a check of its own and an image that no registry has."""

    def __init__(self, engine: Engine, name: str, *, elsewhere: bool = False) -> None:
        # others may look for it there
        folder = engine.folder / name
        folder.mkdir(mode=0o755)
        super().__init__(engine, Compose(folder=str(folder), service="gateway"), "gateway")
        self.folder = folder
        (folder / "compose.yaml").write_text(COMPOSE.format(image=engine.image, program=PROGRAM), encoding="utf-8")
        (folder / "gateway.env").write_text("EMBED_KEY=sk-of-the-file\n", encoding="utf-8")
        self.compose("create")
        if elsewhere:
            # somebody has started it from a folder that is not known here
            found = engine.docker("inspect", "--format", '{{index .Config.Labels "com.docker.compose.project"}}',
                                  self.container)  # fmt: skip
            self.profile = replace(self.profile, service=Compose(project=found.strip(), service="gateway"))

    def compose(self, *words: str) -> str:
        return self.engine.docker("compose", "--project-directory", str(self.folder), *words)

    @property
    def container(self) -> str:
        return self.compose("ps", "--all", "--quiet", "gateway").strip()

    def remove(self) -> None:
        assert isinstance(self.profile.service, Compose)
        self.compose("down", "--timeout", "0")
        if not self.profile.service.project:
            self.profile = replace(self.profile, service=replace(self.profile.service, service="gatewya"))


# what goes another way where the engine is on another machine; a port has no rights of its own
FAR = ("restarted_it", "killed_it", "is_not_there", "its_log_is")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    name = metafunc.function.__name__
    far = ["docker, far", "compose, far", "compose, elsewhere"] if any(words in name for words in FAR) else []
    # each command over ssh is a login: one test that has an order, a look and a log is enough
    over_ssh = ["docker, ssh"] if "its_log_is" in name else []
    metafunc.parametrize("scene", ["docker", "compose", *far, *over_ssh], indirect=True)


@pytest.fixture
def scene(
    request: pytest.FixtureRequest, docker_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    kind, _, where = request.param.partition(", ")
    if kind == "compose" and (lack := compose_missing()):
        pytest.skip(lack)
    for name, value in docker_engine.environment.items():
        monkeypatch.setenv(name, value)
    if where == "ssh" and (lack := sshd_missing()):
        pytest.skip(lack)
    with ExitStack() as stack:
        if where in ("far", "ssh"):
            # a context of the client's, as somebody has it who works on an engine of another machine
            monkeypatch.delenv("DOCKER_HOST")
            if where == "ssh":
                server = stack.enter_context(Sshd(tmp_path, docker_engine.host))
                host = server.host
                monkeypatch.setenv("PATH", server.path, prepend=":")
            else:
                host = stack.enter_context(Forwarder(docker_engine.socket)).host
            name = f"{where}-{tmp_path.name[:40].strip('[]')}"
            docker_engine.docker("context", "create", name, "--docker", f"host={host}")
            monkeypatch.setenv("DOCKER_CONTEXT", name)
        name = re.sub(r"\W", "-", tmp_path.name)
        made: InEngine
        if kind == "docker":
            made = ByItself(docker_engine)
        else:
            made = InCompose(docker_engine, name, elsewhere=where == "elsewhere")
        yield made
        made.end()
