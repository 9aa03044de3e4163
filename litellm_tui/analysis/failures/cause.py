"""A cause of failures, and the words in an error text that name it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from litellm_tui.model.traffic import Subject

# characters between two parts of a form
_GAP: Final = 300
_VAGUE: Final = ("no connection", "failing", "cooling down")


class Cause(NamedTuple):
    """A cause in two or three words, the next step in a sentence, whose failure it is, and what the cause means."""

    name: str
    do: str
    subject: Subject = "upstream"
    means: str = ""

    @property
    def vague(self) -> bool:
        """Whether another observation may name a clearer cause."""
        return self.name in _VAGUE


class WordRule(NamedTuple):
    """A cause and its forms in lower case; the parts of a form, between which ` … ` stands, follow each other."""

    cause: Cause
    forms: tuple[tuple[str, ...], ...]

    def matches(self, lowered: str) -> bool:
        """Whether one of the forms is in a text in lower case. Linear in its length."""
        return any(_follow(form, lowered) for form in self.forms)


def word_rule(name: str, subject: Subject, means: str, do: str, *forms: str) -> WordRule:
    """A rule for a cause of this subject."""
    return WordRule(Cause(name, do, subject, means), tuple(tuple(form.split(" … ")) for form in forms))


def first_cause(rules: Iterable[WordRule], lowered: str) -> Cause | None:
    """The cause of the first rule that matches."""
    return next((rule.cause for rule in rules if rule.matches(lowered)), None)


def _follow(parts: tuple[str, ...], lowered: str) -> bool:
    at = 0
    for number, part in enumerate(parts):
        # a later part is near the one before it
        end = len(lowered) if number == 0 else at + _GAP + len(part)
        at = lowered.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
