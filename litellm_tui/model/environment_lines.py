"""Lines of environment files that are not taken as they are meant."""

from __future__ import annotations

from typing import Literal

import msgspec

from litellm_tui.model.configuration import Mark


class EnvironmentLine(msgspec.Struct, frozen=True):
    """One line, or several of a kind: the variables, and what becomes of them. `text` holds no value of the file."""

    mark: Mark
    names: tuple[str, ...]
    text: str
    severity: Literal["error", "warning"]
