"""What the kernel's journal says of a process that was killed for lack of memory.

The lines are those of Linux 5 and 6: `Out of memory: Killed process 123 (litellm) total-vm:…`, and the same behind
`Memory cgroup`. Not every user may read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from litellm_tui.host.command import run
from litellm_tui.model.failures import Failure
from litellm_tui.model.service_kinds import Tools

SECONDS: Final = 3.0
_LINES: Final = 200
_BEFORE: Final = 120.0
_KILLED: Final = re.compile(
    r"(?:Memory cgroup out|Out) of memory: Killed process [0-9]{1,10} "
    r"\((?:python|litellm|gunicorn|uvicorn|hypercorn|granian)[\w.: -]{0,15}\)"
)
_RESIDENT: Final = re.compile(r"anon-rss:([0-9]{1,15})kB")


async def killed_for_memory(tools: Tools, at: float) -> str:
    """The kernel's message about a killed LiteLLM in the two minutes before `at` (epoch seconds); empty without one."""
    span = [f"--since=@{int(at - _BEFORE)}", f"--until=@{int(at + 5)}"]
    done = await run([*tools.journalctl, "-k", "-q", "-o", "cat", *span, "--no-pager", "-n", str(_LINES)], SECONDS)
    return "" if isinstance(done, Failure) or done.status else newest(done.output.splitlines())


def newest(lines: Iterable[str]) -> str:
    """The last of the kernel's lines that tells of such a process, without its figures but for the resident memory."""
    found = ""
    for line in lines:
        if match := _KILLED.search(line):
            resident = _RESIDENT.search(line)
            found = match[0] + (f", {int(resident[1]) // 1024} MB resident" if resident else "")
    return found
