"""`litellm-tui demo`: the console on a simulated gateway, for a machine that has none."""

from __future__ import annotations

import time

import msgspec

from litellm_tui.target.profile import Options
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import AuditSettings, SettingsError, load_settings


def run(options: Options, plain: bool = False) -> int:
    """Start the simulation, open the console on it, and leave nothing behind."""
    if options != Options():
        raise SettingsError("demo: takes no options that choose a gateway, it brings its own")
    from litellm_tui.commands.open_console import open_console
    from litellm_tui.demo import Simulation
    from litellm_tui.demo.past import Past

    # how it looks and which keys it has, and nothing of the person's gateways
    settings = msgspec.structs.replace(load_settings(), profile=None, profiles={}, notify=None, audit=AuditSettings())
    with Simulation() as simulation:
        # nothing of the person's own environment may lead away from the simulation
        profile = resolve(Options(unit=simulation.unit, scope="user"), settings, tools=simulation.tools, environ={})
        profile = msgspec.structs.replace(profile, past=Past(time.time()))
        if plain:
            from litellm_tui.commands.plain import plain_console

            return plain_console(profile, settings, "SIMULATION", memory=False)
        return open_console(profile, settings, title="SIMULATION", memory=False)
