"""The cache's verdict: off, not tested, needs a key, slow, failing and down are different states.

While Redis is down, LiteLLM answers requests without the cache and says nothing about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from litellm_tui.analysis.failures.causes import first_words
from litellm_tui.analysis.health.redis_refusals import REFUSALS, figures, logged_refusal, told_refusal
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.diagnosis import Evidence, Verdict
from litellm_tui.model.failures import Crashed, Failure, NotAvailable, Unauthorized, Unreachable
from litellm_tui.model.gateway import CacheCounts, CachePing, RedisServer
from litellm_tui.model.reading import Reading, is_silence
from litellm_tui.model.traffic import FailureTally

SLOW_SECONDS = 1.0
_START_REDIS = "start Redis, or correct host, port and password; requests go on uncached"


# the state of a setting that LiteLLM takes for the cache itself: then every request fails
MISCONFIGURED = "misconfigured"
# refusals that only those meet who come in anew: LiteLLM may have another way in than the file shows
_ON_ENTRY = ("NOAUTH", "WRONGPASS", "NOPASS", "NOPERM", "TLS wanted", "TLS unspoken", "TLS")
# a line of the log may be some moments older than the answer that it belongs to, in seconds
_LINE_SECONDS = 1.0
# without an answer of /cache/ping, how old a line may be
_RECENT_SECONDS = 60.0


def judge_cache(
    ping: Reading[CachePing],
    redis: Reading[str],
    reachable: bool,
    file: ConfigFile | None,
    server: RedisServer | None = None,
    failures: Sequence[FailureTally] = (),
) -> Verdict:
    """The verdict from GET /cache/ping, the answer of the Redis server itself, and the settings in the file.

    GET /cache/ping says healthy also where Redis refuses what is written. That is told by `server`, what the server
    says of itself, and by LiteLLM's own error lines among the `failures` of the log.
    """
    verdict = _judged(ping, redis, reachable, file, server, failures)
    evidence = []
    if redis.tried_at is not None:
        text = redis.failure.why if redis.failure else f"the Redis server answers: {redis.value}"
        evidence.append(Evidence("probe", text, "against" if redis.failure else "for", redis.tried_at))
    if ping.tried_at is not None:
        text = f"/cache/ping: {ping.failure.why if ping.failure else ping.value.status if ping.value else 'nothing'}"
        good = ping.failure is None and ping.value is not None and ping.value.status == "healthy" and ping.value.ping
        evidence.append(Evidence("router", text, "for" if good else "neither", ping.tried_at))
    return msgspec.structs.replace(verdict, evidence=(*evidence, *verdict.evidence))


def _judged(
    ping: Reading[CachePing],
    redis: Reading[str],
    reachable: bool,
    file: ConfigFile | None,
    server: RedisServer | None,
    failures: Sequence[FailureTally],
) -> Verdict:
    wanted = file is not None and file.section("litellm_settings").get("cache") is True
    if (broken := _no_cache_at_all(ping, file)) is not None:
        return broken
    if (refused := _refused(ping, redis, server, failures)) is not None and (wanted or ping.value is not None):
        return refused
    failure, seen = ping.failure, ping.tried_at
    if (
        redis.failure is not None
        and not isinstance(redis.failure, Crashed)
        and (wanted or ping.value is not None)
        and _concerns(redis, ping)
    ):
        return _server_down(redis.failure, redis)
    if not reachable:
        return Verdict("unknown", "unknown", "the gateway does not answer")
    if isinstance(failure, NotAvailable):
        if wanted:
            return Verdict(
                "off",
                "warn",
                "the file asks for a cache and the running proxy has none",
                seen_at=seen,
                do="restart to apply the file, or look for its error in the start-up log",
                brief="not loaded",
            )
        return Verdict("off", "quiet", "no cache is configured (litellm_settings.cache)", seen_at=seen)
    if isinstance(failure, Unauthorized):
        return Verdict(
            "needs a key", "unknown", failure.why, seen_at=seen, do="give the console a key: see `litellm-tui where`"
        )
    if is_silence(failure):
        return Verdict(
            "no answer",
            "bad",
            f"GET /cache/ping: {failure.why}: Redis hangs or is far away",
            seen_at=seen,
            do="see whether Redis answers PING; requests go on without it, slower",
            brief="no answer",
            since=ping.failing_since,
        )
    if isinstance(failure, Unreachable):
        # the gateway went between two looks: that is its own trouble, and says nothing of the cache
        return Verdict("unknown", "unknown", failure.why, seen_at=seen, brief="unknown")
    if failure is not None:
        return Verdict("unknown", "warn", failure.why, seen_at=seen, brief="unknown")
    value = ping.value
    if value is None:
        return Verdict("unknown", "unknown", "not asked yet")
    if value.status != "healthy":
        where = f"LiteLLM gets no answer from {value.type or 'the cache'} at {value.server or 'its address'}"
        reason = f"{where} ({value.error or 'it gives no reason'})"
        if redis.value:
            said = "" if redis.value == "PONG" else f" ({redis.value})"
            return Verdict(
                "down",
                "bad",
                reason,
                seen_at=seen,
                do="compare password, TLS and database in cache_params with what the "
                "server wants; requests go on uncached",
                brief="LiteLLM cannot use Redis",
                contradiction=f"the Redis server itself answers a PING{said}",
            )
        return Verdict("down", "bad", reason, seen_at=seen, do=_START_REDIS, brief="Redis down")
    if value.ping is None:
        return Verdict(
            "not tested",
            "quiet",
            f"type {value.type}: LiteLLM says healthy without testing it",
            seen_at=seen,
            brief="not tested",
        )
    took = ping.took or 0.0
    if is_slow(value, took):
        if redis.failure is None and redis.took is not None and redis.took < SLOW_SECONDS / 10:
            # LiteLLM is slow, not the cache
            reason = f"pinged and written to; LiteLLM took {took:.1f} s for it, the server answers at once"
            return Verdict("healthy", "ok", reason, seen_at=seen)
        return Verdict(
            "slow",
            "warn",
            f"a ping took {took:.1f} s",
            seen_at=seen,
            do="look at the load and latency of Redis",
            brief="slow",
        )
    return Verdict("healthy", "ok", "pinged and written to", seen_at=seen)


def _no_cache_at_all(ping: Reading[CachePing], file: ConfigFile | None) -> Verdict | None:
    """The verdict on a switch that is neither true nor false, once LiteLLM has shown that it took it for the cache.

    Its /cache/ping then fails before it asks anything, and names no type (1.77.7 and 1.106.2).
    """
    value = ping.value
    if ping.failure is not None or value is None or value.status == "healthy" or value.type or value.server:
        return None
    given = file.section("litellm_settings").get("cache") if file is not None else None
    named = given is not None and not isinstance(given, bool)
    kind = "a mapping" if isinstance(given, dict) else "a list" if isinstance(given, list) else repr(given)[:40]
    what = f"litellm_settings.cache is {kind}" if named else "litellm_settings.cache was something else at the start"
    return Verdict(
        MISCONFIGURED,
        "bad",
        f"{what}, where true or false is read: LiteLLM takes it for the cache itself, and every request fails",
        seen_at=ping.tried_at,
        do="write cache: true, put what describes the cache under cache_params, and restart",
        brief="cache is no switch",
    )


def _refused(
    ping: Reading[CachePing], redis: Reading[str], server: RedisServer | None, failures: Sequence[FailureTally]
) -> Verdict | None:
    """The verdict on a Redis that answers and refuses; None where nothing is known to be refused."""
    value = ping.value if ping.failure is None else None
    pinged = value is not None and value.status == "healthy" and bool(value.ping)
    if value is not None and value.ping is None and value.status == "healthy":
        return None
    code = told_refusal(server) if server is not None else ""
    seen = redis.tried_at
    if code in _ON_ENTRY and pinged:
        code = ""
    evidence = [Evidence("probe", f"Redis says of itself: {code}", "against", seen)] if code else []
    asked = max(ping.tried_at or 0.0, redis.tried_at or 0.0)
    since = (ping.seen_at or 0.0) - (ping.took or 0.0) - _LINE_SECONDS if pinged else asked - _RECENT_SECONDS
    if (logged := logged_refusal(failures, since)) is not None:
        said, tally = logged
        evidence.append(Evidence("traffic", f"its log: {first_words(tally.words, 200)}", "against", tally.last))
        code, seen = code or said, max(seen or 0.0, tally.last)
    if not code:
        return None
    refusal = REFUSALS[code]
    return Verdict(
        "failing",
        "bad",
        refusal.why + figures(code, server),
        seen_at=seen,
        do=f"{refusal.do}; requests go on uncached",
        brief=refusal.brief,
        contradiction="LiteLLM's /cache/ping says healthy all the same" if pinged else "",
        evidence=tuple(evidence),
    )


def is_slow(ping: CachePing, took: float | None) -> bool:
    """Whether this healthy answer took longer than `SLOW_SECONDS`."""
    return ping.status == "healthy" and ping.ping is not None and (took or 0.0) > SLOW_SECONDS


def _concerns(redis: Reading[str], ping: Reading[CachePing]) -> bool:
    """Whether a Redis that does not answer the console is down for LiteLLM too: its name may resolve only there."""
    here = isinstance(redis.failure, Unreachable) and redis.failure.kind in ("refused", "timeout")
    later = (ping.seen_at or 0.0) > (redis.failing_since or 0.0)
    pinged = ping.failure is None and ping.value is not None and ping.value.status == "healthy" and ping.value.ping
    return (here or redis.seen_at is not None) and not (later and pinged)


def _server_down(failure: Failure, redis: Reading[str]) -> Verdict:
    """The verdict from the Redis server itself; it is known within a second, while LiteLLM needs up to twenty."""
    since, seen = redis.failing_since, redis.tried_at
    kind = failure.kind if isinstance(failure, Unreachable) else "other"
    if kind == "refused":
        return Verdict("down", "bad", failure.why, seen_at=seen, do=_START_REDIS, brief="Redis refuses", since=since)
    if kind == "timeout":
        return Verdict(
            "no answer",
            "bad",
            failure.why,
            seen_at=seen,
            do="see what blocks Redis (a slow command, SIGSTOP, swapping, the "
            "network); requests wait for it on older versions",
            brief="Redis hangs",
            since=since,
        )
    return Verdict(
        "down",
        "bad",
        failure.why,
        seen_at=seen,
        do=_START_REDIS,
        brief="no such host" if kind == "dns" else "Redis down",
        since=since,
    )


class HitRate(NamedTuple):
    """Hits of `asked` lookups over `seconds`; `steps` are the shares of hits in shorter spans, oldest first."""

    hits: float
    asked: float
    seconds: float
    steps: tuple[float, ...]


def hit_rate(counts: CacheCounts | None, steps: int = 10) -> HitRate | None:
    """The share of hits between the first and the last reading; None while there were no lookups between them."""
    if counts is None or len(counts.counts) < 2:
        return None
    first, last = counts.counts[0], counts.counts[-1]
    hits, misses = last.hits - first.hits, last.misses - first.misses
    if hits + misses <= 0:
        return None
    stride = max(1, (len(counts.counts) - 1) // steps)
    marks = counts.counts[::-1][::stride][::-1]
    shares = []
    for before, after in pairwise(marks):
        asked = after.hits - before.hits + after.misses - before.misses
        shares.append((after.hits - before.hits) / asked if asked else 0.0)
    return HitRate(hits, hits + misses, last.time - first.time, tuple(shares))
