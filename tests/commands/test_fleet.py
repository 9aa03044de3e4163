"""`litellm-tui fleet`: what it prints, how it ends, and what it refuses."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from litellm_tui.analysis.fleet.link_states import failure
from litellm_tui.cli import main
from litellm_tui.commands import fleet
from litellm_tui.model.fleet import Member, Seen, StatusDocument, ToldHeadline, ToldPart
from litellm_tui.target.settings import Settings

DOCS = Path(__file__).parents[2] / "docs" / "status.md"


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file with two profiles of other hosts, which nobody asks."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("LITELLM_TUI_PROFILE", raising=False)
    file = tmp_path / "litellm-tui" / "config.yaml"
    file.parent.mkdir()
    file.write_text("profiles:\n  web: {ssh: web}\n  gone: {ssh: gone}\n")

    async def seen(settings: Settings) -> tuple[Seen, ...]:
        headline = ToldHeadline("DEGRADED", "bad", (ToldPart("1 of 2 deployments failing"),), "start it\x1b[2J")
        web = StatusDocument(format=1, exit_status=2, headline=headline, litellm_version="1.106.2")
        return (
            Seen(Member("web", "web"), web, time.time()),
            Seen(Member("gone", "gone"), failure=failure("host key changed", "gone")),
        )

    monkeypatch.setattr(fleet, "look_once", seen)
    return file


def test_the_worst_first_with_the_next_step_and_its_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet"]) == 3
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert lines[0].startswith("gone  HOST KEY CHANGED  gone has another host key")
    assert lines[2].startswith("      next: find out why before anything else")
    assert lines[3].startswith("web   ")
    assert "next: start it" in said
    assert "\x1b" not in said


def test_as_json_every_field_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["exit_status"]) == (1, 3)
    assert [row["name"] for row in found["gateways"]] == ["gone", "web"]
    page = DOCS.read_text(encoding="utf-8").partition("## `fleet --json`")[2]
    told = set(re.findall(r"`(\w+)`", page))
    assert {*found, *found["gateways"][0]} <= told


def test_without_a_profile_it_says_how_one_is_written(own_settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_settings.unlink()
    assert main(["fleet"]) == 64
    assert "ssh: HOST" in capsys.readouterr().err


def test_an_option_that_chooses_a_gateway_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", "--profile", "web"]) == 64
    assert "takes no option that chooses a gateway" in capsys.readouterr().err


def test_a_host_that_reads_like_an_option_is_never_given_to_ssh(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["host", "check", "--", "-oProxyCommand=x"]) == 64
    assert "begins like an option" in capsys.readouterr().err
