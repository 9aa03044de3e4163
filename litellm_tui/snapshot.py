"""The frozen records that collectors, analysis and the faces speak in.

Times are seconds since the epoch, durations are seconds, sizes are bytes. A record is never changed after it was
published: a collector returns a new one. What could not be read is a `Failure` value, never an exception.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

import msgspec

T = TypeVar("T")


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


class Reading(msgspec.Struct, Generic[T], frozen=True):
    """The last good value of one source and what became of the latest attempt.

    `failure` belongs to the attempt at `tried_at`; `value` may be older (`seen_at`). `interval` is the pace at which
    the source is read, so that whoever shows the value can tell old from current.
    """

    value: T | None = None
    seen_at: float | None = None
    failure: Failure | None = None
    failing_since: float | None = None
    tried_at: float | None = None
    took: float | None = None
    interval: float = 0.0

    def stale(self, now: float) -> bool:
        """Whether the value is older than two and a half of its intervals (with two seconds of grace)."""
        return self.seen_at is not None and now - self.seen_at > 2.5 * self.interval + 2.0


# --- the gateway -----------------------------------------------------------------------------------------------


class Readiness(msgspec.Struct, frozen=True):
    """GET /health/readiness, with /health/readiness/details where the version has it."""

    status: str
    db: str | None = None
    version: str | None = None
    cache: str | None = None
    log_level: str | None = None


class LoadedDeployment(msgspec.Struct, frozen=True):
    """One entry of GET /v1/model/info: a deployment as the running router holds it.

    `params` are the `litellm_params` the proxy reports (it leaves `api_key` out and resolves `os.environ/` itself).
    `names` are all names it was listed under, aliases among them, in the proxy's order; `group` is the first.
    """

    id: str
    group: str
    model: str
    api_base: str | None = None
    mode: str | None = None
    rpm: int | None = None
    tpm: int | None = None
    from_db: bool = False
    params: dict[str, Any] = {}
    names: tuple[str, ...] = ()


class HealthEntry(msgspec.Struct, frozen=True):
    """One endpoint of GET /health. 1.77 gives no `model_id`: match by `model` and `api_base` there.

    `red_since` is when it was first seen unhealthy, `turned` whether it was seen healthy before that.
    """

    model: str
    api_base: str | None = None
    model_id: str | None = None
    error: str | None = None
    status: int | None = None
    red_since: float | None = None
    turned: bool = False


class HealthReport(msgspec.Struct, frozen=True):
    """GET /health, asked only while `background_health_checks` is on: otherwise each call is billed."""

    healthy: tuple[HealthEntry, ...]
    unhealthy: tuple[HealthEntry, ...]


class CachePing(msgspec.Struct, frozen=True):
    """GET /cache/ping. `error` is what a 503 said; every type but redis answers healthy untested (`ping` None)."""

    status: str
    type: str | None = None
    ping: bool | None = None
    ttl: float | None = None
    namespace: str | None = None
    server: str | None = None
    server_version: str | None = None
    error: str | None = None


class RedisInfo(msgspec.Struct, frozen=True):
    """GET /cache/redis/info: the whole Redis server's figures, not the LLM cache's alone."""

    version: str
    clients: int
    used_memory: int
    max_memory: int
    policy: str
    keys: int
    hits: int
    misses: int
    evicted: int
    ops_per_second: int
    uptime: int


class DeploymentCounters(msgspec.Struct, frozen=True):
    """One deployment in GET /metrics, LiteLLM's own health checks left out; counted since the process started.

    `errors` maps `exception class status` to its count.
    """

    id: str
    ok: float = 0.0
    failed: float = 0.0
    cooled_down: float = 0.0
    errors: dict[str, float] = {}


class Metrics(msgspec.Struct, frozen=True):
    """GET /metrics, as far as it is used. Counters since the process started."""

    deployments: tuple[DeploymentCounters, ...] = ()
    cache_hits: float | None = None
    cache_misses: float | None = None
    in_flight: float | None = None


class CacheCount(msgspec.Struct, frozen=True):
    """Hits and misses counted up to `time`, by LiteLLM itself (/metrics) or by the whole Redis server."""

    time: float
    hits: float
    misses: float


class CacheCounts(msgspec.Struct, frozen=True):
    """The readings of one counter in their order, about half a minute apart; a restart of what counts begins anew."""

    source: Literal["metrics", "redis"]
    counts: tuple[CacheCount, ...] = ()


class Gateway(msgspec.Struct, frozen=True):
    """All that HTTP tells. `router` is `router_settings` of GET /get/config/callbacks: as the router has them.

    `health_url` is what the profile's own health URL answers.
    """

    liveliness: Reading[str] = Reading()
    readiness: Reading[Readiness] = Reading()
    groups: Reading[tuple[str, ...]] = Reading()
    deployments: Reading[tuple[LoadedDeployment, ...]] = Reading()
    router: Reading[dict[str, Any]] = Reading()
    health: Reading[HealthReport] = Reading()
    cache_ping: Reading[CachePing] = Reading()
    redis: Reading[RedisInfo] = Reading()
    metrics: Reading[Metrics] = Reading()
    health_url: Reading[str] = Reading()


# --- the configuration file ------------------------------------------------------------------------------------


class Mark(msgspec.Struct, frozen=True):
    """Where something stands: line and column are 1-based."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class FileDeployment(msgspec.Struct, frozen=True):
    """One entry of `model_list` as it stands in the file: `os.environ/NAME` is resolved in the plain fields only.

    `missing` names the environment variables that it refers to and that nothing sets.
    """

    index: int
    group: str
    model: str
    mark: Mark
    api_base: str | None = None
    mode: str | None = None
    rpm: int | None = None
    tpm: int | None = None
    params: dict[str, Any] = {}
    missing: tuple[str, ...] = ()


