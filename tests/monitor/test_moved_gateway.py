"""A gateway that listens elsewhere than it was found is followed, unless somebody has given its address."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.health.listening import announced_port, ports_elsewhere
from litellm_tui.model.failures import Malformed, Unreachable
from litellm_tui.model.found import Found
from litellm_tui.model.log import LogRecord
from litellm_tui.model.service import Service
from litellm_tui.monitor import moved_gateway
from litellm_tui.monitor.moved_gateway import at_port, is_given
from litellm_tui.target.profile import Profile
from tests.monitor.test_monitor import STARTED, Watch, World, watch, world
from tests.waiting import eventually

__all__ = ["watch", "world"]
REFUSED = Unreachable("no connection to 127.0.0.1:1: connection refused", kind="refused")
ALIVE = "http://127.0.0.1:4017/health/liveliness"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moved_gateway, "TRY_SECONDS", 0.01)
    monkeypatch.setattr(moved_gateway, "AGAIN_SECONDS", 0.01)


def _listening(world: World, *ports: int) -> None:
    assert isinstance(world.service, Service)
    world.service = msgspec.structs.replace(world.service, ports=ports)


@pytest.mark.parametrize("answer", [REFUSED, Malformed("HTTP 404: is this LiteLLM?", status=404), "I'm alive!"])
async def test_the_port_that_its_process_listens_on_is_followed(world: World, watch: Watch, answer: Any) -> None:
    """Also where another gateway answers at the port that was taken."""
    world.answers["/health/liveliness"] = answer
    world.answers[ALIVE] = "I'm alive!"
    _listening(world, 4017)
    monitor = watch()
    await eventually(lambda: monitor.profile.url.value == "http://127.0.0.1:4017", "it is followed")
    assert monitor.profile.url.source == "the port that litellm.service listens on"
    assert monitor.snapshot().address == "127.0.0.1:4017"
    await eventually(lambda: monitor.snapshot().gateway.deployments.value is not None, "it is asked there")


async def test_a_port_at_which_no_litellm_answers_is_not_taken_for_it(world: World, watch: Watch) -> None:
    world.answers["/health/liveliness"] = REFUSED
    world.answers[ALIVE] = Malformed("HTTP 404: is this LiteLLM?", status=404)
    _listening(world, 4017)
    monitor = watch()
    await world.rounds(ALIVE, 2)
    assert monitor.profile.url.value == "http://127.0.0.1:1"


async def test_a_port_that_moved_in_the_unit_is_found_where_it_was_found(world: World, watch: Watch) -> None:
    world.answers["/health/liveliness"] = REFUSED
    world.answers[ALIVE] = "I'm alive!"
    again = Profile("test", "here", Found("http://127.0.0.1:4017", "ExecStart of litellm.service"), None)  # type: ignore[arg-type]  # no tool is run
    monitor = watch(again=lambda: again)
    await eventually(lambda: monitor.profile.url == again.url, "it is followed")


@pytest.mark.parametrize("source", ["--url", "LITELLM_PROXY_URL", "profile prod"])
async def test_an_address_that_was_given_is_not_left(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    world.answers["/health/liveliness"] = REFUSED
    _listening(world, 4017)
    monitor = watch()
    monitor.profile = msgspec.structs.replace(monitor.profile, url=Found("http://127.0.0.1:1", source))
    assert is_given(monitor.profile)
    await world.rounds("/health/liveliness", 3)
    assert not world.urls


def _records(*texts: str, source: str = "uvicorn") -> list[LogRecord]:
    return [LogRecord(n, STARTED + n, "INFO", source, text) for n, text in enumerate(texts)]


@pytest.mark.parametrize(("text", "source", "port"), [
    ("Uvicorn running on http://0.0.0.0:23117 (Press CTRL+C to quit)", "uvicorn", 23117),
    ("Listening at: http://0.0.0.0:4001 (812)", "gunicorn", 4001),
    ("Running on http://[::]:4002 (CTRL + C to quit)", "hypercorn", 4002),
    ("Uvicorn running on http://0.0.0.0:23117", "stdout", None),
    ("a client said Uvicorn running on http://0.0.0.0:1", "uvicorn", None),
])  # fmt: skip
def test_what_its_server_says_names_the_port(text: str, source: str, port: int | None) -> None:
    assert announced_port(_records("Started server process [7]", text, source=source), STARTED) == port
    assert announced_port(_records(text, source=source), STARTED + 5) is None


def test_the_announced_port_comes_first_and_is_enough_where_ports_may_not_be_seen() -> None:
    service = Service("u", "system", "loaded", "active", "running", main_pid=7, started_at=STARTED)
    said = _records("Uvicorn running on http://0.0.0.0:23117 (Press CTRL+C to quit)")
    assert ports_elsewhere(4000, service, said) == (23117,)
    assert ports_elsewhere(23117, service, said) == ()
    both = msgspec.structs.replace(service, ports=(4001, 23117))
    assert ports_elsewhere(4000, both, said) == (23117, 4001)
    assert ports_elsewhere(4001, both, said) == ()
    assert ports_elsewhere(4000, msgspec.structs.replace(both, active_state="failed"), said) == ()


def test_an_address_keeps_all_but_its_port() -> None:
    assert at_port("http://127.0.0.1:4000", 4017) == "http://127.0.0.1:4017"
    assert at_port("https://[::1]:4000/base", 4017) == "https://[::1]:4017/base"
