"""Which containers are a gateway, as an engine lists them; and what is said where none may be asked."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from litellm_tui.model.service_kinds import Compose, Docker
from litellm_tui.services.docker import discovery
from litellm_tui.services.docker.discovery import ContainerSearch, find_containers
from litellm_tui.services.docker.sockets import engine_sockets
from tests.standins.engine import Engine

IMAGE = "ghcr.io/berriai/litellm:main-stable"
ENTRY = ["docker/prod_entrypoint.sh", "--config", "/app/config.yaml"]


@pytest.fixture
def engine() -> Iterator[Engine]:
    # a socket's path is short
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, Engine(Path(folder)) as made:
        yield made


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client with Compose v2, wherever the test runs."""
    monkeypatch.setattr(discovery, "has_client", lambda _: True)
    monkeypatch.setattr(discovery, "has_compose", lambda _: True)


def _find(engine: Engine, *known: str) -> ContainerSearch:
    return find_containers({}, (str(engine.socket),), known)


def test_a_plain_container_is_found_with_its_address_its_file_and_its_environment(engine: Engine) -> None:
    engine.add("db", "postgres:16", ["docker-entrypoint.sh", "postgres"])
    engine.add(
        "gw", IMAGE, ENTRY, env=["LITELLM_MASTER_KEY=sk-1"],
        mounts=[{"Type": "bind", "Source": "/srv/llm/config.yaml", "Destination": "/app/config.yaml"}],
        ports={"4000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "4100"}]},
    )  # fmt: skip
    search = _find(engine)
    (found,) = search.found
    gateway = found.gateway
    assert (gateway.kind, str(gateway), gateway.active) == ("docker", "gw (docker)", True)
    assert gateway.settings == Docker(container="gw")
    assert gateway.unit.url == "http://127.0.0.1:4100"
    assert gateway.unit.config == "/srv/llm/config.yaml"
    assert gateway.unit.environment["LITELLM_MASTER_KEY"].value == "sk-1"
    assert gateway.why == f"container gw: its image is {IMAGE}"
    (said,) = search.searched
    assert said.result == "gw (docker)"
    assert len(engine.asked) == 2, "what is not LiteLLM's is not looked into"


def test_a_service_of_compose_is_operated_as_one(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services: {litellm: {}}\n")
    labels = {"com.docker.compose.project": "box", "com.docker.compose.service": "litellm",
              "com.docker.compose.project.config_files": str(file)}  # fmt: skip
    engine.add("box-litellm-1", IMAGE, ENTRY, labels=labels, running=False)
    engine.add("box-litellm-2", IMAGE, ENTRY, labels=labels)
    engine.add("run-1", IMAGE, ENTRY, labels=labels | {"com.docker.compose.oneoff": "True"})
    (found,) = _find(engine).found
    assert found.gateway.settings == Compose(project="box", service="litellm")
    assert (str(found.gateway), found.gateway.identity) == ("box/litellm (compose)", "compose box/litellm")
    assert found.gateway.active
    assert "service litellm of the Compose project box" in found.gateway.why
    assert "not on this machine" not in found.gateway.why


def test_a_stack_whose_file_is_elsewhere_says_so(engine: Engine) -> None:
    labels = {"com.docker.compose.project": "stack", "com.docker.compose.service": "gateway",
              "com.docker.compose.project.config_files": "/data/compose/3/docker-compose.yml"}  # fmt: skip
    engine.add("stack-gateway-1", IMAGE, ENTRY, labels=labels)
    (found,) = _find(engine).found
    assert found.gateway.kind == "compose"
    assert "its compose file /data/compose/3/docker-compose.yml is not on this machine" in found.gateway.why


def test_without_compose_the_container_itself_is_operated(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "has_compose", lambda _: False)
    labels = {"com.docker.compose.project": "box", "com.docker.compose.service": "litellm"}
    engine.add("box-litellm-1", IMAGE, ENTRY, labels=labels)
    (found,) = _find(engine).found
    assert found.gateway.settings == Docker(container="box-litellm-1")
    assert found.gateway.missing[0].mend == "install Docker Compose v2 (docker-compose-plugin)"


def test_an_image_of_another_name_is_found_by_the_process_in_it(engine: Engine) -> None:
    number = engine.add("gw", "me/gateway:1", ["/start.sh"])
    assert _find(engine).found == ()
    (found,) = _find(engine, number).found
    assert found.gateway.why == "container gw: a process in it is LiteLLM"


def test_those_that_run_come_first_and_a_stopped_one_is_told(engine: Engine) -> None:
    engine.add("old", IMAGE, ENTRY, running=False)
    engine.add("new", IMAGE, ENTRY)
    assert [(one.name, one.gateway.active) for one in _find(engine).found] == [("new", True), ("old", False)]


def test_a_quadlet_names_its_unit_and_a_pod_is_kubernetes_own(engine: Engine) -> None:
    engine.add("systemd-gw", IMAGE, ENTRY, labels={"PODMAN_SYSTEMD_UNIT": "gw.service"})
    assert _find(engine).found[0].quadlet == "gw.service"


def test_a_pod_is_kubernetes_own(engine: Engine) -> None:
    engine.add("k8s_litellm", IMAGE, ENTRY, labels={"io.kubernetes.pod.name": "litellm-0"})
    search = _find(engine)
    assert search.found == ()
    assert "see kubectl" in search.searched[0].result


def test_none_is_said_with_how_many_were_looked_at(engine: Engine) -> None:
    engine.add("db", "postgres:16", ["postgres"])
    engine.add("cache", "redis:7", ["redis-server"], running=False)
    assert _find(engine).searched[0].result == "none of 2 containers (1 running) is LiteLLM's"


# --- what cannot be asked ------------------------------------------------------------------------------------------


def test_where_there_is_no_engine_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "has_client", lambda _: False)
    assert find_containers({}, (str(tmp_path / "none"),)) == ContainerSearch()


def test_a_client_without_an_engine_is_told(tmp_path: Path) -> None:
    (said,) = find_containers({}, (str(tmp_path / "none"),)).searched
    assert "no engine at its socket" in said.result
    assert "DOCKER_HOST" in said.mend
    assert not said.blocked


def test_a_socket_that_may_not_be_used_names_the_group_and_is_not_asked(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.add("gw", IMAGE, ENTRY)
    os.chmod(engine.socket, 0o660)
    monkeypatch.setattr("litellm_tui.services.docker.sockets.os.access", lambda *_: False)
    monkeypatch.setattr("grp.getgrgid", lambda _: SimpleNamespace(gr_name="docker"))
    search = _find(engine)
    assert search.found == ()
    assert engine.asked == []
    (said,) = search.searched
    assert said.blocked
    assert said.result == "its socket may not be used by you (permission denied)"
    assert "usermod -aG docker " in said.mend


def test_a_socket_of_roots_own_group_is_used_with_sudo(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chmod(engine.socket, 0o600)
    monkeypatch.setattr("litellm_tui.services.docker.sockets.os.access", lambda *_: False)
    assert _find(engine).searched[0].mend == "run the console with sudo"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "the Docker engine does not answer"),
        (b"SSH-2.0-x\r\n\r\n", "speaks no HTTP"),
        (b"HTTP/1.0 200 OK\r\n\r\n{", "in another way than is known"),
        (b'HTTP/1.0 200 OK\r\n\r\n[{"Id": 7}]', "in another way than is known"),
        (b'HTTP/1.0 500 X\r\n\r\n{"message": "out of memory"}', "out of memory"),
    ],
)
def test_an_engine_that_answers_something_else_is_told_and_ends_nothing(
    engine: Engine, answer: bytes, words: str
) -> None:
    engine.raw = answer
    search = _find(engine)
    assert search.found == ()
    assert words in search.searched[0].result
    assert search.searched[0].blocked


