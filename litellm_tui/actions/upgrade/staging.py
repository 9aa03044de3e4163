"""The new release in an environment of its own beside the old one: a copy of that, in which LiteLLM is upgraded.

A copy keeps every other package as it is, as far as the new release goes with it. Until it is ready the copy holds a
note that says so: one that somebody was killed at is made anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.actions.upgrade.relocation import rename_within
from litellm_tui.actions.upgrade.tools import Tools, bound, conflicts, install
from litellm_tui.collectors.litellm_source.advisories import shipped_advisories
from litellm_tui.collectors.litellm_source.catalogues import library_folders, script_interpreter
from litellm_tui.collectors.litellm_source.installation import PIPX_RECEIPT, UV_RECEIPT, installation_of
from litellm_tui.collectors.litellm_source.installed_release import release_of
from litellm_tui.host import atomic
from litellm_tui.host.bounded import SMALL, read_bytes, read_text
from litellm_tui.host.command import run
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.installation import Installation
from litellm_tui.model.upgrade import PackageChange
from litellm_tui.monitor.release_choice import same_release

NOTE: Final = ".litellm-tui.json"
_COPY_SECONDS: Final = 900.0


class Note(msgspec.Struct, frozen=True):
    """What stands in an environment that was made here, or kept: whose place it is for, and its release.

    `ready` says that all of it is there; `made_from` is the release that it was copied from, `left_at` when it left
    the place.
    """

    place: str
    version: str
    ready: bool = False
    made_from: str = ""
    made_at: float = 0.0
    left_at: float = 0.0


class Staged(msgspec.Struct, frozen=True):
    """A new environment that is ready, with what differs in it, and what does not go together."""

    path: str
    version: str
    packages: tuple[PackageChange, ...]
    conflicts: tuple[str, ...] = ()
    migrations: tuple[str, ...] = ()

    @property
    def script(self) -> str:
        """Its `litellm`."""
        return os.path.join(self.path, "bin", "litellm")


def place_of(folder: str, version: str) -> str:
    """Where the environment with this release stands beside the one at `folder`."""
    return f"{folder}.litellm-{version}"


def read_note(folder: str | Path) -> Note | None:
    """The note of an environment; None where it has none that can be read."""
    try:
        return msgspec.json.decode(read_bytes(Path(folder, NOTE), SMALL), type=Note)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return None


def write_note(folder: str | Path, note: Note) -> None:
    """Write the note of an environment. Raises OSError."""
    atomic.replace(Path(folder, NOTE), msgspec.json.encode(note), mode=0o644)


def ready(installed: Installation, version: str) -> Staged | None:
    """The environment that was made for this before, where it is whole and what it was made from has not changed."""
    path = place_of(installed.folder, version)
    note = read_note(path)
    if note is None or not note.ready or note.place != installed.folder or note.made_from != stamp(installed):
        return None
    found = installation_of(os.path.join(path, "bin", "python"))
    if isinstance(found, Failure) or not same_release(found.version, version):
        return None
    return _staged(installed, found, path, ())


def stamp_at(path: str) -> str:
    """The stamp of what the environment at `path` was made from."""
    note = read_note(path)
    return note.made_from if note else ""


def arrives(path: str) -> None:
    """Note in an environment that it is about to be put in its place. Raises OSError."""
    if (note := read_note(path)) is not None:
        write_note(path, msgspec.structs.replace(note, left_at=0.0))


def stamp(installed: Installation) -> str:
    """What changes when anything in an environment is installed."""
    return hashlib.sha256(msgspec.json.encode(sorted(installed.packages.items()))).hexdigest()[:24]


async def make(installed: Installation, version: str, tools: Tools) -> Staged | Failure:
    """Make the environment with this release beside the one that is there; what fails leaves nothing behind.

    It takes a minute or more.
    """
    path = place_of(installed.folder, version)
    if (refused := await asyncio.to_thread(cleared, path, installed.folder)) is not None:
        return refused
    try:
        found = await _made(installed, version, tools, path)
    except OSError as error:
        found = atomic.failure_of(f"{error.filename or path} could not be written", error)
    if isinstance(found, Failure):
        await asyncio.to_thread(shutil.rmtree, path, True)
    return found


async def _made(installed: Installation, version: str, tools: Tools, path: str) -> Staged | Failure:
    await asyncio.to_thread(_begun, installed, version, path)
    # the note is not to be overwritten by a note of the one that is copied
    copy = ["cp", "--archive", "--reflink=auto", "--", *_entries(installed.folder), path]
    done = await run(bound(copy), _COPY_SECONDS)
    if isinstance(done, Failure) or done.status:
        why = done.why if isinstance(done, Failure) else done.first_error
        return NotAvailable(f"{installed.folder} could not be copied: {why}")
    before = (installed.path, installed.folder)
    await asyncio.to_thread(rename_within, Path(path), before, path)
    wanted = [f"{installed.requirement}=={version}", *(name for name in installed.beside if name in installed.packages)]
    if (refused := await install(tools, Path(path), wanted)) is not None:
        return NotAvailable(f"{installed.requirement}=={version} could not be installed: {refused.why}")
    against = await conflicts(tools, Path(path))
    return await asyncio.to_thread(_finished, installed, version, path, against)


def _entries(folder: str) -> list[str]:
    return [entry.path for entry in sorted(os.scandir(folder), key=lambda one: one.name) if entry.name != NOTE]


def _begun(installed: Installation, version: str, path: str) -> None:
    os.mkdir(path, 0o755)
    shutil.copystat(installed.folder, path)
    _own(Path(path), installed.folder)
    write_note(path, Note(installed.folder, version, made_from=stamp(installed), made_at=time.time()))


def cleared(path: str, place: str) -> Failure | None:
    """Remove what an earlier try has left; nothing that was made by anybody else."""
    if not os.path.lexists(path):
        return None
    note = read_note(path)
    if note is None:
        # whoever was killed before it was noted has made no more than the folder
        with contextlib.suppress(OSError):
            os.rmdir(path)
            return None
    if note is None or note.place != place:
        return NotAvailable(f"{path} is there, and was not made by litellm-tui: remove it, or rename it")
    try:
        shutil.rmtree(path)
    except OSError as error:
        return atomic.failure_of(f"{path} could not be removed", error)
    return None


def _finished(installed: Installation, version: str, path: str, against: tuple[str, ...]) -> Staged | Failure:
    found = installation_of(os.path.join(path, "bin", "python"))
    if (why := _faults(found, installed, version, path)) or isinstance(found, Failure):
        return NotAvailable(f"what was installed is not right: {why}")
    _receipts(Path(path), installed.version, version)
    _own_all(path, installed.folder)
    note = Note(installed.folder, version, ready=True, made_from=stamp(installed), made_at=time.time())
    write_note(path, note)
    return _staged(installed, found, path, against)


def _faults(found: Installation | Failure, installed: Installation, version: str, path: str) -> str:
    """Why the new environment is not what was wanted, told from its files; empty where it is."""
    if isinstance(found, Failure):
        return found.why
    if not same_release(found.version, version):
        return f"it holds LiteLLM {found.version}"
    script = os.path.join(path, "bin", "litellm")
    if str(script_interpreter(Path(script))) == script or not os.access(script, os.X_OK):
        return f"{script} is no script that can be run"
    if os.path.dirname(os.path.dirname(str(script_interpreter(Path(script))))) != path:
        return f"{script} would start {script_interpreter(Path(script))}"
    lost = [name for name in installed.beside if name in installed.packages and name not in found.packages]
    if lost:
        return f"{', '.join(lost)} is not in it any more"
    planted = release_of(library_folders(os.path.join(path, "bin", "python")), shipped_advisories()).planted
    return f"{planted[0].path} was planted by a compromised release: do not start its Python" if planted else ""


def _staged(installed: Installation, found: Installation, path: str, against: tuple[str, ...]) -> Staged:
    return Staged(
        path, found.version, differences(installed.packages, found.packages), against, _migrations(installed, found)
    )


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[PackageChange, ...]:
    """What has another version, without LiteLLM itself."""
    return tuple(
        PackageChange(name, old.get(name, ""), new.get(name, ""))
        for name in sorted({*old, *new} - {"litellm"})
        if old.get(name, "") != new.get(name, "")
    )


def _migrations(installed: Installation, found: Installation) -> tuple[str, ...]:
    """The migrations of the database's tables that the new release brings."""
    old, new = (_migrations_in(one.library) for one in (installed, found))
    return tuple(sorted(new - old))


