"""`litellm-tui notify`: what would go where, a test of it, and what waits."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.cli import main
from litellm_tui.storage.outbox import Outbox, outbox_path
from litellm_tui.target.profile import Options
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import load_settings
from tests.notify.loopback import Loopback, problem
from tests.storage.test_outbox import look

URL = "http://127.0.0.1:1"
WHICH = ("--url", URL, "--unit", "litellm.service", "--system")


@pytest.fixture
def hook() -> Iterator[Loopback]:
    with Loopback() as found:
        yield found


@pytest.fixture
def settings(tmp_path: Path, hook: Loopback, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("CHAT_URL", f"{hook.url}/zq9token4711")
    path = tmp_path / "config" / "litellm-tui" / "config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "notify:\n  receivers:\n    chat: {webhook: {form: slack, url_env: CHAT_URL}}\n"
        "    lost: {webhook: {url_env: NOBODY_SETS_IT}}\n    here: {terminal: [bell]}\n"
        "  rules: [{severity: bad, for: 30, quiet_hours: '22:00-07:00', to: [chat]}]\n",
        encoding="utf-8",
    )
    return path


def test_it_says_what_would_go_where(settings: Path, hook: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notify", *WHICH]) == 1
    out = capsys.readouterr().out
    assert f"chat: webhook slack to http://127.0.0.1:{hook.port}/…" in out
    assert "what is broken, that lasts 30 s, not from 22:00-07:00 (local time)" in out
    assert "lost: cannot be reached: url_env: the variable NOBODY_SETS_IT is not set" in out
    assert "by no rule: nothing is told to it" in out
    assert "zq9" not in out
    assert hook.got == []


def test_a_test_is_marked_and_goes_once_to_each(
    settings: Path, hook: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notify", "--test", "--yes", *WHICH]) == 1
    (got,) = hook.got
    assert "TEST, nothing is wrong" in got.body["text"]
    out = capsys.readouterr().out
    assert "chat: sent (HTTP 200)" in out
    assert "here: no terminal is here to be rung" in out
    assert "zq9" not in out


def test_nothing_is_sent_without_a_word(
    settings: Path, hook: Loopback, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["notify", "--test", *WHICH]) == 2
    assert hook.got == []
    assert "--yes" in capsys.readouterr().err


def test_a_test_as_json(settings: Path, hook: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    hook.status = 404
    assert main(["notify", "--test", "--yes", "--json", *WHICH]) == 1
    chat, lost, here = json.loads(capsys.readouterr().out)["receivers"]
    assert chat["test"] == {"sent": False, "why": "HTTP 404"}
    assert (lost["test"], here["test"]) == (None, None)


def test_what_waits_is_listed(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notify", "--list", *WHICH]) == 0
    assert capsys.readouterr().out == "0 messages to be sent\n"
    profile = resolve(Options(url=URL, unit="litellm.service", scope="system"), load_settings())
    box = Outbox(outbox_path(profile.url.value, profile.unit.value if profile.unit else ""))
    look(box, problem())
    claimed = box.claim("a", 1_800_000_001.0)
    assert claimed is not None
    box.failed(claimed.number, 1_800_000_001.0, "HTTP 503", 5.0)
    second = box.claim("b", 1_800_000_001.0)
    assert second is not None
    box.done(second.number, 1_800_000_001.0)
    box.close()
    assert main(["notify", "--list", *WHICH]) == 1
    out = capsys.readouterr().out
    assert "1 message to be sent" in out
    assert "waits  a  gw: BAD small: refused  (HTTP 503, tried 1 time" in out
    assert "sent  b  gw: BAD small: refused\n" in out
    assert main(["notify", "--list", "--json", *WHICH]) == 1
    assert [one["state"] for one in json.loads(capsys.readouterr().out)["messages"]] == ["sent", "waiting"]


def test_without_the_section_it_says_where_it_belongs(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings.write_text("theme: dark\n", encoding="utf-8")
    assert main(["notify", *WHICH]) == 64
    assert "docs/notify.md" in capsys.readouterr().err
