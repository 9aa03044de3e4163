"""Finds everything that a profile holds.

The sources, each overriding the next: command line, environment, settings file, discovery from the service. The
environment variables have LiteLLM's own names where it has one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import msgspec

from litellm_tui.host.copies import origin
from litellm_tui.model.found import Found, Missing
from litellm_tui.model.service import Unit, Variable
from litellm_tui.model.service_kinds import Compose, Docker, ServiceSettings, Tools
from litellm_tui.model.service_target import ServiceQuery, ServiceTarget
from litellm_tui.services.litellm_command import DEFAULT_PORT
from litellm_tui.services.registry import driver, find
from litellm_tui.target.key import find_key
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.settings import ProfileSettings, Settings, SettingsError

# the source of the address where no other source has one
DEFAULT_SOURCE: Final = "LiteLLM's default"


def resolve(
    options: Options, settings: Settings, tools: Tools | None = None, environ: Mapping[str, str] | None = None
) -> Profile:
    """Find the profile. Runs the tools of the service's kind and reads files, in tens of milliseconds.

    Raises `SettingsError` when a named profile or key does not exist.
    """
    environ = os.environ if environ is None else environ
    tools = tools or Tools()
    name, chosen = _profile(options, settings, environ)
    url = _first(
        (options.url, "--url"),
        (environ.get("LITELLM_PROXY_URL"), "LITELLM_PROXY_URL"),
        (chosen.url, f"profile {name}"),
    )
    if url:
        url = Found(_checked_url(url), url.source)
    wanted_unit = _first(
        (options.unit, "--unit"),
        (environ.get("LITELLM_TUI_UNIT"), "LITELLM_TUI_UNIT"),
        (chosen.unit, f"profile {name}"),
    )
    scope = options.scope or chosen.scope
    settled = _kind(options, chosen)
    wanted = ServiceQuery(
        tools=tools,
        environ=environ,
        profile=name,
        name=wanted_unit,
        scope=scope,
        settings=settled,
        config=options.config or chosen.config,
        url=url.value if url else None,
    )
    found = find(wanted)
    service, unit, missing = found.settings or settled, found.unit, list(found.missing)
    target = ServiceTarget(found.name.value if found.name else "", tools, found.scope or "user", service, unit)
    command_line = driver(target).wording.command_line

    config = _first(
        (options.config, "--config"),
        (environ.get("CONFIG_FILE_PATH"), "CONFIG_FILE_PATH"),
        (chosen.config, f"profile {name}"),
        (unit.config if unit else None, _source_of_config(f"{command_line} {unit}", unit)),
    )
    if config:
        config = Found(os.path.abspath(os.path.expanduser(config.value)), config.source)
    else:
        missing.append(
            Missing(
                "configuration file",
                f"the command line of {unit} names none" if unit else "no unit to find it through",
                "give --config FILE",
            )
        )
    if url is None:
        url = Found(unit.url, f"{command_line} {unit}") if unit else Found(
            f"http://127.0.0.1:{DEFAULT_PORT}", DEFAULT_SOURCE
        )  # fmt: skip

    environment: dict[str, Variable] = dict(unit.environment) if unit else {}
    if unit is None:
        environment = {key: Variable(value, "the console's environment") for key, value in environ.items()}
    for path, why in unit.unread if unit else ():
        missing.append(Missing(f"environment file {path}", why, "run as a user who may read it"))
    key, source = find_key(options, environ, chosen, name, config, environment, missing)
    return Profile(
        name=name,
        host=socket.gethostname(),
        url=url,
        tools=tools,
        config=config,
        unit=found.name,
        scope=found.scope or scope or "user",
        service=service,
        key=key,
        key_source=source,
        environment=environment,
        environment_files=unit.environment_files if unit else (),
        interpreter=unit.interpreter if unit else None,
        found_unit=unit,
        ignored_rules=settings.audit.ignore,
        health_url=_health_url(chosen.health_url, name),
        probes=chosen.probes,
        read_only=options.read_only or chosen.read_only,
        production=chosen.production,
        ask_database=chosen.ask_database,
        missing=tuple(missing),
        also_found=found.others,
        again=partial(resolve, options, settings, tools, environ),
    )


def _profile(options: Options, settings: Settings, environ: Mapping[str, str]) -> tuple[str, ProfileSettings]:
    name = options.profile or environ.get("LITELLM_TUI_PROFILE") or settings.profile
    if name is None:
        return "discovered", ProfileSettings()
    if name not in settings.profiles:
        known = ", ".join(settings.profiles) or "none"
        raise SettingsError(f"no profile {name!r} in the settings file (there: {known})")
    return name, settings.profiles[name]


def _first(*candidates: tuple[str | None, str]) -> Found | None:
    return next((Found(value, source) for value, source in candidates if value), None)


def _kind(options: Options, chosen: ProfileSettings) -> ServiceSettings | None:
    """The kind of service: the command line overrides the profile, so `--kind systemd` ignores its other service."""
    if options.kind == "systemd" or (options.kind is None and options.scope):
        return None
    if options.kind == "compose" and not isinstance(chosen.service, Compose):
        return Compose()
    if options.container or (options.kind == "docker" and not isinstance(chosen.service, Docker)):
        given = chosen.service if isinstance(chosen.service, Docker) else Docker()
        return msgspec.structs.replace(given, container=options.container or given.container)
    return chosen.service


def _source_of_config(command_line: str, unit: Unit | None) -> str:
    copied = origin(unit.config) if unit and unit.config else None
    if copied is None:
        return command_line
    return f"a copy of {copied[1]}, which only the container {copied[0]} has: not editable here"


def _checked_url(url: Found) -> str:
    value = url.value if "://" in url.value else f"http://{url.value}"
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        usable = usable and len(value.split()) == 1
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(f"{url.source}: not a usable address: expected http://HOST:PORT")
    return value.rstrip("/")


def _health_url(given: str | None, profile_name: str) -> str | None:
    if given is None:
        return None
    url = _checked_url(Found(given, f"profile {profile_name}, health_url"))
    if urlsplit(url).path.rstrip("/").endswith("/health"):
        raise SettingsError(
            f"profile {profile_name}, health_url: GET /health asks every deployment, and is billed; "
            "give /health/liveliness or /health/readiness"
        )
    return url
