"""Whose failure a line of a file of many parts is: the store that it names, who asks, or nobody that is known."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.analysis.failures.places import reported
from litellm_tui.analysis.failures.store_words import failed_store
from litellm_tui.logs.failure_line import failure_heading

STORES = {
    "Guardrail usage tracking: metrics upsert failed for g and is not safe to retry (non-fatal): gone": "database",
    "Failed to read BYOM submitted MCP servers from database: timeout": "database",
    "background_health_check_db_save_incomplete released the window lock so another pod can retry": "database",
    "Error initializing semantic filter settings from DB: 'NoneType' object is not iterable": "database",
    "Database unavailable during request: x": "database",
    "_update_llm_router: DB model fetch returned None (transient failure). Skipping": "database",
    "Error getting LiteLLM_SpendLogs row count: x": "database",
    "RedisDistributedLock.acquire failed: x": "cache",
    "Spend tracking - failed to park 12 spend log rows in Redis. Error: x": "cache",
    "Failed to set spend counter k in Redis after reset: x; so the next read reseeds from the DB": "cache",
    "Spend was reset in the database, but Redis is unreachable and still holds the counter": "cache",
    "Could not read coordination_redis from the database: x": "database",
    # nothing failed, or it is not said which
    "PANW Prisma AIRS scan failed: x": "",
    "Default end user budget not found in database: free": "",
    "rejecting request: spend could not be verified against Redis or the database": "",
    "Running 4 workers but Redis is not configured. Failed sign-in attempts are counted per worker": "",
    "Ignoring invalid general_settings.request_tag_mappings from the DB": "",
    "Request error tracking - re-queued 3 uncommitted rows to Redis": "",
    "Could not restore previously served deployment m (id=1) after the failed upsert: x": "",
}
LINES = {
    ("proxy_server.py", "litellm.proxy.proxy_server.py::ProxyConfig:_init_policies_in_db - gone"): "database",
    ("usage_tracking.py", "Guardrail usage tracking: rows upsert failed for k after 3 retries: gone"): "database",
    ("mcp_server_manager.py", "Failed to get tools from server files: gone"): "mcp",
    ("mcp_server_manager.py", "Failed to reload: Can't reach database server at `pg`:`5432`"): "database",
    ("redis_distributed_lock.py", "RedisDistributedLock.extend failed: gone"): "cache",
    ("proxy_server.py", "Error flushing Langfuse export channels on shutdown: gone"): "side service",
    ("proxy_server.py", "Password migration skipped: gone"): "database",
    (
        "spend_logs_partition_manager.py",
        "Invalid SPEND_LOG_PARTITION_INTERVAL 'hour', falling back to 'day'.",
    ): "gateway",
    ("spend_logs_partition_manager.py", "Could not determine if t is partitioned, assuming it is not: x"): "database",
    ("lar1_routing.py", "[LAR-1] Invalid lar1 metadata type: list. Using defaults"): "caller",
    # whatever the request met
    ("proxy_server.py", "litellm.proxy.proxy_server.get_assistants(): Exception occured - gone"): "",
    ("proxy_server.py", "Unhandled exception in request: gone"): "",
    ("common_request_processing.py", "Error consuming first chunk from generator: gone"): "",
    (
        "common_request_processing.py",
        "Error consuming first chunk from generator: OpenAIException - Connection error.",
    ): ("upstream"),
    ("gateway_dcr_flow.py", "mcp_gateway_dcr introspect rejected: no master_key configured"): "gateway",
}
REQUEST = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - "
ANSWERS = {
    "401: Invalid or expired credential": "caller",
    "401: login_required": "caller",
    "404: No MCP server, toolset, or access group in 'x' resolved to a known target": "caller",
    "404: Tool 'sum' not found": "caller",
    "403: Key not allowed to access search tool: web": "gateway",
    "400: no such thing here": "gateway",
    "503: JWT Key Mapping: AUTO_REGISTER race resolution failed, retry the request": "gateway",
    "500: Server misconfigured: no database connection": "database",
    "503: {'error': 'Spend was reset in the database, but Redis is unreachable'}": "cache",
}


@pytest.mark.parametrize("text", STORES)
def test_a_store_is_named_by_the_words_that_say_it_failed(text: str) -> None:
    assert failed_store(text) == STORES[text]


@pytest.mark.parametrize(("file", "text"), LINES)
def test_a_line_of_a_file_of_many_parts_is_about_what_it_names(file: str, text: str) -> None:
    assert name_cause(text, reported(text, f"{file}:1")).subject == LINES[file, text]


@pytest.mark.parametrize("words", ANSWERS)
def test_an_answer_is_the_callers_or_the_gateways_by_its_status(words: str) -> None:
    heading = failure_heading(REQUEST + words, "proxy", "common_request_processing.py:1")
    assert name_cause(heading.error, heading.where).subject == ANSWERS[words]
