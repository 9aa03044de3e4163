"""Asking deployments the truth: one request to each, past fallbacks, retries and the cache."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from litellm_tui.actions.probe_request import STREAMED, request_for, why_not
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.probe import ProbeResult
from litellm_tui.target.profile import Profile

if TYPE_CHECKING:
    from litellm_tui.actions.probe_wire import Asker, Said

CONCURRENCY: Final = 4
TIMEOUT_SECONDS: Final = 30.0
# Asked for by its id, a deployment answers alone. None of this reaches the upstream (seen on 1.77.7 and 1.106.2, on
# all four endpoints).
ALONE: Final[dict[str, Any]] = {
    "disable_fallbacks": True,
    "num_retries": 0,
    "cache": {"no-cache": True, "no-store": True},
}
PROMPT: Final = "Say hi."


class Started(msgspec.Struct, frozen=True):
    """The first event: how many will be asked, and how many cannot be."""

    calls: int
    skipped: int


class Asking(msgspec.Struct, frozen=True):
    """A request to this deployment (its id) has begun."""

    deployment: str


class Done(msgspec.Struct, frozen=True):
    """The last event; `took` is seconds for all of them."""

    answered: int
    failed: int
    skipped: int
    took: float


Event = Started | Asking | ProbeResult | Done


async def probe(
    profile: Profile,
    deployments: Sequence[LoadedDeployment],
    *,
    stream: bool = False,
    concurrency: int = CONCURRENCY,
    timeout: float = TIMEOUT_SECONDS,
    redact: Callable[[str], str] | None = None,
) -> AsyncGenerator[Event, None]:
    """Ask each deployment once, at most `concurrency` at a time; a result comes as soon as it is there.

    Closing the iterator (`contextlib.aclosing`), or cancelling the task that waits in it, ends every request at once.
    Every way to fail is a `ProbeResult`; nothing is raised. `timeout` is seconds for each.

    A cooldown does not keep a probe out, but a probe may begin one, as any failing request: after a 401 or 404 from
    the upstream LiteLLM answers the group's requests with 429 for `cooldown_time` (seen on 1.77.7 and 1.106.2).
    """
    # only now: the dialog that shows these events is imported at the start, the HTTP client need not be
    from litellm_tui.actions.probe_wire import Asker

    masked = redact or Redactor(profile.secrets)
    began = time.monotonic()
    asked = [deployment for deployment in deployments if not why_not(deployment)]
    yield Started(len(asked), len(deployments) - len(asked))
    for deployment in deployments:
        if reason := why_not(deployment):
            yield _skipped(deployment, reason)
    events: asyncio.Queue[Asking | ProbeResult] = asyncio.Queue()
    free = asyncio.Semaphore(concurrency)
    asker = Asker(profile.url.value, profile.key.reveal() if profile.key else None, concurrency)

    gateway_fault = ""

    async def one(deployment: LoadedDeployment) -> None:
        nonlocal gateway_fault
        async with free:
            if gateway_fault:
                # each refused key costs LiteLLM a stack trace, and a gateway that hangs would cost a timeout each
                events.put_nowait(_skipped(deployment, f"not asked: {gateway_fault}", by_gateway=True))
                return
            events.put_nowait(Asking(deployment.id))
            result = await _ask(asker, deployment, stream, timeout, masked)
            gateway_fault = result.error if result.by_gateway else gateway_fault
            events.put_nowait(result)

    tasks = [asyncio.create_task(one(deployment)) for deployment in asked]
    answered = failed = ended = 0
    try:
        while ended < len(asked):
            event = await events.get()
            if isinstance(event, ProbeResult):
                ended += 1
                answered += event.ok
                failed += bool(event.error)
            yield event
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asker.close()
    yield Done(answered, failed, len(deployments) - answered - failed, time.monotonic() - began)


async def _ask(
    asker: Asker, deployment: LoadedDeployment, stream: bool, timeout: float, redact: Callable[[str], str]
) -> ProbeResult:
    path, body = request_for(deployment.mode, deployment.id, PROMPT, stream=stream)
    now = time.time()
    said = await asker.ask(path, body | ALONE, timeout)
    error = redact(said.error or _masked_by(said, deployment))
    return ProbeResult(
        deployment=deployment.id,
        group=deployment.group,
        model=deployment.model,
        ok=not error,
        asked_at=now,
        took=said.took,
        first_token=said.first_token,
        status=said.status,
        error=error,
        endpoint=path,
        stream=stream and path in STREAMED,
        by_gateway=said.by_gateway,
    )


def _masked_by(said: Said, deployment: LoadedDeployment) -> str:
    """Why an answer is not this deployment's own; empty when nothing says so.

    1.77.7 sends no `x-litellm-model-id` with a streamed completion.
    """
    speaker = said.headers.get("x-litellm-model-id", "")
    if speaker and speaker != deployment.id:
        return f"another deployment answered in its place: {speaker}"
    if said.headers.get("x-litellm-attempted-fallbacks", "0") != "0":
        return f"a fallback answered in its place: {said.headers.get('x-litellm-model-group', 'not named')}"
    if said.headers.get("x-litellm-cache-key"):
        return "the cache answered in its place"
    return ""


def _skipped(deployment: LoadedDeployment, reason: str, *, by_gateway: bool = False) -> ProbeResult:
    return ProbeResult(
        deployment=deployment.id,
        group=deployment.group,
        model=deployment.model,
        ok=False,
        asked_at=time.time(),
        skipped=reason,
        by_gateway=by_gateway,
    )
