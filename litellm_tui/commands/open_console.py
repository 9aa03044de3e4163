"""Opens the console on a profile: what `litellm-tui` and `litellm-tui demo` have in common."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from litellm_tui.host.terminal_background import BackgroundQuestion
from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import AUTO, Settings

if TYPE_CHECKING:
    from litellm_tui.ui.tour import Step

SWITCH_SECONDS: Final = 0.001
# browser/driver.py, by which `litellm-tui serve` opens the console without a terminal
BROWSER_DRIVER: Final = "litellm_tui.browser.driver:BrowserDriver"


def open_console(
    profile: Callable[[], Profile] | Profile,
    settings: Settings,
    title: str = "",
    *,
    memory: bool = True,
    tour: Sequence[Step] = (),
) -> int:
    """Run the console on a profile, or on one that is still being sought; `title` stands first in the header.

    Where the operator chooses another gateway in it, that one is opened next. A guide tells the steps of a `tour`.
    """
    in_browser = os.environ.get("TEXTUAL_DRIVER") == BROWSER_DRIVER
    if not in_browser and not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("litellm-tui: the console needs a terminal on stdin and stdout", file=sys.stderr)
        return 64
    question, typed = None, b""
    if settings.theme == AUTO and not in_browser:
        # the terminal answers while Textual is imported
        question = BackgroundQuestion(sys.stdin.fileno(), sys.stdout.fileno(), os.environ)
    # what is imported stays: it need not be searched for garbage, neither now nor later
    gc.disable()
    try:
        from litellm_tui.ui.app import Console

        if question is not None:
            if ground := question.answer():
                settings = msgspec.structs.replace(settings, theme=ground)
            typed = question.typed
            if question.is_owed:
                from litellm_tui.ui.textual_internals import answers_are_no_keys

                answers_are_no_keys()
    finally:
        if question is not None:
            question.leave()
    gc.freeze()
    gc.enable()
    # the thread that takes in a flood gives the interpreter back after so many seconds: a key asks for it several times
    sys.setswitchinterval(SWITCH_SECONDS)
    wanted: Callable[[], Profile] | Profile | None = profile
    status = 0
    while wanted is not None:
        if tour:
            from litellm_tui.ui.tour import TourConsole

            app: Console = TourConsole(tour, wanted, settings, title)
        else:
            app = Console(wanted, settings, title, memory=memory, typed=typed)
            typed = b""
        result = app.run(mouse=settings.mouse)
        status = result if result is not None else app.return_code or 0
        wanted = app.reopen
    return status
