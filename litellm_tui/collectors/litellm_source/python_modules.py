"""Looks for the Python modules that a configuration names: beside it, and in the libraries of the gateway's Python.

They are looked for as files and read with `ast`; nothing of them is run. Every function blocks.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from litellm_tui.audit.named_modules import REMOTE
from litellm_tui.collectors.litellm_source.catalogues import library_folders
from litellm_tui.host.bounded import MEDIUM, read_bytes, read_text
from litellm_tui.model.python_modules import NamedThing, PythonModule, PythonModules

_NAME: Final = re.compile(r"[^\W\d]\w{0,127}(?:\.[^\W\d]\w{0,127}){1,16}")
_SUFFIXES: Final = (".py", ".so", ".pyd")
# packages that are always there where LiteLLM is
_WITH_LITELLM: Final = ("litellm", "litellm_enterprise", "litellm_proxy_extras")
# what a configuration names is a handful; more are not looked for
_MOST: Final = 200


def find_modules(
    names: Iterable[object],
    config: str,
    interpreter: str | None = None,
    folders: Iterable[str] = (),
    contained: bool = False,
) -> PythonModules:
    """Where LiteLLM would find each name, `module.thing`, when it starts with this configuration file.

    `interpreter` is the gateway's Python or its `litellm` script; None where it is not known. `folders` are further
    places that it imports from: its working folder, PYTHONPATH. `contained` says that it runs elsewhere than here.
    """
    wanted = [name for name in dict.fromkeys(name for name in names if isinstance(name, str)) if _usable(name)][:_MOST]
    libraries, complete = _libraries(interpreter)
    known = None if libraries is None else frozenset().union(*(_top_level(folder) for folder in libraries))
    search = _Search(
        os.path.dirname(config), [*(libraries or ()), *map(Path, folders)], known, interpreter is not None and complete
    )
    return PythonModules(
        {name: search.find(name) for name in wanted}, known if complete else None, complete and not contained
    )


def _usable(name: str) -> bool:
    return name.startswith(REMOTE) or bool(_NAME.fullmatch(name))


class _Search:
    """A look at the named modules: beside the configuration, then in the folders of libraries."""

    def __init__(self, beside: str, folders: list[Path], known: frozenset[str] | None, complete: bool) -> None:
        self._beside = beside
        self._folders = folders
        self._known = known
        self._complete = complete

    def find(self, name: str) -> PythonModule:
        if name.startswith(REMOTE):
            return PythonModule("remote")
        module, _, thing = name.rpartition(".")
        parts = module.split(".")
        file = os.path.join(self._beside, *parts) + ".py"
        short = "/".join(parts) + ".py"
        if os.path.exists(file):
            return self._read(file, short, thing)
        if parts[0] in sys.stdlib_module_names or parts[0] in _WITH_LITELLM or self._importable(parts):
            return PythonModule("libraries", short)
        return PythonModule("missing", short)

    def _importable(self, parts: list[str]) -> bool:
        for folder in self._folders:
            place = folder.joinpath(*parts)
            if place.is_dir() or place.with_name(f"{parts[-1]}.py").is_file():
                return True
            if any(file.suffix in _SUFFIXES for file in place.parent.glob(f"{parts[-1]}.*")):
                return True
        return False

    def _read(self, file: str, short: str, thing: str) -> PythonModule:
        try:
            tree = ast.parse(read_bytes(Path(file), MEDIUM))
        except OSError:
            return PythonModule("beside", short)
        except SyntaxError as error:
            return PythonModule("beside", short, fault=f"line {error.lineno or 1} of it is not Python")
        except (ValueError, RecursionError, MemoryError):
            return PythonModule("beside", short)
        fault = ""
        if "/" not in short and (line := _relative(tree)):
            fault = f"line {line} of it imports from its package, and it is in none"
        return PythonModule("beside", short, _thing(tree, thing), fault, tuple(self._lacks(tree)))

    def _lacks(self, tree: ast.Module) -> Iterator[str]:
        """The modules that it imports at once and that are nowhere; nothing where the libraries are not all known."""
        if self._known is None or not self._complete:
            return
        seen: set[str] = set()
        for name in _imported(tree):
            top = name.partition(".")[0]
            if top in seen or top in self._known or top in sys.stdlib_module_names or top in _WITH_LITELLM:
                continue
            seen.add(top)
            near = (os.path.join(self._beside, name) for name in (top, f"{top}.py"))
            if not self._importable([top]) and not any(map(os.path.exists, near)):
                yield top


def _libraries(interpreter: str | None) -> tuple[list[Path] | None, bool]:
    """The folders that the gateway's Python imports from, and whether they are all; None where it is not known."""
    if interpreter is None:
        return None, True
    folders = list(library_folders(interpreter))
    complete = bool(folders)
    for folder in tuple(folders):
        for listed in sorted(folder.glob("*.pth")):
            try:
                lines = read_text(listed, errors="replace").splitlines()
            except OSError:
                complete = False
                continue
            for line in lines:
                if re.match(r"import\s", line):
                    # the finder of an editable installation knows modules by names of its own
                    complete = complete and "__editable__" not in line
                elif line and not line.startswith("#"):
                    folders.append(folder / line)
    return folders, complete


