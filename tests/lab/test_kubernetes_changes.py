"""Changes of Deployments on a real Kubernetes: rolled over, taken back, refused, and what a client notices of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from litellm_tui.model.failures import Begun, Failure
from litellm_tui.services.kubernetes import rollout
from litellm_tui.services.kubernetes.config_write import write_key
from litellm_tui.services.kubernetes.kubectl import Cluster as Client
from litellm_tui.services.kubernetes.kubectl import Forbidden, NotLoggedIn
from tests.lab.engine.kubernetes import NAMESPACE, Cluster
from tests.lab.environments import environments
from tests.lab.kubernetes_gateway import PORT, config_map, role, small, small_config
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def _of_this_cluster(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBECONFIG", "PATH"):
        monkeypatch.setenv(name, cluster.environment[name])


@pytest.fixture
def client(cluster: Cluster) -> Client:
    return Client("lab", NAMESPACE, cluster.kubectl_path)


@pytest.fixture
def deployed(cluster: Cluster) -> Iterator[Callable[..., None]]:
    """Deploys one of a few lines, ready when it returns; what it was is deleted at the end."""
    names = []

    def deploy(name: str, **more: Any) -> None:
        names.append(name)
        cluster.apply(config_map(f"{name}-config", small_config("one")), small(name, environments()[0], **more))
        cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=120s")

    yield deploy
    for name in names:
        cluster.ask("delete", "--wait=false", f"deployment/{name}", f"configmap/{name}-config")


def pods(cluster: Cluster, name: str) -> dict[str, bool]:
    """The pods that are not being ended, and whether they are ready."""
    return {
        one["metadata"]["name"]: all(
            status["ready"] for status in one["status"].get("containerStatuses", [{"ready": 0}])
        )
        for one in cluster.read("pods", f"--selector=app={name}")["items"]
        if "deletionTimestamp" not in one["metadata"]
    }


def change(cluster: Cluster, name: str, **container: Any) -> None:
    """As somebody who edits the Deployment: its next pods are others."""
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "litellm", **container}]}}}}
    cluster.kubectl("patch", f"deployment/{name}", "--patch", json.dumps(patch))


def test_a_restart_replaces_every_pod(cluster: Cluster, client: Client, deployed: Callable[..., None]) -> None:
    deployed("rolled", replicas=2)
    before = pods(cluster, "rolled")
    assert asyncio.run(rollout.restart(client, "rolled", PORT)) is None
    after = pods(cluster, "rolled")
    assert (len(before), len(after), set(before) & set(after)) == (2, 2, set())
    assert all(after.values())


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"image": "registry.invalid/litellm:none"}, "ImagePull"),
        ({"env": [{"name": "SPOILT", "value": "1"}]}, "litellm ended (exit status 1)"),
        (
            {"command": ["/bin/sh", "-c", "x=0123456789; while :; do x=$x$x; done"],
             "resources": {"limits": {"memory": "24Mi"}}},
            "litellm ended (OOMKilled)",
        ),
    ],
    ids=["image", "crash", "memory"],
)  # fmt: skip
def test_what_does_not_start_is_told_and_taken_back(
    cluster: Cluster, client: Client, deployed: Callable[..., None], broken: dict[str, Any], said: str
) -> None:
    deployed("broken")
    before = pods(cluster, "broken")
    kept = asyncio.run(rollout.keep(client, "broken"))
    assert isinstance(kept, bytes), kept
    change(cluster, "broken", **broken)
    failed = asyncio.run(rollout.restart(client, "broken", PORT))
    assert isinstance(failed, Begun), failed
    assert said in failed.why
    if "env" in broken:
        assert "SPOILT is set: the gateway does not start" in failed.why
    assert set(before) < set(pods(cluster, "broken"))
    assert asyncio.run(rollout.undo(client, "broken", kept, PORT)) is None
    assert pods(cluster, "broken") == dict.fromkeys(before, True)


def test_a_rollout_that_is_stuck_ends_with_its_deadline(
    cluster: Cluster, client: Client, deployed: Callable[..., None]
) -> None:
    deployed("stuck", deadline=8)
    change(cluster, "stuck", readinessProbe={"httpGet": {"path": "/never", "port": PORT}, "periodSeconds": 1})
    failed = asyncio.run(rollout.restart(client, "stuck", PORT))
    assert isinstance(failed, Begun), failed
    assert "the rollout of stuck is stuck" in failed.why
    assert "progress" in failed.why


def test_the_api_server_is_gone_and_back(cluster: Cluster, client: Client, deployed: Callable[..., None]) -> None:
    """What is under way is not given up: the pods go on without it, and so does the wait."""
    deployed("away", replicas=2)
    before = pods(cluster, "away")

    async def gone() -> Failure | None:
        ordered = asyncio.create_task(rollout.restart(client, "away", PORT))
        await eventually(lambda: pods(cluster, "away").keys() != before.keys(), "a new pod")
        await asyncio.to_thread(cluster.stop_api)
        await asyncio.sleep(4)
        assert not ordered.done()
        await asyncio.to_thread(cluster.start_api)
        return await ordered

    assert asyncio.run(gone()) is None
    assert not set(before) & set(pods(cluster, "away"))


def test_it_is_stopped_and_started_with_as_many(
    cluster: Cluster, client: Client, deployed: Callable[..., None]
) -> None:
    deployed("scaled", replicas=2)
    assert asyncio.run(rollout.scale(client, "scaled", PORT, up=False)) is None
    assert not pods(cluster, "scaled")
    assert asyncio.run(rollout.scale(client, "scaled", PORT, up=True)) is None
    assert list(pods(cluster, "scaled").values()) == [True, True]


def test_what_rights_forbid_is_named_and_nothing_is_changed(cluster: Cluster, deployed: Callable[..., None]) -> None:
    deployed("guarded")
    before = pods(cluster, "guarded")
    narrow = Client("narrow", NAMESPACE, cluster.kubectl_path)
    refused = asyncio.run(rollout.restart(narrow, "guarded", PORT))
    assert isinstance(refused, Forbidden)
    assert (refused.verb, refused.resource) == ("get", "deployments.apps")
    looks = (("apps", "deployments", ("get", "list")), ("apps", "replicasets", ("list",)))
    cluster.apply(*role("looks", *looks, ("", "pods", ("list",)), ("", "configmaps", ("get",))))
    refused = asyncio.run(rollout.restart(narrow, "guarded", PORT))
    assert isinstance(refused, Forbidden)
    assert (refused.verb, refused.resource) == ("patch", "deployments.apps")
    content = small_config("one").encode()
    unwritten = write_key(narrow, "configmap", "guarded-config", "config.yaml", content, b"{}")
    assert isinstance(unwritten, Forbidden)
    assert (unwritten.verb, unwritten.resource) == ("update", "configmaps")
    assert pods(cluster, "guarded") == before
    expired = asyncio.run(rollout.restart(Client("expired", NAMESPACE, cluster.kubectl_path), "guarded", PORT))
    assert isinstance(expired, NotLoggedIn)


def test_a_configuration_is_written_where_it_still_is_what_was_read(cluster: Cluster, client: Client) -> None:
    first, second, third = (small_config(name).encode() for name in ("first", "second", "third"))
    cluster.apply(config_map("written", first.decode()))
    done = write_key(client, "configmap", "written", "config.yaml", first, second)
    assert done == "a new version of the configmap written is written"
    refused = write_key(client, "configmap", "written", "config.yaml", first, third)
    assert isinstance(refused, Failure)
    assert "was changed by somebody else meanwhile" in refused.why
    assert cluster.read("configmap", "written")["data"]["config.yaml"].encode() == second
    cluster.kubectl("delete", "configmap/written")
