"""The console: what is on the screen and which key does what. Everything else has a room of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import Worker, WorkerError, WorkerFailed

from litellm_tui import __version__
from litellm_tui.analysis.diagnosis import diagnose
from litellm_tui.analysis.redact import Redactor
from litellm_tui.monitor import Monitor
from litellm_tui.profile import Profile
from litellm_tui.settings import Settings, SettingsError
from litellm_tui.snapshot import Snapshot
from litellm_tui.ui.detail import chain_paragraphs, deployment_paragraphs, record_paragraphs
from litellm_tui.ui.keys import KEYS, keys_of
from litellm_tui.ui.lifeline import Lifeline
from litellm_tui.ui.panes.cache import Cache
from litellm_tui.ui.panes.detail import Detail
from litellm_tui.ui.panes.fallbacks import Fallbacks, chain_key
from litellm_tui.ui.panes.logs import Logs
from litellm_tui.ui.panes.models import Models
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.panes.service import Service
from litellm_tui.ui.screens.restart import RestartDialog
from litellm_tui.ui.screens.sheet import Sheet
from litellm_tui.ui.signs import ASCII, UNICODE
from litellm_tui.ui.themes import STATES, load_themes
from litellm_tui.ui.view import View, local_clock, utc_clock
from litellm_tui.ui.widgets.header import Header
from litellm_tui.ui.widgets.lines import ASCII_CLASS, Lines
from litellm_tui.ui.widgets.strip import ServiceStrip

# Handled before the focused widget sees the key, and before the next key is looked at: what is typed straight after
# them, in one packet of a slow line, must already go to the prompt.
PROMPT_FIRST: Final = ("filter", "search", "next_pane", "previous_pane")
EX_USAGE: Final = 64
ORDER: Final = ("models", "logs", "fallbacks", "cache", "service")


class Console(App[int]):
    """The console on one profile, or on one that is still being sought: a callable is run after the first paint."""

    CSS_PATH = Path(__file__).parent / "console.tcss"
    TITLE = "litellm-tui"
    ENABLE_COMMAND_PALETTE = True
    VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (170, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.help, show=False, priority=key.action in PROMPT_FIRST)
        for key in keys_of("everywhere")
    ]

    def __init__(self, profile: Profile | Callable[[], Profile], settings: Settings, title: str = "") -> None:
        super().__init__()
        self._title = title
        self.set_class(settings.ascii, ASCII_CLASS)
        self._settings = settings
        self._sought = profile
        self.monitor: Monitor | None = None
        self._snapshot: Snapshot | None = None
        self._signs = ASCII if settings.ascii else UNICODE
        self._clock = utc_clock if settings.utc else local_clock
        self._shown = "models"
        self._zoomed = False
        self._watching: Worker[None] | None = None
        self._install_themes(settings.theme)

    def _install_themes(self, chosen: str) -> None:
        for name in list(self.available_themes):
            self.unregister_theme(name)
        themes = load_themes()
        for theme in themes:
            self.register_theme(theme)
        names = [theme.name for theme in themes]
        self.theme = chosen if chosen in names else names[0]
        self._unknown_theme = "" if chosen in names else f"no theme is called {chosen!r}; there are {', '.join(names)}"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {f"state-{name}": "#808080" for name in STATES}

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="panes"):
            with Horizontal(id="upper", classes="holder"):
                yield Models()
                yield Detail()
            with Horizontal(id="middle", classes="holder"):
                yield Fallbacks()
                yield Cache()
                yield Service()
            yield Logs()
        yield ServiceStrip()

    # --- life --------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.query_one("#models-lines").focus()
        self.set_interval(1.0, self._tick)
        self._tick()
        loop = asyncio.get_running_loop()
        for hangup in (signal.SIGHUP, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(hangup, self.exit)
        if not self.is_headless:
            Lifeline(partial(loop.call_soon_threadsafe, self.exit)).start()
        self.call_after_refresh(self._begin)
        if self._unknown_theme:
            self.notify(self._unknown_theme, severity="warning", markup=False)

    def _begin(self) -> None:
        self._watching = self.run_worker(self._watch(), group="monitor", exclusive=True, exit_on_error=True)

    async def on_unmount(self) -> None:
        # Textual cancels its workers and does not wait: the monitor must be given the time to take its children along
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(WorkerError):
                await self._watching.wait()

    async def _watch(self) -> None:
        try:
            profile = self._sought if isinstance(self._sought, Profile) else await asyncio.to_thread(self._sought)
        except SettingsError as error:
            self.exit(EX_USAGE, message=Text(f"litellm-tui: {error}"))
            return
        self.monitor = Monitor(profile, self._take)
        await self.monitor.run()

    def _fatal_error(self) -> None:
        # Textual's own report prints every local variable, and with them keys and the whole configuration
        redact = self.monitor.redact if self.monitor else Redactor()
        error = self._exception.error if isinstance(self._exception, WorkerFailed) else self._exception
        report = "".join(traceback.format_exception(error)) if error else "unknown error\n"
        self.panic(Text(f"litellm-tui {__version__} met an error that it should have handled:\n\n{redact(report)}"))

    def _take(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.redraw()

    @property
    def view(self) -> View | None:
        """What is drawn now; None before the first snapshot."""
        if self.monitor is None or self._snapshot is None:
            return None
        now = time.time()
        return View(
            snapshot=self._snapshot,
            diagnosis=diagnose(self._snapshot, now),
            store=self.monitor.store,
            profile=self.monitor.profile,
            signs=self._signs,
            now=now,
            clock=self._clock,
            redact=self.monitor.redact,
            title=self._title,
        )

    def redraw(self) -> None:
        """Draw everything from the newest snapshot."""
        view = self.view
        if view is None or not self.screen_stack:
            return
        # by query, and not one by one: a snapshot may come while the screen is being taken down
        for part in self.screen_stack[0].query("Header, ServiceStrip, Pane"):
            if part.display and isinstance(part, Header | ServiceStrip | Pane):
                part.draw(view)

    def _tick(self) -> None:
        for header in self.screen_stack[0].query(Header) if self.screen_stack else ():
            header.tick(self._clock(time.time()))

    def on_resize(self) -> None:
        self.call_after_refresh(self._arrange)

    # --- panes -------------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        """One pane at a time when it is narrow or zoomed, all of them otherwise."""
        main = self.screen_stack[0]
        narrow = main.size.width < 100
        main.set_class(narrow or self._zoomed, "-single")
        for pane in main.query(Pane):
            shown = pane.id == self._shown
            pane.set_class(shown, "-shown")
        for holder in main.query(".holder"):
            holder.set_class(any(pane.id == self._shown for pane in holder.query(Pane)), "-holds-shown")
        self.call_after_refresh(self.redraw)

    def action_pane(self, name: str) -> None:
        self._shown = name
        main = self.screen_stack[0]
        # the service has a pane of its own on wide screens only
        if name == "service" and main.size.width < 170:
            self._zoomed = True
        self._arrange()
        main.set_focus(main.query_one(f"#{name}", Pane).lines)

    def action_next_pane(self) -> None:
        self._step(1)

    def action_previous_pane(self) -> None:
        self._step(-1)

    def _step(self, step: int) -> None:
        if len(self.screen_stack) > 1:
            self.screen.focus_next() if step > 0 else self.screen.focus_previous()
            return
        main = self.screen_stack[0]
        every = main.has_class("-single") or main.size.width >= 170
        names = ORDER if every else ORDER[:-1]
        place = names.index(self._shown) if self._shown in names else 0
        self.action_pane(names[(place + step) % len(names)])

    def action_zoom(self) -> None:
        self._zoomed = not self._zoomed
        if not self._zoomed and self._shown == "service" and self.size.width < 170:
            self._shown = "models"
        self._arrange()
        self.screen.set_focus(self.query_one(f"#{self._shown}", Pane).lines)

    def on_descendant_focus(self, event: Any) -> None:
        pane = next((node for node in event.widget.ancestors if isinstance(node, Pane)), None)
        if pane is not None and pane.id and not self.screen_stack[0].has_class("-single"):
            self._shown = pane.id

    # --- what the keys do --------------------------------------------------------------------------------------

    def action_look(self) -> None:
        if self.monitor:
            self.monitor.look_now()

    def action_filter(self) -> None:
        self.action_pane("logs")
        self.query_one(Logs).prompt("filter")

    def action_search(self) -> None:
        self.action_pane("logs")
        self.query_one(Logs).prompt("search")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("filter", "search"):
            return len(self.screen_stack) == 1 and not isinstance(self.focused, Input)
        return super().check_action(action, parameters)

    def action_help(self) -> None:
        from litellm_tui.ui.screens.help import help_paragraphs

        if len(self.screen_stack) == 1:
            self.push_screen(Sheet("Keys and signs", lambda: help_paragraphs(self._signs)))

    async def action_quit(self) -> None:
        self.exit(0)

    def action_restart(self) -> None:
        view = self.view
        if len(self.screen_stack) > 1 or view is None:
            return
        if view.profile.unit is None:
            self.notify("no unit is known here, so there is nothing to restart: see pane 5", severity="warning")
            return
        self.push_screen(RestartDialog(view, self._restart, lambda: self._log_since(started)))
        started = time.time()

    def _log_since(self, moment: float) -> list[str]:
        if self.monitor is None:
            return []
        lines = [
            r.text for r in self.monitor.store.since(self.monitor.store.last - 400) if r.time >= moment and not r.own
        ]
        return lines[-6:]

    def _restart(self, dialog: RestartDialog) -> None:
        self.run_worker(self._run_restart(dialog), group="restart", exclusive=True)

    async def _run_restart(self, dialog: RestartDialog, command: bool = True) -> None:
        from litellm_tui.actions.restart import Outcome, restart

        assert self.monitor is not None
        profile, view = self.monitor.profile, self.view
        file = view.snapshot.configuration.current if view else None
        expected = len(file.deployments) if file else None
        async for event in restart(profile, expected, command=command):
            self.monitor.look_now()
            if isinstance(event, Outcome) and event.needs_rights and self._with_sudo(profile):
                await self._run_restart(dialog, command=False)
                return
            if dialog.is_running:
                dialog.take(event)
            elif isinstance(event, Outcome):
                self.notify(event.text, severity="information" if event.ok else "error", timeout=20, markup=False)

    def _with_sudo(self, profile: Profile) -> bool:
        """Hand the terminal to sudo; whether the restart was ordered."""
        from litellm_tui.actions.sudo import restart_with_sudo

        with self.suspend():
            return restart_with_sudo(profile)

    @on(Lines.Opened)
    def _open(self, event: Lines.Opened) -> None:
        view, pane = self.view, event.lines.id
        if view is None:
            return
        if pane == "models-lines":
            chosen = next((d for d in view.diagnosis.deployments if d.key == event.key), None)
            if chosen:
                self.push_screen(
                    Sheet(f"{chosen.group} · {chosen.model}", lambda: list(deployment_paragraphs(chosen, view)))
                )
        elif pane == "fallbacks-lines":
            chain = next((c for c in view.diagnosis.chains if chain_key(c) == event.key), None)
            if chain:
                self.push_screen(
                    Sheet(f"{chain.source.name} · {chain.kind}", lambda: list(chain_paragraphs(chain, view)))
                )
        elif pane == "logs-lines" and (record := view.store.get(int(event.key))):
            self.push_screen(Sheet("Log record", lambda: list(record_paragraphs(record, view))))

    @on(Lines.Moved)
    def _moved(self, event: Lines.Moved) -> None:
        if event.lines.id == "models-lines":
            detail = self.query_one(Detail)
            detail.key = event.key
            if detail.display and (view := self.view):
                detail.draw(view)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        for key in KEYS:
            if key.palette:
                title = key.help.partition(":")[0].partition(" (")[0]
                # the palette reads this as markup: no brackets
                yield SystemCommand(title, f"{key.help} (key: {key.shown})", self._runner(key.action))
        for name in self.available_themes:
            yield SystemCommand(
                f"Theme {name}", f"Use the theme {name}", lambda name=name: setattr(self, "theme", name)
            )

    def _runner(self, action: str) -> Callable[[], None]:
        async def run() -> None:
            target: Widget | App[Any] = self
            if not hasattr(self, f"action_{action.partition('(')[0]}"):
                self.action_pane("logs")
                target = self.query_one(Logs).lines
            await self.run_action(action, target)

        def later() -> None:
            self.call_later(run)

        return later
