"""Starting and stopping the service by hand; never while a restart of it is under way or waits to be ended."""

from __future__ import annotations

import asyncio
from typing import Literal

from litellm_tui.actions.transaction.events import Order
from litellm_tui.actions.transaction.messages import told
from litellm_tui.actions.transaction.record import Holder, Record, RestartLock, under_way
from litellm_tui.model.service import Service
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Profile

Half = Literal["start", "stop"]


def wanted(service: Service | None) -> Half:
    """Which of the two makes sense now: what is up, or is being started again and again, can be stopped."""
    up = service is not None and service.active_state in ("active", "activating", "reloading", "refreshing")
    return "stop" if up else "start"


async def carry_out(lock: RestartLock, order: Order) -> str:
    """Give the order under the gateway's lock; empty when it was carried out, else why not."""
    taken = await asyncio.to_thread(lock.take)
    if isinstance(taken, Holder):
        return under_way(taken)
    if taken is not None:
        return taken.why
    try:
        unfinished = await asyncio.to_thread(lock.unfinished)
        if isinstance(unfinished, Record):
            return f"{told(unfinished)}; end that first: R in the console, or litellm-tui restart --finish or --undo"
        refused = await order()
        return refused.why if refused else ""
    finally:
        lock.release()


def question(profile: Profile, verb: Half, in_flight: float | None) -> str:
    """What the order does, in words, before it is given."""
    unit = f"{profile.unit.value} ({profile.place})" if profile.unit else "the service"
    if verb == "start":
        return f"Start {unit} with the configuration that is on the disk. It answers after some 5 to 30 s."
    flight = "how many are in flight is not known" if in_flight is None else f"{int(in_flight)} are in flight now"
    alone = driver(profile.service_target).wording.stays_stopped
    gone = f"nothing answers on {profile.address} until it is started again{alone}"
    return f"Stop {unit}: {gone}. Requests in flight are cut off; {flight}."
