"""`litellm-tui fleet restart|apply|upgrade|resume|forget GROUP`: all members of a group, one after another.

Exit status as of `restart`: 0 applied on all, 1 one was rolled back (or the rest was left after others were applied),
2 refused before anything was changed, 3 one failed and was not rolled back, or what came of it is not known, 64 a wrong
command line, 66 no such file, 130 interrupted.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import Final

import msgspec

from litellm_tui.actions.fleet_change import FleetChanging
from litellm_tui.analysis.fleet.rows import fleet_of
from litellm_tui.analysis.phrases import count
from litellm_tui.commands.apply import EX_NOINPUT, given
from litellm_tui.commands.restart import plain
from litellm_tui.commands.status_document import FORMAT
from litellm_tui.model.failures import Failure
from litellm_tui.model.fleet import FleetRow, Member
from litellm_tui.model.fleet_change import FleetChange, FleetOrder, MemberChange
from litellm_tui.monitor.fleet_keys import members_of
from litellm_tui.monitor.fleet_members import look_once
from litellm_tui.storage.fleet_changes import FleetChanges
from litellm_tui.target.settings import Settings, SettingsError

REFUSED: Final = 2
_DIGITS: Final = 8
_ORDERS: Final[dict[str, FleetOrder]] = {"restart": "restart", "apply": "apply", "upgrade": "upgrade"}
_NAMES: Final = {"its turn": "TURN", "applied": "ok", "rehearsed": "ok", "waiting": "-"}


def run_change(
    settings: Settings,
    verb: str,
    group: str,
    file: str = "",
    version: str = "",
    json: bool = False,
    yes: bool = False,
    parallel: bool = False,
    rehearsal: bool = True,
    backed_up: bool = False,
) -> int:
    """Plan, ask and carry out; or go on with what was interrupted."""
    chosen = members_of(settings, group)
    if not chosen:
        raise SettingsError(f"fleet {verb}: no profile has group: {group}")
    held = [member.name for member in chosen if settings.profiles[member.name].read_only]
    if held and verb != "forget":
        raise SettingsError(f"fleet {verb}: {', '.join(held)}: read_only in the settings file, so nothing is changed")
    if not yes and verb != "forget" and not sys.stdin.isatty():
        raise SettingsError(f"fleet {verb}: {group} needs --yes where nobody can be asked")
    content: bytes | None = None
    if verb == "apply":
        try:
            content = given(file)
        except OSError as error:
            print(f"litellm-tui: {file}: {error.strerror or error}", file=sys.stderr)
            return EX_NOINPUT
    store = FleetChanges(group)
    if (busy := store.take()) is not None:
        return _refused(f"{group}: {busy.why}")
    try:
        command = _Command(settings, store, group, chosen, json=json, yes=yes)
        if verb == "resume":
            return command.resume()
        if verb == "forget":
            return command.forget()
        change = FleetChange(
            id=f"{verb}-{secrets.token_hex(8)}",
            order=_ORDERS[verb],
            group=group,
            members=tuple(MemberChange(member.name, member.ssh or "this machine") for member in chosen),
            began_at=time.time(),
            file=file,
            digest=hashlib.sha256(content).hexdigest()[:_DIGITS] if content is not None else "",
            version=version,
            parallel=parallel,
            rehearsal=rehearsal,
            backed_up=backed_up,
        )
        return command.begin(change, content)
    finally:
        store.release()


def _refused(text: str) -> int:
    print(f"litellm-tui: {plain(text)}", file=sys.stderr)
    return REFUSED


class _Command:
    def __init__(
        self, settings: Settings, store: FleetChanges, group: str, chosen: Sequence[Member], *, json: bool, yes: bool
    ) -> None:
        self._settings, self._store, self._group, self._chosen = settings, store, group, chosen
        self._json, self._yes = json, yes

    def begin(self, change: FleetChange, content: bytes | None) -> int:
        """A new one."""
        found = self._store.load()
        if isinstance(found, Failure):
            return _refused(found.why)
        if found is not None:
            return _refused(
                f"{described(found)} was interrupted ({standing(found)}): litellm-tui fleet resume {self._group} goes "
                "on with it, forget leaves everything as it is"
            )
        seen = asyncio.run(look_once(self._settings, chosen=self._chosen))
        rows = fleet_of(seen, time.time()).rows
        self._print(plan_lines(change, rows, [member.name for member in self._chosen]))
        unreached = [one for one in seen if one.failure is not None]
        if unreached:
            for one in unreached:
                assert one.failure is not None
                print(plain(f"litellm-tui: {one.member.name}: {one.failure.why}"), file=sys.stderr)
            why = f"not reached: {', '.join(one.member.name for one in unreached)}"
            return self._ended(msgspec.structs.replace(change, stopped=f"nothing was changed anywhere: {why}"))
        if not self._agreed(change):
            return REFUSED
        if (failure := self._store.begin(change, content)) is not None:
            return _refused(f"nothing was changed: {failure.why}")
        return self._carry_out(change, content)

    def resume(self) -> int:
        """Go on with the one that was interrupted."""
        found = self._store.load()
        if isinstance(found, Failure) or found is None:
            return _refused(found.why if found else f"no change of {self._group} was interrupted")
        known = {member.name for member in self._chosen}
        if gone := [member.name for member in found.members if member.name not in known]:
            return _refused(f"{', '.join(gone)}: no longer in group: {self._group}, so it cannot be gone on with")
        content = self._store.content() if found.order == "apply" else None
        if isinstance(content, Failure):
            return _refused(content.why)
        self._print([f"{described(found)}, begun {_clock(found.began_at)}: {standing(found)}"])
        if not self._agreed(found):
            return REFUSED
        return self._carry_out(msgspec.structs.replace(found, stopped=""), content)

    def forget(self) -> int:
        """Leave everything as it is, and let a new one begin."""
        found = self._store.load()
        if found is None:
            return _refused(f"no change of {self._group} was interrupted")
        if (failure := self._store.end()) is not None:
            return _refused(failure.why)
        text = found.why if isinstance(found, Failure) else f"{described(found)} is forgotten ({standing(found)})"
        self._print([f"{text}; what was done on the hosts stays as it is"])
        return 0

    def _carry_out(self, change: FleetChange, content: bytes | None) -> int:
        changing = FleetChanging(self._settings, change, self._store, content)
        try:
            asyncio.run(self._followed(changing))
        except KeyboardInterrupt:
            name = self._group
            text = f"what was ordered goes on where it was; litellm-tui fleet resume {name} goes on with the rest"
            print(f"litellm-tui: interrupted: {text}", file=sys.stderr)
            return 130
        if changing.change.is_over and (failure := self._store.end()) is not None:
            print(f"litellm-tui: the note of it could not be removed: {failure.why}", file=sys.stderr)
        return self._ended(changing.change)

    async def _followed(self, changing: FleetChanging) -> None:
        width = max(len(member.name) for member in changing.change.members)
        async with aclosing(changing.run()) as news:
            async for member in news:
                self._print([_line(member, width)])

    def _ended(self, change: FleetChange) -> int:
        if self._json:
            document = {
                "format": FORMAT,
                "exit_status": change.status,
                "over": change.is_over,
                **msgspec.to_builtins(change),
            }
            print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
        else:
            self._print(_ending(change))
        return change.status

    def _agreed(self, change: FleetChange) -> bool:
        if self._yes:
            return True
        what = described(change)
        if any(self._settings.profiles[member.name].production for member in self._chosen):
            print(plain(f"{what}, in production? Type {change.group} to do it: "), end="", flush=True)
            agreed = sys.stdin.readline().strip() == change.group
        else:
            print(plain(f"{what}? [y/N] "), end="", flush=True)
            agreed = sys.stdin.readline().strip().lower() in ("y", "yes")
        if not agreed:
            print("nothing was changed")
        return agreed

    def _print(self, lines: Sequence[str] | Iterator[str]) -> None:
        for line in lines if not self._json else ():
            print(plain(line), flush=True)


def described(change: FleetChange) -> str:
    """What it does, in words."""
    what = {
        "restart": "Restart",
        "apply": f"Apply {change.file} ({change.digest}) to",
        "upgrade": f"Upgrade to LiteLLM {change.version}",
    }[change.order]
    return f"{what} {change.group} ({count(len(change.members), 'member')})"


def standing(change: FleetChange) -> str:
    """How many stand where."""
    stages = [member.stage for member in change.members]
    return ", ".join(f"{stages.count(stage)} {stage}" for stage in dict.fromkeys(stages))


def plan_lines(change: FleetChange, rows: Sequence[FleetRow], names: Sequence[str]) -> Iterator[str]:
    """What would be done, where, and how everything stands there now."""
    at_once = "all at once" if change.parallel else "one after another"
    yield f"{described(change)}, {at_once}:"
    by_name = {row.name: row for row in rows}
    width = max(map(len, names))
    for number, name in enumerate(names, 1):
        row = by_name[name]
        told = [
            row.where,
            f"LiteLLM {row.version}" if row.version else "",
            f"config {row.digest}" if row.digest else "",
        ]
        yield f"  {number:>3}  {name:<{width}}  {row.state}  {' · '.join(filter(None, told))}"
    tried = "tried out on each of them beside what serves, then on each: " if change.rehearsal else "on each: "
    yield f"{tried}backup, restart, proof; what fails is rolled back"
    if not change.parallel:
        yield "it stops at the first that fails: those after it stay as they are"


def _line(member: MemberChange, width: int) -> str:
    took = f"{member.took:6.1f} s" if member.took is not None else " " * 8
    sign = _NAMES.get(member.stage, "FAIL")
    return f"{sign:<4}  {member.name:<{width}}  {member.stage:<11} {took}  {member.text}".rstrip()


def _ending(change: FleetChange) -> Iterator[str]:
    yield f"{standing(change)}{f'; stopped: {change.stopped}' if change.stopped else ''}"
    if not change.is_over:
        yield f"litellm-tui fleet resume {change.group} asks again what came of it, and goes on"


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
