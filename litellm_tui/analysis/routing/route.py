"""Where a request goes, foretold without asking the router; and, where nobody answers, why."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from litellm_tui.analysis.routing.router_simulation import NEWER, Fleet, Hop, Rules, Walk
from litellm_tui.analysis.routing.table import Kind, Routing, alias_target

Cause = Literal[
    "", "no such group", "no fallback", "alias trap", "other kind", "hop limit", "cycle", "ghost", "all down"
]


class _Everything(dict[str, Kind]):
    """Every deployment is down."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> Kind:
        return "general"


_EVERYTHING: Final = _Everything()
FAR: Final = 25
"""So many names beyond the hop limit are looked for."""


class Route(msgspec.Struct, frozen=True):
    """Where a request for `name` ends: `served_by` a group (one of the deployments `members`), or None for a `cause`.

    `hops` are those that were left, in order, each name once; `reason` is the cause in words.
    """

    name: str
    kind: Kind
    served_by: str | None
    hops: tuple[Hop, ...] = ()
    members: tuple[str, ...] = ()
    cause: Cause = ""
    reason: str = ""


def predict(
    routing: Routing,
    fleet: Fleet,
    down: Mapping[str, Kind],
    name: str,
    kind: Kind = "general",
    rules: Rules = NEWER,
) -> Route:
    """Where a request for `name` goes while the members in `down` (key to how they fail) answer nothing.

    With a `kind` other than general the request itself is refused by the group asked for, too long or against a
    policy. A group with one living member serves: LiteLLM cools the others down.
    """
    walk = Walk(routing, fleet, down, name, rules)
    if kind != "general":
        walk.down = {**down, **dict.fromkeys((m.key for m in walk.resolve(name)), kind)}
    served = walk.ask(name)
    if served:
        return Route(name, kind, served[0].group, tuple(walk.hops.values()), tuple(m.key for m in served))
    cause, reason = _verdict(walk)
    return Route(name, kind, None, tuple(walk.hops.values()), cause=cause, reason=reason)


def never_asked(routing: Routing, fleet: Fleet, name: str, rules: Rules = NEWER, most: int = FAR) -> tuple[str, ...]:
    """The names that the hop limit keeps from ever being tried for `name`, even with everything before them down.

    At most `most` of them are looked for: of a long chain that is enough to tell.
    """
    walk = Walk(routing, fleet, _EVERYTHING, name, rules)
    walk.ask(name)
    if not walk.cuts:
        return ()
    free = Walk(routing, fleet, _EVERYTHING, name, rules._replace(remembers=True))
    free.limit, free.most = sys.maxsize, len(walk.hops) + most
    free.ask(name)
    return tuple(other for other in free.hops if other not in walk.hops)[:most]


def _verdict(walk: Walk) -> tuple[Cause, str]:
    """The cause for the group asked for, and the same in words."""
    name, others = walk.first, [hop for hop in walk.hops.values() if hop.name != walk.first]
    first = walk.hops[name]
    fault: Kind = next((walk.down[m.key] for m in walk.resolve(name) if m.key in walk.down), "general")
    if not others:
        return _without_chain(walk, name, first, fault)
    # a chain that was cut off matters only by whom no other way led to
    lost = {other: [step.name for step in chain if step.name not in walk.hops] for other, chain in walk.cuts.items()}
    if cut := next((other for other, names in lost.items() if names), None):
        return "hop limit", f"cut off after {walk.limit} hops, at {cut}: {_list(lost[cut])} never asked"
    if all(not hop.group for hop in others):
        return "ghost", f"{_list([hop.name for hop in others])}: no such model group"
    if _leads_back(walk, others):
        return "cycle", f"{_list([hop.name for hop in others])}: down, and the chain leads back to {name}"
    return "all down", f"all {len(others)} it falls back to fail: {_list([hop.name for hop in others])}"


def _without_chain(walk: Walk, name: str, first: Hop, fault: Kind) -> tuple[Cause, str]:
    if not first.group:
        return "no such group", first.why
    if walk.chain(name, fault) and walk.looped:
        return "cycle", f"{name} falls back to itself"
    if name in walk.cuts:
        return "hop limit", f"no hop is allowed (max_fallbacks {walk.limit})"
    target = alias_target(walk.routing.aliases.get(name))
    if target and walk.chain(target, fault):
        return "alias trap", f"{name} is an alias: it does not get the fallbacks of {target}"
    if fault != "general" and fault in walk.routing.own:
        return "other kind", f"{fault} fallbacks are set, none for {name}: the general ones are not used"
    return "no fallback", "nothing is configured to take over"


def _leads_back(walk: Walk, others: list[Hop]) -> bool:
    return any(step.name == walk.first for hop in others for step in walk.chain(hop.name, "general") or ())


def _list(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
