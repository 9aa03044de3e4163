"""What may be done to a Deployment: rolled over with proof and a way back, stopped, started."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.rehearsal import RehearsalOrder, RehearsalRun
from litellm_tui.model.service import Verb
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.kubernetes import rehearsal, rollout
from litellm_tui.services.kubernetes.definition import Given, environment_of, litellm_container, port_of, unit_from
from litellm_tui.services.kubernetes.kubectl import Cluster, decoded
from litellm_tui.services.kubernetes.objects import Deployment
from litellm_tui.services.litellm_command import DEFAULT_PORT

NO_NAME: Final = (
    "no Deployment is known: name it as kubernetes.deployment in the profile, or --kind kubernetes --unit NAME"
)


class DeploymentChanges:
    """The orders of one Deployment; see `RestartsByRecreating`."""

    _target: ServiceTarget
    _cluster: Cluster
    _name: str
    _container: str

    async def order(self, verb: Verb) -> Failure | None:
        """Give the order, and wait until every pod that it makes answers, or none is left; see `Driver.order`."""
        if verb == "restart":
            return await self.recreate()
        port = await self._port()
        if isinstance(port, Failure):
            return port
        return await rollout.scale(self._cluster, self._name, port, up=verb == "start")

    async def recreate(self) -> Failure | None:
        """`kubectl rollout restart` with a look at every new pod; see `Recreates`."""
        port = await self._port()
        return port if isinstance(port, Failure) else await rollout.restart(self._cluster, self._name, port)

    async def definition(self) -> bytes | Failure:
        """The revision that runs; see `Recreates`."""
        return await rollout.keep(self._cluster, self._name)

    async def bring_back(self, definition: bytes) -> Failure | None:
        """`kubectl rollout undo` to that revision; see `Recreates`."""
        port = await self._port()
        return port if isinstance(port, Failure) else await rollout.undo(self._cluster, self._name, definition, port)

    def restarts_by_recreating(self) -> None:
        """A Deployment knows no other restart."""

    async def rehearsal_user(self) -> tuple[int, int] | Failure:
        """See `Rehearses`."""
        template = await self._template()
        if isinstance(template, Failure):
            return template
        why = rehearsal.why_not_twice(template)
        return NotAvailable(why) if why else rehearsal.own_user()

    @asynccontextmanager
    async def rehearse(self, order: RehearsalOrder) -> AsyncIterator[RehearsalRun | Failure]:
        """One pod of the Deployment's template beside it; see `Rehearses`."""
        template = await self._template()
        if isinstance(template, Failure):
            yield template
            return
        async with rehearsal.rehearse(self._target, self._cluster, template, order) as run:
            yield run

    async def _template(self) -> rehearsal.Template | Failure:
        if not self._name:
            return NotAvailable(NO_NAME)
        said = await self._cluster.run("get", "deployments.apps", self._name, "--output=json")
        if isinstance(said, Failure):
            return said
        found, raw = decoded(said, Deployment), decoded(said, _Raw)
        if isinstance(found, Failure):
            return found
        if isinstance(raw, Failure):
            return raw
        container = litellm_container(found.spec.template.spec, self._container)
        if container is None:
            return NotAvailable("no container of it is known to run LiteLLM")
        given = environment_of(container, lambda _, __: NotAvailable("not read"))
        unit = unit_from(found, container, Given(given.environment, (), ()))
        about = found.spec.template.metadata
        return rehearsal.Template(
            raw.spec["template"]["spec"],
            dict(about.annotations or {}) if about else {},
            container.name,
            unit.inside,
            port_of(container, unit),
        )

    async def _port(self) -> int | Failure:
        if not self._name:
            return NotAvailable(NO_NAME)
        found = await self._cluster.read(Deployment, "deployments.apps", self._name)
        return found if isinstance(found, Failure) else port_in_pod(found, self._container)


class _Raw(msgspec.Struct, frozen=True):
    """A Deployment with its specification as it is."""

    spec: dict[str, Any]


def port_in_pod(deployment: Deployment, container: str) -> int:
    """The port on which LiteLLM listens in each pod, by the command and the environment of the manifest."""
    found = litellm_container(deployment.spec.template.spec, container)
    if found is None:
        return DEFAULT_PORT
    given = environment_of(found, lambda _, __: NotAvailable("not read"))
    return port_of(found, unit_from(deployment, found, Given(given.environment, (), ())))
