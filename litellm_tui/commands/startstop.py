"""`litellm-tui start` and `stop`: the order alone, asked about first. `restart` is the one that proves itself.

Exit status: 0 carried out, or already so; 2 refused, nothing was changed; 64 a wrong command line.
"""

from __future__ import annotations

import asyncio
import sys

from litellm_tui import services
from litellm_tui.actions.startstop import Half, carry_out
from litellm_tui.actions.transaction.record import Desk
from litellm_tui.collectors.logline import clean
from litellm_tui.commands.ordering import agreed, order, unit_of
from litellm_tui.profile import Options, may_change, resolve
from litellm_tui.settings import load_settings
from litellm_tui.snapshot import Failure

REFUSED = 2


def run(options: Options, verb: Half, yes: bool = False) -> int:
    """Start or stop the service and say what came of it."""
    profile = resolve(options, load_settings())
    may_change(profile, verb)
    unit = unit_of(profile, verb)
    found = asyncio.run(services.look(profile))
    if not isinstance(found, Failure) and found.active_state == {"start": "active", "stop": "inactive"}[verb]:
        print(f"{unit} is {found.active_state} ({found.sub_state}): nothing to {verb}")
        return 0
    if not yes and not agreed(profile, f"{verb.capitalize()} {unit} ({profile.address})", verb):
        print("nothing was changed")
        return REFUSED
    refused = asyncio.run(carry_out(Desk.of(profile), order(profile, verb)))
    if refused:
        print(f"refused: {clean(refused)}", file=sys.stderr)
        return REFUSED
    print(f"{unit}: {'started; litellm-tui check says when it serves' if verb == 'start' else 'stopped'}")
    return 0
