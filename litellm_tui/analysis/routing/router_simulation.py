"""The walk of LiteLLM's router over its fallbacks: which names one request tries, and who answers it.

Every rule is in litellm/router.py (`async_function_with_fallbacks_common_utils`, `_common_checks_available_deployment`)
and litellm/router_utils/fallback_event_handlers.py; tests/lab/test_router.py holds this against the real router.
Not walked: `order`, weights, tags and teams, and names without a provider that LiteLLM knows from its own model list
(`gpt-4o` also finds `openai/*`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from litellm_tui.analysis.routing.table import Kind, Routing, Step, alias_target


class Member(NamedTuple):
    """A deployment, as far as the routing knows it: `model` is its `litellm_params.model`, `id` its `model_info.id`."""

    key: str
    group: str
    model: str = ""
    id: str = ""


class Rules(NamedTuple):
    """In what the versions differ.

    `remembers`: no target is tried twice in one request, and a target without a chain of its own goes on with the chain
    of the group that was asked for. `replaces`: a name that does not exist is answered by the first default fallback.
    `alike`: the tables of the other kinds too know `*` and names without their provider. `lists_kill`: an alias to a
    list is an error that no fallback answers.
    """

    remembers: bool = True
    replaces: bool = True
    alike: bool = True
    lists_kill: bool = False


NEWER: Final = Rules()
"""Seen on 1.106.2."""
OLDER: Final = Rules(remembers=False, replaces=False, alike=False, lists_kill=True)
"""Seen on 1.77.7."""


DEEPEST: Final = 300
"""No walk goes further, whatever `max_fallbacks` says: 1.106.2 was seen to compute 15 s for so many hops, and to come
to no end with 500."""


def rules_of(version: str | None) -> Rules:
    """The rules of a LiteLLM version. Between 1.77 and 1.106 nothing was tried: those are taken for new ones."""
    numbers = [int(part) for part in re.findall(r"\d+", version or "")[:2]]
    return OLDER if numbers and numbers <= [1, 77] else NEWER


class Hop(msgspec.Struct, frozen=True):
    """A name that was tried and left. `group` is what it stood for, empty when there is none; `why` it was left."""

    name: str
    group: str
    why: str


class Fleet:
    """All deployments, found by group, id and model. Made once, it serves any number of walks."""

    def __init__(self, members: Iterable[Member]) -> None:
        self.members = tuple(members)
        self.groups: dict[str, list[Member]] = {}
        self.ids: dict[str, list[Member]] = {}
        self.models: dict[str, list[Member]] = {}
        for member in self.members:
            self.groups.setdefault(member.group, []).append(member)
            self.models.setdefault(member.model, []).append(member)
            if member.id:
                self.ids.setdefault(member.id, []).append(member)
        self.providers = {m.model.partition("/")[0] for m in self.members if "/" in m.model}
        # the longest pattern first, as the router sorts them; it matches from the start, not to the end
        patterns = {group: re.escape(group).replace(r"\*", "(.*)") for group in self.groups if "*" in group}
        self.patterns = sorted(patterns.items(), key=lambda item: _specificity(item[1]), reverse=True)


class _Visit:
    """A name that failed, and what is left of its chain. `began` and `depth`: attempts made before it, and by now."""

    def __init__(self, name: str, chain: tuple[Step, ...], depth: int) -> None:
        self.name, self.steps, self.began, self.depth = name, iter(chain), depth, depth


class Walk:
    """One request. `tried` are the attempts that are not made again; `failed` how deep a name was when it failed.

    The walk ends when `most` names have failed: what is only to be told in a few words need not be followed further.
    """

    def __init__(self, routing: Routing, fleet: Fleet, down: Mapping[str, Kind], first: str, rules: Rules) -> None:
        self.routing, self.fleet, self.down, self.first, self.rules = routing, fleet, down, first, rules
        self.limit = min(routing.max_fallbacks, DEEPEST)
        self.most = sys.maxsize
        self.hops: dict[str, Hop] = {}
        self.tried: set[str] = set()
        self.failed: dict[str, int] = {}
        self.cuts: dict[str, tuple[Step, ...]] = {}
        self.looped = ""

    # --- which deployments a name stands for -------------------------------------------------------------------

    def resolve(self, name: str) -> list[Member]:
        """The deployments that answer to a name; empty when it does not exist."""
        groups = self.fleet.groups
        if name not in groups and (named := self.fleet.ids.get(name)):
            return named
        alias = alias_target(self.routing.aliases.get(name))
        if name in self.routing.aliases and alias is None and self.rules.lists_kill:
            return []
        group = alias or name
        if group in groups:
            return groups[group]
        for pattern, regex in self.fleet.patterns:
            if re.match(regex, group):
                return groups[pattern]
        if same := self.fleet.models.get(group):
            return same
        default = self._first_default() if self.rules.replaces else None
        return groups.get(default.name, []) if default and default.bare else []

    def _first_default(self) -> Step | None:
        """The first target of the first default chain that has any; a mapping there is of no use for this."""
        return next((s[0] for source, s in self.routing.tables["general"].entries if source == "*" and s), None)

    # --- where it goes on --------------------------------------------------------------------------------------

    def ask(self, name: str) -> list[Member]:
        """Try a name and, when it fails, its chain, depth first: the deployments that serve, or none.

        A chain may be as long as the file it is written in, so the visits that are open are a list and not calls.
        """
        open_visits: list[_Visit] = []
        served = self._visit(name, 0, open_visits)
        while not served and open_visits and len(self.hops) < self.most:
            visit = open_visits[-1]
            target = self._next(visit)
            if target is None:
                open_visits.pop()
                self.failed[visit.name] = min(visit.began, self.failed.get(visit.name, visit.began))
            else:
                served = self._visit(target, visit.depth, open_visits)
        return served

    def _visit(self, name: str, depth: int, open_visits: list[_Visit]) -> list[Member]:
        """Try a name: its deployments that are alive. Where there are none, its chain is opened to be followed."""
        found = self.resolve(name)
        alive = [m for m in found if m.key not in self.down]
        if alive:
            return alive
        fault: Kind = next((k for m in found if (k := self.down[m.key]) != "general"), "general")
        self.hops.setdefault(name, Hop(name, found[0].group if found else "", _why(found, fault)))
        if not found and self._fatal(name):
            return []
        chain = self.chain(name, fault)
        if chain and depth >= self.limit:
            self.cuts.setdefault(name, chain)
            return []
        self.tried.add(name)
        open_visits.append(_Visit(name, chain or (), depth))
        return []

    def _next(self, visit: _Visit) -> str | None:
        """The next name of an open chain that is tried; None at its end."""
        for step in visit.steps:
            if step.bare and step.name == visit.name:
                self.looped = self.looped or visit.name
                continue
            if self.rules.remembers:
                if (step.own or step.name) in self.tried:
                    continue
                self.tried.add(step.own or step.name)
            # every attempt counts, also those beside each other
            visit.depth += 1
            # what failed with as many hops left fails again: 1.77 tries it all the same, and finds nothing
            if self.failed.get(step.name, visit.depth + 1) > visit.depth:
                return step.name
        return None

    def _fatal(self, name: str) -> bool:
        """Whether this is an alias to a list, asked for by itself: 1.77 trips over it before it looks for fallbacks."""
        listed = name in self.routing.aliases and not alias_target(self.routing.aliases[name])
        return self.rules.lists_kill and name == self.first and listed

    def chain(self, name: str, fault: Kind) -> tuple[Step, ...] | None:
        """The chain that is followed; None when there is none, which is not the same as an empty one."""
        asked = dict.fromkeys((name, self.first) if self.rules.remembers else (name,))
        kind: Kind = fault if fault in self.routing.own else "general"
        table = self.routing.tables[kind]
        exactly = kind != "general" and not self.rules.alike
        for group in asked:
            exact = table.first.get(group)
            if exact is not None:
                return exact
            stripped = table.last.get(self._stripped(group) or group)
            if stripped is not None and not exactly:
                # `openai/*` stripped is `*`, and so the default chain its own
                return stripped
        return None if exactly else table.last.get("*")

    def _stripped(self, name: str) -> str | None:
        """`openai/gpt-4` goes by the chain of `gpt-4` when it has none of its own."""
        provider, slash, _ = name.partition("/")
        return name.replace(f"{provider}/", "") if slash and provider in self.fleet.providers else None


def _why(found: list[Member], fault: Kind) -> str:
    if not found:
        return "no model group has this name"
    if fault == "context window":
        return "the prompt is too long for it"
    if fault == "content policy":
        return "its content policy refuses the request"
    return "down" if len(found) == 1 else f"all {len(found)} deployments are down"


def _specificity(regex: str) -> tuple[int, int]:
    return len(regex), sum(regex.count(sign) for sign in "*+?\\^$|()")
