"""The causes of failures of what stands beside the upstreams: cache, side services, MCP servers, processes, starts.

Words are those of LiteLLM (1.77.7 and 1.106.2), Prisma, Postgres, Redis, uvicorn and gunicorn.
"""

from __future__ import annotations

from typing import Final

from litellm_tui.analysis.failures.cause import word_rule

# LiteLLM took a value of litellm_settings.cache for the cache itself (litellm/caching/caching_handler.py)
SWITCH_RULES: Final = (
    word_rule(
        "cache is no switch",
        "cache",
        "litellm_settings.cache is neither true nor false: LiteLLM takes it for the cache itself, and every request "
        "fails",
        "write cache: true, put what describes the cache under cache_params, and restart",
        *(f"'{kind}' object has no attribute 'cache'" for kind in ("dict", "list", "str", "int", "float")),
    ),
)

# what the cache's client says in its own words
CACHE_RULES: Final = (
    *SWITCH_RULES,
    word_rule(
        "Redis wants a password", "cache",
        "Redis answers, and wants a password that LiteLLM does not send",
        "set password (or REDIS_PASSWORD) in cache_params, and restart",
        "noauth", "authentication required", "hello must be called with the client already authenticated",
    ),
    word_rule(
        "Redis refuses the password", "cache",
        "Redis does not accept the user or the password of cache_params",
        "correct password (or REDIS_PASSWORD) and username in cache_params, and restart",
        "wrongpass", "invalid username-password pair", "invalid password", "called without any password configured",
        "authentication failed",
    ),
    word_rule(
        "Redis forbids it", "cache",
        "the Redis user that LiteLLM logs in as may not run this command",
        "give the user the command (ACL SETUSER)",
        "noperm", "no permissions to",
    ),
    word_rule(
        "Redis is a cluster", "cache",
        "this Redis is a cluster, and LiteLLM speaks to it as to a single server",
        "set redis_startup_nodes (or REDIS_CLUSTER_NODES) in cache_params instead of host and port",
        "moved ", "crossslot", "clusterdown", "cross slot", "ask 1",
    ),
    word_rule(
        "Redis is no cluster", "cache",
        "redis_startup_nodes is set, and this Redis is not a cluster",
        "set host and port in cache_params instead of redis_startup_nodes",
        "cluster support disabled", "cluster mode is not enabled", "redis cluster cannot be connected",
    ),
    word_rule(
        "Redis is full", "cache",
        "Redis has reached its maxmemory and takes nothing more in; what is there is still read",
        "raise maxmemory, or set a maxmemory-policy that lets old entries go (allkeys-lru)",
        "oom command not allowed", "used memory > 'maxmemory'",
    ),
    word_rule(
        "Redis is read-only", "cache",
        "this Redis is a replica, which takes no writes",
        "give cache_params the primary server, or use Sentinel (sentinel_nodes, service_name)",
        "read only replica", "readonly you can't write", "read only slave",
    ),
    word_rule(
        "Redis cannot save", "cache",
        "Redis could not save to its disk, and takes no writes until it can",
        "make room on its disk or correct its folder; see its own log",
        "misconf",
    ),
    word_rule(
        "Redis is loading", "cache",
        "Redis has just started and still loads its data",
        "wait; if it goes on, Redis restarts again and again: see its own log",
        "loading redis is loading", "busyloading", "redis is loading the dataset",
    ),
    word_rule(
        "Redis out of connections", "cache",
        "Redis, or LiteLLM's pool to it, has no connection left",
        "raise max_connections in cache_params, or maxclients of Redis",
        "max number of clients reached", "too many connections", "no connection available",
    ),
    word_rule(
        "cache breaker open", "cache",
        "after several failures LiteLLM leaves Redis alone for a while",
        "see the failures before it: they say why Redis does not work",
        "circuit breaker",
    ),
)  # fmt: skip

