"""The container of a rehearsal: what it has of the service's own, and what would touch or resemble the running one."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.analysis.change.made import Made, Mounted
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.services.docker import rehearsal
from litellm_tui.services.docker.config_copy import InsideFile
from litellm_tui.services.docker.discovery import find_containers
from litellm_tui.services.docker.docker_cli import REHEARSAL_LABEL, Container
from litellm_tui.services.docker.rehearsal_container import (
    Place,
    left_out,
    put_in,
    requests,
    why_not_twice,
    with_image,
    with_written,
    words_of,
)
from litellm_tui.services.process.rehearsal import HowItRuns
from litellm_tui.services.rehearsal import Engine, kept
from tests.standins import engine as standin

FOUND: dict[str, Any] = {
    "Id": "0123456789abcdef", "Name": "/shop-gateway-1", "Image": "sha256:one",
    "Config": {
        "Image": "litellm:1", "Hostname": "gateway", "User": "1000", "WorkingDir": "/app",
        "Env": ["KEY=sk-1", "OF_IMAGE=yes"], "Entrypoint": ["docker/prod_entrypoint.sh"],
        "Cmd": ["--config", "/app/config.yaml"], "ExposedPorts": {"4000/tcp": {}},
        "Labels": {"traefik.enable": "true", "com.docker.compose.project": "shop"},
        "Healthcheck": {"Test": ["CMD", "true"]},
    },
    "HostConfig": {
        "NetworkMode": "shop_default", "Memory": 1 << 30, "RestartPolicy": {"Name": "always"},
        "Binds": ["/srv/llm/config.yaml:/app/config.yaml:ro", "/srv/llm/hooks:/app/hooks"],
        "PortBindings": {"4000/tcp": [{"HostIp": "", "HostPort": "4000"}]}, "AutoRemove": False,
        "LogConfig": {"Type": "syslog", "Config": {"syslog-address": "udp://10.0.0.9:514"}},
    },
    "NetworkSettings": {"Networks": {
        "shop_default": {"Aliases": ["gateway", "0123456789ab"], "IPAMConfig": {"IPv4Address": "172.20.0.9"}},
        "monitoring": {"Aliases": ["llm"]},
    }},
    "Mounts": [],
}  # fmt: skip
IMAGE: dict[str, Any] = {
    "Id": "sha256:one",
    "Config": {
        "Env": ["OF_IMAGE=yes"], "Entrypoint": ["docker/prod_entrypoint.sh"], "Cmd": ["--port", "4000"],
        "Labels": {"com.docker.compose.project": "shop", "org.opencontainers.image.version": "1"},
    },
}  # fmt: skip
PLACE = Place("rehearsal-7", "/run/r/config.yaml", "/app/config.yaml", 4000, 4711, 1234.5)


def made(found: dict[str, Any] = FOUND, place: Place = PLACE, taken: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the engine is asked to create."""
    engine = requests(found, IMAGE, place, ["litellm", "--config", "/app/config.yaml"], {"KEY": "sk-1"}, taken)
    assert isinstance(engine, Engine)
    method, target, body = engine.begin[0]
    assert (method, target) == ("POST", "/containers/create?name=rehearsal-7")
    created: dict[str, Any] = json.loads(body)
    return created


