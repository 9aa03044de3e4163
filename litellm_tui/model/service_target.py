"""The service that a driver works on: what is looked for, what was found, and the result."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from litellm_tui.model.found import Found, Missing
from litellm_tui.model.service import Unit, Variable
from litellm_tui.model.service_kinds import Scope, ServiceSettings, Tools


class ServiceTarget(msgspec.Struct, frozen=True):
    """One service. `name` is empty where none was found; `settings` is None for a unit of systemd.

    `unit` is the service that was found, or None. `environment` is the environment that it gives to LiteLLM.
    """

    name: str
    tools: Tools
    scope: Scope = "user"
    settings: ServiceSettings | None = None
    unit: Unit | None = None
    environment: Mapping[str, Variable] = {}
    environment_files: tuple[str, ...] = ()


class ServiceQuery(msgspec.Struct, frozen=True):
    """What is known about a service before the search, from the command line, the environment and the settings.

    `name` is the name asked for, `profile` the name of the profile. `environ` is the console's environment, `config`
    the given configuration file and `url` the given address.
    """

    tools: Tools
    environ: Mapping[str, str]
    profile: str
    name: Found | None = None
    scope: Scope | None = None
    settings: ServiceSettings | None = None
    config: str | None = None
    url: str | None = None


class FoundService(msgspec.Struct, frozen=True):
    """The result of a search for one kind of service.

    A service of which only the name is known is operated too, as it may appear later. `others` are further candidates;
    `missing` says what was not found, and why.
    """

    name: Found | None = None
    scope: Scope | None = None
    settings: ServiceSettings | None = None
    unit: Unit | None = None
    others: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
