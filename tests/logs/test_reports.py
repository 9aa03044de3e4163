"""Whose failure it is, in logs of the kinds that operators report: each once, and no cause that no line names."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.failures.explanations import explain_cause
from litellm_tui.analysis.failures.incidents import find_incidents
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.model.snapshot import Snapshot
from tests.logs.made import LATER, NOW, TakenLog

ASGI = "ERROR:    Exception in ASGI application\nTraceback (most recent call last):\n"
SSO = (
    '  File "/app/litellm/proxy/management_endpoints/ui_sso.py", line 720, in auth_callback\n    result = await get()\n'
)
START = (
    'ERROR:    Traceback (most recent call last):\n  File "/app/starlette/routing.py", line 694, in lifespan\n'
    "    async with self.lifespan_context(app) as state:\n"
    '  File "/app/litellm/proxy/proxy_server.py", line 700, in proxy_startup_event\n    await initialize(**config)\n'
)
REQUEST = (
    "06:12:13 - LiteLLM Proxy:ERROR: common_request_processing.py:1687 - litellm.proxy.proxy_server."
    "_handle_llm_api_exception(): Exception occured - "
)
KINDS = {
    "a query of the budget job that Prisma does not take": (
        "05:30:59 - LiteLLM Proxy:ERROR: reset_budget_job.py:660 - Failed to reset budget windows for keys: Unable to "
        "match input value to any allowed input type for the field.\nTraceback (most recent call last):\n"
        '  File "/app/litellm/proxy/common_utils/reset_budget_job.py", line 637, in reset_budget_windows\n'
        '  File "/app/prisma/actions.py", line 1000, in find_many\n'
        "prisma.errors.DataError: Unable to match input value to any allowed input type for the field.",
        ("database", "", ""),
    ),
    "a login whose client secret has expired": (
        ASGI + SSO + '  File "/app/fastapi_sso/sso/base.py", line 400, in process_login\n'
        "oauthlib.oauth2.rfc6749.errors.InvalidClientError: (invalid_client) AADSTS7000222: The secret has expired.",
        ("side service", "login's credentials refused", "the login (SSO)"),
    ),
    "a login whose token is no JWT": (
        ASGI + SSO + '  File "/app/jwt/api_jws.py", line 260, in _load\n'
        "jwt.exceptions.DecodeError: Not enough segments",
        ("side service", "token not readable", ""),
    ),
    "a package that a page needs": (
        ASGI + '  File "/app/litellm/proxy/proxy_server.py", line 2940, in login\n    from fastapi_sso import X\n'
        "ModuleNotFoundError: No module named 'fastapi_sso'",
        ("gateway", "package missing", ""),
    ),
    "a wrong password for the UI": (
        "08:00:01 - LiteLLM Proxy:ERROR: proxy_server.py:17759 - litellm.proxy.proxy_server.login_v2(): Exception "
        "occurred - Invalid credentials used to access UI.",
        ("caller", "login refused", ""),
    ),
    "a guardrail with a mode that this version has not": (
        START + '  File "/app/litellm/integrations/custom_guardrail.py", line 120, in _validate_event_hook\n'
        "ValueError: Event hook GuardrailEventHooks.logging_only is not in the supported event hooks\n\n"
        "ERROR:    Application startup failed. Exiting.",
        ("start-up", "", ""),
    ),
    "an MCP server that refuses, told by a group of exceptions": (
        "10:32:42 - LiteLLM:ERROR: mcp_server_manager.py:640 - Error listing tools from tickets: unhandled errors in a "
        "TaskGroup (1 sub-exception)\n  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/app/litellm/experimental_mcp_client/client.py", line 200, in list_tools\n'
        "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n"
        '    |   File "/app/httpx/_models.py", line 829, in raise_for_status\n'
        "    | httpx.HTTPStatusError: Client error '401 Unauthorized' for url 'https://mcp.example.com/'\n"
        "    +------------------------------------",
        ("mcp", "MCP server refuses the key", "tickets"),
    ),
    "a provider that forbids the model, told as a stream": (
        REQUEST + "litellm.ServiceUnavailableError: litellm.MidStreamFallbackError: litellm.BadRequestError: "
        "Vertex_ai_betaException BadRequestError - 403 PERMISSION_DENIED on resource 'x'. Received Model Group=gem",
        ("upstream", "403 forbidden", "gem"),
    ),
    "a stream that really broke": (
        REQUEST + "litellm.MidStreamFallbackError: litellm.APIConnectionError: APIConnectionError: OpenAIException - "
        "peer closed connection without sending complete message body. Received Model Group=gem",
        ("upstream", "stream breaks", "gem"),
    ),
    "a client of Langfuse without a key": (
        "Unauthorized. Please check your public/private host settings. Refer to the guide for details.",
        ("side service", "side service refuses the key", ""),
    ),
    "an exporter that is told by its client alone": (
        "Exception while exporting Span batch.\nTraceback (most recent call last):\n"
        '  File "/app/opentelemetry/sdk/trace/export/__init__.py", line 360, in _export_batch\n'
        "requests.exceptions.ConnectionError: HTTPConnectionPool(host='otel', port=4318): Max retries exceeded with "
        "url: /v1/traces (Caused by NewConnectionError('Failed to establish: [Errno 111] Connection refused'))",
        ("side service", "side service unreachable", "OpenTelemetry"),
    ),
    "a proxy that wants a login, told by the trace alone": (
        REQUEST + "litellm.InternalServerError: InternalServerError: OpenAIException - Connection error.. Received "
        "Model Group=far\nTraceback (most recent call last):\n"
        '  File "/app/httpx/_transports/default.py", line 101, in map_httpcore_exceptions\n'
        "httpcore.ProxyError: 407 Proxy Authentication Required",
        ("upstream", "proxy wants a login", "far"),
    ),
    "a model that Bedrock does not know": (
        REQUEST + 'litellm.BadRequestError: BedrockException - {"message":"The provided model identifier is invalid."}'
        ". Received Model Group=far",
        ("upstream", "404 not found", "far"),
    ),
    "a worker of gunicorn that finds the disk full": (
        "[2026-11-28 10:00:00 +0000] [1] [ERROR] Exception in worker process\nTraceback (most recent call last):\n"
        '  File "/app/gunicorn/arbiter.py", line 608, in spawn_worker\n    worker.init_process()\n'
        "OSError: [Errno 28] No space left on device\n"
        "[2026-11-28 10:00:01 +0000] [1] [ERROR] Shutting down: Master\n"
        "[2026-11-28 10:00:01 +0000] [1] [ERROR] Reason: Worker failed to boot.",
        ("machine", "disk full", ""),
    ),
    "a callback too many": (
        "08:00:01 - LiteLLM:WARNING: logging_callback_manager.py:150 - Cannot add callback - would exceed "
        "MAX_CALLBACKS limit of 30. Current callbacks: 30",
        ("side service", "callback skipped", ""),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_subject_once(kind: str) -> None:
    lines, (subject, cause, name) = KINDS[kind]
    taken = TakenLog(lines)
    told = {(one.subject, one.cause, one.name if one.kind in ("part", "group") else "") for one in taken.failures()}
    told -= {("start-up", "start did not complete", ""), ("", "start did not complete", "")}
    assert {one[:2] for one in told} == {(subject, cause)}
    assert not name or {one[2] for one in told} == {name}
    assert taken.log().unknown == 0


def test_a_part_that_failed_by_itself_is_not_said_to_be_away() -> None:
    """Only what the network says is answered by a look whether it runs."""
    for subject in ("database", "side service", "mcp", "cache"):
        assert "runs" not in explain_cause("cannot pickle '_thread.RLock' object", subject).do
        assert "runs" in explain_cause("timeout", subject).do


def test_a_worker_that_timed_out_and_was_ended_is_one_event() -> None:
    taken = TakenLog("""\
