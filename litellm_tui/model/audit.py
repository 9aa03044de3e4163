"""Results of the audit: findings with their rule, place and fix, the strengths of a configuration, and the score."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from litellm_tui.model.configuration import Mark
from litellm_tui.model.edits import Fix, Path

Severity = Literal["fatal", "error", "warning", "advice"]
"""`fatal`: LiteLLM does not start. `error`: requests or a feature fail. `warning`: something has another effect than
intended, or will fail later. `advice`: it works, and could be better."""

SEVERITIES: Final[tuple[Severity, ...]] = ("fatal", "error", "warning", "advice")
RANK: Final[dict[Severity, int]] = {severity: rank for rank, severity in enumerate(SEVERITIES)}


class Finding(msgspec.Struct, frozen=True):
    """One thing that a rule found at one place.

    `path` is a path into the merged configuration, or empty. `text` says what is wrong here, `do` what to do about it.
    `silenced` is the operator's reason to leave it. `source` is the place in LiteLLM's code or documentation.
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
    """Something that is right, with its place."""

    text: str
    mark: Mark | None = None


class Deduction(msgspec.Struct, frozen=True):
    """The points that one severity costs: `count` rules with `each` points, up to a limit: `points`."""

    severity: Severity
    count: int
    each: float
    points: float


class Score(msgspec.Struct, frozen=True):
    """Out of 10. A rule counts once, even with several findings.

    `waits_for` are the variables without which LiteLLM does not start, where its environment is not known: the value
    then says nothing yet.
    """

    value: float
    deductions: tuple[Deduction, ...] = ()
    waits_for: tuple[str, ...] = ()


class Audit(msgspec.Struct, frozen=True):
    """The result for one configuration: `findings` worst first and in the order of the file, the silenced ones apart.

    `version` is the LiteLLM that the rules assume, `basis` says where that is known from. `unknown` names what could
    not be read and so was not audited. `kind` says in a sentence what the file is, where it is no configuration itself.
    `costs` says what health checks cost, in sentences with what they assume.
    """

    path: str
    version: str
    basis: str
    findings: tuple[Finding, ...] = ()
    silenced: tuple[Finding, ...] = ()
    right: tuple[Strength, ...] = ()
    unknown: tuple[str, ...] = ()
    score: Score = Score(10.0)
    kind: str = ""
    costs: tuple[str, ...] = ()

    def worst(self) -> Severity | None:
        """The worst severity of the findings; None without findings."""
        return min((finding.severity for finding in self.findings), key=RANK.__getitem__, default=None)

    def below(self, *path: str | int) -> tuple[Finding, ...]:
        """The findings at or under this path."""
        return tuple(finding for finding in self.findings if finding.path[: len(path)] == path)
