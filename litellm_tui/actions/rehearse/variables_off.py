"""The environment variables that a rehearsal does without: of the database, of alerts, traces and metrics, of Redis."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Set
from typing import Any, Final

from litellm_tui.actions.rehearse.changes import GONE, Change
from litellm_tui.actions.rehearse.settings_off import has_redis_cache
from litellm_tui.collectors.config.config_file import ENVIRONMENT_PREFIX
from litellm_tui.model.edits import Path

# each of them alone, or with the others, gives LiteLLM a database (litellm/proxy/proxy_cli.py, construct_database_url…)
DATABASE: Final = frozenset(
    {
        *("DATABASE_URL", "DIRECT_URL", "DATABASE_URL_READ_REPLICA", "DATABASE_HOST", "DATABASE_PORT"),
        *("DATABASE_USERNAME", "DATABASE_USER", "DATABASE_PASSWORD", "DATABASE_NAME", "DATABASE_SCHEMA"),
        *("IAM_TOKEN_DB_AUTH", "AZURE_POSTGRESQL_AUTH", "STORE_MODEL_IN_DB", "USE_PRISMA_MIGRATE"),
        *("STORE_PROMPTS_IN_SPEND_LOGS", "LITELLM_KEY_ROTATION_ENABLED"),
    }
)
# without one of these the others give it none
_SERVERS: Final = frozenset({"DATABASE_URL", "DIRECT_URL", "DATABASE_HOST"})
WITHOUT_DATABASE: Final = (
    "the database: it is not connected and not migrated, so what it holds (keys, teams, models, settings) and what "
    "only it can refuse is not rehearsed"
)
# with a database asked for: what would change there beyond a start
_JOBS: Final = frozenset({"LITELLM_KEY_ROTATION_ENABLED"})
_SENDING: Final = re.compile(
    r"SLACK_WEBHOOK_URL|DISCORD_WEBHOOK_URL|MS_TEAMS_WEBHOOK_URL|WEBHOOK_URL|PAGERDUTY_API_KEY|SMTP_[A-Z_]{1,40}"
    r"|RESEND_API_KEY|SENDGRID_API_KEY|USE_DDTRACE|USE_DDPROFILER|LITELLM_ENABLE_PYROSCOPE|PYROSCOPE_[A-Z_]{1,40}"
    r"|SENTRY_[A-Z_]{1,40}|(?:LANGFUSE|LANGSMITH|LANGTRACE|OTEL|DD|DATADOG|ARIZE|PHOENIX|HELICONE|LUNARY|BRAINTRUST"
    r"|POSTHOG|LOGFIRE|GALILEO|OPENMETER|ARGILLA|OPIK|AGENTOPS|WANDB|WEAVE|MLFLOW|GENERIC_LOGGER|LAGO|ATHINA"
    r"|PROMPTLAYER|TRACELOOP|CLOUDZERO|NEW_RELIC|NEWRELIC|AZURE_SENTINEL|LITERAL|SIGNOZ|LITELLM_LENS|MAVVRIK|VANTAGE"
    r"|FOCUS|CONFIDENT|GREENSCALE|SUPABASE|LEVO)_[A-Z0-9_]{1,60}"
)
# the running gateway's own files: LiteLLM empties that folder at its start
_METRICS: Final = frozenset({"PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir", "PROMETHEUS_URL"})
# the image's start script begins another server with it
_ASIDE: Final = frozenset({"SEPARATE_HEALTH_APP"})
# it would be read in place of the derived copy
_BUCKET: Final = frozenset(
    {"LITELLM_CONFIG_BUCKET_NAME", "LITELLM_CONFIG_BUCKET_OBJECT_KEY", "LITELLM_CONFIG_BUCKET_TYPE"}
)
# each names a server; the newest releases count there without being told to
_REDIS: Final = frozenset({"REDIS_URL", "REDIS_HOST", "REDIS_CLUSTER_NODES", "REDIS_SENTINEL_NODES"})
_BUFFER: Final = ("general_settings", "use_redis_transaction_buffer")
_LIMITER: Final = "LEGACY_MULTI_INSTANCE_RATE_LIMITING"
_OTHER_NAME: Final = "REHEARSED_"
_SECTION: Final = "environment_variables"


def variables_off(
    data: Mapping[str, Any], environment: Mapping[str, str], *, had_database: bool, with_database: bool
) -> tuple[dict[str, str | None], list[Change]]:
    """The variables that are changed (None: taken away), and what goes with them in the file.

    `data` is what the file will hold, so that what is still referred to (`os.environ/NAME`) stays. `had_database` says
    whether LiteLLM has one in truth.
    """
    section = data.get(_SECTION)
    written = section if isinstance(section, dict) else {}
    referred: dict[str, list[Path]] = {}
    for path, name in references(data):
        referred.setdefault(name, []).append(path)
    names = {*environment, *(name for name in written if isinstance(name, str))}
    gone: dict[str, str | None] = {}
    changes: list[Change] = []

    def take(which: Collection[str], said: str, *, kept: Collection[str] = ()) -> None:
        found = sorted(set(which) - set(kept))
        gone.update((name, None) for name in found if name in environment)
        changes.extend(Change((_SECTION, name)) for name in found if name in written)
        if found and said:
            changes.append(Change((), GONE, said.format(", ".join(found))))

    if with_database:
        take(names & _JOBS, "key rotation ({}): no key is given a new value")
    else:
        take(names & DATABASE, "")
        if had_database:
            changes.append(Change((), GONE, WITHOUT_DATABASE))
    # a provider, a guardrail or a prompt store may be given the same key
    take([name for name in names if _SENDING.fullmatch(name)], "variables of alerts and traces ({})", kept=referred)
    take(names & _METRICS, "metrics of several processes ({}): the running gateway's own files", kept=referred)
    take(names & _ASIDE, "")
    take(names & _BUCKET, "the configuration in a bucket ({}): the file is rehearsed, and not what is there")
    if has_redis_cache(data):
        # the newer limiter of requests counts beside the namespace in releases up to 1.77.7 at least: by scripts
        gone[_LIMITER] = "true"
        changes.append(Change((), GONE, "limits of keys: counted by LiteLLM's older limiter, which keeps the prefix"))
    elif named := names & _REDIS:
        _renamed(named, environment, written, referred, gone, changes)
        take(named, "Redis for counting across processes ({}): it has no namespace there, so it counts in memory")
        general = data.get("general_settings")
        if isinstance(general, dict) and general.get(_BUFFER[1]):
            # it would miss the Redis that it has in truth
            changes.append(Change(_BUFFER, False))
    return gone, changes


def has_database(data: Mapping[str, Any], environment: Collection[str]) -> bool:
    """Whether LiteLLM would connect a database with these variables and this file."""
    general, written = data.get("general_settings"), data.get(_SECTION)
    names = {*environment, *(written if isinstance(written, dict) else ())}
    named = isinstance(general, dict) and general.get("database_url") is not None
    return named or bool(names & _SERVERS)


def _renamed(
    named: Set[str],
    environment: Mapping[str, str],
    written: Mapping[Any, Any],
    referred: Mapping[str, list[Path]],
    gone: dict[str, str | None],
    changes: list[Change],
) -> None:
    """What the file refers to keeps its value under a name that LiteLLM does not read by itself."""
    for name in sorted(referred.keys() & named):
        value = written.get(name, environment.get(name))
        if isinstance(value, str):
            gone[_OTHER_NAME + name] = value
            changes += (Change(path, f"{ENVIRONMENT_PREFIX}{_OTHER_NAME}{name}") for path in referred[name])


def references(data: Any) -> Iterator[tuple[Path, str]]:
    """Every `os.environ/NAME` with its path, in linear time also where anchors are used in many places."""
    pending: list[tuple[Path, Any]] = [((), data)]
    seen: set[int] = set()
    while pending:
        path, node = pending.pop()
        if isinstance(node, str):
            if node.startswith(ENVIRONMENT_PREFIX):
                yield path, node.removeprefix(ENVIRONMENT_PREFIX)
            continue
        if not isinstance(node, dict | list) or id(node) in seen:
            continue
        seen.add(id(node))
        pending += (((*path, key), item) for key, item in (node.items() if isinstance(node, dict) else enumerate(node)))
