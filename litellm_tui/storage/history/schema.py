"""The tables of the record, and how a file of an earlier version becomes one of this.

A chunk's key is its series, its level and its number in one integer: the chunks of a series lie beside each other.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

BUSY_SECONDS: Final = 5.0
# the bits of a chunk's number
_NUMBER_BITS: Final = 24

# each brings a file to the next version; what has been released is never changed
MIGRATIONS: Final = (
    """
    CREATE TABLE events (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, until REAL, kind TEXT NOT NULL, key TEXT NOT NULL,
        subject TEXT NOT NULL, severity TEXT NOT NULL, title TEXT NOT NULL, cause TEXT NOT NULL, do TEXT NOT NULL,
        hit TEXT NOT NULL, text TEXT NOT NULL
    );
    CREATE INDEX events_at ON events (at);
    CREATE INDEX events_same ON events (kind, key);
    CREATE INDEX events_lasting ON events (kind, until);
    CREATE TABLE series (
        id INTEGER PRIMARY KEY, subject TEXT NOT NULL, measure TEXT NOT NULL, source TEXT NOT NULL,
        UNIQUE (subject, measure, source)
    );
    CREATE TABLE fresh (id INTEGER PRIMARY KEY, step INTEGER NOT NULL, data BLOB NOT NULL);
    CREATE TABLE chunks (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
    CREATE TABLE spans (id INTEGER PRIMARY KEY, since REAL NOT NULL, until REAL NOT NULL, ended TEXT NOT NULL);
    CREATE INDEX spans_until ON spans (until);
    """,
)
VERSION: Final = len(MIGRATIONS)


class LaterVersion(Exception):
    """The file was written by a later version of this program."""


def chunk_key(series: int, level: int, number: int) -> int:
    """The key of a chunk: `level` is its place in `LEVELS`, `number` its time over the span of such a chunk."""
    return ((series << 2 | level) << _NUMBER_BITS) | min(max(number, 0), (1 << _NUMBER_BITS) - 1)


def chunk_number(key: int) -> int:
    """The number of the chunk with this key."""
    return key & ((1 << _NUMBER_BITS) - 1)


def open_to_write(path: Path, migrations: Sequence[str] = MIGRATIONS) -> sqlite3.Connection:
    """The file, made where there is none, in the newest version. Raises sqlite3.Error, OSError, `LaterVersion`."""
    # whoever may read the state of the gateway reads its record: nobody else
    with contextlib.suppress(FileExistsError):
        path.touch(mode=0o600, exist_ok=False)
    # calls come from one thread after the other, never from two at once
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # a kill loses nothing that was committed; only the power may take the last seconds
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -1024")
        migrate(connection, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """The file, which is only read. Raises sqlite3.Error, `LaterVersion`; where there is none, an OperationalError."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS,
                                 isolation_level=None, check_same_thread=False)  # fmt: skip
    try:
        if version_of(connection) > VERSION:
            raise LaterVersion
    except BaseException:
        connection.close()
        raise
    return connection


def version_of(connection: sqlite3.Connection) -> int:
    """The version of the file's tables; 0 of an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring the file to the newest version, each step whole or not at all."""
    while (version := version_of(connection)) < len(migrations):
        with changing(connection):
            for statement in migrations[version].split(";"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
    if version_of(connection) > len(migrations):
        raise LaterVersion


@contextlib.contextmanager
def changing(connection: sqlite3.Connection) -> Iterator[None]:
    """All changes made here are kept, or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            # what failed has been told; SQLite may have rolled back by itself
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise
