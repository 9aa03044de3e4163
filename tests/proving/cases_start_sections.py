"""Entries of sections that LiteLLM makes objects of."""

from __future__ import annotations

from tests.proving.case import Case, refused, runs

_LATER = "1.83"

CASES: tuple[Case, ...] = (
    Case(
        "credential-without-info",
        "credential_list:\n  - credential_name: c\n    credential_values: {api_key: k}\n",
        finds={"section-entry": 2},
        proof=refused("credential_info"),
    ),
    Case(
        "credential-values-as-text",
        "credential_list:\n  - credential_name: c\n    credential_values: k\n    credential_info: {}\n",
        finds={"section-entry": 3},
        proof=refused("credential_values"),
    ),
    Case(
        "vector-store-without-params",
        "vector_store_registry:\n  - vector_store_name: v\n    vector_store_id: x\n    custom_llm_provider: bedrock\n",
        finds={"section-entry": 2},
        proof=refused("vector_store_id is required"),
    ),
    Case(
        "prompt-of-no-kind",
        "prompts:\n  - prompt_id: p\n    litellm_params: {prompt_id: p, prompt_integration: files}\n",
        finds={"section-entry": 3},
        proof=refused("Unsupported prompt: files"),
    ),
    Case(
        "prompts-as-mapping",
        "prompts:\n  p: {prompt_integration: dotprompt}\n",
        finds={"section-entry": 1},
        proof=refused("PromptSpec"),
    ),
    Case(
        "agents-as-mapping",
        "agents:\n  helper: {agent_name: helper}\n",
        finds={"section-entry": 1},
        proof=refused("agent_config must be a list of dictionaries"),
        since=_LATER,
    ),
    Case(
        "search-tool-without-settings",
        "search_tools:\n  - search_tool_name: s\n    litellm_params:\n",
        finds={"section-entry": 3},
        proof=refused("'NoneType' object has no attribute 'get'"),
        since=_LATER,
    ),
    Case(
        "policy-with-text-for-list",
        "policies:\n  p:\n    guardrails:\n      add: watch\n",
        finds={"policy-refused": 3},
        proof=refused("Policy validation failed"),
        since=_LATER,
    ),
    Case(
        "policy-without-its-parent",
        "policies:\n  p:\n    inherit: base\n    guardrails: {add: [watch]}\n",
        finds={"policy-refused": 3},
        proof=refused("Policy validation failed"),
        since=_LATER,
    ),
    Case(
        "policies-listed",
        "policies:\n  - name: p\n",
        finds={"policy-refused": 1},
        proof=refused("'list' object has no attribute"),
        since=_LATER,
    ),
    Case(
        "policy-of-no-guardrail-of-the-file",
        "guardrails:\n  - guardrail_name: g\n    litellm_params: {guardrail: hide-secrets, mode: pre_call}\n"
        "policies:\n  p:\n    guardrails: {add: [watch]}\n",
        finds={"policy-refused": 6},
        proof=refused("not found in guardrail registry"),
        since=_LATER,
    ),
    Case(
        "pass-through-without-path",
        "general_settings:\n  pass_through_endpoints:\n    - target: http://127.0.0.1:9\n",
        finds={"pass-through-without-path": 3},
        proof=refused("Path is required for pass-through endpoint"),
    ),
    Case(
        "entries-as-they-should-be",
        "credential_list:\n  - {credential_name: c, credential_values: {api_key: k}, credential_info: {}}\n"
        "vector_store_registry:\n  - vector_store_name: v\n    litellm_params: {vector_store_id: x, "
        "custom_llm_provider: bedrock}\nsearch_tools:\n  - search_tool_name: s\n    litellm_params: "
        "{search_provider: tavily}\npolicies:\n  p: {guardrails: {add: [watch]}}\n",
        finds={},
        proof=runs,
    ),
)
