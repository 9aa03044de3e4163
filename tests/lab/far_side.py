"""A real sshd in the lab: the far side of an ssh, where the lab's ordinary user has the lab's own gateway.

Each alias of `ALIASES` is a host of its own to ssh: one that is well, and one for each way in which that can fail.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from litellm_tui.host.proc import family
from tests.lab.core import USER, Lab, connect, free_ports
from tests.lab.engine.sshd import UNPACKED, program
from tests.lab.environments import LabError

_BOOT_SECONDS: Final = 20.0
_SERVER: Final = """\
{ports}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {theirs}/key.pub
StrictModes no
UsePAM no
PidFile none
Match LocalPort {well}
  SetEnv PATH={path} XDG_STATE_HOME={state}
Match LocalPort {missing}
  SetEnv PATH=/usr/bin:/bin
Match LocalPort {old}
  SetEnv PATH={theirs}/old:/usr/bin:/bin
Match LocalPort {ahead}
  SetEnv PATH={theirs}/ahead:{path} XDG_STATE_HOME={state}
Match LocalPort {bare}
  SetEnv PATH={theirs}/bare:/usr/bin:/bin HOME={theirs}/home
"""
_CLIENT: Final = """\
Host changed
  UserKnownHostsFile {folder}/known-otherwise
Host unknown
  UserKnownHostsFile /dev/null
Host refused
  IdentityFile {folder}/another
Host unresolvable
  HostName nowhere.invalid
Host down
  Port {down}
Host slow
  Port {slow}
Host missing
  Port {missing}
Host old
  Port {old}
Host ahead
  Port {ahead}
Host bare
  Port {bare}
Host * !refused
  IdentityFile {folder}/key
