"""The tail of the journal: every form of a line, and a `journalctl` that dies, refuses or is not there."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.logs import journal_line, pump
from litellm_tui.logs.entry import CUT, HISTORY, LONGEST_LINE, Entry
from litellm_tui.logs.journal import JournalTail
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from litellm_tui.model.service_kinds import Scope, Tools
from tests.recorded import FOLDER, VERSIONS
from tests.waiting import eventually

# --- one line ---------------------------------------------------------------------------------------------------


def _line(**fields: Any) -> bytes:
    base = {"__CURSOR": "c1", "__REALTIME_TIMESTAMP": "1700000000500000", "PRIORITY": "6", "_PID": "42"}
    return json.dumps(base | fields).encode()


def _message(value: Any) -> str:
    decoded = journal_line.decode(_line(MESSAGE=value))
    assert decoded is not None
    return decoded[0].message


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/journal*.jsonl")), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_recorded_line_has_a_time_a_text_and_a_cursor(path: Path) -> None:
    lines = path.read_bytes().splitlines()
    assert lines
    times = []
    for line in lines:
        decoded = journal_line.decode(line)
        assert decoded is not None
        entry, cursor = decoded
        raw = json.loads(line)
        assert cursor == raw["__CURSOR"]
        assert entry.time == int(raw["__REALTIME_TIMESTAMP"]) / 1e6
        assert entry.pid == int(raw["_PID"])
        assert entry.identifier in ("litellm", "systemd")
        times.append(entry.time)
    assert times == sorted(times)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_coloured_lines_come_as_bytes_and_are_text_again(version: str) -> None:
    lines = (FOLDER / version / "journal-plain.jsonl").read_bytes().splitlines()
    coloured = [line for line in lines if isinstance(json.loads(line)["MESSAGE"], list)]
    assert coloured
    texts = [decoded[0].message for line in coloured if (decoded := journal_line.decode(line))]
    assert any("\x1b[32mLiteLLM: Proxy initialized with Config, Set models:\x1b[0m" in text for text in texts)


def test_a_line_of_1_77_that_is_longer_than_4096_bytes_is_whole() -> None:
    found = [journal_line.decode(line) for line in (FOLDER / "1.77.7" / "journal.jsonl").read_bytes().splitlines()]
    assert max(len(entry.message) for entry, _ in filter(None, found)) > 4096


def _piece(message: str, pid: int = 42, *, split: bool = True, gap: bool = False, place: int = 0) -> Entry:
    return Entry(place, message, 6, pid, "litellm", place, gap, split=split)


def test_a_line_that_journald_has_split_is_whole_again() -> None:
    line = _line(MESSAGE="one sk-", _LINE_BREAK="line-max")
    plain, _ = journal_line.decode_lines(line + b"\n" + _line(MESSAGE="secret", _LINE_BREAK="pid-change"))
    odd, _ = journal_line.decode_lines(line + b"\n" + _line(MESSAGE=list(b"secret")))
    for entries in (plain, odd):
        assert [entry.split for entry in entries] == [True, False]
        assert [entry.message for entry in journal_line.Pieces().join(entries)] == ["one sk-secret"]


def test_pieces_of_several_processes_and_over_several_reads_belong_to_their_own() -> None:
    pieces = journal_line.Pieces()
    assert pieces.join([_piece("a1", 1, place=1), _piece("b1", 2, place=2)]) == []
    assert pieces.join([_piece("c", 3, split=False, place=3), _piece("a2", 1, place=4)]) == [
        _piece("c", 3, split=False, place=3)
    ]
    found = pieces.join([_piece("b2", 2, split=False, place=5), _piece("a3", 1, split=False, place=6)])
    # each is as old as its beginning
    assert found == [_piece("b1b2", 2, split=False, place=2), _piece("a1a2a3", 1, split=False, place=1)]
    assert pieces.join([_piece("d", 1, split=False)]) == [_piece("d", 1, split=False)]


def test_lines_that_never_end_are_forgotten_for_newer_ones() -> None:
    pieces = journal_line.Pieces()
    for pid in range(1000):
        assert pieces.join([_piece("begun", pid)]) == []
    assert len(pieces._begun) == 16
    assert [entry.message for entry in pieces.join([_piece(" and ended", 999, split=False)])] == ["begun and ended"]


def test_a_line_is_not_put_together_over_what_is_missing() -> None:
    missing = _piece("Suppressed 3 messages", 7, split=False, gap=True)
    last = _piece("another", split=False)
    assert journal_line.Pieces().join([_piece("begun"), missing, last]) == [missing, last]


def test_of_a_split_line_that_is_too_long_nothing_is_held_and_that_is_said() -> None:
    pieces = journal_line.Pieces()
    for _ in range(3 * LONGEST_LINE // 49152):
        assert pieces.join([_piece("x" * 49152)]) == []
        (held,) = pieces._begun.values()
        assert sum(len(piece.message) for piece in held) <= LONGEST_LINE
    (found, after) = pieces.join([_piece("end", split=False), _piece("next", split=False)])
    assert (found.gap, found.message, after.message) == (True, CUT, "next")


def test_the_message_as_text() -> None:
    assert _message("plain \u2713") == "plain \u2713"


def test_the_message_as_bytes_even_broken_ones() -> None:
    assert _message(list("é\x1b[1m".encode())) == "é\x1b[1m"
    assert _message([0xFF, 0x41]) == "\ufffdA"
    assert _message([]) == ""


def test_the_message_as_several_fields() -> None:
    assert _message(["one", "two"]) == "one\ntwo"
    assert _message(["one", list(b"\x1b[1m two")]) == "one\n\x1b[1m two"
    assert _message([None, "two"]) == "\ntwo"


def test_a_message_that_journalctl_left_out_says_so() -> None:
    assert "longer than journalctl prints" in _message(None)


@pytest.mark.parametrize(
    "line",
    [b"", b"-- Logs begin", b"{", b"[]", b"7", b'{"MESSAGE": ', b'{"MESSAGE": {"a": 1}}', b"\xff", b"[" * 100_000],
)
def test_what_is_no_line_of_the_journal_is_left_out(line: bytes) -> None:
    assert journal_line.decode(line) is None


def test_fields_that_are_missing_or_odd_have_a_default() -> None:
    decoded = journal_line.decode(b'{"MESSAGE": "x"}')
    assert decoded == (Entry(0.0, "x", 6, 0, ""), "")
    decoded = journal_line.decode(_line(MESSAGE="x", PRIORITY=["3", "4"], _PID=None, SYSLOG_IDENTIFIER=list(b"lite")))
    assert decoded is not None
    assert decoded[0][2:5] == (3, 0, "lite")


# --- the tail, on a journalctl of our own ------------------------------------------------------------------------

# It keeps its lines in `lines`, honours --cursor and -n, notes how it was called, and dies when `die` appears.
SCRIPT = r"""#!/usr/bin/env python3
import json, os, pathlib, sys, time
here = pathlib.Path(__file__).parent
with open(here / "calls", "a") as calls:
    calls.write(json.dumps([os.getpid(), *sys.argv[1:]]) + "\n")
