"""Walks through YAML nodes in search of configurations: mappings and texts that have sections of LiteLLM's."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
import yaml

from litellm_tui.collectors.config.includes import include_entries
from litellm_tui.collectors.config.wrapped_text import (
    KNOWN,
    STRONG,
    Source,
    literal_bounds,
    mentions_section,
    padding,
    place,
    quoted_places,
)
from litellm_tui.model.edits import Path
from litellm_tui.model.embedded import Form, Piece

# nodes of one document that are looked at; a manifest has some hundreds
_MOST: Final = 200_000
_DEEPEST: Final = 40
# texts that are looked into: finding the place of each costs as much as the file is long
MOST_PIECES: Final = 50
_SHORTEST: Final = 24
# the values of LiteLLM's own charts, whose contents are a configuration whatever is in it
_OWN: Final = "proxy_config"
_CODE: Final = (".py", ".sh", ".js", ".lua", ".tpl")
Inner = Callable[[str, str, int, int], list[Piece] | None]


class Walk:
    """A search through the documents of one file.

    `inner` looks into a text that stands in it, and returns None where the text itself is a configuration.
    """

    def __init__(self, path: str, text: str, inner: Inner) -> None:
        self._path = path
        self._text = text
        self._inner = inner
        self._left = _MOST
        self._pieces = 0

    def document(self, source: Source, node: Any, value: Any) -> Iterator[Piece]:
        """The configurations in one document."""
        yield from self._walk(source, node, node, (), _object(value))

    def whole(self, start: int, end: int, label: str) -> Piece:
        """A text of the file, as it stands, as a configuration."""
        return self._piece(label, start, end, padding(self._text, start) + self._text[start:end])

    def _piece(self, label: str, start: int, end: int, text: str, **more: Any) -> Piece:
        lines = (place(self._text, start)[0], place(self._text, max(start, end - 1))[0])
        return Piece("config.yaml", label, start, end, text, lines=lines, **more)

    def _walk(self, source: Source, root: Any, node: Any, path: Path, owner: str) -> Iterator[Piece]:
        self._left -= 1
        if self._left < 0 or len(path) > _DEEPEST:
            return
        if isinstance(node, yaml.MappingNode):
            if path and _is_section(node, path):
                self._pieces += 1
                if self._pieces <= MOST_PIECES:
                    yield self._subtree(source, root, node, path, owner)
                return
            texts = [(key, item) for key, item in _entries(node) if isinstance(item, yaml.ScalarNode)]
            yield from self._texts(source, texts, path, owner)
            for key, item in _entries(node):
                if not isinstance(item, yaml.ScalarNode):
                    # an object in a list of objects (`kind: List`) has a name of its own
                    yield from self._walk(source, root, item, (*path, key), owner)
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                if isinstance(item, yaml.ScalarNode):
                    yield from self._texts(source, [(number, item)], path, owner)
                else:
                    yield from self._walk(source, root, item, (*path, number), _named(item) or owner)

    def _subtree(self, source: Source, root: Any, node: Any, path: Path, owner: str) -> Piece:
        start, end = source.index(root.start_mark), source.index(root.end_mark)
        text = self._text
        line = text.rfind("\n", 0, start) + 1
        if not text[line:start].strip():
            # with its indentation, which its first line has as all others
            start = line
        if text[end - 1 : end] != "\n" and end < source.end:
            end = text.rfind("\n", start, end) + 1 or end
        piece = self._piece(_label(path, owner), start, end, padding(text, start) + text[start:end], inside=path)
        lines = (place(text, source.index(node.start_mark))[0], place(text, max(0, source.index(node.end_mark) - 1))[0])
        return msgspec.structs.replace(piece, lines=lines)

    def _texts(self, source: Source, texts: Sequence[tuple[str | int, Any]], path: Path, owner: str) -> Iterator[Piece]:
        """The configurations among the texts of one mapping; the others are files that these may include."""
        secret = (owner.partition(" ")[0] == "Secret" and path[-1:] == ("data",)) or path[-1:] == ("binaryData",)
        found: list[tuple[str | int, Piece]] = []
        for key, node in texts:
            plain = "\n" not in node.value and len(node.value) < _SHORTEST
            if self._pieces > MOST_PIECES or str(key).endswith(_CODE) or (plain and not secret):
                continue
            value = _base64(node.value) if secret else node.value
            if value is None or not mentions_section(value):
                continue
            self._pieces += 1
            piece = self._text_of(source, node, _label((*path, key), owner), value, secret=secret)
            if isinstance(piece, list):
                yield from piece
            else:
                found.append((key, piece))
        named = {entry for _, piece in found for entry, _, _ in include_entries(piece.text)}
        files = {str(key): node for key, node in texts if key in named} if named else {}
        for key, piece in found:
            if key in named:
                continue
            beside = tuple(
                msgspec.structs.replace(self._file_of(source, node, name, secret=secret), name=name)
                for name, node in list(files.items())[:MOST_PIECES]
                if name != key
            )
            yield msgspec.structs.replace(piece, name=_file(str(key)), beside=beside)

    def _text_of(self, source: Source, node: Any, label: str, value: str, *, secret: bool) -> Piece | list[Piece]:
        """The text of a scalar as a configuration, or what a text of another kind has in it."""
        if node.style == "|" and not secret:
            start, end = literal_bounds(source, node)
            inner = self._inner(self._text, self._path, start, end)
            if inner is not None:
                return [msgspec.structs.replace(one, label=f"{one.label} in {label}") for one in inner]
            return self.whole(start, end, label)
        return self._far(source, node, label, value, _form(node, secret=secret))

    def _file_of(self, source: Source, node: Any, label: str, *, secret: bool) -> Piece:
        """The text of a scalar as a file that another one includes."""
        if node.style == "|" and not secret:
            return self.whole(*literal_bounds(source, node), label)
        value = (_base64(node.value) or "") if secret else node.value
        return self._far(source, node, label, value, _form(node, secret=secret))

    def _far(self, source: Source, node: Any, label: str, text: str, form: Form) -> Piece:
        """A text that is written in another way than it reads."""
        start, end = source.index(node.start_mark), source.index(node.end_mark)
        if form == "folded":
            end = min(end, self._text.find("\n", end) if "\n" in self._text[end:] else end)
        places = quoted_places(self._text, start, end) if form == "quoted" else ()
        why = "its lines are folded here, so that --fix cannot write into it" if form == "folded" else ""
        if form == "base64" and "\n" in self._text[start:end].strip():
            why = "its base64 stands in several lines, so that --fix does not write into it"
        return self._piece(
            label, start, end, text, form=form, places=places or (place(self._text, start),), unfixable=why
        )


def _entries(node: Any) -> Iterator[tuple[str, Any]]:
    for key, item in node.value:
        if isinstance(key, yaml.ScalarNode):
            yield key.value, item


def _is_section(node: Any, path: Path) -> bool:
    keys = {key for key, _ in _entries(node)}
    if path[-1] == _OWN:
        return bool(keys & KNOWN)
    return any(key in STRONG and not isinstance(item, yaml.ScalarNode) for key, item in _entries(node))


def _label(path: Path, owner: str) -> str:
    shown = ".".join(str(part) for part in path)
    return f"{shown} of {owner}" if owner else shown


def _object(value: Any) -> str:
    """`ConfigMap litellm-config` for an object of Kubernetes."""
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str) or "apiVersion" not in value:
        return ""
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"{value['kind']} {name}" if isinstance(name, str) else value["kind"]


def _named(node: Any) -> str:
    """As `_object`, for a node."""
    if not isinstance(node, yaml.MappingNode):
        return ""
    entries = dict(_entries(node))
    if not isinstance(entries.get("kind"), yaml.ScalarNode) or "apiVersion" not in entries:
        return ""
    metadata = entries.get("metadata")
    name = dict(_entries(metadata)).get("name") if isinstance(metadata, yaml.MappingNode) else None
    kind = entries["kind"].value
    return f"{kind} {name.value}" if isinstance(name, yaml.ScalarNode) else str(kind)


def _base64(text: str) -> str | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def _form(node: Any, *, secret: bool) -> Form:
    return "base64" if secret else "quoted" if node.style == '"' else "folded"


def _file(key: str) -> str:
    return os.path.basename(key) or "config.yaml"
