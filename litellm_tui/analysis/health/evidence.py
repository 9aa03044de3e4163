"""The evidence for and against each deployment: probe, real requests, cooldown, health report, each with its time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from litellm_tui.analysis.failures.causes import Cause, first_words, name_cause
from litellm_tui.analysis.latest import latest
from litellm_tui.analysis.phrases import age, count
from litellm_tui.model.diagnosis import Evidence
from litellm_tui.model.gateway import HealthEntry, HealthReport, LoadedDeployment, Readiness
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Tally

# how long a probe counts, and a failure without newer evidence against it
PROBE_MEMORY: Final = 900.0
FAILURE_MEMORY: Final = 300.0
# with answers in between, failures count from this share and this number on
DEGRADED_SHARE: Final = 0.05
DEGRADED_FAILURES: Final = 2
# failures after the last success until a deployment counts as failing
FAILING_IN_A_ROW: Final = 3
# answers after a row of failures until the outage counts as over
ANSWERED_IN_A_ROW: Final = 3
# an older success does not count as current
FRESH_SECONDS: Final = 30.0
# a round of health checks is as slow as its slowest check
ROUND_SECONDS: Final = 15.0
# where the log has no answers: so long after the last of several failures it may have recovered
UNSEEN_SECONDS: Final = 120.0
# a deployment that answered so shortly before its group failed is not the one that failed
JUST_BEFORE: Final = 10.0
# /metrics is read this rarely and with some delay: a log line that is older by less is still newer evidence
METRICS_LAG: Final = 60.0
# mistakes of callers: nothing is wrong with the deployment
_CALLERS: Final = ("context too long", "content refused")
# either a mistake of callers or a wrong parameter in the file
_REFUSED: Final = "400 bad request"
# names of models that answer no chat request, with which LiteLLM checks every model without a mode
_NO_CHAT: Final = re.compile(
    r"embed|rerank|\bbge\b|bge-|\be5-|\bgte-|voyage|whisper|\btts\b|dall-e|moderation|imagen|sora", re.IGNORECASE
)

_REASONS: Final = re.compile(r"\bo[134]\b|gpt-5|-r1\b|reason|think", re.IGNORECASE)


class Observation(NamedTuple):
    """One observation. `partly` says that some requests fail and others do not; `since` is the onset of a failure."""

    ok: bool
    seen_at: float
    text: str
    cause: Cause | None = None
    since: float | None = None
    partly: bool = False


class DeploymentEvidence(NamedTuple):
    """All evidence of one deployment. `entry` is from the health report, `cooling_until` is seconds since the epoch.

    `doubtful` means that a success contradicts a failed health check, and it is not known which is newer. `unfit` is
    the reason why LiteLLM's health check does not fit the deployment.
    """

    probe: Observation | None = None
    probed: ProbeResult | None = None
    traffic: Observation | None = None
    group: Observation | None = None
    cooling_until: float | None = None
    health: Observation | None = None
    entry: HealthEntry | None = None
    doubtful: bool = False
    unfit: str = ""
    ok: int | None = None
    failed: int | None = None
    evidence: tuple[Evidence, ...] = ()

    @property
    def direct(self) -> Observation | None:
        """The newest observation from real requests and probes; it outweighs the health report."""
        seen = [observation for observation in (self.probe, self.traffic) if observation is not None]
        return max(seen, key=lambda observation: observation.seen_at, default=None)


class EvidenceCollector:
    """Collects the evidence of one snapshot at `now`."""

    def __init__(self, snapshot: Snapshot, now: float, loaded: tuple[LoadedDeployment, ...]) -> None:
        self.now = now
        service = snapshot.service.value
        # evidence of an earlier process does not count for the running one
        self.started_at = (service.started_at if service else None) or 0.0
        self._tallies: Mapping[tuple[str, str], Tally] = {(t.kind, t.name): t for t in snapshot.traffic.tallies}
        self._window = snapshot.traffic.window
        self._cooling = snapshot.traffic.cooling
        self._probes = {probe.deployment: probe for probe in snapshot.probes}
        self._members, self._same_model = _count_members(loaded)
        self.traffic_visible = traffic_visible(snapshot)
        failing = {name for kind, name in self._tallies if kind == "group"}
        self._explained = (
            {d.group for d in loaded if d.group in failing and self._explains_group(d)} if failing else set()
        )
        health = snapshot.gateway.health
        self._health_seen = health.seen_at or 0.0
        self._health_lag = _health_lag(snapshot)
        self._report = _index_report(None if self._health_seen < self.started_at else health.value)

    @property
    def observed_names(self) -> Iterable[tuple[str, str]]:
        """What has evidence beside the health report, as (`deployment`, `model` or `group`, name)."""
        yield from self._tallies
        yield from (("deployment", identity) for identity in (*self._cooling, *self._probes))

    @property
    def report_inputs(self) -> tuple[object, ...]:
        """Everything that the evidence of the other deployments is made of."""
        return self._report, self._health_seen, self.traffic_visible

    def collect(self, loaded: LoadedDeployment) -> DeploymentEvidence:
        """All evidence of this deployment."""
        probed = self._probes.get(loaded.id)
        probe = self._observe_probe(probed) if probed else None
        tally, alone = self._own_tally(loaded)
        failed = self._tallies.get(("group", loaded.group))
        group = None
        if failed and self._members[loaded.group] == 1:
            # a request to a group of one goes to this deployment
            traffic = self._observe_traffic(_merge_with_group(tally, failed) if tally and alone else failed)
        else:
            traffic = self._observe_traffic(tally) if tally else None
            if traffic and not alone and not traffic.ok:
                # other deployments have this model too, and one of those may be failing
                traffic, group = None, traffic
            answered = _since_start(tally.last_ok, self.started_at) if tally and alone else None
            suspected = self._observe_group(failed) if failed and loaded.group not in self._explained else None
            if suspected and (answered is None or answered < suspected.seen_at - JUST_BEFORE):
                group = suspected
        cooling = self._cooling_until(loaded, failed)
        entry, healthy = self._report.entry(loaded)
        health = self._observe_health(entry, healthy) if entry else None
        doubtful = False
        if traffic and entry and traffic.ok != healthy:
            traffic, doubtful = self._weigh_against_check(traffic, entry, healthy)
        evidence = DeploymentEvidence(
            probe=probe,
            probed=probed,
            traffic=traffic,
            group=group,
            cooling_until=cooling,
            health=health,
            entry=entry,
            doubtful=doubtful,
            unfit=_why_check_unfit(loaded) if health and not health.ok else "",
            ok=tally.ok if tally and alone else 0 if self.traffic_visible else None,
            failed=tally.failed if tally and alone else 0 if self.traffic_visible else None,
        )
        return evidence._replace(evidence=tuple(self._list_evidence(evidence)))

    def _cooling_until(self, loaded: LoadedDeployment, group: Tally | None) -> float | None:
        """The end of its cooldown. The router asks a group of one in spite of a cooldown of the deployment."""
        known = [group.cooling_until if group else None]
        if self._members[loaded.group] > 1:
            known.append(self._cooling.get(loaded.id))
        return max((until for until in known if until is not None and until > self.now), default=None)

    def _weigh_against_check(
        self, traffic: Observation, entry: HealthEntry, healthy: bool
    ) -> tuple[Observation | None, bool]:
        """Compare real requests with a health check of the other result: `(what counts of the requests, doubtful)`.

        LiteLLM does not say when it checked: a report may be as old as its interval and the time of one round. A
        success after the check turned red proves the check wrong. Where the order is not known, the result is doubtful.
        """
        if healthy:
            # a deployment that fails only sometimes can pass a check
            if traffic.partly:
                return traffic, False
            return (None if traffic.seen_at < self._health_seen - self._health_lag else traffic), False
        red_since = entry.red_since or self._health_seen
        if traffic.seen_at >= red_since:
            return traffic, False
        if entry.turned or traffic.seen_at < red_since - self._health_lag:
            return None, False
        return traffic, self.now - traffic.seen_at > FRESH_SECONDS

    def _own_tally(self, loaded: LoadedDeployment) -> tuple[Tally | None, bool]:
        """Its tally, and whether it is its alone: the log names only the model, which other deployments may share."""
        counted = self._tallies.get(("deployment", loaded.id))
        written = self._tallies.get(("model", loaded.model))
        alone = self._same_model[loaded.model] == 1
        if counted and not (written and alone and _newest_at(written) > _newest_at(counted) - METRICS_LAG):
            return counted, True
        return written, alone

    def _explains_group(self, loaded: LoadedDeployment) -> bool:
        """Whether this deployment's own failures explain the failures of its group."""
        tally, alone = self._own_tally(loaded)
        failed = self._tallies.get(("group", loaded.group))
        if tally is None or not alone or failed is None:
            return False
        return (tally.last_failed or 0.0) >= (failed.last_failed or 0.0) - JUST_BEFORE

    def _observe_probe(self, probe: ProbeResult) -> Observation | None:
        ended = probe.asked_at + probe.took
        if probe.skipped or probe.by_gateway or probe.asked_at < self.started_at or self.now - ended > PROBE_MEMORY:
            return None
        if probe.ok:
            return Observation(True, ended, f"a probe was answered in {probe.took:.1f} s")
        return Observation(
            False, ended, f"a probe failed: {first_words(probe.error)}", name_cause(probe.error), probe.asked_at
        )

    def _observe_traffic(self, tally: Tally) -> Observation | None:
        last_ok = _since_start(tally.last_ok, self.started_at)
        last_failed = _since_start(tally.last_failed, self.started_at)
        if last_failed is not None and name_cause(tally.error).name in _CALLERS:
            last_failed = None
        if last_ok is None and last_failed is None:
            return None
        total = tally.ok + tally.failed
        words = f"{tally.ok:,} of {count(total, 'request')} answered in {age(self._window)}"
        if last_failed is None or self.now - last_failed > FAILURE_MEMORY:
            if last_ok is None or self.now - last_ok > self._window:
                return None
            return Observation(True, last_ok, words)
        cause = name_cause(tally.error)
        said = f"{cause.name}: {first_words(tally.error)}"
        if tally.kind == "group" and not self.traffic_visible and not self._keeps_failing(tally, last_failed):
            words = f"{count(tally.failed, 'request')} failed in {age(self._window)}, answers are not written: {said}"
            return Observation(False, last_failed, words, cause, tally.failing_since, partly=True)
        if last_ok is None or (last_failed > last_ok and (tally.in_a_row >= FAILING_IN_A_ROW or not tally.ok)):
            onset = max(tally.failing_since or last_failed, self.started_at)
            if cause.name == _REFUSED:
                doubt = f"the upstream refuses what it is sent, which may be its callers' own mistake: {said}"
                return Observation(False, last_failed, doubt, cause, onset, partly=True)
            return Observation(False, last_failed, said, cause, onset)
        if tally.failed >= DEGRADED_FAILURES and total and tally.failed / total >= DEGRADED_SHARE:
            if last_ok - last_failed > self._window / 5 or _has_recovered(tally):
                return Observation(True, last_ok, f"{words}; it failed last {age(self.now - last_failed)} ago")
            return Observation(
                False,
                last_failed,
                f"{tally.failed:,} of {count(total, 'request')} failed: {said}",
                cause,
                tally.failing_since,
                partly=True,
            )
        return Observation(True, last_ok, words)

    def _keeps_failing(self, tally: Tally, last_failed: float) -> bool:
        """Whether failures are so many and so recent that nothing can be answering; answers are not visible here."""
        if max(tally.failed, tally.in_a_row) < FAILING_IN_A_ROW:
            return False
        pace = (last_failed - tally.failures[0]) / (len(tally.failures) - 1) if len(tally.failures) > 1 else 0.0
        return self.now - last_failed <= max(UNSEEN_SECONDS, 2 * pace)

    def _observe_group(self, tally: Tally) -> Observation | None:
        failed = _since_start(tally.last_failed, self.started_at)
        cause = name_cause(tally.error)
        if failed is None or self.now - failed > FAILURE_MEMORY or cause.name in _CALLERS:
            return None
        onset = max(tally.failing_since or failed, self.started_at)
        return Observation(False, failed, f"{cause.name}: {first_words(tally.error)}", cause, onset)

    def _observe_health(self, entry: HealthEntry, healthy: bool) -> Observation:
        if healthy:
            return Observation(True, self._health_seen, "LiteLLM's health check of it succeeds")
        error = entry.error or (f"HTTP {entry.status}" if entry.status else "unhealthy")
        cause = name_cause(error)
        words = first_words(error).rstrip(".")
        return Observation(
            False, self._health_seen, words if cause.name == "failing" else f"{cause.name}: {words}", cause
        )

    @staticmethod
    def _list_evidence(evidence: DeploymentEvidence) -> Iterable[Evidence]:
        said = (
            ("probe", evidence.probe),
            ("traffic", evidence.traffic),
            ("traffic", evidence.group),
            ("health report", evidence.health),
        )
        for kind, observation in said:
            if observation is not None:
                yield Evidence(kind, observation.text, "for" if observation.ok else "against", observation.seen_at)  # type: ignore[arg-type]  # the literals above
        if evidence.probed and evidence.probed.skipped:
            yield Evidence("probe", f"not probed: {evidence.probed.skipped}", "neither", evidence.probed.asked_at)
        if evidence.unfit:
            yield Evidence("health report", evidence.unfit, "neither")


