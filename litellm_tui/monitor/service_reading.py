"""What makes one reading of the service another than the one before."""

from __future__ import annotations

import time

import msgspec

from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service


def as_shown(reading: Reading[Service]) -> object:
    """What makes a reading of the service another one: its memory and its CPU time always are."""
    value = reading.value
    if value is not None:
        value = msgspec.structs.replace(value, memory=None, cpu_seconds=None, cpu_percent=None, booted_at=None)
    return value, reading.failure, value is not None and reading.stale(time.time())
