"""Whose store LiteLLM could not read or write, in its own words around the error, whichever of its files says so.

Many of LiteLLM's files keep things in the database or in Redis. A line that names the store and says that it failed is
about the store: `Guardrail usage tracking: … upsert failed for …` (usage_tracking.py, 1.109.3).
"""

from __future__ import annotations

import re
from typing import Final

from litellm_tui.model.traffic import Subject

# characters in which LiteLLM says what it was at; what follows is the error's own
_WITHIN: Final = 300
_FAILED: Final = re.compile(
    r"\b(?:failed|failure|fails|error|could not|couldn't|cannot|unable to|unavailable|unreachable|incomplete|"
    r"timed out|exception|did not land)\b|_incomplete\b"
)
# `PANW Prisma AIRS` is a guardrail
_DATABASE: Final = re.compile(
    r"\b(?:db|database|postgresql|postgres|litellm_spendlogs|adaptiverouterupdatequeue)\b|\bprisma\b(?! airs)"
    r"|\bupsert failed\b|_db_save|::proxyconfig:_init_\w{1,60}_in_db\b"
    r"|\bfailed to store (?:user|the|a|per)\b|\berror getting access group\b|\bcould not update user\b"
    r"|\bfailed to look up\b|\blooking up (?:team|organization|user) by\b|\bcould not be (?:persisted|saved)\b"
)
# `coordination_redis` is a setting; counters and short-lived notes lie in Redis, where there is one
_REDIS: Final = re.compile(
    r"(?<!_)redis|\bspend in cache\b|\bcache (?:storage|retrieval|backend|eviction)\b|::async_set_cache\w{0,20}\(\)"
    r"|\bfailed to (?:persist|read) [\w-]{1,40} cache\b|\bshared model budget\b|\bspend counter\b.{0,40}\bincrement\b"
    r"|\benqueued tokens failed\b|\b(?:invalidate|reconcile) budget reservation\b|\blua compare-and-delete\b"
)
# spend logs go to the database, in some set-ups by way of Redis
_SPEND_LOGS: Final = re.compile(r"\bspend logs?\b")
# both are named, and either may be the one
_EITHER: Final = ("redis or the database", "redis or database", "database or redis", "cache or database")
# settings that lie in the database, and are wrong themselves
_OF_SETTINGS: Final = ("from db settings", "config/db")
# no store failed: a lookup was answered, with nothing, or what failed elsewhere was kept in Redis
_ANSWERED: Final = (
    "not found in db", "not found in database", "not found in the database", "not configured", "back to redis",
    "stay in redis",
    "re-queued", "re-queuing",
)  # fmt: skip
_REDIS_GONE: Final = ("redis is unreachable", "redis is unavailable", "redis unavailable")


def failed_store(text: str) -> Subject:
    """`database` or `cache` for the store that a line says to have failed; of two the one named first, else empty."""
    lowered = text[:_WITHIN].lower()
    if _FAILED.search(lowered) is None or any(words in lowered for words in (*_EITHER, *_OF_SETTINGS, *_ANSWERED)):
        return ""
    if any(words in lowered for words in _REDIS_GONE):
        return "cache"
    database, redis = _DATABASE.search(lowered), _REDIS.search(lowered)
    if database is None and redis is None:
        return "database" if _SPEND_LOGS.search(lowered) else ""
    if database is None or (redis is not None and redis.start() < database.start()):
        return "cache"
    return "database"
