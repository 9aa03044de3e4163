"""The database's verdict: off, connected, lost, refuses, out of connections, migrations failed, read-only, slow.

Three sources are compared: LiteLLM, whose readiness says what its own client finds, its log (`logged_database`), and
Postgres itself, asked with LiteLLM's login. Where they differ, both are named. Sources for the words of readiness:
`health_readiness` in litellm/proxy/health_endpoints/_health_endpoints.py. 1.77.7 says `db: connected` whenever it was
given a database, and its last finding in `status`, which it keeps for 2 minutes; 1.106.2 says `connected`,
`disconnected` or `stalled`, keeps only `connected`, for 15 s, and answers 503 with the others. Both say `Not connected`
without a client.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from litellm_tui.analysis.health.logged_database import with_logged_errors
from litellm_tui.analysis.phrases import age, count
from litellm_tui.model.database import Database, Migration, PostgresAnswer, Refused
from litellm_tui.model.diagnosis import Evidence, Verdict
from litellm_tui.model.failures import Crashed, Failure, Malformed, Unreachable
from litellm_tui.model.gateway import Readiness
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot

SLOW_SECONDS: Final = 1.0
# of the connections that ordinary roles may have
FEW_LEFT: Final = 0.9
# a migration that has noted no error, and is older than this, was killed
LONGEST_MIGRATION: Final = 600.0
# for so long LiteLLM repeats its last `connected`
_KEPT: Final = 15.0
_KEPT_177: Final = 120.0
# in these states LiteLLM has no database to work with
AWAY: Final = ("lost", "refuses", "no answer", "out of connections")
_NO_START: Final = "LiteLLM does not start without it"


class _Said(NamedTuple):
    """What readiness says: `word` is empty where it says nothing of a database."""

    word: Literal["connected", "stalled", "lost", "none", ""]
    text: str = ""
    seen_at: float | None = None
    kept: float = _KEPT


class _Fault(NamedTuple):
    """Why Postgres does not serve the console; `shared` says that it does not serve LiteLLM either."""

    state: str
    why: str
    do: str
    brief: str
    shared: bool


def judge_database(snapshot: Snapshot, now: float) -> Verdict:
    """The verdict from readiness and from Postgres itself at `now`, in seconds since the epoch."""
    readiness, database = snapshot.gateway.readiness, snapshot.database
    liveliness = snapshot.gateway.liveliness
    reachable = liveliness.failure is None and liveliness.value is not None
    said = _said(readiness, reachable)
    verdict = _judged(said, database, reachable, now)
    verdict = msgspec.structs.replace(verdict, evidence=tuple(_evidence(said, database)))
    service = snapshot.service.value
    started_at = (service.started_at if service else None) or 0.0
    # what is repeated may be as old as it is kept
    reached = (said.seen_at or 0.0) - said.kept if said.word == "connected" else None
    verdict = with_logged_errors(verdict, snapshot.failures.tallies, now, started_at, reached)
    if database.tolerated and verdict.severity == "bad" and verdict.state in AWAY:
        verdict = msgspec.structs.replace(verdict, severity="warn")
    return verdict


def _said(readiness: Reading[Readiness], reachable: bool) -> _Said:
    value = readiness.value
    if value is None or readiness.failure is not None or not reachable:
        return _Said("")
    seen = readiness.seen_at
    if value.error:
        return _Said("lost", f"readiness fails ({value.error})", seen)
    if value.db is None:
        return _Said("")
    if value.db == "Not connected":
        return _Said("none", "readiness says Not connected", seen)
    if value.status in ("connected", "disconnected", "unknown"):
        # 1.77.7: `db` is constant, and `status` is what was found
        word: Literal["connected", "lost"] = "connected" if value.status == "connected" else "lost"
        return _Said(word, f"readiness says {value.status}", seen, _KEPT_177)
    if value.db == "connected":
        return _Said("connected", "readiness says connected", seen)
    if value.db == "stalled":
        return _Said("stalled", "readiness says stalled", seen)
    return _Said("lost", f"readiness says {value.db}", seen)


def _judged(said: _Said, database: Database, reachable: bool, now: float) -> Verdict:
    answer = database.answer
    given = database.configured or said.word in ("connected", "stalled", "lost")
    if not given and not database.pending:
        if database.configured is None and not said.word:
            return Verdict("unknown", "quiet", "whether it has one is not known")
        return Verdict("off", "quiet", "no database is configured", seen_at=said.seen_at)
    # without its database LiteLLM ends its start, unless that is tolerated
    if not given or (said.word == "none" and database.newer and not database.tolerated):
        why = f"{database.source} names one, and what runs was started without it"
        return Verdict("off", "quiet", why, seen_at=said.seen_at, do="a restart connects it", pending=True)
    if answer.failure is not None and not isinstance(answer.failure, Crashed):
        return _with_fault(said, database, _fault(answer.failure, database), reachable)
    if answer.value is not None and answer.failure is None:
        return _with_answer(said, database, answer.value, reachable, now)
    if said.word in ("lost", "none"):
        return _lost(said, database, "")
    if said.word == "stalled":
        return _stalled(said)
    if said.word == "connected":
        return Verdict("connected", "ok", _why_alone(said, database), seen_at=said.seen_at)
    why = database.unasked or ("the gateway does not answer" if not reachable else "not asked yet")
    return Verdict("unknown", "unknown", why)


def _why_alone(said: _Said, database: Database) -> str:
    return said.text + (f"; Postgres itself is not asked: {database.unasked}" if database.unasked else "")


def _lost(said: _Said, database: Database, contradiction: str) -> Verdict:
    if said.word == "none":
        why = f"LiteLLM runs without the database that {database.source} gives it: {said.text}"
        do = "look for its error in the start-up log (2); when Postgres answers, R connects it"
        return Verdict(
            "lost", "bad", why, seen_at=said.seen_at, do=do, brief="not connected", contradiction=contradiction
        )
    if contradiction:
        do = "its client has lost the connection: the log (2) has its own words, R connects it again"
    elif database.place:
        do = f"see whether Postgres at {database.place} runs; the log (2) has LiteLLM's own words"
    else:
        do = "see whether its Postgres runs; the log (2) has LiteLLM's own words"
    why = f"LiteLLM has no working connection to its database: {said.text}"
    return Verdict("lost", "bad", why, seen_at=said.seen_at, do=do, brief="lost", contradiction=contradiction)


def _stalled(said: _Said) -> Verdict:
    why = "look-ups of keys reach their time limit in LiteLLM (readiness says stalled)"
    do = "look at long queries, locks and the load of Postgres (pg_stat_activity)"
    return Verdict("slow", "warn", why, seen_at=said.seen_at, do=do, brief="stalled")


# --- Postgres does not serve the console ---------------------------------------------------------------------------


def _with_fault(said: _Said, database: Database, fault: _Fault, reachable: bool) -> Verdict:
    answer = database.answer
    verdict = Verdict(
        fault.state,
        "bad",
        fault.why,
        seen_at=answer.tried_at,
        do=fault.do,
        brief=fault.brief,
        since=answer.failing_since,
    )
    if said.word in ("lost", "none"):
        if fault.shared:
            return msgspec.structs.replace(verdict, reason=f"{fault.why}; {said.text}")
        # what the console meets here may be another thing than what LiteLLM meets
        lost = _lost(said, database, "")
        return msgspec.structs.replace(lost, reason=f"{lost.reason}; from here {fault.why}", since=verdict.since)
    if said.word in ("connected", "stalled"):
        # without its database 1.77 repeats its last word as long as requests are let through
        told_anew = said.kept == _KEPT or not database.tolerated
        later = told_anew and (said.seen_at or 0.0) - said.kept > (answer.failing_since or 0.0)
        if not later and fault.shared:
            kept = f"{said.text}, which LiteLLM may repeat for {age(said.kept)} after it was so"
            return msgspec.structs.replace(verdict, contradiction=kept)
        if said.word == "stalled":
            return msgspec.structs.replace(_stalled(said), contradiction=fault.why)
        if not fault.shared:
            why = f"{said.text}; the console cannot ask Postgres itself from here"
            return Verdict("connected", "ok", why, seen_at=said.seen_at, contradiction=fault.why)
        return Verdict(
            "connected",
            "warn",
            f"LiteLLM's {said.text}, over connections that it has: Postgres refuses a new one with the same login",
            seen_at=said.seen_at,
            do=fault.do,
            brief=fault.brief,
            since=answer.failing_since,
            contradiction=fault.why,
        )
    if not fault.shared:
        return Verdict("unknown", "unknown", f"{fault.why} (from here)", seen_at=answer.tried_at)
    return verdict if reachable else msgspec.structs.replace(verdict, reason=f"{fault.why}: {_NO_START}")


def _fault(failure: Failure, database: Database) -> _Fault:
    source, answered = database.source, database.answer.seen_at is not None
    if isinstance(failure, Refused):
        return _refusal(failure, source)
    if isinstance(failure, Malformed):
        do = f"see what listens there, or correct host and port in {source}"
        return _Fault("refuses", failure.why, do, "not Postgres", database.local)
    kind = failure.kind if isinstance(failure, Unreachable) else "other"
    shared = (database.local or answered) and kind in ("refused", "timeout", "closed")
    if kind == "refused":
        do = f"start Postgres, or correct the address in {source}"
        return _Fault("refuses", failure.why, do, "Postgres refuses", shared)
    if kind == "timeout":
        do = "see what blocks Postgres (locks, load, a full disk, the network)"
        return _Fault("no answer", failure.why, do, "Postgres hangs", shared)
    words = {"dns": "no such host", "tls": "TLS", "closed": "closes"}.get(kind, "not reached")
    do = f"see whether Postgres runs, and whether the address in {source} is right"
    return _Fault("refuses", failure.why, do, words, shared)


def _refusal(failure: Refused, source: str) -> _Fault:
    """What each SQLSTATE asks for (PostgreSQL's documentation, appendix A)."""
    code, why = failure.code, failure.why
    if code == "53300":
        do = (
            "raise max_connections, lower general_settings.database_connection_pool_limit (it counts for each worker), "
            "or put PgBouncer in front"
        )
        return _Fault("out of connections", why, do, "no connection left", True)
    if code == "28P01":
        return _Fault("refuses", why, f"compare user and password in {source} with the role", "password refused", True)
    if code.startswith("28"):
        # pg_hba.conf may let LiteLLM's machine in, and not this one
        do = f"let it in by pg_hba.conf, or correct user, database and TLS in {source}"
        return _Fault("refuses", why, do, "login refused", False)
    if code == "3D000":
        return _Fault("refuses", why, f"create the database, or correct its name in {source}", "no such database", True)
    if code in ("57P01", "57P02", "57P03"):
        return _Fault("refuses", why, "it starts, stops or recovers: its own log says which", "not ready", True)
    if code.startswith("53"):
        return _Fault("refuses", why, "make room: memory or disk of Postgres is used up", "no room", True)
    if code == "42501":
        return _Fault("refuses", why, "give the role its rights again (GRANT)", "no right", True)
    return _Fault("refuses", why, "its own log says more", "Postgres refuses", True)


# --- Postgres answers ----------------------------------------------------------------------------------------------


def _with_answer(said: _Said, database: Database, answer: PostgresAnswer, reachable: bool, now: float) -> Verdict:
    seen = database.answer.seen_at
    late = now - (seen or now)
    when = f" ({age(late)} ago)" if late >= 5 else ""
    if said.word in ("lost", "none"):
        told = failed_migrations(answer, now) or answer.missing
        if not told:
            return _lost(said, database, f"Postgres itself answers the console{when}")
    if wrong := _schema_fault(said, database, answer, now):
        return wrong
    if answer.standby or answer.read_only:
        why = (
            "it is a standby, which takes no writes" if answer.standby else "it takes no writes (read-only by default)"
        )
        do = f"name the primary in {database.source}" if answer.standby else "take default_transaction_read_only back"
        return Verdict("read-only", "bad", why, seen_at=seen, do=do, brief="read-only")
    if said.word == "stalled":
        return msgspec.structs.replace(_stalled(said), contradiction=summary(answer))
    if answer.answered_in > SLOW_SECONDS:
        why = f"Postgres took {answer.answered_in:.1f} s to answer"
        do = "look at its load, locks and the network; requests wait for the look-up of a key"
        return Verdict("slow", "warn", why, seen_at=seen, do=do, brief="slow")
    if short := _short(answer):
        do = "see who holds them (pg_stat_activity); raise max_connections, or put PgBouncer in front"
        return Verdict("connected", "warn", short, seen_at=seen, do=do, brief="few connections left")
    if not said.word:
        why = "Postgres itself answers" + ("" if reachable else ", LiteLLM does not")
        return Verdict("answers", "quiet", why, seen_at=seen)
    return Verdict("connected", "ok", f"{said.text}; {summary(answer)}", seen_at=seen)


def failed_migrations(answer: PostgresAnswer, now: float) -> tuple[Migration, ...]:
    """The migrations that have failed, or were killed; one that has begun lately may still be under way."""
    return tuple(m for m in answer.unfinished if m.logs or now - m.started_at > LONGEST_MIGRATION)


def _schema_fault(said: _Said, database: Database, answer: PostgresAnswer, now: float) -> Verdict | None:
    seen = database.answer.seen_at
    failed = failed_migrations(answer, now)
    running = answer.unfinished and not failed
    if answer.missing and not running and not answer.unread_migrations:
        missing = f"{', '.join(answer.missing[:3])}{' …' if len(answer.missing) > 3 else ''}"
        noted = f"; migration {failed[0].name} failed" if failed else ""
        why = f"{count(len(answer.missing), 'table')} of LiteLLM missing in {database.place}: {missing}{noted}"
        do = "let the migrations run (a start without DISABLE_SCHEMA_UPDATE), or correct database and schema in the URL"
        return Verdict("migrations failed", "bad", why, seen_at=seen, do=do, brief="tables missing")
    if failed:
        first, more = failed[0], f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        how = f": {first.logs}" if first.logs else ": it began, and neither ended nor was rolled back"
        do = (
            f"mend what it names, then `prisma migrate resolve --rolled-back {first.name}` (or --applied, where its "
            "change is there), before anything restarts"
        )
        return Verdict(
            "migrations failed",
            "warn" if said.word == "connected" else "bad",
            f"migration {first.name}{more} failed{how}",
            seen_at=seen,
            do=do,
            brief="migration failed",
            since=first.started_at or None,
        )
    return None


def _short(answer: PostgresAnswer) -> str:
    """The shortage of connections in words; empty where enough are left."""
    if answer.own_most and answer.own >= FEW_LEFT * answer.own_most:
        return f"{answer.own} of the {answer.own_most} connections that this role or database may have are in use"
    if answer.used >= FEW_LEFT * answer.most:
        return f"{answer.used} of {answer.most} connections are in use, {answer.own} of them by LiteLLM's role"
    return ""


def summary(answer: PostgresAnswer) -> str:
    """What Postgres says of itself, in one line."""
    return f"Postgres {answer.version} answers in {milliseconds(answer.answered_in)}"


def milliseconds(seconds: float) -> str:
    """A duration in steps: a figure that differs each time would be news each time."""
    for limit in (10, 50, 100, 200, 500):
        if seconds * 1000 < limit:
            return f"< {limit} ms"
    return f"{seconds:.1f} s"


def _evidence(said: _Said, database: Database) -> Iterator[Evidence]:
    if said.word:
        speaks: Literal["for", "against"] = "for" if said.word == "connected" else "against"
        neither = said.word == "none" and not database.configured
        yield Evidence("router", said.text, "neither" if neither else speaks, said.seen_at)
    answer = database.answer
    if answer.tried_at is not None:
        text = answer.failure.why if answer.failure else summary(answer.value) if answer.value else "nothing"
        yield Evidence("probe", text, "against" if answer.failure else "for", answer.tried_at)
