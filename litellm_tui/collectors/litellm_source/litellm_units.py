"""Divides a source file into functions that are read one by one, and answers small questions about syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from litellm_tui.collectors.litellm_source.litellm_package import Function, Package


class Unit(NamedTuple):
    """A top-level function, or a method of the class `owner`, with those nested in it; or a file's own statements."""

    place: str
    name: str
    node: ast.AST
    owner: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        """A key that is unique among all units."""
        return self.place, self.name, getattr(self.node, "lineno", 0)

    @property
    def positional(self) -> list[str]:
        """Its parameters in order, without `self` and `cls`."""
        return positional(self.node) if isinstance(self.node, Function) else []

    @property
    def parameters(self) -> set[str]:
        """All its named parameters."""
        only = self.node.args.kwonlyargs if isinstance(self.node, Function) else []
        return {*self.positional, *(item.arg for item in only)}


class Units:
    """The units of a package's files, each file divided once."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self._of: dict[str, list[Unit]] = {}
        self._nodes: dict[tuple[str, str, int], list[ast.AST]] = {}

    def of(self, place: str) -> list[Unit]:
        """The units of a file; a constructor goes by `Class.__init__`."""
        if place not in self._of:
            tree = self.package.tree(place)
            self._of[place] = [Unit(place, "", tree), *(unit for node in tree.body for unit in _within(place, node))]
        return self._of[place]

    def nodes(self, unit: Unit) -> list[ast.AST]:
        """Everything in a unit; of a file, what is outside its functions."""
        if unit.key not in self._nodes:
            self._nodes[unit.key] = list(_nodes(unit.node))
        return self._nodes[unit.key]


def _nodes(whole: ast.AST) -> Iterator[ast.AST]:
    if isinstance(whole, Function):
        yield from ast.walk(whole)
        return
    pending = [whole]
    while pending:
        node = pending.pop()
        yield node
        pending += [item for item in ast.iter_child_nodes(node) if not isinstance(item, Function)]


def _within(place: str, node: ast.AST) -> Iterator[Unit]:
    """The functions below a statement, not those inside other functions."""
    if isinstance(node, Function):
        yield Unit(place, node.name, node)
    elif isinstance(node, ast.ClassDef):
        for item in node.body:
            for unit in _within(place, item):
                name = f"{node.name}.__init__" if unit.name == "__init__" else unit.name
                yield unit._replace(name=name, owner=node.name)
    elif isinstance(node, ast.If | ast.Try):
        for inner in ast.iter_child_nodes(node):
            yield from _within(place, inner)


def positional(function: Function) -> list[str]:
    """The parameters of a function in order, without `self` and `cls`."""
    names = [item.arg for item in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def called(function: ast.expr) -> str:
    """The last part of the name of the called function; "" for anything but a name."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def texts(node: ast.AST) -> set[str]:
    """Every string inside a node."""
    return {item.value for item in ast.walk(node) if isinstance(item, ast.Constant) and isinstance(item.value, str)}
