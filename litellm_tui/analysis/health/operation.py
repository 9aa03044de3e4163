"""Verdicts on the gateway and on the service that runs it: whether it answers, and if not, why."""

from __future__ import annotations

from signal import Signals
from typing import Any, Final

import msgspec

from litellm_tui.analysis.end_causes import NOT_KNOWN, EndCause, name_end
from litellm_tui.analysis.health.listening import ports_elsewhere
from litellm_tui.analysis.health.pods import no_pod_ready, way_gone
from litellm_tui.analysis.health.processes import unhealthy, workers_lost
from litellm_tui.analysis.phrases import age
from litellm_tui.model.diagnosis import Evidence, Verdict
from litellm_tui.model.failures import Crashed, Malformed, Unauthorized, Unreachable
from litellm_tui.model.reading import Reading, is_silence
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Notice

# a proxy that was started this long ago may still be importing: LiteLLM answers after 4 to 30 s
STARTING_SECONDS: Final = 60.0
# the state in which something in front of LiteLLM answers in its place
PROXY_ANSWERS: Final = "proxy answers"
# a process that systemd started again this recently is reported even while it answers
RECENT_RESTART: Final = 600.0
_EXITED: Final = "Main process exited"
_KEY: Final = (
    "it answers, but shows nothing without its key: set LITELLM_PROXY_API_KEY or give --key-file "
    "(litellm-tui where says which key was found)"
)


def judge_gateway(snapshot: Snapshot, now: float, service: Verdict) -> Verdict:
    """`answering`, `connecting`, `starting`, `stopping`, `overloaded`, `hanging`, `down`, `not LiteLLM`,
    `proxy answers`, `key refused`, `key needed`, `not read`.

    `service` is the verdict on the unit; it explains a gateway that is down.
    """
    liveliness = snapshot.gateway.liveliness
    failure, since = liveliness.failure, liveliness.failing_since
    seen = Evidence("router", "/health/liveliness answers", "for", liveliness.seen_at)
    if failure is None and liveliness.value is None:
        return Verdict("connecting", "unknown", "no answer yet")
    if failure is None:
        readings = (snapshot.gateway.groups, snapshot.gateway.deployments)
        blocked = next((r for r in readings if isinstance(r.failure, Malformed) and r.failure.front), None)
        if blocked is not None and isinstance(blocked.failure, Malformed):
            return _in_front(blocked.failure, blocked, (seen,))
        refused = next((r for r in readings if isinstance(r.failure, Unauthorized)), None)
        if refused is None or not isinstance(refused.failure, Unauthorized):
            return Verdict("answering", "ok", "it answers", seen_at=liveliness.seen_at, evidence=(seen,))
        word = "key refused" if refused.failure.sent else "key needed"
        return Verdict(
            word,
            "bad",
            refused.failure.why,
            seen_at=refused.tried_at,
            do=_KEY,
            brief=word,
            since=refused.failing_since,
            evidence=(seen, Evidence("router", refused.failure.why, "against", refused.tried_at)),
        )
    if isinstance(failure, Crashed):
        # a fault of the console says nothing about the gateway
        return Verdict("not read", "unknown", failure.why, seen_at=liveliness.seen_at, brief="not read", since=since)
    against = (Evidence("router", failure.why, "against", liveliness.tried_at),)
    if (blind := way_gone(snapshot)) is not None:
        return blind
    unit = snapshot.service.value if service.state != "unknown" else None
    if isinstance(failure, Malformed) and failure.front:
        return _in_front(failure, liveliness, against, service)
    if isinstance(failure, Malformed):
        return Verdict(
            "not LiteLLM",
            "bad",
            failure.why,
            seen_at=liveliness.tried_at,
            do=_listens_elsewhere(snapshot, unit) or "something else listens there: check --url and the unit's --port",
            brief="not LiteLLM",
            since=since,
            evidence=against,
        )
    moved = isinstance(failure, Unreachable) and failure.kind == "refused" and bool(_listens_elsewhere(snapshot, unit))
    if _is_starting(unit, now, liveliness.seen_at) and service.severity != "bad" and not moved:
        running = age(now - unit.started_at) if unit and unit.started_at else age(now - (since or now))
        return Verdict(
            "starting",
            "warn",
            f"the process has run for {running} and does not answer yet",
            do="LiteLLM takes 5 to 30 s to answer; the log (2) shows how far it is",
            brief="starting",
            since=since,
            evidence=against,
        )
    if unit and unit.active_state == "deactivating":
        return Verdict("stopping", "warn", "the unit is being stopped", brief="stopping", since=since, evidence=against)
    if is_silence(failure):
        if answered := _answered_others(snapshot):
            return Verdict(
                "overloaded",
                "warn",
                "requests are answered, /health/liveliness is not",
                seen_at=liveliness.tried_at,
                do="its event loop is busy or blocked at times: see processor and memory (5) and the log (2); "
                "a restart cuts off what it is answering",
                brief="overloaded",
                since=since,
                evidence=(*against, Evidence("traffic", "its access log shows an answer meanwhile", "for", answered)),
            )
        pid = f" (process {unit.main_pid})" if unit and unit.main_pid else ""
        return Verdict(
            "hanging",
            "bad",
            f"connects and gives {failure.why}{pid}",
            seen_at=liveliness.tried_at,
            do="it may be stopped (SIGSTOP), blocked or overloaded: the log (2) shows what it did last, R restarts",
            brief="hanging",
            since=since,
            evidence=against,
        )
    advice = _down_advice(snapshot, unit)
    if snapshot.service.value is None and snapshot.service.failure is not None:
        advice = "no unit is known here: start LiteLLM, or check --url (litellm-tui where)"
    return Verdict(
        "down",
        "bad",
        failure.why,
        seen_at=liveliness.tried_at,
        do=advice if moved else service.do or advice,
        brief="another port" if moved else service.brief if service.severity == "bad" else _refusal(failure),
        since=since,
        evidence=against,
    )


