"""Asks members of one group what their configurations say, key by key, and compares that."""

from __future__ import annotations

import asyncio
import secrets
from typing import Final, NamedTuple

import msgspec

from litellm_tui.analysis.fleet.keys import MOST_KEYS, key_differences
from litellm_tui.analysis.fleet.link_states import failure, link_failure
from litellm_tui.analysis.phrases import shortened
from litellm_tui.host.far_child import ask
from litellm_tui.logs.log_line import clean
from litellm_tui.model.fleet import KeyDifference, KeyDocument, KeyValue, LinkFailure, Member
from litellm_tui.monitor.fleet_members import LOOK_SECONDS, MOST_AT_ONCE
from litellm_tui.target.far_side import member_words, members
from litellm_tui.target.settings import Settings

_LONGEST: Final = 300


class GroupKeys(NamedTuple):
    """Where the configurations of a group differ, and why nothing is known of some members."""

    group: str
    members: tuple[str, ...]
    differences: tuple[KeyDifference, ...]
    unknown: dict[str, LinkFailure]


def members_of(settings: Settings, group: str) -> tuple[Member, ...]:
    """The profiles with this `group:`, in the order of the settings file."""
    return tuple(member for member in members(settings) if member.group == group and group)


async def compare_group(settings: Settings, group: str) -> GroupKeys:
    """Ask every member of the group, and compare those that answer."""
    chosen = members_of(settings, group)
    asked_with = secrets.token_hex(16)
    gate = asyncio.Semaphore(MOST_AT_ONCE)

    async def one(member: Member) -> dict[str, KeyValue] | LinkFailure:
        words = member_words(member, settings, "diff", "--keys", "--json", f"--asked-with={asked_with}")
        async with gate:
            found = await ask(member.ssh, words, LOOK_SECONDS)
        if isinstance(found, LinkFailure):
            return found
        if found.status:
            return link_failure(member.ssh or "this machine", found.status, found.error, connected=bool(member.ssh))
        return read_keys(found.output.encode(), member)

    told = dict(zip((member.name for member in chosen), await asyncio.gather(*map(one, chosen)), strict=True))
    known = {name: values for name, values in told.items() if not isinstance(values, LinkFailure)}
    unknown = {name: failed for name, failed in told.items() if isinstance(failed, LinkFailure)}
    return GroupKeys(group, tuple(told), key_differences(group, known), unknown)


def read_keys(output: bytes, member: Member) -> dict[str, KeyValue] | LinkFailure:
    """The values of a document; why it is none. Its texts are bounded, and have no control characters left."""
    where = member.ssh or "this machine"
    try:
        found = msgspec.json.decode(output, type=KeyDocument)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return failure("program failed", where, "what it printed is no document of keys")
    if found.format < 1 or len(found.keys) > MOST_KEYS:
        return failure("program failed", where, "what it printed is no document of keys")
    return {_short(key): KeyValue(_short(value.text), value.digest) for key, value in found.keys.items()}


def _short(text: str) -> str:
    return shortened(clean(text).replace("\n", " "), _LONGEST)
