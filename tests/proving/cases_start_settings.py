"""Settings that LiteLLM makes objects of."""

from __future__ import annotations

from tests.proving.case import Case, refused, runs


def settings(lines: str) -> str:
    return f"litellm_settings:\n  {lines}\n"


def general(lines: str) -> str:
    return f"general_settings:\n  {lines}\n"


CASES: tuple[Case, ...] = (
    Case(
        "default-teams-as-mapping",
        settings("default_team_settings:\n    team_id: a"),
        finds={"setting-refused": 2},
        proof=refused("team_id missing from default_team_settings"),
    ),
    Case(
        "default-team-without-id",
        settings("default_team_settings:\n    - success_callback: [langfuse]"),
        finds={"setting-refused": 3},
        proof=refused("team_id missing from default_team_settings"),
    ),
    Case(
        "header-groups-as-switch",
        settings("model_group_settings:\n    forward_client_headers_to_llm_api: true"),
        finds={"setting-refused": 3},
        proof=refused("forward_client_headers_to_llm_api"),
    ),
    Case(
        "user-budget-in-words",
        settings("max_internal_user_budget: ten"),
        finds={"setting-refused": 2},
        proof=refused("could not convert string to float"),
    ),
    Case(
        "upper-bound-as-number",
        settings("upperbound_key_generate_params: 5"),
        finds={"setting-refused": 2},
        proof=refused("Invalid value set for upperbound_key_generate_params"),
    ),
    Case(
        "providers-without-handler",
        settings("custom_provider_map:\n    - provider: own"),
        finds={"setting-refused": 3},
        proof=refused("custom_handler"),
    ),
    Case(
        "secret-manager-of-no-kind",
        general("key_management_system: vault"),
        finds={"secret-manager-refused": 2},
        proof=refused("Invalid Key Management System selected"),
    ),
    Case(
        "secret-manager-with-licence",
        general("key_management_system: google_secret_manager"),
        finds={"secret-manager-refused": 2},
        proof=refused("requires an Enterprise License"),
    ),
    Case(
        "buffer-without-redis",
        general("use_redis_transaction_buffer: true"),
        finds={"transaction-buffer-without-redis": 2},
        proof=refused("no Redis is configured"),
        since="1.83",
    ),
    Case(
        "database-of-another-kind",
        general("database_url: mysql://u:p@127.0.0.1/x"),
        finds={"database-scheme": 2},
        proof=refused("unsupported scheme 'mysql'"),
        since="1.97",
    ),
    Case(
        "database-without-prisma",
        general("database_url: postgresql://u:p@127.0.0.1:9/x"),
        packages=frozenset({"litellm"}),
        finds={"prisma-not-installed": 2},
        proof=refused("prisma"),
    ),
    Case(
        "settings-as-they-should-be",
        settings("max_internal_user_budget: '10'\n  default_team_settings: [{team_id: a}]\n  model_group_settings: {}"),
        finds={},
        proof=runs,
    ),
)
