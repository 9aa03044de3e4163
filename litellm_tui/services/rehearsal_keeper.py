"""The keeper of a rehearsal: a process of its own that ends what was started, whatever becomes of the console.

It is run as a script by the console's interpreter and needs nothing of the package. Its order comes as one line of JSON
on its standard input; the pipe then stays open as a leash. It ends everything when the pipe closes, be it because the
rehearsal is over or because the console was killed, when its time is over, or when it is asked to by SIGTERM.

The order: `child` is a program to start (`command`, `folder`, `environment`, `log`, `pid_file`, `user` as `[uid, gid,
groups]` or null), or null. `begin` has something else started (by systemd, by Docker): several ways, each of them
commands that are run one after another, until one way succeeds. `end` are the commands that end it, whatever came of
that; `rests` are folders to delete at the end; `seconds` is the time. `engine` is null, or an engine of containers at
its `socket`, whose `begin` are requests (method, target, body) that are made one after another behind the ways, and
whose `end` are made before the commands of `end`. The answer is one line on the standard output: `started N`, the
number of the child's process, or else that of the way; or `failed REASON`.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import Any, Final

# LiteLLM ends within a second where no request is open; then it is killed
ASKED_SECONDS: Final = 3.0
KILLED_SECONDS: Final = 10.0
COMMAND_SECONDS: Final = 30.0
_PAUSE: Final = 0.05
_LOOK_SECONDS: Final = 0.2
_LINE_BYTES: Final = 8 << 20
_LONGEST: Final = 1000
_LONGEST_ANSWER: Final = 1 << 20
# an engine that is just being started anew is asked again for so long
_ENGINE_SECONDS: Final = 30.0
# it is done, it was so before, or there is nothing that it could be done to
_AT_END: Final = frozenset({200, 201, 204, 304, 404, 409})
# prctl(2)
_SET_PDEATHSIG: Final = 1
_SET_CHILD_SUBREAPER: Final = 36
# the kernel ends a rehearsal first, and never what serves, where memory runs out; what serves has the processor first
_OOM_SCORE: Final = "600"
_NICE: Final = 5


def main() -> int:
    """Carry the order out, wait, and end everything."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    order = json.loads(_line())
    until = time.monotonic() + float(order["seconds"])
    _prctl(_SET_CHILD_SUBREAPER, 1)
    try:
        answer = _begin(order["begin"])
        if order["engine"] and answer.startswith("started"):
            answer = _requests(order["engine"]) or answer
        if order["child"] and answer.startswith("started"):
            answer = _start(order["child"])
        with contextlib.suppress(OSError):
            os.write(1, f"{answer}\n".encode())
        if answer.startswith("started"):
            _wait(until, asked)
    finally:
        _end_children()
        if order["engine"]:
            _end_requests(order["engine"])
        for command in order["end"]:
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, timeout=COMMAND_SECONDS, check=False)  # fmt: skip
        for folder in order["rests"]:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _line() -> bytes:
    """The first line of the standard input. No byte behind it is taken."""
    taken = bytearray()
    while not taken.endswith(b"\n") and len(taken) < _LINE_BYTES:
        part = os.read(0, 1 << 16)
        if not part:
            break
        taken += part
    return bytes(taken)


def _begin(ways: list[list[list[str]]]) -> str:
    """Try one way after another; the failure of the first is told where none succeeds."""
    refused = ""
    for number, commands in enumerate(ways):
        failed = next(filter(None, map(_run, commands)), "")
        if not failed:
            return f"started {number}"
        refused = refused or failed
    return f"failed {refused}" if refused else "started 0"


