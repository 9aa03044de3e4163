"""litellm_settings: keys that nothing reads, and values that mean something else than they say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from litellm_tui.analysis.nested import LARGEST
from litellm_tui.audit import surroundings
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import UNKNOWN, Subject, reference
from litellm_tui.audit.unread import find_unread_keys
from litellm_tui.model.edits import Remove, SetValue

_PORT: Final = (
    "metrics have no port of their own; they are at /metrics of the gateway's port, so scrape that and take this out"
)
_KNOWN: Final = {
    "max_retries": "retries of the gateway are num_retries; write it as router_settings.num_retries",
    "prometheus_port": _PORT,
    "prometheus_metrics_port": _PORT,
    "metrics_port": _PORT,
    "context_window_fallback_dict": (
        "it is an argument of a single call in Python, not a setting; "
        "write a list of one-key mappings as router_settings.context_window_fallbacks"
    ),
}


@rule(
    "unknown-litellm-key",
    "warning",
    "A key of litellm_settings that nothing reads",
    why="Every key becomes an attribute of the litellm module, whether or not any code looks at it. Nothing is logged.",
    source="litellm/proxy/proxy_server.py, ProxyConfig.load_config (1.106.2)",
    fix="write the key that is meant, in the section where it is read",
)
def unknown_litellm_key(subject: Subject) -> Iterator[Hit | Right]:
    yield from find_unread_keys(subject, "litellm", _KNOWN)


@rule(
    "json-logs-as-text",
    "warning",
    "JSON logs that are not switched on",
    why="json_logs is asked whether it is exactly true; any other value leaves the log as plain text.",
    source="litellm/proxy/proxy_cli.py, run_server (1.106.2)",
    fix="write true without quotes",
)
def json_logs_as_text(subject: Subject) -> Iterator[Hit | Right]:
    value = subject.section("litellm_settings").get("json_logs")
    if isinstance(value, str) and value.strip().lower() in ("true", "yes", "on", "1"):
        path = ("litellm_settings", "json_logs")
        yield Hit(f"json_logs is the text {value!r}, not true", path, edits=(SetValue(path, True),))


@rule(
    "set-verbose",
    "advice",
    "Verbose logging by the old switch",
    why="set_verbose is deprecated. It prints whole requests and answers, and slows the gateway down.",
    source="docs.litellm.ai/docs/proxy/config_settings",
    fix="take it out; set LITELLM_LOG=DEBUG in the environment while you look for a fault",
)
def set_verbose(subject: Subject) -> Iterator[Hit | Right]:
    for section in ("litellm_settings", "router_settings"):
        if subject.section(section).get("set_verbose") is True:
            path = (section, "set_verbose")
            yield Hit(f"{section}.set_verbose is on", path, edits=(Remove(path),))


@rule(
    "shadowed-request-timeout",
    "warning",
    "request_timeout is overruled by the router's timeout",
    why="Before 1.91 the router takes its own timeout, and looks at litellm_settings.request_timeout only without one.",
    source="litellm/router.py, Router.__init__ (1.77.7)",
    fix="set the one timeout that is meant, in router_settings.timeout",
    until="1.90",
)
def shadowed_request_timeout(subject: Subject) -> Iterator[Hit | Right]:
    ours = subject.section("litellm_settings").get("request_timeout")
    router = subject.section("router_settings").get("timeout")
    if _seconds(ours) and _seconds(router) and ours != router:
        text = f"request_timeout is {ours} s, but router_settings.timeout of {router} s is what holds"
        yield Hit(text, ("litellm_settings", "request_timeout"))


@rule(
    "budget-without-database",
    "warning",
    "A budget that is not kept",
    why="What was spent is counted in the database; without one the budget of the whole gateway never stops a request.",
    source="litellm/proxy/proxy_server.py, ProxyStartupEvent.warn_budget_without_db (1.106.2)",
    fix="give LiteLLM a database (general_settings.database_url), or take the budget out",
)
def budget_without_database(subject: Subject) -> Iterator[Hit | Right]:
    budget = subject.resolve(subject.section("litellm_settings").get("max_budget"))
    if budget is not UNKNOWN and budget and surroundings.has_database(subject) is False:
        yield Hit("max_budget is set, but there is no database", ("litellm_settings", "max_budget"))


@rule(
    "budget-without-duration",
    "fatal",
    "A budget of the whole gateway without a time that it is for",
    why="With a database LiteLLM ends its start with `budget_duration not set on Proxy` when max_budget is above 0 and "
    "budget_duration is not set beside it.",
    source="litellm/proxy/proxy_server.py, ProxyStartupEvent.add_proxy_budget_to_db (1.77.7, 1.106.2)",
    fix="set litellm_settings.budget_duration beside it (30d for example), or take the budget out",
)
def budget_without_duration(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section("litellm_settings")
    duration = subject.resolve(settings.get("budget_duration"))
    budget = subject.resolve(settings.get("max_budget"))
    if duration is not None or budget is None or not (budget is UNKNOWN or (_number(budget) or 0.0) > 0):
        return
    database = surroundings.has_database(subject)
    if database is False:
        return
    sure = database is True and budget is not UNKNOWN
    yield Hit(
        "max_budget has no budget_duration: " + ("" if sure else "with a database ") + "LiteLLM does not start",
        ("litellm_settings", "max_budget"),
        severity=None if sure else "warning",
    )


@rule(
    "budget-not-a-number",
    "fatal",
    "A budget that is not a number",
    why="LiteLLM makes a number of the value while it starts, and ends when Python cannot.",
    source="litellm/proxy/proxy_server.py, ProxyConfig.load_config: float(value) (1.106.2)",
    fix="write a number of dollars, or take the line out",
    since="1.90",
)
def budget_not_a_number(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section("litellm_settings")
    key = "max_budget"
    value = subject.resolve(settings[key]) if key in settings else UNKNOWN
    if value is not UNKNOWN and _number(value) is None:
        name = reference(settings[key])
        what = f"empty: {name} is not set" if name and value is None else "empty" if value is None else "no number"
        yield Hit(f"{key} is {what}", ("litellm_settings", key))


def _number(value: object) -> float | None:
    """What Python's float makes of a value; None where it makes nothing."""
    if isinstance(value, int | float):
        return float(value) if isinstance(value, float) or abs(value) < LARGEST else None
    if isinstance(value, str):
        with suppress(ValueError):
            return float(value)
    return None


def _seconds(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value < 10**9
