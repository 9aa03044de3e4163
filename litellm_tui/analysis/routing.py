"""Fallback chains and aliases, out of the file and out of the running router."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from litellm_tui.analysis.records import Chain, ChainKind, State, Target
from litellm_tui.snapshot import ConfigFile

_KINDS: Final[tuple[tuple[str, ChainKind], ...]] = (
    ("fallbacks", "general"),
    ("context_window_fallbacks", "context window"),
    ("content_policy_fallbacks", "content policy"),
)
_GONE: Final = "runs, and is not in the file any more"


class Routing:
    """The routing settings of one side (the file, or the running router), whatever their shape."""

    def __init__(self, settings: Mapping[str, Any], otherwise: Mapping[str, Any]) -> None:
        # router_settings win entirely over litellm_settings, there is no merging (litellm/router.py)
        self.chains = {kind: dict(_chains(settings.get(key) or otherwise.get(key))) for key, kind in _KINDS}
        # LiteLLM keeps default_fallbacks as the fallbacks of "*" (litellm/router.py)
        self.default = self.chains["general"].pop("*", []) or _names(
            settings.get("default_fallbacks") or otherwise.get("default_fallbacks")
        )
        alias = settings.get("model_group_alias")
        self.aliases: dict[str, Any] = {str(k): v for k, v in alias.items()} if isinstance(alias, dict) else {}
        self.malformed = tuple(
            f"{key} is a {type(value).__name__}, not a list"
            for key, _ in _KINDS
            if (value := settings.get(key) or otherwise.get(key)) and not isinstance(value, list)
        )

    @classmethod
    def of_file(cls, file: ConfigFile) -> Routing:
        """As the file would have it after a restart."""
        return cls(file.section("router_settings"), file.section("litellm_settings"))

    @classmethod
    def of_router(cls, router: Mapping[str, Any]) -> Routing:
        """As the running router has it; it does not show its content-policy fallbacks."""
        return cls(router, {})


def alias_target(value: Any) -> str | None:
    """The group an alias stands for; None for a list or anything else that LiteLLM cannot resolve."""
    if isinstance(value, dict):
        value = value.get("model")
    return value if isinstance(value, str) else None


def resolve_chains(
    wanted: Routing, running: Routing | None, groups: Mapping[str, State], *, from_file: bool = True
) -> tuple[Chain, ...]:
    """Every chain, each target with its state and its flaw.

    `groups` maps model groups to their state. With a `running` side each chain also says whether it is what runs.
    """
    resolver = _Resolver(wanted, groups)
    chains: list[Chain] = []
    for _, kind in _KINDS:
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
            broken = Target(str(value)[:60], "failing", flaw="malformed")
            note = f"an alias takes one name, this is {shape}: every request of this name fails"
            yield Chain("alias", Target(name, "failing"), (broken,), applied, note)
        else:
            yield Chain("alias", Target(name, resolver.state(target)), (resolver.target(target, ()),), applied)
    for name in theirs.keys() - wanted.aliases.keys() if from_file else ():
        target = alias_target(theirs[name]) or ""
        yield Chain("alias", Target(name, resolver.state(target)), (resolver.target(target, ()),), False,
                    _GONE)  # fmt: skip


class _Resolver:
    def __init__(self, routing: Routing, groups: Mapping[str, State]) -> None:
        self._routing = routing
        self._groups = groups
        self._wildcards = [name for name in groups if "*" in name]

    def state(self, name: str) -> State:
        alias = self._alias(name)
        return self._groups.get(alias or name, self._groups.get(self._wildcard(name) or "", "unknown"))

    def chain(self, kind: ChainKind, source: str, names: Iterable[str], applied: bool | None, note: str = "") -> Chain:
        known = source == "*" or self._exists(source)
        flaw = "" if known else "ghost"
        if not known and not note:
            note = "no model group has this name: the chain never fires"
        looped = self._reachable_back(kind, source)
        targets = tuple(self.target(name, looped) for name in names)
        return Chain(kind, Target(source, self.state(source), flaw=flaw), targets, applied, note)

    def target(self, name: str, looped: Iterable[str]) -> Target:
        if not self._exists(name):
            return Target(name, "failing", flaw="ghost")
        return Target(name, self.state(name), flaw="cycle" if name in looped else "", alias_of=self._alias(name) or "")

    def _exists(self, name: str) -> bool:
        return name in self._groups or self._alias(name) is not None or self._wildcard(name) is not None

    def _alias(self, name: str) -> str | None:
        target = alias_target(self._routing.aliases.get(name))
        return target if target in self._groups else None

    def _wildcard(self, name: str) -> str | None:
        return next((pattern for pattern in self._wildcards if fnmatch.fnmatchcase(name, pattern)), None)

    def _reachable_back(self, kind: ChainKind, source: str) -> set[str]:
        """The direct targets from which the chains lead back to `source`."""
        graph = self._routing.chains.get(kind, {})
        looped = set()
        for first in graph.get(source, ()):
            pending, seen = [first], set()
            while pending:
                name = pending.pop()
                if name == source:
                    looped.add(first)
                    break
                if name not in seen:
                    seen.add(name)
                    pending.extend(graph.get(name, ()))
        return looped


def answering_fallback(chains: Iterable[Chain], group: str) -> str | None:
    """The first target of the group's general (or the default) chain that serves; None when requests find no answer."""
    for kind in ("general", "default"):
        for chain in chains:
            if chain.kind == kind and chain.source.name in (group, "*") and chain.applied is not False:
                for target in chain.targets:
                    if target.name != group and not target.flaw and target.state in ("serving", "degraded"):
                        return target.name
    return None


def _chains(value: Any) -> Iterator[tuple[str, list[str]]]:
    """`[{group: [target, …]}, …]`; a mapping is read as LiteLLM was meant to read it, and reported as malformed."""
    items = [value] if isinstance(value, dict) else value if isinstance(value, list) else []
    for item in items:
        if isinstance(item, dict):
            for source, targets in item.items():
                yield str(source), _names(targets)


def _names(value: Any) -> list[str]:
    """Targets by name; one may be a mapping with parameters of its own (`{model: NAME, …}`)."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        return []
    return [str(item.get("model", item) if isinstance(item, dict) else item) for item in value]
