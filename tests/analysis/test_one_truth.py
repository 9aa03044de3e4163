"""One count, one window, one onset: header, problems, models, their details and `status` say the same numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.memory import mark_seen, remember
from litellm_tui.analysis.health.request_counts import by_minute, count_requests, rates_words, rises, share
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.commands.look import Look
from litellm_tui.commands.status import lines as status_lines
from litellm_tui.logs.store import LogStore
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import FailedRequests, Tally, Traffic
from litellm_tui.ui.detail import deployment_paragraphs
from litellm_tui.ui.screens.problems import problem_rows
from litellm_tui.ui.signs import UNICODE
from litellm_tui.ui.view import View, utc_clock
from tests.analysis.test_unnamed_failures import EXPLODED, GROUPS, watched
from tests.logs.test_failed_requests import ALONE, AUTH, CALL, DEBUG, PROXY, ROUTER, WEIGHT, Fed, access, error, info
from tests.ui import frozen

# two deployments have one model, as the log cannot tell them apart
MODELS = (*((name, f"openai/{name}-m") for name in GROUPS), ("twin", "openai/fine-m"))


def _answered(fed: Fed, group: str) -> None:
    fed.write(info(f"litellm.acompletion(model=openai/{group}-m)\u001b[32m 200 OK\u001b[0m"), access(200))


def _failed(fed: Fed, group: str) -> None:
    text = EXPLODED + ALONE.format(group)
    fed.write(
        info(f"litellm.acompletion(model=openai/{group}-m)\u001b[31m Exception {EXPLODED}\u001b[0m"),
        error(ROUTER + text + DEBUG),
        error(PROXY + CALL + text),
        access(500),
    )


def _somewhere(fed: Fed, _: str) -> None:
    fed.write(error(ROUTER + WEIGHT + DEBUG), error(PROXY + CALL + WEIGHT), access(500))


def _refused(fed: Fed, _: str) -> None:
    fed.write(error(PROXY + AUTH + "Authentication Error, Invalid proxy server token passed."), access(401))


REQUESTS = {"answered": _answered, "failed": _failed, "somewhere": _somewhere, "refused": _refused}
EVENTS = st.lists(
    st.tuples(st.sampled_from([*REQUESTS]), st.sampled_from(GROUPS), st.sampled_from([0.1, 2.0, 9.0, 31.0, 140.0])),
    max_size=30,
)


def _view(snapshot: Snapshot, found: Diagnosis, now: float) -> View:
    return View(snapshot, found, LogStore(), frozen.PROFILE, UNICODE, now, utc_clock, Redactor())


def _number(pattern: str, text: str) -> int | None:
    seen = re.search(pattern, text)
    return int(seen[1].replace(",", "")) if seen else None


def _sections(view: View) -> dict[str, list[str]]:
    """The rows of Problems by their heading."""
    found: dict[str, list[str]] = {"": []}
    at = ""
    for row in problem_rows(view, 118):
        if row.spans[0][1] == "head":
            at = row.spans[0][0].strip()
        elif row.key:
            found.setdefault(at, []).append(row.key)
    return found


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.sampled_from([40.0, 250.0, 9000.0]), st.sampled_from([1.5, 40.0, 200.0, 290.0, 299.0, 305.0]))
def test_every_face_says_the_same_numbers(events: list[tuple[str, str, float]], up: float, after: float) -> None:
    fed = Fed()
    for kind, group, pause in events:
        REQUESTS[kind](fed, group)
        fed.at += pause
    now = fed.at + after
    snapshot = watched(fed.traffic(after), now, models=MODELS, up=up)
    found = diagnose(snapshot, now)
    view = _view(snapshot, found, now)
    counts = count_requests(snapshot, now)
    sentence = " · ".join(part.text for part in found.headline.parts)

    # failed requests: the header, and those that problems attribute
    assert (_number(r"(\S+) failed requests? in 5 min", sentence) or 0) == counts.failed
    assert counts.failed == sum(one.times for one in snapshot.traffic.failed if one.by in ("group", "stream", ""))
    assert sum(counts.failed_by_minute) == counts.failed
    assert counts.asked is None or sum(counts.asked_by_minute) == counts.asked
    assert ("rising" in sentence) <= (counts.failed_by_minute[-1] > counts.failed_by_minute[-2])
    looked = next(one.text for one in found.looked if one.what == "requests")
    if snapshot.traffic.access_lines:
        assert (_number(r"(\d+) failed", looked), _number(r"^(\d+) in", looked)) == (counts.failed, counts.asked)

    # problems: as many as the header says, and the same in `status`
    rows = _sections(view)
    wrong = [p.key for p in found.problems if p.solved_at is None and p.severity in ("bad", "warn")]
    assert rows[""] == wrong
    assert (_number(r"(\d+) problems?", sentence) or 0) == len(wrong)
    seen = Look(frozen.PROFILE, snapshot, found, now, (), None, LogStore(), Redactor())
    said = list(status_lines(seen, ascii_only=False))
    assert said[0].endswith(sentence)
    assert sum(line.startswith(("✖ ", "◐ ")) for line in said) == len(wrong)

    # a deployment: its sentence, its detail and its numbers
    for row in found.deployments:
        detail = "\n".join(f"{name} {text}" for name, text, _ in deployment_paragraphs(row, view))
        answered, failed = _number(r"requests (\S+) answered", detail), _number(r"answered, (\S+) failed", detail)
        if row.ok is not None and row.failed is not None:
            assert (answered, failed) == (row.ok, row.failed)
            assert sum(step[2] for step in row.steps) == row.failed
        if "no request" in row.verdict.reason:
            assert not any((row.ok, row.failed)), row
        told = re.match(r"(\d+) of (\d+) (?:request|attempt)s? answered in 5 min(?! by the)", row.verdict.reason)
        if told and row.ok is not None and row.failed is not None:
            assert (int(told[1]), int(told[2])) == (row.ok, row.ok + row.failed)
            assert int(told[2]) > 0


def test_what_two_deployments_share_is_told_as_theirs_and_of_none_alone() -> None:
    fed = Fed()
    for _ in range(8):
        _answered(fed, "fine")
    now = fed.at + 2
    found = diagnose(watched(fed.traffic(2), now, models=MODELS), now)
    fine = next(row for row in found.deployments if row.group == "fine")
    assert fine.verdict.reason == "8 of 8 requests answered in 5 min by the 2 deployments of openai/fine-m together"
    assert (fine.ok, fine.failed) == (None, None)


def test_what_the_process_before_answered_is_not_of_this_one() -> None:
    fed = Fed()
    for _ in range(5):
        _answered(fed, "fine")
    fed.at += 60
    now = fed.at + 2
    found = diagnose(watched(fed.traffic(2), now, up=30.0), now)
    fine = next(row for row in found.deployments if row.group == "fine")
    assert "no request since its process started" in fine.verdict.reason
    assert (fine.ok, fine.failed, fine.steps) == (0, 0, ())


@pytest.mark.parametrize("ago", [49.0, 2.0])
def test_down_has_one_onset_in_the_header_and_in_the_problems(ago: float, tmp_path: Path) -> None:
    """`ago` the problem was seen first; the port has refused for 6 s, as it does again after an answer in between."""
    snapshot = frozen.down(tmp_path)
    alive = msgspec.structs.replace(snapshot.gateway.liveliness, failing_since=frozen.NOW - 6)
    service = msgspec.structs.replace(snapshot.service.value, changed_at=frozen.NOW - 5)  # type: ignore[type-var]
    snapshot = msgspec.structs.replace(
        snapshot,
        gateway=msgspec.structs.replace(snapshot.gateway, liveliness=alive),
        service=msgspec.structs.replace(snapshot.service, value=service),
    )
    before = diagnose(snapshot, frozen.NOW).problems
    memory = mark_seen(remember({}, (msgspec.structs.replace(p, since=None) for p in before), frozen.NOW - ago, False))
    found = diagnose(snapshot, frozen.NOW, memory)
    (problem,) = [one for one in found.problems if one.title == "gateway down"]
    assert problem.since == frozen.NOW - max(6, ago)
    assert found.headline.parts[0].text == f"connection refused, for {max(6, ago):.0f} s"


def test_minutes_end_now_and_not_with_the_clock() -> None:
    steps = tuple((begin, 1, 0) for begin in range(60_000, 60_300, 10))
    for now in (60_300.0, 60_309.9):
        assert sum(by_minute(steps, now, 1)) == 30
    # a steady rate looks steady in any second
    assert by_minute(steps, 60_295.0, 1) == (6, 6, 6, 6, 6)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        ((0, 0, 2, 5, 9), True),
        ((0, 0, 9, 5, 2), False),
        ((3, 3, 3, 3, 3), False),
        ((0, 0, 1, 2, 3), False),
        ((9,), False),
    ],
)
def test_failures_rise_when_the_last_two_minutes_do(minutes: tuple[int, ...], said: bool) -> None:
    assert rises(minutes) is said


@pytest.mark.parametrize(
    ("part", "said"), [(0.0, "0 %"), (0.004, "< 1 %"), (0.13, "13 %"), (0.996, "> 99 %"), (1.0, "100 %")]
)
def test_a_share_is_not_rounded_to_none_or_all(part: float, said: str) -> None:
    assert share(part) == said


def _snapshot(**fields: Any) -> Snapshot:
    return Snapshot(taken_at=1000.0, traffic=Traffic(since=0.0, **fields))


def test_without_access_lines_the_models_are_counted_and_without_answers_nothing_is_shared() -> None:
    lost = FailedRequests("group", "g", 2, steps=((990, 0, 2),))
    told = count_requests(_snapshot(per_model=True, tallies=(Tally("model", "m", ok=18),), failed=(lost,)), 1000.0)
    assert (told.asked, told.failed, rates_words(told)) == (
        20, 2, "4 requests a minute, 0 % refused (4xx), 10 % failed, in 5 min",
    )  # fmt: skip
    blind = count_requests(_snapshot(failed=(lost,)), 1000.0)
    assert (blind.asked, blind.failed, blind.failed_share, rates_words(blind)) == (None, 2, None, "")
