"""Rolling a Deployment over, and back: every new pod is asked for itself before the rollout counts as done.

A rollout that comes to nothing is a `Begun` failure: what ran before goes on to run as long as nobody goes back, for
Kubernetes takes an old pod away only when a new one is ready.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from litellm_tui.analysis.phrases import shortened
from litellm_tui.analysis.redaction.secret_shapes import mask_shapes
from litellm_tui.logs.line_forms import BANNER
from litellm_tui.logs.log_line import clean
from litellm_tui.model.failures import Begun, Denied, Failure, NotAvailable, Unreachable
from litellm_tui.services.kubernetes.kubectl import Cluster, Forbidden, decoded
from litellm_tui.services.kubernetes.objects import (
    ContainerStatus,
    Deployment,
    Pod,
    PodList,
    ReplicaSet,
    ReplicaSetList,
    parse_time,
    selector_text,
)

LOOK_SECONDS: Final = 1.0
# where the Deployment has no deadline of its own; Kubernetes' default
DEADLINE_SECONDS: Final = 600
# a node that is just being added may take a pod that fits nowhere now
PENDING_SECONDS: Final = 60.0
# how long an API server may be away while a rollout goes on
AWAY_SECONDS: Final = 60.0
# where a pod is not ready for another reason than these, it is waited for
_HOPELESS: Final = frozenset({
    "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName",
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
})  # fmt: skip
_REVISION: Final = "deployment.kubernetes.io/revision"
_HASH: Final = "pod-template-hash"
# where the number of replicas is kept while the Deployment is stopped
REPLICAS: Final = "litellm-tui/replicas"
_LIVELINESS, _READINESS = "/health/liveliness", "/health/readiness"
_SHOWN: Final = 300
# the last line of a traceback
_RAISED: Final = re.compile(r"[A-Za-z_][\w.]{0,200}(?:Error|Exception)\b: ")
# uvicorn's, below the error that it tells of
_EXITING: Final = "Application startup failed. Exiting."


class Kept(msgspec.Struct, frozen=True):
    """What there is to go back to: the revision that ran, and the Deployment that had it."""

    uid: str
    revision: int


async def restart(cluster: Cluster, name: str, port: int) -> Failure | None:
    """`kubectl rollout restart`, and the wait until every new pod is ready and answers on `port`.

    `Denied` and other failures but `Begun` mean that nothing was changed.
    """
    found = await cluster.read(Deployment, f"deployments.apps/{name}")
    if isinstance(found, Failure):
        return found
    if found.spec.paused:
        return NotAvailable(f"{name} is paused, and rolls nothing out: kubectl rollout resume deployment/{name}")
    if not found.spec.replicas:
        return await scale(cluster, name, port, up=True)
    said = await cluster.run("rollout", "restart", f"deployment/{name}")
    if isinstance(said, Failure):
        return said
    return await rolled_out(cluster, name, port)


async def scale(cluster: Cluster, name: str, port: int, *, up: bool) -> Failure | None:
    """Stop all pods of the Deployment, or start as many as it had."""
    found = await cluster.read(Deployment, f"deployments.apps/{name}")
    if isinstance(found, Failure):
        return found
    there = found.spec.replicas or 0
    if up == bool(there):
        return await rolled_out(cluster, name, port) if up else None
    kept = (found.metadata.annotations or {}).get(REPLICAS, "")
    wanted = int(kept[:4]) if up and kept.isascii() and kept.isdigit() else int(up)
    if not up:
        said = await cluster.run("annotate", "--overwrite", f"deployment/{name}", f"{REPLICAS}={there}")
        if isinstance(said, Failure):
            return said
    said = await cluster.run("scale", f"deployment/{name}", f"--replicas={wanted}")
    if isinstance(said, Failure):
        return said
    return await rolled_out(cluster, name, port) if up else await _gone(cluster, found)


async def keep(cluster: Cluster, name: str) -> bytes | Failure:
    """The revision that runs now, for `undo`."""
    found = await cluster.read(_Raw, f"deployments.apps/{name}")
    if isinstance(found, Failure):
        return found
    revision = (found.metadata.annotations or {}).get(_REVISION, "")
    if not revision.isdigit():
        return NotAvailable(f"{name} has no revision yet, so there is none to go back to")
    if found.spec.get("revisionHistoryLimit") == 0:
        return NotAvailable(f"{name} keeps no revisions (revisionHistoryLimit: 0), so there is none to go back to")
    return msgspec.json.encode(Kept(found.metadata.uid, int(revision[:9])))


async def undo(cluster: Cluster, name: str, kept: bytes, port: int) -> Failure | None:
    """`kubectl rollout undo` to the revision that was kept, and the wait until its pods are ready and answer."""
    before = decoded(kept.decode(), Kept)
    if isinstance(before, Failure):
        return before
    found = await cluster.read(Deployment, f"deployments.apps/{name}")
    if isinstance(found, Failure):
        return found
    if found.metadata.uid != before.uid:
        return NotAvailable(f"{name} was deleted and made anew: the revision {before.revision} is none of its own")
    if (found.metadata.annotations or {}).get(_REVISION) != str(before.revision):
        said = await cluster.run("rollout", "undo", f"deployment/{name}", f"--to-revision={before.revision}")
        if isinstance(said, Failure):
            return said
    return await rolled_out(cluster, name, port)


async def rolled_out(cluster: Cluster, name: str, port: int) -> Failure | None:
    """Wait until the Deployment has nothing but ready pods of its present template, and each of them answers."""
    began = time.monotonic()
    answered: set[str] = set()
    lost_at: float | None = None
    while True:
        state = await _look(cluster, name)
        if isinstance(state, Failure):
            if isinstance(state, Denied) or not isinstance(state, Unreachable | NotAvailable):
                return Begun(f"how the rollout of {name} goes cannot be seen: {state.why}")
            lost_at = lost_at or time.monotonic()
            if time.monotonic() - lost_at > AWAY_SECONDS:
                return Begun(f"how the rollout of {name} went cannot be seen: {state.why}")
            await asyncio.sleep(LOOK_SECONDS)
            continue
        lost_at = None
        found, pods = state
        if why := why_stuck(found, pods, time.time()):
            return Begun(f"{why}{await _last_line(cluster, pods)}")
        if is_complete(found):
            waiting = [pod for pod in pods if pod.metadata.name not in answered]
            silent = ""
            for pod in waiting:
                silent = await _asked(cluster, pod, port) or silent
                if not silent:
                    answered.add(pod.metadata.name)
            if not silent and len(pods) >= (found.spec.replicas or 0):
                return None
            why = silent or f"{name} has fewer pods than it wants"
        else:
            why = f"{found.status.updated_replicas or 0} of {found.spec.replicas or 0} pods are new"
        if time.monotonic() - began > (found.spec.progress_deadline_seconds or DEADLINE_SECONDS):
            return Begun(f"the rollout of {name} did not end in time: {why}")
        await asyncio.sleep(LOOK_SECONDS)


def is_complete(found: Deployment) -> bool:
    """As `kubectl rollout status` decides it: all pods are new, all are available, and no old one is left."""
    wanted, status = found.spec.replicas or 0, found.status
    return (
        (status.observed_generation or 0) >= found.metadata.generation
        and (status.updated_replicas or 0) >= wanted
        and (status.replicas or 0) <= (status.updated_replicas or 0)
        and (status.available_replicas or 0) >= (status.updated_replicas or 0)
    )


def why_stuck(found: Deployment, pods: Iterable[Pod], now: float) -> str:
    """Why this rollout will come to nothing; empty while it may. `pods` are the new ones, `now` is in seconds."""
    if (found.status.observed_generation or 0) < found.metadata.generation:
        return ""
    for pod in pods:
        if why := why_hopeless(pod, now):
            return f"the new pod {pod.metadata.name} does not start: {why}"
    for condition in found.status.conditions or ():
        if condition.type == "Progressing" and condition.reason == "ProgressDeadlineExceeded":
            return f"the rollout of {found.metadata.name} is stuck: {condition.message or condition.reason}"
        if condition.type == "ReplicaFailure" and condition.status == "True":
            return f"no new pod of {found.metadata.name} can be made: {_bounded(condition.message or '')}"
    return ""


def why_hopeless(pod: Pod, now: float) -> str:
    """Why a pod will not become ready; empty while it may."""
    status = pod.status
    for one in (*(status.init_container_statuses or ()), *(status.container_statuses or ())):
        if why := _hopeless(one):
            return why
    if status.phase == "Failed":
        return " ".join(filter(None, (status.reason, _bounded(status.message or "")))) or "it has failed"
    made = parse_time(pod.metadata.creation_timestamp)
    for condition in status.conditions or ():
        waited = now - made if made else 0.0
        if condition.type == "PodScheduled" and condition.status == "False" and waited > PENDING_SECONDS:
            return f"no node takes it: {_bounded(condition.message or condition.reason or '')}"
    return ""


def _hopeless(one: ContainerStatus) -> str:
    state, before = one.state, one.last_state
    if state is None or state.running is not None:
        return ""
    waiting, ended = state.waiting, state.terminated or (before.terminated if before else None)
    hopeless = waiting.reason if waiting and waiting.reason in _HOPELESS else ""
    if ended is not None and (ended.exit_code or ended.reason == "OOMKilled"):
        # it was never ready: what has ended one start ends the next
        how = ended.reason if ended.reason not in (None, "", "Error") else f"exit status {ended.exit_code}"
        return f"{f'{hopeless}, ' if hopeless else ''}{one.name} ended ({how})"
    return f"{hopeless}: {_bounded((waiting.message if waiting else '') or '')}".rstrip(": ") if hopeless else ""


async def _look(cluster: Cluster, name: str) -> tuple[Deployment, list[Pod]] | Failure:
    """The Deployment and the pods of its present template."""
    found = await cluster.read(Deployment, f"deployments.apps/{name}")
    if isinstance(found, Failure):
        return found
    selector = f"--selector={selector_text(found.spec.selector)}"
    sets, pods = await asyncio.gather(
        cluster.read(ReplicaSetList, "replicasets.apps", selector), cluster.read(PodList, "pods", selector)
    )
    if isinstance(sets, Failure):
        return sets
    if isinstance(pods, Failure):
        return pods
    present = newest(sets.items, found)
    of_template = present.metadata.label(_HASH) if present else None
    return found, [
        pod for pod in pods.items
        if pod.metadata.label(_HASH) == of_template and pod.metadata.deletion_timestamp is None
    ]  # fmt: skip


def newest(sets: Iterable[ReplicaSet], found: Deployment) -> ReplicaSet | None:
    """The ReplicaSet of the Deployment's present template; None before there is one."""
    own = [one for one in sets if any(owner.uid == found.metadata.uid for owner in one.metadata.owner_references or ())]
    return max(own, key=lambda one: one.revision, default=None)


