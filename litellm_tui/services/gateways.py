"""Looks for every gateway of this machine, of all kinds at once, and tells the same one under two names apart.

The Deployments of a kubeconfig's context are looked for where none runs here.

A container or a process that a unit keeps is the unit's, a process in a container the container's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from litellm_tui.analysis.phrases import count
from litellm_tui.host import address
from litellm_tui.host.process_table import ProcessTable
from litellm_tui.model.discovered import DiscoveredGateway, Discovery, Searched
from litellm_tui.model.service import Unit
from litellm_tui.model.service_kinds import KindName, Kubernetes, Scope, Tools
from litellm_tui.services.docker.discovery import ContainerSearch, FoundContainer, find_containers
from litellm_tui.services.kubernetes.kubeconfig import has_kubernetes
from litellm_tui.services.process.discovery import discovered
from litellm_tui.services.process.running import Contained, RunningGateway, find_running
from litellm_tui.services.systemd.discovery import UnitSearch, find_units

KINDS: Final[tuple[KindName, ...]] = ("systemd", "compose", "docker", "process", "kubernetes")
# units that start what is not theirs
_HOSTS: Final = frozenset({
    "cron.service", "crond.service", "anacron.service", "atd.service", "supervisor.service", "supervisord.service",
    "ssh.service", "sshd.service", "docker.service", "containerd.service", "podman.service", "pm2-root.service",
    "rc-local.service",
})  # fmt: skip
_SCOPES: Final[tuple[Scope, ...]] = ("user", "system")


def find_gateways(
    tools: Tools, environ: Mapping[str, str], kinds: tuple[KindName, ...] = KINDS, scope: Scope | None = None
) -> Discovery:
    """Look for all of these kinds. Runs systemctl, asks the engines and reads /proc: beside each other, in threads.

    A kind of which nothing is on this machine costs no time, and is not spoken of.
    """
    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="discovery") as pool:
        scopes = (scope,) if scope else _SCOPES
        asked = [pool.submit(find_units, tools, None, place, every=True) for place in scopes if _has_systemd(tools)]
        table = ProcessTable(tools.proc)
        processes, contained = find_running(table)
        known = frozenset(one.container for one in contained if one.container)
        containers = ContainerSearch()
        if "compose" in kinds or "docker" in kinds:
            containers = find_containers(environ, tools.docker_sockets, known)
        searches = [one.result() for one in asked]
    units = UnitSearch(
        tuple(unit for one in searches for unit in one.units),
        tuple(dict.fromkeys(why for one in searches for why in one.failures)),
        tuple(unit for one in searches for unit in one.containers),
        {unit: name for one in searches for unit, name in one.runs.items()},
    )
    found = _units(units, containers, processes, tools)
    kept = {one.unit.name for one in found}
    free = [one for one in containers.found if not _is_kept(one, units, kept)]
    mine = [*found, *(one.gateway for one in free)]
    mine += [discovered(one) for one in processes if not _is_of(one, mine)]
    searched = [
        *_searched_units(units, found, tools, scopes),
        *containers.searched,
        _searched_processes(processes, contained, containers, mine, tools),
    ]
    if scope:
        # a unit is also found by its process, whoever's it is
        mine = [one for one in mine if one.kind != "systemd" or one.scope == scope]
    gateways = sorted((one for one in mine if one.kind in kinds), key=lambda one: not one.active)
    if "kubernetes" in kinds and scope is None and has_kubernetes(environ):
        gateways, further = _with_clusters(gateways)
        searched += further
    wanted = {"docker" if kind == "compose" else kind for kind in kinds}
    return Discovery(tuple(gateways), tuple(one for one in searched if one.kind in wanted))


def _with_clusters(gateways: list[DiscoveredGateway]) -> tuple[list[DiscoveredGateway], list[Searched]]:
    """With the Deployments of the kubeconfig's context; a gateway that runs on this machine is not kept waiting."""
    if any(one.active for one in gateways):
        why = "not asked, as a gateway runs on this machine"
        return gateways, [Searched("kubernetes", "Deployments of Kubernetes", why, "--kind kubernetes looks there")]
    # only where there is a kubeconfig
    from litellm_tui.services.kubernetes.discovery import find_deployments

    found, searched = find_deployments(Kubernetes())
    return sorted([*gateways, *found], key=lambda one: not one.active), searched


