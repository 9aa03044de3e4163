"""What speaks for and against one deployment: probe, real requests, cooldown, health report, each with its time."""

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

# how long a probe, and a failure that nothing newer speaks against, is held to be true
PROBE_MEMORY: Final = 900.0
FAILURE_MEMORY: Final = 300.0
# a mixture of answers and failures counts as trouble from this share on, and from this many failures
DEGRADED_SHARE: Final = 0.05
DEGRADED_FAILURES: Final = 2
# failures behind the last success until a deployment counts as failing
FAILING_IN_A_ROW: Final = 3
# answers behind a row of failures until it counts as over
ANSWERED_IN_A_ROW: Final = 3
# a success is not older than this when it counts as of now
FRESH_SECONDS: Final = 30.0
# a round of health checks is as slow as its slowest check
ROUND_SECONDS: Final = 15.0
# where answers are not written: so long after the last of several failures it may have healed
UNSEEN_SECONDS: Final = 120.0
# one that answered so shortly before its group failed is not the one that failed
JUST_BEFORE: Final = 10.0
# /metrics are read this rarely, with some delay: an older line of the log is still the newer evidence
METRICS_LAG: Final = 60.0
# the caller's own mistake: nothing is wrong with the deployment
_CALLERS: Final = ("context too long", "content refused")
# what may be the callers' mistake, and may be a wrong parameter in the file
_REFUSED: Final = "400 bad request"
# what a deployment whose name says so cannot answer to: LiteLLM checks every model without a mode with a chat request
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
    """All of one deployment. `entry` is its place in the health report, `cooling_until` seconds since the epoch.

    `doubtful` says that a success and a failed health check stand against each other, and nobody knows which is newer.
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
        """The newest of what was seen of real requests and probes; it outweighs every report."""
        seen = [observation for observation in (self.probe, self.traffic) if observation is not None]
        return max(seen, key=lambda observation: observation.seen_at, default=None)


class EvidenceCollector:
    """Collects the evidence of one snapshot at `now`."""

    def __init__(self, snapshot: Snapshot, now: float, loaded: tuple[LoadedDeployment, ...]) -> None:
        self.now = now
        service = snapshot.service.value
        # what was seen of a process that is gone says nothing of the one that runs
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
        """Everything that is known of this deployment."""
        probed = self._probes.get(loaded.id)
        probe = self._observe_probe(probed) if probed else None
        tally, alone = self._own_tally(loaded)
        failed = self._tallies.get(("group", loaded.group))
        group = None
        if failed and self._members[loaded.group] == 1:
            # whoever asks a group of one asks this deployment
            traffic = self._observe_traffic(_merge_with_group(tally, failed) if tally and alone else failed)
        else:
            traffic = self._observe_traffic(tally) if tally else None
            if traffic and not alone and not traffic.ok:
                # others have this model, too: it may be one of them
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
        """Until when the router does not ask it. A group of one is asked all the same, whatever the list says."""
        known = [group.cooling_until if group else None]
        if self._members[loaded.group] > 1:
            known.append(self._cooling.get(loaded.id))
        return max((until for until in known if until is not None and until > self.now), default=None)

    def _weigh_against_check(
        self, traffic: Observation, entry: HealthEntry, healthy: bool
    ) -> tuple[Observation | None, bool]:
        """The last requests that were seen against a health check that came out otherwise: `(what is left, doubtful)`.

        LiteLLM does not tell when it checked: a report may be as old as its interval, and a round takes its time. A
        success that came after a check had turned red proves the check wrong, and keeps doing so. Where it is not
        known which came first, it is doubtful.
        """
        if healthy:
            # what fails now and then may well answer a check
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
        """Its requests, and whether they are its alone: the log names only the model, which others may have, too."""
        counted = self._tallies.get(("deployment", loaded.id))
        written = self._tallies.get(("model", loaded.model))
        alone = self._same_model[loaded.model] == 1
        if counted and not (written and alone and _newest_at(written) > _newest_at(counted) - METRICS_LAG):
            return counted, True
        return written, alone

    def _explains_group(self, loaded: LoadedDeployment) -> bool:
        """Whether this deployment's own failures are those of its group."""
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
        """Whether so much fails, so lately, that nothing can be answering, though answers would not be seen."""
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
    """How many deployments each group has, and each model."""
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
    """Whether a successful request would be seen with its model: by INFO lines, or by /metrics."""
    level = snapshot.gateway.readiness.value
    verbose = isinstance(level, Readiness) and (level.log_level or "").upper() in ("INFO", "DEBUG")
    reads_log = snapshot.log.state in ("following", "starting") and snapshot.log.failure is None
    return snapshot.traffic.counted or (reads_log and (snapshot.traffic.per_model or verbose))


def _health_lag(snapshot: Snapshot) -> float:
    """How old a health report may be: its interval (300 s where the file does not say), and a round's own time."""
    file = snapshot.configuration.current
    given = file.section("general_settings").get("health_check_interval") if file else None
    interval = given if isinstance(given, int | float) and not isinstance(given, bool) else 300.0
    return interval + ROUND_SECONDS


def _newest_at(tally: Tally) -> float:
    return max(tally.last_ok or 0.0, tally.last_failed or 0.0)


def _merge_with_group(own: Tally, group: Tally) -> Tally:
    """The requests of a group of one: some failures are written of it, some (timeouts) of its group only."""
    last_ok = own.last_ok or 0.0
    onset = [t.failing_since for t in (own, group) if t.failing_since is not None and t.failing_since > last_ok]
    behind = group.in_a_row if (group.failing_since or 0.0) > last_ok else sum(t > last_ok for t in group.failures)
    newer, older = (own, group) if (own.last_failed or 0.0) > (group.last_failed or 0.0) else (group, own)
    if own.kind == "deployment" and _newest_at(group) > _newest_at(own) - METRICS_LAG:
        # /metrics tell the exception's class alone: a refused connection is a 500 there
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
    """Whether it failed every time, and has answered every time since: no mixture, but an outage that is over.

    A cooldown spares what is down all but the first of its failures.
    """
    failed = tally.failures
    if len(failed) < DEGRADED_FAILURES or any(failed[0] < answer < failed[-1] for answer in tally.answers):
        return False
    return sum(answer > failed[-1] for answer in tally.answers) >= ANSWERED_IN_A_ROW


def _since_start(moment: float | None, started_at: float) -> float | None:
    return moment if moment is not None and moment >= started_at else None


def _why_check_unfit(loaded: LoadedDeployment) -> str:
    """Why LiteLLM's own check cannot be right for this deployment; empty when nothing says so."""
    if loaded.mode is None and _NO_CHAT.search(f"{loaded.model} {loaded.group}"):
        return "LiteLLM checks it with a chat request, and by its name it is no chat model: set model_info.mode"
    if loaded.mode in (None, "chat") and _REASONS.search(loaded.model) and loaded.params.get("max_tokens") is None:
        return "a reasoning model may have spent the few tokens of LiteLLM's check before it answers"
    return ""
