"""Advice for a gateway that others rely on; each rule speaks only where it matters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.analysis.phrases import count
from litellm_tui.audit import surroundings
from litellm_tui.audit.billing import is_billed
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import Subject, reference

_PROD: Final = "docs.litellm.ai/docs/proxy/prod"
_RELIABLE: Final = "docs.litellm.ai/docs/proxy/reliability"
_ROUTING: Final = "docs.litellm.ai/docs/routing"
_PASSWORD: Final = re.compile(r"://[^/@:]*:[^/@]+@")
_SECRETS: Final = (
    ("general_settings", "master_key"),
    ("general_settings", "database_url"),
    ("litellm_settings", "cache_params", "password"),
    ("litellm_settings", "cache_params", "url"),
    ("router_settings", "redis_password"),
    ("router_settings", "redis_url"),
)


def _settings(subject: Subject) -> Mapping[str, Any]:
    """What the router goes by: its own settings, before the module's."""
    return {**subject.section("litellm_settings"), **subject.section("router_settings")}


def _counts(subject: Subject) -> Counter[str]:
    """How many deployments each group has."""
    return Counter(entry.name for entry in subject.entries)


@rule(
    "health-calls-providers",
    "warning",
    "Each look at /health calls every provider",
    why="Without background checks every GET /health sends a request to every deployment, and each is billed.",
    source="docs.litellm.ai/docs/proxy/health",
    fix="set general_settings.background_health_checks: true, and health_check_interval to the seconds between",
)
def health_calls_providers(subject: Subject) -> Iterator[Hit | Right]:
    section = subject.section("general_settings")
    on = surroundings.is_truthy(subject, section.get("background_health_checks"))
    if on:
        yield Right(
            "background health checks are on: GET /health costs nothing", _path(subject, "background_health_checks")
        )
    if on is not False or not subject.entries:
        return
    paid = sum(is_billed(subject, entry) for entry in subject.entries)
    path = _path(subject, "background_health_checks")
    calls = count(len(subject.entries), "call")
    if paid:
        yield Hit(f"GET /health makes {calls}, {paid} of them to providers outside", path)
    else:
        yield Hit(f"GET /health makes {calls}", path, severity="advice")


@rule(
    "no-request-timeout",
    "advice",
    "Requests may hang for 100 minutes",
    why="Without a timeout LiteLLM waits 6000 seconds for an answer.",
    source=_PROD,
    fix="set litellm_settings.request_timeout, 600 for example",
)
def no_request_timeout(subject: Subject) -> Iterator[Hit | Right]:
    if not subject.entries or surroundings.is_set(subject, "REQUEST_TIMEOUT"):
        return
    own = ("timeout", "request_timeout")
    if subject.section("litellm_settings").get("request_timeout") or subject.section("router_settings").get("timeout"):
        return
    without = sum(not any(entry.params.get(key) for key in own) for entry in subject.entries)
    if without:
        yield Hit(
            f"no timeout is set for {without} of {len(subject.entries)} deployments", _at(subject, "litellm_settings")
        )


@rule(
    "no-fallbacks",
    "advice",
    "No model stands in for another",
    why="When every deployment of a group fails, its requests fail too; a fallback answers them with another group.",
    source=_RELIABLE,
    fix="add router_settings.fallbacks, such as `- {group: [other-group]}`",
)
def no_fallbacks(subject: Subject) -> Iterator[Hit | Right]:
    settings, counts = _settings(subject), _counts(subject)
    if settings.get("fallbacks") or settings.get("default_fallbacks"):
        yield Right("fallbacks are set", _at(subject, "router_settings", "fallbacks"))
    elif len(counts) > 1 and 1 in counts.values():
        single = sum(number == 1 for number in counts.values())
        yield Hit(f"{count(single, 'group')} of one deployment, and no fallbacks", _at(subject, "router_settings"))


@rule(
    "no-context-window-fallbacks",
    "advice",
    "No model for longer prompts",
    why="A prompt that is too long fails; a context-window fallback sends it to a group with a larger window.",
    source=_RELIABLE,
    fix="add router_settings.context_window_fallbacks, a list of one-key mappings as fallbacks are",
)
def no_context_window_fallbacks(subject: Subject) -> Iterator[Hit | Right]:
    settings = _settings(subject)
    if settings.get("fallbacks") and not settings.get("context_window_fallbacks"):
        yield Hit(
            "fallbacks are set, but none for prompts that are too long", _at(subject, "router_settings", "fallbacks")
        )


