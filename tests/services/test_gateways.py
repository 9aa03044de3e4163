"""All kinds looked for at once: what is one service under two names, in which order, and what is said of each kind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from litellm_tui.model.discovered import Discovery
from litellm_tui.model.service_kinds import Tools
from litellm_tui.services.docker import discovery, run_unit
from litellm_tui.services.docker.docker_cli import Container, NoSuchService, parse_containers
from litellm_tui.services.gateways import find_gateways
from tests.machine import Machine
from tests.processes import FakeProcesses
from tests.standins.engine import Engine

IMAGE = "ghcr.io/berriai/litellm:main-stable"
ENTRY = ["docker/prod_entrypoint.sh", "--config", "/app/config.yaml"]
GATEWAY = ["/opt/venv/bin/python", "/opt/venv/bin/litellm", "--port", "4321"]


class Here:
    """A machine with units, processes and one engine."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.units = Machine(folder)
        self.processes = FakeProcesses(folder / "proc")
        self.engine = engine
        self.tools = msgspec.structs.replace(
            self.units.tools, proc=str(self.processes.root), docker_sockets=(str(engine.socket),)
        )

    def find(self) -> Discovery:
        return find_gateways(self.tools, {})

    def names(self) -> list[str]:
        return [str(one) for one in self.find().gateways]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    monkeypatch.setattr(discovery, "has_client", lambda _: True)
    monkeypatch.setattr(discovery, "has_compose", lambda _: True)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, Engine(Path(folder)) as engine:
        made = Here(tmp_path, engine)

        def inspect(_: str, name: str) -> Container | NoSuchService:
            for one in engine.containers.values():
                if one["Name"] == f"/{name}":
                    found = parse_containers(msgspec.json.encode([one]).decode())
                    assert isinstance(found, list)
                    return found[0]
            return NoSuchService(name)

        monkeypatch.setattr(run_unit, "inspect_now", inspect)
        yield made


def test_every_kind_is_found_and_units_come_before_containers_before_processes(here: Here) -> None:
    here.processes.add(20, GATEWAY, ports=[4321])
    here.engine.add("gw", IMAGE, ENTRY, ports={"4000/tcp": [{"HostIp": "", "HostPort": "4100"}]})
    here.units.unit("/opt/bin/litellm --port 1", scope="system")
    here.units.unit("/opt/bin/litellm --port 2", scope="user")
    assert here.names() == [
        "litellm.service (user)", "litellm.service (system)", "gw (docker)", "litellm:4321 (process)",
    ]  # fmt: skip


def test_what_runs_comes_before_what_does_not(here: Here) -> None:
    here.units.unit("/opt/bin/litellm --port 1", ActiveState="inactive")
    here.engine.add("old", IMAGE, ENTRY, running=False)
    here.processes.add(20, GATEWAY, ports=[4321])
    assert here.names() == ["litellm:4321 (process)", "litellm.service (user)", "old (docker)"]


def test_the_process_of_a_unit_is_no_second_gateway(here: Here) -> None:
    here.units.unit("/opt/venv/bin/litellm --port 4321", name="gw.service", scope="system")
    here.processes.add(20, GATEWAY, ports=[4321], group="0::/system.slice/gw.service")
    assert here.names() == ["gw.service (system)"]
    # nor where control groups say nothing: only one listens on a port
    (here.processes.root / "20" / "cgroup").write_text("0::/\n")
    assert here.names() == ["gw.service (system)"]


def test_the_unit_of_a_script_is_found_through_its_process(here: Here) -> None:
    here.units.unit("/srv/start-gateway.sh", name="llm.service", scope="system")
    here.processes.add(20, GATEWAY, ports=[4321], group="0::/system.slice/llm.service")
    assert here.names() == ["llm.service (system)"]


@pytest.mark.parametrize("unit", ["cron.service", "supervisor.service", "ssh.service"])
def test_a_unit_that_starts_other_things_is_not_the_gateways(here: Here, unit: str) -> None:
    here.units.unit("/usr/sbin/x", name=unit, scope="system")
    here.processes.add(20, GATEWAY, ports=[4321], group=f"0::/system.slice/{unit}")
    assert here.names() == ["litellm:4321 (process)"]


def test_a_container_under_a_unit_is_the_units_with_the_containers_address_and_file(here: Here) -> None:
    line = f"/usr/bin/docker run --rm --name gw -p 4100:4000 {IMAGE} --config /app/config.yaml"
    here.units.unit(line, name="llm.service", scope="system")
    here.engine.add(
        "gw", IMAGE, ENTRY, env=["EMBED_KEY=sk-1"], ports={"4000/tcp": [{"HostIp": "", "HostPort": "4100"}]},
        mounts=[{"Type": "bind", "Source": "/srv/c.yaml", "Destination": "/app/config.yaml"}],
    )  # fmt: skip
    (found,) = here.find().gateways
    assert (str(found), found.kind, found.settings) == ("llm.service (system)", "systemd", None)
    assert (found.unit.url, found.unit.config) == ("http://127.0.0.1:4100", "/srv/c.yaml")
    assert found.unit.environment["EMBED_KEY"].value == "sk-1"
    assert found.why == "it runs the container gw"


