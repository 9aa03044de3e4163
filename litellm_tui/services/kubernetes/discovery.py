"""Finds the Deployments of a context that run LiteLLM, through kubectl."""

from __future__ import annotations

import os
from functools import partial
from typing import Final

import msgspec

from litellm_tui.analysis.phrases import count
from litellm_tui.host.copies import ClusterKey
from litellm_tui.model.discovered import DiscoveredGateway, Searched
from litellm_tui.model.failures import Denied, Failure
from litellm_tui.model.found import Missing
from litellm_tui.model.service import Unit
from litellm_tui.model.service_kinds import Kubernetes
from litellm_tui.services.kubernetes.config_copy import copy_key
from litellm_tui.services.kubernetes.definition import (
    Given,
    config_key,
    data_of,
    environment_of,
    is_litellm,
    litellm_container,
    port_of,
    unit_from,
)
from litellm_tui.services.kubernetes.description import missing_rights_now
from litellm_tui.services.kubernetes.forward import forward
from litellm_tui.services.kubernetes.kubectl import Cluster, Forbidden, NoKubectl, decoded, done_now, refusal
from litellm_tui.services.kubernetes.objects import (
    ConfigMap,
    ContainerSpec,
    Deployment,
    DeploymentList,
    Read,
    Secret,
)

# a cluster that is there answers in a fraction of a second; the first paint does not wait for one that is not
_ANSWER_SECONDS: Final = 4.0


class _Context(Read, frozen=True):
    cluster: str = ""
    namespace: str | None = ""


class _Named(Read, frozen=True):
    name: str = ""
    context: _Context = _Context()


class _Config(msgspec.Struct, frozen=True):
    """What `kubectl config view --minify` prints: the context that is meant, without its secrets."""

    contexts: tuple[_Named, ...] | None = None
    current: str = msgspec.field(default="", name="current-context")


def open_cluster(settings: Kubernetes) -> Cluster | Failure:
    """The context and the namespace that these settings mean, by the kubeconfig. Runs kubectl, asks no server."""
    if settings.context and settings.namespace:
        return Cluster(settings.context, settings.namespace, settings.kubectl)
    context = [f"--context={settings.context}"] if settings.context else []
    command = [settings.kubectl, *context, "config", "view", "--minify", "--output=json"]
    done = done_now(command, _ANSWER_SECONDS)
    if isinstance(done, Failure):
        return NoKubectl(f"{done.why}: install kubectl, or name it as kubernetes.kubectl in the profile")
    if done.status:
        why = refusal(done, settings.context or "(current)")
        if "current-context must exist" in why.why or "current-context is not set" in why.why:
            return NoKubectl("the kubeconfig has no current context: kubectl config use-context NAME, or name one as "
                             "kubernetes.context in the profile")  # fmt: skip
        return why
    config = decoded(done.output, _Config)
    if isinstance(config, Failure):
        return config
    found = (config.contexts or (_Named(),))[0]
    name = settings.context or found.name or config.current
    return Cluster(name, settings.namespace or found.context.namespace or "default", settings.kubectl)


def find_deployments(settings: Kubernetes) -> tuple[list[DiscoveredGateway], list[Searched]]:
    """The Deployments that run LiteLLM: in the context's namespace, and where none is there, in all. Blocks."""
    cluster = open_cluster(settings)
    if isinstance(cluster, Failure):
        return [], [Searched("kubernetes", "Deployments of Kubernetes", cluster.why, blocked=True)]
    found = cluster.read_now(DeploymentList, "deployments.apps", seconds=_ANSWER_SECONDS)
    mine = _gateways(found, cluster)
    place = f"Deployments in {cluster.namespace} of the context {cluster.context}"
    if not mine and not settings.namespace and (isinstance(found, DeploymentList | Forbidden)):
        everywhere = msgspec.structs.replace(cluster, namespace="")
        wider = everywhere.read_now(DeploymentList, "deployments.apps", seconds=_ANSWER_SECONDS)
        if isinstance(wider, DeploymentList) or isinstance(found, Failure):
            found, place = wider, f"Deployments of the context {cluster.context}"
            mine = _gateways(wider, cluster)
    if isinstance(found, Failure):
        mend = "see docs/kubernetes.md for a Role" if isinstance(found, Denied) else ""
        return [], [Searched("kubernetes", place, found.why, mend, blocked=True)]
    result = ", ".join(map(str, mine)) or f"none of {count(len(found.items), 'Deployment')} runs LiteLLM"
    return mine, [Searched("kubernetes", place, result)]


def _gateways(found: DeploymentList | Failure, cluster: Cluster) -> list[DiscoveredGateway]:
    if isinstance(found, Failure):
        return []
    mine = [(one, box) for one in found.items if (box := litellm_container(one.spec.template.spec)) is not None]
    mine.sort(key=lambda one: not one[0].status.ready_replicas)
    return [_gateway(deployment, container, cluster) for deployment, container in mine]


