"""Files that a killed writer has left in the middle, as problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from litellm_tui.model.diagnosis import Diagnosis, Place, Problem

_KEY: Final = "configuration:half-written:"


def problems_of(found: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    """A problem for each file, given by its path and what there is to say of it."""
    for path, text in found:
        yield Problem(
            key=f"{_KEY}{path}",
            severity="bad",
            title="configuration",
            cause="half-written",
            reason=text,
            place=Place("configuration"),
            do="before anything restarts: `litellm-tui restart` makes the file whole first, and so does a rollback",
            hit="nobody yet: what runs was read before",
        )


def problem_among(diagnosis: Diagnosis) -> Problem | None:
    """The first of those problems in a diagnosis."""
    return next((p for p in diagnosis.problems if p.key.startswith(_KEY) and p.solved_at is None), None)
