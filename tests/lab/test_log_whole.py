"""Nothing lost, nothing twice: numbered lines through a real journald, whose reader dies and whose files are rotated.

`LITELLM_TUI_LAB_LINES` sets their number; the default takes some ten seconds.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
from collections.abc import Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.logs.entry import Entry
from litellm_tui.logs.journal import JournalTail
from litellm_tui.model.failures import Failure
from litellm_tui.model.service_kinds import Tools
from tests.lab import Lab
from tests.waiting import eventually

LINES = int(os.environ.get("LITELLM_TUI_LAB_LINES", "200000"))
# more than journald takes in a second are of no use here
BATCH = 2000
WRITER = """
import sys, time
first, last = map(int, sys.argv[1:])
for begin in range(first, last, %d):
    sys.stdout.write("".join(f"number {n}\\n" for n in range(begin, min(begin + %d, last))))
    sys.stdout.flush()
    time.sleep(0.02)
""" % (BATCH, BATCH)  # noqa: UP031  # braces stand in it


class Numbers:
    """A unit that prints numbers, and the tail that follows it."""

    def __init__(self, lab: Lab, unit: str) -> None:
        self.lab, self.unit = lab, unit
        # a tail is ended by killing what stands outside: it is to take the one inside with it
        command = ["setpriv", "--pdeathsig", "KILL", "journalctl"]
        self.journalctl = lab.argv(command, user=False)
        self.entries: list[Entry] = []
        self.deaths = 0
        self.writer = lab.dir / "numbers.py"
        self.writer.write_text(WRITER, encoding="utf-8")
        self.tail = JournalTail(
            Tools(journalctl=tuple(self.journalctl)), f"{unit}.service", "system", self.entries.extend, self._heed,
            history=1_000_000_000,
        )  # fmt: skip

    def _heed(self, state: str, failure: Failure | None, hint: str | None) -> None:
        self.deaths += state == "ended"

    async def run(self, *words: str) -> str:
        """A command in the lab, as root."""
        done = await asyncio.to_thread(self.lab.run, words, timeout=900)
        return done.stdout

    async def write(self, first: int, last: int) -> None:
        quiet = ("--wait", "--quiet", "--collect", "-p", "LogRateLimitIntervalSec=0")
        await self.run("systemd-run", *quiet, f"--unit={self.unit}", "python3", str(self.writer), str(first), str(last))
        # journald has read them only now
        await self.run("journalctl", "--sync")

    async def held(self) -> list[int]:
        """The numbers that the journal holds."""
        return _numbers((await self.run("journalctl", "-u", self.unit, "-o", "cat", "--all")).splitlines())

    @property
    def taken(self) -> list[int]:
        return _numbers([entry.message for entry in self.entries if not entry.gap])

    @property
    def gaps(self) -> list[str]:
        return [entry.message for entry in self.entries if entry.gap]

    def kill_journalctl(self) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                mine = path.with_name("stat").read_text().rsplit(")", 1)[1].split()[1] == str(os.getpid())
                if mine and f"{self.unit}.service".encode() in path.read_bytes():
                    os.kill(int(path.parent.name), signal.SIGKILL)

    @asynccontextmanager
    async def following(self) -> Any:
        following = asyncio.create_task(self.tail.run())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def until_taken(self, number: int, seconds: float = 60) -> None:
        """Until this number was taken; what comes after it would be one too many."""
        wanted = f"number {number}"
        await eventually(lambda: any(entry.message == wanted for entry in self.entries[-BATCH:]), wanted, seconds)
        await asyncio.sleep(1)


def _numbers(lines: list[str]) -> list[int]:
    return [int(match[1]) for line in lines if (match := re.fullmatch(r"number (\d+)", line))]


@pytest.fixture(scope="module")
def journal_lab(lab_possible: None) -> Iterator[Lab]:
    with Lab.boot(units=()) as booted:
        yield booted


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litellm_tui.logs.journal.random.uniform", lambda *_: 0.2)


async def test_every_number_comes_once_though_journalctl_dies_and_the_journal_is_rotated(journal_lab: Lab) -> None:
    numbers = Numbers(journal_lab, "whole")
    async with numbers.following():
        writing = asyncio.create_task(numbers.write(0, LINES))
        chance = random.Random(6)
        while not writing.done():
            await asyncio.sleep(chance.uniform(0.1, 0.9))
            numbers.kill_journalctl()
            if chance.random() < 0.5:
                await numbers.run("journalctl", "--rotate")
        await writing
        await numbers.until_taken(LINES - 1, 120 + LINES / 5000)
    assert numbers.deaths > 0
    assert numbers.taken == await numbers.held() == list(range(LINES))
    assert numbers.gaps == [], "nothing was missing"


async def test_what_was_rotated_away_while_nobody_read_is_announced(journal_lab: Lab) -> None:
    numbers = Numbers(journal_lab, "vacuumed")
    await numbers.write(0, 1000)
    async with numbers.following():
        await numbers.until_taken(999)
    await numbers.write(1000, 3000)
    await numbers.run("journalctl", "--rotate")
    await numbers.run("journalctl", "--vacuum-files=1")
    await numbers.write(3000, 4000)
    held = await numbers.held()
    assert held == list(range(3000, 4000)), "the journal was to lose all but the last"
    async with numbers.following():
        await numbers.until_taken(3999)
    assert numbers.taken == [*range(1000), *held]
    (gap,) = numbers.gaps
    assert "rotated away beyond the last one that was read" in gap
    assert int(re.search(r"at most ([\d,]+) of all units", gap)[1].replace(",", "")) >= 2000  # type: ignore[index]
    place = next(place for place, entry in enumerate(numbers.entries) if entry.gap)
    before = [entry.message for entry in numbers.entries[:place] if entry.message.startswith("number ")]
    assert len(before) == 1000


async def test_what_journald_suppressed_is_announced_with_its_number(journal_lab: Lab) -> None:
    numbers = Numbers(journal_lab, "suppressed")
    script = f"python3 {numbers.writer} 0 20000; sleep 3; python3 {numbers.writer} 20000 20001"
    limit = ("-p", "LogRateLimitIntervalSec=2s", "-p", "LogRateLimitBurst=100")
    async with numbers.following():
        await numbers.run("systemd-run", "--wait", "--quiet", "--unit=suppressed", *limit, "sh", "-c", script)
        await numbers.until_taken(20000)
    said = [int(number) for gap in numbers.gaps for number in re.findall(r"Suppressed (\d+) messages", gap)]
    assert len(numbers.taken) + sum(said) == 20001
    assert said


async def test_older_lines_lead_back_to_the_first_one(journal_lab: Lab) -> None:
    numbers = Numbers(journal_lab, "older")
    await numbers.write(0, 5000)
    found: list[Entry] = []
    at = Entry(9e9, "", 6, 0, "")
    while older := await numbers.tail.before(at, 700):
        assert not isinstance(older, Failure)
        found[:0] = older
        at = older[0]
    assert _numbers([entry.message for entry in found]) == list(range(5000))


async def test_a_line_that_journald_splits_is_whole_as_it_comes_and_read_back(journal_lab: Lab) -> None:
    numbers = Numbers(journal_lab, "split")
    # journald splits at 48 KiB: in the middle of what must not be torn
    secret = "sk-" + "s" * 60
    line = "x" * (48 * 1024 - 20) + secret + "y" * (48 * 1024) + secret + "z" * 30_000
    numbers.writer.write_text(f"print('number 0'); print({line!r}); print('number 1')", encoding="ascii")
    async with numbers.following():
        await numbers.write(0, 1)
        await numbers.until_taken(1)
    held = (await numbers.run("journalctl", "-u", "split", "-o", "cat", "--all")).splitlines()
    assert max(map(len, held)) == 48 * 1024, "journald was to split it"
    older = await numbers.tail.before(Entry(9e9, "", 6, 0, ""), 100)
    assert not isinstance(older, Failure)
    for entries in (numbers.entries, older):
        assert [e.message for e in entries if e.identifier == "python3"] == ["number 0", line, "number 1"]
