"""What is wrong with a pod, and the Deployment as a service in systemd's terms, from the objects that kubectl prints.

The reasons are those of Kubernetes' kubelet, scheduler and Deployment controller, 1.20 to 1.32
(pkg/kubelet/images/types.go, pkg/kubelet/container, pkg/controller/deployment/util).
"""

from __future__ import annotations

from typing import Final

from litellm_tui.analysis.phrases import shortened
from litellm_tui.analysis.redaction.secret_shapes import mask_shapes
from litellm_tui.model.service import Service
from litellm_tui.model.workload import PodState, PodTrouble, Workload
from litellm_tui.services.kubernetes.objects import (
    ContainerStatus,
    Deployment,
    Pod,
    ReplicaSet,
    Terminated,
    parse_time,
)

_TEXT: Final = 240
# what the kubelet waits for, by its own word
_WAITING: Final[dict[str, PodTrouble]] = {
    "ImagePullBackOff": "image", "ErrImagePull": "image", "InvalidImageName": "image", "ErrImageNeverPull": "image",
    "ErrImageInspect": "image", "RegistryUnavailable": "image", "ImageInspectError": "image",
    "CreateContainerConfigError": "configuration", "CreateContainerError": "failed", "RunContainerError": "failed",
    "CrashLoopBackOff": "crash loop", "StartError": "failed", "PostStartHookError": "failed",
}  # fmt: skip
# the names of a StatefulSet's and a ReplicaSet's template in a pod's labels
HASH: Final = "pod-template-hash"
# SIGTERM and success are clean ends, as for a unit
_CLEAN: Final = (0, 143)
# a pod that was made this recently may still start: LiteLLM answers after 12 to 60 s
STARTING_SECONDS: Final = 120.0


def pod_state(pod: Pod, container: str, template: str, now: float) -> PodState:
    """The state of one pod by its `container` that runs LiteLLM; `template` is the hash of the newest template."""
    status = _status_of(pod, container)
    conditions = {one.type: one for one in pod.status.conditions or ()}
    ready = (one := conditions.get("Ready")) is not None and one.status == "True"
    running = status.state.running if status and status.state else None
    last = status.last_state.terminated if status and status.last_state else None
    ended = status.state.terminated if status and status.state else None
    trouble, state, why = _trouble(pod, status, ready, now)
    end = ended or last
    return PodState(
        name=pod.metadata.name,
        state="Terminating" if pod.metadata.deletion_timestamp else state,
        ready=ready and not pod.metadata.deletion_timestamp,
        trouble="" if pod.metadata.deletion_timestamp else trouble,
        why=_text(why),
        restarts=status.restart_count if status else 0,
        current=not template or pod.metadata.label(HASH) == template,
        started_at=parse_time(running.started_at) if running else None,
        made_at=parse_time(pod.metadata.creation_timestamp),
        last_end=describe_end(end) if end else "",
        last_end_at=parse_time(end.finished_at) if end else None,
        node=pod.spec.node_name or "",
        ending=bool(pod.metadata.deletion_timestamp),
    )


def describe_end(end: Terminated) -> str:
    """How a container's run ended: `OOMKilled`, `Error, status 1`, `Completed`."""
    reason = end.reason or "ended"
    if reason == "OOMKilled" or not end.exit_code:
        return reason
    return f"{reason}, status {end.exit_code}"


def _status_of(pod: Pod, container: str) -> ContainerStatus | None:
    statuses = pod.status.container_statuses or ()
    return next((one for one in statuses if one.name == container), statuses[0] if statuses else None)


def _trouble(pod: Pod, status: ContainerStatus | None, ready: bool, now: float) -> tuple[PodTrouble, str, str]:
    """`(trouble, Kubernetes' word, sentence)`."""
    found = pod.status
    if found.phase == "Failed":
        word = found.reason or "Failed"
        ended = status.state.terminated if status and status.state else None
        why = found.message or (ended and (ended.message or f"its container has ended ({describe_end(ended)})"))
        return ("evicted" if word == "Evicted" else "failed"), word, why or "the pod has failed"
    for of_init in found.init_container_statuses or ():
        if (waits := of_init.state.waiting if of_init.state else None) and waits.reason in _WAITING:
            why = f"init container {of_init.name}: {waits.message or waits.reason}"
            return _WAITING[waits.reason], f"Init:{waits.reason}", why
    waiting = status.state.waiting if status and status.state else None
    last = status.last_state.terminated if status and status.last_state else None
    if waiting and waiting.reason in _WAITING:
        trouble, why = _WAITING[waiting.reason], waiting.message or waiting.reason
        if trouble == "crash loop" and last:
            memory = last.reason == "OOMKilled"
            why = f"it ends again and again ({describe_end(last)})"
            return ("out of memory" if memory else "crash loop"), waiting.reason, why
        return trouble, waiting.reason, why
    scheduled = next((one for one in found.conditions or () if one.type == "PodScheduled"), None)
    if scheduled is not None and scheduled.status == "False":
        return "pending", scheduled.reason or "Pending", scheduled.message or "no node takes it"
    ended = status.state.terminated if status and status.state else None
    if ended is not None:
        return (
            ("out of memory" if ended.reason == "OOMKilled" else "failed"),
            ended.reason or "Terminated",
            (ended.message or f"its container has ended ({describe_end(ended)})"),
        )
    condition = next((one for one in found.conditions or () if one.type == "Ready"), None)
    if found.reason == "NodeLost" or (condition is not None and condition.reason == "NodeLost"):
        return "node", "NodeLost", found.message or "its node does not answer"
    running = status.state.running if status and status.state else None
    started = parse_time(running.started_at) if running else None
    if running and not ready and started is not None and now - started > STARTING_SECONDS:
        return "not ready", found.phase or "Running", "its readiness probe fails, and it gets no requests"
    return "", found.phase or (waiting.reason if waiting else "") or "Unknown", ""


