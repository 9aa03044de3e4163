"""Reads LiteLLM's price map, from the package of the gateway as a file, else from the shipped extract of one release.

Every function blocks. A proxy may fetch a newer map at its start; what is read here is the one it comes with.
"""

from __future__ import annotations

import os
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec

from litellm_tui.collectors.litellm_source.catalogues import package_folder
from litellm_tui.host.bounded import MEDIUM, read_bytes
from litellm_tui.model.failures import Failure, Malformed, NotAvailable
from litellm_tui.model.prices import Price, PriceMap

NAME: Final = "model_prices_and_context_window_backup.json"


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One model of the shipped extract."""

    mode: str | None = None
    provider: str | None = None
    input: float | None = None
    output: float | None = None
    query: float | None = None


class Extract(msgspec.Struct, frozen=True):
    """The prices by token and by query of one release's map, as `python -m tools.catalogue --prices` writes them."""

    version: str
    models: dict[str, Row]


def price_map(interpreter: str | None) -> PriceMap:
    """The map of the LiteLLM that this interpreter imports; the shipped one where it cannot be read."""
    folder = package_folder(interpreter) if interpreter else None
    if folder is None or isinstance(folder, Failure):
        return shipped_prices()
    path = folder / NAME
    try:
        seen = os.stat(path)
        models = _read(path, seen.st_mtime_ns, seen.st_size)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return shipped_prices()
    return PriceMap(models, "the price map of the installed LiteLLM")


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int, _size: int) -> dict[str, Price]:
    return msgspec.json.decode(read_bytes(path, MEDIUM), type=dict[str, Price], strict=False)


@cache
def shipped_prices() -> PriceMap:
    """The extract that is part of this program; takes a few milliseconds."""
    content = resources.files("litellm_tui.audit.catalogue").joinpath("prices.json").read_bytes()
    extract = msgspec.json.decode(content, type=Extract)
    models = {
        name: Price(row.mode, row.provider, row.input, row.output, row.query) for name, row in extract.models.items()
    }
    return PriceMap(models, f"the price map that LiteLLM {extract.version} comes with")


def priced_models(folder: Path) -> frozenset[str] | Failure:
    """The names in the price map of a package folder, those with a provider's name in front among them."""
    try:
        entries = msgspec.json.decode(read_bytes(folder / NAME), type=dict[str, Any])
    except OSError as error:
        return NotAvailable(f"{folder / NAME}: {error.strerror or error}")
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"{folder / NAME}: {error}")
    return frozenset(name for name in entries if name != "sample_spec")
