"""Holds a configuration against two releases of LiteLLM, each a version or the path of an environment.

Every function blocks: call it in a thread. The first look at an installed LiteLLM takes some ten seconds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from litellm_tui.audit.advisories.versions import release_key
from litellm_tui.audit.catalogue.records import Catalogue
from litellm_tui.audit.named_modules import named_modules
from litellm_tui.audit.release_changes import compare_releases
from litellm_tui.audit.subject import Subject
from litellm_tui.collectors.litellm_source.advisories import shipped_advisories
from litellm_tui.collectors.litellm_source.catalogues import catalogue_of, package_at, package_folder, shipped
from litellm_tui.collectors.litellm_source.prices import priced_models
from litellm_tui.collectors.litellm_source.python_modules import find_modules
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.release import Advisory, ReleaseComparison
from litellm_tui.model.service import Unit
from litellm_tui.monitor.auditor import masked_comparison, runtime_of


class Side(NamedTuple):
    """One of the two releases: what it reads, and the models of its price map where they are known."""

    catalogue: Catalogue
    prices: frozenset[str] | None = None


def is_path(text: str) -> bool:
    """Whether the name of a release is the path of an environment, a script or a package."""
    return os.sep in text or os.path.isdir(text)


def side_of(text: str, unit: Unit | None = None) -> Side | Failure:
    """A release by its version or its path; without either the one that the unit runs, else the newest known."""
    if is_path(text):
        folder = package_at(text)
    elif not text and unit is not None and unit.interpreter:
        folder = package_folder(unit.interpreter)
    else:
        if text and release_key(text) is None:
            return NotAvailable(f"{text!r} is no version, and no path of an environment with LiteLLM")
        return Side(shipped().at(text))
    if isinstance(folder, Failure):
        return folder
    catalogue = catalogue_of(folder)
    if isinstance(catalogue, Failure):
        return catalogue
    prices = priced_models(folder)
    return Side(catalogue, None if isinstance(prices, Failure) else prices)


def compare(
    loaded: ConfigFile,
    environment: Mapping[str, str] | None,
    unit: Unit | None,
    before: str,
    after: str,
    silenced: Mapping[str, str] = {},
    advisories: Sequence[Advisory] | None = None,
) -> ReleaseComparison | Failure:
    """What going from one release to the other changes for this configuration, every secret masked.

    `before` may be empty: the release that the unit runs.
    """
    sides = []
    for text, runs in ((before, unit), (after, None)):
        side = side_of(text, runs)
        if isinstance(side, Failure):
            return side
        sides.append(side)
    table = shipped_advisories() if advisories is None else tuple(advisories)
    interpreter = unit.interpreter if unit is not None else None
    modules = find_modules([name for _, name in named_modules(loaded.data)], loaded.path, interpreter)
    first, second = (
        Subject(loaded, side.catalogue, shipped(), environment, runtime_of(unit), modules, advisories=table)
        for side in sides
    )
    old, new = (side.prices for side in sides)
    prices = None if old is None or new is None else (old, new)
    found = compare_releases(first, second, silenced, prices)
    return masked_comparison(found, loaded, environment or {})
