"""The installed litellm-tui and what it needs as wheels again, for another host that has no index to get them from.

A wheel is made of the files that the record of an installed distribution names (PEP 376, PEP 427). What was compiled
keeps its tags: the installer on the other side refuses what does not fit there.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

import litellm_tui
from litellm_tui.model.failures import Failure, NotAvailable

NAME: Final = "litellm-tui"
_NAME: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,200}) ?(?:\[([^\]]{0,200})\])?")
_EXTRA: Final = re.compile(r"""extra ?== ?['"]([^'"]{1,100})['"]""")
# of the installation, and not of the distribution
_LEFT_OUT: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_PURE: Final = "Wheel-Version: 1.0\nGenerator: litellm-tui\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_SCRIPTS: Final = "[console_scripts]\nlitellm-tui = litellm_tui.cli:main\n"


class Wheel(NamedTuple):
    """A wheel with its file name."""

    name: str
    content: bytes


def python_target() -> str:
    """What compiled code of this Python fits: `cpython-311 linux-x86_64`."""
    return f"{sys.implementation.cache_tag} {sysconfig.get_platform()}"


def own_wheel() -> Wheel | Failure:
    """What runs here, with its themes."""
    try:
        metadata = distribution(NAME).read_text("METADATA")
    except PackageNotFoundError:
        metadata = None
    if not metadata:
        return NotAvailable("this litellm-tui was not installed (pip install .), so no wheel can be made of it")
    package = Path(litellm_tui.__file__).parent
    files = {f"litellm_tui/{path.relative_to(package)}": path for path in _files(package)}
    if not (package / "themes").is_dir():
        beside = package.parent / "themes"
        files |= {f"litellm_tui/themes/{path.relative_to(beside)}": path for path in _files(beside)}
    version = litellm_tui.__version__
    # an editable installation may be of another version than the checkout by now
    metadata = re.sub(r"(?m)^Version: .{1,100}$", f"Version: {version}", metadata, count=1)
    folder = f"litellm_tui-{version}.dist-info"
    made = {name: path.read_bytes() for name, path in sorted(files.items())}
    made |= {
        f"{folder}/METADATA": metadata.encode(),
        f"{folder}/WHEEL": _PURE.encode(),
        f"{folder}/entry_points.txt": _SCRIPTS.encode(),
    }
    return Wheel(f"litellm_tui-{version}-py3-none-any.whl", _packed(made, folder))


def needed_wheels() -> tuple[Wheel, ...] | Failure:
    """Everything that litellm-tui needs, as it is installed here."""
    found = []
    for one in _needed():
        wheel = _wheel_of(one)
        if isinstance(wheel, Failure):
            return wheel
        found.append(wheel)
    return tuple(found)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _needed() -> list[Distribution]:
    """The distributions, each once. What a marker leaves out here is not installed, and not missed."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    pending: list[tuple[str, frozenset[str]]] = [(NAME, frozenset())]
    while pending:
        name, extras = pending.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            one = distribution(name)
        except PackageNotFoundError:
            continue
        if name != NAME:
            found[name] = one
        for line in one.requires or ():
            requirement, _, marker = line.partition(";")
            extra = _EXTRA.search(marker)
            match = _NAME.match(requirement.strip())
            if match is None or (extra is not None and extra[1] not in extras):
                continue
            wanted = frozenset(part.strip() for part in (match[2] or "").split(",") if part.strip())
            pending.append((re.sub(r"[-_.]+", "-", match[1]).lower(), wanted))
    return [found[name] for name in sorted(found)]


def _wheel_of(one: Distribution) -> Wheel | Failure:
    name, version = re.sub(r"[-_.]+", "_", one.metadata["Name"]), one.version
    record, told = one.files, one.read_text("WHEEL")
    if not record or not told:
        return NotAvailable(f"{name} {version} was not installed from a wheel, so none can be made of it")
    tag = next((line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("Tag:")), "")
    made: dict[str, bytes] = {}
    folder = ""
    for file in record:
        place = PurePosixPath(str(file))
        if place.suffix == ".pyc" or ".." in place.parts or place.is_absolute():
            # scripts are made again of the entry points
            continue
        if place.parts[0].endswith(".dist-info"):
            folder = place.parts[0]
            if place.name in _LEFT_OUT:
                continue
        try:
            made[str(place)] = Path(str(file.locate())).read_bytes()
        except OSError as error:
            return NotAvailable(f"{name} {version}: {place}: {error.strerror}")
    if not folder or not tag:
        return NotAvailable(f"{name} {version} was not installed from a wheel, so none can be made of it")
    return Wheel(f"{name}-{version}-{tag}.whl", _packed(made, folder))


def _packed(files: dict[str, bytes], folder: str) -> bytes:
    """A wheel of these files with their record; the same files give the same bytes."""
    lines = []
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(content)}")
            archive.writestr(_entry(name), content)
        lines.append(f"{folder}/RECORD,,")
        archive.writestr(_entry(f"{folder}/RECORD"), "\n".join(lines) + "\n")
    return packed.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
