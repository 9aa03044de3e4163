"""Decodes the lines of `journalctl -o json`: many at once where they are ordinary, else one by one."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from litellm_tui.logs.entry import CUT, LONGEST_LINE, Entry, gap, read_each

FIELDS: Final = "MESSAGE,PRIORITY,_PID,SYSLOG_IDENTIFIER,MESSAGE_ID,_LINE_BREAK"
# SD_MESSAGE_JOURNAL_DROPPED of sd-messages.h: journald's message about its rate limit
_DROPPED: Final = "a596d6fe7bfa4994828e72309e95d61e"
# journald marks each piece but the last of a line longer than LineMax= (48 KiB)
_SPLIT: Final = "line-max"
# processes whose lines are joined at the same time
_MOST_BEGUN: Final = 16


class Cursor(NamedTuple):
    """The parts of a cursor: the sequence number, its numbering, and the rest that identifies an entry."""

    numbering: str
    number: int
    entry: tuple[str, ...]


_Whole = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]


class _Plain(msgspec.Struct, gc=False):
    """The form of nearly every line. Numbers are in strings, which the decoder reads as numbers."""

    cursor: str = msgspec.field(name="__CURSOR")
    microseconds: _Whole = msgspec.field(name="__REALTIME_TIMESTAMP")
    message: str = msgspec.field(name="MESSAGE")
    priority: _Whole = msgspec.field(default=6, name="PRIORITY")
    pid: _Whole = msgspec.field(default=0, name="_PID")
    identifier: str = msgspec.field(default="", name="SYSLOG_IDENTIFIER")
    kind: str = msgspec.field(default="", name="MESSAGE_ID")
    line_break: str = msgspec.field(default="", name="_LINE_BREAK")


class _Line(msgspec.Struct):
    cursor: str = msgspec.field(default="", name="__CURSOR")
    microseconds: str = msgspec.field(default="0", name="__REALTIME_TIMESTAMP")
    message: str | list[Any] | None = msgspec.field(default=None, name="MESSAGE")
    priority: Any = msgspec.field(default="6", name="PRIORITY")
    pid: Any = msgspec.field(default="0", name="_PID")
    identifier: Any = msgspec.field(default="", name="SYSLOG_IDENTIFIER")
    kind: Any = msgspec.field(default="", name="MESSAGE_ID")
    line_break: Any = msgspec.field(default="", name="_LINE_BREAK")


_decode_plain = msgspec.json.Decoder(_Plain, strict=False).decode_lines
_decode = msgspec.json.Decoder(_Line).decode


def decode_lines(lines: bytes) -> tuple[list[Entry], str]:
    """The entries of these lines and the cursor of the last one, "" where there is none."""
    try:
        found: Iterable[_Plain] = _decode_plain(lines)
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError):
        return _one_by_one(lines)
    entries = []
    cursor = ""
    for plain in found:
        cursor = plain.cursor
        entries.append(
            Entry(
                plain.microseconds / 1e6,
                plain.message,
                plain.priority,
                plain.pid,
                plain.identifier,
                _number(cursor),
                plain.kind == _DROPPED,
                split=plain.line_break == _SPLIT,
            )
        )
    return entries, cursor


def _one_by_one(lines: bytes) -> tuple[list[Entry], str]:
    entries = []
    cursor = ""
    for decoded in read_each(decode, lines.split(b"\n"), _unread):
        if decoded:
            entries.append(decoded[0])
            cursor = decoded[1] or cursor
    return entries, cursor


def decode(line: bytes) -> tuple[Entry, str] | None:
    """`(entry, cursor)` of one line of `journalctl -o json`; None for any other line.

    MESSAGE is a string, an array of byte values (escapes, broken UTF-8), an array of strings (the field occurs
    twice), or null (longer than journalctl prints).
    """
    try:
        raw = _decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    message = raw.message
    if isinstance(message, list):
        if all(isinstance(item, int) for item in message):
            message = bytes(item & 255 for item in message).decode(errors="replace")
        else:
            message = "\n".join(_text(item) for item in message)
    elif message is None:
        message = "(a line longer than journalctl prints)"
    entry = Entry(
        time=_whole(raw.microseconds) / 1e6,
        message=message,
        priority=_whole(raw.priority, 6),
        pid=_whole(raw.pid),
        identifier=_text(raw.identifier),
        place=_number(raw.cursor),
        gap=_text(raw.kind) == _DROPPED,
        split=_text(raw.line_break) == _SPLIT,
    )
    return entry, raw.cursor


class Pieces:
    """Joins the pieces of lines that journald has split, so that no word is torn, and no secret.

    A line longer than `LONGEST_LINE` characters is left out.
    """

    def __init__(self) -> None:
        self._begun: dict[tuple[int, str], list[Entry]] = {}

    def join(self, entries: list[Entry]) -> list[Entry]:
        """The lines that are complete now, in the order of their ends; pieces of others wait for the next call."""
        if not self._begun and not any(entry.split for entry in entries):
            return entries
        joined = []
        for entry in entries:
            if entry.gap:
                # the rest of the pieces may be missing
                self._begun.clear()
            origin = entry.pid, entry.identifier
            pieces = self._begun.pop(origin, [])
            if not (entry.split or pieces):
                joined.append(entry)
                continue
            pieces.append(entry)
            if sum(len(piece.message) for piece in pieces) > LONGEST_LINE:
                # one piece is kept, so that the rest is recognized
                pieces = [entry._replace(message="", gap=True)]
            if entry.split:
                self._begun[origin] = pieces
                if len(self._begun) > _MOST_BEGUN:
                    # its process most likely ended at the end of a piece
                    del self._begun[next(iter(self._begun))]
            elif pieces[0].gap:
                joined.append(gap(entry.time, CUT, entry.place))
            else:
                # the line is as old as its beginning: lines that are read back are older
                joined.append(pieces[0]._replace(message="".join(piece.message for piece in pieces), split=False))
        return joined


def _unread(line: bytes) -> tuple[Entry, str]:
    return Entry(time.time(), line.decode(errors="replace"), 6, 0, "", unread=True), ""


def parse_cursor(cursor: str) -> Cursor:
    """The parts of `s=…;i=…;b=…;m=…;t=…;x=…` (sd_journal_get_cursor(3)).

    An entry that is moved to another file, as by a flush, keeps its boot, times and checksum; its number may change.
    """
    parts = dict(part.split("=", 1) for part in cursor.split(";") if "=" in part)
    return Cursor(parts.get("s", ""), _number(cursor), tuple(parts.get(name, "") for name in "bmtx"))


def _number(cursor: str) -> int:
    try:
        return int(cursor.split(";", 2)[1][2:18], 16)
    except (ValueError, IndexError):
        return 0


def _text(value: Any) -> str:
    if isinstance(value, list):
        if value and all(isinstance(item, int) for item in value):
            return bytes(item & 255 for item in value).decode(errors="replace")
        return _text(value[0]) if value else ""
    return "" if value is None else str(value)


def _whole(value: Any, otherwise: int = 0) -> int:
    text = _text(value)
    return int(text) if text.isdecimal() and len(text) < 20 else otherwise
