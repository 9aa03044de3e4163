"""The check of a gateway in phases, from the file to the log; each phase depends on the ones before it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, Literal

import msgspec

from litellm_tui.analysis.advice import Advisor
from litellm_tui.analysis.audit_phrases import points, summary
from litellm_tui.analysis.change.service_drift import summary as summary_of_drift
from litellm_tui.analysis.change.service_drift import what_brings_it_in
from litellm_tui.analysis.health.cache import MISCONFIGURED
from litellm_tui.analysis.health.coverage import log_permission
from litellm_tui.analysis.health.crashes import crash_problems
from litellm_tui.analysis.health.database_report import figures
from litellm_tui.analysis.health.half_written import problem_among
from litellm_tui.analysis.health.left_open import left_open_among
from litellm_tui.analysis.phrases import age, count, first_of
from litellm_tui.model.audit import Audit
from litellm_tui.model.configuration import NOT_KNOWN
from litellm_tui.model.diagnosis import Diagnosis, PlaceKind, Problem, Severity, Verdict
from litellm_tui.model.failures import Crash, Crashed, Unreachable
from litellm_tui.model.snapshot import Snapshot

PhaseName = Literal[
    "file", "audit", "references", "service", "port", "gateway", "key", "models", "routing", "cache", "database", "log"
]
Outcome = Literal["ok", "warning", "broken", "skipped"]
UNREACHABLE: Final = ("down", "hanging", "starting", "stopping", "connecting", "not LiteLLM", "proxy answers")
# the phase that depends on each source; for all other sources it is the gateway
_CRASHED: Final[dict[str, PhaseName]] = {
    "configuration": "file",
    "audit": "audit",
    "service": "service",
    "groups": "key",
    "deployments": "models",
    "health": "models",
    "traffic": "models",
    "metrics": "models",
    "router": "routing",
    "cache_ping": "cache",
    "redis": "cache",
    "postgres": "database",
    "log": "log",
    "log counts": "log",
    "incidents": "log",
}
_OUTCOMES: Final[dict[Severity, Outcome]] = {"bad": "broken", "warn": "warning", "unknown": "skipped"}


class Phase(msgspec.Struct, frozen=True):
    """One line of the check: its outcome, a text, and the next step if there is one."""

    name: PhaseName
    outcome: Outcome
    text: str
    do: str = ""


def check_phases(snapshot: Snapshot, diagnosis: Diagnosis, now: float, minutes: int) -> tuple[Phase, ...]:
    """All phases in order; errors in the log are counted over the last `minutes` (at most 60)."""
    found = (
        _file(snapshot, diagnosis),
        _audit(diagnosis.audit),
        _references(snapshot),
        _service(snapshot, diagnosis),
        _port(snapshot, diagnosis),
        _gateway(snapshot, diagnosis),
        *_behind_the_gateway(diagnosis),
        _database(snapshot, diagnosis.database, now),
        _log(snapshot, now, minutes),
    )
    fell = {_CRASHED.get(crash.source, "gateway"): crash for crash in reversed(snapshot.crashes)}
    return tuple(_with_crash(phase, fell[phase.name]) if phase.name in fell else phase for phase in found)


def _with_crash(phase: Phase, crash: Crash) -> Phase:
    """The phase as a warning, because the console failed to read its source."""
    if phase.outcome == "broken":
        return phase
    problem = next(crash_problems((crash,)))
    return Phase(phase.name, "warning", f"{problem.title}: {problem.reason}", problem.do)


def _file(snapshot: Snapshot, diagnosis: Diagnosis) -> Phase:
    configuration = snapshot.configuration
    file = configuration.current
    if damaged := problem_among(diagnosis):
        return Phase("file", "broken", damaged.reason, damaged.do)
    if configuration.error:
        mend = "put it back, or give --config" if configuration.error.unread else "mend it before anything restarts"
        return Phase("file", "broken", str(configuration.error), mend)
    if configuration.failure:
        return Phase("file", "skipped", configuration.failure.why)
    if file is None:
        return Phase("file", "skipped", configuration.why_unwatched or "not read", "--config FILE")
    text = f"{file.path}: it parses, {count(len(file.deployments), 'deployment')}"
    if diagnosis.drift:
        waiting = f"{text}; {count(len(diagnosis.drift), 'change')} saved and not applied"
        return Phase("file", "warning", waiting, "restart to apply them")
    return Phase("file", "ok", text)


def _audit(audit: Audit | None) -> Phase:
    if audit is None:
        return Phase("audit", "skipped", "there is no file to audit")
    text = f"{summary(audit)}; {points(audit.score)}"
    worst = next((f for f in audit.findings if f.severity in ("fatal", "error")), None)
    if worst is None:
        return Phase("audit", "ok", text)
    outcome: Outcome = "broken" if worst.severity == "fatal" else "warning"
    return Phase("audit", outcome, f"{text}; first: {worst.text}", "litellm-tui audit tells all of it")


def _references(snapshot: Snapshot) -> Phase:
    file = snapshot.configuration.current
    if file is None:
        return Phase("references", "skipped", "the file is not known")
    unset = sorted({reference.name for reference in file.references if reference.source is None})
    names = {reference.name for reference in file.references}
    if unset:
        words = f"{', '.join(unset)}: referred to by the file and set by nothing that was found"
        advisor = Advisor.of(snapshot.words, snapshot.service_drift.value)
        do = advisor.unset(unset[0]) if len(unset) == 1 else snapshot.words.set_variable("them")
        return Phase("references", "warning", words, do)
    if why := snapshot.configuration.environment_unknown:
        open_ = {reference.name for reference in file.references if reference.source == NOT_KNOWN}
        if open_:
            return Phase("references", "skipped", f"whether {first_of(sorted(open_))} is set is not known: {why}")
    return Phase("references", "ok", f"{count(len(names), 'environment variable')} referred to, all set")


def _service(snapshot: Snapshot, diagnosis: Diagnosis) -> Phase:
    if left := left_open_among(diagnosis):
        return Phase("service", "broken", f"{left.title} {left.cause}: {left.reason}", left.do)
    found = _of_verdict("service", diagnosis.service, f"{snapshot.words.service} is {diagnosis.service.state}")
    drift = snapshot.service_drift.value
    if drift is None or not drift.found or found.outcome != "ok":
        return found
    return Phase("service", "warning", f"{found.text}; {summary_of_drift(drift)}", what_brings_it_in(drift))


def _port(snapshot: Snapshot, diagnosis: Diagnosis) -> Phase:
    failure = snapshot.gateway.liveliness.failure
    if isinstance(failure, Unreachable) and failure.kind not in ("timeout", "closed"):
        return Phase("port", "broken", failure.why, diagnosis.gateway.do)
    if snapshot.gateway.liveliness.tried_at is None:
        return Phase("port", "skipped", "not asked")
    if isinstance(failure, Crashed):
        return Phase("port", "skipped", failure.why)
    return Phase("port", "ok", "something listens and takes connections")


def _gateway(snapshot: Snapshot, diagnosis: Diagnosis) -> Phase:
    verdict = diagnosis.gateway
    if verdict.state in UNREACHABLE:
        return Phase("gateway", "broken", f"{verdict.state}: {verdict.reason}", verdict.do)
    if verdict.state in ("overloaded", "not read"):
        return Phase("gateway", "warning", f"{verdict.state}: {verdict.reason}", verdict.do)
    readiness = snapshot.gateway.readiness.value
    version = f"LiteLLM {readiness.version}" if readiness and readiness.version else "LiteLLM"
    return Phase("gateway", "ok", f"{version} answers")


def _behind_the_gateway(diagnosis: Diagnosis) -> Iterator[Phase]:
    verdict = diagnosis.gateway
    names: tuple[PhaseName, ...] = ("key", "models", "routing", "cache")
    if verdict.state in (*UNREACHABLE, "overloaded", "not read"):
        yield from (Phase(name, "skipped", "the gateway cannot be asked") for name in names)
        return
    if verdict.state != "answering":
        yield Phase("key", "broken", verdict.reason, verdict.do)
        yield from (Phase(name, "skipped", "the gateway wants a key") for name in names[1:])
        return
    yield Phase("key", "ok", "it is accepted")
    yield _worst_of("models", diagnosis, ("deployment", "group"), _models_well(diagnosis))
    named = [chain for chain in diagnosis.chains if chain.kind != "alias"]
    aliases = len(diagnosis.chains) - len(named)
    well = f"{count(len(named), 'chain')}, {count(aliases, 'alias', 'aliases')}, every target exists"
    yield _worst_of("routing", diagnosis, ("chain", "alias"), well)
    yield _of_verdict("cache", diagnosis.cache, diagnosis.cache.state)


def _models_well(diagnosis: Diagnosis) -> str:
    states: dict[str, int] = {}
    for deployment in diagnosis.deployments:
        states[deployment.verdict.state] = states.get(deployment.verdict.state, 0) + 1
    told = ", ".join(f"{number} {state}" for state, number in sorted(states.items(), key=lambda item: -item[1]))
    return told or "no deployment is loaded"


def _worst_of(name: PhaseName, diagnosis: Diagnosis, kinds: Collection[PlaceKind], well: str) -> Phase:
    found = [p for p in diagnosis.problems if p.place.kind in kinds and p.solved_at is None]
    wrong = [problem for problem in found if problem.severity in ("bad", "warn")]
    if not wrong:
        return Phase(name, "ok", well)
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return Phase(name, _OUTCOMES[wrong[0].severity], _problem_text(wrong[0]) + more, wrong[0].do)


def _problem_text(problem: Problem) -> str:
    return (
        f"{problem.title}: {problem.cause}; hit: {problem.hit}" if problem.hit else f"{problem.title}: {problem.reason}"
    )


def _of_verdict(name: PhaseName, verdict: Verdict, well: str) -> Phase:
    outcome = _OUTCOMES.get(verdict.severity, "ok")
    # no request fails without the cache
    if name == "cache" and outcome == "broken" and verdict.state != MISCONFIGURED:
        outcome = "warning"
    text = f"{verdict.state}: {verdict.reason}" if verdict.reason else well
    return Phase(name, outcome, text, verdict.do if outcome != "ok" else "")


def _database(snapshot: Snapshot, verdict: Verdict, now: float) -> Phase:
    if verdict.state in ("unknown", "answers"):
        return Phase("database", "skipped", verdict.reason or "not asked")
    phase = _of_verdict("database", verdict, verdict.state)
    more = [f"but {verdict.contradiction}"] if verdict.contradiction else []
    if snapshot.database.answer.failure is None:
        more += list(figures(snapshot.database, now))
    return msgspec.structs.replace(phase, text="; ".join((phase.text, *more)))


def _log(snapshot: Snapshot, now: float, minutes: int) -> Phase:
    log, since = snapshot.log, snapshot.traffic.since
    if log.state == "off" or (log.failure is not None and log.last < 0):
        why = log.failure.why if log.failure else "no log is read"
        return Phase("log", "skipped", why, log_permission(snapshot))
    errors = sum(log.errors_per_minute[-minutes:])
    read = f"{minutes} min"
    if since is not None and since > now - minutes * 60:
        read = f"the last {age(now - since)}, which is all that was read"
    if errors:
        return Phase("log", "warning", f"{count(errors, 'error')} in {read}", "read them: litellm-tui, then 2 and n")
    return Phase("log", "ok", f"no errors in {read}")
