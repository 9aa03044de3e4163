"""The table of deployments: its columns by what there is room for, its head and its rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len

from litellm_tui.analysis.health.headline import sparkline
from litellm_tui.analysis.health.request_counts import MINUTES, by_minute
from litellm_tui.analysis.latest import latest
from litellm_tui.analysis.phrases import coarse_age
from litellm_tui.model.diagnosis import Deployment, Verdict
from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.signs import Signs
from litellm_tui.ui.view import Known, View
from litellm_tui.ui.widgets.header import SEVERITY_STYLES, STYLES
from litellm_tui.ui.widgets.lines import Row, Span, cell, middle

STATE: Final = 22
_MARKS: Final = 3
# what an order is called in the head of its column
HEADS: Final = {"name": "group", "trouble": "state", "requests": "req/min", "errors": "failed", "latency": "probe"}


class Columns(NamedTuple):
    """The cells of each column; 0 leaves it out."""

    group: int
    model: int
    api_base: int
    state: int
    rate: int
    failed: int
    latency: int
    bars: int
    seen: int


@latest
def _longest_of(deployments: Sequence[Deployment]) -> tuple[int, int, int, int]:
    """The cells that the longest group, model, address and rate take."""
    rates = (rate_words(d) for d in deployments)
    names = ((d.group for d in deployments), (d.model for d in deployments), (address(d) for d in deployments), rates)
    group, model, base, rate = (max((cell_len(drawable(name)) for name in one), default=0) for one in names)
    return group, model, base, rate


def columns_of(deployments: Sequence[Deployment], width: int, chosen: Collection[str] | None = None) -> Columns:
    """Column widths: figures are fixed, the names share what is left by what they need.

    `chosen` are the columns besides group and state, by their names in the settings; None for all that have room.
    """

    def wanted(name: str) -> bool:
        return chosen is None or name in chosen

    longest = _longest_of(deployments)
    counted = any(d.ok is not None or d.failed is not None for d in deployments)
    rate = max(8, longest[3] + 1) if counted and width >= 64 and wanted("requests") else 0
    failed = 7 if counted and width >= 46 and wanted("failed") else 0
    bars = MINUTES + 1 if counted and width >= 76 and wanted("chart") else 0
    probed = any(d.probe and d.probe.ok for d in deployments)
    latency = 8 if width >= 100 and probed and wanted("latency") else 0
    seen = 7 if width >= 90 and wanted("seen") else 0
    state = min(STATE, max(10, width * 2 // 5))
    left = width - _MARKS - rate - failed - latency - bars - seen - state
    group = min(longest[0] + 1, max(10, left * 55 // 100)) if width >= 56 else min(longest[0] + 1, max(8, left))
    model = min(longest[1] + 1, left - group) if left - group >= 8 and wanted("model") else 0
    room = left - group - model
    base = min(longest[2] + 1, room) if room >= 12 and longest[2] and wanted("address") else 0
    # what nothing else needs goes to the names that were cut, then to the state
    spare = left - group - model - base
    more = min(spare, max(0, longest[0] + 1 - group))
    return Columns(group + more, model, base, state + spare - more, rate, failed, latency, bars, seen)


def address(deployment: Deployment) -> str:
    """Where it is, without the scheme."""
    return (deployment.api_base or "").removeprefix("http://").removeprefix("https://")


def head_row(columns: Columns, order: str, signs: Signs) -> Row:
    """The names of the columns; the one that the rows are ordered by is marked."""
    names = ("group", "model", "api_base", "state", "req/min", "failed", "probe", " 5 min", "seen")
    right = ("req/min", "failed", "probe", "seen")
    spans: list[Span] = [("   ", "head")]
    for name, width in zip(names, columns, strict=True):
        if not width:
            continue
        ordered = name == HEADS[order]
        words = f"{name}{signs.ordered}" if ordered else name
        spans.append((cell(words, width, right=name in right), "head-strong" if ordered else "head"))
    return Row(tuple(spans))


def model_row(deployment: Deployment, columns: Columns, view: View, *, repeated: bool) -> Row:
    """One deployment; the name of a group stands in its first row only."""
    known = view.known.get(deployment.key) if deployment.verdict.state == "unknown" else None
    verdict = known.verdict if known else deployment.verdict
    style = "unknown" if known else "mark" if verdict.pending else STYLES[verdict.severity]
    calm = known is not None or verdict.severity in ("ok", "quiet", "unknown")
    sign = view.signs.changed if verdict.pending else view.signs.states[deployment.verdict.state]
    spans: list[Span] = [
        (f" {sign} ", style),
        (middle("" if repeated else deployment.group, columns.group - 1) + " ", "ok" if calm else "strong"),
    ]
    if columns.model:
        spans.append((middle(deployment.model, columns.model - 1) + " ", "quiet"))
    if columns.api_base:
        spans.append((middle(address(deployment), columns.api_base - 1) + " ", "quiet"))
    room = columns.state
    marks: list[Span] = []
    if deployment.differences and not verdict.pending:
        marks.append((f"{view.signs.changed} ", "mark"))
    if deployment.findings:
        marks.append((f"{view.signs.finding} ", SEVERITY_STYLES[deployment.findings[0].severity]))
    room -= 2 * len(marks) + 1
    spans += [*marks, (cell(state_words(deployment, known), room) + " ", style)]
    spans += _traffic(deployment, columns, view)
    if columns.seen:
        seen = coarse_age(view.now - verdict.seen_at) if verdict.seen_at and known is None else ""
        if known is not None:
            # it is past, however lately
            seen = coarse_age(max(20.0, view.now - known.at))
        spans.append((cell(seen, columns.seen, right=True), "quiet"))
    return Row(tuple(spans), deployment.key)


def _traffic(deployment: Deployment, columns: Columns, view: View) -> Iterable[Span]:
    # what is not counted against it is grey
    counts = deployment.verdict.severity in ("warn", "bad")
    failed, minutes = deployment.failed, by_minute(deployment.steps, view.now, 1)
    lost = by_minute(deployment.steps, view.now, 2)
    if columns.rate:
        yield cell(rate_words(deployment), columns.rate, right=True), "ok" if deployment.ok else "quiet"
    if columns.failed:
        words = "" if failed is None else f"{failed:,}" if failed else "-"
        yield cell(words, columns.failed, right=True), "bad" if failed and counts else "quiet"
    if columns.latency:
        probe = deployment.probe
        words = f"{probe.took:.1f} s" if probe and probe.ok else ""
        yield cell(words, columns.latency, right=True), "quiet"
    if columns.bars:
        every = [answered + failing for answered, failing in zip(minutes, lost, strict=True)]
        yield f" {sparkline(every) if any(every) else ' ' * MINUTES}", "bad" if lost[-1] and counts else "quiet"


def rate_words(deployment: Deployment) -> str:
    """Requests a minute over five minutes, of its limit where it has one: `412/600`; empty where they are not seen."""
    if deployment.ok is None:
        return ""
    asked = (deployment.ok + (deployment.failed or 0)) / MINUTES
    words = "< 1" if 0 < asked < 1 else f"{asked:,.0f}" if asked else "-"
    return f"{words}/{deployment.rpm:,}" if deployment.rpm else words


def state_words(deployment: Deployment, known: Known | None = None) -> str:
    """State and cause in a few words; that its group is not listed, and what was known before nothing was."""
    verdict = known.verdict if known else deployment.verdict
    words = _brief(verdict)
    if deployment.listed is False and not known:
        return f"not in /v1, {words}" if verdict.severity in ("ok", "quiet") else words
    return f"was {words}" if known else words


def _brief(verdict: Verdict) -> str:
    if verdict.severity == "ok" or not verdict.brief or verdict.brief == verdict.state:
        return verdict.state
    if verdict.pending:
        return verdict.brief
    return f"{verdict.state}: {verdict.brief}"