Host *
  HostName 127.0.0.1
  Port {well}
  User {user}
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
"""
# what a program without --follow says of it; before the document had a format
_OLD: Final = """\
#!/bin/sh
case "$*" in
*--version*) echo "litellm-tui 0.0.9" ;;
*--help*) echo "usage: litellm-tui status [-h] [--json | --markdown]" ;;
*--follow*) echo "litellm-tui: unrecognized arguments: --follow" >&2; exit 64 ;;
*) echo '{"taken_at": 1.0, "host": "old", "exit_status": 0, "problems": []}' ;;
esac
"""
# the clock of the whole machine cannot be set for one program alone: the program's own is
_AHEAD: Final = """\
#!{python} -P
import sys, time
real = time.time
time.time = lambda: real() + {seconds}
from litellm_tui.cli import main
sys.exit(main())
"""
AHEAD_SECONDS: Final = 120
# that of the machine, without what is installed for the tests
PYTHON: Final = os.path.realpath(sys.executable)
# the state that each alias is in; the others are well
ALIASES: Final = {
    "changed": "host key changed",
    "unknown": "host key unknown",
    "refused": "key refused",
    "unresolvable": "no such host",
    "down": "host down",
    "slow": "slow link",
    "missing": "missing program",
    "old": "program too old",
}


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


class FarSide:
    """`environment` is for a program that is to find this ssh, and settings of its own."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        well, missing, old, down, ahead, bare = free_ports(6)
        # takes connections, and says nothing
        self._silent = socket.create_server(("127.0.0.1", 0))
        self._own: subprocess.Popen[bytes] | None = None
        self.port = well
        for name in ("host", "other-host", "key", "another"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        # what the lab's user reads there: nobody else enters the folder of a test
        theirs = lab.home / f"far-{well}"
        theirs.mkdir(mode=0o755)
        shutil.copy(folder / "key.pub", theirs)
        _script(theirs / "old" / "litellm-tui", _OLD)
        _script(theirs / "ahead" / "litellm-tui", _AHEAD.format(python=sys.executable, seconds=AHEAD_SECONDS))
        # a host with a Python and an installer, whose home is its own
        self.bare = theirs / "bare"
        _script(self.bare / "python3.11", f'exec {PYTHON} "$@"')
        self.bare_home = theirs / "home"
        self.bare_home.mkdir()
        os.chown(self.bare_home, lab.uid, lab.gid)
        given = {
            "folder": folder, "theirs": theirs, "user": USER,
            "well": well, "missing": missing, "old": old, "down": down,
            "slow": self._silent.getsockname()[1], "ahead": ahead, "bare": bare,
            "ports": "\n".join(f"Port {port}" for port in (well, missing, old, ahead, bare)),
            "path": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
            "state": str(lab.home / "state-far"),
        }  # fmt: skip
        (folder / "server").write_text(_SERVER.format(**given), encoding="utf-8")
        (folder / "client").write_text(_CLIENT.format(**given), encoding="utf-8")
        for name, key in (("known", "host"), ("known-otherwise", "other-host")):
            public = (folder / f"{key}.pub").read_text(encoding="utf-8")
            lines = "".join(f"[127.0.0.1]:{port} {public}" for port in (well, missing, old, ahead, bare))
            (folder / name).write_text(lines, encoding="utf-8")
        _script(folder / "bin" / "ssh", f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/client "$@"\n')
        # sockets have short paths
        self.run = Path(f"/tmp/lab-ssh-{well}")
        self.run.mkdir(mode=0o700)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("LITELLM_", "XDG_"))},
            "PATH": f"{folder}/bin:{os.environ.get('PATH', os.defpath)}",
            "XDG_RUNTIME_DIR": str(self.run),
            "XDG_CONFIG_HOME": str(folder / "settings"),
            "XDG_STATE_HOME": str(folder / "state"),
        }

    def write_settings(self, text: str) -> None:
        """The settings file of this side."""
        path = self.folder / "settings" / "litellm-tui" / "config.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def command(self, *words: str) -> list[str]:
        """litellm-tui on this side."""
        return [sys.executable, "-P", "-m", "litellm_tui.cli", *words]

    def tui(self, *words: str, seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
        """It, to its end."""
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, check=False, env=self.environment,
            stdin=subprocess.DEVNULL, timeout=seconds,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # shared connections end with their server
        self.stop()
        self._silent.close()
        shutil.rmtree(self.run, ignore_errors=True)

    def start(self) -> None:
        """Start sshd in the lab's namespaces."""
        users = (self.lab.dir / "etc" / "passwd").read_text(encoding="utf-8")
        if "\nsshd:" not in users:
            users += "sshd:x:64999:65534::/run/sshd:/usr/sbin/nologin\n"
        (self.folder / "passwd").write_text(users, encoding="utf-8")
        # without PAM a user whose password is locked is let in by no key
        (self.folder / "shadow").write_text(f"{USER}:*:19000::::::\n", encoding="utf-8")
        libraries = ":".join(map(str, UNPACKED.glob("usr/lib/*-linux-gnu")))
        script = (
            f"mount --bind {self.folder}/passwd /etc/passwd; mount --bind {self.folder}/shadow /etc/shadow; "
            f"mkdir -p /run/sshd; exec {program()} -D -e -f {self.folder}/server"
        )
        apart = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
        command = self.lab.argv(apart, user=False, env={"LD_LIBRARY_PATH": libraries})
        with (self.folder / "log").open("ab") as log:
            self._own = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + _BOOT_SECONDS
        while not self._answers():
            if self._own.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"sshd does not start in the lab: {self.said().splitlines()[-1:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Kill it, and its connections with it."""
        if self._own is not None:
            self.cut()
        if self._own is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._own.pid, signal.SIGKILL)
            self._own.wait()
            self._own = None

    def cut(self) -> None:
        """Kill what serves the connections, as a line that breaks; sshd itself goes on."""
        assert self._own is not None
        for pid in family(self._own.pid):
            # the listener is called by its path
            with suppress(OSError):
                if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(f"sshd: {USER}".encode()):
                    os.kill(pid, signal.SIGKILL)

    def said(self) -> str:
        """The log of sshd."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace").strip()

    def _answers(self) -> bool:
        try:
            with connect(self.port, 1, self.lab.network) as found:
                return found.recv(4) == b"SSH-"
        except OSError:
            return False
