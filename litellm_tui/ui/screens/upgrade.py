"""Another release of LiteLLM: the plan, the question, the progress, the result."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import ClassVar, Final, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input

from litellm_tui.actions.transaction.events import BACK, Event, Outcome, Result, Step, StepName
from litellm_tui.actions.upgrade.plan import Planned
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.guarded_work import begin_beside
from litellm_tui.ui.screens.question import Question
from litellm_tui.ui.screens.upgrade_plan import plan_paragraphs
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.choice import Choice
from litellm_tui.ui.widgets.lines import Lines, Row
from litellm_tui.ui.widgets.unit_name import UnitName

Way = Literal["rehearse", "apply", "back"]
_CHANGED: Final[tuple[StepName, ...]] = ("preflight", "backup", "exchange", "restart", "proof")
_FORTH: Final[dict[Way, tuple[StepName, ...]]] = {
    "rehearse": ("install", "rehearsal"),
    "apply": ("install", "rehearsal", *_CHANGED),
    "back": _CHANGED,
}
_ENDED: Final[dict[Result, str]] = {"applied": "strong", "rolled back": "warn", "refused": "bad", "failed": "bad"}


class ReleaseField(Input):
    """The release to plan for, or the whole tag of an image; empty for the newest that nothing is known against."""

    def __init__(self) -> None:
        super().__init__(
            placeholder="another release, or the tag of an image, then Enter", id="release", compact=True,
            max_length=200, select_on_focus=False,
        )  # fmt: skip
        # a blinking cursor costs 3.6 KB a second
        self.cursor_blink = False


class UpgradeScreen(Question[None]):
    """Opens on Cancel. Closing it ends a rehearsal; what is being applied goes on.

    `plan` makes the plan: for which release ("" for the newest), whether the database was backed up, and whether it is
    for a rehearsal only. `kept` gives the release that was kept, "" where there is none, and `start` begins. What comes
    of that is given to `take`, and `over` says that nothing more will come.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("upgrade")
    YES = "#apply"

    def __init__(
        self,
        view: View,
        plan: Callable[[str, bool, bool], Awaitable[Planned]],
        kept: Callable[[], Awaitable[str]],
        start: Callable[[UpgradeScreen, Way], None],
        cancel: Callable[[], None],
    ) -> None:
        super().__init__()
        self._view, self._plan, self._kept, self._start, self._cancel = view, plan, kept, start, cancel
        self.planned: Planned | None = None
        """What the plan is by now; None while it is made."""
        self._wanted, self._backed_up, self._before = "", False, ""
        self._asked = time.monotonic()
        self._way: Way | None = None
        self._began = 0.0
        self._steps: dict[StepName, Step] = {}
        self._outcome: Outcome | None = None
        self._over = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -restart -upgrade") as box:
            box.border_title = Content("Upgrade LiteLLM")
            yield Lines(id="dialog-lines")
            yield ReleaseField()
            if self._view.profile.production:
                yield UnitName(self._unit, "upgrade")
            with Horizontal(id="dialog-buttons"):
                yield Choice("Cancel", id="cancel")
                yield Choice("Rehearse", id="rehearse")
                yield Choice("Backed up", id="backed-up")
                yield Choice("Apply", id="apply")
                yield Choice("Go back", id="back")

    def on_mount(self) -> None:
        self.set_interval(0.25, self._tick)
        self._buttons()
        self._look()

    @property
    def _unit(self) -> str:
        return self._view.profile.unit.value if self._view.profile.unit else ""

    # --- the plan ----------------------------------------------------------------------------------------------

    def _look(self, *, rehearsal: bool = False) -> None:
        self.planned, self._asked = None, time.monotonic()
        self._buttons()
        self.fill()
        begin_beside(self, partial(self._planned, rehearsal), "plan", "plan", exclusive=True)

    async def _planned(self, rehearsal: bool) -> None:
        self._before = await self._kept()
        # an index may take minutes, and whoever goes back needs none
        self._buttons()
        self.fill()
        planned = await self._plan(self._wanted, self._backed_up, rehearsal)
        self.planned = planned
        if rehearsal and self._way is None and not planned.plan.refusals:
            self._begin("rehearse")
            return
        self._buttons()
        self.fill()

    def _buttons(self) -> None:
        """Those that do something now."""
        plan, asks = (self.planned.plan if self.planned else None), self._way is None
        there = {
            "release": asks,
            "rehearse": asks and plan is not None and bool(plan.after),
            "apply": asks and plan is not None and bool(plan.after) and not plan.refusals,
            "backed-up": asks and plan is not None and bool(plan.database) and not self._backed_up,
            "back": asks and bool(self._before),
        }
        for name, shown in there.items():
            self.query_one(f"#{name}").display = shown
        if plan is not None and plan.after:
            self.label("#apply", f"Go to {plan.after}")
        self.label("#back", f"Back to {self._before}")
        self.say_how()

    @on(Input.Submitted, "#release")
    def _named_release(self, event: Input.Submitted) -> None:
        # it answers nothing
        event.prevent_default()
        self._wanted = event.value.strip()
        self.query_one("#cancel").focus()
        self._look()

    @on(Button.Pressed, "#backed-up")
    def _is_backed_up(self) -> None:
        if self.could_be_read:
            self._backed_up = True
            self.query_one("#cancel").focus()
            self._look()

    # --- what is pressed ---------------------------------------------------------------------------------------

    @on(Button.Pressed, "#cancel")
    def action_leave(self) -> None:
        """Leave it; what is being applied goes on."""
        if self._way == "rehearse" and not self._over:
            self._cancel()
        self.dismiss(None)

    @on(Button.Pressed, "#rehearse")
    def action_rehearse(self) -> None:
        """Try the release beside the one that runs: an unapplied change and the database do not speak against that."""
        if self.could_be_read and self._way is None and self.planned is not None and self.planned.plan.after:
            self._look(rehearsal=True)

    @on(Button.Pressed, "#apply")
    def _apply(self) -> None:
        if self._answered and self.planned is not None and not self.planned.plan.refusals:
            self._begin("apply")

    @on(Button.Pressed, "#back")
    def _go_back(self) -> None:
        if self._answered:
            self._begin("back")

    @property
    def _answered(self) -> bool:
        """Whether the question could be read, and the name was typed where that is wanted."""
        if not self.could_be_read or self._way is not None:
            return False
        if not self.named:
            self.ask_for_name()
        return self.named

    def action_scroll_lines(self, pages: int) -> None:
        """A plan may be longer than the screen."""
        self.query_one(Lines).action_page(pages)

    def _begin(self, way: Way) -> None:
        self._way, self._began = way, time.monotonic()
        for field in self.query(UnitName):
            field.display = False
        self.label("#cancel", "End it" if way == "rehearse" else "Hide (it goes on)")
        self._buttons()
        self.query_one("#cancel").focus()
        self._start(self, way)
        self.fill()

    # --- the progress ------------------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        """Show one event of it."""
        if isinstance(event, Outcome):
            self._outcome = event
        else:
            self._steps[event.name] = event
        self.fill()

    def over(self) -> None:
        """Nothing more will come."""
        self._over = True
        self.label("#cancel", "Close")
        self.fill()

    def _tick(self) -> None:
        if self.planned is None or (self._way is not None and not self._over):
            self.fill()

    def rows(self, width: int) -> list[Row]:
        """The plan, or how far it is."""
        found = self._question() if self._way is None else self._progress(self._way)
        return to_rows([(name, self._view.redact(text), style) for name, text, style in found], width)

    def _question(self) -> Iterator[Paragraph]:
        yield "service", f"{self._unit} ({self._view.profile.place})", "strong"
        if self.planned is None:
            # an index may take a minute
            seconds = f"{time.monotonic() - self._asked:.0f} s"
            yield "plan", f"looking at what is installed, and at what the index of this machine has: {seconds}", "quiet"
        else:
            yield from plan_paragraphs(self.planned.plan)
        if self._before:
            yield "kept", f"LiteLLM {self._before}, which ran before", "ok"
        if self.planned is None:
            return
        if self._backed_up:
            yield "backup", "the database is backed up, as you say", "ok"
        if self.planned.plan.after:
            yield "", "", ""
            yield (
                "",
                "A rehearsal (r) starts it beside the gateway that serves, and changes nothing of that. Applied, it is "
                "rehearsed first; requests are refused while it restarts; what does not prove itself is taken back.",
                "quiet",
            )

    def _progress(self, way: Way) -> Iterator[Paragraph]:
        outcome, signs = self._outcome, self._view.signs
        if outcome is not None:
            yield outcome.result, outcome.text, _ENDED[outcome.result]
        elif self._over and way == "rehearse":
            yield "passed", "it starts beside the one that runs, and is proved; nothing of that was changed", "strong"
        elif self._over:
            yield "ended", "how it ended is not known: R says where it stands", "warn"
        yield from self._time(outcome)
        yield "", "", ""
        names = (*_FORTH[way], *(BACK if any(step in self._steps for step in BACK) else ()))
        for name in names:
            step = self._steps.get(name)
            if step is None:
                yield name, f"{signs.states['idle']}", "quiet"
            elif step.took is None:
                yield name, f"{signs.states['unproven']} {step.detail}" if not self._over else "not reached", "strong"
            else:
                sign = signs.states["serving" if step.ok else "failing"]
                yield name, f"{sign} {step.took:5.1f} s  {step.detail}", "ok" if step.ok else "bad"
        if outcome is not None and outcome.log:
            yield "the log says", "", "head"
            yield from (("", line, "ok") for line in outcome.log)
        # below the steps, all of which are to be seen at once
        for name in names:
            step = self._steps.get(name)
            for number, note in enumerate(step.notes if step is not None else ()):
                yield from (("", "", ""),) if not number else ()
                yield name if not number else " ", note, "quiet"

    def _time(self, outcome: Outcome | None) -> Iterator[Paragraph]:
        """How long it takes, or took, and for how long there was no answer."""
        if outcome is None:
            if not self._over:
                yield "total", f"{time.monotonic() - self._began:5.1f} s", "quiet"
            return
        down = f", {outcome.downtime:.1f} s without an answer" if outcome.downtime is not None else ""
        yield "total", f"{outcome.took:5.1f} s{down}" if outcome.took else "", "quiet"
