"""Restarting the service and watching it come back, step by step."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from litellm_tui.collectors.command import run
from litellm_tui.collectors.service import read_service
from litellm_tui.profile import Profile
from litellm_tui.snapshot import Failure, Service

if TYPE_CHECKING:
    from litellm_tui.collectors.gateway import GatewayClient

LOOK_SECONDS: Final = 0.2
# systemd's own default for stopping is 90 s; LiteLLM answers after 4 to 30 s on a small machine
STOP_SECONDS: Final = 100.0
START_SECONDS: Final = 30.0
ANSWER_SECONDS: Final = 120.0
LOAD_SECONDS: Final = 20.0

StepName = Literal["stopping", "starting", "answering", "models loaded"]
STEPS: Final[tuple[StepName, ...]] = ("stopping", "starting", "answering", "models loaded")


class Step(msgspec.Struct, frozen=True):
    """A step that has begun (`took` is None) or ended after `took` seconds."""

    name: StepName
    took: float | None = None
    detail: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """How it ended. `needs_rights` says that nothing was changed, because systemctl may not without a password."""

    ok: bool
    text: str
    took: float
    needs_rights: bool = False


async def restart(profile: Profile, expected: int | None, *, command: bool = True) -> AsyncIterator[Step | Outcome]:
    """Restart the profile's unit and follow it until its models are loaded; the last event is the `Outcome`.

    `expected` is the number of deployments that the file has. With `command=False` the restart was ordered elsewhere
    (through sudo) and is only followed.
    """
    assert profile.unit is not None
    began = time.monotonic()
    before = None if not command else await _look(profile)
    order = asyncio.create_task(_order(profile)) if command else None
    # only now: the dialog that shows these steps is imported at the start, the HTTP client need not be
    from litellm_tui.collectors import gateway

    client = gateway.GatewayClient(profile.url.value, profile.key.reveal() if profile.key else None)
    try:
        async for event in _follow(profile, client, before, expected, order, began):
            yield event
    finally:
        if order is not None and not order.done():
            # systemd goes on with the job by itself: only the waiting ends here
            order.cancel()
        await client.close()


async def _follow(
    profile: Profile,
    client: GatewayClient,
    before: Service | None,
    expected: int | None,
    order: asyncio.Task[str | None] | None,
    began: float,
) -> AsyncIterator[Step | Outcome]:
    def done(ok: bool, text: str, *, needs_rights: bool = False) -> Outcome:
        return Outcome(ok, text, time.monotonic() - began, needs_rights)

    from litellm_tui.collectors.gateway import DEPLOYMENTS, LIVELINESS

    unit = profile.unit.value if profile.unit else ""
    step: StepName = "stopping"
    since = began
    yield Step(step)
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if order is not None and order.done() and (refusal := order.result()):
            asked = any(
                words in refusal for words in ("nteractive authentication", "Access denied", "ermission denied")
            )
            yield done(False, refusal, needs_rights=asked)
            return
        service = await _look(profile)
        elapsed = time.monotonic() - since
        following = step
        if step == "stopping" and _is_new(before, service):
            following = "starting"
        elif step == "starting" and service is not None and service.active_state == "active" and service.main_pid:
            following = "answering"
        elif step == "answering":
            answer = await client.get(LIVELINESS)
            if not isinstance(answer.result, Failure):
                following = "models loaded"
        elif step == "models loaded":
            answer = await client.get(DEPLOYMENTS)
            loaded = None if isinstance(answer.result, Failure) else len(answer.result)
            enough = loaded is not None and (expected is None or loaded >= expected)
            if enough or elapsed > LOAD_SECONDS:
                detail = "not known" if loaded is None else f"{loaded} of {expected}" if expected else str(loaded)
                yield Step(step, time.monotonic() - since, detail)
                yield done(*_result(loaded, expected, time.monotonic() - began))
                return
        if step != "stopping" and (fault := _fault(service)):
            yield done(False, f"{unit} {fault}")
            return
        if following != step:
            now = time.monotonic()
            yield Step(step, now - since)
            step, since = following, now
            yield Step(step)
        elif elapsed > {"stopping": STOP_SECONDS, "starting": START_SECONDS, "answering": ANSWER_SECONDS}.get(
            step, 1e9
        ):
            yield done(False, f"gave up waiting after {elapsed:.0f} s of {step}")
            return


def _result(loaded: int | None, expected: int | None, took: float) -> tuple[bool, str]:
    if loaded is None:
        return False, f"restarted in {took:.1f} s; it answers, but does not show its models (is the key right?)"
    if expected is not None and loaded < expected:
        return False, f"restarted in {took:.1f} s; only {loaded} of {expected} deployments were loaded"
    return True, f"restarted in {took:.1f} s; {loaded} deployments loaded"


def _is_new(before: Service | None, now: Service | None) -> bool:
    """Whether the old process is gone: another invocation, or no process at all."""
    if now is None:
        return False
    if before is None:
        return True
    return now.invocation != before.invocation or now.main_pid != before.main_pid


def _fault(service: Service | None) -> str:
    if service is None:
        return ""
    ending = f"({service.result}, {service.exit_code or 'exited'} {service.exit_status})"
    if service.active_state == "failed":
        return f"failed to start {ending}"
    if service.sub_state == "auto-restart":
        return f"ended after its start {ending}; systemd starts it again"
    return ""


async def _look(profile: Profile) -> Service | None:
    assert profile.unit is not None
    result = await read_service(profile.tools, profile.unit.value, profile.scope)
    return result if isinstance(result, Service) else None


async def _order(profile: Profile) -> str | None:
    """Run `systemctl restart`; what it said when it failed."""
    assert profile.unit is not None
    done = await run(profile.tools.unit_command(profile.scope, "restart", profile.unit.value))
    if isinstance(done, Failure):
        return done.why
    if done.status == 0:
        return None
    return done.first_error or f"systemctl ended with {done.status}"
