"""Going back to a set that was kept: all of its files, or none."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from litellm_tui.actions.in_place import recover
from litellm_tui.actions.rewrite import Staged, stage
from litellm_tui.model.failures import Failure
from litellm_tui.storage.backups import Backup, Backups, FileCopy, FileSet, Why, copy_current, copy_files, digest_of
from litellm_tui.storage.backups.rollback_preview import digests_on_disk
from litellm_tui.target.profile import Profile


class Restored(msgspec.Struct, frozen=True, tag=True):
    """The disk holds `backup` now. `before` is what was there, None when nothing was or nothing had to be written.
    `written` are the files that were, `how` one line about each.
    """

    backup: Backup
    before: Backup | None = None
    written: tuple[str, ...] = ()
    how: tuple[str, ...] = ()


class Torn(Failure, frozen=True, tag=True):
    """The disk holds files of two sets: neither going back nor forth was possible. The text says what to copy where."""


def go_back(profile: Profile, backups: Backups, id: int, litellm_version: str = "") -> Restored | Failure:
    """`restore` as an operator orders it: not while a restart is under way, nor while one waits to be ended."""
    # only now: a transaction is made of this module
    from litellm_tui.actions.transaction.record import Record, RestartLock, under_way

    lock = RestartLock.of(profile, backups.state)
    busy = lock.take()
    if busy is not None:
        why = busy.why if isinstance(busy, Failure) else under_way(busy)
        return Failure(f"nothing was changed: {why}")
    try:
        if isinstance(begun := lock.unfinished(), Record):
            return Failure(
                f"nothing was changed: a restart that {begun.holder} began was not ended; "
                "`litellm-tui restart` finishes or undoes it"
            )
        config = profile.config.value if profile.config else None
        files = profile.kept_files
        found = tuple(found.text for found in recover(backups.folder))
        done = restore(backups, id, config=config, environment_files=files, litellm_version=litellm_version)
        return done if isinstance(done, Failure) else msgspec.structs.replace(done, how=(*found, *done.how))
    finally:
        lock.release()


def restore(
    backups: Backups,
    id: int,
    *,
    config: str | None = None,
    environment_files: Sequence[str] = (),
    why: Why = "before a rollback",
    litellm_version: str = "",
) -> Restored | Failure:
    """Bring the files of a set back, after a backup of what is there now: of them, and of the present configuration.

    Everything that can forbid it is tried first. Where a file cannot be written after all, those that were are put
    back. After a `Failure` the disk holds what it held, unless it is `Torn`.
    """
    backup, wanted = backups.get(id), backups.copies(id)
    if isinstance(wanted, Failure) or backup is None:
        return wanted if isinstance(wanted, Failure) else Failure(f"there is no backup {id}")
    present = _present(wanted, config, environment_files)
    if isinstance(present, Failure):
        return Failure(f"nothing was changed: {present.why}")
    now = {held.path: held for held in present.taken.copies}
    if unread := [held.path for held in wanted if held.path not in now]:
        return Failure(f"nothing was changed: {', '.join(unread)} cannot be read; run as the user who owns it")
    # the file that names the others comes last: until then what it names is as it was
    differing = [held for held in reversed(wanted) if now[held.path].content != held.content]
    if not differing:
        return Restored(backup)
    before: Backup | Failure | None = None
    if any(held.content is not None for held in now.values()):
        before = backups.keep(present.taken, why, digest=present.digest, litellm_version=litellm_version, sparing=(id,))
    if isinstance(before, Failure):
        return Failure(f"nothing was changed: {before.why}")
    staged = _staged(backups, before, now, differing)
    if isinstance(staged, Failure):
        return Failure(f"nothing was changed: {staged.why}")
    how: list[str] = []
    try:
        for number, step in enumerate(staged):
            outcome = step.commit()
            if isinstance(outcome, Failure):
                return _put_back(backups, backup, before, now, differing[:number], outcome)
            how.append(f"{outcome.path}: {outcome.how}")
    finally:
        for step in staged:
            step.discard()
    return Restored(backup, before, tuple(held.path for held in differing), tuple(how))


def rehearse(backups: Backups, present: int, id: int) -> Failure | None:
    """Try whether this set could be brought back, where the disk holds the set `present`: rights, owners, room.

    Changes nothing that anybody reads.
    """
    before, wanted = backups.get(present), backups.copies(id)
    if isinstance(wanted, Failure) or before is None:
        return wanted if isinstance(wanted, Failure) else Failure(f"there is no backup {present}")
    taken = copy_files([(held.path, held.role) for held in wanted])
    if isinstance(taken, Failure):
        return taken
    now = {held.path: held for held in taken.copies}
    differing = [held for held in wanted if held.path in now and now[held.path].content != held.content]
    staged = _staged(backups, before, now, differing)
    if isinstance(staged, Failure):
        return staged
    for step in staged:
        step.discard()
    return None


def missing(backups: Backups, id: int) -> tuple[str, ...] | Failure:
    """The files that are not as they are in the set: empty when the disk holds it."""
    backup = backups.get(id)
    if backup is None:
        return Failure(f"there is no backup {id}")
    return backup.differing(digests_on_disk(kept.path for kept in backup.files))


class _Present(msgspec.Struct, frozen=True):
    taken: FileSet
    digest: str


def _present(wanted: Sequence[FileCopy], config: str | None, environment_files: Sequence[str]) -> _Present | Failure:
    """The configuration as it is now, and the files of the set that do not belong to it."""
    found = copy_current(config, environment_files) if config else FileSet(())
    if isinstance(found, Failure):
        return found
    mine = [(held.path, held.role) for held in found.copies]
    more = [(held.path, held.role) for held in wanted]
    taken = copy_files([*mine, *more])
    if isinstance(taken, Failure):
        return taken
    paths = {path for path, _ in mine}
    return _Present(taken, digest_of(held for held in taken.copies if not mine or held.path in paths))


def _staged(
    backups: Backups, before: Backup | None, now: dict[str, FileCopy], differing: Sequence[FileCopy]
) -> list[Staged] | Failure:
    staged: list[Staged] = []
    for held in differing:
        step = _step(backups, before, now[held.path], held)
        if isinstance(step, Failure):
            for other in staged:
                other.discard()
            return step
        staged.append(step)
    return staged


def _step(backups: Backups, before: Backup | None, now: FileCopy, then: FileCopy) -> Staged | Failure:
    copy = backups.copy(before, now.path) if before else None
    return stage(then.path, now.content, then.content, copy, then.mode, then.owner)


def _put_back(
    backups: Backups,
    after: Backup,
    before: Backup | None,
    now: dict[str, FileCopy],
    done: Sequence[FileCopy],
    failure: Failure,
) -> Failure:
    """Undo what was written, the last first."""
    left = []
    for held in reversed(done):
        step = _step(backups, after, held, now[held.path])
        outcome = step if isinstance(step, Failure) else step.commit()
        if isinstance(outcome, Failure):
            copy = backups.copy(before, held.path) if before else None
            left.append(f"{outcome.why}; {f'copy {copy} to {held.path}' if copy else f'remove {held.path}'}")
    if left:
        return Torn(f"{failure.why}; and what was written could not be put back: {'; '.join(left)}")
    return Failure(f"nothing was changed in the end: {failure.why}")
