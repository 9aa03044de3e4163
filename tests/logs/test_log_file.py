"""A log file that grows, is rotated and truncated, and the times of what was written before anybody looked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from litellm_tui.logs import pump
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.log_file import FileTail, times
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from tests.waiting import eventually


class Log:
    """A file, and a tail that looks when it is told to."""

    def __init__(self, folder: Path, history: int = 1000) -> None:
        self.path = folder / "litellm.log"
        self.lines: list[str] = []
        self.entries: list[Entry] = []
        self.states: list[tuple[str, Failure | None]] = []
        self.tail = FileTail(
            str(self.path), self._take, lambda state, failure, _: self.states.append((state, failure)), history=history
        )

    def _take(self, entries: list[Entry]) -> None:
        self.entries += entries
        self.lines += [entry.message for entry in entries if not entry.gap]

    def write(self, text: str) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)

    def new(self) -> list[str]:
        """What one more look brings."""
        before = len(self.lines)
        self.tail.look()
        return self.lines[before:]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path)
    yield made
    made.tail._close()


def test_the_opening_page_and_what_comes_after_it(log: Log) -> None:
    log.write("one\ntwo\n")
    assert log.new() == ["one", "two"]
    assert log.states == [("following", None)]
    log.write("three\nfo")
    assert log.new() == ["three"]
    log.write("ur\r\n")
    assert log.new() == ["four"]
    assert log.new() == []
    assert log.states == [("following", None)]


def test_of_a_long_file_only_the_last_lines_are_the_opening_page(tmp_path: Path) -> None:
    log = Log(tmp_path, history=3)
    log.write("".join(f"line {n}\n" for n in range(100)) + "unfinished")
    assert log.new() == ["line 97", "line 98", "line 99"]
    log.write(" no more\n")
    assert log.new() == ["unfinished no more"]


def test_of_a_very_long_file_the_beginning_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litellm_tui.logs.log_file.OPENING", 25)
    log = Log(tmp_path)
    log.write("a line that is cut\nwhole one\nwhole two\n")
    assert log.new() == ["whole one", "whole two"]


def test_a_rotated_file_is_read_to_its_end_and_the_new_one_from_its_beginning(log: Log) -> None:
    log.write("one\n")
    log.new()
    log.write("two\n")
    log.path.rename(log.path.with_suffix(".1"))
    assert log.new() == ["two"]
    # whoever holds the old one open may still write to it
    with log.path.with_suffix(".1").open("a") as old:
        old.write("three\nlast words")
    log.write("four\n")
    assert log.new() == ["three", "last words", "four"]
    assert log.states == [("following", None)]


def test_rotated_twice_between_two_looks_it_goes_on_with_the_newest(log: Log) -> None:
    log.write("one\n")
    log.new()
    log.path.rename(log.path.with_suffix(".2"))
    log.write("never seen\n")
    log.path.rename(log.path.with_suffix(".1"))
    log.write("two\n")
    assert log.new() == ["two"]


def test_a_truncated_file_is_read_from_its_beginning(log: Log) -> None:
    log.write("one\ntwo\n")
    log.new()
    os.truncate(log.path, 0)
    assert log.new() == []
    log.write("three\n")
    assert log.new() == ["three"]


def test_truncated_and_grown_beyond_where_it_was_it_is_known_to_be_another(log: Log) -> None:
    log.write("one\ntwo\n")
    log.new()
    os.truncate(log.path, 0)
    log.write("three\nfour\nfive\nsix\n")
    assert log.new() == ["three", "four", "five", "six"]


def test_a_truncation_is_announced_where_it_was_found(log: Log) -> None:
    log.write("one\n")
    log.new()
    os.truncate(log.path, 0)
    log.write("two\n")
    log.new()
    assert [(entry.gap, entry.message[:18]) for entry in log.entries] == [
        (False, "one"), (True, "the file was trunc"), (False, "two"),
    ]  # fmt: skip
    places = [entry.place for entry in log.entries]
    assert places == sorted(places)


def test_a_line_longer_than_is_held_is_announced(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "LONGEST_LINE", 1000)
    log.write("one\n" + "x" * 600_000)
    log.new()
    log.write("x" * 600_000 + "\ntwo\n")
    log.new()
    assert [(entry.gap, entry.message) for entry in log.entries] == [
        (False, "one"), (True, "a line longer than 4 MB is missing here"), (False, "two"),
    ]  # fmt: skip


def test_a_file_that_is_not_there_yet_is_followed_from_its_first_line(log: Log) -> None:
    log.tail.look()
    state, failure = log.states[-1]
    assert state == "ended"
    assert isinstance(failure, NotAvailable)
    assert "is not there: it is followed as soon as it is" in failure.why
    log.tail.look()
    assert len(log.states) == 1, "it is said once"
    log.write("one\n")
    assert log.new() == ["one"]
    assert log.states[-1] == ("following", None)


def test_a_file_that_may_not_be_read_says_who_may(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write("one\n")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        log.tail.look()
    state, failure = log.states[-1]
    assert (state, type(failure)) == ("ended", Denied)
    assert log.new() == ["one"]


def test_a_folder_is_no_log(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.path.mkdir()
    log.tail.look()
    assert log.states[-1][0] == "ended"
    assert isinstance(log.states[-1][1], NotAvailable)


def test_what_is_no_text_is_shown_as_far_as_it_is(log: Log) -> None:
    log.path.write_bytes(b"\xff\xfe caf\xc3\xa9\n")
    assert log.new() == ["\ufffd\ufffd café"]


async def test_older_lines_lead_back_through_the_files_before(log: Log, tmp_path: Path) -> None:
    log.path.with_suffix(".log.1").write_text("".join(f"older {n}\n" for n in range(10)))
    os.utime(log.path.with_suffix(".log.1"), (1, 1))
    log.path.with_suffix(".log.2.gz").write_bytes(b"packed\n")
    log.write("".join(f"line {n}\n" for n in range(20)))
    log.tail._history = 5
    assert log.new() == [f"line {n}" for n in range(15, 20)]
    log.path.rename(log.path.with_suffix(".log.0"))
    log.write("new\n")
    assert log.new() == ["new"]
    found: list[str] = []
    at = log.entries[-1]
    while older := await log.tail.before(at, 4):
        assert not isinstance(older, Failure)
        found[:0] = [entry.message for entry in older]
        at = older[0]
    assert found == [f"older {n}" for n in range(10)] + [f"line {n}" for n in range(20)]


async def test_what_was_truncated_cannot_be_had_any_more(log: Log) -> None:
    log.write("one\ntwo\n")
    log.new()
    os.truncate(log.path, 0)
    log.write("three\nfour\n")
    log.new()
    older = await log.tail.before(log.entries[-1], 10)
    assert not isinstance(older, Failure)
    assert [entry.message for entry in older] == ["three"]


async def test_it_follows_until_it_is_cancelled_and_leaves_no_file_open(log: Log) -> None:
    log.write("one\n")
    running = asyncio.create_task(log.tail.run())
    await eventually(lambda: log.lines == ["one"])
    written = time.time()
    log.write("two\n")
    await eventually(lambda: log.lines == ["one", "two"])
    assert written <= log.entries[-1].time <= time.time()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert log.tail._file == -1


# --- when it was written -----------------------------------------------------------------------------------------

WRITTEN = datetime(2026, 11, 21, 0, 0, 30).timestamp()


def _ago(lines: list[str]) -> list[float]:
    return [round(WRITTEN - at, 3) for at in times(lines, WRITTEN)]


def test_times_of_day_lead_back_over_midnight() -> None:
    assert _ago([
        "\x1b[92m23:59:50 - LiteLLM Router:INFO\x1b[0m: router.py:1 - a",
        "Traceback (most recent call last):",
        "00:00:10 - LiteLLM:ERROR: b",
        "INFO:     127.0.0.1:1 - GET /",
    ]) == [40, 40, 20, 20]  # fmt: skip


def test_json_lines_say_the_whole_date() -> None:
    assert _ago([
        "INFO:     Started server process [7]",
        '{"message": "a", "level": "INFO", "timestamp": "2026-11-20T23:00:30.250000"}',
        '{"message": "b", "level": "INFO", "timestamp": "2026-11-21T00:00:29"}',
    ]) == [3599.75, 3599.75, 1]  # fmt: skip


def test_without_any_time_a_line_is_as_old_as_the_file() -> None:
    assert _ago(["a", "b"]) == [0, 0]
    assert _ago([]) == []
    assert _ago(["99:99:99 - LiteLLM: no time", '{"timestamp": "2026-13-99T00:00:00"}']) == [0, 0]


def test_lines_a_little_out_of_order_do_not_lead_a_day_back() -> None:
    assert _ago(["00:00:21 - LiteLLM:INFO: a", "00:00:20 - LiteLLM:INFO: b"]) == [9, 10]


def test_a_stamp_before_a_line_is_its_time() -> None:
    moment = datetime.fromisoformat("2026-11-21T04:05:06+00:00").timestamp()
    lines = [
        "litellm-1  | 2026-11-21T04:05:06.5Z Requester IP Address:10.1.2.3",
        "2026-11-21T04:05:07Z 01:02:03 - LiteLLM:ERROR: a.py:1 - x",
        "[2026-11-21 04:05:08 +0000] [42] [ERROR] y",
    ]
    assert times(lines, moment + 100) == [moment + 0.5, moment + 1, moment + 2]


def test_the_time_of_day_is_found_behind_a_prefix() -> None:
    written = datetime(2026, 11, 21, 12, 0, 0).timestamp()
    lines = ["litellm-1  | 11:59:00 - LiteLLM:ERROR: a.py:1 - x", "litellm-1  | Requester IP Address:10.1.2.3"]
    assert times(lines, written) == [written - 60, written - 60]
