"""The source of a LiteLLM package folder: files, syntax trees, and definitions of names. Nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

from litellm_tui.host.bounded import read_bytes

Function = ast.FunctionDef | ast.AsyncFunctionDef

_DEFINES: Final = re.compile(rb"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
# generated, or pages and migrations: no code that reads settings
_LEFT_OUT: Final = ("_lazy_openapi_snapshot.py", "_experimental/out/")


class Package:
    """The source of one LiteLLM. Paths are relative to the folder, with slashes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._trees: dict[str, ast.Module] = {}
        self._classes: dict[str, ast.ClassDef | None] = {}
        self._constants: dict[str, frozenset[str]] = {}
        self._imports: dict[str, dict[str, tuple[str, str]]] = {}

    @cached_property
    def sources(self) -> dict[str, bytes]:
        """Every Python file that can be read."""
        found: dict[str, bytes] = {}
        for path in sorted(self.folder.rglob("*.py")):
            name = path.relative_to(self.folder).as_posix()
            if any(part in name for part in _LEFT_OUT):
                continue
            try:
                found[name] = read_bytes(path)
            except OSError:
                continue
        return found

    def tree(self, name: str) -> ast.Module:
        """The syntax tree of a file; an empty one where it is missing or not Python of this version."""
        if name not in self._trees:
            try:
                self._trees[name] = ast.parse(self.sources.get(name, b""))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self._trees[name] = ast.Module(body=[], type_ignores=[])
        return self._trees[name]

    def holding(self, *words: str) -> list[str]:
        """The files in which one of the words occurs."""
        wanted = [word.encode() for word in words]
        return [name for name, source in self.sources.items() if any(word in source for word in wanted)]

    @cached_property
    def _defined_in(self) -> dict[str, list[str]]:
        places: dict[str, list[str]] = {}
        for name, source in self.sources.items():
            for match in set(_DEFINES.findall(source)):
                places.setdefault(match.decode(), []).append(name)
        return places

    def defines(self, name: str) -> list[str]:
        """The files that define a function or class of this name."""
        return self._defined_in.get(name, [])

    def imports(self, place: str) -> dict[str, tuple[str, str]]:
        """The names a file imports from this package: local name to file and the name there."""
        if place not in self._imports:
            found: dict[str, tuple[str, str]] = {}
            for node in ast.walk(self.tree(place)):
                if isinstance(node, ast.ImportFrom):
                    above = place.split("/")[: -node.level] if node.level else []
                    module = [*above, *(node.module or "").split(".")]
                    base = "/".join(part for part in module[0 if node.level else 1 :] if part)
                    for path in (f"{base}.py", f"{base}/__init__.py"):
                        if path in self.sources:
                            found |= {alias.asname or alias.name: (path, alias.name) for alias in node.names}
            self._imports[place] = found
        return self._imports[place]

    def class_named(self, name: str, *, within: str = "") -> ast.ClassDef | None:
        """The class of this name; the one in the file `within` where several have it."""
        key = f"{within}:{name}"
        if key not in self._classes:
            places = sorted(self.defines(name), key=lambda place: place != within)
            classes = (
                node
                for place in places
                for node in ast.walk(self.tree(place))
                if isinstance(node, ast.ClassDef) and node.name == name
            )
            self._classes[key] = next(classes, None)
        return self._classes[key]

    def fields(self, name: str, *, within: str = "", _seen: frozenset[str] = frozenset()) -> frozenset[str]:
        """The annotated fields of a class and its bases, with the other names they answer to (aliases)."""
        definition = self.class_named(name, within=within)
        if definition is None or name in _seen:
            return frozenset()
        found: set[str] = set()
        for node in definition.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
                found |= _aliases(node.value)
        for base in definition.bases:
            if isinstance(base, ast.Name):
                found |= self.fields(base.id, within=within, _seen=_seen | {name})
        return frozenset(name for name in found if name != "model_config" and not name.startswith("_"))

    def enum_values(self, name: str) -> frozenset[str]:
        """The string values of an enumeration."""
        definition = self.class_named(name)
        body = definition.body if definition else []
        return frozenset(
            node.value.value
            for node in body
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        )

    def function(self, place: str, name: str, *, of: str = "") -> Function | None:
        """A function of a file, or a method of its class `of`."""
        for node in ast.walk(self.tree(place)):
            if of and isinstance(node, ast.ClassDef) and node.name == of:
                return next((item for item in node.body if isinstance(item, Function) and item.name == name), None)
            if not of and isinstance(node, Function) and node.name == name:
                return node
        return None

    def constant(self, name: str) -> frozenset[str]:
        """The strings of a constant of this name in any file: itself, or its items or keys."""
        if name not in self._constants:
            pattern = re.compile(
                rb"^[ \t]*" + re.escape(name.encode()) + rb"[ \t]*(?::[^=\n]*|:[^\n]*)?=", re.MULTILINE
            )
            found: set[str] = set()
            self._constants[name] = frozenset()
            for place, source in self.sources.items():
                if name.encode() in source and pattern.search(source):
                    for value in assigned(self.tree(place), name):
                        found |= self.strings(value)
            self._constants[name] = frozenset(found)
        return self._constants[name]

    def strings(self, node: ast.AST | None) -> frozenset[str]:
        """The strings that an expression means: a literal, a collection of literals, constants by name."""
        match node:
            case ast.Constant(value=str(text)):
                return frozenset({text})
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
                return frozenset().union(*map(self.strings, items))
            case ast.Dict(keys=keys, values=values):
                spread = (value for key, value in zip(keys, values, strict=True) if key is None)
                return frozenset().union(*map(self.strings, keys), *map(self.strings, spread))
            case ast.Starred(value=value):
                return self.strings(value)
            case ast.BinOp(left=left, right=right):
                return self.strings(left) | self.strings(right)
            case ast.Call(args=args) if args:
                return frozenset().union(*map(self.strings, args))
            case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
                return self.strings(inner)
            case ast.Subscript(value=value):
                return self.strings(value)
            case ast.Name(id=name) | ast.Attribute(attr=name) if name.upper() == name or name.startswith("_"):
                return self.constant(name)
        return frozenset()


def assigned(tree: ast.AST, name: str) -> Iterator[ast.expr]:
    """The values that a name is given anywhere in a tree."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                    yield value
            case ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value) if found == name:
                yield value


def _aliases(value: ast.expr | None) -> frozenset[str]:
    if not isinstance(value, ast.Call):
        return frozenset()
    return frozenset(
        constant.value
        for keyword in value.keywords
        if keyword.arg in {"alias", "validation_alias"}
        for constant in ast.walk(keyword.value)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    )