for name, code in (("refuse", 1), ("hint", None), ("nothing", None)):
    if (here / name).exists() and not (name == "nothing" and any("_SYSTEMD_USER_UNIT" in w for w in sys.argv)):
        print((here / name).read_text(), file=sys.stderr, flush=True)
        if code is not None:
            sys.exit(code)
cursor = next((w.split("=", 1)[1] for w in sys.argv if w.startswith("--cursor=")), None)
count = sys.argv[sys.argv.index("-n") + 1]
position = None
until = next((w.split("=@", 1)[1] for w in sys.argv if w.startswith("--until=")), None)
if until:
    lines = (here / "lines").read_bytes().split(b"\n")[:-1]
    found = [line for line in lines if int(json.loads(line)["__REALTIME_TIMESTAMP"]) <= int(until.replace(".", ""))]
    sys.stdout.buffer.write(b"".join(line + b"\n" for line in found[: -int(count) - 1 : -1]))
    sys.exit(0)
while True:
    lines = (here / "lines").read_bytes().split(b"\n")[:-1]
    if position is None:
        cursors = [json.loads(line)["__CURSOR"] for line in lines]
        position = cursors.index(cursor) if cursor in cursors else 0
        if count != "all":
            position = max(position, len(lines) - int(count))
    sys.stdout.buffer.write(b"".join(line + b"\n" for line in lines[position:]))
    sys.stdout.buffer.flush()
    position = len(lines)
    if (here / "half").exists():
        (here / "half").unlink()
        sys.stdout.buffer.write(b'{"__CURSOR": "lost", "MESSAGE": "ha')
        sys.exit(1)
    if (here / "die").exists():
        (here / "die").unlink()
        sys.exit(3)
    time.sleep(0.02)
