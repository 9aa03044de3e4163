"""Faults that no LiteLLM could be brought to where these tests run, held by the lines that it writes of them.

A LiteLLM with a database cannot be started here, as Prisma fetches its engine at run time; providers' sign-in, side
services and the kernel's memory killer are others' too. The lines are those of 1.77.7 and 1.106.2, from their source
and from reports.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from litellm_tui.model.traffic import Subject

_AUTH = "litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - "
_CALL = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - "
_GROUP = "\n\nLiteLLM: model group 'fine' failed with the error above and no fallback model group was found for it"


class Held(NamedTuple):
    """One row: lines of a log, and what is to be said of them: whose failure, and its cause."""

    key: str
    title: str
    whose: Subject
    cause: str
    lines: tuple[str, ...]


def _error(text: str, level: str = "ERROR") -> str:
    return json.dumps({"message": text, "level": level, "component": "LiteLLM Proxy"})


def _answered(status: int) -> str:
    return f'INFO:     10.2.0.5:40112 - "POST /v1/chat/completions HTTP/1.1" {status} X'


def _key(key: str, title: str, whose: Subject, cause: str, words: str, status: int = 401) -> Held:
    """What the check of a key refuses."""
    return Held(key, title, whose, cause, (_error(_AUTH + words), _answered(status)))


def _provider(key: str, title: str, cause: str, words: str, status: int = 401) -> Held:
    return Held(key, title, "upstream", cause, (_error(_CALL + words + _GROUP), _answered(status)))


def _part(key: str, title: str, whose: Subject, cause: str, *lines: str) -> Held:
    return Held(key, title, whose, cause, lines)


HELD: tuple[Held, ...] = (
    _key("key-budget", "a key's budget is used up", "gateway", "key budget used up",
         "Budget has been exceeded! Key=8f2c Current cost: 10.5, Max budget: 10.0", 429),
    _key("team-budget", "a team's budget is used up", "gateway", "team budget used up",
         "Budget has been exceeded! Team=blue-1 Current cost: 21.0, Max budget: 20.0", 429),
    _key("key-rate", "a key's own rate limit is reached", "gateway", "own rate limit",
         "429: Rate limit exceeded for api_key: 8f2c. Limit type: requests. Current limit: 5, Remaining: 0", 429),
    _key("key-parallel", "a key's own limit of parallel requests is reached", "gateway", "own parallel limit",
         "429: Rate limit exceeded for api_key: 8f2c. Limit type: max_parallel_requests. Current limit: 1", 429),
    _key("key-model", "a key may not ask this model", "gateway", "model not allowed",
         "key not allowed to access model. This key can only access models=['small']. Tried to access large", 403),
    _key("key-route", "a route is for the master key only", "gateway", "route not allowed",
         "Only proxy admin can be used to generate, delete, update info for new keys/users/teams. Route=/key/generate"),
    _key("key-expired", "an expired key", "caller", "expired key",
         "Authentication Error - Expired Key. Key Expiry time 2026-01-01 00:00:00+00:00 and current time 2026-02-01"),
    _key("key-blocked", "a blocked key", "caller", "blocked key",
         "Key is blocked. Update via `/key/unblock` if you're admin."),
    _key("key-unknown", "an unknown key, with a database", "caller", "unknown key",
         "Authentication Error, Invalid proxy server token passed. Received API Key = sk-...b4c1, Key Hash (Token) "
         "=8f2c. Unable to find token in cache or `LiteLLM_VerificationTokenTable`"),
    _key("db-lost", "the database is unreachable", "database", "database unreachable",
         "Can't reach database server at `db`:`5432`", 500),
    _key("db-clients", "the database has no connection left", "database", "database out of connections",
         "FATAL: sorry, too many clients already", 500),
    _key("db-pool", "LiteLLM's pool of connections is used up", "database", "database pool timeout",
         "Timed out fetching a new connection from the connection pool. (Current connection pool timeout: 60)", 500),
    _key("db-tables", "tables of the database are missing", "database", "database tables missing",
         "The table `public.LiteLLM_VerificationToken` does not exist in the current database.", 500),
    _key("db-engine", "the database's client is lost", "database", "database client lost",
         "Client is not connected to the query engine, you must call `connect()` before attempting to query data.",
         500),
    _part("db-full", "the database's disk is full", "database", "database disk full",
          _error("Error in update_spend: ERROR: could not extend file base/16384/16399: No space left on device")),
    _provider("google", "Google does not accept the credentials", "Google credentials refused",
              "litellm.AuthenticationError: VertexAIException - ('invalid_grant: Invalid JWT Signature.', {})"),
    _provider("azure", "the Azure identity's secret has expired", "Azure credentials refused",
              "litellm.AuthenticationError: AzureException - AADSTS7000222: The provided secret keys are expired"),
    _provider("aws-expired", "temporary AWS credentials have expired", "AWS credentials refused",
              "litellm.AuthenticationError: BedrockException - The security token included in the request is expired"),
    _provider("proxy-login", "a proxy on the way to the provider wants a login", "proxy wants a login",
              "litellm.InternalServerError: OpenAIException - Tunnel connection failed: 407 Proxy Login Required",
              500),
    _part("langfuse", "Langfuse does not answer", "side service", "side service unreachable",
          _error("Langfuse Layer Error(): Exception occured - Connection error: HTTPSConnectionPool(host='lf')")),
    _part("presidio", "Presidio does not answer", "side service", "Presidio unreachable",
          _error(_CALL + "500: Cannot connect to host presidio-analyzer:5002 ssl:default [Connect call failed]"),
          _answered(500)),
    _part("worker-timeout", "gunicorn ends a worker that hangs", "worker", "worker timeout",
          "[2026-03-01 10:00:00 +0000] [7] [CRITICAL] WORKER TIMEOUT (pid:21)"),
    _part("worker-killed", "a worker is killed for memory", "worker", "worker killed",
          "[2026-03-01 10:00:00 +0000] [7] [ERROR] Worker (pid:21) was sent SIGKILL! Perhaps out of memory?"),
    _part("disk", "the machine's disk is full", "machine", "disk full",
          _error(_CALL + "[Errno 28] No space left on device"), _answered(500)),
    _part("files", "LiteLLM has no file descriptor left", "machine", "too many open files",
          _error(_CALL + "[Errno 24] Too many open files"), _answered(500)),
)  # fmt: skip
