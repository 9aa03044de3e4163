"""The causes of failures of the database, in the words of LiteLLM (1.77.7 and 1.106.2), Prisma and Postgres."""

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
        "no database connection", "not connected to db", "require a database", "prisma_client not available",
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
        "database forbids it", "database",
        "the user of DATABASE_URL lacks rights in the database",
        "give it the rights on its schema (GRANT ALL ON SCHEMA public TO its name): since PostgreSQL 15 nobody has "
        "them by default",
        "permission denied for schema", "permission denied for table", "permission denied for relation",
        "permission denied for database", "permission denied to create", "must be owner of", "42501",
        "insufficient permissions", "permission error. migration",
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
        "p2021", "p2022", "does not exist in the current database", 'relation "litellm_ … does not exist',
        "not all views exist in db",
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
    # what LiteLLM writes around the error of the database's client, where that is none of the above
    word_rule(
        "database request failed", "database",
        "LiteLLM could not read or write its tables; what lies in the database alone is not in force",
        "see what follows LiteLLM's words, and whether Postgres answers",
        "error getting guardrail … from db:", "error adding guardrail to db", "error deleting guardrail from db",
        "error updating guardrail in db", "error getting new models from db", "error getting credentials from db",
        "failed to load state from db", "could not read … from the database:", "could not be loaded from the database",
        "error getting guardrails from db", "error getting guardrail from db", "auth: db unavailable",
    ),
)  # fmt: skip
