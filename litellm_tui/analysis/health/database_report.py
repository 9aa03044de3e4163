"""What the header, Problems, the coverage and the commands say of the database, from its verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from litellm_tui.analysis.health.database import AWAY, failed_migrations, summary
from litellm_tui.analysis.phrases import size
from litellm_tui.model.database import Database
from litellm_tui.model.diagnosis import BlindSpot, Looked, Part, Place, Problem, Severity, Verdict
from litellm_tui.model.snapshot import Snapshot

_UNTOLERATED: Final = "callers with virtual keys are refused, and budgets and spend are not kept"
_TOLERATED: Final = (
    "nobody is refused (allow_requests_on_db_unavailable): every key is let in, and budgets and spend are not kept"
)
_FIGURES: Final = "connections, migrations and the speed of the database"


def figures(database: Database, now: float) -> Iterator[str]:
    """What Postgres told of itself last, a line each, for whoever wants more than the state."""
    answer = database.answer.value
    if answer is None:
        return
    limit = f", this role at most {answer.own_most}" if answer.own_most is not None else ""
    yield f"{answer.used} of {answer.most} connections, {answer.own} of LiteLLM's role{limit}"
    if answer.spend_rows is not None:
        yield f"spend log about {answer.spend_rows:,} rows, {size(answer.spend_bytes or 0)}"
    elif "LiteLLM_SpendLogs" not in answer.missing:
        yield "spend log not estimated yet (ANALYZE)"
    if answer.unread_migrations:
        yield f"migrations not read: {answer.unread_migrations}"
    elif running := [m for m in answer.unfinished if m not in failed_migrations(answer, now)]:
        yield f"migration {running[0].name} is under way"


def hit(database: Database, verdict: Verdict) -> str:
    """Who is affected by it."""
    if verdict.state in AWAY:
        return _TOLERATED if database.tolerated else _UNTOLERATED
    if verdict.state == "read-only":
        return "spend, new keys and budgets cannot be written"
    if verdict.state == "migrations failed":
        return _UNTOLERATED if verdict.severity == "bad" else "nobody yet: a restart may not come up"
    return "requests whose key LiteLLM has to look up" if verdict.severity == "warn" else ""


def database_problems(database: Database, verdict: Verdict) -> Iterator[Problem]:
    """The problem of a database that is not well."""
    if verdict.severity not in ("warn", "bad"):
        return
    yield Problem(
        key="database:",
        severity=verdict.severity,
        title="database",
        cause=verdict.brief or verdict.state,
        reason=verdict.reason + (f". But {verdict.contradiction}" if verdict.contradiction else ""),
        place=Place("database"),
        do=verdict.do,
        hit=hit(database, verdict),
        since=verdict.since,
        state=verdict.state,
    )


def database_parts(verdict: Verdict, *, answering: bool) -> tuple[Part, ...]:
    """The header's clause: nothing without a database; of a gateway that is down only what may be the reason."""
    if verdict.state == "off" or (verdict.state == "unknown" and verdict.severity == "quiet"):
        return ()
    if not answering and verdict.severity not in ("warn", "bad"):
        return ()
    severity: Severity = verdict.severity
    brief = f": {verdict.brief}" if verdict.state == "connected" and verdict.severity == "warn" else ""
    return (Part(f"database {verdict.state}{brief}", severity),)


def database_looked(snapshot: Snapshot) -> Iterator[Looked]:
    """Postgres as a source that was read, where it is asked."""
    answer = snapshot.database.answer
    if answer.tried_at is not None:
        text = answer.failure.why if answer.failure else summary(answer.value) if answer.value else ""
        yield Looked("Postgres", text, answer.seen_at)


def database_blind_spots(snapshot: Snapshot, verdict: Verdict) -> Iterator[BlindSpot]:
    """Why the database cannot be seen whole."""
    database = snapshot.database
    if database.unasked:
        yield BlindSpot(f"{_FIGURES}: {database.unasked}", "psql, with a login of your own")
    elif (
        database.answer.failure is not None and verdict.state in ("connected", "unknown") and verdict.severity != "warn"
    ):
        what = f"{_FIGURES}: {database.answer.failure.why}"
        yield BlindSpot(what, "the console where LiteLLM's own network reaches it")
    elif verdict.state not in ("off", "unknown") and not database.configured:
        yield BlindSpot(
            f"{_FIGURES}: its address is not known",
            "the unit's environment file readable, or general_settings.database_url",
        )
    elif database.answer.value is not None and database.answer.value.unread_migrations:
        yield BlindSpot(f"failed migrations: {database.answer.value.unread_migrations}", "it comes with the next look")


def with_lost_database(gateway: Verdict, database: Verdict) -> Verdict:
    """The verdict on the gateway where a refused key may be the database's fault: virtual keys are looked up in it."""
    if gateway.state != "key refused" or database.state not in (*AWAY, "migrations failed"):
        return gateway
    do = f"the database is {database.state}, and a virtual key cannot be looked up without it: {database.do}"
    return msgspec.structs.replace(gateway, do=f"{do}; the master key works without it")
