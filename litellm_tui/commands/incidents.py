"""`litellm-tui incidents`: what fails in the log, one entry per cause and group.

Exit status: 0 nothing failed, 1 something did and does no more, 2 something fails now (in the last five minutes), 3 the
log cannot be read, or most of its lines are of no known form, 64 a wrong command line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from litellm_tui.analysis.failures.incidents import Incident, find_incidents
from litellm_tui.analysis.health.coverage import unread_lines
from litellm_tui.analysis.health.headline import sparkline
from litellm_tui.analysis.health.request_counts import count_requests, rates_words
from litellm_tui.analysis.phrases import age, count
from litellm_tui.commands.look import Look, look
from litellm_tui.commands.one_of_several import say_which
from litellm_tui.logs.log_line import clean
from litellm_tui.target.profile import Options
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import SettingsError, load_settings

RESTART: Final = "restart"
# of the log; reading them back takes a second or two where most are stack traces
LINES: Final = 20_000


def run(options: Options, since: str | float = "", json: bool = False) -> int:
    """Look once and print; `since` is `restart` or a number of seconds, without it all that is read of the log."""
    settings = load_settings()
    seen = look(say_which(resolve(options, settings)), remembers=False, lines=LINES)
    begin = _begin(seen, since)
    traffic = seen.snapshot.traffic
    found = find_incidents(seen.snapshot.failures, seen.diagnosis, seen.now, since=begin, traffic=traffic)
    status = exit_status(found, seen)
    if json:
        print(msgspec.json.format(msgspec.json.encode(document(found, seen, begin)), indent=2).decode())
        return status
    ascii_only = settings.draws_ascii or "utf" not in (sys.stdout.encoding or "").lower()
    for line in lines(found, seen, begin):
        text = clean(line)
        if ascii_only:
            from litellm_tui.ui.signs import to_ascii

            text = to_ascii(text).encode("ascii", "replace").decode()
        print(text)
    return status


def exit_status(found: tuple[Incident, ...], seen: Look) -> int:
    """How it stands, as a number for scripts."""
    if _unread(seen) or (not found and seen.snapshot.log.unknown * 2 > seen.snapshot.log.lines):
        return 3
    return 2 if any(incident.going_on for incident in found) else 1 if found else 0


def lines(found: tuple[Incident, ...], seen: Look, since: float) -> Iterator[str]:
    """The incidents as plain text, what goes on first."""
    yield _title(found, seen, since)
    log = seen.snapshot.log
    if why := _unread(seen):
        yield f"  the log cannot be read: {why}"
    if missing := unread_lines(log):
        yield f"  {missing}: they are counted nowhere"
    if log.unknown_example:
        yield f"  such as: {log.unknown_example}"
    if words := rates_words(count_requests(seen.snapshot, seen.now)):
        yield f"  {words}"
    for incident in found:
        yield ""
        yield from _incident(incident, seen.now)
    if seen.snapshot.failures.other:
        yield ""
        yield f"and {count(seen.snapshot.failures.other, 'failure')} of kinds not seen any more"


def _title(found: tuple[Incident, ...], seen: Look, since: float) -> str:
    read = seen.snapshot.traffic.since
    span = f"in {age(seen.now - since)}" if since else "in what was read of the log"
    if read is not None and read > since:
        span += f", which was read from {age(seen.now - read)} ago on"
    if found:
        return f"{count(len(found), 'incident')} {span}"
    if _unread(seen):
        return "whether anything failed is not known"
    if not seen.snapshot.log.lines:
        return "no line of the log was read"
    understood = not (seen.snapshot.log.unread or seen.snapshot.log.unknown)
    return f"no incident {span}" if understood else f"no failure among the lines that are understood, {span}"


def _incident(incident: Incident, now: float) -> Iterator[str]:
    sign = "✖" if incident.going_on else "–"
    last = f"last {age(now - incident.last)} ago"
    yield f"{sign} {incident.cause}{f': {incident.subject}' if incident.subject else ''}"
    yield f"    {count(incident.count, 'time')}, first {age(now - incident.first)} ago, {last}"
    told = (
        ("a minute", sparkline(incident.minutes) if any(incident.minutes) else ""),
        ("whose", incident.failure_of),
        ("means", incident.means),
        ("next", incident.do),
        ("says", incident.words),
        ("also", "; ".join(incident.also)),
        ("models", ", ".join(incident.models)),
        ("fallback", incident.fallback),
        ("asked as", ", ".join(incident.asked)),
        ("answered", ", ".join(f"{status} ({number})" for status, number in incident.statuses)),
        ("callers", ", ".join(f"{client} ({number})" for client, number in incident.callers)),
        ("audit", "; ".join(incident.rules)),
    )
    yield from (f"    {name:<10}{text}" for name, text in told if text)


def document(found: tuple[Incident, ...], seen: Look, since: float) -> dict[str, Any]:
    """The same as plain data; times are seconds since the epoch, `since` is None for all that was read."""
    return {
        "taken_at": seen.now,
        "host": seen.profile.host,
        "url": seen.profile.address,
        "since": since or None,
        "read_from": seen.snapshot.traffic.since,
        "exit_status": exit_status(found, seen),
        "unread": _unread(seen) or None,
        "lines": seen.snapshot.log.lines,
        "lines_unread": seen.snapshot.log.unread,
        "lines_unknown": seen.snapshot.log.unknown,
        "unknown_example": seen.snapshot.log.unknown_example or None,
        "answers": _rates(seen),
        "incidents": msgspec.to_builtins(found),
        "other": seen.snapshot.failures.other,
    }


def _begin(seen: Look, since: str | float) -> float:
    if isinstance(since, float):
        return seen.now - since
    if since != RESTART:
        return 0.0
    service = seen.snapshot.service.value
    if service is None or not service.started_at:
        raise SettingsError("incidents: when the service was started is not known; give --since a time, such as 1h")
    return service.started_at


def _unread(seen: Look) -> str:
    """Why nothing was read of the log; empty when something was, or nothing is there to be read."""
    log = seen.snapshot.log
    return log.failure.why if log.failure is not None and log.last < 0 else ""


def _rates(seen: Look) -> dict[str, Any]:
    counts = count_requests(seen.snapshot, seen.now)
    return {
        "requests": counts.asked or 0,
        "per_minute": counts.per_minute or 0.0,
        "refused": counts.refused_share,
        "failed": counts.failed_share,
    }