MCP_RULES: Final = (
    # who signed the caller's token is asked for one that the MCP server takes (outbound_credentials/)
    word_rule(
        "token refused", "caller",
        "the signed token that a caller brings for an MCP server is not accepted by who signed it",
        "let the caller sign in anew; compare audience and scope with those of the server in mcp_servers",
        "rejected the subject token", "subject token … expired",
    ),
    word_rule(
        "package missing", "gateway",
        "a Python package that LiteLLM needs for this is not in its environment",
        "install it into LiteLLM's environment (its bin/pip install NAME), or take out what needs it",
        "missing botocore", "run 'pip install boto3'",
    ),
    word_rule(
        "MCP programs switched off", "mcp",
        "an MCP server of the configuration is a program, and this gateway starts none",
        "set LITELLM_ENABLE_MCP_STDIO=true in LiteLLM's environment, and restart",
        "stdio mcp servers are disabled",
    ),
    word_rule(
        "MCP program not allowed", "mcp",
        "an MCP server of the configuration is a program that LiteLLM does not start by itself",
        "name it in LITELLM_MCP_STDIO_EXTRA_COMMANDS, and restart",
        "mcp stdio command … is not in the allowlist",
    ),
    word_rule(
        "MCP server without address", "mcp",
        "an MCP server of the configuration has no url that begins with http:// or https://",
        "give it its url in mcp_servers, directly below its name",
        "unsupportedprotocol", "missing an 'http://' or 'https://' protocol",
    ),
    word_rule(
        "MCP server refuses the key", "mcp",
        "an MCP server of the configuration answers, and does not accept what LiteLLM identifies itself with",
        "correct auth_type and authentication of the server in mcp_servers",
        "401", "403", "unauthorized", "forbidden",
    ),
    word_rule(
        "MCP server unreachable", "mcp",
        "an MCP server of the configuration cannot be reached",
        "see whether it runs and answers at the url in mcp_servers",
        "connect", "refused", "unreachable", "timeout", "timed out", "failed to get tools", "name or service",
        "client not found", "502", "503", "failed to list tools", "failed to initialize",
        "unhandled errors in a taskgroup",
    ),
)  # fmt: skip

PROCESS_RULES: Final = (
    word_rule(
        "worker killed", "worker",
        "a worker was killed from outside (SIGKILL), mostly because memory ran out",
        "see the machine's memory and what the kernel says of it; give it more, or run fewer workers",
        "was sent sigkill", "perhaps out of memory", "terminated by signal 9", "killed by signal 9",
    ),
    word_rule(
        "worker timeout", "worker",
        "a worker did not answer gunicorn in time and was ended: something blocked it",
        "see what blocked it before; raise gunicorn's timeout if a request may take that long",
        "worker timeout", "worker … timeout (pid",
    ),
    word_rule(
        "worker died", "worker",
        "a worker process died and was replaced; its requests were lost, and its memory of cooldowns",
        "see the machine's memory (the kernel's log says out of memory), and the lines before it",
        "child process [ … ] died", "worker … was sent sig", "worker … was sent code", "worker (pid: … exited",
        "unexpected exit from worker", "worker exiting with code", "haltserver",
    ),
)  # fmt: skip

MACHINE_RULES: Final = (
    word_rule(
        "disk full", "machine",
        "there is no room left on a disk of this machine",
        "make room: df shows which disk it is",
        "no space left on device", "errno 28", "disk quota exceeded", "errno 122",
    ),
    word_rule(
        "too many open files", "machine",
        "LiteLLM has used up its file descriptors: connections are refused",
        "raise LimitNOFILE of the unit (ulimit -n), and see whether connections are closed",
        "too many open files", "errno 24]",
    ),
    word_rule(
        "out of memory", "machine",
        "the machine, or LiteLLM's share of it, has no memory left",
        "give it more memory (MemoryMax of the unit, the container's limit), or run fewer workers",
        "cannot allocate memory", "memoryerror", "errno 12]", "out of memory: killed", "oom-kill", "oom_kill",
        "can't start new thread",
    ),
)  # fmt: skip

# the last word of a start that was given up; what was said before it is why
START_FAILED: Final = "start did not complete"
START_ENDED_RULES: Final = (
    word_rule(
        START_FAILED, "start-up",
        "LiteLLM did not start, and its log does not say why",
        "see the last lines before it in the log",
        "application startup failed", "worker failed to boot", "reason: worker failed to boot",
    ),
)  # fmt: skip

