"""Fleet: every gateway of the settings file, worst first; below the list all about the selected one."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len
from textual.binding import BindingType

from litellm_tui.analysis.fleet.differences import DEAD_HERE
from litellm_tui.analysis.fleet.keys import key_words
from litellm_tui.analysis.fleet.rows import fleet_of
from litellm_tui.analysis.fleet.words import facts
from litellm_tui.analysis.health.request_counts import rate
from litellm_tui.analysis.phrases import age, coarse_age, count
from litellm_tui.model.diagnosis import Severity
from litellm_tui.model.fleet import Fleet, FleetRow, KeyDifference, LinkFailure, Seen
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.screens.live import LiveList
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.header import STYLES
from litellm_tui.ui.widgets.lines import Lines, Row, cell

_BY_STATUS: Final[dict[int, tuple[Severity, str]]] = {
    0: ("ok", "serving"),
    1: ("warn", "degraded"),
    2: ("bad", "failing"),
    3: ("bad", "failing"),
}
# of problems, errors a minute, version and age, each right-aligned with a blank before it
_COLUMNS: Final = (("problems", 9), ("err/min", 8), ("version", 10), ("config", 9), ("seen", 10))
# what a column is called in the settings
_SETTING: Final = {"err/min": "errors"}
# of a sheet that somebody reads
MOST_KEYS: Final = 500
# of a fleet of a hundred somebody tells something all the time
DRAWN_SECONDS: Final = 0.25
# below this width of the list the sentence goes before version and configuration
_WIDE: Final = 100


class FleetScreen(LiveList[str | None, FleetRow]):
    """Gives the name of the profile that is to be opened, or None. `seen` is what is known of each member now."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("fleet")
    NAME, WHAT, COMMAND = "fleet", "Fleet", ("fleet",)
    OFFERS = (("lists.open", "open"), ("fleet.compare", "keys that differ"))
    ORDERS: ClassVar[Mapping[str, Callable[[FleetRow], object]]] = {
        "gateway": lambda row: row.name.casefold(),
        "state": lambda row: (row.state, row.name.casefold()),
        "problems": lambda row: -(row.problems or 0),
        "err/min": lambda row: -(row.errors_per_minute or 0.0),
        "version": lambda row: (row.version, row.name.casefold()),
    }

    def __init__(
        self, view: View, seen: Callable[[], Sequence[Seen]], open_now: str, compare: Callable[[FleetRow], object]
    ) -> None:
        """`open_now` is the profile that this console shows; `compare` shows where a row's group differs."""
        super().__init__(view)
        self._seen, self._open_now, self._compare = seen, open_now, compare
        self._fleet = Fleet(())
        self._waiting = False

    def told(self) -> None:
        """Something has come of one of them: what comes within a moment is drawn together."""
        if not self._waiting:
            self._waiting = True
            self.set_timer(DRAWN_SECONDS, self._draw_told)

    def _draw_told(self) -> None:
        self._waiting = False
        self.fill()

    def action_compare(self) -> None:
        """Where the configurations of the selected row's group differ."""
        if (chosen := self.chosen) is not None:
            self._compare(chosen)

    def on_mount(self) -> None:
        # who answers last may be the worst: the cursor is on that row until somebody moves it
        self.query_one(f"#{self.NAME}-lines", Lines).keeps_to_first = True

    def fill(self) -> None:
        """Show what is known now."""
        self._fleet = fleet_of(self._seen(), time.time())
        super().fill()

    def rows(self, width: int) -> Iterator[Row]:
        return fleet_rows(self._fleet, self._view, width, self._view.columns.fleet)

    def head(self, width: int) -> Row | None:
        return fleet_head(self._fleet, width, self._view.columns.fleet)

    def items(self) -> Iterator[tuple[str, FleetRow]]:
        return ((row.name, row) for row in self._fleet.rows)

    def paragraphs(self, item: FleetRow) -> Iterator[Paragraph]:
        style = _style(item)
        yield "state", f"{item.state}: {item.sentence}", style
        yield "next", item.do if item.status else "", "strong"
        yield "known", " · ".join(text for name, text in facts(item) if name not in ("differs", "seen")), "ok"
        yield "differs", ", ".join(item.differs), "mark"
        yield "seen", f"{age(item.age)} ago" if item.age is not None else "", "quiet"
        if item.name == self._open_now:
            yield "", "this console shows it", "quiet"

    def opened(self, item: FleetRow) -> None:
        self.dismiss(item.name)


