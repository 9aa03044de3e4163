"""`litellm-tui rehearse --with`: what a release, a path and an image are taken for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from litellm_tui.actions.rehearse.run import Wish
from litellm_tui.actions.transaction.events import Seen
from litellm_tui.actions.upgrade.run import Ready
from litellm_tui.cli import main
from litellm_tui.commands import rehearse
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.rehearsal import Rehearsal
from litellm_tui.target.profile import Profile


class Machine:
    """What is made ready, and what is rehearsed then."""

    def __init__(self) -> None:
        self.gives: Ready | Failure = Ready("/opt/new/bin/litellm", "/opt/new was made")
        self.asked: list[str] = []
        self.wishes: list[Wish] = []

    async def have(self, profile: Profile, seen: Seen | None, version: str) -> Ready | Failure:
        self.asked.append(version)
        return self.gives

    async def rehearse(
        self, profile: Profile, wish: Wish, running: Callable[[], Seen | None], tell: Callable[[str], None]
    ) -> Rehearsal:
        self.wishes.append(wish)
        return Rehearsal("passed", version="1.95.4")

    def seen(self) -> None:
        return None


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    made = Machine()

    @asynccontextmanager
    async def looking(*_: object) -> AsyncIterator[Machine]:
        yield made

    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    (tmp_path / "litellm-tui").mkdir()
    (tmp_path / "litellm-tui" / "config.yaml").write_text(
        "profile: box\nprofiles:\n  box:\n    url: http://127.0.0.1:1\n"
        "    process: {start: [/opt/old/bin/litellm], pid_file: /run/no.pid}\n"
    )
    monkeypatch.setattr(rehearse, "looking", looking)
    monkeypatch.setattr(rehearse, "release_to_rehearse", made.have)
    monkeypatch.setattr(rehearse, "rehearse", made.rehearse)
    return made


def test_a_release_is_made_ready_and_then_rehearsed(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rehearse", "--with", "1.95.4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == "1.95.4"
    assert (machine.asked, [wish.program for wish in machine.wishes]) == (["1.95.4"], ["/opt/new/bin/litellm"])


def test_a_release_that_cannot_be_had_is_not_rehearsed(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.gives = NotAvailable("LiteLLM 1.95.4 is compromised")
    assert main(["rehearse", "--with", "1.95.4", "--json"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert (said["outcome"], said["cause"]) == ("not possible", "LiteLLM 1.95.4 is compromised")
    assert machine.wishes == []


def test_a_path_is_no_release(machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "1.95.4" / "bin" / "litellm"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    assert main(["rehearse", "--with", str(tmp_path / "1.95.4"), "--json"]) == 0
    assert (machine.asked, [wish.program for wish in machine.wishes]) == ([], [str(script)])
    capsys.readouterr()
    assert main(["rehearse", "--with", "newest", "--json"]) == 64
    assert "it takes a release, the path of an environment" in capsys.readouterr().err
