"""What is asked, how often, and above all what is not asked."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.health.cache import SLOW_SECONDS
from litellm_tui.collectors import redis, redis_info
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.gateway import client
from litellm_tui.collectors.gateway.client import Answer, Endpoint
from litellm_tui.logs import journal
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.failures import Failure, Malformed, NotAvailable, Unauthorized, Unreachable
from litellm_tui.model.found import Found
from litellm_tui.model.gateway import (
    CachePing,
    DeploymentCounters,
    HealthEntry,
    HealthReport,
    Metrics,
    Readiness,
    RedisServer,
)
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.reading import Reading, next_reading
from litellm_tui.model.service import Service, Variable
from litellm_tui.model.service_kinds import Tools
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor import gateway_poller, redis_poller, service_poller
from litellm_tui.monitor import monitor as module
from litellm_tui.monitor.gateway_poller import HEALTH_OFF, HEALTH_UNSURE, _delay
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.services.systemd import driver
from litellm_tui.storage.starts import Start, StartHistory, run_of
from litellm_tui.target.profile import Profile, Secret
from litellm_tui.target.settings import SettingsError
from tests.recorded import CONFIG
from tests.waiting import eventually

STARTED = 1_700_000_000.0
QUICK = 0.01


class World:
    """A gateway, a unit and a file, and a count of what was asked of them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "config.yaml"
        self.asked: Counter[str] = Counter()
        self.flying: Counter[str] = Counter()
        self.most_flying = 0
        # what is said once, before the answers that stand
        self.once: dict[str, list[Any]] = {}
        self.closed = False
        self.service: Service | Failure = Service(
            "litellm.service", "user", "loaded", "active", "running", main_pid=7, started_at=STARTED, invocation="one"
        )
        self.answers: dict[str, Any] = {
            "/health/liveliness": "I'm alive!",
            "/health/readiness": Readiness("healthy"),
            "/health/readiness/details": Readiness("healthy", version="1.106.2"),
            "/v1/models": ("a",),
            "/v1/model/info": (),
            "/get/config/callbacks": {},
            "/health": HealthReport((), ()),
            "/cache/ping": CachePing("healthy", "redis", True),
            "/cache/redis/info": NotAvailable("no"),
            "/metrics/": NotAvailable("no"),
        }
        self.snapshots: list[Snapshot] = []
        self.keys: list[str] = []
        self.with_key: dict[str, dict[str, Any]] = {}
        self.urls: list[str] = []

    def save(self, text: str, at: float = STARTED - 100) -> None:
        self.path.write_text(text, encoding="utf-8")
        os.utime(self.path, (at, at))

    async def get(self, endpoint: Endpoint, url: str = "") -> Answer:
        path = url or endpoint.path
        self.asked[path] += 1
        self.flying[path] += 1
        self.most_flying = max(self.most_flying, self.flying[path])
        try:
            await asyncio.sleep(0)
        finally:
            self.flying[path] -= 1
        once = self.once.get(path)
        said = once.pop(0) if once else self.answers[path]
        return said if isinstance(said, Answer) else Answer(said, 0.001)

    def use_key(self, key: str) -> None:
        self.keys.append(key)
        self.answers = self.with_key.get(key, self.answers)

    def use_url(self, url: str) -> None:
        self.urls.append(url)
        self.answers["/health/liveliness"] = self.answers[f"{url}/health/liveliness"]

    async def close(self) -> None:
        self.closed = True

    def refuse_the_key(self) -> None:
        for path in self.answers:
            if not path.startswith("/health/l") and path != "/health/readiness":
                self.answers[path] = Unauthorized("HTTP 401", sent=True)

    async def rounds(self, path: str, number: int) -> None:
        """Until this has been asked so many times more."""
        wanted = self.asked[path] + number
        await eventually(lambda: self.asked[path] >= wanted, f"{path} is asked {number} times more")


