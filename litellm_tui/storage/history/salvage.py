"""A broken record: it is set aside, never deleted, and what can still be read of it is taken over into a new one."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from litellm_tui.analysis.phrases import count
from litellm_tui.storage.history.schema import changing, open_to_write

_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_TABLES: Final = ("events", "series", "fresh", "chunks", "spans")
_AT_ONCE: Final = 500
# rows around a damaged page are skipped in steps of this size, then twice as many
_SKIPPED: Final = 1
_MOST_SKIPS: Final = 200


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the content of the file is at fault, and not the disk, a lock or a permission."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in _DAMAGE


def renew(path: Path) -> tuple[sqlite3.Connection, str]:
    """Set the broken file aside and begin a new one with what can be read of it; returns it, and what was done.

    Raises sqlite3.Error and OSError.
    """
    aside = _set_aside(path)
    connection = open_to_write(path)
    try:
        rows = _copied(aside, connection)
    except BaseException:
        connection.close()
        raise
    kept = f"{count(rows, 'row')} of it could be read and {'is' if rows == 1 else 'are'} kept" if rows else "nothing"
    said = kept if rows else "nothing of it could be read"
    return connection, f"{path} was damaged: {said}; the damaged file is {aside.name}"


def _set_aside(path: Path) -> Path:
    """Rename the file with its log; the names tell when, and none is used twice."""
    stamp = int(time.time())
    while (aside := path.with_name(f"{path.name}.damaged.{stamp}")).exists():
        stamp += 1
    for end in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{path}{end}", f"{aside}{end}")
    return aside


def _copied(aside: Path, into: sqlite3.Connection) -> int:
    """Take over the rows that can be read; returns their number."""
    try:
        old = sqlite3.connect(f"{aside.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error:
        return 0
    # an index that is damaged need not keep anybody from its table
    old.execute("PRAGMA writable_schema = ON")
    rows = 0
    try:
        for table in _TABLES:
            names = [row[1] for row in into.execute(f"PRAGMA table_info({table})")]
            places = ", ".join("?" * len(names))
            put = f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({places})"
            for batch in _batches(old, f"SELECT {', '.join(names)} FROM {table}"):
                with changing(into):
                    for row in batch:
                        try:
                            rows += into.execute(put, row).rowcount
                        except (sqlite3.IntegrityError, sqlite3.InterfaceError):
                            # a row that was read from a damaged page may hold anything
                            continue
    finally:
        old.close()
    return rows


def _batches(old: sqlite3.Connection, asked: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows in the order of their numbers: up from the first, past what cannot be read, as far as the last."""
    last, skip, skips = -1, _SKIPPED, 0
    while skips <= _MOST_SKIPS:
        try:
            rows = old.execute(f"{asked} WHERE id > ? ORDER BY id LIMIT {_AT_ONCE}", (last,)).fetchall()
        except sqlite3.Error:
            # one row at a time, so that those before the damage are not lost with it
            row = _one(old, asked, last)
            if row is not None:
                yield [row]
                last, skip = int(row[0]), _SKIPPED
                continue
            last, skip, skips = last + skip, skip * 2, skips + 1
            continue
        if not rows:
            return
        yield rows
        last, skip = int(rows[-1][0]), _SKIPPED


def _one(old: sqlite3.Connection, asked: str, last: int) -> tuple[Any, ...] | None:
    try:
        found: tuple[Any, ...] | None = old.execute(f"{asked} WHERE id > ? ORDER BY id LIMIT 1", (last,)).fetchone()
    except sqlite3.Error:
        return None
    return found
