"""Finds the distributions that are installed beside LiteLLM, by the folders of their metadata."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final

from litellm_tui.collectors.litellm_source.catalogues import package_folder
from litellm_tui.model.failures import Failure

# `import litellm` fails without either
_ALWAYS: Final = frozenset({"litellm", "openai"})


def installed_distributions(interpreter: str) -> frozenset[str] | None:
    """Normalised names (`prometheus-client`) of the interpreter's distributions; None where they cannot be read."""
    folder = package_folder(interpreter)
    return None if isinstance(folder, Failure) else _distributions([str(folder.parent)]) or None


def distributions_in(folders: Iterable[str]) -> frozenset[str] | None:
    """The same of folders of packages; None where no LiteLLM could run from them, such as an unpacked wheel."""
    found = _distributions(folders)
    return found if found >= _ALWAYS else None


def _distributions(folders: Iterable[str]) -> frozenset[str]:
    names: list[str] = []
    for folder in folders:
        try:
            entries = os.listdir(folder)
        except OSError:
            continue
        names += [entry.partition("-")[0] for entry in entries if entry.endswith((".dist-info", ".egg-info"))]
    return frozenset(re.sub(r"[-_.]+", "-", name).lower() for name in names)
