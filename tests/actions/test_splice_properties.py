"""Any YAML, any edit: what was meant, and not a byte elsewhere. PyYAML's loader in Python, LiteLLM's own, judges."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_tui.actions.splice import CannotEdit, diff, splice
from litellm_tui.model.edits import Edit, Insert, Move, Path, Remove, Rename, SetValue

EXAMPLES = int(os.environ.get("SPLICE_EXAMPLES", "150"))

characters = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Co"])
words = st.sampled_from(
    ["a", "model", "on", "null", "~", "1.0", "12:30", "0o17", "1e5", "x: y", "x #y", "- z", "", " ", "'", '"', "<<",
     "=", "os.environ/KEY", "http://h:1/v1", "é", "😀", "a\nb", "a\tb", "{}", "[x]", "*a", "&a", "!b", "|", "%", "@",
     "`", "---", "...", "\ufeff", "\x85", "\u2028", "#", "?", ":", "-", "a,b", "yes", "2001-01-01", "0x1f", "1_000",
     ".inf", "y"]
)  # fmt: skip
texts = words | st.text(characters, max_size=12)
scalars = (
    texts | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False) | st.integers(-(10**20), 10**20)
)
names = st.sampled_from(["a", "b", "c", "model_list", "api_key", "x y", "on", "1", "é"]) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
mappings = st.dictionaries(names, values, min_size=1, max_size=4)


@st.composite
def dumped(draw: st.DrawFn) -> str:
    return yaml.dump(
        draw(mappings),
        default_flow_style=draw(st.sampled_from([None, True, False])),
        default_style=draw(st.sampled_from([None, None, None, "'", '"', "|", ">"])),
        indent=draw(st.sampled_from([2, 3, 4, 6])),
        width=draw(st.sampled_from([20, 80, 10_000])),
        allow_unicode=draw(st.booleans()),
        sort_keys=False,
        explicit_start=draw(st.booleans()),
        explicit_end=draw(st.booleans()),
    )


blocks = st.sampled_from(
    [
        "{i}{k}: 1 # why\n",
        "{i}{k}: 'one'   \n",
        "{i}# about it\n{i}{k}: two words\n",
        "{i}{k}:\n",
        "{i}{k}: # nothing yet\n\n",
        "{i}{k}: |\n{i}  text\n{i}    more # no comment\n\n",
        "{i}{k}: >- # folded\n{i}  text\n{i}  more\n",
        "{i}{k}: |+\n{i}  kept\n\n",
        "{i}{k}: [a, 'b', {{c: d}}] # list\n",
        "{i}{k}: [ # one\n{i}  a,\n{i}  # about b\n{i}  b, # two\n{i}]\n",
        "{i}{k}: {{a: 1, b: [x], c}}\n",
        "{i}{k}: {{\n{i}  a: 1,\n{i}  b: 2,\n{i}}}\n",
        '{i}{k}: "two\n{i}  lines"\n',
        "{i}{k}: plain\n{i}  goes on\n",
        "{i}{k}:\n{i}- a: 1\n{i}  # about b\n{i}  b: 2\n\n{i}# - a: 3\n{i}- a: 4\n",
        "{i}{k}:\n{i}  -   a: 1\n{i}      b:\n{i}        - c\n{i}  - 5 # five\n",
        "{i}{k}:\n{i}    deep:\n{i}        deeper: true\n{i}        # left out\n",
        "{i}{k}:\n{i}  - - 1\n{i}    - 2\n{i}  -\n{i}    x: y\n",
        "{i}? {k}\n{i}: value\n",
        "{i}{k}: &n_{n}\n{i}  a: 1\n{i}  b: 2\n",
        "{i}{k}: &n_{n} {{a: 1}}\n{i}{k}_again: *n_{n}\n",
        "{i}{k}: &n_{n}\n{i}  a: 1\n{i}{k}_more:\n{i}  <<: *n_{n}\n{i}  c: 3\n",
        "{i}{k}: !!str 5\n",
        "{i}{k}:\n{i}  value below\n",
        '{i}"{k}": "quoted"\n',
        "{i}{k}: {{}}\n{i}{k}_list: []\n",
    ]
)


@st.composite
def written(draw: st.DrawFn) -> str:
    """What people write: parts put together, with their own line ends, comments and habits."""
    parts = draw(st.lists(blocks, min_size=1, max_size=5))
    text = draw(st.sampled_from(["", "# head\n", "---\n", "\n\n# ---- models ----\n\n", "%YAML 1.1\n---\n"]))
    for number, part in enumerate(parts):
        if draw(st.integers(0, 4)) == 0:
            inner = draw(blocks).format(i="  ", k="inner", n=f"{number}i")
            text += f"section{number}:\n{inner}"
        text += part.format(i="", k=f"key{number}", n=number)
        text += draw(st.sampled_from(["", "", "\n", "# between\n", "  # indented\n", "\n# ----\n\n"]))
    text += draw(st.sampled_from(["", "", "...\n", "# end"]))
    if draw(st.booleans()):
        text = text.rstrip("\n")
    ends = draw(st.sampled_from(["\n", "\n", "\r\n", "mixed"]))
    if ends == "mixed":
        return "".join(line + ("\r\n" if number % 2 else "\n") for number, line in enumerate(text.split("\n")))
    return text.replace("\n", ends)


files = st.tuples(st.sampled_from([b"", b"", b"\xef\xbb\xbf"]), dumped() | written()).map(
    lambda parts: parts[0] + parts[1].encode()
)


def _places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    items: Any = ()
    if isinstance(value, dict):
        items = [(key, item) for key, item in value.items() if isinstance(key, str)]
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        yield (*path, key), item
        yield from _places(item, (*path, key))


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _applied(data: Any, edit: Edit) -> Any:
    """The edit made on plain data, by other means than the code under test."""
    parent: Any = _at(data, edit.path[:-1]) if not isinstance(edit, Insert) else None
    last = edit.path[-1]
    match edit:
        case SetValue():
            parent[last] = edit.value
        case Rename():
            parent[edit.name] = parent.pop(last)
        case Remove():
            del parent[last]
        case Move():
            value = parent.pop(last)
            return _applied(data, Insert(edit.to, value))
        case Insert(path, value):
            where = data
            for part, following in pairwise(path):
                if where.get(part) is None if isinstance(where, dict) else False:
                    where[part] = [] if following == 0 and isinstance(following, int) else {}
                where = where[part]
            if isinstance(where, list):
                where.append(value)
            else:
                where[last] = value
    return data


@st.composite
def edits_of(draw: st.DrawFn, data: Any) -> Edit:
    path, value = draw(st.sampled_from(list(_places(data))))
    new = draw(values)
    kinds = ["set", "remove", "insert", "move"] + ["rename"] * isinstance(path[-1], str)
    match draw(st.sampled_from(kinds)):
        case "set":
            return SetValue(path, new)
        case "remove":
            return Remove(path)
        case "rename":
            return Rename(path, draw(st.text(characters, min_size=1, max_size=8)))
        case "move":
            return Move(path, draw(st.sampled_from([("moved",), ("made", "for", "it")])))
        case _:
            if isinstance(value, list):
                return Insert((*path, len(value)), new)
            if isinstance(value, dict):
                return Insert((*path, *draw(st.sampled_from([("added",), ("made", "for it")]))), new)
            return Insert((*path[:-1], len(_at(data, path[:-1])) if isinstance(path[-1], int) else "added"), new)


def _loaded(content: bytes) -> Any:
    """The data, each alias as data of its own: an edit is of one place."""
    return copy.deepcopy(_unshared(yaml.safe_load(content)))


def _unshared(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unshared(item) for key, item in value.items()}
    return [_unshared(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=EXAMPLES)
@given(files, st.data())
def test_the_result_is_what_was_meant(content: bytes, data: st.DataObject) -> None:
    before = _loaded(content)
    edit = data.draw(edits_of(before))
    try:
        after = splice(content, [edit])
    except CannotEdit:
        return
    assert _loaded(after) == _applied(before, edit)


def _value_at(content: str, path: Path) -> tuple[int, int]:
    """Where the value stands, by the marks of PyYAML's composer in Python."""
    node: Any = yaml.compose(content, Loader=yaml.SafeLoader)
    for part in path:
        if isinstance(node, yaml.MappingNode):
            node = [value for key, value in node.value if key.value == part][-1]
        else:
            node = node.value[part]
    return node.start_mark.index, node.end_mark.index


