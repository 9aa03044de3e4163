"""The objects of Kubernetes with the fields that are used here, as `kubectl get -o json` prints them (1.20 to 1.32).

Times are RFC 3339 texts; quantities are Kubernetes' own, such as `500m` and `512Mi`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Read(msgspec.Struct, frozen=True, rename="camel"):
    """What all objects have in common: a null field is a missing one."""


class OwnerReference(Read, frozen=True):
    kind: str = ""
    name: str = ""
    uid: str = ""


class Meta(Read, frozen=True):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    resource_version: str = ""
    generation: int = 0
    owner_references: tuple[OwnerReference, ...] | None = None

    def label(self, name: str) -> str:
        """A label's value; empty where it has none of this name."""
        return (self.labels or {}).get(name, "")


class KeyRef(Read, frozen=True):
    """A key of a ConfigMap or of a Secret."""

    name: str = ""
    key: str = ""
    optional: bool | None = None


class ValueFrom(Read, frozen=True):
    config_map_key_ref: KeyRef | None = None
    secret_key_ref: KeyRef | None = None
    field_ref: dict[str, Any] | None = None
    resource_field_ref: dict[str, Any] | None = None


class EnvVar(Read, frozen=True):
    name: str
    value: str | None = ""
    value_from: ValueFrom | None = None


class EnvFrom(Read, frozen=True):
    prefix: str | None = ""
    config_map_ref: KeyRef | None = None
    secret_ref: KeyRef | None = None


class VolumeMount(Read, frozen=True):
    name: str
    mount_path: str
    sub_path: str | None = ""


class HttpGet(Read, frozen=True):
    path: str | None = ""
    port: int | str = 0
    scheme: str | None = "HTTP"


class ExecAction(Read, frozen=True):
    command: tuple[str, ...] | None = None


class ContainerProbe(Read, frozen=True):
    """A probe of the kubelet; times in seconds."""

    http_get: HttpGet | None = None
    exec: ExecAction | None = None
    tcp_socket: dict[str, Any] | None = None
    initial_delay_seconds: int | None = 0
    period_seconds: int | None = 10
    timeout_seconds: int | None = 1
    failure_threshold: int | None = 3


class ContainerPort(Read, frozen=True):
    container_port: int = 0
    name: str | None = ""


class Resources(Read, frozen=True):
    limits: dict[str, str | int] | None = None
    requests: dict[str, str | int] | None = None


class ContainerSpec(Read, frozen=True):
    name: str
    image: str | None = ""
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    working_dir: str | None = None
    env: tuple[EnvVar, ...] | None = None
    env_from: tuple[EnvFrom, ...] | None = None
    volume_mounts: tuple[VolumeMount, ...] | None = None
    ports: tuple[ContainerPort, ...] | None = None
    liveness_probe: ContainerProbe | None = None
    readiness_probe: ContainerProbe | None = None
    startup_probe: ContainerProbe | None = None
    resources: Resources | None = None

    @property
    def words(self) -> list[str]:
        """The command line of the manifest: without `command` the image's own entry point stands before it."""
        return [*(self.command or ()), *(self.args or ())]


class Item(Read, frozen=True):
    key: str = ""
    path: str = ""


class ConfigMapVolume(Read, frozen=True):
    name: str = ""
    items: tuple[Item, ...] | None = None


class SecretVolume(Read, frozen=True):
    secret_name: str = ""
    items: tuple[Item, ...] | None = None


class ProjectedSource(Read, frozen=True):
    config_map: ConfigMapVolume | None = None
    secret: ConfigMapVolume | None = None


class Projected(Read, frozen=True):
    sources: tuple[ProjectedSource, ...] | None = None


class Volume(Read, frozen=True):
    name: str
    config_map: ConfigMapVolume | None = None
    secret: SecretVolume | None = None
    projected: Projected | None = None


class PodSpec(Read, frozen=True):
    containers: tuple[ContainerSpec, ...] = ()
    init_containers: tuple[ContainerSpec, ...] | None = None
    volumes: tuple[Volume, ...] | None = None
    node_name: str | None = ""
    termination_grace_period_seconds: int | None = None


class Template(Read, frozen=True):
    metadata: Meta | None = None
    spec: PodSpec = PodSpec()


