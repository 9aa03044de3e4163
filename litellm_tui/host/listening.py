"""The TCP ports on which a process and its descendants listen, from /proc."""

from __future__ import annotations

import os
import re
from typing import Final

from litellm_tui.host import proc
from litellm_tui.host.bounded import MEDIUM, read_text

_SOCKET: Final = re.compile(r"socket:\[([0-9]{1,20})\]")
_LISTEN: Final = "0A"
_MOST: Final = 4


def listening_ports(pid: int) -> tuple[int, ...]:
    """The ports in rising order, at most four; empty where none is open, or none may be seen (another user's)."""
    held = {inode for member in proc.family(pid) for inode in _sockets(member)}
    if not held:
        return ()
    found: set[int] = set()
    for name in ("tcp", "tcp6"):
        try:
            lines = read_text(f"/proc/{pid}/net/{name}", MEDIUM, errors="replace").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) > 9 and fields[3] == _LISTEN and fields[9] in held:
                found.add(int(fields[1].rpartition(":")[2], 16))
    return tuple(sorted(found)[:_MOST])


def _sockets(pid: int) -> set[str]:
    """The inodes of the sockets that a process holds open."""
    found = set()
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            try:
                match = _SOCKET.fullmatch(os.readlink(entry.path))
            except OSError:
                continue
            if match:
                found.add(match[1])
    except OSError:
        return set()
    return found
