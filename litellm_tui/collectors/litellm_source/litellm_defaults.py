"""Reads from LiteLLM's source what a setting has where the configuration says nothing of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from types import EllipsisType
from typing import Final

from litellm_tui.audit.catalogue.records import Value
from litellm_tui.collectors.litellm_source.litellm_package import Function, Package

_LONGEST: Final = 200


def defaults(package: Package, makers: Iterable[Function]) -> dict[str, Value]:
    """Plain default values as `SECTION.KEY`: of the Router's and the Cache's parameters and the module's attributes.

    `makers` are the functions that take the Router's parameters; the one with the most counts.
    """
    found: dict[str, Value] = {}
    router = max(makers, key=lambda function: len(function.args.args), default=None)
    cache = package.function("caching/caching.py", "__init__", of="Cache")
    for section, function in (("router_settings", router), ("litellm_settings.cache_params", cache)):
        if function is not None:
            found |= {f"{section}.{name}": value for name, value in _parameters(function)}
    found |= {f"litellm_settings.{name}": value for name, value in _attributes(package.tree("__init__.py"))}
    return found


def _parameters(function: Function) -> Iterator[tuple[str, Value]]:
    arguments = function.args
    plain = [*arguments.posonlyargs, *arguments.args]
    given = plain[len(plain) - len(arguments.defaults) :]
    pairs = [
        *zip(given, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    for argument, node in pairs:
        if not argument.arg.startswith("_") and (value := _plain(node)) is not ...:
            yield argument.arg, value


def _attributes(tree: ast.Module) -> Iterator[tuple[str, Value]]:
    """The plain values of the module's own names; the last assignment counts, as it does when it is imported."""
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if not name.startswith("_") and (found := _plain(value)) is not ...:
                yield name, found


def _plain(node: ast.expr | None) -> Value | EllipsisType:
    """The value of a literal; `...` for everything else."""
    match node:
        case ast.Constant(value=str(text)):
            return text if len(text) <= _LONGEST else ...
        case ast.Constant(value=(None | int() | float()) as plain):
            return plain
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=(int() | float()) as number)):
            return -number
    return ...
