"""The tools that the console runs: in the language it reads, and known as its own as long as they run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from litellm_tui.actions.control import order
from litellm_tui.host import command
from litellm_tui.host.command import Done
from litellm_tui.model.failures import Failure
from litellm_tui.model.found import Found
from litellm_tui.model.service_kinds import Custom, Process, Tools
from litellm_tui.services.process import start_stop
from litellm_tui.target.profile import Profile
from tests.waiting import eventually

LANGUAGE = 'printf "%s|%s" "$LC_ALL" "$LANGUAGE"'
ASKED = ["sh", "-c", LANGUAGE]


async def _run() -> str:
    done = await command.run(ASKED)
    assert isinstance(done, Done)
    return done.output


async def _run_now() -> str:
    return command.run_now(ASKED, 10).output


async def _order() -> str:
    done = await command.carry_out(ASKED)
    assert isinstance(done, Done)
    return done.output


@pytest.mark.parametrize("way", [_run, _run_now, _order])
async def test_a_tool_whose_words_are_read_speaks_english(
    way: Callable[[], Awaitable[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    assert await way() == "C.UTF-8|"


async def test_a_tool_that_is_followed_speaks_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    reader, writer = command.pipe()
    child = await command.start_on(ASKED, writer)
    assert not isinstance(child, Failure)
    await child.wait()
    await command.end(child)
    with os.fdopen(reader, "rb") as file:
        assert file.read() == b"C.UTF-8|"


@pytest.mark.parametrize("kind", ["process", "custom"])
async def test_a_gateway_that_is_started_keeps_the_locale_of_its_user(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANGUAGE", "de")
    said = tmp_path / "said"
    start = ("sh", "-c", f"{LANGUAGE} > {said}")
    if kind == "process":
        assert start_stop.start(Process(start=start, pid_file=str(tmp_path / "pid"))) is None
        await eventually(lambda: said.exists() and said.read_text(encoding="utf-8") != "")
    else:
        custom = Custom(status=("true",), start=start)
        profile = Profile(
            "test", "here", Found("http://127.0.0.1:1", "test"), Tools(), unit=Found("litellm", "test"), service=custom
        )
        assert await order(profile, "start") is None
    assert said.read_text(encoding="utf-8") == "C|de"


async def test_a_helper_is_known_from_its_start_to_its_end() -> None:
    before = set(command._helpers)
    child = await command.start(["sleep", "600"])
    assert not isinstance(child, Failure)
    assert set(command._helpers) - before == {child.pid}
    await command.end(child)
    assert set(command._helpers) == before
    await command.run(["true"])
    command.run_now(["true"], 10)
    with pytest.raises(subprocess.TimeoutExpired):
        command.run_now(["sleep", "600"], 0.05)
    assert set(command._helpers) == before


def test_another_process_of_the_same_number_is_no_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr("os.kill", lambda pid, _: killed.append(pid))
    pid = os.getpid()
    with command.helper(pid):
        command._helpers[pid] -= 1
        command.kill_helpers()
        assert killed == []
        command._helpers[pid] += 1
        command.kill_helpers()
        assert pid in killed
