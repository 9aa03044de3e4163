"""The fleet over the console: who is asked while it is open, and the way to one gateway and back."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.app import SuspendNotSupported

from litellm_tui.actions.far_terminal import run_there, why_not
from litellm_tui.analysis.fleet.words import NO_PROFILES
from litellm_tui.model.fleet import FleetRow, LinkFailure
from litellm_tui.monitor.fleet_keys import compare_group
from litellm_tui.monitor.fleet_members import FleetWatch
from litellm_tui.target.far_side import member_words, members
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings, SettingsError, load_settings
from litellm_tui.ui.screens.fleet import FleetScreen, key_paragraphs
from litellm_tui.ui.screens.sheet import Sheet

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_tui.ui.console_host import ConsoleHost

_GROUP: Final = "fleet members"
_KEYS: Final = "fleet keys"


class FleetControl:
    """Bound to one console; `reopen` ends it and opens another gateway of this machine."""

    def __init__(self, console: ConsoleHost, reopen: Callable[[Callable[[], Profile]], None]) -> None:
        self._console, self._reopen = console, reopen

    async def show(self) -> None:
        """Show the fleet until the operator leaves it; a gateway of another host is opened over it."""
        try:
            settings = await asyncio.to_thread(load_settings)
        except SettingsError as error:
            self._console.notify(str(error), severity="warning", timeout=20, markup=False)
            return
        if not settings.profiles:
            self._console.notify(NO_PROFILES, timeout=20, markup=False)
            return
        screen: FleetScreen | None = None

        def changed() -> None:
            if screen is not None and screen.is_running:
                screen.told()

        def compare(row: FleetRow) -> None:
            if not row.group:
                self._console.notify(f"{row.name} is in no group: group: NAME in its profile names one", markup=False)
                return
            self._console.say(f"asking {row.group}")
            self._console.begin(partial(self._compare, settings, row.group), _KEYS, exclusive=True)

        watch = FleetWatch(settings, changed)
        while (view := self._console.session.view) is not None:
            screen = FleetScreen(view, lambda: watch.seen, view.profile.name, compare)
            self._console.begin(watch.run, _GROUP, exclusive=True)
            try:
                name = await self._console.push_screen_wait(screen)
            finally:
                self._console.cancel_workers(_GROUP)
                self._console.cancel_workers(_KEYS)
            if name is None or not await self._open(name, settings):
                return

    async def _compare(self, settings: Settings, group: str) -> None:
        found = await compare_group(settings, group)
        told = key_paragraphs(found.members, found.differences, found.unknown)
        self._console.push_screen(Sheet(f"Keys that differ in {group}", lambda: told))

    async def _open(self, name: str, settings: Settings) -> bool:
        """Open this one; whether the fleet is to be shown again after it."""
        member = next(one for one in members(settings) if one.name == name)
        if not member.ssh:
            if (profile := self._console.session.profile) is None or profile.name != name:
                self._reopen(partial(resolve, Options(profile=name), settings))
            return False
        failed = await why_not(member.ssh)
        if failed is None:
            await self._console.link.quiet()
            try:
                with self._console.suspend():
                    ended = run_there(member.ssh, member_words(member, settings))
            except SuspendNotSupported:
                self._console.notify("this terminal cannot be handed over", severity="warning", markup=False)
                return True
            failed = ended if isinstance(ended, LinkFailure) else None
            if isinstance(ended, int) and ended:
                self._console.notify(
                    f"litellm-tui on {member.ssh} ended with {ended}", severity="warning", markup=False
                )
        if failed is not None:
            self._console.notify(f"{failed.why}. {failed.do}", severity="warning", timeout=20, markup=False)
        return True
