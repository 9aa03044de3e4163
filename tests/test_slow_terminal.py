"""A line that takes everything at once and delivers it late, as ssh does: the log waits for the terminal."""

from __future__ import annotations

import os
import time

import pytest

from tests.bench.console import flooded, opened

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")

# a painting of the log has some two KB, and without waiting there would be four a second
PATIENTLY = 4096


def test_a_terminal_that_is_behind_gets_no_log_and_all_of_it_later() -> None:
    with flooded(200) as console, opened(console, buffered=True) as terminal:
        terminal.wait_for("following", timeout=30)
        # without a line that stands still, so much comes in that time
        before = terminal.taken
        flowed = terminal.wait_for(lambda _: terminal.taken - before > 2 * PATIENTLY, timeout=30)
        terminal.open_line.clear()
        # what is on its way when the line stands still: on a busy machine that takes a while
        marks = [terminal.taken]
        while len(marks) < 2 or marks[-1] - marks[-2] > PATIENTLY // 4:
            assert len(marks) < 30, marks
            time.sleep(1)
            marks.append(terminal.taken)
        before, screen = terminal.taken, terminal.screen_text()
        time.sleep(max(3.0, flowed))
        assert terminal.taken - before < PATIENTLY
        terminal.open_line.set()
        terminal.wait_for(lambda text: text != screen, timeout=30)
        before = terminal.taken
        terminal.wait_for(lambda _: terminal.taken - before > PATIENTLY, timeout=30)


def test_no_answer_is_on_its_way_when_the_console_ends() -> None:
    """The shell would take it for something that was typed."""
    with flooded(200) as console, opened(console, 8192, buffered=True) as terminal:
        terminal.wait_for("following", timeout=30)
        time.sleep(3)
        # what is not drawn within a second is not waited for: nothing old may be on its way
        terminal.wait_for(lambda _: terminal.taken - terminal.bytes_received < 2048, timeout=30)
        terminal.press("q")
        terminal.exit_status(20)
        answered = terminal.answered
        assert answered > 1
        # until all that was written has been drawn
        before = -1
        while terminal.bytes_received != before:
            before = terminal.bytes_received
            time.sleep(0.5)
        assert terminal.answered == answered
