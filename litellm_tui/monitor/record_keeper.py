"""Keeps the record up to date: what each view tells that the record does not know yet. Its calls block.

It compares with what the record holds, not with what it remembers: a recorder that was killed goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from litellm_tui.analysis.health.memory import FLAPPING_SECONDS
from litellm_tui.analysis.history import facts, metric_samples, samples
from litellm_tui.analysis.history.events import began_and_ended
from litellm_tui.analysis.history.facts import Outage
from litellm_tui.host.host_lock import Holder
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.failures import Failure
from litellm_tui.model.gateway import Metrics
from litellm_tui.model.history import Change, Event, Sample, masked
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Exit, Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import STEP
from litellm_tui.storage.history.writer import HistoryWriter
from litellm_tui.storage.starts import run_of

# a problem of which nothing is known any more, although everything else is, has ended
FORGOTTEN_SECONDS: Final = 30.0
LATE_SECONDS: Final = 60.0
# what stays away for a shorter time has not ended
AWAY_SECONDS: Final = 15.0
# keys of the problems that end with the process of the service
_OF_THE_PROCESS: Final = ("gateway:", "service:")
# the log is read back: what it tells of older steps was recorded by who ran before, or by nobody
_KNOWN_STEPS: Final = 30


class Seen(NamedTuple):
    """One view, with what was learned beside it: the ends of runs (why they are not known), and outages."""

    snapshot: Snapshot
    diagnosis: Diagnosis
    now: float
    exits: tuple[Exit, ...] | Failure | None = None
    outages: tuple[Outage, ...] = ()


class RecordKeeper:
    """Writes the record at `path` where nobody else does; `held` says who does."""

    def __init__(self, path: Path, redact: Callable[[str], str]) -> None:
        self.path = path
        self.redact = redact
        self.held: Holder | None = None
        self.failure = ""
        self._writer: HistoryWriter | None = None
        self._begin = 0.0
        self._counted: samples.Counts = {}
        self._causes: dict[str, dict[int, int]] = {}
        self._first_step = 0
        self._present: set[tuple[samples.CountKey, int]] = set()
        self._metrics: Reading[Metrics] | None = None
        self._cache_until = 0.0
        self._level_step = -1
        self._before: Diagnosis | None = None
        self._absent: dict[int, float] = {}

    @property
    def writes(self) -> bool:
        """Whether this process writes the record."""
        return self._writer is not None

    @property
    def damage(self) -> str:
        """What became of a record that was broken; empty where none was."""
        return self._writer.damage if self._writer is not None else ""

    def keep(self, seen: Seen) -> str:
        """Bring the record up to date; why that is not possible, or an empty text."""
        writer = self._writer or self._open(seen)
        if writer is None:
            return self.failure
        found = [masked(event, self.redact) for event in self._events(writer, seen)]
        writer.write(list(self._samples(seen)), found, seen.now)
        self._before = seen.diagnosis
        self.failure = writer.failure
        return self.failure

    def close(self, now: float | None = None) -> None:
        """Write what waits and let others write."""
        if self._writer is not None:
            self._writer.close(now if now is not None else time.time())
            self._writer = None

    def _open(self, seen: Seen) -> HistoryWriter | None:
        opened = HistoryWriter.open(self.path)
        self.held = opened if isinstance(opened, Holder) else None
        self.failure = opened.why if isinstance(opened, Failure) else ""
        if not isinstance(opened, HistoryWriter):
            return None
        self._writer = opened
        until = opened.recorded_until
        # what happened just before the last write may not be in the record: nothing is put there twice
        self._begin = until - LATE_SECONDS if until is not None else seen.now
        # what a log tells of the time in which nobody recorded is taken up, the step in which that ended is not
        self._first_step = int((until if until is not None else seen.now) // STEP) + 1
        self._counted, self._before = {}, None
        self._causes = {name: dict(counts) for name, counts in self._causes_of(seen).items()}
        self._cache_until = seen.now
        return opened

    # --- what happened ---------------------------------------------------------------------------------------------

    def _events(self, writer: HistoryWriter, seen: Seen) -> Iterator[Event]:
        yield from self._runs(writer, seen)
        yield from self._outages(writer, seen)
        yield from self._problems(writer, seen)
        file = seen.snapshot.configuration.current
        saved = facts.saved_event(file)
        if saved is not None and saved.at > self._begin and writer.last("saved", saved.key) is None:
            yield saved
        audited = facts.audit_event(seen.diagnosis.audit, seen.now)
        last = writer.last("audit")
        if audited is not None and (last is None or last.key != audited.key):
            yield audited
        for probe in seen.snapshot.probes:
            asked = facts.probe_event(probe)
            if asked is not None and asked.at > self._begin:
                last = writer.last("probe", asked.key)
                if last is None or asked.at > last.at + 0.001:
                    yield asked
        lasting = [event for event in writer.lasting() if event.kind == "mark"]
        begun, gone = facts.new_marks(seen.snapshot.expected_down, lasting)
        for name in begun:
            yield facts.mark_event(name, seen.snapshot.expected_down[name], seen.now)
        for event in gone:
            yield msgspec.structs.replace(event, until=seen.now)

    def _runs(self, writer: HistoryWriter, seen: Seen) -> Iterator[Event]:
        """The start of what runs, with another configuration where it has one, and the ends that are not known yet."""
        reading, gateway = seen.snapshot.service, seen.snapshot.gateway
        service = reading.value if reading.failure is None else None
        file = seen.snapshot.configuration.current
        version = gateway.readiness.value.version or "" if gateway.readiness.value else ""
        before = writer.last("start")
        start = facts.start_event(service, run_of(service), file, version)
        another = start is not None and (before is None or not facts.is_same_start(before, start))
        if start is not None and another and (before is None or start.at > before.at):
            yield start
            if (applied := facts.applied_event(before, start, file.path if file else "")) is not None:
                yield applied
        unit = service.unit if service is not None else before.subject if before is not None else ""
        if isinstance(seen.exits, tuple):
            yield from self._ends(writer, seen.exits, unit)
        elif isinstance(seen.exits, Failure) and before is not None and (another or (service and not run_of(service))):
            ended = writer.last("end")
            if ended is None or ended.at < before.at:
                at = min(start.at, seen.now) if start is not None else seen.now
                yield Event(0, at, "end", before.key, unit, "quiet", "ended", f"how is not known: {seen.exits.why}")

    def _ends(self, writer: HistoryWriter, exits: Sequence[Exit], unit: str) -> Iterator[Event]:
        for exit in exits:
            if exit.at <= self._begin:
                continue
            event = facts.end_event(exit, unit)
            known = writer.last("end", event.key)
            if known is None:
                yield event
            elif known.title != event.title or known.cause != event.cause:
                # what followed it was not written yet
                yield msgspec.structs.replace(event, id=known.id)

    def _outages(self, writer: HistoryWriter, seen: Seen) -> Iterator[Event]:
        lasting = next((event for event in writer.lasting() if event.kind == "downtime"), None)
        for outage in seen.outages:
            if lasting is not None:
                # it began before this recorder did
                since = min(lasting.at, outage.since)
                yield facts.outage_event(outage._replace(since=since), lasting.id)
                lasting = None if outage.until is not None else lasting
            else:
                known = writer.last("downtime")
                again = known is not None and known.until is not None and outage.since <= known.until
                yield facts.outage_event(outage, known.id if again and known is not None else 0)
        answers = seen.diagnosis.gateway.state not in (*facts.SILENT, *facts.UNKNOWN)
        if lasting is not None and not seen.outages and answers:
            yield msgspec.structs.replace(lasting, until=seen.now)

    # --- problems --------------------------------------------------------------------------------------------------

    def _problems(self, writer: HistoryWriter, seen: Seen) -> Iterator[Event]:
        lasting = {event.key: event for event in writer.lasting() if event.kind == "problem"}
        for change in began_and_ended(self._before, seen.diagnosis, seen.now):
            if change.what == "verdict":
                yield facts.verdict_event(change)
            elif change.what == "ended":
                if (event := lasting.pop(change.key, None)) is not None:
                    yield msgspec.structs.replace(event, until=max(change.at, event.at))
                else:
                    yield from self._short(writer, change, seen.diagnosis)
            else:
                event = lasting.pop(change.key, None)
                if event is not None and (since := self._absent.get(event.id)) is not None:
                    # a recorder that was killed took the memory of its end with it: this is another one
                    yield msgspec.structs.replace(event, until=since)
                    yield facts.problem_event(msgspec.structs.replace(change, at=max(change.at, since)))
                else:
                    yield from self._lasts(writer, change, event, seen)
        yield from self._reconciled(lasting, seen)

    def _lasts(self, writer: HistoryWriter, change: Change, event: Event | None, seen: Seen) -> Iterator[Event]:
        """A problem that began or became worse; `event` is its event while that lasts."""
        now = seen.now
        if event is not None and event.cause == self.redact(change.cause) and event.severity == change.severity:
            return
        if event is not None:
            # it is another trouble at the same place from now on; while nobody looked it may have been for longer
            at = max(now if change.what == "began" else change.at, event.at)
            yield msgspec.structs.replace(event, until=at)
            yield facts.problem_event(msgspec.structs.replace(change, at=at))
            return
        last = writer.last("problem", change.key)
        if last is None or last.until is None or change.at > last.until:
            yield facts.problem_event(change)
        elif (
            last.cause == self.redact(change.cause)
            and now - last.until <= AWAY_SECONDS
            and not _is_of_another_run(seen.snapshot.service.value, change.key, last.until)
        ):
            # it had not ended: it stayed away for a moment
            yield msgspec.structs.replace(last, until=None)
        else:
            # the memory takes what returns soon for the same; when it has returned is known better here
            yield facts.problem_event(msgspec.structs.replace(change, at=now))

    def _short(self, writer: HistoryWriter, change: Change, diagnosis: Diagnosis) -> Iterator[Event]:
        """A problem that began and ended between two views."""
        problem = next((one for one in diagnosis.problems if one.key == change.key), None)
        last = writer.last("problem", change.key)
        known = last is not None and last.until is not None and last.until >= change.at - FLAPPING_SECONDS
        if problem is None or known or change.at <= self._begin:
            return
        onset = min(problem.since, change.at) if problem.since is not None else change.at
        yield facts.problem_event(msgspec.structs.replace(change, at=onset), until=change.at)

    def _reconciled(self, lasting: dict[str, Event], seen: Seen) -> Iterator[Event]:
        """The events of problems that have ended while nobody recorded, or of which nothing is known any more."""
        problems = {problem.key: problem for problem in seen.diagnosis.problems}
        known = seen.snapshot.gateway.deployments.value is not None
        answers = known and seen.diagnosis.gateway.state == "answering"
        absent: dict[int, float] = {}
        for key, event in lasting.items():
            problem = problems.get(key)
            if problem is not None and problem.solved_at is not None and problem.solved_at >= event.at:
                yield msgspec.structs.replace(event, until=problem.solved_at)
            elif (problem is None or problem.severity not in ("bad", "warn")) and answers:
                since = self._absent.get(event.id, seen.now)
                if seen.now - since >= FORGOTTEN_SECONDS:
                    yield msgspec.structs.replace(event, until=since)
                else:
                    absent[event.id] = since
            elif problem is None and event.id in self._absent:
                # nothing is learned of it meanwhile; it was away before
                absent[event.id] = self._absent[event.id]
        self._absent = absent

    # --- what was measured -----------------------------------------------------------------------------------------

    def _samples(self, seen: Seen) -> Iterator[Sample]:
        step = int(seen.now // STEP)
        if step != self._level_step:
            self._level_step = step
            yield from samples.levels(seen.snapshot, seen.now)
        yield from self._counts(seen, step)
        yield from self._failures(seen)
        yield from self._read_metrics(seen)
        if seen.snapshot.cache_counts is not None:
            yield from metric_samples.cache_between(seen.snapshot.cache_counts, self._cache_until)
            self._cache_until = max((one.time for one in seen.snapshot.cache_counts.counts), default=self._cache_until)

    def _counts(self, seen: Seen, step: int) -> Iterator[Sample]:
        """What has come to each step since the last look; 0 where nothing did, which is not the same as unknown."""
        oldest = max(self._first_step, step - _KNOWN_STEPS)
        counted = samples.counts(seen.snapshot, seen.diagnosis)
        present: set[tuple[samples.CountKey, int]] = set()
        for key, after in counted.items():
            subject, measure, source = key
            for at, more in samples.grown(self._counted.get(key, {}), after, oldest):
                yield Sample(at * STEP, subject, measure, float(more), source)
            present.add((key, step))
            if (key, step) not in self._present:
                yield Sample(step * STEP, subject, measure, 0.0, source)
        self._counted, self._present = counted, present

    def _causes_of(self, seen: Seen) -> dict[str, dict[int, int]]:
        return samples.causes(seen.snapshot, seen.diagnosis, seen.now)

    def _failures(self, seen: Seen) -> Iterator[Sample]:
        found = self._causes_of(seen)
        for subject, minutes in found.items():
            for minute, more in samples.grown(self._causes.get(subject, {}), minutes, int(self._begin // 60)):
                at = min(seen.now, minute * 60.0 + 59.0)
                yield Sample(at, self.redact(subject), "failed", float(more), "log")
        self._causes = found

    def _read_metrics(self, seen: Seen) -> Iterable[Sample]:
        reading, before = seen.snapshot.gateway.metrics, self._metrics
        if reading.value is None or reading.seen_at is None or (before and before.seen_at == reading.seen_at):
            return ()
        self._metrics = reading
        known = before.value if before is not None else None
        if known is None or before is None or before.seen_at is None:
            return ()
        keys = {one.loaded.id: (one.key, one.group) for one in seen.diagnosis.deployments if one.loaded is not None}
        return metric_samples.between(known, reading.value, before.seen_at, reading.seen_at, keys)


def _is_of_another_run(service: Service | None, key: str, until: float) -> bool:
    """Whether it is trouble of the process itself, which began after the same trouble of another was over."""
    begun = service.started_at if service is not None else None
    return key.startswith(_OF_THE_PROCESS) and begun is not None and begun > until
