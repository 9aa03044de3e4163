"""The distributions of a folder of packages, by the files of their metadata. Nothing of them is imported or run.

The files: packaging.python.org/specifications/core-metadata, entry-points, direct-url, recording-installed-packages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from litellm_tui.host.bounded import MEDIUM, SMALL, read_bytes, read_text

_REQUIRED: Final = re.compile(
    r"([A-Za-z0-9][\w.-]{0,200})[ \t]{0,20}(?:\[([^\]]{0,500})\])?([^;\n]{0,1000})(?:;([^\n]{0,2000}))?"
)
_EXTRA: Final = re.compile(r"""extra[ \t]{0,20}==[ \t]{0,20}['"]([\w.-]{1,100})['"]""")
# what stands in a marker beside the extra: it may leave the package out on this machine
_CONDITION: Final = re.compile(r"python_|sys_|platform_|os_name|implementation")


class Requirement(NamedTuple):
    """One needed distribution by its normalised name; `extra` is the extra that needs it, `always` says that no other
    condition stands beside that. `wanted` are the extras of it that are needed."""

    name: str
    wanted: tuple[str, ...] = ()
    extra: str = ""
    always: bool = True


class Distribution(NamedTuple):
    """One installed distribution. `scripts` are its programs; `requested` says that somebody asked for it by name;
    `source` is the address that it came from where that is no index."""

    name: str
    version: str
    metadata: Path
    requires: tuple[Requirement, ...] = ()
    extras: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    installer: str = ""
    requested: bool = False
    source: str = ""


def normalised(name: str) -> str:
    """The name of a distribution as names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions(library: Path) -> dict[str, Distribution]:
    """Those of one folder by their normalised names. Raises `OSError` where the folder cannot be read."""
    found = {}
    for folder in sorted(path for path in library.iterdir() if path.name.endswith(".dist-info")):
        one = distribution(folder)
        if one is not None:
            found[one.name] = one
    return found


def distribution(folder: Path) -> Distribution | None:
    """What the folder of metadata tells; None where it names no distribution."""
    head = _read(folder / "METADATA").partition("\n\n")[0]
    fields: dict[str, list[str]] = {}
    for line in head.splitlines():
        name, colon, value = line.partition(":")
        if colon and not line[:1].isspace():
            fields.setdefault(name.lower(), []).append(value.strip())
    names, versions = fields.get("name"), fields.get("version")
    if not names or not versions:
        return None
    return Distribution(
        name=normalised(names[0]),
        version=versions[0],
        metadata=folder,
        requires=tuple(_required(fields.get("requires-dist", ()))),
        extras=tuple(fields.get("provides-extra", ())),
        scripts=tuple(_scripts(_read(folder / "entry_points.txt"))),
        installer=_read(folder / "INSTALLER").strip()[:100],
        requested=(folder / "REQUESTED").exists(),
        source=_source(folder / "direct_url.json"),
    )


def _read(path: Path) -> str:
    try:
        return read_text(path, MEDIUM, errors="replace")
    except OSError:
        return ""


def _required(lines: list[str] | tuple[()]) -> Iterator[Requirement]:
    for line in lines:
        if found := _REQUIRED.match(line):
            marker = found[4] or ""
            extra = _EXTRA.search(marker)
            wanted = tuple(normalised(part.strip()) for part in (found[2] or "").split(",") if part.strip())
            always = _CONDITION.search(marker) is None
            yield Requirement(normalised(found[1]), wanted, extra[1] if extra else "", always)


def _scripts(text: str) -> Iterator[str]:
    section = ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section == "console_scripts" and "=" in line:
            yield line.partition("=")[0].strip()[:200]


class _DirectUrl(msgspec.Struct):
    url: str = ""


def _source(path: Path) -> str:
    try:
        return msgspec.json.decode(read_bytes(path, SMALL), type=_DirectUrl).url
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return ""


def needed_by(name: str, known: Mapping[str, Distribution]) -> frozenset[str]:
    """The names of all that a distribution could need, with any extra and on any machine, and itself."""
    seen: set[str] = set()
    pending = [name]
    while pending:
        one = pending.pop()
        if one not in seen:
            seen.add(one)
            pending += [required.name for required in known[one].requires] if one in known else []
    return frozenset(seen)


def present_extras(one: Distribution, known: Mapping[str, Distribution]) -> tuple[str, ...]:
    """The extras of which every package is there."""
    found = []
    for extra in one.extras:
        wanted = [need for need in one.requires if normalised(need.extra) == normalised(extra)]
        certain = [need.name for need in wanted if need.always] or [need.name for need in wanted]
        if certain and all(need in known for need in certain):
            found.append(extra)
    return tuple(found)