@latest
def _count_members(loaded: tuple[LoadedDeployment, ...]) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """The number of deployments of each group and of each model."""
    return Counter(d.group for d in loaded), Counter(d.model for d in loaded)


@latest
def _index_report(report: HealthReport | None) -> _HealthReportIndex:
    return _HealthReportIndex(report)


class _HealthReportIndex:
    """The health report by deployment: by id where the version gives it, else by model and api_base."""

    def __init__(self, report: HealthReport | None) -> None:
        self._by_id: dict[str, tuple[HealthEntry, bool]] = {}
        self._by_address: dict[tuple[str, str], tuple[HealthEntry, bool]] = {}
        for entries, healthy in ((report.healthy, True), (report.unhealthy, False)) if report else ():
            for entry in entries:
                if entry.model_id:
                    self._by_id[entry.model_id] = (entry, healthy)
                else:
                    self._by_address[entry.model, (entry.api_base or "").rstrip("/")] = (entry, healthy)

    def entry(self, loaded: LoadedDeployment) -> tuple[HealthEntry | None, bool]:
        address = (loaded.model, (loaded.api_base or "").rstrip("/"))
        return self._by_id.get(loaded.id) or self._by_address.get(address) or (None, False)


def traffic_visible(snapshot: Snapshot) -> bool:
    """Whether successful requests are visible with their model, in INFO lines or in /metrics."""
    level = snapshot.gateway.readiness.value
    verbose = isinstance(level, Readiness) and (level.log_level or "").upper() in ("INFO", "DEBUG")
    reads_log = snapshot.log.state in ("following", "starting") and snapshot.log.failure is None
    return snapshot.traffic.counted or (reads_log and (snapshot.traffic.per_model or verbose))


