"""Every pane, once: screen, keys, help, palette and the way from a problem to its row are made from this.

A new pane is a file with its class, and an entry here. The class is named and not imported, for keys and help are read
where nothing is drawn.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from litellm_tui.model.diagnosis import Place, PlaceKind

Row = Literal["upper", "middle", "lower", "side", "bottom"]
# those of the left column, from the top down; beside all of them is the side, and below both the bottom
LEFT: Final[tuple[Row, ...]] = ("upper", "middle", "lower")
ROWS: Final[tuple[Row, ...]] = (*LEFT, "side", "bottom")

Layout = Literal["usual", "wide", "full"]
# a screen that is wide and high, one that is wide alone, and any other that holds more than one pane
USUAL: Final[tuple[Layout, ...]] = ("usual", "wide", "full")


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
    at: tuple[Layout, ...] = USUAL
    """The layouts in which it stands beside the others; elsewhere its key shows it alone."""
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
        "side", 2, at=("wide", "full"), follows="models"),
    PaneEntry("logs", "2", "Logs", "the live journal of the unit", "litellm_tui.ui.panes.logs:Logs",
        "lower", 2, about=("log",), readings=("log", "log counts", "incidents")),
    PaneEntry("fallbacks", "3", "Fallbacks", "where requests go next", "litellm_tui.ui.panes.fallbacks:Fallbacks",
        "middle", 3, about=("alias", "chain"), readings=("router",)),
    PaneEntry("cache", "4", "Cache", "its state and figures, and the database", "litellm_tui.ui.panes.cache:Cache",
        "middle", 2, about=("cache", "database"), readings=("redis", "cache_ping", "postgres"), at=("usual", "wide")),
    PaneEntry("service", "5", "Service", "the unit in full", "litellm_tui.ui.panes.service:Service",
        "middle", 2, about=("gateway", "service"), readings=("service",), at=()),
    PaneEntry("timeline", "6", "Timeline", "the last hour: failed requests, restarts, saves and incidents",
        "litellm_tui.ui.panes.timeline:Timeline", "bottom", 2, at=("full",)),
    PaneEntry("worst", "7", "Problems", "the worst of them; ! lists all", "litellm_tui.ui.panes.worst:Worst",
        "bottom", 3, at=("full",)),
)  # fmt: skip
FIRST: Final = PANES[0].name


def entry_of(name: str) -> PaneEntry:
    """The entry of this name; raises KeyError."""
    return _BY_NAME[name]


def in_order(layout: Layout | None = None) -> tuple[str, ...]:
    """The panes that one goes to, in the order of their keys: all of them, or those of a layout, where one that follows
    another comes behind that.
    """
    if layout is None:
        return tuple(entry.name for entry in PANES if entry.key)
    return tuple(entry.name for entry in PANES if (entry.key or entry.follows) and layout in entry.at)


def pane_about(place: Place) -> str:
    """The pane in which the row of a place stands; raises KeyError for a place that is in none."""
    if place.kind == "reading" and place.key in _BY_READING:
        return _BY_READING[place.key]
    return _BY_PLACE[place.kind]


_BY_NAME: Final = {entry.name: entry for entry in PANES}
_BY_PLACE: Final[dict[PlaceKind, str]] = {kind: entry.name for entry in PANES for kind in entry.about}
_BY_READING: Final = {source: entry.name for entry in PANES for source in entry.readings}
