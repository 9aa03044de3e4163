"""The cause of an error text, and whose failure it is: LiteLLM's own words first, then a provider's and the network's.

A cause of an upstream is named only for the error of a provider's client. Where the evidence names no cause, none is
named, and LiteLLM's own words stand.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from litellm_tui.analysis.failures.cause import Cause, WordRule, first_cause
from litellm_tui.analysis.failures.database_causes import DATABASE_RULES
from litellm_tui.analysis.failures.gateway_causes import (
    AUTH_RULES,
    CALLER_RULES,
    GATEWAY_RULES,
    HASH_RULES,
    NO_WORDS,
    REFUSED_BODY_RULES,
    REQUEST_RULES,
)
from litellm_tui.analysis.failures.mcp_words import whose_of_mcp
from litellm_tui.analysis.failures.part_causes import (
    CACHE_RULES,
    ISSUER_RULES,
    MACHINE_RULES,
    MCP_RULES,
    PROCESS_RULES,
    SIDE_RULES,
    START_ENDED_RULES,
    START_RULES,
    SWITCH_RULES,
)
from litellm_tui.analysis.failures.places import Reported, http_status, is_http_exception
from litellm_tui.analysis.failures.store_words import failed_store
from litellm_tui.analysis.failures.upstream_causes import PATTERNS, PROVIDER_RULES
from litellm_tui.analysis.phrases import shortened
from litellm_tui.model.traffic import Subject

__all__ = ["Cause"]

_COMPILED: Final = tuple((re.compile(pattern, re.IGNORECASE), cause) for pattern, cause in PATTERNS)
# what a stack trace may add when its first line says only "Connection error."; the rest of a trace is code, not cause
_NETWORK: Final = (
    *((re.compile("407 Proxy Authentication Required|Tunnel connection failed: 407"), rule.cause)
      for rule in PROVIDER_RULES if rule.cause.name == "proxy wants a login"),
    *_COMPILED[1:5],
)  # fmt: skip
_COOLING: Final = _COMPILED[5]
UNNAMED: Final = "failing"
_UNKNOWN: Final = Cause(UNNAMED, "read the whole error in the detail (Enter)", "")
# what aiohttp puts into a refused connection's message
_NOISE: Final = re.compile(r" ssl:<[^<>]*>| \[Connect call failed [^\[\]]*\]")
_WRAPPER: Final = re.compile(
    r"(?:litellm\.)?(?:\w{1,100}\.){0,20}\w{0,100}(?:Error|Exception|Timeout): |\w{1,100}Exception - "
)
# of a longer line the beginning says what it is about
_FIRST_WORDS_WITHIN: Final = 4000
# LiteLLM's own words come first in an error; further down stands what callers and providers sent
_OWN_WITHIN: Final = 700
_PROVIDER_WITHIN: Final = 3000
# how LiteLLM names the error of a provider's client: `OpenAIException - …`, `AzureException BadRequestError - …`
_PROVIDER: Final = re.compile(
    r"(?<![\w.])(?!HTTPException|ProxyException)[A-Z]\w{1,60}"
    r"(?:Exception(?: \w{1,60}){0,3}| APIConnectionError|APIError) ?[-:] |APITimeoutError - |AnthropicError - "
)
_MAPPED: Final = re.compile(
    r"(?:litellm\.(?:exceptions\.)?|openai\.)(?:\w{1,60}Error|Timeout|\w{1,60}Exception)\b|MidStreamFallbackError"
)
_PART_RULES: Final[dict[Subject, tuple[WordRule, ...]]] = {
    "database": DATABASE_RULES,
    "cache": CACHE_RULES,
    "side service": SIDE_RULES,
    "mcp": MCP_RULES,
    "start-up": (*DATABASE_RULES, *START_ENDED_RULES, *START_RULES, *MACHINE_RULES),
    "worker": PROCESS_RULES,
}
# parts that ask the database too, and its causes in words that no other program writes
_USES_THE_DATABASE: Final[tuple[Subject, ...]] = ("mcp", "side service")
_OF_THE_DATABASE: Final = tuple(rule for rule in DATABASE_RULES if rule.cause.name not in (
    "database disk full", "database read-only", "database deadlock", "salt key changed"))  # fmt: skip
# in whose words a network's failure may be told without a provider, and the next step for each
PARTS_DO: Final[dict[Subject, str]] = {
    "cache": "see whether Redis runs at the host and port of cache_params",
    "database": "see whether Postgres runs and answers at the host and port of DATABASE_URL",
    "mcp": "see whether it runs and answers at the url in mcp_servers",
    "side service": "see whether it runs at the address in its variables, and whether this machine reaches it",
}
PARTS_MEAN: Final[dict[Subject, str]] = {
    "cache": "LiteLLM cannot use its cache; requests go on without it",
    "database": "LiteLLM cannot use its database: keys, budgets and spend are not known",
    "mcp": "LiteLLM cannot use an MCP server",
    "side service": "LiteLLM cannot use a service beside it; requests go on where it only records",
}
_ELSEWHERE: Final[tuple[tuple[WordRule, ...], ...]] = (
    SWITCH_RULES,
    HASH_RULES,
    START_ENDED_RULES,
    ISSUER_RULES,
    DATABASE_RULES,
    GATEWAY_RULES,
    CALLER_RULES,
    MACHINE_RULES,
    PROCESS_RULES,
)
# what may be raised as a provider's error would be: routes are refused before that
_RAISED_AS_MAPPED: Final = tuple(rule for rule in GATEWAY_RULES if rule.cause.name != "route not allowed")
# files of LiteLLM that look at a request before any model is asked
_BEFORE_THE_CALL: Final = (
    "proxy/common_request_processing.py", "proxy/litellm_pre_call_utils.py", "proxy/route_llm_request.py",
)  # fmt: skip
# the caller is not known, or asks for what is not there
_OF_WHO_ASKS: Final = (401, 404)
# what is asked for is not what the route takes
_OF_WHAT_IS_ASKED: Final = (400, 413, 415, 422)
# the gateway passes on that an MCP server behind it did not answer
_PASSED_ON: Final = (502, 503, 504)
_AN_MCP_SERVER: Final = ("for mcp server", "mcp upstream", "mcp tool call", "mcp server for tool")
# what a guardrail says of its own settings is not about the caller's request
_GUARDRAIL: Final = "guardrail"
_GUARDRAIL_FAILS: Final = next(rule.cause for rule in GATEWAY_RULES if rule.cause.name == "guardrail fails")
NETWORK_NAMES: Final = ("refused", "no such host", "TLS", "no route", "timeout", "no connection", "503 unavailable")
# the router wraps so what ended a stream, and what kept it from beginning
_BROKE: Final = "MidStreamFallbackError: "
_VAGUE_OF_STREAMS: Final = (UNNAMED, "no connection", "500", "timeout", "503 unavailable", "502 bad gateway",
                            "400 bad request")  # fmt: skip
NEXT_STEPS: Final = {cause.name: cause.do for _, cause in PATTERNS}
MEANINGS: Final[dict[tuple[Subject, str], Cause]] = {
    (rule.cause.subject, rule.cause.name): rule.cause
    for rules in (PROVIDER_RULES, *_PART_RULES.values(), *_ELSEWHERE, AUTH_RULES, REFUSED_BODY_RULES, REQUEST_RULES)
    for rule in rules
} | {(NO_WORDS.subject, NO_WORDS.name): NO_WORDS}


def says_little(cause: Cause) -> bool:
    """Whether a stack trace may name the cause better."""
    return cause.name in ("no connection", "500", UNNAMED) and cause.subject in ("upstream", "")


# every snapshot asks for the same few errors
@lru_cache(maxsize=1024)
def name_cause(error: str, where: Reported | None = None) -> Cause:
    """The cause of an error text; `failing` for an unknown one, whose subject may still be known.

    Without `where` it is the error of a deployment or a group: from a probe, a health report or the router.
    """
    head, _, trace = error.partition("\nstack trace:")
    own = own_words(head)
    lowered = head[:_OWN_WITHIN].lower()
    wrapped = _PROVIDER.search(head, 0, _OWN_WITHIN) is not None
    passed_on = where is not None and where.by != "other" and (wrapped or _MAPPED.match(head) is not None)
    if where is not None and where.subject not in ("", "upstream", "gateway", "caller") and not passed_on:
        if where.subject == "mcp" and (whose := whose_of_mcp(own, logged=where.by == "other" and not where.frame)):
            return _of_part(whose, lowered) if whose in _PART_RULES else _of_mcp_files(whose, lowered)
        return _of_part(where.subject, lowered)
    if not wrapped and (found := _own(head, own, lowered, where)):
        return found
    if where is None or where.by == "router" or wrapped or _MAPPED.match(head) or where.subject == "upstream":
        cause = _of_upstream(head)
        if trace and says_little(cause):
            return next((below for pattern, below in _NETWORK if pattern.search(trace)), cause)
        return cause
    if where.subject == "gateway" and _GUARDRAIL in where.frame and not is_http_exception(own):
        # what its own service says in words of any program; an answer by status is what it means to say
        return _GUARDRAIL_FAILS
    return _UNKNOWN._replace(subject=where.subject or _default_subject(own, where))


def subject_of(error: str, where: Reported | None = None) -> Subject:
    """Whose failure an error text tells of, decided before its cause; empty where nothing says it."""
    return name_cause(error, where).subject


def _own(head: str, own: str, lowered: str, where: Reported | None) -> Cause | None:
    """The cause in LiteLLM's own words, or in those of its database, its processes and the machine."""
    # who answers 5xx says that it is not the caller's fault
    of_caller = http_status(own) < 500
    if _MAPPED.match(head):
        # raised as a provider's error would be: only the gateway's own refusals are
        return first_cause(_RAISED_AS_MAPPED, lowered) or first_cause(CALLER_RULES, lowered)
    if where is not None and where.by == "check of the key" and not own:
        return NO_WORDS
    if where is not None and where.by == "check of the key" and (found := first_cause(AUTH_RULES, lowered)):
        return found
    guarded = where is not None and _GUARDRAIL in where.frame
    for rules in _ELSEWHERE:
        if (rules is not CALLER_RULES or (of_caller and not guarded)) and (found := first_cause(rules, lowered)):
            return found
    if where is None or guarded or not of_caller:
        return None
    if where.by == "check of the key" or _about_a_request(own, where):
        if http_status(own) in _OF_WHAT_IS_ASKED and (found := first_cause(REFUSED_BODY_RULES, lowered)):
            return found
        return first_cause(REQUEST_RULES, lowered)
    return None


