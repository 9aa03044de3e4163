"""What all observers have in common: asking groups, and the last words of the service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Final

from litellm_tui.actions.probe import probe
from litellm_tui.logs.store import LogStore
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.probe import ProbeResult
from litellm_tui.target.profile import Profile

# of the log, when a restart fails: looked through, and handed on
_LOOKED_THROUGH: Final = 400
_RECORDS: Final = 60


async def ask(
    profile: Profile,
    loaded: Iterable[LoadedDeployment],
    groups: Sequence[str],
    redact: Callable[[str], str],
    take: Callable[[ProbeResult], None],
) -> None:
    """A real request to each loaded deployment of these groups; what came of it is given to `take`."""
    wanted = [deployment for deployment in loaded if deployment.group in groups]
    async with aclosing(probe(profile, wanted, redact=redact)) as events:
        async for event in events:
            if isinstance(event, ProbeResult):
                take(event)


def said_since(store: LogStore, moment: float) -> tuple[str, ...]:
    """The last records of the service since then."""
    found = [r.text for r in store.since(store.last - _LOOKED_THROUGH) if r.time >= moment and not r.own]
    return tuple(found[-_RECORDS:])
