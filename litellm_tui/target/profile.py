"""The record of a profile: the operated gateway, configuration, service and log, and how each was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from litellm_tui.analysis.history.source import HistorySource
from litellm_tui.analysis.redaction.secret_names import secret_parts
from litellm_tui.model.discovered import Discovery
from litellm_tui.model.found import Found, Missing
from litellm_tui.model.service import ServicePlace, Unit, Variable
from litellm_tui.model.service_kinds import KindName, Scope, ServiceSettings, Tools
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.registry import driver, kind_of
from litellm_tui.target.choice import several
from litellm_tui.target.settings import SettingsError

# the source of the address where no other source has one
DEFAULT_SOURCE: Final = "LiteLLM's default"
# what a service of each kind is called
_CALLED: Final[Mapping[KindName, str]] = {
    "systemd": "unit", "compose": "service", "docker": "container", "process": "process", "custom": "service",
    "kubernetes": "Deployment",
}  # fmt: skip


class Options(msgspec.Struct, frozen=True):
    """The options of the command line; None where one was not given."""

    url: str | None = None
    config: str | None = None
    unit: str | None = None
    scope: Scope | None = None
    kind: KindName | None = None
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
    # what was found on this machine, where nothing says which service is meant
    discovery: Discovery | None = None
    # the identity of the one that was taken of it
    gateway: str | None = None
    # the same search with one of what was found, by its identity
    choose: Callable[[str], Profile] | None = None
    # several run, and nobody has said yet which one is meant
    undecided: bool = False
    # the words for the header where there is no gateway, and the simulated one is shown; else empty
    simulated: str = ""
    # the history that a simulated gateway brings along, in place of the one that is recorded of a real one
    past: HistorySource | None = None

    @property
    def found_nothing(self) -> bool:
        """Whether there is no trace of a gateway: none was found, and none was named."""
        searched = self.discovery is not None and not self.discovery.gateways
        return searched and self.config is None and self.url.source == DEFAULT_SOURCE

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
    def kept_files(self) -> tuple[str, ...]:
        """The files that are kept and brought back with the configuration: variables, and a container's definition."""
        definition = self.found_unit.definition_files if self.found_unit else ()
        return tuple(dict.fromkeys((*self.environment_files, *definition)))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that must never be shown: the key, secret variables by their names, credentials in addresses."""
        named = [part for name, v in self.environment.items() for part in secret_parts(name, v.value)]
        own = [*secret_parts("", self.url.value), self.key.reveal() if self.key else ""]
        withheld = [v.value for v in self.found_unit.withheld] if self.found_unit else []
        return tuple(value for value in (*own, *named, *withheld) if len(value) >= 4)


def may_change(profile: Profile, command: str) -> None:
    """Raises `SettingsError` for a read-only profile, and where several run and nothing says which one is meant.

    Every command that changes something, or costs, calls this first.
    """
    if profile.read_only:
        raise SettingsError(f"{command}: {profile.name or profile.address} is read-only: nothing is changed here")
    if profile.undecided and profile.discovery is not None:
        number = len(profile.discovery.running)
        raise SettingsError(
            f"{command}: {number} gateways run here, and nothing says which one is meant: name it, or choose it in the "
            f"console, which keeps the choice: {several(profile.discovery)}"
        )


def service_word(profile: Profile) -> str:
    """What a service of this kind is called: unit, container, process."""
    return _CALLED[profile.kind]


def findings(profile: Profile) -> list[tuple[str, str, str]]:
    """`(name, value, how it was found)` for everything a profile holds, without any secret.

    The service itself is named by what its kind calls it, as `service_word` says.
    """
    parts = urlsplit(profile.url.value)
    found = [("gateway", parts._replace(netloc=profile.address).geturl(), profile.url.source)]
    if profile.health_url:
        health = urlsplit(profile.health_url)
        shown = health._replace(netloc=health.netloc.rpartition("@")[2], query="").geturl()
        found.append(("health URL", shown, f"profile {profile.name}"))
    if profile.config:
        found.append(("configuration", profile.config.value, profile.config.source))
    if profile.unit:
        found.append((service_word(profile), f"{profile.unit.value} ({profile.place})", profile.unit.source))
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
