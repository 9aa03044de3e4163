"""The commands of the palette, one line each with its key at the right; and the way to a model by its name.

What is typed is looked for in what a command does (`rest` finds Restart the service), and its name alone is enough
(`:fleet`). Behind the name of some comes what they are about (`:filter status:5xx`, `:probe gpt-4.1`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, cast

from rich.cells import cell_len
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from litellm_tui.model.diagnosis import Place
from litellm_tui.ui.console_host import ConsoleHost
from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.widgets.lines import cell

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_tui.ui.panes.log_prompt import Purpose

# what the palette's frame and its scroll bar take of the screen's width
_FRAME: Final = 12
_LONGEST: Final = 100
_KEY_WIDTH: Final = 8
# a long list is narrowed by another letter
_MOST_MODELS: Final = 50
# a name that is typed whole comes before everything that has its letters somewhere
_NAMED: Final = 2.0
# other names of bindings, as they are known from k9s and vim
_ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "everywhere.quit": ("q", "q!", "wq", "exit"),
    "everywhere.help": ("h",),
    "everywhere.fleet": ("ctx", "context", "contexts"),
    "everywhere.look": ("refresh",),
    "everywhere.difference": ("diff",),
    "everywhere.start-stop": ("stop", "start"),
    "everywhere.pane-logs": ("log",),
    "everywhere.pane-models": ("model", "deployments"),
}


class PaletteHost(ConsoleHost, Protocol):
    """The console, for what the palette asks of it."""

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed from here."""

    def runner(self, action: str) -> Callable[[], None]:
        """What does this action once the palette is closed."""

    def show_log(self, purpose: Purpose, words: str) -> None:
        """The log, narrowed down, searched, or at a time."""

    def show_models(self, words: str) -> None:
        """The models that have these words."""

    def probe_at(self, place: Place) -> None:
        """One real request to the deployment of this row."""


class Command(NamedTuple):
    """What stands in a line, the key beside it, the names that find it, and what it does."""

    title: str
    key: str
    names: tuple[str, ...]
    run: Callable[[], object]


class OneLineCommands(Provider):
    """What the keys do, the themes, and every deployment."""

    async def discover(self) -> Hits:
        for command in self._commands():
            yield DiscoveryHit(self._line(Content(command.title), command.key), command.run, text=command.title)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        typed = query.strip().removeprefix(":").casefold()
        for command in (*self._commands(), *self._panes()):
            named = _NAMED if typed in command.names else 0.0
            if (score := max(named, matcher.match(command.title))) > 0:
                line = self._line(matcher.highlight(command.title), command.key)
                yield Hit(score, line, command.run, text=command.title)
        for title, run in self._with_words(query.strip().removeprefix(":")):
            yield Hit(_NAMED, self._line(Content(title), ""), run, text=title)
        found = 0
        for title, run in self._models():
            if (score := matcher.match(title)) > 0 and found < _MOST_MODELS:
                found += 1
                yield Hit(score, self._line(matcher.highlight(title), ""), run, text=title)

    @property
    def _console(self) -> PaletteHost:
        return cast("PaletteHost", self.app)

    def _line(self, title: Content, key: str) -> Content:
        width = max(20, min(_LONGEST, self.app.size.width - _FRAME) - _KEY_WIDTH)
        plain = title.plain
        if cell_len(plain) > width:
            return Content(cell(plain, width))
        return title + Content(" " * (width - cell_len(plain)) + key) if key else title

    def _commands(self) -> Iterator[Command]:
        keys = {_title(key.help): key for key in self._console.bound.keys if key.palette}
        for command in self.app.get_system_commands(self.screen):
            key = keys.get(command.title)
            names = (key.id.partition(".")[2], *_ALSO.get(key.id, ())) if key else ()
            yield Command(command.title, key.shown if key else "", names, command.callback)

    def _panes(self) -> Iterator[Command]:
        """The way to a pane by its name."""
        for key in self._console.bound.keys:
            if key.name.startswith("pane-"):
                names = (key.name.removeprefix("pane-"), *_ALSO.get(key.id, ()))
                yield Command(_title(key.help), key.shown, names, self._console.runner(key.action))

    def _with_words(self, typed: str) -> Iterator[tuple[str, Callable[[], object]]]:
        """The commands that take words, where some were typed behind their name."""
        name, _, words = typed.partition(" ")
        words = words.strip()
        if not words:
            return
        console = self._console
        shown = drawable(words)[:100]
        if name == "filter":
            yield f"Filter the log: {shown}", partial(console.show_log, "filter", words)
        elif name == "search":
            yield f"Search the log: {shown}", partial(console.show_log, "search", words)
        elif name in ("jump", "time"):
            yield f"Jump to {shown} in the log", partial(console.show_log, "jump", words)
        elif name == "models":
            yield f"Models with {shown}", partial(console.show_models, words)
        elif name == "probe" and not console.read_only:
            for title, place in self._places(words):
                yield f"Probe {title}", partial(console.probe_at, place)

    def _places(self, words: str) -> Iterator[tuple[str, Place]]:
        view = self._console.session.view
        matcher = self.matcher(words)
        found = 0
        for row in view.diagnosis.deployments if view is not None else ():
            title = drawable(f"{row.group} · {row.model}"[:200])
            if matcher.match(title) > 0 and found < _MOST_MODELS:
                found += 1
                yield title, Place("deployment", row.key)

    def _models(self) -> Iterator[tuple[str, Callable[[], object]]]:
        view = self._console.session.view
        for row in view.diagnosis.deployments if view is not None else ():
            place = Place("deployment", row.key)
            yield drawable(f"Model {row.group} · {row.model}"[:200]), partial(self._console.go_to, place)


def _title(help_text: str) -> str:
    """The title of a command, which the help of its key begins with."""
    return help_text.partition(":")[0].partition(" (")[0]