def _in_front(
    failure: Malformed, reading: Reading[Any], evidence: tuple[Evidence, ...], service: Verdict | None = None
) -> Verdict:
    """The verdict on what answers in LiteLLM's place: it gets no answer itself, or wants a login."""
    against = Evidence("router", failure.why, "against", reading.tried_at)
    dead = (failure.status or 0) >= 500
    step = service.do if service is not None and service.severity == "bad" else ""
    past = "--url with LiteLLM's own address and port goes past it"
    if dead:
        step = step or "see whether LiteLLM runs and listens where the proxy sends requests"
    else:
        step = "let it pass /health and /v1 without a login, or look behind it"
    return Verdict(
        PROXY_ANSWERS,
        "bad",
        failure.why + (" (LiteLLM gives it no answer)" if dead else ""),
        seen_at=reading.tried_at,
        do=f"{step}; {past}",
        brief=failure.front[:40],
        since=reading.failing_since,
        evidence=(*(e for e in evidence if e.text != against.text), against),
    )


def _listens_elsewhere(snapshot: Snapshot, service: Service | None) -> str:
    """The step to a process that runs and listens, but not where it is looked for; empty where that is not known."""
    asked = snapshot.address.rpartition(":")[2]
    found = ports_elsewhere(int(asked) if asked.isdecimal() else 0, service, snapshot.last_records)
    if not found:
        return ""
    ports = ", ".join(map(str, found))
    return f"the process listens on port {ports}: give --url with it, or correct --port and restart"


def _answered_others(snapshot: Snapshot) -> float | None:
    """The time of its last answer to any request, if that was during the liveliness request that got no answer."""
    asked, answered = snapshot.gateway.liveliness, snapshot.traffic.answered_at
    began = (asked.tried_at or 0.0) - (asked.took or 0.0)
    return answered if answered is not None and answered > began else None


def add_health_url(gateway: Verdict, told: Reading[str]) -> Verdict:
    """The verdict with the answer of the profile's health URL, which can differ from the gateway's own answers."""
    if told.tried_at is None:
        return gateway
    words = told.failure.why if told.failure else f"the health URL answers ({told.value})"
    evidence = Evidence("router", words, "against" if told.failure else "for", told.tried_at)
    contradiction = gateway.contradiction
    if told.failure is None and gateway.state in ("down", "hanging", "not LiteLLM", PROXY_ANSWERS):
        contradiction = "its health URL answers all the same: what asks only that does not know of it"
    return msgspec.structs.replace(gateway, evidence=(*gateway.evidence, evidence), contradiction=contradiction)


