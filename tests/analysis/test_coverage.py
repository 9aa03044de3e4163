"""What was looked at, and what cannot be seen here."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.health.coverage import blind_spots, source_coverage
from litellm_tui.model.configuration import Configuration
from litellm_tui.model.failures import Denied, NotAvailable, Unauthorized
from litellm_tui.model.gateway import CachePing, Gateway, HealthEntry, HealthReport, Metrics
from litellm_tui.model.log import Log
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Traffic
from tests.recorded import VERSIONS, made_file, snapshot_of

NOW = 1_800_000_000.0


def _read(value: Any) -> Reading[Any]:
    return Reading(value=value, seen_at=NOW - 2, tried_at=NOW - 2, interval=5.0)


def _well(**more: Any) -> Snapshot:
    """A gateway of which everything can be seen."""
    gateway = Gateway(
        liveliness=_read("x"), groups=_read(("g",)), deployments=_read(()), router=_read({}),
        health=_read(HealthReport((HealthEntry("m"),), ())), cache_ping=_read(CachePing("healthy", "redis", True)),
        metrics=_read(Metrics()),
    )  # fmt: skip
    service = Service("litellm.service", "user", "loaded", "active", "running", started_at=NOW - 600)
    given: dict[str, Any] = {
        "gateway": gateway,
        "service": _read(service),
        "configuration": Configuration(current=made_file(), checked_at=NOW - 3),
        "log": Log(source="journalctl -u litellm.service", state="following", last=5, last_at=NOW - 1),
        "traffic": Traffic(requests=10, refused=2, access_lines=True, per_model=True),
    }
    return Snapshot(taken_at=NOW, **(given | more))


def _gateway(**more: Any) -> Gateway:
    return msgspec.structs.replace(_well().gateway, **more)


def _blind(snapshot: Snapshot) -> dict[str, str]:
    return {spot.what: spot.mend for spot in blind_spots(snapshot, NOW)}


def _looked(snapshot: Snapshot) -> dict[str, str]:
    return {entry.what: entry.text for entry in source_coverage(snapshot)}


def test_where_everything_is_seen_nothing_is_blind() -> None:
    assert _blind(_well()) == {}


def test_every_source_says_what_it_gave_and_when() -> None:
    found = _looked(_well())
    assert found["gateway"] == "it answers"
    assert found["requests"] == "10 in 5 min, 2 failed"
    assert found["health report"] == "1 healthy, 0 not; asked up to 5 min ago"
    assert found["unit"] == "litellm.service is active"
    assert {entry.what for entry in source_coverage(_well()) if entry.seen_at is None} == set()


def test_requests_that_cannot_be_counted_are_not_called_none() -> None:
    assert _looked(_well(traffic=Traffic()))["requests"] == "not counted: no access line was seen"


def test_a_source_that_fails_says_why() -> None:
    failed = Reading[Any](failure=NotAvailable("not asked: off"), tried_at=NOW)
    assert _looked(_well(gateway=_gateway(health=failed)))["health report"] == "not asked: off"


def test_without_lines_for_each_call_and_metrics_successes_name_no_model() -> None:
    spots = _blind(_well(traffic=Traffic(access_lines=True)))
    assert "LITELLM_LOG=INFO" in spots["which model a successful request went to"]
    assert _blind(_well(traffic=Traffic(access_lines=True, counted=True))) == {}


def test_a_masked_model_cannot_be_seen_without_health_report_and_calls() -> None:
    off = Reading[Any](failure=NotAvailable("off"), tried_at=NOW)
    spots = _blind(_well(gateway=_gateway(health=off), traffic=Traffic(access_lines=True)))
    assert any("a dead model behind its fallback" in what for what in spots)
    assert not any("a dead model" in what for what in _blind(_well(traffic=Traffic(access_lines=True))))


def test_a_journal_that_may_not_be_read_wants_a_right_and_one_that_is_not_there_wants_a_unit() -> None:
    denied = Log(state="ended", failure=Denied("no right"))
    (mend,) = [m for w, m in _blind(_well(log=denied)).items() if w.startswith("the log")]
    assert "systemd-journal" in mend
    off = Log(state="off", failure=NotAvailable("no unit was found"))
    (mend,) = [m for w, m in _blind(_well(log=off)).items() if w.startswith("the log")]
    assert mend.startswith("--unit")


def test_where_litellm_writes_no_access_lines_their_number_is_unknown_and_not_nought() -> None:
    spots = _blind(_well(traffic=Traffic(per_model=True)))
    assert any("how many requests" in what for what in spots)
    young = Service("litellm.service", "user", "loaded", "active", "running", started_at=NOW - 5)
    assert _blind(_well(traffic=Traffic(per_model=True), service=_read(young))) == {}


def test_a_missing_file_unit_and_key_are_said() -> None:
    refused = Reading[Any](failure=Unauthorized("HTTP 401"))
    spots = _blind(
        _well(configuration=Configuration(), service=Reading(failure=NotAvailable("no unit")),
              gateway=_gateway(deployments=refused))
    )  # fmt: skip
    assert {"--config FILE", "--unit NAME with --user or --system"} <= set(spots.values())
    assert any("wants a key" in what for what in spots)


def test_a_cache_that_litellm_does_not_test_is_a_blind_spot() -> None:
    local = _gateway(cache_ping=_read(CachePing("healthy", "local")))
    assert any("type local" in what for what in _blind(_well(gateway=local)))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_recorded_proxy_is_looked_at_in_full(version: str) -> None:
    found = _looked(snapshot_of(version))
    assert found["models"] == "7 deployments loaded, 7 names listed"
    assert found["cache"] == "/cache/ping says healthy"


def test_what_both_the_service_and_its_log_lack_is_said_once() -> None:
    lacking = Denied("docker may not use the engine's socket")
    spots = _blind(_well(service=Reading(failure=lacking), log=Log(source="docker logs -f gw", failure=lacking)))
    assert [what for what in spots if lacking.why in what] == [f"the unit and its log: {lacking.why}"]
    apart = Log(source="docker logs -f gw", failure=Denied("the log's file may not be read"))
    spots = _blind(_well(service=Reading(failure=lacking), log=apart))
    assert {f"the log: {apart.failure.why}" if apart.failure else "", f"the unit: {lacking.why}"} <= set(spots)
