"""The way back of a transaction: what is kept before it, what is gone back to, and why what failed stays."""

from __future__ import annotations

from litellm_tui.actions.rollback import Restored, missing, rehearse, restore
from litellm_tui.actions.transaction.events import Seen
from litellm_tui.model.failures import Failure
from litellm_tui.storage.backups import Backup, Backups, copy_current
from litellm_tui.target.profile import Profile


class WayBack:
    """Its methods read and write files, and are called in a thread. With `wanted` off, what fails stays."""

    def __init__(self, profile: Profile, backups: Backups, *, wanted: bool) -> None:
        self._profile, self._backups, self._wanted = profile, backups, wanted

    def keep(self, seen: Seen) -> Backup | Failure | None:
        """A set of what is on the disk; None where no configuration is known."""
        profile = self._profile
        self._backups.load()
        if profile.config is None:
            return None
        taken = copy_current(profile.config.value, profile.kept_files)
        if isinstance(taken, Failure):
            return taken
        readiness = seen.snapshot.gateway.readiness.value
        return self._backups.keep(
            taken, "before a restart", litellm_version=(readiness.version or "") if readiness else ""
        )

    def good(self, backup: Backup | None, before: int | None = None) -> Backup | None:
        """What to go back to: the set `before`, else what is to be applied itself, where it has run, else the last that
        did.

        A set with all environment files comes before one that lacks some: of a start that was seen after such a file
        had changed, that file is not kept.
        """
        if before is not None and (known := self._backups.get(before)) is not None:
            return known
        if backup is None:
            return None
        ran = [old for old in reversed(self._backups.records()) if old.good and old.root == backup.root]
        whole = [old for old in ran if old.environment >= backup.environment]
        unchanged = [next((old for old in sets if not old.differs_from(backup)), None) for sets in (whole, ran)]
        last = [next((old for old in sets if old.differs_from(backup)), None) for sets in (whole, ran)]
        return unchanged[0] or last[0] or unchanged[1] or last[1]

    def blocked(self, seen: Seen, backup: Backup | None, good: Backup | None) -> Failure | None:
        """Why what is about to be applied could not be taken back, where that is wanted and something can be lost."""
        service = seen.snapshot.service.value
        runs = service is not None and service.active_state == "active"
        if not runs or not self._wanted or backup is None or good is None:
            return None
        return rehearse(self._backups, backup.id, good.id)

    def why_not(self, backup: Backup | None, good: int | None, *, container: bool = False) -> str | None:
        """Why what has failed is not rolled back to the good one; None when it is.

        With `container` the one that ran before is known, and comes back whatever is known of the files.
        """
        if not self._wanted:
            return "as told, nothing was rolled back"
        if container:
            return None
        if backup is None:
            return "the configuration is not known here, so nothing could be rolled back"
        if good is None:
            return "no configuration is known that ran before, so nothing could be rolled back"
        if missing(self._backups, good) == ():
            there = self._backups.get(good)
            known = {kept.path for kept in there.files} if there else set()
            if unknown := [kept.path for kept in backup.files if kept.path not in known]:
                return f"of {', '.join(unknown)} no version is known that ran before, so nothing could be rolled back"
            return "this configuration has run before, so it is not the cause, and nothing was rolled back"
        return None

    def go(self, good: int) -> Restored | Failure:
        """Put the good configuration on the disk, where it is not there already."""
        if (backup := self._backups.get(good)) is not None and missing(self._backups, good) == ():
            return Restored(backup)
        profile = self._profile
        return restore(
            self._backups,
            good,
            config=profile.config.value if profile.config else None,
            environment_files=profile.kept_files,
            why="rejected",
        )
