"""`litellm-tui status`: the glance. Problems first, then what changed since the last look, then everything else.

Exit status: 0 all is well, 1 warnings, 2 something is broken, 3 the gateway cannot be reached, 64 a wrong command line.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from litellm_tui.analysis.health.database_report import figures
from litellm_tui.analysis.health.unnamed_failures import all_clear
from litellm_tui.analysis.history.axis import clock_of
from litellm_tui.analysis.history.glance import Glance, glance_words
from litellm_tui.analysis.phrases import age
from litellm_tui.commands.colour import painted, severity_of, wants_colour
from litellm_tui.commands.history import glance_document
from litellm_tui.commands.look import Look, look
from litellm_tui.commands.one_of_several import say_which
from litellm_tui.commands.recorded import asked, read_glance, zone_of
from litellm_tui.commands.status_document import document, exit_status
from litellm_tui.logs.log_line import clean
from litellm_tui.model.diagnosis import Diagnosis, Problem, Severity
from litellm_tui.target.profile import Options
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import SettingsError, load_settings


def run(
    options: Options, json: bool = False, markdown: bool = False, follow: bool = False, since: str | float | None = None
) -> int:
    """Look once, print, and say by the exit status how it stands; with `follow`, until the reader is gone.

    With `since` the span is told in figures too, from the record.
    """
    settings = load_settings()
    if follow and since is not None:
        raise SettingsError("status --follow: is about now: --since has no place in it")
    if follow:
        from litellm_tui.commands.follow import follow_status

        if not json:
            raise SettingsError("status --follow: prints JSON alone: litellm-tui status --follow --json")
        return follow_status(say_which(resolve(options, settings)))
    profile = say_which(resolve(options, settings))
    span = None if since is None else asked(since, profile, settings, time.time(), "status")
    seen = look(profile, remembers=not json)
    past = (
        None if span is None else Told(span.words, read_glance(profile, span), clock_of(span.span, zone_of(settings)))
    )
    if json:
        whole = document(seen) | ({"since": glance_document(past.glance)} if past is not None else {})
        print(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
    elif markdown:
        from litellm_tui.commands.markdown import report, short_report

        print(report(seen) if past is None else short_report(seen, past.words, past.glance, past.clock))
    else:
        ascii_only = settings.draws_ascii or "utf" not in (sys.stdout.encoding or "").lower()
        # the first line is the state of the whole, by what the command ends with
        worst: Severity = ("quiet", "warn")[code] if (code := exit_status(seen.diagnosis)) < 2 else "bad"
        coloured = wants_colour(sys.stdout, os.environ)
        for number, line in enumerate(lines(seen, past, ascii_only=ascii_only)):
            print(painted(line, worst if number == 0 else severity_of(line)) if coloured else line)
    return exit_status(seen.diagnosis)


class Told(NamedTuple):
    """A span in figures: what it is called, and how its moments are written."""

    words: str
    glance: Glance
    clock: Callable[[float], str]


def lines(seen: Look, past: Told | None = None, *, ascii_only: bool) -> Iterator[str]:
    """The glance as plain text; what comes from outside has no control characters left."""
    for line in _lines(seen, past):
        text = clean(line)
        if ascii_only:
            from litellm_tui.ui.signs import to_ascii

            text = to_ascii(text).encode("ascii", "replace").decode()
        yield text


def _lines(seen: Look, past: Told | None) -> Iterator[str]:
    diagnosis, now = seen.diagnosis, seen.now
    headline = diagnosis.headline
    yield f"{headline.word}  {' · '.join(part.text for part in headline.parts)}"
    yield f"  {identity(seen)}"
    lasting = [p for p in diagnosis.problems if p.solved_at is None]
    gone = [p for p in diagnosis.problems if p.solved_at is not None]
    wrong = [p for p in lasting if p.severity in ("bad", "warn")]
    for problem in wrong:
        yield ""
        yield from _problem(problem, now)
    if not wrong:
        yield ""
        yield all_clear(lasting)
    if past is not None:
        told = (f"{name:<13} {words}" for name, words, _ in glance_words(past.glance, past.clock))
        yield from _section(past.words, told)
    notes = [p for p in lasting if p.severity not in ("bad", "warn")]
    yield from _section("worth knowing", (f"{p.title}: {p.cause}. {p.reason}" for p in notes))
    yield from _section("not seen any more", (f"{p.title}: {p.cause}, gone for {age(now - (p.solved_at or now))}"
                                              for p in gone))  # fmt: skip
    if seen.before is not None:
        title = f"since the last look, {age(now - seen.before.at)} ago"
        yield from _section(title, seen.changes or ("nothing has changed",))
    yield from _section("models", _models(diagnosis))
    yield from _section("cache", (": ".join(filter(None, (diagnosis.cache.state, diagnosis.cache.reason))),))
    yield from _section("database", database_lines(seen))
    spots = (f"{spot.what} → {spot.mend}" for spot in diagnosis.blind_spots)
    yield from _section("cannot be seen here", spots)


def identity(seen: Look) -> str:
    """Which gateway was looked at."""
    readiness, service = seen.snapshot.gateway.readiness.value, seen.snapshot.service.value
    words = [seen.profile.host, seen.profile.address]
    words.append(f"LiteLLM {readiness.version}" if readiness and readiness.version else "LiteLLM")
    if service is not None:
        words.append(f"{service.unit} ({service.scope}) {service.active_state}")
    return " · ".join(words)


def _problem(problem: Problem, now: float) -> Iterator[str]:
    new = "new  " if problem.new else ""
    sign = "✖" if problem.severity == "bad" else "◐"
    since = f", since {age(now - problem.since)}" if problem.since is not None and now - problem.since >= 1 else ""
    yield f"{sign} {new}{problem.title}: {problem.cause}{since}"
    for name, text in (("because", problem.reason), ("hit", problem.hit), ("next", problem.do)):
        if text:
            yield f"    {name:<8}{text}"


def database_lines(seen: Look) -> Iterator[str]:
    """Its state, and what Postgres says of itself; nothing of a gateway that has none and wants none."""
    verdict = seen.diagnosis.database
    if verdict.severity == "quiet" and verdict.state in ("off", "unknown") and not verdict.pending:
        return
    yield ": ".join(filter(None, (verdict.state, verdict.reason)))
    if verdict.contradiction:
        yield f"but {verdict.contradiction}"
    yield from figures(seen.snapshot.database, seen.now)


def _section(title: str, items: Any) -> Iterator[str]:
    found = list(items)
    if found:
        yield ""
        yield title
        yield from (f"  {item}" for item in found)


def _models(diagnosis: Diagnosis) -> Iterator[str]:
    width = max((len(d.group) for d in diagnosis.deployments), default=0)
    names = max((len(d.model) for d in diagnosis.deployments), default=0)
    for deployment in diagnosis.deployments:
        verdict = deployment.verdict
        said = f"{verdict.state}: {verdict.brief}" if verdict.brief else verdict.state
        yield f"{deployment.group:<{width}}  {deployment.model:<{names}}  {said}"
