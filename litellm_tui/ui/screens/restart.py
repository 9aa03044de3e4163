"""The restart dialog: what will happen, the question, the progress, the result."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import ClassVar, Final, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from litellm_tui.actions.transaction.events import BACK, FORTH, Event, Outcome, Result, Step
from litellm_tui.analysis.change.preflight import PreflightCheck, stands_still
from litellm_tui.analysis.change.proof import CheckName
from litellm_tui.analysis.phrases import count
from litellm_tui.model.diagnosis import Problem
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.guarded_work import begin_beside
from litellm_tui.ui.proof_checklist import checklist, expected_checks
from litellm_tui.ui.screens.question import Question
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.choice import Choice
from litellm_tui.ui.widgets.header import STYLES
from litellm_tui.ui.widgets.lines import Lines, Row
from litellm_tui.ui.widgets.unit_name import UnitName

Way = Literal["apply", "finish", "undo"]
_MOST_WORSE: Final = 3
_CHECKED: Final = {"ok": "ok", "note": "warn", "refused": "bad"}
_ENDED: Final[dict[Result, str]] = {"applied": "strong", "rolled back": "warn", "refused": "bad", "failed": "bad"}


class RestartDialog(Question[None]):
    """Opens on Cancel. Closing it while the restart runs leaves the restart running.

    `inspect` makes the preflight. `start` begins: the way to go, and whether a preflight that refuses is passed over.
    `unfinished` is a restart that was interrupted, with the words for where it stood: it must be ended first.
    `rehearse` rehearses alone, in a screen of its own; `rehearsed` says whether a restart does so before anything else.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("restart")
    YES = "#restart, #finish"

    def __init__(
        self,
        view: View,
        inspect: Callable[[], Awaitable[tuple[PreflightCheck, ...]]],
        start: Callable[[RestartDialog, Way, bool], None],
        unfinished: str = "",
        back: bool = False,
        rehearse: Callable[[], None] = lambda: None,
        rehearsed: bool = False,
    ) -> None:
        super().__init__()
        self._view = view
        self._inspect = inspect
        self._start = start
        self._unfinished = unfinished
        self._back = back
        self._rehearse, self._rehearsed = rehearse, rehearsed
        self._checks: tuple[PreflightCheck, ...] | None = None
        self._insisted = False
        self.unrehearsed = False
        """Whether it goes on without a rehearsal: one has shown nothing in its time."""
        self._steps: dict[str, Step] = {}
        self._began = 0.0
        # what is checked, and what was wrong already, when it began
        self._expected: tuple[CheckName, ...] = ()
        self._before: frozenset[str] = frozenset()
        self._outcome: Outcome | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -restart") as box:
            box.border_title = Content(self._order)
            yield Lines(id="dialog-lines")
            if self._view.profile.production:
                yield UnitName(self._view.profile.unit.value if self._view.profile.unit else "", "restart")
            with Horizontal(id="dialog-buttons"):
                yield Choice("Later" if self._unfinished else "Cancel", id="cancel")
                if self._unfinished:
                    yield Choice("Finish it", id="finish")
                    yield Choice("Take it back", id="undo", disabled=not self._back)
                else:
                    yield Choice(self._order, id="restart")
                    yield Choice("Rehearse (r)", id="rehearse")

    def on_mount(self) -> None:
        self.set_interval(0.25, self._tick)
        if not self._unfinished:
            begin_beside(self, self._look, "preflight", "preflight")

    # --- the question ------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        self._checks = await self._inspect()
        if self._recreates:
            self.label("#restart", "Recreate")
        if self._refused:
            self.query_one("#restart", Button).variant = "error"
            self.label("#restart", "Recreate anyway" if self._recreates else f"{self._order} anyway")
        elif self._errors:
            order = "Recreate" if self._recreates else self._order
            self.label("#restart", f"{order} with {count(self._errors, 'error')}")
        self.say_how()
        self.fill()

    @property
    def _order(self) -> str:
        """What it does: where nothing runs there is nothing to restart."""
        return "Start" if stands_still(self._view.snapshot.service.value) else "Restart"

    @property
    def _errors(self) -> int:
        """What the audit calls an error: none of it ends the start."""
        audit = self._view.diagnosis.audit
        return sum(finding.severity == "error" for finding in audit.findings) if audit else 0

    @property
    def _recreates(self) -> bool:
        """Whether a restart would not bring in what is written."""
        return any(check.name == "order" for check in self._checks or ())

    @property
    def _refused(self) -> bool:
        return any(check.state == "refused" for check in self._checks or ())

    def action_leave(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#restart")
    def _restart(self) -> None:
        # what it may be about to break must have been on the screen
        if not self.could_be_read or self._checks is None:
            return
        if not self.named:
            self.ask_for_name()
            return
        if self._undecided:
            self.unrehearsed, self._outcome = True, None
            self._steps.clear()
            self._begin("apply")
            return
        if self._refused and not self._insisted:
            self._insisted = True
            self.label("#restart", "Press again")
            self.say_how()
            self.fill()
            return
        self._begin("apply")

    @on(Button.Pressed, "#rehearse")
    def action_rehearse(self) -> None:
        """Leave the question, and rehearse alone: that changes nothing."""
        if self.could_be_read and not self._began and not self._unfinished:
            self.dismiss(None)
            self._rehearse()

    @on(Button.Pressed, "#finish")
    def _finish(self) -> None:
        if self._answered:
            self._begin("finish")

    @on(Button.Pressed, "#undo")
    def _undo(self) -> None:
        if self._answered:
            self._begin("undo")

    @property
    def _answered(self) -> bool:
        """Whether the question could be read, and the name was typed where that is wanted."""
        return self.named and self.could_be_read

    def _begin(self, way: Way) -> None:
        self._began = time.monotonic()
        self._expected, self._before = expected_checks(self._now), frozenset(_wrong(self._now))
        for part in self.query("#restart, #rehearse, #finish, #undo, Input"):
            part.display = False
        self.label("#cancel", "Hide (it goes on)")
        self.query_one("#cancel").focus()
        self.say_how()
        self._start(self, way, self._insisted)
        self.fill()

    # --- the progress ------------------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        """Show one event of the restart."""
        if isinstance(event, Outcome):
            self._outcome = event
            self.label("#cancel", "Close")
            if self._undecided:
                self._ask_again()
        else:
            self._steps[event.name] = event
        self.fill()

    @property
    def _undecided(self) -> bool:
        """Whether it waits for a word because the rehearsal has shown nothing in its time."""
        done = self._outcome.rehearsal if self._outcome is not None and self._outcome.result == "refused" else None
        return done is not None and done.outcome == "not judged"

    def _ask_again(self) -> None:
        self.query_one("#restart").display = True
        self.query_one("#restart", Button).variant = "error"
        self.label("#restart", "Restart all the same")
        self.say_how()

    def _tick(self) -> None:
        # what is worse than before may be seen some seconds after the end
        if self._began:
            self.fill()

    def rows(self, width: int) -> list[Row]:
        """The question, or how far it is."""
        return to_rows(list(self._progress() if self._began else self._question()), width)

    def _question(self) -> Iterator[Paragraph]:
        profile, service = self._view.profile, self._view.snapshot.service.value
        yield "service", f"{profile.unit.value} ({profile.place})" if profile.unit else "", "strong"
        yield "state", f"{service.active_state} ({service.sub_state})" if service else "not known", "ok"
        if self._unfinished:
            yield "", "", ""
            yield "", self._unfinished, "warn"
            yield "", "", ""
            yield "", "Finish it: prove what runs, and roll back when that fails.", "ok"
            if self._back:
                yield "", "Take it back: the configuration that ran before, a restart, and its proof.", "ok"
            return
        if self._checks is None:
            yield "preflight", "looking", "quiet"
            return
        before = ""
        for check in sorted(self._checks, key=lambda check: ("refused", "note", "ok").index(check.state)):
            audited = check.name == "audit" and check.state == "note" and bool(self._errors)
            if audited and before != "audit":
                yield "audit", f"{count(self._errors, 'error')} in the file: a shows them", "bad"
                before = "audit"
            style = "bad" if audited else _CHECKED[check.state]
            yield check.name if check.name != before else " ", check.text, style
            before = check.name
        yield "", "", ""
        kept = "A copy is kept; what does not prove itself is rolled back. " if profile.config else ""
        if self._rehearsed and self._order != "Start":
            yield "", "First it is started beside the gateway that serves: what fails there costs no request.", "quiet"
        cut = "" if self._order == "Start" else "Requests in flight are cut off, and refused until it answers again."
        yield "", f"{kept}{cut}", "quiet"
        if self._insisted:
            yield "", f"Press again to {self._order.lower()} against all that.", "bad"

    @property
    def _now(self) -> View:
        """What is known now, while the console knows anything."""
        view = getattr(self.app, "view", None)
        return view if isinstance(view, View) else self._view

    def new_problems(self, view: View) -> list[Problem]:
        """Those of this view that were not there before it began."""
        return [problem for key, problem in _wrong(view).items() if key not in self._before]

    def _worse(self) -> Iterator[Paragraph]:
        """The problems of now that were not there before it began: how many, and what they are."""
        new = self.new_problems(self._now)
        if new:
            yield " ", f"{count(len(new), 'new problem')}: ! shows them", "bad"
        for problem in new[:_MOST_WORSE]:
            yield " ", f"  {problem.title}: {problem.cause}", STYLES[problem.severity]
        if len(new) > _MOST_WORSE:
            yield " ", f"  and {len(new) - _MOST_WORSE} more", "quiet"

    def _total(self) -> Paragraph:
        """How long it takes, or took, and how long nobody was answered."""
        outcome = self._outcome
        if outcome is None:
            return "total", f"{time.monotonic() - self._began:5.1f} s", "quiet"
        down = f", {outcome.downtime:.1f} s without an answer" if outcome.downtime is not None else ""
        return "total", f"{outcome.took:5.1f} s{down}", "quiet"

    def _progress(self) -> Iterator[Paragraph]:
        if self._outcome is not None:
            # what matters most stands where it is seen on a small screen
            yield self._outcome.result, self._outcome.text, _ENDED[self._outcome.result]
            yield self._total()
            yield from self._worse()
            yield "", "", ""
        else:
            yield self._total()
        names = [*FORTH, *(BACK if any(name in self._steps for name in BACK) else ())]
        signs = self._view.signs
        for name in names:
            step = self._steps.get(name)
            if step is None and name == "rehearsal" and (not self._rehearsed or "backup" in self._steps):
                # where nothing is rehearsed there is nothing to wait for
                continue
            if step is None:
                yield name, f"{signs.states['idle']}", "quiet"
            elif step.took is None:
                # what it waits for stands in the list of its checks, where it has one
                doing = "" if step.checks else step.detail
                going = f"{signs.states['unproven']} {doing}" if self._outcome is None else "not reached"
                yield name, going, "strong"
            else:
                sign = signs.states["serving" if step.ok else "failing"]
                yield name, f"{sign} {step.took:5.1f} s  {step.detail}", "ok" if step.ok else "bad"
            if step is not None and step.checks:
                ended = step.took is not None or self._outcome is not None
                lines = checklist(step.checks, self._expected, signs.states, time.time(), ended=ended)
                # of the proof that led back, what it failed on: the one on the way back is what counts now
                over = name == "proof" and "restore" in self._steps
                yield from (line for line in lines if not over or line[2] == "bad")
        outcome = self._outcome
        if outcome is None:
            return
        if outcome.rejected is not None:
            yield "kept", f"what was rejected is backup {outcome.rejected} (b)", "quiet"
        done = outcome.rehearsal
        refused = done is not None and done.stops and outcome.result == "refused"
        log = done.log if done is not None and refused else outcome.log
        if log:
            yield "it said last" if refused else "the log says", "", "head"
            for line in log:
                yield "", line, "ok"


def told_of(outcome: Outcome, new: Sequence[Problem]) -> str:
    """The end of a restart in a sentence, for who does not see its dialog, with what is worse than before."""
    if not new:
        return f"{outcome.result}: {outcome.text}"
    named = [f"{problem.title}: {problem.cause}" if problem.cause else problem.title for problem in new[:_MOST_WORSE]]
    more = [f"and {len(new) - _MOST_WORSE} more"] if len(new) > _MOST_WORSE else []
    worse = f"{count(len(new), 'new problem')} (! shows them): {'; '.join([*named, *more])}"
    return f"{outcome.result}: {outcome.text} · {worse}"


def _wrong(view: View) -> dict[str, Problem]:
    """The problems that last, by their keys."""
    lasting = (problem for problem in view.diagnosis.problems if problem.solved_at is None)
    return {problem.key: problem for problem in lasting if problem.severity in ("bad", "warn")}