@rule(
    "never-cooled-down",
    "advice",
    "A failing deployment is asked again and again",
    why="A group of one deployment is not cooled down unless allowed_fails is set, so each request tries it first.",
    source=_ROUTING,
    fix="set router_settings.allowed_fails and cooldown_time, so that its fallback is taken at once while it is down",
)
def never_cooled_down(subject: Subject) -> Iterator[Hit | Right]:
    settings, counts = _settings(subject), _counts(subject)
    fallbacks = settings.get("fallbacks")
    if not isinstance(fallbacks, list) or settings.get("disable_cooldowns"):
        return
    if settings.get("allowed_fails") is None and not settings.get("allowed_fails_policy"):
        sources = {name for item in fallbacks if isinstance(item, dict) for name in item if isinstance(name, str)}
        if single := sum(counts[name] == 1 for name in sources if name in counts):
            path = _at(subject, "router_settings", "fallbacks")
            yield Hit(f"{count(single, 'group')} with a fallback, and a single deployment", path)


@rule(
    "default-retries",
    "advice",
    "Every kind of error is retried alike",
    why="Without num_retries or a retry_policy the defaults hold: two more tries, whatever the error was.",
    source=_ROUTING,
    fix="set router_settings.retry_policy: more tries for RateLimitErrorRetries, none for AuthenticationErrorRetries",
)
def default_retries(subject: Subject) -> Iterator[Hit | Right]:
    settings = _settings(subject)
    if settings.get("num_retries") is None and not settings.get("retry_policy") and _balanced(subject):
        yield Hit("load is balanced, but what is retried is left to the defaults", _at(subject, "router_settings"))


@rule(
    "default-cooldown",
    "advice",
    "When a deployment rests is left to the defaults",
    why="Without allowed_fails and cooldown_time a deployment rests for 5 seconds after 3 failures in a minute.",
    source=_ROUTING,
    fix="set router_settings.allowed_fails (or allowed_fails_policy for each kind of error) and cooldown_time",
)
def default_cooldown(subject: Subject) -> Iterator[Hit | Right]:
    settings = _settings(subject)
    known = ("allowed_fails", "allowed_fails_policy", "cooldown_time", "disable_cooldowns")
    if all(settings.get(key) is None for key in known) and _balanced(subject):
        yield Hit(
            "load is balanced, but when a deployment rests is left to the defaults", _at(subject, "router_settings")
        )


@rule(
    "no-alerting",
    "advice",
    "Nobody is told of failures",
    why="LiteLLM can report failing models, slow answers and a database that is away to a webhook.",
    source="docs.litellm.ai/docs/proxy/alerting",
    fix="set general_settings.alerting: [slack] and SLACK_WEBHOOK_URL",
)
def no_alerting(subject: Subject) -> Iterator[Hit | Right]:
    if _production(subject) and not subject.section("general_settings").get("alerting"):
        watched = any(name in ("prometheus", "otel", "datadog") for _, name in surroundings.named_callbacks(subject))
        if not watched:
            yield Hit("neither alerting nor metrics are set up", _at(subject, "general_settings"))


@rule(
    "plain-logs",
    "advice",
    "Logs that machines cannot read",
    why="With json_logs each line is a record with time and level; a plain line has no date, and a trace spans many.",
    source=_PROD,
    fix="set litellm_settings.json_logs: true",
)
def plain_logs(subject: Subject) -> Iterator[Hit | Right]:
    value = subject.section("litellm_settings").get("json_logs")
    if value is True:
        yield Right("logs are written as JSON", ("litellm_settings", "json_logs"))
    elif value is None and _production(subject) and surroundings.is_set(subject, "JSON_LOGS") is False:
        yield Hit("json_logs is not set", _at(subject, "litellm_settings"))


@rule(
    "no-salt-key",
    "advice",
    "Stored credentials hang on the master key",
    why="Without LITELLM_SALT_KEY the database's secrets are encrypted with the master key, and lost when it changes.",
    source=_PROD,
    fix="set LITELLM_SALT_KEY before the first model is stored, and never change it",
)
def no_salt_key(subject: Subject) -> Iterator[Hit | Right]:
    if surroundings.has_database(subject):
        given = surroundings.is_set(subject, "LITELLM_SALT_KEY")
        if given:
            yield Right("stored credentials have a key of their own (LITELLM_SALT_KEY)")
        elif given is False:
            yield Hit("there is a database, but no LITELLM_SALT_KEY", _path(subject, "database_url"))


