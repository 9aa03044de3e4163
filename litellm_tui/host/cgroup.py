"""What a control group counts of its memory."""

from __future__ import annotations

import os
from typing import Final

from litellm_tui.host.bounded import SMALL, read_text

ROOT: Final = "/sys/fs/cgroup"
# of version 2, and of version 1
_PLACES: Final = (("", "memory.events"), ("memory", "memory.oom_control"))


def oom_kills(group: str, root: str = ROOT) -> int:
    """How many processes of the group the kernel has killed for memory; 0 where that cannot be read."""
    for controller, name in _PLACES:
        path = os.path.normpath(os.path.join(root, controller, group.lstrip("/"), name))
        try:
            lines = read_text(path, SMALL, errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            word, _, number = line.partition(" ")
            if word == "oom_kill" and number.isascii() and number.isdigit() and len(number) < 19:
                return int(number)
    return 0
