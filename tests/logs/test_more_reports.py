"""What operators' logs say of providers, sign-in, migrations and starts: whose failure, and which cause if any."""

from __future__ import annotations

import json

import pytest

from litellm_tui.analysis.failures.incidents import find_incidents
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.model.snapshot import Snapshot
from tests.logs.made import LATER, NOW, TakenLog

PLACE = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - "
AUTH = (
    "06:12:13 - LiteLLM Proxy:ERROR: auth_exception_handler.py:157 - litellm.proxy.proxy_server.user_api_key_auth(): "
)
START = (
    'ERROR:    Traceback (most recent call last):\n  File "/app/starlette/routing.py", line 694, in lifespan\n'
    '  File "/app/litellm/proxy/proxy_server.py", line 700, in proxy_startup_event\n'
)
COMMAND = 'Traceback (most recent call last):\n  File "/opt/gw/bin/litellm", line 8, in <module>\n'
EXTRAS = "2026-10-02 05:50:33,101 - litellm_proxy_extras - "

# what a provider answered, in the exception that LiteLLM made of it
ANSWERED = {
    'AuthenticationError: BedrockException Invalid Authentication - {"Message":"User: arn:aws:sts::1:assumed-role/gw '
    'is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:eu-west-1::m"}': "403 forbidden",
    'BadRequestError: BedrockException - {"message":"Invocation of model ID anthropic.claude-x with on-demand '
    'throughput isn\u2019t supported. Retry your request with the ID of an inference profile"}': "inference profile",
    "APIConnectionError: An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not "
    "authorized to perform sts:AssumeRoleWithWebIdentity": "AWS credentials refused",
    'PermissionDeniedError: VertexAIException - {"error": {"code": 403,"message": "Vertex AI API has not been used in '
    'project 77 before or it is disabled.","status": "PERMISSION_DENIED"}}': "API is off",
    'BadRequestError: GeminiException BadRequestError - {"error": {"code": 400,"message": "API key not valid. Please '
    'pass a valid API key.","status": "INVALID_ARGUMENT"}}': "401 key refused",
    'APIConnectionError: Error generating IAM token: 400 - {"errorMessage":"Provided API key could not be found."}': (
        "401 key refused"
    ),
    'BadRequestError: GeminiException - {"error": {"message": "User location is not supported for the API use."}}': (
        "region not served"
    ),
    "PermissionDeniedError: OpenAIException - Country, region, or territory not supported": "region not served",
    'BadRequestError: AnthropicException - {"error":{"message":"You have reached your specified API usage limits. You '
    'will regain access on 2026-12-01."}}': "out of credit",
    "RateLimitError: RateLimitError: OpenAIException - Rate limit reached for m in organization o on requests per day "
    "(RPD): Limit 9. You can increase your rate limit by adding a payment method to your account": "429 rate limit",
    "BadRequestError: OpenAIException - Unsupported parameter: 'max_tokens' is not supported with this model.": (
        "parameter refused"
    ),
    'BadRequestError: AnthropicException - {"error":{"message":"thinking.kind: Extra inputs are not permitted"}}': (
        "parameter refused"
    ),
    "BadRequestError: OpenAIException - Your organization must be verified to stream this model.": "403 forbidden",
    'APIConnectionError: Ollama_chatException - {"error":"registry.ollama.ai/x/gemma:2b does not support tools"}': (
        "tools not taken"
    ),
    'BadRequestError: Hosted_vllmException - "auto" tool choice requires --enable-auto-tool-choice to be set': (
        "tools not taken"
    ),
    "InternalServerError: OpenAIException - <html>\r\n<head><title>504 Gateway Time-out</title></head>": (
        "504 gateway timeout"
    ),
    "InternalServerError: InternalServerError: OpenAIException - error code: 524": "504 gateway timeout",
    "InternalServerError: InternalServerError: OpenAIException - error code: 522": "502 bad gateway",
    "APIError: APIError: OpenAIException - <html><title>413 Request Entity Too Large</title>": "request too large",
    "APIError: APIError: OpenAIException - Error code: 405 - {'detail': 'Method Not Allowed'}": "wrong path",
    "AuthenticationError: Missing Anthropic API Key - A call is being made to anthropic but no key is set either in "
    "the environment variables or via params": "no key",
    "ContentPolicyViolationError: litellm.BadRequestError: AzureException - The response was filtered due to the "
    "prompt triggering Azure OpenAI's content management policy.": "content refused",
    "NotFoundError: AzureException NotFoundError - The API deployment for this resource does not exist.": (
        "404 not found"
    ),
    "RateLimitError: VertexAIException - Resource exhausted. Please try again later. RESOURCE_EXHAUSTED 429": (
        "429 rate limit"
    ),
    "BadRequestError: Hosted_vllmException - 'max_tokens' is too large: 9. This model's maximum context length is 8 "
    "tokens": "context too long",
}

