"""Polls the cache's Redis server, and keeps the cache's hits and misses over time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from litellm_tui.analysis.addresses import is_this_machine
from litellm_tui.collectors import redis, redis_info
from litellm_tui.host import debug_log
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.failures import Crashed, Failure
from litellm_tui.model.gateway import CacheCount, CacheCounts, Metrics, RedisInfo, RedisServer
from litellm_tui.model.reading import Reading, is_silence, next_reading

REDIS_SECONDS: Final = 3.0
REDIS_TIMEOUT: Final = 1.5
# a password that was refused is tried again this often: the server notes every refusal in its log of them
REFUSED_SECONDS: Final = 30.0
# an hour of readings
MOST_COUNTS: Final = 120


class RedisPoller:
    """Pings the Redis server, where its address is known and means the same server here as for LiteLLM.

    `changed` is called when its answer changes, `back` when it answers again.
    """

    def __init__(self, url: str, changed: Callable[[], None], back: Callable[[], None]) -> None:
        self.answer: Reading[str] = Reading(interval=REDIS_SECONDS)
        self.server: RedisServer | None = None
        self.counts: CacheCounts | None = None
        self._login: redis.Login | None = None
        self._refused_at = 0.0
        self._changed, self._back = changed, back
        self._here = is_this_machine(urlsplit(url).hostname or "")
        self._saved: redis.Address | None = None
        self._applied: redis.Address | None = None
        self._asked: redis.Address | None = None

    def saved(self, where: redis.Address | None, login: redis.Login | None = None) -> None:
        """Set the address and the login that the file names."""
        self._saved = where
        if login != self._login:
            self._login, self._refused_at = login, 0.0

    def failed(self, crash: Crashed) -> None:
        """Note that the console itself failed to ask."""
        self.answer = next_reading(self.answer, crash, None, REDIS_SECONDS, time.time())

    async def run(self, file: Callable[[], ConfigFile | None], started_at: Callable[[], float | None]) -> None:
        """Ask until cancelled. `file` gives the newest valid file, `started_at` the start of LiteLLM's process."""
        while True:
            where = self._address(file(), started_at())
            if where is None:
                if self.answer.tried_at is not None:
                    self.answer, self.server = Reading(interval=REDIS_SECONDS), None
                    self._changed()
            else:
                await self._ask(where)
            await asyncio.sleep(REDIS_SECONDS)

    @debug_log.timed("Redis")
    async def _ask(self, where: redis.Address) -> None:
        if where != self._asked:
            # an answer of another server is no evidence
            self.answer, self.server, self._asked = Reading(interval=REDIS_SECONDS), None, where
        began = time.time()
        before = self.answer
        result = await redis.ping(where, REDIS_TIMEOUT)
        if before.failure is None and is_silence(result):
            began = time.time()
            result = await redis.ping(where, REDIS_TIMEOUT)
        now = time.time()
        took = now - began
        told = await self._told(where, result)
        self.answer = next_reading(before, result, took, REDIS_SECONDS, now)
        if told != self.server:
            self.server = told
            self._changed()
        if before.failure != self.answer.failure or before.value != self.answer.value:
            self._changed()
        if before.failure is not None and self.answer.failure is None:
            self._back()

    async def _told(self, where: redis.Address, answer: object) -> RedisServer | None:
        """What the server tells of itself; as before where a refused password is not tried again yet."""
        if isinstance(answer, Failure) and not redis_info.may_want_tls(answer, where):
            return None
        known = self.server
        if known is not None and known.refusal == "WRONGPASS" and time.time() - self._refused_at < REFUSED_SECONDS:
            return known
        told = await redis_info.inspect(where, self._login, REDIS_TIMEOUT)
        if isinstance(told, Failure):
            return None
        if told.refusal == "WRONGPASS":
            self._refused_at = time.time()
        return told

    def _address(self, file: ConfigFile | None, started_at: float | None) -> redis.Address | None:
        if file is None or started_at is None or file.modified_at <= started_at:
            # the running proxy does not use a file that was saved after its start
            self._applied = self._saved
        where = self._applied
        return where if where is not None and (self._here or not is_this_machine(where.host)) else None

    def count(self, result: Any) -> None:
        """Keep the hits and misses of one more answer; LiteLLM's own counter is preferred where there are both."""
        if isinstance(result, RedisInfo):
            self._count("redis", result.hits, result.misses)
        elif isinstance(result, Metrics) and result.cache_hits is not None:
            self._count("metrics", result.cache_hits, result.cache_misses or 0.0)

    def _count(self, source: Literal["metrics", "redis"], hits: float, misses: float) -> None:
        known = self.counts
        if known is None or (known.source == "redis" and source == "metrics"):
            known = CacheCounts(source)
        if known.source != source:
            return
        last = known.counts[-1] if known.counts else None
        reset = last is not None and (hits < last.hits or misses < last.misses)
        before = () if reset else known.counts[-MOST_COUNTS:]
        self.counts = CacheCounts(source, (*before, CacheCount(time.time(), hits, misses)))
