"""A `docker` for tests: one Compose project with one service, whose container is a process of this machine.

    docker = install(tmp_path, ["python", "-m", "http.server"])      # a program of that name in tmp_path/bin
    docker.engine("off")                                            # no engine; "denied": no right; "on"

It answers with the shapes and words of Docker's client 28.2 and Compose v2.39 (`form="array"`: of 2.20 and older), and
keeps a state, so that what is stopped is shown as stopped. A shim waits for the process, as containerd's does.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

NEVER = "0001-01-01T00:00:00Z"
SOCKET = "unix:///var/run/docker.sock"
# printed by the real client 28.2.2 without an engine, and as a user who may not use its socket
NO_ENGINE = f"Cannot connect to the Docker daemon at {SOCKET}. Is the docker daemon running?"
NO_RIGHT = (
    f"permission denied while trying to connect to the Docker daemon socket at {SOCKET}: "
    'Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/containers/json": dial unix /var/run/docker.sock: '
    "connect: permission denied"
)
NO_COMPOSE = (
    "unknown flag: --project-name\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]\n\n"
    "Run 'docker --help' for more information"
)
WARNING = (
    'time="2026-11-21T16:00:00Z" level=warning msg="compose.yaml: the attribute `version` is obsolete, '
    'it will be ignored, please remove it to avoid potential confusion"'
)


class Docker:
    """The test's side of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "bin" / "docker"

    def engine(self, state: str) -> None:
        """`on`, `off`, `denied`, or `no compose` for a client without the plugin."""
        (self.folder / "engine").write_text(state, encoding="utf-8")

    def compose(self, *words: str) -> None:
        """`docker compose up -d`, `create`, and so on."""
        subprocess.run([self.path, "compose", *words], check=True, capture_output=True)

    def down(self) -> None:
        """`docker compose down`: the container is gone."""
        self.engine("on")
        self.compose("down")

    @property
    def container(self) -> dict[str, Any]:
        """What is kept of the container."""
        found: dict[str, Any] = json.loads((self.folder / "container.json").read_text(encoding="utf-8"))
        return found

    @property
    def calls(self) -> list[str]:
        """The command lines so far."""
        return (self.folder / "calls").read_text(encoding="utf-8").splitlines()


def install(folder: Path, command: Sequence[str], *, form: str = "lines", **more: Any) -> Docker:
    """A `docker` whose only service, `litellm` of project `llm`, runs `command`; its container is not made yet.

    `more`: `environment`, `mounts` (source: destination), `ports` (inside: outside), `again` (restart policy).
    """
    (folder / "bin").mkdir(parents=True)
    project = {"command": list(command), "form": form, **more}
    (folder / "project.json").write_text(json.dumps(project), encoding="utf-8")
    (folder / "compose.yaml").write_text("version: '3'\nservices: {litellm: {image: litellm}}\n", encoding="utf-8")
    docker = Docker(folder)
    docker.engine("on")
    docker.path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{folder}" "$@"\n', encoding="utf-8")
    docker.path.chmod(0o755)
    return docker


