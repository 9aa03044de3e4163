"""The causes of failures of what stands beside the upstreams: database, cache, side services, MCP servers, processes.

Words are those of LiteLLM (1.77.7 and 1.106.2), Prisma, Postgres, Redis, uvicorn and gunicorn.
"""

from __future__ import annotations

from typing import Final

from litellm_tui.analysis.failures.cause import word_rule

_LOOK_AT_POSTGRES: Final = "see whether Postgres runs and answers at the host and port of DATABASE_URL"

# words that only the database's client, or LiteLLM about it, writes
DATABASE_RULES: Final = (
    word_rule(
        "no database", "database",
        "what was asked for needs a database, and this gateway has none: without one only the master key is valid",
        "set DATABASE_URL (and install Prisma), or let the caller use the master key",
        "no connected db", "no db connected", "db not connected", "database not connected", "database not initialized",
        "no database connected", "database connection not available", "prisma client not initialized",
        "prisma_client is none", "prisma client is none", "database not available", "requires a database",
        "needs a database", "db not initialized", "database_url not set", "prisma client is not initialized",
        "no database is connected", "without a database", "database is not connected", "no_db_connection",
        "prisma client not available", "connect a database", "connect_db", "no db client", "database is required",
        "db is not connected", "database client not",
    ),
    word_rule(
        "Prisma missing", "database",
        "the package prisma, which LiteLLM needs for a database, is not installed or its client was not generated",
        "pip install prisma (it is in litellm[extra_proxy]) into LiteLLM's environment, then prisma generate",
        "no module named 'prisma", "failed to import prisma client", "'prisma generate'",
        "client hasn't been generated yet",
        "unable to find prisma binaries", "prisma generate", "cannot import name 'prisma'",
    ),
    word_rule(
        "database login refused", "database",
        "Postgres does not accept the user or the password of DATABASE_URL",
        "correct user and password in DATABASE_URL, and restart",
        "p1000", "authentication failed against database", "password authentication failed", "p1010",
        "no pg_hba.conf entry",
    ),
    word_rule(
        "database does not exist", "database",
        "Postgres answers, and has no database of the name in DATABASE_URL",
        "create it, or correct the name in DATABASE_URL",
        "error: p1003", "(p1003)", "database … does not exist on the database server",
    ),
    word_rule(
        "database unreachable", "database",
        "nothing answers as a database at the host and port of DATABASE_URL",
        _LOOK_AT_POSTGRES,
        "can't reach database server", "p1001", "p1002", "database server was reached but timed out", "p1008",
    ),
    word_rule(
        "database out of connections", "database",
        "Postgres has given out all of its connections (max_connections)",
        "lower database_connection_pool_limit or the number of workers, or raise max_connections",
        "too many clients", "too many connections", "remaining connection slots", "too_many_connections", "p2037",
        "53300",
        "database out of connections",
    ),
    word_rule(
        "database pool timeout", "database",
        "no connection of LiteLLM's own pool to the database was free in time: queries are slow, or the pool is small",
        "raise database_connection_pool_limit and database_connection_timeout, and see what holds the database up",
        "p2024", "timed out fetching a new connection from the connection pool", "from the connection pool",
    ),
    word_rule(
        "migration failed", "database",
        "a change of the database's tables failed, and Prisma goes no further until that is settled",
        "see which migration it is in _prisma_migrations, mend the cause, then mark it with prisma migrate resolve",
        "p3009", "p3018", "p3005", "p3006", "p3008", "failed migrations", "migrate deploy failed", "migration failed",
        "migrations failed", "prisma migrate", "migrate found failed", "prisma db push",
        "database setup failed", "p3015", "prisma schema out of sync",
    ),
    word_rule(
        "database tables missing", "database",
        "the database has not the tables or columns of this LiteLLM: its migrations did not run",
        "run the migrations (start once without DISABLE_SCHEMA_UPDATE, or prisma migrate deploy)",
        "p2021", "p2022", "does not exist in the current database", 'relation "litellm_', "not all views exist in db",
        "did not appear within", "undefinedtable", "undefinedcolumn",
    ),
    word_rule(
        "database disk full", "database",
        "Postgres has no room left on its disk, and takes nothing more in",
        "make room on the database's disk; the spend logs (LiteLLM_SpendLogs) are mostly the largest",
        "could not extend file", "could not write to file", "53100", "disk_full", "diskfull",
    ),
    word_rule(
        "database read-only", "database",
        "the database takes no writes: it is a replica, or was made read-only",
        "give DATABASE_URL the primary server",
        "read-only transaction", "25006", "session is read-only",
    ),
    word_rule(
        "database deadlock", "database",
        "two writers waited for each other, and Postgres ended one of them; LiteLLM tries again",
        "with many workers set use_redis_transaction_buffer, so that one of them writes the spend",
        "deadlock detected", "40p01", "p2034", "write conflict or a deadlock",
    ),
    word_rule(
        "DATABASE_URL unusable", "database",
        "DATABASE_URL is not an address that Prisma takes",
        "write it as postgresql://USER:PASSWORD@HOST:PORT/NAME, special characters in it percent-encoded",
        "p1012", "p1013", "error validating datasource", "the url must start with the protocol",
        "invalid port number in",
    ),
    word_rule(
        "database client lost", "database",
        "Prisma's query engine, through which LiteLLM asks the database, is gone: keys cannot be looked up",
        "see whether Postgres answers, then restart the gateway; its callers' keys are not at fault",
        "not connected to the query engine", "clientnotconnectederror", "prisma-query-engine", "query-engine",
        "engine is not yet connected", "engineconnectionerror", "not connected to query engine", "query engine",
        "prisma db reconnect", "prisma client generation", "server has closed the connection", "p1017",
        "writer probe failed", "prisma reconnect", "prisma engine",
    ),
    word_rule(
        "salt key changed", "database",
        "what is stored in the database was encrypted with another LITELLM_SALT_KEY (or master key)",
        "bring the former LITELLM_SALT_KEY back; what was stored since must be entered anew",
        "did your master_key/salt key change", "error decrypting value", "cannot decrypt", "unable to decrypt",
        "could not decrypt", "failed to decrypt", "decryption failed",
    ),
)  # fmt: skip

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
        "child process [ … ] died", "worker … was sent sig", "worker (pid: … exited",
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
        "module file missing", "start-up",
        "the configuration names a Python module whose file is not there: LiteLLM does not start",
        "put the file beside the configuration (mount it there), or correct the name",
        "no such file or directory: … .py", "could not import", "module … file not found",
    ),
    word_rule(
        "package missing", "start-up",
        "a Python package that LiteLLM needs is not in its environment",
        "install it into LiteLLM's environment (pip install NAME), or take out what needs it",
        "no module named", "missing dependency", "is not installed. please install", "modulenotfounderror",
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
        "jwks endpoint", "jwks … unreachable", "fetching jwks", "jwks … timed out", "fetching oidc",
        "error fetching public",
        "fetch jwks", "jwks_unavailable", "jwks … unavailable",
    ),
    word_rule(
        "Presidio unreachable", "side service",
        "Presidio, which the guardrail for personal data asks, does not answer: requests that need it are refused",
        "see whether it runs at PRESIDIO_ANALYZER_API_BASE and PRESIDIO_ANONYMIZER_API_BASE",
        "connect to host presidio", "connect to presidio", "presidio … cannot connect", "presidio … connection",
        "presidio … timed out", "presidio … refused",
    ),
)  # fmt: skip

SIDE_RULES: Final = (
    word_rule(
        "callback's package missing", "side service",
        "a callback's Python package is not in LiteLLM's environment; requests go on, and nothing is sent there",
        "install it into LiteLLM's environment (pip install NAME), or take the callback out",
        "no module named", "modulenotfounderror", "not installed, try running", "is not installed", "please install",
        "pip install", "cannot import name",
    ),
    word_rule(
        "side service refuses the key", "side service",
        "the service does not accept the key that LiteLLM sends; requests go on",
        "correct its key in the environment, and restart",
        "401", "403", "unauthorized", "forbidden", "invalid api key", "invalid credentials", "invalid_auth",
        "accessdenied",
        "invalidaccesskeyid", "access denied",
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
