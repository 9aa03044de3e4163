"""The causes of LiteLLM's own refusals, and of what its callers do wrong, by LiteLLM's words (1.77.7 and 1.106.2)."""

from __future__ import annotations

from typing import Final

from litellm_tui.analysis.failures.cause import Cause, WordRule, word_rule


def _budget(holder: str, *forms: str) -> WordRule:
    return word_rule(
        f"{holder} budget used up".strip(),
        "gateway",
        f"LiteLLM's own budget of {_with_article(holder)} is used up: the gateway refuses by itself",
        f"raise max_budget{f' of this {holder}' if holder else ''}, or wait for its reset (budget_duration)",
        *forms,
    )


def _with_article(holder: str) -> str:
    if not holder:
        return "a key, team, user or other holder"
    return f"{'an' if holder[0] in 'aeio' else 'a'} {holder}"


_BUDGETS: Final = (
    _budget("team member", "budget has been exceeded! user= … in team=", "budget has been exceeded! teammember="),
    _budget("key", "budget has been exceeded! key=", "exceededbudget: key", "litellm virtual key: … exceeded budget"),
    _budget("team", "budget has been exceeded! team=", "exceededbudget: team", "litellm team: … exceeded budget"),
    _budget("customer", "exceededbudget: end user", "litellm end user: … exceeded budget"),
    _budget("user", "budget has been exceeded! user=", "exceededbudget: user", "litellm user: … exceeded budget"),
    _budget("organization", "budget has been exceeded! organization="),
    _budget("project", "budget has been exceeded! project="),
    _budget("tag", "budget has been exceeded! tag=", "exceeded budget for tag"),
    _budget("provider", "exceeded budget for provider"),
    _budget("deployment", "exceeded budget for deployment"),
    _budget("model", "exceeded budget for model", "budget has been exceeded! model access group="),
    _budget("session", "session budget exceeded"),
    _budget(
        "",
        "budget has been exceeded",
        "exceededbudget",
        "exceededtokenbudget",
        "no deployments available - crossed budget",
        "budgetexceedederror",
        "budget_exceeded",
        "over budget",
        "max budget per session",
    ),
)

