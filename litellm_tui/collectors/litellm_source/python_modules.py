"""Looks for the Python modules that a configuration names: beside it, and in the libraries of the gateway's Python.

They are looked for as files and read with `ast`; nothing of them is run. Every function blocks.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from litellm_tui.audit.named_modules import REMOTE
from litellm_tui.audit.python_names import Names
from litellm_tui.collectors.litellm_source.catalogues import library_folders
from litellm_tui.collectors.litellm_source.litellm_modules import LiteLLMModules
from litellm_tui.host.bounded import MEDIUM, read_bytes, read_text
from litellm_tui.model.python_modules import NamedThing, PythonModule, PythonModules

_NAME: Final = re.compile(r"[^\W\d]\w{0,127}(?:\.[^\W\d]\w{0,127}){1,16}")
_SUFFIXES: Final = (".py", ".so", ".pyd")
# packages that are always there where LiteLLM is
_WITH_LITELLM: Final = ("litellm", "litellm_enterprise", "litellm_proxy_extras")
# what a configuration names is a handful; more are not looked for
_MOST: Final = 200
_MOST_READ: Final = 60
# a module of LiteLLM's own that is longer takes too long to read
_MOST_OF_LITELLM: Final = 60_000


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
        self._litellm = LiteLLMModules(next((one for one in folders if (one / "litellm/__init__.py").is_file()), None))
        self._read_already: dict[str, Names | None] = {}

    def find(self, name: str) -> PythonModule:
        if name.startswith(REMOTE):
            return PythonModule("remote")
        module, _, thing = name.rpartition(".")
        parts = module.split(".")
        file = os.path.join(self._beside, *parts) + ".py"
        short = "/".join(parts) + ".py"
        if os.path.exists(file):
            return self._read(file, short, thing)
        if parts[0] == "litellm" and self._litellm.folder is not None:
            return self._own(module, short, thing)
        if parts[0] in sys.stdlib_module_names or parts[0] in _WITH_LITELLM or self._importable(parts):
            return PythonModule("libraries", short)
        return PythonModule("missing", short)

    def _own(self, module: str, short: str, thing: str) -> PythonModule:
        """A module of LiteLLM itself."""
        if not self._litellm.has(module):
            return PythonModule("missing", short)
        if self._litellm.lacks(module, thing):
            return PythonModule("libraries", short, "absent")
        names = self._names(module)
        return PythonModule("libraries", short, "unknown" if names is None else _sure(names.thing(thing)))

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
            if "/" not in short and (line := _relative(tree)):
                return PythonModule(
                    "beside", short, fault=f"line {line} of it imports from its package, and it is in none"
                )
            names = Names(tree, self._names)
        except OSError:
            return PythonModule("beside", short)
        except SyntaxError as error:
            return PythonModule("beside", short, fault=f"line {error.lineno or 1} of it is not Python")
        except (ValueError, RecursionError, MemoryError):
            return PythonModule("beside", short)
        fault = next(self._absent_imports(tree), "") or names.fault
        return PythonModule("beside", short, names.thing(thing), fault, tuple(self._lacks(tree)), names.variables)

    def _names(self, module: str) -> Names | None:
        """The names of a module beside the configuration or of LiteLLM's own; None where they are not known."""
        if module in self._read_already:
            return self._read_already[module]
        # one that imports itself again is not known while it is read
        self._read_already[module] = None
        file = Path(self._beside, *module.split(".")).with_suffix(".py")
        find, most = self._names, MEDIUM
        if not file.is_file():
            # a module of LiteLLM's own is read alone: it imports hundreds of others
            found = self._litellm.file_of(module)
            if found is None:
                return None
            file, find, most = found, _nothing, _MOST_OF_LITELLM
        if len(self._read_already) <= _MOST_READ:
            with contextlib.suppress(OSError, SyntaxError, ValueError, RecursionError, MemoryError):
                self._read_already[module] = Names(ast.parse(read_bytes(file, most)), find)
        return self._read_already[module]

    def _absent_imports(self, tree: ast.Module) -> Iterator[str]:
        """What it imports for sure from LiteLLM or from beside it, and what is not there."""
        for node in tree.body:
            if isinstance(node, ast.Import):
                wanted = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                wanted = [node.module]
            else:
                continue
            own = (module for module in wanted if module.partition(".")[0] == "litellm")
            for module in own if self._litellm.folder is not None else ():
                if not self._litellm.has(module):
                    yield f"line {node.lineno} of it imports {module}, which this LiteLLM does not have"
            for alias in node.names if isinstance(node, ast.ImportFrom) else ():
                if alias.name != "*" and self._lacks_name(wanted[0], alias.name):
                    yield f"line {node.lineno} of it imports {alias.name} from {wanted[0]}, which has no such name"

    def _lacks_name(self, module: str, name: str) -> bool:
        if module.partition(".")[0] == "litellm":
            return self._litellm.lacks(module, name)
        if not Path(self._beside, *module.split(".")).with_suffix(".py").is_file():
            return False
        names = self._names(module)
        inside = Path(self._beside, *module.split("."), name)
        return names is not None and names.thing(name) == "absent" and not inside.exists()

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


def _nothing(module: str) -> None:
    return None


def _sure(thing: NamedThing) -> NamedThing:
    """Of a module of LiteLLM's own only what stands in it is told: its names may be made in other ways."""
    return thing if thing == "class" else "unknown"


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
