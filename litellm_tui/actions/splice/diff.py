"""A change of a file for the eye: a unified diff in which no secret stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final

from litellm_tui.actions.splice.lines import Lines
from litellm_tui.actions.splice.tree import BREAKS, CannotEdit, Document, Node, resolved
from litellm_tui.analysis.redaction.secret_names import names_a_secret
from litellm_tui.collectors.config.config_file import ENVIRONMENT_PREFIX, MASKED

_LINE: Final = re.compile(f"[^{BREAKS}]*(?:\r\n|[{BREAKS}]|\\Z)")
# what stands behind a name, in a comment or in a file that does not parse; a name is taken whole, in linear time
_NAMED: Final = re.compile(
    r"""(?<![\w.-])([\w.-]++)(["']?\s*[:=]\s*["']?)(?!os\.environ/|(?:true|false|null)\b)([^\s"',{}\[\]][^\s"',}\]]*)"""
)
_CONTEXT: Final = 3
_NO_END: Final = "\\ No newline at end of file"


def diff(before: bytes, after: bytes, name: str, redact: Callable[[str], str]) -> str:
    """The lines that differ, as `diff -u` shows them, or nothing. Values of keys that are named like a secret are
    masked, and what `redact` knows; a line whose secret changes is still shown as changed."""
    if before == after:
        return ""
    old, new = _Masked(before.decode(errors="replace"), redact), _Masked(after.decode(errors="replace"), redact)
    lines = [f"--- {name}", f"+++ {name}"]
    for group in Lines(old.real, new.real).get_grouped_opcodes(_CONTEXT):
        (_, a, _, c, _), (_, _, b, _, d) = group[0], group[-1]
        lines.append(f"@@ -{_range(a, b)} +{_range(c, d)} @@")
        for tag, a, b, c, d in group:
            if tag == "equal":
                lines += old.signed(" ", a, b)
                continue
            lines += old.signed("-", a, b)
            lines += new.signed("+", c, d)
    return "\n".join(lines) + "\n"


def masked_file(text: str, redact: Callable[[str], str]) -> str:
    """The whole file as `diff` would show it."""
    shown = _Masked(text, redact)
    # what stands over several lines, such as a private key, is known only as a whole
    return redact("\n".join(line[1:] for line in shown.signed(" ", 0, len(shown.real)) if line != _NO_END) + "\n")


def _range(start: int, stop: int) -> str:
    length = stop - start
    return str(start + 1) if length == 1 else f"{start + (1 if length else 0)},{length}"


class _Masked:
    """The lines of a file: `real` to be compared, and masked to be shown."""

    def __init__(self, text: str, redact: Callable[[str], str]) -> None:
        self.real = [line for line in _LINE.findall(text) if line]
        self._redact = redact
        self._starts = [0, *accumulate(map(len, self.real))]
        self._secrets = sorted(set(_secrets(text)))
        self._ends = [end for _, end in self._secrets]

    def signed(self, sign: str, start: int, stop: int) -> Iterator[str]:
        for number in range(start, stop):
            yield sign + self._shown(number)
            if not self.real[number].endswith(tuple(BREAKS)):
                yield _NO_END

    def _shown(self, number: int) -> str:
        start, line = self._starts[number], self.real[number].rstrip(BREAKS)
        parts: list[str] = []
        at = 0
        for first, last in self._secrets[bisect_right(self._ends, start) :]:
            if first >= start + len(line):
                break
            first = max(first - start, len(line) - len(line.lstrip(" ")) if first < start else 0)
            parts += (line[at:first], MASKED)
            at = min(last - start, len(line))
        return self._redact(_NAMED.sub(_masked, "".join(parts) + line[at:]))


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
    if not node.value or node.value.startswith(ENVIRONMENT_PREFIX):
        return False
    return resolved(node) not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:null")


def _body(text: str, node: Node, mark: int) -> tuple[int, int]:
    start = node.body
    if node.block_scalar:
        start += len(text[start : node.end].split("\n", 1)[0])
        return start + mark + 1, node.end + mark
    inner = 1 if node.style else 0
    return start + inner + mark, node.end - inner + mark
