"""A port of this machine that leads to the Deployment: `kubectl port-forward`, started again whenever it ends.

It is for a gateway without an address that this machine reaches. kubectl forwards to one pod, and ends with it; the
next one forwards to another pod, from the same port.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from subprocess import DEVNULL, PIPE
from typing import IO, Final

from litellm_tui.host.command import Done, helper, helper_environment
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.services.kubernetes.kubectl import Cluster, no_client, refusal

_OPEN: Final = re.compile(r"Forwarding from 127\.0\.0\.1:([0-9]{1,5}) -> ")
# how long the first look waits; a pod that is not there yet is waited for in the background
WAIT_SECONDS: Final = 4.0
_LONGEST_PAUSE: Final = 5.0
# a child that lived this long had worked
_LIVED: Final = 10.0
_MOST_ERRORS: Final = 4096
_forwards: dict[tuple[Cluster, str, int], PortForward] = {}
_lock: Final = threading.Lock()


class PortForward:
    """One port, kept open until the process ends. `failure` is why it is not open now."""

    def __init__(self, cluster: Cluster, target: str, port: int) -> None:
        self._cluster, self._target, self._inside = cluster, target, port
        self.port = _free_port()
        self.failure: Failure | None = NotAvailable(f"the port-forward to {target} has not begun yet")
        self._settled = threading.Event()
        self._closed = threading.Event()
        self._child: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._keep, name="port-forward", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The host and port on this machine."""
        return f"127.0.0.1:{self.port}"

    def settle(self, seconds: float = WAIT_SECONDS) -> Failure | None:
        """Wait until it is open, or has failed for the first time; why it is not open. Blocks."""
        self._settled.wait(seconds)
        return self.failure

    def close(self) -> None:
        """End it, and its child."""
        self._closed.set()
        if (child := self._child) is not None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
        self._thread.join(timeout=2)

    def _keep(self) -> None:
        attempts = 0
        while not self._closed.is_set():
            began = time.monotonic()
            self.failure = self._forward_once()
            self._settled.set()
            attempts = 0 if time.monotonic() - began > _LIVED else attempts + 1
            self._closed.wait(min(_LONGEST_PAUSE, 0.25 * 2 ** min(attempts, 6)))

    def _forward_once(self) -> Failure:
        """Forward until kubectl ends; why it has ended."""
        words = ("port-forward", "--address=127.0.0.1", self._target, f"{self.port}:{self._inside}")
        command = [*_with_parent(), *self._cluster.command(*words, seconds=0)]
        try:
            child = subprocess.Popen(
                command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, text=True, errors="replace", env=helper_environment()
            )
        except OSError as error:
            return no_client(NotAvailable(f"{self._cluster.kubectl}: {error.strerror}"))
        with child, helper(child.pid):
            self._child = child
            if self._closed.is_set():
                child.kill()
            said: list[str] = []
            errors = threading.Thread(target=_read_errors, args=(child.stderr, said), daemon=True)
            errors.start()
            assert child.stdout is not None
            for line in child.stdout:
                if _OPEN.match(line):
                    self.failure = None
                    self._settled.set()
            child.wait()
            errors.join(timeout=1)
            self._child = None
        return refusal(Done(child.returncode, "", "".join(said)), self._cluster.context)


def forward(cluster: Cluster, target: str, port: int) -> PortForward:
    """The port that leads to `port` of a pod of this Deployment or Service (`deployment/NAME`); the same each time."""
    with _lock:
        key = (cluster, target, port)
        if key not in _forwards:
            if not _forwards:
                atexit.register(close_all)
            _forwards[key] = PortForward(cluster, target, port)
        return _forwards[key]


def forwarded(cluster: Cluster, target: str, port: int) -> PortForward | None:
    """The port-forward that was begun for this target; None where there is none."""
    return _forwards.get((cluster, target, port))


def close_all() -> None:
    """End every port-forward of this process."""
    with _lock:
        for one in _forwards.values():
            one.close()
        _forwards.clear()


def _with_parent() -> list[str]:
    """What ends the child with this process, also where that is killed: util-linux's setpriv, where there is one."""
    return ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") and os.name == "posix" else []


def _read_errors(file: IO[str] | None, said: list[str]) -> None:
    size = 0
    for line in file or ():
        if size < _MOST_ERRORS:
            said.append(line)
            size += len(line)


def _free_port() -> int:
    """A port of the loopback address that nothing listens on now."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])
