"""Reads a configuration for a command that looks once: not while it is being saved."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

from litellm_tui.collectors.config.watcher import WRITER_SECONDS, being_written, signature
from litellm_tui.model.configuration import ConfigError, ConfigFile

# a file with an error that was changed this lately may be half of what it is to become
DOUBT_SECONDS: Final = 1.0
_STEP: Final = 0.05


def load_saved(path: str, load: Callable[[], ConfigFile | ConfigError]) -> ConfigFile | ConfigError:
    """What `load` gives of this file when nobody writes it any more, or after twice `WRITER_SECONDS`."""
    end = time.monotonic() + 2 * WRITER_SECONDS
    while True:
        before = signature((path,))
        found = load()
        doubtful = isinstance(found, ConfigError) and 0 <= time.time() - changed_at(path) < DOUBT_SECONDS
        steady = signature((path,)) == before and not being_written(path)
        if (steady and not doubtful) or time.monotonic() >= end:
            return found
        time.sleep(_STEP)


def changed_at(path: str) -> float:
    """When the file was changed last, in seconds since the epoch; 0 where it is not there."""
    try:
        seen = os.stat(path)
    except OSError:
        return 0.0
    return max(seen.st_mtime, seen.st_ctime)
