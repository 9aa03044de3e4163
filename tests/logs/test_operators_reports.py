"""What operators reported of their gateways, and what LiteLLM's files for MCP servers say of other parts."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.failures.incidents import find_incidents
from litellm_tui.analysis.failures.mcp_words import whose_of_mcp
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Subject
from tests.logs.made import LATER, NOW, TakenLog

HANDLED = (
    "06:12:13 - LiteLLM Proxy:ERROR: common_request_processing.py:1401 - "
    "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - "
)
START = (
    "INFO:     Started server process [1]\nINFO:     Waiting for application startup.\n"
    'ERROR:    Traceback (most recent call last):\n  File "/app/litellm/proxy/proxy_server.py", line 2500, in '
    "proxy_startup_event\n    await initialize(**worker_config)\n"
)
ENDED = "\n\nERROR:    Application startup failed. Exiting."
DENIED = 'INFO:     10.4.0.9:4011 - "POST /v1/chat/completions HTTP/1.1" 400 Bad Request'

# each with whose failure it is, and a cause where the evidence names one
REPORTS = {
    "Presidio's address leads to a web page": (
        f"{HANDLED}404, message='Attempt to decode JSON with unexpected mimetype: text/html', url='http://pii/analyze'\n"
        'Traceback (most recent call last):\n  File "/app/litellm/proxy/guardrails/guardrail_hooks/presidio.py", '
        "line 301, in analyze_text\n    results = await response.json()",
        ("side service", None),
    ),
    "Presidio fails, and requests are passed on": (
        "06:12:13 - LiteLLM Proxy:WARNING: presidio.py:351 - Presidio analyzer HTTP 500, returning empty list",
        ("side service", "Presidio fails, passed on"),
    ),
    "a guardrail's mode that this release has not": (
        f'{START}  File "/app/litellm/integrations/custom_guardrail.py", line 210, in _validate_event_hook\n'
        f"ValueError: Event hook GuardrailEventHooks.x is not in the supported event hooks []{ENDED}",
        ("start-up", None),
    ),
    "settings of JWT that do not exist": (
        f'{START}  File "/app/litellm/proxy/_types.py", line 4001, in __init__\n'
        f"ValueError: Invalid arguments provided: audience. Allowed arguments are: team_id_jwt_field{ENDED}",
        ("start-up", None),
    ),
    "a dependency that went on without LiteLLM": (
        'Traceback (most recent call last):\n  File "/opt/v/lib/python3.11/site-packages/litellm/proxy/proxy_cli.py", '
        "line 530, in run_server\n    from .proxy_server import (\nImportError: cannot import name 'get_flat' from "
        "'fastapi.dependencies.utils' (/opt/v/lib/python3.11/site-packages/fastapi/dependencies/utils.py)\n\nDuring "
        "handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File "
        '"/opt/v/bin/litellm", line 8, in <module>\nModuleNotFoundError: No module named \'proxy_server\'',
        ("start-up", "package of another version"),
    ),
    "a query engine that died long ago": (
        "06:12:13 - LiteLLM Proxy:ERROR: utils.py:4197 - Prisma DB reconnect failed (1606 consecutive). reason=dog "
        "error=Client is not connected to the query engine, you must call `connect()` before attempting to query data.",
        ("database", "database client lost"),
    ),
    "a team over its own limit": (
        f"{HANDLED}429: LiteLLM Rate Limit Handler for rate limit type = team. Crossed TPM / RPM / Max Parallel "
        "Request Limit. current rpm: 1, rpm limit: 15",
        ("gateway", "own rate limit"),
    ),
    "traces that go to a name nobody knows": (
        "06:12:13 - LiteLLM:ERROR: langfuse.py:90 - error uploading: [Errno -2] Name or service not known",
        ("side service", "side service unreachable"),
    ),
    "a sign-in whose token is none": (
        "06:12:13 - LiteLLM Proxy:ERROR: ui_sso.py:391 - Error verifying and processing generic SSO: Not enough "
        'segments. Passed in headers: {}\nINFO:     10.4.0.9:4011 - "GET /sso/callback HTTP/1.1" 500 Internal Server '
        "Error",
        ("side service", "token not readable"),
    ),
    "a name that is no model's": (
        f"{HANDLED}litellm.BadRequestError: You passed in model=azure_ai/x. There is no 'model_name' with this string "
        f". Received Model Group=azure_ai/x\n{DENIED}",
        ("caller", "no such group"),
    ),
    "a deployment that is not open to what is passed on": (
        f"{HANDLED}litellm.BadRequestError: Deployment d-1 does not support pass-through endpoint "
        f"(use_in_pass_through=False)\n{DENIED}",
        ("gateway", "no pass-through"),
    ),
    "a body that the route does not take": (
        f"{HANDLED}400: Only S256 code_challenge_method is supported\n{DENIED}",
        ("caller", "bad request"),
    ),
}  # fmt: skip

LINES: dict[str, Subject] = {
    "MCP tool call logging failed (continuing): x": "side service",
    "invalidate_toolset_cache: failed to evict in-memory entries: x": "cache",
    "register_client_with_server: failed to persist DCR client registration for server_id=a: x": "database",
    "MCP issuer stamp backfill: could not heal server_id=a: x": "database",
    "Rejecting MCP request: session 'a' owner mismatch.": "gateway",
    "MCP sampling: pre-call guardrail rejected request: x": "gateway",
    "general_settings.allowed is not a string (7); ignoring it": "gateway",
    "ID-JAG: the IdP at https://a refused to exchange the login assertion": "side service",
    "Tool get_time not found": "caller",
    # these are a server's
    "Error listing tools from clock: UnsupportedProtocol": "",
    "MCP client operation failed for clock: x": "",
    "Failed to get tools from server clock: x": "",
    "All connection attempts failed": "",
}


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_of_an_operator_has_its_subject(report: str) -> None:
    text, (whose, cause) = REPORTS[report]
    taken = TakenLog(text)
    taken.failures()
    found = find_incidents(
        taken.intake.incidents.failures(LATER),
        diagnose(Snapshot(NOW), NOW),
        LATER,
        traffic=taken.traffic.traffic(LATER, taken.store.get),
    )
    assert {one.failure_of for one in found} == {whose}
    if cause:
        assert [one.cause for one in found] == [cause]
    # no line is said to be missing where it stands
    assert not [one for one in found if "no line says why" in one.cause]


@pytest.mark.parametrize("line", LINES)
def test_whose_a_line_of_the_files_for_mcp_servers_is(line: str) -> None:
    assert whose_of_mcp(line, logged=True) == LINES[line]


def test_what_was_raised_there_in_any_words_stays_the_servers() -> None:
    assert whose_of_mcp("something else went wrong", logged=False) == ""
