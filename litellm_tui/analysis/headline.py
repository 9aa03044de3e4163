"""The header's sentence: one state in words, the clauses that say why, and the next step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from litellm_tui.analysis.phrases import age, count
from litellm_tui.analysis.records import Cache, Deployment, Headline, Part
from litellm_tui.snapshot import Malformed, Service, Snapshot, Unauthorized, Unreachable

# a proxy that was started this long ago may still be importing: LiteLLM answers after 4 to 30 s
STARTING_SECONDS = 60.0


def make_headline(
    snapshot: Snapshot, now: float, deployments: Sequence[Deployment], cache: Cache, changes: int, saved: bool
) -> Headline:
    """`changes` counts the differences of file and router, `saved` says whether the file is newer than the proxy."""
    tail = (*_config_parts(snapshot, changes, saved), *_service_parts(snapshot, now))
    if (down := _gateway_state(snapshot, now)) is not None:
        return Headline(down.word, down.severity, (*down.parts, *tail), down.advice)
    bad = [d for d in deployments if d.verdict.severity == "bad"]
    degraded = [d for d in deployments if d.verdict.severity == "warn"]
    parts = [_deployments_part(deployments), _cache_part(cache), *_error_parts(snapshot), *tail]
    broken = snapshot.configuration.error is not None
    if bad or degraded or cache.severity in ("bad", "warn") or broken:
        return Headline("DEGRADED", "bad" if bad else "warn", tuple(parts), _advice(snapshot, bad or degraded, cache))
    if snapshot.service.value and snapshot.service.value.active_state not in ("active", "reloading"):
        return Headline("ANSWERING", "warn", tuple(parts), "the gateway answers, but not from this unit: "
                        "something else listens on its port, or --unit names another service")  # fmt: skip
    if snapshot.gateway.deployments.value is None:
        return Headline(
            "STARTING" if snapshot.gateway.deployments.failure is None else "ANSWERING", "unknown", tuple(parts)
        )
    if any(d.verdict.state in ("unproven", "unknown") for d in deployments):
        return Headline("ANSWERING", "quiet", tuple(parts))
    return Headline("OK", "ok", tuple(parts))


def _gateway_state(snapshot: Snapshot, now: float) -> Headline | None:
    """The states in which nothing is known of the models; None when the gateway answers and takes the key."""
    liveliness = snapshot.gateway.liveliness
    failure = liveliness.failure
    service = _service_since(snapshot, liveliness.failing_since)
    if failure is None and liveliness.value is None:
        return Headline("CONNECTING", "unknown", (Part("no answer yet", "unknown"),))
    if failure is None:
        refusals = (snapshot.gateway.groups.failure, snapshot.gateway.deployments.failure)
        refused = next((f for f in refusals if isinstance(f, Unauthorized)), None)
        if refused is None:
            return None
        word = "KEY REFUSED" if refused.sent else "KEY NEEDED"
        return Headline(word, "bad", (Part(refused.why, "bad"),),
                        "it answers, but shows nothing without its key: set LITELLM_PROXY_API_KEY or give --key-file "
                        "(litellm-tui where says which key was found)")  # fmt: skip
    since = age(now - (liveliness.failing_since or now))
    if isinstance(failure, Malformed):
        return Headline(
            "NOT LITELLM",
            "bad",
            (Part(failure.why, "bad"),),
            "something else listens there: check --url and the unit's --port",
        )
    if _is_starting(service, now, liveliness.seen_at):
        seconds = age(now - service.started_at) if service and service.started_at else since
        part = Part(f"the process has run for {seconds} and does not answer yet", "warn")
        return Headline("STARTING", "warn", (part,),
                        "LiteLLM takes 5 to 30 s to answer; the log (2) shows how far it is")  # fmt: skip
    if service and service.active_state == "deactivating":
        return Headline("STOPPING", "warn", (Part("the unit is being stopped", "warn"),))
    if isinstance(failure, Unreachable) and failure.kind == "timeout":
        pid = f" (process {service.main_pid})" if service and service.main_pid else ""
        return Headline("HANGING", "bad", (Part(f"connects and gives {failure.why}, for {since}{pid}", "bad"),),
                        "it may be stopped (SIGSTOP), blocked or overloaded: the log (2) shows the last thing it did, "
                        "R restarts")  # fmt: skip
    advice = _down_advice(service)
    if snapshot.service.value is None and snapshot.service.failure is not None:
        advice = "no unit is known here: start LiteLLM, or check --url (litellm-tui where)"
    return Headline("DOWN", "bad", (Part(f"{failure.why}, for {since}", "bad"), *_unit_fault(service)), advice)


def _service_since(snapshot: Snapshot, moment: float | None) -> Service | None:
    """The service as it was read after the gateway fell silent; what was read before says nothing about why."""
    reading = snapshot.service
    if moment is not None and (reading.seen_at is None or reading.seen_at < moment):
        return None
    return reading.value


def _is_starting(service: Service | None, now: float, answered_at: float | None) -> bool:
    """Whether the process is too young to have answered yet; one that answered and stopped doing so is not starting."""
    if service is None or service.sub_state == "auto-restart":
        return False
    if service.active_state == "activating":
        return True
    if service.active_state != "active" or service.started_at is None:
        return False
    return now - service.started_at < STARTING_SECONDS and (answered_at is None or answered_at < service.started_at)


def _unit_fault(service: Service | None) -> tuple[Part, ...]:
    if service is None:
        return ()
    if service.load_state == "not-found":
        return (Part(f"{service.unit} is not there any more", "bad"),)
    if service.sub_state == "auto-restart":
        return (Part(f"{service.unit} ended ({_ending(service)}), systemd starts it again", "bad"),)
    if service.active_state == "failed":
        return (Part(f"{service.unit} failed ({_ending(service)})", "bad"),)
    return (Part(f"{service.unit} is {service.active_state}", "bad" if service.active_state != "active" else "warn"),)


def _ending(service: Service) -> str:
    if service.exit_code == "killed":
        return f"{service.result}, by signal {service.exit_status}"
    return f"{service.result}, status {service.exit_status}"


def _down_advice(service: Service | None) -> str:
    if service is None:
        return ""
    if service.load_state == "not-found":
        return "the unit file was removed: put it back, systemctl daemon-reload, then R"
    if service.active_state == "active":
        # with port 4000 taken, LiteLLM goes to a random one without failing (litellm/proxy/proxy_cli.py)
        return "the process runs, and not on this port: its log (2) names the one it listens on (Uvicorn running on …)"
    return "the log (2) says why it ended; R starts it again"


def _deployments_part(deployments: Sequence[Deployment]) -> Part:
    # what a restart will add is a change, not a fault: the clause on the configuration counts it
    present = [d for d in deployments if not (d.verdict.pending and d.loaded is None)]
    total = len(present)
    if not total:
        return Part("no deployments", "warn")
    states = Counter(d.verdict.state for d in present if not d.verdict.pending)
    said = [
        (states["failing"], "failing", "bad"),
        (states["masked"], "masked", "warn"),
        (states["degraded"], "degraded", "warn"),
        (states["not loaded"], "not loaded", "bad"),
        (states["not in file"], "not in the file", "warn"),
    ]
    wrong = [(number, words, severity) for number, words, severity in said if number]
    if wrong:
        first, *others = wrong
        text = f"{first[0]} of {count(total, 'deployment')} {first[1]}" + "".join(
            f", {n} {words}" for n, words, _ in others
        )
        return Part(text, "bad" if any(s == "bad" for _, _, s in wrong) else "warn")
    if states["serving"] == sum(states.values()):
        return Part(f"{count(total, 'deployment')} serving", "ok")
    unsure = states["unproven"] + states["unknown"]
    return Part(f"{count(total, 'deployment')} loaded, the health of {unsure} is not proven", "quiet")


def _cache_part(cache: Cache) -> Part:
    return Part(f"cache {cache.word}", cache.severity)


def _error_parts(snapshot: Snapshot) -> tuple[Part, ...]:
    minutes = snapshot.log.errors_per_minute
    recent = sum(minutes[-5:])
    if not recent:
        return ()
    return (Part(f"{count(recent, 'error')} in 5 min {sparkline(minutes[-5:])}", "warn"),)


def sparkline(values: Sequence[int]) -> str:
    """A bar per value, scaled to the largest."""
    bars = "▁▂▃▄▅▆▇█"
    most = max(values, default=0)
    return "".join(bars[round(value / most * (len(bars) - 1))] if most else bars[0] for value in values)


def _service_parts(snapshot: Snapshot, now: float) -> tuple[Part, ...]:
    service = snapshot.service.value
    if service is None or snapshot.service.failure is not None:
        why = snapshot.service.failure.why if snapshot.service.failure else ""
        return (Part(f"service unknown: {why}", "unknown"),) if why else ()
    if service.active_state == "active" and service.started_at:
        return (Part(f"up {age(now - service.started_at)}"),)
    return ()


def _config_parts(snapshot: Snapshot, changes: int, saved: bool) -> tuple[Part, ...]:
    configuration = snapshot.configuration
    if configuration.error:
        place = f"line {configuration.error.line}: " if configuration.error.line else ""
        return (Part(f"config broken, {place}{configuration.error.problem}", "bad"),)
    if changes:
        return (Part(f"config saved, {count(changes, 'change')} not applied", "warn"),)
    if saved:
        return (Part("config saved after the start", "quiet"),)
    return ()


def _advice(snapshot: Snapshot, worst: Sequence[Deployment], cache: Cache) -> str:
    if snapshot.configuration.error:
        return f"{snapshot.configuration.error}: the last good one is shown; a restart would fail"
    if worst and worst[0].verdict.do:
        return f"{worst[0].group}: {worst[0].verdict.brief or worst[0].verdict.reason}; {worst[0].verdict.do}"
    return f"cache: {cache.reason}; {cache.do}" if cache.do else ""