def judge_service(snapshot: Snapshot, now: float) -> Verdict:
    """The unit: `active`, `not found`, `crash loop`, `killed`, `killed for memory`, `failed`, `stopped`, `unknown`, …

    A reading from before the gateway stopped answering does not explain why it did.
    """
    reading = snapshot.service
    liveliness = snapshot.gateway.liveliness
    if reading.value is None or reading.failure is not None:
        why = reading.failure.why if reading.failure else "not asked yet"
        return Verdict("unknown", "unknown", why, seen_at=reading.seen_at)
    if liveliness.failing_since is not None and (reading.seen_at or 0.0) < liveliness.failing_since:
        return Verdict("unknown", "unknown", "not read since the gateway fell silent", seen_at=reading.seen_at)
    service = reading.value
    answering = liveliness.failure is None and liveliness.value is not None
    seen, since = reading.seen_at, service.changed_at
    if service.load_state == "not-found" and service.scope != "kubernetes":
        return Verdict(
            "not found",
            "bad",
            f"{service.unit} is not there any more{_note(service)}",
            seen_at=seen,
            do="the unit was renamed: start the console anew with --unit and that name"
            if service.note
            else "the unit file was removed: put it back, systemctl daemon-reload, then R",
            brief="unit gone",
        )
    if (taken := _port_taken(snapshot, service)) is not None and not answering:
        return Verdict(
            "port taken",
            "bad",
            f"LiteLLM cannot listen on {taken.name}: the address is already in use",
            seen_at=seen,
            do="see who listens there (ss -ltnp), stop it or change --port, then R",
            brief="port taken",
            since=taken.first,
        )
    cause = NOT_KNOWN if answering else name_end(service, snapshot.last_records)
    if (pods := no_pod_ready(service, cause)) is not None:
        return msgspec.structs.replace(pods, seen_at=seen)
    because = f": {cause.text}" if cause.text else ""
    named = f"{cause.brief}: " if cause.brief else ""
    if not answering and (loop := _crash_loop(snapshot, service)):
        brief, do = cause.brief or "crash loop", _crash_advice(snapshot, service, cause)
        return Verdict("crash loop", "bad", named + loop + because, seen_at=seen, do=do, brief=brief, since=since)
    if service.sub_state == "auto-restart" or service.active_state == "failed":
        word = _ending_word(service)
        verb = "failed" if service.active_state == "failed" else "ended"
        again = (
            f", {service.keeper} starts it again"
            if service.sub_state == "auto-restart"
            else ", systemd has given up"
            if service.result == "start-limit-hit"
            else ""
        )
        return Verdict(
            word,
            "bad",
            f"{named}{service.unit} {verb} ({describe_ending(service)}){again}{_note(service)}{because}",
            seen_at=seen,
            do=_crash_advice(snapshot, service, cause),
            brief=cause.brief or word,
            since=since,
        )
    if service.active_state not in ("active", "reloading", "activating", "deactivating"):
        if answering:
            return Verdict(
                "not from this unit",
                "warn",
                f"the gateway answers, and {service.unit} is {service.active_state}",
                seen_at=seen,
                do="something else listens on its port, or --unit names another service",
                brief="other process",
                since=since,
            )
        return Verdict(
            "stopped",
            "bad",
            f"{service.unit} is {service.active_state}{_note(service)}{_obstacles(service)}",
            seen_at=seen,
            do=service.obstacles[0].do if service.obstacles else "the log (2) says why it ended; R starts it again",
            brief="stopped",
            since=since,
        )
    if (health := unhealthy(service)) is not None:
        return msgspec.structs.replace(health, seen_at=seen)
    if (worker := workers_lost(service, now)) is not None:
        return msgspec.structs.replace(worker, seen_at=seen)
    up = now - service.started_at if service.started_at else None
    if service.restarts and up is not None and up < RECENT_RESTART:
        times = "once" if service.restarts == 1 else f"{service.restarts} times"
        return Verdict(
            "restarted",
            "warn",
            f"{service.keeper} had to start it again ({times} so far), {age(up)} ago",
            seen_at=seen,
            do="the log (2) says why it ended before that",
            brief="restarted",
            since=service.started_at,
        )
    return Verdict(service.active_state, "ok", "", seen_at=seen, since=since)


def signal_name(number: int) -> str:
    """`SIGKILL` for 9; a number that no signal has is told as it is."""
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"


