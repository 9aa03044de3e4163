"""What is wrong in a settings file: each mistake with its line, its key, what is expected there and what is known.

msgspec decides whether a file is right. Only where it is not the file is walked along the types of its records, which
finds all mistakes and not the first alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

import msgspec
import yaml
from msgspec import inspect

from litellm_tui.target.close_name import close_name
from litellm_tui.target.settings_text import Mistake, Path, at_path, named, shown

_KEYS: Final = ("key", "keys", "api_key", "apikey", "master_key", "token", "secret")
# where msgspec says that it is: it is told by line and key here
_PLACE: Final = re.compile(r" - at (?:`[^`]*`|the key.*)$", re.DOTALL)


def mistakes(root: yaml.Node, data: object, record: type[msgspec.Struct]) -> list[Mistake]:
    """All that keeps `data`, constructed from `root`, from being such a record; empty where nothing does."""
    return sorted(at_path(root, path, words) for path, words in _wrong(inspect.type_info(record), data, ()))


def _wrong(kind: inspect.Type, data: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Every mistake below a value, as the path to it and the words about it."""
    if isinstance(kind, inspect.Metadata):
        yield from _wrong(kind.type, data, path)
    elif isinstance(kind, inspect.UnionType):
        fitting = [one for one in kind.types if _fits(one, data)]
        others = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        if fitting or len(others) == 1:
            yield from _wrong(fitting[0] if fitting else others[0], data, path)
        else:
            yield path, _said(path, f"expected {' or '.join(map(expected, others))}, not {_given(kind, data)}")
    elif not _fits(kind, data):
        yield path, _said(path, f"expected {expected(kind)}, not {_given(kind, data)}{_meant(kind, data)}")
    elif isinstance(kind, inspect.StructType) and isinstance(data, Mapping):
        yield from _wrong_in_record(kind, data, path)
    elif isinstance(kind, inspect.DictType) and isinstance(data, Mapping):
        for name, value in data.items():
            if isinstance(name, str):
                yield from _wrong(kind.value_type, value, (*path, name))
            else:
                yield (*path, str(name)), f"{named((*path, str(name)))}: expected a name: write it in quotes"
    elif isinstance(kind, inspect.VarTupleType) and isinstance(data, list):
        if len(data) < (kind.min_length or 0):
            yield path, _said(path, f"expected {expected(kind)}, not an empty one")
        for number, value in enumerate(data):
            yield from _wrong(kind.item_type, value, (*path, number))
    elif isinstance(kind, inspect.IntType | inspect.FloatType) and not _in_bounds(kind, data):
        yield path, _said(path, f"expected {expected(kind)}")


def _wrong_in_record(kind: inspect.StructType, data: Mapping[Any, object], path: Path) -> Iterator[tuple[Path, str]]:
    fields = {field.encode_name: field for field in kind.fields}
    clean = True
    for key, value in data.items():
        if key in fields:
            for place, words in _wrong(fields[key].type, value, (*path, key)):
                clean = False
                yield place, words
        else:
            clean = False
            yield (*path, str(key)), f"{named((*path, str(key)))}: {_unknown(str(key), fields)}"
    for name, field in fields.items():
        if field.required and name not in data:
            clean = False
            yield path, _said(path, f"{name} is missing: expected {expected(field.type)}")
    if clean:
        # what the record itself asks of its fields together
        try:
            msgspec.convert(data, kind.cls)
        except (msgspec.MsgspecError, ValueError) as error:
            words = _PLACE.sub("", str(error))
            first = re.match(r"\w+", words)
            place = (*path, first[0]) if first is not None and first[0] in data else path
            yield place, _said(path, words)


def _unknown(key: str, known: Iterable[str]) -> str:
    names = tuple(known)
    if "key_env" in names and key.lower().replace("-", "_") in _KEYS:
        return (
            "a key is never kept in this file, which others may read: expected key_env: VARIABLE, or key_file: FILE "
            "that holds it"
        )
    near = close_name(key, names)
    return f"there is no such setting{f': did you mean {near}?' if near else '.'} Known here: {', '.join(names)}"


def _said(path: Path, words: str) -> str:
    return f"{named(path)}: {words}" if path else words


def _fits(kind: inspect.Type, data: object) -> bool:
    """Whether a value is of this kind at all; what is wrong inside of it comes later."""
    match kind:
        case inspect.Metadata():
            return _fits(kind.type, data)
        case inspect.UnionType():
            return any(_fits(one, data) for one in kind.types)
        case inspect.NoneType():
            return data is None
        case inspect.BoolType():
            return isinstance(data, bool)
        case inspect.StrType():
            return isinstance(data, str)
        case inspect.IntType():
            return isinstance(data, int) and not isinstance(data, bool)
        case inspect.FloatType():
            return isinstance(data, int | float) and not isinstance(data, bool)
        case inspect.LiteralType():
            return any(data is value or (isinstance(data, str) and data == value) for value in kind.values)
        case inspect.VarTupleType():
            return isinstance(data, list)
        case inspect.StructType() | inspect.DictType():
            return isinstance(data, dict)
    return True


def _in_bounds(kind: inspect.IntType | inspect.FloatType, data: Any) -> bool:
    return (kind.ge is None or data >= kind.ge) and (kind.le is None or data <= kind.le)


def expected(kind: inspect.Type) -> str:
    """What may stand where this is expected, in words."""
    match kind:
        case inspect.Metadata():
            return expected(kind.type)
        case inspect.UnionType():
            return " or ".join(expected(one) for one in kind.types if not isinstance(one, inspect.NoneType))
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "a text"
        case inspect.IntType():
            bounds = f" from {kind.ge} to {kind.le}" if kind.ge is not None and kind.le is not None else ""
            return f"a whole number{bounds}"
        case inspect.FloatType():
            return "a number"
        case inspect.LiteralType():
            return " or ".join(filter(None, (", ".join(map(str, kind.values[:-1])), str(kind.values[-1]))))
        case inspect.VarTupleType():
            return f"a list of {_several(kind.item_type)}"
        case inspect.DictType():
            return "a name with its settings for each"
        case inspect.StructType():
            return f"settings such as {', '.join(field.encode_name for field in kind.fields[:4])}"
    return "another value"


def _several(kind: inspect.Type) -> str:
    match kind:
        case inspect.Metadata():
            return _several(kind.type)
        case inspect.UnionType():
            return " or ".join(map(_several, kind.types))
        case inspect.StrType():
            return "texts"
        case inspect.IntType() | inspect.FloatType():
            return "numbers"
        case inspect.StructType():
            return f"settings, each such as {', '.join(field.encode_name for field in kind.fields[:4])}"
    return expected(kind)


def _given(kind: inspect.Type, data: object) -> str:
    match data:
        case None:
            return "nothing"
        case bool():
            return "true" if data else "false"
        case str():
            # only where a closed set of words is expected: elsewhere it could be a secret in a wrong place
            return repr(shown(data)) if isinstance(kind, inspect.LiteralType) else "a text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case date():
            return "a date: write it in quotes"
    return "such a value"


def _meant(kind: inspect.Type, data: object) -> str:
    if isinstance(kind, inspect.LiteralType) and isinstance(data, str):
        near = close_name(data, map(str, kind.values))
        return f": did you mean {near}?" if near else ""
    return ""
