"""What decides over a rollout, and what a rehearsal's pod is made of, from objects as kubectl prints them."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from litellm_tui.model.failures import Failure
from litellm_tui.model.rehearsal import RehearsalOrder
from litellm_tui.services.kubernetes.config_write import value_of
from litellm_tui.services.kubernetes.objects import Deployment, Pod
from litellm_tui.services.kubernetes.rehearsal import LABEL, NAME, Template, objects_of
from litellm_tui.services.kubernetes.rollout import ended_with, is_complete, why_hopeless, why_stuck

NOW = 1_800_000_000.0


def pod(**status: Any) -> Pod:
    made = {"name": "gw-1", "creationTimestamp": "2027-01-15T07:00:00Z"}
    return msgspec.convert({"metadata": made, "status": status}, Pod)


def container(**state: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "litellm", **state}]}


ENDED = {"terminated": {"exitCode": 1, "reason": "Error"}}


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (container(state={"waiting": {"reason": "ContainerCreating"}}), ""),
        (container(state={"running": {}}, lastState=ENDED), ""),
        (container(state=ENDED), "litellm ended (exit status 1)"),
        (
            container(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=ENDED),
            "CrashLoopBackOff, litellm ended (exit status 1)",
        ),
        (container(state={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}), "litellm ended (OOMKilled)"),
        (
            container(state={"waiting": {"reason": "ErrImagePull", "message": "no such host"}}),
            "ErrImagePull: no such host",
        ),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}, "Evicted low on memory"),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes: insufficient memory"}]},
            "no node takes it: 0/1 nodes: insufficient memory",
        ),
    ],
)
def test_a_pod_that_will_not_become_ready(status: dict[str, Any], why: str) -> None:
    assert why_hopeless(pod(**status), NOW) == why


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("ImportError: Could not import mine from custom\n\n\x1b[1;31mGive Feedback / Get Help\x1b[0m\n",
         "ImportError: Could not import mine from custom"),
        ("starting\n\x1b[31mno memory left\x1b[0m\n\n", "its last line: no memory left"),
        ("\n", ""),
    ],
)  # fmt: skip
def test_what_a_pod_ended_with(log: str, words: str) -> None:
    assert ended_with(log) == words


def deployment(generation: int = 2, **status: Any) -> Deployment:
    found = {"metadata": {"name": "gw", "generation": generation}, "spec": {"replicas": 2}, "status": status}
    return msgspec.convert(found, Deployment)


@pytest.mark.parametrize(
    ("status", "complete"),
    [
        ({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, False),
        ({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3}, False),
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}, False),
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 2}, False),
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, True),
    ],
    ids=["not seen yet", "an old one is left", "one is not ready", "one is old", "all"],
)
def test_when_a_rollout_is_done(status: dict[str, Any], complete: bool) -> None:
    assert is_complete(deployment(**status)) == complete


def test_a_rollout_beyond_its_deadline_is_stuck_once_its_change_is_seen() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    assert why_stuck(deployment(observedGeneration=2, conditions=[late]), [], NOW) == (
        "the rollout of gw is stuck: timed out"
    )
    # what is said of the one before
    assert not why_stuck(deployment(observedGeneration=1, conditions=[late]), [], NOW)


def test_a_rehearsal_is_no_pod_of_the_deployment() -> None:
    """Nothing counts it, looks after it or sends to it; it has the derived file where LiteLLM reads the real one."""
    spec = {
        "nodeName": "node-1", "restartPolicy": "Always",
        "containers": [
            {
                "name": "litellm", "image": "i", "livenessProbe": {"httpGet": {}}, "readinessProbe": {"httpGet": {}},
                "env": [{"name": "DATABASE_URL", "value": "postgres://x"}, {"name": "KEPT", "value": "1"}],
                "volumeMounts": [{"name": "config", "mountPath": "/etc/litellm"}],
            },
            {"name": "sidecar", "image": "s"},
        ],
        "volumes": [{"name": "config", "configMap": {"name": "gw-config"}}],
    }  # fmt: skip
    template = Template(spec, {}, "litellm", "/etc/litellm/config.yaml", 4000)
    order = RehearsalOrder("litellm-tui-rehearsal-1", None, "/x", "/y", 1, {"DATABASE_URL": None, "NEW": "2"})
    made = objects_of(template, order, b"model_list: []")
    assert not isinstance(made, Failure)
    secret, one = made
    assert base64.b64decode(secret["data"]["config"]) == b"model_list: []"
    assert one["metadata"]["labels"].keys() == {LABEL, NAME}
    assert one["spec"]["restartPolicy"] == "Never"
    assert "nodeName" not in one["spec"]
    main, sidecar = one["spec"]["containers"]
    assert not main.keys() & {"livenessProbe", "readinessProbe"}
    assert main["env"] == [{"name": "KEPT", "value": "1"}, {"name": "NEW", "value": "2"}]
    assert main["volumeMounts"][-1]["mountPath"] == "/etc/litellm/config.yaml"
    assert sidecar == {"name": "sidecar", "image": "s"}
    assert spec["restartPolicy"] == "Always"


def test_what_an_object_holds_under_a_key() -> None:
    encoded = base64.b64encode(b"a: 1").decode()
    assert value_of({"data": {"c.yaml": "a: 1"}}, "configmap", "c.yaml") == b"a: 1"
    assert value_of({"binaryData": {"c.yaml": encoded}}, "configmap", "c.yaml") == b"a: 1"
    assert value_of({"data": {"c.yaml": encoded}}, "secret", "c.yaml") == b"a: 1"
    assert value_of({"data": {}}, "secret", "c.yaml") is None
