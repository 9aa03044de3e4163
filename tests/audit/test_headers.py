"""Headers that carry a secret: what is sent on, and variables that are not set."""

from __future__ import annotations

import pytest

from tests.audit.reading import audited, found

HEAD = "general_settings:\n  master_key: sk-of-the-gateway-1\n"


def _endpoint(more: str) -> str:
    return f"{HEAD}  pass_through_endpoints:\n    - path: /aside\n      target: https://aside.example\n{more}"


@pytest.mark.parametrize(
    ("more", "times"),
    [
        ("      forward_headers: true\n", 1),
        ("      forward_headers: true\n      headers: {X-Team: red}\n", 1),
        # the endpoint's own takes the place of the caller's
        ("      forward_headers: true\n      headers: {authorization: Bearer abc}\n", 0),
        ("      forward_headers: false\n", 0),
        ("", 0),
    ],
)
def test_a_pass_through_endpoint_may_send_the_callers_key_on(more: str, times: int) -> None:
    findings = found(audited(_endpoint(more)), "callers-key-sent-on")
    assert [finding.severity for finding in findings] == ["error"] * times


HEADERS = {
    "a pass-through endpoint": _endpoint("      headers: {Authorization: Bearer os.environ/ASIDE_KEY}\n"),
    "a deployment": "model_list:\n  - model_name: a\n    litellm_params:\n      model: openai/a\n      api_key: k\n"
    "      extra_headers: {X-Key: os.environ/ASIDE_KEY}\n",
    "a guardrail": "guardrails:\n  - guardrail_name: a\n    litellm_params:\n      guardrail: generic_guardrail_api\n"
    "      mode: pre_call\n      api_base: https://guard.example\n      headers: {X-Key: os.environ/ASIDE_KEY}\n",
    "an MCP server": "mcp_servers:\n  tools:\n    url: https://tools.example\n"
    "    static_headers: {X-Key: os.environ/ASIDE_KEY}\n",
}


@pytest.mark.parametrize("where", HEADERS)
def test_a_variable_of_a_header_is_to_be_set(where: str) -> None:
    text = HEADERS[where]
    [finding] = found(audited(text, env={}), "empty-header")
    assert "ASIDE_KEY is not set" in finding.text
    assert found(audited(text, env={"ASIDE_KEY": "abc"}), "empty-header") == []
    assert found(audited(text, env=None), "empty-header") == []


def test_a_variable_that_the_file_itself_sets_is_set() -> None:
    text = f"environment_variables: {{ASIDE_KEY: abc}}\n{HEADERS['an MCP server']}"
    assert found(audited(text, env={}), "empty-header") == []


def test_only_a_pass_through_endpoint_looks_for_a_variable_behind_words() -> None:
    text = HEADERS["a deployment"].replace("os.environ", "Bearer os.environ")
    assert found(audited(text, env={}), "empty-header") == []
