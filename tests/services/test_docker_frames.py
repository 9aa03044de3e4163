"""Lines of a container's log are whole again, whatever pieces the engine has made of them.

The recordings are those of Docker 20.10.24, of a program that printed twice: a line of 40,003 bytes with a secret
across byte 16,384 and 4 bytes of it a second late, one of exactly 16,384, and one without an end.
"""

from __future__ import annotations

import gzip
import random
import struct
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.logs.entry import LONGEST_LINE
from litellm_tui.services.docker.frames import PIECE, Frames, NoFrame, Raw, without_seams
from tests.recorded import FOLDER

HERE = FOLDER / "docker-20.10.24"
SECRET = b"sk-" + b"A" * 45
STAMP = "2026-11-29T17:52:{:02}.{:09}Z "
# content's length and first word
SHORT, LONG, EXACT, UNFINISHED = (5, b"hello"), (40003, b"xxxxx"), (PIECE, b"zzzzz"), (10, b"unfin")
ERRORS = [(8, b"an er"), (7, b"betwe")]


class Sink:
    """What is given to it, by output."""

    def __init__(self) -> None:
        self.lines: tuple[list[bytes], list[bytes]] = ([], [])
        self.cuts: list[tuple[int, int]] = []

    def __call__(self, output: int, lines: bytes, cut: bool) -> None:
        if lines:
            self.lines[output].extend(lines.split(b"\n"))
        if cut:
            self.cuts.append((output, len(self.lines[output])))

    def told(self, output: int) -> list[tuple[int, bytes]]:
        """Length and beginning of each line's content."""
        return [(len(line.rstrip(b"\r")) - 31, line[31:36].rstrip(b"\r")) for line in self.lines[output]]


def _recorded(name: str) -> bytes:
    return gzip.decompress((HERE / f"{name}.gz").read_bytes())


def _chunks(content: bytes, size: int) -> Iterable[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def _frame(stream: int, content: bytes, stamp: bytes = STAMP.format(1, 1).encode()) -> bytes:
    return struct.pack(">B3xI", stream, len(stamp) + len(content)) + stamp + content


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 18])
def test_recorded_frames_give_whole_lines(size: int) -> None:
    sink = Sink()
    frames = Frames(sink)
    for chunk in _chunks(_recorded("log-frames"), size):
        frames.feed(chunk)
    frames.finish()
    assert sink.told(0) == [SHORT, LONG, EXACT, UNFINISHED] * 2
    assert sink.told(1) == ERRORS * 2
    assert [SECRET in line for line in sink.lines[0]] == [False, True, False, False] * 2
    assert sink.cuts == []


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 18])
def test_a_recorded_terminal_gives_whole_lines(size: int) -> None:
    sink = Sink()
    raw = Raw(sink)
    for chunk in _chunks(_recorded("log-terminal"), size):
        raw.feed(chunk)
    raw.finish()
    assert sink.told(0) == [SHORT, (8, b"an er"), (40007, b"xxxxx"), (3, b"END"), EXACT, UNFINISHED]
    assert [SECRET in line for line in sink.lines[0]] == [False, False, True, False, False, False]


def test_what_the_client_printed_gives_whole_lines() -> None:
    printed = _recorded("log-client")
    assert SECRET not in printed
    lines = without_seams(printed).split(b"\n")
    assert [len(line) - 31 for line in lines] == [5, 40003, PIECE, 10 + 31 + 5, 40003, PIECE, 10]
    assert sum(SECRET in line for line in lines) == 2


def test_a_line_that_the_end_of_the_connection_has_cut_is_left_to_the_next() -> None:
    whole = _recorded("log-frames")
    # behind the first full piece of the long line
    cut = whole.index(b"sk-") + whole[whole.index(b"sk-") :].index(b"\x01\0\0\0")
    sink = Sink()
    frames = Frames(sink)
    frames.feed(whole[:cut])
    frames.finish()
    assert sink.told(0) == [SHORT]
    printed = _recorded("log-client")
    begun = printed[: printed.index(b"xxx") + PIECE]
    assert [len(line) - 31 for line in without_seams(begun).split(b"\n")] == [5]
    # as are those of a terminal, and one with the empty piece is whole
    assert without_seams(b"2026-11-29T17:52:00.000000001Z " + b"z" * PIECE) == b""
    exact = b"2026-11-29T17:52:00.000000001Z " + b"z" * PIECE
    assert without_seams(exact + exact[:31]) == exact


def test_a_line_without_an_end_is_not_continued_by_the_next_process() -> None:
    sink = Sink()
    frames = Frames(sink)
    frames.feed(_frame(1, b"unfinished", b"2026-11-29T17:52:01.000000000Z "))
    frames.feed(_frame(1, b"begun again\n", b"2026-11-29T17:52:02.000000000Z "))
    assert [line[31:] for line in sink.lines[0]] == [b"unfinished", b"begun again"]


