"""The suite over the kinds of service that need no systemd; those that do pass it in the lab."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from litellm_tui.host import proc
from litellm_tui.model.found import Found
from litellm_tui.model.service_kinds import Compose, Custom, Process, ServiceSettings, Tools
from litellm_tui.services.process import locate
from litellm_tui.services.process.pid_file import FoundProcess
from litellm_tui.target.profile import Profile
from tests.service_suite import *  # noqa: F403  # the tests themselves
from tests.service_suite import Scene
from tests.standins import control, docker

# it says that it has started, and then waits to be ended
PROGRAM = (sys.executable, "-u", "-c", "import time; print('it has started'); time.sleep(600)")


class Base:
    """A scene without a service yet."""

    knows_process = True
    marker = "it has started"

    def __init__(self, folder: Path, service: ServiceSettings, name: str = "litellm") -> None:
        self.folder = folder
        self.profile = Profile(
            name="test",
            host="here",
            url=Found("http://127.0.0.1:1", "test"),
            tools=Tools(),
            unit=Found(name, "test"),
            service=service,
        )

    def change(self, service: ServiceSettings) -> None:
        self.profile = replace(self.profile, service=service)

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            self.kill(self.pid())

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def lives(self, pid: int) -> bool:
        stat = proc.stat(pid)
        return stat is not None and not stat.gone

    def pid(self) -> int:
        return int((self.folder / "pid").read_text(encoding="ascii"))


class PlainProcess(Base):
    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.settings = Process(start=PROGRAM, pid_file=str(folder / "pid"), log_file=str(folder / "log"))
        self.patch = patch
        super().__init__(folder, self.settings)

    def remove(self) -> None:
        self.change(replace(self.settings, start=("/nonexistent/litellm", *PROGRAM[1:])))

    def deny(self) -> None:
        # root may signal everybody: the kernel's answer to others stands in
        def refuse(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        self.patch.setattr(signal, "pidfd_send_signal", refuse)


# listens on its port as soon as it runs, under the gateway's own name
LISTENER = """#!{python} -u
import socket, sys, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[2])))
print("it has started")
time.sleep(600)
"""


class OnItsPort(Base):
    """A process that no PID file names."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        program = folder / "litellm"
        program.write_text(LISTENER.format(python=sys.executable), encoding="utf-8")
        program.chmod(0o755)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        start = (str(program), "--port", self.port)
        self.settings = Process(start=start, port=self.port, log_file=str(folder / "log"))
        self.patch = patch
        super().__init__(folder, self.settings)

    def pid(self) -> int:
        found = locate.locate(self.settings)
        assert isinstance(found, FoundProcess)
        return found.pid

    def remove(self) -> None:
        self.change(Process(port=self.port))

    def deny(self) -> None:
        PlainProcess.deny(self)  # type: ignore[arg-type]  # it needs no more than the patch

    def end(self) -> None:
        if pid := self.pid():
            self.kill(pid)


class InCompose(Base):
    def __init__(self, folder: Path, form: str, found: bool) -> None:
        self.docker = docker.install(folder, PROGRAM, form=form)
        self.docker.compose("create")
        service = Compose(docker=str(self.docker.path), folder=str(folder), service="litellm")
        if found:
            service = Compose(docker=str(self.docker.path), project="llm", service="litellm")
        super().__init__(folder, service)

    def pid(self) -> int:
        return int(self.docker.container["State"]["Pid"])

    def remove(self) -> None:
        compose = self.profile.service
        assert isinstance(compose, Compose)
        if compose.project:
            self.docker.down()
        else:
            self.change(replace(compose, service="litelm"))

    def deny(self) -> None:
        self.docker.engine("denied")

    def end(self) -> None:
        self.docker.down()


class ByCommands(Base):
    def __init__(self, folder: Path, *, pid_file: bool) -> None:
        script = (sys.executable, control.__file__, str(folder))
        super().__init__(
            folder,
            Custom(
                status=(*script, "status"),
                start=(*script, "start", *PROGRAM),
                stop=(*script, "stop"),
                restart=(*script, "restart", *PROGRAM) if pid_file else None,
                log_file=str(folder / "log") if pid_file else None,
                log=None if pid_file else ("tail", "-n", "100", "-F", str(folder / "log")),
                pid_file=str(folder / "pid") if pid_file else None,
            ),
        )
        self.knows_process = pid_file

    def remove(self) -> None:
        (self.folder / "unknown").touch()

    def deny(self) -> None:
        (self.folder / "denied").touch()


@pytest.fixture(
    params=["process", "process on its port", "compose", "compose 2.20, found", "custom", "custom with a PID file"]
)
def scene(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    made: Base
    match request.param:
        case "process on its port":
            made = OnItsPort(tmp_path, monkeypatch)
        case "process":
            made = PlainProcess(tmp_path, monkeypatch)
        case "compose":
            made = InCompose(tmp_path, "lines", found=False)
        case "compose 2.20, found":
            made = InCompose(tmp_path, "array", found=True)
        case _:
            made = ByCommands(tmp_path, pid_file="PID" in request.param)
    yield made
    made.end()
