"""Problems of failed requests that no deployment and no group accounts for: each of them is somebody's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from litellm_tui.analysis.failures.attribution import ALIAS_IS_A_LIST
from litellm_tui.analysis.failures.causes import first_words, name_cause
from litellm_tui.analysis.health.request_counts import count_requests, share
from litellm_tui.analysis.phrases import count
from litellm_tui.model.diagnosis import Deployment, Group, Place, Problem, Severity
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import FailedRequests

# so many failures that the log does not place are no accident
LEAST: Final = 3
# a failure that is older, with answers since, is told and is no problem any more
RECENT: Final = 120.0
# how long a line on a stream that broke counts, in seconds
STREAMS_RECENT: Final = 60.0
# from this many errors in five minutes on, errors without a problem are reported
UNEXPLAINED_ERRORS: Final = 3
REFUSED: Final = "log:refused"
# from this share on, what several callers are refused is a problem
REFUSED_SHARE: Final = 0.1
# routes, and statuses of each, that are named
ROUTES_TOLD: Final = 3
WEIGHT: Final = "weight is no number"
_WEIGHTS: Final = ("weight", "rpm", "tpm")
# what 1.77 says of a weight that is a text, where it adds them up; newer releases say what they want
_ADDED_UP: Final = "unsupported operand type(s) for +: 'int' and 'str'"
_ALIAS_ERROR: Final = "list indices must be integers"
_LOOK: Final = (
    "i shows the errors in LiteLLM's own words; LITELLM_LOG=INFO in the unit's environment and a restart make the log "
    "name the group"
)

_ASK: Final = "i shows the errors; litellm-tui probe asks each deployment by itself"


def unnamed_failures(
    snapshot: Snapshot,
    now: float,
    groups: Collection[Group],
    explained: Collection[str] = (),
    deployments: Iterable[Deployment] = (),
) -> Iterator[Problem]:
    """The problems of the last window: failures that nothing names, names that no group has, refused callers.

    `explained` are causes of other problems: 1.77 does not name an alias that is a list, and its error is plain. Of
    `deployments` those that fail tell of the failures of their models.
    """
    rows = tuple(deployments)
    telling = {row.model for row in rows if row.verdict.severity in ("bad", "warn")}
    service = snapshot.service.value
    begun = (service.started_at if service else None) or 0.0
    known = {name for group in groups for name in (group.name, *group.aliases)}
    told = tuple(failed for failed in snapshot.traffic.failed if _is_told(failed, explained))
    for failed in snapshot.traffic.failed:
        if failed.last < begun or failed in told:
            continue
        if failed.by == "" and (unweighed := _unweighed(failed, rows)):
            yield _of_weights(snapshot, now, failed, unweighed)
        elif failed.by in ("", "other") or (failed.by == "model" and failed.name not in telling):
            yield _somewhere(snapshot, now, failed)
        elif failed.by == "group" and failed.name not in known and groups and not _is_pattern(failed.name, known):
            yield _of_unknown_name(snapshot, now, failed)
    yield from _refused(snapshot, now, told)


def _is_told(failed: FailedRequests, explained: Collection[str]) -> bool:
    """Whether another problem tells of these failures, by their cause."""
    if ALIAS_IS_A_LIST in explained and failed.words.startswith(_ALIAS_ERROR):
        return True
    cause = name_cause(failed.words)
    return cause.subject == "cache" and cause.name in explained


def tells_of_failures(problem: Problem) -> bool:
    """Whether a problem tells of requests that fail all through, that nothing accounts for, or that are refused.

    Beside one that is quiet nobody may say that all is well.
    """
    told = problem.key.startswith("log:failed:") or problem.key == REFUSED
    return told or problem.cause.startswith(("callers' own", "every request"))


def all_clear(problems: Iterable[Problem]) -> str:
    """What is said where none of the problems is the gateway's."""
    if any(tells_of_failures(problem) for problem in problems):
        return "nothing is wrong with the gateway itself; requests that fail are told below"
    return "nothing is wrong, as far as can be seen"


def _is_pattern(name: str, known: Collection[str]) -> bool:
    """Whether a wildcard group takes this name: its failures count for that group."""
    return any("*" in group and name.startswith(group.partition("*")[0]) for group in known)


def _severity(snapshot: Snapshot, now: float, failed: FailedRequests) -> Severity:
    """Whether the failures are many or all there is, and of now."""
    traffic = snapshot.traffic
    answered = traffic.succeeded_at
    over = now - failed.last > RECENT and answered is not None and answered > failed.last
    every = traffic.requests > 0 and failed.times >= traffic.requests
    return "warn" if not over and (failed.times >= LEAST or every) else "quiet"


