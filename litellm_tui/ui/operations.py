"""What the console does to the files and to the gateway: fix, go back, edit, probe, drill. Each asks first."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace
from textual.app import SuspendNotSupported

from litellm_tui.analysis.phrases import count
from litellm_tui.analysis.routing.table import FALLBACK_KINDS, FallbackKind, Routing
from litellm_tui.logs.log_line import clean
from litellm_tui.model.audit import Finding
from litellm_tui.model.configuration import Configuration
from litellm_tui.model.diagnosis import Deployment
from litellm_tui.model.edits import Fix
from litellm_tui.model.failures import Failure
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.probe import ProbeResult
from litellm_tui.monitor.monitor import Monitor

if TYPE_CHECKING:
    from litellm_tui.actions.apply_fixes import Mended
    from litellm_tui.actions.drill import Plan
    from litellm_tui.storage.backups import Backups
    from litellm_tui.ui.console_host import ConsoleHost
    from litellm_tui.ui.screens.drill import DrillDialog
    from litellm_tui.ui.screens.load import LoadDialog
    from litellm_tui.ui.screens.probe import ProbeDialog
    from litellm_tui.ui.view import View

# until what an editor saved must have been read
EDITED_SECONDS: Final = 5.0


class Operations:
    """Bound to one console; every method takes the view that the operator saw when he pressed the key."""

    def __init__(self, console: ConsoleHost) -> None:
        self._console = console
        self._fixing = False

    @property
    def _monitor(self) -> Monitor:
        assert self._console.session.monitor is not None
        return self._console.session.monitor

    @property
    def _backups(self) -> Backups:
        assert self._console.session.backups is not None
        return self._console.session.backups

    # --- the file ----------------------------------------------------------------------------------------------

    def fix(self, finding: Finding) -> None:
        """Show the fix of a finding as a diff, and write it when the operator says so."""
        if self._console.session.read_only:
            self._console.notify("read-only: nothing is written from here", markup=False)
            return
        if finding.silenced is not None:
            self._console.notify("it is silenced: take the comment or the setting away first", markup=False)
            return
        if finding.fix is None:
            self._console.notify("no edit of the file settles this by itself: see what to do", markup=False)
            return
        if not self._fixing:
            self._fixing = True
            self._console.begin(partial(self._show_fix, finding.fix), group="fix")

    async def _show_fix(self, fix: Fix) -> None:
        from litellm_tui.actions.apply_fixes import mend_one
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
        from litellm_tui.actions.apply_fixes import write

        for outcome in await asyncio.to_thread(write, mended, self._backups):
            if isinstance(outcome, Failure):
                self._console.notify(outcome.why, severity="error", timeout=30, markup=False)
            else:
                self._console.notify(f"written; the file before is {outcome.backup}", timeout=15, markup=False)

    def restore(self, id: int) -> None:
        """Show what going back to this backup changes, and write it when the operator says so."""
        if self._console.session.read_only:
            self._console.notify("read-only: nothing is written from here", markup=False)
            return
        if not self._fixing:
            self._fixing = True
            self._console.begin(partial(self._show_restore, id), group="fix")

    async def _show_restore(self, id: int) -> None:
        from litellm_tui.actions.rollback import go_back
        from litellm_tui.ui.screens.backups import compared
        from litellm_tui.ui.screens.restore import RestoreScreen

        try:
            view, backups, profile = self._console.session.view, self._backups, self._monitor.profile
            assert view is not None
            backup, found = backups.get(id), await asyncio.to_thread(compared, backups, id, view)
            if backup is None or isinstance(found, Failure) or not found.files:
                why = found.why if isinstance(found, Failure) else found.unusable or "the files are as in this backup"
                self._console.notify(why, severity="warning", timeout=20, markup=False)
                return
            utc = self._console.session.notation.utc
            if not await self._console.push_screen_wait(RestoreScreen(backup, found, utc)):
                return
            readiness = view.snapshot.gateway.readiness.value
            version = (readiness.version or "") if readiness else ""
            done = await asyncio.to_thread(go_back, profile, backups, id, version)
            if isinstance(done, Failure):
                self._console.notify(done.why, severity="error", timeout=30, markup=False)
            else:
                before = f"; what was there is backup {done.before.id}" if done.before else ""
                text = f"{count(len(done.written), 'file')} restored{before}; a restart applies it"
                self._console.notify(text, timeout=20, markup=False)
        finally:
            self._fixing = False

    async def edit(self, view: View) -> None:
        """The file in the operator's editor; what came of it is up afterwards."""
        from litellm_tui.actions.edit import edit

        if view.profile.config is None:
            self._console.notify("no configuration file is known here: see pane 5", severity="warning", markup=False)
            return
        path, before = view.profile.config.value, view.snapshot.configuration
        await self._console.link.quiet()
        try:
            with self._console.suspend():
                failure = edit(path)
        except SuspendNotSupported:
            self._console.notify("this terminal cannot be handed to an editor", severity="warning", markup=False)
            return
        if failure is not None:
            self._console.notify(failure.why, severity="error", timeout=20, markup=False)
        self._console.begin(partial(self._after_edit, before), group="edit", exclusive=True)

    async def _after_edit(self, before: Configuration) -> None:
        """Wait until what was saved is read and audited, then show the difference, and the audit below it."""
        end = time.monotonic() + EDITED_SECONDS
        digest = before.current.digest if before.current else ""
        while time.monotonic() < end:
            await asyncio.sleep(0.1)
            now = self._monitor.snapshot().configuration
            changed = now.error != before.error or (now.current.digest if now.current else "") != digest
            if changed and self._monitor.audits.current:
                self._console.show_audit()
                if now.error is None:
                    self._console.show_difference()
                return

    # --- probe -------------------------------------------------------------------------------------------------

    def probe(self, view: View, rows: Sequence[Deployment], *, choose: bool = False) -> None:
        """Ask these deployments, one request each; more than one paid call is asked about first.

        With `choose` it is also asked which of them are meant. What a single one answers goes into its row, and into
        the line of the keys.
        """
        loaded = [row for row in rows if row.loaded is not None]
        if not view.answering or not loaded:
            why = view.diagnosis.gateway.reason if not view.answering else "the proxy has not loaded it"
            self._console.notify(f"not probed: {why}", severity="warning", markup=False)
            return
        if len(loaded) == 1:
            self._console.begin(partial(self._probe_one, view, loaded[0]), group="probe", exclusive=True)
            return
        from litellm_tui.ui.screens.probe import ProbeDialog

        self._console.push_screen(
            ProbeDialog(
                view,
                loaded,
                self._run_probe,
                on_result=self._monitor.add_probe,
                cancel=lambda: self._console.cancel_workers("probe"),
                choose=choose,
            )
        )

    async def _probe_one(self, view: View, row: Deployment) -> None:
        from litellm_tui.actions.probe import probe
        from litellm_tui.ui.probe_words import result_words

        assert row.loaded is not None
        # the group that the console shows: 1.77 lists an alias before it
        asked = [replace(row.loaded, group=row.group)]
        name = clean(f"{row.group} · {row.model}")
        self._console.say(f"{name}: asking")
        async with aclosing(probe(self._monitor.profile, asked, redact=self._monitor.redact)) as events:
            async for event in events:
                if isinstance(event, ProbeResult):
                    self._monitor.add_probe(event)
                    self._console.say(f"{name}: {result_words(event, view.redact)}")

    def _run_probe(self, dialog: ProbeDialog, loaded: Sequence[LoadedDeployment]) -> None:
        self._console.begin(partial(self._follow_probe, dialog, loaded), group="probe", exclusive=True)

    async def _follow_probe(self, dialog: ProbeDialog, loaded: Sequence[LoadedDeployment]) -> None:
        from litellm_tui.actions.probe import probe

        async with aclosing(probe(self._monitor.profile, loaded, redact=self._monitor.redact)) as events:
            async for event in events:
                if dialog.is_running:
                    dialog.take(event)

    # --- load test ---------------------------------------------------------------------------------------------

    def load(self, view: View, row: Deployment | None) -> None:
        """A small load test on the group of this deployment, after asking; never on another machine."""
        from litellm_tui.actions.probe_cost import not_here, reachable
        from litellm_tui.actions.probe_request import why_not

        gateway = view.snapshot.gateway
        deployments = gateway.deployments.value or ()
        group = row.group if row is not None else ""
        members = [held for held in deployments if group and group in (held.group, *held.names)]
        current = view.snapshot.configuration.current
        routing = Routing.of_router(gateway.router.value, current) if gateway.router.value is not None else None
        targets = reachable(group, deployments, routing)
        why = ""
        if not view.answering:
            why = view.diagnosis.gateway.reason
        elif not members:
            why = "select a deployment that the proxy has loaded"
        elif reason := why_not(members[0]):
            why = f"{group}: {reason}"
        elif away := not_here(self._monitor.profile.url.value, targets):
            why = f"not on this machine: {'; '.join(away)}; litellm-tui probe {group} --requests 20 --remote does it"
        if why:
            self._console.notify(clean(f"no load test: {why}"), severity="warning", markup=False)
            return
        from litellm_tui.ui.screens.load import LoadDialog

        def start(dialog: LoadDialog, requests: int) -> None:
            work = partial(self._follow_load, dialog, group, members[0].mode, requests)
            self._console.begin(work, group="load", exclusive=True)

        self._console.push_screen(
            LoadDialog(view, group, members, targets, start, lambda: self._console.cancel_workers("load"))
        )

    async def _follow_load(self, dialog: LoadDialog, group: str, mode: str | None, requests: int) -> None:
        from litellm_tui.actions.load import load

        samples = load(self._monitor.profile, group, mode, requests, redact=self._monitor.redact)
        async with aclosing(samples):
            async for sample in samples:
                if not dialog.is_running:
                    return
                dialog.take(sample)
        if dialog.is_running:
            dialog.ended()

    # --- drill -------------------------------------------------------------------------------------------------

    def drill(self, view: View, key: str) -> None:
        """Exercise the chain of a row of the fallbacks for real, after asking."""
        from litellm_tui.actions.drill import plan_drill
        from litellm_tui.ui.screens.drill import DrillDialog

        gateway = view.snapshot.gateway
        row, _, name = key.partition(":")
        # the row of an alias, or of a group without a chain, is about ordinary requests
        kind: FallbackKind = next((kind for _, kind in FALLBACK_KINDS if kind == row), "general")
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
            self._console.begin(partial(self._follow_drill, dialog, agreed), group="drill", exclusive=True)

        self._console.push_screen(DrillDialog(view, plan, start, lambda: self._console.cancel_workers("drill")))

    async def _follow_drill(self, dialog: DrillDialog, plan: Plan) -> None:
        from litellm_tui.actions.drill import drill

        async with aclosing(drill(self._monitor.profile, plan, redact=self._monitor.redact)) as events:
            async for event in events:
                if dialog.is_running:
                    dialog.take(event)
