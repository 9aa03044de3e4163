"""The fault matrix: every fault injected into a real LiteLLM, named, never called OK, healed, and gone again.

One gateway per LiteLLM goes through all the steps once, the versions at the same time, as most of it is waiting; each
row of the matrix is a test on what came of it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.lab.core import Lab
from tests.lab.environments import Environment, newest_and_oldest
from tests.lab.faults import ASIDE, ENDS, RATE, STEPS, Fault, Step
from tests.lab.faults_config import ENVIRONMENT, HEALTH_SECONDS, site_config
from tests.lab.faults_lines import HELD
from tests.lab.faults_matrix import MATRIX, of_step
from tests.lab.faults_seen import (
    Outcome,
    calm_at,
    health_words,
    in_words,
    keeps_from_ok,
    listed_words,
    shows,
    what_shows,
)
from tests.lab.faults_table import table
from tests.lab.faults_ways import accept_release
from tests.lab.traffic import Traffic
from tests.lab.watch import Said, Watch, watching
from tests.terminal import compile_console

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "diagnosis.md"
HEALTH_PAGE = DOCUMENT.with_name("health.md")
WRITE = "LITELLM_TUI_WRITE_DOCS"
# From the fault until it is named, and from its end until that is taken back, in seconds. A recovery is believed
# later than a failure: a cooldown ends, a round of health checks goes by, real requests succeed again.
NAMED_SECONDS = 45.0
GONE_SECONDS = 75.0
# Where the log tells of answers, three of them in a row end the outage of a deployment that answered nothing before.
RECOVERED_SECONDS = 10.0 + 3 / RATE
READY_SECONDS = 60.0
INCIDENTS = (sys.executable, "-m", "litellm_tui.cli", "incidents")
PLAIN = {"LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}

_FOUND: list[Environment | None] = [*newest_and_oldest()] or [None]

_outcomes: dict[str, dict[str, Outcome]] = defaultdict(dict)


def settled(line: Said) -> bool:
    """The watch has seen everything there is to see, and nothing is wrong."""
    rows = line.get("deployments") or []
    return bool(rows) and all(row["verdict"]["severity"] in ("ok", "quiet") for row in rows)


class Course:
    """One gateway's way through the steps, and what came of each fault."""

    def __init__(self, lab: Lab, watch: Watch) -> None:
        self.lab = lab
        self.watch = watch
        self.version = lab.litellm.version
        self.outcomes: dict[str, Outcome] = {}
        self.called_well: list[tuple[Step, float]] = []
        self.left: list[str] = []
        self.incidents: list[dict[str, Any]] = []
        self.refused: dict[str, tuple[int, int]] = {}

    def go(self, step: Step) -> None:
        faults = of_step(step)
        # What nobody asks for has no history; healthy requests first, so that a failure is a change.
        flows = [flow for fault in faults for flow in fault.flows]
        with Traffic(self.lab, flows) as traffic, ExitStack() as stack:
            watch = self.watch
            if step in ASIDE:
                watch = stack.enter_context(self._aside(step))
            before = watch.last
            for fault in faults:
                fault.inject(self.lab)
            begun = time.time()
            self._named(watch, faults, begun, before, traffic)
            named = time.time()
            self._taken_down(watch, faults, traffic)
            if step == "upstream":
                self._counted(faults, traffic)
            # what was called well after the last of them was named, and before the first is healed
            if not all(fault.harmless for fault in faults):
                self.called_well += [
                    (step, line["time"]) for line in watch.since(named) if line["headline"]["word"] == "OK"
                ]
            if step in ASIDE:
                watch = stack.enter_context(watching(self.lab))
            # what callers do wrong is over when they do it no more, and told until the gateway is started again
            traffic.end(flow for fault in faults if fault.shown.kind == "incident" for flow in fault.flows)
            for fault in faults:
                fault.heal(self.lab)
            healed = tuple(f for f in MATRIX if (f.healed or f.step) == step and f.key in self.outcomes)
            self._gone(watch, healed, time.time(), traffic)

    def _counted(self, faults: tuple[Fault, ...], traffic: Traffic) -> None:
        """What `incidents` tells, and how often the callers of each group were refused before it and by its end."""
        before = {fault.listed: traffic.refused(fault.listed) for fault in faults}
        plain = {fault.listed for fault in faults if _is_plain(fault)}
        deadline = time.monotonic() + NAMED_SECONDS
        while True:
            done = self.lab.run([*INCIDENTS, "--json"], user=True, check=False, env=PLAIN)
            assert self.lab.key() not in done.stdout
            self.incidents = json.loads(done.stdout)["incidents"]
            counts = {one["subject"]: one["count"] for one in self.incidents}
            # a look on a busy machine ends before it has read all of a log
            if time.monotonic() > deadline or all(counts.get(group, 0) >= before[group] for group in plain):
                break
        self.refused = {group: (number, traffic.refused(group)) for group, number in before.items()}

    def _aside(self, step: Step) -> AbstractContextManager[Watch]:
        """Another console's watch: with a wrong key, or behind what stands in front of the gateway."""
        if step == "key":
            return watching(self.lab, env={"LITELLM_PROXY_API_KEY": "sk-lab-wrong"})
        place = "front-502" if step == "front" else "front-login"
        return watching(self.lab, "--url", f"http://127.0.0.1:{self.lab.ports.upstream}/{place}")

    def _named(self, watch: Watch, faults: tuple[Fault, ...], begun: float, before: Said, traffic: Traffic) -> None:
        for fault in faults:
            shown = fault.expected(self.version)
            outcome = self.outcomes[fault.key] = Outcome(fault)
            if shown is None:
                continue
            # what ends the gateway takes the place of another end
            outcome.before = fault.step not in ENDS[1:] and bool(before) and shows(shown, before)
            if (named := watch.wait_for(partial(shows, shown), NAMED_SECONDS, begun)) is not None:
                # a failure can be seen once its callers have met it
                seen = traffic.failed_since(fault.flows[0].group, begun) if fault.flows else None
                outcome.named = max(0.0, named - max(0.0, (seen or begun) - begun))

    def _taken_down(self, watch: Watch, faults: tuple[Fault, ...], traffic: Traffic) -> None:
        """What the console, /health and /v1/models say while the fault lasts, a round of health checks later."""
        if any(fault.step in ("upstream", "broken") for fault in faults):
            time.sleep(2 * HEALTH_SECONDS)
        health, listed = health_words(self.lab), listed_words(self.lab)
        for fault in faults:
            outcome = self.outcomes[fault.key]
            shown = fault.expected(self.version)
            # a cooldown ends by itself and begins again, and a busy gateway gives no answer for a moment
            outcome.lasts = shown is None or watch.wait_for(partial(shows, shown), NAMED_SECONDS) is not None
            outcome.well = shown is not None and not fault.harmless and not keeps_from_ok(shown, watch.last)
            outcome.said = what_shows(shown or fault.shown, watch.last)
            outcome.words = in_words(shown or fault.shown, watch.last)
            outcome.health = health(fault)
            outcome.listed = listed(fault)
            outcome.statuses = {
                status for flow in fault.flows for status in traffic.counts.get((flow.group, flow.kind), ())
            }

    def _gone(self, watch: Watch, faults: tuple[Fault, ...], healed: float, traffic: Traffic) -> None:
        for fault in faults:
            shown = fault.expected(self.version)
            if shown is not None:
                outcome = self.outcomes[fault.key]
                outcome.gone = watch.wait_for(partial(calm_at, shown), GONE_SECONDS, healed)
                outcome.after = what_shows(shown, watch.last)
                asked = fault.flows[0].group if fault.flows else ""
                if outcome.gone is not None and (answered := traffic.answered_since(asked, healed)) is not None:
                    ended = healed + outcome.gone
                    outcome.recovered = max(0.0, ended - answered - watch.starved_between(answered, ended))


