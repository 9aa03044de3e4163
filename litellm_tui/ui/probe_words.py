"""What a probe came to, in a few words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from litellm_tui.analysis.failures.causes import first_words, name_cause
from litellm_tui.logs.log_line import clean
from litellm_tui.model.probe import ProbeResult

_BAR: Final = "█"


def result_words(result: ProbeResult, redact: Callable[[str], str]) -> str:
    """One result on one line, without secrets."""
    if result.skipped:
        return clean(f"not asked: {result.skipped}")
    if result.ok:
        return f"answered in {result.took:.2f} s"
    return f"failed after {result.took:.2f} s: {error_words(result, redact)}"


def error_words(result: ProbeResult, redact: Callable[[str], str]) -> str:
    """The cause of a failure, and the error's own first words."""
    cause = "gateway" if result.by_gateway else name_cause(result.error).name
    return clean(f"{cause}: {first_words(redact(result.error))}").replace("\n", " ")


def bar(value: float, most: float, width: int) -> str:
    """A value as a bar of at most `width` cells, of which `most` takes all; what is above 0 takes one at least."""
    if value <= 0 or most <= 0:
        return ""
    return _BAR * min(width, max(1, round(width * value / most)))
