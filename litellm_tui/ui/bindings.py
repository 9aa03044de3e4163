"""The keys of one place as bindings of Textual."""

from __future__ import annotations

from collections.abc import Collection

from textual.binding import Binding, BindingType

from litellm_tui.ui.keys import KEYS, Place, ScreenPlace
from litellm_tui.ui.screen_keys import SCREEN_KEYS


def bindings_of(place: Place | ScreenPlace, first: Collection[str] = ()) -> list[BindingType]:
    """One binding a key; those to the actions in `first` are handled before the focused widget sees the key."""
    return [
        Binding(key.keys, key.action, key.help, show=False, priority=key.action in first, id=key.id)
        for key in (*KEYS, *SCREEN_KEYS)
        if key.place == place
    ]