def describe_ending(service: Service) -> str:
    """How the unit's process ended, in systemd's terms, as far as it is known."""
    if not service.exit_code:
        return service.result or "how it ended is not known"
    if service.exit_code in ("killed", "dumped"):
        how = "killed by" if service.exit_code == "killed" else "a core dump after"
        # systemd's own word for the rest says more only where it is another one
        more = "" if service.result in ("", "signal", "core-dump") else f"{service.result}, "
        return f"{more}{how} {signal_name(service.exit_status)}"
    return f"{service.result}, status {service.exit_status}"


def _note(service: Service) -> str:
    return f": {service.note}" if service.note else ""


def _obstacles(service: Service) -> str:
    """What a stopped service would not start with."""
    return "".join(f"; it would not start: {obstacle.text}" for obstacle in service.obstacles[:1])


def _ending_word(service: Service) -> str:
    if service.result == "oom-kill":
        return "killed for memory"
    return "killed" if service.exit_code in ("killed", "dumped") else "failed"


def _crash_loop(snapshot: Snapshot, service: Service) -> str:
    """The text of a crash loop; empty when it is not known to be one."""
    answered = snapshot.gateway.liveliness.seen_at
    never = service.started_at is None or answered is None or answered < service.started_at
    again = service.sub_state == "auto-restart" and service.exit_code == "exited"
    broken = again and snapshot.configuration.error is not None
    restarts = service.restarts or 0
    if not never or not (broken or (again and restarts >= 1) or restarts >= 2):
        return ""
    times = f"{restarts} times" if restarts != 1 else "once"
    again_and_again = f"; {service.keeper} has started it again {times}" if restarts else ""
    why = f" ({describe_ending(service)})" if service.exit_code and service.sub_state == "auto-restart" else ""
    return f"{service.unit} ends while it starts{why}{again_and_again}"


def _crash_advice(snapshot: Snapshot, service: Service, cause: EndCause) -> str:
    if cause.do and (service.obstacles or not snapshot.configuration.error):
        return cause.do
    if snapshot.configuration.error:
        return f"mend the file: {snapshot.configuration.error}"
    return "the log (2) says why it ended; R starts it again"


def _port_taken(snapshot: Snapshot, service: Service) -> Notice | None:
    """The notice of an address in use, from this process or from the one that ended last."""
    taken = [notice for notice in snapshot.traffic.notices if notice.kind == "port taken"]
    newest = max(taken, key=lambda notice: notice.last, default=None)
    if newest is None:
        return None
    if service.started_at is not None and newest.last >= service.started_at:
        return newest
    if _ended_since(snapshot, newest.last) > 1:
        # the run that found its port taken has ended, and another one for a reason of its own
        return None
    answered = snapshot.gateway.liveliness.seen_at
    return newest if answered is None or answered < newest.last else None


def _ended_since(snapshot: Snapshot, moment: float) -> int:
    """How many runs of the unit systemd saw end after that moment, as far as the last records tell."""
    return sum(
        record.source == "systemd" and record.time > moment and _EXITED in record.text[:200]
        for record in snapshot.last_records
    )


def _is_starting(service: Service | None, now: float, answered_at: float | None) -> bool:
    """Whether the process is too young to have answered; one that has answered before is not starting."""
    if service is None or service.sub_state == "auto-restart":
        return False
    if service.active_state == "activating":
        return True
    if service.active_state != "active" or service.started_at is None:
        return False
    return now - service.started_at < STARTING_SECONDS and (answered_at is None or answered_at < service.started_at)


def _refusal(failure: object) -> str:
    kind = failure.kind if isinstance(failure, Unreachable) else "other"
    return {"refused": "refused", "dns": "no such host", "tls": "TLS", "closed": "no connection"}.get(kind, "no answer")


def _down_advice(snapshot: Snapshot, service: Service | None) -> str:
    if service is None:
        return ""
    if elsewhere := _listens_elsewhere(snapshot, service):
        return elsewhere
    if service.workload is not None:
        return "a pod is ready: see the port-forward or the address that leads to it (litellm-tui where), or give --url"
    if service.active_state == "active":
        # with port 4000 taken, LiteLLM listens on a random one without an error (litellm/proxy/proxy_cli.py)
        return "the process runs, and not on this port: its log (2) names the one it listens on (Uvicorn running on …)"
    return "the log (2) says why it ended; R starts it again"
