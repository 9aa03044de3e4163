"""general_settings: the gateway's key, keys that nothing reads, health checks, what needs a licence or a database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from litellm_tui.analysis.nested import LARGEST
from litellm_tui.audit import surroundings
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import UNKNOWN, Subject, Unknown, reference
from litellm_tui.audit.unread import GRAVE, find_unread_keys, is_gate
from litellm_tui.model.edits import Edit, Path, SetValue

_LOAD: Final = "litellm/proxy/proxy_server.py, ProxyConfig.load_config (1.106.2)"
_KNOWN: Final = {
    "max_retries": "retries of the gateway are num_retries; write it as router_settings.num_retries",
    "disable_adding_master_key_hash_to_db": "the documentation names it, but no code reads it any more; take it out",
    "use_client_credentials_pass_through_routes": "the documentation names it, but no code reads it; take it out",
}
_PERMIT: Final = "dangerously_permit_weak_or_unset_master_key"
_BACKGROUND: Final = ("general_settings", "background_health_checks")
_INTERVAL: Final = ("general_settings", "health_check_interval")


def _master_key(subject: Subject) -> object:
    """The key that requests need: None when there is none, UNKNOWN when it cannot be decided."""
    section = subject.section("general_settings")
    if "master_key" in section:
        return surroundings.resolve(subject, section["master_key"])
    # environment_variables come too late where general_settings is empty: nothing looks at the variable again
    return surroundings.variable(subject, "LITELLM_MASTER_KEY") if section else subject.variable("LITELLM_MASTER_KEY")


def _key_path(subject: Subject) -> Path:
    if "master_key" in subject.section("general_settings"):
        return ("general_settings", "master_key")
    return ("general_settings",) if "general_settings" in subject.data else ()


def _lack(key: object) -> str:
    """What is wrong with a master key; "" when nothing is, or when it is not known."""
    if key is UNKNOWN or not (key is None or isinstance(key, str)):
        return ""
    if not (key or "").strip():
        return "is not set" if key is None else "is empty"
    return "is sk-1234, which everybody knows" if (key or "").strip() == "sk-1234" else ""


@rule(
    "unsafe-master-key",
    "fatal",
    "No master key, or one that everybody knows",
    why="Since 1.104 LiteLLM refuses to start with a master key that is unset, empty or the one of its documentation.",
    source="litellm/proxy/auth/master_key_boot_check.py (1.106.2)",
    fix="put a long random key into LITELLM_MASTER_KEY, and master_key: os.environ/LITELLM_MASTER_KEY into the file",
    since="1.104",
)
def unsafe_master_key(subject: Subject) -> Iterator[Hit | Right]:
    section, lack = subject.section("general_settings"), _lack(_master_key(subject))
    exported = surroundings.exported_variables(subject)
    if subject.environment is None and not section and "LITELLM_MASTER_KEY" in exported:
        # who sets it here has it nowhere else; and where general_settings is empty nothing looks at it again
        yield Hit(
            "LITELLM_MASTER_KEY is set too late here: unless the environment has it too, LiteLLM does not start",
            ("environment_variables", "LITELLM_MASTER_KEY"),
            do="set it in LiteLLM's environment (the unit's EnvironmentFile), not in environment_variables",
        )
        return
    if not lack:
        return
    permit = section.get(_PERMIT) is True or subject.resolve(section.get(_PERMIT)) in ("true", "True")
    if permit or _truth(surroundings.variable(subject, f"LITELLM_{_PERMIT.upper()}")):
        yield Hit(f"the master key {lack}: the gateway is open to everybody", _key_path(subject), severity="warning")
    else:
        yield Hit(f"the master key {lack}: LiteLLM does not start", _key_path(subject))


@rule(
    "open-gateway",
    "warning",
    "The gateway asks for no key",
    why="Without a master key every request is answered, whoever sends it. From 1.104 on LiteLLM will not start.",
    source="litellm/proxy/auth/user_api_key_auth.py, _user_api_key_auth_builder (1.77.7)",
    fix="put a long random key into LITELLM_MASTER_KEY, and master_key: os.environ/LITELLM_MASTER_KEY into the file",
    until="1.103",
)
def open_gateway(subject: Subject) -> Iterator[Hit | Right]:
    if subject.section("general_settings").get("custom_auth"):
        return
    if lack := _lack(_master_key(subject)):
        yield Hit(f"the master key {lack}", _key_path(subject))


@rule(
    "setting-not-text",
    "fatal",
    "A text that YAML reads as something else",
    why="LiteLLM looks how the value begins, and ends when it is not a text: digits alone are a number to YAML.",
    source=_LOAD,
    fix="put the value in quotes",
)
def setting_not_text(subject: Subject) -> Iterator[Hit | Right]:
    for key in ("master_key", "database_url"):
        value = subject.section("general_settings").get(key)
        # what is written as !!binary is taken for a text
        if value and not isinstance(value, str | bytes):
            edits: tuple[Edit, ...] = ()
            if type(value) is int and abs(value) < LARGEST:
                edits = (SetValue(("general_settings", key), str(value)),)
            decision = "whether the digits are written as they were meant (YAML takes 0123 for 83)" if edits else ""
            yield Hit(f"{key} is not a text", ("general_settings", key), edits=edits, decision=decision)


@rule(
    "unknown-general-key",
    "warning",
    "A key of general_settings that nothing reads",
    why="LiteLLM asks for the keys that it knows and does not look at others. Nothing is logged.",
    source="litellm/proxy/_types.py, ConfigGeneralSettings, and what reads general_settings (1.106.2)",
    fix="write the key that is meant, in the section where it is read",
)
def unknown_general_key(subject: Subject) -> Iterator[Hit | Right]:
    yield from find_unread_keys(subject, "general", _KNOWN)


@rule(
    "quoted-false",
    "warning",
    "A false that counts as true",
    why="In quotes it is a text, and any text but the empty one counts as true.",
    source=_LOAD,
    fix="write false without quotes",
)
def quoted_false(subject: Subject) -> Iterator[Hit | Right]:
    known = {
        "litellm_settings": subject.catalogue.litellm,
        "general_settings": subject.catalogue.general,
        "router_settings": subject.catalogue.router,
    }
    for section, keys in known.items():
        for key, value in subject.section(section).items():
            # `cache` has a rule of its own, and drop_params understands the text since 1.106
            if (
                key in ("cache", "json_logs", "drop_params", "set_verbose")
                or key not in keys
                or not isinstance(value, str)
            ):
                continue
            if value.strip().lower() == "false":
                path = (section, key)
                decision = f"whether {key} is to be off: so far it is on, and it decides what is answered"
                yield Hit(
                    f"{section}.{key} is the text {value!r}",
                    path,
                    edits=(SetValue(path, False),),
                    decision=decision if key in GRAVE or is_gate(key) else "",
                )


@rule(
    "health-interval",
    "error",
    "Background health checks that never run",
    why="The interval must be a whole number of seconds above 0. With anything else the checks end before the "
    "first one, without a word, and GET /health stays empty.",
    source="litellm/proxy/proxy_server.py, _run_background_health_check (1.106.2)",
    fix="write a whole number of seconds; a variable cannot be used here, its value is a text",
)
def health_interval(subject: Subject) -> Iterator[Hit | Right]:
    section = subject.section("general_settings")
    on = surroundings.is_truthy(subject, section.get("background_health_checks"))
    if not on or "health_check_interval" not in section:
        return
    value = section["health_check_interval"]
    if isinstance(value, int) and value > 0:
        return
    meant = _whole(value)
    edits = (SetValue(_INTERVAL, meant),) if meant else ()
    kind = "empty" if value is None else "not above 0" if isinstance(value, int) else "not a whole number"
    yield Hit(f"health_check_interval is {kind}: /health stays empty", _INTERVAL, edits=edits)


@rule(
    "shared-health-check-alone",
    "advice",
    "Shared health checks with nobody to share with",
    why="Results are shared between instances through Redis, and only those of background checks.",
    source="docs.litellm.ai/docs/proxy/shared_health_check",
    fix="switch background_health_checks on and use a Redis, or take use_shared_health_check out",
)
def shared_health_check_alone(subject: Subject) -> Iterator[Hit | Right]:
    section = subject.section("general_settings")
    if "use_shared_health_check" not in subject.catalogue.general or section.get("use_shared_health_check") is not True:
        return
    path = ("general_settings", "use_shared_health_check")
    if surroundings.is_truthy(subject, section.get("background_health_checks")) is False:
        yield Hit("background health checks are off, so there is nothing to share", path)
    elif (
        surroundings.cache_type(subject) != "redis"
        and "coordination_redis" not in subject.data
        and surroundings.is_set(subject, "REDIS_HOST", "REDIS_URL", "REDIS_CLUSTER_NODES") is False
    ):
        yield Hit("there is no Redis to share through", path)


@rule(
    "healthy-list-unchecked",
    "warning",
    "Only healthy models are to be listed, but none is checked",
    why="What is healthy is known from background checks alone; without them every model is listed.",
    source="litellm/proxy/proxy_server.py, _write_health_state_to_router_cache (1.106.2)",
    fix="switch background_health_checks on",
)
def healthy_list_unchecked(subject: Subject) -> Iterator[Hit | Right]:
    section, key = subject.section("general_settings"), "model_list_healthy_only"
    off = surroundings.is_truthy(subject, section.get("background_health_checks")) is False
    if key in subject.catalogue.general and section.get(key) is True and off:
        yield Hit("background health checks are off, so nothing is left out", ("general_settings", key))


@rule(
    "needs-licence",
    "fatal",
    "A setting that needs a licence",
    why="LiteLLM ends when one of these is set and it has no licence, even when the setting is an empty list.",
    source=_LOAD,
    fix="take it out and filter in front of the gateway, or set LITELLM_LICENSE",
)
def needs_licence(subject: Subject) -> Iterator[Hit | Right]:
    section = subject.section("general_settings")
    # general_settings.litellm_license is read only after these two
    if surroundings.is_set(subject, "LITELLM_LICENSE") is False:
        for key in ("allowed_ips", "enforced_params"):
            if section.get(key) is not None and reference(section[key]) is None:
                yield Hit(f"{key} needs a licence, and LITELLM_LICENSE is not set", ("general_settings", key))


@rule(
    "alerting-without-webhook",
    "error",
    "Alerts that reach nobody",
    why="Each alert fails because LiteLLM does not know the address to send it to.",
    source="litellm/integrations/SlackAlerting/slack_alerting.py, SlackAlerting.send_alert (1.106.2)",
    fix="set SLACK_WEBHOOK_URL in LiteLLM's environment",
)
def alerting_without_webhook(subject: Subject) -> Iterator[Hit | Right]:
    section = subject.section("general_settings")
    alerting = section.get("alerting")
    slack = "slack" in alerting if isinstance(alerting, list) else alerting == "slack"
    if not slack or section.get("alert_to_webhook_url"):
        return
    later = {"ALERTING_WEBHOOK_URL"} & subject.catalogue.environment
    given = surroundings.is_set(subject, "SLACK_WEBHOOK_URL", *later)
    if given is False:
        yield Hit("alerting goes to Slack, but SLACK_WEBHOOK_URL is not set", ("general_settings", "alerting"))
    elif given:
        yield Right("alerts go to a webhook", ("general_settings", "alerting"))


@rule(
    "store-models-without-database",
    "warning",
    "Models are to be stored, but there is no database",
    why="Models that are added at run time are kept in the database; without one, adding a model is refused.",
    source="litellm/proxy/management_endpoints/model_management_endpoints.py, add_new_model (1.106.2)",
    fix="give LiteLLM a database (general_settings.database_url), or take store_model_in_db out",
)
def store_models_without_database(subject: Subject) -> Iterator[Hit | Right]:
    key = "store_model_in_db"
    if subject.section("general_settings").get(key) is True and surroundings.has_database(subject) is False:
        yield Hit("store_model_in_db is on, but there is no database", ("general_settings", key))


def _truth(value: str | Unknown | None) -> bool:
    return isinstance(value, str) and value.strip().lower() == "true"


def _whole(value: object) -> int:
    """The seconds in a text of digits, or in 60.0; 0 when it is neither."""
    if isinstance(value, float):
        return int(value) if 1 <= value < 10**9 and value.is_integer() else 0
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
