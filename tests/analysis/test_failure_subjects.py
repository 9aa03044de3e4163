"""Whose failure an error is, and its cause, in the words of LiteLLM 1.77.7 and 1.106.2 and of what is around it."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.failures.causes import name_cause, subject_of
from litellm_tui.analysis.failures.places import TraceMark, frame_of, mcp_server_named, reported, trace_mark
from litellm_tui.analysis.failures.side_services import service_named
from litellm_tui.logs.call_line import error_words
from litellm_tui.logs.failure_line import failure_heading
from litellm_tui.logs.line_facts import facts
from litellm_tui.logs.log_line import Line

AUTH = "litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - "
REQUEST = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - "
REDIS = "LiteLLM Redis Caching: async set() - Got exception from REDIS "


def is_upstream(error: str) -> bool:
    """Whether nothing says that the failure is another's."""
    return subject_of(error) in ("upstream", "")


def told(text: str, file: str = "", mark: TraceMark | None = None) -> tuple[str, str]:
    """Subject and cause of a record of the log."""
    heading = failure_heading(text, "proxy", file, mark or TraceMark())
    cause = name_cause(error_words(text) if heading.by_error else heading.words, heading.where)
    return cause.subject, cause.name


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("Budget has been exceeded! Key=sk-...x1 Current cost: 2.5, Max budget: 2.0", "key budget used up"),
        ("Budget has been exceeded! Team=blue Current cost: 41.0, Max budget: 40.0", "team budget used up"),
        ("Budget has been exceeded! User=u in Team=t Current cost: 4, Max budget: 3", "team member budget used up"),
        ("Budget has been exceeded! Organization=o Current cost: 4, Max budget: 3", "organization budget used up"),
        ("Budget has been exceeded! Project=p Current cost: 4, Max budget: 3", "project budget used up"),
        ("Budget has been exceeded! Tag=batch Current cost: 4, Max budget: 3", "tag budget used up"),
        ("Budget has been exceeded! Current cost: 4, Max budget: 3", "budget used up"),
        ("ExceededBudget: User=u over budget. Spend=3.0, Budget=2.0", "user budget used up"),
        ("ExceededBudget: End User=c over budget. Spend=3.0, Budget=2.0", "customer budget used up"),
        ("ExceededTokenBudget: Current spend for token: 3; Max Budget for Token: 2", "budget used up"),
        ("LiteLLM Virtual Key: abc, key_alias: ci, exceeded budget for model=gpt-4o", "key budget used up"),
        ("key not allowed to access model. This key can only access models=['a']. Tried b", "model not allowed"),
        ("Team not allowed to access model. Team=t, Model=b. Allowed team models = ['a']", "model not allowed"),
        ("User not allowed to access model. No default model access, only team models allowed", "model not allowed"),
        ("Tried to access route=/key/generate, which is only for MASTER KEY", "route not allowed"),
        ("Access forbidden: IP address 10.0.0.3 not allowed.", "route not allowed"),
        ("user not allowed to access this route. Route=/team/new is an admin only route", "route not allowed"),
        ("Max parallel request limit reached Hit limit for key. Current limit: 1", "own parallel limit"),
        ("JWT Auth is an enterprise only feature. You must be a LiteLLM Enterprise user", "enterprise feature"),
    ],
)
def test_what_the_check_of_a_key_refuses_by_itself_is_the_gateways_own(words: str, cause: str) -> None:
    assert told(AUTH + words) == ("gateway", cause)
    assert told(AUTH + words + "\nRequester IP Address:10.0.0.3") == ("gateway", cause)
    assert not is_upstream(words)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("No api key passed in.", "no key given"),
        ("401: No API key provided", "no key given"),
        ("Malformed API Key passed in. Ensure Key has `Bearer ` prefix. Passed in: ab", "malformed key"),
        ("LiteLLM Virtual Key expected. Received=abcd, expected to start with 'sk-'.", "malformed key"),
        ("Authentication Error - Expired Key. Key Expiry time 2026-01-01 and current time 2026-02-01", "expired key"),
        (
            "Authentication Error, Invalid proxy server token passed. Received API Key = sk-...b, Key Hash =5f. "
            "Unable to find token in cache or `LiteLLM_VerificationTokenTable`",
            "unknown key",
        ),
        ("Key is blocked. Update via `/key/unblock` if you're an admin.", "blocked key"),
        ("Team=t is blocked. Update via `/team/unblock` if you're an admin.", "blocked key"),
        ("Validation fails: Signature has expired", "token refused"),
        ("Token Expired", "expired key"),
        ("'user' param not passed in. 'enforce_user_param'=True", "bad request"),
    ],
)
def test_what_a_caller_does_wrong_is_the_callers(words: str, cause: str) -> None:
    assert told(AUTH + words) == ("caller", cause)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (
            "litellm.UnsupportedParamsError: openai does not support parameters: ['top_k'], for model=m. To drop, "
            "set `litellm.drop_params=True`",
            "unsupported parameter",
        ),
        ("litellm.UnsupportedParamsError: ollama does not support parameters: {'n': 2}", "unsupported parameter"),
        (
            "No deployments available for selected model, Try again in 7 seconds. Passed model=m. "
            "pre-call-checks=False, cooldown_list=[]",
            "own deployment limit",
        ),
        ("litellm.RateLimitError: Deployment over defined rpm limit=2. current usage=3", "own deployment limit"),
        ("litellm.RateLimitError: Model rate limit exceeded. TPM limit=9, current usage=12", "own deployment limit"),
        ("429: Rate limit exceeded for api_key: ab. Limit type: requests. Current limit: 3", "own rate limit"),
        ("429: {'error': 'Rate limit exceeded. Limit type: key. Current limit: 1'}", "own rate limit"),
        ("429: {'error': 'Key=ab over available TPM=0. Model TPM=10, Active keys=2'}", "own rate limit"),
        ("Not allowed to access model due to tags configuration. Passed model=m and tags=['x']", "tags not allowed"),
        (
            "No deployments available - crossed budget: Exceeded budget for provider azure: 2.1 >= 2.0",
            "provider budget used up",
        ),
        (
            "No deployments available - crossed budget: Exceeded budget for deployment model_name: m, ...: 2 >= 1d",
            "deployment budget used up",
        ),
        ("No deployments available - crossed budget: Exceeded budget for tag='x', tag_spend=3", "tag budget used up"),
        ("400: {'error': 'Violated guardrail policy', 'lakera_guardrail_response': {}}", "guardrail blocked"),
        ("400: {'error': \"Content blocked: keyword 'x' found\"}", "guardrail blocked"),
        ("400: {'error': 'Violated OpenAI moderation policy'}", "guardrail blocked"),
        ("Blocked entity detected: US_SSN by Guardrail: pii. BlockedPiiEntityError", "guardrail blocked"),
        ("400: {'error': 'Rejected message. This is a prompt injection attack.'}", "guardrail blocked"),
        ("403: team not allowed to access model. This team can only access models=['a']", "model not allowed"),
    ],
)
def test_what_a_request_meets_in_the_gateway_is_the_gateways_own(words: str, cause: str) -> None:
    assert told(REQUEST + words) == ("gateway", cause)
    assert not is_upstream(words)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (
            "litellm.RateLimitError: RateLimitError: OpenAIException - You exceeded your current quota, please check "
            "plan and billing details.",
            "out of credit",
        ),
        ("litellm.RateLimitError: AzureException RateLimitError - {'code': 'insufficient_quota'}", "out of credit"),
        ("litellm.BadRequestError: AnthropicException - {'message':'Your credit balance is too low'}", "out of credit"),
        (
            "litellm.APIError: APIError: OpenrouterException - {'error':{'message':'Insufficient credits','code':402}}",
            "out of credit",
        ),
        ("litellm.APIError: APIError: DeepseekException - Error code: 402 - Insufficient Balance", "out of credit"),
        (
            "litellm.RateLimitError: litellm.RateLimitError: VertexAIException - You exceeded your current quota, "
            "check your plan and billing details. * Quota exceeded for metric: generativelanguage.googleapis.com/x",
            "429 rate limit",
        ),
        ('litellm.InternalServerError: AnthropicException - {"type":"overloaded_error"}', "provider overloaded"),
        (
            "litellm.ServiceUnavailableError: OpenAIException - The engine is currently overloaded",
            "provider overloaded",
        ),
        ('litellm.BadRequestError: GroqException - {"code":"model_decommissioned"}', "model retired"),
        ("litellm.NotFoundError: OpenAIException - The model `gpt-3` has been deprecated, learn more", "model retired"),
        ("litellm.APIConnectionError: Unable to locate credentials", "AWS credentials missing"),
        (
            "litellm.AuthenticationError: BedrockException Invalid Authentication - The security token included in the "
            "request is expired",
            "AWS credentials refused",
        ),
        (
            "litellm.APIConnectionError: Your default credentials were not found. To set up",
            "Google credentials missing",
        ),
        (
            "litellm.AuthenticationError: VertexAIException - ('invalid_grant: Invalid JWT Signature.', {})",
            "Google credentials refused",
        ),
        (
            "litellm.AuthenticationError: AzureException AuthenticationError - AADSTS7000222: The client secret "
            "keys are expired",
            "Azure credentials refused",
        ),
        ("litellm.APIConnectionError: DefaultAzureCredential failed to retrieve a token", "Azure credentials missing"),
        ("litellm.NotFoundError: OllamaException - model 'llama9' not found, try pulling it first", "model not pulled"),
        (
            'litellm.APIConnectionError: Ollama_chatException - {"error":"model requires more system memory (9 GiB)"}',
            "not enough memory",
        ),
        (
            "litellm.InternalServerError: Hosted_vllmException - CUDA out of memory. Tried to allocate",
            "not enough memory",
        ),
        (
            "litellm.InternalServerError: OpenAIException - Connection error. 407 Proxy Authentication Required",
            "proxy wants a login",
        ),
        (
            "litellm.ContextWindowExceededError: AnthropicException - prompt is too long: 210000 tokens",
            "context too long",
        ),
        (
            "litellm.ContentPolicyViolationError: AzureException - The response was filtered due to the prompt",
            "content refused",
        ),
        (
            "litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect API key provided",
            "401 key refused",
        ),
        ("litellm.NotFoundError: OpenAIException - 404 page not found", "404 not found"),
    ],
)
def test_what_a_provider_says_names_the_cause(words: str, cause: str) -> None:
    assert told(REQUEST + words) == ("upstream", cause)
    assert name_cause(words).name == cause
    assert is_upstream(words)


