"""Failures in the log as incidents: one for each cause and group, whatever the number of lines."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from litellm_tui.analysis.failures.attribution import FailureGroup, SubjectResolver
from litellm_tui.analysis.failures.causes import first_words
from litellm_tui.analysis.failures.consequences import fold_consequences
from litellm_tui.analysis.failures.explanations import explain_cause
from litellm_tui.analysis.phrases import count
from litellm_tui.model.diagnosis import Diagnosis, Place
from litellm_tui.model.traffic import Failures, SilentTally, Subject, Traffic

MINUTES: Final = 60
# an incident with a failure within these minutes is going on
GOING_ON: Final = 5
MOST_NAMES: Final = 5
NO_TRAFFIC: Final = Traffic()
# from this status on a request failed, below it was refused
FAILED: Final = 500
# what HTTP says of a status
_PHRASES: Final = {
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict", 412: "Precondition Failed",
    413: "Content Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content", 429: "Too Many Requests",
}  # fmt: skip


class Incident(msgspec.Struct, frozen=True):
    """One cause at one place. `key` stays the same from one run to the next.

    `failure_of` says whose failure it is, `subject` is the group, or the part, that is concerned; empty where the log
    does not name it. `count` is the number of
    failures in the requested time, `minutes` that of each of the last 60 minutes, the current one last. `models` are
    `litellm_params.model`, `asked` the names that callers used. `callers` are client addresses with their
    numbers of refused answers, `calls` LiteLLM's ids of the last calls. `sequence` is the number of an example record.
    `also` names consequences: the requests that failed by them are counted too. `statuses` are HTTP statuses with their
    numbers, where access lines alone tell of it.
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
    failure_of: Subject = ""
    means: str = ""
    do: str = ""
    provider: str = ""
    models: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    callers: tuple[tuple[str, int], ...] = ()
    calls: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    statuses: tuple[tuple[int, int], ...] = ()
    fallback: str = ""
    going_on: bool = False
    new: bool = False


def find_incidents(
    failures: Failures,
    diagnosis: Diagnosis,
    now: float,
    since: float = 0.0,
    looked_at: float = 0.0,
    traffic: Traffic = NO_TRAFFIC,
) -> tuple[Incident, ...]:
    """The incidents at or after `since`: those going on first, then by frequency.

    `traffic` has the failed requests of which an access line alone tells: those of 5xx are one incident, those that
    were refused are one for each route.
    An incident is new when it was first seen after `looked_at`. All times are seconds since the epoch; failures older
    than an hour are counted by whole hours.
    """
    names = SubjectResolver(diagnosis)
    found: dict[tuple[str, str, str], FailureGroup] = {}
    for tally in failures.tallies:
        if tally.last < since:
            continue
        key = names.identify(tally)
        if key not in found:
            found[key] = FailureGroup(key[0], key[1], tally.kind, tally.subject)
        found[key].tallies.append(tally)
    kept = fold_consequences(_join_unnamed(found))
    incidents = [_incident(key, one, names, now, since, looked_at) for key, one in kept.items()]
    silent = [one for one in traffic.silent if one.last >= since]
    failed = [one for one in silent if one.statuses[0][0] >= FAILED]
    incidents += _without_a_line(failed, now, since, looked_at)
    incidents += [_refused(one, now, since, looked_at) for one in silent if one not in failed]
    return tuple(sorted(incidents, key=lambda i: (not i.going_on, -sum(i.minutes[-GOING_ON:]), -i.last, i.key)))


