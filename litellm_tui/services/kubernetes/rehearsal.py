"""The rehearsal in a cluster: one pod of the Deployment's template beside it, with none of its labels.

The derived configuration takes the place of the file that LiteLLM reads there: as the last source of a projected
volume where the file's folder is mounted, for runc mounts no file over the links in such a volume. No Service and no
ReplicaSet takes the pod for its own, its probes are off, and nothing starts it again. A keeper makes it and removes it
(see `services.rehearsal`); what a keeper that was killed has left is ended by the cluster (`activeDeadlineSeconds`),
and removed by the next rehearsal.
"""

from __future__ import annotations

import asyncio
import base64
import os
import posixpath
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from litellm_tui.host.atomic import create
from litellm_tui.host.bounded import MEDIUM, read_bytes
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.rehearsal import RehearsalOrder, RehearsalRun
from litellm_tui.model.service_kinds import Kubernetes
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.kubernetes.config_write import MOST_BYTES
from litellm_tui.services.kubernetes.definition import config_key
from litellm_tui.services.kubernetes.forward import PortForward
from litellm_tui.services.kubernetes.kubectl import Cluster
from litellm_tui.services.kubernetes.objects import Deployment, DeploymentSpec, DeploymentStatus, Pod, PodSpec
from litellm_tui.services.kubernetes.objects import Template as Manifest
from litellm_tui.services.rehearsal import kept

LABEL: Final = "litellm-tui/rehearsal-until"
NAME: Final = "litellm-tui/rehearsal"
# after which the cluster ends it, where nobody else does
_LATE_SECONDS: Final = 120
_VOLUME: Final = "litellm-tui-rehearsal"
_FILE: Final = "config"
# of a pod: what makes others count it as theirs, or keeps it alive; the rest is as in the template
_NOT_KEPT: Final = ("restartPolicy", "activeDeadlineSeconds", "nodeName", "hostname", "subdomain", "priority")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle")
_LEFT_OUT: Final = (
    "it has none of the Deployment's labels, so no Service and no policy that goes by them is for it",
    "its probes are not run",
)


class Template(msgspec.Struct, frozen=True):
    """A Deployment's pod as the cluster has it: `spec` in its own words, `annotations`, and where LiteLLM is in it."""

    spec: dict[str, Any]
    annotations: dict[str, str]
    container: str
    inside: str
    port: int

    def __repr__(self) -> str:
        return f"Template(container={self.container!r})"


def objects_of(template: Template, order: RehearsalOrder, content: bytes) -> list[dict[str, Any]] | Failure:
    """The Secret with the derived configuration, and the pod that has it mounted."""
    if len(content) > MOST_BYTES:
        return NotAvailable(f"{len(content):,} bytes do not fit into a Secret (1 MiB at most)")
    if template.spec.get("hostNetwork"):
        return NotAvailable("its pods use the network of their node: a second one would want the same port")
    containers = []
    for one in template.spec.get("containers") or ():
        made = {name: value for name, value in one.items() if name not in _PROBES}
        containers.append(
            _litellm(made, template, order.environment) if one.get("name") == template.container else made
        )
    spec = {name: value for name, value in template.spec.items() if name not in _NOT_KEPT}
    named = {"name": _VOLUME, **_volume(template, order.name)}
    spec |= {
        "containers": containers,
        "volumes": [*(template.spec.get("volumes") or ()), named],
        "restartPolicy": "Never",
        "activeDeadlineSeconds": int(order.seconds) + _LATE_SECONDS,
        "terminationGracePeriodSeconds": 2,
    }
    until = str(int(time.time() + order.seconds) + _LATE_SECONDS)
    about = {"name": order.name, "labels": {LABEL: until, NAME: order.name}}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": about, "data": {_FILE: base64.b64encode(content).decode()}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {**about, "annotations": template.annotations}, "spec": spec},
    ]


def _litellm(made: dict[str, Any], template: Template, changed: Mapping[str, str | None]) -> dict[str, Any]:
    given = [one for one in made.get("env") or () if one.get("name") not in changed]
    # what comes from a whole ConfigMap or Secret is only taken away by an empty value
    given += [{"name": name, "value": value or ""} for name, value in changed.items() if value or made.get("envFrom")]
    mounts = list(made.get("volumeMounts") or ())
    if (folder := _folder(template)) is not None:
        mounts = [{**one, "name": _VOLUME} if one == folder else one for one in mounts]
    else:
        mounts = [one for one in mounts if one.get("mountPath") != template.inside]
        mounts.append({"name": _VOLUME, "mountPath": template.inside, "subPath": _FILE, "readOnly": True})
    return {**made, "env": given, "volumeMounts": mounts}


def _folder(template: Template) -> dict[str, Any] | None:
    """The mount of LiteLLM's container in whose folder the configuration is; None where only the file is mounted, or
    neither.
    """
    made: dict[str, Any] = next(
        (one for one in template.spec["containers"] if one.get("name") == template.container), {}
    )
    inside = template.inside
    mounts = [
        one for one in made.get("volumeMounts") or ()
        if inside == one["mountPath"] or inside.startswith(f"{one['mountPath'].rstrip('/')}/")
    ]  # fmt: skip
    nearest: dict[str, Any] | None = max(mounts, key=lambda one: len(one["mountPath"]), default=None)
    return None if nearest is None or nearest["mountPath"] == inside else nearest