START_RULES: Final = (
    word_rule(
        "Python does not start", "start-up",
        "the interpreter does not find its own library: it has not come as far as any program",
        "see PYTHONHOME in the unit's environment, and whether that Python was moved or upgraded; else make LiteLLM's "
        "environment anew",
        "no module named 'encodings", "no module named encodings", "failed to import encodings module",
        "init_fs_encoding",
    ),
    word_rule(
        "module file missing", "start-up",
        "the configuration names a Python module whose file is not there: LiteLLM does not start",
        "put the file beside the configuration (mount it there), or correct the name",
        "no such file or directory: … .py", "could not import", "module … file not found", "could not find module file",
    ),
    word_rule(
        "package missing", "start-up",
        "a Python package that LiteLLM needs is not in its environment",
        "install it into LiteLLM's environment (pip install NAME), or take out what needs it",
        "no module named", "missing dependency", "is not installed. please install", "modulenotfounderror",
        "run `pip install", "run 'pip install", "please install",
    ),
    word_rule(
        "package of another version", "start-up",
        "a Python package in LiteLLM's environment has another version than LiteLLM needs",
        "install LiteLLM anew together with what it needs: pip install 'litellm[proxy]==VERSION'",
        "cannot import name … site-packages", "cannot import name … dist-packages", "cannot import name … from 'openai",
        "cannot import name … from 'pydantic", "cannot import name … from 'litellm",
    ),
    word_rule(
        "module unusable", "start-up",
        "the configuration names a Python module that cannot be loaded as it is",
        "LiteLLM's words say what is wrong in it; correct the module or its name",
        "importerror", "cannot import name", "module ' … ' has no attribute", "syntaxerror",
    ),
    word_rule(
        "value of a wrong kind", "start-up",
        "LiteLLM met a value of another kind than it reads there, such as a list in place of a mapping",
        "the audit (a) names the setting where it is known; the lines above say what LiteLLM was reading",
        *(f"'{kind}' object has no attribute" for kind in ("dict", "list", "str", "int", "float", "bool", "nonetype")),
        *(f"'{kind}' object is not" for kind in ("int", "float", "bool", "nonetype")),
        "list indices must be", "string indices must be", "argument after ** must be a mapping",
        "unsupported operand type", "not supported between instances of",
    ),
    word_rule(
        "configuration is a folder", "start-up",
        "where the configuration file should be is a folder: Docker makes one where the file to mount is not there",
        "put the file there in place of the folder, and make the container anew",
        "is a directory: … .yaml'", "is a directory: … .yml'",
    ),
    word_rule(
        "configuration unreadable", "start-up",
        "LiteLLM cannot read its configuration file",
        "correct the file: the audit (a) names the place",
        "error loading yaml file", "config file not found", "config cannot be none", "included file not found",
        "unable to load config", "yaml.scanner", "yaml.parser", "while scanning", "while parsing a",
        "unicodedecodeerror",
    ),
    word_rule(
        "master key refused", "start-up",
        "this LiteLLM starts with no unsafe master key: it is unset, empty or sk-1234",
        "set general_settings.master_key to a long secret of your own",
        "unsafe … master_key", "unsafemasterkeyerror", "refused to start … master", "master key … unsafe",
    ),
    word_rule(
        "file system read-only", "start-up",
        "LiteLLM writes a file while it starts, and the file system there takes no writes",
        "give the service a folder there that takes writes, or set the variable that moves it, such as "
        "LITELLM_MIGRATION_DIR",
        "errno 30]", "read-only file system",
    ),
    word_rule(
        "permission denied", "start-up",
        "the service's user may not read or write a file that the start needs",
        "give the service's user the right to that file (ls -l, User= of the unit)",
        "permissionerror: ", "permission denied", "errno 13]",
    ),
    word_rule(
        "port taken", "start-up",
        "LiteLLM could not listen: another program has its port",
        "stop the other program, or give LiteLLM another port",
        "address already in use", "errno 98]",
    ),
)  # fmt: skip

# who signs the tokens of callers is asked by the check of a key
ISSUER_RULES: Final = (
    word_rule(
        "token's issuer unreachable", "side service",
        "the keys with which callers' tokens are checked (JWKS), or who is asked about them, cannot be fetched",
        "see whether the issuer's address (JWT_PUBLIC_KEY_URL) answers from this machine",
        "jwks endpoint", "jwks … unreachable", "jwt auth: oidc discovery",
        "fetching jwks", "jwks … timed out", "fetching oidc",
        "error fetching public",
        "fetch jwks", "jwks_unavailable", "jwks … unavailable",
        # handle_jwt.py names the kind of the network's error, the address and how often it tried
        "jwt auth: … fetching http", "jwt auth: identity provider unreachable", "fetching http … attempts",
        "error parsing response: … check server logs for original",
        "oidc userinfo endpoint returned status 5", "fetch oidc userinfo: all connection",
        "fetch oidc userinfo: … timed out", "fetch oidc userinfo: … refused",
    ),
    word_rule(
        "e-mail not sent", "side service",
        "LiteLLM could not write or send an e-mail; requests go on",
        "see SMTP_HOST and the other SMTP_ variables in its environment",
        "for smtp email", "trying to use smtp",
    ),
    word_rule(
        "Presidio unreachable", "side service",
        "Presidio, which the guardrail for personal data asks, does not answer: requests that need it are refused",
        "see whether it runs at PRESIDIO_ANALYZER_API_BASE and PRESIDIO_ANONYMIZER_API_BASE",
        "connect to host presidio", "connect to presidio", "presidio … cannot connect", "presidio … connection",
        "presidio … timed out", "presidio … refused", "presidio … failed: clientconnect", "presidio … failed: timeout",
        "presidio … failed: serverdisconnect", "presidio … failed: clientos",
    ),
    word_rule(
        "Presidio fails", "side service",
        "Presidio, which the guardrail for personal data asks, answers otherwise than LiteLLM reads it: requests that "
        "need it are refused",
        "see Presidio's own log; LiteLLM's words say what it answered",
        "presidio analyzer returned", "presidio anonymizer returned", "presidio pii analysis failed",
    ),
)  # fmt: skip