def test_a_unit_whose_container_is_known_by_its_name_alone(here: Here) -> None:
    """`docker start` names no image: that it is LiteLLM is known by the container."""
    here.units.unit("/usr/bin/docker start -a gw", name="llm.service", scope="system")
    here.units.unit("/usr/bin/docker start -a shop", name="shop.service", scope="system")
    here.engine.add("gw", IMAGE, ENTRY)
    here.engine.add("shop", "shop:1", ["shop"])
    assert here.names() == ["llm.service (system)"]


def test_a_quadlets_container_is_its_units(here: Here) -> None:
    line = f"/usr/bin/podman run --name=systemd-gw --cidfile=/x --rm -d {IMAGE}"
    here.units.unit(line, name="gw.service", scope="system")
    here.engine.add("systemd-gw", IMAGE, ENTRY, labels={"PODMAN_SYSTEMD_UNIT": "gw.service"})
    assert here.names() == ["gw.service (system)"]


def test_a_unit_whose_container_is_gone_is_read_from_its_command(here: Here) -> None:
    line = f"/usr/bin/docker run --rm --name gw -p 4100:4000 -v /srv:/app {IMAGE} --config /app/c.yaml"
    here.units.unit(line, name="llm.service", scope="system", ActiveState="inactive")
    (found,) = here.find().gateways
    assert (found.active, found.unit.url, found.unit.config) == (False, "http://127.0.0.1:4100", "/srv/c.yaml")


def test_a_unit_that_starts_a_compose_project_leaves_the_service_to_compose(here: Here) -> None:
    here.units.unit("/usr/bin/docker compose -f /srv/c.yaml up litellm", scope="system")
    assert here.names() == ["litellm.service (system)"], "without a container it is all there is"
    labels = {"com.docker.compose.project": "box", "com.docker.compose.service": "litellm"}
    here.engine.add("box-litellm-1", IMAGE, ENTRY, labels=labels)
    assert here.names() == ["box/litellm (compose)"]


def test_the_process_in_a_container_is_the_containers(here: Here) -> None:
    number = here.engine.add("gw", "me/own:1", ["/start.sh"])
    here.processes.add(20, GATEWAY, ports=[4321], namespaces=2, group=f"0::/system.slice/docker-{number}.scope")
    found = here.find()
    assert [str(one) for one in found.gateways] == ["gw (docker)"]
    assert not any(one.blocked for one in found.searched)


def test_the_process_in_a_container_that_may_not_be_asked_is_told(here: Here) -> None:
    here.processes.add(20, GATEWAY, namespaces=2, group=f"0::/system.slice/docker-{'cd' * 32}.scope")
    found = here.find()
    assert found.gateways == ()
    said = next(one for one in found.searched if one.kind == "process")
    assert "1 process of LiteLLM in containers or namespaces that were not asked" in said.result
    assert said.blocked
    assert said.mend


def test_only_the_kinds_that_are_wanted_are_found(here: Here) -> None:
    here.units.unit("/opt/bin/litellm --port 1")
    here.engine.add("gw", IMAGE, ENTRY)
    here.processes.add(20, GATEWAY, ports=[4321])
    found = find_gateways(here.tools, {}, ("process",))
    assert [str(one) for one in found.gateways] == ["litellm:4321 (process)"]
    assert [one.kind for one in found.searched] == ["process"]


def test_of_units_only_those_of_the_scope_are_found_also_through_a_process(here: Here) -> None:
    here.units.unit("/srv/start-gateway.sh", name="llm.service", scope="system")
    here.processes.add(20, GATEWAY, ports=[4321], group="0::/system.slice/llm.service")
    here.units.unit("/opt/bin/litellm --port 2", scope="user")
    found = find_gateways(here.tools, {}, ("systemd",), "user")
    assert [str(one) for one in found.gateways] == ["litellm.service (user)"]


def test_what_was_looked_for_is_told_in_the_words_of_each_kind(here: Here) -> None:
    here.units.unit("/opt/bin/litellm --port 1")
    said = {one.kind: (one.what, one.result) for one in here.find().searched}
    assert said["systemd"] == ("units of systemd (user and system)", "litellm.service (user)")
    assert said["docker"] == (f"containers of Docker at {here.engine.socket}", "none")
    assert said["process"] == ("processes of this machine that are LiteLLM", "none")


def test_a_bus_that_is_missing_is_told_once(here: Here) -> None:
    (here.units.folder / "user").rmdir()
    (said,) = [one for one in here.find().searched if one.kind == "systemd"]
    assert said.result.count("No medium found") == 1
    assert said.blocked
    assert "linger" in said.mend


def test_a_machine_without_systemd_is_not_told_of_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litellm_tui.services.gateways.os.path.isdir", lambda _: False)
    found = find_gateways(Tools(proc=str(tmp_path), docker_sockets=()), {})
    assert [one.kind for one in found.searched] == ["process"]