"""


def _cursor(number: int) -> str:
    return f"s=5e;i={number:x};b=b0;m={number:x};t={number * 1_000_000:x};x={number:x}"


class Stand:
    """A folder with the stand-in, and what the tail made of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = folder / "journalctl"
        self.script.write_text(SCRIPT, encoding="utf-8")
        self.script.chmod(0o755)
        (folder / "lines").touch()
        self.written = 0
        self.seen: list[str] = []
        self.states: list[tuple[str, Failure | None, str | None]] = []

    def write(self, number: int) -> None:
        lines = [
            json.dumps({"__CURSOR": _cursor(n), "__REALTIME_TIMESTAMP": f"{n}000000", "MESSAGE": f"line {n}"}) + "\n"
            for n in range(self.written, self.written + number)
        ]
        self.written += number
        with (self.folder / "lines").open("a", encoding="utf-8") as file:
            file.write("".join(lines))

    def tell(self, name: str, text: str = "") -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    @property
    def calls(self) -> list[list[Any]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def tail(self, scope: Scope = "user", **more: Any) -> JournalTail:
        return JournalTail(
            Tools(journalctl=(str(self.script),)),
            "litellm.service",
            scope,
            lambda entries: self.seen.extend(entry.message for entry in entries),
            lambda state, failure, hint: self.states.append((state, failure, hint)),
            **more,
        )

    def expected(self) -> list[str]:
        return [f"line {number}" for number in range(self.written)]


Follow = Callable[..., JournalTail]


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


@pytest.fixture
async def follow(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Follow]:
    """Starts a tail whose pauses between its lives are short; all are gone afterwards."""
    monkeypatch.setattr("random.uniform", lambda *_: 0.05)
    tasks: list[asyncio.Task[None]] = []

    def start(scope: Scope = "user", **more: Any) -> JournalTail:
        tail = stand.tail(scope, **more)
        tasks.append(asyncio.create_task(tail.run()))
        return tail

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_lines_come_as_they_are_written(stand: Stand, follow: Follow) -> None:
    stand.write(3)
    follow()
    await eventually(lambda: stand.seen == stand.expected())
    stand.write(2)
    await eventually(lambda: stand.seen == stand.expected())
    assert stand.states == [("following", None, None)]
    words = stand.calls[0][1:]
    assert words[:3] == ["--user", "-u", "litellm.service"]
    assert "--all" in words
    assert words[words.index("-n") + 1] == str(HISTORY)
    assert not any(word.startswith("--cursor") for word in words)


async def test_only_so_much_history_is_read(stand: Stand, follow: Follow) -> None:
    stand.write(50)
    follow(history=5)
    await eventually(lambda: len(stand.seen) == 5)
    assert stand.seen == stand.expected()[-5:]


async def test_a_tail_that_dies_goes_on_where_it_was(stand: Stand, follow: Follow) -> None:
    stand.write(3)
    follow()
    await eventually(lambda: len(stand.seen) == 3)
    for life in range(1, 4):
        stand.tell("die")
        await eventually(lambda life=life: len(stand.states) >= 2 * life)  # type: ignore[misc]
        stand.write(4)
        await eventually(lambda: len(stand.seen) >= stand.written)
    assert stand.seen == stand.expected(), "a line was lost or came twice"
    assert [state for state, *_ in stand.states] == ["following", "ended"] * 3 + ["following"]
    failure = stand.states[1][1]
    assert isinstance(failure, NotAvailable)
    assert failure.why == "journalctl ended (3)"
    assert f"--cursor={_cursor(2)}" in stand.calls[1]
    assert stand.calls[1][stand.calls[1].index("-n") + 1] == "all"


async def test_half_a_line_before_the_death_is_read_whole_afterwards(stand: Stand, follow: Follow) -> None:
    stand.write(2)
    follow()
    await eventually(lambda: len(stand.seen) == 2)
    stand.tell("half")
    await eventually(lambda: len(stand.calls) == 2)
    assert f"--cursor={_cursor(1)}" in stand.calls[1]
    stand.write(1)
    await eventually(lambda: stand.seen == stand.expected())


async def test_ten_thousand_lines_at_once_lose_none(stand: Stand, follow: Follow) -> None:
    stand.write(10_000)
    follow(history=20_000)
    await eventually(lambda: len(stand.seen) >= 10_000)
    assert stand.seen == stand.expected()


async def test_a_line_longer_than_a_pipe_arrives_whole(stand: Stand, follow: Follow) -> None:
    text = "x" * 1_000_000
    stand.tell("lines", json.dumps({"__CURSOR": "a", "MESSAGE": text}) + "\n")
    follow()
    await eventually(lambda: bool(stand.seen))
    assert stand.seen == [text]


async def test_a_line_without_end_is_dropped_and_what_follows_is_read(
    stand: Stand, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump, "LONGEST_LINE", 1000)
    long = json.dumps({"__CURSOR": "a", "MESSAGE": "x" * 2_000_000})
    stand.tell("lines", long + "\n" + json.dumps({"__CURSOR": "b", "MESSAGE": "after"}) + "\n")
    follow()
    await eventually(lambda: len(stand.seen) > 1)
    assert stand.seen == ["a line longer than 4 MB is missing here", "after"]


# --- gaps --------------------------------------------------------------------------------------------------------


def _entry(number: int, cursor: str) -> str:
    fields = {"__CURSOR": cursor, "__REALTIME_TIMESTAMP": f"{number}000000", "MESSAGE": f"line {number}"}
    return json.dumps(fields) + "\n"


async def test_a_journal_that_lost_the_last_line_read_is_announced_with_its_size(stand: Stand, follow: Follow) -> None:
    stand.write(3)
    follow()
    await eventually(lambda: len(stand.seen) == 3)
    stand.tell("lines", "".join(_entry(number, _cursor(number)) for number in (40, 41)))
    stand.tell("die")
    await eventually(lambda: len(stand.seen) == 6)
    assert stand.seen[:3] == ["line 0", "line 1", "line 2"]
    assert "rotated away" in stand.seen[3]
    assert "38 s before the next, at most 37 of all units" in stand.seen[3]
    assert stand.seen[4:] == ["line 40", "line 41"]


async def test_the_line_after_the_last_one_read_is_no_gap_though_that_one_has_gone(
    stand: Stand, follow: Follow
) -> None:
    stand.write(3)
    follow()
    await eventually(lambda: len(stand.seen) == 3)
    stand.tell("lines", _entry(3, _cursor(3)))
    stand.tell("die")
    await eventually(lambda: len(stand.seen) == 4)
    assert stand.seen == [f"line {number}" for number in range(4)]


async def test_a_line_that_was_moved_to_another_file_is_known_again(stand: Stand, follow: Follow) -> None:
    stand.write(3)
    follow()
    await eventually(lambda: len(stand.seen) == 3)
    moved = _cursor(2).replace("s=5e;i=2", "s=77;i=1")
    stand.tell("lines", _entry(2, moved) + _entry(3, _cursor(3).replace("s=5e;i=3", "s=77;i=2")))
    stand.tell("die")
    # the stand-in knows cursors by their words, and so prints both
    await eventually(lambda: len(stand.seen) == 4)
    assert stand.seen == [f"line {number}" for number in range(4)]


def test_what_journald_suppressed_is_a_gap() -> None:
    fields = {"MESSAGE": "Suppressed 59650 messages from x.service", "MESSAGE_ID": "a596d6fe7bfa4994828e72309e95d61e"}
    entries, cursor = journal_line.decode_lines(_line(**fields) + b"\n" + _line(MESSAGE="line"))
    assert [(entry.gap, entry.message) for entry in entries] == [(True, fields["MESSAGE"]), (False, "line")]
    assert cursor == "c1"


# --- lines from before -------------------------------------------------------------------------------------------


async def test_older_lines_are_those_before_it_though_many_have_its_time(stand: Stand) -> None:
    lines = []
    for number in range(400):
        # journald stamps what it reads at once with one time
        seconds = 1000 + number // 250
        cursor = f"s=5e;i={number:x};b=b0;m=1;t=1;x={number:x}"
        lines.append(
            json.dumps({"__CURSOR": cursor, "__REALTIME_TIMESTAMP": f"{seconds}000000", "MESSAGE": f"line {number}"})
        )
    stand.tell("lines", "\n".join(lines) + "\n")
    found: list[str] = []
    at = Entry(1001.0, "", 6, 0, "", 380)
    while older := await stand.tail().before(at, 30):
        assert not isinstance(older, Failure)
        found[:0] = [entry.message for entry in older]
        at = older[0]
    assert found == [f"line {number}" for number in range(380)]


async def test_older_lines_that_cannot_be_read_are_a_failure(stand: Stand) -> None:
    stand.tell("refuse", "No journal files were opened due to insufficient permissions.")
    found = await stand.tail().before(Entry(1.0, "", 6, 0, ""), 30)
    assert found == NotAvailable("No journal files were opened due to insufficient permissions.")


HINT = """Hint: You are currently not seeing messages from other users and the system.
      Users in groups 'adm', 'systemd-journal' can see all messages.
      Pass -q to turn off this notice."""


async def test_the_hint_of_journalctl_reaches_the_person(stand: Stand, follow: Follow) -> None:
    stand.tell("hint", HINT)
    stand.write(1)
    follow("system")
    hint = await eventually(
        lambda: stand.states[-1][2] if stand.states and "all messages" in (stand.states[-1][2] or "") else ""
    )
    assert hint
    assert hint.startswith("You are currently not seeing messages")
    assert "Pass -q" not in hint
    assert stand.states[-1][0] == "following"
    await eventually(lambda: stand.seen == stand.expected())


async def test_without_a_journal_per_user_the_systems_is_read_instead(stand: Stand, follow: Follow) -> None:
    stand.tell("nothing", "No journal files were found.")
    stand.write(2)
    follow()
    await eventually(lambda: len(stand.calls) == 2)
    words = stand.calls[1][1:]
    assert words[:2] == ["_SYSTEMD_USER_UNIT=litellm.service", f"_UID={os.getuid()}"]
    assert "--user" not in words
    await eventually(lambda: stand.seen[-2:] == stand.expected())
    assert "Storage=volatile" in (stand.states[-1][2] or "")
    assert "ended" not in [state for state, *_ in stand.states]
    assert _gone(stand.calls[0][0])


async def test_a_system_unit_without_a_journal_does_not_go_looking_elsewhere(stand: Stand, follow: Follow) -> None:
    stand.tell("nothing", "No journal files were found.")
    stand.write(1)
    tail = follow("system")
    await eventually(lambda: stand.seen == stand.expected())
    assert "_SYSTEMD_USER_UNIT=litellm.service" not in tail.command()
    assert len(stand.calls) == 1


async def test_a_refusal_is_a_state_and_is_tried_again(stand: Stand, follow: Follow) -> None:
    stand.tell("refuse", "No journal files were opened due to insufficient permissions.")
    follow("system")
    await eventually(lambda: len(stand.states) >= 2)
    state, failure, _ = stand.states[1]
    assert state == "ended"
    assert isinstance(failure, Denied)
    assert "insufficient permissions" in failure.why
    (stand.folder / "refuse").unlink()
    stand.write(1)
    await eventually(lambda: stand.seen == stand.expected())
    assert stand.states[-1][:2] == ("following", None)


async def test_another_complaint_is_shown_in_its_own_words(stand: Stand, follow: Follow) -> None:
    stand.tell("refuse", "Failed to seek to cursor: Invalid argument")
    follow()
    await eventually(lambda: len(stand.states) >= 2)
    assert stand.states[1][1] == NotAvailable("Failed to seek to cursor: Invalid argument")


async def test_a_missing_journalctl_is_a_state(stand: Stand, follow: Follow) -> None:
    stand.script.unlink()
    follow()
    await eventually(lambda: bool(stand.states))
    state, failure, _ = stand.states[0]
    assert state == "ended"
    assert isinstance(failure, NotAvailable)
    assert "No such file" in failure.why


async def test_the_child_is_gone_when_the_tail_is_cancelled(stand: Stand) -> None:
    stand.write(1)
    task = asyncio.create_task(stand.tail().run())
    await eventually(lambda: bool(stand.seen))
    pid = stand.calls[0][0]
    assert not _gone(pid)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _gone(pid)
