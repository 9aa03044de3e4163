"""What a fix does to a file: plain records, carried out by `actions.splice` and shown before they are.

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
    """Take out a mapping entry or a list item, with its lines and the comments that belong to it.

    `occurrence` counts the entries of a duplicated key from the top; -1 is the last, the one that PyYAML loads. With
    `emptied`, the lists and mappings around it that would be left with nothing in them go as well.
    """

    path: Path
    occurrence: int = -1
    emptied: bool = False


class Insert(msgspec.Struct, frozen=True, tag="insert"):
    """Add the key that ends `path`, creating the mappings above it that are missing, or append to a list, where the
    path ends in the list's length."""

    path: Path
    value: Any


class Move(msgspec.Struct, frozen=True, tag="move"):
    """Take an entry, key and value, to another place; `to` ends in its key there, or in a list's length."""

    path: Path
    to: Path


Edit = SetValue | Rename | Remove | Insert | Move


class Fix(msgspec.Struct, frozen=True):
    """Edits of one file that settle one finding. A `decision` is what a human must choose first: with one, the fix is
    offered, and never applied by `--fix`."""

    file: str
    edits: tuple[Edit, ...]
    title: str
    decision: str = ""
