"""A restart that its console has not ended, as the first thing that is said of a gateway."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from litellm_tui.model.diagnosis import Diagnosis, Headline, Part, Place, Problem

_KEY: Final = "service:left open"


def with_left_open(diagnosis: Diagnosis, reason: str, by: str = "") -> Diagnosis:
    """The diagnosis with a transaction that was left open before everything else, in the header too.

    `reason` says where it stands. `by` names who is at work on it: then it is under way, and nothing is wrong.
    """
    if by:
        problem = Problem(_KEY, "quiet", "restart", "under way", by, Place("service"), do="wait for that to end")
        part = Part("a restart is under way")
    else:
        problem = Problem(
            _KEY,
            "bad",
            "restart",
            "left open",
            reason,
            Place("service"),
            do="`litellm-tui restart --finish` ends it, `litellm-tui restart --undo` takes it back",
            hit="whatever was to be applied is neither proved nor taken back",
        )
        part = Part("a restart was left open", "bad")
    headline = diagnosis.headline
    calm = headline.severity in ("ok", "quiet", "unknown") and not by
    headline = Headline(
        "AT RISK" if calm else headline.word,
        headline.severity if by else "bad",
        (part, *headline.parts),
        headline.advice if by else f"restart: {problem.cause}; {problem.do}",
    )
    return replace(diagnosis, headline=headline, problems=(problem, *diagnosis.problems))


def left_open_among(diagnosis: Diagnosis) -> Problem | None:
    """The problem of a transaction that was left open, in a diagnosis."""
    return next((p for p in diagnosis.problems if p.key == _KEY and p.severity == "bad"), None)
