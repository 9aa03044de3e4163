"""Every member is asked beside the others; a document is data, and one that misbehaves stops nobody."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.host.far_child import FarChild
from litellm_tui.model.fleet import LinkFailure, Member, Seen, StatusDocument
from litellm_tui.monitor import fleet_members
from litellm_tui.monitor.fleet_members import FleetWatch, look_once, read_document
from litellm_tui.target.settings import ProfileSettings, Settings
from tests.standins.ssh import install
from tests.waiting import eventually

MEMBER = Member("web", "web")
DOCUMENT = {"format": 1, "exit_status": 1, "headline": {"word": "DEGRADED", "parts": [{"text": "1 problem"}]}}
BEGIN = "echo 'litellm-tui: begun';"
# the host is the word before the last
HOST = 'for word; do host=$last; last=$word; done; case "$host" in'


def _read(document: object) -> StatusDocument | LinkFailure:
    return read_document(json.dumps(document).encode(), MEMBER)


def test_unknown_fields_are_ignored_and_a_later_format_is_read() -> None:
    found = _read({**DOCUMENT, "format": 2, "new": {"a": [1]}, "problems": [{"severity": "dire", "more": 1}]})
    assert isinstance(found, StatusDocument)
    assert (found.headline.word, found.problems[0].severity) == ("DEGRADED", "dire")


@pytest.mark.parametrize(
    ("line", "state"),
    [
        (b"{}", "program too old"),
        (b'{"taken_at": 1.0, "exit_status": 0}', "program too old"),
        (b"", "program failed"),
        (b"Traceback (most recent call last):", "program failed"),
        (b'{"format": "one"}', "program failed"),
        (b"[" * 100_000, "program failed"),
        (b"\xff\xfe", "program failed"),
    ],
)
def test_what_is_no_document_is_named(line: bytes, state: str) -> None:
    found = read_document(line, MEMBER)
    assert isinstance(found, LinkFailure)
    assert found.state == state


def test_control_characters_of_the_other_side_reach_no_terminal() -> None:
    found = _read({"format": 1, "headline": {"word": "\x1b[2JUP\x07", "parts": [{"text": "a\x1b]0;x\x07b\nc"}]}})
    assert isinstance(found, StatusDocument)
    text = found.headline.word + found.headline.parts[0].text
    assert "\x1b" not in text
    assert "\n" not in text


def test_lists_without_an_end_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_members, "_MOST_ITEMS", 3)
    found = _read({"format": 1, "problems": [{"severity": "bad"}] * 10, "host": "h" * 100_000})
    assert isinstance(found, StatusDocument)
    assert len(found.problems) == 3
    assert len(found.host) <= 500


def _settings(*names: str) -> Settings:
    return Settings(profiles={name: ProfileSettings(ssh=name) for name in names})


def _said(document: Any) -> str:
    return f"echo '{json.dumps(document)}'"


async def test_one_that_hangs_keeps_no_other_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f"{HOST} hangs) exec sleep 600;; none) exit 255;; *) {BEGIN} {_said(DOCUMENT)}; exit 1;; esac"
    install(tmp_path, script, monkeypatch)
    monkeypatch.setattr(FarChild.begun, "__defaults__", (2.0,))
    found = {one.member.name: one for one in await look_once(_settings("hangs", "well", "none"), lambda: 7.0)}
    states = {name: one.failure.state if one.failure else one.document for name, one in found.items()}
    assert states == {"hangs": "slow link", "none": "link failed", "well": _read(DOCUMENT)}
    assert found["well"].came_at == 7.0


async def test_a_gateway_of_this_machine_is_asked_by_this_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "litellm-tui"
    folder.mkdir()
    (folder / "config.yaml").write_text("profiles:\n  here: {url: 'http://127.0.0.1:1'}\n")
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    (found,) = await look_once(Settings(profiles={"here": ProfileSettings(url="http://127.0.0.1:1")}))
    assert found.failure is None
    assert found.document is not None
    assert (found.document.exit_status, found.document.headline.word) == (3, "DOWN")


async def _until(watch: FleetWatch, name: str, what: str, seen: Any) -> Seen:
    def look() -> Seen | None:
        return next((one for one in watch.seen if one.member.name == name and seen(one)), None)

    found = await eventually(look, what)
    assert found is not None
    return found


async def test_a_lost_link_is_tried_again_and_what_was_told_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_members, "AGAIN_SECONDS", 0.05)
    going = f"{BEGIN} {_said(DOCUMENT)}; while [ ! -e {tmp_path}/cut ]; do sleep 0.05; done; exit 255"
    install(tmp_path, f"if [ -e {tmp_path}/cut ]; then exit 255; fi; {going}", monkeypatch)
    news: list[int] = []
    watch = FleetWatch(_settings("web"), lambda: news.append(1))
    running = asyncio.create_task(watch.run())
    try:
        await _until(watch, "web", "the document", lambda one: one.document is not None and one.failure is None)
        (tmp_path / "cut").touch()
        lost = await _until(watch, "web", "the end", lambda one: one.failure is not None)
        assert lost.document is not None
        assert lost.failing_since is not None
        (tmp_path / "cut").unlink()
        await _until(watch, "web", "it is back", lambda one: one.failure is None)
        assert news
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
