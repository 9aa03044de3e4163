"""The changes since the last time the operator looked, for a look once a day."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from litellm_tui.analysis.phrases import age
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.snapshot import Snapshot


class LookSummary(msgspec.Struct, frozen=True):
    """What is kept of a snapshot to compare the next one with. None means unknown and is not compared.

    `gateway` is the state of the gateway, `problems` are the texts of what was wrong, by key.
    """

    at: float
    version: str | None = None
    digest: str | None = None
    started_at: float | None = None
    deployments: tuple[str, ...] | None = None
    cache: str | None = None
    database: str | None = None
    gateway: str | None = None
    problems: dict[str, str] | None = None


def summarize_look(snapshot: Snapshot, diagnosis: Diagnosis, now: float) -> LookSummary:
    """The summary of this snapshot at `now`, in seconds since the epoch."""
    readiness, file = snapshot.gateway.readiness.value, snapshot.configuration.current
    service, loaded = snapshot.service.value, snapshot.gateway.deployments.value
    return LookSummary(
        at=now,
        version=readiness.version if readiness else None,
        digest=file.digest if file else None,
        started_at=service.started_at if service else None,
        deployments=tuple(sorted({f"{d.group} ({d.model})" for d in loaded})) if loaded is not None else None,
        cache=diagnosis.cache.state if diagnosis.cache.severity != "unknown" else None,
        database=diagnosis.database.state if diagnosis.database.state not in ("unknown", "answers") else None,
        gateway=diagnosis.gateway.state,
        problems={
            problem.key: f"{problem.title}: {problem.cause}"
            for problem in diagnosis.problems
            if problem.solved_at is None and problem.severity in ("bad", "warn")
        },
    )


def carried_over(before: LookSummary | None, after: LookSummary) -> LookSummary:
    """What to keep after a look: of what it could not see, what the look before has seen."""
    if before is None:
        return after
    unknown = {
        name: getattr(before, name)
        for name in ("version", "digest", "started_at", "deployments", "cache")
        if getattr(after, name) is None
    }
    return msgspec.structs.replace(after, **unknown)


def changes_since(before: LookSummary | None, after: LookSummary) -> tuple[str, ...]:
    """The changes, one text each; empty without changes or without an earlier summary."""
    return tuple(_changes(before, after)) if before is not None else ()


def _changes(before: LookSummary, after: LookSummary) -> Iterator[str]:
    if before.gateway and after.gateway and before.gateway != after.gateway:
        yield f"the gateway: {before.gateway} → {after.gateway}"
    if before.version and after.version and before.version != after.version:
        yield f"LiteLLM {before.version} → {after.version}"
    if before.started_at and after.started_at and abs(after.started_at - before.started_at) > 2:
        yield f"restarted {age(after.at - after.started_at)} ago"
    if before.digest and after.digest and before.digest != after.digest:
        yield "the configuration file is another"
    if before.deployments is not None and after.deployments is not None:
        yield from (f"added: {name}" for name in after.deployments if name not in before.deployments)
        yield from (f"removed: {name}" for name in before.deployments if name not in after.deployments)
    if before.cache and after.cache and before.cache != after.cache:
        yield f"cache: {before.cache} → {after.cache}"
    if before.database and after.database and before.database != after.database:
        yield f"database: {before.database} → {after.database}"
    if before.problems is not None and after.problems is not None:
        yield from _changed_problems(before.problems, after.problems, after.gateway == "answering")


def _changed_problems(before: dict[str, str], after: dict[str, str], known: bool) -> Iterator[str]:
    """What has begun, has become another trouble, and has ended where that is `known`."""
    for key, text in after.items():
        was = before.get(key)
        if was is None:
            yield f"new: {text}"
        elif was != text:
            yield f"{was} → {text.removeprefix(was.partition(': ')[0] + ': ')}"
    if known:
        yield from (f"over: {text}" for key, text in before.items() if key not in after)
