"""What runs LiteLLM on this machine, and what was looked for: the result of a search for every kind."""

from __future__ import annotations

import msgspec

from litellm_tui.model.found import Missing
from litellm_tui.model.service import ServicePlace, Unit
from litellm_tui.model.service_kinds import KindName, Scope, ServiceSettings


class DiscoveredGateway(msgspec.Struct, frozen=True):
    """One service that runs LiteLLM. `why` says in the words of its kind how that is known.

    `place` is what stands in parentheses behind its name. `settings` is None for a unit of systemd. `identity` names it
    from one search to the next.
    """

    kind: KindName
    place: ServicePlace
    unit: Unit
    why: str
    identity: str
    scope: Scope | None = None
    settings: ServiceSettings | None = None
    missing: tuple[Missing, ...] = ()

    @property
    def name(self) -> str:
        """The name by which it is operated."""
        return self.unit.name

    @property
    def active(self) -> bool:
        """Whether it runs."""
        return self.unit.active

    def __str__(self) -> str:
        # a Compose service's name says little without its project, a Deployment's without its namespace
        name = self.identity.rpartition(" ")[2] if self.kind in ("compose", "kubernetes") else self.unit.name
        return f"{name} ({self.place})"


class Searched(msgspec.Struct, frozen=True):
    """One kind that was looked for: what, what came of it, and what would let more be seen; in that kind's words.

    With `blocked` there may be something that this user may not see.
    """

    kind: KindName
    what: str
    result: str
    mend: str = ""
    blocked: bool = False


class Discovery(msgspec.Struct, frozen=True):
    """All gateways of this machine in the order of preference, those that run first, and all that was looked for."""

    gateways: tuple[DiscoveredGateway, ...] = ()
    searched: tuple[Searched, ...] = ()

    def named(self, identity: str | None) -> DiscoveredGateway | None:
        """The gateway of this identity."""
        return next((one for one in self.gateways if one.identity == identity), None)

    @property
    def running(self) -> tuple[DiscoveredGateway, ...]:
        """Those that run."""
        return tuple(one for one in self.gateways if one.active)
