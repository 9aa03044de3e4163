"""Where in the settings file something stands."""

from __future__ import annotations

from pathlib import Path

from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.target.settings import place, settings_file


def line_of(path: tuple[str | int, ...], file: Path | None = None) -> str:
    """`FILE:LINE:COLUMN` of what this path of keys and 0-based positions leads to, or of the last part there is."""
    # only where something is wrong: YAML takes its time to load
    from litellm_tui.target.settings_text import at_path, parse

    file = file or settings_file()
    try:
        root = parse(read_text(file, SMALL)).root
    except (OSError, UnicodeDecodeError):
        root = None
    return str(file) if root is None else place(file, at_path(root, path, ""))
