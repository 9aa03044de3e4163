"""What LiteLLM constructs when it starts: each section's entries, and what ends the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.audit.subject import Runtime
from litellm_tui.collectors.litellm_source.packages import distributions_in
from tests.audit.reading import NEWEST, audited, found

OLD = "1.77.7"
START = {
    *("guardrail-shape", "guardrail-prerequisite", "guardrail-left-out", "mcp-server-refused", "section-entry"),
    *("policy-refused", "pass-through-without-path", "setting-refused", "secret-manager-refused"),
    *("transaction-buffer-without-redis", "database-scheme", "prisma-not-installed", "callback-package-missing"),
    *("general-setting-refused", "router-setting-refused", "start-value-refused"),
    "deployment-refused",
    *("callback-of-the-image", "cache-package-missing", "provider-package-missing"),
}


def guardrail(params: str, name: str = "guardrail_name: g") -> str:
    return f"guardrails:\n  - {name}\n    litellm_params: {params}\n"


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("guardrails: [presidio]\n", "guardrail-shape", 1),
        (guardrail("{guardrail: aim, mode: pre_call}", "name: g"), "guardrail-shape", 2),
        (guardrail("{guardrail: hide-secrets, mode: pre_call}", "guardrail_name: 5"), "guardrail-shape", 2),
        (guardrail("presidio"), "guardrail-shape", 3),
        ("litellm_settings:\n  guardrails: {g: {callbacks: []}}\n", "guardrail-shape", 2),
        ("litellm_settings:\n  guardrails: [{g: [a]}]\n", "guardrail-shape", 2),
        ("litellm_settings:\n  guardrails: [{g: {default_on: true}}]\n", "guardrail-shape", 2),
        (guardrail("{guardrail: presidio, mode: pre_call}"), "guardrail-prerequisite", 2),
        (guardrail("{guardrail: aim, mode: pre_call}"), "guardrail-prerequisite", 2),
        (guardrail("{guardrail: aim, mode: pre_call, api_key: os.environ/NONE}"), "guardrail-prerequisite", 2),
        ("mcp_servers: tools\n", "mcp-server-refused", 1),
        ("mcp_servers:\n  a-b: {url: http://x}\n", "mcp-server-refused", 2),
        ("mcp_servers:\n  7: {url: http://x}\n", "mcp-server-refused", 2),
        ("mcp_servers:\n  a: http://x\n", "mcp-server-refused", 2),
        ("mcp_servers:\n  a: {url: http://x, transport: ws}\n", "mcp-server-refused", 2),
        ("mcp_servers:\n  a: {url: http://x, transport: }\n", "mcp-server-refused", 2),
        ("mcp_servers:\n  a: {url: [http://x]}\n", "mcp-server-refused", 2),
        ("mcp_servers:\n  a: {command: x, args: --port 5}\n", "mcp-server-refused", 2),
        ("mcp_servers:\n  a: {command: x, args: [5]}\n", "mcp-server-refused", 2),
        ("mcp_servers:\n  a: {url: http://x, auth_type: oauth2}\n", "mcp-server-refused", 2),
        ("credential_list: [c]\n", "section-entry", 1),
        ("credential_list:\n  - credential_values: {}\n    credential_info: {}\n", "section-entry", 2),
        ("vector_store_registry:\n  - litellm_params: {vector_store_id: v}\n", "section-entry", 2),
        ("vector_store_registry:\n  - litellm_params: [a]\n", "section-entry", 2),
        ("prompts:\n  - prompt_id: 5\n    litellm_params: {prompt_integration: dotprompt}\n", "section-entry", 2),
        ("prompts:\n  - prompt_id: p\n    litellm_params: {prompt_id: p}\n", "section-entry", 3),
        ("agents: [helper]\n", "section-entry", 1),
        ("search_tools:\n  - litellm_params: [a]\n", "section-entry", 2),
        ("search_tools: {s: {}}\n", "section-entry", 1),
        ("mcp_tools: {t: {}}\n", "section-entry", 1),
        ("policies:\n  p:\n", "policy-refused", 2),
        ("policies:\n  p: {guardrails: {add: [5]}}\n", "policy-refused", 2),
        ("policies:\n  p: {guardrails: text}\n", "policy-refused", 2),
        ("policies:\n  p: {condition: gpt}\n", "policy-refused", 2),
        ("policies:\n  a: {inherit: b}\n  b: {inherit: a}\n", "policy-refused", 2),
        ("policies:\n  p: {}\npolicy_attachments: {policy: p}\n", "policy-refused", 3),
        ("policies:\n  p: {}\npolicy_attachments:\n  - policy: p\n    teams: all\n", "policy-refused", 5),
        ("general_settings:\n  pass_through_endpoints: [/x]\n", "pass-through-without-path", 2),
        ("litellm_settings:\n  max_internal_user_budget:\n", "setting-refused", 2),
        ("litellm_settings:\n  max_ui_session_budget: much\n", "setting-refused", 2),
        ("litellm_settings:\n  model_group_settings: [a]\n", "setting-refused", 2),
        ("litellm_settings:\n  default_team_settings:\n    - team_id: 5\n", "setting-refused", 3),
        ("litellm_settings:\n  default_team_settings: x\n", "setting-refused", 2),
        ("litellm_settings:\n  custom_provider_map: {provider: p}\n", "setting-refused", 2),
        ("litellm_settings:\n  custom_provider_map:\n    - {custom_handler: a.b}\n", "setting-refused", 3),
        ("general_settings:\n  key_management_settings: [a]\n", "setting-refused", 2),
        ("general_settings:\n  key_management_system: local\n", "secret-manager-refused", 2),
        ("general_settings:\n  key_management_system: google_kms\n", "secret-manager-refused", 2),
        ("general_settings:\n  key_management_system: cyberark\n", "secret-manager-refused", 2),
        ("general_settings:\n  use_redis_transaction_buffer: 'true'\n", "transaction-buffer-without-redis", 2),
        ("general_settings:\n  plugins:\n    - {name: p}\n", "general-setting-refused", 3),
        ("general_settings:\n  mcp_advertised_versions: [2025-06-18]\n", "general-setting-refused", 2),
        ("general_settings:\n  role_permissions: {role: admin}\n", "general-setting-refused", 2),
        ("general_settings:\n  litellm_jwtauth: [a]\n", "general-setting-refused", 2),
        ("general_settings:\n  alerting: [slack]\n  alerting_args: [a]\n", "general-setting-refused", 3),
        ("general_settings:\n  alerting: [slack]\n  alert_to_webhook_url: x\n", "general-setting-refused", 3),
        ("general_settings:\n  pass_through_endpoints: [{path: 5}]\n", "general-setting-refused", 2),
        ("router_settings:\n  routing_groups: [a]\n", "router-setting-refused", 2),
        ("router_settings:\n  default_litellm_params: [a]\n", "router-setting-refused", 2),
        ("default_vertex_config: [a]\n", "start-value-refused", 1),
        ("worker_registry: [{worker_id: a}]\n", "start-value-refused", 1),
        ("callback_settings: [a]\nlitellm_settings:\n  callbacks: [otel]\n", "start-value-refused", 1),
        ("litellm_settings:\n  callbacks: [aporia_prompt_injection]\n", "start-value-refused", 2),
        ("litellm_settings:\n  cache: true\n  cache_params: {type: azure-blob}\n", "start-value-refused", 3),
        ("mcp_servers: {a: {url: x}}\nlitellm_settings:\n  mcp_aliases: [a]\n", "start-value-refused", 3),
        ("general_settings:\n  database_url: sqlite:///x.db\n", "database-scheme", 2),
        ("general_settings:\n  database_url: ''\n", "database-scheme", 2),
        ("general_settings:\n  on: 1\n", "setting-not-json", 1),
        ("litellm_settings:\n  5: x\n", "setting-not-json", 1),
        ("litellm_settings: &all\n  metadata: *all\n", "setting-not-json", 2),
        ("router_settings:\n  fallbacks: [{5: [a]}]\n", "setting-not-json", 2),
        ("router_settings:\n  model_group_alias: {5: a}\n", "setting-not-json", 2),
        ("environment_variables:\n  SINCE: 2026-01-31\n", "setting-not-json", 2),
        ("environment_variables:\n  A=B: x\n", "variable-refused", 2),
        ("environment_variables:\n  '': x\n", "variable-refused", 2),
        ('environment_variables:\n  A: "a\\0b"\n', "variable-refused", 2),
        ("general_settings: []\n", "wrong-kind-of-section", 1),
        ("general_settings: false\n", "wrong-kind-of-section", 1),
        ("litellm_settings: false\n", "wrong-kind-of-section", 1),
        ("files_settings: {}\n", "wrong-kind-of-section", 1),
        ("finetune_settings: false\n", "wrong-kind-of-section", 1),
        ("router_settings:\n  provider_budget_config: []\n", "router-setting-refused", 2),
        ("mcp_servers:\n  '': {url: http://x}\n", "mcp-server-refused", 2),
        ("agents:\n  - {agent_name: a, agent_card_params: {name: a}, litellm_params: x}\n", "section-entry", 2),
        ("policies:\n  p: {pipeline: x}\n", "policy-refused", 2),
        ("policies:\n  p: {pipeline: {mode: later, steps: []}}\n", "policy-refused", 2),
        ("general_settings:\n  database_url: user:word@host/x\n", "database-scheme", 2),
    ],
)
def test_what_ends_the_start_is_fatal(text: str, rule: str, line: int) -> None:
    findings = found(audited(text, env={}), rule)
    assert [finding.severity for finding in findings] == ["fatal"] * len(findings)
    assert line in [finding.mark.line for finding in findings]


@pytest.mark.parametrize(
    "text",
    [
        "general_settings: {}\nlitellm_settings: []\nrouter_settings: {num_retries: 2}\nfiles_settings:\n",
        "environment_variables: {A_B: x, NUMBER: 5, SINCE: '2026-01-31'}\n",
        "policies:\n  p: {pipeline: {mode: pre_call, steps: [{guardrail: g}]}}\n",
        "litellm_settings:\n  a: &a {b: c}\n  d: [*a, *a]\n",
        "guardrails: []\nmcp_servers: {}\nagents:\nprompts:\npolicies: {}\nsearch_tools: []\n",
        guardrail("{guardrail: aim, mode: [pre_call, post_call], api_key: k}"),
        guardrail("{guardrail: hide-secrets, mode: {tags: {a: pre_call}}}"),
        guardrail("{guardrail: os.environ/KIND, mode: os.environ/MODE}"),
        "litellm_settings:\n  guardrails:\n    - g: {callbacks: [], default_on: 'yes', enabled_roles: [user]}\n",
        "mcp_servers:\n  a: {command: x, args: [a, '5'], env: {A: b}, transport: stdio}\n  b: {url: http://x}\n",
        "mcp_servers:\n  a: {url: http://x, auth_type: oauth2, oauth2_flow: client_credentials}\n",
        "credential_list:\n  - {credential_name: c, credential_info: {}, credential_values: {api_key: k}}\n",
        "vector_store_registry:\n  - litellm_params: {vector_store_id: v, custom_llm_provider: nobody}\n",
        "prompts:\n  - prompt_id: p\n    litellm_params: {prompt_integration: dotprompt}\n",
        "agents:\n  - agent_name: helper\n",
        "search_tools:\n  - search_tool_name: s\n",
        "policies:\n  a: {inherit: b}\n  b: {guardrails: [x]}\npolicy_attachments: [{policy: a, scope: '*'}]\n",
        "general_settings:\n  pass_through_endpoints:\n    - {path: /x, target: http://x}\n",
        "litellm_settings:\n  max_ui_session_budget:\n  default_max_internal_user_budget: '5'\n",
        "litellm_settings:\n  model_group_settings: {forward_client_headers_to_llm_api: [m]}\n",
        "litellm_settings:\n  default_team_settings: [{team_id: a, success_callback: [langfuse]}]\n",
        "general_settings:\n  key_management_system: aws_secret_manager\n  key_management_settings: {}\n",
        "general_settings:\n  use_redis_transaction_buffer: 'false'\n",
        "general_settings:\n  database_url: postgres://u:p@h/x\n",
        "litellm_settings:\n  callbacks: [langfuse, banned_keywords]\n",
    ],
)
def test_what_starts_is_left_alone(text: str) -> None:
    environment = {"KIND": "hide-secrets", "MODE": "pre_call", "LITELLM_LICENSE": "x", "REDIS_HOST": "r"}
    told = audited(text, env=environment).findings
    assert not START & {finding.rule for finding in told if finding.severity != "advice"}


def test_what_the_environment_decides_is_a_warning_where_it_is_not_known() -> None:
    presidio = guardrail("{guardrail: presidio, mode: pre_call}")
    assert {finding.severity for finding in found(audited(presidio), "guardrail-prerequisite")} == {"warning"}
    buffer = "general_settings:\n  use_redis_transaction_buffer: true\n"
    assert [finding.severity for finding in found(audited(buffer), "transaction-buffer-without-redis")] == ["warning"]
    addresses = {"PRESIDIO_ANALYZER_API_BASE": "http://a", "PRESIDIO_ANONYMIZER_API_BASE": "http://b"}
    assert not found(audited(presidio, env=addresses), "guardrail-prerequisite")
    assert not found(audited(buffer, env={"REDIS_URL": "redis://r"}), "transaction-buffer-without-redis")
    later = (
        f"{presidio}environment_variables:\n  PRESIDIO_ANALYZER_API_BASE: http://a\n  PRESIDIO_ANONYMIZER_API_BASE: b\n"
    )
    assert not found(audited(later, env={}), "guardrail-prerequisite")


def test_a_text_for_pass_through_endpoints_ends_old_versions_alone() -> None:
    text = "general_settings:\n  pass_through_endpoints: /x\n"
    assert not found(audited(text), "pass-through-without-path")
    assert found(audited(text, version=OLD), "pass-through-without-path")


def test_a_nested_budget_is_a_number_since_a_release() -> None:
    text = "litellm_settings:\n  default_internal_user_params: {max_budget: much}\n"
    assert [finding.severity for finding in found(audited(text), "start-value-refused")] == ["fatal"]
    assert not found(audited(text, version=OLD), "start-value-refused")


@pytest.mark.parametrize(("version", "severity"), [(OLD, "fatal"), ("1.97.0", "fatal"), ("1.103.0", "error")])
def test_a_guardrail_that_is_left_out_ended_the_start_before(version: str, severity: str) -> None:
    text = guardrail("{guardrail: hide-secrets, mode: before_call}")
    [finding] = found(audited(text, version=version), "guardrail-left-out")
    assert finding.severity == severity
    assert ("WITHOUT" in finding.text) == (severity == "error")


def test_a_mode_that_is_close_to_one_is_offered() -> None:
    [finding] = found(audited(guardrail("{guardrail: hide-secrets, mode: pre-call}")), "guardrail-left-out")
    assert finding.fix is not None
    assert finding.fix.decision


def test_the_separator_of_mcp_names_can_be_another() -> None:
    text = "mcp_servers:\n  a-b: {url: http://x}\n"
    assert not found(audited(text, env={"MCP_TOOL_PREFIX_SEPARATOR": "."}), "mcp-server-refused")


@pytest.mark.parametrize(
    ("text", "rule", "package"),
    [
        ("litellm_settings:\n  success_callback: [langfuse]\n", "callback-package-missing", "langfuse"),
        ("litellm_settings:\n  callbacks: [mlflow]\n", "callback-package-missing", "mlflow"),
        (
            "litellm_settings:\n  callbacks: [arize]\n",
            "callback-package-missing",
            "opentelemetry-exporter-otlp-proto-grpc",
        ),
        ("litellm_settings:\n  cache: true\n  cache_params: {type: s3}\n", "cache-package-missing", "boto3"),
        (
            "model_list:\n  - model_name: m\n    litellm_params: {model: bedrock/amazon.nova-pro-v1:0}\n",
            "provider-package-missing",
            "boto3",
        ),
        ("general_settings:\n  database_url: postgresql://h/x\n", "prisma-not-installed", "prisma"),
    ],
)
def test_a_package_that_is_missing_is_named(text: str, rule: str, package: str) -> None:
    unknown = found(audited(text), rule)
    assert {finding.severity for finding in unknown} <= {"advice"}, "nothing is known of the packages"
    assert not found(audited(text, runtime=Runtime("", packages=frozenset({package}))), rule)
    assert found(audited(text, runtime=Runtime("", packages=frozenset({"litellm"}))), rule)


@pytest.mark.parametrize(("version", "severity"), [(NEWEST, "error"), ("1.109.3", "fatal")])
def test_a_callback_without_its_package_ends_the_start_since_a_release(version: str, severity: str) -> None:
    runtime = Runtime("", packages=frozenset({"litellm"}))
    result = audited("litellm_settings:\n  callbacks: [mlflow]\n", version=version, runtime=runtime)
    assert [finding.severity for finding in found(result, "callback-package-missing")] == [severity]


@pytest.mark.parametrize(
    "params",
    [
        "{guardrail: aporia, mode: pre_call, api_key: k, api_base: http://x}",
        "{guardrail: pangea, mode: [pre_call, during_call], api_key: k}",
        "{guardrail: lakera_v2, mode: {tags: {a: logging_only}}}",
        "{guardrail: lakera_v2, mode: {a: pre_call}}",
        "{guardrail: lakera_v2, mode: pre_call, api_key: 12}",
        "{guardrail: lakera_v2, mode: pre_call, default_on: always}",
        "{guardrail: lakera_v2, mode: pre_call, unreachable_fallback: open}",
        "{guardrail: azure/prompt_shield, mode: pre_call, api_key: k}",
        "{guardrail: dynamoai, mode: pre_call}",
        "{guardrail: custom_code, mode: pre_call}",
        "{guardrail: microsoft_purview, mode: pre_call, tenant_id: t, client_id: c}",
        "{guardrail: noma, use_v2: true, mode: pre_call}",
        "{guardrail: llm_as_a_judge, mode: post_call, judge_model: m, criteria: [{name: a, weight: 30}]}",
        "{guardrail: bedrock, mode: pre_call, guardrailIdentifier: g, checks: {promptAttack: {}}}",
    ],
)
def test_a_guardrail_without_which_litellm_starts_is_an_error(params: str) -> None:
    severities = [one.severity for one in found(audited(guardrail(params), env={}), "guardrail-left-out")]
    assert severities == ["error"]


@pytest.mark.parametrize(
    "params",
    [
        "{guardrail: aporia, mode: post_call, api_key: k, api_base: http://x}",
        "{guardrail: lakera_v2, mode: [pre_call, post_call], default_on: 'yes'}",
        "{guardrail: lakera_v2, mode: {tags: {a: pre_call}, default: post_call}}",
        "{guardrail: dynamoai, mode: pre_call, api_key: os.environ/KEY}",
        "{guardrail: openai_moderation, mode: pre_call}",
        "{guardrail: microsoft_purview, mode: pre_call, tenant_id: t, client_id: c, api_key: k}",
        "{guardrail: noma_v2, mode: pre_call, api_base: http://own.example}",
        "{guardrail: mine.Guard, mode: logging_only}",
    ],
)
def test_a_guardrail_that_is_made_is_left_alone(params: str) -> None:
    env = {"OPENAI_API_KEY": "k", "KEY": "k"}
    assert not found(audited(guardrail(params), env=env), "guardrail-left-out")


def test_a_guardrail_whose_key_may_be_in_the_environment_is_a_warning() -> None:
    [finding] = found(audited(guardrail("{guardrail: onyx, mode: pre_call}")), "guardrail-left-out")
    assert finding.severity == "warning"
    assert "unless ONYX_API_KEY is set" in finding.text


def test_what_a_release_is_not_known_to_ask_for_is_left_alone() -> None:
    text = guardrail("{guardrail: onyx, mode: post_mcp_call}")
    assert not found(audited(text, version=OLD, env={}), "guardrail-left-out")


def test_ovalix_wants_one_of_two_checkpoints() -> None:
    text = "{guardrail: ovalix, mode: pre_call, tracker_api_base: http://x, tracker_api_key: k, application_id: a%s}"
    [finding] = found(audited(guardrail(text % ""), env={}), "guardrail-prerequisite")
    assert finding.severity == "fatal"
    for more in (", pre_checkpoint_id: p", ", post_checkpoint_id: p"):
        assert not found(audited(guardrail(text % more), env={}), "guardrail-prerequisite")


def one_deployment(more: str = "model: openai/m, api_key: k", info: str = "{}") -> str:
    return f"model_list:\n  - model_name: m\n    litellm_params: {{{more}}}\n    model_info: {info}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (one_deployment("model: openai/m, max_agentic_loops: 0"), 3),
        (one_deployment("model: openai/m, max_agentic_loops: many"), 3),
        (one_deployment("model: openai/m, max_agentic_loops: true"), 3),
        (one_deployment("model: auto_router/complexity_router, tier_boundaries: {}"), 3),
        (one_deployment("model: openai/m, complexity_router_config: {a: b}, tiers: {}"), 3),
        (one_deployment(info="{access_windows: always}"), 4),
        (one_deployment(info="{access_windows: [{start: '09:00', end: '17:00', team_ids: [t]}]}"), 4),
        (one_deployment(info="{access_windows: [{start: nine, end: '9:00', timezone: UTC, team_ids: [t]}]}"), 4),
        (one_deployment(info="{access_windows: [{start: '01:00', end: '02:00', timezone: UTC, team_ids: []}]}"), 4),
    ],
)
def test_what_is_checked_before_the_router_ends_the_start(text: str, line: int) -> None:
    [finding] = found(audited(text), "deployment-refused")
    assert (finding.severity, finding.mark.line) == ("fatal", line)
    assert not found(audited(text, version=OLD), "deployment-refused")


@pytest.mark.parametrize(
    "text",
    [
        one_deployment("model: openai/m, max_agentic_loops: '3', tiers: {}, embedding_model: e"),
        one_deployment("model: auto_router/complexity_router, complexity_router_config: {tiers: {}}"),
        one_deployment(info="{access_windows: [{start: '09:00', end: '17:00', timezone: UTC, team_ids: [t]}]}"),
    ],
)
def test_what_the_check_lets_through_is_left_alone(text: str) -> None:
    assert not found(audited(text), "deployment-refused")


@pytest.mark.parametrize("kind", ["complexity_router", "adaptive_router/x", "quality_router"])
def test_only_a_semantic_router_needs_its_package(kind: str) -> None:
    assert not found(audited(one_deployment(f"model: auto_router/{kind}")), "provider-package-missing")
    assert found(audited(one_deployment("model: auto_router/mine")), "provider-package-missing")


def test_a_plugin_of_a_complexity_router_is_a_module() -> None:
    text = one_deployment("model: auto_router/complexity_router, complexity_router_config: {plugins: [steer.run]}")
    [finding] = found(audited(text), "module-not-found")
    assert (finding.severity, finding.mark.line) == ("fatal", 3)


@pytest.mark.parametrize(
    ("callback", "rule"),
    [("hide_secrets", "callback-needs-licence"), ("banned_keywords", "callback-of-the-image")],
)
def test_what_needs_a_licence_is_said_of_a_file_alone(callback: str, rule: str) -> None:
    text = f"litellm_settings:\n  callbacks: [{callback}]\n"
    (told,) = found(audited(text), rule)
    assert (told.severity, "starts only with LITELLM_LICENSE set" in told.text) == ("warning", True)
    (fatal,) = found(audited(text, env={}), rule)
    assert fatal.severity == "fatal"
    assert not found(audited(text, env={"LITELLM_LICENSE": "k"}), rule)


def test_a_package_that_does_not_come_with_litellm_is_named_of_a_file_alone() -> None:
    (told,) = found(audited("litellm_settings:\n  callbacks: [otel]\n"), "callback-package-missing")
    assert told.severity == "advice"
    assert "opentelemetry-sdk, which `litellm[proxy]` does not bring" in told.text


@pytest.mark.parametrize(("beside", "said"), [(("openai",), True), (("openai", "prisma"), False), ((), False)])
def test_the_packages_of_an_environment_that_was_named(tmp_path: Path, beside: tuple[str, ...], said: bool) -> None:
    for name in ("litellm", *beside):
        (tmp_path / f"{name}-1.0.dist-info").mkdir()
    packages = distributions_in([str(tmp_path)])
    # a wheel that was only unpacked says nothing of what will be beside it
    assert (packages is None) == (not beside)
    text = "general_settings:\n  database_url: postgresql://h/x\n"
    assert bool(found(audited(text, packages=packages), "prisma-not-installed")) == said


@pytest.mark.parametrize(
    ("server", "env", "said"),
    [
        ("{url: http://h/mcp}", {}, []),
        ("{spec_path: http://h/openapi.json}", {}, []),
        ("{transport: sse}", {}, [("error", "has no url")]),
        ("{fetch: {url: http://h/sse}}", {}, [("error", "has no url")]),
        ("{transport: stdio, command: npx}", {"LITELLM_ENABLE_MCP_STDIO": "true"}, []),
        ("{transport: stdio, command: npx}", {}, [("error", "it is not started")]),
        ("{transport: stdio, command: npx}", None, [("warning", "only with LITELLM_ENABLE_MCP_STDIO=true")]),
        ("{transport: stdio}", {"LITELLM_ENABLE_MCP_STDIO": "True"}, [("error", "has no command")]),
        (
            "{transport: stdio, command: /opt/tool}",
            {"LITELLM_ENABLE_MCP_STDIO": "true"},
            [("error", "tool is none of")],
        ),
        (
            "{transport: stdio, command: /opt/tool}",
            {"LITELLM_ENABLE_MCP_STDIO": "true", "LITELLM_MCP_STDIO_EXTRA_COMMANDS": "tool,other"},
            [],
        ),
    ],
)
def test_an_mcp_server_that_nobody_can_ask(
    server: str, env: dict[str, str] | None, said: list[tuple[str, str]]
) -> None:
    told = found(audited(f"mcp_servers:\n  s: {server}\n", env=env), "mcp-server-idle")
    assert [finding.severity for finding in told] == [severity for severity, _ in said]
    assert all(words in finding.text for finding, (_, words) in zip(told, said, strict=True)), told


def test_a_release_before_the_switch_starts_programs() -> None:
    text = "mcp_servers:\n  s: {transport: stdio, command: npx}\n"
    assert not found(audited(text, env={}, version="1.90.7"), "mcp-server-idle")


@pytest.mark.parametrize(
    ("servers", "refused"),
    [
        ("{a: {url: http://h, server_id: x}, b: {url: http://i, server_id: x}}", 1),
        ("{a: {url: http://h, server_id: b}, b: {url: http://i}}", 1),
        ("{a: {url: http://h, server_id: c}, b: {url: http://i, alias: c}}", 1),
        ("{a: {url: http://h, server_id: a}, b: {url: http://i, server_id: b}}", 0),
        ("{a: {url: http://h, server_id: a}, b: {url: http://i, alias: a}}", 1),
    ],
)
def test_the_id_of_an_mcp_server_is_its_own(servers: str, refused: int) -> None:
    assert len(found(audited(f"mcp_servers: {servers}\n"), "mcp-server-refused")) == refused
