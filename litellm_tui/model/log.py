"""Records of the log, and the state of its tail.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from litellm_tui.model.failures import Failure

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


Step = Literal[
    "", "started", "begun", "routine", "chosen", "ok", "failed", "fallback", "router", "refused", "error", "answered"
]
"""What a line says of a request, in the order in which it goes: it begins, a group is chosen, an attempt is answered or
fails, it goes to another group, the router or the key's check gives it up, it ends with an error, it is answered.
`routine` says nothing of the outcome, and `started` is the start of the process.
"""

GAP: Literal["gap"] = "gap"
"""The `source` of a record in place of missing lines; its `text` says which, with their number if known."""


class LogRecord(msgspec.Struct, frozen=True, gc=False):
    """One record of the log: what LiteLLM wrote at once, with its traceback.

    `sequence` counts up by one per record of this session; older records fetched later have negative numbers. `text`
    has no control characters and no secrets. `model` is the deployment's `litellm_params.model` or the model group in
    the line, `logger` the place in LiteLLM's source that wrote it (`router.py:7881`); both are empty where the line
    has none. `place` orders records of the same time in their source (see `logs.entry.Entry`). `service` is the name
    that the line had as a prefix, such as Compose's; where no more is known of the process, `pid` is below 0. `step` is
    what it says of a request, `cause` the known cause of a failure that it tells of, both empty for none.
    """

    sequence: int
    time: float
    level: Level
    source: str
    text: str
    stack: str = ""
    pid: int = 0
    call_id: str = ""
    status: int = 0
    own: bool = False
    model: str = ""
    logger: str = ""
    place: int = 0
    service: str = ""
    step: Step = ""
    cause: str = ""

    @property
    def process(self) -> str:
        """The number of the process, or the name of the service where only that is known."""
        return self.service if self.pid < 0 else str(self.pid)


class Hop(NamedTuple):
    """One group, or one model where the lines name no group, that a request was sent to.

    `tries` counts the attempts that failed; `cause` is that of the last. `ok` is None where no line tells of an end.
    """

    name: str
    ok: bool | None = None
    cause: str = ""
    tries: int = 0


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request, put together from its lines. `anchor` is the sequence of its access line, `members` of all others.

    `hops` are the groups that it went to, in order. `began` is when it came, None where no line says so. `level` is the
    highest of its lines.
    """

    anchor: int
    members: tuple[int, ...]
    hops: tuple[Hop, ...]
    began: float | None
    level: Level


class Log(msgspec.Struct, frozen=True):
    """The state of the tail. The records are in the `LogStore` that the monitor fills; `last` is its newest sequence.

    `lines` counts what was read since the start, without blank lines. Of these `unread` could not be parsed, and
    `unknown` are of no known form (`unknown_example` is the beginning of the first): the log shows them unchanged, and
    no other counter has them.
    """

    source: str = ""
    state: Literal["starting", "following", "ended", "off"] = "starting"
    failure: Failure | None = None
    hint: str | None = None
    first: int = 0
    last: int = -1
    last_at: float | None = None
    restarts: int = 0
    errors_per_minute: tuple[int, ...] = ()
    unread: int = 0
    lines: int = 0
    unknown: int = 0
    unknown_example: str = ""
