"""What the runs of a service took, minute by minute."""

from __future__ import annotations

import msgspec


class ServiceMinute(msgspec.Struct, frozen=True):
    """One minute: its number since the epoch, the most memory in bytes, the mean share of one processor in percent.

    None means that it was not known. `began` is when another run was seen to begin in it, in seconds since the epoch.
    """

    minute: int
    memory: int | None = None
    cpu: float | None = None
    began: float | None = None