def test_the_class_that_litellm_gives_to_what_it_does_not_know_names_no_cause() -> None:
    assert name_cause("litellm.APIConnectionError: something that nobody has seen").name == "failing"
    assert (
        name_cause("litellm.APIConnectionError: unsupported operand type(s) for +: 'int' and 'str'").name == "failing"
    )
    # an upstream's answer that is no answer of a model
    found = name_cause("litellm.APIConnectionError: OpenAIException - 'str' object has no attribute 'model_dump'")
    assert (found.subject, found.name) == ("upstream", "answer is no JSON")


@pytest.mark.parametrize(("words", "cause"), [
    ("litellm.APIError: APIError: OpenAIException - Project `p` does not have access to model `m`", "403 forbidden"),
    ("litellm.NotFoundError: OpenAIException - The model `m` does not exist or you do not have access to it.",
     "404 not found"),
    ('litellm.NotFoundError: Ollama_chatException - {"error":"model \'m\' not found"}', "model not pulled"),
    ('litellm.APIConnectionError: Ollama_chatException - {"error": "model \'m\' not found"}', "model not pulled"),
    ("litellm.InternalServerError: InternalServerError: OpenAIException - Empty or invalid response from LLM endpoint. "
     "Received: '<html><body>Sign in</body></html>'.", "answer is no JSON"),
    ("litellm.MidStreamFallbackError: litellm.APIConnectionError: APIConnectionError: OpenAIException - Timeout on "
     "reading data from socket", "timeout"),
    ("litellm.MidStreamFallbackError: litellm.APIConnectionError: OpenAIException - peer closed connection",
     "stream breaks"),
])  # fmt: skip
def test_what_an_upstream_says_in_forms_of_its_own_is_named(words: str, cause: str) -> None:
    assert name_cause(words).name == cause


