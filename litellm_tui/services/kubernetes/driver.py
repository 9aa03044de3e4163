"""The driver of a Deployment of Kubernetes, through the user's own kubectl."""

from __future__ import annotations

import shlex
import time
from typing import Any, Final

import msgspec

from litellm_tui.logs.command_tail import CommandTail
from litellm_tui.logs.entry import HISTORY, Entries, Prepare, States, unprepared
from litellm_tui.model.failures import Failure, Malformed, NotAvailable
from litellm_tui.model.found import Found, Missing
from litellm_tui.model.service import Obstacle, Service, ServicePlace, Unit, Verb
from litellm_tui.model.service_drift import ServiceDrift
from litellm_tui.model.service_kinds import Kubernetes
from litellm_tui.model.service_target import FoundService, ServiceQuery, ServiceTarget
from litellm_tui.model.service_words import ServiceWords
from litellm_tui.services.driver import Description, Wording
from litellm_tui.services.kubernetes import pod_state, rehearsal
from litellm_tui.services.kubernetes.change import NO_NAME, DeploymentChanges, port_in_pod
from litellm_tui.services.kubernetes.config_copy import ConfigCopies
from litellm_tui.services.kubernetes.definition import litellm_container
from litellm_tui.services.kubernetes.description import billed, describe_deployment
from litellm_tui.services.kubernetes.discovery import find_deployments, open_deployment
from litellm_tui.services.kubernetes.drift import environment_drift
from litellm_tui.services.kubernetes.kubectl import Cluster, Forbidden, NoSuchObject, decoded
from litellm_tui.services.kubernetes.objects import Deployment, Pod, ReplicaSet, selector_text
from litellm_tui.services.kubernetes.pod_answers import PodAnswers
from litellm_tui.services.kubernetes.pod_log import PodLines

LOOK_SECONDS: Final = 10.0


class Seen(msgspec.Struct, frozen=True):
    """One look at the cluster: the Deployment, its pods and ReplicaSets; `forbidden` says what could not be read."""

    deployment: Deployment
    pods: tuple[Pod, ...] = ()
    sets: tuple[ReplicaSet, ...] = ()
    forbidden: tuple[str, ...] = ()


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
        self._copies = ConfigCopies(self._cluster, target.unit)
        self._answers: PodAnswers | None = None
        self._container = target.settings.container or ""

    @property
    def log_source(self) -> str:
        if not self._name:
            return ""
        return shlex.join(
            [self._cluster.kubectl, f"--context={self._cluster.context}", f"--namespace={self._cluster.namespace}",
             "logs", "-f", "--prefix", f"deployment/{self._name}"]
        )  # fmt: skip

    @property
    def operated(self) -> tuple[str, ...]:
        return ("kubernetes", self._cluster.context, self._cluster.namespace, self._name) if self._name else ()

    async def look(self) -> Service | Failure:
        seen = await self.see()
        if isinstance(seen, NoSuchObject):
            return Service(
                self._name, "kubernetes", "not-found", "inactive", "dead", note="there is no such Deployment"
            )
        if isinstance(seen, Failure):
            return seen
        now = time.time()
        template, revision = pod_state.newest_template(seen.sets, seen.deployment)
        pods = tuple(pod_state.pod_state(pod, self._container, template, now) for pod in seen.pods)
        answers = self._asked(seen.deployment)
        await answers.renew(pods)
        await self._copies.renew()
        container = litellm_container(seen.deployment.spec.template.spec, self._container)
        forbidden = [*seen.forbidden, answers.forbidden]
        forbidden += [self._copies.failure.why] if self._copies.failure else []
        found = pod_state.workload(
            seen.deployment,
            answers.told(pods),
            revision,
            self._cluster.context,
            tuple(filter(None, forbidden)),
            billed(container) if container else (),
        )
        return pod_state.service_from(seen.deployment, seen.pods, found, template)

    async def see(self) -> Seen | Failure:
        """Read the Deployment and what it owns. Rights that are missing for its pods cost only that part."""
        if not self._name:
            return NotAvailable(NO_NAME)
        if self._settings.pod:
            pod = await self._cluster.read(Pod, "pod", self._settings.pod)
            return pod if isinstance(pod, Failure) else Seen(rehearsal.alone(pod), (pod,))
        deployment = await self._cluster.read(Deployment, "deployments.apps", self._name)
        if isinstance(deployment, Failure):
            return deployment
        if not self._container:
            container = litellm_container(deployment.spec.template.spec)
            self._container = container.name if container else ""
        selector = selector_text(deployment.spec.selector)
        items = await self._items("pods,replicasets.apps", selector)
        if not isinstance(items, Forbidden):
            if isinstance(items, Failure):
                return items
            pods, sets = _pods(items), _sets(items)
            return Seen(deployment, pods, pod_state.owned(sets, deployment))
        forbidden: list[str] = []
        parts: list[tuple[Any, ...]] = []
        for kind in ("pods", "replicasets.apps"):
            part = await self._items(kind, selector)
            if isinstance(part, Failure):
                if not isinstance(part, Forbidden):
                    return part
                forbidden.append(f"its {'pods' if kind == 'pods' else 'revisions'}: {part.why}")
            parts.append(() if isinstance(part, Failure) else part)
        sets = pod_state.owned(_sets(parts[1]), deployment)
        return Seen(deployment, _pods(parts[0]), sets, tuple(forbidden))

    async def _items(self, kinds: str, selector: str) -> tuple[Any, ...] | Failure:
        found = await self._cluster.run("get", kinds, f"--selector={selector}", "--output=json")
        if isinstance(found, Failure):
            return found
        listed = decoded(found, _Items)
        return listed if isinstance(listed, Malformed) else listed.items

    def _asked(self, deployment: Deployment) -> PodAnswers:
        if self._answers is None:
            unit = self._target.unit
            port = port_in_pod(deployment, self._container)
            scheme = "https" if unit and unit.url.startswith("https:") else "http"
            path = unit.url.rpartition("://")[2].partition("/")[2] if unit else ""
            self._answers = PodAnswers(self._cluster, port, scheme, f"/{path}" if path else "")
        return self._answers

    @property
    def look_seconds(self) -> float:
        """Each look is two children of kubectl, each a tenth of a second of a processor."""
        return LOOK_SECONDS

    def unchanged(self, service: Service) -> bool:
        return False

    def tail(
        self, on_entries: Entries, on_state: States, prepare: Prepare = unprepared, lines: int = HISTORY
    ) -> CommandTail | Failure:
        if not self._name:
            return NotAvailable("no Deployment is known, and so no log")
        source = PodLines(self._cluster, self._name, self._followed, lines)
        return CommandTail(source, on_entries, on_state, prepare=prepare)

    def _followed(self) -> tuple[str, str] | Failure:
        """The selector of the pods, and the container whose log is read. Blocks."""
        if self._settings.pod:
            return f"{rehearsal.NAME}={self._settings.pod}", self._container
        deployment = self._cluster.read_now(Deployment, "deployments.apps", self._name)
        if isinstance(deployment, Failure):
            return deployment
        spec = deployment.spec.template.spec
        found = litellm_container(spec, self._container) or (spec.containers[0] if spec.containers else None)
        return selector_text(deployment.spec.selector), found.name if found else ""

    @property
    def words(self) -> ServiceWords:
        """Where its environment is written, and what brings a change of it in."""
        return ServiceWords(
            f"env of the Deployment {self._name}, or the Secret that it names",
            service="the Deployment",
            limits="resources of its container",
            definition="the Deployment",
        )

    def order_by_sudo(self, verb: Verb) -> list[str] | None:
        return None

    def next_start(self) -> Unit | None:
        return open_deployment(self._settings, self._name, reach=False).unit if self._name else None

    def obstacles(self) -> tuple[Obstacle, ...]:
        return ()

    def written_in(self) -> tuple[str, ...]:
        """No file of this machine; see `ShowsDrift`."""
        return ()

    async def drift(self, service: Service) -> ServiceDrift | Failure:
        """What its pods were not started with; see `ShowsDrift`."""
        seen = await self.see()
        if isinstance(seen, Failure):
            return seen
        container = litellm_container(seen.deployment.spec.template.spec, self._container)
        return await environment_drift(self._cluster, container, service) if container else ServiceDrift()

    async def describe(self, service: Service | None) -> Description:
        seen = await self.see()
        if isinstance(seen, Failure):
            return Description(seen, {})
        spec = seen.deployment.spec.template.spec
        container = litellm_container(spec, self._container)
        if container is None:
            return Description(NotAvailable("no container of it is known to run LiteLLM"), {})
        selector = selector_text(seen.deployment.spec.selector)
        return await describe_deployment(self._cluster, seen.deployment, container, seen.pods, seen.sets, selector)


