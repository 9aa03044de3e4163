"""The cause of an error text from LiteLLM, a provider's client or the network."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple


class Cause(NamedTuple):
    """A cause in two or three words, and the next step in a sentence."""

    name: str
    do: str

    @property
    def vague(self) -> bool:
        """Whether another observation may name a clearer cause."""
        return self.name in _VAGUE


_VAGUE: Final = ("no connection", "failing", "cooling down")

# The first that matches wins: an exception's wrapper names a class of its own, so the operating system's words and
# the provider's own come before status codes. Patterns are from answers and logs of 1.77.7 and 1.106.2.
_CAUSES: Final[tuple[tuple[str, Cause], ...]] = (
    (r"Missing credentials|api_key client option must be set|No API key provided|API_KEY is not set",
     Cause("no key", "set the api_key of this deployment, or the environment variable it refers to, and restart")),
    (r"Errno 111|Connection ?refused|ConnectionRefused|Connect call failed|All connection attempts failed",
     Cause("refused", "start the upstream, or correct the host and port of api_base")),
    (r"Name or service not known|getaddrinfo|nodename nor servname|Temporary failure in name resolution|NameResolution",
     Cause("no such host", "correct the host in api_base, or look at this machine's DNS")),
    (r"CERTIFICATE_VERIFY|SSLCertVerification|certificate verify failed|WRONG_VERSION_NUMBER|SSLError|\[SSL",
     Cause("TLS", "look at the upstream's certificate, or whether api_base wants http instead of https")),
    (r"No route to host|Network is unreachable|Errno 113|Errno 101",
     Cause("no route", "look at the network between this machine and the upstream")),
    (r"No deployments available|cooldown_list=\[[^\]\n]|Try again in \d{1,9} seconds",
     Cause("cooling down", "wait for the cooldown to end; the log shows the failures that began it")),
    (r"MidStreamFallbackError|peer closed connection|incomplete chunked read|TransferEncodingError|Response payload is "
     r"not completed|the stream (?:broke|ended)",
     Cause("stream breaks", "the upstream ends its stream in the middle of an answer; look at its log, and at a proxy "
           "in between")),
    (r"ContentPolicyViolation|content_policy_violation|content_filter",
     Cause("content refused", "the provider refuses the content; a content-policy fallback would take it elsewhere")),
    (r"ContextWindowExceeded|maximum context length",
     Cause("context too long", "add a context-window fallback with a larger model")),
    (r"RateLimitError|\b429\b|rate.?limit",
     Cause("429 rate limit", "lower the load, or set rpm and tpm so that the router spreads it")),
    (r"AuthenticationError|\b401\b|Incorrect API key|invalid_api_key|bad key",
     Cause("401 key refused", "replace this deployment's api_key; the upstream does not accept it")),
    (r"PermissionDenied|\b403\b", Cause("403 forbidden", "the upstream knows the key and forbids this model to it")),
    (r"NotFoundError|\b404\b|model_not_found|does not exist",
     Cause("404 not found", "correct the model name or the path in api_base")),
    (r"Timeout|timed out|ETIMEDOUT|TimeoutError",
     Cause("timeout", "see whether the upstream is overloaded; raise timeout if it is only slow")),
    (r"LLM Provider NOT provided",
     Cause("no provider", "put the provider in front of the model: openai/NAME, ollama/NAME")),
    (r"There are no healthy deployments for this model|Invalid model name",
     Cause("no such group", "the name is in no model_name; correct it, or add a deployment")),
    (r"Connection error|APIConnectionError|Server disconnected|Connection reset|ReadError|RemoteProtocolError",
     Cause("no connection", "see whether the upstream runs and api_base is right")),
    (r"ServiceUnavailable|\b503\b",
     Cause("503 unavailable", "the upstream says that it is not ready; look at its log")),
    (r"BadGateway|\b502\b", Cause("502 bad gateway", "a proxy in front of the upstream gets no answer from it")),
    (r"BadRequestError|\b400\b",
     Cause("400 bad request", "the upstream refuses the request itself: compare parameters with what it takes")),
    (r"InternalServerError|\b500\b", Cause("500", "the upstream fails by itself; look at its log")),
)  # fmt: skip
NEXT_STEPS: Final = {cause.name: cause.do for _, cause in _CAUSES}
_COMPILED: Final = tuple((re.compile(pattern, re.IGNORECASE), cause) for pattern, cause in _CAUSES)
# what a stack trace may add when its first line says only "Connection error."; the rest of a trace is code, not cause
_NETWORK: Final = _COMPILED[1:5]
_UNKNOWN: Final = Cause("failing", "read the whole error in the detail (Enter)")
# what aiohttp puts into a refused connection's message
_NOISE: Final = re.compile(r" ssl:<[^<>]*>| \[Connect call failed [^\[\]]*\]")
_WRAPPER: Final = re.compile(
    r"(?:litellm\.)?(?:\w{1,100}\.){0,20}\w{0,100}(?:Error|Exception|Timeout): |\w{1,100}Exception - "
)
# of a longer line the beginning says what it is about
_FIRST_WORDS_WITHIN: Final = 4000


def says_little(cause: Cause) -> bool:
    """Whether a stack trace may name the cause better."""
    return cause.name in ("no connection", "500", "failing")


# every snapshot asks for the same few errors
@lru_cache(maxsize=512)
def name_cause(error: str) -> Cause:
    """The cause of an error text; `failing` for an unknown one."""
    head, _, trace = error.partition("\nstack trace:")
    cause = next((cause for pattern, cause in _COMPILED if pattern.search(head)), _UNKNOWN)
    if trace and says_little(cause):
        return next((below for pattern, below in _NETWORK if pattern.search(trace)), cause)
    return cause


def network_cause(trace: str) -> int | None:
    """The number of the network cause in a stack trace or one of its lines; of several, the lowest counts."""
    return next((number for number, (pattern, _) in enumerate(_NETWORK) if pattern.search(trace)), None)


def name_network_cause(number: int) -> str:
    """The name of the cause with this number."""
    return _NETWORK[number][1].name


def first_words(error: str, length: int = 100) -> str:
    """The first line of an error without the wrapping exception classes, cut to `length` characters."""
    line = error.strip().split("\n", 1)[0][:_FIRST_WORDS_WITHIN]
    line = _NOISE.sub("", line)
    at = 0
    while wrapper := _WRAPPER.match(line, at):
        at = wrapper.end()
    line = line[at:]
    return line if len(line) <= length else line[: length - 1] + "…"