def test_it_is_what_the_service_is_and_nobody_finds_or_starts_it() -> None:
    found = made(taken=("OF_IMAGE", "DATABASE_URL"))
    host = found["HostConfig"]
    assert (found["Image"], found["User"], found["WorkingDir"], host["Memory"]) == (
        "sha256:one", "1000", "/app", 1 << 30
    )  # fmt: skip
    assert (found["Entrypoint"], found["Cmd"]) == (["litellm"], ["--config", "/app/config.yaml"])
    # a name alone takes away what the image brings; what it does not bring is not there
    assert found["Env"] == ["KEY=sk-1", "OF_IMAGE"]
    assert found["Labels"] == {REHEARSAL_LABEL: "1234", "com.docker.compose.project": ""}
    assert "Hostname" not in found
    assert found["Healthcheck"] == {"Test": ["NONE"]}
    assert (host["RestartPolicy"], host["LogConfig"]["Type"]) == ({"Name": "no"}, "json-file")
    assert host["PortBindings"] == {"4000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "4711"}]}
    assert found["NetworkingConfig"] == {"EndpointsConfig": {"shop_default": {}}}


def test_the_copy_takes_the_place_of_the_file_and_all_else_is_mounted() -> None:
    host = made()["HostConfig"]
    assert host["Binds"] == ["/srv/llm/hooks:/app/hooks"]
    copy = {"Type": "bind", "Source": "/run/r/config.yaml", "Target": "/app/config.yaml", "ReadOnly": True}
    assert host["Mounts"] == [copy]
    place = Place("rehearsal-7", "/run/r/c", "/app/config.yaml", 4000, 0, 1.0, relabel=True)
    host = made(place=place)["HostConfig"]
    assert host["Binds"][-1] == "/run/r/c:/app/config.yaml:ro,z"
    assert "PortBindings" not in host


def test_it_joins_every_network_before_it_is_started_and_is_removed_by_its_name() -> None:
    engine = requests(FOUND, IMAGE, PLACE, ["litellm"], {}, ())
    assert isinstance(engine, Engine)
    assert [target for _, target, _ in engine.begin[1:]] == [
        "/networks/monitoring/connect", "/containers/rehearsal-7/start",
    ]  # fmt: skip
    assert json.loads(engine.begin[1][2]) == {"Container": "rehearsal-7"}
    assert [(method, target) for method, target, _ in engine.end] == [
        ("POST", "/containers/rehearsal-7/stop?t=3"), ("DELETE", "/containers/rehearsal-7?force=true&v=true"),
    ]  # fmt: skip
    assert "sk-1" not in repr(engine)


def test_what_it_does_otherwise_is_said() -> None:
    said = " / ".join(left_out(FOUND))
    assert "health check is not run" in said
    assert "not sent to syslog" in said
    assert "none of its labels" in said


@pytest.mark.parametrize(
    ("mode", "word"), [("container:9f", "another container"), ("none", "no network"), ("host", "")]
)
def test_a_second_one_has_to_be_reached(mode: str, word: str) -> None:
    why = why_not_twice({"HostConfig": {"NetworkMode": mode}})
    assert word in why
    assert bool(why) == bool(word)


def test_what_was_copied_into_the_running_one_is_missed() -> None:
    found = {**FOUND, "Mounts": [{"Destination": "/app/hooks"}, {"Destination": "/run/secrets/mounted"}]}
    changes = [
        ("/app", 0), ("/app/config.yaml", 0), ("/app/hooks/a.py", 1), ("/app/__pycache__/x.pyc", 1), ("/tmp/log", 1),
        ("/run/secrets", 1), ("/run/secrets/mounted", 1),
    ]  # fmt: skip

    def lost(*more: tuple[str, int]) -> str:
        return put_in(found, "/app/config.yaml", [{"Path": path, "Kind": kind} for path, kind in (*changes, *more)])

    assert lost() == ""
    assert lost(("/app/own.py", 1)) == "/app/own.py"
    assert lost(("/app/gone.py", 2)) == ""
    assert lost(("/run/secrets/key", 1)) == "/run/secrets/key"


def test_another_image_brings_its_own_and_what_the_service_sets_stays() -> None:
    new = {
        "Id": "sha256:two",
        "Config": {"Env": ["OF_IMAGE=other", "MORE=1"], "Entrypoint": ["/app/docker/prod_entrypoint.sh"], "User": ""},
    }
    found = with_image(FOUND, IMAGE, new, "litellm:2")
    assert (found["Image"], found["Config"]["Image"], found["Config"]["User"]) == ("sha256:two", "litellm:2", "1000")
    assert found["Config"]["Env"] == ["OF_IMAGE=other", "MORE=1", "KEY=sk-1"]
    assert words_of(found) == ["/app/docker/prod_entrypoint.sh", "--config", "/app/config.yaml"]


def test_what_compose_would_make_it_with_is_taken_over() -> None:
    written = Made(
        image="litellm:2", image_id="sha256:two", variables={"KEY": "sk-2", "UNSET": None},
        entrypoint=("litellm",), command=("--config", "/etc/c.yaml"),
        mounts={"/etc": Mounted("bind", "/srv/etc", False)},
    )  # fmt: skip
    found = with_written(FOUND, written, {"Config": {"Env": ["MORE=1"]}})
    assert found["Config"]["Env"] == ["MORE=1", "KEY=sk-2"]
    assert found["HostConfig"]["Binds"] == ["/srv/etc:/etc:ro"]
    assert words_of(found) == ["litellm", "--config", "/etc/c.yaml"]
    assert made(found)["Image"] == "sha256:two"


@pytest.mark.parametrize(
    ("program", "mode", "read"),
    [
        ("/app/.venv/bin/litellm", "DEV", True),
        ("/usr/bin/litellm", "DEV", False),
        ("/app/.venv/bin/litellm", "PRODUCTION", False),
    ],
)
def test_what_litellm_reads_from_its_own_folder_is_among_its_variables(
    program: str, mode: str, read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def inside(_client: str, _container: str, path: str) -> InsideFile:
        asked.append(path)
        return InsideFile(b"DATABASE_URL=postgresql://u@db/llm\nKEY=of-the-file\n", 0.0)

    monkeypatch.setattr(rehearsal, "read_inside", inside)
    how = HowItRuns((program, "--config", "c.yaml"), "/app", {"KEY": "sk-1", "LITELLM_MODE": mode})
    found = rehearsal._own_dotenv("docker", Container(id="x"), how)
    assert (found, asked) == (({"DATABASE_URL": "postgresql://u@db/llm"}, ["/app/.env"]) if read else ({}, []))


@pytest.fixture
def there() -> Iterator[standin.Engine]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, standin.Engine(Path(folder)) as found:
        yield found


def order(there: standin.Engine) -> Engine:
    return Engine(str(there.socket), (("POST", "/made", "{}"), ("POST", "/started", "")), (("DELETE", "/gone", ""),))


async def test_the_keeper_makes_it_and_removes_it(there: standin.Engine) -> None:
    async with kept(engine=order(there), seconds=500) as started:
        assert started == 0
        assert there.asked == ["/made", "/started"]
    assert there.asked == ["/made", "/started", "/gone"]


async def test_what_the_engine_refuses_is_told_in_its_words_and_nothing_is_left(there: standin.Engine) -> None:
    there.status, there.inspected = "409 Conflict", b'{"message": "port is already allocated"}'
    async with kept(engine=order(there), seconds=500) as started:
        assert isinstance(started, Failure)
        assert started == NotAvailable("port is already allocated")
    assert there.asked == ["/made", "/gone"]


def test_a_rehearsal_is_no_gateway_of_this_machine(there: standin.Engine) -> None:
    words = ["litellm", "--config", "/app/config.yaml"]
    there.add("gw", "litellm:1", words)
    number = there.add("litellm-tui-rehearsal-1", "litellm:1", words, labels={REHEARSAL_LABEL: "1"})
    found = find_containers({}, (str(there.socket),), (number,))
    assert [one.name for one in found.found] == ["gw"]
    # what runs in it is no process of the machine's own either
    assert number in found.ids