SIDE_RULES: Final = (
    word_rule(
        "Presidio fails, passed on", "side service",
        "Presidio did not look at a request, and LiteLLM passes it on as it is: personal data in it is not masked",
        "see Presidio's own log; with pii_entities_config LiteLLM refuses such requests",
        "presidio analyzer … returning empty list",
    ),
    word_rule(
        "login's credentials refused", "side service",
        "who signs people in (SSO) does not accept the gateway's own client id and secret: nobody can log in to the UI",
        "renew the client secret there, and set it in the gateway's environment (…_CLIENT_SECRET); callers' keys go on",
        "invalid_client", "unauthorized_client", "aadsts7000215", "aadsts7000222", "invalidclienterror",
    ),
    word_rule(
        "login's way back refused", "side service",
        "who signs people in (SSO) does not take the address to which they are to come back",
        "set PROXY_BASE_URL to the address that people open, and enter it there with /sso/callback behind it",
        "redirect_uri", "aadsts50011", "aadsts500112", "redirect address",
    ),
    word_rule(
        "bad request", "caller",
        "a caller's request names no prompt, and what was asked for needs one",
        "let the caller send prompt_id",
        "prompt_id is required", "prompt_id or prompt_spec is required",
    ),
    word_rule(
        "token not readable", "side service",
        "who signs people in (SSO) sends a token in another form than LiteLLM reads there",
        "see whether the provider can give signed tokens (JWT) to this client, or use another LiteLLM version",
        "not enough segments", "invalid header string", "invalid payload string",
    ),
    word_rule(
        "callback skipped", "side service",
        "a callback was not added: nothing is sent there",
        "LiteLLM's words say why; take callbacks out, or raise the limit that they name",
        "cannot add callback",
    ),
    word_rule(
        "callback's package missing", "side service",
        "a callback's Python package is not in LiteLLM's environment; requests go on, and nothing is sent there",
        "install it into LiteLLM's environment (pip install NAME), or take the callback out",
        "no module named", "modulenotfounderror", "not installed, try running", "is not installed", "please install",
        "pip install", "cannot import name",
    ),
    word_rule(
        "callback not set up", "side service",
        "a variable that a callback needs is not set; requests go on, and nothing is sent there",
        "set what LiteLLM's words name in its environment, and restart, or take the callback out",
        "missing keys=", "not found in environment", "environment variable is not set", "is not set in the environment",
        "must be set in the environment", "environment variable is required",
        "initializing custom logger: … please set",
    ),
    word_rule(
        "side service refuses the key", "side service",
        "the service does not accept the key that LiteLLM sends; requests go on",
        "correct its key in the environment, and restart",
        "401", "403", "unauthorized", "forbidden", "invalid api key", "invalid credentials", "invalid_auth",
        "accessdenied",
        "invalidaccesskeyid", "access denied", "no_service", "channel_not_found", "invalid_token",
    ),
    word_rule(
        "side service unreachable", "side service",
        "the service that logs, traces, alerts or tokens go to does not answer; requests go on where it only records",
        "see whether it runs at the address in its variables, and whether this machine reaches it",
        "connection refused", "connect call failed", "name or service not known", "timed out", "timeout", "unreachable",
        "connection error", "cannot connect", "failed to export", "max retries exceeded",
        "all connection attempts failed",
        "connection reset", "temporary failure in name resolution", "statuscode.unavailable", "transient error",
        "502", "503", "504", "connecterror",
    ),
)  # fmt: skip
