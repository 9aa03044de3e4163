"""The driver of a Deployment of Kubernetes, through the user's own kubectl."""

from __future__ import annotations

import msgspec

from litellm_tui.logs.command_tail import CommandTail
from litellm_tui.logs.entry import HISTORY, Entries, Prepare, States, unprepared
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.found import Found, Missing
from litellm_tui.model.service import Obstacle, Service, ServicePlace, Unit, Verb
from litellm_tui.model.service_kinds import Kubernetes
from litellm_tui.model.service_target import FoundService, ServiceQuery, ServiceTarget
from litellm_tui.services.driver import Description, Wording
from litellm_tui.services.kubernetes.change import NO_NAME, DeploymentChanges
from litellm_tui.services.kubernetes.kubectl import Cluster, NoSuchObject
from litellm_tui.services.kubernetes.objects import Deployment


class KubernetesDriver(DeploymentChanges):
    """One Deployment, known by its context, namespace and name."""

    place: ServicePlace = "kubernetes"
    wording = Wording(command_line="the container of the Deployment", log="its pods")
    unknown = ("the ends of a container's runs before the last one",)

    def __init__(self, target: ServiceTarget) -> None:
        assert isinstance(target.settings, Kubernetes)
        self._target = target
        self._settings = target.settings
        self._name = target.name or target.settings.deployment or ""
        self._cluster = cluster_of(target.settings)

    @property
    def log_source(self) -> str:
        return (
            " ".join(self._cluster.command("logs", "-f", f"deployment/{self._name}", seconds=0)) if self._name else ""
        )

    @property
    def operated(self) -> tuple[str, ...]:
        return ("kubernetes", self._cluster.context, self._cluster.namespace, self._name) if self._name else ()

    async def look(self) -> Service | Failure:
        if not self._name:
            return NotAvailable(NO_NAME)
        found = await self._cluster.read(Deployment, f"deployments.apps/{self._name}")
        if isinstance(found, NoSuchObject):
            return Service(
                self._name, "kubernetes", "not-found", "inactive", "dead", note="there is no such Deployment"
            )
        if isinstance(found, Failure):
            return found
        wanted, ready = found.spec.replicas or 0, found.status.ready_replicas or 0
        active = "inactive" if not wanted else "active" if ready else "activating"
        sub = "dead" if not wanted else "running" if ready else "start"
        return Service(self._name, "kubernetes", "loaded", active, sub)

    def unchanged(self, service: Service) -> bool:
        return False

    def tail(
        self, on_entries: Entries, on_state: States, prepare: Prepare = unprepared, lines: int = HISTORY
    ) -> CommandTail | Failure:
        return NotAvailable("no Deployment is known, and so no log")

    def order_by_sudo(self, verb: Verb) -> list[str] | None:
        return None

    def next_start(self) -> Unit | None:
        return None

    def obstacles(self) -> tuple[Obstacle, ...]:
        return ()

    async def describe(self, service: Service | None) -> Description:
        return Description(NotAvailable("Kubernetes keeps only the last end of each container"), {})


driver = KubernetesDriver


def cluster_of(settings: Kubernetes) -> Cluster:
    """The cluster of these settings; they name the context and the namespace once the service was found."""
    return Cluster(settings.context or "", settings.namespace or "default", settings.kubectl)


def find(wanted: ServiceQuery) -> FoundService:
    """The Deployment that is named."""
    settings = wanted.settings
    assert isinstance(settings, Kubernetes)
    given = wanted.name or (Found(settings.deployment, f"profile {wanted.profile}") if settings.deployment else None)
    if given is None:
        lack = Missing("Deployment", "no Deployment is named", "name it: kubernetes.deployment in the profile")
        return FoundService(settings=settings, missing=(lack,))
    settings = msgspec.structs.replace(settings, deployment=given.value)
    return FoundService(name=given, settings=settings)