def _run(command: list[str]) -> str:
    """Run a command; empty when it did what it should."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            errors="replace", timeout=COMMAND_SECONDS, check=False,
        )  # fmt: skip
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end in {COMMAND_SECONDS:g} s"
    if not done.returncode:
        return ""
    said = next((line.strip() for line in done.stderr.splitlines() if line.strip()), "")
    return (said or f"{command[0]} ended with {done.returncode}")[:_LONGEST]


def _requests(engine: dict[str, Any]) -> str:
    """Make the requests; the first refusal ends them, and is given back."""
    for method, target, body in engine["begin"]:
        try:
            code, said = _ask(engine["socket"], method, target, body)
        except OSError as error:
            return f"failed {engine['socket']}: {error.strerror or type(error).__name__}"
        if code >= 300 or code < 200:
            return f"failed {said}"
    return ""


def _end_requests(engine: dict[str, Any]) -> None:
    """Make each request until the engine has done it, for a while."""
    until = time.monotonic() + _ENGINE_SECONDS
    for method, target, body in engine["end"]:
        while True:
            with contextlib.suppress(OSError):
                if _ask(engine["socket"], method, target, body)[0] in _AT_END:
                    break
            if time.monotonic() > until:
                break
            time.sleep(1.0)


def _ask(path: str, method: str, target: str, body: str) -> tuple[int, str]:
    """The status of the engine's answer, and its message. Raises OSError."""
    given = body.encode()
    head = f"{method} {target} HTTP/1.0\r\nHost: docker\r\nContent-Type: application/json\r\n"
    answer = bytearray()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(COMMAND_SECONDS)
        connection.connect(path)
        connection.sendall(f"{head}Content-Length: {len(given)}\r\n\r\n".encode() + given)
        while len(answer) < _LONGEST_ANSWER and (part := connection.recv(1 << 16)):
            answer += part
    first, _, content = answer.partition(b"\r\n\r\n")
    words = first.split(b" ", 2)
    code = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    try:
        message = json.loads(content).get("message", "")
    except (ValueError, AttributeError, RecursionError):
        message = ""
    return code, " ".join(str(message).split())[:_LONGEST] or f"the engine answers with {code}"


def _start(child: dict[str, Any]) -> str:
    user = child["user"]
    mine = os.getpid()

    def prepare() -> None:
        _prctl(_SET_PDEATHSIG, signal.SIGKILL)
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write(_OOM_SCORE)
        with contextlib.suppress(OSError):
            os.nice(_NICE)
        if os.getppid() != mine:
            # the keeper was killed in between
            os._exit(1)

    as_user = {"user": user[0], "group": user[1], "extra_groups": user[2]} if user else {}
    try:
        output = os.open(child["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            started = subprocess.Popen(
                child["command"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=child["folder"],
                env=child["environment"],
                start_new_session=True,
                # nothing but this thread runs here, and nothing is locked
                preexec_fn=prepare,  # noqa: PLW1509
                **as_user,
            )
        finally:
            os.close(output)
        with open(child["pid_file"], "w", encoding="ascii") as file:
            file.write(f"{started.pid}\n")
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        return f"failed {child['command'][0]}: {why}"
    return f"started {started.pid}"


def _wait(until: float, asked: list[int]) -> None:
    """Wait for the end of the leash, of the time, or for the order to end; children that end are reaped."""
    while not asked and time.monotonic() < until:
        ready, _, _ = select.select([0], [], [], _LOOK_SECONDS)
        if ready and not os.read(0, 1 << 16):
            return
        _reap()


def _end_children() -> None:
    """End everything that was started from here, and everything that it has started."""
    for pid in _children():
        _signal(pid, signal.SIGTERM)
    end = time.monotonic() + ASKED_SECONDS
    while _children() and time.monotonic() < end:
        time.sleep(_PAUSE)
    end = time.monotonic() + KILLED_SECONDS
    while (left := _children()) and time.monotonic() < end:
        for pid in left:
            _signal(pid, signal.SIGKILL)
        time.sleep(_PAUSE)


def _children() -> list[int]:
    """The children that have not ended. A descendant whose parent ends becomes one of them: none is overlooked."""
    _reap()
    pid = os.getpid()
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except (OSError, ValueError):
        return []


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