def _volume(template: Template, secret: str) -> dict[str, Any]:
    """The volume with the derived file: that of its folder with this file in its place, or one of the file alone."""
    folder = _folder(template)
    if folder is None:
        return {"secret": {"secretName": secret, "items": [{"key": _FILE, "path": _FILE}]}}
    path = posixpath.join(folder.get("subPath") or "", posixpath.relpath(template.inside, folder["mountPath"]))
    volume: dict[str, Any] = next(
        (one for one in template.spec.get("volumes") or () if one.get("name") == folder["name"]), {}
    )
    sources = []
    for source in _sources(volume):
        # a path may stand in the items of one source only; of whole objects the last one wins
        kept = {kind: _without(one, path) for kind, one in source.items()}
        if all(one.get("items", True) for one in kept.values()):
            sources.append(kept)
    sources.append({"secret": {"name": secret, "items": [{"key": _FILE, "path": path}]}})
    return {"projected": {"sources": sources}}


def _without(source: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A source of a volume whose items do not name this path; where it has none, all of its object."""
    items = source.get("items")
    return {**source, "items": [one for one in items if one.get("path") != path]} if items else dict(source)


def _sources(volume: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a volume of a ConfigMap or a Secret holds, or several of them, in the words of a projected one."""
    if (held := volume.get("configMap")) is not None:
        return [{"configMap": {name: held[name] for name in ("name", "items", "optional") if name in held}}]
    if (held := volume.get("secret")) is not None:
        same = {name: held[name] for name in ("items", "optional") if name in held}
        return [{"secret": {"name": held.get("secretName", ""), **same}}]
    return list((volume.get("projected") or {}).get("sources") or ())


def why_not_twice(template: Template) -> str:
    """Why a pod with another configuration cannot be had; empty where it can."""
    if not template.inside:
        return "no configuration is named in its command line or variables"
    spec = msgspec.convert(template.spec, PodSpec)
    container = next((one for one in spec.containers if one.name == template.container), None)
    if container is None:
        return "no container of it is known to run LiteLLM"
    key, folders = (
        config_key(spec, container, template.inside),
        [one.mount_path for one in container.volume_mounts or ()],
    )
    within = any(template.inside.startswith(f"{folder.rstrip('/')}/") for folder in folders)
    # a file is mounted into a folder of an object only beside what the object has
    return "" if key is not None or not within else f"{template.inside} is in a volume of its own"


@asynccontextmanager
async def rehearse(
    target: ServiceTarget, cluster: Cluster, template: Template, order: RehearsalOrder
) -> AsyncIterator[RehearsalRun | Failure]:
    """See `Rehearses`."""
    if order.program:
        template = _with_image(template, order.program)
    content = await asyncio.to_thread(read_bytes, order.derived, MEDIUM)
    made = objects_of(template, order, content)
    if isinstance(made, Failure):
        yield made
        return
    await _sweep(cluster)
    manifest = Path(order.folder, ".objects.json")
    listed = {"apiVersion": "v1", "kind": "List", "items": made}
    await asyncio.to_thread(create, manifest, msgspec.json.encode(listed), durable=False)
    there = [f"pod/{order.name}", f"secret/{order.name}"]
    begin = [[cluster.command("create", f"--filename={manifest}")]]
    end = [cluster.command("delete", "--ignore-not-found", "--grace-period=2", "--wait=true", *there, seconds=25)]
    async with kept(begin=begin, end=end, rests=(order.folder,), seconds=order.seconds) as started:
        if isinstance(started, Failure):
            # of two objects, one may be there
            await cluster.run("delete", "--ignore-not-found", "--wait=false", *there)
            yield started
            return
        way = PortForward(cluster, f"pod/{order.name}", template.port)
        try:
            settings = msgspec.structs.replace(
                _settings(target), deployment=None, pod=order.name, container=template.container
            )
            ours = msgspec.structs.replace(target, name=order.name, settings=settings, unit=None)
            yield RehearsalRun(ours, f"http://{way.url}", _LEFT_OUT)
        finally:
            await asyncio.to_thread(way.close)


def _settings(target: ServiceTarget) -> Kubernetes:
    assert isinstance(target.settings, Kubernetes)
    return target.settings


def _with_image(template: Template, image: str) -> Template:
    containers = [
        {**one, "image": image} if one.get("name") == template.container else one
        for one in template.spec.get("containers") or ()
    ]
    return msgspec.structs.replace(template, spec={**template.spec, "containers": containers})


class _Listed(msgspec.Struct, frozen=True):
    items: tuple[dict[str, Any], ...] = ()


async def _sweep(cluster: Cluster) -> None:
    """Remove the pods of rehearsals whose time is over: their keepers were killed."""
    found = await cluster.read(_Listed, "pods,secrets", f"--selector={LABEL}")
    if isinstance(found, Failure):
        return
    for one in found.items:
        about = one.get("metadata") or {}
        until = str((about.get("labels") or {}).get(LABEL, ""))
        if until.isascii() and until.isdigit() and int(until[:12]) < time.time():
            kind = str(one.get("kind", "")).lower()
            await cluster.run("delete", "--ignore-not-found", "--wait=false", f"{kind}/{about.get('name')}")


def alone(pod: Pod) -> Deployment:
    """The pod of a rehearsal as a Deployment that has it alone."""
    ready = any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or ())
    spec = DeploymentSpec(replicas=1, template=Manifest(spec=pod.spec))
    return Deployment(metadata=pod.metadata, spec=spec, status=DeploymentStatus(ready_replicas=int(ready)))


def own_user() -> tuple[int, int]:
    """The console's own: the derived file is sent to the cluster, and read there by whoever may."""
    return os.geteuid(), os.getegid()