class Reference(msgspec.Struct, frozen=True):
    """An `os.environ/NAME` in the file; `source` says what sets NAME, None that nothing known does."""

    name: str
    mark: Mark
    source: str | None = None


class Duplicate(msgspec.Struct, frozen=True):
    """A key that stands more than once in one mapping; PyYAML, and so LiteLLM, keeps the last. `path` is in `file`."""

    file: str
    path: tuple[str | int, ...]
    marks: tuple[Mark, ...]


class Ignore(msgspec.Struct, frozen=True):
    """A comment `# litellm-tui: ignore RULE reason`. `line` is the line that it is about: its own, or the next one."""

    mark: Mark
    line: int
    rule: str
    reason: str


class Origin(msgspec.Struct, frozen=True):
    """Where one top-level value of the merged mapping came from: of a list, `count` items from index `start` on.

    `overrides` are the files whose own value of this key was replaced by it.
    """

    file: str
    start: int = 0
    count: int | None = None
    overrides: tuple[str, ...] = ()


class ConfigFile(msgspec.Struct, frozen=True):
    """A configuration that parsed, with its includes merged the way LiteLLM merges them.

    `data` is the merged mapping, secrets included: it is for analysis only. `marks` maps a path into `data`
    (`("router_settings", "fallbacks", 0)`) to its place. `digest` covers every file read. `modified_at` is when the
    files came to be as they are, at the latest: no old time that one was deployed with. `origins` says for each
    top-level key which files it came from.
    """

    path: str
    digest: str
    modified_at: float
    files: tuple[str, ...]
    data: dict[str, Any]
    marks: dict[tuple[str | int, ...], Mark]
    deployments: tuple[FileDeployment, ...] = ()
    references: tuple[Reference, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    origins: dict[str, tuple[Origin, ...]] = {}

    def mark(self, path: tuple[str | int, ...]) -> Mark:
        """The place of a path into `data`, or of the nearest thing above it that has one."""
        for length in range(len(path), -1, -1):
            if (mark := self.marks.get(path[:length])) is not None:
                return mark
        return Mark(self.path, 1)

    def local(self, path: tuple[str | int, ...]) -> tuple[str, tuple[str | int, ...]]:
        """The file that holds a path into `data`, and the path in that file: list items count anew in each file."""
        for origin in self.origins.get(str(path[0]), ()) if path else ():
            if origin.count is None or len(path) == 1:
                return origin.file, path
            index = path[1]
            if isinstance(index, int) and origin.start <= index < origin.start + origin.count:
                return origin.file, (path[0], index - origin.start, *path[2:])
        return self.path, path

    def section(self, name: str) -> dict[str, Any]:
        """A top-level mapping such as `router_settings`; empty when absent or not a mapping."""
        value = self.data.get(name)
        return value if isinstance(value, dict) else {}

    @property
    def background_health_checks(self) -> bool:
        """LiteLLM takes any truthy value (proxy_server.py), so that is what is asked here."""
        return bool(self.section("general_settings").get("background_health_checks"))


class ConfigError(msgspec.Struct, frozen=True):
    """Why the file on disk cannot be used. Line and column are 1-based; 0 when the problem has no place."""

    file: str
    problem: str
    line: int = 0
    column: int = 0
    since: float = 0.0

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.problem}"


class Configuration(msgspec.Struct, frozen=True):
    """What is known of the file: `current` is the last good one, `error` what is wrong with the one on disk now.

    `failure` is set while the console fails to read it at all.
    """

    path: str | None = None
    current: ConfigFile | None = None
    error: ConfigError | None = None
    checked_at: float | None = None
    why_unwatched: str | None = None
    failure: Failure | None = None


# --- the service -----------------------------------------------------------------------------------------------


ServicePlace = Literal["user", "system", "compose", "process", "custom"]