def _health_lag(snapshot: Snapshot) -> float:
    """The largest age of a health report in seconds: its interval (300 s by default) and the time of one round."""
    file = snapshot.configuration.current
    given = file.section("general_settings").get("health_check_interval") if file else None
    interval = given if isinstance(given, int | float) and not isinstance(given, bool) else 300.0
    return interval + ROUND_SECONDS


def _newest_at(tally: Tally) -> float:
    return max(tally.last_ok or 0.0, tally.last_failed or 0.0)


def _merge_with_group(own: Tally, group: Tally) -> Tally:
    """The tally of a group of one: some failures name the deployment, others (timeouts) only the group."""
    last_ok = own.last_ok or 0.0
    onset = [t.failing_since for t in (own, group) if t.failing_since is not None and t.failing_since > last_ok]
    behind = group.in_a_row if (group.failing_since or 0.0) > last_ok else sum(t > last_ok for t in group.failures)
    newer, older = (own, group) if (own.last_failed or 0.0) > (group.last_failed or 0.0) else (group, own)
    if own.kind == "deployment" and _newest_at(group) > _newest_at(own) - METRICS_LAG:
        # /metrics has only the class of the exception: a refused connection is a 500 there
        newer_error, older_error = group.error, own.error
    else:
        newer_error, older_error = newer.error, older.error
    vague = name_cause(newer_error).vague and older_error and not name_cause(older_error).vague
    return Tally(
        kind=own.kind,
        name=own.name,
        ok=own.ok,
        failed=max(own.failed, group.failed),
        last_ok=own.last_ok,
        last_failed=newer.last_failed,
        failing_since=min(onset, default=None),
        in_a_row=max(own.in_a_row, behind),
        error=older_error if vague else newer_error,
        failures=newer.failures,
        answers=own.answers,
    )


def _has_recovered(tally: Tally) -> bool:
    """Whether every request failed for a time and every request since was answered: an outage that is over.

    During a cooldown the router asks nothing, so such an outage has few failures.
    """
    failed = tally.failures
    if len(failed) < DEGRADED_FAILURES or any(failed[0] < answer < failed[-1] for answer in tally.answers):
        return False
    return sum(answer > failed[-1] for answer in tally.answers) >= ANSWERED_IN_A_ROW


def _since_start(moment: float | None, started_at: float) -> float | None:
    return moment if moment is not None and moment >= started_at else None


def _why_check_unfit(loaded: LoadedDeployment) -> str:
    """Why LiteLLM's health check does not fit this deployment; empty when it may fit."""
    if loaded.mode is None and _NO_CHAT.search(f"{loaded.model} {loaded.group}"):
        return "LiteLLM checks it with a chat request, and by its name it is no chat model: set model_info.mode"
    if loaded.mode in (None, "chat") and _REASONS.search(loaded.model) and loaded.params.get("max_tokens") is None:
        return "a reasoning model may have spent the few tokens of LiteLLM's check before it answers"
    return ""
