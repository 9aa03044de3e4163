"""Reads from LiteLLM's source what it says when something fails: every error that it raises, or logs from WARNING on.

Nothing of it is imported. `python -m litellm_tui.collectors.litellm_source.litellm_errors FOLDER` prints them as JSON.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from litellm_tui.collectors.litellm_source.litellm_package import Function, Package

# stands for what is filled in when the error happens
GAP: Final = "{}"
LONGEST: Final = 400
_LEVELS: Final = {"warning": "WARNING", "error": "ERROR", "exception": "ERROR", "critical": "CRITICAL"}
# keywords that hold the message of an exception
_MESSAGES: Final = ("message", "detail", "error", "msg")
_PERCENT: Final = re.compile(r"%(?:\([^)]{0,40}\))?[-+ #0-9.]{0,10}[a-zA-Z]")
_WORD: Final = re.compile(r"[A-Za-z]{2,}")
# keywords that hold its status
_STATUSES: Final = ("status_code", "code")
_HTTP_STATUS: Final = re.compile(r"(?<![0-9])[45][0-9]{2}(?![0-9])")
_DEPTH: Final = 20


class Said(msgspec.Struct, frozen=True, order=True):
    """One error in the source: `place` is the file below the package, `function` the one it stands in.

    `kind` is the class that is raised, or the level of the log line. `words` are its constant words, with `{}` where
    something is filled in; `status` is the HTTP status that it is raised with, 0 where none stands there as a number.
    """

    place: str
    line: int
    how: Literal["raised", "logged"]
    kind: str
    function: str
    words: str
    status: int = 0

    @property
    def telling(self) -> bool:
        """Whether it has words of its own: two at least, besides what is filled in."""
        return len(_WORD.findall(self.words)) >= 2


def errors_said(package: Package, within: Sequence[str] = ("",)) -> tuple[Said, ...]:
    """The errors of the files whose path begins with one of these, by place and line. Takes some seconds."""
    places = [place for place in package.sources if place.startswith(tuple(within))]
    return tuple(sorted(said for place in places for said in _of_file(place, package.tree(place))))


def _of_file(place: str, tree: ast.Module) -> Iterator[Said]:
    pending: list[tuple[ast.AST, str, dict[str, str]]] = [(tree, "", {})]
    while pending:
        node, function, known = pending.pop()
        if isinstance(node, Function):
            function, known = node.name, dict(_assigned_words(node))
        if found := _said(node, known):
            how, kind, words = found
            yield Said(place, getattr(node, "lineno", 0), how, kind, function, words[:LONGEST], _status(node))
        pending += [(child, function, known) for child in ast.iter_child_nodes(node)]


def _assigned_words(function: ast.AST) -> Iterator[tuple[str, str]]:
    """The words that local names hold: a message is often put together before it is raised."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value, name = node.value, node.targets[0].id
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            value, name = node.value, node.target.id
        else:
            continue
        if isinstance(value, ast.JoinedStr | ast.BinOp) or (
            isinstance(value, ast.Constant) and isinstance(value.value, str)
        ):
            yield name, _words(value, {})


def _said(node: ast.AST, known: dict[str, str]) -> tuple[Literal["raised", "logged"], str, str] | None:
    match node:
        case ast.Raise(exc=ast.Call(func=function, args=arguments, keywords=keywords)):
            values = [*arguments, *(keyword.value for keyword in keywords if keyword.arg in _MESSAGES)]
            told = [words for value in values if (words := _words(value, known)) != GAP]
            return "raised", ast.unparse(function).rpartition(".")[2], " ".join(told) or GAP
        case ast.Call(func=ast.Attribute(attr=attribute, value=logger), args=[first, *_]) if attribute in _LEVELS:
            if "log" in ast.unparse(logger).lower():
                return "logged", _LEVELS[attribute], _percent(_words(first, known))
        case ast.Call(func=ast.Attribute(attr="log", value=logger), args=[level, first, *_]):
            if "log" in ast.unparse(logger).lower() and "ERROR" in ast.unparse(level):
                return "logged", "ERROR", _percent(_words(first, known))
    return None


def _status(node: ast.AST) -> int:
    """The HTTP status with which an exception is raised, `status_code=404` or `status.HTTP_404_NOT_FOUND`."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        for keyword in node.exc.keywords:
            if keyword.arg in _STATUSES and (found := _HTTP_STATUS.search(ast.unparse(keyword.value))):
                return int(found[0])
    return 0


def _percent(words: str) -> str:
    return _PERCENT.sub(GAP, words)


def _words(node: ast.AST | None, known: dict[str, str], depth: int = _DEPTH) -> str:
    """The constant words of an expression."""
    if depth == 0:
        return GAP
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.JoinedStr(values=values):
            return "".join(_words(value, known, depth - 1) for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _words(left, known, depth - 1) + _words(right, known, depth - 1)
        case ast.BinOp(left=left, op=ast.Mod()):
            return _percent(_words(left, known, depth - 1))
        case ast.Call(func=ast.Attribute(attr="format", value=text)):
            return _words(text, known, depth - 1)
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return _words(inner, known, depth - 1)
        case ast.Dict(keys=keys, values=values):
            pairs = (
                f"'{_words(key, known, depth - 1)}': '{_words(value, known, depth - 1)}'"
                for key, value in zip(keys, values, strict=True)
            )
            return "{" + ", ".join(pairs) + "}"
    return GAP


def main(arguments: list[str]) -> int:
    """Print the errors of a package folder as JSON."""
    sys.stdout.buffer.write(msgspec.json.encode(errors_said(Package(Path(arguments[0])))) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
