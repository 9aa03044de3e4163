"""Finds everything that a profile holds.

The sources, each overriding the next: command line, environment, settings file, discovery from the service. The
environment variables have LiteLLM's own names where it has one.
"""

from __future__ import annotations

import fnmatch
import os
import socket
from collections.abc import Mapping
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import msgspec

from litellm_tui.host import address
from litellm_tui.host.copies import cluster_origin, origin
from litellm_tui.model.discovered import Discovery
from litellm_tui.model.found import Found, Missing
from litellm_tui.model.service import Unit, Variable
from litellm_tui.model.service_kinds import Compose, Docker, KindName, Kubernetes, Process, ServiceSettings, Tools
from litellm_tui.model.service_target import FoundService, ServiceQuery, ServiceTarget
from litellm_tui.services.gateways import KINDS, find_gateways
from litellm_tui.services.litellm_command import DEFAULT_PORT
from litellm_tui.services.registry import driver, find, kind_of
from litellm_tui.target.choice import remembered
from litellm_tui.target.key import find_key
from litellm_tui.target.profile import DEFAULT_SOURCE, Options, Profile
from litellm_tui.target.settings import ProfileSettings, Settings, SettingsError

# where it is set nothing is changed, whichever gateway is opened: `litellm-tui serve` sets it for its visitors
READ_ONLY: Final = "LITELLM_TUI_READ_ONLY"
# the kinds that a search for this kind looks through; Compose has its own search by its client
_SOUGHT: Final[Mapping[KindName | None, tuple[KindName, ...]]] = {
    None: KINDS, "systemd": ("systemd",), "docker": ("docker",), "process": ("process",),
}  # fmt: skip


