"""The help: every key, those of where one is first, and what the signs mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.widgets import Input

from litellm_tui.analysis.log_filter.log_filter import HELP
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.hint_words import hint_words, say_below
from litellm_tui.ui.keys import KEYS, PLACES, keys_of
from litellm_tui.ui.keys import Key as BoundKey
from litellm_tui.ui.screens.filled import FilledScreen
from litellm_tui.ui.signs import Signs
from litellm_tui.ui.widgets.lines import Lines, Row, Span
from litellm_tui.ui.widgets.list_filter import ListFilter

# from so many cells of the screen on the text stands in two columns
TWO_COLUMNS: Final = 100
_GAP: Final = 2
# by so many cells the names of some states are longer than the room for names
_LONGER: Final = 2
# what is typed there is no beginning of a filter: it scrolls, or closes
_OWN_KEYS: Final = frozenset("qjkgG?/ ")

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


class Section(NamedTuple):
    """A heading, and what stands below it."""

    title: str
    paragraphs: tuple[Paragraph, ...]

    def narrowed(self, words: str) -> Section:
        """What of it has all of these words; all of it where its title has them."""
        wanted = words.lower().split()
        if all(len(word) > 2 and word in self.title.lower() for word in wanted):
            return self
        kept = [
            (name, text, style)
            for name, text, style in self.paragraphs
            # a single letter is looked for as a key
            if all(word in f"{name} {text}".lower() if len(word) > 1 else _is_key(word, name) for word in wanted)
        ]
        return Section(self.title, tuple(kept))


def _is_key(letter: str, shown: str) -> bool:
    return letter in shown.lower().split()


def help_sections(
    signs: Signs, read_only: bool = False, pane: str = "", bound: Sequence[BoundKey] = KEYS
) -> list[Section]:
    """The whole text of the help, with the keys as they are bound; it begins with those of the pane that one is in."""
    sections = []
    for place in sorted(PLACES, key=lambda place: place != pane):
        title = PLACES[place] + (", where you are" if place == pane else "")
        keys = tuple((key.shown, key.help, "ok") for key in keys_of(place, read_only, bound))
        sections.append(Section(title, keys))
    states = [(f"{sign} {state}", _MEANINGS[state], "ok") for state, sign in signs.states.items()]
    changed = (f"{signs.changed}", "the file differs from what runs: a restart applies it", "mark")
    return [*sections, Section("Signs", (*states, changed))]


class HelpScreen(FilledScreen[None]):
    """Keys and signs; what is typed narrows them down."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("help")

    def __init__(self, sections: Sequence[Section]) -> None:
        super().__init__()
        self._sections = sections
        self._filter = ListFilter(placeholder="words in what a key does, or a key")
        self.words = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content("Keys and signs")
            yield Lines(id="sheet-lines")
            yield self._filter

    def on_mount(self) -> None:
        say_below(self, hint_words(("/", "filter"), ("Esc", "close")))

    def rows(self, width: int) -> list[Row]:
        """The sections that have what was typed, side by side where there is room."""
        found = [section for section in (one.narrowed(self.words) for one in self._sections) if section.paragraphs]
        if not found:
            return [Row(((f" nothing here has {self.words}", "quiet"),))]
        if self.app.size.width < TWO_COLUMNS:
            return _column(found, width)
        half = (width - _GAP) // 2
        return _beside(*_split(found, half), half)

    # --- what is typed -----------------------------------------------------------------------------------------

    def on_key(self, event: Key) -> None:
        letter = event.character or ""
        if isinstance(self.focused, Input) or not letter or not letter.isprintable() or letter in _OWN_KEYS:
            return
        event.stop()
        self._filter.ask(self.words + letter)
        self._narrow(self.words + letter)

    def action_narrow(self) -> None:
        self._filter.ask(self.words)

    @on(ListFilter.Narrowed)
    def _narrowed(self, event: ListFilter.Narrowed) -> None:
        event.stop()
        self._narrow(event.words)

    def _narrow(self, words: str) -> None:
        if words != self.words:
            self.words = words
            self.query_one(Lines).scroll_to(y=0, animate=False, force=True)
            self.fill()

    def action_clear_or_close(self) -> None:
        if self.words:
            self._narrow("")
        else:
            self.dismiss(None)

    def action_close(self) -> None:
        self.dismiss(None)


def _column(sections: Iterable[Section], width: int) -> list[Row]:
    rows: list[Row] = []
    for section in sections:
        rows += [Row((("", ""),))] if rows else []
        rows += to_rows([(section.title, "", "head"), *section.paragraphs], width - _LONGER)
    return rows


def _split(sections: Sequence[Section], width: int) -> tuple[list[Row], list[Row]]:
    """Two columns of about the same height; a section is not broken, and the order goes down the left one first."""
    heights = [len(_column([section], width)) for section in sections]
    cut = min(range(1, len(sections) + 1), key=lambda n: max(sum(heights[:n]), sum(heights[n:])))
    return _column(sections[:cut], width), _column(sections[cut:], width)


def _beside(left: Sequence[Row], right: Sequence[Row], width: int) -> list[Row]:
    rows = []
    for number in range(max(len(left), len(right))):
        begin = left[number].spans if number < len(left) else ()
        used = sum(cell_len(text) for text, _ in begin)
        gap: Span = (" " * max(0, width + _GAP - used), "")
        rows.append(Row((*begin, gap, *(right[number].spans if number < len(right) else ()))))
    return rows


def filter_paragraphs() -> list[Paragraph]:
    """What may be typed as a filter of the log."""
    paragraphs: list[Paragraph] = [("", "All terms must hold. A - or ! turns one round.", "ok")]
    return [*paragraphs, ("Terms", "", "head"), *((term, meaning, "ok") for term, meaning in HELP)]
