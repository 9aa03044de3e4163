"""What a real docker client (28.2.2) printed, for an engine whose HTTP answers were those of its documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.host.command import Done
from litellm_tui.logs.entry import Entry
from litellm_tui.model.failures import Denied, NotAvailable, Unreachable
from litellm_tui.model.service_kinds import Compose
from litellm_tui.services.compose.container import service_from
from litellm_tui.services.compose.discovery import unit_from
from litellm_tui.services.docker import docker_cli
from litellm_tui.services.docker.container_log import DockerLines
from litellm_tui.services.docker.docker_cli import parse_containers, parse_percent, parse_size, parse_stats, refusal
from tests.recorded import FOLDER
from tests.standins.docker import NO_COMPOSE, NO_ENGINE, NO_RIGHT

HERE: Path = FOLDER / "docker-28.2.2"


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def test_a_container_as_the_client_shows_it() -> None:
    found = parse_containers(_text("inspect.json"))
    assert isinstance(found, list)
    service = service_from(found[0], Compose(service="litellm"))
    assert (service.active_state, service.sub_state, service.health) == ("active", "running", "healthy")
    assert (service.main_pid, service.restarts, service.fragment) == (4242, 1, "/srv/llm/compose.yaml")
    assert service.started_at == pytest.approx(1_795_276_801.123456)
    unit = unit_from(found[0])
    assert (unit.name, unit.url, unit.config) == ("litellm", "http://127.0.0.1:4000", "/srv/llm/config.yaml")
    assert (unit.image, unit.root) == (found[0].config.image, "/proc/4242/root")
    assert unit.image
    assert unit.environment["LITELLM_MASTER_KEY"].value == "sk-recorded-1"
    assert "sk-recorded-1" not in repr(unit)


def test_figures_as_the_client_shows_them() -> None:
    found = parse_stats(_text("stats.json"))
    assert found is not None
    assert parse_size(found.memory) == int(328.1 * 1024**2)
    assert parse_percent(found.cpu) == 5.0


def test_both_streams_of_the_log() -> None:
    lines = DockerLines(Compose(service="litellm"))
    found = [
        lines.entries(_text(f"logs-{name}.txt").rstrip("\n"), name == "stderr")[0] for name in ("stdout", "stderr")
    ]
    out, err = (entry for entry in found if isinstance(entry, Entry))
    assert (out.message, err.message) == (
        "INFO:     Started server process [7]", "16:00:04 - LiteLLM Proxy:ERROR: boom",
    )  # fmt: skip
    assert err.time - out.time == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "kind", "standin"),
    [
        ("no-engine", Unreachable, NO_ENGINE),
        ("no-right", Denied, NO_RIGHT),
        ("no-compose", NotAvailable, NO_COMPOSE),
        ("no-container", docker_cli.NoSuchService, None),
    ],
)
def test_the_clients_refusals_and_those_of_the_standin_are_the_same(name: str, kind: type, standin: str | None) -> None:
    found = refusal(Done(1, "", _text(f"{name}.txt")), "docker")
    assert type(found) is kind
    if standin is not None:
        assert refusal(Done(1, "", standin), "docker") == found
        assert standin == _text(f"{name}.txt").rstrip("\n")