def test_a_gateway_behind_this_one_is_an_upstream_whatever_it_refuses() -> None:
    behind = (
        "Budget has been exceeded! Key=sk-1 Current cost: 2, Max budget: 1",
        "key not allowed to access model. This key can only access models=['a']",
        "No connected db.",
        "{'error': 'Violated guardrail policy'}",
    )
    for words in behind:
        wrapped = f"litellm.BadRequestError: Litellm_proxyException - {words}"
        assert told(REQUEST + wrapped)[0] == "upstream", words
        assert is_upstream(wrapped)


def test_a_cooldown_counts_against_the_group_as_it_follows_from_failures() -> None:
    cooling = "No deployments available for selected model, Try again in 5 seconds. cooldown_list=[('a', {'x': 'y'})]"
    assert subject_of(cooling) == "upstream"
    assert is_upstream("TypeError: '<' not supported between instances of 'str' and 'int'")


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("No connected db.", "no database"),
        ("No DB Connected. See - https://docs.litellm.ai/docs/proxy/virtual_keys", "no database"),
        (
            "Authentication Error, Client is not connected to the query engine, you must call `connect()`",
            "database client lost",
        ),
        ("All connection attempts failed", "key check cannot connect"),
        ("Can't reach database server at `pg`:`5432`", "database unreachable"),
        (
            "Error in connector: Error querying the database: FATAL: sorry, too many clients already",
            "database out of connections",
        ),
        (
            "Timed out fetching a new connection from the connection pool. More info: (timeout: 10)",
            "database pool timeout",
        ),
        (
            "The table `public.LiteLLM_VerificationToken` does not exist in the current database.",
            "database tables missing",
        ),
        ('ERROR: could not extend file "base/1/2": No space left on device', "database disk full"),
        ("ERROR: deadlock detected", "database deadlock"),
        ("cannot execute UPDATE in a read-only transaction", "database read-only"),
        (
            "Authentication failed against database server, the provided database credentials for `u` are not valid",
            "database login refused",
        ),
    ],
)
def test_a_lost_database_is_no_refused_key(words: str, cause: str) -> None:
    assert told(AUTH + words) == ("database", cause)
    assert not is_upstream(words) or words.startswith("All")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            "LiteLLM Prisma Client Exception connect(): Can't reach database server at `h`:`5432`",
            "database unreachable",
        ),
        (
            "prisma migrate deploy failed: Error: P1001: Can't reach database server at `h`:`5432`",
            "database unreachable",
        ),
        ("prisma db error: Error: P3009 migrate found failed migrations in the target database", "migration failed"),
        ("Error: P3018 A migration failed to apply. New migrations cannot be applied before", "migration failed"),
        ("Failed to import Prisma client: No module named 'prisma'", "Prisma missing"),
        ("The Client hasn't been generated yet, you must run `prisma generate` before", "Prisma missing"),
        (
            "Error validating datasource `client`: the URL must start with the protocol `postgresql://`",
            "DATABASE_URL unusable",
        ),
        ("Error decrypting value for key: api_key, Did your master_key/salt key change recently?", "salt key changed"),
        ("prisma-query-engine PID 31 exited (waitpid thread); triggering reconnect.", "database client lost"),
    ],
)
def test_what_prisma_says_is_about_the_database(text: str, cause: str) -> None:
    assert told(text) == ("database", cause)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("NOAUTH Authentication required.", "Redis wants a password"),
        ("WRONGPASS invalid username-password pair or user is disabled.", "Redis refuses the password"),
        ("MOVED 3999 10.0.0.2:6381", "Redis is a cluster"),
        ("CROSSSLOT Keys in request don't hash to the same slot", "Redis is a cluster"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "Redis is full"),
        ("READONLY You can't write against a read only replica.", "Redis is read-only"),
        (
            "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist",
            "Redis cannot save",
        ),
        ("LOADING Redis is loading the dataset in memory", "Redis is loading"),
        ("Error 111 connecting to redis:6379. Connection refused.", "refused"),
        ("Error -2 connecting to redis:6379. Name or service not known.", "no such host"),
        ("Error 1 connecting to redis:6379. [SSL: WRONG_VERSION_NUMBER] wrong version number", "TLS"),
        ("Timeout reading from socket", "timeout"),
    ],
)
def test_what_redis_says_is_about_the_cache(words: str, cause: str) -> None:
    assert told(REDIS + words) == ("cache", cause)
    assert "api_base" not in name_cause(words, reported(REDIS)).do