def _about_a_request(own: str, where: Reported) -> bool:
    """Whether LiteLLM looked at a request when it failed: it answered 400, or its file does nothing else."""
    return where.by == "request" and (is_http_exception(own) or where.frame in _BEFORE_THE_CALL)


def _default_subject(own: str, where: Reported) -> Subject:
    """Whose failure it is that no words name: the gateway's own where it answers by itself.

    Its 401 and 404 mean who asks, and what for; with a 5xx it may say that a store of its own failed.
    """
    status = http_status(own)
    if status >= 500 and (store := failed_store(own)):
        return store
    if status in _PASSED_ON and any(words in own[:_OWN_WITHIN].lower() for words in _AN_MCP_SERVER):
        return "mcp"
    if status in _OF_WHO_ASKS:
        return "caller"
    return "gateway" if where.by == "check of the key" or status else ""


def _of_mcp_files(subject: Subject, lowered: str) -> Cause:
    """The cause of what LiteLLM's files for MCP servers say of the gateway itself, or of who asks it."""
    rules = (*GATEWAY_RULES, *CALLER_RULES) if subject == "gateway" else CALLER_RULES
    found = first_cause(rules, lowered)
    return found if found is not None and found.subject == subject else _UNKNOWN._replace(subject=subject)


def _of_part(subject: Subject, lowered: str) -> Cause:
    """The cause of a failure of a part that is known to be at fault."""
    if subject in _USES_THE_DATABASE and (found := first_cause(_OF_THE_DATABASE, lowered)):
        # what its own client says is the database's, whichever part asked it
        return found
    if found := first_cause(_PART_RULES.get(subject, ()), lowered):
        return found
    do, means = PARTS_DO.get(subject, _UNKNOWN.do), PARTS_MEAN.get(subject, "")
    for pattern, cause in _COMPILED:
        if cause.name in NETWORK_NAMES and pattern.search(lowered):
            return Cause(cause.name, do, subject, means)
    return Cause(UNNAMED, _UNKNOWN.do, subject, means)


