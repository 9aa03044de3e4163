"""`litellm-tui notify`: who is told of problems and by which rules, what waits and what was sent, and a test of it.

Exit status: 0 all is well, 1 a receiver cannot be reached or something was not sent, 2 not agreed to, 64 a wrong
command line or settings file.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from litellm_tui.analysis.notify.forms import rung
from litellm_tui.analysis.notify.words import head
from litellm_tui.analysis.phrases import age, count
from litellm_tui.commands.one_of_several import say_which
from litellm_tui.logs.log_line import clean
from litellm_tui.model.failures import Crashed, Failure
from litellm_tui.model.notification import Message, Waiting
from litellm_tui.model.notify_settings import NotifySettings, Rule
from litellm_tui.monitor.supervisor import guarded_async
from litellm_tui.notify.notifier import gateway_words
from litellm_tui.notify.receivers import Address, address_of
from litellm_tui.notify.send import Result, send
from litellm_tui.storage.outbox import Outbox, outbox_path
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import SettingsError, load_settings, settings_folder

NOT_AGREED = 2
# of those that were sent, so many are listed as text
_LISTED = 50
_MARKS = {"waiting": "waits", "sent": "sent", "refused": "refused", "dropped": "dropped"}


def run(options: Options, test: bool = False, listing: bool = False, yes: bool = False, json: bool = False) -> int:
    """Say who would be told, and with `test` tell them; with `listing` what waits and what was sent."""
    settings = load_settings()
    if settings.notify is None:
        raise SettingsError(
            f"notify: {settings_folder() / 'config.yaml'} has no notify: section, so nobody is told; docs/notify.md "
            "shows one"
        )
    profile = say_which(resolve(options, settings))
    if listing:
        return _list(profile, json)
    found = {name: address_of(one, os.environ) for name, one in settings.notify.receivers.items()}
    if not json:
        for line in _routes(settings.notify, found, profile):
            print(clean(line))
    if test and not _agreed(found, yes, json):
        print("nothing was sent", file=sys.stderr)
        return NOT_AGREED
    results = asyncio.run(_test(found, profile)) if test else {}
    wrong = {name: one.why for name, one in found.items() if isinstance(one, Failure)}
    wrong |= {name: one.why for name, one in results.items() if one.why}
    if json:
        print(msgspec.json.format(msgspec.json.encode(_document(settings.notify, found, results)), indent=2).decode())
    elif test:
        print()
        for name, rings in ((name, one.rings) for name, one in settings.notify.receivers.items() if one.rings):
            if sys.stdout.isatty():
                sys.stdout.write(rung(rings, _message(profile, time.time())))
                print(clean(f"{name}: this terminal was rung, as each console rings its own"))
            else:
                print(clean(f"{name}: no terminal is here to be rung"))
        for name, result in results.items():
            print(clean(f"{name}: {f'not sent: {result.why}' if result.why else f'sent ({result.said})'}"))
    return 1 if wrong else 0


def _routes(settings: NotifySettings, found: Mapping[str, Address | Failure], profile: Profile) -> Iterator[str]:
    words = gateway_words(profile)
    yield f"problems of {words}{'' if profile.address in words else f' ({profile.address})'} are told to"
    for name, address in found.items():
        where = f"cannot be reached: {address.why}" if isinstance(address, Failure) else address.shown
        yield f"  {name}: {where}"
        rules = settings.rules_to(name)
        for rule in rules:
            yield f"      {rule_words(rule)}"
        if not rules:
            yield "      by no rule: nothing is told to it"


def rule_words(rule: Rule) -> str:
    """The rule in a line."""
    words = ["what is broken" if rule.severity == "bad" else "all that is wrong"]
    if rule.groups:
        words.append(f"of group {' or '.join(rule.groups)}")
    if rule.subjects:
        words.append(f"about {' or '.join(rule.subjects)}")
    if rule.lasting:
        words.append(f"that lasts {rule.lasting:g} s")
    if rule.hours:
        words.append(f"not from {' and '.join(rule.hours)} ({rule.zone or 'local time'})")
    if rule.once_in_minutes:
        words.append(f"each problem at most once in {rule.once_in_minutes:g} min")
    return ", ".join(words)


def _agreed(found: Mapping[str, Address | Failure], yes: bool, json: bool) -> bool:
    if yes:
        return True
    if json or not sys.stdin.isatty():
        print("litellm-tui: notify --test sends messages: --yes agrees to that", file=sys.stderr)
        return False
    number = sum(isinstance(one, Address) and not one.receiver.rings for one in found.values())
    try:
        return input(f"Send {count(number, 'test message')}? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


async def _test(found: Mapping[str, Address | Failure], profile: Profile) -> dict[str, Result]:
    names = [name for name, one in found.items() if isinstance(one, Address) and not one.receiver.rings]
    now = time.time()
    results = await asyncio.gather(*(_send(found[name], _message(profile, now)) for name in names))
    return dict(zip(names, results, strict=True))


async def _send(address: Address | Failure, message: Message) -> Result:
    assert isinstance(address, Address)
    result = await guarded_async(send(address, message))
    return Result(result.why) if isinstance(result, Crashed) else result


def _message(profile: Profile, now: float) -> Message:
    return Message(
        id=uuid.uuid4().hex, event="test", gateway=gateway_words(profile), address=profile.address,
        host=socket.gethostname(), key="test", severity="warn", before="", title="litellm-tui",
        cause="a test of its messages", reason="somebody has asked for it (litellm-tui notify --test)",
        do="nothing", hit="", subject="", groups=(), since=now, ended_at=None, written_at=now,
    )  # fmt: skip


def _document(
    settings: NotifySettings, found: Mapping[str, Address | Failure], results: Mapping[str, Result]
) -> dict[str, Any]:
    """The receivers as plain data, without any address or key."""
    receivers = []
    for name, address in found.items():
        result = results.get(name)
        failed = isinstance(address, Failure)
        receivers.append(
            {
                "name": name,
                "shown": "" if isinstance(address, Failure) else address.shown,
                "failure": address.why if isinstance(address, Failure) else "",
                "rules": [rule_words(rule) for rule in settings.rules_to(name)],
                "test": None if result is None or failed else {"sent": not result.why, "why": result.why},
            }
        )
    return {"receivers": receivers}


def _list(profile: Profile, json: bool) -> int:
    outbox = Outbox(outbox_path(profile.url.value, profile.unit.value if profile.unit else ""))
    try:
        found = outbox.listed()
    except (sqlite3.Error, OSError) as error:
        print(f"litellm-tui: {outbox.path}: {error}", file=sys.stderr)
        return 1
    finally:
        outbox.close()
    waiting = [one for one in found if one.state == "waiting"]
    if json:
        print(msgspec.json.format(msgspec.json.encode({"messages": found}), indent=2).decode())
    else:
        now = time.time()
        print(f"{count(len(waiting), 'message')} to be sent")
        # the oldest is sent first
        for one in reversed(waiting):
            print(clean(f"  {_line(one, now)}"))
        done = [one for one in found if one.state != "waiting"][:_LISTED]
        if done:
            print("\nthe last ones, the newest first")
            for one in done:
                print(clean(f"  {_line(one, now)}"))
    return 1 if any(one.failure for one in waiting) else 0


def _line(one: Waiting, now: float) -> str:
    at = one.done_at if one.done_at is not None else one.message.written_at
    words = f"{age(now - at)} ago  {_MARKS[one.state]}  {one.receiver}  {head(one.message)}"
    if not one.failure:
        return words
    again = f", again in {age(one.next_try - now)}" if one.state == "waiting" and one.next_try > now else ""
    return f"{words}  ({one.failure}, tried {count(one.attempts, 'time')}{again})"
