"""What the audit says of a configuration: findings with their rule, place and fix, what is right, and the score."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from litellm_tui.model.configuration import Mark
from litellm_tui.model.edits import Fix, Path

Severity = Literal["fatal", "error", "warning", "advice"]
"""`fatal`: LiteLLM does not start. `error`: requests or a feature fail. `warning`: something is not as it was meant, or
will bite. `advice`: it works, and could be better."""

SEVERITIES: Final[tuple[Severity, ...]] = ("fatal", "error", "warning", "advice")
RANK: Final[dict[Severity, int]] = {severity: rank for rank, severity in enumerate(SEVERITIES)}


class Finding(msgspec.Struct, frozen=True):
    """One thing that a rule found at one place.

    `path` leads into the merged configuration, or is empty. `text` says what is wrong here, `do` what to do about it.
    `silenced` is the operator's reason to leave it. `source` says where LiteLLM's behaviour can be read.
    """

    rule: str
    severity: Severity
    title: str
    text: str
    mark: Mark
    path: Path = ()
    do: str = ""
    why: str = ""
    source: str = ""
    fix: Fix | None = None
    silenced: str | None = None


class Strength(msgspec.Struct, frozen=True):
    """Something that is right, and where it stands."""

    text: str
    mark: Mark | None = None


class Deduction(msgspec.Struct, frozen=True):
    """What one severity takes from the score: `count` rules, `each` points; `points` is the sum, at most its limit."""

    severity: Severity
    count: int
    each: float
    points: float


class Score(msgspec.Struct, frozen=True):
    """Out of 10. A rule counts once, however often it found something."""

    value: float
    deductions: tuple[Deduction, ...] = ()


class Audit(msgspec.Struct, frozen=True):
    """The result for one configuration: `findings` worst first and in the order of the file, the silenced ones apart.

    `version` is the LiteLLM it was held against, `basis` how that was found, in words. `unknown` says what could not be
    looked at, and so was not judged.
    """

    path: str
    version: str
    basis: str
    findings: tuple[Finding, ...] = ()
    silenced: tuple[Finding, ...] = ()
    right: tuple[Strength, ...] = ()
    unknown: tuple[str, ...] = ()
    score: Score = Score(10.0)

    def worst(self) -> Severity | None:
        """The worst severity that was found; None when nothing was."""
        return min((finding.severity for finding in self.findings), key=RANK.__getitem__, default=None)

    def below(self, *path: str | int) -> tuple[Finding, ...]:
        """The findings that stand at or under this path."""
        return tuple(finding for finding in self.findings if finding.path[: len(path)] == path)