def _has_systemd(tools: Tools) -> bool:
    """Whether systemd runs this machine (sd_booted(3)), or the tools are not its own."""
    return tools.systemctl != Tools().systemctl or os.path.isdir("/run/systemd/system")


# --- units ---------------------------------------------------------------------------------------------------------


def _units(
    search: UnitSearch, containers: ContainerSearch, processes: list[RunningGateway], tools: Tools
) -> list[DiscoveredGateway]:
    """The units that run LiteLLM themselves, through a container that was found, or through a script of theirs."""
    names = {one.name for one in containers.found}
    composed = any(one.gateway.kind == "compose" for one in containers.found)
    units = [*search.units, *(one.unit() for one in search.containers if one.run.name in names)]
    if not composed:
        # the engine could not be asked, or its service has no container
        units += [one.unit() for one in search.containers if one.is_compose and one.names_litellm]
    known = {(unit.name, unit.scope) for unit in units}
    quadlets = {one.quadlet for one in containers.found if one.quadlet}
    for name in sorted(quadlets - {unit.name for unit in units}):
        units += find_units(tools, name).units
    for process in processes:
        if process.unit is None or process.unit[0] in _HOSTS:
            continue
        name, is_user = process.unit
        scope: Scope = "user" if is_user else "system"
        if (name, scope) not in known and process.origin.kind != "supervisor":
            known.add((name, scope))
            units += find_units(tools, name, scope).units
    units.sort(key=lambda unit: (not unit.active, unit.scope != "user"))
    runs = {(str(one.block.get("Id")), str(one.scope)): one.run.name for one in search.containers} | dict(search.runs)
    return [_of_unit(unit, runs.get((unit.name, unit.scope), "")) for unit in units]


def _of_unit(unit: Unit, container: str) -> DiscoveredGateway:
    why = f"it runs the container {container}" if container else "its ExecStart runs litellm"
    scope: Scope = "user" if unit.scope == "user" else "system"
    return DiscoveredGateway("systemd", unit.scope, unit, why, f"systemd {scope} {unit.name}", scope)


def _is_kept(container: FoundContainer, search: UnitSearch, names: set[str]) -> bool:
    """Whether a unit keeps this container: it is that unit's service then."""
    if container.quadlet in names:
        return True
    return container.name in {*search.runs.values(), *(one.run.name for one in search.containers)}


# --- processes -----------------------------------------------------------------------------------------------------


def _is_of(process: RunningGateway, gateways: list[DiscoveredGateway]) -> bool:
    """Whether this process is the one of a gateway that was found: by its unit, or as only one listens on a port."""
    for one in gateways:
        if one.kind == "systemd" and process.unit is not None and process.unit[0] == one.name:
            return True
        if one.active and address.port_of(one.unit.url) == process.port and address.is_local(one.unit.url):
            return True
    return False


# --- what was looked for -------------------------------------------------------------------------------------------


def _searched_units(
    search: UnitSearch, found: list[DiscoveredGateway], tools: Tools, scopes: tuple[Scope, ...]
) -> list[Searched]:
    if not _has_systemd(tools):
        return []
    what = f"units of systemd ({' and '.join(scopes)})"
    result = ", ".join(map(str, found)) or "none runs litellm"
    mend = "give --unit NAME and --user or --system, where it has another name" if not found else ""
    if search.failures:
        result = f"{result}; {'; '.join(search.failures)}"
        if any("bus" in why for why in search.failures):
            mend = "loginctl enable-linger, or log in as the user whose units are meant"
    return [Searched("systemd", what, result, mend, blocked=bool(search.failures))]


def _searched_processes(
    processes: list[RunningGateway],
    contained: list[Contained],
    containers: ContainerSearch,
    gateways: list[DiscoveredGateway],
    tools: Tools,
) -> Searched:
    what = "processes of this machine that are LiteLLM"
    mine = [str(one) for one in gateways if one.kind == "process"]
    others = len(processes) - len(mine)
    parts = mine or ["none but those named above" if others else "none"]
    unknown = [one for one in contained if one.container not in containers.ids]
    mend = ""
    if unknown:
        parts.append(f"{count(len(unknown), 'process', 'processes')} of LiteLLM in containers or namespaces that were "
                     "not asked")  # fmt: skip
        mend = next((one.mend for one in containers.searched if one.mend), "") or (
            "start the engine's socket (systemctl --user start podman.socket), or open the console with --url"
        )
    return Searched("process", what, ", ".join(parts), mend, blocked=bool(unknown))
