"""Opens the console on a profile: what `litellm-tui` and `litellm-tui demo` have in common."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Final

from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import Settings

SWITCH_SECONDS: Final = 0.001


def open_console(
    profile: Callable[[], Profile] | Profile, settings: Settings, title: str = "", *, memory: bool = True
) -> int:
    """Run the console on a profile, or on one that is still being sought; `title` stands first in the header."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        print("litellm-tui: the console needs a terminal on stdin and stdout", file=sys.stderr)
        return 64
    # what is imported stays: it need not be searched for garbage, neither now nor later
    gc.disable()
    from litellm_tui.ui.app import Console

    gc.freeze()
    gc.enable()
    # the thread that takes in a flood gives the interpreter back after so many seconds: a key asks for it several times
    sys.setswitchinterval(SWITCH_SECONDS)
    app = Console(profile, settings, title, memory=memory)
    result = app.run(mouse=settings.mouse)
    return result if result is not None else app.return_code or 0
