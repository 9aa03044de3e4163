"""The cache's state. `off`, not tested, needs a key and down are different things and get different words."""

from __future__ import annotations

from litellm_tui.analysis.records import Cache
from litellm_tui.snapshot import (
    CachePing,
    ConfigFile,
    NotAvailable,
    Reading,
    Unauthorized,
    Unreachable,
)

SLOW_SECONDS = 1.0


def judge_cache(ping: Reading[CachePing], reachable: bool, file: ConfigFile | None) -> Cache:
    """One word for the cache, from GET /cache/ping and what the file asks for."""
    wanted = file is not None and bool(file.section("litellm_settings").get("cache"))
    failure = ping.failure
    if not reachable:
        return Cache("unknown", "unknown", "the gateway does not answer")
    if isinstance(failure, NotAvailable):
        if wanted:
            return Cache("off", "warn", "the file asks for a cache and the running proxy has none",
                         "restart to apply the file, or look for its error in the start-up log")  # fmt: skip
        return Cache("off", "quiet", "no cache is configured (litellm_settings.cache)")
    if isinstance(failure, Unauthorized):
        return Cache("needs a key", "unknown", failure.why, "give the console a key: see `litellm-tui where`")
    if isinstance(failure, Unreachable) and failure.kind == "timeout":
        return Cache("no answer", "bad", f"GET /cache/ping: {failure.why}: Redis hangs or is far away",
                     "see whether Redis answers PING; requests go on without it, slower")  # fmt: skip
    if failure is not None:
        return Cache("unknown", "warn", failure.why)
    value = ping.value
    if value is None:
        return Cache("unknown", "unknown", "not asked yet")
    if value.status != "healthy":
        where = f"LiteLLM gets no answer from {value.type or 'the cache'} at {value.server or 'its address'}"
        return Cache("down", "bad", f"{where} ({value.error or 'it gives no reason'})",
                     "start Redis, or correct host, port and password; requests go on uncached")  # fmt: skip
    if value.ping is None:
        return Cache("not tested", "quiet", f"type {value.type}: LiteLLM says healthy without testing it")
    if ping.took is not None and ping.took > SLOW_SECONDS:
        return Cache("slow", "warn", f"a ping took {ping.took:.1f} s", "look at the load and latency of Redis")
    return Cache("healthy", "ok", "pinged and written to")
