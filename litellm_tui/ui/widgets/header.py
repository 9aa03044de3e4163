"""The header: which gateway, the state in a sentence, and the next step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from litellm_tui.analysis.phrases import age
from litellm_tui.model.audit import Severity as FindingSeverity
from litellm_tui.model.diagnosis import Part, Severity
from litellm_tui.model.service_kinds import Kubernetes
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import Lines, Row, Span, cell

STYLES: dict[Severity, str] = {"ok": "ok", "quiet": "quiet", "warn": "warn", "bad": "bad", "unknown": "unknown"}
SEVERITY_STYLES: dict[FindingSeverity, str] = {"fatal": "bad", "error": "bad", "warning": "warn", "advice": "quiet"}

# before the header becomes lower again
CALM_SECONDS: Final = 60.0


class Clock(Lines, can_focus=False):
    """The time, in a widget of its own: a widget's line is repainted whole, and this one changes every second."""

    def tick(self, clock: str) -> None:
        """Show this time."""
        self.show([Row(((clock, "quiet"),))])


class Identity(Lines, can_focus=False):
    """Host, address, version and unit, so that one knows which gateway is spoken of."""

    def draw(self, view: View) -> None:
        """Show this view."""
        if self.room:
            marks = "".join(f" {word} " for word in _marks(view))
            # two cells are left before the clock
            room = max(0, self.room - 2)
            shown = cell(marks, min(len(marks), room))
            self.show([Row(((shown, "word-bad"), (cell(f" {_identity(view)}", room - len(shown)), "quiet")))])


class Sentence(Lines, can_focus=False):
    """The state in a sentence, and the next step below it, or for how long there has been none."""

    _view: View | None = None

    def clicked(self, number: int, twice: bool) -> None:
        """What is wrong stands in the problems."""
        self.call_later(self.run_action, "app.problems")

    def laid_out(self) -> None:
        super().laid_out()
        if self._view:
            self.draw(self._view)

    def draw(self, view: View) -> None:
        """Show this view."""
        self._view = view
        if self.room:
            self.show(sentence_rows(view, self.room, self.size.height))


def sentence_rows(view: View, width: int, most: int) -> list[Row]:
    """At most so many rows. Where they do not hold all, the uptime falls out first, then what else is well.

    The last row is the next step's. Without one it says for how long all was well, and takes what the others do not
    hold.
    """
    headline = view.diagnosis.headline
    parts, lines = list(headline.parts), max(1, most - 1)
    below = [Row(((cell(f" {view.signs.arrow} {headline.advice}", width), "strong"),))] if headline.advice else []
    calm = _calm(view)
    if not headline.advice and not _fits(view, parts, width, lines):
        lines = max(1, most)
        parts += [Part(calm, "quiet")] if calm else []
    elif not headline.advice and calm:
        below = [Row(((cell(f" {calm}", width), "quiet"),))]
    while not _fits(view, parts, width, lines):
        well = [place for place, part in enumerate(parts) if place and part.severity in ("ok", "quiet")]
        if not well:
            break
        del parts[well[-1]]
    return [*(Row(tuple(line)) for line in wrap(_spans(view, parts), width, lines)), *below]


def _fits(view: View, parts: Sequence[Part], width: int, lines: int) -> bool:
    return len(wrap(_spans(view, parts), width, lines + 1)) <= lines


def _spans(view: View, parts: Sequence[Part]) -> list[Span]:
    headline = view.diagnosis.headline
    spans: list[Span] = [(f" {headline.word} ", f"word-{headline.severity}")]
    for number, part in enumerate(parts):
        spans += [(f" {view.signs.dot} " if number else " ", "quiet"), (part.text, STYLES[part.severity])]
    return spans


def _calm(view: View) -> str:
    """For how long no problem was seen."""
    calm = view.now - view.calm_since if view.calm_since is not None else 0.0
    return f"no problem for {age(calm)}" if calm >= 60 else ""


class Header(Vertical):
    """The first lines of the screen."""

    def __init__(self) -> None:
        super().__init__(id="header")
        # not found by a query each time: the clock ticks all day
        self._identity, self._clock, self._sentence = Identity(), Clock(id="clock"), Sentence()
        self._height, self._needed_at = 0, 0.0

    def compose(self) -> ComposeResult:
        with Horizontal(id="header-top"):
            yield self._identity
            yield self._clock
        yield self._sentence

    def draw(self, view: View) -> None:
        """Show this view."""
        self._fit(view)
        for part in (self._identity, self._sentence):
            # this may be asked while the screen is being taken down, and the parts are gone before the whole
            if part.is_attached:
                part.draw(view)

    def _fit(self, view: View) -> None:
        """As high as what is said, at once; lower only when that was so for a while, so that nothing jumps."""
        if not self.size.width:
            return
        tall = self.screen.has_class("-tall") or self.screen.has_class("-narrow")
        wanted = 1 + max(1, len(sentence_rows(view, self.size.width, 3 if tall else 2)))
        if wanted >= self._height:
            self._needed_at = view.now
        if wanted > self._height or (wanted < self._height and view.now - self._needed_at > CALM_SECONDS):
            self._height = wanted
            self.styles.height = wanted

    def tick(self, clock: str) -> None:
        """Move the clock on."""
        if self._clock.is_attached:
            self._clock.tick(clock)


def _marks(view: View) -> Iterator[str]:
    """What must be known of a gateway before anything is pressed."""
    if view.profile.production:
        yield "PRODUCTION"
    if view.profile.read_only:
        yield "READ-ONLY"


def wrap(spans: Sequence[Span], width: int, most: int) -> list[list[Span]]:
    """Spans broken between spans into at most `most` lines of `width` cells; what is left over ends in an ellipsis."""
    lines: list[list[Span]] = [[]]
    used = 0
    for text, style in spans:
        if used + cell_len(text) > width and lines[-1] and len(lines) < most and text.strip():
            lines.append([("   ", "quiet")])
            used = 3
        lines[-1].append((text, style))
        used += cell_len(text)
    return [_fit(line, width) for line in lines]


def _fit(line: list[Span], width: int) -> list[Span]:
    fitted: list[Span] = []
    for text, style in line:
        room = width - sum(cell_len(t) for t, _ in fitted)
        if cell_len(text) > room:
            fitted.append((cell(text, room), style))
            break
        fitted.append((text, style))
    return fitted


def _identity(view: View) -> str:
    profile, gateway = view.profile, view.snapshot.gateway
    version = gateway.readiness.value.version if gateway.readiness.value else None
    cluster = profile.service if isinstance(profile.service, Kubernetes) else None
    host = f"{cluster.context}/{cluster.namespace}" if cluster and cluster.context else profile.host
    words = [host, profile.address, f"LiteLLM {version}" if version else "LiteLLM"]
    if profile.unit:
        words.append(f"{profile.unit.value} ({profile.place})")
        if profile.discovery is not None:
            words.append(profile.unit.source)
    named = profile.name if profile.name != "discovered" else ""
    return f" {view.signs.dot} ".join(word for word in (view.title, named, *words) if word)
