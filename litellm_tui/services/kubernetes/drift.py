"""What was changed after the pods were started: the objects of their environment, and a template not rolled out."""

from __future__ import annotations

import asyncio
import time

from litellm_tui.analysis.phrases import age
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Service
from litellm_tui.model.service_drift import Difference, ServiceDrift
from litellm_tui.services.kubernetes.config_copy import changed_of
from litellm_tui.services.kubernetes.definition import objects_of_environment
from litellm_tui.services.kubernetes.kubectl import Cluster
from litellm_tui.services.kubernetes.objects import ContainerSpec


async def environment_drift(cluster: Cluster, container: ContainerSpec, service: Service) -> ServiceDrift:
    """The ConfigMaps and Secrets of the environment that are younger than a pod, and pods of an older template.

    A container gets its variables when it starts. The configuration itself is compared as a file.
    """
    found: list[Difference] = []
    unknown: list[str] = []
    pods = [one for one in (service.workload.pods if service.workload else ()) if one.started_at and not one.ending]
    objects = list(dict.fromkeys(objects_of_environment(container)))
    changes = await asyncio.gather(*(asyncio.to_thread(changed_of, cluster, kind, name) for kind, name in objects))
    for (kind, name), changed in zip(objects, changes, strict=True):
        what = f"{'Secret' if kind == 'secret' else 'ConfigMap'} {name}"
        if isinstance(changed, Failure):
            unknown.append(f"{what}: {changed.why}")
            continue
        older = [one.name for one in pods if changed is not None and (one.started_at or 0.0) < changed]
        if older:
            when = age(time.time() - (changed or 0.0))
            found.append(Difference("definition", what, note=f"changed {when} ago, after {', '.join(older)} started"))
    behind = [one.name for one in pods if not one.current]
    if behind and service.workload is not None and service.workload.paused:
        note = f"the rollout is paused: {', '.join(behind)} run the one before"
        found.append(Difference("definition", "template", note=note))
    return ServiceDrift(tuple(found), tuple(unknown))
