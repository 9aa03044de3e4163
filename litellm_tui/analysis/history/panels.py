"""Which curves there are of a gateway or a group, and how the record's steps become the columns of a chart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil, floor
from typing import Final, Literal, NamedTuple

import msgspec

from litellm_tui.analysis.history.source import HistorySource
from litellm_tui.analysis.phrases import size
from litellm_tui.model.history import COUNTED, Measure, Series

Name = Literal[
    "requests", "errors", "latency", "first token", "cache", "memory", "tokens", "cost", "answer", "cpu", "database"
]
How = Literal["rate", "share", "worst", "mean"]


class PanelKind(NamedTuple):
    """A curve: the measures that it is made of, and how those that fall into a column become one value."""

    name: Name
    words: str
    measures: tuple[Measure, ...]
    how: How
    style: str = "ok"
    of_whole: bool = False
    """Whether only the gateway as a whole has it."""


# in the order in which they are shown, and have room
KINDS: Final = (
    PanelKind("requests", "requests a minute", ("requests",), "rate", "strong"),
    PanelKind("errors", "failed requests a minute", ("failed",), "rate", "bad"),
    PanelKind("latency", "latency, p95", ("latency_p95",), "worst", "warn"),
    PanelKind("cache", "answered by the cache", ("cache_hits", "cache_misses"), "share", "ok", True),
    PanelKind("memory", "memory", ("memory",), "worst", "ok", True),
    PanelKind("first token", "time to the first token", ("ttft",), "worst", "warn"),
    PanelKind("tokens", "tokens a minute", ("tokens_in", "tokens_out"), "rate", "ok"),
    PanelKind("cost", "cost a minute", ("cost",), "rate", "ok"),
    PanelKind("answer", "the gateway's own answer time", ("answer_time",), "worst", "warn", True),
    PanelKind("cpu", "CPU", ("cpu",), "mean", "ok", True),
    PanelKind("database", "connections of the database", ("database_connections",), "worst", "ok", True),
)


class Panel(NamedTuple):
    """A curve in columns: a value each, None where nothing was recorded; `total` is the sum of what is counted."""

    kind: PanelKind
    columns: tuple[float | None, ...]
    total: float | None
    source: str

    @property
    def most(self) -> float:
        """The largest value."""
        return max((value for value in self.columns if value is not None), default=0.0)


def read_panels(
    source: HistorySource, subject: str, since: float, until: float, columns: int, most: int = len(KINDS)
) -> tuple[Panel, ...]:
    """The first `most` curves of a subject of which anything was recorded. Blocks as the source does."""
    found: list[Panel] = []
    for kind in KINDS:
        if len(found) >= most:
            break
        if kind.of_whole and subject:
            continue
        series = [source.series(subject, measure, since, until, max(columns, 60)) for measure in kind.measures]
        if panel := panel_of(kind, series, since, until, columns):
            found.append(panel)
    return tuple(found)


def panel_of(kind: PanelKind, series: Sequence[Series], since: float, until: float, columns: int) -> Panel | None:
    """A curve out of its series, in the order of the kind's measures; None where nothing of it was recorded."""
    known = [one for one in series if any(value is not None for _, value in one.points)]
    if not known or columns < 1 or until <= since:
        return None
    counted = all(one.measure in COUNTED for one in known)
    sums = [value for one in known for _, value in one.points if value is not None]
    in_columns = [_COLUMNS[kind.how](one, since, until, columns) for one in series]
    values = _hit_share(*in_columns) if kind.how == "share" else _together(in_columns)
    return Panel(kind, values, sum(sums) if counted else None, known[0].source)


def _spread(series: Series, since: float, until: float, columns: int) -> list[list[tuple[float, float]]]:
    """For each column `(value, seconds of it in the column)` of the steps that fall into it."""
    width = (until - since) / columns
    found: list[list[tuple[float, float]]] = [[] for _ in range(columns)]
    for at, value in series.points:
        if value is None:
            continue
        first = max(0, floor((at - since) / width))
        last = min(columns - 1, ceil((at + series.step - since) / width) - 1)
        for column in range(first, last + 1):
            begin = since + column * width
            seconds = min(at + series.step, begin + width) - max(at, begin)
            if seconds > 1e-6:
                found[column].append((value, seconds))
    return found


def _rate(series: Series, since: float, until: float, columns: int) -> list[float | None]:
    """A minute: what is counted per step, over so much of it as was recorded, weighted by its part of the column."""
    if not series.covered:
        return [None if one is None else one / series.step * 60 for one in _mean(series, since, until, columns)]
    seconds = tuple(
        (at, None if value is None else covered)
        for (at, value), covered in zip(series.points, series.covered, strict=True)
    )
    over = _mean(msgspec.structs.replace(series, points=seconds), since, until, columns)
    counted = _mean(series, since, until, columns)
    return [None if one is None or not span else one / span * 60 for one, span in zip(counted, over, strict=True)]


def _worst(series: Series, since: float, until: float, columns: int) -> list[float | None]:
    return [max((value for value, _ in inside), default=None) for inside in _spread(series, since, until, columns)]


def _mean(series: Series, since: float, until: float, columns: int) -> list[float | None]:
    return [
        sum(value * seconds for value, seconds in inside) / sum(seconds for _, seconds in inside) if inside else None
        for inside in _spread(series, since, until, columns)
    ]


_COLUMNS: Final[Mapping[How, Callable[[Series, float, float, int], list[float | None]]]] = {
    "rate": _rate, "share": _rate, "worst": _worst, "mean": _mean,
}  # fmt: skip


def _together(columns: Sequence[Sequence[float | None]]) -> tuple[float | None, ...]:
    return tuple(_sum(values) for values in zip(*columns, strict=True))


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _hit_share(hits: Sequence[float | None], misses: Sequence[float | None]) -> tuple[float | None, ...]:
    """In percent; nothing where the cache was not asked."""
    found: list[float | None] = []
    for hit, missed in zip(hits, misses, strict=True):
        asked = (hit or 0.0) + (missed or 0.0)
        found.append(None if (hit is None and missed is None) or not asked else 100 * (hit or 0.0) / asked)
    return tuple(found)


def value_words(panel: Panel, value: float | None) -> str:
    """A value of the curve with its unit."""
    if value is None:
        return "not recorded"
    return _VALUES[panel.kind.name](value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}" if value < 10 else f"{value:.3g}"


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.3g} s"


_VALUES: Final[Mapping[Name, Callable[[float], str]]] = {
    "requests": lambda value: f"{_number(value)}/min",
    "errors": lambda value: f"{_number(value)}/min",
    "latency": _seconds,
    "first token": _seconds,
    "answer": _seconds,
    "cache": lambda value: f"{value:.0f} %",
    "cpu": lambda value: f"{value:.0f} %",
    "memory": size,
    "tokens": lambda value: f"{_number(value)}/min",
    "cost": lambda value: f"{value:.3g} USD/min",
    "database": _number,
}


def panel_words(panel: Panel) -> str:
    """How much it was at most, how much in all where it is counted, and who tells it."""
    told = (
        ["none", f"by {panel.source}"]
        if not panel.most
        else [f"up to {value_words(panel, panel.most)}", _total(panel), f"by {panel.source}"]
    )
    return " · ".join(filter(None, told))


def _total(panel: Panel) -> str:
    if panel.total is None or panel.kind.how == "share":
        return ""
    return f"{panel.total:,.2f} USD in all" if panel.kind.name == "cost" else f"{panel.total:,.0f} in all"
