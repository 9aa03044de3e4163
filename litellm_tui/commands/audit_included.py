"""Files named to the audit of which one includes another: the included one is audited where LiteLLM reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from litellm_tui.collectors.config import config_file
from litellm_tui.model.configuration import ConfigFile


def included_elsewhere(sources: Sequence[tuple[str, Mapping[str, str] | None]]) -> dict[str, str]:
    """Each path that another one of these includes, with the path of that one.

    Of two that include each other the first is kept. A source is a path with its environment, None where that is not
    known. Every file is read.
    """
    read: dict[str, frozenset[str]] = {}
    for path, environment in sources:
        loaded = config_file.load(path, environment or {})
        read[path] = frozenset(map(os.path.realpath, loaded.files)) if isinstance(loaded, ConfigFile) else frozenset()
    found: dict[str, str] = {}
    for path in reversed(read):
        mine = os.path.realpath(path)
        by = next((other for other in read if other != path and other not in found and mine in read[other]), None)
        if by is not None:
            found[path] = by
    return found