class _Widths(NamedTuple):
    """Cells of name, state and sentence, and the columns behind them."""

    names: int
    states: int
    rest: int
    columns: list[tuple[str, int]]


def _widths(fleet: Fleet, width: int, chosen: Collection[str] | None) -> _Widths:
    names = min(max((cell_len(row.name) for row in fleet.rows), default=0), max(8, width // 6))
    states = min(max((cell_len(row.state) for row in fleet.rows), default=0), max(8, width // 6))
    columns = [
        one
        for one in _COLUMNS
        if (width >= _WIDE or one[0] not in ("version", "config"))
        and (chosen is None or _SETTING.get(one[0], one[0]) in chosen)
    ]
    rest = max(0, width - 3 - names - 1 - states - 1 - sum(size for _, size in columns))
    return _Widths(names, states, rest, columns)


def fleet_head(fleet: Fleet, width: int, chosen: Collection[str] | None = None) -> Row:
    """The names of the columns."""
    names, states, rest, columns = _widths(fleet, width, chosen)
    head = f"   {cell('gateway', names)} {cell('state', states)} {' ' * rest}"
    return Row(((head + "".join(cell(name, size, right=True) for name, size in columns), "head"),))


def fleet_rows(fleet: Fleet, view: View, width: int, chosen: Collection[str] | None = None) -> Iterator[Row]:
    """The list, with what differs across the fleet below it; `chosen` are columns, named as in the settings."""
    names, states, rest, columns = _widths(fleet, width, chosen)
    for row in fleet.rows:
        style = _style(row)
        sign = view.signs.states["unknown" if not row.known else _BY_STATUS[row.status][1]]
        told = {
            "problems": "" if row.problems is None else str(row.problems),
            "err/min": "" if row.errors_per_minute is None else rate(row.errors_per_minute),
            "version": row.version,
            "config": row.digest,
            "seen": "" if row.age is None else coarse_age(row.age),
        }
        # what is dead here and serves elsewhere stands before everything else
        dead = ", ".join(one for one in row.differs if one.endswith(DEAD_HERE))
        first = cell(f"{view.signs.changed} {dead} · ", min(rest, cell_len(dead) + 5)) if dead else ""
        yield Row((
            (f" {sign} ", style),
            (cell(row.name, names) + " ", "strong"),
            (cell(row.state, states) + " ", style),
            (first, "mark"),
            (cell(row.sentence, rest - cell_len(first)), "ok" if row.status else "quiet"),
            *((cell(told[name], size, right=True), _column_style(row, name)) for name, size in columns),
        ), row.name)  # fmt: skip
    if fleet.differences:
        yield Row((("", ""),))
        yield Row(((" what differs", "head"),))
        for text in fleet.differences:
            yield from to_rows([("", f" {text}", "mark")], width)


def key_paragraphs(
    members: Sequence[str], differences: Sequence[KeyDifference], unknown: Mapping[str, LinkFailure]
) -> list[Paragraph]:
    """Where the configurations of a group differ, for a sheet."""
    known = len(members) - len(unknown)
    told: list[Paragraph] = []
    if not differences:
        told.append(
            ("", f"equal in every key, on {count(known, 'member')}" if known > 1 else "nothing to compare", "ok")
        )
    told += [("", key_words(one), "mark") for one in differences[:MOST_KEYS]]
    if (rest := len(differences) - MOST_KEYS) > 0:
        told.append(("", f"and {rest:,} more: litellm-tui fleet diff has all of them", "quiet"))
    told += [("", f"{name}: {failed.why}", "bad") for name, failed in unknown.items()]
    return told


def _style(row: FleetRow) -> str:
    return STYLES["unknown"] if not row.known else STYLES[_BY_STATUS[row.status][0]] if row.status else "ok"


def _column_style(row: FleetRow, name: str) -> str:
    stands_out = {"version": "LiteLLM ", "config": "configuration"}.get(name)
    return "mark" if stands_out and any(one.startswith(stands_out) for one in row.differs) else "quiet"