def _somewhere(snapshot: Snapshot, now: float, failed: FailedRequests) -> Problem:
    asked, minutes = snapshot.traffic.requests, f"{snapshot.traffic.window / 60:g} min"
    said = f"; LiteLLM's own words: {first_words(failed.words)}" if failed.words else ""
    if failed.by == "other":
        what = f"{count(failed.times, 'request')} that asked for no model (keys, pages, files)"
        text = f"{what} {'was' if failed.times == 1 else 'were'} answered with 5xx in {minutes}"
        return _problem(snapshot, now, failed, "other requests", f"{text}, and the log does not say why")
    total = max(asked, failed.times)
    of = f"{failed.times:,} of {count(total, 'request')}" if asked else count(failed.times, "request")
    fail = "fails" if total == 1 else "fail" if now - failed.last <= RECENT else "failed"
    if failed.by == "model":
        # several deployments may share it, or none that is loaded has it
        where = f"in attempts at {failed.name}, and the log does not say of which group or deployment"
        return _problem(snapshot, now, failed, failed.name, f"{of} {fail} in {minutes} {where}{said}")
    answered = f" with {failed.name}" if failed.name else ""
    text = f"{of} {fail}{answered} in {minutes}, and the log does not say where{said}"
    return _problem(snapshot, now, failed, "requests", text)


def _unweighed(failed: FailedRequests, rows: Sequence[Deployment]) -> list[tuple[Deployment, str]]:
    """The deployments whose weight, rpm or tpm is a text, which the router fails on without a name, with the key."""
    if name_cause(failed.words).name != WEIGHT and not failed.words.endswith(_ADDED_UP):
        return []
    told = (row.loaded or row.file for row in rows)
    keys = (next((key for key in _WEIGHTS if isinstance(one.params.get(key), str)), "") if one else "" for one in told)
    return [(row, key) for row, key in zip(rows, keys, strict=True) if key]


def _of_weights(
    snapshot: Snapshot, now: float, failed: FailedRequests, unweighed: Sequence[tuple[Deployment, str]]
) -> Problem:
    groups = list(dict.fromkeys(row.group for row, _ in unweighed))
    minutes = f"{snapshot.traffic.window / 60:g} min"
    shown = [f"{row.model} of {row.group} has {key} as a text" for row, key in unweighed[:ROUTES_TOLD]]
    fail = "request fails" if failed.times == 1 else "requests fail"
    return Problem(
        key="log:failed:weight",
        severity=_severity(snapshot, now, failed),
        title=", ".join(groups[:ROUTES_TOLD]),
        cause=WEIGHT,
        reason=f"{failed.times:,} {fail} in {minutes}: {'; '.join(shown)}, and the router cannot choose",
        place=Place("deployment", unweighed[0][0].key),
        do="write weight, rpm and tpm as numbers, without quotes, and restart",
        hit=_callers(failed),
        since=failed.since or None,
    )


def _problem(snapshot: Snapshot, now: float, failed: FailedRequests, title: str, reason: str) -> Problem:
    model = failed.by == "model"
    return Problem(
        key=f"log:failed:{failed.by or 'somewhere'}" + (f":{failed.name}" if failed.name else ""),
        severity=_severity(snapshot, now, failed),
        title=title,
        cause="its requests fail" if model else "they fail, and nothing names where",
        reason=reason,
        place=Place("log"),
        do=_ASK if model else _LOOK,
        hit=_callers(failed),
        since=failed.since or None,
    )


def _of_unknown_name(snapshot: Snapshot, now: float, failed: FailedRequests) -> Problem:
    minutes = f"{snapshot.traffic.window / 60:g} min"
    return Problem(
        key=f"log:failed:group:{failed.name}",
        severity=_severity(snapshot, now, failed),
        title=failed.name,
        cause="its requests fail",
        reason=f"{count(failed.times, 'request')} for {failed.name} failed in {minutes}, and no group or alias that is "
        f"loaded has that name; LiteLLM's own words: {first_words(failed.words)}",
        place=Place("log"),
        do="i shows the errors; the name may be a deployment's own, or stand in a client's request",
        hit=_callers(failed),
        since=failed.since or None,
    )


