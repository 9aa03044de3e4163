"""What kubectl's messages and the objects of Kubernetes mean: failures, pods, configuration, environment, rights."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest

from litellm_tui.host.command import Done
from litellm_tui.host.copies import ClusterKey, cluster_copy, cluster_origin
from litellm_tui.model.failures import Failure, NotAvailable, Unreachable
from litellm_tui.model.service_kinds import Kubernetes
from litellm_tui.model.workload import PodState
from litellm_tui.services.kubernetes import kubeconfig, pod_state
from litellm_tui.services.kubernetes.definition import (
    ConfigKey,
    config_key,
    data_of,
    environment_of,
    litellm_container,
    port_of,
    unit_from,
)
from litellm_tui.services.kubernetes.description import NEEDED, missing_of, probes
from litellm_tui.services.kubernetes.kubectl import (
    Cluster,
    Forbidden,
    NoKubectl,
    NoSuchObject,
    NotLoggedIn,
    refusal,
)
from litellm_tui.services.kubernetes.objects import (
    Deployment,
    Pod,
    PodSpec,
    Secret,
    Selector,
    parse_time,
    selector_text,
)
from litellm_tui.services.kubernetes.pod_answers import PodAnswers
from litellm_tui.services.kubernetes.pod_log import PodLines, in_order

NOW = 1_780_000_000.0
KLOG = (
    'E1130 21:12:30.145227   23035 memcache.go:265] "Unhandled Error" err="couldn\'t get current server API group '
    'list: Get \\"https://127.0.0.1:6999/api?timeout=4s\\": dial tcp 127.0.0.1:6999: connect: connection refused"\n'
)
BLOCK = (
    'E1130 21:12:31.567113   23058 memcache.go:265] "Unhandled Error" err=<\n'
    "\tcouldn't get current server API group list: getting credentials: exec: executable no-such-plugin not found\n"
    " >\n"
)


def _refused(said: str) -> Failure:
    return refusal(Done(1, "", said), "prod")


# as kubectl 1.32 printed them
@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (
            KLOG * 5
            + "The connection to the server 127.0.0.1:6999 was refused - did you specify the right host or port?",
            Unreachable,
            "the API server of the context prod does not answer at 127.0.0.1:6999 (refused)",
        ),
        (
            "Unable to connect to the server: dial tcp: lookup nosuch.invalid on 10.255.255.53:53: no such host",
            Unreachable,
            "at nosuch.invalid (its name is not known)",
        ),
        (
            "Unable to connect to the server: net/http: TLS handshake timeout",
            Unreachable,
            "no answer in time",
        ),
        (
            BLOCK
            + "Unable to connect to the server: getting credentials: exec: executable no-such-plugin not found\n\n"
            "It looks like you are trying to use a client-go credential plugin that is not installed.",
            NotLoggedIn,
            "the login of the context prod fails: exec: executable no-such-plugin not found",
        ),
        ('error: context "prod" does not exist', NoKubectl, "the kubeconfig has no context prod"),
        ("error: cannot locate context prod", NoKubectl, "the kubeconfig has no context prod"),
        ("error: You must be logged in to the server (Unauthorized)", NotLoggedIn, "token expired"),
        (
            'Error from server (Forbidden): pods is forbidden: User "jane" cannot list resource "pods" in API group "" '
            'in the namespace "gw"',
            Forbidden,
            "do not let you list pods in the namespace gw",
        ),
        (
            'Error from server (NotFound): deployments.apps "litellm" not found',
            NoSuchObject,
            'deployments.apps "litellm" not found',
        ),
        ("error: Metrics API not available", NotAvailable, "Metrics API not available"),
    ],
)
def test_each_message_of_kubectl_is_a_named_failure_with_a_step(said: str, kind: type[Failure], words: str) -> None:
    found = _refused(said)
    assert type(found) is kind
    assert words in found.why


def test_the_right_that_is_missing_is_named() -> None:
    found = _refused(
        'Error from server (Forbidden): horizontalpodautoscalers.autoscaling is forbidden: User "jane" cannot list '
        'resource "horizontalpodautoscalers" in API group "autoscaling" in the namespace "gw"'
    )
    assert isinstance(found, Forbidden)
    assert (found.verb, found.resource) == ("list", "horizontalpodautoscalers.autoscaling")


def test_a_message_shows_no_secret() -> None:
    assert "sk-1234567890abcdef" not in _refused("error: something about token=sk-1234567890abcdef").why


def test_the_context_is_always_given() -> None:
    words = Cluster("prod", "gw", "oc").command("get", "pods", seconds=5)
    assert words == ["oc", "--context=prod", "--namespace=gw", "--request-timeout=5s", "get", "pods"]


def test_a_client_that_is_missing_is_named() -> None:
    found = Cluster("prod", "gw", "/nonexistent/kubectl").run_now("get", "pods")
    assert isinstance(found, NoKubectl)
    assert "install kubectl" in found.why


def test_without_a_kubeconfig_nothing_is_looked_for(tmp_path: Path) -> None:
    program = tmp_path / "kubectl"
    program.write_text("#!/bin/sh\n", encoding="ascii")
    program.chmod(0o755)
    here = {"HOME": str(tmp_path), "PATH": str(tmp_path)}
    assert not kubeconfig.has_kubernetes(here)
    config = tmp_path / "other"
    config.write_text("", encoding="ascii")
    assert kubeconfig.has_kubernetes({**here, "KUBECONFIG": f"/nonexistent:{config}"})
    assert not kubeconfig.has_kubernetes({**here, "KUBECONFIG": str(config), "PATH": "/nonexistent"})


# --- pods -----------------------------------------------------------------------------------------------------------


def _pod(status: dict[str, Any], *, template: str = "aaa", **meta: str) -> Pod:
    found = {
        "metadata": {
            "name": "litellm-aaa-x2x2x", "uid": "1", "creationTimestamp": "2026-05-28T20:00:00Z",
            "labels": {"pod-template-hash": template}, **meta,
        },
        "spec": {"containers": [{"name": "litellm", "image": "ghcr.io/berriai/litellm:v1"}]},
        "status": status,
    }  # fmt: skip
    return msgspec.convert(found, Pod)


def _container(state: dict[str, Any], *, ready: bool = False, restarts: int = 0, **more: Any) -> dict[str, Any]:
    return {"name": "litellm", "ready": ready, "restartCount": restarts, "state": state, **more}


WAITS = {"type": "Ready", "status": "False"}
READY = {"type": "Ready", "status": "True"}
OOM = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-05-28T20:10:00Z"}}
ENDED = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-05-28T20:10:00Z"}}


@pytest.mark.parametrize(
    ("status", "trouble", "state", "words"),
    [
        (
            {"phase": "Running", "conditions": [READY], "containerStatuses": [
                _container({"running": {"startedAt": "2026-05-28T20:00:10Z"}}, ready=True)]},
            "", "Running", "",
        ),
        (
            {"phase": "Running", "conditions": [WAITS], "containerStatuses": [
                _container({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed"}},
                           restarts=6, lastState=ENDED)]},
            "crash loop", "CrashLoopBackOff", "it ends again and again (Error, status 1)",
        ),
        (
            {"phase": "Running", "conditions": [WAITS], "containerStatuses": [
                _container({"waiting": {"reason": "CrashLoopBackOff"}}, restarts=2, lastState=OOM)]},
            "out of memory", "CrashLoopBackOff", "it ends again and again (OOMKilled)",
        ),
        (
            {"phase": "Pending", "conditions": [WAITS], "containerStatuses": [
                _container({"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x:1"'}})]},
            "image", "ImagePullBackOff", 'Back-off pulling image "x:1"',
        ),
        (
            {"phase": "Pending", "conditions": [WAITS], "containerStatuses": [
                _container({"waiting": {"reason": "CreateContainerConfigError", "message": 'no secret "keys"'}})]},
            "configuration", "CreateContainerConfigError", 'no secret "keys"',
        ),
        (
            {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                                                 "message": "0/3 nodes are available: 3 Insufficient memory."}]},
            "pending", "Unschedulable", "0/3 nodes are available: 3 Insufficient memory.",
        ),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."},
            "evicted", "Evicted", "The node was low on resource: memory.",
        ),
        (
            {"phase": "Running", "conditions": [WAITS], "containerStatuses": [
                _container({"running": {"startedAt": "2026-05-28T20:00:10Z"}})]},
            "not ready", "Running", "its readiness probe fails, and it gets no requests",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_pod(status: dict[str, Any], trouble: str, state: str, words: str) -> None:
    found = pod_state.pod_state(_pod(status), "litellm", "aaa", NOW)
    assert (found.trouble, found.state, found.why) == (trouble, state, words)
    assert found.ready is (not trouble)


def test_a_pod_that_was_just_started_is_not_in_trouble() -> None:
    young = {"running": {"startedAt": "2026-05-28T20:25:30Z"}}
    started = parse_time("2026-05-28T20:25:30Z")
    assert started is not None
    pod = _pod({"phase": "Running", "conditions": [WAITS], "containerStatuses": [_container(young)]})
    assert pod_state.pod_state(pod, "litellm", "", started + 30).trouble == ""


def test_a_pod_that_ends_or_is_of_an_older_template_is_told_so() -> None:
    status = {"phase": "Running", "conditions": [READY], "containerStatuses": []}
    found = pod_state.pod_state(_pod(status, deletionTimestamp="2026-05-28T20:20:00Z"), "litellm", "bbb", NOW)
    assert (found.ending, found.ready, found.current, found.state) == (True, False, False, "Terminating")


def test_the_deployment_is_a_service_that_is_active_while_one_pod_is_ready() -> None:
    good = _pod(
        {"phase": "Running", "conditions": [READY], "containerStatuses": [
            _container({"running": {"startedAt": "2026-05-28T20:00:10Z"}}, ready=True)]}
    )  # fmt: skip
    bad = _pod(
        {"phase": "Running", "conditions": [WAITS], "containerStatuses": [
            _container({"waiting": {"reason": "CrashLoopBackOff"}}, restarts=4, lastState=ENDED)]},
        name="litellm-aaa-y2y2y", uid="2",
    )  # fmt: skip
    for pods, state in (
        ((good, bad), "active (running)"),
        ((bad,), "activating (auto-restart)"),
        ((), "activating (start)"),
    ):
        deployment = _deployment()
        states = tuple(pod_state.pod_state(pod, "litellm", "aaa", NOW) for pod in pods)
        found = pod_state.workload(deployment, states, 3, "prod", ())
        service = pod_state.service_from(deployment, pods, found, "aaa")
        assert f"{service.active_state} ({service.sub_state})" == state
        assert service.restarts == sum(one.restarts for one in states)
    stopped = pod_state.workload(_deployment(replicas=0), (), 3, "prod", ())
    assert pod_state.service_from(_deployment(replicas=0), (), stopped, "aaa").active_state == "inactive"


# --- what the manifest says ------------------------------------------------------------------------------------------


def _deployment(replicas: int = 2, **container: Any) -> Deployment:
    box = {"name": "litellm", "image": "ghcr.io/berriai/litellm:main-stable", **container}
    found = {
        "metadata": {"name": "litellm", "namespace": "gw", "uid": "d"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "litellm"}},
                 "template": {"spec": {"containers": [{"name": "istio-proxy", "image": "istio/proxyv2"}, box]}}},
    }  # fmt: skip
    return msgspec.convert(found, Deployment)


@pytest.mark.parametrize(
    ("container", "is_gateway"),
    [
        ({"args": ["--config", "/app/config.yaml"]}, True),
        ({}, True),
        ({"image": "registry.example/our/gateway:7", "command": ["litellm", "--port", "4000"]}, True),
        ({"command": ["prisma", "migrate", "deploy"]}, False),
        ({"image": "postgres:16"}, False),
    ],
)
def test_the_container_that_runs_litellm_is_found_by_its_image_or_its_command(
    container: dict[str, Any], is_gateway: bool
) -> None:
    found = litellm_container(_deployment(**container).spec.template.spec)
    assert (found.name if found else "") == ("litellm" if is_gateway else "")


VOLUMES: list[dict[str, Any]] = [
    {"name": "config", "configMap": {"name": "litellm-config"}},
    {"name": "renamed", "configMap": {"name": "other", "items": [{"key": "prod.yaml", "path": "config.yaml"}]}},
    {"name": "secret", "secret": {"secretName": "litellm-secret"}},
    {"name": "both", "projected": {"sources": [{"secret": {"name": "keys", "items": [{"key": "a", "path": "a"}]}},
                                               {"configMap": {"name": "projected"}}]}},
    {"name": "disk", "emptyDir": {}},
]  # fmt: skip


@pytest.mark.parametrize(
    ("mount", "inside", "key"),
    [
        (("config", "/etc/litellm", ""), "/etc/litellm/config.yaml", ("configmap", "litellm-config", "config.yaml")),
        (
            ("config", "/app/proxy.yaml", "proxy.yaml"),
            "/app/proxy.yaml",
            ("configmap", "litellm-config", "proxy.yaml"),
        ),
        (("renamed", "/etc/litellm/", ""), "/etc/litellm/config.yaml", ("configmap", "other", "prod.yaml")),
        (("secret", "/etc/litellm", ""), "/etc/litellm/config.yaml", ("secret", "litellm-secret", "config.yaml")),
        (("both", "/etc/litellm", ""), "/etc/litellm/config.yaml", ("configmap", "projected", "config.yaml")),
        (("disk", "/etc/litellm", ""), "/etc/litellm/config.yaml", None),
        (("config", "/etc/lite", ""), "/etc/litellm/config.yaml", None),
    ],
)
def test_the_object_that_is_mounted_as_the_configuration(
    mount: tuple[str, str, str], inside: str, key: tuple[str, str, str] | None
) -> None:
    name, path, sub = mount
    spec = msgspec.convert(
        {"containers": [{"name": "litellm", "volumeMounts": [{"name": name, "mountPath": path, "subPath": sub}]}],
         "volumes": VOLUMES},
        PodSpec,
    )  # fmt: skip
    assert config_key(spec, spec.containers[0], inside) == (ConfigKey(*key) if key else None)


def test_the_environment_is_read_as_far_as_rights_go_and_no_value_is_made_up() -> None:
    deployment = _deployment(
        args=["--config", "/etc/litellm/config.yaml", "--port", "4100"],
        envFrom=[{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "hidden"}}],
        env=[
            {"name": "LITELLM_LOG", "value": "INFO"},
            {"name": "COPY", "value": "$(LITELLM_LOG)!"},
            {"name": "OPENAI_API_KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "openai"}}},
            {"name": "HIDDEN_KEY", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "x"}}},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
    )
    container = litellm_container(deployment.spec.template.spec)
    assert container is not None
    refused = Forbidden("the cluster's rights (RBAC) do not let you get secrets in the namespace gw")

    def read(kind: str, name: str) -> dict[str, str] | Failure:
        return {"settings": {"REDIS_HOST": "redis"}, "keys": {"openai": "sk-secret-1"}}.get(name, refused)

    given = environment_of(container, read)
    assert {name: (one.value, one.source) for name, one in given.environment.items()} == {
        "REDIS_HOST": ("redis", "ConfigMap settings, key REDIS_HOST"),
        "LITELLM_LOG": ("INFO", "the Deployment"),
        "COPY": ("INFO!", "the Deployment"),
        "OPENAI_API_KEY": ("sk-secret-1", "Secret keys, key openai"),
    }
    assert given.unread == (("Secret hidden", refused.why),)
    assert [one.value for one in given.secrets] == ["sk-secret-1"]
    unit = unit_from(deployment, container, given)
    assert (unit.inside, unit.config, port_of(container, unit)) == ("/etc/litellm/config.yaml", None, 4100)


def test_a_secret_hides_its_values_and_leaves_out_what_is_no_text() -> None:
    secret = Secret(data={"key": base64.b64encode(b"sk-1").decode(), "binary": base64.b64encode(b"\xff\xfe").decode()})
    assert data_of(secret) == {"key": "sk-1"}
    assert base64.b64encode(b"sk-1").decode() not in repr(secret)


def test_the_copy_of_a_key_is_told_apart_and_no_name_leads_out_of_its_folder() -> None:
    key = ClusterKey("arn:aws:eks:eu:1:cluster/prod", "gw", "configmap", "litellm-config", "../../x")
    path = cluster_copy(key)
    assert cluster_origin(path) == key
    assert ".." not in path.parts


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (Selector({"app": "litellm", "tier": "gw"}), "app=litellm,tier=gw"),
        (
            Selector(
                None, ({"key": "app", "operator": "In", "values": ["a", "b"]}, {"key": "x", "operator": "Exists"})
            ),
            "app in (a,b),x",
        ),
    ],
)
def test_a_selector_as_kubectl_takes_it(selector: Selector, text: str) -> None:
    assert selector_text(selector) == text


def test_a_probe_that_bills_every_model_is_told() -> None:
    container = litellm_container(
        _deployment(
            livenessProbe={"httpGet": {"path": "/health", "port": 4000}, "periodSeconds": 15},
            readinessProbe={"httpGet": {"path": "/health/readiness", "port": 4000}},
        ).spec.template.spec
    )
    assert container is not None
    first, second = probes(container)
    assert first.startswith(
        "liveness probe: /health every 15 s; /health calls every deployment each time, and is billed"
    )
    assert second == "readiness probe: /health/readiness every 10 s"


def test_the_rights_that_are_missing_are_listed() -> None:
    listed = (
        "pods                          []          []               [get list watch]\n"
        "pods/log                      []          []               [get]\n"
        "deployments.apps              []          []               [get list]\n"
        "configmaps                    []          [litellm-config] [get]\n"
        "                              [/healthz]  []               [get]\n"
    )
    found = list(missing_of(listed))
    assert "list replicasets.apps: its revisions" in found
    assert "get configmaps: the configuration and variables" in found
    assert not any(line.startswith(("list pods:", "get pods/log:", "get deployments.apps:")) for line in found)
    assert list(missing_of("*.*                           []          []               [*]\n")) == []


# --- the log ---------------------------------------------------------------------------------------------------------


def _line(pod: str, clock: str, text: str) -> str:
    return f"[pod/litellm-aaa-{pod}/litellm] 2026-05-28T20:00:{clock}Z {text}"


def test_the_lines_of_all_pods_are_read_by_time_and_none_twice() -> None:
    lines = PodLines(Cluster("prod", "gw"), "litellm", lambda: ("app=litellm", "litellm"), 100)
    said = [_line("x2x2x", "03.5", "c"), _line("y2y2y", "01.25", "a"), _line("x2x2x", "02.123456789", "b")]
    text = in_order("\n".join(said).encode()).decode().split("\n")
    found = [entry for line in text for entry in lines.entries(line, False)]
    assert [entry.message for entry in found if not isinstance(entry, str)] == [
        "[pod/litellm-aaa-y2y2y/litellm] a", "[pod/litellm-aaa-x2x2x/litellm] b", "[pod/litellm-aaa-x2x2x/litellm] c",
    ]  # fmt: skip
    assert lines.entries(said[2], False) == []
    assert lines.entries("Error from server (Forbidden): x", True) == "Error from server (Forbidden): x"


def test_another_run_of_a_container_is_noticed_by_the_watch() -> None:
    lines = PodLines(Cluster("prod", "gw"), "litellm", lambda: ("app=litellm", "litellm"), 100)
    assert lines.is_new("litellm-aaa-x2x2x   0   2026-05-28T20:00:00Z")
    assert not lines.is_new("litellm-aaa-x2x2x   0   <none>")


def test_settings_of_a_deployment_are_one_kind_of_service() -> None:
    from litellm_tui.target.settings import ProfileSettings

    found = msgspec.convert({"kubernetes": {"context": "prod", "deployment": "litellm"}}, ProfileSettings)
    assert found.service == Kubernetes(context="prod", deployment="litellm")
    with pytest.raises(msgspec.ValidationError, match="docker and kubernetes: expected one kind of service"):
        msgspec.convert({"kubernetes": {}, "docker": {}}, ProfileSettings)


def test_the_role_of_the_documentation_grants_every_right_that_is_needed() -> None:
    import yaml

    page = (Path(__file__).parents[2] / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    block = page.split("## Rights")[1].split("    apiVersion:")[1].split("\n\n")[0]
    role = yaml.safe_load("    apiVersion:" + block)
    granted = {
        (verb, f"{resource}.{group}".rstrip("."))
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert {(verb, resource) for verb, resource, _ in NEEDED} <= granted


@pytest.mark.parametrize(
    ("said", "trouble", "hidden"),
    [
        (
            "Error from server (ServiceUnavailable): error trying to reach service: dial tcp 10.1.2.3:4000: connect: "
            "connection refused",
            "silent",
            "",
        ),
        ("Unable to connect to the server: net/http: TLS handshake timeout", "", ""),
        ("error: You must be logged in to the server (Unauthorized)", "", ""),
        (
            'Error from server (Forbidden): pods "a" is forbidden: User "jane" cannot get resource "pods/proxy" in API '
            'group "" in the namespace "gw"',
            "",
            "each pod's own answer: the cluster's rights (RBAC) do not let you get pods/proxy in the namespace gw",
        ),
    ],
)
async def test_only_what_the_pod_itself_fails_with_is_its_trouble(
    tmp_path: Path, said: str, trouble: str, hidden: str
) -> None:
    program = tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\ncat >&2 <<'X'\n{said}\nX\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    pod = PodState("a", "Running", True)
    answers = PodAnswers(Cluster("prod", "gw", str(program)), 4000)
    await answers.renew((pod,))
    (found,) = answers.told((pod,))
    assert found.trouble == trouble
    assert answers.forbidden.startswith(hidden) if hidden else not answers.forbidden
