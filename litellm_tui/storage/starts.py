"""The starts of a gateway: when its process was started, with which configuration, and what came of it.

A start is a set in the store of backups, with all files as they were. A store that cannot be read or written stops
nothing: `failure` says why, and the known starts stay in memory for this run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.analysis.phrases import count
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.file_times import changed_at
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.failures import Failure, Unauthorized
from litellm_tui.model.gateway import Gateway
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.storage.backups import Backup, Backups, FileCopy, FileSet, Role, copy_files, digest_of

# by this time after its start a gateway has loaded all that it is going to load
_SETTLED_SECONDS: Final = 30.0
# begins `Start.run` where the process did not stay up
_DOWN: Final = "down "
_UNSHOWN: Final = "answers; what it has loaded is not shown"
_NOT_KEPT: Final = "the files of this version were not kept"


class Start(msgspec.Struct, frozen=True):
    """A start of the process at `at` (seconds since the epoch) with the version `digest` of the configuration.

    `files` are the root file and its includes. `result` is a sentence. `run` tells one start from another. `good` means
    that the process answered for a while, whoever had started it, and that all deployments were loaded, where it shows
    them.
    """

    at: float
    digest: str
    litellm_version: str
    result: str
    files: tuple[str, ...]
    run: str = ""
    good: bool = False


class StartHistory:
    """The starts of one gateway, by its address and unit; the newest last."""

    def __init__(self, url: str, unit: str, folder: Path | None = None, environment_files: Iterable[str] = ()) -> None:
        """`folder` replaces the user's state folder; the `environment_files` are kept with each start."""
        self._backups = Backups(url, unit, folder)
        self.folder = self._backups.folder
        self._environment_files = tuple(environment_files)
        self.failure = ""
        self.retry = False
        """Whether the last snapshot has a start that could not be recorded yet: give the snapshot again."""
        self._starts: tuple[Start, ...] = ()
        # run and digest of starts that can never be recorded
        self._passed: set[tuple[str, str]] = set()

    def load(self) -> tuple[Start, ...]:
        """Read the starts from the store; none where it cannot be read."""
        found = self._backups.load()
        self.failure = self._backups.failure
        self._starts = _starts(found)
        return self._starts

    def versions(self) -> tuple[Start, ...]:
        """All known starts, the newest last."""
        return self._starts

    def start_of_run(self, run: str) -> Start | None:
        """The start of this run of the process (`run_of`)."""
        return next((start for start in reversed(self._starts) if run and start.run == run), None)

    def record_snapshot(self, snapshot: Snapshot) -> bool:
        """Record the start that the snapshot shows, once its result is known; returns whether one was recorded.

        A process that may have been started before its file was last changed is not recorded. The call blocks: it
        reads files, and a lock may be busy for seconds. Where it fails, `retry` is set.
        """
        self.retry = False
        file, found = snapshot.configuration.current, current_start(snapshot)
        if found is None or file is None or (found.run, found.digest) in self._passed:
            return False
        last = self._starts[-1] if self._starts else None
        known = last.litellm_version or not found.litellm_version if last else False
        same = last and known and (last.run, last.digest) == (found.run, found.digest)
        if last and same and (last.good or (last.result, last.good) == (found.result, found.good)):
            return False
        if last and last.digest == found.digest and found.run.startswith(_DOWN) and not last.run.startswith(_DOWN):
            # the process ran with this file before: the file did not end it
            return False
        taken = self._copied(file, found.at)
        if isinstance(taken, Failure):
            self.failure, self.retry = taken.why, True
            return False
        if taken is None:
            self._passed.add((found.run, found.digest))
            return False
        return self._keep(found, taken)

    def add_start(self, start: Start, content: Mapping[str, bytes]) -> bool:
        """Keep a start and the files that it ran with; a start with the same run and digest is replaced."""
        return self._keep(start, FileSet(tuple(FileCopy(path, "config", content[path]) for path in content)))

    def _keep(self, start: Start, taken: FileSet) -> bool:
        last = next((backup for backup in reversed(self._backups.load()) if _is_start(backup)), None)
        again = last is not None and start.run != "" and (last.run, last.digest) == (start.run, start.digest)
        if again and last is not None:
            taken = self._with_environment(taken, last)
        kept = self._backups.keep(
            taken, "seen failing" if start.run.startswith(_DOWN) else "seen running", at=start.at,
            digest=start.digest, litellm_version=start.litellm_version, result=start.result,
            # a good start stays good: a later failure is not the fault of its file
            good=start.good or (again and last is not None and last.good),
            run=start.run, instead_of=last.id if again and last else 0,
        )  # fmt: skip
        if isinstance(kept, Failure):
            self.failure, self.retry = kept.why, True
            return False
        self._starts, self.failure = _starts(self._backups.records()), ""
        return True

    def _with_environment(self, taken: FileSet, earlier: Backup) -> FileSet:
        """With the environment files that an earlier set of the same run holds, and that have changed since."""
        held = {file.path for file in taken.copies}
        lost = [path for path in earlier.environment if path not in held]
        copies = self._backups.copies(earlier.id) if lost else ()
        if isinstance(copies, Failure):
            return taken
        return FileSet((*taken.copies, *(copy for copy in copies if copy.path in lost)), taken.unread)

    def content(self, digest: str) -> dict[str, bytes] | None:
        """The configuration files of a version by path, the root first; None where they cannot be read."""
        found = next((b for b in reversed(self._backups.records()) if _is_start(b) and b.digest == digest), None)
        if found is None:
            return None
        copies = self._backups.copies(found.id)
        if isinstance(copies, Failure):
            self.failure = copies.why
            return None
        return FileSet(copies).contents

    def as_config(self, digest: str, environment: Mapping[str, str]) -> ConfigFile | ConfigError:
        """A version, parsed with `environment` as it is now."""
        content = self.content(digest)
        if not content:
            return ConfigError(str(self.folder), f"{_NOT_KEPT}: {self.failure}" if self.failure else _NOT_KEPT)
        root = next(iter(content))
        found = config_file.load(root, environment, content)
        if isinstance(found, ConfigFile) and found.digest != digest:
            return ConfigError(root, "its includes lead to other files now: this version cannot be put together again")
        return found

    def _copied(self, file: ConfigFile, since: float) -> FileSet | Failure | None:
        """The files on disk, None when they differ from `file`; environment files only where older than `since`."""
        environment = [path for path in self._environment_files if changed_at([path]) <= since]
        wanted: list[tuple[str, Role]] = [(path, "config") for path in file.files]
        taken = copy_files([*wanted, *((path, "environment") for path in environment)], patience=0.0)
        if isinstance(taken, Failure):
            return taken
        return taken if digest_of(taken.copies) == file.digest else None


