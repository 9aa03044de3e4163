"""Runs a command on the host of a profile that names one with `ssh:`, and ends with its exit status.

With a terminal on both sides where this one has it, else with the output alone. The link is tried first, so that what
is wrong with it has a name and not only ssh's words. Exit status 69 (EX_UNAVAILABLE) where the command was not reached.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from typing import Final

from litellm_tui.actions.far_terminal import run_there, why_not
from litellm_tui.analysis.fleet.link_states import SSH_FAILED, link_failure
from litellm_tui.host.far_child import FarChild
from litellm_tui.logs.log_line import clean
from litellm_tui.model.fleet import LinkFailure
from litellm_tui.target.far_side import far_words
from litellm_tui.target.profile import Options
from litellm_tui.target.settings import ProfileSettings

UNAVAILABLE: Final = 69
_PART: Final = 1 << 16


def run_far(
    chosen: ProfileSettings, options: Options, arguments: Sequence[str], *, json: bool = False, console: bool = False
) -> int:
    """The exit status of the other side's command."""
    assert chosen.ssh is not None
    words = far_words(chosen, arguments, options)
    if not json and sys.stdin.isatty() and sys.stdout.isatty():
        return on_terminal(chosen.ssh, words)
    if console:
        print("litellm-tui: the console needs a terminal on stdin and stdout", file=sys.stderr)
        return 64
    return asyncio.run(_piped(chosen.ssh, words))


def on_terminal(host: str, words: Sequence[str]) -> int:
    """The command with this terminal; what is wrong with the link is told on stderr."""
    if failed := asyncio.run(why_not(host)):
        return _told(failed)
    done = run_there(host, words)
    return _told(done) if isinstance(done, LinkFailure) else done


async def _piped(host: str, words: Sequence[str]) -> int:
    own = asyncio.current_task()
    assert own is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, own.cancel)
    try:
        return await _passed_on(host, words)
    except asyncio.CancelledError:
        # the child has ended with it
        return 128 + signal.SIGTERM


async def _passed_on(host: str, words: Sequence[str]) -> int:
    async with FarChild(host, words) as child:
        if failed := await child.begun():
            return _told(failed)
        while part := await child.part():
            sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
        status = await child.status()
        if status == SSH_FAILED:
            return _told(link_failure(host, status, child.said, connected=True))
        found = link_failure(host, status, child.said, connected=True) if status else None
        if found is not None and found.state in ("missing program", "program too old"):
            return _told(found)
        for line in child.said.splitlines():
            print(clean(line), file=sys.stderr)
        return status


def _told(failed: LinkFailure) -> int:
    tell(failed)
    return UNAVAILABLE


def tell(failed: LinkFailure) -> None:
    """Say on stderr what is wrong with a link, and what to do."""
    print(f"litellm-tui: {failed.state}: {clean(failed.why)}", file=sys.stderr)
    if failed.do:
        print(f"  to do: {clean(failed.do)}", file=sys.stderr)
