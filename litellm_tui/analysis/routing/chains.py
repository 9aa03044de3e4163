"""Every fallback chain and alias, each target with its state and its flaw."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from litellm_tui.analysis.latest import latest
from litellm_tui.analysis.nested import python_text
from litellm_tui.analysis.routing.route import FAR, never_asked
from litellm_tui.analysis.routing.router_simulation import DeploymentIndex, IndexedDeployment
from litellm_tui.analysis.routing.table import FALLBACK_KINDS, Routing, alias_target
from litellm_tui.model.diagnosis import Chain, ChainKind, State, Target

_GONE: Final = "runs, and is not in the file any more"


@latest
def resolve_chains(
    wanted: Routing, running: Routing | None, groups: Mapping[str, State], *, from_file: bool = True
) -> tuple[Chain, ...]:
    """Every chain, each target with its state and its flaw.

    `groups` maps model groups to their state. With `running`, each chain also says whether the router runs it.
    """
    resolver = _Resolver(wanted, groups)
    chains: list[Chain] = []
    for _, kind in FALLBACK_KINDS:
        mine = wanted.chains[kind]
        theirs = running.chains[kind] if running else {}
        visible = running is not None and kind != "content policy"
        for source, names in mine.items():
            applied = theirs.get(source) == names if visible else None
            chains.append(resolver.chain(kind, source, names, applied))
        for source, names in theirs.items():
            if source not in mine and from_file:
                chains.append(resolver.chain(kind, source, names, False, _GONE))
    if wanted.default:
        applied = running.default == wanted.default if running else None
        chains.append(resolver.chain("default", "*", wanted.default, applied))
    elif running and running.default:
        chains.append(resolver.chain("default", "*", running.default, False, _GONE))
    chains.extend(_alias_chains(resolver, wanted, running, from_file))
    return tuple(chains)


def _alias_chains(resolver: _Resolver, wanted: Routing, running: Routing | None, from_file: bool) -> Iterator[Chain]:
    theirs = running.aliases if running else {}
    for name, value in wanted.aliases.items():
        applied = alias_target(theirs.get(name)) == alias_target(value) if running else None
        target = alias_target(value)
        if target is None:
            shape = "a list" if isinstance(value, list) else f"a {type(value).__name__}"
            broken = Target(python_text(value)[:60], "failing", flaw="malformed")
            note = f"an alias takes one name, this is {shape}: every request of this name fails"
            yield Chain("alias", Target(name, "failing"), (broken,), applied, note)
        else:
            shown = (resolver.target(target, ()),)
            yield Chain("alias", Target(name, resolver.state(target)), shown, applied, alias_trap(wanted, name))
    for name in theirs.keys() - wanted.aliases.keys() if from_file else ():
        target = alias_target(theirs[name]) or ""
        yield Chain("alias", Target(name, resolver.state(target)), (resolver.target(target, ()),), False,
                    _GONE)  # fmt: skip


def alias_trap(routing: Routing, alias: str) -> str:
    """The text of the alias trap: the router looks up fallbacks by the requested name, never by the alias's target."""
    target = alias_target(routing.aliases.get(alias))
    trapped = target in routing.chains["general"] and alias not in routing.chains["general"]
    return f"requests for {alias} do not get the fallbacks of {target}" if trapped else ""


@latest
def _index_of_groups(groups: Mapping[str, State]) -> DeploymentIndex:
    return DeploymentIndex(IndexedDeployment(name, name) for name in groups)


class _Resolver:
    def __init__(self, routing: Routing, groups: Mapping[str, State]) -> None:
        self._routing = routing
        self._groups = groups
        self._index = _index_of_groups(groups)
        self._wildcards = [name for name in groups if "*" in name]
        self._cycles: dict[ChainKind, dict[str, int]] = {}

    def state(self, name: str) -> State:
        known = self._groups.get(self._alias(name) or name)
        return known or self._groups.get(self._wildcard(name) or "", "unknown")

    def chain(self, kind: ChainKind, source: str, names: Iterable[str], applied: bool | None,
              note: str = "") -> Chain:  # fmt: skip
        known = source == "*" or self._exists(source)
        flaw = "" if known else "ghost"
        if not known and not note:
            note = "no model group has this name: the chain never fires"
        looped = self._targets_leading_back(kind, source)
        targets = tuple(self.target(name, looped) for name in names)
        if kind == "general" and not note:
            note = self._cut_off_note(source)
        return Chain(kind, Target(source, self.state(source), flaw=flaw), targets, applied, note)

    def target(self, name: str, looped: Iterable[str]) -> Target:
        if not self._exists(name):
            return Target(name, "failing", flaw="ghost")
        return Target(name, self.state(name), flaw="cycle" if name in looped else "", alias_of=self._alias(name) or "")

    def _cut_off_note(self, source: str) -> str:
        beyond = never_asked(self._routing, self._index, source)
        limit = self._routing.max_fallbacks
        least = "at least " if len(beyond) >= FAR else ""
        more = f" and {least}{len(beyond) - 4} more" if len(beyond) > 4 else ""
        return f"cut off after {limit} hops: {', '.join(beyond[:4])}{more} never asked" if beyond else ""

    def _exists(self, name: str) -> bool:
        return name in self._groups or self._alias(name) is not None or self._wildcard(name) is not None

    def _alias(self, name: str) -> str | None:
        target = alias_target(self._routing.aliases.get(name))
        return target if target in self._groups else None

    def _wildcard(self, name: str) -> str | None:
        return next((pattern for pattern in self._wildcards if fnmatch.fnmatchcase(name, pattern)), None)

    def _targets_leading_back(self, kind: ChainKind, source: str) -> set[str]:
        """The direct targets whose chains lead back to `source`."""
        graph = next((self._routing.chains[own] for _, own in FALLBACK_KINDS if own == kind), {})
        if kind not in self._cycles:
            self._cycles[kind] = _cycles(graph)
        circle = self._cycles[kind]
        mine = circle.get(source)
        return {name for name in graph.get(source, ()) if name == source or (mine and circle.get(name) == mine)}


def _cycles(graph: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """A number for each name on a cycle: names with the same number lead to one another.

    Tarjan's strongly connected components, as a loop without recursion: a file can have chains of any length.
    """
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    found: dict[str, int] = {}
    component: dict[str, None] = {}
    for root in graph:
        if root in order:
            continue
        order[root] = lowest[root] = len(order)
        component[root] = None
        pending = [(root, iter(graph[root]))]
        while pending:
            name, targets = pending[-1]
            target = next(targets, None)
            if target is None:
                pending.pop()
                if pending:
                    above = pending[-1][0]
                    lowest[above] = min(lowest[above], lowest[name])
                if lowest[name] == order[name]:
                    members: list[str] = []
                    while not members or members[-1] != name:
                        members.append(component.popitem()[0])
                    if len(members) > 1:
                        found.update(dict.fromkeys(members, order[name] + 1))
            elif target not in order:
                order[target] = lowest[target] = len(order)
                component[target] = None
                pending.append((target, iter(graph.get(target, ()))))
            elif target in component:
                lowest[name] = min(lowest[name], order[target])
    return found