def newest_template(sets: tuple[ReplicaSet, ...], deployment: Deployment) -> tuple[str, int]:
    """The hash and the revision of the Deployment's newest template; empty and 0 where no ReplicaSet may be read."""
    mine = owned(sets, deployment)
    newest = max(mine, key=lambda one: one.revision, default=None)
    return (newest.metadata.label(HASH), newest.revision) if newest else ("", 0)


def owned(sets: tuple[ReplicaSet, ...], deployment: Deployment) -> tuple[ReplicaSet, ...]:
    """The ReplicaSets of this Deployment."""
    uid = deployment.metadata.uid
    return tuple(one for one in sets if any(owner.uid == uid for owner in one.metadata.owner_references or ()))


def workload(
    deployment: Deployment,
    pods: tuple[PodState, ...],
    revision: int,
    context: str,
    forbidden: tuple[str, ...],
    billed: tuple[str, ...] = (),
) -> Workload:
    """The Deployment with its pods, the newest first."""
    progress = next((one for one in deployment.status.conditions or () if one.type == "Progressing"), None)
    failing = next((one for one in deployment.status.conditions or () if one.type == "ReplicaFailure"), None)
    stuck = ""
    if failing is not None and failing.status == "True":
        stuck = failing.message or failing.reason or "pods cannot be made"
    elif progress is not None and progress.status == "False":
        stuck = progress.message or progress.reason or "it does not go on"
    return Workload(
        context=context,
        namespace=deployment.metadata.namespace,
        wanted=_wanted(deployment),
        ready=deployment.status.ready_replicas or 0,
        updated=deployment.status.updated_replicas or 0,
        revision=revision,
        pods=tuple(sorted(pods, key=lambda one: (one.ending, -(one.made_at or 0.0), one.name))),
        stuck=_text(stuck),
        paused=bool(deployment.spec.paused),
        forbidden=forbidden,
        billed=billed,
    )


def service_from(deployment: Deployment, pods: tuple[Pod, ...], found: Workload, template: str) -> Service:
    """The Deployment as a service. It is active while one pod is ready; the run is that of its pods together."""
    alive = [one for one in found.pods if not one.ending]
    ready = [one for one in alive if one.ready]
    troubled = [one for one in alive if one.trouble]
    if not found.wanted:
        active, sub = ("deactivating", "stop-sigterm") if found.pods else ("inactive", "dead")
    elif ready:
        active, sub = "active", "running"
    elif any(one.trouble in ("crash loop", "out of memory") for one in troubled):
        active, sub = "activating", "auto-restart"
    elif troubled and len(troubled) == len(alive):
        active, sub = "failed", "failed"
    else:
        active, sub = "activating", "start"
    starts = [one.started_at for one in alive if one.started_at]
    last = _last_end(pods, found)
    clean = last is None or (last.exit_code in _CLEAN and last.reason != "OOMKilled")
    signalled = last is not None and last.exit_code > 128
    worst = troubled[0] if troubled and not ready else None
    return Service(
        unit=deployment.metadata.name,
        scope="kubernetes",
        load_state="loaded",
        active_state=active,
        sub_state=sub,
        result="success" if clean else "oom-kill" if last and last.reason == "OOMKilled" else "exit-code",
        restarts=sum(one.restarts for one in alive),
        # all pods have been started since then
        started_at=max(starts) if starts and active == "active" else None,
        changed_at=max(starts, default=None),
        exit_code="" if last is None or clean else "killed" if signalled else "exited",
        exit_status=0 if last is None or clean else last.exit_code - 128 if signalled else last.exit_code,
        invocation=_invocation(pods, template),
        note=f"pod {worst.name}: {worst.why or worst.trouble}" if worst else "",
        workload=found,
    )


def _last_end(pods: tuple[Pod, ...], found: Workload) -> Terminated | None:
    ends = [
        end
        for pod in pods
        for status in pod.status.container_statuses or ()
        if (end := (status.state and status.state.terminated) or (status.last_state and status.last_state.terminated))
    ]
    return max(ends, key=lambda one: parse_time(one.finished_at) or 0.0, default=None)


def _invocation(pods: tuple[Pod, ...], template: str) -> str:
    """What differs once a container was started anew, or another pod has taken its place."""
    runs = sorted(
        f"{pod.metadata.uid[:8]}.{sum(one.restart_count for one in pod.status.container_statuses or ())}"
        for pod in pods
        if not pod.metadata.deletion_timestamp
    )
    return " ".join([template, *runs])


def _wanted(deployment: Deployment) -> int:
    return 1 if deployment.spec.replicas is None else deployment.spec.replicas


def _text(said: str) -> str:
    return shortened(mask_shapes(" ".join(said.split()))[0], _TEXT)