def _is_plain(fault: Fault) -> bool:
    """Whether its callers see each failure under its name: a cooldown, a fallback or an alias keeps them from it."""
    shown = fault.shown
    return (shown.kind, shown.states) == ("deployment", ("failing",)) and fault.flows[0].group == fault.listed


def _selected(request: pytest.FixtureRequest) -> set[Step]:
    """The steps that the chosen tests are about: a single row does not take the whole course."""
    keys = {item.callspec.params.get("fault") for item in request.session.items if hasattr(item, "callspec")}
    chosen: set[Step] = {fault.step for fault in MATRIX if fault in keys}
    if not chosen:
        return set(STEPS)
    # what ends the gateway is healed by the last of its steps, and a worker of two is left by it
    return chosen | {"module"} if chosen & {"worker", *ENDS} else chosen


def _take(environment: Environment, steps: set[Step]) -> Course:
    with ExitStack() as stack:
        lab = stack.enter_context(Lab.boot(litellm=environment, config=site_config(), env=ENVIRONMENT))
        accept_release(lab)
        watch = stack.enter_context(watching(lab))
        lab.wait_health_round()
        assert watch.wait_for(settled, READY_SECONDS) is not None, watch.last
        taken = Course(lab, watch)
        for step in STEPS:
            if step in steps:
                taken.go(step)
        if watch.wait_for(lambda line: not _loud(line), GONE_SECONDS) is None:
            taken.left = _loud(watch.last)
        return taken


