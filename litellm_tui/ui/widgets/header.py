"""The header: which gateway, the state in a sentence, and the next step."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.geometry import Region

from litellm_tui.analysis.records import Severity
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import Lines, Row, Span, cell

STYLES: dict[Severity, str] = {"ok": "ok", "quiet": "quiet", "warn": "warn", "bad": "bad", "unknown": "unknown"}


class Header(Lines, can_focus=False):
    """Fixed in height, so that nothing below it jumps: identity, sentence (two lines when narrow), advice."""

    def __init__(self) -> None:
        super().__init__(id="header")
        self._clock = ""
        self._identity = ""

    def draw(self, view: View) -> None:
        """Show this view."""
        width, height = self.size.width, self.size.height
        if not width:
            return
        headline = view.diagnosis.headline
        self._identity = _identity(view)
        dot = f" {view.signs.dot} "
        spans: list[Span] = [(f" {headline.word} ", f"word-{headline.severity}")]
        for number, part in enumerate(headline.parts):
            spans += [(dot if number else " ", "quiet"), (part.text, STYLES[part.severity])]
        lines = wrap(spans, width, max(1, height - 2))
        rows = [self._top(width), *(Row(tuple(line)) for line in lines)]
        rows += [Row(()) for _ in range(height - 1 - len(rows))]
        advice = f" {view.signs.arrow} {headline.advice}" if headline.advice else ""
        rows.append(Row(((cell(advice, width), "strong"),)))
        self.show(rows[:height])

    def tick(self, clock: str) -> None:
        """Move the clock on without looking at anything else."""
        self._clock = clock
        if self._rows:
            self._rows = (self._top(self.size.width), *self._rows[1:])
            self.refresh(Region(self.size.width - len(clock) - 1, 0, len(clock), 1))

    def _top(self, width: int) -> Row:
        room = max(0, width - len(self._clock) - 2)
        return Row(((cell(f" {self._identity}", room), "quiet"), (f" {self._clock} ", "quiet")))


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
    words = [profile.host, profile.address, f"LiteLLM {version}" if version else "LiteLLM"]
    if profile.unit:
        words.append(f"{profile.unit.value} ({profile.scope})")
    if profile.name not in ("discovered", "demo"):
        words.insert(0, profile.name)
    if profile.name == "demo":
        words.insert(0, "SIMULATION")
    return f" {view.signs.dot} ".join(words)
