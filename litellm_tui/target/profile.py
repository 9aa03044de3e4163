"""Which gateway, configuration, service and log are operated, and how each was found.

The order, each overriding the next: command line, environment, settings file, discovery from the unit. The names of
the environment variables are LiteLLM's own where it has one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from litellm_tui.analysis.addresses import is_this_machine
from litellm_tui.analysis.redaction.secret_names import secret_parts
from litellm_tui.collectors.config import config_file
from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.host.command import argument_vector
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.service import ServicePlace, Unit, Variable
from litellm_tui.model.service_kinds import Compose, Custom, Kind, Process, Scope, Tools
from litellm_tui.services.compose.container import compose_command
from litellm_tui.services.compose.discovery import find_composed
from litellm_tui.services.litellm_command import DEFAULT_PORT
from litellm_tui.services.process.discovery import process_unit
from litellm_tui.services.systemd.discovery import Search, find_units
from litellm_tui.target.settings import ProfileSettings, Settings, SettingsError

# where the address comes from when nothing else gave one
DEFAULT_SOURCE = "LiteLLM's default"


class Options(msgspec.Struct, frozen=True):
    """What the command line said; None where it said nothing."""

    url: str | None = None
    config: str | None = None
    unit: str | None = None
    scope: Scope | None = None
    kind: Literal["systemd", "compose"] | None = None
    profile: str | None = None
    key_env: str | None = None
    key_file: str | None = None
    read_only: bool = False


class Secret:
    """A value that shows itself only when asked by name."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


class Found(msgspec.Struct, frozen=True):
    """A value and where it came from, in the operator's words."""

    value: str
    source: str


class Missing(msgspec.Struct, frozen=True):
    """Something that was looked for and not found: what, why, and what would mend it."""

    what: str
    why: str
    mend: str


