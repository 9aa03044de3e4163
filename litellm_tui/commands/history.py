"""`litellm-tui history`: what happened, newest first, with the times in which nobody looked; charts of it as SVG.

Exit status: 0 it was told, 3 nothing is recorded or the record cannot be read, 64 a wrong command line.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from litellm_tui import __version__
from litellm_tui.analysis.history.axis import clock_of
from litellm_tui.analysis.history.entries import (
    Entry,
    entries_of,
    gaps,
    kind_words,
    length_words,
    line_words,
    severity_of,
    watched,
)
from litellm_tui.analysis.history.glance import MOST_EVENTS, Glance, glance_of, glance_words
from litellm_tui.analysis.history.panels import read_panels
from litellm_tui.analysis.history.source import HistorySource
from litellm_tui.analysis.history.spans import DAY, Interval
from litellm_tui.analysis.history.svg import COLUMNS, svg_of
from litellm_tui.commands.one_of_several import say_which
from litellm_tui.commands.recorded import Asked, asked, record_of, zone_of
from litellm_tui.host import atomic
from litellm_tui.logs.log_line import clean
from litellm_tui.model.diagnosis import Severity
from litellm_tui.model.history import Event
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings, SettingsError, load_settings

# another number when a field of before means something else, or is gone
FORMAT: Final = 1
NOTHING: Final = (
    "nothing is recorded of this gateway in this time: a console that is open records, and litellm-tui record "
    "--install has it recorded always"
)
_SIGNS: Final[dict[Severity, str]] = {"bad": "✖", "warn": "◐", "unknown": "◌"}


class Past(msgspec.Struct, frozen=True):
    """What was read of the record: `looked` is when somebody looked, `failure` why it could not be read."""

    asked: Asked
    events: tuple[Event, ...]
    looked: tuple[Interval, ...]
    glance: Glance
    failure: str = ""

    @property
    def recorded(self) -> bool:
        """Whether there is anything at all."""
        return bool(self.events or self.looked)


def run(options: Options, since: str | float = DAY, json: bool = False, svg: str = "", group: str = "") -> int:
    """Read the record, print, and draw it where a file is named for that."""
    settings = load_settings()
    if group and not svg:
        raise SettingsError("history --group: names the curves that --svg draws")
    profile = say_which(resolve(options, settings))
    found = asked(since, profile, settings, time.time(), "history")
    source = record_of(profile)
    past = read(source, found)
    status = 3 if past.failure or not past.recorded else 0
    if svg and (why := _draw(source, past, profile, settings, Path(svg), group)):
        print(f"litellm-tui: history: {why}", file=sys.stderr)
        status = 3
    if json:
        print(msgspec.json.format(msgspec.json.encode(document(past, profile)), indent=2).decode())
        return status
    ascii_only = settings.draws_ascii or "utf" not in (sys.stdout.encoding or "").lower()
    for line in lines(past, clock_of(found.span, zone_of(settings))):
        text = clean(line)
        if ascii_only:
            from litellm_tui.ui.signs import every_sign_to_ascii

            text = every_sign_to_ascii(text).encode("ascii", "replace").decode()
        print(text)
    return status


def read(source: HistorySource, found: Asked) -> Past:
    """Everything of a span that is told; blocks as the source does."""
    since, until = found.span
    events = source.events(since, until, limit=MOST_EVENTS)
    looked = watched(source.looked(since, until), since, until)
    failure = source.failure
    return Past(found, tuple(events), tuple(looked), glance_of(source, since, until), failure or source.failure)


def lines(past: Past, clock: Callable[[float], str]) -> Iterator[str]:
    """The span as plain text: its figures, then what happened, newest first."""
    since, until = past.asked.span
    yield f"{past.asked.words}: {clock(since)} to {clock(until)}"
    if past.failure:
        yield f"  the record cannot be read: {past.failure}"
        return
    if not past.recorded:
        yield f"  {NOTHING}"
        return
    yield from (f"  {name:<13} {words}" for name, words, _ in glance_words(past.glance, clock))
    yield ""
    for entry in entries_of(past.events, past.looked, since, until):
        yield from _entry(entry, clock, until)


def _entry(entry: Entry, clock: Callable[[float], str], until: float) -> Iterator[str]:
    sign = _SIGNS.get(severity_of(entry), " ")
    length = length_words(entry, until)
    said = f"{line_words(entry)}{f', {length}' if length else ''}"
    yield f"{clock(entry.at)}  {sign} {kind_words(entry):<10} {said}".rstrip()
    event = entry.event
    if event is not None and event.hit and severity_of(entry) in ("bad", "warn"):
        yield f"{' ' * len(clock(entry.at))}    {'':<10} hit: {event.hit}"


def document(past: Past, profile: Profile) -> dict[str, Any]:
    """The same as plain data, described in docs/history.md; times are seconds since the epoch."""
    since, until = past.asked.span
    return {
        "format": FORMAT,
        "program": __version__,
        "written_at": time.time(),
        "host": profile.host,
        "url": profile.address,
        "since": since,
        "until": until,
        "recorded": past.recorded,
        "failure": past.failure or None,
        "looked": past.looked,
        "nobody_looked": gaps(past.looked, since, until),
        "glance": glance_document(past.glance),
        "events": msgspec.to_builtins(past.events),
    }


def glance_document(glance: Glance) -> dict[str, Any]:
    """The figures of a span as plain data."""
    plain: dict[str, Any] = msgspec.to_builtins(glance)
    return plain | {
        "errors": [
            msgspec.to_builtins(one) | {"causes": [{"cause": cause, "failed": number} for cause, number in one.causes]}
            for one in glance.errors
        ]
    }


def _draw(source: HistorySource, past: Past, profile: Profile, settings: Settings, file: Path, group: str) -> str:
    """Write the charts; why that was not possible, or empty."""
    subject = f"group:{group}" if group else ""
    if subject and subject not in (known := source.subjects()):
        names = ", ".join(sorted(one.removeprefix("group:") for one in known if one.startswith("group:")))
        return f"nothing is recorded of a group {group!r} (there are: {names or 'none'})"
    span = past.asked.span
    title = f"{profile.host} · {profile.address} · {group or 'the whole gateway'} · {past.asked.words}"
    panels = read_panels(source, subject, *span, COLUMNS)
    drawn = svg_of(title, panels, past.events, gaps(past.looked, *span), span, zone_of(settings))
    try:
        atomic.replace(file, drawn.encode(), mode=0o644, durable=False)
    except OSError as error:
        return f"{file}: {error.strerror}"
    return ""
