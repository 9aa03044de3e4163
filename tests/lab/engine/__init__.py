"""A real Docker engine from Debian's packages, in namespaces of its own, with an image of a few programs.

    with Engine.boot() as engine:
        engine.docker("run", "-d", engine.image, "sh", "-c", "echo it runs")

Needs root, `dockerd`, `containerd`, `runc`, a `docker` client, and a static `busybox` (docker.io, busybox-static).
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.lab.environments import PATIENCE, LabError

PROGRAMS: Final = {
    "dockerd": "docker.io",
    "containerd": "containerd",
    "runc": "runc",
    "docker": "docker.io",
    "busybox": "busybox-static",
    "unshare": "util-linux",
    "setpriv": "util-linux",
}
IMAGE: Final = "lab/busybox:1"
_BOOT_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0
# A root without CAP_SYS_RESOURCE may not lower the OOM score of a process, as the engine asks runc to.
_RUNTIME: Final = """#!{python} -IS
import json, os, sys

words = sys.argv[1:]
if "--bundle" in words:
    path = os.path.join(words[words.index("--bundle") + 1], "config.json")
    with open(path) as file:
        bundle = json.load(file)
    if bundle["process"].get("oomScoreAdj", 0) < 0:
        bundle["process"]["oomScoreAdj"] = 0
        with open(path, "w") as file:
            json.dump(bundle, file)
os.execv({runc!r}, ["runc", *words])
"""


def missing() -> str | None:
    """Why no engine can be started here, or None. That it starts is only known when it has."""
    if sys.platform != "linux":
        return "Docker's engine needs Linux"
    if os.geteuid() != 0:
        return "Docker's engine needs root"
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            return f"no {program} on PATH: install the {package} package"
    # the interpreter that a dynamic program names stands at its beginning
    if b"/ld-" in Path(shutil.which("busybox") or os.devnull).read_bytes()[:4096]:
        return "busybox needs libraries here: install the busybox-static package"
    return None


# Compose is a plug-in of the client, which ./test fetches
PLUGIN: Final = Path(__file__).parents[3] / ".lab" / "docker-compose"


def compose_missing() -> str | None:
    """Why there is no Compose v2 here, or None."""
    if PLUGIN.exists():
        return None
    done = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return f"no Docker Compose v2: scripts/compose-plugin.sh {PLUGIN} fetches it" if done.returncode else None


class Engine:
    """One engine, on a socket of its own. As a context manager it leaves nothing behind."""

    image = IMAGE

    def __init__(self, folder: Path, bridge: str = "none") -> None:
        self.folder = folder
        self.bridge = bridge
        self.socket = folder / "docker.sock"
        self.host = f"unix://{self.socket}"
        # of the client: its contexts and plug-ins
        self.config = folder / "client"
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def boot(cls, bridge: str = "none") -> Self:
        """Start it and make its image; its containers are on this bridge of the machine, else without a network.

        Raises LabError with the reason and the end of its log.
        """
        if lack := missing():
            raise LabError(lack)
        # the socket's path has to be short
        engine = cls(Path(tempfile.mkdtemp(prefix="lab-engine-", dir="/tmp")), bridge)
        try:
            if PLUGIN.exists():
                plugins = engine.config / "cli-plugins"
                plugins.mkdir(parents=True)
                _link(PLUGIN, plugins / "docker-compose")
            # others may look for the socket, and are refused by it
            engine.folder.chmod(0o711)
            engine.start()
            engine.docker("import", "-", IMAGE, given=root_of_image())
        except BaseException:
            engine.down()
            raise
        return engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def start(self) -> None:
        """Start it, with what it had before. Its mounts are in a namespace that ends with it.

        Its processes are seen from here by the numbers that it gives them, as those of any engine of this machine.
        """
        runtime = self.folder / "runc"
        runtime.write_text(_RUNTIME.format(python=sys.executable, runc=shutil.which("runc")), encoding="utf-8")
        runtime.chmod(0o755)
        command = [
            "setpriv", "--pdeathsig", "TERM", "unshare", "--mount", "--propagation", "private",
            "dockerd", "--host", self.host, "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec",
            "--pidfile", f"{self.folder}/dockerd.pid", "--storage-driver", "vfs", "--bridge", self.bridge,
            "--iptables=false", "--exec-opt", "native.cgroupdriver=cgroupfs",
            "--add-runtime", f"lab={runtime}", "--default-runtime", "lab",
        ]  # fmt: skip
        # the number may be another's now
        (self.folder / "dockerd.pid").unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + _BOOT_SECONDS
        while self._ask("version").returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"Docker's engine does not start here: {self._last_words()}")
            time.sleep(0.1)

    @property
    def pid(self) -> int:
        """Of its process, in whose namespace of mounts it is."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """As `systemctl stop docker`: its containers are stopped with it."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        self._process.kill()
        self._process.wait()
        self._process = None
        self._kill_what_is_left()

    def _kill_what_is_left(self) -> None:
        """What an engine that had to be killed leaves behind: its containers, and what holds them."""
        containers = [path.name for path in self.folder.glob("data/containers/*")]
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (place / "cmdline").read_bytes()
                groups = (place / "cgroup").read_text(encoding="ascii")
                if str(self.folder / "exec").encode() in words or any(name in groups for name in containers):
                    os.kill(int(place.name), signal.SIGKILL)

    def down(self) -> None:
        """End it, and remove all that it had."""
        with suppress(LabError, subprocess.TimeoutExpired):
            containers = self.docker("ps", "--all", "--quiet").split()
            if containers:
                self.docker("rm", "--force", *containers)
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove(self, container: str) -> None:
        """A container, if there is one of this name."""
        self._ask("rm", "--force", "--volumes", container)

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a client finds this engine."""
        return {"DOCKER_HOST": self.host, "DOCKER_CONFIG": str(self.config)}

    def docker(self, *words: str, given: bytes | None = None) -> str:
        """What the client prints on stdout. Raises LabError when it fails."""
        done = self._ask(*words, given=given)
        if done.returncode:
            raise LabError(f"docker {' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode(errors="replace")

    def _ask(self, *words: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["docker", *words], input=given, capture_output=True, check=False, timeout=PATIENCE,
            env={**os.environ, **self.environment},
        )  # fmt: skip

    def _last_words(self) -> str:
        lines = (self.folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()
        return " / ".join(lines[-3:])


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        # another file system
        shutil.copy2(source, target)


def root_of_image() -> bytes:
    """The root of an image, as a tar file: busybox under its own name and as the shell with some tools."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        tar.add(busybox, "bin/busybox")
        for name in ("sh", "cat", "sleep", "echo"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for name in ("tmp", "proc", "dev", "sys"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
    return written.getvalue()
