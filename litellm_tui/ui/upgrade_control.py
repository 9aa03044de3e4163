"""What the console does to the release of LiteLLM: planned, tried beside the one that runs, applied, taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Literal

from litellm_tui.model.failures import Failure
from litellm_tui.target.profile import Profile
from litellm_tui.ui.service_control import ConsoleObserver

if TYPE_CHECKING:
    from litellm_tui.actions.transaction.record import RestartLock
    from litellm_tui.actions.transaction.rehearsal import Rehearse
    from litellm_tui.actions.upgrade.plan import Planned
    from litellm_tui.actions.upgrade.run import Upgrade
    from litellm_tui.model.service import Verb
    from litellm_tui.ui.console_host import ConsoleHost
    from litellm_tui.ui.screens.upgrade import UpgradeScreen, Way
    from litellm_tui.ui.view import View

_TRIAL = "upgrade trial"


class UpgradeControl:
    """Bound to one console. `order` carries out an order to the service, through sudo where a right is missing."""

    def __init__(self, console: ConsoleHost, order: Callable[[Verb], Awaitable[Failure | None]]) -> None:
        self._console, self._order = console, order

    def upgrade(self, view: View) -> None:
        """Show the plan, and ask; a restart or an upgrade that was interrupted is ended first."""
        if view.profile.unit is None:
            self._console.notify("no unit is known here: see pane 5", severity="warning", markup=False)
            return
        self._console.begin(partial(self._ask, view), group="upgrade dialog", exclusive=True)

    async def _ask(self, view: View) -> None:
        from litellm_tui.actions.transaction.messages import told
        from litellm_tui.actions.upgrade.plan import make_plan
        from litellm_tui.ui.screens.upgrade import UpgradeScreen

        unfinished = await self._console.session.files.run(self._lock(view.profile).interrupted)
        if unfinished is not None:
            said = unfinished.why if isinstance(unfinished, Failure) else told(unfinished)
            self._console.notify(f"{said}. R ends it.", severity="warning", timeout=15, markup=False)
            return

        async def planned(version: str, backed_up: bool, rehearsal: bool) -> Planned:
            seen = ConsoleObserver(self._console).seen()
            return await make_plan(view.profile, seen, version, backed_up=backed_up, rehearsal=rehearsal)

        async def kept() -> str:
            found = await asyncio.to_thread(self._upgrade(view.profile).way_back)
            return "" if isinstance(found, Failure) else found.after

        def start(screen: UpgradeScreen, way: Way) -> None:
            # what is being applied is ended by nobody who looks at another plan
            group = _TRIAL if way == "rehearse" else "upgrade"
            self._console.begin(partial(self._follow, view.profile, screen, way), group=group)

        self._console.push_screen(
            UpgradeScreen(view, planned, kept, start, partial(self._console.cancel_workers, _TRIAL))
        )

    async def _follow(self, profile: Profile, screen: UpgradeScreen, way: Way) -> None:
        from litellm_tui.actions.transaction.events import Outcome, Step

        upgrade, planned = self._upgrade(profile), screen.planned
        if way == "back":
            events = upgrade.back()
        elif planned is not None:
            events = upgrade.apply(planned) if way == "apply" else upgrade.try_out(planned)
        else:
            return
        try:
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, Step) and event.took is not None:
                        self._console.session.look_now()
                    if screen.is_running:
                        screen.take(event)
                    elif isinstance(event, Outcome):
                        severity: Literal["information", "error"] = (
                            "information" if event.result == "applied" else "error"
                        )
                        said = f"{event.result}: {event.text}"
                        self._console.notify(said, severity=severity, timeout=20, markup=False)
        finally:
            if screen.is_running:
                screen.over()

    def _upgrade(self, profile: Profile) -> Upgrade:
        from litellm_tui.actions.rehearse.run import Wish, rehearse
        from litellm_tui.actions.upgrade.run import Upgrade

        def program(path: str) -> Rehearse:
            return lambda seen, tell: rehearse(profile, Wish(program=path), seen, tell)

        backups = self._console.session.backups
        assert backups is not None
        return Upgrade(
            profile, ConsoleObserver(self._console), partial(self._order, "restart"), self._lock(profile), backups,
            program,
        )  # fmt: skip

    def _lock(self, profile: Profile) -> RestartLock:
        from litellm_tui.actions.transaction.record import RestartLock

        backups = self._console.session.backups
        # the simulation leaves nothing behind
        return RestartLock.of(profile, backups.state if backups is not None else None)