Watch = Callable[..., Monitor]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
async def watch(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watch]:
    """Starts a monitor on the world, with every pace quickened."""
    for name in (
        "LIVELINESS",
        "READINESS",
        "READINESS_DETAILS",
        "GROUPS",
        "DEPLOYMENTS",
        "ROUTER",
        "HEALTH",
        "CACHE_PING",
        "REDIS_INFO",
        "METRICS",
    ):
        monkeypatch.setattr(client, name, getattr(client, name)._replace(interval=QUICK))
    monkeypatch.setattr(client, "GatewayClient", lambda *_: world)
    monkeypatch.setattr(service_poller, "SERVICE_SECONDS", QUICK)
    monkeypatch.setattr(service_poller, "SERVICE_SECONDS_IN_MOTION", QUICK)
    monkeypatch.setattr(module, "PUBLISH_SECONDS", QUICK)
    monkeypatch.setattr(module, "SAME_SECONDS", QUICK)

    async def read_service(*_: object) -> Service | Failure:
        return world.service

    async def no_journal(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(driver, "read_service", read_service)
    monkeypatch.setattr(journal.JournalTail, "run", no_journal)
    tasks: list[asyncio.Task[None]] = []
    monitors: list[Monitor] = []

    def start(config: bool = True, unit: bool = True, inodes: bool = False, **more: Any) -> Monitor:
        tools = Tools(inodes=inodes)
        profile = Profile(
            name="test", host="here", url=Found("http://127.0.0.1:1", "test"), tools=tools,
            config=Found(str(world.path), "test") if config else None,
            unit=Found("litellm.service", "test") if unit else None,
            **more,
        )  # fmt: skip
        found = Monitor(profile, world.snapshots.append)
        monitors.append(found)
        tasks.append(asyncio.create_task(found.run()))
        return found

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # one that was cancelled before it had a client has none to close
    assert world.closed or all(found._gateway._client is None for found in monitors)


SILENCE = Unreachable("no answer within 1.4 s", kind="timeout")


def _state(monitor: Monitor) -> str:
    service = monitor.snapshot().service.value
    return service.active_state if service else ""


# --- what is news ---------------------------------------------------------------------------------------------


async def test_what_is_read_again_and_says_the_same_is_shown_with_the_next_news(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAME_SECONDS", 3600.0)
    found = watch()
    await eventually(lambda: found.snapshot().gateway.liveliness.value is not None)
    await world.rounds("/health/liveliness", 5)
    shown = len(world.snapshots)
    await world.rounds("/health/liveliness", 20)
    # what else was read for the first time meanwhile is news
    assert len(world.snapshots) - shown < 10
    world.answers["/health/liveliness"] = Unreachable("connection refused", kind="refused")
    await eventually(lambda: world.snapshots[-1].gateway.liveliness.failure is not None)


async def test_what_says_the_same_is_shown_as_younger_before_long(world: World, watch: Watch) -> None:
    found = watch()
    await eventually(lambda: found.snapshot().gateway.liveliness.value is not None)
    seen = world.snapshots[-1].gateway.liveliness.seen_at or 0.0
    await eventually(lambda: (world.snapshots[-1].gateway.liveliness.seen_at or 0.0) > seen)


async def test_a_unit_at_rest_is_asked_about_only_when_its_process_is_another(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    async def counted(*_: object) -> Service | Failure:
        nonlocal looks
        looks += 1
        return world.service

    monkeypatch.setattr(driver, "read_service", counted)
    monkeypatch.setattr(service_poller, "SERVICE_SECONDS_AT_REST", 3600.0)
    process = subprocess.Popen(["sleep", "600"])
    try:
        world.service = Service("litellm.service", "user", "loaded", "active", "running", main_pid=process.pid)
        found = watch()
        await eventually(lambda: found._gateway.answers and _state(found) == "active")
        await world.rounds("/health/liveliness", 3)
        before = looks
        seen = found.snapshot().service.seen_at or 0.0
        await eventually(lambda: (found.snapshot().service.seen_at or 0.0) > seen + 10 * QUICK)
        # one look may have been under way
        assert looks <= before + 1
    finally:
        process.kill()
        process.wait()
    world.service = Service("litellm.service", "user", "loaded", "failed", "failed")
    await eventually(lambda: found.snapshot().service.value is not None and _state(found) == "failed")


# --- whether it lives ------------------------------------------------------------------------------------------


async def test_a_silence_is_asked_about_once_more_before_it_counts(world: World, watch: Watch) -> None:
    found = watch()
    await eventually(lambda: found.snapshot().gateway.liveliness.value is not None)
    world.once["/health/liveliness"] = [SILENCE]
    await world.rounds("/health/liveliness", 4)
    assert all(snapshot.gateway.liveliness.failure is None for snapshot in world.snapshots)
    world.answers["/health/liveliness"] = SILENCE
    await eventually(lambda: found.snapshot().gateway.liveliness.failure == SILENCE)


async def test_a_refusal_counts_at_once_and_a_silence_goes_on_being_one(world: World, watch: Watch) -> None:
    found = watch()
    world.answers["/health/liveliness"] = Unreachable("connection refused", kind="refused")
    await eventually(lambda: found.snapshot().gateway.liveliness.failure is not None)
    asked = world.asked["/health/liveliness"]
    world.answers["/health/liveliness"] = SILENCE
    await eventually(lambda: found.snapshot().gateway.liveliness.failure == SILENCE)
    assert world.asked["/health/liveliness"] > asked


@pytest.mark.parametrize("doubtful", [SILENCE, Answer(CachePing("healthy", "redis", True), SLOW_SECONDS + 1)])
async def test_a_cache_that_was_slow_once_is_asked_once_more_before_it_counts(
    world: World, watch: Watch, doubtful: Unreachable | Answer
) -> None:
    def is_told(snapshot: Snapshot) -> bool:
        ping = snapshot.gateway.cache_ping
        return ping.failure is not None or (ping.took or 0.0) > SLOW_SECONDS

    world.save(ON)
    found = watch()
    await eventually(lambda: found.snapshot().gateway.cache_ping.value is not None)
    world.once["/cache/ping"] = [doubtful]
    await world.rounds("/cache/ping", 4)
    assert not any(is_told(snapshot) for snapshot in world.snapshots)
    world.answers["/cache/ping"] = doubtful
    await eventually(lambda: is_told(found.snapshot()))


ON = "general_settings: {background_health_checks: true}\n"
OFF = "general_settings: {background_health_checks: false}\n"


# --- GET /health is billed unless background checks are on -------------------------------------------------------


async def test_health_is_asked_when_the_running_proxy_has_background_checks(world: World, watch: Watch) -> None:
    world.save(ON)
    found = watch()
    await world.rounds("/health", 3)
    await eventually(lambda: found.snapshot().gateway.health.value is not None)


async def test_a_report_that_changes_tells_when_its_round_was(world: World, watch: Watch) -> None:
    """LiteLLM does not say when it checked: only another report than before proves a round."""
    world.save(ON)
    found = watch()
    await eventually(lambda: found.snapshot().gateway.health.value is not None)
    first = found.snapshot().gateway.health
    assert first.value is not None
    assert first.value.renewed_at is None
    world.answers["/health"] = HealthReport((), (HealthEntry("openai/m", None, "id1", "refused"),))
    found.look_now()
    await eventually(lambda: getattr(found.snapshot().gateway.health.value, "renewed_at", None) is not None)
    renewed = found.snapshot().gateway.health.value
    assert renewed is not None
    await world.rounds("/health", 3)
    assert found.snapshot().gateway.health.value == renewed


@pytest.mark.parametrize(
    ("text", "saved_at", "why"),
    [
        (OFF, STARTED - 100, HEALTH_OFF),
        ("model_list: []\n", STARTED - 100, HEALTH_OFF),
        # saved after the start: what runs may have been something else
        (ON, STARTED + 100, HEALTH_UNSURE),
        (OFF, STARTED + 100, HEALTH_UNSURE),
    ],
)
async def test_health_is_never_asked_when_it_may_be_billed(
    world: World, watch: Watch, text: str, saved_at: float, why: str
) -> None:
    world.save(text, saved_at)
    found = watch()
    await eventually(lambda: found.snapshot().gateway.health.failure)
    for path in ("/v1/models", "/cache/ping"):
        await world.rounds(path, 5)
    found.look_now()
    await world.rounds("/v1/models", 2)
    assert world.asked["/health"] == 0
    assert found.snapshot().gateway.health.failure == NotAvailable(why)


@pytest.mark.parametrize("case", ["no unit", "no file", "no start", "unreadable unit", "broken file"])
async def test_health_is_never_asked_without_evidence(world: World, watch: Watch, case: str) -> None:
    world.save("a: [\n" if case == "broken file" else ON)
    if case == "no start":
        world.service = Service("litellm.service", "user", "loaded", "inactive", "dead")
    if case == "unreadable unit":
        world.service = NotAvailable("no bus")
    watch(config=case != "no file", unit=case != "no unit")
    await world.rounds("/v1/models", 10)
    assert world.asked["/health"] == 0


async def test_a_file_that_is_deployed_with_an_old_time_says_nothing_of_what_runs(world: World, watch: Watch) -> None:
    world.save(ON, STARTED - 100)
    found = watch(inodes=True)
    await eventually(lambda: found.snapshot().gateway.health.failure == NotAvailable(HEALTH_UNSURE))
    await world.rounds("/v1/models", 5)
    assert world.asked["/health"] == 0
    # a process that was started after it was put there
    deployed = found.snapshot().configuration.current
    assert deployed is not None
    assert isinstance(world.service, Service)
    later = deployed.modified_at + 1
    world.service = msgspec.structs.replace(world.service, started_at=later, main_pid=8, invocation="two")
    await world.rounds("/health", 2)


async def test_a_file_that_was_touched_after_the_start_is_what_runs_where_its_content_is_known_to(
    world: World, watch: Watch, tmp_path: Path
) -> None:
    world.save(ON, STARTED + 50)
    file = config_file.load(str(world.path), {})
    assert isinstance(file, ConfigFile)
    assert isinstance(world.service, Service)
    history = StartHistory("http://test", "litellm.service", tmp_path / "state")
    start = Start(STARTED, file.digest, "1.106.2", "loaded 0 of 0 deployments", file.files, run_of(world.service))
    history.add_start(start, {str(world.path): world.path.read_bytes()})
    found = watch()
    found._history = history
    await world.rounds("/health", 2)
    assert (seen := found.snapshot().configuration.current)
    assert seen.modified_at == STARTED
    # another content is not
    world.save(OFF, STARTED + 60)
    await eventually(lambda: (c := found.snapshot().configuration.current) and c.modified_at == STARTED + 60)


async def test_a_file_saved_later_does_not_change_what_runs(world: World, watch: Watch) -> None:
    world.save(OFF)
    found = watch()
    await eventually(lambda: found.snapshot().gateway.health.failure == NotAvailable(HEALTH_OFF))
    world.save(ON, STARTED + 50)
    await eventually(lambda: (c := found.snapshot().configuration.current) and c.background_health_checks)
    await world.rounds("/v1/models", 5)
    assert world.asked["/health"] == 0
    # the restart applies it
    assert isinstance(world.service, Service)
    world.service = msgspec.structs.replace(world.service, started_at=STARTED + 100, main_pid=8, invocation="two")
    await world.rounds("/health", 2)


async def test_after_a_restart_into_a_file_without_checks_health_is_asked_no_more(world: World, watch: Watch) -> None:
    world.save(ON)
    found = watch()
    await world.rounds("/health", 2)
    world.save(OFF, STARTED + 50)
    await eventually(lambda: (c := found.snapshot().configuration.current) and not c.background_health_checks)
    # the process that runs has them still
    await world.rounds("/health", 2)
    assert isinstance(world.service, Service)
    world.service = msgspec.structs.replace(world.service, started_at=STARTED + 100, main_pid=8, invocation="two")
    await eventually(lambda: found.snapshot().gateway.health.failure == NotAvailable(HEALTH_OFF))
    asked = world.asked["/health"]
    await world.rounds("/v1/models", 5)
    assert world.asked["/health"] == asked


# --- the key -----------------------------------------------------------------------------------------------------

KEYED = (
    "/v1/model/info",
    "/get/config/callbacks",
    "/health",
    "/cache/ping",
    "/cache/redis/info",
    "/health/readiness/details",
)


async def test_with_a_wrong_key_only_one_keyed_endpoint_goes_on_asking(world: World, watch: Watch) -> None:
    world.save(ON)
    world.refuse_the_key()
    found = watch()
    await eventually(lambda: found.snapshot().gateway.groups.failure)
    await world.rounds("/v1/models", 2)
    before = {path: world.asked[path] for path in KEYED}
    assert all(number <= 2 for number in before.values())
    await world.rounds("/v1/models", 3)
    await world.rounds("/health/readiness", 3)
    assert {path: world.asked[path] for path in KEYED} == before
    failure = found.snapshot().gateway.groups.failure
    assert isinstance(failure, Unauthorized)


async def test_all_is_asked_again_when_the_key_is_accepted(world: World, watch: Watch) -> None:
    world.save(ON)
    good = dict(world.answers)
    world.refuse_the_key()
    found = watch()
    await world.rounds("/v1/models", 3)
    world.answers = good
    found.look_now()
    for path in ("/v1/model/info", "/get/config/callbacks", "/health", "/cache/ping"):
        await world.rounds(path, 2)
    assert found.snapshot().gateway.groups.failure is None


async def test_a_key_that_was_rotated_where_it_came_from_is_taken_over_and_masked(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_poller, "KEY_SECONDS", QUICK)
    world.save(ON)
    world.with_key = {"sk-planted-new": dict(world.answers)}
    world.refuse_the_key()
    now = [Secret("sk-planted-old")]

    def again() -> Profile:
        return Profile("test", "here", Found("http://127.0.0.1:1", "test"), Tools(), key=now[0])

    found = watch(key=Secret("sk-planted-old"), again=again)
    await world.rounds("/v1/models", 3)
    assert world.keys == []
    now[0] = Secret("sk-planted-new")
    await world.rounds("/v1/model/info", 2)
    assert world.keys == ["sk-planted-new"]
    await eventually(lambda: found.snapshot().gateway.groups.failure is None)
    assert found.profile.key is not None
    assert found.profile.key.reveal() == "sk-planted-new"
    assert "planted" not in found.redact("the new one is sk-planted-new, the old sk-planted-old")


async def test_a_rotated_key_is_not_waited_for_as_long_as_a_refused_one_is_not_sent(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_poller, "KEY_SECONDS", QUICK)
    monkeypatch.setattr(gateway_poller, "_delay", lambda *_: 3600.0)
    world.save(ON)
    world.with_key = {"sk-planted-new": dict(world.answers)}
    world.refuse_the_key()
    now = [Secret("sk-planted-old")]

    def again() -> Profile:
        return Profile("test", "here", Found("http://127.0.0.1:1", "test"), Tools(), key=now[0])

    found = watch(key=Secret("sk-planted-old"), again=again)
    await eventually(lambda: isinstance(found.snapshot().gateway.groups.failure, Unauthorized))
    now[0] = Secret("sk-planted-new")
    await eventually(lambda: found.snapshot().gateway.groups.value == ("a",))


async def test_a_key_that_cannot_be_looked_for_again_stays_refused(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_poller, "KEY_SECONDS", QUICK)
    world.save(ON)
    world.refuse_the_key()

    def again() -> Profile:
        raise SettingsError("the key file is gone")

    found = watch(key=Secret("sk-planted-old"), again=again)
    await world.rounds("/v1/models", 3)
    assert world.keys == []
    assert isinstance(found.snapshot().gateway.groups.failure, Unauthorized)


# --- a gateway that goes and comes back --------------------------------------------------------------------------


async def test_only_liveliness_is_asked_of_a_dead_gateway(world: World, watch: Watch) -> None:
    world.save(ON)
    world.answers["/health/liveliness"] = Unreachable("connection refused", kind="refused")
    found = watch()
    await world.rounds("/health/liveliness", 10)
    assert set(world.asked) == {"/health/liveliness"}
    reading = found.snapshot().gateway.liveliness
    assert reading.failure == Unreachable("connection refused", kind="refused")
    assert reading.failing_since is not None
    world.answers["/health/liveliness"] = "I'm alive!"
    await world.rounds("/v1/models", 2)
    assert found.snapshot().gateway.liveliness.failure is None


async def test_the_last_good_value_is_kept_with_its_age(world: World, watch: Watch) -> None:
    world.save(ON)
    found = watch()
    await world.rounds("/v1/models", 1)
    await eventually(lambda: found.snapshot().gateway.groups.value == ("a",))
    world.answers["/v1/models"] = Malformed("HTML")
    await eventually(lambda: found.snapshot().gateway.groups.failure)
    reading = found.snapshot().gateway.groups
    assert reading.value == ("a",)
    assert reading.seen_at is not None
    assert reading.tried_at is not None
    assert reading.seen_at < reading.tried_at


async def test_one_request_is_in_flight_per_endpoint(world: World, watch: Watch) -> None:
    world.save(ON)
    found = watch()
    for _ in range(50):
        found.look_now()
        await asyncio.sleep(0)
    await world.rounds("/cache/ping", 5)
    # readiness and its details are two paths of one poller
    assert world.most_flying == 1


async def test_redis_is_asked_only_after_a_ping_that_succeeded(world: World, watch: Watch) -> None:
    world.save(ON)
    for ping in (CachePing("unhealthy", "redis"), CachePing("healthy", "local"), NotAvailable("off")):
        world.answers["/cache/ping"] = ping
        watch()
        await world.rounds("/cache/ping", 4)
        assert world.asked["/cache/redis/info"] == 0
    world.answers["/cache/ping"] = CachePing("healthy", "redis", True)
    await world.rounds("/cache/redis/info", 1)


async def test_the_version_is_taken_from_the_plain_answer_where_there_are_no_details(
    world: World, watch: Watch
) -> None:
    world.save(ON)
    world.answers["/health/readiness/details"] = NotAvailable("HTTP 404")
    world.answers["/health/readiness"] = Readiness("healthy", version="1.77.7")
    found = watch()
    await eventually(lambda: (ready := found.snapshot().gateway.readiness.value) and ready.version == "1.77.7")
    assert found.snapshot().gateway.readiness.failure is None


async def test_the_details_are_asked_as_soon_as_the_key_is_known_to_be_valid(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.save(ON)
    monkeypatch.setattr(client, "READINESS", client.READINESS._replace(interval=600.0))
    answered = world.get

    async def get(endpoint: Endpoint, url: str = "") -> Answer:
        if endpoint.path == "/health/readiness":
            # the key proves valid while this is under way
            await eventually(lambda: world.asked["/v1/models"] >= 2)
        return await answered(endpoint, url)

    monkeypatch.setattr(world, "get", get)
    found = watch()
    await eventually(lambda: (ready := found.snapshot().gateway.readiness.value) and ready.version == "1.106.2")


# --- the pace ----------------------------------------------------------------------------------------------------


def test_the_pace_slows_with_every_failure_up_to_a_minute() -> None:
    for failures in range(40):
        base = min(10.0 * 2 ** min(failures, 6), 60.0)
        for _ in range(20):
            assert base * 0.85 <= _delay(10.0, failures) <= base * 1.15
    assert _delay(120.0, 5) >= 100.0


def test_the_pace_is_never_quite_the_same() -> None:
    assert len({_delay(10.0, 0) for _ in range(20)}) > 1


async def test_failures_slow_an_endpoint_down_and_a_success_ends_that(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, int]] = []
    monkeypatch.setattr(gateway_poller, "_delay", lambda interval, failures: seen.append((interval, failures)) or 0.001)  # type: ignore[func-returns-value]
    world.save(ON)
    world.answers["/v1/model/info"] = Malformed("HTTP 500")
    watch()
    await eventually(lambda: any(failures >= 5 for _, failures in seen))
    world.answers["/v1/model/info"] = ()
    await world.rounds("/v1/model/info", 2)
    seen.clear()
    await world.rounds("/v1/model/info", 3)
    assert {failures for _, failures in seen} == {0}


def test_a_feature_that_is_off_is_no_failure_to_back_off_from(world: World) -> None:
    world.save(ON)
    found = Monitor(Profile("t", "h", Found("http://127.0.0.1:1", ""), Tools()))
    assert found._gateway._judge_key(NotAvailable("off"), 3) == 0
    assert found._gateway._judge_key(Malformed("x"), 3) == 4
    assert found._gateway._judge_key(("a",), 3) == 0


def test_a_reading_remembers_since_when_it_fails() -> None:
    first = next_reading(Reading(value=1, seen_at=5.0), Malformed("a"), 0.1, 10.0, 20.0)
    second = next_reading(first, Malformed("b"), 0.1, 10.0, 30.0)
    assert (second.value, second.seen_at, second.failing_since, second.tried_at) == (1, 5.0, 20.0, 30.0)
    again = next_reading(second, 2, 0.1, 10.0, 40.0)
    assert (again.value, again.seen_at, again.failure, again.failing_since) == (2, 40.0, None, None)
    assert next_reading(again, Malformed("c"), 0.1, 10.0, 50.0).failing_since == 50.0


# --- the file ----------------------------------------------------------------------------------------------------


async def test_a_broken_file_keeps_the_last_good_one(world: World, watch: Watch) -> None:
    world.save(CONFIG)
    found = watch()
    good = await eventually(lambda: found.snapshot().configuration.current)
    world.save(CONFIG + "oops: [\n", STARTED + 1)
    error = await eventually(lambda: found.snapshot().configuration.error)
    assert error is not None
    assert found.snapshot().configuration.current == good
    assert error.line == len(CONFIG.splitlines()) + 2
    assert error.since > 0
    world.save("still: [\n", STARTED + 2)
    later = await eventually(lambda: (e := found.snapshot().configuration.error) and e.line == 2 and e)
    assert later
    assert later.since == error.since
    world.save(CONFIG.replace("rpm: 100", "rpm: 200"), STARTED + 3)
    await eventually(lambda: found.snapshot().configuration.error is None)
    mended = found.snapshot().configuration.current
    assert mended
    assert mended.deployments[0].rpm == 200


async def test_the_file_is_shown_before_anything_slower(world: World, watch: Watch) -> None:
    world.save(CONFIG)
    watch()
    await eventually(lambda: world.snapshots)
    first = world.snapshots[0]
    assert first.configuration.current
    assert first.gateway.liveliness == Reading()


async def test_a_change_in_an_included_file_is_seen(world: World, watch: Watch) -> None:
    more = world.path.with_name("more.yaml")
    more.write_text("a: 1\n")
    world.save("include: [more.yaml]\n")
    found = watch()
    await eventually(lambda: (c := found.snapshot().configuration.current) and c.data == {"a": 1})
    more.write_text("a: 22\n")
    await eventually(lambda: (c := found.snapshot().configuration.current) and c.data == {"a": 22})


async def test_a_save_without_a_change_is_read_and_is_no_change(world: World, watch: Watch) -> None:
    world.save(ON)
    found = watch()
    await eventually(lambda: found.snapshot().configuration.current)
    before = found.snapshot().configuration.current
    checked = found.snapshot().configuration.checked_at
    world.save(ON, STARTED - 50)
    await eventually(lambda: found.snapshot().configuration.checked_at != checked)
    after = found.snapshot().configuration.current
    assert after is not None
    assert before is not None
    assert after.digest == before.digest


async def test_the_secrets_of_the_file_and_of_the_unit_are_masked(world: World, watch: Watch) -> None:
    world.save(
        "general_settings: {master_key: topsecretvalue}\n"
        "model_list:\n- {model_name: a, litellm_params: {model: x, api_key: another1}}\n"
    )
    environment = {"AZURE_API_KEY": Variable("fromtheunit", "x"), "HOME": Variable("/home/someone", "x")}
    found = watch(key=Secret("thekeyitself"), environment=environment)
    await eventually(lambda: found.snapshot().configuration.current)
    text = found.redact("topsecretvalue another1 fromtheunit thekeyitself /home/someone")
    assert text == "••• ••• ••• ••• /home/someone"


# --- its end -----------------------------------------------------------------------------------------------------


async def test_nothing_is_left_when_it_is_cancelled(world: World, watch: Watch) -> None:
    before = asyncio.all_tasks()
    world.save(CONFIG)
    watch()
    (task,) = asyncio.all_tasks() - before
    await world.rounds("/v1/models", 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert world.closed
    await eventually(lambda: asyncio.all_tasks() <= before)


async def test_without_unit_and_file_it_says_why(world: World, watch: Watch) -> None:
    found = watch(config=False, unit=False)
    await world.rounds("/v1/models", 1)
    now = found.snapshot()
    assert now.configuration.why_unwatched
    assert isinstance(now.service.failure, NotAvailable)
    assert now.log.state == "off"
    assert now.log.failure


# --- /metrics and Redis ------------------------------------------------------------------------------------------

REDIS = "litellm_settings: {cache: true, cache_params: {type: redis, host: 127.0.0.1, port: 6399}}\n"
DOWN = Unreachable("Redis at 127.0.0.1:6399 refuses the connection", kind="refused")


class Server:
    """A Redis server, and who was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, says: str | Failure = "PONG") -> None:
        self.says = says
        self.once: list[str | Failure] = []
        self.asked: list[redis.Address] = []
        self.tells: RedisServer | Failure = RedisServer(version="7.0.15")
        self.logins: list[redis.Login | None] = []
        monkeypatch.setattr(redis, "ping", self._ask)
        monkeypatch.setattr(redis_info, "inspect", self._tell)
        monkeypatch.setattr(redis_poller, "REDIS_SECONDS", QUICK)

    async def _ask(self, where: redis.Address, timeout: float) -> str | Failure:
        self.asked.append(where)
        await asyncio.sleep(0)
        return self.once.pop(0) if self.once else self.says

    async def _tell(self, where: redis.Address, login: redis.Login | None, timeout: float) -> RedisServer | Failure:
        self.logins.append(login)
        await asyncio.sleep(0)
        return self.tells

    async def rounds(self, number: int) -> None:
        wanted = len(self.asked) + number
        await eventually(lambda: len(self.asked) >= wanted, f"Redis is asked {number} times more")


async def test_the_health_url_of_the_profile_is_asked_also_of_a_dead_gateway(world: World, watch: Watch) -> None:
    url = "http://127.0.0.1:4002/health/readiness"
    world.answers |= {url: "HTTP 200", "/health/liveliness": Unreachable("connection refused")}
    monitor = watch(health_url=url)
    await eventually(lambda: monitor.snapshot().gateway.health_url.value == "HTTP 200")
    world.answers[url] = Malformed("HTTP 503")
    monitor.look_now()
    await eventually(lambda: monitor.snapshot().gateway.health_url.failure == Malformed("HTTP 503"))


async def test_metrics_that_are_on_become_traffic(world: World, watch: Watch) -> None:
    world.save(ON)
    world.answers["/metrics/"] = Metrics((DeploymentCounters("id1", ok=5),))
    found = watch()
    await world.rounds("/metrics/", 2)
    assert found.snapshot().traffic.counted
    assert found.snapshot().traffic.tallies == ()
    world.answers["/metrics/"] = Metrics((DeploymentCounters("id1", ok=7, failed=1),))
    await eventually(lambda: found.snapshot().traffic.tallies)
    (tally,) = found.snapshot().traffic.tallies
    assert (tally.kind, tally.name, tally.ok, tally.failed) == ("deployment", "id1", 2, 1)


async def test_metrics_that_are_off_are_asked_again_only_after_long_or_when_told(world: World, watch: Watch) -> None:
    world.save(ON)
    found = watch()
    await eventually(lambda: found.snapshot().gateway.metrics.failure)
    asked = world.asked["/metrics/"]
    await world.rounds("/v1/models", 10)
    assert world.asked["/metrics/"] == asked
    world.answers["/metrics/"] = Metrics()
    found.look_now()
    await world.rounds("/metrics/", 2)
    assert found.snapshot().gateway.metrics.value == Metrics()


async def test_redis_is_asked_itself_where_its_address_means_the_same_here(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(monkeypatch)
    world.save(REDIS)
    found = watch()
    await server.rounds(2)
    assert set(server.asked) == {redis.Address("127.0.0.1", 6399)}
    await eventually(lambda: found.snapshot().redis_answer.value == "PONG")


async def test_what_redis_tells_of_itself_is_shown_and_a_refused_password_is_not_repeated(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(monkeypatch, "NOAUTH")
    server.tells = RedisServer(refusal="WRONGPASS")
    world.save(REDIS.replace("6399", "6399, password: planted-word"))
    found = watch()
    await eventually(lambda: found.snapshot().redis_server == server.tells)
    await server.rounds(3)
    assert server.logins == [redis.Login(password="planted-word")]
    server.says, server.tells = "PONG", RedisServer(version="7.0.15", read_only=True)
    monkeypatch.setattr(redis_poller, "REFUSED_SECONDS", 0.0)
    await eventually(lambda: found.snapshot().redis_server == server.tells)
    server.says = DOWN
    await eventually(lambda: found.snapshot().redis_server is None)


async def test_a_silence_of_redis_is_asked_about_once_more_before_it_counts(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(monkeypatch)
    world.save(REDIS)
    found = watch()
    await eventually(lambda: found.snapshot().redis_answer.value == "PONG")
    server.once = [SILENCE]
    await server.rounds(4)
    assert all(snapshot.redis_answer.failure is None for snapshot in world.snapshots)
    server.says = SILENCE
    await eventually(lambda: found.snapshot().redis_answer.failure == SILENCE)


async def test_without_a_cache_of_type_redis_nobody_is_asked(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(monkeypatch)
    world.save(ON)
    found = watch()
    await world.rounds("/v1/models", 10)
    assert server.asked == []
    assert found.snapshot().redis_answer.tried_at is None


async def test_the_gateway_is_not_asked_about_a_redis_that_is_known_to_be_down(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM would need seconds for the answer, and some versions stand still meanwhile."""
    server = Server(monkeypatch)
    world.save(REDIS)
    found = watch()
    await world.rounds("/cache/ping", 2)
    server.says = DOWN
    await eventually(lambda: found.snapshot().redis_answer.failure == DOWN)
    await server.rounds(2)
    asked = world.asked["/cache/ping"]
    await world.rounds("/v1/models", 10)
    # one may have been on its way
    assert world.asked["/cache/ping"] <= asked + 1
    looked: list[bool] = []

    def look() -> None:
        looked.append(True)
        found.look_now()

    monkeypatch.setattr(found._redis, "_back", look)
    server.says = "PONG"
    await world.rounds("/cache/ping", 2)
    assert looked
    assert found.snapshot().redis_answer.failure is None


async def test_a_redis_that_only_the_gateways_network_knows_is_left_to_the_gateway(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(monkeypatch, Unreachable("Redis at redis:6379: no such host", kind="dns"))
    world.save(REDIS.replace("127.0.0.1", "redis"))
    watch()
    await server.rounds(3)
    await world.rounds("/cache/ping", 3)


async def test_an_address_that_was_saved_later_is_not_what_runs(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(monkeypatch)
    world.save(REDIS)
    found = watch()
    await server.rounds(2)
    world.save(REDIS.replace("6399", "6400"), STARTED + 50)
    await eventually(lambda: (c := found.snapshot().configuration.current) and c.modified_at == STARTED + 50)
    await server.rounds(3)
    assert {where.port for where in server.asked} == {6399}
    assert isinstance(world.service, Service)
    world.service = msgspec.structs.replace(world.service, started_at=STARTED + 100, main_pid=8, invocation="two")
    await eventually(lambda: server.asked[-1].port == 6400)


# --- what its owner tells it --------------------------------------------------------------------------------------


async def test_the_last_probe_of_each_deployment_is_evidence(world: World, watch: Watch) -> None:
    world.save(ON)
    found = watch()
    first = ProbeResult("id1", "g", "m", False, STARTED, error="refused")
    for probe in (first, ProbeResult("id2", "g", "n", True, STARTED), msgspec.structs.replace(first, ok=True)):
        found.add_probe(probe)
    assert {(probe.deployment, probe.ok) for probe in found.snapshot().probes} == {("id1", True), ("id2", True)}
    await eventually(lambda: world.snapshots and len(world.snapshots[-1].probes) == 2)


async def test_a_probe_is_not_counted_as_traffic_by_the_metrics(world: World, watch: Watch) -> None:
    world.save(ON)
    world.answers["/metrics/"] = Metrics((DeploymentCounters("id1", ok=5),))
    found = watch()
    await world.rounds("/metrics/", 2)
    found.add_probe(ProbeResult("id1", "g", "m", True, STARTED))
    world.answers["/metrics/"] = Metrics((DeploymentCounters("id1", ok=6),))
    await world.rounds("/metrics/", 3)
    assert found.snapshot().traffic.tallies == ()


async def test_the_operators_marks_are_in_the_next_snapshot(world: World, watch: Watch) -> None:
    world.save(ON)
    found = watch()
    marks = {"g": "no GPU here"}
    found.expect_down(marks)
    await eventually(lambda: world.snapshots and world.snapshots[-1].expected_down == {"g": "no GPU here"})
    marks.clear()
    assert found.snapshot().expected_down == {"g": "no GPU here"}


async def test_in_the_first_round_only_one_endpoint_offers_a_key_that_may_be_refused(
    world: World, watch: Watch
) -> None:
    """LiteLLM writes a stack trace for every refusal."""
    world.save(ON)
    world.refuse_the_key()
    watch()
    await world.rounds("/v1/models", 3)
    await world.rounds("/health/readiness", 3)
    keyed = {path for path in world.asked if path not in ("/health/liveliness", "/health/readiness")}
    assert keyed == {"/v1/models"}
