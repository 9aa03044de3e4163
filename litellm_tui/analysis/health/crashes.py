"""Sources that the console itself fails to read: their names for the operator, and their problems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from litellm_tui.model.diagnosis import Diagnosis, Headline, Part, Place, Problem, Verdict
from litellm_tui.model.failures import Crash, Crashed, Unrecorded

# the jobs of the monitor by the names of their sources
SOURCE_NAMES: Final = {
    "screen": "the screen",
    "drawing": "a part of the screen",
    "gateway": "the gateway",
    "liveliness": "whether the gateway lives",
    "readiness": "the gateway's readiness",
    "groups": "the names of the models",
    "deployments": "the loaded deployments",
    "router": "the router's settings",
    "health": "the health report",
    "cache_ping": "the cache",
    "metrics": "the metrics",
    "health_url": "the health URL",
    "redis": "Redis",
    "postgres": "Postgres",
    "configuration": "the configuration file",
    "audit": "the audit",
    "service": "the service",
    "log": "the log",
    "log counts": "the errors of the log",
    "traffic": "the traffic",
    "incidents": "the incidents",
    "history": "the starts of the gateway",
    "diagnosis": "all that was seen",
    "state": "the marks and problems that are kept",
    "record": "the record of the gateway",
}
_ACTIVITIES: Final = {
    "screen": "drawing",
    "drawing": "drawing",
    "audit": "making",
    "diagnosis": "judging",
    "history": "keeping",
    "state": "keeping",
    "record": "keeping",
}


def crash_problems(crashes: Sequence[Crash], unrecorded: Unrecorded | None = None) -> Iterator[Problem]:
    """One problem for each source that fails, and for a record that cannot be written."""
    if unrecorded is not None:
        yield Problem(
            key="reading:record",
            severity="warn",
            title="keeping the record of the gateway",
            cause="it cannot be written",
            reason=f"{unrecorded.why}; what is seen meanwhile waits in memory, the last hour of it",
            place=Place("reading", "record"),
            do="make room on that disk, or let this user write there: it goes on by itself",
            hit="nobody: the gateway is not touched by it, and what was recorded before stays",
            since=unrecorded.since,
        )
    for crash in crashes:
        if unrecorded is not None and crash.source == "record":
            continue
        name, does = SOURCE_NAMES.get(crash.source, crash.source), _ACTIVITIES.get(crash.source, "reading")
        again = f"tried again in {crash.again_in:.0f} s" if crash.again_in and crash.again_in >= 1 else "tried again"
        often = f", {crash.times} times" if crash.times > 1 else ""
        yield Problem(
            key=f"reading:{crash.source}",
            severity="warn",
            title=f"{does} {name}",
            cause="the console failed",
            reason=f"the console's {does} of {name} failed{often}: {crash.failure.error} at {crash.failure.place}; "
            f"{again}",
            place=Place("reading", crash.source),
            do="a fault of litellm-tui: what is shown of it is what was known before; litellm-tui bundle has what to "
            "report",
            hit="nobody: the gateway is not touched by it",
            since=crash.since,
        )


def crashed_diagnosis(crash: Crashed, now: float, before: Diagnosis | None) -> Diagnosis:
    """The replacement for a diagnosis that failed: the one before, under a header that says so."""
    unknown = Verdict("not judged", "unknown", crash.why)
    before = before or Diagnosis(Headline("", "unknown"), unknown, unknown, unknown)
    parts = (Part(f"what is seen cannot be judged: {crash.error} at {crash.place}", "warn"),)
    advice = "a fault of litellm-tui: what is shown is what was known before; it is tried again with the next look"
    (problem,) = crash_problems((Crash("diagnosis", crash, now, now),))
    others = tuple(known for known in before.problems if known.key != problem.key)
    headline = Headline("NOT JUDGED", "warn", parts, advice)
    return msgspec.structs.replace(before, headline=headline, problems=(problem, *others))
