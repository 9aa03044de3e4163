"""A child on another host: noise before it begins, silence, an end in the middle, whoever keeps its stderr open."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.host import far_child
from litellm_tui.host.command import Done
from litellm_tui.host.far_child import FarChild, ask
from litellm_tui.model.fleet import LinkFailure
from tests.standins.ssh import install

BEGIN = "echo 'litellm-tui: begun';"


async def _asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, seconds: float = 30.0
) -> Done | LinkFailure:
    install(tmp_path, script, monkeypatch)
    return await ask("web", ["status"], seconds)


def _state(found: Done | LinkFailure) -> str:
    assert isinstance(found, LinkFailure), found
    return found.state


async def test_what_a_login_script_prints_is_not_taken_for_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await _asked(
        tmp_path, monkeypatch, f"echo 'welcome to {{web}}'; {BEGIN} echo '{{}}'; echo said >&2; exit 2"
    )
    assert found == Done(2, "{}\n", "said\n")


async def test_a_host_that_says_nothing_is_a_slow_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far_child.FarChild.begun, "__defaults__", (0.2,))
    assert _state(await _asked(tmp_path, monkeypatch, "exec sleep 600")) == "slow link"


async def test_a_slow_one_may_be_waited_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; {BEGIN} echo here", monkeypatch)
    async with FarChild("web", ["status"]) as child:
        late = await child.begun(0.1)
        assert late is not None
        assert late.state == "slow link"
        (tmp_path / "go").touch()
        assert await child.begun(60) is None
        assert await child.line() == b"here"
        assert await child.line() is None


async def test_an_end_in_the_middle_is_a_lost_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await _asked(
        tmp_path, monkeypatch, f"{BEGIN} echo half; echo 'Timeout, server web not responding.' >&2; exit 255"
    )
    assert _state(found) == "link lost"


async def test_a_program_that_hangs_is_not_the_links_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await _asked(tmp_path, monkeypatch, f"{BEGIN} exec sleep 600", 0.2)
    assert _state(found) == "program failed"


async def test_who_keeps_its_stderr_open_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # as the master of a shared connection does, or a jump host
    keeper = f"( exec >/dev/null; echo $$ >/dev/null; while [ ! -e {tmp_path}/end ]; do sleep 0.1; done ) &"
    found = await _asked(tmp_path, monkeypatch, f"{keeper} {BEGIN} echo '{{}}'; echo well >&2")
    (tmp_path / "end").touch()
    assert found == Done(0, "{}\n", "well\n")


async def test_endless_output_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far_child, "MOST_BYTES", 1 << 16)
    assert _state(await _asked(tmp_path, monkeypatch, f"{BEGIN} exec cat /dev/zero")) == "program failed"


async def test_noise_without_an_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _state(await _asked(tmp_path, monkeypatch, "exec cat /dev/zero")) == "link failed"


async def test_without_ssh_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _state(await ask("web", ["status"])) == "no ssh"
