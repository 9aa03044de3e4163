from __future__ import annotations

import pytest

from litellm_tui.analysis.health.request_counts import rate_of


@pytest.mark.parametrize(
    ("per_minute", "words"),
    [
        (0.0, "0 requests"),
        (0.2, "< 1 request"),
        (1.0, "1 request"),
        (1.4, "1 request"),
        (48.0, "48 requests"),
        (1234.0, "1,234 requests"),
    ],
)
def test_a_rate_says_its_noun_in_the_number_that_it_shows(per_minute: float, words: str) -> None:
    assert rate_of("request", per_minute) == words
