"""Turns lines of the log into masked records, folds and stores them, and counts errors and requests.

A line is parsed once, in the thread that reads the log. The event loop gets records and facts, and parses no text.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from litellm_tui.logs import log_line
from litellm_tui.logs.entry import Entry, read_each
from litellm_tui.logs.failure_counter import FailureCounter
from litellm_tui.logs.journal_line import Pieces
from litellm_tui.logs.line_facts import NOTHING, UNREAD, Facts, Heading, facts
from litellm_tui.logs.log_line import Shape
from litellm_tui.logs.message_lines import MessageLines
from litellm_tui.logs.prefix_reader import PrefixReader
from litellm_tui.logs.request_steps import request_step
from litellm_tui.logs.start_watch import StartWatch, Step, step_of
from litellm_tui.logs.store import RANK, LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.failures import Failure
from litellm_tui.model.log import GAP, Log, LogRecord

MINUTES_OF_ERRORS: Final = 60
# paths that only monitoring asks for
_HEALTH_PATHS: Final = ("/health", "/cache/ping", "/cache/redis", "/metrics")
# `collectors.gateway.client.TAG` in an access line; importing that module would load the HTTP client
_OWN: Final = "?from=litellm-tui"
# characters kept of one text: journald splits at 48 KiB, other sources do not
LONGEST_TEXT: Final = 1 << 16
LONGEST_SOURCE: Final = 16
LONGEST_NAME: Final = 120
# characters of the example of a line that is not understood
LONGEST_EXAMPLE: Final = 100
# cut off after masking: the end of a cut text may be half of a secret, which masking does not find
_CUT_OFF: Final = 4096
# replaces a line that can neither be parsed nor masked
UNREADABLE: Final = "(a line that cannot be read, nor shown: it may hold a secret)"
# the year 3000; no line has a later time, or one before 1970
_LATEST: Final = 32_503_680_000.0
# processes whose last record may still grow
_MOST_HEADINGS: Final = 200
_SUPPRESSED: Final = " (journald's rate limit: LogRateLimitIntervalSec= and LogRateLimitBurst= of the unit)"


class PreparedLine(NamedTuple):
    """The masked record of a line, for the case that it is folded into no other, and the line's facts.

    A loose line belongs to the message before it, where that is open (`log_line.Shape`). `step` is that of a start.
    """

    record: LogRecord
    facts: Facts
    shape: Shape = "whole"
    step: Step = ""


class LogIntake:
    """Receives the lines of a tail. `redact` masks a text; it may be replaced when further secrets are known.

    `prepare` is called in the reading thread, everything else on the event loop.
    """

    def __init__(
        self, store: LogStore, redact: Callable[[str], str], traffic: TrafficCounter, source: str = ""
    ) -> None:
        self.redact = redact
        self._traffic = traffic
        self.incidents = FailureCounter()
        self._store = store
        self._log = Log(source=source)
        self._errors: dict[int, int] = {}
        self._headings: OrderedDict[int, tuple[int, Heading]] = OrderedDict()
        self._prefixes = PrefixReader()
        self._messages = MessageLines()
        self._starts = StartWatch(store)

    def log(self, now: float) -> Log:
        """The state of the log at `now`. Starts that did not complete by then are counted."""
        for start in self._starts.take(now):
            self.incidents.count_start(start.words, start.record)
        return msgspec.structs.replace(
            self._log,
            first=self._store.first,
            last=self._store.last,
            errors_per_minute=self._errors_per_minute(now),
        )

    def set_state(self, state: str, failure: Failure | None, hint: str | None) -> None:
        """Note the state of the tail."""
        restarts = self._log.restarts + (state == "ended")
        self._log = msgspec.structs.replace(self._log, state=state, failure=failure, hint=hint, restarts=restarts)

    def prepare(self, entries: Iterable[Entry]) -> list[PreparedLine]:
        """Parse and mask these lines; blank ones are left out. Any thread may call it.

        A line that cannot be parsed is kept as masked text, or replaced where it cannot be masked either. Nothing but
        the forms of prefixes is remembered.
        """
        return self._prepared(entries)

    def _prepared(self, entries: Iterable[Entry], pieces: Pieces | None = None) -> list[PreparedLine]:
        taken = self._prefixes.take(entries if isinstance(entries, list) else list(entries), pieces)
        return [found for found in read_each(self._read, taken, self._unread) if found is not None]

    def add_entries(self, entries: Iterable[Entry]) -> None:
        """Prepare these lines and add them."""
        self.add_lines(self.prepare(entries))

    def add_lines(self, lines: Sequence[PreparedLine]) -> None:
        """Store and count these lines."""
        note, append, fails = self._traffic.note, self._store.append, self.incidents.note
        messages, starts = self._messages, self._starts
        opened, starting, ending = messages.open, starts.starting, starts.ending
        unread, unknown, example = 0, 0, self._log.unknown_example
        for record, said, shape, step in lines:
            if shape != "whole" or opened or said.continues:
                said, understood = messages.join(record, said, shape)
                newest = self._store.last
                kept = append(record, said.continues)
                folded = self._store.last == newest
                if not (folded or understood):
                    unknown += 1
                    example = example or record.text[:LONGEST_EXAMPLE]
            else:
                kept, folded = append(record), False
            unread += said.unread
            if record.source != GAP:
                if folded or said.heading is not None:
                    said = self._headed(said, record, kept, folded)
                note(said, kept, folded)
                if not step or starts.is_failure(step, kept):
                    fails(said, kept, folded)
            if step or starting or ending or (kept.level == "ERROR" and kept.source == "stdout"):
                starts.note(step, kept, folded)
            if not folded and RANK[kept.level] >= RANK["ERROR"]:
                minute = int(kept.time // 60)
                self._errors[minute] = self._errors.get(minute, 0) + 1
        if lines:
            self._log = msgspec.structs.replace(
                self._log,
                last_at=lines[-1].record.time,
                unread=self._log.unread + unread,
                lines=self._log.lines + len(lines),
                unknown=self._log.unknown + unknown,
                unknown_example=example,
            )

    def older_records(self, entries: Iterable[Entry]) -> tuple[LogRecord, ...]:
        """Lines from before this session as records, folded among themselves; neither stored nor counted here."""
        store, messages = LogStore(), MessageLines()
        for record, said, shape, _ in self._prepared(entries, Pieces()):
            store.append(record, messages.join(record, said, shape)[0].continues)
        return tuple(store.since(store.first))

    def _headed(self, said: Facts, record: LogRecord, kept: LogRecord, folded: bool) -> Facts:
        """The facts with the heading of the stored record: that of an earlier line, or of the line itself."""
        if not folded or (said.heading is not None and kept.text == record.text):
            # the last line of a traceback becomes its record's text
            if said.heading is not None:
                self._headings[kept.pid] = kept.sequence, said.heading
                self._headings.move_to_end(kept.pid)
                if len(self._headings) > _MOST_HEADINGS:
                    self._headings.popitem(last=False)
            return said
        sequence, heading = self._headings.get(kept.pid, (None, None))
        raised = said.heading.words if said.heading is not None else None
        return said._replace(heading=heading if sequence == kept.sequence else None, raised=raised)

    def _read(self, entry: Entry) -> PreparedLine | None:
        if entry.gap:
            return self._gap(entry)
        if entry.unread:
            return self._unread(entry)
        if entry.foreign:
            line = log_line.Line("INFO", entry.service, log_line.clean(entry.message).rstrip())
        else:
            line = log_line.parse(entry.message, entry.priority, entry.identifier)
        # a message may begin with its second line
        return self._masked(entry, line) if line.text.strip() or line.stack or line.logger else None

    def _unread(self, entry: Entry) -> PreparedLine:
        (text,) = read_each(lambda entry: self._mask(log_line.clean(entry.message)), [entry], lambda _: UNREADABLE)
        level = log_line.level_of(entry.priority)
        record = LogRecord(0, _moment(entry.time), level, "stdout", text or UNREADABLE, pid=entry.pid)
        return PreparedLine(msgspec.structs.replace(record, place=entry.place), UNREAD)

    def _answered(self, entry: Entry, line: log_line.Line) -> PreparedLine:
        """An access line, as nearly all lines of a busy proxy are."""
        text = line.text
        masked = self.redact(text) if len(text) <= LONGEST_TEXT else self._mask(text)
        if masked != text:
            line = line._replace(text=masked)
        path, status, time = line.path, line.status, entry.time
        said = facts(line)
        own = path.endswith(_OWN) or (status < 400 and path.startswith(_HEALTH_PATHS))
        time = time if 0.0 < time < _LATEST else _moment(time)
        record = LogRecord(
            0, time, line.level, "access", masked, "", entry.pid, "", status, own, "", "", entry.place, "",
            "answered" if said.access is not None and said.access.calls else "",
        )  # fmt: skip
        if entry.service:
            record = msgspec.structs.replace(record, service=self._service(entry))
        return PreparedLine(record, said)

    def _service(self, entry: Entry) -> str:
        return self._mask_name(log_line.clean(entry.service))

    def _masked(self, entry: Entry, line: log_line.Line) -> PreparedLine:
        if line.source == "access" and line.status:
            return self._answered(entry, line)
        # masked before it is parsed for facts: these too are shown on the screen
        text = self._mask(line.text)
        stack = self._mask(line.stack) if line.stack else ""
        if text != line.text or stack != line.stack:
            line = line._replace(text=text, stack=stack)
        record = LogRecord(
            sequence=0,
            time=_moment(entry.time),
            level=line.level,
            source=line.source if line.source in log_line.SOURCES else self._mask_name(line.source, LONGEST_SOURCE),
            text=text,
            stack=stack,
            pid=entry.pid,
            call_id=self._mask_name(line.call_id) if line.call_id else "",
            status=line.status,
            model=self._mask_name(line.model) if line.model else "",
            logger=self._mask_name(line.logger) if line.logger else "",
            place=entry.place,
            service=self._service(entry) if entry.service else "",
        )
        if entry.foreign:
            return PreparedLine(record, NOTHING)
        if line.shape == "loose":
            return PreparedLine(record, facts(line._replace(continues=True)), "loose")
        said = facts(line)
        step, cause = request_step(line, said)
        if step or cause:
            record = msgspec.structs.replace(record, step=step, cause=cause)
        return PreparedLine(record, said, line.shape, step_of(line.source, line.text))

    def _mask(self, text: str) -> str:
        if len(text) <= LONGEST_TEXT + _CUT_OFF:
            return self.redact(text)
        kept = self.redact(text[: LONGEST_TEXT + _CUT_OFF])
        return f"{kept[: max(0, len(kept) - _CUT_OFF)]} … ({len(text) - LONGEST_TEXT:,} more characters)"

    def _mask_name(self, name: str, longest: int = LONGEST_NAME) -> str:
        return self.redact(name)[:longest] if name else ""

    def _gap(self, entry: Entry) -> PreparedLine:
        words = self.redact(log_line.clean(entry.message))
        if words.startswith("Suppressed "):
            words += _SUPPRESSED
        return PreparedLine(LogRecord(0, _moment(entry.time), "WARNING", GAP, words, place=entry.place), NOTHING)

    def _errors_per_minute(self, now: float) -> tuple[int, ...]:
        """Errors in each of the last minutes, the current one last."""
        newest = int(now // 60)
        for minute in [minute for minute in self._errors if minute < newest - 60]:
            del self._errors[minute]
        return tuple(self._errors.get(newest - back, 0) for back in reversed(range(MINUTES_OF_ERRORS)))


def _moment(time: float) -> float:
    """The time of a line, limited to what can be shown."""
    return min(time, _LATEST) if time > 0.0 else 0.0