@pytest.mark.parametrize(
    ("text", "file", "expected"),
    [
        (
            "[Non-Blocking Error] Error initializing custom logger: No module named 'opentelemetry'",
            "",
            ("side service", "callback's package missing"),
        ),
        (
            "Langfuse not installed, try running 'pip install langfuse' to fix this error",
            "",
            ("side service", "callback's package missing"),
        ),
        (
            "Datadog: async_log_success_event - 403 Forbidden",
            "datadog.py:90",
            ("side service", "side service refuses the key"),
        ),
        ("Langfuse Layer Error - Connection refused", "langfuse.py:1", ("side service", "side service unreachable")),
        (
            "Failed to export batch code: 502, reason: Bad Gateway",
            "slack_alerting.py:3",
            ("side service", "side service unreachable"),
        ),
        (
            "JWT Auth: JWKS endpoint https://sso.example/keys unreachable: timed out",
            "handle_jwt.py:1",
            ("side service", "token's issuer unreachable"),
        ),
        (
            "Failed to get tools from server files: All connection attempts failed",
            "",
            ("mcp", "MCP server unreachable"),
        ),
        (
            "Client error '401 Unauthorized' for url 'http://m/mcp' while listing tools from hub",
            "",
            ("mcp", "MCP server refuses the key"),
        ),
        (
            "Transient error StatusCode.UNAVAILABLE encountered while exporting traces to otel:4317, retrying",
            "",
            ("side service", "side service unreachable"),
        ),
        ("Received 401 error by Langfuse server", "", ("side service", "side service refuses the key")),
        (
            "Error sending slack alert. Error: Cannot connect to host hooks.example:443",
            "",
            ("side service", "side service unreachable"),
        ),
        (
            f"{REQUEST}500: {{'error': 'Cannot connect to host presidio:3000'}}",
            "",
            ("side service", "Presidio unreachable"),
        ),
        ("MCP client connection failed: [Errno 111] Connection refused", "", ("mcp", "MCP server unreachable")),
        ("Timeout while listing tools from files", "mcp_server_manager.py:9", ("mcp", "MCP server unreachable")),
        ("Worker (pid:41) was sent SIGKILL! Perhaps out of memory?", "", ("worker", "worker killed")),
        ("WORKER TIMEOUT (pid:41)", "", ("worker", "worker timeout")),
        ("Child process [41] died", "", ("worker", "worker died")),
        ("Error syncing in-memory cache with Redis: OOM command not allowed", "", ("cache", "Redis is full")),
        ("[Errno 24] Too many open files", "", ("machine", "too many open files")),
        ("OSError: [Errno 28] No space left on device", "", ("machine", "disk full")),
        (
            "Failed to evict cached key entry for sk-x; a deleted key may authenticate until its TTL expires: lost",
            "auth_checks.py:3253",
            ("cache", "failing"),
        ),
        (
            "[Non-Blocking Error] Error initializing custom logger: Missing keys=['X_KEY'] in environment.",
            "litellm_logging.py:5290",
            ("side service", "callback not set up"),
        ),
        (
            "litellm.proxy_server.py::add_deployment() - Error getting new models from DB - it said so",
            "proxy_server.py:8369",
            ("database", "database request failed"),
        ),
        (
            "Error getting guardrail from DB: it said so",
            "guardrail_registry.py:529",
            ("database", "database request failed"),
        ),
        (
            "JWT Auth: ConnectTimeout fetching https://idp.example/keys (attempt 1/3), retrying: lost",
            "handle_jwt.py:773",
            ("side service", "token's issuer unreachable"),
        ),
        (
            f"{AUTH}ConnectError fetching https://idp.example/keys after 3 attempts",
            "auth_exception_handler.py:157",
            ("side service", "token's issuer unreachable"),
        ),
        (
            f"{AUTH}OIDC UserInfo endpoint returned status 503: busy",
            "auth_exception_handler.py:157",
            ("side service", "token's issuer unreachable"),
        ),
        (
            "MCP server 'clock' will not start: stdio MCP servers are disabled on this proxy. Set X=true",
            "stdio_gate.py:28",
            ("mcp", "MCP programs switched off"),
        ),
        (
            "Error listing tools from clock: UnsupportedProtocol",
            "mcp_server_manager.py:5512",
            ("mcp", "MCP server without address"),
        ),
    ],
)
def test_what_stands_beside_the_upstreams_has_its_own_subject(text: str, file: str, expected: tuple[str, str]) -> None:
    assert told(text, file) == expected


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("FileNotFoundError: [Errno 2] No such file or directory: '/srv/llm/guards.py'", "module file missing"),
        ("ImportError: Could not import proxy_handler from custom_callbacks", "module file missing"),
        ("ModuleNotFoundError: No module named 'custom_auth'", "package missing"),
        ("prisma.errors.ClientNotConnectedError: Client is not connected to the query engine", "database client lost"),
        ("Exception: Config file not found: /etc/litellm/config.yaml", "configuration unreadable"),
    ],
)
def test_what_ends_a_start_is_named_by_its_last_line(text: str, cause: str) -> None:
    assert told(text, "", TraceMark("", "proxy/types_utils/utils.py", True))[1] == cause


