"""The record of a profile: the operated gateway, configuration, service and log, and how each was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from litellm_tui.analysis.redaction.secret_names import secret_parts
from litellm_tui.model.found import Found, Missing
from litellm_tui.model.service import ServicePlace, Unit, Variable
from litellm_tui.model.service_kinds import KindName, Scope, ServiceSettings, Tools
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.registry import driver, kind_of
from litellm_tui.target.settings import SettingsError


class Options(msgspec.Struct, frozen=True):
    """The options of the command line; None where one was not given."""

    url: str | None = None
    config: str | None = None
    unit: str | None = None
    scope: Scope | None = None
    kind: Literal["systemd", "compose", "docker"] | None = None
    container: str | None = None
    profile: str | None = None
    key_env: str | None = None
    key_file: str | None = None
    read_only: bool = False


class Secret:
    """A value that only `reveal` returns; its representation hides it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the code that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


class Profile(msgspec.Struct, frozen=True):
    """One operated gateway. `environment` holds LiteLLM's variables, for `os.environ/` references.

    `service` describes a service that is no systemd unit; `unit` is then its name.
    """

    name: str
    host: str
    url: Found
    tools: Tools
    config: Found | None = None
    unit: Found | None = None
    scope: Scope = "user"
    service: ServiceSettings | None = None
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
    ask_database: bool = True
    missing: tuple[Missing, ...] = ()
    also_found: tuple[str, ...] = ()
    # the same search once more, for what is rotated, renamed or moved while the console runs
    again: Callable[[], Profile] | None = None

    @property
    def address(self) -> str:
        """Host and port of the gateway, without the scheme."""
        return urlsplit(self.url.value).netloc.rpartition("@")[2]

    @property
    def kind(self) -> KindName:
        """The kind of service that runs LiteLLM."""
        return kind_of(self.service)

    @property
    def place(self) -> ServicePlace:
        """The text in parentheses after the service's name: the scope of a unit, or the kind of service."""
        return driver(self.service_target).place

    @property
    def service_target(self) -> ServiceTarget:
        """The service, for its driver."""
        return ServiceTarget(
            name=self.unit.value if self.unit else "",
            tools=self.tools,
            scope=self.scope,
            settings=self.service,
            unit=self.found_unit,
            environment=self.environment,
            environment_files=self.environment_files,
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that must never be shown: the key, secret variables by their names, credentials in addresses."""
        named = [part for name, v in self.environment.items() for part in secret_parts(name, v.value)]
        own = [*secret_parts("", self.url.value), self.key.reveal() if self.key else ""]
        withheld = [v.value for v in self.found_unit.withheld] if self.found_unit else []
        return tuple(value for value in (*own, *named, *withheld) if len(value) >= 4)


def may_change(profile: Profile, command: str) -> None:
    """Raises `SettingsError` for a read-only profile; every command that changes something calls this first."""
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
    service = driver(profile.service_target)
    if service.log_source:
        found.append(("log", service.log_source, service.wording.log))
    if profile.interpreter:
        found.append(("interpreter", profile.interpreter, "beside the litellm script"))
    found += [("environment", path, service.wording.environment_file) for path in profile.environment_files]
    key = "found, not shown" if profile.key else "none"
    found.append(("key", key, profile.key_source or "a keyless gateway needs none"))
    found.append(("profile", profile.name, ""))
    return found
