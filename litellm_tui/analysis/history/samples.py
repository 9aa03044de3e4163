"""What a snapshot measures: levels, such as memory, and counts by steps, such as requests. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from litellm_tui.analysis.failures.incidents import FAILED, find_incidents
from litellm_tui.analysis.health.request_counts import is_refused
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.history import Measure, Sample, Source
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import STEP, Step, Traffic

CountKey = tuple[str, Measure, Source]
Counts = dict[CountKey, dict[int, int]]
"""What was counted by the number of its step, of `STEP` seconds since the epoch. A series without requests is empty."""

# of a gateway with thousands of deployments the others are recorded as parts of their groups
MOST_DEPLOYMENTS: Final = 500
MOST_CAUSES: Final = 100
_LONGEST_NAME: Final = 100


def levels(snapshot: Snapshot, now: float) -> Iterator[Sample]:
    """What stands at some height now: nothing of a source that is not read any more."""
    gateway, service = snapshot.gateway, snapshot.service
    if _is_current(gateway.liveliness, now) and gateway.liveliness.took is not None:
        yield Sample(now, "", "answer_time", gateway.liveliness.took, "gateway")
    if _is_current(service, now) and service.value is not None and service.value.main_pid:
        if service.value.memory is not None:
            yield Sample(now, "", "memory", float(service.value.memory), "service")
        if service.value.cpu_percent is not None:
            yield Sample(now, "", "cpu", service.value.cpu_percent, "service")
        yield Sample(now, "", "processes", float(max(len(service.value.workers), 1)), "service")
    if _is_current(gateway.redis, now) and gateway.redis.value is not None:
        yield Sample(now, "", "redis_memory", float(gateway.redis.value.used_memory), "redis")
        yield Sample(now, "", "redis_clients", float(gateway.redis.value.clients), "redis")
    answer = snapshot.database.answer
    if _is_current(answer, now) and answer.value is not None:
        yield Sample(now, "", "database_connections", float(answer.value.used), "postgres")


def _is_current(reading: Reading[Any], now: float) -> bool:
    return reading.value is not None and reading.failure is None and not reading.stale(now)


def counts(snapshot: Snapshot, diagnosis: Diagnosis) -> Counts:
    """The requests of the last minutes, of the gateway, its groups and its deployments, as far as they can be seen.

    The router counts every attempt: a deployment's are attempts. A group's are the answers of its deployments, and
    the requests that failed for it.
    """
    traffic, found = snapshot.traffic, Counts()
    if traffic.access_lines:
        _put(found, "", "log", traffic.steps)
    source = _source(traffic)
    groups: defaultdict[str, list[Step]] = defaultdict(list)
    for place, deployment in enumerate(diagnosis.deployments):
        if deployment.ok is None and not deployment.steps:
            continue
        if place < MOST_DEPLOYMENTS:
            _put(found, f"deployment:{deployment.key}", source, deployment.steps)
        groups[deployment.group] += [(at, ok, 0) for at, ok, _ in deployment.steps]
    asked = {name: group.name for group in diagnosis.groups for name in (group.name, *group.aliases)}
    for one in traffic.failed:
        if one.by == "group" and (group_name := asked.get(one.name)) is not None:
            groups[group_name] += one.steps
    for name, steps in groups.items():
        _put(found, f"group:{name}", source, steps)
    _put_failed(found, traffic)
    return found


def _source(traffic: Traffic) -> Source:
    return "metrics" if traffic.counted and not traffic.per_model else "log"


def _put(found: Counts, subject: str, source: Source, steps: Iterable[Step]) -> None:
    requests: Counter[int] = Counter()
    failed: Counter[int] = Counter()
    for at, ok, wrong in steps:
        requests[int(at // STEP)] += ok + wrong
        failed[int(at // STEP)] += wrong
    found[subject, "requests", source] = requests
    found[subject, "failed", source] = failed


def _put_failed(found: Counts, traffic: Traffic) -> None:
    """Of the gateway: who failed by the attribution of every request, what callers asked wrongly apart."""
    if not traffic.failed:
        # the refused of the access lines alone
        if traffic.access_lines:
            found["", "refused", "log"] = {}
        return
    failed: Counter[int] = Counter()
    refused: Counter[int] = Counter()
    for one in traffic.failed:
        if one.by == "other":
            continue
        mine = refused if is_refused(one) else failed
        for at, ok, wrong in one.steps:
            mine[int(at // STEP)] += ok + wrong
    found["", "failed", "log"] = failed
    found["", "refused", "log"] = refused


def causes(snapshot: Snapshot, diagnosis: Diagnosis, now: float) -> dict[str, dict[int, int]]:
    """The failures of the last hour by `cause:GROUP:CAUSE` and minute (since the epoch over 60)."""
    found: dict[str, dict[int, int]] = {}
    newest = int(now // 60)
    incidents = find_incidents(snapshot.failures, diagnosis, now, traffic=snapshot.traffic)
    # what was refused, and what its caller asked wrongly, did not fail: it has a measure of its own
    failed = [
        one for one in incidents if one.failure_of != "caller" and (not one.statuses or one.statuses[0][0] >= FAILED)
    ]
    for incident in failed[:MOST_CAUSES]:
        subject = f"cause:{_named(incident.subject)}:{_named(incident.cause)}"
        mine = found.setdefault(subject, {})
        for back, number in enumerate(reversed(incident.minutes)):
            if number:
                mine[newest - back] = mine.get(newest - back, 0) + number
    return found


def _named(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_NAME]


def grown(before: Mapping[int, int], after: Mapping[int, int], since: int) -> Iterator[tuple[int, int]]:
    """`(step, how many more)` of each step from `since` on that has grown."""
    for step, number in after.items():
        if step >= since and number > (known := before.get(step, 0)):
            yield step, number - known
