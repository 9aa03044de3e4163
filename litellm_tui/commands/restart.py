"""`litellm-tui restart`: preflight, rehearsal, backup, restart, proof; rolled back by itself when the proof fails.

Exit status: 0 applied, 1 rolled back, 2 refused before anything was changed, 3 failed and not rolled back, 64 a wrong
command line, 130 interrupted (the next restart says where it stood).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from litellm_tui.actions.rehearse.run import of_restart
from litellm_tui.actions.transaction.events import STATUS, Event, Outcome, Step
from litellm_tui.actions.transaction.messages import told
from litellm_tui.actions.transaction.record import Record, RestartLock
from litellm_tui.actions.transaction.rehearsal import Rehearse
from litellm_tui.actions.transaction.run import Transaction
from litellm_tui.commands.gateway_observer import looking
from litellm_tui.commands.look import history_of
from litellm_tui.commands.service_order import agreed, order, unit_of
from litellm_tui.logs.log_line import clean
from litellm_tui.monitor.supervisor import guarded
from litellm_tui.storage.backups import Backups
from litellm_tui.target.profile import Options, Profile, may_change
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import load_settings


def run(
    options: Options,
    yes: bool = False,
    force: bool = False,
    rollback: bool = True,
    rehearsal: bool = True,
    json: bool = False,
    finish: bool = False,
    undo: bool = False,
) -> int:
    """Restart, or end a restart that was interrupted, and say by the exit status what came of it."""
    profile = resolve(options, load_settings())
    may_change(profile, "restart")
    unit_of(profile, "restart")
    lock = RestartLock.of(profile)
    if not yes and not _agreed(profile, lock, finish, undo):
        print("nothing was changed")
        return STATUS["refused"]
    rehearse = of_restart(profile) if rehearsal else None
    outcome = asyncio.run(
        _told(profile, lock, force=force, rollback=rollback, json=json, finish=finish, undo=undo, rehearse=rehearse)
    )
    if json:
        document = {"exit_status": STATUS[outcome.result], **msgspec.to_builtins(outcome)}
        print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
    else:
        for line in ending(outcome):
            print(plain(line))
    return STATUS[outcome.result]


def _agreed(profile: Profile, lock: RestartLock, finish: bool, undo: bool) -> bool:
    """Ask on a terminal, after saying what was interrupted."""
    interrupted = lock.interrupted()
    if isinstance(interrupted, Record) and sys.stdin.isatty():
        print(told(interrupted))
    unit = unit_of(profile, "restart")
    what = "Finish that" if finish else "Take that back" if undo else f"Restart {unit} ({profile.address})"
    return agreed(profile, what, "restart")


async def _told(
    profile: Profile,
    lock: RestartLock,
    *,
    force: bool,
    rollback: bool,
    json: bool,
    finish: bool,
    undo: bool,
    rehearse: Rehearse | None,
) -> Outcome:
    unit = profile.unit.value if profile.unit else ""
    history = history_of(profile)
    history.load()
    outcome: Outcome | None = None
    async with looking(profile, history) as observer:
        # a restart does not depend on what can be noted of the one before
        guarded(lambda: history.record_snapshot(observer.seen().snapshot))
        transaction = Transaction(
            profile,
            observer,
            order(profile, "restart"),
            lock,
            Backups(profile.url.value, unit),
            force=force,
            rollback=rollback,
            rehearse=rehearse,
        )
        way: AsyncGenerator[Event, None] = (
            transaction.finish() if finish else transaction.undo() if undo else transaction.apply()
        )
        async with aclosing(way) as events:
            async for event in events:
                if isinstance(event, Outcome):
                    outcome = event
                elif not json and event.took is not None:
                    for line in (step_line(event), *(f"        {note}" for note in event.notes)):
                        print(plain(line), flush=True)
    assert outcome is not None
    return outcome


def step_line(step: Step) -> str:
    """A step that has ended, in one line."""
    return f"{'ok  ' if step.ok else 'FAIL'}  {step.name:<14} {step.took or 0.0:6.1f} s  {step.detail}".rstrip()


def ending(outcome: Outcome) -> list[str]:
    """What came of it, a line each."""
    down = f", {outcome.downtime:.1f} s of them without an answer" if outcome.downtime is not None else ""
    lines = [f"{outcome.result}: {outcome.text}", f"{outcome.took:.1f} s{down}"]
    done = outcome.rehearsal
    if outcome.result == "refused" and done is not None and done.stops:
        lines += [f"  left out of the rehearsal: {text}" for text in done.left_out]
        lines += ["it said last:", *(f"  {line}" for text in done.log for line in text.splitlines()[:3])]
        lines.append("--no-rehearsal restarts without one, --force in spite of it")
    if outcome.rejected is not None:
        lines.append(f"what was rejected is kept: litellm-tui rollback --to {outcome.rejected}")
    if outcome.log:
        lines += ["the service said:", *(f"  {line}" for text in outcome.log for line in text.splitlines()[:3])]
    return lines


def plain(line: str) -> str:
    """As the terminal can hold it."""
    shown = clean(line)
    utf = "utf" in (sys.stdout.encoding or "").lower()
    return shown if utf else shown.encode("ascii", "replace").decode()
