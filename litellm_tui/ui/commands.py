"""The commands of the palette, one line each with its key at the right; and the way to a model by its name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from rich.cells import cell_len
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from litellm_tui.model.diagnosis import Place
from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.keys import KEYS
from litellm_tui.ui.widgets.lines import cell

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_tui.ui.console_host import ConsoleHost

# what the palette's frame and its scroll bar take of the screen's width
_FRAME: Final = 12
_LONGEST: Final = 100
_KEY_WIDTH: Final = 8
# a long list is narrowed by another letter
_MOST_MODELS: Final = 50


class OneLineCommands(Provider):
    """What the keys do, the themes, and every deployment."""

    async def discover(self) -> Hits:
        for title, key, run in self._commands():
            yield DiscoveryHit(self._line(Content(title), key), run, text=title)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, key, run in self._commands():
            if (score := matcher.match(title)) > 0:
                yield Hit(score, self._line(matcher.highlight(title), key), run, text=title)
        found = 0
        for title, run in self._models():
            if (score := matcher.match(title)) > 0 and found < _MOST_MODELS:
                found += 1
                yield Hit(score, self._line(matcher.highlight(title), ""), run, text=title)

    @property
    def _console(self) -> ConsoleHost:
        return cast("ConsoleHost", self.app)

    def _line(self, title: Content, key: str) -> Content:
        width = max(20, min(_LONGEST, self.app.size.width - _FRAME) - _KEY_WIDTH)
        plain = title.plain
        if cell_len(plain) > width:
            return Content(cell(plain, width))
        return title + Content(" " * (width - cell_len(plain)) + key) if key else title

    def _commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        keys = {_title(key.help): key.shown for key in KEYS if key.palette}
        for command in self.app.get_system_commands(self.screen):
            yield command.title, keys.get(command.title, ""), command.callback

    def _models(self) -> Iterator[tuple[str, Callable[[], object]]]:
        view = self._console.session.view
        for row in view.diagnosis.deployments if view is not None else ():
            place = Place("deployment", row.key)
            yield drawable(f"Model {row.group} · {row.model}"[:200]), partial(self._console.go_to, place)


def _title(help_text: str) -> str:
    """The title of a command, which the help of its key begins with."""
    return help_text.partition(":")[0].partition(" (")[0]
