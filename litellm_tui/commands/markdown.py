"""The STATUS.md that operators keep by hand: health, routing, settings and a checklist, from one look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from litellm_tui.analysis.health.phases import check_phases
from litellm_tui.analysis.history.glance import Glance, glance_words
from litellm_tui.analysis.phrases import age
from litellm_tui.commands.look import Look
from litellm_tui.logs.log_line import clean
from litellm_tui.model.diagnosis import Chain

# settings that operators ask for first; the rest stands in the file
_SETTINGS: Final = (
    ("router_settings", "routing_strategy"),
    ("router_settings", "num_retries"),
    ("router_settings", "timeout"),
    ("router_settings", "allowed_fails"),
    ("router_settings", "cooldown_time"),
    ("router_settings", "enable_pre_call_checks"),
    ("litellm_settings", "num_retries"),
    ("litellm_settings", "request_timeout"),
    ("litellm_settings", "cache"),
    ("litellm_settings", "json_logs"),
    ("litellm_settings", "callbacks"),
    ("general_settings", "background_health_checks"),
    ("general_settings", "health_check_interval"),
)
_LOG_MINUTES: Final = 10


def report(seen: Look) -> str:
    """The whole document."""
    return "\n".join(_report(seen))


def short_report(seen: Look, words: str, glance: Glance, clock: Callable[[float], str]) -> str:
    """How it stands, what is wrong and the span in figures: what is read on a phone."""
    return "\n".join([*_head(seen), "", f"## {_cell(words[:1].upper() + words[1:])}", "", *_glance(glance, clock)])


def _glance(glance: Glance, clock: Callable[[float], str]) -> Iterator[str]:
    yield from (f"- **{name}**: {_cell(words)}" for name, words, _ in glance_words(glance, clock))


def _head(seen: Look) -> Iterator[str]:
    """How it stands, which gateway it is, and what is wrong."""
    diagnosis, snapshot, now = seen.diagnosis, seen.snapshot, seen.now
    readiness, service = snapshot.gateway.readiness.value, snapshot.service.value
    headline = diagnosis.headline
    yield f"# {_cell(seen.profile.host)}: {headline.word}"
    yield ""
    yield f"{_cell('; '.join(part.text for part in headline.parts))}."
    yield ""
    taken = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(now))
    version = readiness.version if readiness and readiness.version else "of unknown version"
    unit = f"`{service.unit}` ({service.scope}), {service.active_state}" if service else "no unit known"
    yield f"Taken {taken}. Gateway `{seen.profile.address}`, LiteLLM {version}, {unit}."
    yield ""
    yield "## Problems"
    yield ""
    lasting = [problem for problem in diagnosis.problems if problem.solved_at is None]
    if lasting:
        yield from _table(
            ("", "what", "cause", "since", "who is hit", "next"),
            (
                (
                    {"bad": "broken", "warn": "warning"}.get(p.severity, "note"),
                    p.title,
                    p.cause,
                    age(now - p.since) if p.since is not None else "",
                    p.hit,
                    p.do,
                )
                for p in lasting
            ),
        )
    else:
        yield "None, as far as can be seen."


def _report(seen: Look) -> Iterator[str]:
    diagnosis, snapshot, now = seen.diagnosis, seen.snapshot, seen.now
    yield from _head(seen)
    if seen.before is not None:
        yield from ("", f"## Since the last look, {age(now - seen.before.at)} ago", "")
        yield from (f"- {_cell(change)}" for change in seen.changes or ("nothing has changed",))
    yield from ("", "## Health", "")
    yield from _table(
        ("group", "model", "state", "cause", "because"),
        ((d.group, d.model, d.verdict.state, d.verdict.brief, d.verdict.reason) for d in diagnosis.deployments),
    )
    cache = diagnosis.cache
    yield from ("", f"Cache: {_cell(cache.state)}{_cell(': ' + cache.reason if cache.reason else '')}.")
    database = diagnosis.database
    yield from ("", f"Database: {_cell(database.state)}{_cell(': ' + database.reason if database.reason else '')}.")
    yield from ("", "## Routing", "")
    if diagnosis.chains:
        yield from _table(("kind", "from", "to", "runs"), (_chain(chain) for chain in diagnosis.chains))
    else:
        yield "No fallbacks and no aliases."
    file = snapshot.configuration.current
    if file is not None:
        found = [(f"{s}.{k}", str(file.section(s)[k])) for s, k in _SETTINGS if file.section(s).get(k) is not None]
        yield from ("", "## Settings", "", f"From `{_cell(file.path)}`.", "")
        yield from _table(("key", "value"), found)
    yield from ("", "## Checklist", "")
    for phase in check_phases(snapshot, diagnosis, now, _LOG_MINUTES):
        mark = "x" if phase.outcome == "ok" else " "
        yield f"- [{mark}] {phase.name}: {_cell(phase.text)}"
    if diagnosis.blind_spots:
        yield from ("", "## Cannot be seen here", "")
        yield from (f"- {_cell(spot.what)}: {_cell(spot.mend)}" for spot in diagnosis.blind_spots)


def _chain(chain: Chain) -> tuple[str, ...]:
    targets = ", ".join(f"{t.name} ({t.flaw or t.state})" for t in chain.targets)
    applied = {True: "yes", False: "not applied", None: "cannot be seen"}[chain.applied]
    return (chain.kind, "any group" if chain.source.name == "*" else chain.source.name, targets, applied)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    """Text from outside, so that it can neither end a cell nor be read as markup."""
    line = " ".join(clean(text).split())
    for special in ("\\", "|", "`", "*", "_", "<", "[", "]"):
        line = line.replace(special, "\\" + special)
    return line
