"""What others than the writer have to tell the record: lines in a file beside it, which the writer takes up.

A restart from the command line is known to the process that makes it alone, while another one writes the record.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.host.bounded import read_bytes
from litellm_tui.model.history import Event
from litellm_tui.storage import shared_file

MOST_BYTES: Final = 1 << 20


def note(path: Path, event: Event) -> str:
    """Leave this event for the writer of the record at `path`; why that is not possible, or an empty text.

    Where nothing has been recorded yet nobody would take it up: nothing is written.
    """
    notes = _notes(path)
    if not path.parent.is_dir():
        return ""
    try:
        with shared_file.changing(notes):
            if notes.exists() and notes.stat().st_size > MOST_BYTES:
                return f"{notes}: nobody has taken up what is noted there"
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(notes, flags, 0o600), "ab") as file:
                file.write(msgspec.json.encode(event) + b"\n")
    except OSError as error:
        return f"{notes}: {error.strerror}"
    return ""


def take(path: Path) -> list[Event]:
    """The events that were noted, taken away for the writer, who calls `forget` when they are in the record."""
    notes, taken = _notes(path), _taken(path)
    if not notes.exists() and not taken.exists():
        return []
    if not taken.exists():
        with shared_file.changing(notes), contextlib.suppress(FileNotFoundError):
            os.replace(notes, taken)
    return list(_read(taken))


def forget(path: Path) -> None:
    """What was taken is in the record."""
    with contextlib.suppress(OSError):
        _taken(path).unlink()


def waiting(path: Path) -> list[Event]:
    """The events that nobody has taken up yet, for readers."""
    return [*_read(_taken(path)), *_read(_notes(path))]


def _read(file: Path) -> Iterator[Event]:
    try:
        lines = read_bytes(file, 2 * MOST_BYTES).splitlines()
    except OSError:
        # there is none, or it may not be read: who writes it is told so
        return
    for line in lines:
        try:
            event = msgspec.json.decode(line, type=Event)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            # a line that was cut off by a kill or a full disk is lost alone
            continue
        yield msgspec.structs.replace(event, id=0)


def _notes(path: Path) -> Path:
    return path.with_name("noted.jsonl")


def _taken(path: Path) -> Path:
    return path.with_name("noted.taken.jsonl")
