"""What is deployed in the lab's cluster: gateways of a real LiteLLM, or of a few lines, as a chart would have them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from tests.lab.config import deployment as model
from tests.lab.engine import IMAGE
from tests.lab.engine.gateway import mounted
from tests.lab.engine.kubernetes import NAMESPACE
from tests.lab.environments import Environment

PORT: Final = 4000
KEY: Final = "sk-lab-of-the-cluster"
CONFIG: Final = "/etc/litellm/config.yaml"


def litellm_config(upstream: str, *, models: Sequence[str] = ("small", "large"), **more: Any) -> str:
    """A configuration for an upstream at `ADDRESS:PORT`; its key is the pods' own variable."""
    entries = [model(name, "openai/llama3.1", key="os.environ/UPSTREAM_KEY") for name in models]
    for entry in entries:
        entry["litellm_params"]["api_base"] = f"http://{upstream}/v1"
    return yaml.safe_dump({"model_list": entries, **more}, sort_keys=False)


def config_map(name: str, content: str) -> dict[str, Any]:
    return {**_object("ConfigMap", name), "data": {"config.yaml": content}}


def secret(name: str, **values: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {**_object("Secret", name), "data": encoded}


def service(name: str) -> dict[str, Any]:
    spec = {"selector": {"app": name}, "ports": [{"port": PORT, "targetPort": PORT}]}
    return {**_object("Service", name), "spec": spec}


def litellm(name: str, environment: Environment, *, replicas: int = 2, **more: Any) -> dict[str, Any]:
    """A Deployment of a real LiteLLM, with the ConfigMap `NAME-config` and the Secret `NAME-keys`."""
    command = [str(environment.bin), "--config", CONFIG, "--port", str(PORT), "--host", "0.0.0.0"]
    probe = {"httpGet": {"path": "/health/readiness", "port": PORT}, "periodSeconds": 1, "failureThreshold": 60}
    variables = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return gateway(name, environment, command, variables, replicas=replicas, probe=probe, **more)


def small(name: str, environment: Environment, *, replicas: int = 1, **more: Any) -> dict[str, Any]:
    """A Deployment of a few lines that are ready at once: for what has nothing to do with LiteLLM itself."""
    script = str(Path(__file__).with_name("engine") / "stand_in_litellm.py")
    command = [str(environment.python), script, "--config", CONFIG, "--port", str(PORT), "--host", "0.0.0.0"]
    probe = {"httpGet": {"path": "/health/readiness", "port": PORT}, "periodSeconds": 1}
    return gateway(name, environment, command, {}, replicas=replicas, probe=probe, files=[script], **more)


def gateway(
    name: str,
    environment: Environment,
    command: Sequence[str],
    variables: Mapping[str, str],
    *,
    replicas: int,
    probe: Mapping[str, Any],
    files: Sequence[str] = (),
    grace: int = 0,
    deadline: int = 300,
    image: str = IMAGE,
    memory: str = "",
    extra: Mapping[str, str] | None = None,
    namespace: str = NAMESPACE,
) -> dict[str, Any]:
    """A Deployment that never has fewer pods than it should. `grace` are the seconds in which a pod still serves after
    it was told to end.
    """
    paths = [volume.partition(":")[0] for volume in mounted(environment)] + list(files)
    volumes: list[dict[str, Any]] = [
        {"name": f"lab-{number}", "hostPath": {"path": path}} for number, path in enumerate(paths)
    ]
    mounts = [{"name": f"lab-{number}", "mountPath": path, "readOnly": True} for number, path in enumerate(paths)]
    volumes.append({"name": "config", "configMap": {"name": f"{name}-config"}})
    mounts.append({"name": "config", "mountPath": str(Path(CONFIG).parent), "readOnly": True})
    given = [{"name": key, "value": value} for key, value in {**variables, **(extra or {})}.items()]
    container: dict[str, Any] = {
        "name": "litellm", "image": image, "imagePullPolicy": "IfNotPresent", "command": list(command),
        "env": given, "envFrom": [{"secretRef": {"name": f"{name}-keys", "optional": True}}],
        "ports": [{"containerPort": PORT, "name": "http"}], "volumeMounts": mounts, "readinessProbe": dict(probe),
    }  # fmt: skip
    if memory:
        container["resources"] = {"limits": {"memory": memory}}
    if grace:
        container["lifecycle"] = {"preStop": {"exec": {"command": ["/bin/sleep", str(grace)]}}}
    pod = {
        "containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": grace + 10,
        "automountServiceAccountToken": False,
    }  # fmt: skip
    labels = {"app": name}
    spec = {
        "replicas": replicas, "selector": {"matchLabels": labels}, "progressDeadlineSeconds": deadline,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }  # fmt: skip
    return {**_object("Deployment", name, "apps/v1"), "spec": spec}


def role(name: str, *rules: tuple[str, str, tuple[str, ...]]) -> list[dict[str, Any]]:
    """A Role of these rules (API group, resource, verbs) for the narrow user, and its binding."""
    made = [{"apiGroups": [group], "resources": [resource], "verbs": list(verbs)} for group, resource, verbs in rules]
    group = "rbac.authorization.k8s.io"
    return [
        {**_object("Role", name, f"{group}/v1"), "rules": made},
        {
            **_object("RoleBinding", name, f"{group}/v1"),
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "narrow"}],
        },
    ]


def small_config(*models: str) -> str:
    """A configuration for `small`, which reads it as JSON."""
    return json.dumps({"model_list": [{"model_name": one, "litellm_params": {"model": "openai/x"}} for one in models]})


def _object(kind: str, name: str, version: str = "v1") -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}}
