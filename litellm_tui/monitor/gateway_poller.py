"""Asks the gateway for all that it says of itself, each thing at its own pace.

A dead gateway is asked only whether it lives, one that refuses the key only for its models, and GET /health only where
that is known to be free.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from litellm_tui.analysis.health.cache import is_slow
from litellm_tui.model.failures import Crashed, Failure, NotAvailable, Unauthorized
from litellm_tui.model.gateway import CachePing, Gateway, HealthEntry, HealthReport
from litellm_tui.model.reading import Reading, is_silence, next_reading
from litellm_tui.monitor.supervisor import Supervisor
from litellm_tui.monitor.wakeup import Wakeup

if TYPE_CHECKING:
    from litellm_tui.collectors.gateway.client import Endpoint, GatewayClient
    from litellm_tui.target.profile import Profile

LONGEST_BACKOFF: Final = 60.0
# a feature that is off comes only with a restart, and a restart makes everything be read again
OFF_SECONDS: Final = 300.0
# LiteLLM's own rounds of checks are minutes apart, and the whole of a long report comes each time: one of 500
# deployments is read every 5 s, one of 5,000 every 50 s
SECONDS_PER_ENTRY: Final = 0.01
# how soon it is looked again whether GET /health is free
UNSURE_SECONDS: Final = 0.5
HEALTH_UNSURE: Final = (
    "not asked: whether background health checks are on in the running proxy cannot be told "
    "(asked otherwise, /health calls every deployment and is billed)"
)
HEALTH_OFF: Final = (
    "not asked: background_health_checks is off, and GET /health would make a billed call to every deployment"
)

# What a GET /health would cost; `unread` as long as that may still be found out.
HealthCost = Literal["free", "billed", "unsure", "unread"]
Job = Callable[[], Coroutine[Any, Any, None]]


class GatewayPoller:
    """What one gateway was last heard to say is `heard`; `answers` tells whether it is alive.

    `health_cost` says what GET /health would cost, and `cache_is_down` whether the cache is known to be down without
    its word. `heard_of` is called with every result, and after it `changed`, or `same` where it is what the one before
    was; `redact` masks a text. Each thing is asked by a job of its own, which the `supervisor` keeps.
    """

    def __init__(
        self,
        profile: Profile,
        pulse: Wakeup,
        *,
        health_cost: Callable[[], HealthCost],
        cache_is_down: Callable[[], bool],
        redact: Callable[[str], str],
        heard_of: Callable[[Any], None],
        changed: Callable[[], None],
        same: Callable[[], None],
        supervisor: Supervisor,
    ) -> None:
        self.heard = Gateway()
        self._url = profile.url.value
        self._key = profile.key.reveal() if profile.key else None
        self._health_url = profile.health_url
        self._pulse = pulse
        self._health_cost, self._cache_is_down = health_cost, cache_is_down
        self._redact, self._heard_of, self._changed, self._same = redact, heard_of, changed, same
        self._supervisor = supervisor
        self._client: GatewayClient | None = None
        self._alive = asyncio.Event()
        self._admitted = asyncio.Event()

    @property
    def answers(self) -> bool:
        """Whether it said so when it was last asked."""
        return self._alive.is_set()

    async def run(self) -> None:
        """Ask until cancelled; no connection is left when this returns."""
        # httpx takes longer to import than all else does
        endpoints = await asyncio.to_thread(import_module, "litellm_tui.collectors.gateway.client")
        self._client = endpoints.GatewayClient(self._url, self._key)
        try:
            async with asyncio.TaskGroup() as tasks:
                for endpoint, job in self._jobs(endpoints):
                    failed = partial(self._failed, endpoint)
                    tasks.create_task(self._supervisor.keep(endpoint.field, job, failed))
        finally:
            await self._client.close()

    def failed(self, crash: Crashed) -> None:
        """The console failed before it could ask anything."""
        now = time.time()
        self.heard = msgspec.structs.replace(
            self.heard, liveliness=next_reading(self.heard.liveliness, crash, None, 0.0, now)
        )

    def _failed(self, endpoint: Endpoint, crash: Crashed) -> None:
        """The console failed to ask this, or to take in the answer."""
        before: Reading[Any] = getattr(self.heard, endpoint.field)
        after = next_reading(before, crash, None, endpoint.interval, time.time())
        self.heard = msgspec.structs.replace(self.heard, **{endpoint.field: after})
        if endpoint.field == "liveliness":
            # whether it lives is not known: it is asked for everything else all the same
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

    # --- one question ------------------------------------------------------------------------------------------

    async def _ask(self, endpoint: Endpoint) -> Any:
        assert self._client is not None
        answer = await self._client.get(endpoint)
        self._record(endpoint, answer.result, answer.took)
        return answer.result

    async def _ask_twice(self, endpoint: Endpoint, doubtful: Callable[[Any, float | None], bool]) -> Any:
        """As `_ask`; what is `doubtful`, and new, is asked once more before it counts: a busy machine has such moments.

        `doubtful` gets a result and how long it took, in seconds.
        """
        assert self._client is not None
        before: Reading[Any] = getattr(self.heard, endpoint.field)
        answer = await self._client.get(endpoint)
        if doubtful(answer.result, answer.took) and not doubtful(before.failure or before.value, before.took):
            answer = await self._client.get(endpoint)
        self._record(endpoint, answer.result, answer.took)
        return answer.result

    def _record(self, endpoint: Endpoint, result: Any, took: float | None) -> None:
        before: Reading[Any] = getattr(self.heard, endpoint.field)
        shown = self._without_secrets(result)
        if shown == before.value:
            # the same object again: what was made of it need not be made anew
            shown = before.value
        now = time.time()
        after = next_reading(before, shown, took, _interval(endpoint, result), now)
        self.heard = msgspec.structs.replace(self.heard, **{endpoint.field: after})
        self._heard_of(result)
        same = after.value is before.value and after.failure == before.failure and before.tried_at is not None
        if same and not before.stale(now) and not _slow(before, after):
            self._same()
        else:
            self._changed()

    def _without_secrets(self, result: Any) -> Any:
        """Error texts masked: providers repeat the key they refuse, and LiteLLM passes it on."""
        if isinstance(result, Failure):
            return msgspec.structs.replace(result, why=self._redact(result.why))
        if isinstance(result, HealthReport):
            return msgspec.structs.replace(result, unhealthy=tuple(map(self._unhealthy, result.unhealthy)))
        if isinstance(result, CachePing) and result.error:
            return msgspec.structs.replace(result, error=self._redact(result.error))
        return result

    def _unhealthy(self, entry: HealthEntry) -> HealthEntry:
        """Masked, and with the moment at which it was first seen red."""
        before = self.heard.health.value
        known = {_deployment(e): e for e in before.unhealthy}.get(_deployment(entry)) if before else None
        return msgspec.structs.replace(
            entry,
            error=self._redact(entry.error) if entry.error else None,
            red_since=known.red_since if known else time.time(),
            turned=known.turned if known else before is not None,
        )

    def _judge_key(self, result: Any, failures: int) -> int:
        """Count failures for the back-off. Until the key is known to be good only one endpoint asks with it.

        LiteLLM writes a stack trace to its log for every refused request: a console must not flood it.
        """
        if isinstance(result, Unauthorized):
            self._admitted.clear()
        elif not isinstance(result, Failure) and not self._admitted.is_set():
            self._admitted.set()
            self._pulse.beat()
        return failures + 1 if isinstance(result, Failure) and not isinstance(result, NotAvailable) else 0

    # --- one thing, again and again ----------------------------------------------------------------------------

    async def _poll_liveliness(self, endpoint: Endpoint) -> None:
        while True:
            result = await self._ask_twice(endpoint, _is_silent)
            if isinstance(result, Failure):
                if self._alive.is_set():
                    self._alive.clear()
                    # the service knows first why
                    self._pulse.beat()
            elif not self._alive.is_set():
                self._alive.set()
                self._pulse.beat()
            await asyncio.sleep(endpoint.interval)

    async def _poll_health_url(self, endpoint: Endpoint, url: str) -> None:
        """Whether the gateway answers or not: what others are told is of interest then most of all."""
        while True:
            assert self._client is not None
            answer = await self._client.get(endpoint, url)
            self._record(endpoint, answer.result, answer.took)
            await self._pulse.pause(endpoint.interval)

    async def _poll(self, endpoint: Endpoint) -> None:
        failures = 0
        while True:
            await self._alive.wait()
            if endpoint.field != "groups":
                await self._admitted.wait()
            result = await self._ask(endpoint)
            failures = self._judge_key(result, failures)
            await self._pulse.pause(_delay(endpoint.interval, failures))

    async def _poll_readiness(self, details: Endpoint, plain: Endpoint) -> None:
        """The details where the version has them and the key opens them, the plain answer otherwise."""
        while True:
            await self._alive.wait()
            assert self._client is not None
            answer = await self._client.get(details if self._admitted.is_set() else plain)
            if isinstance(answer.result, Failure) and self._admitted.is_set():
                answer = await self._client.get(plain)
            self._record(plain, answer.result, answer.took)
            await self._pulse.pause(plain.interval * random.uniform(0.9, 1.1))

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
                if self.heard.health.failure != NotAvailable(why):
                    self._record(endpoint, NotAvailable(why), None)
            pace = max(endpoint.interval, self.heard.health.interval)
            await self._pulse.pause(pace if cost in ("free", "billed") else UNSURE_SECONDS)

    async def _poll_cache(self, ping: Endpoint, info: Endpoint) -> None:
        failures = 0
        while True:
            await self._alive.wait()
            await self._admitted.wait()
            if self._cache_is_down():
                # LiteLLM would need seconds to find out the same, and some versions stand still meanwhile
                await self._pulse.pause(ping.interval)
                continue
            result = await self._ask_twice(ping, _is_silent_or_slow)
            failures = self._judge_key(result, failures)
            last = self.heard.redis.tried_at
            due = last is None or time.time() - last >= info.interval or self.heard.redis.failure is not None
            if isinstance(result, CachePing) and result.ping and due:
                await self._ask(info)
            await self._pulse.pause(_delay(ping.interval, failures))

    async def _poll_metrics(self, endpoint: Endpoint) -> None:
        failures = 0
        while True:
            await self._alive.wait()
            await self._admitted.wait()
            result = await self._ask(endpoint)
            failures = self._judge_key(result, failures)
            off = isinstance(result, NotAvailable)
            await self._pulse.pause(OFF_SECONDS if off else _delay(endpoint.interval, failures))


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
    """Seconds until it is asked again: a long health report is taken less often."""
    entries = len(result.healthy) + len(result.unhealthy) if isinstance(result, HealthReport) else 0
    return max(endpoint.interval, entries * SECONDS_PER_ENTRY)


def _delay(interval: float, failures: int) -> float:
    """The pace with exponential back-off and jitter, in seconds."""
    longest = max(LONGEST_BACKOFF, interval)
    return min(interval * 2.0 ** min(failures, 6), longest) * random.uniform(0.85, 1.15)
