"""The surroundings of a running LiteLLM: variables, database, cache, workers. None means not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from litellm_tui.audit.rule import Hit
from litellm_tui.audit.subject import UNKNOWN, Runtime, Subject, Unknown, reference
from litellm_tui.model.edits import Path

# skipped by _load_environment_variables in proxy/proxy_server.py since 1.83
BLOCKED: Final = frozenset(
    {
        *("PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES"),
        *("PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME"),
        *("HOME", "USER", "SHELL", "LOGNAME", "NO_PROXY", "no_proxy"),
    }
)
BLOCKED_SINCE: Final = "1.83"


def exported_variables(subject: Subject) -> Mapping[str, Any]:
    """The entries of `environment_variables` that LiteLLM exports to its environment, unresolved."""
    section = subject.section("environment_variables")
    if not section:
        return section
    blocks = subject.runs(since=BLOCKED_SINCE)
    return {
        name: value for name, value in section.items() if isinstance(name, str) and not (blocks and name in BLOCKED)
    }


def has_secret_manager(subject: Subject) -> bool:
    """Whether a secret manager is configured, which may have variables that the environment does not."""
    general = subject.section("general_settings")
    keys = ("key_management_system", "key_management_settings", "use_google_kms", "use_azure_key_vault")
    return any(general.get(key) for key in keys)


def resolve(subject: Subject, value: Any) -> Any:
    """As `Subject.resolve`, but UNKNOWN for a variable that a secret manager may have."""
    found = subject.resolve(value)
    return UNKNOWN if found is None and reference(value) is not None and has_secret_manager(subject) else found


def variable(subject: Subject, name: str) -> str | Unknown | None:
    """A variable as LiteLLM's code sees it after the export of `environment_variables`."""
    section = exported_variables(subject)
    if name not in section:
        found = subject.variable(name)
        return UNKNOWN if found is None and has_secret_manager(subject) else found
    value = resolve(subject, section[name])
    if value is UNKNOWN or isinstance(value, str):
        return value
    # other data is exported as Python writes it; no rule needs its text
    return str(value) if value is None or isinstance(value, bool | float) else "..."


def is_set(subject: Subject, *names: str) -> bool | None:
    """Whether one of these variables is set and not empty; None when not known."""
    values = [variable(subject, name) for name in names]
    if any(isinstance(value, str) and value for value in values):
        return True
    return None if any(value is UNKNOWN for value in values) else False


def is_truthy(subject: Subject, value: Any) -> bool | None:
    """Whether a setting counts as on where LiteLLM tests only its truth.

    The text "false" is on, while a variable with true or false becomes a boolean (get_secret in
    secret_managers/main.py).
    """
    if reference(value) is None:
        return bool(value)
    found = resolve(subject, value)
    return None if found is UNKNOWN else bool(found) and str(found).lower() not in ("", "false")


def has_database(subject: Subject) -> bool | None:
    """Whether LiteLLM has a database."""
    url = resolve(subject, subject.section("general_settings").get("database_url"))
    if isinstance(url, str) and url:
        return True
    found = is_set(subject, "DATABASE_URL", "DATABASE_HOST")
    return None if url is UNKNOWN and not found else found


def has_licence(subject: Subject) -> bool | None:
    """Whether LiteLLM has a licence key; its validity is not known here."""
    if subject.section("general_settings").get("litellm_license"):
        return True
    return is_set(subject, "LITELLM_LICENSE")


def unlicensed(subject: Subject, name: str, path: Path) -> Iterator[Hit]:
    """That LiteLLM ends without a licence for this; a warning where it is not known whether there is one."""
    licensed = has_licence(subject)
    if licensed is False:
        yield Hit(f"{name} needs a licence, and LITELLM_LICENSE is not set", path)
    elif licensed is None:
        yield Hit(f"{name} needs a licence: LiteLLM starts only with LITELLM_LICENSE set", path, severity="warning")


def worker_count(subject: Subject) -> int | None:
    """The number of worker processes of the unit."""
    if subject.runtime is None:
        return None
    told = subject.variable("NUM_WORKERS")
    return workers_of(subject.runtime.arguments, {"NUM_WORKERS": told} if isinstance(told, str) else {})


def workers_of(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """The number of worker processes of a command line, or of NUM_WORKERS."""
    told = Runtime("", tuple(arguments)).option("--num_workers", "--workers") or environment.get("NUM_WORKERS")
    return int(told) if told and told.isascii() and told.isdecimal() and len(told) < 6 else 1


def cache_type(subject: Subject) -> str | None:
    """The type of the response cache: redis by default, local for parameters without a type.

    None when the cache is off, or its type is not known.
    """
    settings = subject.section("litellm_settings")
    if settings.get("cache") is not True:
        return None
    params = settings.get("cache_params", {})
    if not isinstance(params, dict):
        return None
    # with parameters that name no type, Cache falls back to a type of its own (caching/caching.py)
    found = resolve(subject, params.get("type", "local" if params else "redis"))
    return found if isinstance(found, str) else None


def default_callbacks(subject: Subject) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The callbacks of guardrails in their old form that are always on: LiteLLM makes them as those of `callbacks`."""
    listed = subject.section("litellm_settings").get("guardrails")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        for name, block in item.items() if isinstance(item, dict) else ():
            callbacks = block.get("callbacks") if isinstance(block, dict) and block.get("default_on") is True else None
            for place, callback in enumerate(callbacks if isinstance(callbacks, list) else ()):
                if isinstance(callback, str):
                    yield ("litellm_settings", "guardrails", index, str(name), "callbacks", place), callback


def named_callbacks(subject: Subject) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every callback in the lists of litellm_settings, with its path."""
    settings = subject.section("litellm_settings")
    for key in ("callbacks", "success_callback", "failure_callback", "service_callback"):
        listed = settings.get(key)
        if isinstance(listed, list):
            for index, name in enumerate(listed):
                if isinstance(name, str):
                    yield ("litellm_settings", key, index), name
