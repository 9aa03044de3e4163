"""`litellm-tui start` and `stop`: the order alone, asked about first. `restart` is the one that proves itself.

Exit status: 0 carried out, or already so; 2 refused, nothing was changed; 64 a wrong command line.
"""

from __future__ import annotations

import asyncio
import sys

from litellm_tui.actions.startstop import Half, carry_out
from litellm_tui.actions.transaction.record import RestartLock
from litellm_tui.commands.service_order import agreed, order, unit_of
from litellm_tui.logs.log_line import clean
from litellm_tui.model.failures import Failure
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Options, may_change
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import load_settings

REFUSED = 2


def run(options: Options, verb: Half, yes: bool = False) -> int:
    """Start or stop the service and say what came of it."""
    profile = resolve(options, load_settings())
    may_change(profile, verb)
    unit = unit_of(profile, verb)
    found = asyncio.run(driver(profile.service_target).look())
    if not isinstance(found, Failure) and found.active_state == {"start": "active", "stop": "inactive"}[verb]:
        print(f"{unit} is {found.active_state} ({found.sub_state}): nothing to {verb}")
        return 0
    if not yes and not agreed(profile, f"{verb.capitalize()} {unit} ({profile.address})", verb):
        print("nothing was changed")
        return REFUSED
    refused = asyncio.run(carry_out(RestartLock.of(profile), order(profile, verb)))
    if refused:
        print(f"refused: {clean(refused)}", file=sys.stderr)
        return REFUSED
    print(f"{unit}: {'started; litellm-tui check says when it serves' if verb == 'start' else 'stopped'}")
    return 0
