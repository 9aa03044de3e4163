"""A simulated outage of groups: where every request would go, and which would get no answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import msgspec

from litellm_tui.analysis.latest import Last, latest
from litellm_tui.analysis.routing.route import Route, predict_route
from litellm_tui.analysis.routing.router_simulation import DeploymentIndex, IndexedDeployment, RouterRules, rules_for
from litellm_tui.analysis.routing.table import FallbackKind, Routing, routing_of_file, routing_of_router
from litellm_tui.model.diagnosis import Deployment, Group
from litellm_tui.model.snapshot import Snapshot

DEAD = ("failing", "masked", "cooling down", "not loaded", "expected down")
"""States in which a deployment does not answer."""


class OutageSimulation(msgspec.Struct, frozen=True):
    """Routes by kind and name: for every group and alias, and for every chain of the other kinds.

    `unanswered` are the groups and aliases whose ordinary requests get no answer; `through` are those of them that do
    so only because of the marks.
    """

    routes: dict[tuple[FallbackKind, str], Route]
    unanswered: tuple[str, ...] = ()
    through: tuple[str, ...] = ()


def current_routing(snapshot: Snapshot) -> Routing | None:
    """The running routing, or the file's while the router is not known; None when neither is known."""
    router, file = snapshot.gateway.router.value, snapshot.configuration.current
    if router is not None:
        return routing_of_router(router, file)
    return routing_of_file(file) if file else None


@latest
def index_deployments(deployments: Collection[Deployment]) -> DeploymentIndex:
    """The deployments of a diagnosis as an index for the simulation."""
    return DeploymentIndex(
        IndexedDeployment(d.key, d.group, d.model, d.loaded.id if d.loaded else "") for d in deployments
    )


def find_substitutes(
    snapshot: Snapshot, deployments: Collection[Deployment], names: Iterable[str], groups: Iterable[str] = ()
) -> dict[str, str]:
    """The names (groups and aliases) of dead groups for which another group answers, each with that group.

    `groups` are dead as a whole, even where none of their deployments is known to be.
    """
    routing = current_routing(snapshot)
    if routing is None:
        return {}
    return _find_substitutes(routing, current_rules(snapshot), deployments, tuple(names), tuple(groups))


@latest
def _find_substitutes(
    routing: Routing,
    rules: RouterRules,
    deployments: Collection[Deployment],
    names: tuple[str, ...],
    groups: tuple[str, ...],
) -> dict[str, str]:
    index = index_deployments(deployments)
    down = _down(deployments, index, groups)
    found = {}
    for name in names:
        served = predict_route(routing, index, down, name, rules=rules).served_by
        if served is not None and served != name:
            found[name] = served
    return found


# some 20 ms
MOST_HOPS: Final = 2_000


class Cover(NamedTuple):
    """How far requests find an answer: the groups and aliases that get `none` now, and the groups that answer now and
    that would be `alone`, with nobody to take over, if all of them failed.
    """

    none: tuple[str, ...]
    alone: tuple[str, ...]


def find_cover(snapshot: Snapshot, deployments: Collection[Deployment], groups: Iterable[Group]) -> Cover | None:
    """How every group is covered, each failing by itself.

    None while no routing is known, and where there are more hops to follow than a key may wait for.
    """
    routing = current_routing(snapshot)
    if routing is None:
        return None
    groups = tuple(groups)
    index = index_deployments(deployments)
    names = len(index.groups) + len(routing.aliases)
    if names * min(names, max(1, routing.max_fallbacks)) > MOST_HOPS:
        return None
    failing = frozenset(name for group in groups for name in group.unserved)
    down = frozenset(_down(deployments, index, dead_groups(groups)))
    # figures change all the time, and who is a member of what seldom
    return _find_cover(routing, current_rules(snapshot), _last_members(index.members), down, failing)


_last_members: Final = Last()


