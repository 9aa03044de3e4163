"""`litellm-tui status`: the glance. Problems first, then what changed since the last look, then everything else.

Exit status: 0 all is well, 1 warnings, 2 something is broken, 3 the gateway cannot be reached, 64 a wrong command line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from litellm_tui.analysis.health.database_report import figures
from litellm_tui.analysis.health.unnamed_failures import all_clear
from litellm_tui.analysis.phrases import age
from litellm_tui.commands.look import Look, look
from litellm_tui.commands.one_of_several import say_which
from litellm_tui.commands.status_document import document, exit_status
from litellm_tui.logs.log_line import clean
from litellm_tui.model.diagnosis import Diagnosis, Problem
from litellm_tui.target.profile import Options
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import SettingsError, load_settings


def run(options: Options, json: bool = False, markdown: bool = False, follow: bool = False) -> int:
    """Look once, print, and say by the exit status how it stands; with `follow`, until the reader is gone."""
    settings = load_settings()
    if follow:
        from litellm_tui.commands.follow import follow_status

        if not json:
            raise SettingsError("status --follow: prints JSON alone: litellm-tui status --follow --json")
        return follow_status(say_which(resolve(options, settings)))
    seen = look(say_which(resolve(options, settings)), remembers=not json)
    if json:
        print(msgspec.json.format(msgspec.json.encode(document(seen)), indent=2).decode())
    elif markdown:
        from litellm_tui.commands.markdown import report

        print(report(seen))
    else:
        ascii_only = settings.draws_ascii or "utf" not in (sys.stdout.encoding or "").lower()
        for line in lines(seen, ascii_only=ascii_only):
            print(line)
    return exit_status(seen.diagnosis)


def lines(seen: Look, *, ascii_only: bool) -> Iterator[str]:
    """The glance as plain text; what comes from outside has no control characters left."""
    for line in _lines(seen):
        text = clean(line)
        if ascii_only:
            from litellm_tui.ui.signs import to_ascii

            text = to_ascii(text).encode("ascii", "replace").decode()
        yield text


def _lines(seen: Look) -> Iterator[str]:
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
