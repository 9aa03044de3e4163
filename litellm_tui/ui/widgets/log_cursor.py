"""The cursor of the log: it goes from record to record, opens and marks them, and following ends where it is put."""

from __future__ import annotations

from litellm_tui.analysis.phrases import count
from litellm_tui.model.log import LogRecord
from litellm_tui.ui.widgets.log_lines import LogLines


class LogCursor(LogLines):
    """Going about in the lines."""

    @property
    def chosen(self) -> LogRecord | None:
        """The record under the cursor; None where there is none, and while the filter hides it."""
        place = -1 if self._at is None else self._index.at_or_before(self._at)
        found = self._index.sequences[place] if place >= 0 else None
        return self.store.get(found) if found is not None and found == self._at else None

    def text_of(self, key: str) -> str:
        """The record under the cursor: its lines have no keys."""
        return self.chosen.text.partition("\n")[0] if self.chosen is not None else ""

    def beside(self, step: int) -> LogRecord | None:
        """Put the cursor on the record shown before this one (-1), or after it (1); None where there is none."""
        place = self._place() + step
        if self._at is None or not 0 <= place < len(self._index):
            return None
        self._go(place)
        return self.chosen

    def go_to(self, sequence: int) -> None:
        """Put the cursor on the line of this record, or the nearest one shown before it."""
        self._go(self._index.at_or_before(self.line_of_record(sequence)))

    def _go(self, place: int) -> None:
        """Put the cursor on a record and bring it into sight."""
        if not len(self._index):
            return
        self._set_following(False)
        self._redraw_cursor()
        place = max(0, min(place, len(self._index) - 1))
        self._at = self._index.sequences[place]
        self._redraw_cursor()
        line, height = self._index.line_of(place), self.size.height
        end, top = self._index.line_of(place + 1), round(self.scroll_y)
        if line < top:
            self._jump(line)
        elif end > top + height:
            # all of it, as far as it has room
            self._jump(min(line, end - height))

    def _redraw_cursor(self) -> None:
        place = -1 if self._at is None else self._index.at_or_before(self._at)
        if place >= 0:
            line = self._index.line_of(place)
            self.refresh_lines(line, self._index.line_of(place + 1) - line)

    def _place(self) -> int:
        """The place of the cursor, or of the newest record in sight."""
        if self._at is not None:
            return max(0, self._index.at_or_before(self._at))
        return min(self._index.at_line(self.scroll_offset.y + self.size.height - 1), len(self._index) - 1)

    def _taken(self) -> LogRecord | None:
        """The record under the cursor, which is put on the newest in sight where there is none."""
        if self.chosen is None:
            self.action_cursor(0)
        return self.chosen

    # --- keys --------------------------------------------------------------------------------------------------

    def action_follow(self) -> None:
        if self.following:
            self._set_following(False)
        else:
            self.action_bottom()

    def action_bottom(self) -> None:
        self._set_following(True)
        self._jump(self._index.height)
        self.refresh()

    def action_top(self) -> None:
        self._go(0)
        self.want_older()

    def action_cursor(self, step: int) -> None:
        place = self._place()
        if step < 0 and place == 0 and self._at is not None:
            self.want_older()
        # the first press shows the cursor at the newest line in sight
        self._go(place + (step if self._at is not None else 0))

    def action_page(self, pages: int) -> None:
        top = round(self.scroll_y)
        if pages < 0 and top == 0:
            self.want_older()
        self._redraw_cursor()
        self._at = None
        line = max(0, top + pages * max(1, self.size.height - 1))
        self.scroll_to(y=line, animate=False, immediate=True, force=True)

    def action_open(self) -> None:
        if (record := self._taken()) is not None:
            self.post_message(self.Opened(self, str(record.sequence)))

    def clicked(self, number: int, twice: bool) -> None:
        place = self._index.at_line(number)
        if 0 <= place < len(self._index):
            if self._index.sequences[place] != self._at:
                self._go(place)
            if twice:
                self.action_open()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self._redraw_cursor()

    # --- marks -------------------------------------------------------------------------------------------------

    def action_mark(self) -> None:
        if (record := self._taken()) is not None:
            # a request is marked by any of its lines
            marked = self.marks.intersection(self.behind(record))
            self.marks = self.marks - marked if marked else self.marks | {record.sequence}
            self._redraw_cursor()
            self.post_message(self.Changed())

    def action_next_mark(self) -> None:
        if not self.marks:
            self.notify("no record is marked: m marks one", markup=False)
            return
        lines = {self._index.at_or_before(self.line_of_record(sequence)): sequence for sequence in self.marks}
        found = [self._index.sequences[place] for place in sorted(lines) if place >= 0]
        shown = [line for line in found if (record := self.store.get(line)) and self.marks & {*self.behind(record)}]
        if not shown:
            self.notify(f"{count(len(self.marks), 'mark')}, on records that the filter hides", markup=False)
            return
        behind = (sequence for sequence in shown if self._at is not None and sequence > self._at)
        self.go_to(next(behind, shown[0]))