def resolve(
    options: Options,
    settings: Settings,
    tools: Tools | None = None,
    environ: Mapping[str, str] | None = None,
    chosen_before: str | None = None,
) -> Profile:
    """Find the profile. Runs the tools of the service's kind and reads files, in tens of milliseconds.

    Where nothing says which service is meant, all kinds are looked for, and `chosen_before` is the identity of the one
    that is meant of what is found: without it the one that was chosen in the console, else the first.

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
    discovery: Discovery | None = None
    undecided, taken = False, None
    if settled is None and wanted_unit is None and _may_be_here(url):
        kinds = _SOUGHT["systemd" if scope else options.kind]
        discovery = find_gateways(tools, environ, kinds, scope)
        found, undecided, taken = _selected(discovery, wanted, chosen_before, exact=chosen_before is not None)
    else:
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
                f"the command line of {unit} names none" if unit else "no service to find it through",
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
        of_cluster = unit is not None and unit.scope == "kubernetes"
        what, mend = (path, "see docs/kubernetes.md") if of_cluster else (
            f"environment file {path}", "run as a user who may read it"
        )  # fmt: skip
        missing.append(Missing(what, why, mend))
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
        read_only=options.read_only or chosen.read_only or bool(environ.get(READ_ONLY)),
        production=chosen.production or _is_production(service, settings),
        ask_database=chosen.ask_database,
        missing=tuple(missing),
        also_found=found.others,
        again=partial(resolve, options, settings, tools, environ, taken),
        discovery=discovery,
        gateway=taken,
        choose=partial(resolve, options, settings, tools, environ),
        undecided=undecided,
    )


def _may_be_here(url: Found | None) -> bool:
    return url is None or address.is_local(url.value)


def _selected(
    discovery: Discovery, wanted: ServiceQuery, chosen: str | None, *, exact: bool
) -> tuple[FoundService, bool, str | None]:
    """The gateway that is meant of what was found, whether that is a guess among several that run, and its identity.

    A named address or configuration says it, then the choice that was made. With `exact` no other one is taken.
    """
    gateways = discovery.gateways
    if wanted.url:
        gateways = tuple(one for one in gateways if address.port_of(one.unit.url) == address.port_of(wanted.url))
    if wanted.config and not wanted.url:
        path = os.path.abspath(os.path.expanduser(wanted.config))
        gateways = tuple(one for one in gateways if one.unit.config == path) or gateways
    running = tuple(one for one in gateways if one.active)
    if exact or not gateways:
        meant, undecided, how = discovery.named(chosen), False, "chosen by you" if len(gateways) > 1 else ""
    elif len(gateways) > 1 and (kept := Discovery(gateways).named(remembered())):
        meant, undecided, how = kept, False, "chosen by you"
    else:
        meant, undecided = (running or gateways)[0], len(running) > 1
        how = "the only one here" if len(gateways) == 1 else "the only one that runs" if len(running) == 1 else ""
    if meant is None:
        return FoundService(scope=wanted.scope, missing=(_nothing(discovery, wanted),)), False, None
    others = tuple(str(one) for one in discovery.gateways if one is not meant)
    source = f"found{f' ({how})' if how else ''}: {meant.why}"
    found = FoundService(
        name=Found(meant.name, source),
        scope=meant.scope,
        settings=meant.settings,
        unit=meant.unit,
        others=others,
        missing=meant.missing,
    )
    if meant.kind == "kubernetes" or (
        meant.kind in ("docker", "compose") and meant.unit.config is None and meant.unit.inside
    ):
        # its driver reads what only the container has
        told = find(msgspec.structs.replace(wanted, settings=meant.settings, name=None, config=None))
        missing = (*meant.missing, *told.missing)
        found = msgspec.structs.replace(found, unit=told.unit or meant.unit, missing=missing)
    return found, undecided, meant.identity


def _nothing(discovery: Discovery, wanted: ServiceQuery) -> Missing:
    """That nothing was found, in the words of the kinds that were looked for."""
    if wanted.url and discovery.gateways:
        found = ", ".join(f"{one} on port {address.port_of(one.unit.url)}" for one in discovery.gateways)
        why = f"nothing found here listens on port {address.port_of(wanted.url)} (found: {found})"
    else:
        blocked = [f"{one.what}: {one.result}" for one in discovery.searched if one.blocked]
        looked = ", ".join(one.what for one in discovery.searched) or "nothing that could be looked through"
        why = f"none was found among {looked}" + (f" ({'; '.join(blocked)})" if blocked else "")
    mends = [one.mend for one in discovery.searched if one.blocked and one.mend]
    elsewhere = "start it, or give --url http://HOST:PORT for a gateway elsewhere, --container NAME for a container"
    return Missing("service", why, mends[0] if mends else elsewhere)


def _profile(options: Options, settings: Settings, environ: Mapping[str, str]) -> tuple[str, ProfileSettings]:
    name = options.profile or environ.get("LITELLM_TUI_PROFILE") or settings.profile
    if name is None:
        return "discovered", ProfileSettings()
    if name not in settings.profiles:
        known = ", ".join(settings.profiles) or "none"
        raise SettingsError(f"no profile {name!r} in the settings file (there: {known})")
    if host := settings.profiles[name].ssh:
        raise SettingsError(f"profile {name} is on {host}: this command looks at this machine alone")
    return name, settings.profiles[name]


def _first(*candidates: tuple[str | None, str]) -> Found | None:
    return next((Found(value, source) for value, source in candidates if value), None)


def _kind(options: Options, chosen: ProfileSettings) -> ServiceSettings | None:
    """The kind of service: the command line overrides the profile, so `--kind systemd` ignores its other service.

    None where it is to be found out, or is a unit.
    """
    if options.kind is None and options.scope:
        return None
    if options.container or (options.kind == "docker" and options.unit):
        given = chosen.service if isinstance(chosen.service, Docker) else Docker()
        return msgspec.structs.replace(given, container=options.container or options.unit)
    # `litellm:4000`, as it is shown, or the port alone
    named = (options.unit or "").rpartition(":")[2] if options.kind == "process" else ""
    if named.isascii() and named.isdigit() and 0 < (port := int(named[:6])) < 65536:
        same = isinstance(chosen.service, Process) and chosen.service.port == port
        return chosen.service if same else Process(port=port)
    if options.kind is None or (chosen.service is not None and kind_of(chosen.service) == options.kind):
        return chosen.service
    if options.kind == "compose":
        return Compose()
    if options.kind == "kubernetes":
        return Kubernetes()
    if options.kind == "process" and options.unit:
        raise SettingsError(f"--unit {options.unit}: a process is named by the port on which it listens")
    if options.kind == "custom":
        raise SettingsError("--kind custom: its commands stand in a profile of the settings file (custom: status: …)")
    return None


def _is_production(service: ServiceSettings | None, settings: Settings) -> bool:
    """Whether it is in a context of Kubernetes that the settings mark."""
    context = service.context if isinstance(service, Kubernetes) else None
    return bool(context) and any(fnmatch.fnmatchcase(context or "", name) for name in settings.production_contexts)


def _source_of_config(command_line: str, unit: Unit | None) -> str:
    if unit and unit.config and (key := cluster_origin(unit.config)) is not None:
        return f"a copy of the {key}"
    copied = origin(unit.config) if unit and unit.config else None
    if copied is None:
        return command_line
    return f"a copy of {copied[1]}, which only the container {copied[0]} has: not editable here"


def _checked_url(url: Found) -> str:
    """The address with its scheme. Raises `SettingsError` for what is none."""
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
