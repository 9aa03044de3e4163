"""Every key of the console, once: bindings, footer, help, palette and the table of docs/keys.md are made from this.

Those of the screens that lie over it are in `screen_keys`. What the operator has bound otherwise takes the place of
`KEYS` at run time: `keymap.bound`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from litellm_tui.ui.panes.registry import PANES, PaneEntry

Place = Literal["everywhere", "lists", "models", "fallbacks", "logs", "service", "timeline"]
ScreenPlace = Literal[
    "views", "problems", "incidents", "audit", "difference", "backups", "history", "fleet", "charts", "sheets",
    "record", "help", "writing", "questions", "restart", "upgrade", "runs", "probe", "load", "gateways",
    "filters", "note",
]  # fmt: skip


class Key(NamedTuple):
    """`keys` in Textual's names; `shown` is what a person reads; `hint` is the footer's word, empty to leave it out."""

    keys: str
    shown: str
    action: str
    help: str
    place: Place | ScreenPlace = "everywhere"
    hint: str = ""
    palette: bool = False
    acts: bool = False
    """Whether it may lead to a change, or to a request that costs: not there where the profile is read-only."""
    name: str = ""
    """Stands for the action in the `id` where the action has arguments."""
    follows: str = ""
    """The id of the binding whose keys it has: what opened a screen closes it."""

    @property
    def first(self) -> str:
        """One of its keys, as a person reads it; empty where it has none."""
        return self.shown.partition(" ")[0]

    @property
    def id(self) -> str:
        """What this binding is called, whatever key it is on: place and name, such as `logs.next-match`."""
        return f"{self.place}.{self.name or self.action.replace('_', '-')}"


KEYS: Final = (
    *(Key(pane.key, pane.key, f"pane('{pane.name}')", f"{pane.title}: {pane.help}", name=f"pane-{pane.name}")
      for pane in PANES if pane.key),
    Key("tab", "Tab", "next_pane", "Next pane"),
    Key("shift+tab", "Shift+Tab", "previous_pane", "Previous pane"),
    Key("exclamation_mark", "!", "problems", "Problems: everything that is wrong, worst first", "everywhere",
        "problems", True),
    Key("i", "i", "incidents", "Incidents: what fails in the log, one line per cause and group", "everywhere",
        "incidents", True),
    Key("h", "h", "past(False)", "History: what happened, newest first; last night, since you looked last, 30 days",
        "everywhere", "history", True, name="history"),
    Key("C,c", "C c", "past(True)", "Charts: requests, errors, latency, cache, memory over time (in the log: C)",
        palette=True, name="charts"),
    Key("p", "p", "probe(False)", "Probe the selected deployment or group: one real request to each", "everywhere",
        "probe", True, True, name="probe"),
    Key("P", "P", "probe(True)", "Probe all deployments, the failing or the free ones (asks first when it costs)",
        palette=True, acts=True, name="probe-all"),
    Key("L", "L", "load", "Load test: some requests to the selected group, as its clients ask (asks first)",
        palette=True, acts=True),
    Key("a", "a", "audit", "Audit: the file against what LiteLLM really reads, with fixes", "everywhere",
        "audit", True),
    Key("d", "d", "difference", "Difference: what a restart would change, or what a version applied before had",
        "everywhere", "diff", True),
    Key("b", "b", "backups", "Backups: the configurations that were kept, and the way back to one", palette=True),
    Key("e", "e", "edit", "Edit the configuration in your editor; then difference and audit are up", palette=True,
        acts=True),
    Key("E", "E", "expect_down", "Mark the selected deployment as expected down, or not", palette=True, acts=True),
    Key("z", "z", "zoom", "Zoom the pane, or back", palette=True),
    Key("W", "W", "gateways", "Which gateway: those that were found on this machine, to open another one",
        palette=True),
    Key("G", "G", "fleet", "Fleet: every gateway of the settings file, here and on other hosts, worst first",
        palette=True),
    Key("R", "R", "restart", "Restart the service (asks first)", hint="restart", palette=True, acts=True),
    Key("r", "r", "rehearse", "Rehearse the configuration: start it beside the gateway that serves (asks first)",
        palette=True, acts=True),
    Key("U", "U", "upgrade", "Upgrade LiteLLM: the plan for another release, rehearsed or applied (asks first)",
        palette=True, acts=True),
    Key("S", "S", "start_stop", "Stop the service, or start it (asks first)", palette=True, acts=True),
    Key("f5", "F5", "look", "Look at everything again now", palette=True),
    Key("question_mark", "?", "help", "This help", hint="help", palette=True),
    Key("ctrl+l", "Ctrl+L", "paint_anew", "Draw the screen anew, where something else has written on the terminal"),
    Key("colon,ctrl+p", ": Ctrl+P", "command_palette", "Command palette: commands by name, and words for some"),
    Key("ctrl+z", "Ctrl+Z", "suspend_process", "Suspend the console; fg in the shell brings it back"),
    Key("slash", "/", "filter", "Filter the log as you type: words, fields, times, regexes (F1 there explains); "
        "in the models: these, by words", palette=True),
    Key("s", "s", "search", "Search the log: highlight, then n and N", palette=True),
    Key("t", "t", "jump", "Jump to a time in the log: 02:14, 10m ago or 2026-11-21T02:20", palette=True),
    Key("F", "F", "filters", "Filters by name: use one, keep the present one, delete one", palette=True),
    Key("B", "B", "bundle", "Bundle: one archive with all that is needed to help, every secret masked (asks first)",
        palette=True),
    Key("Y", "Y", "export", "Export the log as it is filtered: text, or JSON lines by the file's ending", palette=True),
    Key("u", "u", "utc", "Times in UTC, or in local time", palette=True),
    Key("q", "q", "quit", "Quit at once", hint="quit", palette=True),
    Key("up,k", "↑ k", "cursor(-1)", "Up", place="lists", name="up"),
    Key("down,j", "↓ j", "cursor(1)", "Down", place="lists", name="down"),
    Key("pageup", "PgUp", "page(-1)", "Page up", place="lists", name="page-up"),
    Key("pagedown,space", "PgDn Space", "page(1)", "Page down", place="lists", name="page-down"),
    Key("home,g", "Home g", "top", "First line", place="lists"),
    Key("end,greater_than_sign", "End >", "bottom", "Last line; in the log: follow again", place="lists"),
    Key("enter", "Enter", "open", "Everything that is known of the line, errors in full", place="lists"),
    Key("y", "y", "copy", "Copy all about the line and the command that tells it; in the log the record with its trace",
        place="lists"),
    Key("O", "O", "order", "Order: trouble first, by name, requests, errors or latency", "models"),
    Key("escape", "Esc", "clear_filter", "Take the filter away", place="models"),
    Key("x,space", "x Space", "mark", "What if this group were down: mark it, or take the mark back", "fallbacks"),
    Key("escape", "Esc", "clear_marks", "Take all marks back", place="fallbacks"),
    Key("D", "D", "drill", "Drill: exercise the chain for real (asks first)", place="fallbacks", acts=True),
    Key("n", "n", "next_match(1)", "Next match; without a search the next error", place="logs", name="next-match"),
    Key("N", "N", "next_match(-1)", "Previous match, or error", place="logs", name="previous-match"),
    Key("c", "c", "call", "All of this call, by its litellm_call_id", place="logs"),
    Key("m", "m", "mark", "Mark the record, or take the mark back", place="logs"),
    Key("M", "M", "next_mark", "Next mark", place="logs"),
    Key("l", "l", "level", "Least level shown: info, warning, error, all", "logs", "", True),
    Key("f", "f", "follow", "Follow the newest line, or stop", place="logs", palette=True),
    Key("v", "v", "lines", "One line a request, or the lines as LiteLLM writes them", place="logs", palette=True),
    Key("w", "w", "wrap", "Wrap long lines, or cut them", place="logs", palette=True),
    Key("o", "o", "polling", "Show or hide the console's own requests and health polling", place="logs", palette=True),
    Key("escape", "Esc", "clear", "Clear filter and search, follow again", place="logs"),
    Key("enter", "Enter", "service_detail", "How its runs ended, its files, its environment with secrets masked",
        place="service"),
    Key("left", "←", "minute(-1)", "The minute before", place="timeline", name="earlier"),
    Key("right", "→", "minute(1)", "The minute after", place="timeline", name="later"),
    Key("n", "n", "marked_minute(1)", "Next restart, save or incident", place="timeline", name="next-mark"),
    Key("N", "N", "marked_minute(-1)", "The one before", place="timeline", name="previous-mark"),
    Key("enter", "Enter", "log_of_minute", "The log at this minute", place="timeline"),
)  # fmt: skip

PLACES: Final[dict[Place, str]] = {
    "everywhere": "Everywhere",
    "lists": "In a list",
    "models": "In the models",
    "fallbacks": "In the fallbacks",
    "logs": "In the log",
    "service": "In the service",
    "timeline": "In the timeline",
}


# what the line of keys at the bottom begins with where this pane has the focus: a key's id, and its word there
_HINTS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "logs": (
        ("everywhere.filter", "filter"),
        ("everywhere.search", "search"),
        ("logs.level", "level"),
        ("logs.next-match", "next error"),
        ("logs.call", "call"),
        ("everywhere.jump", "time"),
        ("logs.mark", "mark"),
        ("logs.lines", "lines"),
        ("everywhere.charts", "charts"),
        ("everywhere.help", "all"),
        ("everywhere.quit", "quit"),
    ),
    "fallbacks": (("fallbacks.mark", "what if"), ("fallbacks.drill", "drill")),
    "timeline": (
        ("timeline.earlier", "before"),
        ("timeline.later", "after"),
        ("timeline.previous-mark", "mark before"),
        ("timeline.next-mark", "next mark"),
        ("timeline.log-of-minute", "log"),
        ("everywhere.charts", "charts"),
    ),
    "worst": (("lists.open", "go there"),),
    "service": (
        ("service.service-detail", "all of it"),
        ("everywhere.start-stop", "stop or start"),
        ("everywhere.upgrade", "upgrade"),
    ),
}


# what can be done with the row that Enter has opened in this pane: a key's id, and its word there
_OFFERED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "models": (
        ("everywhere.probe", "probe"),
        ("everywhere.expect-down", "expect down, or not"),
        ("everywhere.audit", "audit"),
        ("everywhere.difference", "diff"),
    ),
    "fallbacks": (("everywhere.probe", "probe"), ("fallbacks.mark", "what if"), ("fallbacks.drill", "drill")),
}


def offered(pane: str, read_only: bool = False, keys: Sequence[Key] = KEYS) -> list[tuple[Key, str]]:
    """The keys of a row of this pane, with their words, while all about it is shown."""
    by_id = {key.id: key for key in keys}
    found = [(by_id[name], word) for name, word in _OFFERED.get(pane, ())]
    return [(key, word) for key, word in found if key.keys and not (read_only and key.acts)]


def hints(pane: str, read_only: bool = False, keys: Sequence[Key] = KEYS) -> list[tuple[str, str]]:
    """Keys with their words for the line at the bottom, while this pane has the focus."""
    by_id = {key.id: key for key in keys}
    own = [(by_id[name], word) for name, word in _HINTS.get(pane, ())]
    general = [] if pane == "logs" else [(key, key.hint) for key in keys if key.hint]
    found = [(key, word) for key, word in [*own, *general] if key.keys and not (read_only and key.acts)]
    # of a key with two names one is enough
    return [(key.first, word) for key, word in found]


def unanswered(pressed: str, pane: str, read_only: bool, *, opens: bool = True, keys: Sequence[Key] = KEYS) -> str:
    """Why this key, in Textual's name, does nothing while this pane has the focus; empty where it does something.

    `opens` says whether there is something under the cursor that Enter opens.
    """
    found = [key for key in keys if pressed in key.keys.split(",")]
    here = [key for key in found if key.place in ("everywhere", "lists", pane)]
    if read_only and here and all(key.acts for key in here):
        return f"read-only: {here[0].shown} is off"
    if pressed == "enter" and not opens and not any(key.place == pane for key in here):
        return "nothing opens here"
    if here or pressed == "escape":
        return ""
    if not found:
        lists = next((f"; {key.first} lists the keys" for key in keys if key.action == "help" and key.keys), "")
        return f"{pressed} does nothing{lists}" if len(pressed) == 1 else ""
    where = next(entry for entry in PANES if entry.name == found[0].place)
    there = next((key.first for key in keys if key.id == f"everywhere.pane-{where.name}" and key.keys), "")
    name = PLACES[where.name].removeprefix("In ")  # type: ignore[index]  # panes with keys of their own are places
    return f"{found[0].first} belongs to {name}" + (f" ({there})" if there else "")


def tabs(keys: Sequence[Key] = KEYS) -> list[tuple[str, str, str]]:
    """Name, key and title of each pane that a key goes to, in the order of the panes."""
    bound = {key.id: key.first for key in keys if key.keys}
    return [(entry.name, bound[id], entry.title) for entry in PANES if (id := f"everywhere.pane-{entry.name}") in bound]


def with_key(entry: PaneEntry, keys: Sequence[Key]) -> PaneEntry:
    """A pane with the key that goes to it, which its frame shows."""
    return entry._replace(key=next((key.first for key in keys if key.id == f"everywhere.pane-{entry.name}"), ""))


def keys_of(place: Place, read_only: bool = False, keys: Sequence[Key] = KEYS) -> tuple[Key, ...]:
    """The keys of one place, in the order they are shown."""
    return tuple(key for key in keys if key.place == place and key.keys and not (read_only and key.acts))
