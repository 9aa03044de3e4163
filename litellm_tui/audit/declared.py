"""Settings that LiteLLM makes an object of, by what its class declares: fields, their kinds, and which must be there.

A `Spec` is a `Shape` (with `!` where it may not be empty), a tuple of the words that it may be, a list with the spec of
its items, a mapping with `*` and the spec of its values, or a `Model`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

import msgspec

from litellm_tui.audit import shapes
from litellm_tui.audit.shapes import WORDS, Shape, fits, kind_of
from litellm_tui.audit.subject import UNKNOWN, Subject
from litellm_tui.model.edits import Path

Spec = Any
_SHAPES: Final[Mapping[str, Shape]] = {shape: shape for shape in get_args(Shape)}


class Model(msgspec.Struct, frozen=True):
    """A class of LiteLLM's. `required` must be there, `filled` may not be empty where it is.

    `closed` refuses other keys than its fields.
    """

    fields: Mapping[str, Spec]
    required: frozenset[str] = frozenset()
    filled: frozenset[str] = frozenset()
    closed: bool = False


def faults(subject: Subject, value: Any, spec: Spec, path: Path) -> Iterator[tuple[Path, str]]:
    """What does not fit: its path, and what is wrong there as the rest of a sentence that begins with its name."""
    found = shapes.resolved(subject, value)
    if found is UNKNOWN:
        return
    if isinstance(spec, Model):
        yield from _of_model(subject, found, spec, path)
    elif isinstance(spec, list):
        if not isinstance(found, list):
            yield path, f"must be a list, and is {kind_of(found)}"
            return
        for index, item in enumerate(found):
            yield from faults(subject, item, spec[0], (*path, index))
    elif isinstance(spec, dict):
        if not isinstance(found, dict):
            yield path, f"must be a mapping, and is {kind_of(found)}"
            return
        for key, item in found.items():
            yield from faults(subject, item, spec["*"], (*path, str(key)))
    elif isinstance(spec, tuple):
        if found not in spec:
            said = repr(found)[:40] if isinstance(found, str) else kind_of(found)
            yield path, f"must be one of {', '.join(spec)}, and is {said}"
    else:
        shape = _SHAPES[str(spec).rstrip("!")]
        if not (found is None and not str(spec).endswith("!")) and not fits(found, shape):
            yield path, f"must be {WORDS[shape]}, and is {kind_of(found)}"


def _of_model(subject: Subject, value: Any, model: Model, path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(value, dict):
        yield path, f"must be a mapping, and is {kind_of(value)}"
        return
    for key in sorted(model.required - value.keys()):
        yield path, f"has no {key}"
    for key, inside in value.items():
        where: Path = (*path, str(key))
        if key not in model.fields:
            # what a release that nobody has read here has besides is not known
            if model.closed and subject.runs(until="1.109"):
                yield where, "is no field that LiteLLM has there"
            continue
        spec = model.fields[key]
        # a required field, a choice and a mapping of its own may be empty only where their spec says so
        strict = (isinstance(spec, str) and spec.endswith("!")) or key in model.required | model.filled
        if inside is None and not strict:
            continue
        yield from faults(subject, inside, spec, where)


_ROLES: Final = ("proxy_admin", "team", "internal_user")
_JWT_SWITCHES: Final = (
    *("team_id_upsert", "upsert_sso_user_to_team", "user_id_upsert", "enforce_rbac", "enforce_scope_based_access"),
    *("enforce_team_based_model_access", "sync_user_role_and_teams", "oidc_userinfo_enabled"),
    *("auto_register_map_existing_key", "team_claim_fallback", "fallback_to_db_teams"),
)
_JWT_NUMBERS: Final = (
    *("public_key_ttl", "public_key_stale_ttl", "oidc_userinfo_cache_ttl", "virtual_key_mapping_cache_ttl"),
)
_JWT_TEXTS: Final = (
    *("team_id_jwt_field", "team_ids_jwt_field", "team_id_default", "team_alias_jwt_field", "org_id_jwt_field"),
    *("org_alias_jwt_field", "user_id_jwt_field", "user_email_jwt_field", "user_allowed_email_domain"),
    *("user_roles_jwt_field", "end_user_id_jwt_field", "agent_id_jwt_field", "mcp_client_id_jwt_field"),
    *("roles_jwt_field", "object_id_jwt_field", "oidc_userinfo_endpoint", "virtual_key_claim_field"),
)
JWT: Final = Model(
    {
        "admin_jwt_scope": "text!",
        **dict.fromkeys(("admin_allowed_routes", "team_allowed_routes", "public_allowed_routes"), "texts!"),
        "user_allowed_roles": "texts",
        **dict.fromkeys(_JWT_TEXTS, "text"),
        **dict.fromkeys(_JWT_SWITCHES, "switch!"),
        **dict.fromkeys(_JWT_NUMBERS, "number!"),
        "role_mappings": [Model({"role": "text!", "internal_role": _ROLES}, frozenset({"role", "internal_role"}))],
        "scope_mappings": [
            Model({"scope": "text!", "models": "texts", "routes": "texts"}, frozenset({"scope"}), closed=True)
        ],
        "jwt_litellm_role_map": [Model({"jwt_role": "text!"}, frozenset({"jwt_role", "litellm_role"}))],
        "routing_overrides": [
            Model(
                {"iss": "text or texts!", **dict.fromkeys(("client_id", "scope", "aud"), "text or texts")},
                frozenset({"iss"}),
            )
        ],
        "issuers": [Model({"issuer": "text!"}, frozenset({"issuer"}))],
        "unregistered_jwt_client_behavior": ("fallback_team_mapping", "reject", "auto_register"),
        # names that LiteLLM takes out before it looks, and one that is a module's
        **dict.fromkeys(
            ("custom_validate", "jwt_client_id_field", "config_file_path", "id_jag_requesting_apps"), "any"
        ),
    },
    filled=frozenset({"unregistered_jwt_client_behavior"}),
    closed=True,
)
"""LiteLLM_JWTAuth in proxy/_types.py of 1.106.2 and 1.109.3."""
_SPENT_NAMES: Final = """
actor_agent_id additional_usage_values agent_execution_mode applied_guardrails attempted_fallbacks
attempted_retries autorouter_baseline_observation autorouter_savings autorouter_savings_estimate
azure_spillover batch_failed_requests batch_models batch_successful_requests billed_retry_attempt
billing_agent_id cold_storage_object_key compression_savings cost_breakdown error_information eval_information
guardrail_information internal_call_origin is_silent_experiment kubernetes_pod_routing litellm_call_id
litellm_gateway_injected_cache litellm_overhead_time_ms litellm_roi_estimator max_retries
mcp_tool_call_metadata model_map_information original_model_group proxy_server_request requester_ip_address
router_metadata routing_decision spend_logs_metadata status target_agent_id upstream_provider usage_object
used_client_oauth_token user_agent user_api_key user_api_key_alias user_api_key_org_id
user_api_key_project_alias user_api_key_project_id user_api_key_team_alias user_api_key_team_id
user_api_key_user_email user_api_key_user_id vector_store_request_metadata verified_human_user_id
"""
_SPENT: Final = tuple(_SPENT_NAMES.split())
_SPENT_FIELDS: Final = Model({"include": [_SPENT], "exclude": [_SPENT]}, closed=True)
_NODE: Final = Model({"host": "text!", "port": "whole!"}, frozenset({"host", "port"}))
_COORDINATION: Final = Model(
    {
        **dict.fromkeys(("host", "password", "username", "url", "sentinel_password", "service_name"), "text"),
        "port": "whole",
        "ssl": "switch",
        "startup_nodes": [_NODE],
        "sentinel_nodes": ["list!"],
    }
)
_TAG: Final = Model(
    {"header": ("baggage",), "key": "text!", "value": "text", "tag": "text", "tag_prefix": "text"}, frozenset({"key"})
)
_MCP_VERSIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
_ROUTE: Final = Model({"models": "texts", "routes": "texts", "role": _ROLES}, frozenset({"role"}), closed=True)
GENERAL: Final[Mapping[str, Spec]] = {
    "user_api_key_cache_ttl": "number",
    "user_api_key_cache_max_size": "whole",
    "background_health_check_model_groups": "texts",
    "health_check_staleness_threshold": "number",
    "role_permissions": [_ROUTE],
    "coordination_redis": _COORDINATION,
    "spend_logs_metadata_fields": _SPENT_FIELDS,
    "mcp_disabled_capabilities": [("prompts", "resources")],
    "request_tag_mappings": [_TAG],
    # an MCP version that is not in quotes is a date to YAML
    "mcp_advertised_versions": [_MCP_VERSIONS],
    "litellm_jwtauth": JWT,
    "alerting_args": "mapping",
    "alert_to_webhook_url": "mapping",
    "vector_store_deny_by_default": "switch!",
    "search_tool_deny_by_default": "switch!",
    "claude_code_marketplace_auth_required": "switch!",
    "vertex_ai_pass_through_drop_anthropic_betas": "texts",
    "database_statement_timeout": "number",
    "database_lock_timeout": "number",
    "database_idle_in_transaction_session_timeout": "number",
    "tracing": "mapping",
    "team_metadata_schema": [Model({"key": "text!", "label": "text"}, frozenset({"key"}), closed=True)],
}
"""Keys of general_settings that LiteLLM checks at its start (proxy/proxy_server.py and proxy_cli.py, 1.106.2, 1.109.3).

