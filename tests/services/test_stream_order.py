"""The two streams of a container's log in the order of their stamps, as the client prints them into two pipes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from litellm_tui.logs.command_tail import CommandTail
from litellm_tui.logs.entry import Entry
from litellm_tui.services.docker import stream_order
from litellm_tui.services.docker.container_log import DockerLines, LogOf
from litellm_tui.services.docker.docker_cli import format_stamp
from litellm_tui.services.docker.stream_order import StampOrder

BEGAN = 1_796_000_000
# prints a cause to stderr and its effect to stdout, again and again, with a long one among them
CLIENT = f"""#!{sys.executable}
import os, sys

if sys.argv[1] != "logs":
    sys.exit("unknown command")
for number in range(3000):
    stamp = f"2026-11-30T00:00:{{number // 100:02}}.{{number % 100:02}}0000"
    os.write(2, f"{{stamp}}001Z cause {{number}}{{'x' * 9000 * (number % 500 == 7)}}\\n".encode())
    os.write(1, f"{{stamp}}002Z effect {{number}}\\n".encode())
"""


async def _the_container() -> str:
    return "abc"


async def test_an_effect_stands_behind_its_cause_however_the_client_prints_both(tmp_path: Path) -> None:
    client = tmp_path / "client"
    client.write_text(CLIENT, encoding="ascii")
    client.chmod(0o700)
    entries: list[Entry] = []
    tail = CommandTail(DockerLines(LogOf(str(client), "gateway", _the_container), 0), entries.extend, lambda *_: None)
    await tail._follow_once()
    told = [" ".join(entry.message.rstrip("x").split()) for entry in entries]
    assert told == [f"{what} {number}" for number in range(3000) for what in ("cause", "effect")]


def _line(number: int, text: str = "") -> bytes:
    return f"{format_stamp(BEGAN, number)} {text or number}".encode()


class Taken:
    def __init__(self) -> None:
        self.taken: list[tuple[int, bytes, bool]] = []
        self.order = StampOrder(lambda *given: self.taken.append(given))

    @property
    def texts(self) -> list[str]:
        return [line.split(b" ")[1].decode() for _, lines, _ in self.taken if lines for line in lines.split(b"\n")]


def test_nothing_is_handed_over_before_the_pipes_are_empty() -> None:
    there = Taken()
    there.order.add(0, b"\n".join((_line(2), _line(4))), False)
    there.order.add(1, b"\n".join((_line(1), _line(3))), False)
    assert there.taken == []
    there.order.flush()
    assert there.texts == ["1", "2", "3", "4"]
    assert [output for output, _, _ in there.taken] == [1, 0, 1, 0]
    there.order.flush()
    assert len(there.taken) == 4


def test_the_clients_own_words_keep_their_place_behind_what_they_follow() -> None:
    there = Taken()
    there.order.add(1, b"\n".join((_line(1), b"Error response from daemon: gone")), False)
    there.order.add(0, _line(2), False)
    there.order.flush()
    assert there.taken[0] == (1, _line(1) + b"\nError response from daemon: gone", False)


def test_a_flood_is_handed_over_up_to_what_both_streams_have_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_order, "MOST_HELD", 100)
    there = Taken()
    there.order.add(0, b"\n".join(_line(number) for number in (2, 4)), False)
    there.order.add(1, b"\n".join(_line(number) for number in (1, 3, 5)), False)
    # 5 may have others before it that wait in the first stream
    assert there.texts == ["1", "2", "3", "4"]
    # a line that was left out keeps its place
    there.order.add(0, _line(6), True)
    assert there.texts == ["1", "2", "3", "4", "5", "6"]
    assert there.taken[-1] == (0, b"", True)


def test_one_stream_alone_is_not_held_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_order, "MOST_HELD", 100)
    there = Taken()
    for number in range(10):
        there.order.add(0, _line(number), False)
    assert len(there.texts) >= 8
    there.order.flush()
    assert there.texts == [str(number) for number in range(10)]


async def test_a_stream_that_is_cancelled_ends(tmp_path: Path) -> None:
    client = tmp_path / "client"
    client.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(600)\n", encoding="ascii")
    client.chmod(0o700)
    tail = CommandTail(DockerLines(LogOf(str(client), "gateway", _the_container), 0), list.clear, lambda *_: None)
    tail._lines._socket = ""  # type: ignore[attr-defined]
    running = asyncio.create_task(tail._follow_once())
    await asyncio.sleep(0.05)
    running.cancel()
    assert (await asyncio.wait([running], timeout=10))[1] == set()
