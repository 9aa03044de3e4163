"""The configurations that a gateway was started with, in the user's state folder: when, which, and what came of it.

Of each version all files are kept as they were, secrets included: readable by their owner alone. What cannot be read or
written is no reason to stop: `failure` says why, and what is known stays known for this run.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.analysis.phrases import count
from litellm_tui.collectors import config_file
from litellm_tui.snapshot import ConfigError, ConfigFile, Gateway, Service, Snapshot
from litellm_tui.state import state_folder

MOST_VERSIONS: Final = 50
MOST_RECORDS: Final = 200
# of a later form, nothing is read
FORM: Final = 1
# what the gateway lists this long after a start is what it loaded
_SETTLED_SECONDS: Final = 30.0
# how the run of a process begins that is not there
_DOWN: Final = "down "


class Applied(msgspec.Struct, frozen=True):
    """A start of the process at `at` (seconds since the epoch) with the version `digest` of the configuration.

    `files` are the root file and its includes. `result` is in words. `run` tells one start from another.
    """

    at: float
    digest: str
    litellm_version: str
    result: str
    files: tuple[str, ...]
    run: str = ""


class _Kept(msgspec.Struct, frozen=True):
    form: int = FORM
    gateway: str = ""
    applied: tuple[Applied, ...] = ()


class _Version(msgspec.Struct, frozen=True):
    """The content of each file, in the order in which they are read; msgspec writes bytes as base64."""

    files: tuple[tuple[str, bytes], ...]


class History:
    """What one gateway, by its address and unit, was started with; the newest last."""

    def __init__(self, url: str, unit: str, folder: Path | None = None) -> None:
        self.gateway = f"{url} {unit}".strip()
        name = hashlib.sha256(self.gateway.encode()).hexdigest()[:16]
        self.folder = (folder or state_folder()) / "applied" / name
        self.failure = ""
        self._applied: tuple[Applied, ...] = ()
        # what was looked into already, and cannot be kept
        self._passed: set[tuple[str, str]] = set()

    @property
    def _index(self) -> Path:
        return self.folder / "history.json"

    def load(self) -> tuple[Applied, ...]:
        """What was kept, or nothing."""
        try:
            kept = msgspec.json.decode(self._index.read_bytes(), type=_Kept)
            self._applied = kept.applied if kept.form == FORM else ()
        except FileNotFoundError:
            pass
        except OSError as error:
            self.failure = f"{self._index}: {error.strerror}"
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            self.failure = f"{self._index}: {error}; the history before this is forgotten"
        return self._applied

    def versions(self) -> tuple[Applied, ...]:
        """Every start that is known, the newest last."""
        return self._applied

    def at_start_of(self, run: str) -> Applied | None:
        """The start that is this run."""
        return next((applied for applied in reversed(self._applied) if run and applied.run == run), None)

    def see(self, snapshot: Snapshot) -> bool:
        """Note the start that the snapshot shows, once it is known what came of it; whether anything was noted.

        Nothing is noted of a process that may have been started before its file was last changed.
        """
        file, found = snapshot.configuration.current, started(snapshot)
        if found is None or file is None or (found.run, found.digest) in self._passed:
            return False
        last = self._applied[-1] if self._applied else None
        known = last.litellm_version or not found.litellm_version if last else False
        if last and known and (last.run, last.digest, last.result) == (found.run, found.digest, found.result):
            return False
        if last and last.digest == found.digest and found.run.startswith(_DOWN) and not last.run.startswith(_DOWN):
            # it ran with this file: what has ended it now is not the file
            return False
        content = _content(file)
        if content is None:
            self._passed.add((found.run, found.digest))
            return False
        return self.note(found, content)

    def note(self, applied: Applied, content: Mapping[str, bytes]) -> bool:
        """Keep this start and the files that it ran with; the same start again replaces what was noted of it."""
        before = self.load()
        if before and applied.run and before[-1].run == applied.run:
            before = before[:-1]
        kept = _bounded((*before, applied))
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.chmod(self.folder, 0o700)
            if not self._version(applied.digest).exists():
                _write(self._version(applied.digest), msgspec.json.encode(_Version(tuple(content.items()))))
            _write(self._index, msgspec.json.encode(_Kept(FORM, self.gateway, kept)))
            used = {a.digest for a in kept}
            for path in self.folder.glob("*.version"):
                if path.stem not in used:
                    path.unlink()
        except OSError as error:
            self.failure = f"{self.folder}: {error.strerror}"
            self._passed.add((applied.run, applied.digest))
            return False
        self._applied, self.failure = kept, ""
        return True

    def content(self, digest: str) -> dict[str, bytes] | None:
        """The files of a version by their paths, the root first; None when they are not there or not to be read."""
        try:
            return dict(msgspec.json.decode(self._version(digest).read_bytes(), type=_Version).files)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.failure = f"{self._version(digest)}: {error.strerror}"
        except (msgspec.MsgspecError, ValueError) as error:
            self.failure = f"{self._version(digest)}: {error}"
        return None

    def as_config(self, digest: str, environment: Mapping[str, str]) -> ConfigFile | ConfigError:
        """A version parsed, with `environment` as it is now."""
        content = self.content(digest)
        if not content:
            return ConfigError(str(self._version(digest)), self.failure or "the files of this version were not kept")
        root = next(iter(content))
        found = config_file.load(root, environment, content)
        if isinstance(found, ConfigFile) and found.digest != digest:
            return ConfigError(root, "its includes lead to other files now: this version cannot be put together again")
        return found

    def _version(self, digest: str) -> Path:
        # a digest comes from a file that somebody may have edited
        return self.folder / f"{''.join(c for c in digest if c.isalnum())}.version"


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
    return Applied(service.started_at, file.digest, version, result, file.files, run_of(service))


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
    return f"loaded {own} of {count(wanted, 'deployment')}" if own == wanted or settled else ""


def _content(file: ConfigFile) -> dict[str, bytes] | None:
    """The files as they are on disk, when they still are what was read (by the digest of collectors/config_file.py)."""
    digest, content = hashlib.sha256(), {}
    for path in file.files:
        try:
            content[path] = Path(path).read_bytes()
        except OSError:
            return None
        digest.update(path.encode() + b"\0" + content[path] + b"\0")
    return content if digest.hexdigest() == file.digest else None


def _bounded(applied: tuple[Applied, ...]) -> tuple[Applied, ...]:
    """The newest starts, of at most so many versions."""
    kept: list[Applied] = []
    versions: set[str] = set()
    for start in sorted(applied, key=lambda a: a.at, reverse=True):
        versions.add(start.digest)
        if len(versions) > MOST_VERSIONS or len(kept) == MOST_RECORDS:
            break
        kept.append(start)
    return tuple(reversed(kept))


def _write(path: Path, content: bytes) -> None:
    # mkstemp's files are readable by their owner alone
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".applied-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise
