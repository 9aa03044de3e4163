"""Where a failure is reported, and whose failure it is by the place in LiteLLM's source that writes or raises it.

Places are paths below LiteLLM's package folder; their names have been the same since 1.70 at least.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from litellm_tui.analysis.failures.litellm_files import FILES
from litellm_tui.analysis.failures.side_services import begins_with_a_service
from litellm_tui.analysis.failures.store_words import failed_store
from litellm_tui.model.traffic import Subject

Reporter = Literal["check of the key", "request", "router", "other"]


class Reported(NamedTuple):
    """Who reports a failure, and whose failure it is where the place alone says so.

    `file` is the reporting file of LiteLLM, `frame` the path of the last of LiteLLM's own files in a traceback.
    """

    by: Reporter = "other"
    subject: Subject = ""
    file: str = ""
    frame: str = ""


# 1.77.7 reports a failed request in the function of its route; later versions do so in the first of these
_HANDLED: Final = (
    "_handle_llm_api_exception()",
    *(
        f"proxy_server.{route}()"
        for route in (
            "completion", "chat_completion", "embeddings", "moderations", "image_generation", "anthropic_response",
            "rerank", "audio_speech", "audio_transcription", "create_batch", "retrieve_batch",
        )
    ),
)  # fmt: skip
_REQUEST: Final = (*_HANDLED, "async_data_generator()")
_ROUTER: Final = ("async_function_with_fallbacks()", "Fallback also failed")
_AUTH: Final = ("user_api_key_auth()", "auth_exception_handler.py")

# in the order in which they are looked for in a path
FOLDERS: Final[tuple[tuple[str, Subject], ...]] = (
    # the gateway's own check of who asks for MCP servers, and its own sign-in for them
    ("user_api_key_auth_mcp.py", "gateway"),
    ("gateway_dcr_flow.py", "gateway"),
    ("byok_oauth_endpoints.py", "gateway"),
    ("mcp_server/", "mcp"),
    ("mcp_client/", "mcp"),
    ("mcp_semantic_filter/", "gateway"),
    ("mcp_management_endpoints", "mcp"),
    ("guardrail_hooks/presidio.py", "side service"),
    ("guardrail_hooks/", "gateway"),
    # it writes what guardrails did into the database
    ("guardrails/usage_tracking.py", "database"),
    ("proxy/guardrails/", "gateway"),
    ("proxy/policy_engine/", "gateway"),
    ("caching/", "cache"),
    ("_redis", "cache"),
    # hooks of the request itself
    ("integrations/custom_guardrail", "gateway"),
    ("integrations/anthropic_cache_control_hook", "gateway"),
    ("_interception/", "gateway"),
    ("integrations/dotprompt/", "gateway"),
    # what they report is read from the database first
    ("integrations/focus/database.py", "database"),
    ("integrations/cloudzero/database.py", "database"),
    ("integrations/", "side service"),
    ("litellm_logging.py", "side service"),
    ("logging_worker.py", "side service"),
    ("_service_logger.py", "side service"),
    ("proxy/spend_tracking/", "side service"),
    ("proxy/hooks/proxy_track_cost_callback.py", "side service"),
    ("ui_sso.py", "side service"),
    ("proxy/auth/handle_jwt.py", "caller"),
    ("proxy/auth/oauth2_check.py", "caller"),
    ("proxy/db/", "database"),
    ("proxy/prisma_migration.py", "database"),
    ("litellm_proxy_extras", "database"),
    ("encrypt_decrypt_utils.py", "database"),
    ("types_utils/", "start-up"),
    ("proxy/proxy_cli.py", "start-up"),
    ("proxy/hooks/", "gateway"),
    ("proxy/auth/", "gateway"),
    ("proxy/route_llm_request.py", "gateway"),
    ("proxy/litellm_pre_call_utils.py", "gateway"),
    ("proxy/common_request_processing.py", "gateway"),
    ("router_strategy/", "gateway"),
    ("router_utils/", "gateway"),
    ("router.py", "gateway"),
    # since 1.109
    ("router_core.py", "gateway"),
    ("router_python_core.py", "gateway"),
    ("router_api.py", "gateway"),
    ("router_host.py", "gateway"),
    ("router_python_host.py", "gateway"),
    ("router_rust.py", "gateway"),
    ("router_attempt.py", "gateway"),
    ("router_config.py", "gateway"),
    ("llms/", "upstream"),
    ("secret_managers/", "side service"),
    ("proxy/proxy_server.py", "gateway"),
    ("proxy/utils.py", "gateway"),
)
# words at the beginning of a record that name the part of LiteLLM which writes it
_BEGINNINGS: Final[tuple[tuple[str, Subject], ...]] = (
    ("litellm redis", "cache"),
    ("redis circuit breaker", "cache"),
    ("redis connection", "cache"),
    ("redis cluster", "cache"),
    ("error connecting to async redis", "cache"),
    ("error connecting to sync redis", "cache"),
    ("got exception from redis", "cache"),
    ("s3 caching", "cache"),
    ("gcs caching", "cache"),
    ("litellm cache", "cache"),
    ("cache health check failed", "cache"),
    ("litellm prisma client", "database"),
    ("prisma", "database"),
    ("error updating prisma", "database"),
    ("failed to import prisma", "database"),
    ("mcp", "mcp"),
    ("failed to get tools from server", "mcp"),
    ("failed to list tools from server", "mcp"),
    ("error getting tools from server", "mcp"),
    ("timeout while listing tools", "mcp"),
    ("task cancelled while listing tools", "mcp"),
    ("connection error while listing tools", "mcp"),
    ("error listing tools from", "mcp"),
    ("client operation failed for", "mcp"),
    ("skipping mcp server", "mcp"),
    ("litellm.loggingerror", "side service"),
    ("litellm.proxy.proxy_server.py::proxyconfig", "database"),
    ("spend tracking", "database"),
    ("spend view", "database"),
    ("gave up creating the spend views", "database"),
    ("attempting prisma", "database"),
    ("error updating daily", "database"),
    ("error saving health check", "database"),
    ("error getting health check", "database"),
    ("database_url", "database"),
    # what these read lies in the database
    ("password migration skipped", "database"),
    ("heuristic-v1 tuning baseline", "database"),
    ("legacy agent grant id migration", "database"),
    ("failed to backfill budget_reset_at", "database"),
    ("skipping cold spend counter seed", "database"),
    ("adaptive_router flusher", "database"),
    ("semantic filter init failed", "gateway"),
    ("semantic tool filter hook", "gateway"),
    ("error handling toolset mcp", "mcp"),
    ("error handling dynamic mcp", "mcp"),
    ("error when loading keys from azure key vault", "side service"),
    ("failed to register vantagelogger", "side service"),
    ("policy engine", "gateway"),
    ("policy '", "gateway"),
    ("policies with", "gateway"),
    ("guardrail '", "gateway"),
    ("[non-blocking]", "side service"),
    ("giving up execute_task_with_backoff", "side service"),
    ("error uploading: ", "side service"),
    ("unauthorized. please check your public/private host", "side service"),
    ("cannot add callback", "side service"),
    ("[non-blocking error] error initializing custom logger", "side service"),
    ("error sending alert", "side service"),
    ("auto-router baseline", "database"),
    ("oauth2 client_credentials", "mcp"),
    ("zerobus:", "side service"),
    ("ternary export:", "side service"),
    ("invalid ternary_", "side service"),
    ("excluded_services", "side service"),
    ("exporter already shutdown", "side service"),
    ("an error occurred while sending the email", "side service"),
    ("google oidc token", "side service"),
    ("secret reference ", "side service"),
    ("azure oidc provider failed", "side service"),
    ("websearchinterception:", "gateway"),
    ("codeinterpreterinterception:", "gateway"),
    ("microsoft agent 365", "gateway"),
    ("llm_as_a_judge", "gateway"),
    ("policy pipelines", "gateway"),
    ("sensitivedatarouteexception", "gateway"),
    ("error in post_call_response_headers_hook", "gateway"),
    # what a guardrail made of the arguments of a tool
    ("error parsing modified arguments", "gateway"),
    ("could not find 'arguments:'", "gateway"),
    ("error extracting modified arguments", "gateway"),
    ("error in manual argument parsing", "gateway"),
    ("escalating to heavy reconnect", "database"),
    ("shutdown stopped waiting for an in-flight db", "database"),
    # of a health check that is kept in the database
    ("invalid response_time_ms value", "database"),
    ("failed to clean details json", "database"),
    # the secret manager did not give a value
    ("defaulting to os.environ value", "side service"),
)
_FRAME: Final = re.compile(r'File "[^"\n]{0,400}?/litellm/([\w/.-]{1,200})", line')
# characters in which the name of the cache is looked for
_REDIS_WITHIN: Final = 400
# what exporters of traces and clients of side services write in words of their own
_SIDE: Final = (
    "while exporting", "failed to export", "exporting span", "langfuse", "opentelemetry", "slack alert", "datadog",
    "langsmith", "presidio",
)  # fmt: skip
_MCP: Final = ("while listing tools from", "mcp server")
_REDIS: Final = (
    "redis:", "with redis", "to redis", "from redis", "in redis", "redis client", "redis failed", "redis error",
    "redis connection", "redis cache", "redis pipeline", "redis command",
    # auth_checks.py and proxy_server.py, of what they keep there of keys, teams and spend
    "invalidate cached", "invalidate internal usage cache", "evict cached", "spend in cache", "to cache registry",
    "read cached spend", "to router cache",
)  # fmt: skip
_HTTP: Final = re.compile(r"([1-5][0-9]{2}): ")
# clients of parts that LiteLLM uses, by their folders in a traceback
_CLIENTS: Final[tuple[tuple[str, Subject], ...]] = (
    ("/prisma/", "database"),
    ("/redis/", "cache"),
    ("/rediscluster/", "cache"),
    ("/mcp/client/", "mcp"),
    ("/types_utils/utils.py", "start-up"),
)
# functions that run only while LiteLLM starts
_STARTING: Final = (
    ", in lifespan",
    "in proxy_startup_event",
    "in load_config",
    "in initialize",
    "proxy_cli.py",
    "in run_server",
    '/bin/litellm", line',
)
# the same functions also run what LiteLLM does at its end
_ENDING: Final = ("in proxy_shutdown_event", "in shutdown")
# in whose files LiteLLM also reads and writes the database and Redis
_OF_MANY_PARTS: Final[tuple[Subject, ...]] = ("", "gateway", "mcp", "side service", "database")
# files whose name says less than the beginning of a line
_MANY_PARTS: Final = ("proxy_server.py", "common_request_processing.py", "router.py", "router_python_core.py")
_SETTING: Final = re.compile(
    r"(?:ignoring )?invalid [\w.]{1,80} .{0,200}(?:falling back|ignor|using )|"
    r"[\w.-]{1,80} must be .{1,80}, using default"
)
# what a caller sent along is not as LiteLLM reads it
_OF_A_REQUEST: Final = ("[lar-1] invalid lar1 metadata",)
# what a setting of the gateway's, wherever it lies, keeps it from
_OF_THE_GATEWAY: Final = ("skipping guardrail", "openssl fips")
# of these lines the error alone says what failed
_ANY_FAILURE: Final = (
    "(): exception occured", "(): exception occurred", "unhandled exception in request", "error consuming first chunk",
    "reporting a late failure", "while reporting a failure", "stream after a client disconnect",
    "request failed after its sse keepalive", "guarded event stream failed", "stream failure hook raised",
    "silent experiment failed",
)  # fmt: skip
# the router's own line about an attempt that failed
_ATTEMPT: Final = re.compile(r"litellm\.a?\w{1,60}\(model=[^()]{0,100}\)(?:\x1b\[31m)? {0,2}exception ")
_MCP_SERVER: Final = re.compile(
    r"(?:(?:MCP )?[Ss]erver(?: name)?[:=]? ?|listing tools from |operation failed for )'?([\w.-]{1,80})"
)


class TraceMark(NamedTuple):
    """What the frames of a traceback, or one of its lines, say: whose client failed, in which file, and when."""

    subject: Subject = ""
    frame: str = ""
    starting: bool = False
    ending: bool = False

    def joined(self, later: TraceMark) -> TraceMark:
        """Both together; of two files the later one counts."""
        return TraceMark(
            self.subject or later.subject,
            later.frame or self.frame,
            self.starting or later.starting,
            self.ending or later.ending,
        )


NO_MARK: Final = TraceMark()


def trace_mark(trace: str) -> TraceMark:
    """The mark of a traceback, or of one of its lines."""
    if 'File "' not in trace:
        return NO_MARK
    subject: Subject = next((subject for folder, subject in _CLIENTS if folder in trace), "")
    starting, ending = (any(word in trace for word in words) for words in (_STARTING, _ENDING))
    return TraceMark(subject, frame_of(trace), starting, ending)


def subject_of_path(path: str) -> Subject:
    """Whose failure it is that LiteLLM writes or raises in this file; empty for a file of many parts."""
    return next((subject for part, subject in FOLDERS if part in path), "")


def subject_of_file(name: str) -> Subject:
    """The same by a file's name alone."""
    return FILES.get(name, "")