GATEWAY_RULES: Final = (
    *_BUDGETS,
    word_rule(
        "own deployment limit", "gateway",
        "the deployments' own rpm, tpm or max_parallel_requests in the file is reached: the router asks none of them",
        "raise rpm, tpm or max_parallel_requests of the deployments, add one, or lower the load",
        "no deployments available … cooldown_list=[]", "no_deployments_available … cooldown_list=[]",
        ". passed model= … deployments=", "deployment over defined rpm limit", "deployment over defined tpm limit",
        "model rate limit exceeded. ",
        "already has max_parallel_requests=", "max parallel requests of deployment",
    ),
    word_rule(
        "own rate limit", "gateway",
        "a limit of requests or tokens a minute that LiteLLM keeps for a key, user, team or model is reached",
        "raise rpm_limit or tpm_limit of who is limited, or lower its load",
        # three limits in one sentence, of which the parallel one has a number only where it is set
        "crossed tpm / rpm / max parallel request limit",
    ),
    word_rule(
        "own parallel limit", "gateway",
        "a limit of parallel requests that LiteLLM keeps for a key, user, team or model is reached",
        "raise max_parallel_requests of who is limited, or let it ask less at a time",
        "rate limit exceeded for … limit type: max_parallel_requests", "limit type: max_parallel_requests",
        "max parallel request limit reached", "crossed … max parallel request limit",
        "max_parallel_requests limit reached", "global_max_parallel_requests",
    ),
    word_rule(
        "own rate limit", "gateway",
        "a limit of requests or tokens a minute that LiteLLM keeps for a key, user, team or model is reached",
        "raise rpm_limit or tpm_limit of who is limited, or lower its load",
        "rate limit exceeded for … limit type:", "rate limit exceeded. limit type:", "'error': 'rate limit exceeded",
        "litellm rate limit", "over available tpm=", "over available rpm=",
        "exceeded tpm/rpm", "priority-based rate limit", "model capacity reached",
        "batch rate limit exceeded", "rate limit exceeded for batch", "max iterations exceeded",
        "key … over … rate limit", "enqueued token limit",
    ),
    word_rule(
        "weight is no number", "gateway",
        "a deployment of the group has a weight that is no number: the router cannot choose, and every request fails",
        "write weight, rpm and tpm of its deployments as numbers, without quotes, and restart",
        "deployment weight must be numeric",
    ),
    word_rule(
        "tags not allowed", "gateway",
        "no deployment of the group has the tags that came with the request",
        "correct the tags of the deployments, of the key, or of the request; tag `default` takes those without",
        "not allowed to access model due to tags", "no deployments available … and tags=", "tags not allowed",
        "'metadata.tags' not allowed",
    ),
    word_rule(
        "model not allowed", "gateway",
        "a key, user or team may not ask this model: it is not in its list",
        "add the model to the list of the key or its team, or let the caller ask one that is in it",
        "not allowed to access model", "can only access models=", "key not allowed to access",
        "not in the allowed models",
        "is not available for this api key, or the model name is invalid", "invalid model for team",
        "no default model access", "not allowed to call model", "has no model grants", "not allowed to use model",
        "model access denied", "model is blocked", "is currently paused",
        "is reserved for another team", "member auto-routers require", "tried to access … not in … allowed",
    ),
    word_rule(
        "ambiguous name", "gateway",
        "several teams have a model of this name, and LiteLLM does not choose between them",
        "ask by the deployment's id, or give the models different names",
        "matches deployments from multiple teams",
    ),
    word_rule(
        "no pass-through", "gateway",
        "no deployment of the group is open to requests that LiteLLM only passes on",
        "set use_in_pass_through: true in the litellm_params of a deployment of the group",
        "use_in_pass_through",
    ),
    word_rule(
        "guardrail blocked", "gateway",
        "a guardrail of the gateway blocked what was asked or answered",
        "see which guardrail it was; change its rules if it blocks what it should not",
        "violated guardrail", "guardrail_raised", "guardrailraisedexception", "blockedpiientityerror",
        "blocked by guardrail",
        "content blocked", "prompt injection", "rejected message. this is a prompt injection", "moderation policy",
        "violated moderation policy", "violated content safety policy", "blocked entity detected", "banned keyword",
        "keyword banned", "blocked by … guardrail", "guardrail intervened", "guardrail … blocked",
        "guardrail … violation",
        "violated … guardrail", "guardrail … detected", "pii entity", "jailbreak detected", "secret detected",
        "guardrail … rejected", "content safety violation", "blocked due to policy",
    ),
    word_rule(
        "guardrail not loaded", "gateway",
        "LiteLLM serves without a guardrail that its configuration names: its protection is off",
        "correct the guardrail in the file (the audit, a, names the place), and restart",
        "without this guardrail",
    ),
    word_rule(
        "guardrail fails", "gateway",
        "a guardrail of the gateway did not work: what it guards is refused, or passes unguarded",
        "see the guardrail's own service and its settings; LiteLLM's words say which",
        "guardrail",
    ),
    word_rule(
        "unsupported parameter", "gateway",
        "the request has a parameter that LiteLLM does not pass on to this provider",
        "set drop_params: true in litellm_settings, name it in allowed_openai_params, or let the caller leave it out",
        "unsupportedparamserror", "does not support parameters:", "to drop these, set `litellm.drop_params",
        "to drop it from the call, set `litellm.drop_params", "drop_params=true",
    ),
    word_rule(
        "package missing", "gateway",
        "a Python package that LiteLLM needs for this is not in its environment",
        "install it into LiteLLM's environment (its bin/pip install NAME), or take out what needs it",
        "no module named '", "missing dependency no module named",
    ),
    word_rule(
        "route not allowed", "gateway",
        "a route is closed to this role, key or address",
        "ask with a key of the role that the route needs, or open the route to it",
        "only for master key", "only proxy admin", "admin only route", "not allowed to access this route",
        "not allowed to call this route", "not allowed to access this openai routes",
        "not allowed to access passthrough",
        "not in allowed_routes", "access forbidden", "key not allowed to access this user's info",
        "does not have the required role", "do not have the required role", "not allowed to access route",
        "user not allowed to access", "is not allowed to access", "not authorized to", "admin role required",
        "you do not have permission", "does not have permission", "must be proxy admin", "proxy admins can",
        "only admins", "not allowed to access search tool", "not allowed to access vector store",
        "only admin users", "admin access required", "admin-only", "proxy_admin",
    ),
    word_rule(
        "package missing", "gateway",
        "a Python package that this request needs is not in LiteLLM's environment",
        "install it into LiteLLM's environment (pip install NAME), or leave out what needs it",
        "modulenotfounderror", "no module named '",
    ),
    word_rule(
        "token's issuer not set", "gateway",
        "callers may come with signed tokens (JWT), and LiteLLM is not told where the keys for them are",
        "set JWT_PUBLIC_KEY_URL to the issuer's JWKS address, and restart",
        "missing jwt public key url", "neither jwt_audience nor jwt_issuer", "userinfo endpoint not configured",
        "oauth_token_info_endpoint", "audience must be provided unless",
    ),
    word_rule(
        "enterprise feature", "gateway",
        "LiteLLM keeps this feature for those with a licence (LITELLM_LICENSE)",
        "set LITELLM_LICENSE, or take the setting out",
        "enterprise feature", "enterprise only feature", "enterprise-only", "only available for premium users",
        "premium user", "you must be a litellm enterprise user", "litellm_license",
    ),
)  # fmt: skip

