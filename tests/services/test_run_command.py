"""The command lines by which units run containers, and which of them are LiteLLM's."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from litellm_tui.services.docker.container_unit import unit_from
from litellm_tui.services.docker.litellm_image import is_gateway, is_litellm_image
from litellm_tui.services.docker.run_command import RunCommand, is_compose, parse_run
from litellm_tui.services.docker.run_unit import container_of

IMAGE = "ghcr.io/berriai/litellm:main-stable"


def _parsed(line: str) -> RunCommand:
    found = parse_run(shlex.split(line))
    assert found is not None
    return found


def test_a_run_tells_name_image_command_mounts_ports_and_environment() -> None:
    found = _parsed(
        "/usr/bin/docker run --rm -it --name llm -p 127.0.0.1:4100:4000 -v /srv/c.yaml:/app/c.yaml:ro "
        f"--env-file /srv/e -e LITELLM_LOG=INFO --network=host --memory 2g {IMAGE} --config /app/c.yaml --port 4000"
    )
    assert found == RunCommand(
        client="/usr/bin/docker", name="llm", image=IMAGE, command=("--config", "/app/c.yaml", "--port", "4000"),
        environment=("LITELLM_LOG=INFO",), environment_files=("/srv/e",), mounts=("/srv/c.yaml:/app/c.yaml:ro",),
        ports=("127.0.0.1:4100:4000",),
    )  # fmt: skip
    assert found.is_litellm


def test_a_quadlets_line_is_read_too() -> None:
    found = _parsed(
        "/usr/bin/podman run --name=systemd-litellm --cidfile=/run/x.cid --replace --rm --cgroups=split "
        f"--sdnotify=conmon -d --publish 4000:4000 --mount type=bind,source=/srv,target=/app {IMAGE}"
    )
    assert (found.name, found.image, found.mounts) == ("systemd-litellm", IMAGE, ("/srv:/app",))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("docker start -a litellm", "litellm"),
        ("docker -H unix:///x.sock container start --attach gw", "gw"),
        ("docker --context far run --name gw alpine", "gw"),
        ("podman run -dit --name gw alpine sleep 1", "gw"),
        ("docker run -p4000:4000 --name gw alpine", "gw"),
    ],
)
def test_the_name_is_found_behind_the_clients_options(line: str, name: str) -> None:
    assert _parsed(line).name == name


@pytest.mark.parametrize("line", ["", "docker", "docker ps", "/usr/bin/litellm run", "docker compose up", "docker -H"])
def test_other_commands_make_no_container(line: str) -> None:
    assert parse_run(shlex.split(line)) is None


@pytest.mark.parametrize(
    ("line", "is_litellm"),
    [
        (f"docker run --name gw {IMAGE}", True),
        ("docker run --name gw my/gateway litellm --config c.yaml", True),
        ("docker run --name gw my/gateway sh -c 'exec litellm --port 4000'", True),
        (f"docker run --name job {IMAGE} python jobs/clean.py", False),
        (f"docker run --name job --entrypoint python {IMAGE} jobs/clean.py", False),
        ("docker run --name litellm-db postgres:16", False),
        ("docker start -a litellm", True),
        ("docker start -a gateway", False),
    ],
)
def test_which_of_them_run_litellm(line: str, is_litellm: bool) -> None:
    assert _parsed(line).is_litellm is is_litellm


def test_compose_is_told_apart() -> None:
    assert is_compose(shlex.split("/usr/bin/docker compose -f /srv/c.yaml up litellm"))
    assert is_compose(["/usr/local/bin/docker-compose", "up"])
    assert not is_compose(["docker", "run", "compose"])
    assert not is_compose([])


@pytest.mark.parametrize(
    ("image", "is_its"),
    [
        ("ghcr.io/berriai/litellm:main-latest", True),
        ("ghcr.io/berriai/litellm-database:v1.80.5@sha256:00", True),
        ("localhost:5000/team/my-litellm", True),
        ("docker.litellm.ai/berriai/litellm-non_root:x", True),
        ("litellm", True),
        ("me/litellm-exporter:1", False),
        ("litellm/redis:7", False),
        ("postgres:16", False),
        ("sha256:0123", False),
    ],
)
def test_images_of_the_gateway(image: str, is_its: bool) -> None:
    assert is_litellm_image(image) is is_its


@pytest.mark.parametrize(
    ("image", "words", "is_its"),
    [
        ("sha256:01", ["docker/prod_entrypoint.sh", "--port", "4000"], True),
        (IMAGE, ["/app/start.sh"], True),
        (IMAGE, ["/app/migrate.sh", "prisma", "migrate"], False),
        (IMAGE, ["sleep", "infinity"], False),
        ("python:3.11", ["/opt/venv/bin/litellm", "--config", "/c.yaml"], True),
        ("redis:7", ["docker-entrypoint.sh", "redis-server"], False),
        ("redis:7", [], False),
    ],
)
def test_a_container_is_the_gateway_by_its_command_before_its_image(image: str, words: list[str], is_its: bool) -> None:
    assert is_gateway(image, words) is is_its


def test_a_container_that_is_gone_is_read_from_the_command(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("# a comment\nEMBED_KEY=sk-1\n")
    run = _parsed(
        f"docker run --name gw -p 4100:4000 -v /srv:/app -v data:/data -e A=1 -e FROM_OUTSIDE --env-file {file} "
        f"{IMAGE} --config /app/c.yaml"
    )
    unit = unit_from(container_of(run), "gw.service", "system")
    assert unit.config == "/srv/c.yaml"
    assert unit.url == "http://127.0.0.1:4100"
    assert {name: one.value for name, one in unit.environment.items()} == {"EMBED_KEY": "sk-1", "A": "1"}
    assert not unit.active
