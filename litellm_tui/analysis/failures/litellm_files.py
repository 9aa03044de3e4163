"""Files of LiteLLM whose name alone says whose failure they report, as a log line has the name.

Made from the sources of 1.77.7, 1.106.2 and 1.110.2. A name that stands in folders of several subjects is not among
them.
"""

from __future__ import annotations

from typing import Final

from litellm_tui.model.traffic import Subject

_NAMES: Final[dict[Subject, str]] = {
    "cache": """
        _redis batch_redis_get caching_handler coordination_redis_endpoints dual_cache gcs_cache redis_batch
        redis_cache redis_cluster_cache redis_cluster_node_isolation redis_semantic_cache s3_cache
    """,
    "caller": """
        handle_jwt
    """,
    "database": """
        autorouter_session_rollup base_update_queue check_migration daily_spend_update_queue
        db_spend_update_writer encrypt_decrypt_utils exception_handler gateway_request_tracking
        health_check_latest pgbouncer pod_lock_manager prisma_client prisma_migration query_engine_reaper
        redis_update_buffer request_error_tracking routing_prisma_wrapper shadow_eval_funnel
        spend_counter_reseed spend_log_cleanup
        spend_log_cleanup_metrics spend_logs_partition_manager spend_update_queue tool_registry_writer
        usage_tracking
        window_spend_update_queue
    """,
    "gateway": """
        adaptive_router agent_365 aim akto alice anthropic_cache_control_hook aporia_ai attachment_registry auth_checks
        auth_exception_handler auth_object_prefetch auth_utils auto_router auto_router_compression
        autorouter_baseline_cache azure_content_safety base_routing_strategy batch_enqueued_tokens
        batch_rate_limiter bedrock_guardrails bounded_execution budget_limiter cache_control_check
        cato_networks cisco_ai_defense cisco_ai_defense_mcp common_request_processing complexity_router
        compresr content_filter cooldown_cache cooldown_callbacks cooldown_handlers crowdstrike_aidr
        custom_code_guardrail decision_model deepkeep deployment_affinity_check dynamic_rate_limiter
        dynamic_rate_limiter_v3 dynamoai encrypted_content_affinity_check enkryptai fallback_budget
        fallback_event_handlers fallback_model_access file_scanning generic_guardrail_api grayswan
        guardrail_endpoints guardrail_helpers guardrail_registry headroom health_state_cache hook hooks
        ibm_detector init_guardrails init_policies ip_address_utils jev_classifier key_management_event_hooks
        lakera_ai_v2 lar1_routing lasso litellm_license litellm_pre_call_utils llm_shield_proxy login_throttle
        login_utils lowest_cost lowest_latency lowest_tpm_rpm lowest_tpm_rpm_v2 master_key_boot_check
        max_budget_limiter max_budget_per_session_limiter max_iterations_limiter mcp_end_user_permission
        mcp_jwt_signer mcp_security_guardrail model_armor model_checks model_max_budget_limiter
        model_rate_limit_check moderations network noma noma_v2 onyx ovalix pangea panw_prisma_airs
        parallel_request_limiter parallel_request_limiter_v3 password_policy patterns pillar pipeline_executor
        policy_endpoints policy_registry policy_resolve_endpoints policy_resolver policy_validator primitives
        prompt_injection_detection prompt_security prompt_shield promptguard proxy_server purview_dlp
        qualifire repelloai response_retrieval route_checks route_llm_request router router_python_core
        savings_baseline search_api_router search_free_tier semantic_guard singulr straiker tag_based_routing
        text_moderation tool_permission tool_policy_guardrail trusted_proxy_utils typesafe unified_guardrail
        update_queue usage_endpoints user_api_key_auth user_management_event_hooks vigil_guard
        xecguard zscaler_ai_guard
        byok_oauth_endpoints gateway_dcr_flow user_api_key_auth_mcp anthropic_sse endpoint_eligibility
        kubernetes_pod_discovery model_budget_shared_windows
    """,
    "mcp": """
        authz_code_refresher bridge_token_flow classify client_allowlist db id_jag_grant
        login_assertion_exchange
        discoverable_endpoints elicitation_handler idp_token_exchange oauth2_flow_backfill
        mcp_management_endpoints mcp_server_manager oauth_identity_binding
        oauth_issuer_stamp_backfill oauth_utils operations per_user_oauth_store redis_distributed_lock
        resolver rest_endpoints sampling_handler semantic_tool_filter server sse_transport
        sso_assertion_refresher sso_assertion_store stdio_gate token_endpoint token_exchange_provider
        token_exchanger tool_registry toolset_db ui_session_utils
    """,
    "side service": """
        _service_logger _utils api argilla arize arize_phoenix_prompt_manager
        aws_secret_manager_v2 azure_sentinel azure_storage background_interaction_settlement
        base_secret_manager batching_handler bitbucket_prompt_manager budget_reservation otlp_json ternary_logger
        clickhouse_batch_logger clickhouse_spend_logger cloudzero custom_batch_logger custom_logger
        cyberark_secret_manager datadog datadog_cost_management datadog_llm_obs datadog_metrics destinations
        email_alerting extractors focus_logger galileo gcs_bucket gcs_bucket_base generic_api_callback
        gitlab_prompt_manager google_secret_manager hashicorp_secret_manager key_metadata_recovery langfuse
        langfuse_prompt_management langfuse_sdk langsmith litellm_logging literal_ai logfire_logger
        logging_worker mavvrik_focus_logger newrelic newrelic_metrics opentelemetry opik posthog
        presidio prometheus proxy_track_cost_callback ptu_flat_cost_rollup pub_sub routing rubrik s3 s3_v2
        savings shadow_eval_logger signoz slack_alerting spend_event_producer spend_log_error_logger
        spend_management_endpoints spend_tracking_utils sqs traceloop vantage_destination vantage_logger
        ui_sso vector_store_pre_call_hook weights_biases
    """,
    "start-up": """
        proxy_cli
    """,
}
FILES: Final[dict[str, Subject]] = {
    f"{name}.py": subject for subject, names in _NAMES.items() for name in names.split()
}
