"""Causes in the error texts that LiteLLM, the providers' clients and the network wrote."""

from __future__ import annotations

import re

import pytest

from litellm_tui.analysis.failures.causes import first_words, name_cause
from tests.recorded import VERSIONS, case, records

UPSTREAMS = {
    "openai/qwen-err500": {"500"},
    "openai/Qwen/Qwen2.5-Coder-7B-Instruct-AWQ": {"refused"},
    "openai/kimi-err401": {"no key", "401 key refused"},
}


def _health_errors(version: str) -> list[tuple[str, str]]:
    return [(entry["model"], entry["error"]) for entry in case(version, "health")["body"]["unhealthy_endpoints"]]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_recorded_health_reports_name_the_upstreams_fault(version: str) -> None:
    errors = _health_errors(version)
    assert {model for model, _ in errors} == set(UPSTREAMS)
    for model, error in errors:
        assert name_cause(error).name in UPSTREAMS[model], error[:200]
        assert name_cause(error).do


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("chat-500-after-fallback", "no key"),
        ("chat-500-no-fallback", "no connection"),
        ("probe-500", "500"),
        ("probe-refused", "no connection"),
    ],
)
def test_the_recorded_refusals_name_their_cause(version: str, name: str, cause: str) -> None:
    assert name_cause(case(version, name)["body"]["error"]["message"]).name == cause


@pytest.mark.parametrize("version", VERSIONS)
def test_every_recorded_failure_of_a_model_in_the_log_has_a_cause(version: str) -> None:
    failures = [
        record for record, _ in records(version, "journal")
        if record.level == "ERROR" and "fallbacks" in record.text and record.source != "uvicorn"
    ]  # fmt: skip
    assert failures
    assert {name_cause(record.text).name for record in failures} <= {
        "no such group", "no connection", "refused", "500", "no key", "401 key refused",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (
            "litellm.APIConnectionError: OpenAIException - [Errno 111] Connect call failed ('127.0.0.1', 8000)",
            "refused",
        ),
        ("litellm.InternalServerError: OpenAIException - Connection error.", "no connection"),
        (
            "Cannot connect to host gpu.example:443 ssl:True [SSLCertVerificationError: (1, '[SSL: CERTIFICATE_VERIFY",
            "TLS",
        ),
        ("Cannot connect to host gpu.example:80 ssl:default [Name or service not known]", "no such host"),
        ("[Errno 113] No route to host", "no route"),
        (
            "litellm.RateLimitError: AzureException RateLimitError - Requests have exceeded call rate limit",
            "429 rate limit",
        ),
        (
            "litellm.AuthenticationError: OpenAIException - Incorrect API key provided: sk-••• (401)",
            "401 key refused",
        ),
        ("litellm.NotFoundError: NotFoundError: OpenAIException - The model `x` does not exist", "404 not found"),
        ("litellm.Timeout: APITimeoutError - Request timed out.", "timeout"),
        ("litellm.BadRequestError: LLM Provider NOT provided. Pass in the LLM provider", "no provider"),
        (
            "litellm.BadRequestError: You passed in model=a. There are no healthy deployments for this model",
            "no such group",
        ),
        (
            "No deployments available for selected model, Try again in 5 seconds. cooldown_list=[('a', {})]",
            "cooling down",
        ),
        ("litellm.ContextWindowExceededError: This model's maximum context length is 8192 tokens", "context too long"),
        ("litellm.ServiceUnavailableError: 503", "503 unavailable"),
        ("PermissionDeniedError: 403", "403 forbidden"),
        ("litellm.BadGatewayError: 502", "502 bad gateway"),
        ("litellm.BadRequestError: 400 unsupported parameter", "400 bad request"),
        ("something nobody has seen before", "failing"),
        ("", "failing"),
    ],
)
def test_causes_by_their_words(error: str, cause: str) -> None:
    assert name_cause(error).name == cause


def test_the_network_below_a_stack_trace_is_the_cause_and_the_code_in_it_is_none() -> None:
    head = "litellm.InternalServerError: OpenAIException - Connection error."
    assert name_cause(f"{head}\nstack trace: ... [Errno 111] Connect call failed").name == "refused"
    assert (
        name_cause(f"{head}\nstack trace: raise Timeout(); if status == 404: # AuthenticationError").name
        == "no connection"
    )
    told = "AuthenticationError: 401"
    assert name_cause(f"{told}\nstack trace: Connection refused").name == "401 key refused"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_first_words_are_what_the_upstream_said(version: str) -> None:
    words = {model: first_words(error) for model, error in _health_errors(version)}
    assert words["openai/qwen-err500"] == "upstream exploded"
    for text in words.values():
        assert len(text) <= 100
        assert "\n" not in text
        assert not re.match(r"\w*(Error|Exception)\b", text), text


def test_first_words_of_nothing_and_of_much() -> None:
    assert first_words("") == ""
    assert first_words("x" * 500, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ('litellm.RateLimitError: GeminiException - {"error": {"code": 429, "message": "You exceeded your current '
         'quota, please check your plan", "status": "RESOURCE_EXHAUSTED"}}', "429 rate limit"),
        ("litellm.RateLimitError: OpenAIException - You exceeded your current quota, see", "out of credit"),
        ("litellm.APIError: APIError: OpenAIException - <!DOCTYPE html><title>Log in</title>", "answer is no JSON"),
        ("litellm.BadGatewayError: OpenAIException - <html><h1>502 Bad Gateway</h1></html>", "502 bad gateway"),
    ],
)  # fmt: skip
def test_a_quota_a_minute_is_no_lack_of_credit_and_a_page_is_no_answer(error: str, cause: str) -> None:
    assert name_cause(error).name == cause
