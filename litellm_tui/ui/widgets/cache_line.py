"""The cache and the database in a line, for where there is no room, or no need, for a pane of them."""

from __future__ import annotations

from collections.abc import Iterator

from litellm_tui.analysis.phrases import count, size
from litellm_tui.model.gateway import RedisInfo
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.header import STYLES
from litellm_tui.ui.widgets.lines import Span


def cache_spans(view: View) -> Iterator[Span]:
    """Cache and database, in the order in which they may be cut off."""
    parts = [list(_cache(view)), list(_database(view))]
    if view.diagnosis.database.severity in ("warn", "bad"):
        parts.reverse()
    for number, part in enumerate(part for part in parts if part):
        if number:
            yield f"   {view.signs.dot}   ", "quiet"
        yield from part


def cache_head(view: View) -> list[Span]:
    """What kind of cache it is, its state, and how fast it answers."""
    judged = view.diagnosis.cache
    ping, redis = view.snapshot.gateway.cache_ping, view.snapshot.gateway.redis
    value = ping.value if ping.failure is None else None
    kind = (value.type if value else None) or ("redis" if redis.value else "cache")
    words = [kind, redis.value.version if redis.value else ""]
    head: list[Span] = [(f"{' '.join(w for w in words if w)} ", "ok"), (judged.state, STYLES[judged.severity])]
    # an answer of before it went away is none of this state's
    if value and value.ping and ping.took is not None and judged.state not in ("down", "no answer"):
        head.append((f" {view.signs.dot} ping {_milliseconds(ping.took)}", "quiet"))
    return head


def has_database(view: View) -> bool:
    """Whether there is a database to tell of: a gateway that has none and wants none says nothing of it."""
    judged = view.diagnosis.database
    return not (judged.severity == "quiet" and judged.state in ("off", "unknown") and not judged.pending)


def hits_words(redis: RedisInfo) -> str:
    """Hits and misses of the whole server."""
    asked = redis.hits + redis.misses
    rate = f" ({redis.hits / asked:.0%} hits)" if asked else ""
    return f"{count(redis.hits, 'hit')} {count(redis.misses, 'miss', 'misses')}{rate}"


def _cache(view: View) -> Iterator[Span]:
    judged, redis, dot = view.diagnosis.cache, view.snapshot.gateway.redis.value, view.signs.dot
    yield "cache ", "quiet"
    yield from cache_head(view)
    if judged.severity in ("warn", "bad"):
        yield f": {judged.reason}", STYLES[judged.severity]
    elif redis is not None:
        limit = f" of {size(redis.max_memory)}" if redis.max_memory else ""
        yield f" {dot} {size(redis.used_memory)}{limit} {dot} {redis.keys:,} keys {dot} {hits_words(redis)}", "quiet"


def _database(view: View) -> Iterator[Span]:
    judged = view.diagnosis.database
    if not has_database(view):
        return
    yield "database ", "quiet"
    yield judged.state, STYLES[judged.severity]
    if judged.severity in ("warn", "bad"):
        yield f": {judged.reason}", STYLES[judged.severity]


def _milliseconds(seconds: float) -> str:
    """In steps: a figure that differs each time repaints each time."""
    milliseconds = seconds * 1000
    for limit, words in ((5, "< 5 ms"), (20, "< 20 ms"), (50, "< 50 ms"), (100, "< 100 ms")):
        if milliseconds < limit:
            return words
    return f"{round(milliseconds, -2):.0f} ms"
