"""The fields of `litellm_params` that have a type, as LiteLLM's classes of them declare it, by the release.

Read from LiteLLM_Params, GenericLiteLLMParams and CredentialLiteLLMParams in types/router.py and from
CustomPricingLiteLLMParams in types/utils.py of 1.77.7, 1.106.2 and 1.109.3. A field stands under the first of these
that has it: a release between two of them may have it already, and is then not judged by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from litellm_tui.audit.declared import Model, Spec
from litellm_tui.audit.shapes import Shape

_TEXTS: Final = """
azure_ad_token tenant_id client_id client_secret azure_scope azure_username azure_password bucket_name aws_session_token
aws_session_name aws_profile_name aws_role_name aws_web_identity_token aws_sts_endpoint aws_external_id
aws_bedrock_runtime_endpoint aws_bedrock_project_id s3_endpoint_url s3_region_name s3_access_key_id s3_secret_access_key
s3_encryption_key_id s3_bucket_owner aws_batch_role_arn s3_output_bucket_name anthropic_federation_rule_id
anthropic_organization_id anthropic_service_account_id anthropic_federation_workspace_id anthropic_identity_token_file
anthropic_identity_token anthropic_identity_source anthropic_issuer_url anthropic_issuer_subject
anthropic_issuer_audience anthropic_issuer_signing_key_ref anthropic_keycloak_token_url anthropic_keycloak_client_id
anthropic_keycloak_auth_method anthropic_keycloak_client_secret_ref anthropic_keycloak_scope openai_identity_provider_id
openai_service_account_id openai_identity_token_file provider_affinity_header auto_router_routing_compression
auto_router_model_compression complexity_router_default_model adaptive_router_default_model
quality_router_default_model vector_store_id milvus_text_field milvus_db_name valkey_host valkey_password
valkey_text_field valkey_embedding_field
"""
_WHOLE: Final = """
anthropic_issuer_ttl_seconds itpm otpm default_api_key_tpm_limit default_api_key_rpm_limit auto_router_max_input_chars
valkey_port output_vector_size
"""
_SWITCHES: Final = """
anthropic_disable_workload_identity_federation allow_client_keepalive_override use_chat_completions_api use_xai_oauth
fireworks_forward_user_id valkey_ssl
"""
_MAPPINGS: Final = "complexity_router_config adaptive_router_config quality_router_config search_context_cost_per_query"
_NEW_TEXTS: Final = """
aws_bedrock_control_plane_endpoint token_exchange_endpoint token_exchange_profile token_exchange_scope
token_exchange_audience responses_api_version daily_reset_time chatgpt_auth_file
"""
_OLD_TEXTS: Final = """
gcs_bucket_name s3_bucket_name litellm_credential_name litellm_trace_id budget_duration auto_router_config_path
auto_router_config auto_router_default_model auto_router_embedding_model
"""
_BY_RELEASE: Final[tuple[tuple[str, Shape, str], ...]] = (
    ("1.77", "text", _OLD_TEXTS),
    ("1.77", "switch", "use_in_pass_through use_litellm_proxy merge_reasoning_content_in_choices"),
    ("1.77", "number", "max_file_size_mb"),
    ("1.77", "mapping", "model_info"),
    ("1.106", "text", _TEXTS),
    ("1.106", "whole", _WHOLE),
    ("1.106", "switch", _SWITCHES),
    ("1.106", "number", "keepalive_seconds"),
    ("1.106", "mapping", _MAPPINGS),
    ("1.106", "list", "bedrock_tags"),
    ("1.106", "texts", "tag_regex milvus_partition_names"),
    ("1.109", "text", _NEW_TEXTS),
    ("1.109", "whole", "tpd rpd"),
    ("1.109", "switch", "thought_signature_in_tool_call_id"),
)
FIELDS: Final[Mapping[str, tuple[str, Shape]]] = {
    name: (since, shape) for since, shape, names in _BY_RELEASE for name in names.split()
}
"""By the name of a field: the first release seen that has it, and what it must be."""
PRICE: Final = re.compile(
    r"[a-z0-9_]{0,120}(?:_cost_per_|_token_cost|_uplift_multiplier)[a-z0-9_]{0,120}|cost_per_second"
)
"""Prices of every kind, all of them numbers since 1.106 at the latest."""
NO_NUMBERS: Final = frozenset({"search_context_cost_per_query", "search_queries_cost_per_query"})
_NAMED_TAG: Final = Model({"Key": "text!", "Value": "text!"}, frozenset({"Key", "Value"}))
SPECS: Final[Mapping[str, tuple[str, Spec, str]]] = {
    "aws_session_tags": ("1.106", [_NAMED_TAG], "a list of mappings with Key and Value"),
    "timeout_by_service_tier": ("1.106", {"*": "number!"}, "a mapping of numbers"),
    "stream_timeout_by_service_tier": ("1.106", {"*": "number!"}, "a mapping of numbers"),
    "configurable_clientside_auth_params": ("1.77", "list", "a list"),
}
"""By the name of a field that is no plain value: as FIELDS, with the words for it."""
INFO: Final[Mapping[str, tuple[str, Spec, str]]] = {
    **dict.fromkeys(("base_model", "team_id", "team_public_model_name"), ("1.77", "text", "a text")),
    "tier": ("1.77", ("free", "paid"), "free or paid"),
    **dict.fromkeys(("input_cost_per_token", "output_cost_per_token"), ("1.106", "number", "a number")),
    **dict.fromkeys(("blocked", "discoverable", "member_auto_router"), ("1.106", "switch", "true or false")),
    **dict.fromkeys(("allow_fail_open", "enable_tag_filtering"), ("1.106", "switch", "true or false")),
    "ptu_count": ("1.106", "whole", "a whole number"),
    "cost_per_ptu_per_hour": ("1.106", "number", "a number"),
}
"""ModelInfo in types/router.py of 1.77.7, 1.106.2 and 1.109.3, in the same way; `id` may be a number too."""
