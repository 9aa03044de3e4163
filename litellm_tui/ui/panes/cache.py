"""The cache and the database: their states, what Redis and Postgres say, and what the figures count."""

from __future__ import annotations

from collections.abc import Sequence

from litellm_tui.analysis.audit_places import on_cache
from litellm_tui.analysis.health.cache import hit_rate
from litellm_tui.analysis.health.database import milliseconds
from litellm_tui.analysis.health.database_report import figures
from litellm_tui.analysis.health.headline import sparkline
from litellm_tui.analysis.phrases import age, size
from litellm_tui.model.failures import Crashed
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.cache_line import cache_head, has_database, hits_words
from litellm_tui.ui.widgets.header import SEVERITY_STYLES, STYLES
from litellm_tui.ui.widgets.lines import Row, Span, cell


class Cache(Pane):
    """Type, state, ping, version, memory, keys, hits and misses; below it the database, where there is one."""

    def draw(self, view: View) -> None:
        self._title(f"{self.entry.label} {view.signs.dot} Database" if has_database(view) else self.entry.label)
        super().draw(view)

    def freshness(self, view: View) -> tuple[str, bool]:
        ping = view.snapshot.gateway.cache_ping
        if ping.failure is not None and view.answering:
            return "", False
        return view.freshness(ping)

    def rows(self, view: View, width: int) -> Sequence[Row]:
        cache, counted = self._cache(view, width)
        database, known = _database(view, width)
        if view.diagnosis.database.severity in ("warn", "bad"):
            # what is wrong stands above what is well
            return [*database, *known, *cache, *counted]
        return [*cache, *database, *counted, *known]

    def _cache(self, view: View, width: int) -> tuple[list[Row], list[Row]]:
        """The state of the cache, and its figures."""
        judged = view.diagnosis.cache
        redis, style = view.snapshot.gateway.redis, STYLES[judged.severity]
        rows = [Row(((" ", ""), *cache_head(view)))]
        if judged.severity not in ("ok",):
            rows += [Row(((f" {line}", style),)) for line in _fold(judged.reason, width - 2)]
            rows += [Row(((f" {line}", style),)) for line in _fold(judged.contradiction, width - 2)]
            rows += [Row(((f" {line}", "strong"),)) for line in _fold(judged.do, width - 2)]
        if isinstance(asked := view.snapshot.redis_answer.failure, Crashed):
            rows += [Row(((f" {line}", "unknown"),)) for line in _fold(f"Redis: {asked.why}", width - 2)]
        for finding in on_cache(view.diagnosis.audit):
            text = f"{view.signs.finding} {finding.text}"
            rows += [Row(((f" {line}", SEVERITY_STYLES[finding.severity]),)) for line in _fold(text, width - 2)]
        counted = _figures(view, width)
        below = [Row(((line, "quiet"),)) for line in counted]
        if redis.seen_at and (judged.severity == "bad" or not view.answering) and counted:
            below.insert(0, Row(((f" before that, {age(view.now - redis.seen_at)} ago:", "unknown"),)))
        return rows, below


def _database(view: View, width: int) -> tuple[list[Row], list[Row]]:
    """The state of the database, and what Postgres told, where there is one."""
    judged, database = view.diagnosis.database, view.snapshot.database
    if not has_database(view):
        return [], []
    answer, style, dot = database.answer, STYLES[judged.severity], view.signs.dot
    name = f"postgres {answer.value.version}" if answer.value else "database"
    head: list[Span] = [(f" {name} ", "ok"), (judged.state, style)]
    if answer.failure is None and answer.value:
        head.append((f" {dot} {milliseconds(answer.value.answered_in)}", "quiet"))
    rows = [Row(tuple(head))]
    if judged.severity != "ok":
        rows += [Row(((f" {line}", style),)) for line in _fold(judged.reason, width - 2)]
    if judged.contradiction:
        rows += [Row(((f" {line}", style),)) for line in _fold(f"but {judged.contradiction}", width - 2)]
    if judged.severity != "ok":
        rows += [Row(((f" {line}", "strong"),)) for line in _fold(judged.do, width - 2)]
    if isinstance(answer.failure, Crashed):
        rows += [Row(((f" {line}", "unknown"),)) for line in _fold(f"Postgres: {answer.failure.why}", width - 2)]
    known = [f"postgres at {database.place}"] if database.place else []
    if answer.failure is not None and answer.seen_at:
        known.append(f"before that, {age(view.now - answer.seen_at)} ago:")
    known += figures(database, view.now)
    return rows, [Row(((f" {line}", "quiet"),)) for text in known for line in _fold(text, width - 2)]


def _figures(view: View, width: int) -> list[str]:
    redis, dot = view.snapshot.gateway.redis.value, view.signs.dot
    ping = view.snapshot.gateway.cache_ping.value
    lines = [f" at {ping.server}"] if ping and ping.server else []
    lines += _hits(view)
    if redis is not None:
        limit = f" of {size(redis.max_memory)}" if redis.max_memory else ""
        lines.append(f" {size(redis.used_memory)}{limit} {dot} {redis.keys:,} keys {dot} {redis.evicted:,} evicted")
        lines.append(f" {hits_words(redis)}")
        lines.append(" of the whole Redis server, not this cache alone")
        lines.append(f" {redis.clients} clients {dot} {redis.policy} {dot} up {age(redis.uptime)}")
    ttl = _ttl(view)
    if ttl:
        lines.append(f" ttl {ttl}")
    return [cell(line, width) for line in lines]


def _hits(view: View) -> list[str]:
    """The share of hits while the console looked, and whose hits they are."""
    counts = view.snapshot.cache_counts
    rate = hit_rate(counts)
    if counts is None or rate is None:
        return []
    whose = "LiteLLM's cache" if counts.source == "metrics" else "the whole Redis server"
    bars = sparkline([round(share * 100) for share in rate.steps], 100)
    return [f" {rate.hits / rate.asked:.0%} hits of {rate.asked:,.0f} in {age(rate.seconds)} {bars}", f"   of {whose}"]


def _ttl(view: View) -> str:
    """TTL as the file asks for it, beside the one that runs where they differ."""
    file, ping = view.snapshot.configuration.current, view.snapshot.gateway.cache_ping.value
    params = file.section("litellm_settings").get("cache_params") if file else None
    wanted = params.get("ttl") if isinstance(params, dict) else None
    runs = ping.ttl if ping else None
    if wanted is None:
        return f"{runs:g} s" if runs is not None else ""
    same = runs is None or str(runs) == str(float(wanted) if isinstance(wanted, int | float) else wanted)
    return f"{wanted} s (file)" if same else f"{wanted} s in the file, {runs:g} s running"


def _fold(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, max(20, width))[:4] if text else []
