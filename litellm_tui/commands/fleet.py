"""`litellm-tui fleet`: every gateway of the settings file, on this machine and on others, worst first.

Exit status as of `status`, the worst of all: 0 all is well, 1 warnings or differences, 2 something is broken, 3 one of
them cannot be reached, 64 a wrong command line. With `diff`: 0 equal, 1 different, 3 one of them is not known. With a
verb that changes something, that of `restart`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from litellm_tui.analysis.fleet.differences import differing_groups
from litellm_tui.analysis.fleet.keys import key_words
from litellm_tui.analysis.fleet.rows import fleet_of
from litellm_tui.analysis.fleet.words import NO_PROFILES, facts
from litellm_tui.analysis.phrases import count
from litellm_tui.commands.status_document import FORMAT
from litellm_tui.logs.log_line import clean
from litellm_tui.model.fleet import Fleet
from litellm_tui.monitor.fleet_keys import GroupKeys, compare_group, members_of
from litellm_tui.monitor.fleet_members import look_once
from litellm_tui.target.profile import Options
from litellm_tui.target.settings import Settings, SettingsError, load_settings

MOST_LINES: Final = 40


def run(options: Options, verb: str | None = None, json: bool = False, **given: Any) -> int:
    """Ask all of them once, print, and say by the exit status how they stand; or carry out the verb."""
    if options != Options():
        raise SettingsError(
            "fleet: is about every profile of the settings file, and takes no option that chooses a gateway"
        )
    settings = load_settings()
    if not settings.profiles:
        raise SettingsError(f"fleet: {NO_PROFILES}")
    ascii_only = settings.draws_ascii or "utf" not in (sys.stdout.encoding or "").lower()
    if verb == "diff":
        return _diff(settings, given["group"], json=json, ascii_only=ascii_only)
    if verb is not None:
        # only now: what changes something is not needed for a look
        from litellm_tui.commands.fleet_change import run_change

        return run_change(settings, verb, json=json, **given)
    found, compared = asyncio.run(_looked(settings))
    if json:
        _print_document(document(found, compared))
    else:
        for line in (*lines(found), *key_lines(compared)):
            print(_in_ascii(line) if ascii_only else line)
    return found.status


async def _looked(settings: Settings) -> tuple[Fleet, list[GroupKeys]]:
    """All rows, and what differs in the configurations of those groups that are to have equal ones."""
    seen = await look_once(settings)
    differing = differing_groups(seen)
    return fleet_of(seen, time.time()), [await compare_group(settings, group) for group in differing]


def _diff(settings: Settings, group: str, *, json: bool, ascii_only: bool) -> int:
    if not members_of(settings, group):
        raise SettingsError(f"fleet diff: no profile has group: {clean(group)}")
    found = asyncio.run(compare_group(settings, group))
    status = 3 if found.unknown else int(bool(found.differences))
    if json:
        _print_document({"format": FORMAT, "exit_status": status, **_keys_document(found)})
        return status
    told = list(key_lines([found]))
    for line in told or [f"the configurations of {group} are equal: {count(len(found.members), 'member')}"]:
        print(_in_ascii(line) if ascii_only else line)
    return status


def _print_document(plain: dict[str, Any]) -> None:
    print(msgspec.json.format(msgspec.json.encode(plain), indent=2).decode())


def _keys_document(compared: GroupKeys) -> dict[str, Any]:
    return {
        "group": compared.group,
        "members": list(compared.members),
        "keys": [
            {
                "key": one.key,
                "values": [{"text": side.text or None, "members": list(side.members)} for side in one.sides],
            }
            for one in compared.differences
        ],
        "unknown": {name: failed.why for name, failed in compared.unknown.items()},
    }


def key_lines(compared: Sequence[GroupKeys]) -> Iterator[str]:
    """Where the configurations of groups differ, key by key."""
    for group in compared:
        if group.differences:
            yield ""
            yield clean(f"keys that differ in {group.group}")
            yield from (clean(f"  {key_words(one)}") for one in group.differences[:MOST_LINES])
            if (rest := len(group.differences) - MOST_LINES) > 0:
                yield f"  and {rest} more: litellm-tui fleet diff {group.group} --json has all of them"
        for name, failed in group.unknown.items():
            yield clean(f"of {name} the configuration is not known: {failed.why}")


def document(fleet: Fleet, compared: Sequence[GroupKeys] = ()) -> dict[str, Any]:
    """The fleet as plain data, described in docs/status.md."""
    return {
        "format": FORMAT,
        "written_at": time.time(),
        "exit_status": fleet.status,
        "gateways": msgspec.to_builtins(fleet.rows),
        "differences": list(fleet.differences),
        "configurations": [_keys_document(one) for one in compared],
    }


def lines(fleet: Fleet) -> Iterator[str]:
    """The fleet as plain text."""
    names = max((len(row.name) for row in fleet.rows), default=0)
    states = max((len(row.state) for row in fleet.rows), default=0)
    for row in fleet.rows:
        yield clean(f"{row.name:<{names}}  {row.state:<{states}}  {row.sentence}")
        told = " · ".join(text for _, text in facts(row))
        yield clean(f"{'':<{names}}  {told}")
        if row.do and row.status:
            yield clean(f"{'':<{names}}  next: {row.do}")
    if fleet.differences:
        yield ""
        yield "differences"
        yield from (clean(f"  {text}") for text in fleet.differences)


def _in_ascii(text: str) -> str:
    from litellm_tui.ui.signs import to_ascii

    return to_ascii(text).encode("ascii", "replace").decode()
