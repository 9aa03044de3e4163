"""What seldom changes of a Deployment: rollout, probes, limits, events, HPA, use, and missing rights."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any, Final

from litellm_tui.analysis.phrases import shortened
from litellm_tui.analysis.redaction.secret_shapes import mask_shapes
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Exit
from litellm_tui.services.driver import Description
from litellm_tui.services.kubernetes.kubectl import Cluster
from litellm_tui.services.kubernetes.objects import (
    ContainerProbe,
    ContainerSpec,
    Deployment,
    Pod,
    Read,
    ReplicaSet,
    Terminated,
    parse_time,
)

# GET /health itself calls every deployment and is billed; /health/liveliness and /health/readiness are not
_BILLED: Final = re.compile(r"/health/?(?:\?.{0,200})?")
_OF_LITELLM: Final = re.compile(r"/health/(?:liveliness|liveness|readiness)/?")
_MOST_EVENTS: Final = 15
_TEXT: Final = 200
_RIGHTS: Final = ("auth", "can-i", "--list", "--no-headers")
# the verbs that are needed, with what each is for; docs/kubernetes.md has the Role
NEEDED: Final[tuple[tuple[str, str, str], ...]] = (
    ("get", "deployments.apps", "the Deployment"),
    ("list", "replicasets.apps", "its revisions"),
    ("list", "pods", "its pods"),
    ("watch", "pods", "new pods in the log"),
    ("get", "pods/log", "the log"),
    ("get", "pods/proxy", "each pod's own answer"),
    ("create", "pods/portforward", "a way to the gateway without an address"),
    ("list", "events", "events"),
    ("get", "configmaps", "the configuration and variables"),
    ("get", "secrets", "variables and the key, and a configuration in a Secret"),
    ("list", "horizontalpodautoscalers.autoscaling", "the HPA"),
)


class _Involved(Read, frozen=True):
    kind: str = ""
    name: str = ""


class _Event(Read, frozen=True):
    type: str = ""
    reason: str | None = ""
    message: str | None = ""
    count: int | None = 1
    last_timestamp: str | None = None
    event_time: str | None = None
    involved_object: _Involved = _Involved()

    @property
    def at(self) -> float:
        """When it was last seen."""
        return parse_time(self.last_timestamp) or parse_time(self.event_time) or 0.0


class _Events(Read, frozen=True):
    items: tuple[_Event, ...] = ()


class _Autoscaler(Read, frozen=True):
    spec: dict[str, Any] = {}
    status: dict[str, Any] = {}


class _Autoscalers(Read, frozen=True):
    items: tuple[_Autoscaler, ...] = ()


def probes(container: ContainerSpec) -> Iterator[str]:
    """Each probe as it is configured, and what is wrong with it for LiteLLM."""
    named = (
        ("liveness", container.liveness_probe),
        ("readiness", container.readiness_probe),
        ("startup", container.startup_probe),
    )
    for name, probe in named:
        if probe is None:
            if name == "readiness":
                yield "no readiness probe: a pod gets requests before LiteLLM answers; ask /health/readiness"
            continue
        path = _path(probe)
        text = f"{name} probe: {path or 'a command or port'} every {probe.period_seconds or 10} s"
        if _BILLED.fullmatch(path):
            text += "; /health calls every deployment each time, and is billed: ask /health/liveliness or /readiness"
        elif path and not _OF_LITELLM.fullmatch(path):
            text += "; LiteLLM has no such health page: /health/liveliness, /health/readiness"
        elif name == "liveness" and path.startswith("/health/readiness"):
            text += "; readiness fails with the database: Kubernetes then restarts every pod; ask /health/liveliness"
        yield text


def billed(container: ContainerSpec) -> tuple[str, ...]:
    """The probes that ask /health itself."""
    found = (("liveness", container.liveness_probe), ("readiness", container.readiness_probe))
    return tuple(name for name, probe in found if probe is not None and _BILLED.fullmatch(_path(probe)))


def _path(probe: ContainerProbe) -> str:
    if probe.http_get is not None:
        return probe.http_get.path or "/"
    words = " ".join(probe.exec.command or ()) if probe.exec else ""
    found = re.search(r"/health(?:/[\w/-]{0,80})?", words)
    return found[0] if found else ""


def policy_of(deployment: Deployment, container: ContainerSpec) -> dict[str, str]:
    """How the Deployment is run, by Kubernetes' own names."""
    strategy, told = deployment.spec.strategy, container.resources
    rolling = strategy.rolling_update if strategy else None
    seconds = deployment.spec.template.spec.termination_grace_period_seconds
    words = {
        "image": container.image or "",
        "replicas": str(deployment.spec.replicas),
        "strategy": strategy.type if strategy else "",
        "maxUnavailable": "" if rolling is None or rolling.max_unavailable is None else str(rolling.max_unavailable),
        "maxSurge": "" if rolling is None or rolling.max_surge is None else str(rolling.max_surge),
        "progressDeadlineSeconds": str(deployment.spec.progress_deadline_seconds or ""),
        "terminationGracePeriodSeconds": str(seconds or ""),
    }
    for side, amounts in (("limits", told.limits if told else None), ("requests", told.requests if told else None)):
        words[side] = ",".join(f"{name}={amount}" for name, amount in (amounts or {}).items())
    return {name: value for name, value in words.items() if value}


def exits_of(pods: tuple[Pod, ...], container: str) -> tuple[Exit, ...]:
    """The last end of each pod's container; Kubernetes keeps no more."""
    ends = [
        (pod, end)
        for pod in pods
        for status in pod.status.container_statuses or ()
        if status.name == container
        for end in (
            status.last_state.terminated if status.last_state else None,
            status.state.terminated if status.state else None,
        )
        if end is not None
    ]
    return tuple(sorted((_exit(end) for _, end in ends), key=lambda one: one.at))


