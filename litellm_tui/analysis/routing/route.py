"""Predicts the route of a request without asking the router, and why it ends without an answer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from litellm_tui.analysis.routing.router_simulation import (
    RULES_1_106,
    DeploymentIndex,
    Hop,
    RequestSimulation,
    RouterRules,
)
from litellm_tui.analysis.routing.table import FallbackKind, Routing, alias_target

UnansweredCause = Literal[
    "", "no such group", "no fallback", "alias trap", "other kind", "hop limit", "cycle", "ghost", "all down",
    "seen to fail",
]  # fmt: skip


class _EveryDeployment(dict[str, FallbackKind]):
    """Every deployment is down."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> FallbackKind:
        return "general"


_ALL_DOWN: Final = _EveryDeployment()
FAR: Final = 25
"""How many names beyond the hop limit are searched for."""


class Route(msgspec.Struct, frozen=True):
    """The end of a request for `name`: the group `served_by` (deployments `members`) answers, or None with a `cause`.

    `hops` are the names tried without an answer, in order, each once; `reason` explains the cause.
    """

    name: str
    kind: FallbackKind
    served_by: str | None
    hops: tuple[Hop, ...] = ()
    members: tuple[str, ...] = ()
    cause: UnansweredCause = ""
    reason: str = ""


def predict_route(
    routing: Routing,
    index: DeploymentIndex,
    down: Mapping[str, FallbackKind],
    name: str,
    kind: FallbackKind = "general",
    rules: RouterRules = RULES_1_106,
) -> Route:
    """The route of a request for `name` while the deployments in `down` (key to kind of failure) do not answer.

    With a `kind` other than general, the requested group refuses the request itself, as too long or against a policy.
    A group with one living deployment answers: LiteLLM cools the others down.
    """
    simulation = RequestSimulation(routing, index, down, name, rules)
    if kind != "general":
        simulation.down = {**down, **dict.fromkeys((m.key for m in simulation.resolve(name)), kind)}
    served = simulation.ask(name)
    if served:
        return Route(name, kind, served[0].group, tuple(simulation.hops.values()), tuple(m.key for m in served))
    cause, reason = _why_unanswered(simulation)
    return Route(name, kind, None, tuple(simulation.hops.values()), cause=cause, reason=reason)


def never_asked(
    routing: Routing, index: DeploymentIndex, name: str, rules: RouterRules = RULES_1_106, most: int = FAR
) -> tuple[str, ...]:
    """The names that are never tried for `name` because of the hop limit, even with everything before them down.

    At most `most` of them are searched for, which is enough for a message.
    """
    simulation = RequestSimulation(routing, index, _ALL_DOWN, name, rules)
    simulation.ask(name)
    if not simulation.cuts:
        return ()
    free = RequestSimulation(routing, index, _ALL_DOWN, name, rules._replace(skips_tried=True))
    free.limit, free.most = sys.maxsize, len(simulation.hops) + most
    free.ask(name)
    return tuple(other for other in free.hops if other not in simulation.hops)[:most]


def _why_unanswered(simulation: RequestSimulation) -> tuple[UnansweredCause, str]:
    """The cause of a request without an answer, and its text."""
    name, others = simulation.first, [hop for hop in simulation.hops.values() if hop.name != simulation.first]
    first = simulation.hops[name]
    fault: FallbackKind = next(
        (simulation.down[m.key] for m in simulation.resolve(name) if m.key in simulation.down), "general"
    )
    if not others:
        return _without_chain(simulation, name, first, fault)
    # a cut chain matters only for names that no other chain reached
    lost = {
        other: [step.name for step in chain if step.name not in simulation.hops]
        for other, chain in simulation.cuts.items()
    }
    if cut := next((other for other, names in lost.items() if names), None):
        return "hop limit", f"cut off after {simulation.limit} hops, at {cut}: {_listed(lost[cut])} never asked"
    if all(not hop.group for hop in others):
        return "ghost", f"{_listed([hop.name for hop in others])}: no such model group"
    if _leads_back(simulation, others):
        return "cycle", f"{_listed([hop.name for hop in others])}: down, and the chain leads back to {name}"
    return "all down", f"all {len(others)} it falls back to fail: {_listed([hop.name for hop in others])}"


def _without_chain(
    simulation: RequestSimulation, name: str, first: Hop, fault: FallbackKind
) -> tuple[UnansweredCause, str]:
    if not first.group:
        return "no such group", first.why
    if simulation.chain(name, fault) and simulation.looped:
        return "cycle", f"{name} falls back to itself"
    if name in simulation.cuts:
        return "hop limit", f"no hop is allowed (max_fallbacks {simulation.limit})"
    target = alias_target(simulation.routing.aliases.get(name))
    if target and simulation.chain(target, fault):
        return "alias trap", f"{name} is an alias: it does not get the fallbacks of {target}"
    if fault != "general" and fault in simulation.routing.own:
        return "other kind", f"{fault} fallbacks are set, none for {name}: the general ones are not used"
    return "no fallback", "nothing is configured to take over"


def _leads_back(simulation: RequestSimulation, others: list[Hop]) -> bool:
    return any(step.name == simulation.first for hop in others for step in simulation.chain(hop.name, "general") or ())


def _listed(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
