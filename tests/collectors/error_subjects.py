"""Whose failure each error of LiteLLM's source is, by the place where it stands; reviewed by hand, apart from the
classifier that is held against it.

A place that holds errors of several subjects is narrowed by what the error itself says (`TELLING`), which no rule of
the classifier is made from: who names the database as what failed is about the database, whichever file says so.

An error counts as reached when a request to a model, or a start, can lead to it: endpoints for administrators, pages,
tools of developers, and the library below the proxy, whose errors a provider's exception wraps, are left out. Where a
place holds errors of several subjects, each of these is right.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.analysis.failures.places import TraceMark
from litellm_tui.collectors.litellm_source.litellm_errors import GAP, Said
from litellm_tui.logs.call_line import error_words
from litellm_tui.logs.failure_line import failure_heading
from litellm_tui.model.traffic import Subject


class Expected(NamedTuple):
    """An area of LiteLLM, and the subjects that an error there may have."""

    area: str
    subjects: frozenset[Subject]


def _row(prefix: str, area: str, *subjects: Subject) -> tuple[str, Expected]:
    return prefix, Expected(area, frozenset(subjects))


# the first prefix that a place begins with counts; what has no row is not reached
TABLE: Final[tuple[tuple[str, Expected], ...]] = (
    # the check of a key: it asks the database, the issuer of tokens, and refuses
    _row("proxy/auth/handle_jwt.py", "check of the key", "caller", "side service", "gateway", "database"),
    _row("proxy/auth/oauth2_check.py", "check of the key", "caller", "side service", "gateway"),
    _row("proxy/auth/litellm_license.py", "check of the key", "gateway", "side service"),
    _row("proxy/auth/rds_iam_token.py", "start-up", "database", "start-up", "gateway"),
    _row("proxy/auth/master_key_boot_check.py", "start-up", "start-up", "gateway"),
    _row("proxy/auth/login_throttle.py", "check of the key", "gateway", "caller", "cache"),
    _row("proxy/auth/", "check of the key", "caller", "gateway", "database", "cache"),
    # a request before and after it goes to the router
    _row("proxy/common_request_processing.py", "request", "caller", "gateway", "upstream"),
    _row("proxy/litellm_pre_call_utils.py", "request", "caller", "gateway"),
    _row("proxy/route_llm_request.py", "request", "caller", "gateway"),
    # its own limits
    _row("proxy/hooks/key_management_event_hooks.py", "", ""),
    _row("proxy/hooks/user_management_event_hooks.py", "", ""),
    _row("proxy/hooks/litellm_skills", "", ""),
    # the gateway's own choice among the tools
    _row("proxy/hooks/mcp_semantic_filter", "MCP", "gateway"),
    _row("proxy/hooks/proxy_track_cost_callback.py", "callbacks", "side service", "gateway", "database"),
    _row("proxy/hooks/batch_redis_get.py", "cache", "cache", "gateway"),
    _row("proxy/hooks/parallel_request_limiter", "limits", "gateway", "cache", "caller"),
    _row("proxy/hooks/dynamic_rate_limiter", "limits", "gateway", "cache"),
    _row("proxy/hooks/", "limits", "gateway", "caller", "cache"),
    # guardrails: they refuse, or their own service fails
    _row("proxy/guardrails/guardrail_endpoints.py", "", ""),
    _row("proxy/guardrails/usage_endpoints.py", "", ""),
    _row("proxy/guardrails/guardrail_hooks/mcp_", "guardrails", "gateway", "mcp", "caller"),
    _row("proxy/guardrails/guardrail_hooks/cisco_ai_defense/", "guardrails", "gateway", "mcp"),
    _row("proxy/guardrails/guardrail_hooks/presidio.py", "guardrails", "gateway", "side service"),
    # those that are kept in the database
    _row("proxy/guardrails/guardrail_registry.py", "guardrails", "gateway", "database"),
    _row("proxy/guardrails/usage_tracking.py", "guardrails", "database"),
    _row("proxy/guardrails/", "guardrails", "gateway"),
    _row("integrations/custom_guardrail.py", "guardrails", "gateway"),
    # router
    # since 1.109 in several files
    _row("router_core.py", "router", "gateway", "caller", "upstream", "cache"),
    _row("router_api.py", "router", "gateway", "caller", "upstream", "cache"),
    _row("router_host.py", "router", "gateway", "caller", "upstream", "cache"),
    _row("router_python_core.py", "router", "gateway", "caller", "upstream", "cache"),
    _row("router_python_host.py", "router", "gateway", "caller", "upstream", "cache"),
    _row("router_rust.py", "router", "gateway", "caller", "upstream", "cache"),
    _row("router_attempt.py", "router", "gateway", "caller", "upstream", "cache"),
    _row("router_config.py", "router", "gateway", "caller", "upstream", "cache"),
    _row("router.py", "router", "gateway", "caller", "upstream", "cache"),
    _row("router_strategy/complexity_router", "", ""),
    _row("router_strategy/adaptive_router/", "router", "gateway", "database"),
    _row("router_strategy/", "router", "gateway", "caller", "cache"),
    _row("router_utils/", "router", "gateway", "caller", "upstream", "cache"),
    # cache
    _row("caching/caching_handler.py", "cache", "cache", "caller"),
    _row("caching/", "cache", "cache", "start-up"),
    _row("_redis", "cache", "cache", "start-up"),
    # callbacks
    # a hook of the request, which refuses what a model does not take
    _row("integrations/anthropic_cache_control_hook.py", "callbacks", "gateway"),
    _row("integrations/websearch_interception/", "callbacks", "gateway"),
    _row("integrations/code_interpreter_interception/", "callbacks", "gateway"),
    # prompts in files beside the configuration
    _row("integrations/dotprompt/", "callbacks", "gateway"),
    _row("integrations/focus/database.py", "callbacks", "database"),
    _row("integrations/cloudzero/database.py", "callbacks", "database"),
    _row("integrations/", "callbacks", "side service"),
    _row("_service_logger.py", "callbacks", "side service"),
    _row("litellm_core_utils/litellm_logging.py", "callbacks", "side service"),
    # database
    _row("proxy/db/db_transaction_queue/redis_update_buffer.py", "database", "database", "cache"),
    _row("proxy/db/db_transaction_queue/pod_lock_manager.py", "database", "database", "cache"),
    _row("proxy/db/gateway_request_tracking.py", "database", "database", "cache"),
    _row("proxy/db/dynamo_db.py", "", ""),
    _row("proxy/db/", "database", "database"),
    _row("proxy/prisma_migration.py", "database", "database"),
    # MCP
    _row("proxy/_experimental/mcp_server/db.py", "MCP", "mcp", "database"),
    _row("proxy/_experimental/mcp_server/outbound_credentials/redis_", "MCP", "mcp", "cache"),
    _row("proxy/_experimental/mcp_server/", "MCP", "mcp", "caller", "gateway", "database"),
    _row("proxy/mcp_server/", "MCP", "mcp", "caller", "gateway", "database"),
    _row("experimental_mcp_client/", "MCP", "mcp"),
    _row("mcp_client/", "MCP", "mcp"),
    # start-up
    _row("proxy/proxy_cli.py", "start-up", "start-up"),
    _row("proxy/types_utils/", "start-up", "start-up"),
    _row("proxy/read_model_list.py", "start-up", "start-up"),
    # files of many parts
    _row("proxy/utils.py", "proxy", "database", "gateway", "caller", "side service", "cache", "start-up"),
    _row("proxy/proxy_server.py", "proxy", "database", "gateway", "caller", "side service", "cache", "start-up", "mcp"),
    _row("secret_managers/", "secrets", "start-up", "side service"),
    # providers
    _row("llms/custom_httpx/", "", ""),
    _row("litellm_core_utils/exception_mapping_utils.py", "providers", "upstream"),
)
# what an error says of itself, the first that matches counts; read against a sample of them by hand
_TELLING: Final[tuple[tuple[str, tuple[Subject, ...]], ...]] = (
    # either of two, or neither
    (r"redis or the database|cache or database|not found in (?:the )?(?:db|database)|from db settings|config/db|"
     r"redis is not configured",
     ("gateway", "caller", "side service", "mcp", "cache", "database")),
    (r"^invalid [\w.]+ .*(?:falling back|using )", ("gateway", "side service", "mcp", "cache", "start-up")),
    (r"lar1 metadata", ("caller",)),
    # the router's own words in a class of a provider's errors
    (r"use_in_pass_through|reserved for another team|multiple teams\. specify|team access checks", ("gateway",)),
    (r"^this is a mock exception", ("caller",)),
    # of MCP servers, and not of one
    (r"^mcp .*\blogging failed|^error logging failed mcp|^failed to log mcp", ("side service",)),
    (r"^mcp client dependencies are missing", ("gateway", "mcp")),
    (r"^(?:rejecting|rejected) mcp|^mcp oauth: rejecting|terminated by an administrator|"
     r"^mcp sampling: (?:denying|model access|route check|budget check failed|pre-call guardrail)|"
     r"^(?:guardrail violation|guardrailraisedexception|blockedpii\w+) in mcp",
     ("gateway", "caller")),
    (r"^tool \{\} not found$|invalid pagination (?:state|cursor)|prompt_id is required for", ("caller", "gateway")),
    (r"^mcp .*could not be decrypted|^mcp .*failed to decrypt|failed to persist (?:dcr|the sso)|stamp backfill: could",
     ("database",)),
    (r"^cache (?:storage|retrieval) failed|::async_set_cache_\w+\(\)|shared cache backend unavailable|"
     r"failed to (?:persist|read) scanned-message cache|(?:invalidate|reconcile) budget reservation|"
     r"^failed to invalidate .* cache|^invalidate_\w+_cache: failed",
     ("cache",)),
    (r"^error looking up (?:team|organization) by|^failed to look up|^_prefetch_user_oauth_creds|env var load failed",
     ("database",)),
    (r"skipping guardrail '|openssl fips|_key_pem (?:must|is not)|dependency is not configured|is not a string \(",
     ("gateway",)),
    (r"^path parameter '", ("caller",)),
    (r"^id-jag: the idp|^id-jag: the stored|^id-jag: \{\} idp|^sso id_token|^stored sso|^the idp identity assertion",
     ("side service",)),
    (r"could not update user \{\}|failed to store user cred|error getting access group for", ("database",)),
    (r"userinfo endpoint not configured|^no running event loop", ("gateway",)),
    (r"for smtp email", ("side service",)),
    (r"spend counter \{\} increment|spend counter increment failed|enqueued tokens failed", ("cache",)),
    (r"^oauth credential storage not authorized|rejecting every mcp client|^oauth_identity_binding audit",
     ("gateway",)),
    (r"failed to retrieve credential for user", ("database",)),
    (r"^lua compare-and-delete", ("cache",)),
    (r"^error parsing response: \{\}\. check server logs", ("side service",)),
    (r"has no persisted oauth2_flow|^oauth2 client_credentials", ("mcp",)),
    (r"parameter is required for search|decrypt state parameter|prompt_id or prompt_spec is required",
     ("caller", "gateway")),
    (r"oauth_token_info_endpoint env|audience must be provided unless", ("gateway",)),
    (r"buffered rows stay in redis", ("database",)),
    (r"^failed to send \{\} alert for mcp", ("side service",)),
    (r"\{\} must be (?:a )?positive.* got \{\}, using default|^(?:caller )?subscription limit reached",
     ("gateway",)),
    (r"^(?:failed to fetch upstream oauth|mcp upstream registration)", ("mcp",)),
    # the write to the database failed, and Redis keeps the rows
    (r"re-queued \{\} uncommitted rows|re-queuing to redis", ("database",)),
    (r"(?:failed|unable|could not|error|exception)[^:]*(?<!_)redis", ("cache", "start-up")),
    (r"(?<!_)redis\w*(?:\.\w+)? (?:re-queue |read |enqueued-token )?(?:failed|failure|refund failed|is un)",
     ("cache", "start-up")),
    (r"(?:failed|unable|could not|error|exception)[^:]*\b(?:from|to|in|into|querying) (?:the |writer )*"
     r"(?:db|database)\b",
     ("database", "start-up")),
    (r"\b(?:db|database) (?:unavailable|error|storage failed|model fetch)|db_save_incomplete",
     ("database",)),
    (r"upsert failed|no database connection|database not connected|not connected to db|prisma_client not available",
     ("database",)),
    (r"proxyconfig:_init_\w+_in_db", ("database",)),
    (r"idp rejected the subject token|invalid or expired credential|login_required", ("caller",)),
    (r"^defaulting to os\.environ value", ("side service",)),
    (r"heuristic-v1 tuning baseline unavailable|^password migration", ("database",)),
)  # fmt: skip
TELLING: Final = tuple((re.compile(words, re.IGNORECASE), subjects) for words, subjects in _TELLING)
# whatever a request met: any of them is right, and only silence or the words of its error are known to be
_ANY_ERROR: Final = re.compile(
    r"\(\): exception occur[^-]{0,20}- \{\}|^unhandled exception|consuming first chunk|while reporting a late failure|"
    r"^fallback also failed|^litellm\.a?\w+\(model=\{\}\)|stream failed mid-stream|after its sse keepalive|"
    r"stream failure hook raised|a client disconnect raised|silent experiment failed",
    re.IGNORECASE,
)
_ANY_PLACE: Final = ("proxy/proxy_server.py", "proxy/common_request_processing.py", "router", "proxy/utils.py",
    "proxy/auth/auth_exception_handler.py")  # fmt: skip
# an answer of this status says itself that the caller is at fault, unless it says what is not allowed
_CALLERS: Final = (401, 404)
_NOT_ALLOWED: Final = re.compile(
    r"not allowed|admin|role|permission|license|licence|master key|organization|enterprise|guardrail|grant|"
    r"only available|proxy root path|https proxy_base_url|no adaptive_router|does not have access|callback",
    re.IGNORECASE,
)
# exceptions that LiteLLM prints without a traceback: they answer a caller's request with 4xx
_EXPECTED: Final = (
    "HTTPException", "ProxyException", "BudgetExceededError", "RateLimitError", "BadRequestError",
    "ModelAccessDeniedProxyException", "ModelAccessDeniedHTTPException", "UnsupportedParamsError",
)  # fmt: skip
_MAPPED: Final = ("RateLimitError", "BadRequestError", "UnsupportedParamsError", "ContextWindowExceededError",
    "ServiceUnavailableError", "ContentPolicyViolationError", "Timeout", "APIConnectionError", "AuthenticationError",
    "NotFoundError", "InternalServerError", "APIError", "PermissionDeniedError", "BadGatewayError")  # fmt: skip
# what is made at a start ends it when it fails
_MADE_AT_START: Final = ("start-up", "cache", "guardrails", "callbacks", "MCP", "router", "database", "limits")
_AT_START: Final = ("start-up", "cache")
# of a guardrail these do not end it
_SKIPPED: Final = ("ValueError", "TypeError")
# of a cache, what is done for a request
_AT_REQUESTS: Final = ("_execute", "get_cache", "set_cache", "async_get", "async_set", "_convert_to", "delete_")
_INITIAL: Final = ("__init__", "initialize", "load", "_init", "init_", "setup", "validate_environment")


def expected(said: Said) -> Expected | None:
    """Whose failure it is by its place; None where neither a request nor a start leads to it."""
    found = next((row for prefix, row in TABLE if said.place.startswith(prefix)), None)
    if found is None or not found.area:
        return None
    if found.area != "start-up" and (told := _told(said)):
        # a line that only passes on another error says nothing of its own
        return None if told == {""} else found._replace(subjects=told)
    if said.how == "raised" and found.area in _MADE_AT_START and _at_start(said, found):
        return found._replace(subjects=found.subjects | {"start-up"})
    return found


def _told(said: Said) -> frozenset[Subject]:
    """The subjects that the error itself leaves, empty where it says none."""
    if said.how == "logged" and said.place.startswith(_ANY_PLACE) and _ANY_ERROR.search(said.words):
        return frozenset(("",))
    for pattern, subjects in TELLING:
        if pattern.search(said.words):
            return frozenset(subjects)
    if said.kind == "HTTPException" and said.status in _CALLERS and not _NOT_ALLOWED.search(said.words):
        return frozenset(("caller",))
    return frozenset()


def _at_start(said: Said, row: Expected) -> bool:
    if said.function.startswith(_AT_REQUESTS):
        return False
    return row.area in _AT_START or said.function.startswith(_INITIAL)


def as_reported(said: Said, *, files: bool = True) -> Subject:
    """Whose failure the console says it is, in the form in which a log has this error.

    Without `files` the log has neither the names of LiteLLM's files nor tracebacks: only words and the reporting place.
    """
    words, file = said.words.replace(GAP, "x-7"), said.place.rpartition("/")[2] if files else ""
    if said.how == "logged":
        return _judged(words, file)
    row = expected(said)
    bare = said.kind in _EXPECTED
    mark = TraceMark() if bare or not files else TraceMark("", said.place, False)
    if said.kind == "HTTPException":
        words = f"{said.status or 400}: {words}"
    elif said.kind in _MAPPED:
        words = f"litellm.{said.kind}: {words}"
    if row is not None and row.area == "check of the key":
        place = "litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - "
        return _judged(place + words, "auth_exception_handler.py", mark)
    if row is not None and row.area == "guardrails" and _at_start(said, row) and said.kind in _SKIPPED:
        # 1.106.2 goes on without a guardrail that cannot be made
        told = "Skipping guardrail 'x-7': invalid configuration, proxy is starting WITHOUT this guardrail: "
        return _judged(told + words, "init_guardrails.py" if files else "")
    if not bare and row is not None and _at_start(said, row):
        return _judged(f"{said.kind}: {words}", "", TraceMark("", said.place if files else "", True))
    place = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - "
    return _judged(place + words, "common_request_processing.py", mark)


def _judged(text: str, file: str, mark: TraceMark | None = None) -> Subject:
    heading = failure_heading(text, "proxy", f"{file}:1", mark or TraceMark())
    words = error_words(text) if heading.by_error else heading.words
    return name_cause(words, heading.where).subject