def test_the_engines_own_words_end_no_line_of_the_container() -> None:
    sink = Sink()
    frames = Frames(sink)
    frames.feed(_frame(2, b"b" * PIECE) + _frame(2, b"Error grabbing logs: EOF\n", b"") + _frame(3, b"gone\n", b""))
    assert [line[-24:] for line in sink.lines[1]] == [b"b" * 24, b"Error grabbing logs: EOF", b"gone"]


def test_a_line_that_is_too_long_is_cut_out_and_what_comes_after_it_is_not() -> None:
    sink = Sink()
    frames = Frames(sink)
    pieces = LONGEST_LINE // PIECE + 3
    for _ in range(pieces):
        frames.feed(_frame(1, b"x" * PIECE))
        assert len(frames._held) == 0
        assert frames._lines[0].size <= LONGEST_LINE + PIECE
    frames.feed(_frame(2, b"an error\n"))
    frames.feed(_frame(1, b"its end\n"))
    frames.feed(_frame(1, b"the next\n", STAMP.format(2, 0).encode()))
    assert [line[31:] for line in sink.lines[0]] == [b"the next"]
    assert [line[31:] for line in sink.lines[1]] == [b"an error"]
    assert sink.cuts == [(0, 0)]


@pytest.mark.parametrize("ends", [True, False])
def test_a_frame_of_any_length_is_not_held(ends: bool) -> None:
    sink = Sink()
    frames = Frames(sink)
    stamp = STAMP.format(1, 1).encode()
    length = 3 * LONGEST_LINE
    frames.feed(struct.pack(">B3xI", 1, length) + stamp)
    for _ in range(length // PIECE - 1):
        frames.feed(b"x" * PIECE)
        assert len(frames._held) <= PIECE
    left = length - 31 - (length // PIECE - 1) * PIECE
    frames.feed(b"x" * (left - 1) + (b"\n" if ends else b"x"))
    if not ends:
        frames.feed(_frame(1, b"still the same\n"))
    frames.feed(_frame(1, b"the next\n", STAMP.format(2, 0).encode()))
    assert [line[31:] for line in sink.lines[0]] == [b"the next"]
    assert sink.cuts == [(0, 0)]
    # what says that it is 4 GB long is waited for, with nothing kept
    frames.feed(struct.pack(">B3xI", 1, 0xFFFFFFFF) + stamp + b"x" * PIECE)
    frames.finish()
    assert len(frames._held) == 0
    assert [line[31:] for line in sink.lines[0]] == [b"the next"]


@pytest.mark.parametrize(
    "sent", [b"HTTP/1.1 200 OK", b"\x01\0\0\x01\0\0\0\x01", b"2026-11-29T17:52:01", b"\x04" + b"\0" * 7]
)
def test_what_is_no_frame_is_refused(sent: bytes) -> None:
    with pytest.raises(NoFrame):
        Frames(Sink()).feed(sent)


_CONTENTS = st.one_of(
    st.binary(max_size=40), st.sampled_from([PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 40000]).map(lambda n: b"y" * n)
).map(lambda content: content.replace(b"\n", b"\r"))


@given(
    lines=st.lists(st.tuples(st.sampled_from([1, 2]), _CONTENTS), max_size=8),
    order=st.randoms(use_true_random=False),
    size=st.integers(1, 70000),
)
def test_whatever_the_engine_makes_of_lines_they_come_back(
    lines: list[tuple[int, bytes]], order: random.Random, size: int
) -> None:
    """The engine as `daemon/logger/copier.go` has it: each stream cuts its own lines, the frames of both are mixed."""
    streams: dict[int, list[bytes]] = {1: [], 2: []}
    for number, (stream, content) in enumerate(lines):
        stamp = STAMP.format(3, number).encode()
        # after a piece that is full there comes a last one, be it empty
        *pieces, last = (content[at : at + PIECE] for at in range(0, len(content) + 1, PIECE))
        streams[stream] += [_frame(stream, piece, stamp) for piece in (*pieces, last + b"\n")]
    sent = b""
    while any(streams.values()):
        chosen = order.choice([stream for stream, frames in streams.items() if frames])
        sent += streams[chosen].pop(0)
    sink = Sink()
    frames = Frames(sink)
    for chunk in _chunks(sent, size):
        frames.feed(chunk)
    frames.finish()
    for output in (0, 1):
        assert [line[31:] for line in sink.lines[output]] == [c for stream, c in lines if stream == output + 1]
