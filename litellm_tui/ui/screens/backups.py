"""What is kept of the configuration: every set, what became of it, and what going back to the selected one changes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Final, NamedTuple

from textual import on
from textual.binding import BindingType

from litellm_tui.analysis.phrases import age, count
from litellm_tui.model.failures import Failure
from litellm_tui.monitor.comparison import SIGNS, clock_time, environment
from litellm_tui.storage.backups import Backup, Backups
from litellm_tui.storage.backups.rollback_preview import RollbackPreview, digests_on_disk, preview_rollback
from litellm_tui.storage.backups.store import NOTHING_KEPT
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.guarded_work import begin_beside
from litellm_tui.ui.screens.live import LiveList
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import LazyRows, Lines, Row, cell

# cells of a date with its time
_CLOCK: Final = 19
STYLES: Final = {"added": "ok", "removed": "bad", "changed": "warn"}


class Known(NamedTuple):
    """The sets, the newest first, and the SHA-256 of each of their files as it is on the disk."""

    records: tuple[Backup, ...]
    disk: dict[str, str]
    failure: str


class BackupsScreen(LiveList[None, Backup]):
    """Enter asks to go back to the selected set. The disk is looked at beside the screen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("backups")
    NAME, WHAT, OFFERS = "backups", "Backups", (("lists.open", "go back (asks)"),)
    ORDERS: ClassVar[Mapping[str, Callable[[Backup], object]]] = {
        "kept at": lambda backup: backup.at,
        "why": lambda backup: (backup.why, -backup.at),
        "LiteLLM": lambda backup: (backup.litellm_version, -backup.at),
    }

    def __init__(self, view: View, backups: Backups, utc: bool, on_restore: Callable[[int], None]) -> None:
        super().__init__(view)
        self._backups = backups
        self._utc = utc
        self._on_restore = on_restore
        self._known: Known | None = None
        self._against: dict[int, RollbackPreview | Failure] = {}
        self._state: tuple[object, ...] = ()
        self._looking = False
        self._looks = 0

    def draw(self, view: View) -> None:
        """Show this view; the disk is looked at again only when something there may have changed."""
        self._view = view
        self._look()
        self.fill()

    def _look(self) -> None:
        if not self._looking:
            self._looking = True
            begin_beside(self, self._find, "looking", "looking")

    def _seen(self) -> tuple[object, ...]:
        """What the list depends on: the store's index, and the files as the console follows them. In a thread."""
        configuration = self._view.snapshot.configuration
        try:
            found = os.stat(self._backups.folder)
            index: object = (found.st_mtime_ns, found.st_ino)
        except OSError:
            index = None
        digest = configuration.current.digest if configuration.current else ""
        return index, digest, configuration.error, configuration.checked_at, self._looks

    async def _find(self) -> None:
        try:
            while (state := (await asyncio.to_thread(self._seen), self._selected_id)) != self._state:
                if not self._state or state[0] != self._state[0]:
                    self._known = await asyncio.to_thread(_known, self._backups)
                    self._against.clear()
                if state[1] and state[1] not in self._against:
                    self._against[state[1]] = await asyncio.to_thread(compared, self._backups, state[1], self._view)
                self._state = state
                self.fill()
        finally:
            self._looking = False

    @property
    def _selected_id(self) -> int:
        """That of the selected set; 0 for none."""
        return int(self.selected or 0)

    def rows(self, width: int) -> list[Row] | LazyRows:
        return backup_rows(self._known, self._view, self._utc, width)

    def head(self, width: int) -> Row | None:
        return _head(width) if self._known and self._known.records else None

    def items(self) -> Iterator[tuple[str, Backup]]:
        return ((str(backup.id), backup) for backup in (self._known.records if self._known else ()))

    def command(self, item: Backup) -> tuple[str, ...]:
        return ("rollback", "--to", str(item.id))

    def paragraphs(self, item: Backup) -> Iterator[Paragraph]:
        if self._known is not None:
            yield from backup_paragraphs(item, self._against.get(item.id), self._known.disk, self._utc)
            yield "folder", str(self._backups.folder), "quiet"

    def opened(self, item: Backup) -> None:
        self._on_restore(item.id)

    @on(Lines.Moved)
    def _moved(self) -> None:
        self._look()

    async def action_look_again(self) -> None:
        """The files and the gateway."""
        self._looks += 1
        self._look()
        await self.run_action("app.look")