class Profile(msgspec.Struct, frozen=True):
    """One operated gateway. `environment` is what the unit gives LiteLLM, for `os.environ/` references.

    `service` says how a service is reached that is no systemd unit; `unit` then holds its name.
    """

    name: str
    host: str
    url: Found
    tools: Tools
    config: Found | None = None
    unit: Found | None = None
    scope: Scope = "user"
    service: Kind | None = None
    key: Secret | None = None
    key_source: str | None = None
    environment: Mapping[str, Variable] = {}
    environment_files: tuple[str, ...] = ()
    interpreter: str | None = None
    found_unit: Unit | None = None
    ignored_rules: Mapping[str, str] = {}
    health_url: str | None = None
    probes: tuple[str, ...] = ()
    read_only: bool = False
    production: bool = False
    missing: tuple[Missing, ...] = ()
    also_found: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Host and port of the gateway, without the scheme."""
        return urlsplit(self.url.value).netloc.rpartition("@")[2]

    @property
    def kind(self) -> Literal["systemd", "compose", "process", "custom"]:
        """The kind of service that runs LiteLLM."""
        match self.service:
            case Compose():
                return "compose"
            case Process():
                return "process"
            case Custom():
                return "custom"
        return "systemd"

    @property
    def place(self) -> ServicePlace:
        """What stands in parentheses behind the service's name: whose unit it is, or its kind."""
        return self.scope if self.kind == "systemd" else self.kind

    @property
    def log_source(self) -> str:
        """Where the log comes from, as one would read it by hand; empty when nothing is known of one."""
        match self.service:
            case Compose() as compose:
                return " ".join(compose_command(compose, "logs", "-f", *filter(None, [compose.service])))
            case Process(log_file=str(file)) | Custom(log_file=str(file)):
                return file
            case Custom(log=tuple(command)):
                return " ".join(argument_vector(command))
            case None if self.unit:
                return f"journalctl {'--user ' if self.scope == 'user' else ''}-u {self.unit.value}"
        return ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that must never be shown: the key, variables whose names say that they hold a secret, and
        credentials in addresses.
        """
        named = [part for name, v in self.environment.items() for part in secret_parts(name, v.value)]
        own = [*secret_parts("", self.url.value), self.key.reveal() if self.key else ""]
        withheld = [v.value for v in self.found_unit.withheld] if self.found_unit else []
        return tuple(value for value in (*own, *named, *withheld) if len(value) >= 4)


def resolve(
    options: Options, settings: Settings, tools: Tools | None = None, environ: Mapping[str, str] | None = None
) -> Profile:
    """Find everything. Runs systemctl and reads files; takes tens of milliseconds.

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
    missing: list[Missing] = []
    service = _kind(options, chosen)
    unit: Unit | None = None
    others: tuple[str, ...] = ()
    if service is None:
        unit, further = _unit(tools, wanted_unit, scope, url, missing)
        others = tuple(map(str, further))
        scope = scope if unit is None else "system" if unit.scope == "system" else "user"
    elif isinstance(service, Compose):
        service, unit, others = _composed(service, wanted_unit, options.config or chosen.config, missing)
    elif isinstance(service, Process):
        unit = process_unit(service, wanted_unit.value if wanted_unit else name, environ)

    config = _first(
        (options.config, "--config"),
        (environ.get("CONFIG_FILE_PATH"), "CONFIG_FILE_PATH"),
        (chosen.config, f"profile {name}"),
        (unit.config if unit else None, f"{_said_by(service)} {unit}"),
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
        url = Found(unit.url, f"{_said_by(service)} {unit}") if unit else Found(
            f"http://127.0.0.1:{DEFAULT_PORT}", DEFAULT_SOURCE
        )  # fmt: skip

    environment: dict[str, Variable] = dict(unit.environment) if unit else {}
    if unit is None:
        environment = {key: Variable(value, "the console's environment") for key, value in environ.items()}
    for path, why in unit.unread if unit else ():
        missing.append(Missing(f"environment file {path}", why, "run as a user who may read it"))
    key, source = _key(options, environ, chosen, name, config, environment, missing)
    return Profile(
        name=name,
        host=socket.gethostname(),
        url=url,
        tools=tools,
        config=config,
        unit=_name_of(service, unit, wanted_unit, name),
        scope=scope or "user",
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
        missing=tuple(missing),
        also_found=others,
    )


def may_change(profile: Profile, command: str) -> None:
    """Raises `SettingsError` for a profile that is read-only; every command that changes something asks this first."""
    if profile.read_only:
        raise SettingsError(f"{command}: {profile.name or profile.address} is read-only: nothing is changed here")


def findings(profile: Profile) -> list[tuple[str, str, str]]:
    """`(name, value, how it was found)` for everything a profile holds, without any secret."""
    parts = urlsplit(profile.url.value)
    found = [("gateway", parts._replace(netloc=profile.address).geturl(), profile.url.source)]
    if profile.health_url:
        health = urlsplit(profile.health_url)
        shown = health._replace(netloc=health.netloc.rpartition("@")[2], query="").geturl()
        found.append(("health URL", shown, f"profile {profile.name}"))
    if profile.config:
        found.append(("configuration", profile.config.value, profile.config.source))
    if profile.unit:
        found.append(("unit", f"{profile.unit.value} ({profile.place})", profile.unit.source))
    if profile.log_source:
        found.append(("log", profile.log_source, "the unit's journal" if profile.service is None else ""))
    if profile.interpreter:
        found.append(("interpreter", profile.interpreter, "beside the litellm script"))
    named = "EnvironmentFile= of the unit" if profile.service is None else f"{profile.kind}.environment_file"
    found += [("environment", path, named) for path in profile.environment_files]
    key = "found, not shown" if profile.key else "none"
    found.append(("key", key, profile.key_source or "a keyless gateway needs none"))
    found.append(("profile", profile.name, ""))
    return found


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


def _kind(options: Options, chosen: ProfileSettings) -> Kind | None:
    """What the command line asks for goes before the profile: `--kind systemd` leaves its other service alone."""
    if options.kind == "systemd" or (options.kind is None and options.scope):
        return None
    if options.kind == "compose" and not isinstance(chosen.service, Compose):
        return Compose()
    return chosen.service


def _composed(
    compose: Compose, wanted: Found | None, config: str | None, missing: list[Missing]
) -> tuple[Compose, Unit | None, tuple[str, ...]]:
    if wanted:
        compose = msgspec.structs.replace(compose, service=wanted.value)
    found = find_composed(compose, os.path.abspath(os.path.expanduser(config)) if config else None)
    if found.unit is None:
        mend = "see that, or name the service: compose.service in the profile, or --unit"
        missing.append(Missing("service in Docker", found.why, mend))
    return found.compose, found.unit, found.others


def _said_by(service: Kind | None) -> str:
    return "ExecStart of" if service is None else "the command line of"


def _name_of(service: Kind | None, unit: Unit | None, wanted: Found | None, profile_name: str) -> Found | None:
    """The service's name. One of another kind than systemd's is operated though it was not found: it may come."""
    source = wanted.source if wanted else "discovered" if service is None else f"profile {profile_name}"
    if isinstance(service, Compose) and service.service:
        return Found(service.service, source)
    if isinstance(service, Process | Custom):
        return Found(wanted.value if wanted else profile_name, source)
    return Found(unit.name, source) if unit else None


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


def _unit(
    tools: Tools, wanted: Found | None, scope: Scope | None, url: Found | None, missing: list[Missing]
) -> tuple[Unit | None, list[Unit]]:
    """The unit to operate. One that is named is taken as it is; a discovered one must be the one behind `--url`."""
    if url and not wanted and not _is_local(url.value):
        missing.append(
            Missing("service and log", f"{_host(url.value)} is another machine", "run the console there, over SSH")
        )
        return None, []
    search = find_units(tools, wanted.value if wanted else None, scope)
    units = list(search.units)
    if url and not wanted:
        units = [unit for unit in units if _port(unit.url) == _port(url.value)]
    if not units:
        missing.append(_no_unit(wanted, scope, url, search))
        return None, []
    return units[0], units[1:]


def _no_unit(wanted: Found | None, scope: Scope | None, url: Found | None, search: Search) -> Missing:
    place = f"{scope} units" if scope else "user and system units"
    if wanted:
        why = f"{wanted.value} is not among the {place}"
    elif url and search.units:
        why = f"no unit listens on port {_port(url.value)} (found: {', '.join(map(str, search.units))})"
    else:
        why = f"none of the {place} runs litellm"
    failures = "; ".join(search.failures)
    return Missing(
        "service unit", f"{why} ({failures})" if failures else why, "give --unit NAME and --user or --system"
    )


def _key(
    options: Options,
    environ: Mapping[str, str],
    chosen: ProfileSettings,
    profile_name: str,
    config: Found | None,
    environment: Mapping[str, Variable],
    missing: list[Missing],
) -> tuple[Secret | None, str | None]:
    for variable, file, source in (
        (options.key_env, options.key_file, "command line"),
        ("LITELLM_PROXY_API_KEY", None, "environment"),
        ("LITELLM_MASTER_KEY", None, "environment"),
        (chosen.key_env, chosen.key_file, f"profile {profile_name}"),
    ):
        if variable and environ.get(variable):
            return Secret(environ[variable]), f"{variable} ({source})"
        if variable and source != "environment" and not file:
            raise SettingsError(f"{source}: the variable {variable} that should hold the key is not set")
        if file:
            return _key_from_file(file, source), f"{file} ({source})"
    return _master_key(config, environment, missing)


def _key_from_file(file: str, source: str) -> Secret:
    try:
        text = read_text(Path(file).expanduser(), SMALL).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{source}: key file {file}: {error}") from error
    if not text or "\n" in text:
        raise SettingsError(f"{source}: key file {file}: expected the key alone, on one line")
    return Secret(text)


def _master_key(
    config: Found | None, environment: Mapping[str, Variable], missing: list[Missing]
) -> tuple[Secret | None, str | None]:
    """`general_settings.master_key`, literal or `os.environ/NAME`, else LITELLM_MASTER_KEY: as the proxy does."""
    loaded = config_file.load(config.value, {}) if config else None
    value = loaded.section("general_settings").get("master_key") if isinstance(loaded, ConfigFile) else None
    if isinstance(value, str) and value.startswith("os.environ/"):
        name = value.removeprefix("os.environ/")
        if variable := environment.get(name):
            return Secret(variable.value), f"{name} from {variable.source}"
        missing.append(
            Missing("gateway key", f"master_key is os.environ/{name}, which nothing readable here sets",
                    "export LITELLM_PROXY_API_KEY, or give --key-file")
        )  # fmt: skip
        return None, None
    if isinstance(value, str) and value:
        return Secret(value), f"general_settings.master_key in {config.value if config else ''}"
    if variable := environment.get("LITELLM_MASTER_KEY"):
        return Secret(variable.value), f"LITELLM_MASTER_KEY from {variable.source}"
    return None, None


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _is_local(url: str) -> bool:
    host = _host(url)
    return is_this_machine(host) or host.removesuffix(".") == socket.gethostname().lower()