# lines of the parts around it: whose failure, and its cause; empty where LiteLLM's own words stand
AROUND = {
    "a token whose key the issuer does not know": (
        f"{AUTH}Exception occured - No matching public key found. keys=['https://idp/keys'], kid=a1",
        ("caller", "token refused"),
    ),
    "a token that is in no team": (
        f"{AUTH}Exception occured - No team found in token. Checked team_id field 'team' and team_alias field 'None'.",
        ("caller", "token refused"),
    ),
    "an issuer that is not set": (
        f"{AUTH}Exception occured - Missing JWT Public Key URL from environment.",
        ("gateway", "token's issuer not set"),
    ),
    "an issuer whose description cannot be read": (
        f"{AUTH}Exception occured - JWT Auth: OIDC discovery endpoint https://idp/x returned status 502: <html>",
        ("side service", "token's issuer unreachable"),
    ),
    "a key of too many requests, in the words of 1.77": (
        f"{AUTH}Exception occured - 429: {{'error': 'LiteLLM Rate Limit Handler for rate limit type = key. Crossed TPM "
        "/ RPM / Max Parallel Request Limit. current rpm: 5, rpm limit: 5'}",
        ("gateway", "own rate limit"),
    ),
    "a login that may not come back": (
        "ERROR:    Exception in ASGI application\nTraceback (most recent call last):\n"
        '  File "/app/litellm/proxy/management_endpoints/ui_sso.py", line 720, in auth_callback\n'
        "oauthlib.oauth2.rfc6749.errors.InvalidGrantError: (invalid_grant) AADSTS500112: The redirect address differs",
        ("side service", "login's way back refused"),
    ),
    "Presidio away, in the words of 1.106": (
        f"06:12:13 - LiteLLM Proxy:ERROR: x.py:1 - {PLACE}Presidio PII analysis failed: ClientConnectorError",
        ("side service", "Presidio unreachable"),
    ),
    "Presidio that fails": (
        f"06:12:13 - LiteLLM Proxy:ERROR: x.py:1 - {PLACE}Presidio anonymizer returned HTTP 500: Internal",
        ("side service", "Presidio fails"),
    ),
    "a guardrail without credentials is none of an upstream": (
        f"06:12:13 - LiteLLM Proxy:ERROR: x.py:1 - {PLACE}Unable to locate credentials\n"
        'Traceback (most recent call last):\n  File "/app/litellm/proxy/guardrails/guardrail_hooks/bedrock_guardrails.'
        'py", line 300, in make_request\nbotocore.exceptions.NoCredentialsError: Unable to locate credentials',
        ("gateway", "guardrail fails"),
    ),
    "a database user without rights, which 1.77 tells as INFO": (
        f"{EXTRAS}INFO - prisma db error: Error: ERROR: permission denied for schema public\n"
        "   0: schema_core::state::ApplyMigrations",
        ("database", "database forbids it"),
    ),
    "a migration that failed, with all of its box": (
        f"{EXTRAS}ERROR - prisma migrate deploy failed: Error: P3018\n\nA migration failed to apply. New migrations "
        "cannot be applied before the error is recovered from.\n\nMigration name: 20250625145206_cascade\n\nDatabase "
        'error code: 42701\n\nDatabase error:\nERROR: column "x" of relation "LiteLLM_TeamTable" already exists',
        ("database", "migration failed"),
    ),
    "a folder in place of the configuration": (
        f'{COMMAND}  File "/app/litellm/proxy/proxy_cli.py", line 700, in run_server\n'
        "IsADirectoryError: [Errno 21] Is a directory: '/app/config.yaml'",
        ("start-up", "configuration is a folder"),
    ),
    "a file system without writes": (
        f'{COMMAND}  File "/app/litellm/proxy/proxy_cli.py", line 700, in run_server\n'
        "OSError: [Errno 30] Read-only file system: '/app/out/index.html'",
        ("start-up", "file system read-only"),
    ),
    "a package of another version": (
        f"{COMMAND}    from litellm import run_server\n"
        "ImportError: cannot import name 'ResponseTextConfig' from 'openai.types' (/opt/gw/site-packages/openai/x.py)",
        ("start-up", "package of another version"),
    ),
    "a package that a callback needs ends the start": (
        f'{START}  File "/app/litellm/integrations/prometheus.py", line 50, in __init__\n'
        "Exception: Missing prometheus_client. Run `pip install prometheus-client`\n\n"
        "ERROR:    Application startup failed. Exiting.",
        ("start-up", "package missing"),
    ),
    "a Redis that hangs up": (
        "06:12:13 - LiteLLM:ERROR: redis_cache.py:600 - LiteLLM Redis Caching: async get_cache() - Got exception from "
        "REDIS: Connection closed by server.",
        ("cache", "no connection"),
    ),
    "prices that cannot be fetched harm nobody": (
        "06:12:13 - LiteLLM:WARNING: get_model_cost_map.py:190 - LiteLLM: Failed to fetch remote model cost map from "
        "https://example.com: [Errno -3] Temporary failure in name resolution. Falling back to local backup.",
        None,
    ),
    "a migration that LiteLLM settles by itself": (
        f"{EXTRAS}INFO - prisma db error: Error: P3018\n\nA migration failed to apply.\n\nMigration name: 2025_x\n\n"
        'Database error:\nERROR: column "x" of relation "LiteLLM_TeamTable" already exists\n'
        f"{EXTRAS}INFO - Migration failed due to idempotent error (e.g., column already exists), resolving as applied",
        None,
    ),
}  # fmt: skip


def _told(text: str) -> set[tuple[str, str]]:
    taken = TakenLog(text)
    taken.failures()
    assert taken.log().unknown == 0
    found = find_incidents(taken.intake.incidents.failures(LATER), diagnose(Snapshot(NOW), NOW), LATER)
    return {(one.failure_of, one.cause) for one in found}


@pytest.mark.parametrize("words", ANSWERED)
@pytest.mark.parametrize("form", ["json", "plain"])
def test_a_providers_answer_has_its_own_cause(words: str, form: str) -> None:
    text = f"{PLACE}litellm.{words}"
    lines = json.dumps({"message": f"{text}\n\nLiteLLM: model group 'g' failed with the error above", "level": "ERROR"})
    if form == "plain":
        one_line = " ".join(text.splitlines())
        lines = f"06:12:13 - LiteLLM Proxy:ERROR: common_request_processing.py:64 - {one_line}. Received Model Group=g"
    assert _told(lines) == {("upstream", ANSWERED[words])}


@pytest.mark.parametrize("kind", AROUND)
def test_what_stands_around_it_has_its_own_subject(kind: str) -> None:
    text, expected = AROUND[kind]
    assert _told(text) == (set() if expected is None else {expected})
