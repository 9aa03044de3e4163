"""Whether there is room for a second gateway: memory that is free, and a port."""

from __future__ import annotations

import socket
from typing import Final

from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.model.service import Service

# what a LiteLLM holds after its start, where none was seen to run: 1.109 holds 400 MB
USUAL_BYTES: Final = 450_000_000
# what the running one and the machine keep for themselves
SPARED_BYTES: Final = 150_000_000
_MORE: Final = 1.25


def wanted_bytes(service: Service | None) -> int:
    """The memory that has to be free: a little more than what the running one holds, and something for the others.

    Of a running one that has several processes, one is counted.
    """
    held = service.memory if service is not None else None
    if held and service is not None and service.workers:
        held = max(worker.memory for worker in service.workers)
    # one that has run for long may hold much more than after its start
    return int(min(held or USUAL_BYTES, 3 * USUAL_BYTES) * _MORE) + SPARED_BYTES


def free_bytes(path: str = "/proc/meminfo") -> int | None:
    """The memory that can be had without swapping; None where the kernel does not tell."""
    try:
        for line in read_text(path, SMALL, errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                return int(value.split()[0]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def lacks_memory(service: Service | None, free: int | None) -> str:
    """Why there is too little memory; empty where there is enough, or where it is not known."""
    wanted = wanted_bytes(service)
    if free is None or free >= wanted:
        return ""
    return f"{free / 1e6:.0f} MB of memory are free, and a second gateway wants {wanted / 1e6:.0f} MB"


def spare_port() -> int:
    """A port of 127.0.0.1 on which nobody listens at this moment. Raises OSError where there is none."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
