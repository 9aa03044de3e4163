"""A change of a file for the eye: a unified diff in which no secret stands."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from typing import Final

from litellm_tui.actions.splice_tree import BREAKS, CannotEdit, Document, Node
from litellm_tui.collectors.config_file import ENVIRONMENT_PREFIX, MASKED, names_a_secret

_LINE: Final = re.compile(f"[^{BREAKS}]*(?:\r\n|[{BREAKS}]|\\Z)")
# what stands behind a name, in a comment or in a file that does not parse
_NAMED: Final = re.compile(r"""([\w.-]+)(["']?\s*[:=]\s*["']?)(?!os\.environ/)([^\s"',{}\[\]][^\s"',}\]]*)""")
_CONTEXT: Final = 3
_NO_END: Final = "\\ No newline at end of file"


def diff(before: bytes, after: bytes, name: str, redact: Callable[[str], str]) -> str:
    """The lines that differ, as `diff -u` shows them, or nothing. Values of keys that are named like a secret are
    masked, and what `redact` knows; a line whose secret changes is still shown as changed."""
    old, new = before.decode(errors="replace"), after.decode(errors="replace")
    real = (_LINE.findall(old), _LINE.findall(new))
    if real[0] == real[1]:
        return ""
    shown = (_shown(old, redact), _shown(new, redact))
    lines = [f"--- {name}", f"+++ {name}"]
    for group in _groups(*real):
        (_, a, _, c, _), (_, _, b, _, d) = group[0], group[-1]
        lines.append(f"@@ -{_range(a, b)} +{_range(c, d)} @@")
        for tag, a, b, c, d in group:
            if tag == "equal":
                lines += _signed(" ", shown[0][a:b], real[0][a:b])
                continue
            lines += _signed("-", shown[0][a:b], real[0][a:b])
            lines += _signed("+", shown[1][c:d], real[1][c:d])
    return "\n".join(lines) + "\n"


def _groups(old: list[str], new: list[str]) -> Iterator[list[tuple[str, int, int, int, int]]]:
    """Hunks of the lines. What is the same at both ends is left out of the search, which grows with the square."""
    old, new = [line for line in old if line], [line for line in new if line]
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    head, tail = max(0, head - _CONTEXT), max(0, tail - _CONTEXT)
    matcher = difflib.SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail])
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        yield [(tag, a + head, b + head, c + head, d + head) for tag, a, b, c, d in group]


def _range(start: int, stop: int) -> str:
    length = stop - start
    return str(start + 1) if length == 1 else f"{start + (1 if length else 0)},{length}"


def _signed(sign: str, shown: list[str], real: list[str]) -> Iterator[str]:
    for text, line in zip(shown, real, strict=True):
        yield sign + text
        if not line.endswith(tuple(BREAKS)):
            yield _NO_END


def _shown(text: str, redact: Callable[[str], str]) -> list[str]:
    """The lines without what ends them, masked."""
    spans = sorted(_secrets(text))
    lines: list[str] = []
    place = 0
    for line in _LINE.findall(text):
        start, end = place, place + len(line.rstrip(BREAKS))
        place += len(line)
        parts: list[str] = []
        at = start
        while spans and spans[0][0] < end:
            first, last = spans[0]
            if last > start:
                first = max(first, start)
                indent = len(text[first:end]) - len(text[first:end].lstrip(" ")) if first == start else 0
                parts += (text[at : first + indent], MASKED)
                at = min(last, end)
            if last > end:
                break
            spans.pop(0)
        lines.append(redact(_NAMED.sub(_masked, "".join(parts) + text[at:end])))
    return lines


def _masked(match: re.Match[str]) -> str:
    name, between, value = match.groups()
    if not names_a_secret(name) or value.startswith(("|", ">", "&", "*", "#", MASKED)):
        return match[0]
    return name + between + MASKED


def _secrets(text: str) -> Iterator[tuple[int, int]]:
    """Where the values of secrets stand, also those that only an alias makes one."""
    mark = 1 if text.startswith("\ufeff") else 0
    try:
        root = Document(text[mark:]).root
    except (CannotEdit, RecursionError):
        return
    pending: list[tuple[str, Node]] = [("", root)] if root else []
    anchored: dict[str, Node] = {}
    aliased: set[str] = set()
    while pending:
        name, node = pending.pop()
        secret = names_a_secret(name)
        if node.kind == "alias":
            if secret and node.anchor:
                aliased.add(node.anchor)
            continue
        if node.anchor:
            anchored[node.anchor] = node
        if node.kind == "sequence":
            pending += ((name, item) for item in node.items)
        elif node.kind == "mapping":
            pending += ((key.value, value) for key, value in zip(node.items[::2], node.items[1::2], strict=True))
        elif secret and _worth_masking(node):
            yield _body(text[mark:], node, mark)
    for name in aliased & set(anchored):
        pending = [("", anchored[name])]
        while pending:
            _, node = pending.pop()
            pending += (("", item) for item in node.items[1::2] if node.kind == "mapping")
            pending += (("", item) for item in node.items if node.kind == "sequence")
            if node.kind == "scalar" and _worth_masking(node):
                yield _body(text[mark:], node, mark)


def _worth_masking(node: Node) -> bool:
    return bool(node.value) and not node.value.startswith(ENVIRONMENT_PREFIX) and node.value not in ("null", "~")


def _body(text: str, node: Node, mark: int) -> tuple[int, int]:
    start = node.body
    if node.block_scalar:
        start += len(text[start : node.end].split("\n", 1)[0])
        return start + mark + 1, node.end + mark
    inner = 1 if node.style else 0
    return start + inner + mark, node.end - inner + mark