# before the rules of the database: passwords of the UI are kept there
HASH_RULES: Final = (
    word_rule(
        "hash not allowed", "gateway",
        "the OpenSSL of this machine (FIPS) does not allow the hash that LiteLLM uses for passwords of its UI",
        "see which hashes the OpenSSL provider of this machine allows; callers' keys go on",
        "openssl fips provider reports",
    ),
)  # fmt: skip

# an exception of the proxy has no text in the logs of some versions: the caller's answer alone says why
NO_WORDS: Final = Cause(
    "key check refused",
    "ask the caller for the answer (client addresses below), or try the key: this LiteLLM's log does not say why",
    "gateway",
    "the check of a key refused a request, and wrote no reason into the log; no model was asked",
)

# errors in the words of any program, which only in the check of a key mean the caller's key
AUTH_RULES: Final = (
    word_rule(
        "no key given", "caller",
        "a caller came without a key; no model was asked",
        "find out who asks (client addresses below), and give them a key",
        "no api key passed in", "no api key provided", "no litellm virtual key pass", "missing api key",
        "invalid authorization header format", "api key is required",
    ),
    word_rule(
        "key check cannot connect", "database",
        "the check of a key could not ask what it asks: the database, or the issuer of signed tokens",
        "see whether the database answers (and the issuer, where JWT is on); its callers' keys are not at fault",
        "all connection attempts failed", "connection refused", "server disconnected", "connect call failed",
        "connection reset by peer",
    ),
)  # fmt: skip