@settings(max_examples=EXAMPLES)
@given(files, st.data())
def test_a_scalar_put_for_a_scalar_leaves_every_other_byte_alone(content: bytes, data: st.DataObject) -> None:
    before = _loaded(content)
    places = [path for path, value in _places(before) if not isinstance(value, dict | list)]
    if not places:
        return
    path = data.draw(st.sampled_from(places))
    try:
        after = splice(content, [SetValue(path, data.draw(scalars))]).decode()
    except CannotEdit:
        return
    text = content.decode()
    # the composer does not count the mark that opens a file
    start, end = _value_at(text, path)
    assert after[:start] == text[:start]
    rest = text[end:]
    # the marks of a block scalar and of an empty value reach to what comes next
    assert after.endswith(
        rest.lstrip() if start == end or text[start:end].lstrip("&!_n0123456789i str")[:1] in "|>" else rest
    )


@settings(max_examples=EXAMPLES)
@given(files, st.data())
def test_lines_outside_a_removed_entry_stay_and_keep_their_order(content: bytes, data: st.DataObject) -> None:
    before = _loaded(content)
    path, _ = data.draw(st.sampled_from(list(_places(before))))
    try:
        after = splice(content, [Remove(path)])
    except CannotEdit:
        return
    old, new = content.splitlines(), after.splitlines()
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    # what differs is one stretch of the old lines, of which at most two lines are left, joined or emptied
    assert len(new) - head - tail <= 2
    assert len(new) <= len(old)


@settings(max_examples=EXAMPLES)
@given(files, st.data())
def test_what_is_added_leaves_every_byte_where_it_was(content: bytes, data: st.DataObject) -> None:
    before = _loaded(content)
    places = [(path, value) for path, value in _places(before) if isinstance(value, dict | list) and value]
    if not places:
        return
    path, value = data.draw(st.sampled_from(places))
    try:
        after = splice(
            content, [Insert((*path, len(value) if isinstance(value, list) else "added"), data.draw(values))]
        )
    except CannotEdit:
        return
    head = next((at for at, (a, b) in enumerate(zip(content, after, strict=False)) if a != b), len(content))
    assert after.endswith(content[head:])


@settings(max_examples=EXAMPLES)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from(["a", "b", 0]), values)
def test_arbitrary_bytes_are_edited_or_refused(content: bytes, part: str | int, value: Any) -> None:
    for edit in (SetValue((part,), value), Remove((part,)), Insert((part, "k"), value), Rename((part,), "z")):
        with suppress(CannotEdit):
            assert isinstance(splice(content, [edit, Move((part,), ("q", "r"))]), bytes)
    assert isinstance(diff(content, content + b"\na: 1", "f", str), str)


@pytest.mark.parametrize("depth", [300, 20_000])
def test_what_is_nested_too_deeply_is_refused(depth: int) -> None:
    with pytest.raises(CannotEdit):
        splice(b"a: " + b"[" * depth + b"]" * depth, [SetValue(("a",), 1)])
