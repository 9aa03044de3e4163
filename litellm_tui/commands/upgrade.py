"""`litellm-tui upgrade`: another release of LiteLLM, planned, tried beside the one that runs, applied with proof.

Exit status: 0 planned with nothing against it, tried out well, or applied; 1 taken back by itself; 2 refused, and
nothing was changed; 3 failed and not taken back; 64 a wrong command line. One that was interrupted is ended by
`litellm-tui restart --finish` or `--undo`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from typing import Any, Literal

import msgspec

from litellm_tui.actions.rehearse.run import Wish, rehearse
from litellm_tui.actions.transaction.events import STATUS, Event, GatewayObserver, Outcome, Step
from litellm_tui.actions.transaction.messages import told
from litellm_tui.actions.transaction.record import RestartLock
from litellm_tui.actions.transaction.rehearsal import Rehearse
from litellm_tui.actions.upgrade.plan import Planned, make_plan
from litellm_tui.actions.upgrade.run import Upgrade
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.commands.gateway_observer import looking
from litellm_tui.commands.look import history_of
from litellm_tui.commands.service_order import agreed, order, unit_of
from litellm_tui.commands.upgrade_print import plan_lines, step_lines
from litellm_tui.logs.log_line import clean
from litellm_tui.model.failures import Failure
from litellm_tui.storage.backups import Backups
from litellm_tui.target.profile import Options, Profile, may_change
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import SettingsError, load_settings

Way = Literal["plan", "rehearse", "apply", "back"]


def run(
    options: Options,
    version: str = "",
    way: Way = "plan",
    yes: bool = False,
    json: bool = False,
    backed_up: bool = False,
    rehearsal: bool = True,
) -> int:
    """Plan, try out, apply or take back, and say by the exit status what came of it."""
    profile = resolve(options, load_settings())
    unit_of(profile, "upgrade")
    if way != "plan":
        may_change(profile, "upgrade")
    if way == "back" and version:
        raise SettingsError("upgrade: --back goes to the release that ran before: name none")
    asks = way in ("apply", "back") and not yes
    if asks and not sys.stdin.isatty():
        raise SettingsError(f"upgrade: {unit_of(profile, 'upgrade')} needs --yes where nobody can be asked")
    return asyncio.run(_Command(profile, version, way, json, backed_up, rehearsal, asks).run())


class _Command:
    def __init__(
        self, profile: Profile, version: str, way: Way, json: bool, backed_up: bool, rehearsal: bool, asks: bool
    ) -> None:
        self._profile, self._version, self._way, self._json = profile, version, way, json
        self._backed_up, self._rehearsal, self._asks = backed_up, rehearsal, asks
        self._redact = Redactor(profile.secrets)
        self._steps: list[Step] = []

    async def run(self) -> int:
        profile = self._profile
        lock = RestartLock.of(profile)
        unfinished = await asyncio.to_thread(lock.unfinished)
        if unfinished is not None and self._way in ("apply", "back"):
            held = await asyncio.to_thread(lock.held)
            why = unfinished.why if isinstance(unfinished, Failure) else told(unfinished)
            end = f"{held} works on it" if held else "litellm-tui restart --finish ends it, --undo takes it back"
            return self._ended(None, Outcome("refused", f"nothing was changed: {why}; {end}", 0.0, why))
        history = history_of(profile)
        await asyncio.to_thread(history.load)
        async with looking(profile, history) as observer:
            upgrade = self._upgrade(observer, lock)
            if self._way == "back":
                return await self._back(upgrade)
            planned = await make_plan(
                profile, observer.seen(), self._version, backed_up=self._backed_up, rehearsal=self._way == "rehearse"
            )
            plan = planned.plan
            self._print(plan_lines(plan, applies=self._way != "rehearse"))
            if self._way == "plan" or plan.refusals:
                if self._json:
                    self._document({"exit_status": 2 if plan.refusals else 0, "plan": msgspec.to_builtins(plan)})
                return STATUS["refused"] if plan.refusals else 0
            if self._way == "apply" and self._asks and not await self._agreed(planned):
                return STATUS["refused"]
            events = upgrade.apply(planned) if self._way == "apply" else upgrade.try_out(planned)
            return self._ended(planned, await self._followed(events))

    def _upgrade(self, observer: GatewayObserver, lock: RestartLock) -> Upgrade:
        profile = self._profile
        unit = profile.unit.value if profile.unit else ""

        def program(path: str) -> Rehearse:
            return lambda seen, tell: rehearse(profile, Wish(program=path), seen, tell)

        backups = Backups(profile.url.value, unit)
        return Upgrade(
            profile, observer, order(profile, "restart"), lock, backups, program if self._rehearsal else None
        )

    async def _back(self, upgrade: Upgrade) -> int:
        exchange = await asyncio.to_thread(upgrade.way_back)
        if isinstance(exchange, Failure):
            text = f"nothing was changed: {exchange.why}"
            return self._ended(None, Outcome("refused", text, 0.0, exchange.why))
        what = f"Go back from {exchange.before} to {exchange.after} and restart"
        if self._asks and not await asyncio.to_thread(agreed, self._profile, what, "upgrade"):
            print("nothing was changed")
            return STATUS["refused"]
        return self._ended(None, await self._followed(upgrade.back()))

    async def _agreed(self, planned: Planned) -> bool:
        what = f"Go from {planned.plan.before} to {planned.plan.after} and restart"
        if await asyncio.to_thread(agreed, self._profile, what, "upgrade"):
            return True
        print("nothing was changed")
        return False

    async def _followed(self, way: AsyncGenerator[Event, None]) -> Outcome | None:
        outcome: Outcome | None = None
        async with aclosing(way) as events:
            async for event in events:
                if isinstance(event, Outcome):
                    outcome = event
                elif event.took is not None:
                    self._steps.append(event)
                    self._print(step_lines(event))
        return outcome

    def _ended(self, planned: Planned | None, outcome: Outcome | None) -> int:
        status = STATUS[outcome.result] if outcome else 0
        if self._json:
            self._document(
                {
                    "exit_status": status,
                    "plan": msgspec.to_builtins(planned.plan) if planned else None,
                    "steps": msgspec.to_builtins(self._steps),
                    "outcome": msgspec.to_builtins(outcome) if outcome else None,
                }
            )
        elif outcome is not None:
            self._print(_ending(outcome))
        return status

    def _print(self, lines: Iterable[str]) -> None:
        narrow = "utf" not in (sys.stdout.encoding or "").lower()
        for line in lines if not self._json else ():
            shown = clean(self._redact(line))
            print(shown.encode("ascii", "replace").decode() if narrow else shown, flush=True)

    def _document(self, document: dict[str, Any]) -> None:
        print(self._redact(msgspec.json.format(msgspec.json.encode(document), indent=2).decode()))


def _ending(outcome: Outcome) -> Iterator[str]:
    down = f", {outcome.downtime:.1f} s of them without an answer" if outcome.downtime is not None else ""
    yield f"{outcome.result}: {outcome.text}"
    if outcome.took:
        yield f"{outcome.took:.1f} s{down}"
    if outcome.log:
        yield "the service said:"
        yield from (f"  {line}" for text in outcome.log for line in text.splitlines()[:3])