def _gateway(deployment: Deployment, container: ContainerSpec, cluster: Cluster) -> DiscoveredGateway:
    name, namespace = deployment.metadata.name, deployment.metadata.namespace or cluster.namespace
    settings = Kubernetes(
        context=cluster.context, namespace=namespace, deployment=name, container=container.name, kubectl=cluster.kubectl
    )
    unit = unit_from(deployment, container, Given({}, (), ()))
    component = deployment.metadata.label("app.kubernetes.io/component")
    part = f", the {component} of LiteLLM's charts" if component in ("gateway", "backend") else ""
    by = f"its container {container.name} runs {container.image}"
    return DiscoveredGateway(
        "kubernetes",
        "kubernetes",
        unit,
        f"Deployment {name} in {namespace} of the context {cluster.context}: {by}{part}",
        f"kubernetes {cluster.context} {namespace}/{name}",
        settings=settings,
    )


class Opened(msgspec.Struct, frozen=True):
    """A Deployment that was read, as a unit, with the settings that name all that was found of it."""

    settings: Kubernetes
    unit: Unit | None
    missing: tuple[Missing, ...] = ()


def open_deployment(settings: Kubernetes, name: str, *, reach: bool) -> Opened:
    """Read the Deployment, its configuration and its environment as far as rights go. Blocks.

    With `reach` a port of this machine is opened that leads to it.
    """
    cluster = open_cluster(settings)
    if isinstance(cluster, Failure):
        return Opened(settings, None, (Missing("Kubernetes", cluster.why, "see kubectl config view"),))
    settings = msgspec.structs.replace(settings, context=cluster.context, namespace=cluster.namespace, deployment=name)
    deployment = cluster.read_now(Deployment, "deployments.apps", name)
    if isinstance(deployment, Failure):
        lack = Missing(f"Deployment {name}", deployment.why, "docs/kubernetes.md tells what each failure means")
        return Opened(settings, None, (lack,))
    spec = deployment.spec.template.spec
    container = litellm_container(spec, settings.container or "") or _only(spec.containers)
    if container is None:
        names = ", ".join(one.name for one in spec.containers)
        lack = Missing("container", f"no container of {name} is known to run LiteLLM ({names})",
                       "name it: kubernetes.container in the profile")  # fmt: skip
        return Opened(settings, None, (lack,))
    settings = msgspec.structs.replace(settings, container=container.name)
    given = environment_of(container, partial(_values, cluster))
    unit = unit_from(deployment, container, given)
    unit, missing = _with_config(cluster, settings, unit, deployment, container)
    if lacking := missing_rights_now(cluster):
        missing = (*missing, Missing("rights in the cluster", "; ".join(lacking), "docs/kubernetes.md has a Role"))
    port = port_of(container, unit)
    if reach:
        target = f"service/{settings.service}" if settings.service else f"deployment/{name}"
        way = forward(cluster, target, port)
        if (failure := way.settle()) is not None:
            missing = (*missing, Missing("address", f"no port-forward to {target}: {failure.why}",
                                         "give --url with an address that leads to it"))  # fmt: skip
        scheme, _, rest = unit.url.partition("://")
        _, slash, path = rest.partition("/")
        unit = msgspec.structs.replace(unit, url=f"{scheme}://{way.url}{slash}{path}")
    return Opened(settings, unit, missing)


def _only(containers: tuple[ContainerSpec, ...]) -> ContainerSpec | None:
    return containers[0] if len(containers) == 1 and not is_litellm(containers[0]) else None


def _values(cluster: Cluster, kind: str, name: str) -> dict[str, str] | Failure:
    if kind == "secret":
        secret = cluster.read_now(Secret, "secret", name)
        return secret if isinstance(secret, Failure) else data_of(secret)
    found = cluster.read_now(ConfigMap, "configmap", name)
    return found if isinstance(found, Failure) else data_of(found)


def _with_config(
    cluster: Cluster, settings: Kubernetes, unit: Unit, deployment: Deployment, container: ContainerSpec
) -> tuple[Unit, tuple[Missing, ...]]:
    """The unit with a copy of its configuration, and why there is none."""
    key = config_key(deployment.spec.template.spec, container, unit.inside)
    if settings.configmap:
        kind, _, name = settings.configmap.rpartition("/")
        file = key.key if key else os.path.basename(unit.inside) or "config.yaml"
        wanted = ClusterKey(cluster.context, cluster.namespace, kind.lower() or "configmap", name, file)
    elif key is not None:
        wanted = ClusterKey(cluster.context, cluster.namespace, key.kind, key.name, key.key)
    else:
        inside = unit.inside or "the configuration"
        lack = Missing(inside, "no ConfigMap or Secret is mounted there: it is in the image, a volume or a bucket",
                       "give --config FILE, or kubernetes.configmap in the profile")  # fmt: skip
        return unit, (lack,) if unit.inside else ()
    copied = copy_key(cluster, wanted)
    if isinstance(copied, Failure):
        return unit, (Missing(str(wanted), copied.why, "give --config FILE"),)
    return msgspec.structs.replace(unit, config=copied), ()
