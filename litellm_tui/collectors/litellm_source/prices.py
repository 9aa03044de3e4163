"""Reads which models the price map of an installed LiteLLM knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from litellm_tui.host.bounded import read_bytes
from litellm_tui.model.failures import Failure, Malformed, NotAvailable

FILE = "model_prices_and_context_window_backup.json"


def priced_models(folder: Path) -> frozenset[str] | Failure:
    """The names in the price map of a package folder, those with a provider's name in front among them."""
    try:
        entries = msgspec.json.decode(read_bytes(folder / FILE), type=dict[str, Any])
    except OSError as error:
        return NotAvailable(f"{folder / FILE}: {error.strerror or error}")
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"{folder / FILE}: {error}")
    return frozenset(name for name in entries if name != "sample_spec")
