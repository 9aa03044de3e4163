"""Fragments of general_settings, router_settings and litellm_settings, and of the mappings below their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.proving.corpus import Fragment
from tests.proving.corpus_facts import Facts

_BUDGETS: Final = ("max_budget", "tpm_limit", "rpm_limit", "budget_duration")
# by its section and key: the fields that are tried below it, one at a time
_BELOW: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("litellm_settings", "upperbound_key_generate_params"): _BUDGETS,
    ("litellm_settings", "default_internal_user_params"): _BUDGETS,
    ("litellm_settings", "default_team_params"): _BUDGETS,
    ("litellm_settings", "priority_reservation_settings"): ("default_priority", "saturation_check_cache_ttl"),
    ("litellm_settings", "model_group_settings"): ("forward_client_headers_to_llm_api",),
    ("general_settings", "litellm_jwtauth"): (
        *("admin_jwt_scope", "team_id_jwt_field", "public_key_ttl", "user_id_upsert", "role_mappings", "nonsense"),
        *("team_allowed_routes", "scope_mappings", "enforce_rbac", "unregistered_jwt_client_behavior"),
    ),
    ("general_settings", "coordination_redis"): ("host", "url", "port", "startup_nodes"),
    ("general_settings", "spend_logs_metadata_fields"): ("include", "exclude"),
    ("router_settings", "retry_policy"): ("TimeoutErrorRetries", "nonsense"),
    ("router_settings", "allowed_fails_policy"): ("TimeoutErrorAllowedFails", "nonsense"),
    ("router_settings", "model_group_affinity_config"): ("base",),
}
_NESTED: Final = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "default_fallbacks")
_ALERTS: Final = (
    "daily_report_frequency",
    "budget_alert_ttl",
    "log_to_console",
    "spend_anomaly_multiplier",
    "nonsense",
)


def settings(facts: Facts, kinds: Mapping[str, Any]) -> Iterator[Fragment]:
    """Each key that a version reads with a value of each kind, then what stands below some of them."""
    known = facts.catalogue
    for section, keys in {
        "general_settings": known.general,
        "router_settings": known.router,
        "litellm_settings": known.litellm_special,
    }.items():
        for key in sorted(keys):
            for kind, value in kinds.items():
                yield Fragment(section, f"{key}={kind}", {section: {key: value}})
    for key in sorted(known.litellm - known.litellm_special):
        yield Fragment("litellm_settings", f"{key}=mapping", {"litellm_settings": {key: {"x": "y"}}})
    for kind, value in kinds.items():
        for (section, key), fields in _BELOW.items():
            for field in fields:
                yield Fragment(section, f"{key}.{field}={kind}", {section: {key: {field: value}}})
        yield from _fallbacks(kind, value)
        yield from _strategies(facts, kind, value)
        yield from _alerting(kind, value)
        yield from _interceptors(kind, value)
        for key in ("path", "target", "headers", "forward_headers", "auth", "methods", "guardrails"):
            item = {"path": f"/{key}-{kind}", "target": "http://127.0.0.1:9", key: value}
            yield Fragment("pass-through", f"{key}={kind}", {"general_settings": {"pass_through_endpoints": [item]}})
        yield Fragment("pass-through", f"entry={kind}", {"general_settings": {"pass_through_endpoints": [value]}})
    yield from _licensed()


def _fallbacks(kind: str, value: Any) -> Iterator[Fragment]:
    for key in (*_NESTED, "model_group_alias"):
        for form, data in {
            "list of it": [value],
            "mapping of it": {"base": value},
            "list of a mapping of it": [{"base": value}],
            "list of a mapping of a list of it": [{"base": [value]}],
        }.items():
            yield Fragment("fallbacks", f"{key}, {form}={kind}", {"router_settings": {key: data}})
            if key in _NESTED:
                yield Fragment(
                    "fallbacks", f"{key} of litellm_settings, {form}={kind}", {"litellm_settings": {key: data}}
                )
    for key in ("group_name", "models", "routing_strategy", "routing_strategy_args", "model_priorities"):
        group = {"group_name": "g", "models": ["base"], "routing_strategy": "simple-shuffle", key: value}
        yield Fragment(
            "router_settings", f"routing_groups.{key}={kind}", {"router_settings": {"routing_groups": [group]}}
        )


def _strategies(facts: Facts, kind: str, value: Any) -> Iterator[Fragment]:
    for strategy in sorted(facts.catalogue.strategies):
        data = {"routing_strategy": strategy, "routing_strategy_args": value}
        yield Fragment("router_settings", f"args of {strategy}={kind}", {"router_settings": data})
    for key in ("ttl", "lowest_latency_buffer", "max_latency_list_size", "nonsense"):
        data = {"routing_strategy": "latency-based-routing", "routing_strategy_args": {key: value}}
        yield Fragment("router_settings", f"args.{key}={kind}", {"router_settings": data})
    for key in ("budget_limit", "time_period", "max_budget"):
        data = {"provider_budget_config": {f"{key}-{kind}": {"budget_limit": 1, "time_period": "1d", key: value}}}
        yield Fragment("budgets", f"provider_budget_config.{key}={kind}", {"router_settings": data})
    data = {"provider_budget_config": {f"provider-{kind}": value}}
    yield Fragment("budgets", f"provider_budget_config={kind}", {"router_settings": data})
    for key in ("max_budget", "budget_duration"):
        yield Fragment(
            "budgets", f"{key}={kind}", {"litellm_settings": {"max_budget": 1, "budget_duration": "1d", key: value}}
        )
    team = {"team_id": "t", "success_callback": ["langfuse"]}
    for key in ("team_id", "success_callback"):
        yield Fragment(
            "default_team_settings",
            f"{key}={kind}",
            {"litellm_settings": {"default_team_settings": [{**team, key: value}]}},
        )
    yield Fragment("default_team_settings", f"entry={kind}", {"litellm_settings": {"default_team_settings": [value]}})


def _alerting(kind: str, value: Any) -> Iterator[Fragment]:
    yield Fragment("alerting", f"alerting={kind}", {"general_settings": {"alerting": value}})
    for key in ("alerting_threshold", "alert_types", "alert_to_webhook_url", "alert_type_config", "alerting_args"):
        yield Fragment("alerting", f"{key}={kind}", {"general_settings": {"alerting": ["slack"], key: value}})
    for key in _ALERTS:
        data = {"alerting": ["slack"], "alerting_args": {key: value}}
        yield Fragment("alerting", f"alerting_args.{key}={kind}", {"general_settings": data})
    for name in ("webhook", "email", "pagerduty", "nonsense"):
        yield Fragment(
            "alerting", f"{name}, {kind}", {"general_settings": {"alerting": [name], "alerting_args": value}}
        )


def _interceptors(kind: str, value: Any) -> Iterator[Fragment]:
    """Callbacks with settings of their own."""
    for name in ("websearch_interception", "compression_interception", "code_interpreter_interception"):
        data = {"callbacks": [name], f"{name}_params": value}
        yield Fragment("callbacks", f"{name}_params={kind}", {"litellm_settings": data})
    for key in ("prometheus_metrics_config", "custom_prometheus_metadata_labels", "prometheus_latency_buckets"):
        for form, given in {"": value, "list of it ": [value]}.items():
            data = {"callbacks": ["prometheus"], key: given}
            yield Fragment("callbacks", f"{key}, {form}{kind}", {"litellm_settings": data})
    for key in ("heuristics_check", "llm_api_name", "reject_prompt_injection"):
        data = {"callbacks": ["detect_prompt_injection"], "prompt_injection_params": {key: value}}
        yield Fragment("callbacks", f"prompt_injection_params.{key}={kind}", {"litellm_settings": data})
    for name in ("presidio", "otel", "datadog", "websearch_interception"):
        data = {"callback_settings": {name: value}, "litellm_settings": {"callbacks": ["websearch_interception"]}}
        yield Fragment("callbacks", f"callback_settings.{name}={kind}", data)


def _licensed() -> Iterator[Fragment]:
    for key, value in {
        "allowed_ips": ["127.0.0.1"],
        "enforced_params": ["user"],
        "enable_jwt_auth": True,
        "enable_oauth2_auth": True,
        "allowed_routes": ["/chat/completions"],
        "public_routes": ["/x"],
        "admin_only_routes": ["/x"],
        "max_request_size_mb": 1,
        "max_response_size_mb": 1,
        "custom_ui_sso_sign_in_handler": "mine.handler",
        "ui_access_mode": "admin_only",
    }.items():
        yield Fragment("licence", f"{key}", {"general_settings": {key: value}})
    for key in ("require_end_user_param", "store_audit_logs", "enable_json_schema_validation"):
        yield Fragment("licence", f"{key}", {"litellm_settings": {key: True}})
