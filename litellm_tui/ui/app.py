"""The console: what is on the screen and which key does what. Everything else has a room of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
import traceback
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import Worker, WorkerError, WorkerFailed

from litellm_tui import __version__
from litellm_tui.analysis.health.crashes import crashed_diagnosis
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.host.file_thread import FileThread
from litellm_tui.model.diagnosis import Diagnosis, Place, PlaceKind
from litellm_tui.model.failures import Crashed
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.monitor.supervisor import Pace as RetryPace
from litellm_tui.monitor.supervisor import guarded, guarded_async
from litellm_tui.storage.backups import Backups
from litellm_tui.storage.starts import History
from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import Settings, SettingsError
from litellm_tui.ui.diagnosis_worker import DiagnosisWorker
from litellm_tui.ui.guarded_work import told
from litellm_tui.ui.keys import KEYS, keys_of
from litellm_tui.ui.log_actions import LogActions
from litellm_tui.ui.operations import Operations
from litellm_tui.ui.overlays import Overlays
from litellm_tui.ui.paint_pace import Pace
from litellm_tui.ui.panes.detail import Detail
from litellm_tui.ui.panes.fallbacks import Fallbacks, group_of
from litellm_tui.ui.panes.log_prompt import LogPrompt
from litellm_tui.ui.panes.logs import Logs
from litellm_tui.ui.panes.models import Models
from litellm_tui.ui.screens.live import LiveList
from litellm_tui.ui.screens.main import NARROW, WIDE, MainScreen
from litellm_tui.ui.service_control import ServiceControl
from litellm_tui.ui.session_memory import Remembered
from litellm_tui.ui.signs import ASCII, UNICODE
from litellm_tui.ui.starts_recorder import StartsRecorder
from litellm_tui.ui.terminal_link import Link, output_waits
from litellm_tui.ui.terminal_watchdog import TerminalWatchdog
from litellm_tui.ui.themes import STATES, load_themes
from litellm_tui.ui.view import View, local_clock, utc_clock
from litellm_tui.ui.widgets.chain_lines import ChainLines
from litellm_tui.ui.widgets.lines import ASCII_CLASS, Lines
from litellm_tui.ui.widgets.log_view import LogView
from litellm_tui.ui.widgets.service_lines import ServiceLines
from litellm_tui.ui.widgets.strip import Hints

# Handled before the focused widget sees the key, and before the next key is looked at: what is typed straight after
# them, in one packet of a slow line, must already go to the prompt.
PROMPTS: Final = ("filter", "search", "jump", "export")
PROMPT_FIRST: Final = (*PROMPTS, "next_pane", "previous_pane")
EX_USAGE: Final = 64
# the pane in which a problem's row stands
PLACES: Final[dict[PlaceKind, str]] = {
    "gateway": "service",
    "service": "service",
    "configuration": "models",
    "audit": "models",
    "deployment": "models",
    "group": "models",
    "alias": "fallbacks",
    "chain": "fallbacks",
    "cache": "cache",
    "log": "logs",
    "reading": "models",
}
# the pane of a source that the console fails to read, where that is another
READINGS: Final = {
    "service": "service",
    "log": "logs",
    "log counts": "logs",
    "incidents": "logs",
    "redis": "cache",
    "cache_ping": "cache",
    "router": "fallbacks",
}
KEEP_SECONDS: Final = 30.0
# how soon a mark that was made in another console is seen here
OTHERS_SECONDS: Final = 2.0
# longer than a busy lock is waited for (keptfile.py)
LAST_SECONDS: Final = 5.0
# a restart that was interrupted is told when the screen is filled
OFFER_SECONDS: Final = 0.5
# how long the first painting is waited for, at most
PAINT_SECONDS: Final = 0.3

_ACTS: Final = frozenset(key.action.partition("(")[0] for key in KEYS if key.acts)


class Console(App[int]):
    """The console on one profile, or on one that is still being sought: a callable is run after the first paint."""

    CSS_PATH = Path(__file__).parent / "console.tcss"
    TITLE = "litellm-tui"
    ENABLE_COMMAND_PALETTE = True
    VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-normal"), (WIDE, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.help, show=False, priority=key.action in PROMPT_FIRST)
        for key in keys_of("everywhere")
    ]

    def __init__(
        self,
        profile: Profile | Callable[[], Profile],
        settings: Settings,
        title: str = "",
        *,
        memory: bool = True,
        pace: RetryPace | None = None,
    ) -> None:
        """With `memory` problems and marks are kept from one run to the next; at `pace` failed jobs are begun again."""
        super().__init__()
        self._title = title
        self._retry_pace = pace
        self.files = FileThread("state")
        """All of the state folder is read and written there, in the order in which it was asked for."""
        self._starts: StartsRecorder | None = None
        self.remembers = memory
        self.history: History | None = None
        self.backups: Backups | None = None
        self.operations = Operations(self)
        self._control = ServiceControl(self)
        self._over = Overlays(self)
        self._desk = LogActions(self)
        self.set_class(settings.draws_ascii, ASCII_CLASS)
        self._settings = settings
        self._sought = profile
        self.monitor: Monitor | None = None
        self.remembered = Remembered(self.files)
        self._thinking = DiagnosisWorker(
            self._judge, self._learn, partial(self.begin, group="thinking"), inputs=self._inputs, fallen=self._fallen
        )
        self._signs = ASCII if settings.draws_ascii else UNICODE
        self._clock = utc_clock if settings.utc else local_clock
        self.link = Link(self._send, lambda: output_waits(self._driver))
        self._watching: Worker[None] | None = None
        self._exchanges = 0
        self._keeping: set[asyncio.Task[None]] = set()
        self._said_of_starts = ""
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

    def get_default_screen(self) -> MainScreen:
        return MainScreen(Pace(self.link), self.redraw)

    @property
    def main(self) -> MainScreen:
        """The console's own screen, whatever lies over it."""
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed from here."""
        profile = self.monitor.profile if self.monitor else self._sought
        return isinstance(profile, Profile) and profile.read_only

    @property
    def clock(self) -> Callable[[float], str]:
        """A moment as HH:MM:SS, in the zone that times are shown in."""
        return self._clock

    @property
    def utc(self) -> bool:
        """Whether times are shown in UTC."""
        return self._clock is utc_clock

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
        if self._unknown_theme:
            self.notify(self._unknown_theme, severity="warning", markup=False)

    def _begin(self) -> None:
        self._watching = self.run_worker(self._watch(), group="monitor", exclusive=True, exit_on_error=True)

    async def on_unmount(self) -> None:
        self.keep()
        await self._end_watching()
        # what was asked to be written is written; a file system that hangs is not waited for
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await asyncio.gather(*self._keeping)
                await self.files.run(lambda: None)
        self.files.stop()

    async def _end_watching(self) -> None:
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
        gateway = profile.url.value, profile.unit.value if profile.unit else ""
        # the simulation leaves nothing behind
        alone = Path(profile.config.value).parent if profile.config and not self.remembers else None
        self.backups = Backups(*gateway, folder=alone)
        if self.remembers:
            self.history = History(*gateway, environment_files=profile.environment_files)
            self._starts = StartsRecorder(self.history, self.files, self._told_of_starts)
            await self.files.run(self.history.load)
            if self.history.failure:
                self.notify(self.history.failure, severity="warning", markup=False)
        self.monitor = Monitor(profile, self._take, self.history, pace=self._retry_pace)
        self.monitor.first_shown = self._painted
        if self.remembers:
            if failure := await self.remembered.open(profile, self.monitor):
                self.notify(failure, severity="warning", markup=False)
            self.set_interval(KEEP_SECONDS, self.keep)
            self.set_interval(OTHERS_SECONDS, self._ask_others)
        self.set_timer(OFFER_SECONDS, self._control.make_whole)
        if profile.read_only:
            for hints in self.main.query(Hints):
                hints.laid_out()
        else:
            self.set_timer(OFFER_SECONDS, partial(self._control.offer_to_end, profile))
        await self.monitor.run()

    async def _painted(self) -> None:
        """Until what was drawn is painted: modules that are loaded in threads would take the interpreter from it."""
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAINT_SECONDS):
                await painted.wait()

    def keep(self) -> None:
        """Write down what the next run is to know, in its turn."""
        self._exchange(self.remembered.keep(self.view, self.monitor))

    def _ask_others(self) -> None:
        """Take over what other consoles have kept."""
        if self._exchanges == 0:
            self._exchange(self.remembered.refresh(self.monitor))

    def _exchange(self, work: Coroutine[Any, Any, None]) -> None:
        self._exchanges += 1
        task = asyncio.create_task(self._exchanged(work))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def _exchanged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            ended = await guarded_async(work)
        finally:
            self._exchanges -= 1
        if self.monitor is None:
            return
        if isinstance(ended, Crashed):
            self.monitor.supervisor.note("state", ended, KEEP_SECONDS)
        else:
            self.monitor.supervisor.recovered("state")

    def _told_of_starts(self, why: str | Crashed | None) -> None:
        if self.monitor is None:
            return
        if isinstance(why, Crashed):
            self.monitor.supervisor.note("history", why)
        else:
            self.monitor.supervisor.recovered("history")
        if isinstance(why, str) and why != self._said_of_starts:
            self.notify(why, severity="warning", markup=False)
        self._said_of_starts = why if isinstance(why, str) else ""

    def begin(self, work: Coroutine[Any, Any, None], group: str, *, exclusive: bool = False) -> Worker[None]:
        """Run this beside the screen; its exception is told, and ends nothing else."""
        return self.run_worker(told(self, work, group), group=group, exclusive=exclusive)

    def _fatal_error(self) -> None:
        # Textual's own report prints every local variable, and with them keys and the whole configuration
        redact = self.monitor.redact if self.monitor else Redactor()
        error = self._exception.error if isinstance(self._exception, WorkerFailed) else self._exception
        report = "".join(traceback.format_exception(error)) if error else "unknown error\n"
        self.panic(Text(f"litellm-tui {__version__} met an error that it should have handled:\n\n{redact(report)}"))

    # --- the terminal ------------------------------------------------------------------------------------------

    def _send(self, text: str) -> None:
        if self._driver is not None:
            self._driver.write(text)

    def post_display_hook(self) -> None:
        self.link.painted()

    def on_cursor_position(self) -> None:
        self.link.heard()

    # --- what is seen ------------------------------------------------------------------------------------------

    def _take(self, snapshot: Snapshot) -> None:
        if self._starts is not None:
            self._starts.take(snapshot)
        self._thinking.take(snapshot)

    def _learn(self, view: View) -> None:
        if not view.fallen:
            self.remembered.learn(view)
        self._draw(view)

    def _inputs(self) -> tuple[object, ...]:
        """What a view depends on besides the snapshot."""
        monitor = self.monitor
        return (self.remembered.version, monitor and monitor.audits.audit, monitor and monitor.redact, self._clock)

    def _fallen(self, crash: Crashed, snapshot: Snapshot, before: View | None) -> View | None:
        """In place of a view that could not be made; also called in a thread."""
        if self.monitor is None:
            return None
        self.monitor.supervisor.note("diagnosis", crash)
        view = before or self._view(snapshot, crashed_diagnosis(crash, snapshot.taken_at, None))
        return view._replace(
            diagnosis=crashed_diagnosis(crash, snapshot.taken_at, before and before.diagnosis), fallen=True
        )

    @property
    def view(self) -> View | None:
        """What is drawn now; None before the first snapshot."""
        return self._thinking.view

    def _judge(self, snapshot: Snapshot) -> View | None:
        """What is thought of a snapshot now; also called in a thread."""
        if self.monitor is None:
            return None
        found = diagnose(snapshot, time.time(), self.remembered.memory, self.monitor.audits.audit)
        self.monitor.supervisor.recovered("diagnosis")
        return self._view(snapshot, found)

    def _view(self, snapshot: Snapshot, diagnosis: Diagnosis) -> View:
        assert self.monitor is not None
        return View(
            snapshot=snapshot,
            diagnosis=diagnosis,
            store=self.monitor.store,
            profile=self.monitor.profile,
            signs=self._signs,
            now=time.time(),
            clock=self._clock,
            redact=self.monitor.redact,
            title=self._title,
        )

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
        if self.monitor is None:
            return
        if crash is not None:
            self.monitor.supervisor.note("drawing", crash)
        else:
            self.monitor.supervisor.recovered("drawing")

    def _tick(self) -> None:
        if self.screen_stack:
            self.main.tick(self._clock(time.time()))

    def on_resize(self) -> None:
        self.call_after_refresh(self.main.lay_out)

    # --- what the keys do --------------------------------------------------------------------------------------

    def action_pane(self, name: str) -> None:
        self.main.show(name)

    def action_next_pane(self) -> None:
        self._step(1)

    def action_previous_pane(self) -> None:
        self._step(-1)

    def _step(self, step: int) -> None:
        if len(self.screen_stack) == 1:
            self.main.step(step)
        else:
            self.screen.focus_next() if step > 0 else self.screen.focus_previous()

    def action_zoom(self) -> None:
        self.main.zoom()

    def action_look(self) -> None:
        if self.monitor:
            self.monitor.look_now()

    def action_filter(self) -> None:
        self.action_pane("logs")
        self.query_one(Logs).prompt("filter")

    def action_search(self) -> None:
        self.action_pane("logs")
        self.query_one(Logs).prompt("search")

    def action_jump(self) -> None:
        self.action_pane("logs")
        self.query_one(Logs).prompt("jump")

    def action_export(self) -> None:
        self.action_pane("logs")
        self._desk.ask_export()

    def action_filters(self) -> None:
        if len(self.screen_stack) == 1 and (view := self.view):
            self._desk.choose_filter(view)

    def action_utc(self) -> None:
        """The other clock, everywhere."""
        self._clock = local_clock if self.utc else utc_clock
        self.notify(f"times are in {'UTC' if self.utc else 'local time'}")
        self._tick()
        self.redraw()

    @on(LogView.WantsOlder)
    def _want_older(self, event: LogView.WantsOlder) -> None:
        self._desk.want_older(event.wanted)

    @on(LogView.FollowsAgain)
    def _follows_again(self) -> None:
        self._desk.followed()

    @on(Logs.Export)
    def _export(self, event: Logs.Export) -> None:
        if view := self.view:
            self._desk.export(event.path, view)

    @on(LogView.Copied)
    def _copy(self, event: LogView.Copied) -> None:
        if view := self.view:
            self._desk.copy(event.records, view)

    @on(LogPrompt.Explain)
    def _explain_filter(self) -> None:
        self._over.filter_help()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if self.read_only and action in _ACTS:
            return False
        if action in PROMPTS:
            return len(self.screen_stack) == 1 and not isinstance(self.focused, Input)
        return super().check_action(action, parameters)

    def action_help(self) -> None:
        if len(self.screen_stack) == 1:
            self._over.help(self._signs)

    async def action_quit(self) -> None:
        await self.link.quiet()
        self.exit(0)

    def action_restart(self) -> None:
        if len(self.screen_stack) == 1 and (view := self.view):
            self._control.restart(view)

    def action_start_stop(self) -> None:
        if len(self.screen_stack) == 1 and (view := self.view):
            self._control.start_stop(view)

    @on(ServiceLines.Wanted)
    def action_service_detail(self) -> None:
        if len(self.screen_stack) == 1 and (view := self.view):
            self._control.service_detail(view)

    def action_probe(self, every: bool) -> None:
        view = self.view
        if len(self.screen_stack) > 1 or view is None:
            return
        chosen, group = self.query_one(Models).lines.selected, None
        if self.main.shown == "fallbacks":
            group = group_of(self.query_one(Fallbacks).lines.selected, view)
        rows = [
            row
            for row in view.diagnosis.deployments
            if every or (row.group == group if group is not None else row.key == chosen)
        ]
        self.operations.probe(view, rows)

    @on(ChainLines.Drill)
    def _drill(self, event: ChainLines.Drill) -> None:
        if len(self.screen_stack) == 1 and (view := self.view):
            self.operations.drill(view, event.key)

    def action_problems(self) -> None:
        if len(self.screen_stack) == 1 and (view := self.view):
            self._over.problems(view)

    def action_incidents(self) -> None:
        if len(self.screen_stack) == 1 and (view := self.view):
            self._over.incidents(view)

    def show_record(self, sequence: int) -> None:
        """A record of the log, in the log."""
        self.action_pane("logs")
        if not self.query_one(Logs).view.reveal(sequence):
            self.notify("this record is older than what is kept of the log", markup=False)

    def action_audit(self) -> None:
        if len(self.screen_stack) == 1 and (view := self.view):
            self._over.audit(view)

    async def action_edit(self) -> None:
        if len(self.screen_stack) == 1 and (view := self.view):
            await self.operations.edit(view)

    def action_difference(self) -> None:
        if len(self.screen_stack) == 1:
            self.show_difference()

    def show_difference(self) -> None:
        """The file against what runs, over whatever is on the screen."""
        if view := self.view:
            self._over.difference(view)

    def action_backups(self) -> None:
        if len(self.screen_stack) == 1 and (view := self.view):
            self._over.backups(view)

    def go_to(self, place: Place) -> None:
        """The row that a problem is about."""
        if place.kind == "audit":
            self.action_audit()
            return
        pane, key = PLACES[place.kind], place.key
        if place.kind == "reading":
            if key == "audit":
                self.action_audit()
                return
            pane, key = READINGS.get(key, pane), ""
        if place.kind == "group" and (view := self.view):
            key = next((row.key for row in view.diagnosis.deployments if row.group == key), "")
        self.action_pane(pane)
        if key:
            self.main.pane(pane).lines.select(key)

    def action_expect_down(self) -> None:
        """Mark the selected deployment as expected down, or take the mark back."""
        view = self.view
        if len(self.screen_stack) > 1 or view is None or self.monitor is None:
            return
        chosen = self.query_one(Models).lines.selected
        row = next((row for row in view.diagnosis.deployments if row.key == chosen), None)
        if row is not None:
            self._over.expect_down(row)

    @on(Lines.Opened)
    def _open(self, event: Lines.Opened) -> None:
        view, pane = self.view, event.lines.id
        if view is None:
            return
        if pane == "models-lines":
            chosen = next((d for d in view.diagnosis.deployments if d.key == event.key), None)
            if chosen:
                self._over.deployment(chosen, view)
        elif pane == "fallbacks-lines":
            self._over.fallback(event.key, view, self.query_one(Fallbacks).marked)
        elif pane == "logs-lines" and (record := view.store.get(int(event.key))):
            self._desk.open(record, view)

    @on(Lines.Moved)
    def _moved(self, event: Lines.Moved) -> None:
        if event.lines.id == "models-lines":
            detail = self.query_one(Detail)
            detail.key = event.key
            if detail.display and (view := self.view):
                detail.draw(view)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        for key in KEYS:
            if key.palette and not (key.acts and self.read_only):
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
