from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from litellm_tui.demo import Simulation
from litellm_tui.logs import log_line
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.journal import JournalTail
from litellm_tui.model.failures import Failure
from tests.demo.probing import chat, journal, said, until
from tests.waiting import DEADLINE

BEGUN = time.time()


class _Follower:
    """A following journalctl and the cursors it has printed."""

    def __init__(self, simulation: Simulation, *words: str) -> None:
        command = [*simulation.tools.journalctl, "--user", "-u", simulation.unit, "-o", "json", "--all", "-f", *words]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.cursors: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            self.cursors.append(json.loads(line)["__CURSOR"])

    def end(self) -> float:
        """Ask it to end; how long that took."""
        began = time.monotonic()
        self.child.terminate()
        self.child.wait(DEADLINE)
        self._reader.join(DEADLINE)
        return time.monotonic() - began


@contextmanager
def _following(simulation: Simulation, *words: str) -> Iterator[_Follower]:
    follower = _Follower(simulation, *words)
    try:
        yield follower
    finally:
        follower.end()


def test_the_first_screen_is_full_and_recent(quiet: Simulation) -> None:
    lines = journal(quiet, "-n", "900")
    assert len(lines) > 200
    times = [int(line["__REALTIME_TIMESTAMP"]) for line in lines]
    assert times == sorted(times)
    assert BEGUN - 60 < times[-1] / 1e6 <= time.time()
    assert len({line["__CURSOR"] for line in lines}) == len(lines)
    assert any(isinstance(line["MESSAGE"], list) for line in lines), "coloured lines come as bytes"
    texts = said(lines)
    assert texts[0] == "Started litellm.service - LiteLLM proxy."
    assert any("is not a valid argument for Router.__init__(). Ignoring this key." in text for text in texts)


def test_the_lines_are_the_forms_that_the_collector_reads(quiet: Simulation) -> None:
    quiet.break_model("gpt-4.1-mini", "refused")
    chat(quiet, "gpt-4.1-mini", num_retries=0)
    lines = journal(quiet, "-n", "6")
    parsed = [log_line.parse(text) for text in said(lines)]
    error = next(line for line in parsed if line.call_id)
    assert (error.level, error.source) == ("ERROR", "proxy")
    assert error.stack.startswith("Traceback (most recent call last):")
    assert "litellm.exceptions.InternalServerError" in error.stack
    assert (parsed[-1].source, parsed[-1].status, parsed[-1].path) == ("access", 500, "/v1/chat/completions")
    assert "127.0.0.1" in parsed[-1].text


def test_following_and_going_on_from_a_cursor_loses_and_repeats_nothing(quiet: Simulation) -> None:
    everything = journal(quiet, "-n", "all")
    with _following(quiet, "-n", "5") as first:
        until(lambda: len(first.cursors) == 5)
        quiet.request("gpt-4.1-mini")
        until(lambda: len(first.cursors) > 5)
        quiet.request("gpt-4.1-mini")
        assert first.end() < 1
    for _ in range(5):
        quiet.request("gpt-4.1-mini")
    with _following(quiet, "-n", "all", f"--after-cursor={first.cursors[-1]}") as second:
        quiet.request("nomic-embed-text")
        newest = journal(quiet, "-n", "1")[0]["__CURSOR"]
        until(lambda: newest in second.cursors)
    written = [line["__CURSOR"] for line in journal(quiet, "-n", "all")]
    assert first.cursors + second.cursors == written[len(everything) - 5 :]


def test_a_rotation_under_a_following_tail_loses_and_repeats_nothing(tmp_path: Path) -> None:
    with Simulation(tmp_path / "gateway", scripted=False, journal_lines=600) as simulation:
        oldest = journal(simulation, "-n", "1")[0]["__CURSOR"]
        with _following(simulation, "-n", "1") as follower:
            until(lambda: bool(follower.cursors))
            while not (simulation.folder / "journal.old").exists():
                simulation.request("nomic-embed-text")
            for _ in range(10):
                simulation.request("nomic-embed-text")
            newest = journal(simulation, "-n", "1")[0]["__CURSOR"]
            until(lambda: newest in follower.cursors)
        kept = [line["__CURSOR"] for line in journal(simulation, "-n", "all")]
        assert follower.cursors == kept[kept.index(oldest) :]
        after = [line["__CURSOR"] for line in journal(simulation, f"--after-cursor={oldest}")]
        assert after == kept[kept.index(oldest) + 1 :]
        assert len(journal(simulation, "-n", "100")) == 100


def test_a_tail_ends_when_nobody_reads_it(quiet: Simulation) -> None:
    command = [*quiet.tools.journalctl, "--user", "-u", quiet.unit, "-o", "json", "-f", "-n", "1"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    child.stdout.close()
    quiet.request("nomic-embed-text")
    assert child.wait(DEADLINE) is not None


def test_nothing_is_left_after_the_end(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    simulation = Simulation(tmp_path / "gateway", speed=5)
    simulation.start()
    follower = _Follower(simulation, "-n", "1")
    until(lambda: bool(follower.cursors))
    waiting = subprocess.Popen(simulation.tools.unit_command("user", "restart", simulation.unit))
    folder = str(simulation.folder).encode()
    simulation.stop()
    simulation.stop()
    follower.child.wait(DEADLINE)
    waiting.wait(DEADLINE)
    follower.end()

    def left() -> list[str]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if folder in path.read_bytes():
                    found.append(path.parent.name)
            except OSError:
                continue
        return found

    until(lambda: not left())
    until(lambda: set(threading.enumerate()) <= before)
    assert not simulation.folder.exists()


async def test_the_collectors_own_tail_follows_it(quiet: Simulation) -> None:
    entries: list[Entry] = []
    states: list[tuple[str, Failure | None]] = []
    news = asyncio.Event()

    def take(more: list[Entry]) -> None:
        entries.extend(more)
        news.set()

    tail = JournalTail(
        quiet.tools, quiet.unit, "user", take, lambda state, failure, hint: states.append((state, failure))
    )
    task = asyncio.create_task(tail.run())
    try:
        async with asyncio.timeout(DEADLINE):
            await news.wait()
            await asyncio.sleep(0)
            news.clear()
            quiet.request("gpt-4.1", client="10.20.9.9:4711")
            while "10.20.9.9:4711" not in entries[-1].message:
                await news.wait()
                news.clear()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert states == [("following", None)]
    assert "POST" in entries[-1].message


async def test_what_is_older_can_be_asked_for(quiet: Simulation) -> None:
    everything = said(journal(quiet, "-n", "all"))
    tail = JournalTail(quiet.tools, quiet.unit, "user", lambda _: None, lambda *_: None)
    found: list[str] = []
    at = Entry(time.time() + 60, "", 6, 0, "")
    for _ in range(5):
        older = await tail.before(at, 40)
        assert not isinstance(older, Failure)
        found[:0] = [entry.message for entry in older]
        at = older[0]
    assert found[:150] == everything[-len(found) :][:150]
    assert len(found) == 200
