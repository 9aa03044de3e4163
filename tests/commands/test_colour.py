"""When a command's output is coloured, and which lines are."""

from __future__ import annotations

import io
import re

import pytest

from litellm_tui.commands.colour import painted, severity_of, wants_colour
from litellm_tui.ui.signs import to_ascii


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "terminal", "pipe"),
    [
        ({"TERM": "xterm"}, True, False),
        ({}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, False),
        ({"TERM": "xterm", "CLICOLOR": "0"}, False, False),
        ({"CLICOLOR_FORCE": "1"}, True, True),
        ({"TERM": "xterm", "CLICOLOR_FORCE": "0"}, True, False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_no_color_goes_before_force_and_that_before_the_stream(
    environ: dict[str, str], terminal: bool, pipe: bool
) -> None:
    assert wants_colour(_Terminal(), environ) is terminal
    assert wants_colour(io.StringIO(), environ) is pipe


def test_problems_are_coloured_by_their_sign_in_ascii_too() -> None:
    for line, severity in (("✖ new  a: b", "bad"), ("◐ a: b", "warn"), ("    because x", "quiet"), ("", "quiet")):
        assert severity_of(line) == severity_of(to_ascii(line)) == severity
    assert painted("well", "quiet") == "well"
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted("✖ a", "bad")) == "✖ a"