[2026-12-05 09:11:52 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:973)
[2026-12-05 09:11:55 +0000] [1] [ERROR] Worker (pid:973) was sent code 134!
[2026-12-05 09:11:55 +0000] [1201] [INFO] Booting worker with pid: 1201""")
    taken.failures()
    found = find_incidents(taken.intake.incidents.failures(LATER), diagnose(Snapshot(NOW), NOW), LATER)
    assert [(one.failure_of, one.cause, one.also) for one in found] == [
        ("worker", "worker timeout", ("worker died, 1 time",))
    ]


def test_lines_of_several_pods_as_stern_shows_them() -> None:
    taken = TakenLog([
        "gateway-6b795d5f77-xs2dr litellm 05:30:59 - LiteLLM:ERROR: langfuse.py:3 - Langfuse Layer Error(): no",
        "gateway-6b795d5f77-q9zlk litellm INFO:     10.0.0.1:4000 - \"GET /health/liveliness HTTP/1.1\" 200 OK",
        "gateway-6b795d5f77-xs2dr litellm Giving up execute_task_with_backoff(...) after 3 tries (httpx.ConnectError: "
        "[Errno -2] Name or service not known)",
    ])  # fmt: skip
    assert taken.log().unknown == 0
    assert {one.subject for one in taken.failures()} == {"side service"}
    assert {record.service for record in taken.records} == {
        "gateway-6b795d5f77-xs2dr/litellm", "gateway-6b795d5f77-q9zlk/litellm",
    }  # fmt: skip
