"""Settings that LiteLLM makes objects or numbers of at its start, and what it wants to have when it starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from litellm_tui.audit import declared, shapes, surroundings
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.shapes import WORDS, Shape, fits, kind_of
from litellm_tui.audit.subject import UNKNOWN, Subject
from litellm_tui.model.audit import Severity
from litellm_tui.model.edits import Path

_LOAD: Final = "litellm/proxy/proxy_server.py, ProxyConfig.load_config (1.77.7, 1.106.2)"
# max_budget has a rule of its own
_NUMBERS: Final = ("max_internal_user_budget", "default_max_internal_user_budget")
# with what the first release seen has; before, the key becomes an attribute as it is
_MAPPINGS: Final = {
    "model_group_settings": "",
    "upperbound_key_generate_params": "",
    "responses": "1.83",
    "priority_reservation_settings": "1.97",
}
_SYSTEMS: Final = (
    *("google_kms", "azure_key_vault", "aws_secret_manager", "google_secret_manager", "hashicorp_vault", "cyberark"),
    *("aws_kms", "custom"),
)
_PAID: Final = ("google_secret_manager", "hashicorp_vault", "cyberark")


@rule(
    "setting-refused",
    "fatal",
    "A setting that ends the start",
    why="LiteLLM makes a number or an object of it at its start, and ends when that fails.",
    source=_LOAD,
    fix="write the setting as LiteLLM reads it",
)
def setting_refused(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section("litellm_settings")
    for key in (*_NUMBERS, *(("max_ui_session_budget",) if subject.runs(since="1.97") else ())):
        value = shapes.resolved(subject, settings.get(key))
        if key not in settings or value is UNKNOWN or (value is None and key == "max_ui_session_budget"):
            continue
        if not fits(value, "number"):
            yield _hit(key, "number", value)
    for key, since in _MAPPINGS.items():
        value = settings.get(key)
        # the first release seen that passes over another kind is 1.109
        if key == "responses" and not subject.runs(until="1.106"):
            continue
        if key in settings and not isinstance(value, dict) and (not since or subject.runs(since=since)):
            yield _hit(key, "mapping", value)
    yield from _header_groups(settings)
    yield from _teams(settings)
    yield from _providers(settings)
    management = subject.section("general_settings").get("key_management_settings")
    if management is not None and not isinstance(management, dict):
        path: Path = ("general_settings", "key_management_settings")
        yield Hit(f"key_management_settings must be a mapping, and is {kind_of(management)}", path)
    elif isinstance(management, dict):
        path = ("general_settings", "key_management_settings")
        for where, text in declared.faults(subject, management, declared.SECRETS, path):
            yield Hit(f"{'.'.join(map(str, where[1:]))} {text}", where)


@rule(
    "secret-manager-refused",
    "fatal",
    "A secret manager that LiteLLM cannot open",
    why="LiteLLM opens the secret manager before it reads anything else, and ends when it has none of that name, or "
    "when it needs a licence or a variable that is not there.",
    source="litellm/proxy/proxy_server.py, initialize_secret_manager (1.77.7, 1.106.2); litellm/secret_managers",
    fix="write a key_management_system that LiteLLM has, with what it needs",
)
def secret_manager_refused(subject: Subject) -> Iterator[Hit | Right]:
    general = subject.section("general_settings")
    system = subject.resolve(general.get("key_management_system"))
    path: Path = ("general_settings", "key_management_system")
    packages = subject.packages
    google = "google_kms" if system == "google_kms" else "use_google_kms" if general.get("use_google_kms") else ""
    if google and packages is not None and "google-cloud-kms" not in packages:
        yield Hit(f"{google} needs google-cloud-kms, which is not installed beside LiteLLM", path)
    if system is None or system is UNKNOWN:
        return
    if not isinstance(system, str):
        yield Hit(f"key_management_system must be a text, and is {kind_of(system)}", path)
    elif system not in _SYSTEMS:
        if subject.runs(until="1.109"):
            yield Hit(f"there is no key_management_system {system!r}: {', '.join(_SYSTEMS)}", path)
    elif system in _PAID and _licence(subject) is False:
        yield Hit(f"{system} needs a licence, and LITELLM_LICENSE is not set", path)
    elif system == "aws_kms" and subject.variable("AWS_REGION_NAME") is None:
        yield Hit("aws_kms needs AWS_REGION_NAME, which is not set", path)
    elif system == "custom":
        settings = general.get("key_management_settings")
        if not (isinstance(settings, dict) and settings.get("custom_secret_manager")):
            yield Hit("custom needs key_management_settings.custom_secret_manager, `module.Class`", path)
    elif system == "google_kms":
        for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_KMS_RESOURCE_NAME"):
            if subject.variable(name) is None:
                yield Hit(f"google_kms needs {name}, which is not set", path)


@rule(
    "transaction-buffer-without-redis",
    "fatal",
    "A buffer in Redis, but no Redis",
    why="With use_redis_transaction_buffer LiteLLM keeps what is spent in Redis, and ends when it has none.",
    source="litellm/proxy/proxy_server.py, validate_redis_transaction_buffer_config (1.83.0, 1.106.2)",
    fix="add a Redis cache below litellm_settings, set REDIS_HOST or REDIS_URL, or take the switch out",
    since="1.83",
)
def transaction_buffer_without_redis(subject: Subject) -> Iterator[Hit | Right]:
    key = "use_redis_transaction_buffer"
    value = shapes.resolved(subject, subject.section("general_settings").get(key))
    on = value.strip().lower() == "true" if isinstance(value, str) else bool(value) and value is not UNKNOWN
    if not on or surroundings.cache_type(subject) == "redis" or "coordination_redis" in subject.data:
        return
    general = subject.section("general_settings")
    if general.get("coordination_redis") or subject.section("litellm_settings").get("coordination_redis"):
        return
    names = ("REDIS_HOST", "REDIS_URL", "REDIS_CLUSTER_NODES", "REDIS_SENTINEL_NODES")
    given = surroundings.is_set(subject, *names)
    if given:
        return
    what = "LiteLLM does not start" if given is False else "LiteLLM starts only with REDIS_HOST or REDIS_URL set"
    severity: Severity | None = None if given is False else "warning"
    yield Hit(f"{key} is on without a Redis: {what}", ("general_settings", key), severity=severity)


@rule(
    "database-scheme",
    "fatal",
    "A database that is not PostgreSQL",
    why="LiteLLM keeps its data in PostgreSQL alone, and ends before it opens its port when the address is another "
    "kind's, or has no kind.",
    source="litellm/proxy/proxy_cli.py, run_server; litellm/proxy/db/db_url_settings.py (1.97.0, 1.106.2)",
    fix="write postgresql://USER:PASSWORD@HOST:5432/NAME, or take database_url out",
    since="1.97",
)
def database_scheme(subject: Subject) -> Iterator[Hit | Right]:
    general = subject.section("general_settings")
    value = shapes.resolved(subject, general.get("database_url"))
    path: Path = ("general_settings", "database_url")
    where = "database_url"
    if not isinstance(value, str) or not value:
        if value == "" and general.get("database_url") == "" and subject.runs(since="1.106"):
            yield Hit("database_url is an empty text: LiteLLM looks for its scheme", path, "take it out")
        if value is UNKNOWN or value == "":
            return
        value, where = subject.variable("DATABASE_URL"), "DATABASE_URL"
        path = ("general_settings",) if general else ()
    if not isinstance(value, str) or not value:
        return
    try:
        scheme = urlsplit(value).scheme.lower()
    except ValueError:
        return
    if scheme in ("postgresql", "postgres"):
        yield Right("the database is a PostgreSQL", path)
        return
    said = f"begins with {scheme}://" if scheme and "://" in value else "has no postgresql:// before it"
    yield Hit(f"{where} {said}: LiteLLM does not start", path)


@rule(
    "prisma-not-installed",
    "fatal",
    "A database, but not the package that opens it",
    why="With a database LiteLLM loads Prisma's client at its start, and ends when the package is not installed. It "
    "belongs to the extra `extra_proxy`, not to `proxy`.",
    source="litellm/proxy/utils.py, PrismaClient.__init__; litellm/proxy/proxy_cli.py (1.77.7, 1.106.2)",
    fix="install `litellm[extra_proxy]` into the same environment and run `prisma generate`, or take the database out",
)
def prisma_not_installed(subject: Subject) -> Iterator[Hit | Right]:
    packages = subject.packages
    if packages is None or "prisma" in packages or not surroundings.has_database(subject):
        return
    path: Path = ("general_settings", "database_url")
    there = "database_url" in subject.section("general_settings")
    yield Hit("there is a database, but prisma is not installed beside LiteLLM", path if there else ())


def _licence(subject: Subject) -> bool | None:
    """Whether there is a licence when secrets are opened: general_settings.litellm_license is read only later."""
    value = subject.variable("LITELLM_LICENSE")
    return None if value is UNKNOWN else bool(value)


def _hit(key: str, shape: Shape, value: Any) -> Hit:
    path: Path = ("litellm_settings", key)
    return Hit(f"litellm_settings.{key} must be {WORDS[shape]}, and is {kind_of(value)}", path)


def _header_groups(settings: Mapping[str, Any]) -> Iterator[Hit]:
    groups = settings.get("model_group_settings")
    key = "forward_client_headers_to_llm_api"
    value = groups.get(key) if isinstance(groups, dict) else None
    if value is not None and not fits(value, "texts"):
        path: Path = ("litellm_settings", "model_group_settings", key)
        yield Hit(f"{key} must be a list of model groups, and is {kind_of(value)}", path, "list the model groups")


def _teams(settings: Mapping[str, Any]) -> Iterator[Hit]:
    if "default_team_settings" not in settings:
        return
    teams, path = settings["default_team_settings"], ("litellm_settings", "default_team_settings")
    if not isinstance(teams, list):
        if teams not in ("", {}):
            how = "begin each team with `- team_id:`"
            yield Hit(f"default_team_settings must be a list, and is {kind_of(teams)}", path, how)
        return
    for index, team in enumerate(teams):
        if not isinstance(team, dict):
            yield Hit(f"team {index + 1} of default_team_settings is {kind_of(team)}, not a mapping", (*path, index))
        elif not isinstance(team.get("team_id"), str):
            what = "has no team_id" if team.get("team_id") is None else "has a team_id that is not a text"
            yield Hit(
                f"team {index + 1} of default_team_settings {what}", (*path, index), "give it a team_id, in quotes"
            )


def _providers(settings: Mapping[str, Any]) -> Iterator[Hit]:
    if "custom_provider_map" not in settings:
        return
    listed, path = settings["custom_provider_map"], ("litellm_settings", "custom_provider_map")
    if not isinstance(listed, list):
        if listed not in ("", {}):
            yield Hit(f"custom_provider_map must be a list, and is {kind_of(listed)}", path)
        return
    for index, item in enumerate(listed):
        if not isinstance(item, dict):
            yield Hit(f"entry {index + 1} of custom_provider_map is {kind_of(item)}, not a mapping", (*path, index))
            continue
        for key in ("provider", "custom_handler"):
            if key not in item:
                yield Hit(f"entry {index + 1} of custom_provider_map has no {key}", (*path, index))
