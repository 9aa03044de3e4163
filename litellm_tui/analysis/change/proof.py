"""Whether a restart succeeded: check by check, only from evidence after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from litellm_tui.analysis.health.operation import describe_ending
from litellm_tui.analysis.phrases import count
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.failures import NotAvailable, Unauthorized
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Notice

# seconds after the first answer; early failures happen within this time
STEADY_SECONDS: Final = 10.0
# seconds after the first answer; an earlier ping can meet an unfinished connection to Redis
CACHED_SECONDS: Final = 20.0

# of what the configuration does not have
NOT_WANTED: Final = "none is wanted"

# what readiness says of a gateway without a database
_NONE: Final = "Not connected"

ProofState = Literal["ok", "waiting", "failed", "not known"]
CheckName = Literal["unit", "answers", "ready", "deployments", "cache", "database", "log", "probes", "steady"]


class ExpectedProcess(msgspec.Struct, frozen=True):
    """What the new process is compared with.

    `ordered_at` is when the restart was ordered, `carried_out_at` when the order ended; older evidence does not count.
    `invocation` and `main_pid` identify the process before, `loaded` is its number of deployments; `cached` says that
    its cache was healthy, `connected` that it had its database. `probes` are the groups to probe. `first_pid` and
    `first_run` are the first process seen after the restart and its invocation, `answered_at` the time since which it
    answers, None while it does not.
    """

    ordered_at: float
    invocation: str = ""
    carried_out_at: float = 0.0
    main_pid: int = 0
    loaded: int = 0
    cached: bool = False
    connected: bool = False
    probes: tuple[str, ...] = ()
    first_pid: int = 0
    first_run: str = ""
    answered_at: float | None = None


class ProofCheck(msgspec.Struct, frozen=True):
    """One condition of a successful restart, with its state and a text.

    One that waits for nothing but time is decided at `until`, in seconds since the epoch.
    """

    name: CheckName
    state: ProofState
    text: str = ""
    until: float | None = None


def prove(snapshot: Snapshot, diagnosis: Diagnosis, expected: ExpectedProcess, now: float) -> tuple[ProofCheck, ...]:
    """Every check, in the order in which they can be decided. Proved means none `waiting` and none `failed`."""
    return tuple(_checks(snapshot, diagnosis, expected, now))


def why_unproved(checks: tuple[ProofCheck, ...]) -> str:
    """Why a restart is not proved: the failed checks, otherwise the waiting ones; empty when it is proved."""
    for state in ("failed", "waiting"):
        found = [check for check in checks if check.state == state]
        if found:
            return "; ".join(check.text or check.name for check in found)
    return ""


def is_new_process(service: Service | None, expected: ExpectedProcess) -> bool:
    """Whether the process is another one than before the restart.

    The process of an engine on another machine has no number here: there only its run tells.
    """
    if service is None or not (service.main_pid or (service.invocation and service.active_state == "active")):
        return False
    return (service.invocation, service.main_pid) != (expected.invocation, expected.main_pid)


def _checks(snapshot: Snapshot, diagnosis: Diagnosis, expected: ExpectedProcess, now: float) -> Iterator[ProofCheck]:
    service = snapshot.service.value
    unit = _unit(snapshot, diagnosis, expected)
    yield unit
    liveliness = snapshot.gateway.liveliness
    begun = service.started_at if service and is_new_process(service, expected) else None
    since = max(expected.ordered_at, expected.carried_out_at, begun or 0.0)
    answered = unit.state in ("ok", "not known") and liveliness.failure is None and (liveliness.seen_at or 0.0) > since
    yield ProofCheck("answers", "ok" if answered else "waiting", "" if answered else "it does not answer yet")
    if not answered:
        return
    yield _ready(snapshot, since)
    yield _deployments(snapshot, diagnosis, expected, since)
    yield _cache(snapshot, diagnosis, expected, since, now)
    if expected.connected:
        yield _database(snapshot, diagnosis, expected, since, now)
    yield _log(snapshot.traffic.notices, expected.ordered_at)
    yield _probes(snapshot, expected)
    yield _steady(expected, now)


def _unit(snapshot: Snapshot, diagnosis: Diagnosis, expected: ExpectedProcess) -> ProofCheck:
    reading = snapshot.service
    service = reading.value
    if reading.failure is not None and service is None:
        return ProofCheck("unit", "not known", reading.failure.why)
    if service is None or (reading.seen_at or 0.0) < max(expected.ordered_at, expected.carried_out_at):
        return ProofCheck("unit", "waiting", "the unit was not looked at yet")
    said = diagnosis.service
    taken = [n.name for n in snapshot.traffic.notices if n.kind == "port taken" and n.last > expected.ordered_at]
    broken = service.active_state == "failed" or service.sub_state == "auto-restart"
    if service.load_state == "not-found":
        return ProofCheck("unit", "failed", f"{service.unit} is not there any more")
    if taken and snapshot.gateway.liveliness.failure is not None:
        return ProofCheck("unit", "failed", f"LiteLLM cannot listen on {taken[-1]}: the address is already in use")
    if broken:
        # a verdict from before the gateway stopped answering does not explain its end
        why = said.reason if said.severity == "bad" else f"{service.unit} ended ({describe_ending(service)})"
        return ProofCheck("unit", "failed", why)
    # systemd keeps counting over a restart that is ordered while it waits for the next start
    later = expected.first_pid not in (0, service.main_pid) or expected.first_run not in ("", service.invocation)
    if is_new_process(service, expected) and later:
        return ProofCheck("unit", "failed", f"{service.unit} ended after its start, and had to be started again")
    if service.active_state == "active" and is_new_process(service, expected):
        return ProofCheck("unit", "ok", f"process {service.main_pid}" if service.main_pid else "another run")
    if service.active_state == "active" and not service.main_pid and not service.invocation:
        return ProofCheck("unit", "not known", "whether it is another process than before cannot be seen")
    if service.active_state == "inactive" and service.sub_state == "dead":
        return ProofCheck("unit", "waiting", f"{service.unit} is stopped")
    return ProofCheck("unit", "waiting", f"{service.unit} is {service.active_state} ({service.sub_state})")


def _ready(snapshot: Snapshot, since: float) -> ProofCheck:
    readiness = snapshot.gateway.readiness
    ready = readiness.value is None or readiness.value.ready
    if readiness.failure is None and (readiness.seen_at or 0.0) > since and ready:
        version = readiness.value.version if readiness.value else None
        return ProofCheck("ready", "ok", f"LiteLLM {version}" if version else "")
    lost = (
        f": its database is {readiness.value.db}" if readiness.value and readiness.value.db not in (None, _NONE) else ""
    )
    return ProofCheck("ready", "waiting", f"/health/readiness does not say that it is ready{lost}")


def _deployments(snapshot: Snapshot, diagnosis: Diagnosis, expected: ExpectedProcess, since: float) -> ProofCheck:
    reading, file = snapshot.gateway.deployments, snapshot.configuration.current
    # a refused key shows with the groups first, before anything else is requested
    tried = [r for r in (snapshot.gateway.groups, reading) if (r.tried_at or 0.0) > since]
    failure = next((r.failure for r in tried if r.failure is not None), None)
    if isinstance(failure, Unauthorized):
        return ProofCheck("deployments", "failed", f"the key is refused now: {failure.why}")
    if isinstance(failure, NotAvailable):
        return ProofCheck("deployments", "not known", failure.why)
    if reading.value is None or failure is not None or (reading.seen_at or 0.0) <= since:
        said = f": {failure.why}" if failure is not None else ""
        return ProofCheck("deployments", "waiting", f"what it has loaded is not known yet{said}")
    if expected.loaded and not reading.value:
        return ProofCheck("deployments", "failed", f"it answers, and has loaded nothing; {expected.loaded} were before")
    if file is None:
        loaded = count(len(reading.value), "deployment")
        return ProofCheck("deployments", "not known", f"{loaded} loaded; the file is not known")
    # entries that were added to the file after the start do not count
    missing = [row for row in diagnosis.deployments if row.file and not row.loaded and not row.verdict.pending]
    wanted = len(file.deployments)
    if not missing:
        return ProofCheck("deployments", "ok", f"{wanted} of {count(wanted, 'deployment')} loaded")
    names = ", ".join(dict.fromkeys(f"{row.group} ({row.model})" for row in missing[:3]))
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    # it answers only after it has loaded the file
    return ProofCheck("deployments", "failed", f"{wanted - len(missing)} of {wanted} loaded, without {names}{more}")


def _cache(snapshot: Snapshot, diagnosis: Diagnosis, expected: ExpectedProcess, since: float, now: float) -> ProofCheck:
    verdict, file = diagnosis.cache, snapshot.configuration.current
    wanted = file is not None and bool(file.section("litellm_settings").get("cache"))
    if not expected.cached or not wanted:
        return ProofCheck("cache", "ok", verdict.state if wanted else NOT_WANTED)
    pinged = (verdict.seen_at or 0.0) > since
    if pinged and verdict.severity != "bad" and verdict.state != "off":
        return ProofCheck("cache", "ok", verdict.state)
    # a ping without an answer sets no time for the cache
    if now - (expected.answered_at or now) > CACHED_SECONDS and (pinged or verdict.state == "unknown"):
        return ProofCheck("cache", "failed", f"the cache was healthy before, and is {verdict.state}: {verdict.reason}")
    return ProofCheck("cache", "waiting", "the cache was not pinged yet")


def _database(
    snapshot: Snapshot, diagnosis: Diagnosis, expected: ExpectedProcess, since: float, now: float
) -> ProofCheck:
    verdict, readiness = diagnosis.database, snapshot.gateway.readiness
    asked = readiness.failure is None and (readiness.seen_at or 0.0) > since
    if asked and verdict.state in ("connected", "slow", "migrations failed", "read-only"):
        return ProofCheck("database", "ok", f"database {verdict.state}")
    if verdict.state == "off":
        # the file that was applied has none
        return ProofCheck("database", "ok", NOT_WANTED)
    if asked and now - (expected.answered_at or now) > CACHED_SECONDS:
        text = f"the database was connected before, and is {verdict.state}: {verdict.reason}"
        return ProofCheck("database", "failed", text)
    return ProofCheck("database", "waiting", "whether it has its database is not known yet")


def _log(notices: tuple[Notice, ...], since: float) -> ProofCheck:
    """Only the log says that LiteLLM dropped a model: some versions list it all the same."""
    dropped = [notice.name for notice in notices if notice.kind == "dropped" and notice.last > since]
    if dropped:
        return ProofCheck("log", "failed", f"LiteLLM dropped {', '.join(dropped)} at its start: it names no provider")
    return ProofCheck("log", "ok", "")


def _probes(snapshot: Snapshot, expected: ExpectedProcess) -> ProofCheck:
    if not expected.probes:
        return ProofCheck("probes", "ok", NOT_WANTED)
    since = max(expected.ordered_at, expected.answered_at or 0.0)
    made = [probe for probe in snapshot.probes if probe.asked_at > since]
    loaded = snapshot.gateway.deployments
    known = (loaded.seen_at or 0.0) > since
    there = {name for deployment in loaded.value or () for name in (deployment.group, *deployment.names)}
    waiting = ""
    for group in expected.probes:
        of_group = [probe for probe in made if probe.group == group]
        if not of_group and known and group not in there:
            return ProofCheck("probes", "failed", f"{group} is to be probed, and no deployment of it is loaded")
        if not of_group:
            waiting = waiting or f"{group} was not asked yet"
        elif not any(probe.ok or probe.skipped for probe in of_group):
            said = of_group[0].error.strip().partition("\n")[0] or f"status {of_group[0].status}"
            return ProofCheck("probes", "failed", f"a probe of {group} failed: {said}")
    if waiting:
        return ProofCheck("probes", "waiting", waiting)
    return ProofCheck("probes", "ok", f"{', '.join(expected.probes)} answered")


def _steady(expected: ExpectedProcess, now: float) -> ProofCheck:
    """Early ends of the process, and log lines about its start, come within this time."""
    if expected.answered_at is None or now - expected.answered_at < STEADY_SECONDS:
        until = expected.answered_at + STEADY_SECONDS if expected.answered_at is not None else None
        return ProofCheck("steady", "waiting", f"it must go on to answer for {STEADY_SECONDS:g} s", until)
    return ProofCheck("steady", "ok", f"it went on to answer for {STEADY_SECONDS:g} s")
