"""The request that makes a container as it was, from what `docker inspect` printed of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from litellm_tui.model.failures import Malformed
from litellm_tui.services.docker.recreation import Creation, creation_of

ID = "0123456789ab" + "c" * 52
IMAGE = "sha256:" + "a" * 64


def _inspected(**more: Any) -> dict[str, Any]:
    return {
        "Id": ID, "Name": "/llm-gw-1", "Image": IMAGE,
        "Config": {"Hostname": ID[:12], "Image": "gw:1", "Env": ["KEY=sk-x"], "Cmd": ["litellm"], "Labels": {"a": "b"}},
        "HostConfig": {"NetworkMode": "llm_default", "Binds": ["/srv/conf:/app:ro"], "Memory": 1 << 30},
        "Mounts": [
            {"Type": "bind", "Source": "/srv/conf", "Destination": "/app", "RW": False},
            {"Type": "volume", "Name": "f" * 64, "Source": "/v", "Destination": "/data", "RW": True},
        ],
        "NetworkSettings": {"Networks": {
            "other": {"Aliases": [ID[:12]], "IPAddress": "10.0.0.2"},
            "llm_default": {"Aliases": ["gw", ID[:12]], "IPAddress": "10.0.1.2", "MacAddress": "02:42"},
        }},
        **more,
    }  # fmt: skip


def _creation(**more: Any) -> Creation:
    found = creation_of(json.dumps([_inspected(**more)]).encode())
    assert isinstance(found, Creation)
    return found


def test_all_that_it_was_made_with_is_in_the_request() -> None:
    found = _creation()
    assert (found.name, found.tag) == ("llm-gw-1", "gw:1")
    assert (found.body["Env"], found.body["Cmd"], found.body["Labels"]) == (["KEY=sk-x"], ["litellm"], {"a": "b"})
    assert found.body["HostConfig"]["Memory"] == 1 << 30
    # by its digest, and with the data of a volume that has no name of its own
    assert found.body["Image"] == IMAGE
    assert found.body["HostConfig"]["Binds"] == ["/srv/conf:/app:ro", f"{'f' * 64}:/data"]


def test_what_the_engine_gave_to_the_one_before_is_not() -> None:
    found = _creation()
    assert "Hostname" not in found.body
    assert found.body["NetworkingConfig"] == {"EndpointsConfig": {"llm_default": {"Aliases": ["gw"]}}}
    assert found.networks == {"other": {}}


@pytest.mark.parametrize("mode", ["host", "none", "container:abc"])
def test_a_container_without_a_network_of_its_own_joins_none(mode: str) -> None:
    found = _creation(HostConfig={"NetworkMode": mode})
    assert "NetworkingConfig" not in found.body
    assert found.networks == {}


@pytest.mark.parametrize(
    "kept", [b"", b"{", b"[]", b"{}", b"[{}]", b'[{"Config": 1, "HostConfig": {}, "Image": "x"}]', b"[1]"]
)
def test_what_is_no_definition_makes_nothing(kept: bytes) -> None:
    assert isinstance(creation_of(kept), Malformed)