def test_words_that_name_nothing_stay_as_they_are() -> None:
    assert told(f"{AUTH}\nRequester IP Address:10.0.0.1") == ("gateway", "key check refused")
    assert told(f"{AUTH}something that nobody has seen") == ("gateway", "failing")
    assert told(f"{REQUEST}'NoneType' object has no attribute 'get'") == ("", "failing")
    assert told(f"{REQUEST}400: {{'error': 'an odd one'}}") == ("gateway", "failing")
    # neither is the error of a provider's client
    assert told(f"{REQUEST}[Errno 2] No such file or directory: 'x'") == ("", "failing")
    assert told("Something in a callback: 404 Not Found") == ("", "failing")


def test_a_trace_leads_to_the_part_that_failed() -> None:
    engine = '  File "/x/site-packages/prisma/engine/http.py", line 141, in request\n'
    hook = '  File "/x/site-packages/litellm/proxy/hooks/parallel_request_limiter.py", line 3, in f\n'
    assert trace_mark(engine).subject == "database"
    assert trace_mark(engine + hook).frame == "proxy/hooks/parallel_request_limiter.py"
    assert trace_mark('  File "/x/starlette/routing.py", line 694, in lifespan').starting
    assert trace_mark("plain words about prisma/ and litellm/") == TraceMark()
    assert frame_of(f'{hook}  File "/x/site-packages/litellm/router.py", line 3, in g') == "router.py"
    assert told(f"{AUTH}All connection attempts failed", "", trace_mark(engine)) == ("database", "refused")
    assert told(f"{REQUEST}odd", "", trace_mark(hook)) == ("gateway", "failing")


def test_a_check_of_a_key_that_fails_by_itself_is_none_of_its_callers() -> None:
    def kind(words: str) -> str:
        found = facts(Line("ERROR", "proxy", AUTH + words)).heading
        assert found is not None
        return found.failure.kind

    assert kind("No api key passed in.") == kind("ExceededBudget: User=u over budget. Spend=3, Budget=2") == "caller"
    assert kind("Client is not connected to the query engine") == ""


def test_parts_have_names() -> None:
    assert service_named("Error in langfuse: no") == "Langfuse"
    assert service_named("something", "datadog_llm_obs.py:3") == "Datadog"
    assert service_named("something") == ""
    assert mcp_server_named("Failed to get tools from server files_2: boom") == "files_2"
    assert mcp_server_named("MCP Server fetch not found") == "fetch"
    assert mcp_server_named("MCP client session is not initialized") == ""


@pytest.mark.parametrize(
    "error", ["APIConnectionError: the bucket no longer exists", "Vector store vs_1 no longer exists"]
)
def test_what_is_gone_elsewhere_is_no_key_that_is_gone(error: str) -> None:
    assert name_cause(error).name != "unknown key"
    assert name_cause("Authentication Error, user 'u-1' no longer exists.").name == "unknown key"
