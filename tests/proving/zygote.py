"""LiteLLM, imported once and forked for every start: ``PYTHON zygote.py BIN/LITELLM``, inside LiteLLM's environment.

A start costs seconds because of its imports. They are paid here once; a child then does what ``litellm ARGUMENTS``
does from its `run_server` on, with its own environment, working directory and log. What the imports read of the
environment is decided by then, so the names they look up are noted, and a start that sets one of those differently
executes the real command instead: it is *cold*.

A request is a line of JSON: {"id", "arguments", "environment", "folder", "log", "cold"} starts one, with "script" that
Python script in place of the command; {"id", "stop"} kills it and all that it started. The answers are lines too:
{"names", "threads"} once, when the imports are done, then {"id", "process", "cold"} for a start and {"id", "status"}
for its end (a signal is negative). When the input ends, so does everything that was started. Standard library and
LiteLLM only.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

PR_SET_PDEATHSIG = 1
PLAIN = "model_list: [{model_name: m, litellm_params: {model: openai/m, api_key: k}}]\n"
BRIEF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "brief.py")


class Imported(NamedTuple):
    run_server: Callable[[], Any]
    looked_up: set[str]
    """The names of the variables that were asked for, set or not."""
    before: dict[str, str]
    """The environment that they found."""
    left: dict[str, str]
    """What they set in it."""


def imported() -> Imported:
    names: set[str] = set()
    before = dict(os.environ)
    kind: Any = type(os.environ)
    look_up = kind.__getitem__

    def noting(self: Any, name: str) -> Any:
        names.add(name)
        return look_up(self, name)

    kind.__getitem__ = noting
    try:
        importlib.import_module("litellm.proxy.proxy_server")
        run_server = importlib.import_module("litellm.proxy.proxy_cli").run_server
        for name in late_imports():
            # what one start could import, and another process cannot, is no matter here
            with suppress(Exception):
                importlib.import_module(name)
    finally:
        kind.__getitem__ = look_up
    left = {name: value for name, value in os.environ.items() if before.get(name) != value}
    return Imported(run_server, names, before, left)


def late_imports() -> list[str]:
    """The modules that a start of a plain configuration imports besides: each child would import them anew."""
    with tempfile.TemporaryDirectory() as folder:
        config, found = os.path.join(folder, "config.yaml"), os.path.join(folder, "found")
        with open(config, "w", encoding="utf-8") as file:
            file.write(PLAIN)
        process = os.fork()
        if process == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(1, 2)
            os.environ["LITELLM_MASTER_KEY"] = "sk-late-imports"
            sys.argv = [BRIEF, found, sys.argv[1], "--config", config, "--port", "4999", "--modules"]
            try:
                runpy.run_path(BRIEF, run_name="__main__")
            finally:
                os._exit(1)
        os.waitpid(process, 0)
        with suppress(FileNotFoundError), open(found, encoding="utf-8") as file:
            return file.read().split()
    return []


class Zygote:
    def __init__(self, command: str, answers: int, imports: Imported) -> None:
        self.command = command
        self.answers = answers
        self.imports = imports
        self.script = ""
        """What a child shall run in place of the command."""
        self.children: dict[int, tuple[int, int]] = {}
        """By the descriptor that tells of its end: the process, and the id of its start."""
        self.poll = select.poll()
        self.poll.register(0, select.POLLIN)

    def say(self, **what: Any) -> None:
        # At the end nobody may be left who reads it.
        with suppress(BrokenPipeError):
            os.write(self.answers, json.dumps(what).encode() + b"\n")

    def serve(self) -> bool:
        """Serve the requests; True in a child that shall go on as LiteLLM, False when there are no more."""
        rest = b""
        while True:
            for ready, _ in self.poll.poll():
                if ready in self.children:
                    self.ended(ready)
                elif ready == 0:
                    read = os.read(0, 1 << 16)
                    if not read:
                        return False
                    *lines, rest = (rest + read).split(b"\n")
                    if any(self.asked(json.loads(line)) for line in lines):
                        return True

    def asked(self, request: dict[str, Any]) -> bool:
        """Do it; True in the child that it made."""
        if "stop" not in request:
            return self.start(request)
        for watched, (_, number) in self.children.items():
            if number == request["id"]:
                self.kill(watched)
        return False

    def start(self, request: dict[str, Any]) -> bool:
        wanted, found = request["environment"], self.imports.before
        cold = request["cold"] or any(found.get(name) != wanted.get(name) for name in self.imports.looked_up)
        process = os.fork()
        if process == 0:
            for descriptor in (self.answers, *self.children):
                os.close(descriptor)
            self.script = request.get("script", "")
            become(request, self.script or self.command, cold)
            os.environ.update(self.imports.left)
            return True
        watched = os.pidfd_open(process)
        self.children[watched] = (process, request["id"])
        self.poll.register(watched, select.POLLIN)
        self.say(id=request["id"], process=process, cold=cold)
        return False

    def ended(self, watched: int) -> None:
        # Its number cannot be given to another process before it has been waited for.
        self.kill(watched)
        process, number = self.children.pop(watched)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        self.poll.unregister(watched)
        os.close(watched)
        self.say(id=number, status=status)

    def kill(self, watched: int) -> None:
        process, _ = self.children[watched]
        os.kill(process, signal.SIGKILL)
        # A child that has only just been forked leads no group yet, and has started nothing.
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)


def become(request: dict[str, Any], command: str, cold: bool) -> None:
    """Make this child what the request asks for; where it is cold, this does not return."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for target, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, log), (2, log)):
        os.dup2(source, target)
    # The command put the working directory on the path when it was imported.
    before, folder = os.getcwd(), request["folder"]
    os.chdir(folder)
    sys.path[:] = [folder if entry == before else entry for entry in sys.path]
    sys.argv = [command, *request["arguments"]]
    if cold:
        os.execve(sys.executable, [sys.executable, *sys.argv], request["environment"])
    os.environ.clear()
    os.environ.update(request["environment"])


def main(command: str) -> None:
    # What LiteLLM prints while it is imported is no answer.
    answers = os.dup(1)
    os.dup2(2, 1)
    # As the command itself has it; the folder of this file is no place for LiteLLM to find modules in.
    sys.path[0] = os.path.dirname(command)
    zygote = Zygote(command, answers, imported())
    # What is frozen is not touched by a child's collector, and stays shared.
    gc.freeze()
    zygote.say(names=sorted(zygote.imports.looked_up), threads=len(os.listdir("/proc/self/task")))
    if zygote.serve():
        if zygote.script:
            runpy.run_path(zygote.script, run_name="__main__")
            return
        sys.exit(zygote.imports.run_server())
    for watched in [*zygote.children]:
        zygote.ended(watched)


if __name__ == "__main__":
    main(sys.argv[1])
