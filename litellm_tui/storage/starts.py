"""The configurations that a gateway was started with: when, which, and what came of it.

They are sets of the store of backups: all files as they were. What cannot be read or written is no reason to stop:
`failure` says why, and what is known stays known for this run.
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
from litellm_tui.model.failures import Failure
from litellm_tui.model.gateway import Gateway
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.storage.backups import Backup, Backups, Held, Role, Taken, digest_of, take

# what the gateway lists this long after a start is what it loaded
_SETTLED_SECONDS: Final = 30.0
# how the run of a process begins that is not there
_DOWN: Final = "down "
_NOT_KEPT: Final = "the files of this version were not kept"


class Applied(msgspec.Struct, frozen=True):
    """A start of the process at `at` (seconds since the epoch) with the version `digest` of the configuration.

    `files` are the root file and its includes. `result` is in words. `run` tells one start from another. `good` says
    that all deployments were loaded and that it ran for a while.
    """

    at: float
    digest: str
    litellm_version: str
    result: str
    files: tuple[str, ...]
    run: str = ""
    good: bool = False


class History:
    """What one gateway, by its address and unit, was started with; the newest last."""

    def __init__(self, url: str, unit: str, folder: Path | None = None, environment_files: Iterable[str] = ()) -> None:
        """`folder` takes the place of the user's state folder; the `environment_files` are kept as well."""
        self._backups = Backups(url, unit, folder)
        self.folder = self._backups.folder
        self._environment_files = tuple(environment_files)
        self.failure = ""
        self.again = False
        """Whether what was seen last could not be noted now, and is to be shown again."""
        self._applied: tuple[Applied, ...] = ()
        # what was looked into already, and cannot be kept
        self._passed: set[tuple[str, str]] = set()

    def load(self) -> tuple[Applied, ...]:
        """What was kept, or nothing."""
        found = self._backups.load()
        self.failure = self._backups.failure
        self._applied = _starts(found)
        return self._applied

    def versions(self) -> tuple[Applied, ...]:
        """Every start that is known, the newest last."""
        return self._applied

    def at_start_of(self, run: str) -> Applied | None:
        """The start that is this run."""
        return next((applied for applied in reversed(self._applied) if run and applied.run == run), None)

    def see(self, snapshot: Snapshot) -> bool:
        """Note the start that the snapshot shows, once it is known what came of it; whether anything was noted.

        Nothing is noted of a process that may have been started before its file was last changed. It blocks: files are
        read, and a lock may be busy for seconds. What fails now is `again` to be seen.
        """
        self.again = False
        file, found = snapshot.configuration.current, started(snapshot)
        if found is None or file is None or (found.run, found.digest) in self._passed:
            return False
        last = self._applied[-1] if self._applied else None
        known = last.litellm_version or not found.litellm_version if last else False
        same = last and known and (last.run, last.digest) == (found.run, found.digest)
        if last and same and (last.good or (last.result, last.good) == (found.result, found.good)):
            return False
        if last and last.digest == found.digest and found.run.startswith(_DOWN) and not last.run.startswith(_DOWN):
            # it ran with this file: what has ended it now is not the file
            return False
        taken = self._taken(file, found.at)
        if isinstance(taken, Failure):
            self.failure, self.again = taken.why, True
            return False
        if taken is None:
            self._passed.add((found.run, found.digest))
            return False
        return self._keep(found, taken)

    def note(self, applied: Applied, content: Mapping[str, bytes]) -> bool:
        """Keep this start and the files that it ran with; the same start again replaces what was noted of it."""
        return self._keep(applied, Taken(tuple(Held(path, "config", content[path]) for path in content)))

    def _keep(self, applied: Applied, taken: Taken) -> bool:
        last = next((backup for backup in reversed(self._backups.load()) if _is_start(backup)), None)
        again = last is not None and applied.run != "" and (last.run, last.digest) == (applied.run, applied.digest)
        kept = self._backups.keep(
            taken, "seen failing" if applied.run.startswith(_DOWN) else "seen running", at=applied.at,
            digest=applied.digest, litellm_version=applied.litellm_version, result=applied.result,
            # what it lost later, after it had proved good, is not the fault of its file
            good=applied.good or (again and last is not None and last.good),
            run=applied.run, instead_of=last.id if again and last else 0,
        )  # fmt: skip
        if isinstance(kept, Failure):
            self.failure, self.again = kept.why, True
            return False
        self._applied, self.failure = _starts(self._backups.records()), ""
        return True

    def content(self, digest: str) -> dict[str, bytes] | None:
        """The configuration of a version by paths, the root first; None when it is not there or not to be read."""
        found = next((b for b in reversed(self._backups.records()) if _is_start(b) and b.digest == digest), None)
        if found is None:
            return None
        held = self._backups.held(found.id)
        if isinstance(held, Failure):
            self.failure = held.why
            return None
        return Taken(held).contents

    def as_config(self, digest: str, environment: Mapping[str, str]) -> ConfigFile | ConfigError:
        """A version parsed, with `environment` as it is now."""
        content = self.content(digest)
        if not content:
            return ConfigError(str(self.folder), f"{_NOT_KEPT}: {self.failure}" if self.failure else _NOT_KEPT)
        root = next(iter(content))
        found = config_file.load(root, environment, content)
        if isinstance(found, ConfigFile) and found.digest != digest:
            return ConfigError(root, "its includes lead to other files now: this version cannot be put together again")
        return found

    def _taken(self, file: ConfigFile, since: float) -> Taken | Failure | None:
        """The files on disk, when they still are what was read; the environment, as far as it is what was started."""
        environment = [path for path in self._environment_files if changed_at([path]) <= since]
        wanted: list[tuple[str, Role]] = [(path, "config") for path in file.files]
        taken = take([*wanted, *((path, "environment") for path in environment)], patience=0.0)
        if isinstance(taken, Failure):
            return taken
        return taken if digest_of(taken.held) == file.digest else None