def _exit(end: Terminated) -> Exit:
    memory, signalled = end.reason == "OOMKilled", end.exit_code > 128
    return Exit(
        at=parse_time(end.finished_at) or 0.0,
        began=parse_time(end.started_at),
        code="killed" if signalled else "exited",
        status=end.exit_code - 128 if signalled else end.exit_code,
        result="oom-kill" if memory else "success" if end.exit_code in (0, 143) else "exit-code",
        by="memory" if memory else "",
        again=True,
        keeper="Kubernetes",
    )


async def describe_deployment(
    cluster: Cluster,
    deployment: Deployment,
    container: ContainerSpec,
    pods: tuple[Pod, ...],
    sets: tuple[ReplicaSet, ...],
    selector: str,
) -> Description:
    """All that is told of it. What the rights forbid is named, and the rest is told."""
    events, scalers, use, rights = await asyncio.gather(
        cluster.read(_Events, "events"),
        cluster.read(_Autoscalers, "horizontalpodautoscalers.autoscaling"),
        cluster.run("top", "pods", f"--selector={selector}", "--containers", "--no-headers"),
        missing_rights(cluster),
    )
    sections = (
        ("its probes", tuple(probes(container))),
        ("its ReplicaSets", tuple(_of_sets(sets))),
        ("events", tuple(_of_events(events, deployment, pods, sets))),
        ("autoscaler (HPA)", tuple(_of_scalers(scalers, deployment.metadata.name))),
        ("what its pods use", tuple(_of_use(use, container.name))),
        ("rights that are missing (RBAC; docs/kubernetes.md)", rights),
    )
    return Description(
        exits_of(pods, container.name),
        policy_of(deployment, container),
        exits_since="each container's last end: Kubernetes keeps no more",
        sections=tuple((name, lines) for name, lines in sections if lines),
    )


def _of_sets(sets: tuple[ReplicaSet, ...]) -> Iterator[str]:
    for one in sorted(sets, key=lambda found: -found.revision)[:5]:
        images = ", ".join(box.image or "" for box in one.spec.template.spec.containers)
        ready = f"{one.status.ready_replicas or 0} of {one.spec.replicas or 0} ready"
        yield f"revision {one.revision}: {one.metadata.name}, {ready}, {images}"


def _of_events(
    found: _Events | Failure, deployment: Deployment, pods: tuple[Pod, ...], sets: tuple[ReplicaSet, ...]
) -> Iterator[str]:
    if isinstance(found, Failure):
        yield found.why
        return
    mine = {deployment.metadata.name, *(one.metadata.name for one in pods), *(one.metadata.name for one in sets)}
    kept = sorted((one for one in found.items if one.involved_object.name in mine), key=lambda one: -one.at)
    for one in kept[:_MOST_EVENTS]:
        times = f" (×{one.count})" if (one.count or 1) > 1 else ""
        message = shortened(mask_shapes(" ".join((one.message or "").split()))[0], _TEXT)
        yield f"{one.type} {one.reason}{times}: {one.involved_object.name}: {message}"


def _of_scalers(found: _Autoscalers | Failure, name: str) -> Iterator[str]:
    if isinstance(found, Failure):
        yield found.why
        return
    for one in found.items:
        if (one.spec.get("scaleTargetRef") or {}).get("name") != name:
            continue
        least, most = one.spec.get("minReplicas", 1), one.spec.get("maxReplicas")
        yield f"{least} to {most} pods, {one.status.get('currentReplicas', 0)} now"
        if one.status.get("currentReplicas") == most:
            yield "it has as many pods as it may: more requests get no more of them"


def _of_use(found: str | Failure, container: str) -> Iterator[str]:
    if isinstance(found, Failure):
        yield f"not known: {found.why}"
        return
    for line in found.splitlines()[:50]:
        pod, name, *amounts = (*line.split(), "", "")
        if name == container:
            yield f"{pod}: CPU and memory {' '.join(amounts).strip()}"


async def missing_rights(cluster: Cluster) -> tuple[str, ...]:
    """What is missing of the rights that are needed; one line for each. Asks the API server once."""
    said = await cluster.run(*_RIGHTS)
    return (f"not known: {said.why}",) if isinstance(said, Failure) else tuple(missing_of(said))


def missing_rights_now(cluster: Cluster) -> tuple[str, ...]:
    """As `missing_rights`, but blocks, and tells nothing where that is not known."""
    said = cluster.run_now(*_RIGHTS)
    return () if isinstance(said, Failure) else tuple(missing_of(said))


def missing_of(listed: str) -> Iterator[str]:
    """The rights of `NEEDED` that `kubectl auth can-i --list` does not show."""
    rows = [_row(line) for line in listed.splitlines() if line.strip()]
    for verb, resource, what in NEEDED:
        if not any(_matches(resource, of) and (verb in verbs or "*" in verbs) for of, verbs in rows):
            yield f"{verb} {resource}: {what}"


def _row(line: str) -> tuple[str, tuple[str, ...]]:
    """`(resource, verbs)` of a row: resource, [non-resource URLs], [resource names], [verbs]."""
    lists = re.findall(r"\[([^\]]*)\]", line)
    resource = line.split("[", 1)[0].strip()
    # a right on named objects alone is not the right on any
    verbs = tuple(lists[2].split()) if len(lists) == 3 and not lists[1].strip() else ()
    return resource, verbs


def _matches(wanted: str, given: str) -> bool:
    if given in ("*", "*.*", wanted):
        return True
    name, _, group = wanted.partition(".")
    of, _, of_group = given.partition(".")
    return (of in (name, "*") or (of.startswith("*/") and name.endswith(of[1:]))) and of_group in (group, "*")
