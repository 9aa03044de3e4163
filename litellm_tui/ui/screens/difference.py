"""What differs: the file against the running proxy, or against a version that was applied before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.binding import BindingType

from litellm_tui.analysis.change.difference import NAME_OF_GROUP, Change, ChangeSubject
from litellm_tui.model.configuration import ConfigError
from litellm_tui.monitor.comparison import SIGNS, Comparison, summary, with_running, with_version
from litellm_tui.storage.starts import Start, StartHistory
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.guarded_work import begin_beside
from litellm_tui.ui.screens.live import LiveList
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import Row, cell

_HEADS: Final[dict[ChangeSubject, str]] = {
    "deployment": "deployments",
    "alias": "aliases and fallbacks",
    "fallback": "aliases and fallbacks",
    "setting": "settings",
    "environment": "environment variables",
    "service": "the service, as it is run",
}
_STYLES: Final = {"added": "ok", "removed": "bad", "changed": "warn"}


class DifferenceScreen(LiveList[None, Change]):
    """The differences by subject, all about the selected one below. Comparing is done beside the screen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("difference")
    NAME, WHAT, COMMAND = "difference", "Difference", ("diff",)

    def __init__(self, view: View, history: StartHistory | None, utc: bool, started_at: float | None = None) -> None:
        """Where a start is named by its time, what was applied then is compared with at first."""
        super().__init__(view)
        self._history = history
        self._utc = utc
        self._versions: tuple[Start, ...] = ()
        self._version: Start | None = None
        """The version to compare with; None for what runs."""
        if history is not None and started_at is not None:
            self._version = min(history.versions(), key=lambda one: abs(one.at - started_at), default=None)
        self._compared: Comparison | None = None
        self._state: tuple[object, ...] = ()
        self._comparing = False

    def draw(self, view: View) -> None:
        """Show this view; what was compared is compared again only when one of the sides has changed."""
        self._view = view
        self._versions = self._history.versions()[::-1] if self._history else ()
        if (version := self._version) is not None and version not in self._versions:
            # what came of a start is noted anew once it is known better, and the oldest are forgotten
            self._version = next((v for v in self._versions if v.run and v.run == version.run), None)
        if not self._comparing and self._seen() != self._state:
            self._comparing = True
            begin_beside(self, self._compare, "comparing", "comparing")
        self.fill()
        self._say_keys()

    @property
    def ending(self) -> str:
        """Only the keys that do something now."""
        older = "older version" if self._place + 1 < len(self._versions) else ""
        newer = "newer version" if self._version is not None else ""
        return self.offers_of(("difference.older", older), ("difference.newer", newer))

    @property
    def _place(self) -> int:
        """The place of the version among those that were applied; what runs comes before the newest."""
        return self._versions.index(self._version) if self._version in self._versions else -1

    def _seen(self) -> tuple[object, ...]:
        """What a comparison depends on."""
        snapshot = self._view.snapshot
        gateway, configuration = snapshot.gateway, snapshot.configuration
        start = snapshot.service.value
        return (
            self._version, configuration.error, configuration.current and configuration.current.digest,
            gateway.deployments.value, gateway.router.value, self._view.diagnosis.gateway.state,
            snapshot.service_drift.value, snapshot.service_drift.failure,
            start.started_at if start else None, len(self._versions),
        )  # fmt: skip

    async def _compare(self) -> None:
        try:
            while (state := self._seen()) != self._state:
                self._state = state
                self._compared = await asyncio.to_thread(self._differences, self._view, self._version)
        finally:
            self._comparing = False
        self.fill()

    def _differences(self, view: View, start: Start | None) -> Comparison:
        if start is None or self._history is None:
            return with_running(view.snapshot, view.diagnosis, self._history, view.profile, self._utc)
        configuration = view.snapshot.configuration
        file = configuration.error or configuration.current
        if file is None:
            file = ConfigError(
                view.profile.config.value if view.profile.config else "",
                configuration.why_unwatched or "no configuration file is known here",
            )
        return with_version(file, start, self._history, view.profile, self._utc)

    def rows(self, width: int) -> Iterator[Row]:
        return difference_rows(self._compared, self._which(), self._view, width)

    def head(self, width: int) -> Row | None:
        if self._compared is None or not self._compared.changes:
            return None
        return head_row(self._compared, self._view, width)

    def items(self) -> Iterator[tuple[str, Change]]:
        return ((key_of(change), change) for change in (self._compared.changes if self._compared else ()))

    def paragraphs(self, item: Change) -> Iterator[Paragraph]:
        return change_paragraphs(item)

    def opened(self, item: Change) -> None:
        """All of it stands below already."""

    def _which(self) -> str:
        if not self._versions:
            return "no version that was applied is known yet"
        if self._version is None:
            return f"[ compares with one of {len(self._versions)} applied before"
        return f"version {self._versions.index(self._version) + 1} of {len(self._versions)}, the newest is 1"

    def action_version(self, step: int) -> None:
        """Compare with an older version, or with a newer one, the newest of which is what runs."""
        wanted = max(-1, min(self._place + step, len(self._versions) - 1))
        self._version = self._versions[wanted] if wanted >= 0 else None
        self.draw(self._view)