def _top_level(folder: Path) -> frozenset[str]:
    try:
        entries = os.listdir(folder)
    except OSError:
        return frozenset()
    return frozenset(
        entry.partition(".")[0] for entry in entries if "." not in entry or entry.endswith(_SUFFIXES)
    )  # fmt: skip


def _thing(tree: ast.Module, name: str) -> NamedThing:
    """What a name is at the module's top level; `unknown` where names are made while it runs."""
    found: NamedThing = "absent"
    values = stores = 0
    for node in _at_once(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=defined)], value=made) if defined == name and _is_value(made):
                values += 1
            case ast.MatchAs(name=defined) | ast.MatchStar(name=defined) if defined == name:
                found, stores = "other", stores + 1
            case ast.ClassDef(name=defined) if defined == name:
                found = "class"
            case ast.FunctionDef(name=defined) | ast.AsyncFunctionDef(name=defined) if defined in (name, "__getattr__"):
                found = "other"
            case ast.ImportFrom(names=names) | ast.Import(names=names):
                if any(alias.name == "*" for alias in names):
                    return "unknown"
                if any((alias.asname or alias.name.partition(".")[0]) == name for alias in names):
                    found = "unknown"
            case ast.Name(id="globals" | "exec" | "setattr" | "vars" | "locals"):
                return "unknown"
            case ast.Name(id=defined, ctx=ast.Store()) if defined == name:
                found, stores = "other", stores + 1
    for line in tree.body:
        match line:
            case ast.AnnAssign(target=ast.Name(id=defined), value=None) if defined == name:
                stores -= 1
    if found == "other" and not stores and not _defines(tree, name):
        # its annotation alone makes nothing
        return "absent"
    if isinstance(tree.body[-1] if tree.body else None, ast.Delete) and _deletes(tree.body[-1], name):
        return "absent"
    is_value = found == "other" and 0 < values == stores and not _defines(tree, name)
    return "value" if is_value else found


def _is_value(node: ast.expr) -> bool:
    """Whether this can be nothing that is called."""
    return isinstance(node, ast.Constant | ast.List | ast.Dict | ast.Set | ast.Tuple | ast.JoinedStr)


def _defines(tree: ast.Module, name: str) -> bool:
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return any(isinstance(node, functions) and node.name in (name, "__getattr__") for node in _at_once(tree))


def _deletes(node: ast.stmt, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Delete) else []
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _at_once(tree: ast.Module) -> Iterator[ast.AST]:
    """What is executed when the module is imported: all but the insides of functions and classes, in order."""
    pending: list[ast.AST] = [*reversed(tree.body)]
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            pending += reversed(list(ast.iter_child_nodes(node)))


def _relative(tree: ast.Module) -> int:
    """The line of an import from its own package that is made whatever happens; 0 for none."""
    return next((node.lineno for node in tree.body if isinstance(node, ast.ImportFrom) and node.level), 0)


def _imported(tree: ast.Module) -> Iterator[str]:
    """The modules that are imported whatever happens: none below `try` or a condition."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
