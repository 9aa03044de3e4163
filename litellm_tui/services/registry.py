"""The kinds of service. A further kind is one folder with a `driver` module, and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import Final, Protocol, cast

from litellm_tui.model.service_kinds import Compose, Custom, Docker, KindName, Kubernetes, Process, ServiceSettings
from litellm_tui.model.service_target import FoundService, ServiceQuery, ServiceTarget
from litellm_tui.services.driver import Driver

# the module of a kind's driver is imported when a service of that kind is operated
DRIVERS: Final[dict[KindName, str]] = {
    "systemd": "litellm_tui.services.systemd.driver",
    "compose": "litellm_tui.services.compose.driver",
    "docker": "litellm_tui.services.docker.driver",
    "process": "litellm_tui.services.process.driver",
    "custom": "litellm_tui.services.custom.driver",
    "kubernetes": "litellm_tui.services.kubernetes.driver",
}
_SETTINGS: Final[dict[type[ServiceSettings], KindName]] = {
    Compose: "compose", Docker: "docker", Process: "process", Custom: "custom", Kubernetes: "kubernetes",
}  # fmt: skip


class DriverModule(Protocol):
    """What the `driver` module of a kind offers."""

    def find(self, wanted: ServiceQuery) -> FoundService:
        """Look for the service. Runs the kind's own tools, and takes tens of milliseconds."""
        ...

    def driver(self, target: ServiceTarget) -> Driver:
        """The driver of a service that was found, or whose name is known."""
        ...


def kind_of(settings: ServiceSettings | None) -> KindName:
    """The kind of service that these settings describe; systemd where there are none."""
    return "systemd" if settings is None else _SETTINGS[type(settings)]


def find(wanted: ServiceQuery) -> FoundService:
    """Look for the service with the driver of its kind."""
    return _module(wanted.settings).find(wanted)


def driver(target: ServiceTarget) -> Driver:
    """The driver of this service."""
    return _module(target.settings).driver(target)


def _module(settings: ServiceSettings | None) -> DriverModule:
    return cast("DriverModule", import_module(DRIVERS[kind_of(settings)]))
