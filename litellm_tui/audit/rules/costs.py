"""What health checks make of every deployment: rounds in every process, and probes that ask /health itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from litellm_tui.analysis.phrases import count
from litellm_tui.audit import surroundings
from litellm_tui.audit.health_costs import DAY, asks_every_deployment, background, dollars, on_demand
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import UNKNOWN, Subject
from litellm_tui.model.configuration import Mark
from litellm_tui.model.edits import Insert

_ROUNDS: Final = "litellm/proxy/proxy_server.py, _run_background_health_check (1.106.2, 1.77.7)"
_SHARED: Final = ("general_settings", "use_shared_health_check")


@rule(
    "checks-in-every-process",
    "advice",
    "Every process checks every deployment",
    why="Each worker of each replica runs background checks of its own. With use_shared_health_check and a Redis one "
    "of them does it for all.",
    source=f"docs.litellm.ai/docs/proxy/shared_health_check; {_ROUNDS}",
    fix="set general_settings.use_shared_health_check: true with a Redis, or a longer health_check_interval",
)
def checks_in_every_process(subject: Subject) -> Iterator[Hit]:
    checks = background(subject)
    if checks is None or checks.shared or checks.processes < 2 or not (checks.round.priced or checks.round.unpriced):
        return
    number, once = round(checks.round.calls * checks.rounds), round(checks.round.calls * DAY / checks.seconds)
    money = checks.round.dollars * checks.rounds
    paid = f", about {dollars(money)}" if checks.round.priced else ""
    text = f"{checks.processes} processes make {count(number, 'check')} a day{paid}; one for all makes {once:,}"
    known = "use_shared_health_check" in subject.catalogue.general and _SHARED[1] not in subject.section(_SHARED[0])
    redis = surroundings.cache_type(subject) == "redis"
    yield Hit(
        text,
        ("general_settings", "background_health_checks"),
        edits=(Insert(_SHARED, True),) if known and redis else (),
        decision="whether the results of one process are enough for all" if known and redis else "",
    )


@rule(
    "probe-asks-health",
    "error",
    "A probe asks /health itself",
    why="GET /health wants a key and, without background checks, sends a request to every deployment. Without a key it "
    "is refused, and a container that is judged by it is taken for dead.",
    source="litellm/proxy/health_endpoints/_health_endpoints.py, health_endpoint (1.106.2, 1.77.7)",
    fix="ask /health/liveliness, or /health/readiness for whether it can serve: neither needs a key or costs a call",
)
def probe_asks_health(subject: Subject) -> Iterator[Hit | Right]:
    runtime = subject.runtime
    if runtime is None or not runtime.health:
        return
    asking = [one for one in runtime.health if asks_every_deployment(one)]
    off = surroundings.is_truthy(subject, subject.section("general_settings").get("background_health_checks")) is False
    for one in asking:
        # of a container that no file describes the engine says how it is asked
        mark = Mark(runtime.fragment, one.line, one.column) if runtime.fragment else None
        if not one.keyed and _locked(subject):
            yield Hit(f"{one.what} asks {one.path} without a key: it is refused, and fails", mark=mark)
        elif off and subject.entries:
            each = on_demand(subject)
            calls = count(round(each.calls * DAY / one.seconds), "call")
            text = f"{one.what} asks {one.path} every {one.seconds:g} s: {calls} to deployments a day for each replica"
            yield Hit(text, mark=mark, severity="warning")
    if not asking:
        yield Right(f"what asks {runtime.unit} for its health asks no deployment")


def _locked(subject: Subject) -> bool:
    """Whether the gateway is known to want a key, or may not start without one."""
    key = subject.section("general_settings").get("master_key")
    if key is not None:
        found = surroundings.resolve(subject, key)
        return found is UNKNOWN or bool(found)
    return bool(surroundings.is_set(subject, "LITELLM_MASTER_KEY")) or subject.runs(since="1.104")