def key_of(change: Change) -> str:
    """What tells one difference from the others."""
    return f"{change.what}:{change.name}:{change.key}:{'.'.join(map(str, change.path))}"


def difference_rows(found: Comparison | None, which: str, view: View, width: int) -> Iterator[Row]:
    """What the file is compared with, the differences by subject, and what becomes of them."""
    if found is None:
        yield Row(((" comparing", "quiet"),))
        return
    yield from to_rows([("", f" the file, compared with {found.against}", "quiet")], width)
    yield from to_rows([("", f" {which}", "quiet")], width)
    style = "bad" if found.unusable else "warn" if found.changes else "ok"
    yield from to_rows([("", f" {summary(found)}", style)], width)
    places = [_line(change) for change in found.changes]
    room, names, rest = _columns(found, width)
    for head in dict.fromkeys(_HEADS.values()):
        of_head = [(c, place) for c, place in zip(found.changes, places, strict=True) if _HEADS[c.what] == head]
        if of_head:
            yield Row(((f" {head}", "head"),))
        for change, place in of_head:
            unseen = "" if change.visible else "unseen"
            yield Row(
                (
                    (f" {SIGNS[change.kind]} ", _STYLES[change.kind]),
                    (cell(place, room, right=True) + " ", "quiet"),
                    (_named(change, names) + " ", "strong"),
                    (cell(_sides(change, view), rest), "ok"),
                    (cell(unseen, 7, right=True), "unknown"),
                ),
                key_of(change),
            )
            if change.breaks:
                indent = " " * (3 + room + 1)
                for row in to_rows([("", change.breaks, "bad")], width - len(indent)):
                    yield Row(((indent, ""), *row.spans))
    if found.remark:
        yield Row((("", ""),))
        yield from to_rows([("", f" {found.remark}", "unknown")], width)


def head_row(found: Comparison, view: View, width: int) -> Row:
    """The names of the columns."""
    room, names, rest = _columns(found, width)
    sides = f"before {view.signs.arrow} after"
    # the signs have no name, whose cells are the line's where that is short
    text = f"{cell('line' if room else '', 3 + room, right=True)} {cell('what', names)} {cell(sides, rest)}"
    return Row(((cell(text, width), "head"),))


def _columns(found: Comparison, width: int) -> tuple[int, int, int]:
    """The cells of the line in the file, of what it is about, and of its two sides."""
    room = max((len(_line(change)) for change in found.changes), default=0)
    names = min(max((cell_len(_name(change)) for change in found.changes), default=0), max(16, width // 2))
    return room, names, max(0, width - 3 - room - 1 - names - 1 - 7)


def _line(change: Change) -> str:
    return str(change.mark.line) if change.mark else ""


def _named(change: Change, width: int) -> str:
    """Which parameter it is says more than the end of a deployment's name."""
    key = f": {change.key}" if change.key and not _is_rename(change) else ""
    if cell_len(key) * 2 > width:
        return cell(_name(change), width)
    if not key:
        return cell(_name(change), width)
    return cell(cell(change.name, width - cell_len(key)).rstrip() + key, width)


def change_paragraphs(change: Change) -> Iterator[Paragraph]:
    """One difference in full."""
    what = f"{change.key} of {change.what} {change.name}" if change.key else f"{change.what} {change.name}"
    yield change.kind, what, _STYLES[change.kind]
    yield "before", change.before, "ok"
    yield "after", change.after, "ok"
    if change.mark:
        yield "where", str(change.mark), "quiet"
    if change.order:
        yield "order", f"{change.order}: a restart keeps the container as it is (R does it)", "strong"
    else:
        yield "restart", "needed for it to take effect" if change.needs_restart else "would not mend it", "strong"
    yield "breaks", change.breaks, "bad"
    if not change.visible:
        yield "unseen", "from outside nobody can tell which of the two runs", "unknown"
    yield "note", change.note, "quiet"


def _is_rename(change: Change) -> bool:
    return change.what == "deployment" and change.key == NAME_OF_GROUP


def _name(change: Change) -> str:
    if _is_rename(change):
        return f"{change.before} → {change.after}"
    return f"{change.name}: {change.key}" if change.key else change.name


def _sides(change: Change, view: View) -> str:
    if _is_rename(change):
        return "renamed"
    if change.before and change.after:
        return f"{change.before} {view.signs.arrow} {change.after}"
    return change.before or change.after
