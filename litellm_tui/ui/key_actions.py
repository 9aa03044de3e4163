"""Which key and which message of a widget does what: each is handed to the part that does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.binding import BindingType
from textual.events import Key
from textual.notifications import Notification
from textual.widgets import Input
from textual.worker import Worker

from litellm_tui.model.diagnosis import Place
from litellm_tui.target.choice import remember
from litellm_tui.target.profile import Profile
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.guarded_work import Work, begin_beside
from litellm_tui.ui.keymap import Bound
from litellm_tui.ui.keys import KEYS, offered, unanswered
from litellm_tui.ui.keys import Key as BoundKey
from litellm_tui.ui.log_actions import LogActions
from litellm_tui.ui.operations import Operations
from litellm_tui.ui.overlays import Overlays
from litellm_tui.ui.panes.log_prompt import LogPrompt, Purpose
from litellm_tui.ui.panes.logs import Logs
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.panes.registry import pane_about
from litellm_tui.ui.panes.timeline import Timeline
from litellm_tui.ui.screens.main import MainScreen
from litellm_tui.ui.service_control import ServiceControl
from litellm_tui.ui.session import Session
from litellm_tui.ui.terminal_link import Link
from litellm_tui.ui.textual_internals import TerminalApp
from litellm_tui.ui.upgrade_control import UpgradeControl
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.chain_lines import ChainLines
from litellm_tui.ui.widgets.lines import Lines
from litellm_tui.ui.widgets.log_view import LogView
from litellm_tui.ui.widgets.service_lines import ServiceLines

# Handled before the focused widget sees the key, and before the next key is looked at: what is typed straight after
# them, in one packet of a slow line, must already go to the prompt.
PROMPTS: Final = ("filter", "search", "jump", "export")
PROMPT_FIRST: Final = (*PROMPTS, "next_pane", "previous_pane")
_ACTS: Final = frozenset((*(key.action.partition("(")[0] for key in KEYS if key.acts), "run_command"))


class KeyActions(TerminalApp[int]):
    """The part of the console that answers: `session` is what it shows, `link` the line to the terminal."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("everywhere", first=PROMPT_FIRST)
    session: Session
    bound: Bound
    link: Link
    reopen: Callable[[], Profile] | None

    def __init__(self, bound: Bound) -> None:
        super().__init__()
        self.bound = bound
        self.set_keymap(dict(bound.changed))
        for key in bound.keys[len(KEYS) :]:
            # those of the operator's own commands
            self.bind(key.keys, key.action, description=key.help, show=False)
        self._operations = Operations(self)
        self._control = ServiceControl(self)
        self._upgrades = UpgradeControl(self, self._control.order)
        self._overlays = Overlays(self, self._operations)
        self._log_actions = LogActions(self)

    @property
    def main(self) -> MainScreen:
        """The console's own screen, whatever lies over it."""
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    @property
    def log_pane(self) -> Logs:
        """The log, whatever lies over it."""
        return self.main.query_one(Logs)

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed from here."""
        return self.session.read_only

    @property
    def view(self) -> View | None:
        """What is drawn now; None before the first snapshot."""
        return self.session.view

    @property
    def _uncovered(self) -> View | None:
        """The same, but None while something lies over the console."""
        return self.view if len(self.screen_stack) == 1 else None

    # --- what the keys do --------------------------------------------------------------------------------------

    def show_pane(self, name: str) -> None:
        """Bring a pane into sight and give it the focus."""
        self.main.show(name)

    def action_pane(self, name: str) -> None:
        self.show_pane(name)

    def action_next_pane(self) -> None:
        self._step(1)

    def action_previous_pane(self) -> None:
        self._step(-1)

    def _step(self, step: int) -> None:
        if len(self.screen_stack) == 1:
            self.main.step(step)
        else:
            self.screen.focus_next() if step > 0 else self.screen.focus_previous()

    def say(self, words: str) -> None:
        """A short message in the line of the keys, for some seconds."""
        self.main.say(words)

    def action_zoom(self) -> None:
        self.main.zoom()

    def action_look(self) -> None:
        self.session.look_now()
        if len(self.screen_stack) == 1:
            self.main.say("everything is looked at again")

    def action_filter(self) -> None:
        if not self.main.pane(self.main.shown).ask_filter():
            self._ask_log("filter")

    def action_search(self) -> None:
        self._ask_log("search")

    def action_jump(self) -> None:
        self._ask_log("jump")

    def _ask_log(self, purpose: Purpose) -> None:
        self.show_pane("logs")
        self.log_pane.prompt(purpose)

    def action_export(self) -> None:
        self.show_pane("logs")
        self._log_actions.ask_export()

    def action_filters(self) -> None:
        if view := self._uncovered:
            self._log_actions.choose_filter(view)

    @on(LogView.WantsOlder)
    def _want_older(self, event: LogView.WantsOlder) -> None:
        self._log_actions.want_older(event.wanted)

    @on(LogView.FollowsAgain)
    def _follows_again(self) -> None:
        self._log_actions.followed()

    @on(Logs.Export)
    def _export(self, event: Logs.Export) -> None:
        if view := self.view:
            self._log_actions.export(event.path, view)

    @on(LogView.Copied)
    def _copy(self, event: LogView.Copied) -> None:
        if view := self.view:
            self._log_actions.copy(event.records, view)

    @on(LogPrompt.Explain)
    def _explain_filter(self) -> None:
        self._overlays.filter_help()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if self.read_only and action in _ACTS:
            return False
        if action in PROMPTS:
            return len(self.screen_stack) == 1 and not isinstance(self.focused, Input)
        return super().check_action(action, parameters)

    def says(self, notice: Notification) -> bool:
        """A notice takes the line of the keys, where nothing lies over that."""
        if len(self.screen_stack) != 1 or not isinstance(self.screen, MainScreen):
            return False
        style = {"error": "bad", "warning": "warn"}.get(notice.severity, "strong")
        self.main.say(notice.message, notice.time_left, style)
        return True

    def on_key(self, event: Key) -> None:
        """Why a key does nothing where one is."""
        if len(self.screen_stack) > 1 or isinstance(self.focused, Input):
            return
        opens = self.main.pane(self.main.shown).opens
        if why := unanswered(event.key, self.main.shown, self.read_only, opens=opens, keys=self.bound.keys):
            self.main.say(why)

    def action_help(self) -> None:
        if len(self.screen_stack) == 1:
            self._overlays.help(self.session.notation.signs, self.main.shown, self.bound.keys)

    async def action_quit(self) -> None:
        await self.link.quiet()
        self.exit(0)

    def action_gateways(self) -> None:
        if self.view is not None and len(self.screen_stack) == 1:
            self.begin(self._choose_gateway, group="gateways", exclusive=True)

    async def _choose_gateway(self) -> None:
        """Look for the gateways of this machine again, and open the one that is chosen."""
        from litellm_tui.ui.screens.gateways import GatewaysScreen

        profile = self.session.profile
        if profile is None:
            return
        if profile.again is None or profile.discovery is None:
            named = "this gateway was named by an option or a profile"
            self.notify(f"{named}: litellm-tui without them looks for all that are here", markup=False)
            return
        again = await asyncio.to_thread(profile.again)
        if again.discovery is None or not again.discovery.gateways:
            self.notify("no gateway was found on this machine: see litellm-tui where", markup=False)
            return
        screen = GatewaysScreen(again.discovery, profile.gateway or " ", self.session.notation.signs)
        identity = await self.push_screen_wait(screen)
        if not identity or identity == profile.gateway or profile.choose is None:
            return
        if why := await self.session.files.run(lambda: remember(identity)):
            self.notify(why, severity="warning", markup=False)
        self.reopen = partial(profile.choose, identity)
        await self.link.quiet()
        self.exit(0)

    def action_fleet(self) -> None:
        if self._uncovered:
            self.begin(self._show_fleet, group="fleet", exclusive=True)

    async def _show_fleet(self) -> None:
        from litellm_tui.ui.fleet_control import FleetControl

        await FleetControl(self, self._open_another).show()

    def _open_another(self, find: Callable[[], Profile]) -> None:
        """End this console, and open the gateway that is found so."""
        self.reopen = find
        self.begin(self.action_quit, group="fleet")

    def action_restart(self) -> None:
        if view := self._uncovered:
            self._control.restart(view)

    def action_rehearse(self) -> None:
        if view := self._uncovered:
            self._control.rehearse(view)

    def action_upgrade(self) -> None:
        if view := self._uncovered:
            self._upgrades.upgrade(view)

    def action_start_stop(self) -> None:
        if view := self._uncovered:
            self._control.start_stop(view)

    @on(ServiceLines.Wanted)
    def action_service_detail(self) -> None:
        if view := self._uncovered:
            self._control.service_detail(view)

    def action_probe(self, every: bool) -> None:
        view = self._uncovered
        if view is None:
            return
        chosen = self.main.pane(self.main.shown).concerned(view) or self.main.pane("models").concerned(view)
        self._operations.probe(view, view.diagnosis.deployments if every else chosen, choose=every)

    def action_load(self) -> None:
        """A load test on the group of the selected deployment."""
        if view := self._uncovered:
            chosen = self.main.pane(self.main.shown).concerned(view) or self.main.pane("models").concerned(view)
            self._operations.load(view, next(iter(chosen), None))

    @on(ChainLines.Drill)
    def _drill(self, event: ChainLines.Drill) -> None:
        if view := self._uncovered:
            self._operations.drill(view, event.key)

    def action_problems(self) -> None:
        if view := self._uncovered:
            self._overlays.problems(view)

    def action_incidents(self) -> None:
        if view := self._uncovered:
            self._overlays.incidents(view)

    def action_past(self, charts: bool) -> None:
        if view := self._uncovered:
            self._overlays.past(view, charts=charts)

    def show_record(self, sequence: int) -> None:
        """A record of the log, in the log."""
        self.show_pane("logs")
        if not self.log_pane.view.reveal(sequence):
            self.notify("this record is older than what is kept of the log", markup=False)

    def show_audit(self) -> None:
        """The findings, where nothing lies over the console."""
        if view := self._uncovered:
            self._overlays.audit(view)

    def action_audit(self) -> None:
        self.show_audit()

    async def action_edit(self) -> None:
        if view := self._uncovered:
            await self._operations.edit(view)

    def action_difference(self) -> None:
        if len(self.screen_stack) == 1:
            self.show_difference()

    def show_difference(self) -> None:
        """The file against what runs, over whatever is on the screen."""
        if view := self.view:
            self._overlays.difference(view)

    def action_backups(self) -> None:
        if view := self._uncovered:
            self._overlays.backups(view)

    def go_to(self, place: Place) -> None:
        """The row that a problem is about."""
        if place.kind == "audit":
            self.show_audit()
            return
        if place == Place("reading", "audit"):
            self.show_audit()
            return
        name = pane_about(place)
        self.show_pane(name)
        pane = self.main.pane(name)
        if (view := self.view) and (key := pane.key_of(place, view)):
            pane.lines.select(key)

    def action_expect_down(self) -> None:
        """Mark the selected deployment as expected down, or take the mark back."""
        if view := self._uncovered:
            chosen = self.main.pane("models").concerned(view)
            if not chosen:
                self.main.say("no deployment is selected")
            for row in chosen:
                self._overlays.expect_down(row)

    @on(Lines.Opened)
    def _open(self, event: Lines.Opened) -> None:
        pane, view = self.main.pane_around(event.lines), self.view
        if pane is None or view is None:
            return
        if place := pane.leads_to(event.key, view):
            self.go_to(place)
        elif sheet := pane.sheet(event.key, view):
            offers = offered(pane.entry.name, self.read_only, self.bound.keys)
            self._overlays.sheet(*sheet, [(key, word, partial(self._do, key, pane)) for key, word in offers])

    async def _do(self, key: BoundKey, pane: Pane) -> None:
        """What this key does while the pane has the focus."""
        await self.run_action(key.action, self if key.place == "everywhere" else pane.lines)

    @on(Timeline.ToLog)
    def _to_log(self, event: Timeline.ToLog) -> None:
        self.show_pane("logs")
        self.log_pane.view.go_to_time(event.at)

    @on(Logs.OpenRecord)
    def _open_record(self, event: Logs.OpenRecord) -> None:
        if (view := self.view) and (record := view.store.get(event.sequence)):
            self._log_actions.open(record, view)

    @on(Lines.Moved)
    def _moved(self, event: Lines.Moved) -> None:
        # a list may still say so while the screen is being taken down
        if self.screen_stack:
            self.main.selection_moved(event.lines, event.key, self.view)

    def begin(self, work: Work, group: str, *, exclusive: bool = False) -> Worker[None]:
        """Do this beside the screen; its exception is told, and ends nothing else.

        An `exclusive` one ends the others of its group.
        """
        return begin_beside(self, work, group, group, exclusive=exclusive)

    def cancel_workers(self, group: str) -> None:
        """End what is being done in this group."""
        self.workers.cancel_group(self, group)