CALLER_RULES: Final = (
    word_rule(
        "no key given", "caller",
        "a caller came without a key; no model was asked",
        "find out who asks (client addresses below), and give them a key",
        "no api key passed in", "no litellm virtual key pass",
    ),
    word_rule(
        "malformed key", "caller",
        "what a caller sends as a key is none: LiteLLM's keys begin with sk- and follow `Bearer `",
        "find out who asks (client addresses below), and correct the key they send",
        "malformed api key", "expected to start with 'sk-'", "ensure key has `bearer", "litellm virtual key expected",
    ),
    word_rule(
        "expired key", "caller",
        "a caller's key, or signed token, has expired",
        "give the caller a new key, or lengthen this one; a signed token is fetched anew from who signs it",
        "expired key", "token expired", "expired_key", "key expiry time",
    ),
    word_rule(
        "blocked key", "caller",
        "an administrator has blocked this key, team, user or project",
        "unblock it (`/key/unblock`, `/team/unblock`), or leave it so",
        "key is blocked", "is blocked. update via", "has been deactivated via scim", "team … is blocked",
        "user … is blocked", "blocked user", "end user … blocked", "user blocked from making",
    ),
    word_rule(
        "unknown key", "caller",
        "a caller sends a key that the gateway does not know; no model was asked",
        "find out who asks (client addresses below), and give them a key that is valid",
        "invalid proxy server token", "unable to find token in cache", "not found in db. create key", "invalid api key",
        "key doesn't exist in cache", "received api key", "invalid hash key", "invalid user key",
        "token_not_found_in_db",
        "invalid key", "invalid token passed", "401: invalid or expired credential",
        "authentication error, user … no longer exists",
    ),
    word_rule(
        "mock failure asked for", "caller",
        "a caller asked LiteLLM to fail (mock_testing_…): a drill of fallbacks or limits",
        "nothing, if the drill is meant; dangerously_allow_mock_testing_request_params closes it",
        "this is a mock exception for model",
    ),
    word_rule(
        "login refused", "caller",
        "somebody's user name or password for the UI is not accepted",
        "compare UI_USERNAME and UI_PASSWORD (or the user's own password) with what was typed",
        "invalid credentials used to access ui", "not able to login",
    ),
    word_rule(
        "token refused", "caller",
        "the signed token (JWT, OAuth2) that a caller sends is not accepted",
        "compare issuer, audience and claims of the token with those in the gateway's settings",
        "validation fails:", "jwt key mapping:", "token is not active", "invalid jwt", "jwt … claim",
        "signature verification",
        "oauth 2.0 token validation failed", "oauth2 token validation", "jwt token", "jwt auth:",
        "no matching key found", "no matching public key found", "found in token", "email domain not allowed",
        "unmatched token passed", "userinfo endpoint returned status 401", "userinfo endpoint returned status 403",
    ),
    word_rule(
        "no such group", "caller",
        "callers ask for a name that the gateway does not serve",
        "the name is in no model_name; correct it, or add a deployment",
        "there are no healthy deployments for this model", "invalid model name", "no_healthy_deployments",
        "there is no 'model_name' with this string",
        "not found. received model group=", "no deployment found for", "could not map model=",
    ),
    word_rule(
        "bad request", "caller",
        "what a caller sends is not a request as the route takes it; no model was asked",
        "find out who asks (client addresses below); LiteLLM's words say what is wrong in it",
        "badrequest please pass param", "rejected request:", "invalid json payload", "request size is too large",
        "'user' param not passed in", "invalid request format", "'model' must be a string", "is a required param",
        "response size is too large", "input must be a string or a list", "url-valued",
        "client-side … not allowed in request", "missing required parameter: '",
        "acompletion() missing 1 required positional argument", "parameter is required for",
    ),
)  # fmt: skip

# words of many programs, which mean the request only where a request or a key is looked at
REQUEST_RULES: Final = (
    word_rule(
        "bad request", "caller",
        "what a caller sends is not a request as the route takes it; no model was asked",
        "find out who asks (client addresses below); LiteLLM's words say what is wrong in it",
        "request body", "not allowed in request", "model is required", "missing required",
        "unexpected keyword argument",
        "must be provided", "field required", "is required", "must be a string", "must be a list", "invalid request",
        "cannot be empty", "must be one of", "not found for", "missing '", "must include", "must specify",
        "please pass",
    ),
)  # fmt: skip

# the same in an answer of 400, 413, 415 or 422, by which the gateway says that the request is not as it takes it
REFUSED_BODY_RULES: Final = (
    word_rule(
        "bad request", "caller",
        "what a caller sends is not a request as the route takes it; no model was asked",
        "find out who asks (client addresses below); LiteLLM's words say what is wrong in it",
        "invalid ", "unsupported ", "unknown ", "not found", "does not exist", "must be ", "are required",
        "is supported", "are supported", "does not match this", "for a different", "to a different", "cannot contain",
        "requires modelid", "requires pkce", "requires a trace id", "require an http request",
        "headers are not allowed", "no token passed in", "does not meet the required policy", "not in config'",
        "is not set'", "does not use oauth",
    ),
)  # fmt: skip