@rule(
    "frequent-batch-writes",
    "advice",
    "Spend is written every few seconds",
    why="Each worker writes what was spent to the database about every 10 seconds by default; 60 spares it much work.",
    source=_PROD,
    fix="set general_settings.proxy_batch_write_at: 60",
)
def frequent_batch_writes(subject: Subject) -> Iterator[Hit | Right]:
    section = subject.section("general_settings")
    if surroundings.has_database(subject) and "proxy_batch_write_at" not in section and _many(subject):
        yield Hit("proxy_batch_write_at is left at its default", _path(subject, "database_url"))


@rule(
    "database-pool",
    "advice",
    "Each worker opens a pool of connections",
    why="Connections are opened per worker and instance; together they must stay below what the database allows.",
    source=_PROD,
    fix="set general_settings.database_connection_pool_limit to the database's limit, by instances and workers",
)
def database_pool(subject: Subject) -> Iterator[Hit | Right]:
    section, number = subject.section("general_settings"), surroundings.worker_count(subject)
    if surroundings.has_database(subject) and number and number > 1 and "database_connection_pool_limit" not in section:
        yield Hit(f"{number} workers, each with a pool of the default size", _path(subject, "database_url"))


@rule(
    "requests-need-database",
    "advice",
    "Requests fail while the database is away",
    why="Keys are looked up in the database. In a private network LiteLLM can be told to answer without it.",
    source=_PROD,
    fix="set general_settings.allow_requests_on_db_unavailable: true, if only trusted clients reach the gateway",
)
def requests_need_database(subject: Subject) -> Iterator[Hit | Right]:
    section = subject.section("general_settings")
    if surroundings.has_database(subject) and "allow_requests_on_db_unavailable" not in section and _many(subject):
        yield Hit("an outage of the database is one of the gateway", _path(subject, "database_url"))


@rule(
    "workers-never-renewed",
    "advice",
    "Workers run for ever",
    why="What leaks in a worker adds up; one of several can be renewed after some requests while the others answer.",
    source=_PROD,
    fix="start with --max_requests_before_restart 10000, and a jitter, so that they do not restart together",
)
def workers_never_renewed(subject: Subject) -> Iterator[Hit | Right]:
    if subject.runtime is None or (surroundings.worker_count(subject) or 1) < 2:
        return
    told = surroundings.is_set(subject, "MAX_REQUESTS_BEFORE_RESTART")
    if told is False and not subject.runtime.option("--max_requests_before_restart"):
        yield Hit(
            f"{surroundings.worker_count(subject)} workers without a limit", mark=subject.runtime.marks.get("ExecStart")
        )


@rule(
    "written-secret",
    "advice",
    "A secret in the file",
    why="Whoever reads the file, a backup or the repository has it; a reference keeps it in the environment.",
    source="docs.litellm.ai/docs/proxy/configs",
    fix="put it into LiteLLM's environment file, and os.environ/NAME here",
)
def written_secret(subject: Subject) -> Iterator[Hit | Right]:
    for path in _SECRETS:
        value: Any = subject.data
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        written = isinstance(value, str) and value.strip() and reference(value) is None
        if written and ("url" not in path[-1] or _PASSWORD.search(value)):
            yield Hit(f"{'.'.join(path)} is written out", path)


def _balanced(subject: Subject) -> bool:
    return any(number > 1 for number in _counts(subject).values())


def _many(subject: Subject) -> bool:
    return (surroundings.worker_count(subject) or 1) > 1


def _production(subject: Subject) -> bool:
    """Whether there is a database or several workers: more than a gateway at home needs."""
    return bool(surroundings.has_database(subject)) or _many(subject)


def _path(subject: Subject, key: str) -> tuple[str, ...]:
    return _at(subject, "general_settings", key)


def _at(subject: Subject, *path: str) -> tuple[str, ...]:
    """The longest beginning of the path that the file has."""
    value: Any = subject.data
    for place, key in enumerate(path):
        if not isinstance(value, dict) or key not in value:
            return path[:place]
        value = value[key]
    return path
