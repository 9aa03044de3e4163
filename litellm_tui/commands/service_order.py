"""Asking on a terminal before an order is given to the service, and giving it, with sudo where that helps."""

from __future__ import annotations

import asyncio
import sys

from litellm_tui.actions import control
from litellm_tui.actions.sudo import helps, order_with_sudo
from litellm_tui.actions.transaction.events import Order
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Verb
from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import SettingsError


def unit_of(profile: Profile, command: str) -> str:
    """The service's name. Raises `SettingsError` where none was found."""
    if profile.unit is None:
        why = next((f"{missing.why}; {missing.mend}" for missing in profile.missing if "service" in missing.what), "")
        raise SettingsError(f"{command}: no service was found: {why or 'see litellm-tui where'}")
    return profile.unit.value


def agreed(profile: Profile, what: str, command: str) -> bool:
    """Ask `what` on a terminal, in production by the unit's name. Raises `SettingsError` where nobody can be asked."""
    unit = unit_of(profile, command)
    if not sys.stdin.isatty():
        raise SettingsError(f"{command}: {unit} needs --yes where nobody can be asked")
    if profile.production:
        print(f"{what}, in production? Type {unit} to do it: ", end="", flush=True)
        return sys.stdin.readline().strip() == unit
    print(f"{what}? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def order(profile: Profile, verb: Verb) -> Order:
    """The order, through sudo where a right is missing and somebody is there to be asked for a password."""

    async def given() -> Failure | None:
        refused = await control.order(profile, verb)
        if helps(profile, refused) and sys.stdin.isatty() and sys.stdout.isatty():
            return None if await asyncio.to_thread(order_with_sudo, profile, verb) else refused
        return refused

    return given
