"""How the terminal's background is asked: every answer that terminals give, none at all, and nothing left behind."""

from __future__ import annotations

import os
import pty
import select
import termios
import threading
import time
from collections.abc import Iterator

import pytest

from litellm_tui.host import terminal_background
from litellm_tui.host.terminal_background import QUESTION, BackgroundQuestion, ground_of, ground_of_variable

XTERM = {"TERM": "xterm-256color"}


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """`(the terminal's own end, the program's)`."""
    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


def _reads(master: int, seconds: float = 0.2) -> bytes:
    found = b""
    while select.select([master], [], [], seconds)[0]:
        found += os.read(master, 4096)
    return found


@pytest.mark.parametrize(
    ("answer", "ground"),
    [
        (b"\x1b]11;rgb:0000/0000/0000\x1b\\", "dark"),
        (b"\x1b]11;rgb:ffff/ffff/ffff\x07", "light"),
        (b"\x1b]11;rgb:1e/1e/2e\x07", "dark"),
        (b"\x1b]11;rgba:fafa/fafa/fafa/ffff\x1b\\", "light"),
        (b"\x1b]11;rgb:f/f/e\x1b\\", "light"),
        (b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\", ""),
        (b"\x1b]11;rgb:ffff/ffff\x1b\\", ""),
        (b"\x1b]11;?\x1b\\", ""),
        (b"", ""),
    ],
)
def test_what_an_answer_says(answer: bytes, ground: str) -> None:
    assert ground_of(answer) == ground


@pytest.mark.parametrize(
    ("value", "ground"),
    [
        ("0;15", "light"),
        ("15;0", "dark"),
        ("0;default;7", "light"),
        ("15;default", ""),
        ("", ""),
        ("7", ""),
        ("0;99", ""),
    ],
)
def test_what_the_variable_says(value: str, ground: str) -> None:
    assert ground_of_variable(value) == ground


def test_a_terminal_that_answers_both(ends: tuple[int, int]) -> None:
    master, slave = ends
    before = termios.tcgetattr(slave)
    question = BackgroundQuestion(slave, slave, XTERM)
    assert not termios.tcgetattr(slave)[3] & termios.ECHO
    assert _reads(master) == QUESTION
    # what is typed behind the answers is left for the console
    os.write(master, b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;22cq")
    assert question.answer() == "light"
    assert termios.tcgetattr(slave) == before
    assert _reads(master) == b"", "nothing is echoed"
    settings = termios.tcgetattr(slave)
    settings[3] &= ~termios.ICANON
    termios.tcsetattr(slave, termios.TCSANOW, settings)
    assert os.read(slave, 10) == b"q"


def test_a_terminal_that_knows_only_what_it_is_is_not_waited_for(ends: tuple[int, int]) -> None:
    master, slave = ends
    question = BackgroundQuestion(slave, slave, XTERM | {"COLORFGBG": "0;15"})
    os.write(master, b"\x1b[?1;2c")
    begun = time.monotonic()
    assert question.answer() == "light", "the variable says it then"
    assert time.monotonic() - begun < terminal_background.PATIENCE_SECONDS


def test_a_terminal_that_never_answers(ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal_background, "PATIENCE_SECONDS", 0.05)
    master, slave = ends
    before = termios.tcgetattr(slave)
    assert BackgroundQuestion(slave, slave, XTERM).answer() == ""
    assert termios.tcgetattr(slave) == before
    assert _reads(master) == QUESTION


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        (b"2\x1b]11;rgb:ffff/ffff/ffff\x1b\\z\x1b[?62;22cq", b"2z"),
        (b"2\x1b[A\x1b]11;rgb:f/f/f\x07\x1b[?62c", b"2\x1b[A"),
        (b"2\x1b", b"2\x1b"),
        (b"2\x1b[?6", b"2"),
        (b"2\x1b]11;rgb:ff", b"2"),
        (b"\xc3\xa9\x1b[?62c", "é".encode()),
        (b"", b""),
    ],
)
def test_what_is_typed_before_the_answers_is_kept(
    ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch, sent: bytes, typed: bytes
) -> None:
    monkeypatch.setattr(terminal_background, "PATIENCE_SECONDS", 0.2)
    master, slave = ends
    question = BackgroundQuestion(slave, slave, XTERM)
    os.write(master, sent)
    question.answer()
    assert question.typed == typed
    assert question.is_owed is not sent.endswith((b"c", b"cq"))


def test_an_answer_that_came_before_it_was_asked_for_is_read_however_late(
    ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal_background, "PATIENCE_SECONDS", 0.0)
    master, slave = ends
    question = BackgroundQuestion(slave, slave, XTERM)
    os.write(master, b"2\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;22c")
    assert question.answer() == "light"
    assert question.typed == b"2"
    assert not question.is_owed


def test_an_answer_in_pieces(ends: tuple[int, int]) -> None:
    master, slave = ends
    question = BackgroundQuestion(slave, slave, XTERM)

    def terminal() -> None:
        for byte in b"\x1b]11;rgb:1010/1010/1010\x1b\\\x1b[?62c":
            os.write(master, bytes([byte]))
            time.sleep(0.001)

    thread = threading.Thread(target=terminal)
    thread.start()
    assert question.answer() == "dark"
    thread.join()


@pytest.mark.parametrize("name", ["linux", "dumb", ""])
def test_who_would_print_the_question_is_not_asked(ends: tuple[int, int], name: str) -> None:
    master, slave = ends
    question = BackgroundQuestion(slave, slave, {"TERM": name})
    assert question.answer() == ""
    assert not question.is_owed
    assert _reads(master, 0.05) == b""


def test_what_is_no_terminal_is_not_asked() -> None:
    read, write = os.pipe()
    try:
        assert BackgroundQuestion(read, write, XTERM).answer() == ""
        assert not select.select([read], [], [], 0.05)[0]
    finally:
        os.close(read)
        os.close(write)
