"""The console: shows a session on a terminal, from the first painting to the last."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.text import Text
from textual.app import App, SystemCommand
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker, WorkerError

from litellm_tui import __version__
from litellm_tui.model.diagnosis import Place
from litellm_tui.monitor.supervisor import Pace as RetryPace
from litellm_tui.monitor.supervisor import guarded
from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import Settings, SettingsError
from litellm_tui.ui.keymap import bound_by
from litellm_tui.ui.paint_pace import Pace
from litellm_tui.ui.panes.log_prompt import Purpose
from litellm_tui.ui.panes.models import Models
from litellm_tui.ui.renamed_unit import RenamedUnit
from litellm_tui.ui.screens.live import LiveList
from litellm_tui.ui.screens.main import NARROW, WIDE, MainScreen
from litellm_tui.ui.session import Session
from litellm_tui.ui.sharing import Sharing
from litellm_tui.ui.terminal_link import Link
from litellm_tui.ui.terminal_watchdog import TerminalWatchdog
from litellm_tui.ui.themes import STATES, install
from litellm_tui.ui.view import Notation, View
from litellm_tui.ui.widgets.lines import ASCII_CLASS
from litellm_tui.ui.widgets.strip import Hints

if TYPE_CHECKING:
    from textual.command import Provider

    from litellm_tui.model.notify_settings import NotifySettings
    from litellm_tui.notify.notifier import Notifier

EX_USAGE: Final = 64
# a restart that was interrupted is told when the screen is filled
OFFER_SECONDS: Final = 0.5
# what is said where no gateway was found, and for how long
SIMULATED: Final = (
    "No gateway was found on this machine: this one is simulated. litellm-tui where says what was looked for; "
    "litellm-tui --url http://HOST:4000 opens a gateway elsewhere."
)
SIMULATED_SECONDS: Final = 30.0
# how long the first painting is waited for, at most
PAINT_SECONDS: Final = 0.3


def _palette_commands() -> type[Provider]:
    """Loaded when the palette is opened first."""
    from litellm_tui.ui.commands import OneLineCommands

    return OneLineCommands


def _notifier(app: Console, settings: NotifySettings, profile: Profile) -> Notifier:
    """Loaded where the settings name somebody who is to be told."""
    from litellm_tui.notify.notifier import Notifier

    return Notifier.of(profile, settings, app._warn, app.send)


class Console(Sharing):
    """The console on one profile, or on one that is still being sought: a callable is run after the first paint."""

    CSS_PATH = Path(__file__).parent / "console.tcss"
    TITLE = "litellm-tui"
    ENABLE_COMMAND_PALETTE = True
    # the lists have their own: widgets.text_picking
    ALLOW_SELECT = False
    COMMANDS: ClassVar[set[Any]] = {_palette_commands}
    VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-normal"), (WIDE, "-wide")]

    def __init__(
        self,
        profile: Profile | Callable[[], Profile],
        settings: Settings,
        title: str = "",
        *,
        memory: bool = True,
        pace: RetryPace | None = None,
        typed: bytes = b"",
    ) -> None:
        """With `memory` problems and marks are kept from one run to the next; at `pace` failed jobs are begun again.

        `typed` are keys that the terminal sent before, as bytes.

        Raises `SettingsError` where the settings bind keys in a way that cannot be.
        """
        super().__init__(bound_by(settings))
        self.set_class(settings.draws_ascii, ASCII_CLASS)
        notation = Notation(ascii=settings.draws_ascii, utc=settings.utc, columns=settings.columns)
        self.session = Session(profile, notation, title, memory=memory, records=memory, pace=pace)
        if settings.notify is not None:
            self.session.notify_by = partial(_notifier, self, settings.notify)
        self.link = Link(self.send, self.output_waits)
        self._typed = typed
        self._watching: Worker[None] | None = None
        self._renamed = RenamedUnit()
        self._unknown_theme = install(self, settings.theme)
        self.reopen: Callable[[], Profile] | None = None
        """The gateway that is to be opened when this console has ended, in place of the one that it showed."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {f"state-{name}": "#808080" for name in STATES}

    def get_default_screen(self) -> MainScreen:
        return MainScreen(Pace(self.link), self.redraw, self.bound)

    # --- life --------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(self._tick)
        loop = asyncio.get_running_loop()
        for hangup in (signal.SIGHUP, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(hangup, self.exit)
        if not self.is_headless:
            # before anything is painted: so long takes the line alone
            self.link.ask()
            TerminalWatchdog(partial(loop.call_soon_threadsafe, self.exit)).start()
        self.call_after_refresh(self._begin)
        if self._typed:
            self.call_after_refresh(self.typed_early, self._typed)
        if self._unknown_theme:
            self._warn(self._unknown_theme)

    def _begin(self) -> None:
        self._watching = self.run_worker(self._watch(), group="monitor", exclusive=True, exit_on_error=True)

    async def on_unmount(self) -> None:
        self.session.keep()
        await self._end_watching()
        await self.session.close()

    async def _end_watching(self) -> None:
        # Textual cancels its workers and does not wait: the monitor must be given the time to take its children along
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(WorkerError):
                await self._watching.wait()

    async def _watch(self) -> None:
        try:
            profile = await self.session.find()
            if profile.undecided and not await self._choose_first(profile):
                self.exit(0)
                return
            failures = await self.session.open()
        except SettingsError as error:
            self.exit(EX_USAGE, message=Text(f"litellm-tui: {error}"))
            return
        for failure in failures:
            self._warn(failure)
        if self.session.profile is not None and self.session.profile.simulated:
            self.notify(SIMULATED, timeout=SIMULATED_SECONDS, markup=False)
        self.set_timer(OFFER_SECONDS, self._control.make_whole)
        if self.read_only:
            for hints in self.main.query(Hints):
                hints.laid_out()
        else:
            self.set_timer(OFFER_SECONDS, self._control.offer_to_end)
        await self.session.run(self._draw, self._painted, self._warn)

    async def _choose_first(self, profile: Profile) -> bool:
        """Let the operator say which of several gateways is meant, before anything is opened."""
        from litellm_tui.ui.screens.gateways import GatewaysScreen

        assert profile.discovery is not None
        signs = self.session.notation.signs
        identity = await self.push_screen_wait(GatewaysScreen(profile.discovery, "", signs))
        if identity and (why := await self.session.choose(identity)):
            self._warn(why)
        return bool(identity)

    def _warn(self, why: str) -> None:
        self.notify(why, severity="warning", markup=False)

    async def _painted(self) -> None:
        """Until what was drawn is painted: modules that are loaded in threads would take the interpreter from it."""
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAINT_SECONDS):
                await painted.wait()

    def crash_report(self, error: BaseException | None) -> Text:
        # Textual's own report prints every local variable, and with them keys and the whole configuration
        report = "".join(traceback.format_exception(error)) if error else "unknown error\n"
        report = self.session.redact(report)
        return Text(f"litellm-tui {__version__} met an error that it should have handled:\n\n{report}")

    # --- the terminal ------------------------------------------------------------------------------------------

    def post_display_hook(self) -> None:
        self.link.painted()

    def on_cursor_position(self) -> None:
        self.link.heard()

    # --- what is seen ------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Draw everything from the newest snapshot."""
        if view := self.view:
            self._draw(view, asked=True)

    def _draw(self, view: View, *, asked: bool = False) -> None:
        if not self.screen_stack:
            return
        crash = None
        if isinstance(self.screen, LiveList):
            crash = guarded(partial(self.screen.draw, view), view.redact)
        crash = self.main.draw(view, asked=asked) or crash
        if self.session.monitor is None:
            return
        if crash is not None:
            self.session.monitor.supervisor.note("drawing", crash)
        else:
            self.session.monitor.supervisor.recovered("drawing")

    def _tick(self) -> None:
        if self.screen_stack:
            self.main.tick(self.session.notation.clock(time.time()))
        if (view := self._uncovered) and self._renamed.is_due(view.snapshot.service):
            self.begin(self._open_renamed, group="renamed", exclusive=True)

    async def _open_renamed(self) -> None:
        """Open the gateway anew under the name that its unit has now."""
        profile = self.session.profile
        if profile is None or await self._renamed.find(profile) is None or self._uncovered is None:
            return
        self.reopen = profile.again
        await self.link.quiet()
        self.exit(0)

    def on_resize(self) -> None:
        self.call_after_refresh(self.main.lay_out)

    def action_utc(self) -> None:
        """The other clock, everywhere."""
        notation = self.session.notation
        notation.utc = not notation.utc
        self.notify(f"times are in {'UTC' if notation.utc else 'local time'}")
        self._tick()
        self.redraw()

    def action_help_quit(self) -> None:
        """Ctrl+C, which in other programs quits."""
        if len(self.screen_stack) == 1:
            self.main.say(f"{self._quits} quits")
        else:
            self.notify(f"Esc closes this, then {self._quits} quits", markup=False)

    @property
    def _quits(self) -> str:
        return self.bound.shown("everywhere.quit") or ":quit"

    # --- the palette -------------------------------------------------------------------------------------------

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        for key in self.bound.keys:
            if key.palette and not (key.acts and self.read_only):
                title = key.help.partition(":")[0].partition(" (")[0]
                # the palette reads this as markup: no brackets
                shown = f" (key: {key.shown})" if key.keys else ""
                yield SystemCommand(title, f"{key.help}{shown}", self.runner(key.action))
        for name in self.available_themes:
            yield SystemCommand(
                f"Theme {name}", f"Use the theme {name}", lambda name=name: setattr(self, "theme", name)
            )

    def show_log(self, purpose: Purpose, words: str) -> None:
        """The log, narrowed down, searched, or at a time; why not is said where one would have typed it."""
        self.show_pane("logs")
        self.log_pane.answer(purpose, words)

    def show_models(self, words: str) -> None:
        """The models that have these words."""
        self.show_pane("models")
        self.main.query_one(Models).narrow(words)

    def probe_at(self, place: Place) -> None:
        """One real request to the deployment of this row."""
        self.go_to(place)
        self.action_probe(False)

    def runner(self, action: str) -> Callable[[], None]:
        """What does this action, in the log where it is one of the log's, once the palette is closed."""

        async def run() -> None:
            target: Widget | App[Any] = self
            if not hasattr(self, f"action_{action.partition('(')[0]}"):
                self.show_pane("logs")
                target = self.log_pane.lines
            await self.run_action(action, target)

        def later() -> None:
            self.call_later(run)

        return later