def _of_upstream(head: str) -> Cause:
    _, broke, inner = head.partition(_BROKE)
    if broke and (cause := _of_upstream(inner)).name not in _VAGUE_OF_STREAMS:
        # the stream broke by an answer of the provider that says why
        return cause
    if _COOLING[0].search(head):
        return _COOLING[1]
    if found := first_cause(PROVIDER_RULES, head[:_PROVIDER_WITHIN].lower()):
        return found
    return next((cause for pattern, cause in _COMPILED if pattern.search(head)), _UNKNOWN)


def network_cause(trace: str) -> int | None:
    """The number of the network cause in a stack trace or one of its lines; of several, the lowest counts."""
    return next((number for number, (pattern, _) in enumerate(_NETWORK) if pattern.search(trace)), None)


def name_network_cause(number: int) -> str:
    """The name of the cause with this number."""
    return _NETWORK[number][1].name


def own_words(error: str) -> str:
    """An error's text without the wrapping exception classes in front of it."""
    text, at = error.strip()[:_FIRST_WORDS_WITHIN], 0
    while wrapper := _WRAPPER.match(text, at):
        at = wrapper.end()
    return text[at:]


def first_words(error: str, length: int = 100) -> str:
    """The first line of an error without the wrapping exception classes, cut to `length` characters."""
    line = error.strip().split("\n", 1)[0][:_FIRST_WORDS_WITHIN]
    line = own_words(_NOISE.sub("", line))
    return shortened(line, length)
