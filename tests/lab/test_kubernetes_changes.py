"""Changes of Deployments on a real Kubernetes: rolled over, taken back, refused."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from litellm_tui.model.failures import Begun, Failure
from litellm_tui.services.kubernetes import rollout
from litellm_tui.services.kubernetes.config_write import write_key
from litellm_tui.services.kubernetes.kubectl import Cluster as Client
from litellm_tui.services.kubernetes.kubectl import Forbidden, NotLoggedIn
from tests.lab import upstream
from tests.lab.core import free_ports
from tests.lab.engine.balancer import Balancer
from tests.lab.engine.kubernetes import NAMESPACE, Cluster
from tests.lab.environments import environments
from tests.lab.kubernetes_gateway import (
    KEY,
    PORT,
    config_map,
    litellm,
    litellm_config,
    role,
    secret,
    service,
    small,
    small_config,
)


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

    # what a thread has started ends with it (see `Cluster._start`): here it is the tests' own
    with ThreadPoolExecutor(1) as beside:
        ordered = beside.submit(lambda: asyncio.run(rollout.restart(client, "away", PORT)))
        cluster.wait("a new pod", lambda: pods(cluster, "away").keys() != before.keys())
        cluster.stop_api()
        time.sleep(4)
        assert not ordered.done()
        cluster.start_api()
        assert ordered.result(120) is None
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


# the command itself, but for how long the gateway must go on to answer
QUICK = """\
import sys
from litellm_tui.analysis.change import proof
from litellm_tui.cli import main
proof.STEADY_SECONDS = 1.0
sys.exit(main(sys.argv[1:]))
"""


class Gateway:
    """Two replicas of a real LiteLLM, their ConfigMap and Secret, a Service with what stands for it, an upstream."""

    name = "litellm"

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        (port,) = free_ports(1)
        self.upstream = f"{cluster.bridge.address}:{port}"
        script = Path(upstream.__file__)
        self._upstream = subprocess.Popen([sys.executable, str(script), self.upstream], stdin=subprocess.DEVNULL)
        self.environment = environments()[0]
        self.config = litellm_config(self.upstream)
        keys = secret("litellm-keys", LITELLM_MASTER_KEY=KEY, UPSTREAM_KEY="sk-of-the-upstream")
        made = litellm(self.name, self.environment, grace=3)
        cluster.apply(config_map("litellm-config", self.config), keys, service(self.name), made)
        self.balancer = Balancer(cluster, self.name)

    def __enter__(self) -> Self:
        self.balancer.__enter__()
        self.cluster.wait("two pods of LiteLLM", lambda: len(self.balancer.ready) == 2)
        return self

    def __exit__(self, *_: object) -> None:
        self.balancer.__exit__(None, None, None)
        self._upstream.kill()
        self._upstream.wait()
        self.cluster.ask("delete", "--wait=false", f"deployment/{self.name}")

    def console(self, *words: str) -> subprocess.CompletedProcess[str]:
        """litellm-tui beside it, as an operator has it who can reach the Service."""
        environment = {**self.cluster.environment, "LITELLM_MASTER_KEY": KEY, "TERM": "dumb"}
        for name in ("STATE", "CACHE", "CONFIG"):
            environment[f"XDG_{name}_HOME"] = str(self.folder / name.lower())
        argv = [sys.executable, "-c", QUICK, *words]
        return subprocess.run(
            argv, env=environment, capture_output=True, text=True, check=False, timeout=400, stdin=subprocess.DEVNULL
        )

    def changed(self, *words: str) -> dict[str, Any]:
        """What a change through the address of the Service has come to."""
        done = self.console(*words, "--yes", "--json", "--url", self.balancer.url)
        assert done.stdout, done.stderr
        told = json.loads(done.stdout)
        assert isinstance(told, dict)
        return told

    def written(self) -> str:
        found = self.cluster.read("configmap", "litellm-config")["data"]["config.yaml"]
        assert isinstance(found, str)
        return found

    def models(self) -> set[str]:
        asked = httpx.get(f"{self.balancer.url}/v1/models", headers={"Authorization": f"Bearer {KEY}"}, timeout=30)
        return {one["id"] for one in asked.json()["data"]}


@pytest.fixture(scope="module")
def gateway(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(cluster, tmp_path_factory.mktemp("kubernetes")) as deployed:
        yield deployed


def test_a_restart_of_a_real_litellm_is_proved_in_every_pod(gateway: Gateway) -> None:
    before = pods(gateway.cluster, gateway.name)
    told = gateway.changed("restart", "--kind", "kubernetes", "--no-rehearsal")
    assert told["result"] == "applied", told
    assert not set(before) & set(pods(gateway.cluster, gateway.name))


def test_a_configuration_that_does_not_start_is_taken_back_with_its_revision(gateway: Gateway) -> None:
    before, running = gateway.written(), pods(gateway.cluster, gateway.name)
    # nothing that only reads the file knows it
    bad = gateway.folder / "bad.yaml"
    bad.write_text(litellm_config(gateway.upstream, litellm_settings={"callbacks": "custom.handler"}), encoding="utf-8")
    told = gateway.changed("apply", str(bad), "--kind", "kubernetes", "--no-rehearsal", "--force")
    assert told["result"] == "rolled back", told
    assert gateway.written() == before
    assert pods(gateway.cluster, gateway.name) == running


def test_a_good_configuration_is_in_every_pod(gateway: Gateway) -> None:
    good = gateway.folder / "good.yaml"
    good.write_text(litellm_config(gateway.upstream, models=("small", "large", "third")), encoding="utf-8")
    told = gateway.changed("apply", str(good), "--kind", "kubernetes", "--no-rehearsal")
    assert told["result"] == "applied", told
    assert gateway.written() == good.read_text(encoding="utf-8")
    assert all(gateway.models() == {"small", "large", "third"} for _ in range(4))
