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
ORDER = RehearsalOrder("litellm-tui-rehearsal-1", None, "/x", "/y", 1, {})


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
        ("starting\n\x1b[31mno memory left\x1b[0m\n\n", "its last line: no memory left"),
        ("\n", ""),
    ],
)  # fmt: skip
def test_what_a_pod_ended_with_that_names_no_error(log: str, words: str) -> None:
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


def test_the_last_words_of_a_litellm_are_its_error() -> None:
    """As 1.106.2 ends where a callback cannot be imported."""
    said = (
        "Traceback (most recent call last):\n"
        "ImportError: Could not import handler from custom\n\n"
        "ERROR:    Application startup failed. Exiting.\n\n"
        "#------------------------------------------------------------#\n"
        "#            'This product would be better if...'             #\n"
        " Thank you for using LiteLLM! - Krrish & Ishaan\n"
        "\x1b[1;31mGive Feedback / Get Help: https://github.com/BerriAI/litellm/issues/new\x1b[0m\n"
    )
    assert ended_with(said) == "ImportError: Could not import handler from custom"


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
    order = msgspec.structs.replace(ORDER, environment={"DATABASE_URL": None, "NEW": "2"})
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
    (mount,) = main["volumeMounts"]
    assert mount["mountPath"] == "/etc/litellm"
    derived = {"secret": {"name": order.name, "items": [{"key": "config", "path": "config.yaml"}]}}
    projected = next(volume["projected"] for volume in one["spec"]["volumes"] if volume["name"] == mount["name"])
    assert projected == {"sources": [{"configMap": {"name": "gw-config"}}, derived]}
    assert sidecar == {"name": "sidecar", "image": "s"}
    assert spec["restartPolicy"] == "Always"


@pytest.mark.parametrize(
    ("volume", "kept"),
    [
        (
            {"secret": {"secretName": "s", "defaultMode": 420, "items": [{"key": "a", "path": "config.yaml"},
                                                                         {"key": "b", "path": "more.yaml"}]}},
            [{"secret": {"name": "s", "items": [{"key": "b", "path": "more.yaml"}]}}],
        ),
        ({"configMap": {"name": "c", "items": [{"key": "a", "path": "config.yaml"}]}}, []),
        (
            {"projected": {"sources": [{"configMap": {"name": "c"}}, {"secret": {"name": "s"}}]}},
            [{"configMap": {"name": "c"}}, {"secret": {"name": "s"}}],
        ),
    ],
    ids=["items", "this item alone", "projected"],
)  # fmt: skip
def test_beside_the_derived_file_its_folder_is_what_it_was(volume: dict[str, Any], kept: list[Any]) -> None:
    container = {"name": "litellm", "volumeMounts": [{"name": "config", "mountPath": "/etc/litellm/"}]}
    spec = {"containers": [container], "volumes": [{"name": "config", **volume}]}
    made = objects_of(Template(spec, {}, "litellm", "/etc/litellm/config.yaml", 4000), ORDER, b"a: 1")
    assert not isinstance(made, Failure)
    derived = {"secret": {"name": ORDER.name, "items": [{"key": "config", "path": "config.yaml"}]}}
    assert made[1]["spec"]["volumes"][-1]["projected"]["sources"] == [*kept, derived]


def test_a_file_that_is_mounted_alone_is_exchanged_alone() -> None:
    mounts = [{"name": "config", "mountPath": "/app/config.yaml", "subPath": "config.yaml"}]
    spec = {"containers": [{"name": "litellm", "volumeMounts": mounts}],
            "volumes": [{"name": "config", "configMap": {"name": "c"}}]}  # fmt: skip
    made = objects_of(Template(spec, {}, "litellm", "/app/config.yaml", 4000), ORDER, b"a: 1")
    assert not isinstance(made, Failure)
    (mount,) = made[1]["spec"]["containers"][0]["volumeMounts"]
    assert (mount["mountPath"], mount["subPath"]) == ("/app/config.yaml", "config")
    assert made[1]["spec"]["volumes"][-1]["secret"]["secretName"] == ORDER.name


def test_what_an_object_holds_under_a_key() -> None:
    encoded = base64.b64encode(b"a: 1").decode()
    assert value_of({"data": {"c.yaml": "a: 1"}}, "configmap", "c.yaml") == b"a: 1"
    assert value_of({"binaryData": {"c.yaml": encoded}}, "configmap", "c.yaml") == b"a: 1"
    assert value_of({"data": {"c.yaml": encoded}}, "secret", "c.yaml") == b"a: 1"
    assert value_of({"data": {}}, "secret", "c.yaml") is None
