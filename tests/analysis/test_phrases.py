"""Numbers and times in the operator's words."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.phrases import age, coarse_age, count, shortened, size


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"), (0, "0 s"), (12.9, "12 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"),
        (3659, "1 h"), (3660, "1 h 1 min"), (86399, "23 h 59 min"), (86400, "1 d"), (90000, "1 d 1 h"),
        (273600, "3 d 4 h"),
    ],
)  # fmt: skip
def test_an_age_has_at_most_two_units(seconds: float, words: str) -> None:
    assert age(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "now"), (19.9, "now"), (20, "20 s"), (45, "40 s"), (60, "1 min"), (7200, "2 h")]
)
def test_a_drawn_age_moves_in_steps(seconds: float, words: str) -> None:
    assert coarse_age(seconds) == words


def test_counting() -> None:
    assert count(1, "deployment") == "1 deployment"
    assert count(0, "deployment") == "0 deployments"
    assert count(1200, "miss", "misses") == "1,200 misses"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "0.977 KB"), (1253376, "1.2 MB"), (221249536, "211 MB"), (5e12, "4657 GB")],
)
def test_a_size_has_three_figures(number: float, words: str) -> None:
    assert size(number) == words


@pytest.mark.parametrize(("text", "words"), [("", ""), ("four", "four"), ("fives", "fiv…")])
def test_a_cut_is_marked_and_no_longer_than_it_may_be(text: str, words: str) -> None:
    assert shortened(text, 4) == words