@latest
def _find_cover(
    routing: Routing,
    rules: RouterRules,
    members: tuple[IndexedDeployment, ...],
    down: frozenset[str],
    failing: frozenset[str],
) -> Cover:
    index = DeploymentIndex(members)
    dead: dict[str, FallbackKind] = dict.fromkeys(down, "general")
    none, alone = [], []
    for name in dict.fromkeys((*index.groups, *routing.aliases)):
        own = index.groups.get(name, ())
        route = _as_seen(predict_route(routing, index, dead, name, rules=rules), failing)
        if route.served_by is None:
            none.append(name)
        elif own and not route.hops:
            without = dead | dict.fromkeys((member.key for member in own), "general")
            if predict_route(routing, index, without, name, rules=rules).served_by is None:
                alone.append(name)
    return Cover(tuple(none), tuple(alone))


def served_without(
    snapshot: Snapshot,
    deployments: Collection[Deployment],
    kind: FallbackKind,
    name: str,
    groups: Iterable[Group] = (),
) -> str | None:
    """The group that would answer a request for `name` if its own group failed in this way; None for none."""
    routing = current_routing(snapshot)
    if routing is None:
        return None
    index = index_deployments(deployments)
    down = _down(deployments, index, dead_groups(groups))
    down |= {member.key: kind for member in index.groups.get(name, ())}
    return predict_route(routing, index, down, name, kind, current_rules(snapshot)).served_by


def dead_groups(groups: Iterable[Group]) -> tuple[str, ...]:
    """The groups whose requests all fail, also those of which no deployment shows it by itself."""
    return tuple(group.name for group in groups if group.verdict.state in DEAD)


def _down(
    deployments: Collection[Deployment], index: DeploymentIndex, groups: Iterable[str]
) -> dict[str, FallbackKind]:
    """The deployments that do not answer: by themselves, or as members of a group that is dead as a whole."""
    whole: dict[str, FallbackKind] = {
        member.key: "general" for group in groups for member in index.groups.get(group, ())
    }
    return {**_dead(deployments), **whole}


@latest
def _dead(deployments: Collection[Deployment]) -> dict[str, FallbackKind]:
    return {d.key: "general" for d in deployments if d.verdict.state in DEAD}


def current_rules(snapshot: Snapshot) -> RouterRules:
    """How the router of this version behaves."""
    readiness = snapshot.gateway.readiness.value
    return rules_for(readiness.version if readiness else None)


def simulate_outage(
    snapshot: Snapshot, deployments: Collection[Deployment], groups: Iterable[Group], marked: Collection[str] = ()
) -> OutageSimulation:
    """The routes with the groups in `marked` down in addition to those down now; empty while no routing is known.

    `groups` are those of the diagnosis: one that is dead as a whole answers nothing, and the names whose callers are
    seen to fail get no answer, whatever the router would do.
    """
    routing = current_routing(snapshot)
    if routing is None:
        return OutageSimulation({})
    index = index_deployments(deployments)
    groups = tuple(groups)
    dead = _down(deployments, index, dead_groups(groups))
    down = dead | {m.key: "general" for m in index.members if m.group in marked}
    rules = current_rules(snapshot)
    names = [*dict.fromkeys((*index.groups, *routing.aliases))]
    asked: list[tuple[FallbackKind, str]] = [("general", name) for name in names]
    asked += [(kind, source) for kind, chains in routing.chains.items() if kind != "general" for source in chains]
    failing = {name for group in groups for name in group.unserved}
    routes = {
        (kind, name): _as_seen(predict_route(routing, index, down, name, kind, rules), failing) for kind, name in asked
    }
    unanswered = tuple(name for name in names if routes["general", name].served_by is None)
    before = {name: _as_seen(predict_route(routing, index, dead, name, rules=rules), failing) for name in unanswered}
    return OutageSimulation(
        routes, unanswered, tuple(name for name in unanswered if before[name].served_by is not None)
    )


def _as_seen(route: Route, failing: Collection[str]) -> Route:
    """The route, without the answer of a fallback that callers of this name are seen not to get."""
    if route.kind != "general" or route.served_by is None or not route.hops or route.name not in failing:
        return route
    reason = f"{route.served_by} would take over, and the log shows that requests for {route.name} fail all the same"
    return msgspec.structs.replace(route, served_by=None, members=(), cause="seen to fail", reason=reason)
