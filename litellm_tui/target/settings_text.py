"""The text of a settings file as YAML: what it means, and the lines of what is wrong with it."""

from __future__ import annotations

from typing import Final, NamedTuple

import yaml

# keys of mappings and 0-based positions of lists, from the top
Path = tuple[object, ...]

_LONGEST: Final = 60


class Mistake(NamedTuple):
    """One mistake; line and column count from 1 and are 0 where they are not known, `words` name the key."""

    line: int
    column: int
    words: str


class Parsed(NamedTuple):
    """A file's nodes and what they mean; `root` is None for an empty file. With mistakes the rest is not to be used."""

    root: yaml.Node | None
    data: object
    mistakes: list[Mistake]


def parse(text: str) -> Parsed:
    """Read a text as YAML; never raises for what stands in it."""
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            return Parsed(None, None, [])
        # before it is constructed: that puts what `<<` merges among the keys that are written
        doubled = _twice_written(root)
        return Parsed(root, loader.construct_document(root), doubled)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        return Parsed(None, None, [Mistake(*where, str(error.problem))])
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        # PyYAML's constructors raise more than its own errors
        return Parsed(None, None, [Mistake(0, 0, str(error) or type(error).__name__)])


def named(path: Path) -> str:
    """The path as it is told: `notify.rules, number 2, severity`."""
    parts: list[str] = []
    for before, step in zip((None, *path), path, strict=False):
        part = f"number {step + 1}" if isinstance(step, int) and not isinstance(step, bool) else shown(step)
        parts.append(part if not parts else f", {part}" if isinstance(before, int) or part != step else f".{part}")
    return "".join(parts)


def shown(value: object) -> str:
    """What stands in the file, short and without secrets, as a part of a message."""
    # only where something is wrong
    from litellm_tui.analysis.redaction.redactor import Redactor

    text = str(value)
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return "".join(letter if letter.isprintable() else "?" for letter in Redactor()(text))


def at_path(root: yaml.Node, path: Path, words: str) -> Mistake:
    """A mistake at the key, or the item of a list, that the path leads to: at the last one of it that there is."""
    node, place = root, root
    for step in path:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in reversed(node.value) if pair[0].value == str(step)), None)
            if pair is None:
                break
            place, node = pair
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            place = node = node.value[step]
    return _at(place, words)


def _at(node: yaml.Node, words: str) -> Mistake:
    return Mistake(node.start_mark.line + 1, node.start_mark.column + 1, words)


def _twice_written(root: yaml.Node) -> list[Mistake]:
    """Keys that stand twice in one mapping: YAML would silently take the last."""
    found: list[Mistake] = []
    pending: list[tuple[yaml.Node, Path]] = [(root, ())]
    seen: set[int] = set()
    while pending:
        node, path = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending += [(item, (*path, number)) for number, item in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            continue
        first: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in first:
                words = f"is written twice, first in line {first[key.value]}: keep one of them"
                found.append(_at(key, f"{named((*path, key.value))}: {words}"))
            first.setdefault(key.value, key.start_mark.line + 1)
            pending.append((value, (*path, key.value)))
    return sorted(found)