driver = KubernetesDriver


class _Items(msgspec.Struct, frozen=True):
    items: tuple[Any, ...] = ()


def _pods(items: tuple[Any, ...]) -> tuple[Pod, ...]:
    return tuple(msgspec.convert(one, Pod) for one in items if one.get("kind") == "Pod")


def _sets(items: tuple[Any, ...]) -> tuple[ReplicaSet, ...]:
    return tuple(msgspec.convert(one, ReplicaSet) for one in items if one.get("kind") == "ReplicaSet")


def cluster_of(settings: Kubernetes) -> Cluster:
    """The cluster of these settings; they name the context and the namespace once the service was found."""
    return Cluster(settings.context or "", settings.namespace or "default", settings.kubectl)


def find(wanted: ServiceQuery) -> FoundService:
    """The Deployment that is named, or the only one of the context that runs LiteLLM."""
    settings = wanted.settings
    assert isinstance(settings, Kubernetes)
    given = wanted.name or (Found(settings.deployment, f"profile {wanted.profile}") if settings.deployment else None)
    if given is None:
        found, searched = find_deployments(settings)
        if len(found) != 1:
            names = ", ".join(map(str, found))
            why = (
                f"several run LiteLLM: {names}" if found else "; ".join(f"{one.what}: {one.result}" for one in searched)
            )
            mend = "name it: --kind kubernetes --unit NAME, or kubernetes.deployment in the profile"
            if any(one.blocked for one in searched):
                mend = "docs/kubernetes.md tells what each failure means"
            return FoundService(settings=settings, missing=(Missing("Deployment", why, mend),))
        (only,) = found
        given = Found(only.name, f"found (the only one): {only.why}")
        assert isinstance(only.settings, Kubernetes)
        settings = only.settings
    namespace, slash, name = given.value.rpartition("/")
    if slash:
        # as it is shown where several namespaces have one
        settings, given = msgspec.structs.replace(settings, namespace=namespace), Found(name, given.source)
    opened = open_deployment(settings, given.value, reach=wanted.url is None)
    return FoundService(name=given, settings=opened.settings, unit=opened.unit, missing=opened.missing)