def _refused(snapshot: Snapshot, now: float, told: Collection[FailedRequests]) -> Iterator[Problem]:
    """What callers ask wrongly is theirs: it is counted, and a problem only where it is much and of several."""
    traffic = snapshot.traffic
    theirs = [failed for failed in traffic.failed if failed.by in ("caller", "refused") and failed not in told]
    times = sum(failed.times for failed in theirs)
    if not times:
        return
    callers = {caller for failed in theirs for caller in failed.callers}
    newest = max(theirs, key=lambda failed: failed.last)
    since = min(failed.since for failed in theirs if failed.since)
    every = traffic.requests > 0 and times >= traffic.requests and times >= LEAST
    said = f": {first_words(newest.words)}" if newest.words else ""
    whose = "their callers' own doing (a key, a name, a parameter), or a rule of the gateway"
    minutes = f"{traffic.window / 60:g} min"
    were = "was" if every or times == 1 else "were"
    asked = count_requests(snapshot, now).asked
    part = min(1.0, times / asked) if asked else None
    of = f" ({share(part)} of all)" if part is not None and not every else ""
    reason = f"{'every one of ' if every else ''}{count(times, 'request')} {were} refused in {minutes}"
    said += _silent(snapshot, now)
    much = every or (part is not None and part >= REFUSED_SHARE and times >= LEAST)
    yield Problem(
        key=REFUSED,
        # one client that is set up wrongly is not the gateway's trouble; several at once may be
        severity="warn" if much and len(callers) > 1 else "quiet",
        title="callers",
        # without the share: a cause that changes would be another problem each time
        cause="every request is refused" if every else "requests refused",
        reason=f"{reason} with 4xx{of}, {whose}{said}",
        place=Place("log"),
        do="i shows them with the addresses of the callers",
        hit=_named(callers),
        since=since,
    )


def _silent(snapshot: Snapshot, now: float) -> str:
    """The routes and statuses of the refused of whom no line of LiteLLM's tells."""
    begin = int((now - snapshot.traffic.window) // 60)
    lately = [one for one in snapshot.traffic.silent if one.statuses[0][0] < 500 and one.counts[-1][0] >= begin]
    newest = sorted(lately, key=lambda one: -one.last)[:ROUTES_TOLD]
    routes = (f"{one.route} ({', '.join(str(status) for status, _ in one.statuses[:ROUTES_TOLD])})" for one in newest)
    return f"; no line tells why of {', '.join(routes)}" if newest else ""


def _callers(failed: FailedRequests) -> str:
    return _named(failed.callers)


def _named(callers: Collection[str]) -> str:
    some = sorted(callers)[:3]
    more = f" and {len(callers) - 3} more" if len(callers) > 3 else ""
    return f"callers at {', '.join(some)}{more}" if some else ""


def _unplaced_streams(snapshot: Snapshot, now: float, found: Sequence[Problem]) -> bool:
    """Whether streams broke lately of which the log does not name the model."""
    failed = snapshot.traffic.failed
    if not failed:
        return not any(problem.cause == "stream breaks" for problem in found)
    return any(one.by == "stream" and now - one.last <= STREAMS_RECENT for one in failed)


def log_problems(snapshot: Snapshot, now: float, found: Sequence[Problem]) -> Iterator[Problem]:
    """Streams that broke without a name, and errors that nothing explains; `found` are the problems so far."""
    broken = [n for n in snapshot.traffic.notices if n.kind == "stream breaks" and now - n.last <= STREAMS_RECENT]
    times = sum(notice.times for notice in broken)
    if broken and _unplaced_streams(snapshot, now, found):
        yield Problem(
            key="log:streams",
            severity="warn",
            title="streams",
            cause="stream breaks",
            reason=f"{count(times, 'stream')} ended in the middle of the answer, and LiteLLM does not write of which "
            f"model: {first_words(broken[-1].name)}",
            place=Place("log"),
            do="litellm-tui probe --stream shows which model it is",
            hit="callers that stream; others are not",
            since=min(notice.first for notice in broken),
        )
    recent = sum(snapshot.log.errors_per_minute[-5:])
    # failed requests have a problem of their own, or had one until just now
    told = any(tally.failed for tally in snapshot.traffic.tallies) or any(p.place.kind == "log" for p in found)
    if recent >= UNEXPLAINED_ERRORS and not told and all(problem.severity == "quiet" for problem in found):
        yield Problem(
            key="log:errors",
            severity="quiet",
            title="log",
            cause="errors",
            reason=f"{count(recent, 'error')} in the log in 5 min, and nothing that was looked at explains them",
            place=Place("log"),
            do="i lists them by cause",
        )
