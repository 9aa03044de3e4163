"""Starts of LiteLLM that the log shows begun and not completed: refused, ended by an error, or silent for minutes; and
ends of workers that were ordered.

uvicorn, gunicorn with uvicorn's workers, and granian write the same words about it. A start that ends before the server
runs leaves only a traceback, or one sentence on stdout.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

from litellm_tui.logs.store import RANK, LogStore
from litellm_tui.model.log import GAP, LogRecord

# `ended` is written by the service manager, about all processes of the service; `finished` by a worker that ends by
# itself, as after as many requests as it may answer; `stopped` of a worker that was asked to end
Step = Literal["", "begun", "done", "failed", "died", "finished", "stopped", "ended"]

CAUSE: Final = "start did not complete"
# migrations of a database and the fetching of a cost map are silent for this long
SILENT_SECONDS: Final = 180.0
# nothing follows what ended a process before its server ran
LAST_SECONDS: Final = 10.0
# how far below a traceback the lines of a process that served are looked for
LOOK_BACK: Final = 500
MOST_PROCESSES: Final = 200
MOST_WORDS: Final = 3
LONGEST_WORDS: Final = 300

_STEPS: Final[tuple[tuple[str, Step], ...]] = (
    ("Started server process [", "begun"),
    ("Application startup complete", "done"),
    ("Application startup failed", "failed"),
    ("Worker failed to boot", "failed"),
    ("ASGI lifespan startup failed", "failed"),
    ("Spawning worker-", "begun"),
    ("Started worker-", "done"),
    ("Worker crash loop detected", "failed"),
    ("Finished server process [", "finished"),
)
_DIED: Final = re.compile(r"Child process \[[0-9]{1,10}\] died")
_STOPPED: Final = re.compile(r"Worker \(pid:[0-9]{1,10}\) was sent SIG(?:TERM|INT|QUIT|HUP)!")
_SERVERS: Final = ("uvicorn", "gunicorn", "hypercorn", "granian")
# the frames of the command, and the words of LiteLLM's, of the shell and of a container's runtime
_OF_COMMAND: Final = re.compile(r", in (?:<module>|run_server\b)")
_REFUSAL: Final = re.compile(
    r"(?: ?LiteLLM(?: Proxy)?: |Error: |error: |exec:? |OCI runtime |standard_init|\S{0,100}python[0-9.]{0,8}: "
    r"|[^\n]{1,300}: (?:not found|command not found|Permission denied|No such file|error while loading shared))"
)
_ENDS: Final = "Application shutdown complete"
_NUMBER: Final = re.compile(r"\[([0-9]{1,10})\]")
_ENDED: Final = re.compile(r"(?:Main process exited|Failed with result)")


def step_of(source: str, text: str) -> Step:
    """The step of a start that a line of this source tells of."""
    if source in _SERVERS:
        if _DIED.match(text):
            return "died"
        if _STOPPED.match(text):
            return "stopped"
        return next((step for words, step in _STEPS if text.startswith(words)), "")
    if source == "systemd" and _ENDED.search(text, 0, 500):
        return "ended"
    return ""


class Unfinished(NamedTuple):
    """A start that did not complete; `record` is the last one of it, `words` the last errors, or the last line."""

    record: LogRecord
    words: str


class _Start(NamedTuple):
    """The processes of one source that are starting: how many, its first and its last record until now."""

    waiting: int
    first: LogRecord
    last: LogRecord


class StartWatch:
    """Gets the steps of starts, and every line while one is under way or may have ended.

    `starting` and `ending` are empty while no line without a step matters.
    """

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self.starting: OrderedDict[int, _Start] = OrderedDict()
        # errors on stdout that nothing has followed, by process
        self.ending: OrderedDict[int, int] = OrderedDict()
        self._found: list[Unfinished] = []
        self._finished: deque[str] = deque(maxlen=MOST_PROCESSES)

    def is_failure(self, step: Step, record: LogRecord) -> bool:
        """Whether a line with this step is to be counted as a failure by itself."""
        if step in ("finished", "died") and (number := _NUMBER.search(record.text)):
            # uvicorn's parent process tells of both kinds of ends as of deaths
            if step == "finished":
                self._finished.append(number[1])
            elif number[1] in self._finished:
                self._finished.remove(number[1])
                return False
        # the end of a refused start is counted as that
        return step not in ("failed", "stopped")

    def note(self, step: Step, record: LogRecord, folded: bool) -> None:
        """A line that became this record, or was added to it."""
        pid = record.pid
        if record.source == GAP:
            # what would have told the end may be missing
            self.starting.clear()
            self.ending.clear()
            return
        start = self.starting.get(pid)
        if step == "ended":
            for unfinished in self.starting.values():
                self._report(unfinished)
            self.starting.clear()
        elif step == "begun":
            self._begin(record, start)
        elif step == "failed":
            # its beginning may not have been read
            self._report(start._replace(last=record) if start else _Start(1, record, record))
        if start is not None and step in ("done", "failed", "died", "finished", ""):
            # in a file of several workers others serve: what became of this one is told by the end that has a line
            waiting = 0 if record.source == "access" else start.waiting - (step != "")
            self.starting[pid] = _Start(waiting, start.first, record)
            if waiting <= 0:
                del self.starting[pid]
        if not folded:
            self.ending.pop(pid, None)
            if record.source == "stdout" and record.level == "ERROR" and pid not in self.starting:
                # whether it is the end of a start is seen when nothing follows
                self.ending[pid] = record.sequence
                _limit(self.ending)

    def take(self, now: float) -> Iterator[Unfinished]:
        """The starts that are known not to have completed at `now`, each once."""
        for pid, start in list(self.starting.items()):
            if now - start.last.time > SILENT_SECONDS:
                self._report(start)
                del self.starting[pid]
        for pid, sequence in list(self.ending.items()):
            record = self._store.get(sequence)
            if record is not None and now - record.time <= LAST_SECONDS:
                continue
            del self.ending[pid]
            if record is not None and _ends_a_start(record) and not self._has_served(record):
                self._found.append(Unfinished(record, _words([record.text])))
        found, self._found = self._found, []
        yield from found

    def _begin(self, record: LogRecord, start: _Start | None) -> None:
        if start is not None and record.time - start.last.time > SILENT_SECONDS:
            self._report(start)
            start = None
        # a file has the workers of a service as one
        waiting, first = (start.waiting, start.first) if start else (0, record)
        self.starting[record.pid] = _Start(waiting + 1, first, record)
        _limit(self.starting)

    def _report(self, start: _Start) -> None:
        last = start.last
        begin = max(start.first.sequence, last.sequence - LOOK_BACK)
        if start.first is last:
            begin = last.sequence - LOOK_BACK
        errors = [
            record.text
            for record in self._store.slice(begin, last.sequence - begin + 1)
            if record.pid == last.pid
            and RANK[record.level] >= RANK["ERROR"]
            and last.time - record.time <= SILENT_SECONDS
            and step_of(record.source, record.text) != "failed"
        ]
        self._found.append(Unfinished(last, _words(errors[-MOST_WORDS:] or [last.text])))

    def _has_served(self, record: LogRecord) -> bool:
        """Whether this process has written the lines of one that serves, before this record."""
        for other in reversed(self._store.slice(record.sequence - LOOK_BACK, LOOK_BACK)):
            if other.pid == record.pid and other.sequence < record.sequence:
                if other.source == "access":
                    return True
                step = step_of(other.source, other.text)
                if step or other.text.startswith(_ENDS):
                    return step == "done"
        return False


def _ends_a_start(record: LogRecord) -> bool:
    """Whether these are words that only a command that starts writes: a refusal, or a traceback that leads to it."""
    return _OF_COMMAND.search(record.stack) is not None if record.stack else _REFUSAL.match(record.text) is not None


def _limit(by_process: OrderedDict[int, Any]) -> None:
    if len(by_process) > MOST_PROCESSES:
        by_process.popitem(last=False)


def _words(texts: list[str]) -> str:
    return " · ".join(dict.fromkeys(_first_line(text) for text in texts))


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0][:LONGEST_WORDS]
