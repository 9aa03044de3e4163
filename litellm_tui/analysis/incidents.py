"""The failures of the log as incidents: one per cause and group, whichever and however many lines told of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from litellm_tui.analysis.causes import first_words
from litellm_tui.analysis.explanations import explain
from litellm_tui.analysis.fingerprint import LONGEST, fingerprint
from litellm_tui.analysis.phrases import count
from litellm_tui.analysis.records import Deployment, Diagnosis, Place
from litellm_tui.snapshot import FailedKind, Failures, FailureTally

MINUTES: Final = 60
# what failed within these minutes is going on
GOING_ON: Final = 5
# failures so far apart are not of one outage: the one does not explain the other
APART: Final = 600.0
MOST_NAMES: Final = 5
# what follows from another failure of the same group, and names it only where nothing better is known
_CONSEQUENCES: Final = ("cooling down", "no connection", "failing", "no such group", "")
ALIAS_IS_A_LIST: Final = "alias is a list"
GHOST: Final = "ghost fallback"
_ABOUT: Final[dict[FailedKind, str]] = {
    "cache": "cache",
    "caller": "callers",
    "service": "service",
    "group": "",
    "model": "",
    "": "",
}


class Incident(msgspec.Struct, frozen=True):
    """One cause at one place. `key` stays the same from one run to the next.

    `subject` is the group concerned, or what else is; empty where the log does not tell. `count` is how often it
    failed since the moment asked for, `minutes` how often in each of the last 60, the running one last. `models` are
    `litellm_params.model`, `asked` the names that callers used. `callers` are client addresses with how many refused
    answers they got, `calls` LiteLLM's ids of the last calls. `sequence` is that of an example in the log. `also` says
    what followed from it.
    """

    key: str
    cause: str
    subject: str
    words: str
    count: int
    first: float
    last: float
    minutes: tuple[int, ...]
    sequence: int
    place: Place
    means: str = ""
    do: str = ""
    provider: str = ""
    models: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    callers: tuple[tuple[str, int], ...] = ()
    calls: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    fallback: str = ""
    going_on: bool = False
    new: bool = False


class Answers(NamedTuple):
    """The access lines of the last `minutes` in sums; None of a share where nothing was asked."""

    requests: int
    per_minute: float
    refused: float | None
    failed: float | None


class _Found:
    """The tallies of one cause at one subject."""

    def __init__(self, cause: str, subject: str, kind: FailedKind) -> None:
        self.cause, self.subject, self.kind = cause, subject, kind
        self.tallies: list[FailureTally] = []
        self.also: Counter[str] = Counter()
        self.example: FailureTally | None = None

    @property
    def first(self) -> float:
        return min(tally.first for tally in self.tallies)

    @property
    def last(self) -> float:
        return max(tally.last for tally in self.tallies)

    def words(self) -> set[str]:
        """The words of its failures without what changes from one to the next."""
        return {fingerprint(first_words(tally.words, LONGEST)) for tally in self.tallies}

    def counts(self) -> dict[int, int]:
        """Failures by minute: those of one voice add up, and the loudest voice is right, as all tell the same ones."""
        voices: dict[str, Counter[int]] = defaultdict(Counter)
        for tally in self.tallies:
            voices[tally.voice].update(dict(tally.counts))
        minutes = {minute for counts in voices.values() for minute in counts}
        return {minute: max(counts[minute] for counts in voices.values()) for minute in sorted(minutes)}


def find_incidents(
    failures: Failures, diagnosis: Diagnosis, now: float, since: float = 0.0, looked_at: float = 0.0
) -> tuple[Incident, ...]:
    """What failed at or after `since`, what goes on first, the most frequent before the others.

    New is what was first seen after `looked_at`. All times are seconds since the epoch; of what is older than an hour
    whole hours are counted.
    """
    names = _Names(diagnosis)
    found: dict[tuple[str, str, str], _Found] = {}
    for tally in failures.tallies:
        if tally.last < since:
            continue
        key = names.identity(tally)
        if key not in found:
            found[key] = _Found(key[0], key[1], tally.kind)
        found[key].tallies.append(tally)
    kept = dict(_without_consequences(_joined(found)))
    incidents = [_incident(key, one, names, now, since, looked_at) for key, one in kept.items()]
    return tuple(sorted(incidents, key=lambda i: (not i.going_on, -sum(i.minutes[-GOING_ON:]), -i.last, i.key)))


def _joined(found: Mapping[tuple[str, str, str], _Found]) -> Mapping[tuple[str, str, str], _Found]:
    """What was told without a name belongs to the group that failed in the same words. Where several did, it is already
    counted among them.
    """
    named: dict[tuple[str, str], list[_Found]] = defaultdict(list)
    for one in found.values():
        for words in one.words() if one.subject and one.cause else ():
            named[one.cause, words].append(one)
    after = {}
    for key, one in found.items():
        same = [c for words in one.words() for c in named[one.cause, words]] if one.kind == "" and one.cause else []
        if one.subject or not same:
            after[key] = one
        elif len(same) == 1:
            same[0].tallies += one.tallies
    return after


def _without_consequences(
    found: Mapping[tuple[str, str, str], _Found],
) -> Iterator[tuple[tuple[str, str, str], _Found]]:
    """A cooldown, and an error that says no more than that there was one, belong to the cause of the same group."""
    causes: dict[str, list[_Found]] = defaultdict(list)
    for (cause, subject, _), one in found.items():
        if subject and cause not in _CONSEQUENCES:
            causes[subject].append(one)
    for key, one in found.items():
        cause, subject, _ = key
        if cause in _CONSEQUENCES and subject:
            near = [c for c in causes[subject] if c.first - APART <= one.last and one.first <= c.last + APART]
            if near:
                _follows(one, max(near, key=lambda c: c.last))
                continue
        yield key, one


def _follows(one: _Found, cause: _Found) -> None:
    if one.cause in ("cooling down", "no such group"):
        cause.also[one.cause] += sum(one.counts().values())
    else:
        cause.example = cause.example or max(cause.tallies, key=lambda t: t.last)
        cause.tallies += one.tallies


class _Names:
    """Who is meant by a name of the log: groups by their models and aliases, and what is known of each."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self.diagnosis = diagnosis
        self.groups: dict[str, list[Deployment]] = defaultdict(list)
        self._of_model: dict[str, set[str]] = defaultdict(set)
        for row in diagnosis.deployments:
            self.groups[row.group].append(row)
            self._of_model[row.model].add(row.group)
        self._aliases = {alias: group.name for group in diagnosis.groups for alias in group.aliases}
        self._chains = {chain.source.name: chain for chain in diagnosis.chains if chain.kind == "general"}
        self._served = {group.name: group.served_by for group in diagnosis.groups}
        self._crooked = {
            chain.source.name: chain
            for chain in diagnosis.chains
            if chain.kind == "alias" and any(target.flaw == "malformed" for target in chain.targets)
        }
        self._ghosts = {
            target.name: chain for chain in diagnosis.chains for target in chain.targets if target.flaw == "ghost"
        }

    def identity(self, tally: FailureTally) -> tuple[str, str, str]:
        """`(cause, whom it is about, the words that tell it from others)`."""
        cause, name = tally.cause, self._aliases.get(tally.name, tally.name)
        if about := _ABOUT[tally.kind]:
            return cause, about, tally.pattern
        if cause == ALIAS_IS_A_LIST or tally.name in self._crooked:
            only = next(iter(self._crooked)) if len(self._crooked) == 1 else ""
            return ALIAS_IS_A_LIST, tally.name or only, ""
        if cause == "no such group" and name not in self.groups:
            # a caller may ask for any number of them
            return (GHOST, name, "") if name in self._ghosts else (cause, "", "")
        if tally.kind == "model":
            groups = self._of_model.get(name, set())
            # one model of several groups: the attempt does not tell for which it was asked
            name = min(groups) if len(groups) == 1 else name
        return cause, name, tally.pattern

    def rows(self, one: _Found) -> list[Deployment]:
        """The deployments concerned: those whose model was named, else all of the group."""
        rows = self.groups.get(one.subject, [])
        models = {tally.name for tally in one.tallies if tally.kind == "model"}
        return [row for row in rows if row.model in models] or rows

    def place(self, one: _Found, rows: Sequence[Deployment]) -> Place:
        """The row of the console that it is about."""
        match one.kind:
            case "cache":
                return Place("cache")
            case "caller":
                return Place("gateway")
            case "service":
                return Place("service")
        if rows:
            return Place("deployment", rows[0].key) if len(rows) == 1 else Place("group", one.subject)
        if chain := self._crooked.get(one.subject) or self._ghosts.get(one.subject):
            return Place("chain", chain.key)
        return Place("log")

    def fallback(self, subject: str) -> str:
        """Who answers in its place, or would be asked."""
        if served := self._served.get(subject):
            return f"{served} answers in its place"
        chain = self._chains.get(subject) or (self._chains.get("*") if subject in self.groups else None)
        targets = ", ".join(f"{t.name} ({t.flaw or t.state})" for t in chain.targets) if chain else ""
        return f"next: {targets}" if targets else ""


