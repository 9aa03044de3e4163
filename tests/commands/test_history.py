"""`history`, and `status --since`: the record in words, as JSON, and drawn."""

from __future__ import annotations

import json
import time
from datetime import UTC
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from litellm_tui.analysis.history.axis import clock_of
from litellm_tui.analysis.history.glance import glance_of
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.cli import main
from litellm_tui.commands import status
from litellm_tui.commands.history import Past as Read
from litellm_tui.commands.history import document, lines, read
from litellm_tui.commands.markdown import short_report
from litellm_tui.commands.options.history import span
from litellm_tui.commands.recorded import Asked, asked
from litellm_tui.demo.past import Past
from litellm_tui.model.history import Sample
from litellm_tui.storage.history.paths import history_path
from litellm_tui.storage.history.writer import HistoryWriter
from litellm_tui.target.settings import Settings, SettingsError
from tests.analysis.history.made import DAY, HOUR, NOW, Record, event
from tests.ui import frozen

URL = "http://127.0.0.1:1"
SPAN = (NOW - DAY, NOW)


def _told(record: Any) -> list[str]:
    past = read(record, Asked(SPAN, "last 1 d"))
    return list(lines(past, clock_of(SPAN, UTC)))


def test_the_figures_come_first_then_what_happened_newest_first() -> None:
    told = _told(Past(NOW, UTC))
    assert told[0] == "last 1 d: Jan 14 08:00 to Jan 15 08:00"
    assert " ".join(told[1].split()) == "availability 99.951 % of the 23 h 13 min that somebody looked"
    happened = told[told.index("") + 1 :]
    assert happened[1] == "Jan 15 06:45    backup     configuration kept: 2 files"
    assert "Jan 15 05:20  ◐ problem    cache: Redis refuses connections, 6 min" in happened
    assert "Jan 15 04:02  ◌ unwatched  nobody looked, for 47 min" in happened
    assert any(line.endswith("  hit: nobody: llama3.1:8b answers in its place") for line in happened)
    stamps = [line[:12] for line in happened if line[:3] == "Jan"]
    assert stamps == sorted(stamps, reverse=True)


def test_nothing_recorded_is_not_nothing_happened() -> None:
    told = _told(Record())
    assert len(told) == 2
    assert "nothing is recorded" in told[1]


def test_a_record_that_cannot_be_read_says_why() -> None:
    broken = Record([event(1, NOW - 5)], [SPAN])
    broken.failure = "/srv/history.sqlite: file is not a database"
    assert _told(broken)[1:] == ["  the record cannot be read: /srv/history.sqlite: file is not a database"]


def test_the_document_tells_what_was_looked_at_and_what_not() -> None:
    past = read(Past(NOW, UTC), Asked(SPAN, "last 1 d"))
    found = json.loads(json.dumps(document(past, frozen.PROFILE)))
    assert found["format"] == 1
    assert (found["since"], found["until"], found["recorded"], found["failure"]) == (*SPAN, True, None)
    ((begin, end),) = found["nobody_looked"]
    assert [begin, end] == [found["looked"][0][1], found["looked"][1][0]]
    assert found["glance"]["outages"][0]["cause"] == "its event loop was blocked"
    assert found["glance"]["errors"][0]["causes"][0]["cause"] == "upstream refused"
    assert [one["at"] for one in found["events"]] == sorted((one["at"] for one in found["events"]), reverse=True)


