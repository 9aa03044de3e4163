"""The driver of one pod by itself, as a rehearsal makes it: looked at as a Deployment that has this pod alone."""

from __future__ import annotations

from litellm_tui.model.failures import Failure
from litellm_tui.services.kubernetes.driver import KubernetesDriver, Seen
from litellm_tui.services.kubernetes.objects import Deployment, DeploymentSpec, DeploymentStatus, Pod, Template
from litellm_tui.services.kubernetes.rehearsal import NAME


class PodDriver(KubernetesDriver):
    """It is never started again, and given no orders."""

    async def see(self) -> Seen | Failure:
        """The pod, in the place of a Deployment's."""
        pod = await self._cluster.read(Pod, "pod", self._name)
        if isinstance(pod, Failure):
            return pod
        ready = any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or ())
        alone = Deployment(
            metadata=pod.metadata,
            spec=DeploymentSpec(replicas=1, template=Template(spec=pod.spec)),
            status=DeploymentStatus(ready_replicas=int(ready)),
        )
        return Seen(alone, (pod,))

    def _followed(self) -> tuple[str, str] | Failure:
        return f"{NAME}={self._name}", self._container