A version that does not read a key does not look at it.
"""
GROUP: Final = Model(
    {"group_name": "text!", "models": "texts!", "routing_strategy": "text!", "routing_strategy_args": "mapping"},
    frozenset({"group_name", "models", "routing_strategy"}),
)
"""RoutingGroup in types/router.py of 1.106.2 and 1.109.3."""
SECRETS: Final = Model(
    {
        "hosted_keys": "list",
        "store_virtual_keys": "switch",
        "prefix_for_stored_virtual_keys": "text!",
        "access_mode": ("read_only", "write_only", "read_and_write"),
        "tags": "text map",
        "replica_regions": "texts",
        **dict.fromkeys(
            (
                *("primary_secret_name", "description", "kms_key_id", "custom_secret_manager", "aws_region_name"),
                *("aws_role_name", "aws_session_name", "aws_external_id", "aws_profile_name", "aws_web_identity_token"),
                "aws_sts_endpoint",
            ),
            "text",
        ),
    },
    filled=frozenset({"access_mode"}),
)
"""KeyManagementSettings in types/secret_managers/main.py of 1.106.2 and 1.109.3."""
LATER_ALERTS: Final = frozenset(
    {
        *("daily_spend_per_user_threshold", "monthly_spend_per_user_threshold", "spend_anomaly_multiplier"),
        *("spend_anomaly_baseline_days", "spend_anomaly_min_spend", "user_spend_check_interval"),
    }
)
"""Fields of alerting_args that 1.77.7 does not have."""
ALERTS: Final = Model(
    {
        **dict.fromkeys(
            (
                *("daily_report_frequency", "report_check_interval", "budget_alert_ttl", "outage_alert_ttl"),
                *("region_outage_alert_ttl", "minor_outage_alert_threshold", "major_outage_alert_threshold"),
                *("max_outage_alert_list_size", "spend_anomaly_baseline_days", "user_spend_check_interval"),
            ),
            "whole!",
        ),
        "log_to_console": "switch!",
        **dict.fromkeys(("spend_anomaly_multiplier", "spend_anomaly_min_spend"), "number!"),
        **dict.fromkeys(("daily_spend_per_user_threshold", "monthly_spend_per_user_threshold"), "number"),
    }
)
"""SlackAlertingArgs in types/integrations/slack_alerting.py of 1.77.7, 1.106.2 and 1.109.3."""
OLD_GUARDRAIL: Final = Model(
    {
        "callbacks": "texts!",
        "default_on": "switch!",
        "logging_only": "switch",
        "enabled_roles": [("system", "assistant", "user")],
        "callback_args": {"*": "mapping!"},
    },
    required=frozenset({"callbacks"}),
    filled=frozenset({"callback_args"}),
)
"""GuardrailItem in types/guardrails.py of 1.77.7, 1.106.2 and 1.109.3."""
UPPERBOUND: Final = Model(
    {
        "max_budget": "number",
        **dict.fromkeys(("tpm_limit", "rpm_limit", "max_parallel_requests"), "whole"),
        **dict.fromkeys(("budget_duration", "duration"), "text"),
    }
)
"""LiteLLM_UpperboundKeyGenerateParams in proxy/_types.py of 1.106.2 and 1.109.3."""
INJECTION: Final = Model(
    {
        **dict.fromkeys(("heuristics_check", "vector_db_check", "llm_api_check"), "switch!"),
        **dict.fromkeys(("llm_api_name", "llm_api_system_prompt", "llm_api_fail_call_string"), "text"),
        "reject_as_response": "switch",
    }
)
"""LiteLLMPromptInjectionParams in proxy/_types.py of 1.77.7, 1.106.2 and 1.109.3."""
MCP: Final[Mapping[str, Spec]] = {
    **dict.fromkeys(
        (
            *("spec_path", "auth_value", "authentication_token", "instructions"),
            *("upstream_resource", "token_exchange_endpoint", "audience"),
            *("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_region_name"),
        ),
        "text",
    ),
    **dict.fromkeys(("extra_headers", "allowed_tools", "disallowed_tools", "access_groups"), "texts"),
    **dict.fromkeys(("static_headers",), "text map"),
    "allowed_params": {"*": "texts!"},
    "timeout": "number",
    **dict.fromkeys(("max_concurrent_requests", "rpm"), "whole"),
}
"""MCPServer in types/mcp_server/mcp_server_manager.py of 1.106.2 and 1.109.3, by the names that the file has."""
PRIORITY: Final = Model(
    {
        **dict.fromkeys(("default_priority", "saturation_threshold"), "number!"),
        "saturation_check_cache_ttl": "whole!",
    }
)
"""PriorityReservationSettings in types/utils.py of 1.106.2 and 1.109.3."""