def _loud(line: Said) -> list[str]:
    """What is wrong at this moment, in a few words each."""
    return [
        f"{p['title']}: {p['cause']}"
        for p in line["problems"]
        if p["severity"] in ("bad", "warn") and p["solved_at"] is None
    ]


@pytest.fixture(scope="module")
def courses(request: pytest.FixtureRequest, lab_possible: None) -> Iterator[dict[Environment, Future[Course]]]:
    """The courses of all the versions that the chosen tests are about, under way."""
    compile_console()
    steps = _selected(request)
    chosen = {item.callspec.params.get("course") for item in request.session.items if hasattr(item, "callspec")}
    with ThreadPoolExecutor() as pool:
        yield {found: pool.submit(_take, found, steps) for found in newest_and_oldest() if found in chosen}


@pytest.fixture(scope="module", params=_FOUND, ids=lambda found: found.version if found else "none")
def course(request: pytest.FixtureRequest, courses: dict[Environment, Future[Course]]) -> Course:
    taken = courses[request.param].result()
    _outcomes[taken.version] = taken.outcomes
    return taken


@pytest.mark.parametrize("fault", MATRIX, ids=lambda fault: fault.key)
def test_a_fault_is_named_and_taken_back(course: Course, fault: Fault) -> None:
    outcome = course.outcomes[fault.key]
    shown = fault.expected(course.version)
    if shown is None:
        # hidden from its own clients, too: they were told that all is well, where they waited long enough (0)
        assert outcome.statuses <= {0, 200}
        return
    assert not outcome.before, "it was said before there was anything wrong"
    assert outcome.named is not None, f"not within {NAMED_SECONDS:g} s; shown instead: {outcome.said}"
    assert not outcome.well, f"nothing of it would have kept `status` from OK; shown instead: {outcome.said}"
    assert outcome.lasts, f"not shown any more while it lasted; shown instead: {outcome.said}"
    assert outcome.gone is not None, f"not taken back within {GONE_SECONDS:g} s; still shown: {outcome.after}"
    # A stream is written as answered when it begins: one that breaks looks like an answer and a failure.
    streams = any(flow.kind == "stream" for flow in fault.flows)
    outage = shown.kind == "deployment" and "serving" not in shown.states and not streams
    if outage and outcome.recovered is not None:
        assert outcome.recovered < RECOVERED_SECONDS, "requests are answered again, and it is still called broken"


def test_nothing_is_called_well_while_a_fault_lasts_and_everything_is_taken_back(course: Course) -> None:
    assert course.called_well == []
    assert course.left == []


def test_each_fault_is_one_incident_with_as_many_failures_as_its_callers_saw(course: Course) -> None:
    for fault in filter(_is_plain, of_step("upstream")):
        (one,) = [one for one in course.incidents if one["subject"] == fault.listed]
        before, after = course.refused[fault.listed]
        # what was answered is in the log; of what is told the last one may not be answered yet
        assert 1 <= before <= one["count"] <= after + 1, (one["cause"], fault.listed, course.refused[fault.listed])
        assert (one["cause"], one["place"]["kind"], one["going_on"]) == (fault.shown.cause, "deployment", True)
        assert one["means"]
        assert one["do"]


def test_the_documentation_has_a_row_for_every_fault() -> None:
    """Written by a run that saw both versions; otherwise only its shape is looked at, as seconds differ."""
    complete = len(_outcomes) > 1 and all(len(outcomes) == len(MATRIX) for outcomes in _outcomes.values())
    if os.environ.get(WRITE, "") not in ("", "0") and complete:
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(table(_outcomes, MATRIX))
    rows = [line.split("|")[1].strip() for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    titles = [*(fault.title for fault in MATRIX), *(held.title for held in HELD)]
    assert [row for row in rows if row in titles] == titles
    assert len(titles) == len(set(titles)) >= 60
    told = f"for each of {len(MATRIX)} faults injected into a real LiteLLM"
    assert told in " ".join(HEALTH_PAGE.read_text().split())
