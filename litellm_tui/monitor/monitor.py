"""Runs the pollers and publishes one Snapshot after another.

The console and the commands run the same monitor. It only reads and changes nothing in the world.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.collectors import redis
from litellm_tui.logs.entry import HISTORY
from litellm_tui.logs.intake import LogIntake, PreparedLine
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.configuration import ConfigError, ConfigFile, Configuration
from litellm_tui.model.failures import Crashed, Failure, NotAvailable
from litellm_tui.model.found import Found
from litellm_tui.model.gateway import Metrics, Readiness
from litellm_tui.model.log import Log, LogRecord
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Failures, Traffic
from litellm_tui.monitor.audit_worker import AuditWorker
from litellm_tui.monitor.background_checks import BackgroundChecks, dated
from litellm_tui.monitor.config_watcher import ConfigWatcher
from litellm_tui.monitor.drift_poller import DriftPoller
from litellm_tui.monitor.gateway_poller import GatewayPoller, HealthCost
from litellm_tui.monitor.moved_gateway import MovedGateway, moved
from litellm_tui.monitor.older_log import older_records
from litellm_tui.monitor.postgres_poller import PostgresPoller
from litellm_tui.monitor.profile_renewal import ProfileRenewal, plain_environment
from litellm_tui.monitor.redis_poller import RedisPoller
from litellm_tui.monitor.service_poller import ServicePoller
from litellm_tui.monitor.supervisor import Job, Pace, Supervisor, guarded_async
from litellm_tui.monitor.wakeup import Wakeup
from litellm_tui.services.driver import Tail
from litellm_tui.services.known_environment import why_unknown, words_of
from litellm_tui.services.registry import driver
from litellm_tui.storage.starts import StartHistory

if TYPE_CHECKING:
    from litellm_tui.target.profile import Profile

PUBLISH_SECONDS: Final = 0.25
# what was read again and says the same is only younger: it is shown so late at most
SAME_SECONDS: Final = 4.0
# in which the cause of an end is looked for
LAST_RECORDS: Final = 120


class Monitor:
    """Observes one gateway. `on_snapshot` is called on the event loop, at most every `publish` seconds.

    `history` knows the file that a process was started with; `lines` is the number of log lines that are read at the
    beginning. Each source has its own job: an exception becomes the failure of that source, and the job starts again
    at the given `pace`.
    """

    def __init__(
        self,
        profile: Profile,
        on_snapshot: Callable[[Snapshot], None] = lambda _: None,
        history: StartHistory | None = None,
        lines: int = HISTORY,
        pace: Pace | None = None,
        publish: float = PUBLISH_SECONDS,
    ) -> None:
        self.profile, self._publish_seconds = profile, publish
        self._history, self._lines = history, lines
        self.store = LogStore()
        self._on_snapshot = on_snapshot
        # the owner can set this, so that everything slower waits until the file is on the screen
        self.first_shown: Callable[[], Awaitable[None]] = _at_once
        self._configuration = Configuration(path=profile.config.value if profile.config else None)
        self._secrets = set(profile.secrets)
        self.redact = Redactor(self._secrets)
        self._traffic = TrafficCounter()
        self._driver = driver(profile.service_target)
        # the last counts, shown while counting fails
        self._counted: tuple[Log, Traffic, Failures] = (Log(source=self._driver.log_source), Traffic(), Failures())
        self._intake = LogIntake(self.store, self.redact, self._traffic, self._driver.log_source)
        self._probes: dict[str, ProbeResult] = {}
        self.expected_down: dict[str, str] = {}
        self._tail: Tail | None = None
        self._dirty = asyncio.Event()
        self._read_again: asyncio.TimerHandle | None = None
        self.supervisor = Supervisor(self._masked, self._dirty.set, pace)
        self._describe_service()
        self.file = self._file_watch()
        self.audits = AuditWorker(profile, self._dirty.set)
        self._wakeup = Wakeup()
        self._redis = RedisPoller(profile.url.value, self._dirty.set, self.look_now)
        self._postgres = PostgresPoller(profile, self._dirty.set, self._masked)
        self._database_said: str | None = None
        self._renewal = ProfileRenewal(lambda: self.profile, self._take_profile)
        self._moved = MovedGateway(lambda: self.profile, lambda: self._service.reading, self.store)
        self._gateway = GatewayPoller(
            profile,
            self._wakeup,
            health_cost=self._health_cost,
            cache_is_down=lambda: redis.is_down(self._redis.answer),
            redact=self._masked,
            another_key=self._renewal.another_key,
            elsewhere=self._moved.candidates,
            moved=self._has_moved,
            on_answer=self._receive_answer,
            changed=self._dirty.set,
            same=self._same,
            supervisor=self.supervisor,
        )
        self._service = ServicePoller(
            self._driver,
            self._wakeup,
            gateway_answers=lambda: self._gateway.answers,
            redact=self._masked,
            on_look=self._judge_background_checks,
            on_new_run=self._another_run,
            changed=self._dirty.set,
            same=self._same,
        )
        self._checks = BackgroundChecks()
        self._drift = DriftPoller(
            self._driver, self._wakeup, self._service, redact=self._masked, changed=self._dirty.set
        )

    # --- for the owner -----------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The snapshot of this moment."""
        now = time.time()
        log, traffic, failures = self._counted = (
            self.supervisor.part("log counts", lambda: self._intake.log(now), self._counted[0]),
            self.supervisor.part("traffic", lambda: self._traffic.traffic(now, self.store.get), self._counted[1]),
            self.supervisor.part("incidents", lambda: self._intake.incidents.failures(now), self._counted[2]),
        )
        return Snapshot(
            taken_at=now,
            gateway=self._gateway.readings,
            configuration=self._configuration,
            service=self._service.reading,
            service_minutes=self._service.minutes.kept,
            log=log,
            traffic=traffic,
            failures=failures,
            redis_answer=self._redis.answer,
            redis_server=self._redis.server,
            cache_counts=self._redis.counts,
            database=self._postgres.database,
            probes=tuple(self._probes.values()),
            expected_down=self.expected_down,
            address=self.profile.address,
            last_records=self._last_records(),
            crashes=self.supervisor.crashes,
            service_drift=self._drift.reading,
            words=self._words,
        )

    def _last_records(self) -> tuple[LogRecord, ...]:
        """The newest records, in which an end is told, while the gateway does not answer."""
        return () if self._gateway.answers else tuple(self.store.since(self.store.last - LAST_RECORDS))

    def last_snapshot(self) -> Snapshot:
        """The snapshot after the end: everything that waits to be counted is counted."""
        self.supervisor.part("traffic", self._traffic.settle, None)
        self.supervisor.part("incidents", self._intake.incidents.settle, None)
        return self.snapshot()

    def add_probe(self, result: ProbeResult) -> None:
        """Add the result of a probe: it is evidence from now on, and is not counted as traffic."""
        self._probes[result.deployment] = result
        self._traffic.note_probe(result)
        self._dirty.set()

    @property
    def probes(self) -> Mapping[str, ProbeResult]:
        """The last probe of each deployment, by its id."""
        return self._probes

    def take_probes(self, kept: Iterable[ProbeResult]) -> None:
        """Take up probes that others have made: they are evidence like its own. The newest of a deployment counts."""
        for result in kept:
            known = self._probes.get(result.deployment)
            if known is None or known.asked_at < result.asked_at:
                self._probes[result.deployment] = result
                self._dirty.set()

    def expect_down(self, marks: Mapping[str, str]) -> None:
        """Set the operator's marks: their notes by a deployment's key or a group's name."""
        self.expected_down = dict(marks)
        self._dirty.set()

    def look_now(self) -> None:
        """Read everything again at once, without waiting for interval or back-off."""
        self._wakeup.wake()
        self._postgres.hurry()

    async def run(self) -> None:
        """Observe until cancelled; every child process and connection has ended when this returns."""
        try:
            if self.file:
                # the file alone fills half the screen: it is shown before anything slower begins
                await guarded_async(self._show_file(self.file), self._masked)
            async with asyncio.TaskGroup() as tasks:
                for job in self._jobs():
                    tasks.create_task(self.supervisor.supervise(*job))
        finally:
            if self.file:
                self.file.stop()

    async def _show_file(self, file: ConfigWatcher) -> None:
        """Read and show the file before the jobs begin; what fails here, they repeat and report."""
        await file.read()
        self._on_snapshot(self.snapshot())
        await self.first_shown()
        # everything loaded by now stays: the garbage collector need not look at it
        gc.freeze()

    def _jobs(self) -> Iterator[Job]:
        yield Job("screen", self._publish)
        yield Job("gateway", self._gateway.run, self._gateway.failed)
        if self.profile.tools.redis:
            asking = partial(self._redis.run, lambda: self._configuration.current, self._started_at)
            yield Job("redis", asking, self._redis.failed)
        asking = partial(self._postgres.run, lambda: self._configuration.current, self._started_at)
        yield Job("postgres", asking, self._postgres.failed)
        if self.file:
            yield Job("configuration", self.file.run, self._file_failed)
            yield Job("audit", self.audits.run, self.audits.failed)
        else:
            self._configuration = Configuration(why_unwatched="no configuration file was found")
        if self.profile.unit:
            yield Job("service", self._service.run, self._service.failed)
            yield Job("drift", self._drift.run, self._drift.failed)
            yield Job("profile", self._renewal.run)
            yield Job("log", self._follow_log, self._log_failed)
        else:
            why = next((m.why for m in self.profile.missing if "service" in m.what), "no unit was found")
            self._service.absent(why)
            self._intake.set_state("off", NotAvailable(why), None)

    def _another_run(self) -> None:
        self._renewal.another_run()
        self.look_now()

    def _started_at(self) -> float | None:
        service = self._service.reading.value
        return service.started_at if service else None

    async def _publish(self) -> None:
        # after an exception there is always something to show
        self._dirty.set()
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if self._read_again is not None:
                self._read_again.cancel()
                self._read_again = None
            self._on_snapshot(self.snapshot())
            await asyncio.sleep(self._publish_seconds)

    def _same(self) -> None:
        """Something was read again and says the same: to be shown with the next news, or a little later."""
        if self._read_again is None:
            self._read_again = asyncio.get_running_loop().call_later(SAME_SECONDS, self._dirty.set)

    # --- the gateway -------------------------------------------------------------------------------------------

    def _receive_answer(self, result: Any) -> None:
        """Pass an answer of the gateway to the other parts that use it."""
        self._redis.count(result)
        if isinstance(result, Readiness):
            self.audits.saw_version(result.version)
            if (said := f"{result.status} {result.db}") != self._database_said:
                self._database_said = said
                self._postgres.hurry()
        elif isinstance(result, Metrics):
            self._traffic.add_metrics(result, time.time())

    def _health_cost(self) -> HealthCost:
        read = self._configuration.checked_at is not None or self._configuration.why_unwatched is not None
        return self._checks.cost(read and self._service.reading.tried_at is not None)

    def _take_profile(self, found: Profile) -> None:
        """Go on with this profile: its secrets are masked, its environment is what the file is read with."""
        before, self.profile = self.profile, found
        self._secrets.update(found.secrets)
        self.redact = self._intake.redact = Redactor(self._secrets)
        if found.found_unit == before.found_unit and found.config == before.config:
            return
        self._describe_service()
        self.audits.take_profile(found)
        if self.file and found.config:
            self._configuration = msgspec.structs.replace(self._configuration, path=found.config.value)
            self.file.take(found.config.value, plain_environment(found), found.environment_files, self._unknown)
        self._dirty.set()

    def _describe_service(self) -> None:
        target = self.profile.service_target
        self._words, self._unknown = words_of(driver(target), target), why_unknown(target)

    def _has_moved(self, url: Found) -> None:
        self.profile = moved(self.profile, url)
        self._dirty.set()

    def _masked(self, text: str) -> str:
        return self.redact(text)

    # --- the file ----------------------------------------------------------------------------------------------

    def _file_watch(self) -> ConfigWatcher | None:
        if self.profile.config is None:
            return None
        environment, files = plain_environment(self.profile), self.profile.environment_files
        path, inodes, unknown = self.profile.config.value, self.profile.tools.inodes, self._unknown
        return ConfigWatcher(path, environment, files, self._receive_file, inodes=inodes, unknown=unknown)

    def _file_failed(self, crash: Crashed) -> None:
        self._configuration = msgspec.structs.replace(self._configuration, failure=crash)

    def _receive_file(
        self, loaded: ConfigFile | ConfigError, environment: Mapping[str, str], secrets: frozenset[str]
    ) -> None:
        now, before = time.time(), self._configuration
        read = Configuration(path=before.path, checked_at=now, environment_unknown=self._unknown)
        if isinstance(loaded, ConfigError):
            since = before.error.since if before.error and before.error.since else now
            error = msgspec.structs.replace(loaded, problem=self.redact(loaded.problem), since=since)
            self._configuration = msgspec.structs.replace(read, current=before.current, error=error)
        else:
            current = dated(loaded, self._service.reading.value, self._history)
            self._configuration = msgspec.structs.replace(read, current=current)
            self._redis.saved(redis.address(loaded, environment), redis.login(loaded, environment))
            # a former secret is still masked: the running process may write it to its log
            self._secrets.update(secrets, self._postgres.saved(loaded, environment))
            self.redact = Redactor(self._secrets)
            self._intake.redact = self.redact
            self._judge_background_checks()
        self.audits.saw_file(loaded)
        self._dirty.set()

    def _judge_background_checks(self) -> None:
        """Note whether the running proxy has background health checks on."""
        service, current = self._service.reading.value, self._configuration.current
        if service is None or service.started_at is None or current is None:
            return
        if (current := dated(current, service, self._history)) is not self._configuration.current:
            self._configuration = msgspec.structs.replace(self._configuration, current=current)
        if self._checks.judge(service, current):
            self.look_now()

    async def _follow_log(self) -> None:
        # a tail that has failed continues where it was
        tail = self._tail or self._driver.tail(
            self._receive_lines, self._receive_log_state, self._intake.prepare, self._lines
        )
        if isinstance(tail, Failure):
            self._receive_log_state("off", tail, None)
        else:
            self._tail = tail
            await tail.run()

    def _log_failed(self, crash: Crashed) -> None:
        self._intake.set_state("ended", crash, None)

    async def older(self, before: LogRecord | float, count: int = 500) -> tuple[LogRecord, ...] | Failure:
        """Records from before this one, or before a time in seconds since the epoch: see `older_records`."""
        return await older_records(self._tail, self._intake, before, count)

    async def read_back(self, count: int = 500) -> int | Failure:
        """Fetch records older than the oldest one kept and put them before it; returns their number.

        0 means that there is nothing older, or no room for it. `store.first` moves back by that number. Call
        `store.release_older()` when no view needs older records any more.
        """
        self.store.make_room()
        oldest = self.store.get(self.store.first)
        found = await self.older(oldest if oldest else time.time(), count)
        if isinstance(found, Failure):
            return found
        return self.store.prepend(found, oldest.sequence if oldest else self.store.first)

    def _receive_log_state(self, state: str, failure: Failure | None, hint: str | None) -> None:
        self._intake.set_state(state, failure, hint)
        self._dirty.set()

    def _receive_lines(self, lines: list[PreparedLine]) -> None:
        self._intake.add_lines(lines)
        self._dirty.set()


async def _at_once() -> None:
    """Do not wait."""
