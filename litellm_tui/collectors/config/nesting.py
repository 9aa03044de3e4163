"""Whether a YAML text is nested deeply: mostly told at a glance, for to go through its events takes a second."""

from __future__ import annotations

import re
from typing import Any

import yaml

# what may stand before the first key or entry of a line
_BEFORE = re.compile(rb"^[ \t?:-]+", re.MULTILINE)
_BRACKETS = re.compile(rb"^.*[\[{].*$", re.MULTILINE)
_QUOTES = re.compile(rb"[\"'#]")
# line ends that `_BEFORE` does not know, and the marks of encodings in which no byte is a character
_OTHER_LINES = (b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\0", b"\xff\xfe", b"\xfe\xff")


def too_deep(content: bytes, deepest: int, loader_type: Any) -> tuple[int, int] | None:
    """Line and column, from 1, of the first collection that stands in `deepest` others; None where there is none."""
    if is_shallow(content, deepest):
        return None
    depth = 0
    loader = loader_type(content)
    try:
        while loader.check_event():
            event = loader.get_event()
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > deepest:
                return event.start_mark.line + 1, event.start_mark.column + 1
    finally:
        loader.dispose()
    return None


def is_shallow(content: bytes, deepest: int) -> bool:
    """Whether the content cannot be nested in `deepest` collections, as far as that is told at a glance.

    Each block stands further to the right than the one around it, but for a list in a mapping, and nothing but
    `_BEFORE` stands to the left of what begins one. A bracket begins two collections at most (`[a: b]`), and they are
    over at the end of a line with as many closing ones: but for the line that begins the outermost, whose first word
    may hold some.
    """
    if any(mark in content for mark in _OTHER_LINES):
        return False
    indented = max(map(len, _BEFORE.findall(content)), default=0)
    opened = most = 0
    for line in _BRACKETS.findall(content):
        opens = line.count(b"[") + line.count(b"{")
        if opens == line.count(b"]") + line.count(b"}") and not _QUOTES.search(line):
            most = max(most, opens)
        else:
            opened += opens
    return 2 * (indented + 1 + 2 * most + opened) < deepest
