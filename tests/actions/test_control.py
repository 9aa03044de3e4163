"""Orders that can go wrong, and a process that outlives whoever started it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from litellm_tui.actions.control import order
from litellm_tui.host import command, proc
from litellm_tui.host.command import denied
from litellm_tui.model.failures import Denied, NotAvailable, Unreachable
from litellm_tui.model.found import Found, Missing
from litellm_tui.model.service import Verb
from litellm_tui.model.service_kinds import Custom, Process, ServiceSettings, Tools
from litellm_tui.services.process import start_stop
from litellm_tui.target.profile import Profile
from tests.waiting import eventually

SLEEPER = (sys.executable, "-u", "-c", "import os, time; print(os.environ.get('GIVEN')); time.sleep(600)")


def _profile(service: ServiceSettings | None, tools: Tools | None = None) -> Profile:
    return Profile(
        "test", "here", Found("http://127.0.0.1:1", "test"), tools or Tools(), unit=Found("litellm", "test"),
        service=service,
    )  # fmt: skip


def _settings(place: Path, start: tuple[str, ...] = SLEEPER, **more: Any) -> Process:
    given = {"start": start, "pid_file": str(place / "pid"), "log_file": str(place / "log"), **more}
    return Process(**given)


def _pid(place: Path) -> int:
    return int((place / "pid").read_text(encoding="ascii"))


def _lives(pid: int) -> bool:
    stat = proc.stat(pid)
    return stat is not None and not stat.gone


# --- a process -----------------------------------------------------------------------------------------------------

STARTER = """
import asyncio, sys
from litellm_tui.services.process import start_stop
from litellm_tui.model.service_kinds import Process
place, *start = sys.argv[1:]
print(start_stop.start(Process(start=start, pid_file=place + "/pid", log_file=place + "/log")), flush=True)
input()
"""


def test_it_outlives_the_terminal_and_the_console_that_started_it(tmp_path: Path) -> None:
    leader, terminal = pty.openpty()
    console = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path), *SLEEPER],
        stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    assert os.read(leader, 100).strip() == b"None"
    pid = _pid(tmp_path)
    os.close(leader)
    os.killpg(console.pid, signal.SIGKILL)
    console.wait()
    try:
        assert _lives(pid)
        assert os.getsid(pid) == pid, "it has a session of its own"
        assert os.readlink(f"/proc/{pid}/fd/0") == os.devnull
        assert os.readlink(f"/proc/{pid}/fd/1") == os.readlink(f"/proc/{pid}/fd/2") == str(tmp_path / "log")
    finally:
        os.kill(pid, signal.SIGKILL)


async def test_it_gets_its_environment_file_and_its_folder_and_the_log_is_appended_to(tmp_path: Path) -> None:
    (tmp_path / "litellm.env").write_text("GIVEN='from the file'\n", encoding="utf-8")
    (tmp_path / "log").write_text("before\n", encoding="utf-8")
    (tmp_path / "here").mkdir()
    given: dict[str, Any] = {"folder": str(tmp_path / "here"), "environment_file": str(tmp_path / "litellm.env")}
    profile = _profile(_settings(tmp_path, **given))
    assert await order(profile, "start") is None
    try:
        await eventually(lambda: (tmp_path / "log").read_text().splitlines() == ["before", "from the file"])
        assert os.readlink(f"/proc/{_pid(tmp_path)}/cwd") == given["folder"]
        assert proc.environment(_pid(tmp_path))["PATH"] == os.environ["PATH"]
    finally:
        assert await order(profile, "stop") is None
    assert not (tmp_path / "pid").exists()


async def test_a_new_log_file_is_nobody_elses_to_read(tmp_path: Path) -> None:
    profile = _profile(_settings(tmp_path))
    assert await order(profile, "start") is None
    assert await order(profile, "stop") is None
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


DEAF = (sys.executable, "-u", "-c", """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid)
time.sleep(600)
""")  # fmt: skip


async def test_what_does_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    profile = _profile(_settings(tmp_path, DEAF, stop_seconds=0.3))
    assert await order(profile, "start") is None
    child = int(await eventually(lambda: (tmp_path / "log").read_text().strip()))
    pid = _pid(tmp_path)
    assert await order(profile, "stop") is None
    assert not _lives(pid)
    await eventually(lambda: not _lives(child))


async def test_it_is_asked_by_the_signal_that_it_wants(tmp_path: Path) -> None:
    asked = "import signal, time\nsignal.signal(signal.SIGINT, lambda *_: print('asked') or exit())\n"
    program = (sys.executable, "-u", "-c", f"{asked}print('ready')\ntime.sleep(600)")
    profile = _profile(_settings(tmp_path, program, stop_signal="SIGINT"))
    assert await order(profile, "start") is None
    await eventually(lambda: (tmp_path / "log").read_text() == "ready\n")
    assert await order(profile, "stop") is None
    assert (tmp_path / "log").read_text() == "ready\nasked\n"


@pytest.mark.parametrize(
    ("more", "kind", "words"),
    [
        ({"start": ("/nonexistent/litellm",)}, NotAvailable, "mend process.start"),
        ({"folder": "/nonexistent"}, NotAvailable, "there is no folder /nonexistent"),
        ({"environment_file": "/nonexistent/env"}, NotAvailable, "mend process.environment_file"),
        ({"pid_file": "/nonexistent/pid"}, Denied, "the folder /nonexistent of the PID file is not there"),
        ({"log_file": "/nonexistent/log"}, NotAvailable, "/nonexistent/log: No such file or directory"),
    ],
)
async def test_what_cannot_be_started_is_not_stopped_for_a_restart(
    tmp_path: Path, more: dict[str, Any], kind: type, words: str
) -> None:
    settings = _settings(tmp_path, **more)
    refused = await order(_profile(settings), "start")
    assert type(refused) is kind
    assert refused is not None
    assert words in refused.why
    if "start" not in more and "pid_file" not in more and "log_file" not in more:
        assert await order(_profile(_settings(tmp_path)), "start") is None
        pid = _pid(tmp_path)
        assert await order(_profile(settings), "restart") == refused
        assert _lives(pid)
        os.kill(pid, signal.SIGKILL)


async def test_a_stale_pid_file_leads_no_signal_to_another(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (tmp_path / "pid").write_text(f"{other.pid}\n", encoding="ascii")
    assert await order(_profile(_settings(tmp_path)), "stop") is None
    assert other.poll() is None
    assert not (tmp_path / "pid").exists(), "what is stale is cleared away"
    other.kill()
    other.wait()


async def test_what_dies_at_once_is_no_zombie_after_the_next_order(tmp_path: Path) -> None:
    profile = _profile(_settings(tmp_path, (sys.executable, "-c", "")))
    assert await order(profile, "start") is None
    first = _pid(tmp_path)
    await eventually(lambda: not _lives(first))
    assert await order(profile, "stop") is None
    assert proc.stat(first) is None
    assert start_stop._children == []


# --- commands ------------------------------------------------------------------------------------------------------


async def test_what_the_profile_does_not_say_cannot_be_ordered() -> None:
    profile = _profile(Custom(status=("true",), stop=("true",)))
    for verb, key in (("start", "custom.start"), ("restart", "custom.restart")):
        refused = await order(profile, verb)  # type: ignore[arg-type]  # two of the verbs
        assert isinstance(refused, NotAvailable)
        assert key in refused.why
    assert await order(profile, "stop") is None


async def test_a_failed_stop_is_not_followed_by_a_start(tmp_path: Path) -> None:
    custom = Custom(status=("true",), stop=("false",), start=("touch", str(tmp_path / "started")))
    assert isinstance(await order(_profile(custom), "restart"), NotAvailable)
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        ("echo 'it is broken' >&2; exit 3", NotAvailable, "it is broken"),
        ("echo 'said here'; exit 3", NotAvailable, "said here"),
        ("exit 3", NotAvailable, "ended with 3"),
        ("echo >&2; echo 'sudo: a password is required' >&2; exit 1", Denied, "a password is required"),
        ("echo 'rm: cannot remove: Operation not permitted' >&2; exit 1", Denied, "not permitted"),
    ],
)
async def test_why_a_command_failed_is_told_in_its_own_words(script: str, kind: type, words: str) -> None:
    refused = await order(_profile(Custom(status=("true",), start=("sh", "-c", script))), "start")
    assert type(refused) is kind
    assert refused is not None
    assert words in refused.why


async def test_a_command_that_is_not_there_or_may_not_be_run(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch(mode=0o644)
    gone = await order(_profile(Custom(status=("true",), start=("/nonexistent/x",))), "start")
    assert isinstance(gone, NotAvailable)
    assert gone.why == "/nonexistent/x: No such file or directory"
    assert isinstance(await order(_profile(Custom(status=("true",), start=(str(plain),))), "start"), Denied)


async def test_a_daemon_that_keeps_its_output_is_not_waited_for(tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! >{tmp_path}/pid"
    assert await order(_profile(Custom(status=("true",), start=("sh", "-c", script))), "start") is None
    pid = _pid(tmp_path)
    assert _lives(pid)
    os.kill(pid, signal.SIGKILL)


async def test_a_command_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "ORDER_SECONDS", 0.2)
    refused = await order(_profile(Custom(status=("true",), start=("sleep", "600"))), "start")
    assert isinstance(refused, Unreachable)
    assert refused.kind == "timeout"


async def test_without_a_service_nothing_is_ordered() -> None:
    bare = Profile("test", "here", Found("http://127.0.0.1:1", "test"), Tools())
    assert "litellm-tui where" in str(await order(bare, "start"))
    missing = (Missing("service in Docker", "the engine is off", "start it"),)
    assert "the engine is off" in str(await order(replace(bare, missing=missing), "start"))


# --- systemctl -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["start", "stop", "restart"])
async def test_systemctl_gets_the_order_and_may_refuse_it(tmp_path: Path, verb: Verb) -> None:
    script = tmp_path / "systemctl"
    script.write_text(
        f'#!/bin/sh\necho "$@" >>{tmp_path}/said\n[ ! -e {tmp_path}/no ] || {{ cat {tmp_path}/no >&2; exit 1; }}\n'
    )
    profile = _profile(None, Tools(systemctl=("/bin/sh", str(script))))
    assert await order(profile, verb) is None
    given = (tmp_path / "said").read_text().splitlines()
    # before what starts it, systemd is asked whether the unit's file has changed
    asked = ["--user --no-ask-password show litellm --property=NeedDaemonReload"] if verb != "stop" else []
    assert given == [*asked, f"--user --no-ask-password {verb} litellm"]
    (tmp_path / "no").write_text("Failed to restart litellm.service: Interactive authentication required.\n")
    assert isinstance(await order(profile, verb), Denied)
    (tmp_path / "no").write_text("Failed to restart litellm.service: Unit litellm.service not found.\n")
    assert type(await order(profile, verb)) is NotAvailable


def test_the_words_of_a_missing_right() -> None:
    assert denied("Failed to stop x.service: Access denied")
    assert denied("sudo: a terminal is required to read the password")
    assert not denied("Job for x.service failed because the control process exited with error code.")
