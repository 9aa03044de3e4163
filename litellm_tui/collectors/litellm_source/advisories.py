"""Reads advisories: the shipped table, and a newer one as OSV exports it. Every function blocks."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from litellm_tui.audit.advisories import osv
from litellm_tui.host.bounded import read_bytes
from litellm_tui.model.failures import Denied, Failure, Malformed, NotAvailable
from litellm_tui.model.release import Advisory

# what OSV exports of all of PyPI is 60 MB in 20,000 records
_MOST_FILES: Final = 200_000
_MOST_BYTES: Final = 1 << 30
_LARGEST: Final = 16 << 20


@cache
def shipped_advisories() -> tuple[Advisory, ...]:
    """The table of this version of the program."""
    content = resources.files("litellm_tui.audit.advisories").joinpath("advisories.json").read_bytes()
    return osv.merge(osv.decode(content), ())


def read_advisories(path: Path) -> tuple[Advisory, ...] | Failure:
    """The shipped table with a newer one: a JSON file, a folder of such files, or a zip of them.

    One without a record about LiteLLM is a `Failure`, and so is one that is no OSV.
    """
    found: list[Advisory] = []
    try:
        for name, content in _documents(path):
            # most records of an export are about other packages
            if osv.PACKAGE in content:
                try:
                    found += osv.decode(content)
                except ValueError as error:
                    return Malformed(f"{name}: {error}")
    except PermissionError as error:
        return Denied(f"{error.filename or path}: {error.strerror}")
    except OSError as error:
        return NotAvailable(f"{error.filename or path}: {error.strerror or error}")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        return Malformed(f"{path}: {error}")
    if not found:
        return Malformed(f"{path}: no record about litellm in it")
    return osv.merge(shipped_advisories(), found)


def _documents(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for number, file in enumerate(sorted(path.rglob("*.json"))):
            if number >= _MOST_FILES:
                return
            yield str(file), read_bytes(file, _LARGEST)
    elif zipfile.is_zipfile(path):
        yield from _unpacked(path)
    else:
        yield str(path), read_bytes(path, _MOST_BYTES >> 4)


def _unpacked(path: Path) -> Iterator[tuple[str, bytes]]:
    total = 0
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist()[:_MOST_FILES]:
            if not member.filename.endswith(".json") or member.file_size > _LARGEST:
                continue
            total += member.file_size
            if total > _MOST_BYTES:
                raise zipfile.BadZipFile(f"more than {_MOST_BYTES >> 20} MB in it")
            with archive.open(member) as content:
                # what the archive says of a size may be false
                yield f"{path}/{member.filename}", content.read(_LARGEST)
