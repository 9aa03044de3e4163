"""A row per deployment: group, model, state with its age, whether it is listed, limits, and what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from litellm_tui.analysis.latest import latest
from litellm_tui.analysis.phrases import coarse_age
from litellm_tui.model.diagnosis import Deployment, Place, Verdict
from litellm_tui.model.failures import Crashed
from litellm_tui.ui.detail import Paragraph, deployment_paragraphs, to_rows
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.header import SEVERITY_STYLES, STYLES
from litellm_tui.ui.widgets.lines import LazyRows, Row, Span, cell


class _Columns(NamedTuple):
    group: int
    model: int
    api_base: int
    state: int
    seen: int
    listed: int
    limits: int


class Models(Pane):
    """Every deployment of the file and of the router."""

    def freshness(self, view: View) -> tuple[str, bool]:
        return view.freshness(view.snapshot.gateway.deployments, view.snapshot.gateway.groups)

    def rows(self, view: View, width: int) -> Sequence[Row]:
        deployments = view.diagnosis.deployments
        if not deployments:
            return [Row(((f"  {_why_empty(view)}", "unknown"),))]
        columns = _columns(deployments, width)
        broken, notes = _broken(view, width), _notes(view)
        above = [*broken, _head(columns)]

        def row(number: int) -> Row:
            place = number - len(above)
            if place < 0:
                return above[number]
            if place >= len(deployments):
                return notes[place - len(deployments)]
            repeated = place > 0 and deployments[place - 1].group == deployments[place].group
            return _row(deployments[place], columns, view, repeated=repeated)

        return LazyRows(
            [*("" for _ in above), *(deployment.key for deployment in deployments), *("" for _ in notes)], row
        )

    def key_of(self, place: Place, view: View) -> str:
        if place.kind == "group":
            return next((row.key for row in view.diagnosis.deployments if row.group == place.key), "")
        return super().key_of(place, view)

    def concerned(self, view: View) -> Sequence[Deployment]:
        return [row for row in view.diagnosis.deployments if row.key == self.lines.selected]

    def sheet(self, key: str, view: View) -> tuple[str, Callable[[], Iterable[Paragraph]]] | None:
        chosen = next((row for row in view.diagnosis.deployments if row.key == key), None)
        if chosen is None:
            return None
        return f"{chosen.group} · {chosen.model}", lambda: deployment_paragraphs(chosen, view)


@latest
def _longest_of(deployments: Sequence[Deployment]) -> tuple[int, int, int]:
    """The cells that the longest group, model and address take."""
    names = ((d.group for d in deployments), (d.model for d in deployments), (_address(d) for d in deployments))
    group, model, address = map(_longest, names)
    return group, model, address


def _columns(deployments: Sequence[Deployment], width: int) -> _Columns:
    """Column widths: the narrow ones are fixed, the names share what is left by what they need."""
    longest = _longest_of(deployments)
    limits = 15 if width >= 110 and any(d.rpm or d.tpm for d in deployments) else 0
    seen, listed = (7, 5) if width >= 56 else (0, 0)
    left = width - 3 - seen - listed - limits
    group = min(longest[0], max(12, left * 30 // 100)) + 1
    model = min(longest[1], max(12, left * 30 // 100)) + 1 if width >= 64 else 0
    room = left - group - model - 28
    api_base = min(longest[2], room) + 1 if width >= 100 and room >= 12 else 0
    return _Columns(group, model, api_base, max(8, left - group - model - api_base), seen, listed, limits)


def _address(deployment: Deployment) -> str:
    return (deployment.api_base or "").removeprefix("http://")


def _longest(names: Iterable[str]) -> int:
    return max((len(name) if name.isascii() else cell_len(name) for name in names), default=0)


def _head(columns: _Columns) -> Row:
    names = ("group", "model", "api_base", "state", "seen", " /v1", "rpm / tpm")
    right = ("seen", "rpm / tpm")
    cells = (cell(name, width, right=name in right) for name, width in zip(names, columns, strict=True) if width)
    return Row((("   " + "".join(cells), "head"),))


def _row(deployment: Deployment, columns: _Columns, view: View, *, repeated: bool) -> Row:
    verdict = deployment.verdict
    style = "mark" if verdict.pending else STYLES[verdict.severity]
    calm = verdict.severity in ("ok", "quiet", "unknown")
    sign = view.signs.changed if verdict.pending else view.signs.states[verdict.state]
    group = "" if repeated else deployment.group
    spans: list[Span] = [
        (f" {sign} ", style),
        (cell(group, columns.group - 1) + " ", "ok" if calm else "strong"),
    ]
    if columns.model:
        spans.append((cell(deployment.model, columns.model - 1) + " ", "quiet"))
    if columns.api_base:
        spans.append((cell(_address(deployment), columns.api_base - 1) + " ", "quiet"))
    words = _words(verdict, columns.state)
    if deployment.differences:
        spans.append((f"{view.signs.changed} ", "mark"))
        words = "; ".join(deployment.differences) if verdict.state == "serving" else words
        style = "mark" if verdict.state == "serving" else style
    room = columns.state - (2 if deployment.differences else 0)
    if deployment.findings:
        worst = deployment.findings[0]
        spans.append((f"{view.signs.finding} ", SEVERITY_STYLES[worst.severity]))
        room -= 2
        words = f"{words}; {worst.title}" if words == "serving" or verdict.severity == "quiet" else words
    spans.append((cell(words, room), style))
    if columns.seen:
        seen = coarse_age(view.now - verdict.seen_at) if verdict.seen_at else ""
        listed = {True: "yes", False: "NO", None: ""}[deployment.listed]
        spans.append((cell(seen, columns.seen, right=True), "quiet"))
        spans.append((" " + cell(listed, columns.listed - 1), "bad" if deployment.listed is False else "quiet"))
    if columns.limits:
        limits = f"{_short(deployment.rpm)} / {_short(deployment.tpm)}" if deployment.rpm or deployment.tpm else ""
        spans.append((cell(limits, columns.limits, right=True), "quiet"))
    return Row(tuple(spans), deployment.key)


def _words(verdict: Verdict, room: int) -> str:
    """State and cause, as much of them as there is room for: `refused`, then `failing: refused: the whole reason`."""
    if verdict.contradiction and verdict.severity == "ok":
        return f"{verdict.state}; the health report is wrong"
    if verdict.state in ("serving", "unknown") or verdict.severity == "ok" or not verdict.reason:
        return verdict.state
    whole = f"{verdict.state}: {verdict.reason}"
    if len(whole) <= room or not verdict.brief:
        return whole
    return verdict.reason if verdict.state == "failing" and room > 30 else f"{verdict.state}: {verdict.brief}"


def _broken(view: View, width: int) -> list[Row]:
    """That the file is broken, above what is shown in its place."""
    error = view.snapshot.configuration.error
    if not error:
        return []
    return to_rows([("", f"the file is broken, its last good state is shown: {error}", "bad")], width)


def _notes(view: View) -> list[Row]:
    notes = []
    if view.diagnosis.health_note:
        notes.append(("unknown", f"health: {view.diagnosis.health_note}"))
    asked = view.snapshot.gateway
    for name, reading in (("models", asked.deployments), ("names", asked.groups), ("router", asked.router)):
        if isinstance(reading.failure, Crashed):
            notes.append(("unknown", f"{name}: {reading.failure.why}"))
    file = view.snapshot.configuration.current
    if view.snapshot.configuration.failure:
        notes.append(("unknown", f"file: {view.snapshot.configuration.failure.why}"))
    if file is None and view.snapshot.configuration.why_unwatched:
        notes.append(("unknown", f"file: {view.snapshot.configuration.why_unwatched}"))
    return [Row(((f"   {text}", style),)) for style, text in notes]


def _why_empty(view: View) -> str:
    configuration = view.snapshot.configuration
    if configuration.error:
        return str(configuration.error)
    failure = (
        configuration.failure or view.snapshot.gateway.deployments.failure or view.snapshot.gateway.liveliness.failure
    )
    if failure:
        return failure.why
    if view.snapshot.gateway.deployments.value is not None:
        return "the proxy runs without any deployment"
    return "looking"


def _short(number: int | None) -> str:
    if number is None:
        return "-"
    for limit, unit in ((1_000_000, "M"), (10_000, "k")):
        if number >= limit:
            return f"{number / (1_000_000 if unit == 'M' else 1000):.3g}{unit}"
    return str(number)