def _migrations_in(library: str) -> frozenset[str]:
    # litellm_proxy_extras: one folder for each
    try:
        return frozenset(
            entry.name for entry in os.scandir(os.path.join(library, "litellm_proxy_extras", "migrations"))
            if entry.is_dir() and entry.name[:4].isdigit()
        )  # fmt: skip
    except OSError:
        return frozenset()


def _receipts(root: Path, before: str, after: str) -> None:
    """What uv or pipx has noted of the release, where it names the old one: its next run would go back to that."""
    for name in (UV_RECEIPT, PIPX_RECEIPT):
        if (root / name).is_file():
            text = read_text(root / name, SMALL)
            new = text.replace(f"=={before}", f"=={after}").replace(f'_version": "{before}"', f'_version": "{after}"')
            if new != text:
                atomic.replace(root / name, new.encode(), mode=(root / name).stat().st_mode & 0o7777)


def _own(path: Path, like: str) -> None:
    if os.geteuid() == 0:
        found = os.stat(like)
        os.lchown(path, found.st_uid, found.st_gid)


def _own_all(path: str, like: str) -> None:
    """What root has installed belongs to whoever owns the environment."""
    if os.geteuid() != 0 or os.stat(like).st_uid == 0:
        return
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            if os.lstat(one := Path(folder, name)).st_uid == 0:
                _own(one, like)


