"""The service that a driver is for: what a profile says of it, and what was found."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from litellm_tui.model.found import Found, Missing
from litellm_tui.model.service import Unit, Variable
from litellm_tui.model.service_kinds import Scope, ServiceSettings, Tools


class ServiceTarget(msgspec.Struct, frozen=True):
    """One service. `name` is empty where none was found; `settings` is None for a unit of systemd.

    `unit` is the service as it was found, None where it was not. `environment` is what the service gives LiteLLM.
    """

    name: str
    tools: Tools
    scope: Scope = "user"
    settings: ServiceSettings | None = None
    unit: Unit | None = None
    environment: Mapping[str, Variable] = {}
    environment_files: tuple[str, ...] = ()


class ServiceQuery(msgspec.Struct, frozen=True):
    """What is known of a service before it is looked for, from the command line, the environment and the settings.

    `name` is what was asked for, `profile` the name of the profile. `environ` is the console's environment, `config`
    the configuration file and `url` the address that were given.
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
    """What was found of one kind of service. A service of which only the name is known is operated as well: it may
    come. `others` would do as well; `missing` says what was not found, and why.
    """

    name: Found | None = None
    scope: Scope | None = None
    settings: ServiceSettings | None = None
    unit: Unit | None = None
    others: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
