"""What manifests say of the processes that run LiteLLM: replicas, command line, environment, and what asks /health."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from litellm_tui.collectors.config import deployed_values
from litellm_tui.collectors.config.deployed_asking import asked_by_compose, asked_by_probes, lines_of
from litellm_tui.collectors.config.deployed_environment import of_compose, of_container
from litellm_tui.collectors.config.manifest_values import mapping, whole
from litellm_tui.collectors.config.named_config import runs_litellm, words
from litellm_tui.model.embedded import Deployed, Piece

_WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "Job", "CronJob", "Rollout")
# objects of one file that are looked at, and processes of which the places are searched
_MOST: Final = 500
_FEW: Final = 50
_LITELLM: Final = re.compile("litellm", re.IGNORECASE)
_NAMED: Final = re.compile(r" of (?:ConfigMap|Secret) (\S{1,253})$")


class Manifests(msgspec.Struct, frozen=True):
    """The processes of one file: those of Kubernetes' workloads by what they mount, Compose's by their services.

    `asking` are sentences about what asks /health, for a file whose configuration is elsewhere; `lacks` says what a
    file without a configuration names.
    """

    workloads: tuple[tuple[frozenset[str], Deployed], ...] = ()
    services: dict[str, Deployed] = {}
    configs: dict[str, str] = {}
    values: Deployed | None = None
    compose: bool = False
    remarks: tuple[str, ...] = ()
    lacks: str = ""

    def of_service(self, name: str) -> Deployed | None:
        """What Compose says of a service."""
        return self.services.get(name)

    def of_piece(self, label: str) -> Deployed | None:
        """The process that gets the configuration with this label."""
        if found := _NAMED.search(label):
            for mounted, deployed in self.workloads:
                if found[1] in mounted:
                    return deployed
        if self.services:
            service = next((name for config, name in self.configs.items() if f".{config}." in f".{label}."), "")
            return self.services.get(service) or next(iter(self.services.values()))
        if self.values is not None:
            return self.values
        return self.workloads[0][1] if len(self.workloads) == 1 else None

    def defaults(self, piece: Piece) -> dict[str, dict[str, str]]:
        """What LiteLLM's own chart adds to a configuration that does not say it itself."""
        return deployed_values.defaults(piece) if self.values is not None else {}

    @property
    def asking(self) -> tuple[str, ...]:
        """What asks /health, in sentences."""
        known = [*self.services.values(), *(deployed for _, deployed in self.workloads)]
        return tuple(
            f"{asked.what} asks {asked.path} every {asked.seconds:g} s: without background checks each such request "
            "asks every deployment, and /health wants the key"
            for deployed in known
            for asked in deployed.health
            if asked.path.partition("?")[0] == "/health"
        )


def read_manifests(values: list[Any], text: str) -> Manifests:
    """What the documents of one file say, whatever kind of file it is. `text` is the file, for lines."""
    objects = [found for value in values for found in _objects(value)][:_MOST]
    workloads = tuple(_workloads(objects, text))
    services: dict[str, Deployed] = {}
    configs: dict[str, str] = {}
    compose = False
    for value in values:
        named = value.get("services") if isinstance(value, dict) else None
        if isinstance(named, dict) and "apiVersion" not in value:
            compose = True
            for name, service in list(named.items())[:_FEW]:
                if isinstance(service, dict) and (runs_litellm(service) or len(named) == 1):
                    services[str(name)] = _service(str(name), service, text)
                    configs |= {config: str(name) for config in _configs(service)}
    if objects or compose:
        names = sorted({name for mounted, _ in workloads for name in mounted})
        lacks = f"it names {', '.join(names[:3])}, which is not in it" if names else ""
        return Manifests(workloads, services, configs, compose=compose, lacks=lacks)
    found = next((deployed_values.read(value, text) for value in values if isinstance(value, dict)), None)
    remarks = tuple(remark for value in values for remark in deployed_values.remarks(value))
    return Manifests(values=found, remarks=remarks)


def _objects(value: Any) -> Iterator[dict[Any, Any]]:
    if not isinstance(value, dict) or "apiVersion" not in value:
        return
    items = value.get("items")
    if value.get("kind") == "List" and isinstance(items, list):
        for item in items:
            yield from _objects(item)
    else:
        yield value


def _workloads(objects: list[dict[Any, Any]], text: str) -> Iterator[tuple[frozenset[str], Deployed]]:
    seen = 0
    for found in objects:
        kind, spec = found.get("kind"), mapping(found.get("spec"))
        if kind not in _WORKLOADS or (seen := seen + 1) > _FEW:
            continue
        name = str(mapping(found.get("metadata")).get("name") or "")
        if kind == "CronJob":
            spec = mapping(mapping(spec.get("jobTemplate")).get("spec"))
        pod = spec if kind == "Pod" else mapping(mapping(spec.get("template")).get("spec"))
        mounted = frozenset(_mounted(pod))
        containers = pod.get("containers")
        chosen = [one for one in containers if isinstance(one, dict)] if isinstance(containers, list) else []
        mine = [one for one in chosen if _LITELLM.search(" ".join([str(one.get("image")), *words(one.get("args"))]))]
        container = mine[0] if mine else chosen[0] if chosen else {}
        what = f"{kind} {name}".strip()
        least, most = _scaled(objects, name)
        variables = of_container(container, objects)
        yield (
            mounted,
            Deployed(
                what,
                ("litellm", *words(container.get("command")), *words(container.get("args"))),
                least if least is not None else whole(spec.get("replicas"), 1),
                most,
                variables.environment,
                variables.withheld,
                str(container.get("image") or ""),
                variables.sources,
                lines_of(asked_by_probes(container, what), text),
            ),
        )


def _mounted(pod: dict[Any, Any]) -> Iterator[str]:
    volumes = pod.get("volumes")
    for volume in volumes if isinstance(volumes, list) else ():
        if isinstance(volume, dict):
            for kind, key in (("configMap", "name"), ("secret", "secretName")):
                if isinstance(name := mapping(volume.get(kind)).get(key), str):
                    yield name


def _scaled(objects: list[dict[Any, Any]], name: str) -> tuple[int | None, int | None]:
    """The replicas between which an autoscaler keeps a workload."""
    for found in objects:
        spec = mapping(found.get("spec"))
        scales = found.get("kind") in ("HorizontalPodAutoscaler", "ScaledObject")
        if scales and mapping(spec.get("scaleTargetRef")).get("name") == name:
            least = spec.get("minReplicas", spec.get("minReplicaCount"))
            return whole(least, 1), whole(spec.get("maxReplicas", spec.get("maxReplicaCount")), None)
    return None, None


def _service(name: str, service: dict[Any, Any], text: str) -> Deployed:
    deploy = mapping(service.get("deploy"))
    variables = of_compose(service)
    return Deployed(
        f"service {name}",
        ("litellm", *words(service.get("entrypoint")), *words(service.get("command"))),
        whole(deploy.get("replicas", service.get("scale")), 1),
        environment=variables.environment,
        withheld=variables.withheld,
        image=str(service.get("image") or ""),
        sources=variables.sources,
        health=lines_of(asked_by_compose(service, name), text),
    )


def _configs(service: dict[Any, Any]) -> Iterator[str]:
    listed = service.get("configs")
    for item in listed if isinstance(listed, list) else ():
        name = item.get("source") if isinstance(item, dict) else item
        if isinstance(name, str):
            yield name
