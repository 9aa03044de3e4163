"""Copies of files that only a container has, in its image or in a volume: where they stand, and of what they are.

A copy stands in the cache folder of this user, at the path that it has in the container. It is there to be read: what
is written to it reaches nobody.
"""

from __future__ import annotations

import os
from pathlib import Path


def copies() -> Path:
    """The folder of all copies; in it is one for each container."""
    # asked for every file that is looked at, also by a process that has become another user: nothing is imported for it
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.path.realpath(cache)) / "litellm-tui" / "containers"


def origin(path: str | os.PathLike[str]) -> tuple[str, str] | None:
    """The container and the path in it of which this file is a copy; None where it is none."""
    folder = str(copies())
    real = os.path.realpath(path)
    if not real.startswith(f"{folder}/"):
        return None
    container, _, inside = real[len(folder) + 1 :].partition("/")
    return container, f"/{inside}"


def not_editable(path: str | os.PathLike[str]) -> str:
    """Why this file is not to be edited here; empty where it is no copy."""
    found = origin(path)
    return (
        f"{found[1]} is only in the container {found[0]}, in its image or in a volume, and this is a copy of it: "
        "change it there, or mount it from this machine"
        if found
        else ""
    )
