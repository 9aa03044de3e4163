"""A real sshd of this machine on a port of its own, through which a client reaches an engine as `ssh://root@HOST`.

It is in a mount namespace of its own, where its user exists; it lets one key in, which is made for it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.lab.core import free_ports
from tests.lab.environments import LabError

# Debian's package, unpacked by ./test
UNPACKED: Final = Path(__file__).parents[3] / ".lab" / "sshd"
_BOOT_SECONDS: Final = 20.0
_APART: Final = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "sh", "-c"]
_SERVER: Final = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PidFile none
SetEnv DOCKER_HOST={engine} PATH={path}
"""
_CLIENT: Final = """\
Host *
  IdentityFile {folder}/key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
  StrictHostKeyChecking accept-new
  LogLevel ERROR
"""


def missing() -> str | None:
    """Why there is no sshd here, or None."""
    if shutil.which("ssh") is None:
        return "no ssh on PATH: install the openssh-client package"
    if program() is None:
        return f"no sshd: scripts/sshd.sh {UNPACKED} unpacks Debian's"
    return None


def program() -> str | None:
    """sshd of this machine, else the unpacked one."""
    unpacked = UNPACKED / "usr" / "sbin" / "sshd"
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or (
        str(unpacked) if unpacked.exists() else None
    )


class Sshd:
    """`host` is the endpoint of the engine by it; `path` goes before PATH, for a client that has this server's key."""

    def __init__(self, folder: Path, engine: str) -> None:
        (self.port,) = free_ports(1)
        self.folder = folder
        self.host = f"ssh://root@127.0.0.1:{self.port}"
        self.path = str(folder / "bin")
        for name in ("host", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        given = {"port": self.port, "folder": folder, "engine": engine, "path": os.environ.get("PATH", os.defpath)}
        (folder / "server").write_text(_SERVER.format(**given), encoding="utf-8")
        (folder / "client").write_text(_CLIENT.format(**given), encoding="utf-8")
        users = Path("/etc/passwd").read_text(encoding="utf-8")
        if "\nsshd:" not in users:
            users += "sshd:x:64999:65534::/run/sshd:/usr/sbin/nologin\n"
        (folder / "users").write_text(users, encoding="utf-8")
        ssh = folder / "bin" / "ssh"
        ssh.parent.mkdir()
        ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/client "$@"\n', encoding="utf-8")
        ssh.chmod(0o755)

    def __enter__(self) -> Self:
        if lack := missing():
            raise LabError(lack)
        libraries = ":".join(map(str, UNPACKED.glob("usr/lib/*-linux-gnu")))
        script = (
            f"mount --bind {self.folder}/users /etc/passwd; mount -t tmpfs tmpfs /run; mkdir -p /run/sshd; "
            f"exec {program()} -D -e -f {self.folder}/server"
        )
        with (self.folder / "log").open("wb") as log:
            self._own = subprocess.Popen(
                [*_APART, script], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "LD_LIBRARY_PATH": libraries},
            )  # fmt: skip
        deadline = time.monotonic() + _BOOT_SECONDS
        while not self._answers():
            if self._own.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "log").read_text(encoding="utf-8", errors="replace").strip()
                raise LabError(f"sshd does not start here: {said.splitlines()[-1:]}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._own.kill()
        self._own.wait()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as found:
                return found.recv(4) == b"SSH-"
        except OSError:
            return False
