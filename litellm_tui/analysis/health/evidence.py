"""The evidence for and against each deployment: probe, real requests, cooldown, health report, each with its time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from litellm_tui.analysis.failures.causes import Cause, first_words, name_cause
from litellm_tui.analysis.health.health_round import HealthReportIndex, HealthRound, why_check_unfit
from litellm_tui.analysis.health.observation import BY, Observation, failure_of
from litellm_tui.analysis.health.tallies import (
    ANSWERED_IN_A_ROW,
    DEGRADED_FAILURES,
    METRICS_LAG,
    count_members,
    has_recovered,
    hour_of,
    last_errors,
    merge_with_group,
    newest_at,
    no_request,
    since_start,
    tallies_of,
    traffic_visible,
)
from litellm_tui.analysis.latest import latest
from litellm_tui.analysis.phrases import age, count
from litellm_tui.model.diagnosis import Evidence
from litellm_tui.model.gateway import HealthEntry, HealthReport, LoadedDeployment
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import FailedOnce, Minute, Step, Subject, Tally

# how long a probe counts, and a failure without newer evidence against it
PROBE_MEMORY: Final = 900.0
FAILURE_MEMORY: Final = 300.0
# with answers in between, failures count from this share on
DEGRADED_SHARE: Final = 0.05
# failures after the last success until a deployment counts as failing
FAILING_IN_A_ROW: Final = 3
# an older success does not count as current
FRESH_SECONDS: Final = 30.0
# where the log has no answers: so long after the last of several failures it may have recovered
UNSEEN_SECONDS: Final = 120.0
# where answers came since: so long after the last failure of a group it is over
RECOVERY_SECONDS: Final = 5.0
# a deployment that answered so shortly before its group failed is not the one that failed
JUST_BEFORE: Final = 10.0
# either a mistake of callers or a wrong parameter in the file
_REFUSED: Final = "400 bad request"


class DeploymentEvidence(NamedTuple):
    """All evidence of one deployment. `entry` is from the health report, `cooling_until` is seconds since the epoch.

    `earlier` is a failed probe of the process before: the gateway was restarted since, the upstream was not.
    `doubtful` means that a success contradicts a failed health check, and it is not known which is newer. `unfit` is
    the reason why LiteLLM's health check does not fit the deployment.
    """

    probe: Observation | None = None
    probed: ProbeResult | None = None
    earlier: Observation | None = None
    traffic: Observation | None = None
    group: Observation | None = None
    cooling_until: float | None = None
    health: Observation | None = None
    entry: HealthEntry | None = None
    doubtful: bool = False
    unfit: str = ""
    ok: int | None = None
    failed: int | None = None
    steps: tuple[Step, ...] = ()
    hour: tuple[Minute, ...] = ()
    errors: tuple[FailedOnce, ...] = ()
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
        self._tallies = tallies_of(snapshot, loaded, max(self.started_at, now - snapshot.traffic.window))
        self._window = snapshot.traffic.window
        self._cooling = snapshot.traffic.cooling
        self._probes = {probe.deployment: probe for probe in snapshot.probes}
        self._loaded = loaded
        self._members, self._same_model = count_members(loaded)
        self.traffic_visible = traffic_visible(snapshot)
        # "no request in 5 min", where that is known
        self.no_request = no_request(snapshot, now)
        metrics = snapshot.gateway.metrics.value
        self._served = {counters.id: int(counters.ok) for counters in metrics.deployments} if metrics else {}
        failing = {name for kind, name in self._tallies if kind == "group"}
        self._explained = (
            {d.group for d in loaded if d.group in failing and self._explains_group(d)} if failing else set()
        )
        health = snapshot.gateway.health
        self.round = HealthRound(snapshot, self.started_at)
        self._report = _index_report(None if self.round.read_at < self.started_at else health.value)

    @property
    def observed_names(self) -> Iterable[tuple[str, str]]:
        """What has evidence beside the health report, as (`deployment`, `model` or `group`, name)."""
        yield from self._tallies
        yield from (("deployment", identity) for identity in (*self._cooling, *self._probes))

    @property
    def report_inputs(self) -> tuple[object, ...]:
        """Everything that the evidence of the other deployments is made of."""
        return self._report, self.round.read_at, self.round.asked_at, self.traffic_visible, self.no_request

    def collect(self, loaded: LoadedDeployment) -> DeploymentEvidence:
        """All evidence of this deployment."""
        probed = self._probes.get(loaded.id)
        probe = self._observe_probe(probed) if probed else None
        tally, alone = self._own_tally(loaded)
        failed = self._tallies.get(("group", loaded.group))
        group = None
        if failed and self._members[loaded.group] == 1:
            # a request to a group of one goes to this deployment
            traffic = self._observe_traffic(merge_with_group(tally, failed) if tally and alone else failed)
        else:
            together = self._same_model[loaded.model] if tally and not alone else 1
            traffic = self._observe_traffic(tally, together) if tally else None
            if traffic and not alone and not traffic.ok:
                # other deployments have this model too, and one of those may be failing
                traffic, group = None, traffic
            answered = since_start(tally.last_ok, self.started_at) if tally and alone else None
            suspected = self._observe_group(failed) if failed and loaded.group not in self._explained else None
            if suspected and (answered is None or answered < suspected.seen_at - JUST_BEFORE):
                group = suspected
        cooling = self._cooling_until(loaded, failed)
        entry, healthy = self._report.entry(loaded)
        health, doubtful = self._observe_health(entry, healthy) if entry else None, False
        if traffic and entry and traffic.ok != healthy:
            traffic, doubtful = self._weigh_against_check(traffic, entry, healthy)
        ok, lost, steps = self._counts(loaded, tally, alone, failed)
        evidence = DeploymentEvidence(
            probe=probe,
            probed=probed,
            earlier=self._observe_earlier(probed) if probed else None,
            traffic=traffic,
            group=group,
            cooling_until=cooling,
            health=health,
            entry=entry,
            doubtful=doubtful,
            unfit=why_check_unfit(loaded) if health and not health.ok else "",
            ok=ok,
            failed=lost,
            steps=steps,
            hour=hour_of(tally, failed if self._members[loaded.group] == 1 else None, alone=alone),
            errors=last_errors(tally if alone else None, failed),
        )
        return evidence._replace(evidence=tuple(self._list_evidence(evidence)))

    def _counts(
        self, loaded: LoadedDeployment, written: Tally | None, alone: bool, group: Tally | None
    ) -> tuple[int | None, int | None, tuple[Step, ...]]:
        """Its requests that were answered and that failed, and their steps; None for what is not told of it alone."""
        own, others = (written, None) if alone else (None, written)
        shared = others is not None and bool(others.ok or others.failed)
        if group and self._members[loaded.group] == 1 and (self.traffic_visible or own):
            whole = merge_with_group(own, group) if own else group
            return None if shared else whole.ok, whole.failed, whole.steps
        unseen = 0 if self.traffic_visible and not shared else None
        return (own.ok, own.failed, own.steps) if own else (unseen, unseen, ())

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
            return (None if traffic.seen_at < self.round.read_at - self.round.lag else traffic), False
        red_since = entry.red_since or self.round.read_at
        if traffic.seen_at >= red_since:
            return traffic, False
        if entry.turned or traffic.seen_at < red_since - self.round.lag:
            return None, False
        return traffic, self.now - traffic.seen_at > FRESH_SECONDS

    def _own_tally(self, loaded: LoadedDeployment) -> tuple[Tally | None, bool]:
        """Its tally, and whether it is its alone: the log names only the model, which other deployments may share."""
        counted = self._tallies.get(("deployment", loaded.id))
        written = self._tallies.get(("model", loaded.model))
        alone = self._same_model[loaded.model] == 1
        if counted and not (written and alone and newest_at(written) > newest_at(counted) - METRICS_LAG):
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
        cause = name_cause(probe.error)
        whose, by = _asked_directly(cause)
        return Observation(
            False, ended, f"a probe failed{by}: {first_words(probe.error)}", cause, probe.asked_at, failure_of=whose
        )

    def _observe_earlier(self, probe: ProbeResult) -> Observation | None:
        ended = probe.asked_at + probe.took
        told = probe.ok or probe.skipped or probe.by_gateway or probe.asked_at >= self.started_at
        if told or self.now - ended > PROBE_MEMORY:
            return None
        words = f"a probe failed {age(max(0.0, self.started_at - ended))} before its process started: "
        return Observation(False, ended, words + first_words(probe.error), name_cause(probe.error), probe.asked_at)

    def _observe_traffic(self, tally: Tally, together: int = 1) -> Observation | None:
        last_ok = since_start(tally.last_ok, self.started_at)
        last_failed = since_start(tally.last_failed, self.started_at)
        if last_failed is not None and failure_of(name_cause(tally.error)) != "upstream":
            if last_ok is None and self.now - last_failed <= FAILURE_MEMORY:
                return self._observe_others(tally, last_failed)
            last_failed = None
        if last_ok is None and last_failed is None:
            return None
        total = tally.ok + tally.failed
        # the router writes and counts each attempt: with retries one request is several of them
        what = "attempt" if tally.failed and tally.kind != "group" else "request"
        whose = f" by the {together} deployments of {tally.name} together" if together > 1 else ""
        words = f"{tally.ok:,} of {count(total, what)} answered in {age(self._window)}{whose}"
        if last_failed is None or self.now - last_failed > FAILURE_MEMORY:
            if last_ok is None or self.now - last_ok > self._window:
                return None
            return Observation(True, last_ok, words)
        cause = name_cause(tally.error)
        said = f"{cause.name}: {first_words(tally.error)}"
        if tally.kind == "group" and not self.traffic_visible and not self._keeps_failing(tally, last_failed):
            failed = max(tally.failed, 1)
            words = f"{count(failed, 'request')} failed in {age(self._window)}, answers are not written: {said}"
            return Observation(False, last_failed, words, cause, tally.failing_since, partly=True)
        if last_ok is None or (last_failed > last_ok and (tally.in_a_row >= FAILING_IN_A_ROW or not tally.ok)):
            onset = max(tally.failing_since or last_failed, self.started_at)
            if cause.name == _REFUSED:
                doubt = f"the upstream refuses what it is sent, which may be its callers' own mistake: {said}"
                return Observation(False, last_failed, doubt, cause, onset, partly=True)
            return Observation(False, last_failed, said, cause, onset)
        if tally.failed >= DEGRADED_FAILURES and total and tally.failed / total >= DEGRADED_SHARE:
            if last_ok - last_failed > self._window / 5 or has_recovered(tally):
                return Observation(True, last_ok, f"{words}; it failed last {age(self.now - last_failed)} ago")
            return Observation(
                False,
                last_failed,
                f"{tally.failed:,} of {count(total, what)} failed: {said}",
                cause,
                tally.failing_since,
                partly=True,
            )
        return Observation(True, last_ok, words)

    def _observe_others(self, tally: Tally, last_failed: float) -> Observation:
        """Requests that all fail, as far as can be seen, and not by the deployment."""
        cause = name_cause(tally.error)
        whose = failure_of(cause)
        unseen = tally.kind == "group" and not self.traffic_visible
        partly = unseen and not self._keeps_failing(tally, last_failed)
        every = f"{count(max(tally.failed, 1), 'request')} failed" if partly else "every request fails"
        words = f"{every} {BY[whose]}, not by the deployment: {cause.name}: {first_words(tally.error)}"
        onset = max(tally.failing_since or last_failed, self.started_at)
        return Observation(False, last_failed, words, cause, onset, partly, whose)

    def observe_groups(self) -> dict[str, Observation]:
        """The failures of each group as its callers have met them, whichever of its deployments was asked."""
        return {
            name: observed
            for kind, name in self._tallies
            if kind == "group" and (observed := self._observe_whole(name))
            # of a group of one its deployment tells all that is its upstream's
            if self._members[name] > 1 or observed.failure_of not in ("upstream", "caller")
        }

    def _observe_whole(self, group: str) -> Observation | None:
        tally = self._tallies["group", group]
        failed = since_start(tally.last_failed, self.started_at)
        if failed is None or self.now - failed > FAILURE_MEMORY or not tally.failed:
            return None
        cause = name_cause(tally.error)
        members = [own for loaded in self._loaded if loaded.group == group and (own := self._own_tally(loaded)[0])]
        answered = max(0, sum(own.ok for own in members) - tally.broken)
        if self.traffic_visible:
            every = not answered
            if answered and not self._fails_in_part(tally, members, answered, failed):
                return None
        else:
            every = self._keeps_failing(tally, failed)
        onset = max(tally.failing_since or failed, self.started_at)
        of = f" of {tally.failed + answered:,}" if self.traffic_visible else ""
        words = "every request fails" if every else f"{tally.failed:,}{of} requests failed in {age(self._window)}"
        whose = failure_of(cause)
        by = f", {BY[whose]}" if whose != "upstream" else ""
        text = f"{words}{by}: {cause.name}: {first_words(tally.error)}"
        return Observation(False, failed, text, cause, onset, not every, whose)

    def _fails_in_part(self, tally: Tally, members: list[Tally], answered: int, failed: float) -> bool:
        """Whether a group with answers still fails: often enough, and its deployments have not answered since."""
        if tally.failed < max(DEGRADED_FAILURES, DEGRADED_SHARE * (tally.failed + answered)):
            return False
        since = sum(answer > failed for own in members for answer in own.answers)
        # an answer is written when its stream begins: one that will break is not told from one that will not
        return self.now - failed <= (RECOVERY_SECONDS if since >= ANSWERED_IN_A_ROW else UNSEEN_SECONDS)

    def _keeps_failing(self, tally: Tally, last_failed: float) -> bool:
        """Whether failures are so many and so recent that nothing can be answering; answers are not visible here."""
        if max(tally.failed, tally.in_a_row) < FAILING_IN_A_ROW:
            return False
        pace = (last_failed - tally.failures[0]) / (len(tally.failures) - 1) if len(tally.failures) > 1 else 0.0
        return self.now - last_failed <= max(UNSEEN_SECONDS, 2 * pace)

    def _observe_group(self, tally: Tally) -> Observation | None:
        failed = since_start(tally.last_failed, self.started_at)
        cause = name_cause(tally.error)
        if failed is None or self.now - failed > FAILURE_MEMORY or failure_of(cause) != "upstream":
            return None
        onset = max(tally.failing_since or failed, self.started_at)
        return Observation(False, failed, f"{cause.name}: {first_words(tally.error)}", cause, onset)

    def _observe_health(self, entry: HealthEntry, healthy: bool) -> Observation:
        old = f" ({self.round.age} its report was read)" if self.round.age else ""
        if healthy:
            return Observation(True, self.round.asked_at, f"LiteLLM's health check of it succeeds{old}")
        error = entry.error or (f"HTTP {entry.status}" if entry.status else "unhealthy")
        cause = name_cause(error)
        words = first_words(error).rstrip(".")
        whose, by = _asked_directly(cause)
        said = words if cause.name == "failing" else f"{cause.name}: {words}"
        text = f"LiteLLM's health check fails{by}: {said}" if by else said
        return Observation(False, self.round.asked_at, text, cause, failure_of=whose)

    def served_sometime(self, loaded: LoadedDeployment) -> int:
        """The requests that /metrics says it has answered since its process started, whenever that was."""
        return self._served.get(loaded.id, 0)

    @staticmethod
    def _list_evidence(evidence: DeploymentEvidence) -> Iterable[Evidence]:
        said = (
            ("probe", evidence.probe or evidence.earlier),
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


def _asked_directly(cause: Cause) -> tuple[Subject, str]:
    """Whose failure it is that a probe or a health check meets, and the words for one that is not the deployment's.

    Neither has a caller: what is refused as a caller's mistake is the upstream's answer.
    """
    whose = failure_of(cause)
    return ("upstream", "") if whose in ("upstream", "caller") else (whose, f" {BY[whose]}, not by the deployment")


@latest
def _index_report(report: HealthReport | None) -> HealthReportIndex:
    return HealthReportIndex(report)
