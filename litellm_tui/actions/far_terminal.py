"""litellm-tui on another host with this terminal: for its console, and for commands that ask."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from litellm_tui.analysis.fleet.link_states import SSH_FAILED, failure
from litellm_tui.host.far_child import ask
from litellm_tui.host.ssh import far_line, ssh_command
from litellm_tui.model.fleet import LinkFailure


async def why_not(host: str) -> LinkFailure | None:
    """What is wrong with the link, or with the program there, before a terminal is handed over.

    ssh with a terminal tells it in its own words alone. The connection that this makes is the one that is used then.
    """
    tried = await ask(host, ["--version"])
    return tried if isinstance(tried, LinkFailure) else None


def run_there(host: str, words: Sequence[str]) -> int | LinkFailure:
    """Hand this terminal over and wait; the exit status of the other side."""
    try:
        status = subprocess.call(ssh_command(host, far_line(words, terminal=True), terminal=True))
    except OSError:
        return failure("no ssh", host)
    return failure("link lost", host) if status == SSH_FAILED else status
