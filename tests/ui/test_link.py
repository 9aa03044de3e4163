"""A terminal that needs long for what is painted is painted on rarely, and often again when it has become fast."""

from __future__ import annotations

from litellm_tui.ui.pace import LONGEST, Pace, output_waits


class Terminal:
    """Takes `seconds` for each painting. The clock is its own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.seconds = 0.0
        self._done = 0.0
        self.pace = Pace(lambda: self.now < self._done, lambda: self.now)

    def paintings(self, seconds: float) -> int:
        """How often is painted in so much time, asked twenty times a second."""
        count = 0
        for _ in range(round(seconds * 20)):
            self.now += 0.05
            if self.pace.ready():
                count += 1
                self._done = self.now + self.seconds
        return count


def test_a_fast_terminal_is_always_ready() -> None:
    assert Terminal().paintings(10) == 200


def test_a_slow_terminal_is_left_to_the_keys_most_of_the_time() -> None:
    terminal = Terminal()
    terminal.seconds = 0.5
    count = terminal.paintings(200)
    assert 10 < count < 40
    assert count * terminal.seconds < 200 / 8


def test_being_late_once_changes_nothing() -> None:
    terminal = Terminal()
    terminal.seconds = 0.5
    terminal.paintings(0.1)
    terminal.seconds = 0.0
    assert terminal.paintings(10) > 180


def test_a_terminal_that_stands_still_is_not_waited_for_longer_than_a_while() -> None:
    terminal = Terminal()
    terminal.seconds = 60.0
    terminal.paintings(100)
    terminal.seconds = 0.0
    assert terminal.paintings(60 + LONGEST + 1) > 0
    assert terminal.paintings(60) > 60, "and it is fast again"


def test_without_a_driver_of_ones_own_nothing_waits() -> None:
    assert not output_waits(None)
    assert not output_waits(object())
