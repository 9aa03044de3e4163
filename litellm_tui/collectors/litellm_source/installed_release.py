"""Looks at the files of a gateway's LiteLLM: which release it is, and whether it holds what a compromised one brings.

Nothing of it is run: what a compromised release plants runs whenever the gateway's own Python starts. Every function
blocks for some milliseconds.
"""

from __future__ import annotations

import csv
import os
import pwd
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from litellm_tui.audit.advisories.companions import COMPANIONS
from litellm_tui.host.bounded import MEDIUM, SMALL, read_text
from litellm_tui.model.release import Advisory, PlantedFile, PlantedName, Release

# where images keep packages, below the root of the container
_IN_IMAGES: Final = (
    "usr/lib/python3*/site-packages",
    "usr/local/lib/python3*/site-packages",
    "usr/lib/python3/dist-packages",
    "usr/local/lib/python3*/dist-packages",
    "app/.venv/lib/python3*/site-packages",
    "opt/*/lib/python3*/site-packages",
    "root/.local/lib/python3*/site-packages",
    "home/*/.local/lib/python3*/site-packages",
)
_TEMPORARY: Final = ("/tmp", "/var/tmp")
_VERSION: Final = re.compile(r"^Version: (\S{1,100})", re.MULTILINE)
# a line of a path file that is code: the Python that starts runs it (docs.python.org/3/library/site)
_CODE: Final = re.compile(r"^import[ \t]", re.MULTILINE)


def release_of(
    folders: Sequence[Path],
    advisories: Sequence[Advisory],
    *,
    environment: Mapping[str, str] | None = None,
    root: str = "",
    image: str = "",
) -> Release:
    """The release in folders of packages, with what was planted in them.

    Where the gateway runs in a container `root` is the root of its files, in which its packages are looked for, and
    `image` its image; `environment` is the gateway's.
    """
    known = _readable([*folders, *(_in_image(root) if root else ())])
    metadata = next((info for folder in known for info in sorted(folder.glob("litellm-[0-9]*.dist-info"))), None)
    version = _version(metadata / "METADATA") if metadata else ""
    where = "the container's files" if image or root else "its environment"
    recorded = _recorded(metadata / "RECORD") if metadata else frozenset()
    return Release(
        installed=version,
        metadata=str(metadata / "METADATA") if metadata else "",
        image=image,
        planted=tuple(_planted(advisories, known, _home(environment, root), root, version, recorded)) if known else (),
        looked=tuple(map(str, known)),
        companions=dict(_companions(known)),
        unseen=() if known else (f"what a compromised release leaves behind: {where} cannot be looked at from here",),
    )


def _companions(folders: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for name in COMPANIONS:
        infos = (info for folder in folders for info in _glob(folder, f"{name}-[0-9]*.dist-info"))
        if (first := next(infos, None)) is not None and (version := _version(first / "METADATA")):
            yield name, version


def _readable(folders: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(folder for folder in dict.fromkeys(folders) if os.access(folder, os.R_OK | os.X_OK))


def _in_image(root: str) -> Iterator[Path]:
    for pattern in _IN_IMAGES:
        yield from _glob(Path(root), pattern)


def _glob(top: Path, pattern: str) -> list[Path]:
    try:
        return sorted(top.glob(pattern))
    except OSError:
        return []


def _version(metadata: Path) -> str:
    try:
        found = _VERSION.search(read_text(metadata, SMALL, errors="replace"))
    except OSError:
        return ""
    return found[1] if found else ""


def _recorded(record: Path) -> frozenset[str]:
    """The files beside the packages that LiteLLM's own list names: `NAME`, without those in folders."""
    try:
        text = read_text(record, MEDIUM, errors="replace")
    except OSError:
        return frozenset()
    try:
        rows = [row[0] for row in csv.reader(text.splitlines()) if row]
    except csv.Error:
        return frozenset()
    return frozenset(name for name in rows if "/" not in name)


def _home(environment: Mapping[str, str] | None, root: str) -> Path | None:
    """The home of the user that the gateway runs as, as far as its environment tells; else of this user."""
    told = (environment or {}).get("HOME", "")
    if root:
        return Path(root, (told or "/root").lstrip("/"))
    if os.path.isabs(told):
        return Path(told)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return None


def _planted(
    advisories: Iterable[Advisory],
    folders: Sequence[Path],
    home: Path | None,
    root: str,
    version: str,
    recorded: frozenset[str],
) -> Iterator[PlantedFile]:
    """What was found: named files, and path files with code that LiteLLM itself says it brought."""
    named: dict[str, PlantedFile] = {}
    for one in advisories:
        there = [(file, path) for file in one.files for path in _places(file, folders, home, root) if _is_file(path)]
        sure = version in one.versions or any(file.certain for file, _ in there)
        for file, path in there:
            if sure or file.name in recorded:
                named[str(path)] = PlantedFile(str(path), (one.known_as,))
    yield from (named[path] for path in sorted(named))
    for folder in folders:
        for name in sorted(recorded):
            path = folder / name
            if name.endswith(".pth") and str(path) not in named and _runs_code(path):
                yield PlantedFile(str(path))


def _places(file: PlantedName, folders: Sequence[Path], home: Path | None, root: str) -> Iterator[Path]:
    if file.place == "packages":
        yield from (folder / file.name for folder in folders)
    elif file.place == "home":
        if home is not None:
            yield home / file.name
    else:
        yield from (Path(root or "/", folder.lstrip("/"), file.name) for folder in _TEMPORARY)


def _is_file(path: Path) -> bool:
    """Whether there is a file, or a link to anything: it is not opened."""
    try:
        return path.is_symlink() or path.is_file()
    except OSError:
        return False


def _runs_code(path: Path) -> bool:
    try:
        return _CODE.search(read_text(path, SMALL, errors="replace")) is not None
    except OSError:
        return False
