"""What ends a rehearsal and would not end the restart: it says nothing against the configuration. Pure."""

from __future__ import annotations

import re
from typing import Final

from litellm_tui.model.rehearsal import Rehearsal

# of the kernel (EADDRINUSE), by Python and by the console's own reading of it
_TAKEN: Final = re.compile(r"\[Errno 98\]|address (?:is )?already in use", re.IGNORECASE)
_UNSEEN: Final = re.compile(r"No such file or directory|Permission denied|not found|Read-only", re.IGNORECASE)
_LONGEST: Final = 4000


def own_fault(done: Rehearsal, copy: str) -> str:
    """Why what was refused was refused for being a second one beside the gateway; empty where that is not the cause.

    `copy` is the path of the configuration that it was started with.
    """
    if not done.refused:
        return ""
    cause = done.cause[:_LONGEST]
    if _TAKEN.search(cause):
        return (
            "it wants an address that is taken while the gateway runs, by that or by another program, so that it could "
            f"not start beside it ({cause})"
        )
    if copy in cause and _UNSEEN.search(cause):
        return f"the service's process cannot read the copy that was made for it ({cause})"
    return ""
