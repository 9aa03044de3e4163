"""The store: sets of files in a folder of the user's state, each file a plain copy that `cp` brings back.

The folder holds `NAME.backup.EPOCH` files and `index.json`, which says what belongs together. A content that is there
under this name already is not stored again. All of it, secrets included, is readable by its owner alone.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.host.atomic import create, failed, replace, settle
from litellm_tui.host.bounded import read_bytes
from litellm_tui.model.failures import Failure
from litellm_tui.storage.backups import index
from litellm_tui.storage.backups.records import Backup, Held, Kept, Role, Taken, Why, digest_of, sha256_of
from litellm_tui.storage.backups.taking import MOST_BYTES, take
from litellm_tui.storage.identity import gateway_label, gateway_name
from litellm_tui.storage.state import state_folder

NOTHING_KEPT: Final = "nothing is kept yet: it is done before a fix, a restart and a rollback, and when a start is seen"


class Backups:
    """What is kept of one gateway, by its address and unit. Safe for several consoles and threads at once."""

    def __init__(self, url: str, unit: str, folder: Path | None = None) -> None:
        """`folder` takes the place of the user's state folder."""
        self.gateway = gateway_label(url, unit)
        self.state = folder or state_folder()
        self.folder = self.state / "backups" / gateway_name(url, unit)
        self.failure = ""
        self._records: tuple[Backup, ...] = ()

    # --- looking ---------------------------------------------------------------------------------------------------

    def load(self) -> tuple[Backup, ...]:
        """Read the index anew. Where it cannot be read, `failure` says why and there are no records."""
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
        """The newest set that was proved, or seen running with all its deployments.

        Not one that has the same contents as `other_than`, nor one of another configuration file than `root`.
        """
        for backup in reversed(self._records):
            mine = backup.good and (not root or backup.root == root)
            if mine and (other_than is None or backup.differs_from(other_than)):
                return backup
        return None

    def copy(self, backup: Backup, path: str) -> Path | None:
        """The stored file that holds what this path had in the set."""
        name = next((kept.name for kept in backup.files if kept.path == path and kept.name), "")
        # the index is a file that somebody may have edited
        return self.folder / os.path.basename(name) if name else None

    def held(self, id: int) -> tuple[Held, ...] | Failure:
        """The files of a set with their contents, each checked against what was kept."""
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
            found.append(Held(kept.path, kept.role, content, kept.mode, kept.owner))
        return tuple(found)

    def content(self, id: int) -> dict[str, bytes] | Failure:
        """The contents of a set by their paths, the configuration's root first."""
        held = self.held(id)
        return held if isinstance(held, Failure) else {h.path: h.content for h in held if h.content is not None}

    # --- changing --------------------------------------------------------------------------------------------------

    def make(
        self, files: Taken | Iterable[tuple[str, Role]], why: Why, *, litellm_version: str = "", result: str = ""
    ) -> Backup | Failure:
        """Keep these files as they are on the disk at this moment, or as they were `Taken`."""
        taken = files if isinstance(files, Taken) else take(files)
        if isinstance(taken, Failure):
            return taken
        return self.keep(taken, why, litellm_version=litellm_version, result=result)

    def keep(
        self,
        taken: Taken,
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
        """Keep these contents as a set, of this moment unless `at` is given; it may take the place of another one.

        To make room for it, the sets in `sparing` are not forgotten.
        """
        if not any(held.content is not None for held in taken.held):
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
                files = tuple(self._stored(held, id, known, made) for held in taken.held)
                backup = Backup(
                    id=id, at=now if at is None else at, why=why, digest=digest or digest_of(taken.held), files=files,
                    litellm_version=litellm_version, result=result, good=good, run=run,
                    unread=tuple(path for path, _ in taken.unread),
                )  # fmt: skip
                settle(self.folder)
                self._write(before, [*(old for old in before if old.id != instead_of), backup], (id, *sparing))
        except (OSError, UnicodeError) as error:
            self._abandon(made)
            return failed(f"no backup could be made in {self.folder}", error)
        return backup

    def _abandon(self, made: Iterable[Path]) -> None:
        """Delete what was stored for a set that did not come about, and that no index names after all."""
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
        """Note what came of a set, and whether it proved good; the rest stays as it is."""
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
            return failed(f"{self.folder}: what came of a backup could not be noted", error)
        return None

    def _stored(self, held: Held, id: int, known: dict[tuple[str, str], str], made: list[Path]) -> Kept:
        """The file that holds this content: one that is there already, or a new one."""
        sha256, name, shown = sha256_of(held.content), "", os.path.basename(held.path)
        if held.content is not None:
            name = os.path.basename(known.get((shown, sha256), ""))
            if not name:
                name = self._create(shown[:200], id, held.content)
                made.append(self.folder / name)
                known[shown, sha256] = name
            elif not _holds(self.folder / name, held.content):
                # somebody deleted or edited it: what is known to be its content stands here again
                replace(self.folder / name, held.content)
        return Kept(held.path, held.role, name, sha256, held.mode, held.owner)

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
        # what no record names any more goes; what was never named, only when nobody can miss it
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
