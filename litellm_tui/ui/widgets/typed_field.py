"""A field in a line of its own, which ends with the key that ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.events import Key
from textual.widgets import Input


class TypedField(Input):
    """What is typed behind the key that ends it, in one packet, goes to whoever has the focus by then.

    `ends` are the keys that end it, by Textual's names, with what is done then. `besides` are others that it answers
    and that leave it open. A key that an input does not know is asked for all the way up to the app, and the next
    letter would overtake it.
    """

    def __init__(
        self,
        ends: Mapping[str, Callable[[], object]],
        besides: Mapping[str, Callable[[], object]] | None = None,
        *,
        placeholder: str = "",
    ) -> None:
        super().__init__(compact=True, select_on_focus=False, placeholder=placeholder)
        # a blinking cursor costs 3.6 KB a second
        self.cursor_blink = False
        self._ends, self._besides = dict(ends), dict(besides or {})
        self.open = False

    def ask(self, value: str) -> None:
        """Open for typing behind this value; what is typed from now on goes there."""
        self.value = value
        self.cursor_position = len(value)
        self.open = True
        # at once: focus() waits its turn, and the next key would still go to the list
        self.screen.set_focus(self)

    async def on_key(self, event: Key) -> None:
        """Answer the keys that are its own, and hand on what was typed behind its end."""
        if not self.open:
            self.app.post_message(Key(event.key, event.character))
        elif event.key in self._besides:
            self._besides[event.key]()
        elif event.key in self._ends:
            self.open = False
            self._ends[event.key]()
        else:
            return
        event.stop()
        event.prevent_default()
