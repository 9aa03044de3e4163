"""Chooses the catalogue of what LiteLLM reads: from the operated LiteLLM's own source, or from the shipped table.

Every function blocks: call it in a thread (`asyncio.to_thread`). The first look at an installed LiteLLM takes some ten
seconds in a process of low priority; later looks take milliseconds, until LiteLLM is upgraded.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from litellm_tui.audit.catalogue.records import Catalogue, Spans
from litellm_tui.collectors.litellm_source import reader
from litellm_tui.host import atomic
from litellm_tui.host.bounded import MEDIUM, read_bytes, read_text
from litellm_tui.host.command import helper
from litellm_tui.model.failures import Denied, Failure, Malformed, NotAvailable, Unreachable

# increase it when the reader finds other names in the same source: older cached catalogues are then not used
FORM: Final = 3
TIMEOUT: Final = 180.0
_LIBRARIES: Final = ("lib/python3*/site-packages", "lib64/python3*/site-packages", "lib/python3*/dist-packages")
_SYSTEM: Final = ("lib/python3/dist-packages", "local/lib/python3*/dist-packages")

Reader = subprocess.Popen[bytes]


@cache
def shipped() -> Spans:
    """The table of the releases that were read for this version; takes a few milliseconds."""
    content = resources.files("litellm_tui.audit.catalogue").joinpath("catalogue.json").read_bytes()
    return msgspec.json.decode(content, type=Spans)


def choose(
    interpreter: str = "", reported_version: str = "", asked_version: str = "", cache_folder: Path | None = None
) -> Catalogue:
    """The catalogue for judging a configuration; its `source` says which one it is.

    It is that of the version asked for, else of the interpreter's LiteLLM, else of the reported version, else of the
    newest.
    """
    if asked_version:
        return shipped().at(asked_version)
    if interpreter:
        found = installed(interpreter, cache_folder)
        if isinstance(found, Catalogue):
            return found
    return shipped().at(reported_version)


def installed(
    interpreter: str, cache_folder: Path | None = None, began: Callable[[Reader], None] = lambda _: None
) -> Catalogue | Failure:
    """The catalogue of the LiteLLM that this interpreter, or that of the `litellm` script, imports; from its source.

    No code of it is run. The result is kept in the cache folder until LiteLLM is installed again. `began` gets the
    process that reads, where one is needed: killing it ends the call with a `Failure`.
    """
    folder = package_folder(interpreter)
    return folder if isinstance(folder, Failure) else catalogue_of(folder, cache_folder, began)


def catalogue_of(
    folder: Path, cache_folder: Path | None = None, began: Callable[[Reader], None] = lambda _: None
) -> Catalogue | Failure:
    """As `installed`, of a package folder."""
    kept = (cache_folder or _cache_folder()) / f"{_identity(folder)}.json"
    try:
        return msgspec.json.decode(read_bytes(kept), type=Catalogue)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        pass
    found = _read_apart(folder, began)
    if isinstance(found, Catalogue):
        _keep(kept, msgspec.json.encode(found))
    return found


def package_folder(interpreter: str) -> Path | Failure:
    """The folder of the `litellm` package that an interpreter imports.

    Virtual environments, also those with the system's packages, and editable installations are supported.
    """
    executable = script_interpreter(Path(interpreter))
    try:
        for library in _libraries(executable):
            for folder in (library / "litellm", *_editable(library)):
                if (folder / "__init__.py").is_file():
                    return folder
    except OSError as error:
        return Denied(f"{error.filename}: {error.strerror}")
    return NotAvailable(f"no litellm package belongs to {executable}")


def package_at(path: str) -> Path | Failure:
    """The folder of the `litellm` package of an environment, an interpreter or script, or a folder that holds it."""
    place = Path(os.path.abspath(os.path.expanduser(path)))
    if not place.is_dir():
        return package_folder(str(place)) if place.exists() else NotAvailable(f"{path}: there is no such file")
    for folder in (place / "litellm", place):
        if (folder / "proxy" / "proxy_server.py").is_file():
            return folder
    found = package_folder(str(place / "bin" / "python"))
    return NotAvailable(f"no litellm package in {path}") if isinstance(found, NotAvailable) else found


def libraries_at(path: str) -> tuple[Path, ...]:
    """The folders of packages of the same; that of the package alone where it is no environment."""
    place = Path(os.path.abspath(os.path.expanduser(path)))
    folders = library_folders(str(place / "bin" / "python" if place.is_dir() else place))
    package = package_at(path)
    if isinstance(package, Path) and package.parent not in folders:
        return (package.parent,)
    return folders


def library_folders(interpreter: str) -> tuple[Path, ...]:
    """The folders of packages that an interpreter, or that of a script, imports from, in its order."""
    try:
        return tuple(_libraries(script_interpreter(Path(interpreter))))
    except OSError:
        return ()


def script_interpreter(executable: Path) -> Path:
    """The interpreter of a script, by its first line; any other program as it is.

    Links are not followed: they lead out of a virtual environment.
    """
    if executable.name.startswith("python"):
        return executable
    try:
        with executable.open("rb") as script:
            first = script.readline(512)
    except OSError:
        return executable
    words = first[2:].decode(errors="replace").split() if first.startswith(b"#!") else []
    return Path(words[0]) if words and Path(words[0]).name.startswith("python") else executable


def _libraries(executable: Path) -> Iterator[Path]:
    """The folders from which an interpreter imports packages, in its order."""
    prefix = executable.parent.parent
    yield from _in(prefix, _LIBRARIES)
    try:
        lines = read_text(prefix / "pyvenv.cfg", errors="replace").splitlines()
    except OSError:
        yield from _in(Path.home() / ".local", _LIBRARIES)
        yield from _in(prefix, _SYSTEM)
        return
    settings = {key.strip().lower(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    if settings.get("include-system-site-packages", "").lower() == "true" and settings.get("home"):
        yield from _in(Path.home() / ".local", _LIBRARIES)
        yield from _in(Path(settings["home"]).parent, (*_LIBRARIES, *_SYSTEM))


def _in(prefix: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(prefix.glob(pattern))


def _editable(library: Path) -> Iterator[Path]:
    """The source folders of editable installations: from path files, or from pip's records."""
    for noted in library.glob("litellm-*.dist-info/direct_url.json"):
        try:
            where = msgspec.json.decode(read_bytes(noted, MEDIUM), type=_Origin)
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
            continue
        if where.dir_info.get("editable") and where.url.startswith("file://"):
            yield Path(unquote(urlsplit(where.url).path)) / "litellm"
    for listed in library.glob("*.pth"):
        try:
            lines = read_text(listed, errors="replace").splitlines()
        except OSError:
            continue
        yield from (library / line / "litellm" for line in lines if line and not re.match(r"import\s|#", line))


