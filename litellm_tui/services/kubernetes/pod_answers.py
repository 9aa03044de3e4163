"""Asks each pod for itself whether LiteLLM in it is ready, through the API server's proxy: past the Service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from litellm_tui.analysis.phrases import shortened
from litellm_tui.analysis.redaction.secret_shapes import mask_shapes
from litellm_tui.host.command import run
from litellm_tui.model.failures import Failure
from litellm_tui.model.workload import PodState
from litellm_tui.services.kubernetes.kubectl import Cluster, Forbidden, NotLoggedIn, decoded, refusal

ASK_SECONDS: Final = 30.0
_ANSWER_SECONDS: Final = 5.0
# pods that are asked, and how many at once
MOST: Final = 30
_TOGETHER: Final = 4
_LONGEST: Final = 1 << 18
_SHOWN: Final = 160
OK: Final = "ok"


class _Readiness(msgspec.Struct, frozen=True):
    """What LiteLLM's GET /health/readiness says (litellm/proxy/health_endpoints/_health_endpoints.py)."""

    status: str = ""
    litellm_version: str | None = None
    db: str | None = None


class PodAnswers:
    """The last answer of each pod. `forbidden` says why nobody may ask."""

    def __init__(self, cluster: Cluster, port: int, scheme: str = "http", root: str = "") -> None:
        self._cluster, self._port, self._scheme, self._root = cluster, port, scheme, root
        self._answers: dict[str, tuple[str, str]] = {}
        self._asked_at = 0.0
        self._asked: frozenset[str] = frozenset()
        self.forbidden = ""

    async def renew(self, pods: Sequence[PodState]) -> None:
        """Ask those that are ready: every few seconds, and at once where another one has become so."""
        ready = [one.name for one in pods if one.ready][:MOST]
        now = time.monotonic()
        if frozenset(ready) == self._asked and now - self._asked_at < ASK_SECONDS:
            return
        self._asked_at, self._asked = now, frozenset(ready)
        gate = asyncio.Semaphore(_TOGETHER)

        async def ask(pod: str) -> tuple[str, tuple[str, str] | None]:
            async with gate:
                return pod, await self._ask(pod)

        self.forbidden = ""
        found = await asyncio.gather(*map(ask, ready))
        self._answers = {pod: answer for pod, answer in found if answer is not None}

    async def _ask(self, pod: str) -> tuple[str, str] | None:
        """`(ok or what is wrong, version)`; None where it cannot be asked."""
        secure = "https:" if self._scheme == "https" else ""
        path = f"/api/v1/namespaces/{self._cluster.namespace}/pods/{secure}{pod}:{self._port}/proxy{self._root}"
        command = self._cluster.command("get", "--raw", f"{path}/health/readiness", seconds=_ANSWER_SECONDS)
        done = await run(command, _ANSWER_SECONDS + 2, _LONGEST)
        if isinstance(done, Failure):
            return None
        if done.status:
            failure = refusal(done, self._cluster.context)
            if isinstance(failure, Forbidden):
                self.forbidden = f"each pod's own answer: {failure.why}"
                return None
            # what the API server says of the pod; of the API server itself the look tells
            said = next((line for line in done.error.splitlines() if line.startswith("Error from server")), "")
            words = shortened(mask_shapes(said.partition("): ")[2])[0], _SHOWN)
            return (words or failure.why, "") if said and not isinstance(failure, NotLoggedIn) else None
        found = decoded(done.output, _Readiness)
        if isinstance(found, Failure):
            return "what answers in it is not LiteLLM", ""
        well = found.status in ("healthy", "connected")
        return OK if well else f"it says {found.status or 'nothing'}", found.litellm_version or ""

    def told(self, pods: Sequence[PodState]) -> tuple[PodState, ...]:
        """The pods with what each said last; one that is ready and does not answer is in trouble."""
        return tuple(self._told(one) for one in pods)

    def _told(self, pod: PodState) -> PodState:
        if not pod.ready or pod.name not in self._answers:
            return pod
        answer, version = self._answers[pod.name]
        silent = answer != OK
        return msgspec.structs.replace(
            pod,
            answer=answer,
            version=version,
            trouble="silent" if silent and not pod.trouble else pod.trouble,
            why=f"it is ready, and asked for itself it fails: {answer}" if silent and not pod.trouble else pod.why,
        )
