"""Why something could not be read. A failure is a value, never an exception.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Failure(msgspec.Struct, frozen=True, tag=True):
    """Why something could not be read, in one line that holds no secret."""

    why: str


class Unreachable(Failure, frozen=True, tag=True):
    """Nothing answered. `kind` says how: a refused port is another fault than a process that hangs."""

    kind: Literal["refused", "timeout", "dns", "tls", "closed", "other"] = "other"


class Unauthorized(Failure, frozen=True, tag=True):
    """The gateway needs a key, or with `sent` it refused the one it got."""

    sent: bool = False


class NotAvailable(Failure, frozen=True, tag=True):
    """The source answers, but the feature is off, missing in this version, or needs a database. Not an outage."""


class Malformed(Failure, frozen=True, tag=True):
    """The answer is none of LiteLLM's (HTML, an empty body, an unexpected status).

    `front` says what answered in its place, where something in front of it did.
    """

    status: int | None = None
    front: str = ""


class Denied(Failure, frozen=True, tag=True):
    """The operating system refused access: a permission of the journal, a file mode, polkit."""


class Begun(Failure, frozen=True, tag=True):
    """An order was carried out in part, and came to nothing: what ran before may run still, and has to be gone back
    to.
    """


class Crashed(Failure, frozen=True, tag=True):
    """The console itself failed: `error` is the class of the exception, `place` where it was raised."""

    error: str = ""
    place: str = ""


class Crash(msgspec.Struct, frozen=True):
    """A source that the console fails to read: the first and the last time, and how many times in a row.

    The next attempt is `again_in` seconds after the last one; None means at the next regular reading.
    """

    source: str
    failure: Crashed
    since: float
    at: float
    times: int = 1
    again_in: float | None = None


class Unrecorded(msgspec.Struct, frozen=True):
    """Why the record of the gateway cannot be written, in one line, and since when."""

    why: str
    since: float
