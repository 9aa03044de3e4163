"""The same charts as a drawing for a report: SVG 1.1 with nothing in it that is fetched or run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from html import escape
from typing import Final

from litellm_tui.analysis.history.axis import SIGNS, clock_of, ticks
from litellm_tui.analysis.history.panels import Panel, panel_words
from litellm_tui.analysis.history.spans import Interval
from litellm_tui.model.history import Event

WIDTH: Final = 960
COLUMNS: Final = 440
_LEFT: Final = 20
_TOP: Final = 34
_PANEL: Final = 96
_CURVE: Final = 66
_AXIS: Final = 52
_COLORS: Final = {"bad": "#c62828", "warn": "#b26a00", "strong": "#1f4e9e", "ok": "#3f6f5f"}
_MARKS: Final = {"bad": "#c62828", "warn": "#b26a00", "unknown": "#777777", "ok": "#1f4e9e", "quiet": "#777777"}
_LONGEST: Final = 200


def svg_of(
    title: str,
    panels: Sequence[Panel],
    events: Iterable[Event],
    unwatched: Sequence[Interval],
    span: Interval,
    zone: tzinfo | None = None,
) -> str:
    """The document; each mark tells what it is where a pointer rests on it."""
    height = _TOP + max(1, len(panels)) * _PANEL + _AXIS
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12" fill="#333333">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="20" font-size="14" font-weight="bold">{_text(title)}</text>',
    ]
    bottom = height - _AXIS
    for begin, end in unwatched:
        left, right = _x(begin, span), _x(end, span)
        lines.append(
            f'<rect x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}" height="{bottom - _TOP}" fill="#eeeeee">'
            f"<title>nobody looked</title></rect>"
        )
    for number, panel in enumerate(panels):
        lines += _curve(panel, _TOP + number * _PANEL)
    if not panels:
        lines.append(f'<text x="{_LEFT}" y="{_TOP + 40}">nothing was recorded in this time</text>')
    lines += _marks(events, span, bottom, zone)
    lines += _axis(span, bottom, zone)
    return "\n".join([*lines, "</svg>", ""])


def _curve(panel: Panel, top: float) -> Iterator[str]:
    color = _COLORS.get(panel.kind.style, _COLORS["ok"])
    words = f"{panel.kind.words}: {panel_words(panel)}"
    yield f'<text x="{_LEFT}" y="{top + 16}">{_text(words)}</text>'
    ground = top + 22 + _CURVE
    yield f'<path d="M{_LEFT} {ground}H{WIDTH - _LEFT}" stroke="#cccccc"/>'
    most = 100.0 if panel.kind.how == "share" else panel.most
    step = (WIDTH - 2 * _LEFT) / len(panel.columns)
    parts = []
    for column, value in enumerate(panel.columns):
        if value is not None and value > 0 and most > 0:
            tall = max(1.0, value / most * _CURVE)
            parts.append(f"M{_LEFT + column * step:.1f} {ground}v{-tall:.1f}h{step:.2f}v{tall:.1f}z")
    yield f'<path d="{"".join(parts)}" fill="{color}"/>'


def _marks(events: Iterable[Event], span: Interval, bottom: float, zone: tzinfo | None) -> Iterator[str]:
    clock = clock_of(span, zone)
    for event in events:
        if event.kind not in SIGNS or not span[0] <= event.at <= span[1]:
            continue
        x, color = _x(event.at, span), _MARKS[event.severity]
        words = _text(": ".join(filter(None, (f"{clock(event.at)} {event.title}", event.cause))))
        yield (
            f'<g><title>{words}</title><path d="M{x:.1f} {_TOP}V{bottom}" stroke="{color}" stroke-width="0.7" '
            f'stroke-dasharray="2 3"/><text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle" font-weight="bold" '
            f'fill="{color}">{SIGNS[event.kind]}</text></g>'
        )


def _axis(span: Interval, bottom: float, zone: tzinfo | None) -> Iterator[str]:
    yield f'<path d="M{_LEFT} {bottom}H{WIDTH - _LEFT}" stroke="#333333"/>'
    for tick in ticks(*span, 10, zone):
        x = _x(tick.at, span)
        yield f'<path d="M{x:.1f} {bottom}v4" stroke="#333333"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 30}" text-anchor="middle" fill="#777777">{tick.words}</text>'
    legend = "R start · X down or ended · A applied · U upgrade · s saved · ! problem · grey: nobody looked"
    yield f'<text x="{_LEFT}" y="{bottom + 46}" fill="#777777" font-size="11">{legend}</text>'


def _x(at: float, span: Interval) -> float:
    share = (min(max(at, span[0]), span[1]) - span[0]) / (span[1] - span[0])
    return _LEFT + share * (WIDTH - 2 * _LEFT)


def _text(text: str) -> str:
    """Text from outside as text: no markup, and no control character, which XML does not know."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return escape(plain[:_LONGEST] + ("…" if len(plain) > _LONGEST else ""))
