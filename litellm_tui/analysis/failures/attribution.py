"""Which subject a failure in the log belongs to: its name can be a group, an alias, a model, or unknown."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from litellm_tui.analysis.failures.causes import first_words
from litellm_tui.analysis.failures.fingerprint import LONGEST, fingerprint
from litellm_tui.model.diagnosis import Deployment, Diagnosis, Place, PlaceKind
from litellm_tui.model.traffic import FailedKind, FailureTally, Subject

ALIAS_IS_A_LIST: Final = "alias is a list"
GHOST: Final = "ghost fallback"
# the place of the console that a failure is about, where it is about no deployment and no group
_PLACES: Final[dict[Subject, PlaceKind]] = {
    "upstream": "log",
    "gateway": "gateway",
    "caller": "gateway",
    "database": "database",
    "cache": "cache",
    "side service": "log",
    "start-up": "service",
    "worker": "service",
    "mcp": "log",
    "machine": "service",
    "": "log",
}
# whose failures are no group's, whatever name of a group stands in the line
_OF_NO_GROUP: Final[tuple[Subject, ...]] = (
    "database", "cache", "side service", "start-up", "worker", "mcp", "machine",
)  # fmt: skip


class FailureGroup:
    """The tallies of one cause at one subject; `failure_of` says whose failure it is."""

    def __init__(self, cause: str, subject: str, kind: FailedKind, failure_of: Subject = "") -> None:
        self.cause, self.subject, self.kind, self.failure_of = cause, subject, kind, failure_of
        self.tallies: list[FailureTally] = []
        self.also: Counter[str] = Counter()
        self.example: FailureTally | None = None

    @property
    def first(self) -> float:
        return min(tally.first for tally in self.tallies)

    @property
    def last(self) -> float:
        return max(tally.last for tally in self.tallies)

    def fingerprints(self) -> set[str]:
        """The fingerprints of the texts of its failures."""
        return {_fingerprint_of(tally.words) for tally in self.tallies}

    def counts(self) -> dict[int, int]:
        """Failures by minute: counts of one voice are added, and of several voices, which report the same failures, the
        largest count is taken."""
        voices: dict[str, Counter[int]] = defaultdict(Counter)
        for tally in self.tallies:
            voices[tally.voice].update(dict(tally.counts))
        minutes = {minute for counts in voices.values() for minute in counts}
        return {minute: max(counts[minute] for counts in voices.values()) for minute in sorted(minutes)}


# every snapshot asks for the same failures
@lru_cache(maxsize=1024)
def _fingerprint_of(words: str) -> str:
    return fingerprint(first_words(words, LONGEST))


class SubjectResolver:
    """Finds the subject of a name in the log, by groups, models and aliases, and what is known of it."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self.diagnosis = diagnosis
        self.groups: dict[str, list[Deployment]] = defaultdict(list)
        self._of_model: dict[str, set[str]] = defaultdict(set)
        for row in diagnosis.deployments:
            self.groups[row.group].append(row)
            self._of_model[row.model].add(row.group)
        self._aliases = {alias: group.name for group in diagnosis.groups for alias in group.aliases}
        self._chains = {chain.source.name: chain for chain in diagnosis.chains if chain.kind == "general"}
        self._in_place = {group.name: group.in_place for group in diagnosis.groups}
        self._list_aliases = {
            chain.source.name: chain
            for chain in diagnosis.chains
            if chain.kind == "alias" and any(target.flaw == "malformed" for target in chain.targets)
        }
        self._ghosts = {
            target.name: chain for chain in diagnosis.chains for target in chain.targets if target.flaw == "ghost"
        }

    def identify(self, tally: FailureTally) -> tuple[str, str, str]:
        """`(cause, subject, pattern)`: failures with the same three belong together."""
        cause, name = tally.cause, self._aliases.get(tally.name, tally.name)
        if tally.kind == "service":
            return cause, "service", tally.pattern
        if tally.subject in _OF_NO_GROUP or (tally.kind == "" and tally.subject in ("gateway", "caller")):
            if cause == "no such group":
                return cause, "", ""
            return cause, tally.name if tally.kind == "part" and tally.name else tally.subject, tally.pattern
        if cause == ALIAS_IS_A_LIST or tally.name in self._list_aliases:
            only = next(iter(self._list_aliases)) if len(self._list_aliases) == 1 else ""
            return ALIAS_IS_A_LIST, tally.name or only, ""
        if cause == "no such group" and name not in self.groups:
            # callers can ask for any number of unknown names
            return (GHOST, name, "") if name in self._ghosts else (cause, "", "")
        if tally.kind == "model":
            groups = self._of_model.get(name, set())
            # with a model in several groups, the line does not say for which group it was asked
            name = min(groups) if len(groups) == 1 else name
        return cause, name, tally.pattern

    def deployments_of(self, one: FailureGroup) -> list[Deployment]:
        """The deployments concerned: those of the named models, otherwise all of the group."""
        rows = self.groups.get(one.subject, [])
        models = {tally.name for tally in one.tallies if tally.kind == "model"}
        return [row for row in rows if row.model in models] or rows

    def place(self, one: FailureGroup, rows: Sequence[Deployment]) -> Place:
        """The row of the console for these failures."""
        if one.kind == "service":
            return Place("service")
        if rows and one.failure_of not in _OF_NO_GROUP:
            return Place("deployment", rows[0].key) if len(rows) == 1 else Place("group", one.subject)
        if chain := self._list_aliases.get(one.subject) or self._ghosts.get(one.subject):
            return Place("chain", chain.key)
        return Place(_PLACES[one.failure_of] if one.cause else "log")

    def describe_fallback(self, subject: str) -> str:
        """Who answers in its place, in the words of every other face, or the next targets of one that is not dead."""
        if instead := self._in_place.get(subject):
            return instead
        chain = self._chains.get(subject) or (self._chains.get("*") if subject in self.groups else None)
        targets = ", ".join(f"{t.name} ({t.flaw or t.state})" for t in chain.targets) if chain else ""
        return f"next: {targets}" if targets else ""
