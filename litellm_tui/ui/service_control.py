"""What the console does to the service: restart, stop, start, and a look at all of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from textual.app import SuspendNotSupported

from litellm_tui.model.failures import Failure
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.target.profile import Profile

if TYPE_CHECKING:
    from litellm_tui.actions.transaction.events import Outcome, Seen
    from litellm_tui.actions.transaction.record import RestartLock
    from litellm_tui.model.service import Verb
    from litellm_tui.storage.backups import Backups
    from litellm_tui.ui.console_host import ConsoleHost
    from litellm_tui.ui.screens.rehearsal import RehearsalScreen
    from litellm_tui.ui.screens.restart import RestartDialog, Way
    from litellm_tui.ui.view import View


# how long the end of a restart that nobody watches waits for a look at what came of it
LOOKS: Final = 25
LOOK_SECONDS: Final = 0.2


class ConsoleObserver:
    """`actions.transaction.events.GatewayObserver` on what the console shows."""

    def __init__(self, console: ConsoleHost) -> None:
        self._console = console

    def seen(self) -> Seen | None:
        """What is drawn now."""
        from litellm_tui.actions.transaction.events import Seen

        view = self._console.session.view
        return Seen(view.snapshot, view.diagnosis, view.now) if view else None

    def look_now(self) -> None:
        """Look at everything again."""
        self._console.session.look_now()

    async def probe(self, groups: Sequence[str]) -> None:
        """Ask every deployment of these groups."""
        from litellm_tui.actions.transaction.observation import ask

        view, monitor = self._console.session.view, self._console.session.monitor
        if view is not None and monitor is not None:
            loaded = view.snapshot.gateway.deployments.value or ()
            await ask(view.profile, loaded, groups, view.redact, monitor.add_probe)

    async def log_since(self, clock_time: float) -> tuple[str, ...]:
        """The last lines of the service since then."""
        from litellm_tui.actions.transaction.observation import read_since, said_since

        view = self._console.session.view
        if view is None:
            return ()
        return await read_since(view.profile, view.redact, clock_time) or said_since(view.store, clock_time)


class ServiceControl:
    """Bound to one console; every method takes the view that the operator saw when he pressed the key."""

    def __init__(self, console: ConsoleHost) -> None:
        self._console = console

    @property
    def _monitor(self) -> Monitor:
        assert self._console.session.monitor is not None
        return self._console.session.monitor

    # --- restart -----------------------------------------------------------------------------------------------

    def restart(self, view: View) -> None:
        """Ask, then restart the unit and follow it; or offer to end a restart that was interrupted."""
        if view.profile.unit is None:
            self._console.notify(
                "no unit is known here, so there is nothing to restart: see pane 5", severity="warning", markup=False
            )
            return
        self._console.begin(partial(self._ask_restart, view), group="restart dialog", exclusive=True)

    async def _ask_restart(self, view: View) -> None:
        from litellm_tui.actions.rehearse.run import of_restart
        from litellm_tui.actions.transaction.messages import told
        from litellm_tui.actions.transaction.preflight import inspect
        from litellm_tui.actions.transaction.record import Record, under_way
        from litellm_tui.actions.transaction.recreation import compared_anew
        from litellm_tui.analysis.change.preflight import PreflightCheck
        from litellm_tui.services.capabilities import Rehearses
        from litellm_tui.services.registry import driver
        from litellm_tui.ui.screens.restart import RestartDialog

        async def looked() -> tuple[PreflightCheck, ...]:
            now = self._console.session.view or view
            holder = await asyncio.to_thread(self._lock(now.profile).held)
            busy = (
                (PreflightCheck("restart", "refused", f"another restart is under way: {under_way(holder)}"),)
                if holder
                else ()
            )
            snapshot = await compared_anew(now.profile, now.snapshot)
            return *busy, *await inspect(now.profile, snapshot, now.diagnosis, self._backups.folder)

        unfinished = await self._console.session.files.run(self._lock(view.profile).interrupted)
        said = unfinished.why if isinstance(unfinished, Failure) else told(unfinished) if unfinished else ""
        back = isinstance(unfinished, Record) and unfinished.good is not None
        rehearse = partial(self.rehearse, view, begun=True)
        rehearsed = isinstance(driver(view.profile.service_target), Rehearses) and of_restart(view.profile) is not None
        self._console.push_screen(RestartDialog(view, looked, self._run_restart, said, back, rehearse, rehearsed))

    def offer_to_end(self) -> None:
        """Say at the start that a restart was interrupted."""
        self._console.begin(partial(self._offer_to_end, self._monitor.profile), group="offer")

    async def _offer_to_end(self, profile: Profile) -> None:
        from litellm_tui.actions.transaction.messages import told
        from litellm_tui.actions.transaction.record import Record

        unfinished = await self._console.session.files.run(self._lock(profile).interrupted) if profile.unit else None
        if isinstance(unfinished, Record):
            self._console.notify(f"{told(unfinished)}. R ends it.", severity="warning", timeout=15, markup=False)

    async def make_whole(self) -> None:
        """Complete the files whose writers were killed; say what was found, and in a read-only console only that."""
        from litellm_tui.actions.in_place import recover

        change = not self._console.session.read_only
        for found in await asyncio.to_thread(recover, self._backups.folder, change=change):
            severity: Literal["warning", "error"] = "warning" if found.whole else "error"
            self._console.notify(found.text, severity=severity, timeout=20, markup=False)

    def _lock(self, profile: Profile) -> RestartLock:
        from litellm_tui.actions.transaction.record import RestartLock

        # the simulation leaves nothing behind
        return RestartLock.of(profile, self._backups.state)

    @property
    def _backups(self) -> Backups:
        assert self._console.session.backups is not None
        return self._console.session.backups

    def _run_restart(self, dialog: RestartDialog, way: Way, force: bool) -> None:
        self._console.begin(partial(self._follow_restart, dialog, way, force), group="restart", exclusive=True)

    async def _follow_restart(self, dialog: RestartDialog, way: Way, force: bool) -> None:
        from litellm_tui.actions.rehearse.run import of_restart
        from litellm_tui.actions.transaction.events import Outcome, Step
        from litellm_tui.actions.transaction.run import Transaction

        profile = self._monitor.profile
        transaction = Transaction(
            profile,
            ConsoleObserver(self._console),
            partial(self.order, "restart"),
            self._lock(profile),
            self._backups,
            force=force,
            rehearse=None if dialog.unrehearsed else of_restart(profile),
        )
        ways = {"apply": transaction.apply, "finish": transaction.finish, "undo": transaction.undo}
        async with aclosing(ways[way]()) as events:
            async for event in events:
                if isinstance(event, Step) and event.took is not None:
                    self._monitor.look_now()
                if dialog.is_running:
                    dialog.take(event)
                elif isinstance(event, Outcome):
                    await self._tell_hidden(dialog, event)

    async def _tell_hidden(self, dialog: RestartDialog, outcome: Outcome) -> None:
        """The end of a restart whose dialog was left, once what came of it was looked at."""
        from litellm_tui.ui.screens.restart import told_of

        session, ended = self._console.session, time.time()
        for _ in range(LOOKS):
            view = session.view
            if view is None or view.snapshot.taken_at >= ended:
                break
            await asyncio.sleep(LOOK_SECONDS)
        new = dialog.new_problems(view) if view is not None else []
        severity: Literal["information", "warning", "error"] = "warning" if new else "information"
        if outcome.result != "applied":
            severity = "error"
        self._console.notify(told_of(outcome, new), severity=severity, timeout=20, markup=False)

    # --- rehearsal ---------------------------------------------------------------------------------------------

    def rehearse(self, view: View, *, begun: bool = False) -> None:
        """Start the configuration beside the gateway, after asking or at once, and show what came of it."""
        from litellm_tui.ui.screens.rehearsal import RehearsalScreen

        def start(screen: RehearsalScreen) -> None:
            self._console.begin(partial(self._follow_rehearsal, screen), group="rehearsal", exclusive=True)

        def cancel() -> None:
            self._console.cancel_workers("rehearsal")

        self._console.push_screen(RehearsalScreen(view, start, cancel, begun=begun))

    async def _follow_rehearsal(self, screen: RehearsalScreen) -> None:
        from litellm_tui.actions.rehearse.run import Wish, rehearse

        done = await rehearse(self._monitor.profile, Wish(), ConsoleObserver(self._console).seen, screen.tell)
        if screen.is_running:
            screen.take(done)

    async def order(self, verb: Verb) -> Failure | None:
        """Carry it out; through sudo where a right is missing, on a terminal that is handed over."""
        from litellm_tui.actions.control import order
        from litellm_tui.actions.sudo import helps, order_with_sudo

        profile = self._monitor.profile
        refused = await order(profile, verb)
        if not helps(profile, refused):
            return refused
        await self._console.link.quiet()
        try:
            with self._console.suspend():
                return None if order_with_sudo(profile, verb) else refused
        except SuspendNotSupported:
            return refused

    # --- the service -------------------------------------------------------------------------------------------

    def start_stop(self, view: View) -> None:
        """Ask, then stop what is up, or start what is not."""
        if view.profile.unit is None:
            self._console.notify("no unit is known here: see pane 5", severity="warning", markup=False)
            return
        self._console.begin(partial(self._start_or_stop, view), group="startstop", exclusive=True)

    async def _start_or_stop(self, view: View) -> None:
        from litellm_tui.actions.startstop import carry_out, question, wanted
        from litellm_tui.ui.screens.confirm import ConfirmDialog

        profile, metrics = view.profile, view.snapshot.gateway.metrics
        verb = wanted(view.snapshot.service.value)
        flight = metrics.value.in_flight if metrics.value and metrics.failure is None else None
        unit = profile.unit.value if profile.unit else ""
        dialog = ConfirmDialog(verb.capitalize(), question(profile, verb, flight), unit if profile.production else "")
        if not await self._console.push_screen_wait(dialog):
            return
        refused = await carry_out(self._lock(profile), partial(self.order, verb))
        self._monitor.look_now()
        if refused:
            self._console.notify(f"no {verb}: {refused}", severity="error", timeout=20, markup=False)
        else:
            ended = "started; it answers when LiteLLM has loaded" if verb == "start" else "stopped"
            self._console.notify(f"{unit}: {ended}", timeout=10, markup=False)

    def service_detail(self, view: View) -> None:
        """Look at everything about the service once, and show it."""
        self._console.begin(partial(self._show_service, view), group="service", exclusive=True)

    async def _show_service(self, view: View) -> None:
        from litellm_tui.monitor.comparison import clock_time
        from litellm_tui.services.detail import detail_paragraphs, read_detail
        from litellm_tui.ui.screens.sheet import Sheet

        detail = await read_detail(view.profile.service_target, view.snapshot.service.value, view.redact)
        clock = partial(clock_time, utc=self._console.session.notation.utc)
        title = f"{detail.name or 'service'} ({detail.place})"
        self._console.push_screen(Sheet(title, lambda: list(detail_paragraphs(detail, view.now, clock))))