def _incident(
    key: tuple[str, str, str], one: _Found, names: _Names, now: float, since: float, looked_at: float
) -> Incident:
    counts = one.counts()
    newest, begin = int(now // 60), int(since // 60)
    minutes = tuple(counts.get(newest - back, 0) for back in reversed(range(MINUTES)))
    rows = names.rows(one)
    known = explain(one.cause, one.subject)
    newest_told = one.example or max(one.tallies, key=lambda tally: (tally.voice == "request", tally.last))
    callers: Counter[str] = Counter()
    for tally in one.tallies:
        callers.update(dict(tally.callers))
    asked = sorted({tally.name for tally in one.tallies if tally.kind == "group" and tally.name != one.subject})
    return Incident(
        key=":".join(part for part in key if part),
        cause=one.cause or first_words(newest_told.words, 60),
        subject=one.subject,
        words=first_words(newest_told.words, 300),
        count=sum(number for minute, number in counts.items() if minute >= begin),
        first=max(one.first, since),
        last=one.last,
        minutes=minutes,
        sequence=newest_told.sequence,
        place=names.place(one, rows),
        means=known.means,
        do=known.do,
        provider=", ".join(sorted({row.model.partition("/")[0] for row in rows if "/" in row.model})),
        models=tuple(sorted({row.model for row in rows})),
        asked=tuple(_few(asked)),
        callers=tuple(callers.most_common(MOST_NAMES)),
        calls=tuple(call for tally in one.tallies for call in tally.calls)[-MOST_NAMES:],
        also=tuple(f"{cause}, {count(number, 'time')}" for cause, number in one.also.items()),
        rules=tuple(sorted({f"{finding.rule}: {finding.text}" for row in rows for finding in row.findings})),
        fallback=names.fallback(one.subject),
        going_on=sum(minutes[-GOING_ON:]) > 0,
        new=one.first > looked_at,
    )


def _few(names: Sequence[str]) -> Iterator[str]:
    yield from names[:MOST_NAMES]
    if len(names) > MOST_NAMES:
        yield f"and {len(names) - MOST_NAMES} more"


def answers(failures: Failures, now: float, minutes: int = 5) -> Answers:
    """Rate and shares of the access lines in the last `minutes`."""
    begin = int(now // 60) - minutes
    inside = [(all_, refused, failed) for minute, all_, refused, failed in failures.answers if minute > begin]
    total = sum(one[0] for one in inside)
    refused, failed = sum(one[1] for one in inside), sum(one[2] for one in inside)
    return Answers(total, total / minutes, refused / total if total else None, failed / total if total else None)
