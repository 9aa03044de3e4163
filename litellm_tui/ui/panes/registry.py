"""Every pane, once: screen, keys, help, palette and the way from a problem to its row are made from this.

A new pane is a file with its class, and an entry here. The class is named and not imported, for keys and help are read
where nothing is drawn.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from litellm_tui.model.diagnosis import Place, PlaceKind

Row = Literal["upper", "middle", "lower"]
# from the top down; their heights are in console.tcss
ROWS: Final[tuple[Row, ...]] = ("upper", "middle", "lower")


class PaneEntry(NamedTuple):
    """`name` is the widget's id and what a key names; without a `key` nobody goes to it."""

    name: str
    key: str
    title: str
    help: str
    path: str
    """Module and class, with a colon between."""
    row: Row
    share: int
    """Of the row's width, in parts of the sum of its panes' shares; console.tcss knows 2 and 3."""
    about: tuple[PlaceKind, ...] = ()
    """The places whose rows stand in it."""
    readings: tuple[str, ...] = ()
    """The sources of which it says that the console fails to read them."""
    wide_only: bool = False
    """Whether it stands beside the others on wide screens only; elsewhere its key shows it alone."""
    follows: str = ""
    """The pane whose selected row it describes."""

    @property
    def label(self) -> str:
        """What stands in its frame."""
        return f"{self.key} {self.title}" if self.key else self.title


PANES: Final = (
    PaneEntry("models", "1", "Models", "every deployment with its state", "litellm_tui.ui.panes.models:Models",
        "upper", 3, about=("configuration", "deployment", "group", "reading")),
    PaneEntry("detail", "", "Selected", "", "litellm_tui.ui.panes.detail:Detail",
        "upper", 2, wide_only=True, follows="models"),
    PaneEntry("logs", "2", "Logs", "the live journal of the unit", "litellm_tui.ui.panes.logs:Logs",
        "lower", 2, about=("log",), readings=("log", "log counts", "incidents")),
    PaneEntry("fallbacks", "3", "Fallbacks", "where requests go next", "litellm_tui.ui.panes.fallbacks:Fallbacks",
        "middle", 3, about=("alias", "chain"), readings=("router",)),
    PaneEntry("cache", "4", "Cache", "its state and figures, and the database", "litellm_tui.ui.panes.cache:Cache",
        "middle", 2, about=("cache", "database"), readings=("redis", "cache_ping", "postgres")),
    PaneEntry("service", "5", "Service", "the unit in full", "litellm_tui.ui.panes.service:Service",
        "middle", 2, about=("gateway", "service"), readings=("service",), wide_only=True),
)  # fmt: skip
FIRST: Final = PANES[0].name


def entry_of(name: str) -> PaneEntry:
    """The entry of this name; raises KeyError."""
    return _BY_NAME[name]


def in_order(*, wide_only: bool) -> tuple[str, ...]:
    """The panes that one goes to, in the order of their keys; with or without those of wide screens only."""
    return tuple(entry.name for entry in PANES if entry.key and (wide_only or not entry.wide_only))


def pane_about(place: Place) -> str:
    """The pane in which the row of a place stands; raises KeyError for a place that is in none."""
    if place.kind == "reading" and place.key in _BY_READING:
        return _BY_READING[place.key]
    return _BY_PLACE[place.kind]


_BY_NAME: Final = {entry.name: entry for entry in PANES}
_BY_PLACE: Final[dict[PlaceKind, str]] = {kind: entry.name for entry in PANES for kind in entry.about}
_BY_READING: Final = {source: entry.name for entry in PANES for source in entry.readings}