def frame_of(trace: str) -> str:
    """The path, below LiteLLM's folder, of the last of LiteLLM's own files in a traceback; or one of its lines."""
    found = ""
    for match in _FRAME.finditer(trace):
        found = match[1]
    return found


def mcp_server_named(text: str) -> str:
    """The name of the MCP server that a text is about; empty where it names none."""
    found = _MCP_SERVER.search(text, 0, 1000)
    return found[1] if found and found[1] not in ("is", "not", "has", "may", "url", "tool", "list", "must") else ""


def reports_a_request(text: str, *, stream: bool = True) -> bool:
    """Whether this beginning of a record reports a request that failed; `stream` includes streams that broke."""
    head = text[:200]
    return any(word in head for word in (_REQUEST if stream else _HANDLED))


def is_http_exception(words: str) -> bool:
    """Whether the words are those of an HTTPException that LiteLLM itself raised: `400: …`."""
    return http_status(words) > 0


def http_status(words: str) -> int:
    """The status of an HTTPException in its words, such as 404 of `404: Model … not found`; 0 for another error."""
    found = _HTTP.match(words)
    return int(found[1]) if found else 0


def reported(text: str, file: str = "", mark: TraceMark = NO_MARK) -> Reported:
    """Where this record comes from: by its beginning, the reporting file (`utils.py:12`) and its trace."""
    file = file.partition(":")[0]
    head, frame = text[:200], mark.frame
    if mark.starting and not mark.ending and mark.subject in ("", "start-up"):
        return Reported("other", "start-up", file, frame)
    if mark.subject:
        return Reported("other", mark.subject, file, frame)
    if file == "auth_exception_handler.py" or any(word in head for word in _AUTH):
        return Reported("check of the key", subject_of_path(frame), file, frame)
    if any(word in head for word in _REQUEST):
        return Reported("request", subject_of_path(frame), file, frame)
    if any(word in head for word in _ROUTER):
        return Reported("router", "", file, frame)
    lowered = head.lower()
    subject = subject_of_file(file)
    if any(form in lowered for form in _OF_THE_GATEWAY):
        return Reported("other", "gateway", file, frame)
    if subject in _OF_MANY_PARTS and (store := failed_store(text)):
        return Reported("other", store, file, frame)
    if subject == "database" and _SETTING.match(lowered):
        # what is wrong is a setting, which LiteLLM goes on without
        return Reported("other", "gateway", file, frame)
    if lowered.startswith(_OF_A_REQUEST):
        return Reported("other", "caller", file, frame)
    if not subject or file in _MANY_PARTS:
        subject = next((subject for word, subject in _BEGINNINGS if lowered.startswith(word)), subject)
    if file in _MANY_PARTS and (_ATTEMPT.match(lowered) or any(form in lowered for form in _ANY_FAILURE)):
        # whatever the request or the stream met
        return Reported("other", subject_of_path(frame), "", frame)
    if file in _MANY_PARTS and any(form in lowered for form in _SIDE):
        subject = "side service"
    if not subject and begins_with_a_service(lowered):
        subject = "side service"
    if not subject and any(form in lowered for form in _MCP):
        subject = "mcp"
    if not subject and any(form in lowered for form in _SIDE):
        subject = "side service"
    if subject in ("", "gateway") and any(form in text[:_REDIS_WITHIN].lower() for form in _REDIS):
        subject = "cache"
    return Reported("other", subject or subject_of_path(frame), file, frame)
