"""Advice in the words of the service's own kind.

Rules and causes are written for a unit of systemd. For another kind the place of a variable and the order that brings
it in are others: a restart of a container keeps the environment that it was made with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Self

import msgspec

from litellm_tui.analysis.latest import latest
from litellm_tui.model.audit import Audit
from litellm_tui.model.diagnosis import Deployment, Diagnosis, Problem, Verdict
from litellm_tui.model.service_drift import ServiceDrift
from litellm_tui.model.service_words import UNIT_WORDS, ServiceWords

_SET: Final = re.compile(r"\bset ([A-Z][A-Z0-9_]{0,99}|it|\{\}) in the unit's environment file and restart")
# what systemd calls a thing, and what the words of another kind call it
_PLACES: Final = (
    ("the unit's environment file", "environment"),
    ("LiteLLM's environment file", "environment"),
    ("the unit's EnvironmentFile", "environment"),
    ("the unit's environment", "environment"),
    ("the unit's Environment", "environment"),
    ("the service's environment", "environment"),
    ("(MemoryMax= of the unit, the container's limit, the machine's memory)", "limits"),
    ("(MemoryMax of the unit, the container's limit)", "limits"),
    ("LimitNOFILE= of the unit (or ulimits of the container)", "files"),
    ("LimitNOFILE of the unit (ulimit -n)", "files"),
    ("User= of the unit", "user"),
    ("let the unit or the container wait for it", "waits"),
    ("an empty folder of the unit's own", "folder"),
    ("TimeoutStopSec in the unit", "stop"),
    ("the unit's --port", "port"),
    ("the unit file was removed: put it back, systemctl daemon-reload, then R", "removed"),
    ("the unit was renamed: start the console anew with --unit and that name", "renamed"),
)
_VARIABLE: Final = re.compile(r"\b[A-Z][A-Z0-9]{1,40}_[A-Z0-9_]{1,60}\b|environment variable|\bthe environment\b")
_RESTART: Final = re.compile(r"(?:,? and|,) (?:a )?restart\b(?! )")


@lru_cache(maxsize=2048)
def in_words_of(text: str, words: ServiceWords) -> str:
    """The advice, as an operator of this kind of service carries it out."""
    if words == UNIT_WORDS or not text:
        return text
    text = _SET.sub(lambda match: words.set_variable(match[1]), text)
    for phrase, meaning in _PLACES:
        if phrase in text:
            text = text.replace(phrase, _meant(meaning, words))
    if words.recreates and words.apply not in text and _VARIABLE.search(text):
        text = _RESTART.sub(f", and restart; a variable comes with: {words.apply}", text, count=1)
    return text


def _meant(meaning: str, words: ServiceWords) -> str:
    found: Mapping[str, str] = {
        "environment": words.environment,
        "limits": f"(its limit: {words.limits})",
        "files": f"the limit of open files (ulimit -n; {words.limits})",
        "waits": f"let {words.service} wait for it",
        "folder": "an empty folder of its own",
        "stop": f"the time that {words.service} has to stop",
        "user": f"the user of {words.service}",
        "port": f"the --port of {words.service}",
        "removed": f"{words.service} was removed: make it again, then R",
        "renamed": "it was renamed: start the console anew, and name it",
    }
    return found[meaning]


@latest
def audit_in_words_of(audit: Audit, words: ServiceWords) -> Audit:
    """The audit with the advice of its findings in the words of this service."""
    if words == UNIT_WORDS:
        return audit
    findings = tuple(msgspec.structs.replace(f, do=in_words_of(f.do, words)) for f in audit.findings)
    return msgspec.structs.replace(audit, findings=findings)


class Advisor:
    """Speaks for one service in its words. `waiting` are variables that are written, each with its file, and that what
    runs has not got yet.
    """

    def __init__(self, words: ServiceWords, waiting: tuple[tuple[str, str], ...]) -> None:
        self._words = words
        self._waiting = dict(waiting)

    @classmethod
    def of(cls, words: ServiceWords, drift: ServiceDrift | None) -> Self:
        """For a service with these words and these differences."""
        added = [d for d in drift.found if d.name in drift.added_variables] if drift else []
        return cls(words, tuple((d.name, d.source) for d in added))

    @property
    def _is_silent(self) -> bool:
        return self._words == UNIT_WORDS and not self._waiting

    def unset(self, name: str) -> str:
        """The advice for a variable that is not set."""
        return self._do(f"{name} unset", UNIT_WORDS.set_variable(name))

    def problems(self, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
        """The problems, each with its advice in these words."""
        return problems if self._is_silent else tuple(map(self._problem, problems))

    def verdict(self, verdict: Verdict) -> Verdict:
        """The verdict with its advice in these words."""
        do = self._do(verdict.brief, verdict.do)
        return verdict if do == verdict.do else msgspec.structs.replace(verdict, do=do)

    def diagnosis(self, diagnosis: Diagnosis) -> Diagnosis:
        """The diagnosis with the advice of all its verdicts and blind spots in these words."""
        if self._is_silent:
            return diagnosis
        replace = msgspec.structs.replace
        return replace(
            diagnosis,
            gateway=self.verdict(diagnosis.gateway),
            service=self.verdict(diagnosis.service),
            cache=self.verdict(diagnosis.cache),
            database=self.verdict(diagnosis.database),
            deployments=_deployments(diagnosis.deployments, self._words, tuple(self._waiting.items())),
            groups=tuple(replace(group, verdict=self.verdict(group.verdict)) for group in diagnosis.groups),
            blind_spots=tuple(replace(s, mend=in_words_of(s.mend, self._words)) for s in diagnosis.blind_spots),
            audit=audit_in_words_of(diagnosis.audit, self._words) if diagnosis.audit else None,
        )

    def _problem(self, problem: Problem) -> Problem:
        do = self._do(problem.cause, problem.do)
        return problem if do == problem.do else msgspec.structs.replace(problem, do=do)

    def _do(self, brief: str, do: str) -> str:
        name, unset, _ = brief.partition(" unset")
        if unset and name in self._waiting:
            where = f" in {self._waiting[name]}" if self._waiting[name] else ""
            order = self._words.apply if self._words.recreates else "a restart"
            return f"R brings it in: {name} is written{where}, and what runs was started before ({order})"
        return in_words_of(do, self._words)


@latest
def _deployments(
    deployments: tuple[Deployment, ...], words: ServiceWords, waiting: tuple[tuple[str, str], ...]
) -> tuple[Deployment, ...]:
    advisor, found = Advisor(words, waiting), []
    for deployment in deployments:
        verdict = advisor.verdict(deployment.verdict)
        same = verdict is deployment.verdict
        found.append(deployment if same else msgspec.structs.replace(deployment, verdict=verdict))
    return tuple(found)
