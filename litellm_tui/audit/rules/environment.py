"""Variables: references that stay unresolved, environment_variables that come too late, names that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from litellm_tui.audit import surroundings
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import REFERENCE, Subject, reference
from litellm_tui.model.edits import Path, Rename

_SECTION: Final = "environment_variables"
_RESOLVE: Final = "litellm/proxy/proxy_server.py, ProxyConfig._check_for_os_environ_vars (1.106.2)"
_EXPORT: Final = "litellm/proxy/proxy_server.py, ProxyConfig._load_environment_variables (1.106.2)"
_SETTINGS: Final = ("litellm_settings", "general_settings", "router_settings")
# deeper than LiteLLM resolves references (DEFAULT_MAX_RECURSE_DEPTH is 100) nobody writes by hand
_DEPTH: Final = 40
_IMAGE: Final = {
    "SEPARATE_HEALTH_APP": "its second health server is started by the Docker image's own script",
    "SEPARATE_HEALTH_PORT": "its second health server is started by the Docker image's own script",
    "SUPERVISORD_STOPWAITSECS": "supervisord runs in the Docker image only",
}
# variables that LiteLLM asks for by itself, and ends or locks everybody out when they are wrong
_ASKED: Final = (
    "LITELLM_MASTER_KEY",
    "LITELLM_SALT_KEY",
    "LITELLM_LICENSE",
    "DATABASE_URL",
    "REDIS_HOST",
    "REDIS_PASSWORD",
)
# rules of their own say what comes of these
_TOLD: Final = (
    ("general_settings", "master_key"),
    ("general_settings", "health_check_interval"),
    ("litellm_settings", "cache_params"),
)


@rule(
    "empty-setting",
    "warning",
    "A reference to a variable that is not set",
    why="LiteLLM puts nothing (null) in the place of the reference, and does not say so.",
    source=_RESOLVE,
    fix="set the variable in LiteLLM's environment, or take the line out",
)
def empty_setting(subject: Subject) -> Iterator[Hit | Right]:
    if subject.environment is None or surroundings.has_secret_manager(subject):
        return
    section = subject.section(_SECTION)
    for path, value, listed in _texts(subject, _SETTINGS):
        name = reference(value)
        if name is None or listed or path[:2] in _TOLD or name in section or subject.variable(name) is not None:
            continue
        yield Hit(f"{name} is not set, so {_place(path)} is empty", path)


@rule(
    "reference-to-own-variable",
    "error",
    "A variable that is set too late for its reference",
    why="References are resolved before the file's own environment_variables are exported, so this one is empty.",
    source=_EXPORT,
    fix="set the variable in LiteLLM's environment (the unit's EnvironmentFile), not in environment_variables",
)
def reference_to_own_variable(subject: Subject) -> Iterator[Hit | Right]:
    section = surroundings.exported_variables(subject)
    if subject.environment is None or not section or surroundings.has_secret_manager(subject):
        return
    for path, value, listed in _texts(subject, (*_SETTINGS, "model_list")):
        name = reference(value)
        if name is None or listed or name not in section or subject.variable(name) is not None:
            continue
        if not _looked_up_again(path, name, subject):
            yield Hit(f"{_place(path)} is empty: {name} is set only later, by environment_variables", path)


@rule(
    "exported-none",
    "error",
    "A variable with the text None",
    why="A reference to a variable that is not set becomes nothing, and is then exported as the four letters None: "
    "what reads the variable takes it for a value.",
    source=_EXPORT,
    fix="set the variable that is referred to, or take the line out: a variable need not be exported to itself",
)
def exported_none(subject: Subject) -> Iterator[Hit | Right]:
    if surroundings.has_secret_manager(subject):
        return
    for name, value in surroundings.exported_variables(subject).items():
        path = (_SECTION, name)
        if value is None:
            yield Hit(f"{name} has no value: it is exported as the text None", path)
        elif (other := reference(value)) is not None and subject.variable(other) is None:
            yield Hit(f"{other} is not set: {name} is exported as the text None", path)


@rule(
    "unclean-variable",
    "error",
    "A variable with something in its value that was not meant",
    why="LiteLLM takes a variable as it stands. A carriage return from a file with Windows' line ends, quotes that the "
    "runner has kept (docker --env-file does) or a blank around the value go out with the key, and are refused.",
    source="litellm/secret_managers/main.py, get_secret (1.106.2); docs.docker.com/reference/cli/docker/container/run",
    fix="write the variable's file with plain line ends, without quotes and without blanks around the value",
)
def unclean_variable(subject: Subject) -> Iterator[Hit | Right]:
    if subject.environment is None:
        return
    places: dict[str, Path] = {}
    for path, value, listed in _texts(subject, (*_SETTINGS, _SECTION, "model_list", "credential_list")):
        if (name := reference(value)) is not None and not listed:
            places.setdefault(name, path)
    for name in (*places, *(name for name in _ASKED if name not in places)):
        found = subject.environment.get(name)
        if found and (what := _unclean(found)):
            yield Hit(f"{name} {what}", places.get(name, ()))


def _unclean(value: str) -> str:
    """What of a value was not meant; "" where nothing is to be seen."""
    if value.endswith("\r"):
        return "ends with a carriage return"
    if value != value.strip():
        return "has a blank or a line end around its value"
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return "has its quotes within the value"
    return ""


@rule(
    "reference-in-list",
    "warning",
    "A reference that is not resolved",
    why="References are resolved as values of a key. As an item of a list they stay the text that is written.",
    source=_RESOLVE,
    fix="write the value itself into the list",
)
def reference_in_list(subject: Subject) -> Iterator[Hit | Right]:
    for path, value, listed in _texts(subject, (*_SETTINGS, _SECTION, "model_list")):
        if listed and reference(value) is not None:
            yield Hit(f"{value!r} in {_place(path[:-1])} stays as it is", path)


@rule(
    "blocked-variable",
    "warning",
    "A variable that the file may not set",
    why="Since 1.83 LiteLLM skips variables that change how programs are found and run, with a line in the log.",
    source=_EXPORT,
    fix="set it where LiteLLM is started (the unit's Environment), and take it out here",
    since=surroundings.BLOCKED_SINCE,
)
def blocked_variable(subject: Subject) -> Iterator[Hit | Right]:
    for name in subject.section(_SECTION):
        if name in surroundings.BLOCKED:
            yield Hit(f"{name} is skipped", (_SECTION, name))


@rule(
    "variable-of-the-image",
    "warning",
    "A variable of the Docker image",
    why="No code of the Python package reads it. The Docker image's start script does, before it reads this file.",
    source="docs.litellm.ai/docs/proxy/prod",
    fix="take it out; on systemd, ask /health/liveliness at the gateway's own port and set TimeoutStopSec",
)
def variable_of_the_image(subject: Subject) -> Iterator[Hit | Right]:
    for name, why in _IMAGE.items():
        if name in subject.section(_SECTION):
            yield Hit(f"{name} does nothing: {why}", (_SECTION, name))


@rule(
    "unknown-variable",
    "advice",
    "A variable that is close to one that LiteLLM reads",
    why="LiteLLM reads variables by their exact names.",
    source="docs.litellm.ai/docs/proxy/config_settings",
    fix="write the name that is meant",
)
def unknown_variable(subject: Subject) -> Iterator[Hit | Right]:
    section, known = subject.section(_SECTION), subject.catalogue.environment
    names = [name for name in section if isinstance(name, str) and name.startswith("LITELLM_") and name not in known]
    if not names or not known:
        return
    used = {reference(value) for _, value, _ in _texts(subject, (*_SETTINGS, _SECTION, "model_list"))}
    for name in names:
        near = () if name in used else subject.catalogue.close("environment", name)
        if near:
            edits = (Rename((_SECTION, name), near[0]),)
            yield Hit(
                f"nothing reads {name}: did you mean {near[0]}?",
                (_SECTION, name),
                f"write {near[0]}",
                edits,
                f"whether {near[0]} is what was meant",
            )


def _looked_up_again(path: Path, name: str, subject: Subject) -> bool:
    """Whether LiteLLM asks for the variable itself once more, when environment_variables have been exported."""
    if path[:2] == ("litellm_settings", "cache_params"):
        return name.startswith("REDIS_")
    if path[0] == "model_list":
        # a model that is not there ends the start: that is another rule's
        return path[-1] == "model" or name in subject.catalogue.environment
    return path == ("general_settings", "database_url") and name == "DATABASE_URL"


def _texts(subject: Subject, sections: tuple[str, ...]) -> Iterator[tuple[Path, str, bool]]:
    """Every reference below these sections, with its path and whether it is an item of a list."""
    seen: set[int] = set()
    for section in sections:
        if section in subject.data:
            yield from _walk(subject.data[section], (section,), seen)


def _walk(value: Any, path: Path, seen: set[int]) -> Iterator[tuple[Path, str, bool]]:
    # what anchors share is looked at once: a few of them can make more places than anybody has time for
    if len(path) > _DEPTH or id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, dict):
        # the addresses of alerts are resolved by the alerting itself, in lists too
        if path[-1] == "alert_to_webhook_url":
            return
        for key, item in value.items():
            if isinstance(key, str | int):
                yield from _item(item, (*path, key), False, seen)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _item(item, (*path, index), True, seen)


def _item(value: Any, path: Path, listed: bool, seen: set[int]) -> Iterator[tuple[Path, str, bool]]:
    if isinstance(value, str):
        if value.startswith(REFERENCE):
            yield path, value, listed
    elif isinstance(value, dict | list):
        yield from _walk(value, path, seen)


def _place(path: Path) -> str:
    return ".".join(str(part) for part in path)