class Standin:
    """One call of the program."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = json.loads((folder / "project.json").read_text(encoding="utf-8"))

    def main(self, words: list[str]) -> None:
        with (self.folder / "calls").open("a", encoding="utf-8") as calls:
            calls.write(" ".join(words) + "\n")
        engine = (self.folder / "engine").read_text(encoding="utf-8")
        if words[0] == "compose" and engine == "no compose":
            fail(NO_COMPOSE, 125)
        if engine != "on":
            if words[0] == "inspect":
                print("[]")
            fail({"off": NO_ENGINE, "denied": NO_RIGHT}.get(engine, engine))
        if words[0] == "compose":
            self.compose(words[1:])
        elif words[0] == "ps":
            if self.container():
                print(self.container()["Id"][:12])
        else:
            getattr(self, words[0])(words[1:])

    # --- compose -----------------------------------------------------------------------------------------------

    def compose(self, words: list[str]) -> None:
        options = []
        while words[0].startswith("--"):
            options.append(words[0])
            words = words[2:]
        # a project that is named and has no file given is known by its containers alone: no file is read
        read = "--project-name" not in options or "--file" in options
        if read:
            print(WARNING, file=sys.stderr)
        verb, *rest = words
        services = [word for word in rest if not word.startswith("-") and word != "json"]
        if services and services != ["litellm"]:
            if not read:
                return
            fail(f"no such service: {services[0]}")
        if verb == "ps":
            self.ps()
        elif verb in ("up", "create"):
            self.save(self.container() or new_container(self.folder, self.project))
            if verb == "up":
                self.start()
        elif verb == "down":
            self.stop()
            (self.folder / "container.json").unlink(missing_ok=True)
        elif not self.container():
            if verb == "start":
                fail('service "litellm" has no container to start')
        else:
            if verb in ("stop", "restart"):
                self.stop()
            if verb in ("start", "restart"):
                self.start()

    def ps(self) -> None:
        found = self.container()
        state = found.get("State", {})
        full = self.project["form"] == "array"
        row = {
            "Command": '"docker/prod_entrypo…"', "ExitCode": state.get("ExitCode", 0), "Health": "",
            "Image": "ghcr.io/berriai/litellm:main-stable", "Name": "llm-litellm-1", "Project": "llm",
            "Publishers": None, "Service": "litellm", "State": state.get("Status"), "Status": "Up 2 minutes",
        }  # fmt: skip
        if full:
            print(json.dumps([{**row, "ID": found["Id"], "Created": 1_690_000_000}] if found else []))
        elif found:
            labels = ",".join(f"{key}={value}" for key, value in found["Config"]["Labels"].items())
            print(json.dumps({
                **row, "ID": found["Id"][:12], "CreatedAt": "2026-11-21 16:00:00 +0000 UTC", "Labels": labels,
                "LocalVolumes": "0", "Mounts": "", "Names": "llm-litellm-1", "Networks": "llm_default", "Ports": "",
                "RunningFor": "2 minutes ago", "Size": "0B",
            }))  # fmt: skip

    # --- the engine --------------------------------------------------------------------------------------------

    def inspect(self, words: list[str]) -> None:
        found = self.container()
        if not found or not found["Id"].startswith(words[-1]):
            print("[]")
            fail(f"Error response from daemon: No such container: {words[-1]}")
        print(json.dumps([found], indent=4))

    def stats(self, words: list[str]) -> None:
        pid = self.container()["State"]["Pid"]
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) if pid else 0
        used = f"{pages * os.sysconf('SC_PAGE_SIZE') / 1024**2:.1f}MiB" if pid else "0B"
        print(json.dumps({
            "BlockIO": "0B / 0B", "CPUPerc": "0.50%", "Container": words[-1], "ID": words[-1][:12], "MemPerc": "1.00%",
            "MemUsage": f"{used} / 7.6GiB", "Name": "llm-litellm-1", "NetIO": "1.2kB / 500B", "PIDs": "5",
        }))  # fmt: skip

    def events(self, words: list[str]) -> None:
        """None is remembered, as by an engine that was just started."""

    def logs(self, words: list[str]) -> None:
        since = words[words.index("--since") + 1] if "--since" in words else ""
        tail = int(words[words.index("--tail") + 1]) if "--tail" in words else None
        log = self.folder / "log"
        log.touch()
        with log.open(encoding="utf-8") as file:
            lines = [line for line in file.readlines() if line.split()[0] >= since]
            while True:
                for line in lines[-tail:] if tail is not None else lines:
                    stamp, stream, text = line.split(" ", 2)
                    out = sys.stderr if stream == "stderr" else sys.stdout
                    out.write(f"{stamp} {text}")
                    out.flush()
                tail = None
                ended = self.container().get("State", {}).get("Status") != "running"
                lines = file.readlines()
                if "--follow" not in words or (not lines and ended):
                    return
                time.sleep(0.02)

    def start(self) -> None:
        if self.container()["State"]["Status"] == "running":
            return
        before = self.container()["State"]["StartedAt"]
        # without the caller's pipes: who waits for their end would wait for the container's
        subprocess.Popen(
            [sys.executable, __file__, str(self.folder), "--shim"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        while self.container()["State"]["StartedAt"] == before:
            time.sleep(0.01)

    def stop(self) -> None:
        state = self.container().get("State", {})
        if state.get("Status") == "running":
            (self.folder / "stopping").touch()
            os.kill(state["Pid"], signal.SIGTERM)
            while self.container()["State"]["Status"] == "running":
                time.sleep(0.01)

    def shim(self) -> None:
        """Hold the process: its output into the log, its end into the state."""
        (self.folder / "stopping").unlink(missing_ok=True)
        while True:
            child = subprocess.Popen(
                self.project["command"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env={**os.environ, **self.project.get("environment", {})},
            )  # fmt: skip
            self.change(Status="running", Running=True, Pid=child.pid, StartedAt=now(), ExitCode=0, OOMKilled=False)
            assert child.stdout is not None
            with (self.folder / "log").open("a", encoding="utf-8") as log:
                for number, line in enumerate(child.stdout):
                    stream = "stderr" if number % 2 else "stdout"
                    log.write(f"{now()} {stream} {line.decode(errors='replace')}")
                    log.flush()
            code = child.wait()
            code = 128 - code if code < 0 else code
            self.change(Status="exited", Running=False, Pid=0, FinishedAt=now(), ExitCode=code)
            if not self.project.get("again") or (self.folder / "stopping").exists():
                return
            self.change(Status="restarting", Restarting=True)
            time.sleep(0.5)
            again = self.container()
            again["RestartCount"] += 1
            self.save(again)

    # --- the state ---------------------------------------------------------------------------------------------

    def container(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.folder / "container.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return found

    def change(self, **state: Any) -> None:
        found = self.container()
        found["State"].update(state)
        self.save(found)

    def save(self, container: dict[str, Any]) -> None:
        path = self.folder / f"container.json.{os.getpid()}"
        path.write_text(json.dumps(container), encoding="utf-8")
        path.replace(self.folder / "container.json")


def new_container(folder: Path, project: dict[str, Any]) -> dict[str, Any]:
    """As `docker inspect` shows one that was created, and not started yet (the fields that are read, and some)."""
    ports = {
        f"{inside}/tcp": [{"HostIp": "", "HostPort": str(outside)}]
        for inside, outside in project.get("ports", {}).items()
    }
    path, *arguments = project["command"]
    return {
        "Id": os.urandom(32).hex(),
        "Created": now(),
        "Path": path,
        "Args": arguments,
        "Name": "/llm-litellm-1",
        "RestartCount": 0,
        "State": {
            "Status": "created", "Running": False, "Paused": False, "Restarting": False, "OOMKilled": False,
            "Dead": False, "Pid": 0, "ExitCode": 0, "Error": "", "StartedAt": NEVER, "FinishedAt": NEVER,
        },
        "Mounts": [
            {"Type": "bind", "Source": source, "Destination": inside, "Mode": "rw", "RW": True}
            for source, inside in project.get("mounts", {}).items()
        ],
        "Config": {
            "Env": [f"{key}={value}" for key, value in project.get("environment", {}).items()],
            "Image": "ghcr.io/berriai/litellm:main-stable",
            "WorkingDir": "/app",
            "Labels": {
                "com.docker.compose.project": "llm",
                "com.docker.compose.service": "litellm",
                "com.docker.compose.oneoff": "False",
                "com.docker.compose.project.working_dir": str(folder),
                "com.docker.compose.project.config_files": str(folder / "compose.yaml"),
            },
        },
        "HostConfig": {"NetworkMode": "llm_default", "PortBindings": ports},
        "NetworkSettings": {"Ports": ports},
    }  # fmt: skip


def now() -> str:
    """The time as the engine writes it: UTC, nine digits."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


def fail(said: str, code: int = 1) -> NoReturn:
    """End as the client does."""
    print(said, file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    where, *given = sys.argv[1:]
    if given == ["--shim"]:
        Standin(Path(where)).shim()
    else:
        Standin(Path(where)).main(given)
