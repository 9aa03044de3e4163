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
    """The gateway wants a key, or refused the one that was sent (`sent` tells which)."""

    sent: bool = False


class NotAvailable(Failure, frozen=True, tag=True):
    """It answers, but this feature is off, missing in this version, or needs a database. Not an outage."""


class Malformed(Failure, frozen=True, tag=True):
    """It answered with something that LiteLLM would not have said (HTML, an empty body, an unexpected status)."""

    status: int | None = None


class Denied(Failure, frozen=True, tag=True):
    """The operating system refused: a journal right, a file mode, polkit."""


class Crashed(Failure, frozen=True, tag=True):
    """The console itself failed at it: `error` is the class of the exception, `place` where it was raised."""

    error: str = ""
    place: str = ""


class Crash(msgspec.Struct, frozen=True):
    """A source that the console fails to read: since when, the last time, how often in a row.

    It is tried again `again_in` seconds after the last time, None at its next turn.
    """

    source: str
    failure: Crashed
    since: float
    at: float
    times: int = 1
    again_in: float | None = None