class _Origin(msgspec.Struct):
    url: str
    dir_info: dict[str, bool] = {}


def _identity(folder: Path) -> str:
    """A name that changes when LiteLLM is installed again or the reader changes."""
    stamps = [str(FORM), str(folder), reader.version(folder)]
    for path in (*sorted(folder.parent.glob("litellm-*.dist-info/RECORD")), folder / "proxy/proxy_server.py"):
        try:
            stamps.append(str(path.stat().st_mtime_ns))
        except OSError:
            stamps.append("-")
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest()[:24]


def _read_apart(folder: Path, began: Callable[[Reader], None]) -> Catalogue | Failure:
    """Read in a separate process: it keeps a core busy, and the screen must not wait for it."""
    command = [sys.executable, "-P", "-m", "litellm_tui.collectors.litellm_source.reader", str(folder)]
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        return NotAvailable(f"{sys.executable}: {error.strerror}")
    with child, helper(child.pid):
        began(child)
        try:
            written, complaint = child.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            child.kill()
            return Unreachable(f"{folder} was not read within {TIMEOUT:g} s", kind="timeout")
    if child.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines()
        return NotAvailable(lines[-1] if lines else f"{folder} could not be read")
    try:
        return msgspec.json.decode(written, type=Catalogue)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"{folder}: {error}")


def _keep(path: Path, content: bytes) -> None:
    """Write the cache file; one that cannot be written only costs time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(path, content, durable=False)
    except OSError:
        return


def _cache_folder() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("litellm-tui") / "catalogues"
