"""The help: every key, and what the signs mean."""

from __future__ import annotations

from litellm_tui.analysis.log_filter.log_filter import HELP
from litellm_tui.ui.detail import Paragraph
from litellm_tui.ui.keys import PLACES, keys_of
from litellm_tui.ui.signs import Signs

_MEANINGS = {
    "serving": "real requests, a probe or its health check were answered, and nothing newer says otherwise",
    "degraded": "some of its requests fail, or part of its group",
    "failing": "asked, and it failed",
    "cooling down": "the router does not ask it for a while, after failures",
    "masked": "dead, while its fallback answers in its place",
    "idle": "nothing is known against it, and it had no requests",
    "unproven": "only doubtful evidence speaks: a health check that asks in the wrong way, or a key that is not set",
    "not loaded": "in the file, not in the running proxy",
    "not in file": "in the running proxy, not in the file any more",
    "expected down": "marked so by you (E), with your note",
    "unknown": "the gateway cannot be asked",
}


def help_paragraphs(signs: Signs, read_only: bool = False, pane: str = "") -> list[Paragraph]:
    """The whole text of the help; it begins with the keys of the pane that one is in."""
    paragraphs: list[Paragraph] = []
    for place in sorted(PLACES, key=lambda place: place != pane):
        title = PLACES[place] + (", where you are" if place == pane else "")
        paragraphs.append((title, "", "head"))
        paragraphs += [(key.shown, key.help, "ok") for key in keys_of(place, read_only)]
    paragraphs.append(("Signs", "", "head"))
    paragraphs += [(f"{sign} {state}", _MEANINGS[state], "ok") for state, sign in signs.states.items()]
    paragraphs.append((f"{signs.changed}", "the file differs from what runs: a restart applies it", "mark"))
    return paragraphs


def filter_paragraphs() -> list[Paragraph]:
    """What may be typed as a filter of the log."""
    paragraphs: list[Paragraph] = [("", "All terms must hold. A - or ! turns one round.", "ok")]
    return [*paragraphs, ("Terms", "", "head"), *((term, meaning, "ok") for term, meaning in HELP)]
