"""Turns lines of the journal into records of the store, masked and folded, and counts errors and requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from litellm_tui.collectors import journal, logline
from litellm_tui.incidents import IncidentCounter
from litellm_tui.logstore import RANK, LogStore
from litellm_tui.snapshot import Failure, Log, LogRecord
from litellm_tui.traffic import TrafficCounter

MINUTES_OF_ERRORS: Final = 60
# what only a monitor asks for, whosever it is
_HEALTH_PATHS: Final = ("/health", "/cache/ping", "/cache/redis", "/metrics")
# gateway.TAG as it stands in an access line; that module is not imported for it, the HTTP client would come along
_OWN: Final = "?from=litellm-tui"


class LogIntake:
    """What the log collector reports to. `redact` masks a text; it may be replaced as secrets become known."""

    def __init__(
        self, store: LogStore, redact: Callable[[str], str], traffic: TrafficCounter, source: str = ""
    ) -> None:
        self.redact = redact
        self._traffic = traffic
        self.incidents = IncidentCounter()
        self._store = store
        self._log = Log(source=source)
        self._errors: dict[int, int] = {}

    def log(self, now: float) -> Log:
        """The state of the log at `now`."""
        return msgspec.structs.replace(
            self._log,
            first=self._store.first,
            last=self._store.last,
            errors_per_minute=self._errors_per_minute(now),
        )

    def set_state(self, state: str, failure: Failure | None, hint: str | None) -> None:
        """The tail began, ended or said something."""
        restarts = self._log.restarts + (state == "ended")
        self._log = msgspec.structs.replace(self._log, state=state, failure=failure, hint=hint, restarts=restarts)

    def take(self, entries: list[journal.Entry]) -> None:
        """Keep these lines."""
        for entry in entries:
            line = logline.parse(entry.message, entry.priority, entry.identifier)
            if line.text.strip() or line.stack:
                self._keep(entry, line)
        self._log = msgspec.structs.replace(self._log, last_at=entries[-1].time)

    def _keep(self, entry: journal.Entry, line: logline.Line) -> None:
        # masked before anybody reads it: what is noticed in a line ends on the screen, too
        line = line._replace(text=self.redact(line.text), stack=self.redact(line.stack) if line.stack else "")
        record = LogRecord(
            sequence=0,
            time=entry.time,
            level=line.level,
            source=line.source,
            text=line.text,
            stack=line.stack,
            pid=entry.pid,
            call_id=line.call_id,
            status=line.status,
            own=_is_polling(line),
        )
        newest = self._store.last
        kept = self._store.append(record, line.continues)
        folded = self._store.last == newest
        self._traffic.note(line, kept, folded)
        self.incidents.note(line, kept, folded)
        if RANK[kept.level] >= RANK["ERROR"] and not folded:
            minute = int(kept.time // 60)
            self._errors[minute] = self._errors.get(minute, 0) + 1

    def _errors_per_minute(self, now: float) -> tuple[int, ...]:
        """Errors in each of the last minutes, the running one last."""
        newest = int(now // 60)
        for minute in [minute for minute in self._errors if minute < newest - 60]:
            del self._errors[minute]
        return tuple(self._errors.get(newest - back, 0) for back in reversed(range(MINUTES_OF_ERRORS)))


def _is_polling(line: logline.Line) -> bool:
    if line.source != "access":
        return False
    return line.path.endswith(_OWN) or (0 < line.status < 400 and line.path.startswith(_HEALTH_PATHS))