def compared(backups: Backups, id: int, view: View) -> RollbackPreview | Failure:
    """What going back to this set would change; reads the files."""
    held = backups.copies(id)
    if isinstance(held, Failure):
        return held
    root = view.profile.config.value if view.profile.config else held[0].path
    return preview_rollback(held, root, environment(view.profile))


def _known(backups: Backups) -> Known:
    records = backups.load()[::-1]
    return Known(records, digests_on_disk(kept.path for backup in records for kept in backup.files), backups.failure)


def backup_rows(known: Known | None, view: View, utc: bool, width: int) -> list[Row] | LazyRows:
    """One line a set: time, age, why it was kept, what came of it, LiteLLM's version, how many files differ now."""
    if known is None:
        return [Row(((" looking", "quiet"),))]
    if not known.records:
        style = "bad" if known.failure else "quiet"
        return to_rows([("", f" {known.failure or NOTHING_KEPT}", style)], width)
    return LazyRows(
        [str(backup.id) for backup in known.records],
        lambda place: _row(known.records[place], known.disk, view, utc, width),
    )


def _head(width: int) -> Row:
    wide = width >= 90
    aged = cell("age", 9, right=True) + "  " if wide else ""
    begin = f"   {cell('kept at', _CLOCK)} {aged}{cell('why', 17)} "
    end = (cell("LiteLLM", 10) if wide else "") + cell("differ", 8, right=True)
    return Row(((begin + cell("what came of it", width - len(begin) - len(end)) + end, "head"),))


def _row(backup: Backup, disk: dict[str, str], view: View, utc: bool, width: int) -> Row:
    bad = backup.why in ("rejected", "seen failing") or backup.result.startswith("rejected")
    sign = view.signs.states["serving" if backup.good else "failing" if bad else "idle"]
    style = "ok" if backup.good else "bad" if bad else "quiet"
    differing = len(backup.differing(disk))
    wide = width >= 90
    spans = [(f" {sign} ", style), (clock_time(backup.at, utc) + " ", "strong")]
    if wide:
        spans.append((cell(age(view.now - backup.at), 9, right=True) + "  ", "quiet"))
    spans.append((cell(backup.why, 17) + " ", style))
    last = cell(count(differing, "file") if differing else "as now", 8, right=True)
    version = cell(backup.litellm_version, 10) if wide else ""
    rest = width - sum(len(text) for text, _ in spans) - len(version) - len(last)
    spans += [(cell(backup.result, rest - 1) + " ", "quiet"), (version, "quiet"), (last, "mark" if differing else "ok")]
    return Row(tuple(spans), str(backup.id))


def backup_paragraphs(
    backup: Backup, found: RollbackPreview | Failure | None, disk: dict[str, str], utc: bool
) -> Iterator[Paragraph]:
    """One set in full: what going back to it changes comes first."""
    if found is None:
        yield "", "comparing", "quiet"
    elif isinstance(found, Failure):
        yield "damaged", found.why, "bad"
    else:
        yield from change_paragraphs(found)
    yield "kept", f"{backup.why}, at {clock_time(backup.at, utc)}, as number {backup.id}", "quiet"
    yield "result", backup.result + (", known to be good" if backup.good else ""), "ok"
    for number, kept in enumerate(backup.files):
        stored = f", in {kept.name}" if kept.name else ", which was not there"
        same = "as now" if disk.get(kept.path) == kept.sha256 else "differs"
        yield "files" if not number else " ", f"{kept.path}: {same}{stored}", "quiet"
    for path in backup.unread:
        yield "without", f"{path}, which could not be read", "warn"


def change_paragraphs(found: RollbackPreview) -> Iterator[Paragraph]:
    """What going back changes, one line each."""
    if not found.files:
        yield "", found.unusable or "the files are as in this set", "ok" if not found.unusable else "bad"
        return
    files = (("makes", found.appearing), ("removes", found.vanishing), ("changes", found.changing))
    yield "going back", "; ".join(f"{verb} {', '.join(paths)}" for verb, paths in files if paths), "strong"
    yield "but", found.unusable, "bad"
    for change in found.changes:
        yield " ", f"{SIGNS[change.kind]} {change.what} {change.words}", STYLES[change.kind]
    if not found.changes and not found.unusable:
        yield " ", "nothing that LiteLLM reads: comments, order or layout", "quiet"
