"""What the class of each kind of guardrail asks for when LiteLLM makes it, by the release.

Read from proxy/guardrails/guardrail_hooks and types/guardrails.py of 1.106.2 and 1.109.3, and tried there: each kind in
each mode.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from litellm_tui.audit import declared, shapes, surroundings
from litellm_tui.audit.declared import Spec
from litellm_tui.audit.shapes import fits
from litellm_tui.audit.subject import UNKNOWN, Subject
from litellm_tui.model.edits import Path

MODES: Final = frozenset(
    {
        *("pre_call", "post_call", "during_call", "logging_only", "pre_mcp_call", "during_mcp_call", "post_mcp_call"),
        "realtime_input_transcription",
    }
)
READ: Final = ("1.106", "1.109")
"""The first and the last release that the modes and the types were read of: others are not judged by them."""


class Need(msgspec.Struct, frozen=True):
    """A setting of litellm_params without which the guardrail's class raises, and the variables that stand in.

    `others` are settings that stand in as well. With a `package` it is that distribution that must be installed.
    """

    key: str
    variables: tuple[str, ...] = ()
    package: str = ""
    others: tuple[str, ...] = ()


def _key(*variables: str) -> Need:
    return Need("api_key", variables)


def _base(*variables: str) -> Need:
    return Need("api_base", variables)


ENDS: Final[Mapping[str, tuple[Need, ...]]] = {
    "presidio": (
        Need("presidio_analyzer_api_base", ("PRESIDIO_ANALYZER_API_BASE",)),
        Need("presidio_anonymizer_api_base", ("PRESIDIO_ANONYMIZER_API_BASE",)),
    ),
    "aporia": (_key("APORIO_API_KEY"), _base("APORIO_API_BASE")),
    "aim": (_key("AIM_API_KEY"),),
    "lasso": (_key("LASSO_API_KEY"),),
    "pangea": (_key("PANGEA_API_KEY"),),
    "pillar": (_key("PILLAR_API_KEY"),),
    "guardrails_ai": (Need("guard_name"),),
    "javelin": (Need("guard_name"),),
    "alice": (_key("ALICE_API_KEY"),),
    "cato_networks": (_key("CATO_API_KEY"),),
    "cisco_ai_defense": (_key("CISCO_AI_DEFENSE_API_KEY"),),
    "crowdstrike_aidr": (_key("CS_AIDR_TOKEN"), _base("CS_AIDR_BASE_URL")),
    "deepkeep": (
        _key("DEEPKEEP_API_KEY"),
        _base("DEEPKEEP_API_BASE"),
        Need("deepkeep_firewall_id", ("DEEPKEEP_FIREWALL_ID",)),
    ),
    "grayswan": (_key("GRAYSWAN_API_KEY"),),
    "prompt_security": (_key("PROMPT_SECURITY_API_KEY"), _base("PROMPT_SECURITY_API_BASE")),
    "promptguard": (_key("PROMPTGUARD_API_KEY"),),
    "repelloai": (_key("ARGUS_API_KEY", "REPELLOAI_API_KEY"),),
    "xecguard": (_key("XECGUARD_API_KEY"),),
    # of HiddenLayer's own service only: another api_base needs neither
    "hiddenlayer": (Need("api_id", ("HIDDENLAYER_CLIENT_ID",)), _key("HIDDENLAYER_CLIENT_SECRET")),
    "ovalix": (
        Need("tracker_api_base", ("OVALIX_TRACKER_API_BASE",)),
        Need("tracker_api_key", ("OVALIX_TRACKER_API_KEY",)),
        Need("application_id", ("OVALIX_APPLICATION_ID",)),
        Need(
            "pre_checkpoint_id",
            ("OVALIX_PRE_CHECKPOINT_ID", "OVALIX_POST_CHECKPOINT_ID"),
            others=("post_checkpoint_id",),
        ),
    ),
    "conduct": (Need("", package="conduct-litellm-guard"),),
    "semantic_guard": (Need("", package="semantic-router"),),
}
"""What raises something else than a ValueError, which LiteLLM does not skip: it does not start. The first seven are so
in 1.77.7 too."""
LEFT_OUT: Final[Mapping[str, tuple[Need, ...]]] = {
    "dynamoai": (_key("DYNAMOAI_API_KEY"),),
    "panw_prisma_airs": (_key("PANW_PRISMA_AIRS_API_KEY"),),
    "azure/prompt_shield": (_key(), _base()),
    "azure/text_moderations": (_key(), _base()),
    "openai_moderation": (_key("OPENAI_API_KEY"),),
    # of Noma's own service only
    "noma_v2": (_key("NOMA_API_KEY"),),
    "enkryptai": (_key("ENKRYPTAI_API_KEY"),),
    "ibm_guardrails": (Need("auth_token"), Need("base_url"), Need("detector_id")),
    "onyx": (_key("ONYX_API_KEY"),),
    "generic_guardrail_api": (_base("GENERIC_GUARDRAIL_API_BASE"),),
    "custom_code": (Need("custom_code"),),
    "microsoft_purview": (Need("tenant_id"), Need("client_id"), Need("client_secret", others=("api_key",))),
    "akto": (Need("akto_base_url", ("AKTO_GUARDRAIL_API_BASE",)), Need("akto_api_key", ("AKTO_API_KEY",))),
    "llm_as_a_judge": (Need("judge_model"), Need("criteria")),
    "rubrik": (_base("RUBRIK_WEBHOOK_URL"),),
    "vigil_guard": (_base("VIGIL_GUARD_URL"), _key("VIGIL_GUARD_API_KEY")),
    "repelloai": (Need("asset_id"),),
    "headroom": (_base("HEADROOM_API_BASE"),),
    "compresr": (_key("COMPRESR_API_KEY"),),
    "typesafe": (_key("TYPESAFE_API_KEY"),),
    "straiker": (_key(),),
    "agent_365": (
        Need("tenant_id", ("AGENT365_TENANT_ID",)),
        Need("client_id", ("AGENT365_CLIENT_ID",)),
        Need("client_secret", ("AGENT365_CLIENT_SECRET",), others=("api_key",)),
    ),
    "decision_model": (Need("decision_model"), Need("checks")),
    "reco": (Need("reco_tenant_id"),),
    "airia": (_base("AIRIA_GATEWAY_URL"), _key("AIRIA_API_KEY")),
}
"""What raises a ValueError: LiteLLM starts without the guardrail."""
_OWN_SERVICE: Final[Mapping[str, tuple[str, str]]] = {
    "hiddenlayer": ("HIDDENLAYER_API_BASE", "hiddenlayer.ai"),
    "noma_v2": ("NOMA_API_BASE", "api.noma.security"),
}
_MODES: Final[Mapping[str, str]] = {
    "aporia": "post_call during_call",
    "bedrock": "pre_call post_call during_call logging_only pre_mcp_call during_mcp_call",
    "dynamoai": "pre_call post_call during_call",
    "guardrails_ai": "pre_call post_call logging_only",
    "lakera": "pre_call during_call",
    "lakera_v2": "pre_call post_call during_call",
    "presidio": "pre_call post_call during_call logging_only pre_mcp_call post_mcp_call",
    "aim": "pre_call post_call during_call",
    "cato_networks": "pre_call post_call during_call",
    "pangea": "pre_call post_call",
    "crowdstrike_aidr": "pre_call post_call logging_only",
    "lasso": "pre_call post_call during_call",
    "pillar": "pre_call post_call during_call pre_mcp_call during_mcp_call",
    "grayswan": "pre_call post_call during_call logging_only",
    "panw_prisma_airs": "pre_call post_call during_call logging_only pre_mcp_call during_mcp_call post_mcp_call",
    "cisco_ai_defense": "pre_call post_call during_call logging_only pre_mcp_call during_mcp_call",
    "azure/prompt_shield": "pre_call during_call",
    "azure/text_moderations": "pre_call post_call",
    "model_armor": "pre_call post_call during_call logging_only pre_mcp_call during_mcp_call",
    "openai_moderation": "pre_call post_call during_call logging_only",
    "noma": "pre_call post_call during_call pre_mcp_call",
    "noma_v2": "pre_call post_call during_call logging_only pre_mcp_call during_mcp_call",
    "tool_permission": "pre_call post_call",
    "zscaler_ai_guard": "pre_call post_call logging_only",
    "javelin": "pre_call",
    "enkryptai": "pre_call post_call during_call logging_only",
    "ibm_guardrails": "pre_call post_call during_call",
    "litellm_content_filter": (
        "pre_call post_call during_call logging_only pre_mcp_call post_mcp_call realtime_input_transcription"
    ),
    "mcp_security": "pre_call",
    "onyx": "pre_call post_call during_call logging_only",
    "promptguard": "pre_call post_call logging_only",
    "xecguard": "pre_call post_call during_call logging_only",
    "prompt_security": "pre_call post_call during_call logging_only",
    "generic_guardrail_api": "pre_call post_call during_call logging_only",
    "ovalix": "pre_call post_call logging_only",
    "qualifire": "pre_call post_call during_call logging_only",
    "custom_code": "pre_call post_call during_call logging_only pre_mcp_call during_mcp_call",
    "microsoft_purview": "pre_call post_call logging_only",
    "mcp_end_user_permission": "pre_call logging_only",
    "block_code_execution": "pre_call post_call during_call logging_only",
    "akto": "pre_call post_call logging_only pre_mcp_call post_mcp_call",
    "mcp_jwt_signer": "pre_mcp_call",
    "llm_as_a_judge": "pre_call post_call during_call logging_only",
    "deepkeep": "pre_call post_call during_call logging_only",
    "qostodian_nexus": "pre_call post_call during_call logging_only",
    "rubrik": "pre_call post_call logging_only",
    "vigil_guard": "pre_call post_call logging_only",
    "repelloai": "pre_call post_call",
    "singulr": "pre_call post_call logging_only pre_mcp_call post_mcp_call",
    "headroom": "pre_call post_call logging_only",
    "straiker": "pre_call post_call logging_only",
    "alice": "pre_call post_call during_call logging_only",
    "agent_365": "pre_mcp_call",
    "airia": "pre_call post_call logging_only",
    "reco": "pre_call logging_only",
    "wingback": "pre_call post_call during_call logging_only pre_mcp_call during_mcp_call post_mcp_call",
}
# what 1.109.3 lets them do besides; a release between may do so too
_LATER_MODES: Final = frozenset({"generic_guardrail_api", "qostodian_nexus"})
_MCP_MODES: Final = frozenset({"pre_mcp_call", "during_mcp_call", "post_mcp_call"})
_BLOCK: Final = ("block", "monitor", "inject_system_message", "mask")
FIELDS: Final[Mapping[str, Spec]] = {
    **dict.fromkeys(
        (
            *("api_key", "api_base", "guard_name", "model", "template_id", "location", "credentials", "api_endpoint"),
            *("pangea_input_recipe", "pangea_output_recipe", "violation_message_template", "custom_code", "project_id"),
            *("realtime_violation_message", "sensitive_data_route_to_model", "blocked_words_file", "api_version"),
            *("severity_threshold", "pattern_redaction_format", "keyword_redaction_tag", "advisory_system_message"),
            *("presidio_analyzer_api_base", "presidio_anonymizer_api_base", "presidio_language", "guardrailIdentifier"),
            *("presidio_ad_hoc_recognizers", "guardrailVersion", "aws_region_name", "aws_access_key_id"),
            *("aws_secret_access_key", "aws_session_token", "aws_session_name", "aws_profile_name", "aws_role_name"),
            *("aws_web_identity_token", "aws_sts_endpoint", "aws_external_id", "aws_bedrock_runtime_endpoint"),
            *("lasso_user_id", "lasso_conversation_id", "deepkeep_firewall_id", "on_flagged_action", "application"),
            *("application_id", "gateway_name", "decision_model"),
        ),
        "text",
    ),
    **dict.fromkeys(
        (
            *("default_on", "mask_request_content", "mask_response_content", "fail_on_error", "output_parse_pii"),
            *("experimental_use_latest_role_message_only", "only_scan_new_messages", "inspect_embeddings"),
            *("skip_system_message_in_guardrail", "skip_tool_message_in_guardrail", "scan_only_tool_results"),
            *("skip_unscannable_attachments", "sanitize_error_detail", "sticky_session_routing", "run_in_parallel"),
            *("scan_raw_request", "disable_exception_on_block", "payload", "breakdown", "dev_info", "mask"),
            *("async_mode", "persist_session", "include_scanners", "include_evidence", "monitor_mode"),
            *("block_failures", "anonymize_input"),
        ),
        "switch",
    ),
    **dict.fromkeys(("category_thresholds", "detect_secrets_config", "additional_provider_specific_params"), "mapping"),
    **dict.fromkeys(("mock_redacted_text", "metadata", "config", "pii_entities_config"), "mapping"),
    "presidio_score_thresholds": {"*": "number!"},
    **dict.fromkeys(("end_session_after_n_fails", "max_input_chars", "presidio_analyze_chunk_size_bytes"), "whole"),
    **dict.fromkeys(("max_concurrent_decision_calls", "policy_id"), "whole"),
    **dict.fromkeys(("timeout", "content_filter_threshold", "prompt_attack_threshold"), "number"),
    "pii_confidence_threshold": "number",
    **dict.fromkeys(("extra_headers", "presidio_entities_deny_list"), "texts"),
    **dict.fromkeys(("patterns", "blocked_words", "categories"), "list"),
    "unreachable_fallback": ("fail_closed", "fail_open"),
    "on_violation": ("warn", "end_session", "block", "alert"),
    "on_sensitive_data": ("block", "route"),
    "on_flagged": _BLOCK,
    "presidio_filter_scope": ("input", "output", "both"),
    "presidio_run_on": ("input", "output", "both"),
}
"""LitellmParams in types/guardrails.py, as far as its fields are the same in both; `on_flagged` as 1.109.3 has it."""


_ACTIONS: Final = ("BLOCK", "MASK")
_OF_KIND: Final[Mapping[str, Mapping[str, Spec]]] = {
    "litellm_content_filter": {
        "patterns": [
            declared.Model(
                {"pattern_type": ("prebuilt", "regex"), "action": _ACTIONS, "pattern": "text", "pattern_name": "text"},
                frozenset({"pattern_type", "action"}),
            )
        ],
        "blocked_words": [declared.Model({"keyword": "text!", "action": _ACTIONS}, frozenset({"keyword", "action"}))],
        "categories": [declared.Model({"category": "text!"}, frozenset({"category"}))],
    },
    "tool_permission": {
        "rules": [declared.Model({"id": "text!", "decision": ("allow", "deny")}, frozenset({"id", "decision"}))],
    },
}
"""ContentFilterPattern and BlockedWord in types/guardrails.py, ToolPermissionRule in its types (1.106.2, 1.109.3)."""


def modes_of(kind: str, subject: Subject) -> frozenset[str]:
    """The modes that a kind of guardrail has; all of them where it is not known that it has fewer."""
    known = kind in _MODES and subject.runs(*READ)
    if not known:
        return MODES
    found = frozenset(_MODES[kind].split())
    return found | _MCP_MODES if kind in _LATER_MODES and not subject.runs(until="1.106") else found


def kind_of_guardrail(subject: Subject, params: Mapping[str, Any]) -> Any:
    """The guardrail that is made: `noma` becomes `noma_v2` where the settings say so."""
    kind = shapes.resolved(subject, params.get("guardrail"))
    return "noma_v2" if kind == "noma" and params.get("use_v2") in (True, "true") else kind


def needs(
    table: Mapping[str, tuple[Need, ...]], subject: Subject, kind: Any, params: Mapping[str, Any]
) -> tuple[Need, ...]:
    """What a guardrail of this kind needs, of one of the tables."""
    if not isinstance(kind, str):
        return ()
    if kind in _OWN_SERVICE:
        variable, host = _OWN_SERVICE[kind]
        base = shapes.resolved(subject, params.get("api_base")) or surroundings.variable(subject, variable)
        if base is UNKNOWN or (isinstance(base, str) and base and host not in base):
            return ()
    return table.get(kind, ())


def given(subject: Subject, need: Need, params: Mapping[str, Any]) -> bool | None:
    """Whether something gives the guardrail what it needs; None where that is not known."""
    extra = params.get("optional_params")
    places = [params, extra] if isinstance(extra, dict) else [params]
    for place in places:
        for key in (need.key, *need.others):
            value = shapes.resolved(subject, place.get(key))
            if value is UNKNOWN or value:
                return True
    return surroundings.is_set(subject, *need.variables) if need.variables else False


def wrong_fields(subject: Subject, params: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    """The settings whose value LiteLLM does not take there: the place, and what is wrong."""
    if not subject.runs(*READ):
        return
    for key, spec in FIELDS.items():
        if params.get(key) is not None:
            for where, text in declared.faults(subject, params[key], spec, (*path, key)):
                yield where, f"{'.'.join(map(str, where[len(path) :]))} {text}"
    kind = params.get("guardrail")
    for key, spec in _OF_KIND.get(kind, {}).items() if isinstance(kind, str) else ():
        if params.get(key) is not None:
            for where, text in declared.faults(subject, params[key], spec, (*path, key)):
                yield where, f"{'.'.join(map(str, where[len(path) :]))} {text}"
    if kind == "tool_permission":
        yield from _wrong_rules(params.get("rules"), (*path, "rules"))
    if (
        kind == "bedrock"
        and params.get("checks")
        and (params.get("guardrailIdentifier") or params.get("guardrailVersion"))
    ):
        yield (*path, "checks"), "checks cannot stand beside guardrailIdentifier and guardrailVersion"
    criteria = params.get("criteria")
    if kind == "llm_as_a_judge" and isinstance(criteria, list):
        weights = [item.get("weight", 0) for item in criteria if isinstance(item, dict)]
        if all(fits(one, "number") for one in weights) and criteria and abs(sum(map(float, weights)) - 100) > 0.5:
            yield (*path, "criteria"), "the weights of criteria must come to 100"


def _wrong_rules(listed: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Rules of tool_permission whose patterns are none (guardrail_hooks/tool_permission.py, _load_rules)."""
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(item, dict):
            continue
        inner = item.get("allowed_param_patterns")
        told = {key: item.get(key) for key in ("tool_name", "tool_type")}
        told |= inner if isinstance(inner, dict) else {}
        for key, pattern in told.items():
            if isinstance(pattern, str) and shapes.fault_of_pattern(pattern):
                yield (*path, index), f"{key} of rule {index + 1} is no regular expression"
