"""Where in the settings file something stands."""

from __future__ import annotations

from pathlib import Path

from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.target.settings import settings_folder


def line_of(path: tuple[str | int, ...], file: Path | None = None) -> str:
    """`file:line` of what this path of keys and places leads to, or of the last part of it that is there."""
    import yaml

    file = file or settings_folder() / "config.yaml"
    try:
        node = yaml.compose(read_text(file, SMALL), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return str(file)
    line = 0
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return f"{file}:{line}" if line else str(file)
