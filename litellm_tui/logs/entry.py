"""One line of a log as its source gives it, before anybody has looked into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple, TypeVar

from litellm_tui.model.failures import Failure

# half an hour of a quiet proxy: the console's own polling leaves about 60 access lines a minute in it
HISTORY: Final = 2000
READ_SIZE: Final = 1 << 18
# journald splits at 48 KiB by default, and JSON may double that; a longer line is cut here rather than held forever
LONGEST_LINE: Final = 1 << 22
CUT: Final = "a line longer than 4 MB is missing here"


class Entry(NamedTuple):
    """One line of the log. `time` is seconds since the epoch.

    `place` orders the lines of one source that have the same time: the journal's sequence number, the offset in a file,
    the nanoseconds of docker's stamp. With `gap` it is no line at all: `message` says what is missing before it. With
    `split` the next entry of the same process goes on with it.
    `unread` it is a line that its source's reader could not take apart.
    """

    time: float
    message: str
    priority: int
    pid: int
    identifier: str
    place: int = 0
    gap: bool = False
    split: bool = False
    unread: bool = False


_Item = TypeVar("_Item")
_Read = TypeVar("_Read")


def each(read: Callable[[_Item], _Read], items: Iterable[_Item], instead: Callable[[_Item], _Read]) -> Iterator[_Read]:
    """What reading each item gives. One whose reading raises costs itself and no other: `instead` says what becomes of
    it. All that reads lines of a log goes through here.
    """
    for item in items:
        try:
            found = read(item)
        except Exception:  # noqa: BLE001  # a line holds whatever a client sent: no fault in reading it ends the rest
            found = instead(item)
        yield found


def gap(time: float, words: str, place: int = 0) -> Entry:
    """What stands in the log where lines are missing."""
    return Entry(time, words, 4, 0, "", place, True)


# A reading thread makes lines `Ready`, in whatever form the event loop takes them; a state is one of `model.log.Log`.
Ready = Callable[[list[Entry]], list[Any]]
Entries = Callable[[list[Any]], None]
States = Callable[[str, Failure | None, str | None], None]


def as_they_are(entries: list[Entry]) -> list[Any]:
    """Lines that are taken unprepared."""
    return entries
