"""Finds the distributions that are installed beside LiteLLM, by the folders of their metadata."""

from __future__ import annotations

import os
import re

from litellm_tui.collectors.litellm_source.catalogues import package_folder
from litellm_tui.model.failures import Failure


def installed_distributions(interpreter: str) -> frozenset[str] | None:
    """Normalised names (`prometheus-client`) of the interpreter's distributions; None where they cannot be read."""
    folder = package_folder(interpreter)
    if isinstance(folder, Failure):
        return None
    try:
        entries = os.listdir(folder.parent)
    except OSError:
        return None
    names = (entry.partition("-")[0] for entry in entries if entry.endswith((".dist-info", ".egg-info")))
    return frozenset(re.sub(r"[-_.]+", "-", name).lower() for name in names) or None