def test_a_container_that_is_gone_a_moment_later_is_left_out(engine: Engine) -> None:
    number = engine.add("gw", IMAGE, ENTRY)
    engine.add("other", IMAGE, ENTRY)
    engine.bodies["/containers/json"] = engine.listed()
    del engine.containers[number]
    assert [one.name for one in _find(engine).found] == ["other"]


# --- which engine --------------------------------------------------------------------------------------------------


def _context(folder: Path, name: str, host: str) -> None:
    place = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    place.mkdir(parents=True)
    (place / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))


def test_the_engine_is_the_one_that_the_client_would_use(tmp_path: Path) -> None:
    own = {"DOCKER_CONFIG": str(tmp_path), "XDG_RUNTIME_DIR": "/run/user/7"}
    podman = ["/run/user/7/podman/podman.sock", "/run/podman/podman.sock"]

    def paths(**more: str) -> list[str]:
        return [one.path or one.elsewhere for one in engine_sockets(own | more)]

    assert paths() == ["/var/run/docker.sock", *podman]
    assert paths(DOCKER_HOST="unix:///x.sock") == ["/x.sock", *podman]
    assert paths(DOCKER_HOST="ssh://me@far.example") == ["ssh://far.example", *podman]
    _context(tmp_path, "rootless", "unix:///run/user/7/docker.sock")
    (tmp_path / "config.json").write_text('{"currentContext": "rootless"}')
    assert paths() == ["/run/user/7/docker.sock", *podman]
    assert paths(DOCKER_CONTEXT="default") == ["/var/run/docker.sock", *podman]
    for broken in ("[", "[]", '{"currentContext": 7}', '{"currentContext": "absent"}'):
        (tmp_path / "config.json").write_text(broken)
        assert paths() == ["/var/run/docker.sock", *podman]


def test_an_engine_elsewhere_is_not_searched_and_that_is_said() -> None:
    search = find_containers({"DOCKER_HOST": "tcp://user@10.0.0.7:2375", "XDG_RUNTIME_DIR": "/nonexistent"})
    assert search.found == ()
    assert search.searched[0].what == "containers of Docker at tcp://10.0.0.7:2375"
    assert "--container NAME" in search.searched[0].mend
