"""`litellm-tui apply FILE`: this configuration in place of the present one, audited and rehearsed first, with proof.

Exit status: 0 applied, 1 rolled back, 2 refused before anything was changed, 3 failed and not rolled back, 64 a wrong
command line, 66 no such file. With --rehearse: 0 nothing is against it, 2 refused.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import aclosing
from typing import Any, Final

import msgspec

from litellm_tui.actions.apply_file import MOST_BYTES, FileChange, candidate
from litellm_tui.actions.rehearse.run import Wish, rehearse
from litellm_tui.actions.transaction.events import STATUS, Outcome
from litellm_tui.actions.transaction.record import RestartLock
from litellm_tui.actions.transaction.rehearsal import Rehearse
from litellm_tui.analysis.change.difference import compare_files
from litellm_tui.analysis.phrases import count
from litellm_tui.collectors.config import config_file
from litellm_tui.commands.gateway_observer import looking
from litellm_tui.commands.look import history_of
from litellm_tui.commands.restart import ending, plain, step_line
from litellm_tui.commands.service_order import agreed, order, unit_of
from litellm_tui.host.bounded import read_bytes
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.monitor.comparison import SIGNS, environment
from litellm_tui.storage.backups import Backups
from litellm_tui.target.profile import Options, Profile, may_change
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import SettingsError, load_settings

EX_NOINPUT: Final = 66
_MOST_CHANGES: Final = 40


def run(
    options: Options,
    file: str,
    only_rehearse: bool = False,
    rehearsal: bool = True,
    force: bool = False,
    yes: bool = False,
    json: bool = False,
) -> int:
    """Apply it, and say by the exit status what came of it."""
    settings = load_settings()
    profile = resolve(options, settings)
    may_change(profile, "apply")
    unit_of(profile, "apply")
    if profile.config is None:
        raise SettingsError("apply: no configuration file was found; name it with --config")
    try:
        content = given(file)
    except OSError as error:
        print(f"litellm-tui: {file}: {error.strerror or error}", file=sys.stderr)
        return EX_NOINPUT
    if not yes and not only_rehearse:
        if not json:
            _show(profile, content)
        if not agreed(profile, f"Put this in place of {profile.config.value}, and restart", "apply"):
            print("nothing was changed")
            return STATUS["refused"]
    silenced = dict(settings.audit.ignore)
    done = asyncio.run(
        _told(profile, content, silenced, only_rehearse=only_rehearse, rehearsal=rehearsal, force=force, json=json)
    )
    if json:
        print(msgspec.json.format(msgspec.json.encode(done.document), indent=2).decode())
    return done.status


def given(file: str) -> bytes:
    """The content of the file, or of stdin for `-`. Raises OSError, also for one that is empty or too large."""
    content = sys.stdin.buffer.read(MOST_BYTES + 1) if file == "-" else read_bytes(os.path.expanduser(file), MOST_BYTES)
    if len(content) > MOST_BYTES:
        raise OSError(f"it is larger than {MOST_BYTES:,} bytes")
    if not content.strip():
        raise OSError("it is empty")
    return content


def can_rehearse(profile: Profile) -> bool:
    """Whether there is something to start: the simulated machine has nothing."""
    return profile.tools.booted_at is None


class _Done(msgspec.Struct, frozen=True):
    status: int
    document: dict[str, Any]


async def _told(
    profile: Profile,
    content: bytes,
    silenced: dict[str, str],
    *,
    only_rehearse: bool,
    rehearsal: bool,
    force: bool,
    json: bool,
) -> _Done:
    unit = profile.unit.value if profile.unit else ""
    history = history_of(profile)
    history.load()

    def rehearsing(path: str) -> Rehearse:
        return lambda seen, tell: rehearse(profile, Wish(path), seen, tell)

    able = rehearsal and can_rehearse(profile)
    outcome: Outcome | None = None
    async with looking(profile, history) as observer:
        change = FileChange(
            profile, content, observer, order(profile, "restart"), RestartLock.of(profile),
            Backups(profile.url.value, unit), rehearsing=rehearsing if able else None, force=force, silenced=silenced,
        )  # fmt: skip
        async with aclosing(change.try_out() if only_rehearse else change.apply()) as events:
            async for event in events:
                if isinstance(event, Outcome):
                    outcome = event
                elif not json and event.took is not None:
                    for line in (step_line(event), *(f"        {note}" for note in event.notes)):
                        print(plain(line), flush=True)
    if outcome is None:
        done = change.rehearsal.done
        told = "not rehearsed" if done is None else done.outcome
        text = f"not rehearsed: {done.cause}" if done is not None and done.outcome == "not possible" else told
        if not json:
            print(plain(f"nothing is against it ({text}); nothing was changed"))
        return _Done(0, {"exit_status": 0, "result": "tried out", "text": text})
    if not json:
        for line in ending(outcome):
            print(plain(line))
    status = STATUS[outcome.result]
    return _Done(status, {"exit_status": status, **msgspec.to_builtins(outcome)})


def _show(profile: Profile, content: bytes) -> None:
    """What it would change, without secrets."""
    assert profile.config is not None
    now, then = config_file.load(profile.config.value, environment(profile)), candidate(profile, content)
    if not isinstance(now, ConfigFile) or not isinstance(then, ConfigFile):
        print(plain(f"the two files cannot be compared: {then if isinstance(now, ConfigFile) else now}"))
        return
    changes = compare_files(now, then)
    for change in changes[:_MOST_CHANGES]:
        print(plain(f"{SIGNS[change.kind]} {change.what} {change.words}"))
    print(plain(count(len(changes), "difference")))