def seal(staged: str, installed: Installation) -> Failure | None:
    """Let the new environment say the name of its later place; None when it does. It is on the disk then."""
    try:
        rename_within(Path(staged), (staged,), installed.path)
        found = script_interpreter(Path(staged, "bin", "litellm"))
        if found.parent.parent != Path(installed.path):
            return NotAvailable(f"{staged}/bin/litellm would start {found}, and not what stands in {installed.path}")
        # a machine that dies after the exchange must find what was exchanged
        os.sync()
    except OSError as error:
        return atomic.failure_of(f"{error.filename or staged} could not be written", error)
    return None


def unseal(staged: str, installed: Installation) -> Failure | None:
    """Let an environment that stands aside say its own name again, to be started there."""
    try:
        rename_within(Path(staged), (installed.path, installed.folder), staged)
    except OSError as error:
        return atomic.failure_of(f"{error.filename or staged} could not be written", error)
    return None


def _noted(folder: str) -> list[tuple[str, Note]]:
    """The environments beside this one that have a note of this place."""
    beside, name = os.path.split(folder)
    try:
        paths = [entry.path for entry in os.scandir(beside) if entry.name.startswith(f"{name}.litellm-")]
    except OSError:
        return []
    found = [(path, read_note(path)) for path in sorted(paths)]
    return [(path, note) for path, note in found if note is not None and note.place == folder]


def unfinished(folder: str) -> list[str]:
    """The environments that somebody was interrupted at before they were whole."""
    return [path for path, note in _noted(folder) if not note.ready]


def kept(folder: str) -> list[tuple[str, Note]]:
    """The environments that have left the place at `folder`, the latest first."""
    left = [(path, note) for path, note in _noted(folder) if note.left_at]
    return sorted(left, key=lambda one: one[1].left_at, reverse=True)


def leaves(folder: str, version: str) -> None:
    """Note in the environment that is about to leave its place that it was there, and when. Raises OSError."""
    note = read_note(folder) or Note(folder, version)
    write_note(folder, msgspec.structs.replace(note, place=folder, version=version, ready=True, left_at=time.time()))
