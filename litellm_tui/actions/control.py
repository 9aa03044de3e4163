"""Starting, stopping and restarting the service, whatever kind it is. Orders are lists of words and pass no shell."""

from __future__ import annotations

import asyncio
import re
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from litellm_tui.actions import start_process
from litellm_tui.host.command import Done, argument_vector, end, helper_environment
from litellm_tui.host.systemd_tools import runtime_environment
from litellm_tui.model.failures import Denied, Failure, NotAvailable, Unreachable
from litellm_tui.model.service_kinds import Compose, Custom, Process
from litellm_tui.services.compose.container import compose_command, find
from litellm_tui.services.docker import client
from litellm_tui.target.profile import Profile

Verb = Literal["start", "stop", "restart"]
# systemd's own default is 90 s for stopping and 90 s for starting, and a unit may say more
ORDER_SECONDS: Final = 300.0
# of polkit through systemctl, of the kernel, of sudo without a terminal
_DENIED: Final = re.compile(
    r"interactive authentication required|access denied|permission denied|not permitted|a password is required|"
    r"a terminal is required",
    re.IGNORECASE,
)


async def order(profile: Profile, verb: Verb) -> Failure | None:
    """Give the order and wait until it is carried out; None when it was.

    `Denied` when a right is missing and nothing was changed. That the order was carried out does not mean that LiteLLM
    serves: that is for whoever looks afterwards. Starting what runs and stopping what does not are no errors. When it
    is cancelled it no longer waits; what was begun goes on where systemd or Docker does it.
    """
    if profile.unit is None:
        why = next((missing.why for missing in profile.missing if "service" in missing.what), "")
        return NotAvailable(why or "no service is known here: see litellm-tui where")
    match profile.service:
        case Compose() as compose:
            return await _compose(compose, verb)
        case Process() as settings:
            return await _process(settings, verb)
        case Custom() as custom:
            return await _custom(custom, verb)
    unit = profile.unit.value
    return _refusal(await carry_out(profile.tools.unit_command(profile.scope, verb, unit)), "systemctl")


def denied(said: str) -> bool:
    """Whether these words of a tool mean that a right is missing."""
    return _DENIED.search(said) is not None


async def carry_out(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Done | Failure:
    """Run a command that may leave something behind: it gets no pipe that a daemon could hold open, nor our terminal.

    What it said is read from a file afterwards, and is in English unless an `environment` is given.
    """
    variables = helper_environment() if environment is None else environment
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as error:
        try:
            child = await asyncio.create_subprocess_exec(
                *command, stdin=DEVNULL, stdout=output, stderr=error, env=variables, start_new_session=True
            )
        except PermissionError as refused:
            return Denied(f"{command[0]}: {refused.strerror}")
        except OSError as refused:
            return NotAvailable(f"{command[0]}: {refused.strerror}")
        try:
            async with asyncio.timeout(ORDER_SECONDS):
                await child.wait()
        except TimeoutError:
            return Unreachable(f"{command[0]} did not end in {ORDER_SECONDS:g} s", kind="timeout")
        finally:
            await end(child)
        output.seek(0)
        error.seek(0)
        said = output.read(1 << 16).decode(errors="replace"), error.read(1 << 16).decode(errors="replace")
        return Done(child.returncode or 0, *said)


def _refusal(done: Done | Failure, tool: str) -> Failure | None:
    if isinstance(done, Failure) or done.status == 0:
        return done if isinstance(done, Failure) else None
    said = done.first_error or next((line.strip() for line in done.output.splitlines() if line.strip()), "")
    why = said or f"{tool} ended with {done.status}"
    return Denied(why) if denied(done.error) or denied(why) else NotAvailable(why)


async def _compose(compose: Compose, verb: Verb) -> Failure | None:
    # Compose restarts a service that is not there without a word (docker/compose issue 9942)
    container = await find(compose)
    if isinstance(container, Failure):
        return container
    if not container:
        return NotAvailable(f"{compose.service} has no container: docker compose up -d {compose.service} makes one")
    done = await carry_out(compose_command(compose, verb, compose.service or ""))
    if isinstance(done, Failure):
        return client.missing(compose.docker, done) if isinstance(done, NotAvailable) else done
    return client.refusal(done, compose.docker) if done.status else None


async def _process(settings: Process, verb: Verb) -> Failure | None:
    if verb != "start":
        if verb == "restart" and (lacking := start_process.cannot_start(settings)):
            # stopped is easily done, and the gateway would stay down
            return lacking
        failure = await start_process.stop(settings)
        if failure is not None or verb == "stop":
            return failure
    return start_process.start(settings)


async def _custom(custom: Custom, verb: Verb) -> Failure | None:
    given = {"start": custom.start, "stop": custom.stop, "restart": custom.restart}[verb]
    if given is not None:
        # what it starts may be the gateway itself, whose locale is the user's
        return _refusal(await carry_out(argument_vector(given), runtime_environment()), argument_vector(given)[0])
    if verb == "restart" and custom.stop is not None and custom.start is not None:
        return await _custom(custom, "stop") or await _custom(custom, "start")
    return NotAvailable(f"the profile does not say how to {verb} it: add custom.{verb}")
