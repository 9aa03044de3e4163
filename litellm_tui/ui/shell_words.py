"""The command that tells the same in a shell, for what is copied."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from litellm_tui.target.profile import Profile


def gateway_options(profile: Profile) -> list[str]:
    """The options that lead to the same gateway: its profile, or what was found of it. A key is never among them."""
    if profile.name != "discovered":
        return ["--profile", profile.name]
    options = ["--url", profile.url.value]
    if profile.config is not None:
        options += ["--config", profile.config.value]
    if profile.unit is not None:
        options += ["--unit", profile.unit.value]
        options += [f"--{profile.scope}"] if profile.kind == "systemd" else ["--kind", profile.kind]
    return options


def shell_line(profile: Profile, words: Sequence[str]) -> str:
    """`litellm-tui` with these words on this gateway, quoted for a shell; empty for no words, and in the simulation,
    which no command of a shell finds.
    """
    if not words or profile.simulated:
        return ""
    options = gateway_options(profile) if words[0] != "fleet" else []
    return shlex.join(["litellm-tui", *words, *options])