class Selector(Read, frozen=True):
    match_labels: dict[str, str] | None = None
    match_expressions: tuple[dict[str, Any], ...] | None = None


class RollingUpdate(Read, frozen=True):
    max_surge: int | str | None = None
    max_unavailable: int | str | None = None


class Strategy(Read, frozen=True):
    type: str = ""
    rolling_update: RollingUpdate | None = None


class DeploymentSpec(Read, frozen=True):
    replicas: int | None = 1
    selector: Selector = Selector()
    template: Template = Template()
    strategy: Strategy | None = None
    paused: bool | None = None
    progress_deadline_seconds: int | None = None


class Condition(Read, frozen=True):
    """`status` is True, False or Unknown."""

    type: str = ""
    status: str = ""
    reason: str | None = ""
    message: str | None = ""
    last_transition_time: str | None = None


class DeploymentStatus(Read, frozen=True):
    observed_generation: int | None = 0
    replicas: int | None = 0
    updated_replicas: int | None = 0
    ready_replicas: int | None = 0
    available_replicas: int | None = 0
    unavailable_replicas: int | None = 0
    conditions: tuple[Condition, ...] | None = None


class Deployment(Read, frozen=True):
    metadata: Meta = Meta()
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


class Running(Read, frozen=True):
    started_at: str | None = None


class Waiting(Read, frozen=True):
    reason: str | None = ""
    message: str | None = ""


class Terminated(Read, frozen=True):
    exit_code: int = 0
    signal: int | None = 0
    reason: str | None = ""
    message: str | None = ""
    started_at: str | None = None
    finished_at: str | None = None


class ContainerState(Read, frozen=True):
    running: Running | None = None
    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(Read, frozen=True):
    name: str = ""
    ready: bool = False
    restart_count: int = 0
    image: str | None = ""
    image_id: str | None = msgspec.field(default="", name="imageID")
    state: ContainerState | None = None
    last_state: ContainerState | None = None


class PodStatus(Read, frozen=True):
    phase: str | None = ""
    reason: str | None = ""
    message: str | None = ""
    start_time: str | None = None
    pod_ip: str | None = msgspec.field(default="", name="podIP")
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None


class Pod(Read, frozen=True):
    metadata: Meta = Meta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class ReplicaSetSpec(Read, frozen=True):
    replicas: int | None = 0
    template: Template = Template()


class ReplicaSetStatus(Read, frozen=True):
    replicas: int | None = 0
    ready_replicas: int | None = 0


class ReplicaSet(Read, frozen=True):
    metadata: Meta = Meta()
    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaSetStatus = ReplicaSetStatus()

    @property
    def revision(self) -> int:
        """The Deployment's revision that it is; 0 where it says none."""
        said = (self.metadata.annotations or {}).get("deployment.kubernetes.io/revision", "")
        return int(said[:9]) if said.isascii() and said.isdigit() else 0


class ConfigMap(Read, frozen=True):
    metadata: Meta = Meta()
    data: dict[str, str] | None = None
    immutable: bool | None = None


class Secret(Read, frozen=True):
    """The values of `data` are base64."""

    metadata: Meta = Meta()
    data: dict[str, str] | None = None

    def __repr__(self) -> str:
        return f"Secret(name={self.metadata.name!r})"


class DeploymentList(Read, frozen=True):
    items: tuple[Deployment, ...] = ()


class PodList(Read, frozen=True):
    items: tuple[Pod, ...] = ()


class ReplicaSetList(Read, frozen=True):
    items: tuple[ReplicaSet, ...] = ()


def parse_time(text: str | None) -> float | None:
    """Seconds since the epoch; None for no time."""
    try:
        return datetime.fromisoformat(text).timestamp() if text else None
    except (ValueError, OverflowError, OSError):
        return None


def selector_text(selector: Selector) -> str:
    """The selector as kubectl's `--selector` takes it."""
    parts = [f"{name}={value}" for name, value in (selector.match_labels or {}).items()]
    for one in selector.match_expressions or ():
        name, values = one.get("key", ""), ",".join(one.get("values") or ())
        parts.append(
            {"In": f"{name} in ({values})", "NotIn": f"{name} notin ({values})", "Exists": name,
             "DoesNotExist": f"!{name}"}[one["operator"]]
        )  # fmt: skip
    return ",".join(parts)
