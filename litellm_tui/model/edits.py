"""Edits of a file as plain records; `actions.splice` carries them out after they were shown.

A path leads into the ONE file named, from its top: mapping keys as text, list items as positions. It is not a path into
the configuration that LiteLLM merges from a file and its `include:`d files.
"""

from __future__ import annotations

from typing import Any

import msgspec

Path = tuple[str | int, ...]


class SetValue(msgspec.Struct, frozen=True, tag="set"):
    """Replace the value at `path` by plain data: text, number, boolean, None, or lists and mappings of these."""

    path: Path
    value: Any


class Rename(msgspec.Struct, frozen=True, tag="rename"):
    """Give the mapping key at `path` another name; its value is not touched."""

    path: Path
    name: str


class Remove(msgspec.Struct, frozen=True, tag="remove"):
    """Remove a mapping entry or a list item, with its lines and the comments that belong to it.

    `occurrence` counts the entries of a duplicated key from the top; -1 is the last, the one that PyYAML loads. With
    `emptied`, the lists and mappings around it that would become empty are removed too.
    """

    path: Path
    occurrence: int = -1
    emptied: bool = False


class Insert(msgspec.Struct, frozen=True, tag="insert"):
    """Add the last key of `path` with the missing mappings above it, or append to a list, where the path ends in the
    list's length."""

    path: Path
    value: Any


class Move(msgspec.Struct, frozen=True, tag="move"):
    """Move an entry, key and value, to another place; `to` ends in its new key, or in a list's length."""

    path: Path
    to: Path


Edit = SetValue | Rename | Remove | Insert | Move


class Fix(msgspec.Struct, frozen=True):
    """Edits of one file that resolve one finding. `decision` names what the operator must decide first: such a fix is
    offered, and `--fix` never applies it. `within` names the configuration in a file of another kind."""

    file: str
    edits: tuple[Edit, ...]
    title: str
    decision: str = ""
    within: str = ""
