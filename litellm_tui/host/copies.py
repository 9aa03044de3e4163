"""Copies of files that only a container or a cluster has: where they stand, and of what they are.

A container's copy stands in the cache folder of this user, at the path that it has in the container; that of a key of
a ConfigMap or Secret in a folder of its own, beside the object's other keys. They are there to be read: what is written
to a container's reaches nobody, and a cluster's is changed by changing the object (`actions.rewrite`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote


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


class ClusterKey(NamedTuple):
    """The key of a ConfigMap or Secret (`kind` in lower case) of Kubernetes."""

    context: str
    namespace: str
    kind: str
    name: str
    key: str

    def __str__(self) -> str:
        kind = "Secret" if self.kind == "secret" else "ConfigMap"
        return f"key {self.key} of the {kind} {self.name} in {self.namespace} of the context {self.context}"


def cluster_copies() -> Path:
    """The folder of the copies of what clusters have."""
    return copies().with_name("kubernetes")


def cluster_copy(key: ClusterKey) -> Path:
    """Where the copy of this key stands. No name of a cluster leads out of the folder."""
    parts = (key.context, key.namespace, f"{key.kind}.{key.name}", key.key)
    return cluster_copies().joinpath(*(quote(part, safe=" :@+=,") or "-" for part in parts))


def cluster_origin(path: str | os.PathLike[str]) -> ClusterKey | None:
    """The key of which this file is a copy; None where it is none."""
    folder = str(cluster_copies())
    real = os.path.realpath(path)
    parts = [unquote(part) for part in real[len(folder) + 1 :].split("/")] if real.startswith(f"{folder}/") else []
    if len(parts) != 4:
        return None
    kind, _, name = parts[2].partition(".")
    return ClusterKey(parts[0], parts[1], kind, name, parts[3])


def not_editable(path: str | os.PathLike[str]) -> str:
    """Why this file is not to be edited here; empty where it is no copy."""
    found = origin(path)
    return (
        f"{found[1]} is only in the container {found[0]}, in its image or in a volume, and this is a copy of it: "
        "change it there, or mount it from this machine"
        if found
        else ""
    )
