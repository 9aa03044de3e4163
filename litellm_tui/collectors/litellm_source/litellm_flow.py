"""Finds the keys of one section of the configuration that LiteLLM's source reads.

The section is a dict that is passed from function to function and read in many ways. The search follows it from the
names that always mean it, through assignments, calls and wrappers, to every `get`, subscript, `in`, loop over its keys,
and class that is made from it. In doubt a key counts as read: calling a working setting unknown would be worse than
missing a mistake.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from litellm_tui.collectors.litellm_source.litellm_package import Function, Package, assigned
from litellm_tui.collectors.litellm_source.litellm_units import Unit, Units, called, texts
from litellm_tui.collectors.litellm_source.litellm_values import TOO_COMMON, Values

# calls that return their argument or a copy of it
_SAME: Final = frozenset({"dict", "cast", "copy", "deepcopy", "MappingProxyType", "validate_python", "run"})
_READS: Final = frozenset({"get", "pop", "setdefault", "__getitem__"})
_VALIDATES: Final = frozenset({"model_validate", "validate_python", "parse_obj", "model_construct"})
# functions that only warn of a key in the wrong place
_WARNS: Final = "_warn"
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")
# the most steps from function to function; five were seen
_ROUNDS: Final = 8


class Flow:
    """Follows one section through a package, beginning in the files `places`.

    `named(name)` says whether a name always means the section. With `owner` the search begins only in the methods of
    that class. With `handed` it also begins at their parameter of that name, and follows calls only into parameters
    whose name contains it.
    """

    def __init__(
        self,
        package: Package,
        section: str,
        named: Callable[[str], bool],
        places: Iterable[str],
        owner: str = "",
        handed: str = "",
    ) -> None:
        self.package = package
        self.section = section
        self.named = named
        self.owner = owner
        self.handed = handed
        self.keys: set[str] = set()
        self._places = list(places)
        self._units = Units(package)
        self._values = Values(package, self._units)
        self._marked: dict[tuple[str, str, int], set[str]] = {}
        self._attributes: set[tuple[str, str]] = set()

    def follow(self) -> frozenset[str]:
        """The keys that are read."""
        pending = [
            unit for place in self._places for unit in self._units.of(place) if unit.owner.startswith(self.owner)
        ]
        for unit in pending:
            if self.handed in unit.parameters and not unit.name.startswith(_WARNS):
                self._marked[unit.key] = {self.handed}
        for _ in range(_ROUNDS):
            reached = {other.key: other for unit in pending for other in self._read_unit(unit)}
            pending = list(reached.values())
        return frozenset(key for key in self.keys if _KEY.fullmatch(key))

    def _read_unit(self, unit: Unit) -> list[Unit]:
        """Read one unit; returns the units that get the section from it."""
        marked = self._marked.setdefault(unit.key, set())
        nodes = self._units.nodes(unit)
        size = -1
        while size != len(marked):
            size = len(marked)
            for node in nodes:
                self._assign(unit, node, marked)
        keynames = set(self._keynames(unit, nodes, marked))
        reached: list[Unit] = []
        for node in nodes:
            self._read(unit, node, marked, keynames, nodes)
            if isinstance(node, ast.Call):
                self._made_from(unit, node, marked)
                reached += self._handed_on(unit, node, marked)
        return reached

    def _assign(self, unit: Unit, node: ast.AST, marked: set[str]) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                given = [*targets]
            case ast.AnnAssign(target=only, value=ast.expr() as value) | ast.NamedExpr(target=only, value=value):
                given = [only]
            case _:
                return
        if self._is_section(unit, value, marked):
            for target in given:
                if isinstance(target, ast.Name):
                    marked.add(target.id)
                elif isinstance(target, ast.Attribute):
                    self._attributes.add((unit.place, target.attr))

    def _is_section(self, unit: Unit, node: ast.AST | None, marked: set[str]) -> bool:
        """Whether an expression is the section."""

        def any_is_section(*parts: ast.AST | None) -> bool:
            return any(self._is_section(unit, part, marked) for part in parts)

        match node:
            case ast.Name(id=name):
                return name in marked or self.named(name)
            case ast.Attribute(attr=name):
                return self.named(name) or (unit.place, name) in self._attributes
            case ast.Subscript(slice=ast.Constant(value=self.section)):
                return True
            case ast.BoolOp(values=values):
                return any_is_section(*values)
            case ast.IfExp(body=left, orelse=right) | ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return any_is_section(left, right)
            case ast.Await(value=value) | ast.NamedExpr(value=value):
                return any_is_section(value)
            case ast.Dict(keys=keys, values=values):
                return any_is_section(*(value for key, value in zip(keys, values, strict=True) if key is None))
            case ast.Call(func=function, args=args):
                name = called(function)
                asks = name in _READS or name == "getattr"
                if self.named(name) or (asks and any(texts(item) == {self.section} for item in args)):
                    return True
                return (name in _SAME or "settings" in name.lower()) and any_is_section(*args)
        return False

    def _keynames(self, unit: Unit, nodes: list[ast.AST], marked: set[str]) -> Iterator[str]:
        """Names that loop over the section's keys."""
        for node in nodes:
            if not isinstance(node, ast.For | ast.comprehension):
                continue
            source = node.iter
            if isinstance(source, ast.Call) and called(source.func) in {"items", "keys"}:
                source = source.func.value if isinstance(source.func, ast.Attribute) else source
            if self._is_section(unit, source, marked):
                first = node.target.elts[0] if isinstance(node.target, ast.Tuple) else node.target
                if isinstance(first, ast.Name):
                    yield first.id

    def _read(self, unit: Unit, node: ast.AST, marked: set[str], keynames: set[str], nodes: list[ast.AST]) -> None:
        match node:
            case (
                ast.Call(
                    func=ast.Attribute(value=owner, attr=("get" | "pop" | "setdefault" | "__getitem__")), args=[key, *_]
                )
                | ast.Subscript(value=owner, slice=key)
                | ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[owner])
            ) if self._is_section(unit, owner, marked):
                self.keys |= self._values.of(unit, key, nodes)
            case ast.Compare(left=ast.Name(id=name), comparators=[right]) if name in keynames:
                self.keys |= self.package.strings(right)
            case ast.Match(subject=ast.Name(id=name), cases=cases) if name in keynames:
                self.keys.update(*(texts(case.pattern) for case in cases))
            case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
                for mine, other in ((left, right), (right, left)):
                    match mine:
                        case ast.Call(func=ast.Attribute(value=of)):
                            section = of
                        case _:
                            section = mine
                    if self._is_section(unit, section, marked):
                        self.keys |= self.package.strings(other)

    def _made_from(self, unit: Unit, node: ast.Call, marked: set[str]) -> None:
        """A class whose fields are filled from the section."""
        name = called(node.func)
        if any(item.arg is None and self._is_section(unit, item.value, marked) for item in node.keywords):
            self.keys |= self.package.fields(name, within=unit.place)
        if name not in _VALIDATES or not isinstance(node.func, ast.Attribute):
            return
        if any(self._is_section(unit, item, marked) for item in node.args):
            for part in ast.walk(node.func.value):
                if isinstance(part, ast.Name):
                    self.keys |= self._fields(unit, part.id)

    def _fields(self, unit: Unit, name: str) -> frozenset[str]:
        """Fields of a class, or of the classes that a type adapter of this name is made for."""
        found = self.package.fields(name, within=unit.place)
        for value in assigned(self.package.tree(unit.place), name):
            for item in ast.walk(value):
                if isinstance(item, ast.Name) and item.id != name:
                    found |= self.package.fields(item.id, within=unit.place)
        return found

    def _handed_on(self, unit: Unit, node: ast.Call, marked: set[str]) -> Iterator[Unit]:
        """The functions that a call gives the section to, with the parameter marked."""
        name = called(node.func)
        positions = [index for index, item in enumerate(node.args) if self._is_section(unit, item, marked)]
        words = {item.arg for item in node.keywords if item.arg and self._is_section(unit, item.value, marked)}
        if not (positions or words) or name in _SAME | _READS:
            return
        places, name = self._defined(unit, node.func, name)
        for other in (other for place in places for other in self._units.of(place)):
            if other.name not in {name, f"{name}.__init__"} or other.name.startswith(_WARNS):
                continue
            parameters = other.positional
            given = {parameters[index] for index in positions if index < len(parameters)} | (other.parameters & words)
            given = {parameter for parameter in given if self.handed in parameter}
            holds = self._marked.setdefault(other.key, set())
            if isinstance(other.node, Function) and given - holds:
                holds |= given
                yield other

    def _defined(self, unit: Unit, function: ast.expr, name: str) -> tuple[list[str], str]:
        """The files that may define what is called, and its name there; none for a method of too common a name."""
        places = self.package.defines(name)
        if isinstance(function, ast.Name):
            place, original = self.package.imports(unit.place).get(name, ("", name))
            places, name = self.package.defines(original), original
            if place in places or unit.place in places:
                return [place if place in places else unit.place], name
        return (places if len(places) <= TOO_COMMON else []), name