class Service(msgspec.Struct, frozen=True):
    """What runs LiteLLM, in systemd's words whatever it is: a unit, a container, a process.

    A unit is read by `systemctl show`, with /proc of its processes where systemd does no accounting. `scope` says whose
    unit it is, or which other kind of service. `started_at` is the main process's start; `cpu_percent` is of one core,
    over the time since the last reading. None and "" mean not known. `invocation` differs from one run to the next,
    `fragment` is the file that defines the service, `health` what a container's own check says, and `note` is what
    else must be known of this reading, such as a stale PID file. `unit_file_state` says whether systemd starts it at
    boot (enabled, disabled, static …), `booted_at` when the machine was started.
    """

    unit: str
    scope: ServicePlace
    load_state: str
    active_state: str
    sub_state: str
    result: str = ""
    main_pid: int = 0
    restarts: int | None = None
    started_at: float | None = None
    changed_at: float | None = None
    memory: int | None = None
    cpu_seconds: float | None = None
    cpu_percent: float | None = None
    exit_code: str = ""
    exit_status: int = 0
    invocation: str = ""
    fragment: str = ""
    need_daemon_reload: bool = False
    health: str = ""
    note: str = ""
    unit_file_state: str = ""
    booted_at: float | None = None

    @property
    def keeper(self) -> str:
        """Who starts it again when it dies; empty where nobody is known to."""
        return {"user": "systemd", "system": "systemd", "compose": "Docker"}.get(self.scope, "")


class Exit(msgspec.Struct, frozen=True):
    """The end of one run of a unit, as systemd told it. `began` is None where the start is not in the journal.

    `code` is exited, killed or dumped, `status` the exit status or the signal, `name` systemd's name for it, `result`
    systemd's verdict. `by` says who ended it, where it was not the process itself: an order, a lack of memory, or the
    machine that was restarted. `again` when systemd started it again, `given_up` when it would not any more.
    """

    at: float
    began: float | None = None
    code: str = ""
    status: int = 0
    name: str = ""
    result: str = ""
    by: Literal["", "order", "memory", "reboot"] = ""
    again: bool = False
    given_up: bool = False


# --- the log ---------------------------------------------------------------------------------------------------

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


GAP: Literal["gap"] = "gap"
"""The `source` of a record that stands where lines are missing; its `text` says which, with their number if known."""


class LogRecord(msgspec.Struct, frozen=True, gc=False):
    """One record of the log: what LiteLLM wrote at once, a folded traceback included.

    `sequence` counts up by one per record of this session; those fetched from before it have negative ones. `text` has
    no control characters left and no secrets. `model` is the deployment's `litellm_params.model` or the model group
    that the line is about, `logger` the place in LiteLLM's source that wrote it (`router.py:7881`); empty where the
    line names none. `place` orders records of the same time in their source (see `collectors.entry.Entry`).
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


class Log(msgspec.Struct, frozen=True):
    """The state of the tail. Records lie in the `LogStore` that the monitor fills; `last` is its newest sequence.

    `unread` counts the lines that could not be read: they stand in the log as they are, and are counted nowhere else.
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


# --- traffic ---------------------------------------------------------------------------------------------------


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


# --- failures --------------------------------------------------------------------------------------------------

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


# --- probes ----------------------------------------------------------------------------------------------------


class ProbeResult(msgspec.Struct, frozen=True):
    """What one request to exactly one deployment said (fallbacks, retries and cache off).

    `deployment` is its `model_info.id`. `took` and `first_token` are seconds; `first_token` is known for streams only.
    `error` is what was said against it, in full and without secrets. With `skipped` it was not asked, for that reason.
    With `by_gateway` the fault is the gateway's own (no answer, a refused key): nothing was learnt of the deployment.
    """

    deployment: str
    group: str
    model: str
    ok: bool
    asked_at: float
    took: float = 0.0
    first_token: float | None = None
    status: int = 0
    error: str = ""
    endpoint: str = ""
    stream: bool = False
    skipped: str = ""
    by_gateway: bool = False


# --- the whole -------------------------------------------------------------------------------------------------


class Snapshot(msgspec.Struct, frozen=True):
    """All that is known at `taken_at`. The console and the commands are drawn from this and nothing else.

    `redis_answer` is what the Redis server itself said to a PING. `probes` holds the last one of each deployment.
    `expected_down` maps a deployment's key, or a group's name, to the operator's note on why it may be down.
    `crashes` are the sources that the console itself fails to read.
    """

    taken_at: float
    gateway: Gateway = Gateway()
    configuration: Configuration = Configuration()
    service: Reading[Service] = Reading()
    log: Log = Log()
    traffic: Traffic = Traffic()
    failures: Failures = Failures()
    redis_answer: Reading[str] = Reading()
    cache_counts: CacheCounts | None = None
    probes: tuple[ProbeResult, ...] = ()
    expected_down: dict[str, str] = {}
    crashes: tuple[Crash, ...] = ()
