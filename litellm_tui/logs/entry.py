"""One line of a log as its source gives it, before it is parsed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple, TypeVar

from litellm_tui.model.failures import Failure

# half an hour of a quiet proxy, to which the console's own polling adds about 60 access lines a minute
HISTORY: Final = 2000
READ_SIZE: Final = 1 << 18
# journald splits at 48 KiB by default, and JSON may double that; a longer line is left out
LONGEST_LINE: Final = 1 << 22
CUT: Final = "a line longer than 4 MB is missing here"


class Entry(NamedTuple):
    """One line of the log. `time` is seconds since the epoch.

    `place` orders the lines of one source that have the same time: the journal's sequence number, the offset in a file,
    the nanoseconds of Docker's stamp. With `gap` it is no line: `message` says what is missing at this place. With
    `split` the next entry of the same process continues it. With `unread` its source's reader could not parse it. With
    `unstamped` the source has no time of its own: it is when the line was read, or that of a line near it. `service` is
    the name that the line has as a prefix, such as Compose's; with `foreign` it is another program than LiteLLM.
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
    unstamped: bool = False
    service: str = ""
    foreign: bool = False


_Item = TypeVar("_Item")
_Read = TypeVar("_Read")


def read_each(
    read: Callable[[_Item], _Read], items: Iterable[_Item], instead: Callable[[_Item], _Read]
) -> Iterator[_Read]:
    """The result of `read` for each item, that of `instead` where `read` raises.

    Every reader of log lines uses this, so that a line that cannot be read costs only that line.
    """
    for item in items:
        try:
            found = read(item)
        except Exception:  # noqa: BLE001  # a line holds whatever a client sent: no fault in reading it ends the rest
            found = instead(item)
        yield found


def gap(time: float, words: str, place: int = 0) -> Entry:
    """The entry that marks a place where lines are missing."""
    return Entry(time, words, 4, 0, "", place, True)


# A reading thread prepares lines for the event loop; a state is one of those of `model.log.Log`.
Prepare = Callable[[list[Entry]], list[Any]]
Entries = Callable[[list[Any]], None]
States = Callable[[str, Failure | None, str | None], None]


def unprepared(entries: list[Entry]) -> list[Any]:
    """The entries as they are."""
    return entries