# --- the command ---------------------------------------------------------------------------------------------------


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gateway with a record: an hour of requests, and one problem in it."""
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("LITELLM_MASTER_KEY", "LITELLM_PROXY_API_KEY", "LITELLM_TUI_KEY"):
        monkeypatch.delenv(name, raising=False)
    path = history_path(URL, "")
    writer = HistoryWriter.open(path)
    assert isinstance(writer, HistoryWriter)
    now = time.time()
    for back in range(360, 0, -1):
        at = now - back * 10
        samples = [Sample(at, "", "requests", 5.0, "log"), Sample(at, "group:a", "requests", 5.0, "log"),
                   Sample(at, "group:a", "failed", 1.0, "log")]  # fmt: skip
        happened = [event(0, at, title="a", cause="refused", subject="group:a", until=at + 60)] if back == 180 else []
        writer.write(samples, happened, at)
    writer.close(now)
    return path


def test_it_is_told_as_text_as_json_and_as_a_drawing(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = tmp_path / "charts.svg"
    assert main(["history", "--url", URL, "--since", "2h", "--svg", str(drawn), "--group", "a"]) == 0
    said = capsys.readouterr().out
    assert "a: refused, 1 min" in said
    assert "nobody looked, for 1 h" in said or "nobody looked, for 59 min" in said
    text = [node.text or "" for node in ElementTree.fromstring(drawn.read_text(encoding="utf-8")).iter()]
    assert any(words.startswith("requests a minute: up to 30/min") for words in text)
    assert main(["history", "--url", URL, "--since", "2h", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["glance"]["errors"] == [{"group": "a", "failed": 360, "requests": 1800, "causes": []}] or found[
        "glance"
    ]["errors"][0]["failed"] == pytest.approx(360, abs=3)
    assert [one["title"] for one in found["events"] if one["kind"] == "problem"] == ["a"]


def test_where_nothing_is_recorded_the_status_is_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["history", "--url", URL]) == 3
    assert "litellm-tui record --install" in capsys.readouterr().out.replace("\n", " ")
    # a question writes nothing
    assert list(tmp_path.rglob("*.sqlite")) == []


def test_a_group_that_is_not_recorded_is_said_with_those_that_are(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = tmp_path / "charts.svg"
    assert main(["history", "--url", URL, "--svg", str(drawn), "--group", "b"]) == 3
    assert "nothing is recorded of a group 'b' (there are: a)" in capsys.readouterr().err
    assert not drawn.exists()
    assert main(["history", "--url", URL, "--group", "a"]) == 64
    assert main(["history", "--url", URL, "--since", "last-look"]) == 64


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800.0), ("12h", 12 * HOUR), ("1d", DAY), ("night", "night")])
def test_spans_that_are_understood(text: str, seconds: float | str) -> None:
    assert span(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "0h", "h", "-1h", "1.5h", "99999999d", "5000d", "yesterday", "１h"])
def test_spans_that_are_not(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["history", f"--since={text}"])
    assert ended.value.code == 64
    assert "--since" in capsys.readouterr().err


def test_last_night_is_a_word() -> None:
    found = asked("night", frozen.PROFILE, Settings(utc=True), NOW + 3 * HOUR, "history")
    assert found.span == (NOW - 12 * HOUR, NOW)
    with pytest.raises(SettingsError, match="when you looked last is not known"):
        asked("last-look", frozen.PROFILE, Settings(), NOW, "history")


# --- with the glance of now ----------------------------------------------------------------------------------------


def test_the_markdown_of_a_span_is_short(tmp_path: Path) -> None:
    from litellm_tui.analysis.health.diagnose import diagnose
    from litellm_tui.commands.look import Look
    from litellm_tui.logs.store import LogStore

    snapshot = frozen.degraded(tmp_path)
    seen = Look(frozen.PROFILE, snapshot, diagnose(snapshot, NOW), NOW, (), None, LogStore(), Redactor())
    glance = glance_of(Past(NOW, UTC), *SPAN)
    text = short_report(seen, "last 1 d", glance, clock_of(SPAN, UTC))
    assert text.startswith("# ")
    assert "## Problems" in text
    assert "## Last 1 d" in text
    assert "- **availability**: 99.951 %" in text
    assert "## Settings" not in text
    assert len(text.splitlines()) < 40
    told = status.Told("last 1 d", glance, clock_of(SPAN, UTC))
    said = "\n".join(status.lines(seen, told, ascii_only=True))
    assert "last 1 d\n  availability  99.951 %" in said
    assert said.isascii()


def test_follow_has_no_span(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json", "--follow", "--since", "1h"]) == 64
    assert "--since" in capsys.readouterr().err


def test_what_was_read_is_one_record() -> None:
    past = Read(Asked(SPAN, "last 1 d"), (), (), glance_of(Record(), *SPAN))
    assert not past.recorded
