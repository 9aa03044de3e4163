"""Polls the gateway's endpoints, each at its own pace.

A dead gateway is asked only for liveliness, one that refuses the key only for its models. GET /health is asked only
where that is known to be free.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from litellm_tui.analysis.health.cache import is_slow
from litellm_tui.host import debug_log
from litellm_tui.model.failures import Crashed, Failure, NotAvailable, Unauthorized
from litellm_tui.model.found import Found
from litellm_tui.model.gateway import CachePing, Gateway, HealthEntry, HealthReport, Readiness
from litellm_tui.model.reading import Reading, is_silence, next_reading
from litellm_tui.monitor.supervisor import Supervisor
from litellm_tui.monitor.wakeup import Wakeup

if TYPE_CHECKING:
    from litellm_tui.collectors.gateway.client import Endpoint, GatewayClient
    from litellm_tui.target.profile import Profile

LONGEST_BACKOFF: Final = 60.0
# while a key is refused, how often it is looked for again where it came from
KEY_SECONDS: Final = 10.0
# only a restart turns a feature on, and after a restart everything is read again
OFF_SECONDS: Final = 300.0
# LiteLLM's own checks are minutes apart, and each answer is the whole report: one of 500 deployments is read every 5 s,
# one of 5,000 every 50 s
SECONDS_PER_ENTRY: Final = 0.01
# seconds until the next look at whether GET /health is free
UNSURE_SECONDS: Final = 0.5
HEALTH_UNSURE: Final = (
    "not asked: whether background health checks are on in the running proxy cannot be told "
    "(asked otherwise, /health calls every deployment and is billed)"
)
HEALTH_OFF: Final = (
    "not asked: background_health_checks is off, and GET /health would make a billed call to every deployment"
)

# what a GET /health would cost; `unread` until the configuration and the service have been read
HealthCost = Literal["free", "billed", "unsure", "unread"]
Job = Callable[[], Coroutine[Any, Any, None]]


class GatewayPoller:
    """Polls one gateway. `readings` holds its last answers; `answers` says whether it is alive.

    `health_cost` gives the cost of GET /health, `cache_is_down` whether the cache is known to be down by other means.
    `another_key` looks again where the key came from, after a refusal. `elsewhere` gives other addresses that it may
    have (it gets whether it fails to answer), `moved` is called with the one at which it answers. `on_answer` is called
    with every result, and after it `changed`, or `same` where the result is what the one before was. `redact` masks a
    text.
    Each endpoint has its own job under the `supervisor`.
    """

    def __init__(
        self,
        profile: Profile,
        wakeup: Wakeup,
        *,
        health_cost: Callable[[], HealthCost],
        cache_is_down: Callable[[], bool],
        redact: Callable[[str], str],
        another_key: Callable[[], Awaitable[str | None]],
        elsewhere: Callable[[bool], Awaitable[tuple[Found, ...]]],
        moved: Callable[[Found], None],
        on_answer: Callable[[Any], None],
        changed: Callable[[], None],
        same: Callable[[], None],
        supervisor: Supervisor,
    ) -> None:
        self.readings = Gateway()
        self._url = profile.url.value
        self._key = profile.key.reveal() if profile.key else None
        self._health_url = profile.health_url
        self._wakeup = wakeup
        self._health_cost, self._cache_is_down = health_cost, cache_is_down
        self._redact, self._on_answer, self._changed, self._same = redact, on_answer, changed, same
        self._another_key, self._sought_at = another_key, -KEY_SECONDS
        self._elsewhere, self._moved = elsewhere, moved
        self._supervisor = supervisor
        self._client: GatewayClient | None = None
        self._alive = asyncio.Event()
        self._admitted = asyncio.Event()

    @property
    def answers(self) -> bool:
        """Whether the gateway answered when it was last asked."""
        return self._alive.is_set()

    async def run(self) -> None:
        """Poll until cancelled; all connections are closed when this returns."""
        # httpx takes longer to import than anything else
        endpoints = await asyncio.to_thread(import_module, "litellm_tui.collectors.gateway.client")
        self._client = endpoints.GatewayClient(self._url, self._key)
        try:
            async with asyncio.TaskGroup() as tasks:
                for endpoint, job in self._jobs(endpoints):
                    failed = partial(self._failed, endpoint)
                    tasks.create_task(self._supervisor.supervise(endpoint.field, job, failed))
        finally:
            await self._client.close()

    def failed(self, crash: Crashed) -> None:
        """Note that the console itself failed before it could ask anything."""
        now = time.time()
        self.readings = msgspec.structs.replace(
            self.readings, liveliness=next_reading(self.readings.liveliness, crash, None, 0.0, now)
        )

    def _failed(self, endpoint: Endpoint, crash: Crashed) -> None:
        """Note that the console itself failed to ask this endpoint, or to process its answer."""
        before: Reading[Any] = getattr(self.readings, endpoint.field)
        after = next_reading(before, crash, None, endpoint.interval, time.time())
        self.readings = msgspec.structs.replace(self.readings, **{endpoint.field: after})
        if endpoint.field == "liveliness":
            # it may be alive: the other endpoints are asked all the same
            self._alive.set()

    def _jobs(self, endpoints: Any) -> Iterator[tuple[Endpoint, Job]]:
        yield endpoints.LIVELINESS, partial(self._poll_liveliness, endpoints.LIVELINESS)
        yield endpoints.READINESS, partial(self._poll_readiness, endpoints.READINESS_DETAILS, endpoints.READINESS)
        for endpoint in (endpoints.GROUPS, endpoints.DEPLOYMENTS, endpoints.ROUTER):
            yield endpoint, partial(self._poll, endpoint)
        yield endpoints.HEALTH, partial(self._poll_health, endpoints.HEALTH)
        yield endpoints.CACHE_PING, partial(self._poll_cache, endpoints.CACHE_PING, endpoints.REDIS_INFO)
        yield endpoints.METRICS, partial(self._poll_metrics, endpoints.METRICS)
        if self._health_url:
            yield endpoints.HEALTH_URL, partial(self._poll_health_url, endpoints.HEALTH_URL, self._health_url)

    # --- one request -------------------------------------------------------------------------------------------

    async def _ask(self, endpoint: Endpoint) -> Any:
        assert self._client is not None
        answer = await self._client.get(endpoint)
        self._record(endpoint, answer.result, answer.took)
        return answer.result

    async def _ask_twice(self, endpoint: Endpoint, doubtful: Callable[[Any, float | None], bool]) -> Any:
        """As `_ask`, but a result that is `doubtful` for the first time is checked by a second request.

        Moments of load on the machine cause such results. `doubtful` gets a result and how long it took, in seconds.
        """
        assert self._client is not None
        before: Reading[Any] = getattr(self.readings, endpoint.field)
        answer = await self._client.get(endpoint)
        if doubtful(answer.result, answer.took) and not doubtful(before.failure or before.value, before.took):
            answer = await self._client.get(endpoint)
        self._record(endpoint, answer.result, answer.took)
        return answer.result

    def _record(self, endpoint: Endpoint, result: Any, took: float | None) -> None:
        debug_log.took(f"GET {endpoint.path or 'the health URL'}", took or 0.0, type(result).__name__)
        before: Reading[Any] = getattr(self.readings, endpoint.field)
        shown = self._without_secrets(result)
        if shown == before.value:
            # an equal answer stays the same object: what was derived from it stays valid
            shown = before.value
        now = time.time()
        after = next_reading(before, shown, took, _interval(endpoint, result), now)
        self.readings = msgspec.structs.replace(self.readings, **{endpoint.field: after})
        self._on_answer(result)
        same = after.value is before.value and after.failure == before.failure and before.tried_at is not None
        if same and not before.stale(now) and not _slow(before, after):
            self._same()
        else:
            self._changed()

    def _without_secrets(self, result: Any) -> Any:
        """Mask error texts: providers repeat a key that they refuse, and LiteLLM passes it on."""
        if isinstance(result, Failure):
            return msgspec.structs.replace(result, why=self._redact(result.why))
        if isinstance(result, HealthReport):
            unhealthy = tuple(map(self._unhealthy, result.unhealthy))
            return self._renewed(msgspec.structs.replace(result, unhealthy=unhealthy))
        if isinstance(result, Readiness) and result.error:
            before = self.readings.readiness.value
            # the text alone names no version, and it is the same process
            version = before.version if before else None
            return msgspec.structs.replace(result, error=self._redact(result.error), version=version)
        if isinstance(result, CachePing) and result.error:
            return msgspec.structs.replace(result, error=self._redact(result.error))
        return result

    def _renewed(self, report: HealthReport) -> HealthReport:
        """The report with the time of its round, where two readings tell it: LiteLLM itself does not."""
        reading = self.readings.health
        before = reading.value
        if before is None:
            # "the first round has not finished" was its answer until now
            seen = reading.tried_at if isinstance(reading.failure, NotAvailable) else None
            fresh = seen is not None and time.time() - seen <= 2.5 * reading.interval
            return msgspec.structs.replace(report, renewed_at=time.time()) if fresh else report
        same = (report.healthy, report.unhealthy) == (before.healthy, before.unhealthy)
        return msgspec.structs.replace(report, renewed_at=before.renewed_at if same else time.time())

    def _unhealthy(self, entry: HealthEntry) -> HealthEntry:
        """The entry masked, with the time when it was first seen red."""
        before = self.readings.health.value
        known = {_deployment(e): e for e in before.unhealthy}.get(_deployment(entry)) if before else None
        return msgspec.structs.replace(
            entry,
            error=self._redact(entry.error) if entry.error else None,
            red_since=known.red_since if known else time.time(),
            turned=known.turned if known else before is not None,
        )

    def _judge_key(self, result: Any, failures: int) -> int:
        """Count failures for the back-off. Until the key is known to be valid, only one endpoint uses it.

        LiteLLM logs a stack trace for every refused request: the console must not flood that log.
        """
        if isinstance(result, Unauthorized):
            self._admitted.clear()
        elif not isinstance(result, Failure) and not self._admitted.is_set():
            self._admitted.set()
            self._wakeup.wake()
        return failures + 1 if isinstance(result, Failure) and not isinstance(result, NotAvailable) else 0

    # --- polling -----------------------------------------------------------------------------------------------

    async def _poll_liveliness(self, endpoint: Endpoint) -> None:
        while True:
            result = await self._ask_twice(endpoint, _is_silent)
            if await self._follows(endpoint, isinstance(result, Failure)):
                result = await self._ask(endpoint)
            if isinstance(result, Failure):
                if self._alive.is_set():
                    self._alive.clear()
                    # the service knows the reason first
                    self._wakeup.wake()
            elif not self._alive.is_set():
                self._alive.set()
                self._wakeup.wake()
            await asyncio.sleep(endpoint.interval)

    async def _follows(self, endpoint: Endpoint, failed: bool) -> bool:
        """Whether it has moved to another address, at which LiteLLM answers: that is asked from now on."""
        assert self._client is not None
        for found in await self._elsewhere(failed):
            answer = await self._client.get(endpoint, found.value + endpoint.path)
            if isinstance(answer.result, Failure):
                continue
            self._client.use_url(found.value)
            self._moved(found)
            # what was said at the address before is no evidence for this one
            self.readings = msgspec.structs.replace(Gateway(), liveliness=self.readings.liveliness)
            self._wakeup.wake()
            return True
        return False

    async def _poll_health_url(self, endpoint: Endpoint, url: str) -> None:
        """Poll the profile's health URL, also while the gateway itself does not answer."""
        while True:
            assert self._client is not None
            answer = await self._client.get(endpoint, url)
            self._record(endpoint, answer.result, answer.took)
            await self._wakeup.pause(endpoint.interval)

    async def _poll(self, endpoint: Endpoint) -> None:
        failures = 0
        while True:
            await self._alive.wait()
            if endpoint.field != "groups":
                await self._admitted.wait()
            result = await self._ask(endpoint)
            if isinstance(result, Unauthorized) and await self._takes_another_key():
                result = await self._ask(endpoint)
            failures = self._judge_key(result, failures)
            delay = _delay(endpoint.interval, failures)
            if isinstance(result, Unauthorized):
                await self._wait_for_a_key(delay)
            else:
                await self._wakeup.pause(delay)

    async def _wait_for_a_key(self, seconds: float) -> None:
        """Wait so long at most; a rotated key ends it, however rarely a refused one is sent."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            part, began = min(left, KEY_SECONDS), time.monotonic()
            await self._wakeup.pause(part)
            woken = time.monotonic() - began < part * 0.9
            if woken or await self._takes_another_key():
                return

    async def _takes_another_key(self) -> bool:
        """Whether the key was rotated where it came from: then the new one is sent from now on."""
        now = time.monotonic()
        if now - self._sought_at < KEY_SECONDS * 0.9:
            return False
        self._sought_at = now
        key = await self._another_key()
        if not key or key == self._key or self._client is None:
            return False
        self._key = key
        self._client.use_key(key)
        return True

    async def _poll_readiness(self, details: Endpoint, plain: Endpoint) -> None:
        """Poll the details where the version has them and the key is valid, else the plain endpoint."""
        while True:
            await self._alive.wait()
            assert self._client is not None
            admitted = self._admitted.is_set()
            answer = await self._client.get(details if admitted else plain)
            if isinstance(answer.result, Failure) and admitted:
                answer = await self._client.get(plain)
            self._record(plain, answer.result, answer.took)
            # the key may have proved valid meanwhile: since 1.106 only the details tell the version
            if admitted or not self._admitted.is_set():
                await self._wakeup.pause(plain.interval * random.uniform(0.9, 1.1))

    async def _poll_health(self, endpoint: Endpoint) -> None:
        while True:
            await self._alive.wait()
            await self._admitted.wait()
            cost = self._health_cost()
            if cost == "free":
                result = await self._ask(endpoint)
                self._judge_key(result, 0)
            elif cost != "unread":
                why = HEALTH_OFF if cost == "billed" else HEALTH_UNSURE
                if self.readings.health.failure != NotAvailable(why):
                    self._record(endpoint, NotAvailable(why), None)
            pace = max(endpoint.interval, self.readings.health.interval)
            await self._wakeup.pause(pace if cost in ("free", "billed") else UNSURE_SECONDS)

    async def _poll_cache(self, ping: Endpoint, info: Endpoint) -> None:
        failures = 0
        while True:
            await self._alive.wait()
            await self._admitted.wait()
            if self._cache_is_down():
                # LiteLLM would need seconds to find that out, and some versions answer nothing meanwhile
                await self._wakeup.pause(ping.interval)
                continue
            result = await self._ask_twice(ping, _is_silent_or_slow)
            failures = self._judge_key(result, failures)
            last = self.readings.redis.tried_at
            due = last is None or time.time() - last >= info.interval or self.readings.redis.failure is not None
            if isinstance(result, CachePing) and result.ping and due:
                await self._ask(info)
            await self._wakeup.pause(_delay(ping.interval, failures))

    async def _poll_metrics(self, endpoint: Endpoint) -> None:
        failures = 0
        while True:
            await self._alive.wait()
            await self._admitted.wait()
            result = await self._ask(endpoint)
            failures = self._judge_key(result, failures)
            off = isinstance(result, NotAvailable)
            await self._wakeup.pause(OFF_SECONDS if off else _delay(endpoint.interval, failures))


def _slow(*readings: Reading[Any]) -> bool:
    """Whether an answer of the cache took, or has taken, long enough to be told of."""
    return any(isinstance(reading.value, CachePing) and is_slow(reading.value, reading.took) for reading in readings)


def _is_silent(result: Any, _: float | None) -> bool:
    return is_silence(result)


def _is_silent_or_slow(result: Any, took: float | None) -> bool:
    return is_silence(result) or (isinstance(result, CachePing) and is_slow(result, took))


def _deployment(entry: HealthEntry) -> tuple[str | None, str, str | None]:
    return (entry.model_id, entry.model, entry.api_base)


def _interval(endpoint: Endpoint, result: Any) -> float:
    """Seconds until the next request: a long health report is read less often."""
    entries = len(result.healthy) + len(result.unhealthy) if isinstance(result, HealthReport) else 0
    return max(endpoint.interval, entries * SECONDS_PER_ENTRY)


def _delay(interval: float, failures: int) -> float:
    """The interval with exponential back-off and jitter, in seconds."""
    longest = max(LONGEST_BACKOFF, interval)
    return min(interval * 2.0 ** min(failures, 6), longest) * random.uniform(0.85, 1.15)
