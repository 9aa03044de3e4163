"""What may be done to a Deployment: rolled over with proof and a way back, stopped, started."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.service import Verb
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.kubernetes import rollout
from litellm_tui.services.kubernetes.kubectl import Cluster
from litellm_tui.services.litellm_command import DEFAULT_PORT

NO_NAME: Final = (
    "no Deployment is known: name it as kubernetes.deployment in the profile, or --kind kubernetes --unit NAME"
)


class DeploymentChanges:
    """The orders of one Deployment; see `RestartsByRecreating`."""

    _target: ServiceTarget
    _cluster: Cluster
    _name: str

    async def order(self, verb: Verb) -> Failure | None:
        """Give the order, and wait until every pod that it makes answers, or none is left; see `Driver.order`."""
        if not self._name:
            return NotAvailable(NO_NAME)
        if verb == "restart":
            return await self.recreate()
        return await rollout.scale(self._cluster, self._name, self._port, up=verb == "start")

    async def recreate(self) -> Failure | None:
        """`kubectl rollout restart` with a look at every new pod; see `Recreates`."""
        return await rollout.restart(self._cluster, self._name, self._port) if self._name else NotAvailable(NO_NAME)

    async def definition(self) -> bytes | Failure:
        """The revision that runs; see `Recreates`."""
        return await rollout.keep(self._cluster, self._name)

    async def bring_back(self, definition: bytes) -> Failure | None:
        """`kubectl rollout undo` to that revision; see `Recreates`."""
        return await rollout.undo(self._cluster, self._name, definition, self._port)

    def restarts_by_recreating(self) -> None:
        """A Deployment knows no other restart."""

    @property
    def _port(self) -> int:
        unit = self._target.unit
        return (urlsplit(unit.url).port if unit is not None else None) or DEFAULT_PORT
