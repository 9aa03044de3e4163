"""The store of backups: sets of files in the user's state folder, each file a plain copy that `cp` brings back.

The folder holds `NAME.backup.EPOCH` files and `index.json`, which lists the files of each set. A content that the
folder already holds under its name is not stored again. Only the owner can read the folder, secrets included.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.host.atomic import create, failure_of, replace, sync_folder
from litellm_tui.host.bounded import read_bytes
from litellm_tui.model.failures import Failure
from litellm_tui.model.history import Event
from litellm_tui.storage.backups import index
from litellm_tui.storage.backups.backup import Backup, FileCopy, FileSet, Role, StoredFile, Why, digest_of, sha256_of
from litellm_tui.storage.backups.copying import MOST_BYTES, copy_files
from litellm_tui.storage.history import notes
from litellm_tui.storage.history.paths import FILE
from litellm_tui.storage.identity import gateway_label, gateway_name
from litellm_tui.storage.state import state_folder

NOTHING_KEPT: Final = "nothing is kept yet: it is done before a fix, a restart and a rollback, and when a start is seen"


class Backups:
    """The backups of one gateway, by its address and unit. Safe for several consoles and threads at once."""

    def __init__(self, url: str, unit: str, folder: Path | None = None) -> None:
        """`folder` takes the place of the user's state folder."""
        self.gateway = gateway_label(url, unit)
        self.state = folder or state_folder()
        self.folder = self.state / "backups" / gateway_name(url, unit)
        self.failure = ""
        self._records: tuple[Backup, ...] = ()

    # --- reading ---------------------------------------------------------------------------------------------------

    def load(self) -> tuple[Backup, ...]:
        """Read the index. Where it cannot be read, `failure` says why and there are no records."""
        found = index.read(self.folder)
        if isinstance(found, Failure):
            self.failure, self._records = found.why, ()
        else:
            self.failure, self._records = "", found
        return self._records

    def records(self) -> tuple[Backup, ...]:
        """The sets that `load` or the last change found, the newest last."""
        return self._records

    def get(self, id: int) -> Backup | None:
        """The set with this number."""
        return next((backup for backup in self._records if backup.id == id), None)

    def known_good(self, other_than: Backup | None = None, root: str = "") -> Backup | None:
        """The newest good set; its contents differ from `other_than`, and its configuration file is `root`."""
        for backup in reversed(self._records):
            mine = backup.good and (not root or backup.root == root)
            if mine and (other_than is None or backup.differs_from(other_than)):
                return backup
        return None

    def copy(self, backup: Backup, path: str) -> Path | None:
        """The stored file with the content of this path in the set; None where the set has none."""
        name = next((file.name for file in backup.files if file.path == path and file.name), "")
        # the index may have been edited: a name never leads out of the folder
        return self.folder / os.path.basename(name) if name else None

    def copies(self, id: int) -> tuple[FileCopy, ...] | Failure:
        """The files of a set with their contents, each checked against its SHA-256."""
        backup = self.get(id)
        if backup is None:
            return Failure(
                self.failure or f"there is no backup {id}: `litellm-tui rollback --list` shows what there is"
            )
        found = []
        for kept in backup.files:
            content = None
            if (copy := self.copy(backup, kept.path)) is not None:
                try:
                    content = read_bytes(copy, MOST_BYTES)
                except OSError as error:
                    return Failure(f"the copy of {kept.path} cannot be read, {copy}: {error.strerror}")
                if sha256_of(content) != kept.sha256:
                    return Failure(f"the copy of {kept.path} is damaged, {copy}: it is not what was kept")
            found.append(FileCopy(kept.path, kept.role, content, kept.mode, kept.owner))
        return tuple(found)

    def content(self, id: int) -> dict[str, bytes] | Failure:
        """The contents of a set by their paths, the configuration's root first."""
        copies = self.copies(id)
        if isinstance(copies, Failure):
            return copies
        return {file.path: file.content for file in copies if file.content is not None}

    # --- writing ---------------------------------------------------------------------------------------------------

    def make(
        self, files: FileSet | Iterable[tuple[str, Role]], why: Why, *, litellm_version: str = "", result: str = ""
    ) -> Backup | Failure:
        """Keep these files as they are on the disk now, or as a `FileSet` that was copied before."""
        taken = files if isinstance(files, FileSet) else copy_files(files)
        if isinstance(taken, Failure):
            return taken
        return self.keep(taken, why, litellm_version=litellm_version, result=result)

    def keep(
        self,
        taken: FileSet,
        why: Why,
        *,
        at: float | None = None,
        digest: str = "",
        litellm_version: str = "",
        result: str = "",
        good: bool = False,
        run: str = "",
        instead_of: int = 0,
        sparing: tuple[int, ...] = (),
    ) -> Backup | Failure:
        """Keep these contents as a set; `at` is now unless given. `instead_of` is the number of a set it replaces.

        The limits of the store never remove the sets in `sparing`.
        """
        if not any(file.content is not None for file in taken.copies):
            return Failure("nothing can be kept: none of the files is there")
        now = time.time()
        made: list[Path] = []
        try:
            with index.changing(self.folder) as before:
                if isinstance(before, Failure):
                    return before
                id = instead_of or max((int(now), *(backup.id + 1 for backup in before)))
                known = {
                    (os.path.basename(kept.path), kept.sha256): kept.name for backup in before for kept in backup.files
                }
                files = tuple(self._store(file, id, known, made) for file in taken.copies)
                backup = Backup(
                    id=id, at=now if at is None else at, why=why, digest=digest or digest_of(taken.copies), files=files,
                    litellm_version=litellm_version, result=result, good=good, run=run,
                    unread=tuple(path for path, _ in taken.unread),
                )  # fmt: skip
                sync_folder(self.folder)
                self._write(before, [*(old for old in before if old.id != instead_of), backup], (id, *sparing))
        except (OSError, UnicodeError) as error:
            self._abandon(made)
            return failure_of(f"no backup could be made in {self.folder}", error)
        if why not in ("seen running", "seen failing"):
            self._note(backup)
        return backup

    def _note(self, backup: Backup) -> None:
        """Leave word of it for the record of this gateway, where there is one."""
        words = f"backup {backup.id} was kept: {backup.why}"
        event = Event(0, backup.at, "backup", f"backup {backup.id}", backup.root, "quiet", words)
        # what was kept is kept, whether the record can tell of it or not
        notes.note(self.state / "history" / self.folder.name / FILE, event)

    def _abandon(self, made: Iterable[Path]) -> None:
        """Delete the stored files of a set that could not be kept, except those that the index names."""
        found = index.read(self.folder)
        if isinstance(found, Failure):
            return
        named = {kept.name for backup in found for kept in backup.files}
        for path in made:
            if path.name not in named:
                with contextlib.suppress(OSError):
                    path.unlink()

    def note(
        self, id: int, result: str, *, good: bool | None = None, why: Why | None = None, litellm_version: str = ""
    ) -> Failure | None:
        """Note what came of a set, and whether it proved good; everything else of it stays."""
        try:
            with index.changing(self.folder) as before:
                if isinstance(before, Failure):
                    return before
                found = next((backup for backup in before if backup.id == id), None)
                if found is None:
                    return Failure(f"there is no backup {id} any more, so what came of it was not noted: {result}")
                noted = msgspec.structs.replace(
                    found, result=result, good=found.good if good is None else good, why=why or found.why,
                    litellm_version=litellm_version or found.litellm_version,
                )  # fmt: skip
                self._write(before, [noted if backup.id == id else backup for backup in before], (id,))
        except (OSError, UnicodeError) as error:
            return failure_of(f"{self.folder}: what came of a backup could not be noted", error)
        return None

    def _store(self, file: FileCopy, id: int, known: dict[tuple[str, str], str], made: list[Path]) -> StoredFile:
        """Store this content, unless the folder already holds it under the same name."""
        sha256, name, shown = sha256_of(file.content), "", os.path.basename(file.path)
        if file.content is not None:
            name = os.path.basename(known.get((shown, sha256), ""))
            if not name:
                name = self._create(shown[:200], id, file.content)
                made.append(self.folder / name)
                known[shown, sha256] = name
            elif not _holds(self.folder / name, file.content):
                # the stored file was deleted or edited: its known content is written again
                replace(self.folder / name, file.content)
        return StoredFile(file.path, file.role, name, sha256, file.mode, file.owner)

    def _create(self, name: str, id: int, content: bytes) -> str:
        number = 1
        while True:
            stored = f"{name}.backup.{id}" + (f".{number}" if number > 1 else "")
            try:
                create(self.folder / stored, content)
            except FileExistsError:
                number += 1
            else:
                return stored

    def _write(self, before: Iterable[Backup], after: Iterable[Backup], spared: tuple[int, ...]) -> None:
        now = time.time()
        kept = index.bounded(after, spared, now)
        index.write(self.folder, self.gateway, kept)
        self._records, self.failure = kept, ""
        # files that a dropped record named go at once; files that no record names only when they are old enough
        used = {file.name for backup in kept for file in backup.files}
        dropped = {file.name for backup in before for file in backup.files} - used
        with contextlib.suppress(OSError):
            for entry in list(os.scandir(self.folder)):
                old = now - entry.stat(follow_symlinks=False).st_mtime > index.OLDEST_SECONDS
                if entry.name in dropped or (old and entry.name not in used | {index.INDEX, index.LOCK}):
                    os.unlink(entry.path)


def _holds(path: Path, content: bytes) -> bool:
    try:
        return read_bytes(path, MOST_BYTES) == content
    except OSError:
        return False
