"""What the log and /metrics tell of real requests: answers, failures, and notices that explain a fault.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Tally(msgspec.Struct, frozen=True):
    """What real requests showed of one target: its own probes and LiteLLM's health checks are not counted.

    `kind` says what `name` is and where it was seen: a `model` (`litellm_params.model`) in LiteLLM's INFO lines, a
    `group` in failure lines of any level, a `deployment` (its id) in /metrics. `ok` and `failed` count within the
    window; the times are of whatever was seen last, also before it. `failing_since` is the first failure after the last
    success, `in_a_row` the number of failures since then, `failures` the times of the last three, `answers` those of
    the last answers, one a second at most. `error` is the last failure in full, with its stack trace below "stack
    trace:".
    """

    kind: Literal["model", "group", "deployment"]
    name: str
    ok: int = 0
    failed: int = 0
    last_ok: float | None = None
    last_failed: float | None = None
    failing_since: float | None = None
    in_a_row: int = 0
    error: str = ""
    cooling_until: float | None = None
    failures: tuple[float, ...] = ()
    answers: tuple[float, ...] = ()


NoticeKind = Literal["port taken", "dropped", "no such group", "alias", "stream breaks"]


class Notice(msgspec.Struct, frozen=True):
    """Something that the log says and that explains a fault, by what it is about; `times` counts the lines.

    `dropped`: a model that LiteLLM left out at its start, for it names no provider. `no such group`: a name that was
    asked for in vain. `port taken`: an address it could not listen on. `alias`: a request failed on a list as alias.
    `stream breaks`: a stream ended in the middle of its answer, with this error.
    """

    kind: NoticeKind
    name: str
    first: float
    last: float
    times: int = 1


class Traffic(msgspec.Struct, frozen=True):
    """Real requests of the last `window` seconds. `requests` and `refused` are LLM calls in uvicorn's access lines,
    which `access_lines` says that there are (1.77 with json_logs writes none).

    `per_model` says that LiteLLM writes a line for each call (LITELLM_LOG=INFO), `counted` that /metrics counts them:
    without either a success names no model, and silence about one says nothing. `cooling` maps the id of a deployment
    to the moment until which the router does not ask it, as the log said. `answered_at` is the last answer to anybody
    about anything, the console's own questions among them.
    """

    window: float = 300.0
    tallies: tuple[Tally, ...] = ()
    requests: int = 0
    refused: int = 0
    access_lines: bool = False
    per_model: bool = False
    counted: bool = False
    since: float | None = None
    cooling: dict[str, float] = {}
    notices: tuple[Notice, ...] = ()
    answered_at: float | None = None


Voice = Literal["attempt", "router", "request", "other"]


FailedKind = Literal["group", "model", "cache", "caller", "service", ""]


class FailureTally(msgspec.Struct, frozen=True):
    """One kind of failure of the log, as one voice tells it: a request that fails is told by several.

    `cause` is a known one or empty, `kind` says what `name` is (a group, a `litellm_params.model`, …), `pattern` is the
    fingerprint of its words where cause and name do not tell it from others. `counts` are `(minute, failures)`, a
    minute being seconds since the epoch over 60; of what is older than an hour they are `(first minute of the hour,
    failures)`. `callers` are the addresses of the access lines that followed, with how many; `calls` the last ids;
    `sequence` is that of an example's record, `words` are its own.
    """

    cause: str
    kind: FailedKind
    name: str
    pattern: str
    voice: Voice
    words: str
    first: float
    last: float
    sequence: int
    counts: tuple[tuple[int, int], ...] = ()
    callers: tuple[tuple[str, int], ...] = ()
    calls: tuple[str, ...] = ()


class Failures(msgspec.Struct, frozen=True):
    """What failed, by kind. `other` counts failures of kinds that are no longer kept.

    `answers` are `(minute, answers, of these 4xx, of these 5xx)` of uvicorn's access lines in the last hour, without
    the console's own and without health polling.
    """

    tallies: tuple[FailureTally, ...] = ()
    other: int = 0
    answers: tuple[tuple[int, int, int, int], ...] = ()