def _starts(backups: Iterable[Backup]) -> tuple[Applied, ...]:
    return tuple(
        Applied(b.at, b.digest, b.litellm_version, b.result, b.configuration, b.run, b.good)
        for b in backups
        if _is_start(b)
    )


def _is_start(backup: Backup) -> bool:
    return backup.why in ("seen running", "seen failing")


def started(snapshot: Snapshot) -> Applied | None:
    """The start of the process that runs now, or of one that has failed, with what came of it, once that is known."""
    service, gateway, file = snapshot.service.value, snapshot.gateway, snapshot.configuration.current
    if service is None or file is None or snapshot.service.failure is not None:
        return None
    version = gateway.readiness.value.version or "" if gateway.readiness.value else ""
    if service.active_state == "failed" or service.sub_state == "auto-restart":
        if not service.changed_at or file.modified_at > service.changed_at:
            return None
        result = f"did not stay up: {service.result} ({service.exit_code or 'exited'} {service.exit_status})"
        return Applied(service.changed_at, file.digest, version, result, file.files, _DOWN + file.digest)
    if service.started_at is None or file.modified_at > service.started_at:
        return None
    settled = snapshot.taken_at - service.started_at >= _SETTLED_SECONDS
    result = _loaded(gateway, service.started_at, len(file.deployments), settled)
    if not result or not (version or settled):
        return None
    # what has just loaded everything may yet fall over
    looked = (gateway.deployments.seen_at or 0.0) - service.started_at
    good = looked >= _SETTLED_SECONDS and result == _loaded_of(len(file.deployments), len(file.deployments))
    return Applied(service.started_at, file.digest, version, result, file.files, run_of(service), good)


def run_of(service: Service | None) -> str:
    """What tells one run of the process from another; empty when none runs."""
    if service is None or service.started_at is None:
        return ""
    return f"{service.invocation} {service.main_pid} {round(service.started_at)}"


def _loaded(gateway: Gateway, since: float, wanted: int, settled: bool) -> str:
    """In words, how much of the file this process has loaded; empty while that may still change."""
    seen, loaded = gateway.deployments.seen_at, gateway.deployments.value
    answers = gateway.liveliness.value is not None and gateway.liveliness.failure is None
    if seen is None or loaded is None or seen < since:
        return "answers; what it has loaded is not shown" if settled and answers and gateway.deployments.failure else ""
    # what comes from a database is listed as well
    own = min(sum(not deployment.from_db for deployment in loaded), wanted)
    return _loaded_of(own, wanted) if own == wanted or settled else ""


def _loaded_of(own: int, wanted: int) -> str:
    return f"loaded {own} of {count(wanted, 'deployment')}"
