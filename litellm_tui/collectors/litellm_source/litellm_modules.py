"""Which modules an installed LiteLLM has, and which names they surely do not have; only its files are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from litellm_tui.host.bounded import read_text

_STAR: Final = re.compile(r"^[ \t]{0,99}from[ \t]+([\w.]+)[ \t]+import[ \t]+\*", re.MULTILINE)
_FROM: Final = re.compile(r"^[ \t]{0,99}from[ \t]+([\w.]+)[ \t]+import\b", re.MULTILINE)


class LiteLLMModules:
    """The modules of the LiteLLM in a folder of libraries; of none where it is not known."""

    def __init__(self, libraries: Path | None) -> None:
        self.folder = libraries

    def has(self, module: str) -> bool:
        """Whether there is such a module, in Python or compiled."""
        return self._place(module) is not None

    def file_of(self, module: str) -> Path | None:
        """The source of a module; None where there is none, or it is not in Python."""
        place = self._place(module)
        if place is not None and place.is_dir():
            place = place / "__init__.py"
        return place if place is not None and place.suffix == ".py" and place.is_file() else None

    def lacks(self, module: str, name: str) -> bool:
        """Whether the module surely has no such name: it stands nowhere in its source or in what that takes it from."""
        if self.folder is None or (place := self._place(module)) is None or self.has(f"{module}.{name}"):
            return False
        if place.is_dir() and not (place / "__init__.py").exists():
            return True
        return not self._mentions(module, name, set())

    def _place(self, module: str) -> Path | None:
        if self.folder is None or module.partition(".")[0] != "litellm":
            return None
        place = self.folder.joinpath(*module.split("."))
        if place.is_dir():
            return place
        source = place.with_name(f"{place.name}.py")
        if source.is_file():
            return source
        return next(iter(sorted(place.parent.glob(f"{place.name}.*.so"))), None) if place.parent.is_dir() else None

    def _mentions(self, module: str, name: str, seen: set[str]) -> bool:
        if module in seen:
            return False
        seen.add(module)
        place, file = self._place(module), self.file_of(module)
        if place is not None and place.is_dir() and file is None:
            return False
        if file is None or (text := _text(file)) is None:
            # another library, or a part that is compiled: it may have the name
            return True
        if re.search(rf"\b{re.escape(name)}\b", text):
            return True
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        sources = set(_STAR.findall(text))
        if "def __getattr__" in text:
            # names that are made when they are asked for stand in tables of such modules
            sources |= {found for found in _FROM.findall(text) if found.rpartition(".")[2].startswith("_lazy")}
        for found in sorted(sources):
            other = _absolute(found, package)
            if other.partition(".")[0] != "litellm" or self._mentions(other, name, seen):
                return True
        return False


def _absolute(name: str, package: str) -> str:
    """A module's whole name, of one that may begin with dots."""
    bare = name.lstrip(".")
    level = len(name) - len(bare)
    if not level:
        return name
    parts = package.split(".")
    return ".".join((*parts[: len(parts) - level + 1], *((bare,) if bare else ())))


def _text(file: Path) -> str | None:
    try:
        return read_text(file, errors="replace")
    except OSError:
        return None
