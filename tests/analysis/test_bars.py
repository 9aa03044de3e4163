"""Bars in braille and in blocks: as high as they are meant, and never nothing where there is something."""

from __future__ import annotations

from litellm_tui.analysis.bars import blocks, braille
from litellm_tui.ui.signs import to_ascii


def test_the_largest_takes_the_whole_height_and_the_least_a_dot() -> None:
    assert braille([0, 8, 4, 1], 2) == ["⢸ ", "⢸⣇"]


def test_each_number_has_a_cell_where_it_is_wide() -> None:
    assert braille([0, 4, 2], 1, wide=True) == [" ⣿⣤"]
    assert braille([4, 2], 1) == ["⣧"]


def test_nothing_is_nothing() -> None:
    assert braille([0] * 4, 2) == ["  ", "  "]
    assert braille([], 1) == [""]
    assert blocks([0, 0], 2) == ["  ", "  "]


def test_blocks_have_eight_steps_a_line() -> None:
    assert blocks([0, 16, 8, 1, 12], 2) == [" █  ▄", " ██▁█"]


def test_they_are_told_in_ascii() -> None:
    assert to_ascii("".join(braille([0, 1, 2, 3, 4], 1, wide=True))) == " .:|#"
    assert to_ascii("".join(braille([4, 0], 1))) == "#"