def _starts(backups: Iterable[Backup]) -> tuple[Start, ...]:
    return tuple(
        Start(b.at, b.digest, b.litellm_version, b.result, b.configuration, b.run, b.good)
        for b in backups
        if _is_start(b)
    )


def _is_start(backup: Backup) -> bool:
    return backup.why in ("seen running", "seen failing")


def current_start(snapshot: Snapshot) -> Start | None:
    """The start of the process that runs now, or of one that has failed; None while its result is not known."""
    service, gateway, file = snapshot.service.value, snapshot.gateway, snapshot.configuration.current
    if service is None or file is None or snapshot.service.failure is not None:
        return None
    version = gateway.readiness.value.version or "" if gateway.readiness.value else ""
    if service.active_state == "failed" or service.sub_state == "auto-restart":
        if not service.changed_at or file.modified_at > service.changed_at:
            return None
        result = f"did not stay up: {service.result} ({service.exit_code or 'exited'} {service.exit_status})"
        return Start(service.changed_at, file.digest, version, result, file.files, _DOWN + file.digest)
    began = service.started_at
    if began is None and service.active_state == "active":
        # it was seen not to run, so it has read the file that was there by then, unless that has changed since
        began = service.started_after
    if began is None or file.modified_at > began:
        return None
    settled = snapshot.taken_at - began >= _SETTLED_SECONDS
    result = _loaded(gateway, began, len(file.deployments), settled)
    if not result or not (version or settled):
        return None
    # a process that has just loaded everything may still fail; where no key is right that would show it, its answers
    # count, and not where it fails to show it
    whole = result == _loaded_of(len(file.deployments), len(file.deployments))
    looked = (
        gateway.deployments.seen_at
        if whole
        else gateway.liveliness.seen_at
        if _closed(gateway) and result == _UNSHOWN
        else None
    )
    good = (looked or 0.0) - began >= _SETTLED_SECONDS
    run = run_of(service) or f"after {round(began)}"
    return Start(began, file.digest, version, result, file.files, run, good)


def run_of(service: Service | None) -> str:
    """A text that tells one run of the process from another; empty when none runs."""
    if service is None or service.started_at is None:
        return ""
    return f"{service.invocation} {service.main_pid} {round(service.started_at)}"


def _loaded(gateway: Gateway, since: float, wanted: int, settled: bool) -> str:
    """A sentence on how much of the file this process has loaded; empty while that may still change."""
    seen, loaded = gateway.deployments.seen_at, gateway.deployments.value
    answers = gateway.liveliness.value is not None and gateway.liveliness.failure is None
    if seen is None or loaded is None or seen < since:
        return _UNSHOWN if settled and answers and (gateway.deployments.failure or _closed(gateway)) else ""
    # the gateway also lists deployments from its database
    own = min(sum(not deployment.from_db for deployment in loaded), wanted)
    return _loaded_of(own, wanted) if own == wanted or settled else ""


def _closed(gateway: Gateway) -> bool:
    """Whether it refuses the key: it answers, and shows nothing."""
    return any(isinstance(reading.failure, Unauthorized) for reading in (gateway.groups, gateway.deployments))


def _loaded_of(own: int, wanted: int) -> str:
    return f"loaded {own} of {count(wanted, 'deployment')}"
