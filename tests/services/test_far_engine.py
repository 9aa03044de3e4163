"""A container on another machine: where it is looked for from here, and which of its files are no files of this one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from litellm_tui.services.docker.container_unit import unit_from
from litellm_tui.services.docker.docker_cli import Container, parse_containers
from litellm_tui.services.docker.far_engine import as_seen_from_here, engine_host, out_of_reach


def _container(*bindings: str, **more: Any) -> Container:
    ports = {"4000/tcp": [{"HostIp": ip, "HostPort": "4100"} for ip in bindings]} if bindings else {}
    said = {
        "Id": "a", "Name": "/gw", "Path": "litellm", "Args": ["--config", "/app/c.yaml"],
        "Mounts": [{"Type": "bind", "Source": "/srv", "Destination": "/app"}],
        "NetworkSettings": {"Ports": ports}, **more,
    }  # fmt: skip
    found = parse_containers(json.dumps([said]))
    assert isinstance(found, list)
    return found[0]


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("ssh://me@box.example:2222", "box.example"), ("tcp://10.0.0.7:2376", "10.0.0.7"),
        ("tcp://[fd00::7]:1", "fd00::7"), ("ssh://127.0.0.1", ""), ("unix:///x.sock", ""), ("tcp://[broken", ""),
    ],
)  # fmt: skip
def test_the_engine_is_on_the_machine_that_its_endpoint_names(endpoint: str, host: str) -> None:
    assert engine_host("docker", {"DOCKER_HOST": endpoint, "HOME": "/nonexistent"}) == host
    assert engine_host("podman", {"DOCKER_HOST": endpoint}) == ""


def test_its_port_is_that_machines_and_its_mounted_file_is_no_file_of_this_one() -> None:
    found = _container("0.0.0.0")
    unit = unit_from(found, "gw", "docker")
    assert (unit.url, unit.config) == ("http://127.0.0.1:4100", "/srv/c.yaml")
    assert as_seen_from_here(unit, "") is unit
    there = as_seen_from_here(unit, "box.example")
    assert (there.url, there.config, there.inside) == ("http://box.example:4100", None, "/app/c.yaml")
    assert as_seen_from_here(unit, "fd00::7").url == "http://[fd00::7]:4100"
    assert out_of_reach(found, there, "box.example") == ()


def test_a_port_of_that_machine_alone_is_told_with_a_tunnel() -> None:
    found = _container("127.0.0.1", "::1")
    there = as_seen_from_here(unit_from(found, "gw", "docker"), "box.example")
    (missing,) = out_of_reach(found, there, "box.example")
    assert "published on box.example itself alone" in missing.why
    assert missing.mend == "ssh -L 4100:127.0.0.1:4100 box.example, and --url http://127.0.0.1:4100"
    assert out_of_reach(found, there, "") == ()
    assert out_of_reach(_container(), there, "box.example") == ()
