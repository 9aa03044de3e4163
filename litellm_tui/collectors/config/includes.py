"""The files that a configuration names, also one that cannot be used: they are watched until it can."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Final

import yaml

from litellm_tui.host.bounded import read_bytes

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MOST: Final = 200


def named_files(path: str) -> tuple[str, ...]:
    """The root file and every file that an `include` names, existing or not.

    Each include has two paths, as LiteLLM looks for it: beside the file that names it and beside the root.
    """
    found = [path]
    for file in found:
        for entry, _, _ in include_entries(_text(file)):
            for folder in (os.path.dirname(file), os.path.dirname(path)):
                place = os.path.abspath(os.path.join(folder, entry))
                if place not in found and len(found) < _MOST:
                    found.append(place)
    return tuple(found)


def include_entries(text: str) -> Iterator[tuple[str, int, int]]:
    """Every entry of the top-level `include`, with the beginning and end of its scalar in the text.

    The text is read up to its first mistake: a list before it is found.
    """
    depth, key, ours = 0, True, False
    with contextlib.suppress(yaml.YAMLError, ValueError):
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
                ours = ours and depth > 1
            elif isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.ScalarEvent) and depth == 1 and key:
                ours = event.value == "include"
            elif isinstance(event, yaml.ScalarEvent) and depth == 2 and ours and event.start_mark and event.end_mark:
                yield event.value, event.start_mark.index, event.end_mark.index
            if depth == 1 and not isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
                # at the top level keys and values alternate; a collection counts as one value
                key = not key if not isinstance(event, yaml.MappingStartEvent) else True


def _text(file: str) -> str:
    try:
        return read_bytes(file).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""
