"""Thousands of deployments: nothing costs more than its share of them, and what has not changed costs nothing."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import pytest

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.latest import Last, latest
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.gateway import client as gateway
from litellm_tui.logs.store import LogStore
from litellm_tui.model.failures import Malformed
from litellm_tui.model.gateway import HealthEntry, HealthReport
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Tally, Traffic
from litellm_tui.monitor.auditor import Auditor
from litellm_tui.monitor.gateway_poller import SECONDS_PER_ENTRY, _interval
from litellm_tui.ui.panes.fallbacks import Fallbacks
from litellm_tui.ui.panes.models import Models
from litellm_tui.ui.panes.registry import entry_of
from litellm_tui.ui.signs import UNICODE
from litellm_tui.ui.view import View, utc_clock
from tests import large
from tests.ui.frozen import PROFILE

FEW, MANY = 600, 3_000
# five times as many may take eight times as long
MOST = 8.0


def _cost(act: Callable[[], object]) -> float:
    """Seconds of computing, the least of three times; what was made before is not gone through for garbage."""
    gc.collect()
    gc.disable()
    try:
        found = []
        for _ in range(3):
            began = time.thread_time()
            act()
            found.append(time.thread_time() - began)
        return min(found)
    finally:
        gc.enable()


def _ratio(make: Callable[[int], Callable[[], object]]) -> float:
    return _cost(make(MANY)) / _cost(make(FEW))


def _anew(snapshot: Snapshot) -> Snapshot:
    """Equal, and none of its objects known: nothing that was made of it is found again."""
    gateway_, file = snapshot.gateway, snapshot.configuration.current
    assert file is not None
    fresh = {
        name: msgspec.structs.replace(reading, value=_copy(reading.value))
        for name in ("deployments", "groups", "health", "router")
        for reading in (getattr(gateway_, name),)
    }
    configuration = msgspec.structs.replace(snapshot.configuration, current=msgspec.structs.replace(file))
    return msgspec.structs.replace(
        snapshot, gateway=msgspec.structs.replace(gateway_, **fresh), configuration=configuration
    )


def _copy(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(iter(value))
    return dict(value) if isinstance(value, dict) else msgspec.structs.replace(value)  # type: ignore[type-var]


def _view(snapshot: Snapshot) -> View:
    return View(
        snapshot=snapshot,
        diagnosis=diagnose(snapshot, large.NOW),
        store=LogStore(),
        profile=PROFILE,
        signs=UNICODE,
        now=large.NOW,
        clock=utc_clock,
        redact=Redactor(),
    )


@pytest.mark.parametrize("chained", [False, True])
def test_a_diagnosis_costs_its_share(tmp_path: Path, chained: bool) -> None:
    def make(count: int) -> Callable[[], object]:
        snapshot = large.snapshot(tmp_path, count, chained=chained)
        return lambda: diagnose(_anew(snapshot), large.NOW)

    assert _ratio(make) <= MOST


def test_a_file_is_read_and_audited_at_its_share(tmp_path: Path) -> None:
    def reading(count: int) -> Callable[[], object]:
        path = tmp_path / f"{count}.yaml"
        path.write_text(large.configuration(count))
        return lambda: config_file.load(str(path), large.ENVIRONMENT)

    def auditing(count: int) -> Callable[[], object]:
        file = large.file_of(tmp_path, large.configuration(count))
        return lambda: Auditor(None, {}).audit(file, large.ENVIRONMENT)

    assert _ratio(reading) <= MOST
    assert _ratio(auditing) <= MOST


@pytest.mark.parametrize("pane", [Models, Fallbacks])
def test_a_pane_is_prepared_at_its_share(tmp_path: Path, pane: type[Models] | type[Fallbacks]) -> None:
    def make(count: int) -> Callable[[], object]:
        view = _view(large.snapshot(tmp_path, count))
        return lambda: pane(entry_of(pane.__name__.lower())).rows(view, 100)[:40]

    assert _ratio(make) <= MOST


def test_what_has_not_changed_is_not_judged_again(tmp_path: Path) -> None:
    snapshot = large.snapshot(tmp_path, MANY)
    first = diagnose(snapshot, large.NOW)
    later = msgspec.structs.replace(snapshot, taken_at=large.NOW + 1)
    second = diagnose(later, large.NOW + 1)
    assert second.deployments is first.deployments
    assert second.chains is first.chains
    assert second.groups is first.groups
    whole = _cost(lambda: diagnose(_anew(snapshot), large.NOW))
    assert _cost(lambda: diagnose(later, large.NOW + 1)) < whole / 5
    pane = Fallbacks(entry_of("fallbacks"))
    view = _view(snapshot)
    assert pane.rows(view, 100) is pane.rows(view._replace(now=large.NOW + 2), 100)
    assert pane.rows(view, 90) is not pane.rows(view, 100)


def _said(snapshot: Snapshot, **more: object) -> Snapshot:
    return msgspec.structs.replace(snapshot, **more)


def test_whatever_changes_is_judged_as_if_it_were_seen_for_the_first_time(tmp_path: Path) -> None:
    """One thing after another changes and changes back: each time all is as a diagnosis without a past has it."""
    calm = large.snapshot(tmp_path, 40)
    gateway_, now = calm.gateway, large.NOW
    failing = Tally(
        "model", "openai/model-00003", 0, 9, None, now - 5, now - 60, in_a_row=9, error="Connection refused"
    )
    group = Tally(
        "group", "group-00007", 0, 9, None, now - 5, now - 60, in_a_row=9, error="Timeout", failures=(now - 5,)
    )
    probe = ProbeResult("id-00011", "group-00011", "openai/model-00011", False, now - 3, 0.5, error="401 bad key")
    health = gateway_.health.value
    assert health is not None
    turned = HealthReport(
        health.healthy[1:], (*health.unhealthy, HealthEntry("openai/model-00004", None, "id-00004", "boom"))
    )

    def answered(**fields: object) -> Snapshot:
        return _said(calm, gateway=msgspec.structs.replace(gateway_, **fields))

    steps = [
        calm,
        _said(calm, traffic=Traffic(tallies=(failing,), per_model=True)),
        _said(calm, traffic=Traffic(tallies=(failing, group), per_model=True)),
        _said(calm, traffic=Traffic(cooling={"id-00005": now + 30}, per_model=True)),
        calm,
        _said(calm, probes=(probe,)),
        _said(calm, expected_down={"group-00002": "being moved"}),
        answered(health=large.read(turned)),
        answered(health=large.read(health, now + 60)),
        answered(groups=large.read(("group-00001",))),
        answered(router=large.read({"model_group_alias": {"x": "group-00001"}})),
        answered(deployments=large.read((gateway_.deployments.value or ())[5:])),
        calm,
    ]
    seen = set()
    for number, step in enumerate((*steps, *reversed(steps))):
        moment = now + number
        found = diagnose(step, moment)
        assert found == diagnose(_anew(step), moment)
        seen.add(tuple(d.verdict.state for d in found.deployments))
    assert len(seen) >= 6


# --- what the gateway says ---------------------------------------------------------------------------------------


async def test_an_answer_that_is_the_same_is_the_same_object() -> None:
    bodies = [b'{"data": [{"model_name": "a", "litellm_params": {"model": "openai/x"}}]}'] * 2
    bodies += [bodies[0].replace(b"/x", b"/y"), b"[" * 3_000, bodies[0]]
    answers = iter(bodies)
    client = gateway.GatewayClient("http://127.0.0.1:1")
    await client._client.aclose()
    client._client = httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, content=next(answers)))
    )
    found = [(await client.get(gateway.DEPLOYMENTS)).result for _ in bodies]
    await client.close()
    assert found[1] is found[0]
    assert found[2][0].model == "openai/y"
    assert isinstance(found[3], Malformed)
    assert found[4] == found[0]


def test_a_long_health_report_is_read_less_often() -> None:
    def report(count: int) -> HealthReport:
        return HealthReport(tuple(HealthEntry("openai/x", None, str(number)) for number in range(count)), ())

    assert _interval(gateway.HEALTH, report(500)) == gateway.HEALTH.interval
    assert _interval(gateway.HEALTH, report(5_000)) == 5_000 * SECONDS_PER_ENTRY
    assert _interval(gateway.DEPLOYMENTS, ()) == gateway.DEPLOYMENTS.interval


# --- what keeps them ---------------------------------------------------------------------------------------------


def test_a_result_is_given_again_for_the_same_objects_only() -> None:
    calls = []

    @latest
    def doubled(value: list[int], factor: int = 2, *, word: str = "") -> list[int]:
        calls.append(word)
        return [factor * part for part in value]

    one, equal = [1], [1]
    assert doubled(one) is doubled(one)
    assert doubled(one) is not doubled(equal)
    assert doubled(one, 3) == [3]
    assert doubled(one, 1) == [1]
    assert doubled(one, True) == [1]
    assert doubled(one, word="a") is doubled(one, word="".join(["a"]))
    assert len(calls) == 6
    for number in range(9):
        doubled([number])
    doubled(one)
    assert len(calls) == 16, "only a few are kept"
    last = Last()
    first = last(([1], "a"))
    assert last(([1], "a")) is first
    assert last(([2], "a")) == ([2], "a")
    assert last(([2],)) == ([2],)
