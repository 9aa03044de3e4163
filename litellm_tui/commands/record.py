"""`litellm-tui record`: the console's monitor without a screen, which records what it sees until it is ended.

Exit status: 0 on SIGTERM, SIGHUP and SIGINT; with --install and --uninstall 0 when it is done, 2 when it was refused or
nothing was changed, 3 when systemd failed at it; 64 a wrong command line.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final, Literal

from litellm_tui.commands.one_of_several import say_which
from litellm_tui.commands.record_outlets import Outlets
from litellm_tui.commands.until_ended import ended_by_signals, until_ended
from litellm_tui.logs.log_line import clean
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import load_settings
from litellm_tui.ui.session import Session
from litellm_tui.ui.view import Notation

# a thing that changes slowly is looked at as often
_LOOK_SECONDS: Final = 5.0
# how often all that is known is judged: onsets and ends are known by their evidence
PUBLISH_SECONDS: Final = 2.0


def run(
    options: Options,
    way: Literal["", "install", "uninstall"] = "",
    yes: bool = False,
    listen: str = "",
    anywhere: bool = False,
) -> int:
    """Record until told to end; or install what does that, or remove it."""
    settings = load_settings()
    outlets = Outlets(settings.notify, listen, anywhere=anywhere)
    if way:
        from litellm_tui.commands.record_unit import install, uninstall

        return install(options, yes=yes, outlets=outlets) if way == "install" else uninstall(options, yes=yes)
    return asyncio.run(_record(say_which(resolve(options, settings)), outlets))


async def _record(profile: Profile, outlets: Outlets) -> int:
    ended = ended_by_signals()
    session = Session(profile, Notation(), records=True, publish=PUBLISH_SECONDS)
    outlets.join(session, _say)
    for failure in await session.open():
        _say(failure)
    outlets.serve(session.profile or profile, _say)
    _say(f"records {profile.address} in {session.record_path}")
    try:
        await until_ended(session, ended, session.run(outlets.take, warn=_say), _tell(session))
    finally:
        outlets.stop()
    return 0


async def _tell(session: Session) -> None:
    """Say in the journal when something is different: who writes, and why nothing can be written."""
    told = ""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if (now := session.record_words) != told:
            _say(now or "records again")
            told = now


def _say(text: str) -> None:
    print(f"litellm-tui: {clean(text)}", file=sys.stderr, flush=True)
