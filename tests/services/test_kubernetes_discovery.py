"""Which Deployments of a context are found, which is taken, and what is said where none may be read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.model.found import Missing
from litellm_tui.model.service_kinds import Kubernetes, Tools
from litellm_tui.model.service_target import FoundService, ServiceQuery
from litellm_tui.services.gateways import find_gateways
from litellm_tui.services.kubernetes.driver import find
from litellm_tui.target.choice import option_for

CONTEXT = {"contexts": [{"name": "prod", "context": {"cluster": "c", "namespace": "gw"}}], "current-context": "prod"}
FORBIDDEN = (
    'Error from server (Forbidden): deployments.apps is forbidden: User "jane" cannot list resource "deployments" in '
    'API group "apps" in the namespace "gw"'
)


def _deployment(name: str, namespace: str, image: str, ready: int = 1) -> dict[str, Any]:
    box = {"name": "main", "image": image, "args": ["--config", "/etc/litellm/config.yaml"]}
    return {
        "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": {"spec": {"containers": [box]}}},
        "status": {"readyReplicas": ready},
    }  # fmt: skip


class Client:
    """A kubectl that knows a context and these Deployments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "kubectl"
        program.write_text(
            f'#!/bin/sh\necho "$*" >>{folder}/asked\ncase "$*" in\n*"config view"*) cat {folder}/context;;\n'
            f"*--all-namespaces*) [ -e {folder}/all ] && exec cat {folder}/all; cat {folder}/refused >&2; exit 1;;\n"
            f"*) [ -e {folder}/own ] && exec cat {folder}/own; cat {folder}/refused >&2; exit 1;;\nesac\n",
            encoding="utf-8",
        )
        program.chmod(0o755)
        (folder / "context").write_text(json.dumps(CONTEXT), encoding="utf-8")
        (folder / "refused").write_text(FORBIDDEN, encoding="utf-8")
        (folder / "config").write_text("", encoding="utf-8")

    def has(self, place: str, *found: dict[str, Any]) -> None:
        (self.folder / place).write_text(json.dumps({"kind": "List", "items": found}), encoding="utf-8")

    def asked(self) -> str:
        file = self.folder / "asked"
        return file.read_text(encoding="utf-8") if file.exists() else ""


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    return Client(tmp_path)


TOOLS = Tools(systemctl=("/nonexistent",), proc="/nonexistent", docker_sockets=())
LITELLM = "ghcr.io/berriai/litellm:main-stable"


def _found() -> FoundService:
    return find(ServiceQuery(TOOLS, os.environ, "discovered", settings=Kubernetes(), url="http://127.0.0.1:1"))


def test_the_only_deployment_of_the_namespace_is_found_with_the_option_that_means_it(client: Client) -> None:
    client.has("own", _deployment("litellm", "gw", LITELLM), _deployment("shop", "gw", "nginx:1"))
    (found,) = find_gateways(TOOLS, os.environ, ("kubernetes",)).gateways
    assert (str(found), found.active) == ("gw/litellm (kubernetes)", True)
    assert found.settings == Kubernetes(context="prod", namespace="gw", deployment="litellm", container="main")
    assert option_for(found) == "--kind kubernetes --unit gw/litellm"
    assert "--all-namespaces" not in client.asked()
    assert all("--context=prod" in line for line in client.asked().splitlines()[1:])


def test_where_the_namespace_has_none_all_are_looked_through_and_several_are_named(client: Client) -> None:
    client.has("own", _deployment("shop", "gw", "nginx:1"))
    client.has("all", _deployment("one", "a", LITELLM), _deployment("two", "b", LITELLM, ready=0))
    found = _found()
    assert found.name is None
    assert found.missing[0].why == "several run LiteLLM: a/one (kubernetes), b/two (kubernetes)"


def test_a_right_that_is_missing_is_said_and_is_not_none(client: Client) -> None:
    discovery = find_gateways(TOOLS, os.environ, ("kubernetes",))
    assert discovery.gateways == ()
    (said,) = discovery.searched
    assert said.blocked
    assert "(RBAC) do not let you list deployments.apps" in said.result
    assert isinstance(_found().missing[0], Missing)


def test_without_a_kubeconfig_kubectl_is_not_run(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nonexistent")
    discovery = find_gateways(TOOLS, os.environ, ("kubernetes",))
    assert (discovery.gateways, discovery.searched, client.asked()) == ((), (), "")
