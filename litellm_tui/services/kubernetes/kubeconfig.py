"""Whether this user reaches a cluster of Kubernetes at all, told without running or reading anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping


def has_kubernetes(environ: Mapping[str, str], kubectl: str = "kubectl") -> bool:
    """Whether this user has a kubeconfig and a kubectl. Nothing is run or read for it."""
    given = [path for path in environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    home = environ.get("HOME", "")
    files = given or ([os.path.join(home, ".kube", "config")] if home else [])
    return any(map(os.path.isfile, files)) and shutil.which(kubectl, path=environ.get("PATH")) is not None
