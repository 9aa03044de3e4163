"""Puts the lines of one request together, by their process, order and time; where two may be meant, none is.

LiteLLM names no request on its INFO lines, and an access line names neither model nor error. A whole chain is therefore
told only of a request that was alone in its process from its first line to its access line. Of requests that overlap,
the one answer or error that waits in the process belongs to the access line that follows; where several wait, each line
stays by itself.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from litellm_tui.model.log import Hop, Level, LogRecord, Request, Step

# an answer's or an error's line and the access line of its request are written at once
SETTLING: Final = 2.0
# an answer that comes so soon behind an access line without one: the two streams of the process are read apart
SWAPPED: Final = 0.05
# a request that is not answered by then is given up: its caller may have gone, which leaves no access line
LONGEST: Final = 600.0
# so long a process is watched before its first request is known to be alone, unless its start was seen; and so long its
# streams are taken for swapped
WATCHED: Final = 60.0
# between the first and the last line of one request
MOST_BETWEEN: Final = 2000
MOST_STEPS: Final = 200
MOST_PROCESSES: Final = 200
MOST_RECENT: Final = 1000

_RANK: Final[dict[Level, int]] = {"DEBUG": 0, "INFO": 1, "WARNING": 2, "ERROR": 3, "CRITICAL": 4}
# what answers on which path
_KINDS: Final = (("acompletion(", "/chat/completions"), ("aembedding(", "/embeddings"), ("arerank(", "/rerank"))
# the status that an exception of LiteLLM is answered with (litellm/exceptions.py)
_STATUS: Final = {
    "RateLimitError": 429,
    "AuthenticationError": 401,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "ContextWindowExceededError": 400,
    "ContentPolicyViolationError": 400,
    "BadRequestError": 400,
    "InternalServerError": 500,
    "ServiceUnavailableError": 503,
}
# where the class of an error is named
_WITHIN: Final = 250


class Requests:
    """What was put together; `count` grows with each request."""

    def __init__(self) -> None:
        self._joined: dict[int, Request] = {}
        self._anchors: dict[int, int] = {}
        self._lowest: deque[int] = deque(maxlen=MOST_RECENT)
        self.count = 0

    def __bool__(self) -> bool:
        return bool(self._joined)

    def add(self, request: Request) -> None:
        """A request is complete."""
        self._joined[request.anchor] = request
        for sequence in request.members:
            self._anchors[sequence] = request.anchor
        self._lowest.append(min(request.members))
        self.count += 1

    def at(self, sequence: int) -> Request | None:
        """The request whose access line this is."""
        return self._joined.get(sequence)

    def anchor(self, sequence: int) -> int | None:
        """The access line of the request that this other line belongs to; None for a line by itself."""
        return self._anchors.get(sequence)

    def lowest_since(self, count: int) -> int | None:
        """The first line of the requests that were added since there were so many; None for none."""
        new = min(self.count - count, len(self._lowest))
        return min(list(self._lowest)[-new:]) if new > 0 else None

    def forget(self, first: int) -> None:
        """Drop the requests whose access line is older than this record."""
        for anchor in [anchor for anchor in self._joined if anchor < first]:
            for sequence in self._joined.pop(anchor).members:
                self._anchors.pop(sequence, None)


class _Step(NamedTuple):
    sequence: int
    step: Step
    time: float
    model: str
    cause: str
    level: Level
    begin: str


class _Process:
    """The requests under way in one process. `alone` holds while there was only one since `steps` began."""

    __slots__ = ("alone", "begun", "missed", "refusals", "skip", "skipped_at", "steps", "swapped_until", "watched")

    def __init__(self, since: float) -> None:
        self.watched = since + WATCHED
        self.begun: deque[float] = deque()
        self.alone = False
        self.steps: list[_Step] = []
        self.refusals: list[_Step] = []
        # access lines, of answers and of errors, whose own lines are not known any more
        self.skip = {True: 0, False: 0}
        self.skipped_at = 0.0
        # when an access line came without a line of its own
        self.missed = {True: 0.0, False: 0.0}
        self.swapped_until = 0.0

    def clear(self) -> None:
        self.steps.clear()
        self.alone = False

    def answered(self) -> None:
        """One of the requests is not under way any more."""
        if self.begun:
            self.begun.popleft()
        if not self.begun:
            self.clear()


class RequestAssembler:
    """Gets every record that has a step, in their order. `find` gives a record as it is now, by its sequence."""

    def __init__(self, requests: Requests, find: Callable[[int], LogRecord | None]) -> None:
        self._requests = requests
        self._find = find
        self._processes: OrderedDict[int, _Process] = OrderedDict()

    def note_all(self, records: Iterable[LogRecord]) -> None:
        """Take up these records."""
        for record in records:
            if record.step:
                self.note(record)

    def note(self, record: LogRecord) -> None:
        """Take up a record that has just been stored."""
        step = record.step
        process = self._processes.get(record.pid)
        if process is None:
            process = self._processes[record.pid] = _Process(record.time)
            if len(self._processes) > MOST_PROCESSES:
                self._processes.popitem(last=False)
        if step == "routine":
            return
        if step == "answered":
            if process.steps or process.refusals or process.begun or process.skip[record.status < 400]:
                self._answered(process, record)
            else:
                process.missed[record.status < 400] = record.time
        elif step == "started":
            # where several processes write as one, the others are not new
            self._processes[record.pid] = _Process(record.time - WATCHED if record.pid > 0 else record.time)
        else:
            self._step(process, record)

    def _step(self, process: _Process, record: LogRecord) -> None:
        at, step = record.time, record.step
        found = _Step(record.sequence, step, at, record.model, record.cause, record.level, record.text[:40])
        while process.begun and at - process.begun[0] > LONGEST:
            process.answered()
        if step == "begun":
            process.alone = not (process.begun or process.steps) and at >= process.watched
            process.begun.append(at)
        if step == "refused":
            process.refusals.append(found)
            del process.refusals[:-MOST_STEPS]
            return
        if step in ("ok", "error") and not self._waits(process, found):
            return
        process.steps.append(found)
        if len(process.steps) > MOST_STEPS:
            process.alone = False
            del process.steps[:-MOST_STEPS]

    def _waits(self, process: _Process, found: _Step) -> bool:
        """Whether the next access line may be this one's."""
        ok = found.step == "ok"
        if process.skip[ok]:
            if found.time - process.skipped_at <= SETTLING:
                process.skip[ok] += 1
                return False
            process.skip[ok] = 0
        if ok and found.time - process.missed[ok] <= SWAPPED:
            process.swapped_until = found.time + WATCHED
            return False
        return ok or found.time - process.missed[ok] > SETTLING

    def _answered(self, process: _Process, record: LogRecord) -> None:
        ok = record.status < 400
        if process.skip[ok]:
            if record.time - process.skipped_at <= SETTLING:
                process.skip[ok] -= 1
                process.skipped_at = record.time
                process.answered()
                return
            process.skip[ok] = 0
        late = record.time - SETTLING
        ends = [one for one in process.steps if one.step == ("ok" if ok else "error") and one.time >= late]
        process.refusals = [one for one in process.refusals if one.time >= late]
        if process.refusals and not ok:
            self._refused(process, record, ends)
        elif not ends:
            process.missed[ok] = record.time
            process.alone = False
            if not process.begun:
                process.clear()
        elif len(ends) > 1:
            # which of them it is cannot be known, and of those that follow neither
            self._lose(process, ends, record)
        else:
            if process.alone and len(process.begun) == 1:
                self._join_chain(process.steps, record, process.begun[0])
            elif record.time >= process.swapped_until and self._is_of(ends[0], record):
                self._join([ends[0]], (_hop(self._find(ends[0].sequence), ends[0]),), record, None)
            process.alone = False
            process.steps = [one for one in process.steps if one is not ends[0]]
            process.answered()

    def _refused(self, process: _Process, record: LogRecord, errors: list[_Step]) -> None:
        """An access line while the check of a key has refused: such a request has not begun."""
        if errors:
            self._lose(process, [*errors, *process.refusals], record)
            process.refusals = []
            return
        if len(process.refusals) == 1:
            refusal = process.refusals[0]
            self._join([refusal], (Hop("", False, refusal.cause),), record, None)
            process.refusals = []
        else:
            process.skip[False] += len(process.refusals) - 1
            process.skipped_at = record.time
            process.refusals = []

    def _lose(self, process: _Process, ends: list[_Step], record: LogRecord) -> None:
        process.skip[record.status < 400] += len(ends) - 1
        process.skipped_at = record.time
        process.steps = [one for one in process.steps if one not in ends]
        process.alone = False
        process.answered()

    def _is_of(self, end: _Step, record: LogRecord) -> bool:
        """Whether the only answer or error that waits fits the access line."""
        if end.step == "ok":
            return any(name in end.begin and path in record.text for name, path in _KINDS)
        said = self._find(end.sequence)
        text = said.text if said else ""
        begin = text.find(" - litellm.")
        text = text[max(0, begin) : max(0, begin) + _WITHIN]
        places = {name: text.find(name) for name in _STATUS if name in text}
        return not places or _STATUS[min(places, key=lambda name: places[name])] == record.status

    def _join_chain(self, steps: list[_Step], record: LogRecord, began: float) -> None:
        hops = _hops(steps, record.status < 400)
        if hops is not None:
            self._join(steps, hops, record, began)

    def _join(self, steps: list[_Step], hops: tuple[Hop, ...], record: LogRecord, began: float | None) -> None:
        members = tuple(one.sequence for one in steps)
        if record.sequence - min(members) <= MOST_BETWEEN:
            level = max((record.level, *(one.level for one in steps)), key=_RANK.__getitem__)
            self._requests.add(Request(record.sequence, members, hops, began, level))


def _hop(record: LogRecord | None, end: _Step) -> Hop:
    """The only hop that is known of a request: a plain log names the group some lines below the error."""
    name = record.model if record is not None else end.model
    return Hop(name, end.step == "ok", end.cause)


def _hops(steps: list[_Step], answered: bool) -> tuple[Hop, ...] | None:
    """The groups that a request went to, by all of its lines; None where they do not fit how it was answered."""
    hops: list[Hop] = []
    hop = Hop("")
    for one in steps:
        if hop.ok or (hops and one.step == "begun"):
            # nothing comes behind the answer
            return None
        if one.step == "fallback":
            hops.append(hop)
            hop = Hop(one.model)
        elif one.step == "chosen":
            hop = hop._replace(name=one.model)
        elif one.step == "ok":
            hop = hop._replace(name=hop.name or one.model, ok=True)
        elif one.step == "failed":
            name = hop.name or ("" if one.model == "None" else one.model)
            hop = hop._replace(name=name, ok=False, cause=one.cause or hop.cause, tries=hop.tries + 1)
        elif one.step == "error" and hop.ok is None:
            hop = hop._replace(name=hop.name or one.model, ok=False, cause=one.cause)
    return (*hops, hop) if bool(hop.ok) == answered else None
