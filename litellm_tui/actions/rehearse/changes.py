"""Changes of a configuration as data, and the text of a file with them made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import yaml

from litellm_tui.actions.splice import CannotEdit, splice
from litellm_tui.model.edits import Edit, Insert, Path, Remove, SetValue
from litellm_tui.model.failures import Failure, Malformed

GONE: Final = object()
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Change(NamedTuple):
    """A value that a path into the configuration gets; `GONE` takes the entry away. `said` tells an operator why.

    The empty path changes nothing: it only says something.
    """

    path: Path
    value: Any = GONE
    said: str = ""


def changed(data: Mapping[str, Any], changes: Sequence[Change]) -> dict[str, Any]:
    """The data with the changes made. Only what leads to them is copied: what an anchor shares stays as it is."""
    made: Any = dict(data)
    for change in changes:
        if change.path:
            made = _with(made, change.path, change.value)
    return dict(made)


def _with(node: Any, path: Path, value: Any) -> Any:
    part, rest = path[0], path[1:]
    if isinstance(node, list):
        if not isinstance(part, int) or part >= len(node):
            return node
        made = list(node)
        made[part] = _with(node[part], rest, value) if rest else value
        return made
    if node is None:
        node = {}
    if not isinstance(node, dict):
        # whatever stands there is what LiteLLM is to see
        return node
    if rest:
        below = _with(node.get(part), rest, value)
        return {**node, part: below} if part in node or below else node
    if value is GONE:
        return {key: item for key, item in node.items() if key != part}
    return {**node, part: value}


def written(content: bytes | None, data: Mapping[str, Any], changes: Sequence[Change]) -> bytes | Failure:
    """The file with the changes, which leave all its other lines as they are; `content` is None for several files.

    Several files, and what cannot be changed in place (behind an anchor), are written anew from `data`, what LiteLLM
    reads of them.
    """
    wanted = changed(data, changes)
    if content is not None:
        try:
            text = splice(content, list(_edits(data, changes)))
            if yaml.load(text, _Loader) == wanted:
                return text
        except (CannotEdit, yaml.YAMLError, ValueError, RecursionError):
            # it is written anew
            pass
    try:
        dumped: str = yaml.safe_dump(wanted, sort_keys=False, allow_unicode=True, width=1 << 16)
        return dumped.encode()
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        said = str(error).splitlines()
        return Malformed(f"the configuration cannot be written for a rehearsal ({said[0] if said else 'not YAML'})")


def _edits(data: Mapping[str, Any], changes: Sequence[Change]) -> Iterator[Edit]:
    now: Any = data
    for change in changes:
        if not change.path:
            continue
        after = _with(now, change.path, change.value)
        if after is now or after == now:
            continue
        if change.value is GONE:
            yield Remove(change.path)
        elif _has(now, change.path):
            yield SetValue(change.path, change.value)
        else:
            yield Insert(change.path, change.value)
        now = after


def _has(node: Any, path: Path) -> bool:
    for part in path:
        if not isinstance(node, dict | list) or part not in (node if isinstance(node, dict) else range(len(node))):
            return False
        below: Any = node
        node = below[part]
    return True
