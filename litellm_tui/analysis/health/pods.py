"""What is wrong with the pods of a Deployment: a problem for each that does not serve, beside others that do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from litellm_tui.analysis.end_causes import EndCause
from litellm_tui.analysis.phrases import age, count, shortened
from litellm_tui.model.diagnosis import BlindSpot, Evidence, Place, Problem, Verdict
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.workload import PodState, PodTrouble, Workload

# a container that was killed for memory this long ago is still told of
RECENT: Final = 600.0
_BRIEF: Final[dict[PodTrouble, str]] = {
    "pending": "pod pending", "image": "no image", "configuration": "pod not configured", "crash loop": "crash loop",
    "out of memory": "pod out of memory", "failed": "pod failed", "evicted": "pod evicted",
    "not ready": "pod not ready", "silent": "pod does not answer", "node": "node lost",
}  # fmt: skip
_DO: Final[dict[PodTrouble, str]] = {
    "pending": "see what the message asks for: free a node, lower the requests, or bind the volume",
    "image": "correct the image's name and tag, or its pull secret; the pods that run are not touched",
    "configuration": "make the ConfigMap, Secret or key that the message names",
    "crash loop": "the log (2) of this pod says why it ended: filter by pod: and its name",
    "out of memory": "raise resources.limits.memory of its container, or run fewer workers in it",
    "failed": "the events say more (Enter in the service, 5)",
    "evicted": "its node had too little memory or disk: give the pod requests, or the node room",
    "not ready": "the log (2) of this pod says what it waits for: filter by pod: and its name",
    "silent": "the log (2) of this pod says what hangs; deleting the pod has another one made",
    "node": "see the node (kubectl get nodes): its pods are replaced after some minutes",
}


def way_gone(snapshot: Snapshot) -> Verdict | None:
    """Of a gateway that does not answer: it is not known whether it serves, since the port-forward to it goes through
    the API server, which is not reached either. None where that is not so.
    """
    service, asked = snapshot.service, snapshot.gateway.liveliness
    if service.failure is None or service.value is None or service.value.workload is None or asked.failure is None:
        return None
    if not snapshot.address.startswith("127.0.0.1:"):
        return None
    return Verdict(
        "not read",
        "unknown",
        f"it is reached through the API server, and that is not: {service.failure.why}",
        seen_at=asked.seen_at,
        do="whether it serves is not known from here: kubectl get pods, with the same context, says what is wrong",
        brief="not read",
        since=asked.failing_since,
        evidence=(Evidence("router", asked.failure.why, "against", asked.tried_at),),
    )


def no_pod_ready(service: Service, cause: EndCause) -> Verdict | None:
    """The verdict on a Deployment that is gone, or of which no pod serves; None where one does, or may yet."""
    if service.scope == "kubernetes" and service.load_state == "not-found":
        return Verdict(
            "not found",
            "bad",
            f"the Deployment {service.unit} is not there any more",
            do="see kubectl get deployments, or start the console anew with --kind kubernetes --unit and its name",
            brief="Deployment gone",
        )
    found = service.workload
    if found is None or not found.wanted or any(one.ready for one in found.pods):
        return None
    worst = next((one for one in found.pods if one.trouble), None)
    if worst is None:
        if not found.pods and found.stuck:
            return Verdict("failed", "bad", f"no pod could be made: {found.stuck}", do=_DO["failed"], brief="no pod")
        return None
    because = f": {cause.text}" if cause.text and worst.trouble in ("crash loop", "failed") else ""
    brief = cause.brief if because and cause.brief else _BRIEF[worst.trouble]
    return Verdict(
        worst.trouble,
        "bad",
        f"none of {count(found.wanted, 'pod')} is ready; {worst.name}: {worst.state}, {worst.why}{because}",
        do=cause.do if because and cause.do else _DO[worst.trouble],
        brief=brief,
        since=worst.last_end_at or worst.made_at,
    )


def pod_problems(snapshot: Snapshot, now: float) -> Iterator[Problem]:
    """A problem for each pod that does not serve while others do, for a rollout that is stuck, and a billed probe."""
    service = snapshot.service.value
    found = service.workload if service is not None and snapshot.service.failure is None else None
    if found is None:
        return
    ready = [one for one in found.pods if one.ready and not one.trouble]
    for one in found.pods if ready else ():
        if one.trouble and not one.ending:
            yield _of_pod(one, found, ready)
        elif one.ready and "OOMKilled" in one.last_end and now - (one.last_end_at or 0.0) < RECENT:
            yield _killed(one, now)
    if found.stuck:
        yield Problem(
            key="service:rollout",
            severity="warn",
            title="rollout",
            cause="rollout stuck",
            reason=f"{found.updated} of {count(found.wanted, 'pod')} are of the newest template: {found.stuck}",
            place=Place("service"),
            do="see the pods that are not ready; kubectl rollout undo brings the revision before back",
            hit="nobody by this: the pods of the revision before serve on" if ready else "",
        )
    for probe in found.billed:
        yield Problem(
            key=f"service:probe {probe}",
            severity="warn",
            title=f"{probe} probe",
            cause="probe is billed",
            reason=f"the {probe} probe of each pod asks GET /health, which calls every deployment each time",
            place=Place("service"),
            do="ask /health/liveliness for liveness, /health/readiness for readiness",
            hit="nobody: each call is billed, and a provider's failure restarts or takes out pods",
        )


def _of_pod(pod: PodState, found: Workload, ready: list[PodState]) -> Problem:
    # a pod that is ready and silent is given requests; the others are not
    hit = f"about 1 of {len(ready) + 1} requests" if pod.trouble == "silent" else "nobody yet: other pods serve"
    ended = f"; last end: {pod.last_end}" if pod.last_end and pod.last_end not in pod.why else ""
    times = f"; {count(pod.restarts, 'restart')}" if pod.restarts else ""
    return Problem(
        key=f"service:pod {pod.name}",
        severity="bad" if pod.trouble == "silent" else "warn",
        title=f"pod {pod.name}",
        cause=_BRIEF[pod.trouble],
        reason=f"{pod.state}: {pod.why or pod.trouble}{ended}{times}; {len(ready)} of {found.wanted} serve",
        place=Place("service"),
        do=_DO[pod.trouble],
        hit=hit,
        since=pod.last_end_at or pod.made_at,
    )


def _killed(pod: PodState, now: float) -> Problem:
    return Problem(
        key=f"service:pod {pod.name}",
        severity="warn",
        title=f"pod {pod.name}",
        cause=_BRIEF["out of memory"],
        reason=f"it serves again, and was killed for memory {age(now - (pod.last_end_at or now))} ago (OOMKilled)",
        place=Place("service"),
        do=_DO["out of memory"],
        hit="the requests that were in it",
        since=pod.last_end_at,
    )


def hidden_parts(snapshot: Snapshot) -> Iterator[BlindSpot]:
    """What the rights in the cluster hide, each part for itself."""
    service = snapshot.service.value
    for why in service.workload.forbidden if service is not None and service.workload is not None else ():
        yield BlindSpot(shortened(why, 200), "a Role with these verbs: docs/kubernetes.md")


def pod_words(pod: PodState, now: float) -> str:
    """One pod in a line: what it is, since when, and what is wrong."""
    words = [pod.state if pod.trouble or pod.ending else "ready" if pod.ready else "starting"]
    if pod.answer and not pod.trouble:
        words.append(f"answers{f', LiteLLM {pod.version}' if pod.version else ''}")
    if not pod.current:
        words.append("an older template")
    if pod.restarts:
        words.append(count(pod.restarts, "restart"))
    if pod.last_end:
        at = f" {age(now - pod.last_end_at)} ago" if pod.last_end_at else ""
        words.append(f"last end {pod.last_end}{at}")
    if pod.why:
        words.append(pod.why)
    return ", ".join(words)