async def _asked(cluster: Cluster, pod: Pod, port: int) -> str:
    """Why this pod does not serve, asked for itself through the API server; empty where it does, or that is unknown."""
    name = pod.metadata.name
    for path in (_LIVELINESS, _READINESS):
        said = await cluster.run(
            "get", "--raw", f"/api/v1/namespaces/{cluster.namespace}/pods/{name}:{port}/proxy{path}"
        )
        if isinstance(said, Forbidden):
            return ""
        if isinstance(said, Failure):
            return f"the new pod {name} does not answer {path}: {said.why}"
    return ""


def ended_with(log: str) -> str:
    """The exception that a log ends with, else its last line but for decoration, named as that; empty without one."""
    lines = [line.strip() for line in clean(log).splitlines()]
    raised = next((line for line in reversed(lines) if _RAISED.match(line)), "")
    if raised:
        return _bounded(raised)
    said = (line for line in reversed(lines) if line and not BANNER.match(line) and not line.endswith(_EXITING))
    last = next(said, "")
    return f"its last line: {_bounded(last)}" if last else ""


async def _last_line(cluster: Cluster, pods: Iterable[Pod]) -> str:
    """What a pod that fails wrote last, for the cause; empty where that is not known."""
    for pod in pods:
        broken = next((one for one in pod.status.container_statuses or () if _hopeless(one)), None)
        if broken is None:
            continue
        for more in ((), ("--previous",)) if broken.restart_count else ((),):
            said = await cluster.run("logs", pod.metadata.name, f"--container={broken.name}", "--tail=30", *more)
            if isinstance(said, str) and (words := ended_with(said)):
                return f"; {words}"
    return ""


async def _gone(cluster: Cluster, found: Deployment) -> Failure | None:
    """Wait until no pod is left of a Deployment that was told to stop."""
    until = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < until:
        pods = await cluster.read(PodList, "pods", f"--selector={selector_text(found.spec.selector)}")
        if isinstance(pods, Failure):
            return Begun(f"whether {found.metadata.name} has stopped cannot be seen: {pods.why}")
        if not pods.items:
            return None
        await asyncio.sleep(LOOK_SECONDS)
    return Begun(f"pods of {found.metadata.name} are still there after {DEADLINE_SECONDS} s")


def _bounded(text: str) -> str:
    return shortened(mask_shapes(" ".join(text.split()))[0], _SHOWN)


class _Raw(msgspec.Struct, frozen=True):
    """A Deployment with its specification as it is."""

    metadata: _Meta
    spec: dict[str, Any]


class _Meta(msgspec.Struct, frozen=True):
    uid: str = ""
    annotations: dict[str, str] | None = None
