"""A terminal that needs long for what is painted is painted on rarely, and often again when it has become fast."""

from __future__ import annotations

import asyncio

import pytest

from litellm_tui.ui.paint_pace import LONGEST, Pace
from litellm_tui.ui.terminal_link import LOST, QUESTION, Link
from litellm_tui.ui.textual_internals import output_waits


class Terminal:
    """Takes `seconds` for each painting, behind a line with a `delay`. The clock is its own.

    One that does not answer takes nothing while it is busy; one that answers lets everything be written at once.
    """

    def __init__(self, answers: bool, delay: float = 0.0) -> None:
        self.now = 100.0
        self.seconds = 0.0
        self.delay = delay
        self.answers = answers
        self.asked = 0
        self._done = 0.0
        self._answers_at: float | None = None
        self.link = Link(self._write, lambda: not answers and self.now < self._done, lambda: self.now)
        self.pace = Pace(self.link, lambda: self.now)
        self.link.ask()
        self.passes(delay + 0.05)

    def _write(self, text: str) -> None:
        assert text == QUESTION
        self.asked += 1
        if self.answers:
            self._answers_at = max(self.now, self._done) + self.delay

    def passes(self, seconds: float) -> None:
        for _ in range(round(seconds * 100)):
            self.now += 0.01
            if self._answers_at is not None and self.now >= self._answers_at:
                self._answers_at = None
                self.link.heard()

    def paints(self) -> None:
        self._done = max(self.now, self._done) + self.seconds
        self.link.ask_soon()
        self.link.painted()

    def paintings(self, seconds: float) -> int:
        """How often is painted in so much time, asked twenty times a second."""
        count = 0
        for _ in range(round(seconds * 20)):
            self.passes(0.05)
            if self.pace.ready():
                count += 1
                self.paints()
        return count


BOTH = pytest.mark.parametrize("answers", [True, False], ids=["answers", "deaf"])


@BOTH
def test_a_fast_terminal_is_always_ready(answers: bool) -> None:
    terminal = Terminal(answers)
    assert terminal.paintings(10) == 200
    assert not terminal.pace.slow


@BOTH
def test_a_slow_terminal_is_left_to_the_keys_most_of_the_time(answers: bool) -> None:
    terminal = Terminal(answers)
    terminal.seconds = 0.5
    count = terminal.paintings(200)
    assert 20 < count < 150
    assert count * terminal.seconds < 200 / 3
    assert terminal.pace.slow


@BOTH
def test_being_late_once_changes_nothing(answers: bool) -> None:
    terminal = Terminal(answers)
    terminal.seconds = 0.5
    terminal.paintings(0.1)
    terminal.seconds = 0.0
    assert terminal.paintings(10) > 180
    assert not terminal.pace.slow


@BOTH
def test_a_terminal_that_stands_still_is_not_waited_for_longer_than_a_while(answers: bool) -> None:
    terminal = Terminal(answers)
    terminal.seconds = 20.0
    terminal.paintings(100)
    terminal.seconds = 0.0
    assert terminal.paintings(20 + LONGEST + 1) > 0
    assert terminal.paintings(60) > 60, "and it is fast again"


def test_a_line_with_a_long_delay_is_no_slow_one() -> None:
    terminal = Terminal(True, delay=0.6)
    assert terminal.paintings(60) > 80
    assert not terminal.pace.slow


def test_an_answer_that_is_lost_is_not_waited_for_forever() -> None:
    terminal = Terminal(True)
    terminal.seconds = 10 * LOST
    terminal.paints()
    terminal.passes(1)
    assert terminal.link.behind()
    terminal.passes(LOST)
    assert not terminal.link.behind()
    asked = terminal.asked
    terminal.paints()
    assert terminal.asked == asked + 1


def test_who_never_answers_is_asked_once() -> None:
    terminal = Terminal(False)
    terminal.paintings(5 * LOST)
    assert terminal.asked == 1
    assert not terminal.link.answers


def test_an_answer_that_nobody_asked_for_says_nothing() -> None:
    link = Link(lambda _: None)
    link.heard()
    assert not link.answers


def test_what_a_painting_takes_is_counted_beyond_the_lines_own_delay() -> None:
    terminal = Terminal(True, delay=0.2)
    terminal.seconds = 0.5
    terminal.paints()
    terminal.passes(0.6)
    assert terminal.link.behind()
    terminal.passes(1)
    assert terminal.link.busy() == pytest.approx(0.5, abs=0.03)
    assert terminal.link.busy() == 0


async def test_before_the_terminal_is_handed_over_an_answer_is_waited_for() -> None:
    link = Link(lambda _: None)
    link.ask()
    # nobody knows yet whether it answers
    await link.quiet(10)
    link.heard()
    link.ask()
    waiting = asyncio.create_task(link.quiet(10))
    await asyncio.sleep(0)
    assert not waiting.done()
    link.heard()
    await waiting
    link.ask()
    await link.quiet(0.01)


def test_without_a_driver_of_ones_own_nothing_waits() -> None:
    assert not output_waits(None)
    assert not output_waits(object())
