"""A simulation of LiteLLM's router and its fallbacks: which names one request tries, and which group answers it.

Every rule is in litellm/router.py (`async_function_with_fallbacks_common_utils`, `_common_checks_available_deployment`)
and litellm/router_utils/fallback_event_handlers.py; tests/lab/test_router.py holds this against the real router.
Not simulated: `order`, weights, tags and teams, and names without a provider that LiteLLM knows from its own model list
(`gpt-4o` also finds `openai/*`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from litellm_tui.analysis.routing.table import FallbackKind, Routing, Step, alias_target


class IndexedDeployment(NamedTuple):
    """A deployment, as far as the routing knows it: `model` is its `litellm_params.model`, `id` its `model_info.id`."""

    key: str
    group: str
    model: str = ""
    id: str = ""


class RouterRules(NamedTuple):
    """How the router's behaviour differs between versions.

    `skips_tried`: no target is tried twice in one request, and a target without its own chain continues with the chain
    of the requested group. `default_for_unknown`: the first default fallback answers for an unknown name.
    `all_tables_match_loosely`: the context-window and content-policy tables also match `*` and names without their
    provider. `list_alias_is_fatal`: an alias to a list is an error that no fallback answers.
    """

    skips_tried: bool = True
    default_for_unknown: bool = True
    all_tables_match_loosely: bool = True
    list_alias_is_fatal: bool = False


RULES_1_106: Final = RouterRules()
"""Seen on 1.106.2."""
RULES_1_77: Final = RouterRules(
    skips_tried=False, default_for_unknown=False, all_tables_match_loosely=False, list_alias_is_fatal=True
)
"""Seen on 1.77.7."""


DEEPEST: Final = 300
"""The most hops that are simulated, whatever `max_fallbacks` says: 1.106.2 computed 15 s for this many, and did not end
with 500."""


def rules_for(version: str | None) -> RouterRules:
    """The rules of a LiteLLM version. Versions between 1.77 and 1.106 were not tried; they get the newer rules."""
    numbers = [int(part) for part in re.findall(r"\d+", version or "")[:2]]
    return RULES_1_77 if numbers and numbers <= [1, 77] else RULES_1_106


class Hop(msgspec.Struct, frozen=True):
    """A name that was tried without an answer. `group` is the group behind it, empty when there is none."""

    name: str
    group: str
    why: str


class DeploymentIndex:
    """All deployments by group, id and model. One index serves any number of simulations."""

    def __init__(self, members: Iterable[IndexedDeployment]) -> None:
        self.members = tuple(members)
        self.groups: dict[str, list[IndexedDeployment]] = {}
        self.ids: dict[str, list[IndexedDeployment]] = {}
        self.models: dict[str, list[IndexedDeployment]] = {}
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
    """A name that failed, and the rest of its chain. `began` and `depth` count the attempts before it and until now."""

    def __init__(self, name: str, chain: tuple[Step, ...], depth: int) -> None:
        self.name, self.steps, self.began, self.depth = name, iter(chain), depth, depth


class RequestSimulation:
    """One request. `tried` are the attempts that are not repeated, `failed` maps a name to its depth when it failed.

    The simulation ends when `most` names have failed.
    """

    def __init__(
        self, routing: Routing, index: DeploymentIndex, down: Mapping[str, FallbackKind], first: str, rules: RouterRules
    ) -> None:
        self.routing, self.index, self.down, self.first, self.rules = routing, index, down, first, rules
        self.limit = min(routing.max_fallbacks, DEEPEST)
        self.most = sys.maxsize
        self.hops: dict[str, Hop] = {}
        self.tried: set[str] = set()
        self.failed: dict[str, int] = {}
        self.cuts: dict[str, tuple[Step, ...]] = {}
        self.looped = ""

    # --- which deployments a name stands for -------------------------------------------------------------------

    def resolve(self, name: str) -> list[IndexedDeployment]:
        """The deployments behind a name; empty when it does not exist."""
        groups = self.index.groups
        if name not in groups and (named := self.index.ids.get(name)):
            return named
        alias = alias_target(self.routing.aliases.get(name))
        if name in self.routing.aliases and alias is None and self.rules.list_alias_is_fatal:
            return []
        group = alias or name
        if group in groups:
            return groups[group]
        for pattern, regex in self.index.patterns:
            if re.match(regex, group):
                return groups[pattern]
        if same := self.index.models.get(group):
            return same
        default = self._first_default() if self.rules.default_for_unknown else None
        return groups.get(default.name, []) if default and default.bare else []

    def _first_default(self) -> Step | None:
        """The first target of the first default chain that has any; a mapping there is of no use for this."""
        return next((s[0] for source, s in self.routing.tables["general"].entries if source == "*" and s), None)

    # --- which name is tried next -------------------------------------------------------------------------------------

    def ask(self, name: str) -> list[IndexedDeployment]:
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

    def _visit(self, name: str, depth: int, open_visits: list[_Visit]) -> list[IndexedDeployment]:
        """The living deployments of a name. Without any, its chain is added to `open_visits`."""
        found = self.resolve(name)
        alive = [m for m in found if m.key not in self.down]
        if alive:
            return alive
        fault: FallbackKind = next((k for m in found if (k := self.down[m.key]) != "general"), "general")
        self.hops.setdefault(name, Hop(name, found[0].group if found else "", _describe_fault(found, fault)))
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
        """The next name to try in an open chain; None at its end."""
        for step in visit.steps:
            if step.bare and step.name == visit.name:
                self.looped = self.looped or visit.name
                continue
            if self.rules.skips_tried:
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
        """Whether the request asks for an alias to a list: 1.77 fails at it before it looks for fallbacks."""
        listed = name in self.routing.aliases and not alias_target(self.routing.aliases[name])
        return self.rules.list_alias_is_fatal and name == self.first and listed

    def chain(self, name: str, fault: FallbackKind) -> tuple[Step, ...] | None:
        """The chain that the router follows; None when there is none (an empty chain is another case)."""
        asked = dict.fromkeys((name, self.first) if self.rules.skips_tried else (name,))
        kind: FallbackKind = fault if fault in self.routing.own else "general"
        table = self.routing.tables[kind]
        exactly = kind != "general" and not self.rules.all_tables_match_loosely
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
        """The name without its provider: `openai/gpt-4` uses the chain of `gpt-4` if it has none of its own."""
        provider, slash, _ = name.partition("/")
        return name.replace(f"{provider}/", "") if slash and provider in self.index.providers else None


def _describe_fault(found: list[IndexedDeployment], fault: FallbackKind) -> str:
    if not found:
        return "no model group has this name"
    if fault == "context window":
        return "the prompt is too long for it"
    if fault == "content policy":
        return "its content policy refuses the request"
    return "down" if len(found) == 1 else f"all {len(found)} deployments are down"


def _specificity(regex: str) -> tuple[int, int]:
    return len(regex), sum(regex.count(sign) for sign in "*+?\\^$|()")
