"""The causes of a provider's failures, by the words of LiteLLM, of the providers' clients and of the network.

The first that matches wins: an exception's wrapper names a class of its own, so the operating system's words and the
provider's own come before status codes. Patterns are from answers and logs of 1.77.7 and 1.106.2, and from the
providers' documentation of their errors.
"""

from __future__ import annotations

from typing import Final

from litellm_tui.analysis.failures.cause import Cause, WordRule, word_rule

NO_JSON: Final = "answer is no JSON"
_NO_JSON_DO: Final = (
    "correct the path of api_base (mostly it ends in /v1), or see which proxy in between answers in its place"
)
PATTERNS: Final[tuple[tuple[str, Cause], ...]] = (
    (r"Missing credentials|Missing [A-Za-z ]{0,40}API Key|api_key client option must be set|No API key provided|"
     r"API_KEY is not set",
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
    # a stream that was accepted and brings nothing is ended by LiteLLM's own patience, not by the upstream
    (r"Timeout on reading data from socket|APITimeoutError - Request timed out",
     Cause("timeout", "see whether the upstream is overloaded; raise timeout if it is only slow")),
    (r"MidStreamFallbackError|peer closed connection|incomplete chunked read|TransferEncodingError|Response payload is "
     r"not completed|the stream (?:broke|ended)",
     Cause("stream breaks", "the upstream ends its stream in the middle of an answer; look at its log, and at a proxy "
           "in between")),
    (r"RateLimitError|\b429\b|rate.?limit",
     Cause("429 rate limit", "lower the load, or set rpm and tpm so that the router spreads it")),
    (r"AuthenticationError|\b401\b|Incorrect API key|invalid_api_key|bad key",
     Cause("401 key refused", "replace this deployment's api_key; the upstream does not accept it")),
    (r"PermissionDenied|\b403\b", Cause("403 forbidden", "the upstream knows the key and forbids this model to it")),
    (r"NotFoundError|\b404\b|model_not_found|does not exist|model identifier is invalid",
     Cause("404 not found", "correct the model name or the path in api_base")),
    (r"Timeout|timed out|ETIMEDOUT|TimeoutError",
     Cause("timeout", "see whether the upstream is overloaded; raise timeout if it is only slow")),
    (r"LLM Provider NOT provided",
     Cause("no provider", "put the provider in front of the model: openai/NAME, ollama/NAME")),
    # not the class APIConnectionError: LiteLLM gives it to every exception that it does not know
    (r"Connection error|Server disconnected|Connection reset|Connection closed by server|ReadError|RemoteProtocolError",
     Cause("no connection", "see whether the upstream runs and api_base is right")),
    (r"ServiceUnavailable|\b503\b",
     Cause("503 unavailable", "the upstream says that it is not ready; look at its log")),
    (r"BadGateway|\b502\b", Cause("502 bad gateway", "a proxy in front of the upstream gets no answer from it")),
    (r"BadRequestError|\b400\b",
     Cause("400 bad request", "the upstream refuses the request itself: compare parameters with what it takes")),
    (r"InternalServerError|\b500\b", Cause("500", "the upstream fails by itself; look at its log")),
    # a page without a status that says more
    (r"(?:Exception|Error) - <(?:!doctype )?html\b", Cause(NO_JSON, _NO_JSON_DO)),
)  # fmt: skip

_PAY: Final = "pay, or raise the account's limit at the provider; a fallback to another provider helps until then"
_PAID: Final = "the account at the provider has no credit left, or has reached its limit of spending"


# what a provider says in words of its own, before any status code
PROVIDER_RULES: Final[tuple[WordRule, ...]] = (
    word_rule(
        "429 rate limit", "upstream",
        "the provider takes no more requests for now: its limit, or a quota, is used up",
        "lower the load, or set rpm and tpm so that the router spreads it",
        # Gemini says of a quota a minute or a day that the plan is to be checked
        "quota exceeded for metric", "quota exceeded for quota metric", "generate_content_free_tier",
        "geminiexception … exceeded your current quota", "exceeded your current quota … resource_exhausted",
        # of OpenAI's limits a day LiteLLM passes on the advice to add a payment method
        "rate limit reached for",
    ),
    word_rule(
        "out of credit", "upstream", _PAID, _PAY,
        "insufficient_quota", "exceeded your current quota", "credit balance is too low", "insufficient credits",
        "insufficient balance", "insufficient_balance", "payment required", "payment_required", '"code":402',
        '"code": 402',
        "error code: 402", "status code: 402", "out of credits", "run out of credits", "arrearage",
        "account is in good standing", "account balance", "billing hard limit", "billing_hard_limit",
        "billing_not_active",
        "account is not active, please check your billing", "purchase credits", "spending limit",
        "requires more credits",
        "exceeded your monthly included credits", "enable billing", "billing to be enabled", "billing is disabled",
        "billing account", "add credits", "reached your specified … usage limits", "have any credits",
    ),
    word_rule(
        "model retired", "upstream",
        "the provider has taken this model out of service",
        "name its successor in the model of this deployment",
        "model_decommissioned", "been decommissioned", "has been retired", "was retired", "model_retired",
        "model … is deprecated", "model … has been deprecated", "model … has been discontinued",
        "model … is no longer supported", "model … is no longer available", "model … end of life",
        "model … end of its life",
        "model_deprecated", "model … been sunset", "model … is retired", "modeldeprecated",
    ),
    word_rule(
        "provider overloaded", "upstream",
        "the provider has more requests than it can take, from all of its customers",
        "wait, or let a fallback take over: retries add to the load",
        "overloaded_error", "overloaded", "code: 529", "status 529", "engine_overloaded", "model is busy",
        "no available capacity", "insufficient capacity", "currently experiencing high demand",
        "exceeds our current capacity", "server is busy",
    ),
    word_rule(
        "AWS credentials missing", "upstream",
        "LiteLLM finds no credentials for AWS: not in the deployment, the environment, or the machine's role",
        "set aws_access_key_id and aws_secret_access_key, a role or a profile, for the service's user, and restart",
        "unable to locate credentials", "nocredentialserror", "partialcredentialserror", "partial credentials found",
        "the config profile … could not be found", "credentialretrievalerror", "error when retrieving credentials",
    ),
    word_rule(
        "AWS credentials refused", "upstream",
        "AWS does not accept the credentials: they have expired, or are wrong",
        "renew them: temporary ones (a session token) expire; a role is renewed by itself",
        "security token included in the request", "expiredtoken", "expired_token", "unrecognizedclientexception",
        "invalidsignatureexception", "signature we calculated does not match", "signature not yet current",
        "signature expired", "invalidclienttokenid", "the sso session associated",
        "token has expired and refresh failed",
        "not authorized to perform: sts", "not authorized to perform sts", "invalididentitytoken",
        "accessdenied) when calling the assumerole",
    ),
    word_rule(
        "Google credentials missing", "upstream",
        "LiteLLM finds no credentials for Google Cloud, or what it finds is no service account's key",
        "set vertex_credentials (or GOOGLE_APPLICATION_CREDENTIALS) to a service account's JSON for the service's user",
        "default credentials were not found", "defaultcredentialserror",
        "service account info was not in the expected format",
        "could not automatically determine credentials", "unable to load vertex credentials",
        "could not resolve project_id",
    ),
    word_rule(
        "Google credentials refused", "upstream",
        "Google does not accept the credentials: they have expired, were withdrawn, or are wrong",
        "make a new key for the service account, or log in again (gcloud auth application-default login)",
        "reauthentication is needed", "invalid_grant", "refresherror", "invalid jwt signature", "access_token_expired",
        "unable to acquire impersonated credentials", "access_token_type_unsupported",
    ),
    word_rule(
        "Azure credentials missing", "upstream",
        "LiteLLM finds no credentials for Azure: neither api_key nor an identity",
        "set api_key, or tenant_id, client_id and client_secret, or azure_ad_token, and restart",
        "defaultazurecredential failed", "environmentcredential authentication unavailable",
        "credentialunavailableerror",
        "managedidentitycredential authentication unavailable",
    ),
    word_rule(
        "Azure credentials refused", "upstream",
        "Azure does not accept the identity: its secret has expired, or tenant or client are wrong",
        "renew the client secret, or correct tenant_id and client_id",
        "aadsts", "clientauthenticationerror",
    ),
    word_rule(
        "model not pulled", "upstream",
        "Ollama runs, and has not got this model",
        "ollama pull NAME on its machine, or correct the model name",
        "try pulling it first", "pull model manifest", "pull the model first",
        "ollama … error\": \"model ' … ' not found", "ollama … error\":\"model ' … ' not found",
    ),
    word_rule(
        "inference profile", "upstream",
        "Bedrock serves this model only through an inference profile, and the deployment names the model itself",
        "name the inference profile in model: with its region in front (us. or eu.), or by its ARN",
        "with on-demand throughput isn",
    ),
    word_rule(
        "API is off", "upstream",
        "the provider's API is not switched on for this project",
        "switch it on at the address in the provider's words, and wait some minutes",
        "has not been used in project", "service_disabled", "api … is not enabled",
    ),
    word_rule(
        "region not served", "upstream",
        "the provider does not serve the country or region that the gateway asks from",
        "ask it from a region that it serves, or take another provider",
        "user location is not supported", "region, or territory not supported", "unsupported_country_region",
        "not available in your country", "not available in your region",
    ),
    word_rule(
        "no key", "upstream",
        "LiteLLM has no key for this provider: the variable that should hold it is not set for the service",
        "set the api_key of this deployment, or the environment variable it refers to, and restart",
        "no key is set either in the environment", "api key … set the … environment variable",
        "api key … pass api_key", "api_key is required",
        "make sure you pass in your api key",
    ),
    word_rule(
        "401 key refused", "upstream",
        "the provider does not accept the key that LiteLLM sends",
        "replace this deployment's api_key; the upstream does not accept it",
        # Google and IBM answer a wrong key by 400
        "api key not valid", "api_key_invalid", "api key expired", "provided api key could not be found",
    ),
    word_rule(
        "504 gateway timeout", "upstream",
        "what stands in front of the upstream waited for it in vain",
        "raise the timeout of the proxy in front of it (nginx: proxy_read_timeout), or ask for shorter or streamed "
        "answers",
        "504 gateway time", "error code: 504", "error code: 524", "status code: 504", "504: gateway time",
    ),
    word_rule(
        "502 bad gateway", "upstream",
        "what stands in front of the upstream gets no answer from it",
        "a proxy in front of the upstream gets no answer from it",
        # Cloudflare's own
        *(f"error code: {status}" for status in (520, 521, 522, 523)),
    ),
    word_rule(
        "request too large", "upstream",
        "the request has more bytes than the upstream, or a proxy in front of it, takes",
        "raise the limit of the proxy in front (nginx: client_max_body_size), or send fewer or smaller files",
        "413 request entity too large", "413 payload too large", "request_too_large", "413 content too large",
        "error code: 413",
    ),
    word_rule(
        "wrong path", "upstream",
        "what answers at api_base knows no such request there",
        "correct the path of api_base (mostly it ends in /v1)",
        "405 method not allowed", "'detail': 'method not allowed'", '"detail":"method not allowed"',
        '"detail": "method not allowed"', "error code: 405",
    ),
    word_rule(
        "tools not taken", "upstream",
        "callers send tools (functions), and this model, or its server, does not take them",
        "ask a model that takes tools, or switch them on at its server (vLLM: --enable-auto-tool-choice and "
        "--tool-call-parser)",
        "does not support tools", "requires --enable-auto-tool-choice", "does not support tool use",
        "does not support function calling", "tool use is not supported", "tools are not supported",
        "doesn't support tool use",
    ),
    word_rule(
        "parameter refused", "upstream",
        "the model does not take a parameter of the request, or not with this value",
        "let the callers leave it out, or leave it out for them: additional_drop_params of the deployment names it",
        "unsupported parameter: '", "unsupported value: '", "unrecognized request argument", "unknown parameter: '",
        "extra inputs are not permitted", "unsupported_parameter", "unsupported_value",
    ),
    word_rule(
        NO_JSON, "upstream",
        "what answers at api_base is no model's API: a web page, or another program's words",
        _NO_JSON_DO,
        "empty or invalid response from llm endpoint", "'str' object has no attribute 'model_dump'",
        "unable to get json response", "error parsing json response", "expecting value: line 1 column 1",
    ),
    word_rule(
        "not enough memory", "upstream",
        "the machine of the upstream has too little free memory for this model",
        "unload other models there, take a smaller one or a smaller context, or give it more memory",
        "requires more system memory", "requires more memory", "cuda out of memory", "cuda error: out of memory",
        "outofmemoryerror", "insufficient vram", "failed to allocate", "unable to allocate", "not enough memory",
        "cudamalloc failed", "kv cache … insufficient", "no kv cache space",
    ),
    word_rule(
        "proxy wants a login", "upstream",
        "a proxy between this machine and the provider wants a login (HTTP_PROXY, HTTPS_PROXY)",
        "put user and password into the proxy's address, or the upstream's host into NO_PROXY",
        "407 proxy authentication", "proxy authentication required", "tunnel connection failed: 407", "error 407",
        "407 authenticationrequired",
    ),
    word_rule(
        "context too long", "upstream",
        "the request is longer than the model takes",
        "add a context-window fallback with a larger model",
        "contextwindowexceeded", "context_length_exceeded", "maximum context length", "prompt is too long",
        "context window exceeded", "exceeds the context window", "exceed_context_size", "input is too long",
        "exceeds the maximum number of tokens", "exceeds the available context size",
        "input length and `max_tokens` exceed",
        "reduce the length of the messages", "input token count … exceeds", "context size has been exceeded",
    ),
    word_rule(
        "content refused", "upstream",
        "the provider's filter refused what was asked or answered",
        "the provider refuses the content; a content-policy fallback would take it elsewhere",
        "contentpolicyviolation", "content_policy_violation", "content_filter", "content management policy",
        "responsibleaipolicy", "content policy", "safety system", "blocked by … safety", "finish_reason … safety",
        "inappropriate content", "data_inspection_failed",
    ),
    # LiteLLM passes a 403 of OpenAI on as an APIError without its status
    word_rule(
        "403 forbidden", "upstream",
        "the provider knows the key and does not allow it this model",
        "the upstream knows the key and forbids this model to it",
        "does not have access to model", "does not have access to the model", "has no access to the model",
        "don't have access to the model", "permission_error", "insufficient permissions for this operation",
        "is not authorized to perform: ", "organization must be verified",
    ),
)  # fmt: skip
