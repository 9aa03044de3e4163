"""Runs the collectors, each at its own pace, and publishes one Snapshot after another.

The console and the commands run the same monitor. It changes nothing in the world: it only looks.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import msgspec

from litellm_tui import services
from litellm_tui.analysis.cache import is_slow
from litellm_tui.analysis.redact import Redactor
from litellm_tui.applied import History, run_of
from litellm_tui.auditwatch import AuditWatch
from litellm_tui.collectors import config_file, redis
from litellm_tui.collectors.entry import HISTORY, Entry
from litellm_tui.collectors.file_times import saved_at
from litellm_tui.collectors.service import cpu_percent
from litellm_tui.filewatch import FileWatch
from litellm_tui.logintake import LogIntake, Ready
from litellm_tui.logstore import LogStore
from litellm_tui.reading import next_reading
from litellm_tui.rediswatch import RedisWatch
from litellm_tui.snapshot import (
    CachePing,
    ConfigError,
    ConfigFile,
    Configuration,
    Failure,
    Gateway,
    HealthEntry,
    HealthReport,
    LogRecord,
    Metrics,
    NotAvailable,
    ProbeResult,
    Readiness,
    Reading,
    Service,
    Snapshot,
    Unauthorized,
    Unreachable,
)
from litellm_tui.traffic import TrafficCounter

if TYPE_CHECKING:
    from litellm_tui.collectors.gateway import Endpoint, GatewayClient
    from litellm_tui.profile import Profile

PUBLISH_SECONDS: Final = 0.25
SERVICE_SECONDS: Final = 2.0
SERVICE_SECONDS_IN_MOTION: Final = 0.5
LONGEST_BACKOFF: Final = 60.0
# a feature that is off comes only with a restart, and a restart makes everything be read again
OFF_SECONDS: Final = 300.0
HEALTH_UNSURE: Final = (
    "not asked: whether background health checks are on in the running proxy cannot be told "
    "(asked otherwise, /health calls every deployment and is billed)"
)
HEALTH_OFF: Final = (
    "not asked: background_health_checks is off, and GET /health would make a billed call to every deployment"
)


class Monitor:
    """Looks at one gateway. `on_snapshot` is called on the event loop, at most four times a second.

    `history` tells with which file a process was started, where it was seen to be; `lines` are as many of the log as
    are read back.
    """

    def __init__(
        self,
        profile: Profile,
        on_snapshot: Callable[[Snapshot], None] = lambda _: None,
        history: History | None = None,
        lines: int = HISTORY,
    ) -> None:
        self.profile = profile
        self._history = history
        self._lines = lines
        self.store = LogStore()
        self._on_snapshot = on_snapshot
        # its owner may have everything slower wait until the file is on the screen
        self.first_shown: Callable[[], Awaitable[None]] = _at_once
        self._gateway = Gateway()
        self._configuration = Configuration(path=profile.config.value if profile.config else None)
        self._service: Reading[Service] = Reading(interval=SERVICE_SECONDS)
        self._secrets = set(profile.secrets)
        self.redact = Redactor(self._secrets)
        self._traffic = TrafficCounter()
        self._intake = LogIntake(self.store, self.redact, self._traffic, profile.log_source)
        self._probes: dict[str, ProbeResult] = {}
        self.expected_down: dict[str, str] = {}
        self._client: GatewayClient | None = None
        self._tail: services.Tail | None = None
        self._dirty = asyncio.Event()
        self.file = self._file_watch()
        self.audits = AuditWatch(profile, self._dirty.set)
        self._redis = RedisWatch(profile.url.value, self._dirty.set, self.look_now)
        self._wake = asyncio.Event()
        self._alive = asyncio.Event()
        self._admitted = asyncio.Event()
        self._background_checks: bool | None = None
        self._checked_invocation: object = None

    # --- what its owner does with it ---------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """What is known at this moment."""
        now = time.time()
        return Snapshot(
            taken_at=now,
            gateway=self._gateway,
            configuration=self._configuration,
            service=self._service,
            log=self._intake.log(now),
            traffic=self._traffic.traffic(now, self.store.get),
            failures=self._intake.incidents.failures(now),
            redis_answer=self._redis.answer,
            cache_counts=self._redis.counts,
            probes=tuple(self._probes.values()),
            expected_down=self.expected_down,
        )

    def last_snapshot(self) -> Snapshot:
        """What is known when nothing more will be read."""
        self._traffic.settle()
        self._intake.incidents.settle()
        return self.snapshot()

    def take_probe(self, result: ProbeResult) -> None:
        """A probe was made: it is evidence from now on, and is kept out of the traffic."""
        self._probes[result.deployment] = result
        self._traffic.note_probe(result)
        self._dirty.set()

    def expect_down(self, marks: Mapping[str, str]) -> None:
        """The operator's marks, by a deployment's key or a group's name, with their notes."""
        self.expected_down = dict(marks)
        self._dirty.set()

    def look_now(self) -> None:
        """Read everything again at once, whatever its pace or back-off."""
        self._wake.set()
        self._wake.clear()

    async def run(self) -> None:
        """Look until cancelled; every child process and connection is gone when this returns."""
        if self.file:
            # the file alone fills half the screen: it is shown before anything slower is begun
            await self.file.read()
            self._on_snapshot(self.snapshot())
            await self.first_shown()
        try:
            async with asyncio.TaskGroup() as tasks:
                for job in self._local_jobs():
                    tasks.create_task(job)
                gateway = await asyncio.to_thread(import_module, "litellm_tui.collectors.gateway")
                key = self.profile.key.reveal() if self.profile.key else None
                self._client = gateway.GatewayClient(self.profile.url.value, key)
                for job in self._gateway_jobs(gateway):
                    tasks.create_task(job)
        finally:
            if self._client is not None:
                await self._client.close()

    def _gateway_jobs(self, gateway: Any) -> Iterator[Coroutine[Any, Any, None]]:
        yield self._poll_liveliness(gateway.LIVELINESS)
        yield self._poll_readiness(gateway.READINESS_DETAILS, gateway.READINESS)
        for endpoint in (gateway.GROUPS, gateway.DEPLOYMENTS, gateway.ROUTER):
            yield self._poll(endpoint)
        yield self._poll_health(gateway.HEALTH)
        yield self._poll_cache(gateway.CACHE_PING, gateway.REDIS_INFO)
        yield self._poll_metrics(gateway.METRICS)
        if self.profile.health_url:
            yield self._poll_health_url(gateway.HEALTH_URL, self.profile.health_url)

    def _local_jobs(self) -> Iterator[Coroutine[Any, Any, None]]:
        yield self._publish()
        if self.profile.tools.redis:
            yield self._redis.run(lambda: self._configuration.current, self._started_at)
        if self.file:
            yield self.file.run()
            yield self.audits.run()
        else:
            self._configuration = Configuration(why_unwatched="no configuration file was found")
        if self.profile.unit:
            yield self._poll_service(services.Watch(self.profile))
            yield self._follow_log()
        else:
            why = next((m.why for m in self.profile.missing if "service" in m.what), "no unit was found")
            self._service = Reading(failure=NotAvailable(why), tried_at=time.time())
            self._intake.set_state("off", NotAvailable(why), None)

    def _started_at(self) -> float | None:
        return self._service.value.started_at if self._service.value else None

    async def _publish(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            self._on_snapshot(self.snapshot())
            await asyncio.sleep(PUBLISH_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Sleep, but no longer than until `look_now`."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    # --- the gateway -------------------------------------------------------------------------------------------

    async def _ask(self, endpoint: Endpoint) -> Any:
        assert self._client is not None
        answer = await self._client.get(endpoint)
        self._record(endpoint, answer.result, answer.took)
        return answer.result

    def _record(self, endpoint: Endpoint, result: Any, took: float | None) -> None:
        before: Reading[Any] = getattr(self._gateway, endpoint.field)
        after = next_reading(before, self._without_secrets(result), took, endpoint.interval, time.time())
        self._gateway = msgspec.structs.replace(self._gateway, **{endpoint.field: after})
        self._redis.count(result)
        if isinstance(result, Readiness):
            self.audits.saw_version(result.version)
        self._dirty.set()

    def _without_secrets(self, result: Any) -> Any:
        """Error texts masked: providers repeat the key they refuse, and LiteLLM passes it on."""
        if isinstance(result, Failure):
            return msgspec.structs.replace(result, why=self.redact(result.why))
        if isinstance(result, HealthReport):
            return msgspec.structs.replace(result, unhealthy=tuple(map(self._unhealthy, result.unhealthy)))
        if isinstance(result, CachePing) and result.error:
            return msgspec.structs.replace(result, error=self.redact(result.error))
        return result

    def _unhealthy(self, entry: HealthEntry) -> HealthEntry:
        """Masked, and with the moment at which it was first seen red."""
        before = self._gateway.health.value
        known = {_endpoint(e): e for e in before.unhealthy}.get(_endpoint(entry)) if before else None
        return msgspec.structs.replace(
            entry,
            error=self.redact(entry.error) if entry.error else None,
            red_since=known.red_since if known else time.time(),
            turned=known.turned if known else before is not None,
        )

    async def _poll_liveliness(self, endpoint: Endpoint) -> None:
        while True:
            result = await self._ask_twice(endpoint, _is_silent)
            if isinstance(result, Failure):
                if self._alive.is_set():
                    self._alive.clear()
                    # the service knows first why
                    self.look_now()
            elif not self._alive.is_set():
                self._alive.set()
                self.look_now()
            await asyncio.sleep(endpoint.interval)

    async def _ask_twice(self, endpoint: Endpoint, doubtful: Callable[[Any, float | None], bool]) -> Any:
        """As `_ask`; what is `doubtful`, and new, is asked once more before it counts: a busy machine has such moments.

        `doubtful` gets a result and how long it took, in seconds.
        """
        assert self._client is not None
        before: Reading[Any] = getattr(self._gateway, endpoint.field)
        answer = await self._client.get(endpoint)
        if doubtful(answer.result, answer.took) and not doubtful(before.failure or before.value, before.took):
            answer = await self._client.get(endpoint)
        self._record(endpoint, answer.result, answer.took)
        return answer.result

    async def _poll_health_url(self, endpoint: Endpoint, url: str) -> None:
        """Whether the gateway answers or not: what others are told is of interest then most of all."""
        while True:
            assert self._client is not None
            answer = await self._client.get(endpoint, url)
            self._record(endpoint, answer.result, answer.took)
            await self._pause(endpoint.interval)

    async def _poll(self, endpoint: Endpoint) -> None:
        failures = 0
        while True:
            await self._alive.wait()
            if endpoint.field != "groups":
                await self._admitted.wait()
            result = await self._ask(endpoint)
            failures = self._judge_key(result, failures)
            await self._pause(_delay(endpoint.interval, failures))

    def _judge_key(self, result: Any, failures: int) -> int:
        """Count failures for the back-off. Until the key is known to be good only one endpoint asks with it.

        LiteLLM writes a stack trace to its log for every refused request: a console must not flood it.
        """
        if isinstance(result, Unauthorized):
            self._admitted.clear()
        elif not isinstance(result, Failure) and not self._admitted.is_set():
            self._admitted.set()
            self.look_now()
        return failures + 1 if isinstance(result, Failure) and not isinstance(result, NotAvailable) else 0

    async def _poll_readiness(self, details: Endpoint, plain: Endpoint) -> None:
        """The details where the version has them and the key opens them, the plain answer otherwise."""
        while True:
            await self._alive.wait()
            assert self._client is not None
            answer = await self._client.get(details if self._admitted.is_set() else plain)
            if isinstance(answer.result, Failure) and self._admitted.is_set():
                answer = await self._client.get(plain)
            self._record(plain, answer.result, answer.took)
            await self._pause(plain.interval * random.uniform(0.9, 1.1))

    async def _poll_health(self, endpoint: Endpoint) -> None:
        while True:
            await self._alive.wait()
            await self._admitted.wait()
            on = self._background_checks
            if on:
                result = await self._ask(endpoint)
                self._judge_key(result, 0)
            elif self._service.tried_at is not None and (
                self._configuration.checked_at is not None or self._configuration.why_unwatched is not None
            ):
                why = HEALTH_OFF if on is False else HEALTH_UNSURE
                if self._gateway.health.failure != NotAvailable(why):
                    self._record(endpoint, NotAvailable(why), None)
            # until it is known whether asking is free, look again soon
            await self._pause(endpoint.interval if on is not None else 0.5)

    async def _poll_cache(self, ping: Endpoint, info: Endpoint) -> None:
        failures = 0
        while True:
            await self._alive.wait()
            await self._admitted.wait()
            if redis.is_down(self._redis.answer):
                # LiteLLM would need seconds to find out the same, and some versions stand still meanwhile
                await self._pause(ping.interval)
                continue
            result = await self._ask_twice(ping, _is_silent_or_slow)
            failures = self._judge_key(result, failures)
            last = self._gateway.redis.tried_at
            due = last is None or time.time() - last >= info.interval or self._gateway.redis.failure is not None
            if isinstance(result, CachePing) and result.ping and due:
                await self._ask(info)
            await self._pause(_delay(ping.interval, failures))

    async def _poll_metrics(self, endpoint: Endpoint) -> None:
        failures = 0
        while True:
            await self._alive.wait()
            await self._admitted.wait()
            result = await self._ask(endpoint)
            if isinstance(result, Metrics):
                self._traffic.take_metrics(result, time.time())
            failures = self._judge_key(result, failures)
            off = isinstance(result, NotAvailable)
            await self._pause(OFF_SECONDS if off else _delay(endpoint.interval, failures))

    # --- the file ----------------------------------------------------------------------------------------------

    def _file_watch(self) -> FileWatch | None:
        if self.profile.config is None:
            return None
        environment = {name: variable.value for name, variable in self.profile.environment.items()}
        files = self.profile.environment_files
        return FileWatch(self.profile.config.value, environment, files, self._take_file)

    def _take_file(self, loaded: ConfigFile | ConfigError, environment: Mapping[str, str]) -> None:
        now = time.time()
        before, path = self._configuration, self._configuration.path
        if isinstance(loaded, ConfigError):
            since = before.error.since if before.error and before.error.since else now
            error = msgspec.structs.replace(loaded, problem=self.redact(loaded.problem), since=since)
            self._configuration = Configuration(path=path, current=before.current, error=error, checked_at=now)
        else:
            if not self.profile.tools.inodes:
                loaded = msgspec.structs.replace(loaded, modified_at=saved_at(loaded.files))
            self._configuration = Configuration(path=path, current=self._dated(loaded), checked_at=now)
            self._redis.saved(redis.address(loaded, environment))
            # what was a secret once stays one: the running process may still write it to its log
            self._secrets.update(config_file.secrets_in(loaded, environment))
            self.redact = Redactor(self._secrets)
            self._intake.redact = self.redact
            self._judge_background_checks()
        self.audits.saw_file(loaded)
        self._dirty.set()

    def _dated(self, file: ConfigFile) -> ConfigFile:
        """No younger than the process, where that is known to have been started with just this.

        What is changed and changed back, or given other rights, is a younger file and the same configuration.
        """
        service = self._service.value
        if self._history is None or service is None or not service.started_at or file.modified_at <= service.started_at:
            return file
        start = self._history.at_start_of(run_of(service))
        if start is None or start.digest != file.digest:
            return file
        return msgspec.structs.replace(file, modified_at=service.started_at)

    def _judge_background_checks(self) -> None:
        """Whether the running proxy has background health checks on: known only from a file that is older than it.

        Once known it stays so until the service is started again, whatever happens to the file meanwhile.
        """
        service, current = self._service.value, self._configuration.current
        if service is None or service.started_at is None or current is None:
            return
        if (dated := self._dated(current)) is not current:
            self._configuration, current = msgspec.structs.replace(self._configuration, current=dated), dated
        run = (service.invocation, service.main_pid, round(service.started_at))
        if run != self._checked_invocation:
            self._background_checks = None
            self._checked_invocation = run
        if self._background_checks is None and current.modified_at <= service.started_at:
            self._background_checks = current.background_health_checks
            self.look_now()

    # --- the service -------------------------------------------------------------------------------------------

    async def _poll_service(self, watch: services.Watch) -> None:
        while True:
            before = self._service
            started = time.time()
            result = await watch.look()
            now = time.time()
            if isinstance(result, Service):
                elapsed = now - before.seen_at if before.seen_at else 0.0
                if result.cpu_percent is None:
                    share = cpu_percent(before.value, result, elapsed)
                    result = msgspec.structs.replace(result, cpu_percent=share)
                if before.value and before.value.invocation != result.invocation:
                    self.look_now()
            self._service = next_reading(before, result, now - started, SERVICE_SECONDS, now)
            self._judge_background_checks()
            self._dirty.set()
            service = self._service.value
            calm = service is not None and service.active_state == "active" and self._alive.is_set()
            await self._pause(SERVICE_SECONDS if calm else SERVICE_SECONDS_IN_MOTION)

    # --- the log -----------------------------------------------------------------------------------------------

    async def _follow_log(self) -> None:
        tail = services.tail(self.profile, self._take_lines, self._take_log_state, self._intake.ready, self._lines)
        if isinstance(tail, Failure):
            self._take_log_state("off", tail, None)
        else:
            self._tail = tail
            await tail.run()

    async def older(self, before: LogRecord | float, count: int = 500) -> tuple[LogRecord, ...] | Failure:
        """Records from before this one, or before a time in seconds: parsed and masked like all, oldest first.

        They come from some `count` lines; () says that the log holds nothing older. Neither the store nor any count is
        touched: `read_back` puts them above what is kept, and for a jump to a time far away they are for a `LogStore`
        of the view's own (`store.append`, or `store.prepend` to go on from there). Cancelling it ends what it runs.
        """
        if self._tail is None:
            return NotAvailable("no log is followed")
        at, place = (before, 0) if isinstance(before, float) else (before.time, before.place)
        found = await self._tail.before(Entry(at, "", 6, 0, "", place), count)
        return found if isinstance(found, Failure) else await asyncio.to_thread(self._intake.past, found)

    async def read_back(self, count: int = 500) -> int | Failure:
        """Fetch what is older than the oldest record kept and put it before it; returns how many records came.

        0 says that there is nothing older, or no room for it. `store.first` moves back by that number. Call
        `store.release_older()` when nobody reads back any more.
        """
        self.store.make_room()
        oldest = self.store.get(self.store.first)
        found = await self.older(oldest if oldest else time.time(), count)
        if isinstance(found, Failure):
            return found
        return self.store.prepend(found, oldest.sequence if oldest else self.store.first)

    def _take_log_state(self, state: str, failure: Failure | None, hint: str | None) -> None:
        self._intake.set_state(state, failure, hint)
        self._dirty.set()

    def _take_lines(self, lines: list[Ready]) -> None:
        self._intake.keep(lines)
        self._dirty.set()


def _endpoint(entry: HealthEntry) -> tuple[str | None, str, str | None]:
    return (entry.model_id, entry.model, entry.api_base)


def _is_silent(result: Any, _: float | None) -> bool:
    return isinstance(result, Unreachable) and result.kind == "timeout"


def _is_silent_or_slow(result: Any, took: float | None) -> bool:
    return _is_silent(result, took) or (isinstance(result, CachePing) and is_slow(result, took))


async def _at_once() -> None:
    """Nobody is waited for."""


def _delay(interval: float, failures: int) -> float:
    """The pace with exponential back-off and jitter, in seconds."""
    longest = max(LONGEST_BACKOFF, interval)
    return min(interval * 2.0 ** min(failures, 6), longest) * random.uniform(0.85, 1.15)
