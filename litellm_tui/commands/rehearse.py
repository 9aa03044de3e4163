"""`litellm-tui rehearse`: the configuration started for real on a spare port, beside the gateway that serves.

Exit status: 0 it starts and is proved, 1 it is refused, 2 it could not be rehearsed or not be judged in time, 64 a
wrong command line, 130 interrupted (what was started is ended all the same).
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from typing import Final

import msgspec

from litellm_tui.actions.rehearse.messages import headline, rehearsal_lines
from litellm_tui.actions.rehearse.run import Wish, rehearse
from litellm_tui.actions.upgrade.run import release_to_rehearse
from litellm_tui.commands.gateway_observer import looking
from litellm_tui.commands.look import history_of
from litellm_tui.commands.service_order import agreed, unit_of
from litellm_tui.logs.log_line import clean
from litellm_tui.model.failures import Failure
from litellm_tui.model.rehearsal import Rehearsal, RehearsalOutcome
from litellm_tui.target.profile import Options, Profile, may_change
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import SettingsError, load_settings

STATUS: Final[dict[RehearsalOutcome, int]] = {"passed": 0, "refused": 1, "not judged": 2, "not possible": 2}


def run(
    options: Options,
    file: str | None = None,
    program: str = "",
    probes: list[str] | None = None,
    database: bool = False,
    yes: bool = False,
    json: bool = False,
) -> int:
    """Rehearse, and say by the exit status what came of it."""
    profile = resolve(options, load_settings())
    may_change(profile, "rehearse")
    unit_of(profile, "rehearse")
    if database and not yes and not agreed(profile, _OF_DATABASE, "rehearse"):
        print("nothing was started")
        return STATUS["not possible"]
    path = os.path.abspath(os.path.expanduser(file)) if file else None
    release = program if profile.kind != "docker" and _RELEASE.fullmatch(program) else ""
    given = "" if release else program if profile.kind in ("docker", "compose") else program_of(program)
    wish = Wish(path, given, tuple(probes or ()), database)
    done = asyncio.run(_rehearsed(profile, wish, release, quiet=json))
    if json:
        document = {"exit_status": STATUS[done.outcome], **msgspec.to_builtins(done)}
        print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
    else:
        for line in (headline(done), *rehearsal_lines(done)):
            print(_plain(line))
    return STATUS[done.outcome]


# what an index calls a release: a path or an image that looks like one is written with a slash or a colon
_RELEASE: Final = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){1,3}[a-z0-9.+-]{0,20}")
_OF_DATABASE: Final = "Rehearse with the database, whose tables LiteLLM migrates at its start (that cannot be undone)"


def program_of(given: str) -> str:
    """The `litellm` script of an environment, or itself. Raises `SettingsError` where there is none."""
    if not given:
        return ""
    path = os.path.abspath(os.path.expanduser(given))
    found = os.path.join(path, "bin", "litellm") if os.path.isdir(path) else path
    if os.sep not in given or not os.access(found, os.X_OK):
        raise SettingsError(
            f"rehearse: --with {given}: there is no program {found}; it takes a release, the path of an environment or "
            "that of a litellm script"
        )
    return found


async def _rehearsed(profile: Profile, wish: Wish, release: str = "", *, quiet: bool) -> Rehearsal:
    told = ""

    def tell(text: str) -> None:
        nonlocal told
        if not quiet and text and text != told:
            told = text
            print(_plain(f"      {text}"), flush=True)

    history = history_of(profile)
    history.load()
    async with looking(profile, history) as observer:
        if release:
            tell(f"making LiteLLM {release} ready beside the one that runs")
            ready = await release_to_rehearse(profile, observer.seen(), release)
            if isinstance(ready, Failure):
                return Rehearsal("not possible", ready.why)
            tell(ready.told)
            wish = msgspec.structs.replace(wish, program=ready.program)
        return await rehearse(profile, wish, observer.seen, tell)


def _plain(line: str) -> str:
    shown = clean(line)
    utf = "utf" in (sys.stdout.encoding or "").lower()
    return shown if utf else shown.encode("ascii", "replace").decode()
