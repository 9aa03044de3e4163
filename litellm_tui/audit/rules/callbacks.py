"""Callbacks: lists that are written as text, names that nothing answers to, and what Prometheus needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from litellm_tui.audit import surroundings
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import Subject, reference
from litellm_tui.model.edits import Edit, SetValue

_LOAD: Final = "litellm/proxy/proxy_server.py, ProxyConfig.load_config (1.106.2)"
_NAMED: Final = "litellm/proxy/common_utils/callback_utils.py, initialize_callbacks_on_proxy (1.106.2)"
_EACH: Final = ("success_callback", "failure_callback")
# known to success_callback and failure_callback, while `callbacks` takes each for a module's name (1.77.7 and 1.106.2)
_ONLY_EACH: Final = frozenset(
    {
        *("athina", "dynamodb", "greenscale", "helicone", "lunary", "opentelemetry", "promptlayer", "s3"),
        *("sentry", "slack", "supabase", "traceloop", "wandb"),
    }
)
METRICS: Final = "/metrics of the gateway's own port"


def _lists(subject: Subject) -> tuple[str, ...]:
    """The keys of litellm_settings below which this version goes through a list of callbacks."""
    audited = "audit_log_callbacks" in subject.catalogue.litellm_special
    return (*_EACH, "callbacks", *(("audit_log_callbacks",) if audited else ()))


def _prometheus(subject: Subject) -> tuple[str | int, ...] | None:
    """Where the Prometheus callback is asked for."""
    for path, name in surroundings.named_callbacks(subject):
        if name == "prometheus" and path[1] != "service_callback":
            return path
    return None


@rule(
    "callback-as-text",
    "error",
    "Callbacks that are not a list",
    why="The list is walked through one by one, and a text's letters are then taken for the names of callbacks.",
    source=_LOAD,
    fix="write a list, also for a single callback: `[langfuse]`",
)
def callback_as_text(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section("litellm_settings")
    for key in _lists(subject):
        value = settings.get(key)
        if key not in settings or isinstance(value, list) or reference(value) is not None:
            continue
        path = ("litellm_settings", key)
        if isinstance(value, str):
            if key == "callbacks" and ("." in value or not value):
                continue
            fatal = key == "callbacks" or "." in value
            text = f"{key} is a text: LiteLLM " + ("does not start" if fatal else "calls each of its letters")
            yield Hit(text, path, edits=_listed(subject, key, value), severity="fatal" if fatal else None)
        elif key == "callbacks" or not isinstance(value, dict):
            yield Hit(f"{key} is {_kind(value)}: LiteLLM does not start", path, severity="fatal")


@rule(
    "callback-of-wrong-kind",
    "fatal",
    "A callback that is not a name",
    why="LiteLLM looks for a dot in each name, and ends at one that is not a text.",
    source=_LOAD,
    fix="write the callback's name; its settings belong to callback_settings or the environment",
)
def callback_of_wrong_kind(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section("litellm_settings")
    for key in _lists(subject):
        listed = settings.get(key)
        for index, item in enumerate(listed if isinstance(listed, list) else []):
            # a mapping or a list in success_callback or failure_callback is walked over without a word
            if not isinstance(item, str | dict | list) or (isinstance(item, dict | list) and key == "callbacks"):
                yield Hit(f"an item of {key} is {_kind(item)}", ("litellm_settings", key, index))


@rule(
    "unknown-callback",
    "fatal",
    "A callback that LiteLLM does not have",
    why="`callbacks` takes a name that it does not know for a Python module and ends when there is none. "
    "The success and failure lists keep it and never call anything.",
    source=_NAMED,
    fix="write a callback's name, or `module.instance` for one of your own",
)
def unknown_callback(subject: Subject) -> Iterator[Hit | Right]:
    known = subject.catalogue.callbacks
    for path, name in (*surroundings.named_callbacks(subject), *surroundings.default_callbacks(subject)):
        # those of a guardrail in its old form are made as those of callbacks
        key = "callbacks" if path[1] == "guardrails" else str(path[1])
        if not known or "." in name or key == "service_callback":
            continue
        if name == "prometheus_system":
            hit = (
                f"prometheus_system stands in {key}: the measures of Redis and the database come from service_callback"
            )
            yield Hit(hit, path, "move it to service_callback", severity=None if key == "callbacks" else "warning")
        elif name not in known:
            near = subject.catalogue.close("callbacks", name)
            edits: tuple[Edit, ...] = (SetValue(path, near[0]),) if len(near) == 1 else ()
            yield Hit(
                f"{name!r} in {key} is no callback" + (f": did you mean {near[0]}?" if edits else ""),
                path,
                f"write {near[0]}" if edits else "",
                edits,
                "whether that is the one that is meant" if edits else "",
                severity=None if key == "callbacks" else "warning",
            )
        elif key == "callbacks" and name in _ONLY_EACH:
            yield Hit(f"{name!r} is read in success_callback and failure_callback, not in callbacks", path)


@rule(
    "callback-needs-licence",
    "fatal",
    "A callback that needs a licence",
    why="LiteLLM ends when one of its enterprise callbacks is asked for without a licence.",
    source=_NAMED,
    fix="take it out, or set LITELLM_LICENSE",
)
def callback_needs_licence(subject: Subject) -> Iterator[Hit | Right]:
    for path, name in (*surroundings.named_callbacks(subject), *surroundings.default_callbacks(subject)):
        paid = ("hide_secrets", "llamaguard_moderations", "llmguard_moderations")
        if path[1] in ("callbacks", "guardrails") and name in paid:
            yield from surroundings.unlicensed(subject, name, path)


@rule(
    "prometheus-package-missing",
    "fatal",
    "Prometheus without its package",
    why="The package prometheus_client does not come with litellm[proxy], and LiteLLM ends when it cannot import it.",
    source="litellm/integrations/prometheus.py (1.106.2)",
    fix="install prometheus-client beside LiteLLM, into the same environment",
)
def prometheus_package_missing(subject: Subject) -> Iterator[Hit | Right]:
    path = _prometheus(subject)
    if path is None or path[1] == "failure_callback" or subject.packages is None:
        return
    if "prometheus-client" not in subject.packages:
        yield Hit("prometheus-client is not installed beside LiteLLM", path)


@rule(
    "prometheus-needs-licence",
    "error",
    "Prometheus before 1.80 needs a licence",
    why="Until 1.79 the metrics belong to the enterprise version: without a licence /metrics has nothing but a notice. "
    "Since 1.80.0 they are free.",
    source="litellm_enterprise/integrations/prometheus.py, PrometheusLogger.__init__ (beside LiteLLM 1.77.7)",
    fix="upgrade LiteLLM to 1.80.0 or later, or set LITELLM_LICENSE",
    until="1.79",
)
def prometheus_needs_licence(subject: Subject) -> Iterator[Hit | Right]:
    path, licensed = _prometheus(subject), surroundings.has_licence(subject)
    if path is None or licensed:
        return
    if licensed is None:
        yield Hit("the metrics need a licence in this version", path, severity="advice")
    else:
        yield Hit("the metrics need a licence in this version, and LITELLM_LICENSE is not set", path)


@rule(
    "metrics-need-key",
    "advice",
    "Metrics are behind the key",
    why="Since 1.84 /metrics answers 401 to a scraper that brings no key, unless that is switched off.",
    source="docs.litellm.ai/docs/proxy/prometheus",
    fix="give the scraper a key as a bearer token, or set require_auth_for_metrics_endpoint: false behind a firewall",
    since="1.84",
)
def metrics_need_key(subject: Subject) -> Iterator[Hit | Right]:
    path = _prometheus(subject)
    if path is None:
        return
    if "require_auth_for_metrics_endpoint" in subject.section("litellm_settings"):
        yield Right(f"Prometheus reads {METRICS}; whether it needs a key is said", path)
    else:
        yield Hit("a scraper of /metrics has to bring a key", path)


def _listed(subject: Subject, key: str, value: str) -> tuple[Edit, ...]:
    """A list of the names in the text, where every one of them is known: then LiteLLM starts with it."""
    names = [name.strip() for name in value.split(",")]
    usable = subject.catalogue.callbacks - (_ONLY_EACH if key == "callbacks" else frozenset())
    good = all(name in usable or (key != "callbacks" and "." in name) for name in names)
    return (SetValue(("litellm_settings", key), names),) if good else ()


def _kind(value: Any) -> str:
    if value is None:
        return "empty"
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a number"
