"""The outbox of one gateway: how its problems stand, what each receiver was told, and the messages that wait.

A file of SQLite in the state folder. Several consoles and recorders use it at once: each look is one transaction, so
that an event becomes one message to a receiver whoever sees it first, and who sends a message has claimed it. Its texts
are masked; addresses and keys of receivers are not in it. A message is sent again when its sender was killed between
sending it and noting that: it comes twice rather than not at all.

Every method blocks, raises `sqlite3.Error` and OSError, and is called in one thread.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec

from litellm_tui.analysis.notify.decide import Decision, Zones, decide
from litellm_tui.analysis.notify.standing import Standings, has_ended, observed
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.notification import Belief, Message, Standing, Waiting
from litellm_tui.model.notify_settings import Rule
from litellm_tui.storage.identity import gateway_name
from litellm_tui.storage.shared_file import set_aside
from litellm_tui.storage.state import state_folder

T = TypeVar("T")

FORM: Final = 1
BUSY_SECONDS: Final = 3.0
# a sender that has not come back by then is gone: longer than any receiver is waited for
CLAIM_SECONDS: Final = 90.0
# for each receiver; older ones make room
MOST_WAITING: Final = 500
OLDEST_WAITING: Final = 7 * 86400.0
# those that are done, for `notify --list`
MOST_DONE: Final = 500
# how often it is noted that all stands as it did
_SEEN_SECONDS: Final = 30.0
# longer than any rule keeps quiet about a problem
_FORGOTTEN: Final = 8 * 86400.0
FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 300.0
_TABLES: Final = """
CREATE TABLE standing (key TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE belief (
    receiver TEXT, key TEXT, there INTEGER NOT NULL, at REAL NOT NULL, record BLOB NOT NULL, PRIMARY KEY (receiver, key)
) WITHOUT ROWID;
CREATE TABLE message (
    number INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL, state TEXT NOT NULL, written_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, next_try REAL NOT NULL DEFAULT 0, failure TEXT NOT NULL DEFAULT '',
    done_at REAL, owner TEXT NOT NULL DEFAULT '', claimed_until REAL NOT NULL DEFAULT 0, record BLOB NOT NULL
);
CREATE INDEX message_waiting ON message (state, receiver, number);
"""


class Seen(NamedTuple):
    """One look: with `gateway_known` what it does not show is gone, and with `hold` nothing is told of it yet."""

    diagnosis: Diagnosis
    gateway_known: bool
    now: float
    mask: Callable[[str], str]
    hold: bool = False


class Claimed(NamedTuple):
    """A message that this process is to send now, and how often that was tried."""

    number: int
    message: Message
    attempts: int


Choose = Callable[[Sequence[Message]], int]
"""How many of these, the oldest first, are told together."""


class LaterForm(OSError):
    """The file was written by a later litellm-tui."""


def outbox_path(url: str, unit: str, folder: Path | None = None) -> Path:
    """The file of the gateway at this address with this unit."""
    return (folder or state_folder()) / "notify" / f"{gateway_name(url, unit)}.sqlite"


def pause(attempts: int) -> float:
    """Seconds until a message is tried again that was tried so often."""
    return min(FIRST_PAUSE * 2.0 ** min(attempts - 1, 16), LONGEST_PAUSE)


class Outbox:
    """`note` says what became of a damaged file, else it is empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.note = ""
        self._me = uuid.uuid4().hex
        self._connection: sqlite3.Connection | None = None

    # --- looks -------------------------------------------------------------------------------------------------

    def observe(
        self,
        seen: Seen,
        rules: Mapping[str, Sequence[Rule]],
        zones: Zones,
        compose: Callable[[Decision, float, str], Message],
    ) -> int:
        """Take in one look, and write what is due by the rules of each receiver; returns the number of new messages.

        `compose` makes a message of a decision, a time and an id.
        """
        with self._changing() as connection:
            before = _standings(connection)
            after = observed(before, seen.diagnosis, seen.gateway_known, seen.now, seen.mask)
            beliefs = {name: _beliefs(connection, name) for name in rules}
            written = 0
            if not seen.hold:
                for name, own in rules.items():
                    for decision in decide(after, beliefs[name], own, zones, seen.now):
                        message = compose(decision, seen.now, uuid.uuid4().hex)
                        _add(connection, name, message)
                        beliefs[name][decision.standing.key] = _believe(connection, name, decision, seen.now)
                        written += 1
            told = {key for own in beliefs.values() for key, belief in own.items() if belief.there}
            _keep(connection, before, after, told, seen.now)
            if written:
                _make_room(connection, tuple(rules), seen.now)
            return written

    # --- sending -----------------------------------------------------------------------------------------------

    def due(self, receivers: Sequence[str], now: float) -> tuple[str, ...]:
        """Those of the receivers whose oldest message may be sent now."""
        connection = self._opened()
        return tuple(name for name in receivers if (head := _head(connection, name)) and self._free(head, now))

    def claim(self, receiver: str, now: float) -> Claimed | None:
        """The oldest message to this receiver, unless it is not due yet or somebody else sends it."""
        with self._changing() as connection:
            while (head := _head(connection, receiver)) is not None and self._free(head, now):
                message = _read(_MESSAGE, head["record"])
                if message is None:
                    # what cannot be read keeps nothing back
                    connection.execute("DELETE FROM message WHERE number = ?", (head["number"],))
                    continue
                connection.execute(
                    "UPDATE message SET owner = ?, claimed_until = ? WHERE number = ?",
                    (self._me, now + CLAIM_SECONDS, head["number"]),
                )
                return Claimed(head["number"], message, head["attempts"])
            return None

    def claim_with(self, first: Claimed, receiver: str, now: float, choose: Choose) -> list[Claimed]:
        """What `choose` takes of this message, which is claimed, and those that wait behind it; claimed as well."""
        with self._changing() as connection:
            rows = connection.execute(
                "SELECT * FROM message WHERE state = 'waiting' AND receiver = ? AND number > ? ORDER BY number",
                (receiver, first.number),
            ).fetchall()
            behind = [
                Claimed(row["number"], message, row["attempts"])
                for row in rows
                if self._free(row, now) and (message := _read(_MESSAGE, row["record"])) is not None
            ]
            found = [first, *behind]
            found = found[: choose([one.message for one in found])]
            connection.executemany(
                "UPDATE message SET owner = ?, claimed_until = ? WHERE number = ?",
                [(self._me, now + CLAIM_SECONDS, one.number) for one in found[1:]],
            )
            return found

    def done(self, number: int, now: float, state: str = "sent", failure: str = "") -> None:
        """It is sent, or refused for good."""
        with self._changing() as connection:
            connection.execute(
                "UPDATE message SET state = ?, done_at = ?, attempts = attempts + 1, failure = ?, owner = '' "
                "WHERE number = ? AND state = 'waiting'",
                (state, now, failure, number),
            )

    def failed(self, number: int, now: float, failure: str, wait: float) -> None:
        """It could not be sent: it is tried again after so many seconds."""
        with self._changing() as connection:
            connection.execute(
                "UPDATE message SET attempts = attempts + 1, next_try = ?, failure = ?, owner = '', claimed_until = 0 "
                "WHERE number = ? AND state = 'waiting'",
                (now + wait, failure, number),
            )

    def _free(self, head: sqlite3.Row, now: float) -> bool:
        # of times that a clock has left behind when it was set back, neither counts
        waits = 0 < head["next_try"] - now <= 12 * LONGEST_PAUSE
        claimed = 0 < head["claimed_until"] - now <= CLAIM_SECONDS and head["owner"] not in ("", self._me)
        return not waits and not claimed

    def listed(self, most: int = MOST_DONE) -> tuple[Waiting, ...]:
        """The messages, the newest first. A file that is not there is not made."""
        if not self.path.exists():
            return ()
        rows = self._opened().execute("SELECT * FROM message ORDER BY number DESC LIMIT ?", (most,))
        return tuple(
            Waiting(
                row["receiver"], message, row["state"], row["attempts"], row["next_try"], row["failure"],
                row["done_at"],
            )
            for row in rows
            if (message := _read(_MESSAGE, row["record"])) is not None
        )  # fmt: skip

    # --- the file ----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """The next call opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                self._connection = self._open()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    # busy, or no room: the file itself is as it was
                    raise
                aside = set_aside(self.path)
                for rest in ("-wal", "-shm"):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(f"{self.path}{rest}")
                self.note = f"{self.path} was damaged, and is in {aside.name}: what was told before is forgotten"
                self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            (form,) = connection.execute("PRAGMA user_version").fetchone()
            if form > FORM:
                raise LaterForm(f"{self.path} was written by a later litellm-tui, and is left as it is")
            if form == 0:
                for statement in _TABLES.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {FORM}")
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        connection = self._opened()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                # what ended the connection has ended the transaction too
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


_STANDING: Final = msgspec.json.Decoder(Standing)
_BELIEF: Final = msgspec.json.Decoder(Belief)
_MESSAGE: Final = msgspec.json.Decoder(Message)


def _read(decoder: msgspec.json.Decoder[T], record: bytes) -> T | None:
    """The record; None where a damaged file, or another version, holds something else."""
    try:
        return decoder.decode(record)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _standings(connection: sqlite3.Connection) -> dict[str, Standing]:
    rows = connection.execute("SELECT * FROM standing")
    return {row["key"]: found for row in rows if (found := _read(_STANDING, row["record"])) is not None}


def _beliefs(connection: sqlite3.Connection, receiver: str) -> dict[str, Belief]:
    rows = connection.execute("SELECT key, record FROM belief WHERE receiver = ?", (receiver,))
    return {row["key"]: found for row in rows if (found := _read(_BELIEF, row["record"])) is not None}


def believed(decision: Decision, now: float) -> Belief:
    """What a receiver believes that was told this."""
    standing = decision.standing
    return Belief(standing.key, standing.severity, decision.event != "ended", now, standing)


def _believe(connection: sqlite3.Connection, receiver: str, decision: Decision, now: float) -> Belief:
    belief = believed(decision, now)
    connection.execute(
        "INSERT OR REPLACE INTO belief VALUES (?, ?, ?, ?, ?)",
        (receiver, belief.key, belief.there, now, msgspec.json.encode(belief)),
    )
    return belief


def _keep(connection: sqlite3.Connection, before: Standings, after: Standings, told: set[str], now: float) -> None:
    """Write how all stand now; what has ended is kept while somebody is still to be told so."""
    for key, standing in after.items():
        known = before.get(key)
        if has_ended(standing, now) and key not in told:
            connection.execute("DELETE FROM standing WHERE key = ?", (key,))
        elif known is None or _differs(known, standing):
            connection.execute("INSERT OR REPLACE INTO standing VALUES (?, ?)", (key, msgspec.json.encode(standing)))


def _differs(known: Standing, standing: Standing) -> bool:
    if abs(standing.seen_at - known.seen_at) >= _SEEN_SECONDS:
        return True
    # a text may have a number in it that goes on: each message is written with the text of its moment
    same = msgspec.structs.replace(
        standing, seen_at=known.seen_at, title=known.title, reason=known.reason, do=known.do, hit=known.hit
    )
    return same != known


def _add(connection: sqlite3.Connection, receiver: str, message: Message) -> None:
    connection.execute(
        "INSERT INTO message (receiver, state, written_at, record) VALUES (?, 'waiting', ?, ?)",
        (receiver, message.written_at, msgspec.json.encode(message)),
    )


def _head(connection: sqlite3.Connection, receiver: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = connection.execute(
        "SELECT * FROM message WHERE state = 'waiting' AND receiver = ? ORDER BY number LIMIT 1", (receiver,)
    ).fetchone()
    return found


def _make_room(connection: sqlite3.Connection, receivers: Sequence[str], now: float) -> None:
    for receiver in receivers:
        connection.execute(
            "UPDATE message SET state = 'dropped', done_at = ?, failure = 'too many waited' WHERE number IN (SELECT "
            "number FROM message WHERE state = 'waiting' AND receiver = ? ORDER BY number DESC LIMIT -1 OFFSET ?)",
            (now, receiver, MOST_WAITING),
        )
    connection.execute(
        "UPDATE message SET state = 'dropped', done_at = ?, failure = 'waited for too long' "
        "WHERE state = 'waiting' AND written_at < ?",
        (now, now - OLDEST_WAITING),
    )
    connection.execute(
        "DELETE FROM message WHERE number IN (SELECT number FROM message WHERE state != 'waiting' "
        "ORDER BY number DESC LIMIT -1 OFFSET ?)",
        (MOST_DONE,),
    )
    connection.execute("DELETE FROM belief WHERE NOT there AND at < ?", (now - _FORGOTTEN,))