def _without_a_line(silent: Sequence[SilentTally], now: float, since: float, looked_at: float) -> Iterator[Incident]:
    """Requests that were answered with 5xx, and of which no error line tells."""
    if not silent:
        return
    counts: Counter[int] = Counter()
    callers: Counter[str] = Counter()
    for one in silent:
        counts.update(dict(one.counts))
        callers.update(dict(one.callers))
    newest, begin = int(now // 60), int(since // 60)
    minutes = tuple(counts.get(newest - back, 0) for back in reversed(range(MINUTES)))
    first, last = min(one.first for one in silent), max(silent, key=lambda one: one.last)
    yield Incident(
        key="requests without a line",
        cause="answered with 5xx, and no line says why",
        subject="",
        words=", ".join(sorted({one.route for one in silent})[:MOST_NAMES]),
        count=sum(number for minute, number in counts.items() if minute >= begin),
        first=max(first, since),
        last=last.last,
        minutes=minutes,
        sequence=last.sequence,
        place=Place("log"),
        means="the access log shows them, and LiteLLM has written no error beside them",
        do="LITELLM_LOG=INFO in LiteLLM's environment and a restart make the log name the group",
        callers=tuple(callers.most_common(MOST_NAMES)),
        statuses=tuple(sorted(sum((Counter(dict(one.statuses)) for one in silent), Counter[int]()).items())),
        going_on=sum(minutes[-GOING_ON:]) > 0,
        new=first > looked_at,
    )


def _refused(one: SilentTally, now: float, since: float, looked_at: float) -> Incident:
    """Requests of one route that were refused with 4xx, and of which no line tells."""
    newest, begin, counts = int(now // 60), int(since // 60), dict(one.counts)
    minutes = tuple(counts.get(newest - back, 0) for back in reversed(range(MINUTES)))
    told = ", ".join(f"{status} {_PHRASES.get(status, '')}".rstrip() for status, _ in one.statuses[:MOST_NAMES])
    asked = f": {', '.join(one.paths)}" if one.paths else ""
    return Incident(
        key=f"refused without a line:{one.route}",
        cause="refused with 4xx, and no line says why",
        subject=one.route,
        words=told + asked,
        count=sum(number for minute, number in counts.items() if minute >= begin),
        first=max(one.first, since),
        last=one.last,
        minutes=minutes,
        sequence=one.sequence,
        place=Place("log"),
        means="the access log shows them, and LiteLLM has written no line beside them: it gives no reason",
        do="ask its callers what the answer says, or send such a request: the reason stands in the answer's body",
        callers=one.callers[:MOST_NAMES],
        statuses=one.statuses,
        going_on=sum(minutes[-GOING_ON:]) > 0,
        new=one.first > looked_at,
    )


def _join_unnamed(found: Mapping[tuple[str, str, str], FailureGroup]) -> Mapping[tuple[str, str, str], FailureGroup]:
    """Add failures without a name to the group that failed with the same text.

    Where several groups did, their counts already include these failures. What nothing is known of joins what says
    in the same words whose failure it is.
    """
    whose = {words: one for one in found.values() if not one.cause and one.failure_of for words in one.fingerprints()}
    named: dict[tuple[str, str], list[FailureGroup]] = defaultdict(list)
    for one in found.values():
        for words in one.fingerprints() if one.cause and not _is_unnamed(one) else ():
            named[one.cause, words].append(one)
    after = {}
    for key, one in found.items():
        unnamed = _is_unnamed(one) and one.kind == "" and one.cause
        same = [c for words in one.fingerprints() for c in named[one.cause, words]] if unnamed else []
        if not one.cause and not one.failure_of and not one.subject:
            same = [whose[words] for words in one.fingerprints() if words in whose][:1]
        if not same:
            after[key] = one
        elif len(same) == 1:
            same[0].tallies += one.tallies
    return after


def _is_unnamed(one: FailureGroup) -> bool:
    """Whether the log does not name the group: then at most whose failure it is stands in its place."""
    return not one.subject or (one.kind == "" and one.subject == one.failure_of)


def _incident(
    key: tuple[str, str, str], one: FailureGroup, names: SubjectResolver, now: float, since: float, looked_at: float
) -> Incident:
    counts = one.counts()
    newest, begin = int(now // 60), int(since // 60)
    minutes = tuple(counts.get(newest - back, 0) for back in reversed(range(MINUTES)))
    rows = names.deployments_of(one)
    known = explain_cause(one.cause, one.failure_of)
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
        failure_of=one.failure_of,
        means=known.means,
        do=known.do,
        provider=", ".join(sorted({row.model.partition("/")[0] for row in rows if "/" in row.model})),
        models=tuple(sorted({row.model for row in rows})),
        asked=tuple(_few(asked)),
        callers=tuple(callers.most_common(MOST_NAMES)),
        calls=tuple(call for tally in one.tallies for call in tally.calls)[-MOST_NAMES:],
        also=tuple(f"{cause}, {count(number, 'time')}" for cause, number in one.also.items()),
        rules=tuple(sorted({f"{finding.rule}: {finding.text}" for row in rows for finding in row.findings})),
        fallback=names.describe_fallback(one.subject),
        going_on=sum(minutes[-GOING_ON:]) > 0,
        new=one.first > looked_at,
    )


def _few(names: Sequence[str]) -> Iterator[str]:
    yield from names[:MOST_NAMES]
    if len(names) > MOST_NAMES:
        yield f"and {len(names) - MOST_NAMES} more"
