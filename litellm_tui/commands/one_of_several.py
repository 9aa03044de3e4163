"""Says on stderr which gateway a command looks at, where nothing has said which one is meant, or none was found."""

from __future__ import annotations

import sys

from litellm_tui.logs.log_line import clean
from litellm_tui.target.choice import option_for
from litellm_tui.target.profile import Profile


def say_which(profile: Profile) -> Profile:
    """The same profile. Writes one line, which is in the way of no JSON."""
    if profile.undecided and profile.discovery is not None:
        runs = profile.discovery.running
        meant = profile.discovery.named(profile.gateway)
        others = ", ".join(f"{one} [{option_for(one)}]" for one in runs if one is not meant)
        _say(f"of {len(runs)} gateways that run here this is {meant}; the others: {others}")
    elif profile.found_nothing:
        _say(f"no gateway was found here, so LiteLLM's own address {profile.address} is asked; litellm-tui where says "
             "what was looked for, --url names one elsewhere")  # fmt: skip
    return profile


def _say(text: str) -> None:
    print(f"litellm-tui: {clean(text)}", file=sys.stderr)
