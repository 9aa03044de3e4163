"""The help: every key, and what the signs mean."""

from __future__ import annotations

from litellm_tui.ui.detail import Paragraph
from litellm_tui.ui.keys import PLACES, keys_of
from litellm_tui.ui.signs import Signs

_MEANINGS = {
    "serving": "asked, and it answered",
    "degraded": "some of its requests fail, or part of its group",
    "masked": "dead, while its fallback answers in its place",
    "failing": "asked, and it failed",
    "unproven": "loaded, and nothing has asked it",
    "not loaded": "in the file, not in the running proxy",
    "not in file": "in the running proxy, not in the file any more",
    "unknown": "the gateway cannot be asked",
}


def help_paragraphs(signs: Signs) -> list[Paragraph]:
    """The whole text of the help."""
    paragraphs: list[Paragraph] = []
    for place, title in PLACES.items():
        paragraphs.append((title, "", "head"))
        paragraphs += [(key.shown, key.help, "ok") for key in keys_of(place)]
    paragraphs.append(("Signs", "", "head"))
    paragraphs += [(f"{sign} {state}", _MEANINGS[state], "ok") for state, sign in signs.states.items()]
    paragraphs.append((f"{signs.changed}", "the file differs from what runs: a restart applies it", "mark"))
    return paragraphs
