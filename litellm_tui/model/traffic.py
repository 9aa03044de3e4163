"""Real requests in the log and in /metrics: answers, failures, and notices that explain a fault.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import msgspec

Subject = Literal[
    "upstream",
    "gateway",
    "caller",
    "database",
    "cache",
    "side service",
    "start-up",
    "worker",
    "mcp",
    "machine",
    "",
]
"""Whose failure it is; empty where the evidence does not say.

`upstream`: a provider, or what stands before it. `gateway`: LiteLLM itself refuses (budgets, its own limits,
guardrails, model access, tags, parameters that it does not pass on), or fails in its own code. `caller`: an unknown,
expired or malformed key, a name that is not served, a request that is none. `cache`: Redis and the other caches.
`side service`: where logs, traces, alerts and spend are sent to, and who signs tokens. `start-up`: what ended a start.
`worker`: a process that died or hung. `mcp`: an MCP server. `machine`: memory, disk, file descriptors.
"""


Step = tuple[int, int, int]
"""`(when it began, requests answered, requests failed)`, for `STEP` seconds."""

STEP: Final = 10.0

Minute = tuple[int, int, int]
"""`(minute, requests answered, requests failed)`; a minute is seconds since the epoch over 60."""

HOUR: Final = 60
"""The minutes that are kept of each subject."""


class FailedOnce(NamedTuple):
    """One failure: its time, its words in one line, and the number of its record (-1 where there is none)."""

    time: float
    words: str
    sequence: int


class Tally(msgspec.Struct, frozen=True):
    """The real requests of one target, without probes of the console and LiteLLM's health checks.

    `kind` says what `name` is and where it was seen: a `model` (`litellm_params.model`) in LiteLLM's INFO lines, a
    `group` in failure lines of any level, a `deployment` (its id) in /metrics. `ok` and `failed` count within the
    window; the times can be older. `failing_since` is the first failure after the last
    success, `in_a_row` the number of failures since then, `failures` the times of the last three, `answers` those of
    the last answers, one a second at most. `broken` counts those of the failures that were streams: LiteLLM has written
    such a request as answered when its stream began. `error` is the last failure in full, with its stack trace below
    "stack trace:". `steps` are the counts of the window by `STEP` seconds, the oldest first; `hour` are those of the
    last `HOUR` minutes, and `errors` the last three failures.
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
    broken: int = 0
    steps: tuple[Step, ...] = ()
    hour: tuple[Minute, ...] = ()
    errors: tuple[FailedOnce, ...] = ()


FailedBy = Literal["group", "model", "caller", "refused", "stream", "other", ""]
"""Whose a failed request is, as far as the log tells.

`group`: a name that was asked for. `model`: the one (`litellm_params.model`) whose attempt failed so, where the record
names no group: its tally tells of it. `caller`: an unknown or refused key, or a name that does not exist. `refused`: an
answer of 4xx that names neither. `stream`: one that broke, of a model that the log does not name. `other`: an answer of
5xx to a request that asks for no model. Empty: the log does not say; the name is then the status, where an access line
of 408 or 429 alone tells of it.
"""


class FailedRequests(msgspec.Struct, frozen=True):
    """Requests of the last window that failed, by whose they are. `times` counts them, `callers` are their addresses.

    `since` is the first of them in a row, `last` the latest. `words` is the latest error, empty where only an access
    line tells of it. `steps` are the failures by `STEP` seconds.
    """

    by: FailedBy
    name: str = ""
    times: int = 0
    since: float = 0.0
    last: float = 0.0
    words: str = ""
    callers: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


class SilentTally(msgspec.Struct, frozen=True):
    """Requests that were answered with 4xx, or with 5xx, of which no line of LiteLLM's tells, by their route.

    `route` is the method and the path, identifiers in it as `*`; of paths that are not there, and beyond the bound,
    `other paths`, some of which are `paths`. `counts` are as those of `FailureTally`, `statuses` and `callers` are
    HTTP statuses and client addresses, each with its number. `sequence` is the number of the last access line.
    """

    route: str
    first: float
    last: float
    sequence: int
    counts: tuple[tuple[int, int], ...] = ()
    statuses: tuple[tuple[int, int], ...] = ()
    callers: tuple[tuple[str, int], ...] = ()
    paths: tuple[str, ...] = ()


NoticeKind = Literal["port taken", "dropped", "no such group", "alias", "stream breaks"]


class Notice(msgspec.Struct, frozen=True):
    """A log line that explains a fault, by its subject `name`; `times` counts the lines.

    `dropped`: a model that LiteLLM left out at its start because it names no provider. `no such group`: a requested
    name that does not exist. `port taken`: an address that LiteLLM could not listen on. `alias`: a request failed on an
    alias that is a list. `stream breaks`: a stream ended in the middle of its answer, with this error.
    """

    kind: NoticeKind
    name: str
    first: float
    last: float
    times: int = 1


class Traffic(msgspec.Struct, frozen=True):
    """Real requests of the last `window` seconds. `requests` and `refused` count LLM calls in uvicorn's access lines;
    `access_lines` says whether there are any (1.77 with json_logs writes none).

    `per_model` means that LiteLLM writes a line for each call (LITELLM_LOG=INFO), `counted` that /metrics counts them:
    without both, successes cannot be assigned to models. `cooling` maps the id of a deployment to the end of its
    cooldown, from the log. `answered_at` is the last answer to any request, the console's own included, `succeeded_at`
    the last success of a request for a model that an access line tells of.

    `steps` are the requests by `STEP` seconds, the refused as failed. `failed` attributes every failed request.
    `hour` are the requests by minutes, the refused as failed; `failed_hour` those that failed by the attribution of
    `failed`, without what callers asked wrongly and without requests for no model.
    `silent` are the failed and the refused of which an access line alone tells, of all that was read of the log.
    `counted_since` is from when on /metrics was compared: the start of the process where that is young, else the first
    reading.
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
    succeeded_at: float | None = None
    failed: tuple[FailedRequests, ...] = ()
    counted_since: float | None = None
    steps: tuple[Step, ...] = ()
    hour: tuple[Minute, ...] = ()
    failed_hour: tuple[Minute, ...] = ()
    silent: tuple[SilentTally, ...] = ()


Voice = Literal["attempt", "router", "request", "other"]


FailedKind = Literal["group", "model", "caller", "part", "service", ""]


class FailureTally(msgspec.Struct, frozen=True):
    """One kind of failure in the log, from one kind of line (`voice`): a request that fails causes several lines.

    `cause` is a known cause or empty, `subject` says whose failure it is, `kind` says what `name` is (a group, a
    `litellm_params.model`, …); with the kind `part`, `name` is that part of the subject, such as a callback.
    `pattern` is the fingerprint of the text where cause and name do not identify the failure. `counts` are
    `(minute, failures)`, a minute being seconds since the epoch over 60; older than an hour, `(first minute of the
    hour, failures)`.
    `callers` are client addresses of the access lines that followed, with counts; `calls` are the last ids. `sequence`
    and `words` are the number and the text of an example record.
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
    subject: Subject = ""


class Failures(msgspec.Struct, frozen=True):
    """Failures by kind. `other` counts failures of kinds that are no longer kept.

    `answers` are `(minute, answers, of these 4xx, of these 5xx)` from uvicorn's access lines of the last hour, without
    the console's own requests and health polling.
    """

    tallies: tuple[FailureTally, ...] = ()
    other: int = 0
    answers: tuple[tuple[int, int, int, int], ...] = ()
