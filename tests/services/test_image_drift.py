"""A container whose tag is another image now: seen, said with what brings it in, and looked at without much work."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.analysis.change.preflight import preflight_checks
from litellm_tui.analysis.change.service_drift import drift_changes, what_brings_it_in
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.service_drift_problems import service_drift_problems
from litellm_tui.model.failures import Failure
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.model.service_drift import Difference, ServiceDrift
from litellm_tui.model.service_kinds import Docker, Tools
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor import drift_poller
from litellm_tui.monitor.drift_poller import DriftPoller
from litellm_tui.monitor.wakeup import Wakeup
from litellm_tui.services.docker.driver import DockerDriver
from litellm_tui.services.docker.engine_access import ByClient
from tests.standins.engine import Engine
from tests.waiting import eventually

OLD, NEW = f"sha256:{'a1' * 32}", f"sha256:{'b2' * 32}"
SERVICE = Service("gw", "docker", "loaded", "active", "running", main_pid=7, invocation="one")


@pytest.fixture
def engine() -> Iterator[Engine]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, Engine(Path(folder)) as made:
        yield made


def _drift(engine: Engine) -> ServiceDrift | Failure:
    settings = Docker(container="gw", client=str(engine.client))
    return asyncio.run(DockerDriver(ServiceTarget("gw", Tools(), settings=settings)).drift(SERVICE))


def test_a_tag_that_was_pulled_anew_is_told_with_what_brings_it_in(engine: Engine) -> None:
    engine.add("gw", "litellm:main", ["litellm"], made_of=OLD)
    engine.images["litellm:main"] = OLD
    assert _drift(engine) == ServiceDrift()
    engine.images["litellm:main"] = NEW
    found = _drift(engine)
    assert isinstance(found, ServiceDrift)
    assert [one.words for one in found.found] == ["image: litellm:main (a1a1a1a1a1a1) → litellm:main (b2b2b2b2b2b2)"]
    assert "a restart keeps the container as it is: only another container" in what_brings_it_in(found)
    (change,) = drift_changes(found)
    assert (change.needs_restart, change.order) == (False, "")
    assert "only another container" in change.note
    # the dialog of a restart offers no other order
    snapshot = Snapshot(1.0, service_drift=Reading(found))
    assert "order" not in [check.name for check in preflight_checks(snapshot, diagnose(snapshot, 1.0))]
    (problem,) = service_drift_problems(Snapshot(1.0, service_drift=Reading(found)))
    assert problem.do == what_brings_it_in(found)
    assert "R applies" not in problem.do


@pytest.mark.parametrize(
    ("name", "known"), [("litellm@sha256:77", {}), ("a1a1a1a1a1a1", {}), ("sha256:a1", {}), ("", {"": NEW})]
)
def test_what_was_made_of_an_image_itself_cannot_differ(engine: Engine, name: str, known: dict[str, str]) -> None:
    engine.add("gw", name, ["litellm"], made_of=OLD)
    engine.images |= known
    assert _drift(engine) == ServiceDrift()


def test_a_tag_that_is_gone_is_not_known_and_a_container_that_is_gone_is_nothing(engine: Engine) -> None:
    number = engine.add("gw", "litellm:main", ["litellm"], made_of=OLD)
    found = _drift(engine)
    assert isinstance(found, ServiceDrift)
    assert (found.found, found.order) == ((), "restart")
    assert "litellm:main is now: there is none of this name here any more" in found.unknown[0]
    del engine.containers[number]
    engine.add("other", "x", ["x"])
    assert _drift(engine) == ServiceDrift()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('echo "sha256:77"', "sha256:77"),
        ('echo "Error: No such image: x" >&2; exit 1', ""),
        ('echo "Error: x: image not known" >&2; exit 125', ""),
    ],
)
async def test_a_client_tells_it_too(tmp_path: Path, script: str, expected: str) -> None:
    client = tmp_path / "docker"
    client.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    client.chmod(0o755)
    assert await ByClient(str(client)).image_id("x") == expected
    client.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2; exit 1\n", encoding="ascii")
    assert isinstance(await ByClient(str(client)).image_id("x"), Failure)


class Costly:
    """A driver whose comparison costs much, and what was asked of it."""

    def __init__(self) -> None:
        self.image: str | None = "one"
        self.compared = self.asked = 0

    def written_in(self) -> tuple[str, ...]:
        return ()

    async def drift(self, service: Service) -> ServiceDrift:
        self.compared += 1
        return ServiceDrift((Difference("image", ""),) if self.image == "two" else (), image="gw:1")

    async def image_now(self, drift: ServiceDrift) -> str | None:
        assert drift.image == "gw:1"
        self.asked += 1
        return self.image


async def test_what_costs_much_is_compared_when_something_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_poller, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(drift_poller, "DRIFT_SECONDS", 0.002)
    driver = Costly()

    class Looks:
        reading = Reading(SERVICE)

    poller = DriftPoller(driver, Wakeup(), Looks(), redact=str, changed=lambda: None)  # type: ignore[arg-type]
    running = asyncio.create_task(poller.run())
    try:
        await eventually(lambda: driver.asked >= 10)
        assert driver.compared == 1
        seen = poller.reading.seen_at
        asked = driver.asked
        await eventually(lambda: driver.asked > asked + 2)
        assert poller.reading.seen_at is not None
        assert seen is not None
        assert poller.reading.seen_at > seen, "it is as fresh as if it had been compared"
        driver.image = "two"
        await eventually(lambda: poller.reading.value is not None and bool(poller.reading.value.found))
        asked = driver.asked
        await eventually(lambda: driver.asked > asked + 10)
        assert driver.compared == 2
        # where it cannot be told, it is compared
        driver.image = None
        await eventually(lambda: driver.compared > 5)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
