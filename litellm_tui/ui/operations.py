"""What the console does to the world: restart, probe, drill. Each asks in a dialog and runs beside the screen."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from litellm_tui.analysis.audit.records import Finding
from litellm_tui.analysis.edits import Fix
from litellm_tui.analysis.records import Deployment
from litellm_tui.analysis.routing import KINDS, Kind, Routing
from litellm_tui.monitor import Monitor
from litellm_tui.profile import Profile
from litellm_tui.snapshot import Failure, LoadedDeployment
from litellm_tui.ui.screens.restart import RestartDialog

if TYPE_CHECKING:
    from litellm_tui.actions.drill import Plan
    from litellm_tui.actions.mend import Mended
    from litellm_tui.ui.app import Console
    from litellm_tui.ui.screens.drill import DrillDialog
    from litellm_tui.ui.screens.probe import ProbeDialog
    from litellm_tui.ui.view import View


class Operations:
    """Bound to one console; every method takes the view that the operator saw when he pressed the key."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._fixing = False

    @property
    def _monitor(self) -> Monitor:
        assert self._console.monitor is not None
        return self._console.monitor

    # --- restart -----------------------------------------------------------------------------------------------

    def restart(self, view: View) -> None:
        """Ask, then restart the unit and follow it."""
        if view.profile.unit is None:
            self._console.notify(
                "no unit is known here, so there is nothing to restart: see pane 5", severity="warning", markup=False
            )
            return
        asked = time.time()
        self._console.push_screen(RestartDialog(view, self._run_restart, lambda: self._log_since(asked)))

    def _log_since(self, moment: float) -> list[str]:
        store = self._monitor.store
        return [r.text for r in store.since(store.last - 400) if r.time >= moment and not r.own][-6:]

    def _run_restart(self, dialog: RestartDialog) -> None:
        self._console.run_worker(self._follow_restart(dialog), group="restart", exclusive=True)

    async def _follow_restart(self, dialog: RestartDialog, command: bool = True) -> None:
        from litellm_tui.actions.restart import Outcome, restart

        profile, view = self._monitor.profile, self._console.view
        file = view.snapshot.configuration.current if view else None
        expected = len(file.deployments) if file else None
        async for event in restart(profile, expected, command=command):
            self._monitor.look_now()
            if isinstance(event, Outcome) and event.needs_rights and self._with_sudo(profile):
                await self._follow_restart(dialog, command=False)
                return
            if dialog.is_running:
                dialog.take(event)
            elif isinstance(event, Outcome):
                severity = "information" if event.ok else "error"
                self._console.notify(event.text, severity=severity, timeout=20, markup=False)  # type: ignore[arg-type]  # one of the two

    def _with_sudo(self, profile: Profile) -> bool:
        """Hand the terminal to sudo; whether the restart was ordered."""
        from litellm_tui.actions.sudo import restart_with_sudo

        with self._console.suspend():
            return restart_with_sudo(profile)

    # --- the file ----------------------------------------------------------------------------------------------

    def fix(self, finding: Finding) -> None:
        """Show the fix of a finding as a diff, and write it when the operator says so."""
        if finding.silenced is not None:
            self._console.notify("it is silenced: take the comment or the setting away first", markup=False)
            return
        if finding.fix is None:
            self._console.notify("no edit of the file settles this by itself: see what to do", markup=False)
            return
        if not self._fixing:
            self._fixing = True
            self._console.run_worker(self._show_fix(finding.fix), group="fix")

    async def _show_fix(self, fix: Fix) -> None:
        from litellm_tui.actions.mend import mend_one
        from litellm_tui.actions.splice import diff
        from litellm_tui.ui.screens.fix import FixScreen

        try:
            mended = await asyncio.to_thread(mend_one, fix)
            if isinstance(mended, Failure):
                self._console.notify(mended.why, severity="warning", timeout=20, markup=False)
                return
            name = os.path.basename(fix.file)
            shown = diff(mended.before[fix.file], mended.after[fix.file], name, self._monitor.redact)
            if await self._console.push_screen_wait(FixScreen(fix.title, fix.decision, shown)):
                await self._write(mended)
        finally:
            self._fixing = False

    async def _write(self, mended: Mended) -> None:
        from litellm_tui.actions.mend import write
        from litellm_tui.actions.rewrite import backups_folder

        # the simulation leaves nothing behind
        backups = backups_folder() if self._console.remembers else Path(next(iter(mended.after))).parent / "backups"
        for outcome in await asyncio.to_thread(write, mended, backups):
            if isinstance(outcome, Failure):
                self._console.notify(outcome.why, severity="error", timeout=30, markup=False)
            else:
                self._console.notify(f"written; the file before is {outcome.backup}", timeout=15, markup=False)

    # --- probe -------------------------------------------------------------------------------------------------

    def probe(self, view: View, rows: Sequence[Deployment]) -> None:
        """Ask these deployments, one request each; more than one paid call is asked about first."""
        from litellm_tui.ui.screens.probe import ProbeDialog

        loaded = [row for row in rows if row.loaded is not None]
        if not view.answering or not loaded:
            why = view.diagnosis.gateway.reason if not view.answering else "the proxy has not loaded it"
            self._console.notify(f"not probed: {why}", severity="warning", markup=False)
            return
        self._console.push_screen(
            ProbeDialog(
                view, loaded, self._run_probe, on_result=self._monitor.take_probe, cancel=lambda: self._cancel("probe")
            )
        )

    def _run_probe(self, dialog: ProbeDialog, loaded: Sequence[LoadedDeployment]) -> None:
        self._console.run_worker(self._follow_probe(dialog, loaded), group="probe", exclusive=True)

    async def _follow_probe(self, dialog: ProbeDialog, loaded: Sequence[LoadedDeployment]) -> None:
        from litellm_tui.actions.probe import probe

        async with aclosing(probe(self._monitor.profile, loaded, redact=self._monitor.redact)) as events:
            async for event in events:
                if dialog.is_running:
                    dialog.take(event)

    # --- drill -------------------------------------------------------------------------------------------------

    def drill(self, view: View, key: str) -> None:
        """Exercise the chain of a row of the fallbacks for real, after asking."""
        from litellm_tui.actions.drill import plan_drill
        from litellm_tui.ui.screens.drill import DrillDialog

        gateway = view.snapshot.gateway
        row, _, name = key.partition(":")
        # the row of an alias, or of a group without a chain, is about ordinary requests
        kind: Kind = next((kind for _, kind in KINDS if kind == row), "general")
        plan: Plan | str
        if row == "default":
            plan = "only the chain of a named group can be drilled"
        elif gateway.router.value is None or gateway.deployments.value is None:
            plan = "the running router has not been read"
        else:
            version = gateway.readiness.value.version if gateway.readiness.value else None
            running = Routing.of_router(gateway.router.value, view.snapshot.configuration.current)
            plan = plan_drill(running, gateway.deployments.value, kind, name, version)
        if isinstance(plan, str):
            self._console.notify(f"no drill: {plan}", severity="warning", markup=False)
            return
        agreed = plan

        def start(dialog: DrillDialog) -> None:
            self._console.run_worker(self._follow_drill(dialog, agreed), group="drill", exclusive=True)

        self._console.push_screen(DrillDialog(view, plan, start, lambda: self._cancel("drill")))

    async def _follow_drill(self, dialog: DrillDialog, plan: Plan) -> None:
        from litellm_tui.actions.drill import drill

        async with aclosing(drill(self._monitor.profile, plan, redact=self._monitor.redact)) as events:
            async for event in events:
                if dialog.is_running:
                    dialog.take(event)

    def _cancel(self, group: str) -> None:
        self._console.workers.cancel_group(self._console, group)
