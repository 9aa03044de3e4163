"""The strings that a name can mean where it is used as a key: from assignments in its function and from callers."""

from __future__ import annotations

import ast
import re
from typing import Final

from litellm_tui.collectors.litellm_source.litellm_package import Function, Package
from litellm_tui.collectors.litellm_source.litellm_units import Unit, Units, called, positional, texts

# a function name in more files than this does not tell which function is called
TOO_COMMON: Final = 8


class Values:
    """Finds the values of names in one package."""

    def __init__(self, package: Package, units: Units) -> None:
        self.package = package
        self.units = units
        self._asked: set[tuple[str, str, str]] = set()

    def of(self, unit: Unit, key: ast.expr, nodes: list[ast.AST]) -> frozenset[str]:
        """The strings that an expression in a unit (of these nodes) can be."""
        found = self.package.strings(key)
        if isinstance(key, ast.Name):
            found |= self._named(unit, key.id, nodes)
        return found | self._joined(unit, key, nodes)

    def _named(self, unit: Unit, name: str, nodes: list[ast.AST]) -> frozenset[str]:
        """The values of a name that is assigned, looped over, or passed as an argument."""
        found: set[str] = set()
        for node in nodes:
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=other)], value=ast.expr() as value)
                    | ast.AnnAssign(target=ast.Name(id=other), value=ast.expr() as value)
                ) if other == name:
                    found |= self.package.strings(value) | self._joined(unit, value, nodes)
                case ast.For(target=target, iter=source) | ast.comprehension(target=target, iter=source):
                    if any(isinstance(item, ast.Name) and item.id == name for item in ast.walk(target)):
                        # the keys may be in any place of a table's pairs and records
                        found |= texts(source) | self.package.strings(source)
        if isinstance(unit.node, Function):
            for function in [unit.node, *(node for node in nodes if isinstance(node, Function))]:
                found |= self._handed_in(unit.place, function, name)
        return frozenset(found)

    def _joined(self, unit: Unit, value: ast.expr, nodes: list[ast.AST]) -> frozenset[str]:
        """The values of an f-string whose parts are names with known values."""
        if not isinstance(value, ast.JoinedStr):
            return frozenset()
        made = {""}
        for part in value.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            name = inner.id if isinstance(inner, ast.Name) else ""
            parts = self._named(unit, name, nodes) if name else self.package.strings(inner)
            made = {before + after for before in made for after in parts}
        return frozenset(made)

    def _handed_in(self, home: str, function: Function, name: str) -> frozenset[str]:
        """The values that callers pass to a parameter of a function of the file `home`."""
        names = positional(function)
        asked = (home, function.name, name)
        if asked in self._asked or name not in {*names, *(item.arg for item in function.args.kwonlyargs)}:
            return frozenset()
        word = function.name.encode()
        call = re.compile(rb"\b" + re.escape(word) + rb"\(")
        places = [place for place, source in self.package.sources.items() if word in source and call.search(source)]
        if len(places) > TOO_COMMON:
            return frozenset()
        position = names.index(name) if name in names else -1
        self._asked.add(asked)
        found: set[str] = set()
        for place in places:
            for unit in self.units.of(place):
                nodes = self.units.nodes(unit)
                for node in nodes:
                    if isinstance(node, ast.Call) and self._calls(place, node.func, home, function.name):
                        given = [item.value for item in node.keywords if item.arg == name]
                        given += node.args[position : position + 1] if position >= 0 else []
                        for item in given:
                            found |= self.of(unit, item, nodes)
        self._asked.discard(asked)
        return frozenset(found)

    def _calls(self, place: str, call: ast.expr, home: str, name: str) -> bool:
        """Whether a call in a file calls the function of this name in the file `home`.

        Functions of other files may have the same name: outside `home` a bare name counts where it is imported, and a
        method unless it is private.
        """
        if called(call) != name or place == home:
            return called(call) == name
        if isinstance(call, ast.Name):
            return name in self.package.imports(place) and place not in self.package.defines(name)
        return not name.startswith("_")
