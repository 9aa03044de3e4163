"""What a rollback to a set would change: which files, and which values in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from litellm_tui.analysis.change.difference import Change, ChangeKind, compare_files
from litellm_tui.analysis.change.values import NOT_SHOWN
from litellm_tui.collectors.config import config_file
from litellm_tui.host.environment_file import parse_systemd
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.failures import Failure
from litellm_tui.storage.backups.backup import FileCopy, FileSet, sha256_of
from litellm_tui.storage.backups.copying import copy_files

UNREADABLE = "?"
"""Stands for the SHA-256 of a file that cannot be read."""


class RollbackPreview(msgspec.Struct, frozen=True):
    """A set compared with the disk.

    `files` are those that the rollback writes or removes. Of these, `appearing` do not exist now and `vanishing` are
    removed. `changes` lists the differences of the configuration, from now to after the rollback, and the names of
    environment variables that change. `unusable` says why the configurations could not be compared.
    """

    files: tuple[str, ...]
    appearing: tuple[str, ...] = ()
    vanishing: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    unusable: str = ""

    @property
    def changing(self) -> tuple[str, ...]:
        """The files that are there on both sides."""
        return tuple(path for path in self.files if path not in self.appearing and path not in self.vanishing)


def digests_on_disk(paths: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of each file as it is now; empty where there is no file, `UNREADABLE` where it cannot be read."""
    found: dict[str, str] = {}
    for path in dict.fromkeys(paths):
        taken = copy_files([(path, "config")], patience=0.0)
        found[path] = UNREADABLE if isinstance(taken, Failure) else sha256_of(taken.copies[0].content)
    return found


def preview_rollback(wanted: Sequence[FileCopy], root: str, environment: Mapping[str, str]) -> RollbackPreview:
    """Compare the files of a set with the disk.

    `root` is the configuration that LiteLLM reads. `environment` resolves `os.environ/NAME` on both sides, so no
    change quotes a variable's value.
    """
    taken = copy_files((file.path, file.role) for file in wanted)
    if isinstance(taken, Failure):
        return RollbackPreview((), unusable=taken.why)
    now = {file.path: file for file in taken.copies}
    differing = [file for file in wanted if file.path not in now or now[file.path].content != file.content]
    variables = [change for file in differing for change in _variables(now.get(file.path), file)]
    files = tuple(file.path for file in differing)
    appearing = tuple(file.path for file in differing if file.path in now and now[file.path].content is None)
    vanishing = tuple(file.path for file in differing if file.content is None)
    changes: tuple[Change, ...] = ()
    unusable = ""
    if any(file.role == "config" for file in differing):
        before = config_file.load(root, environment, taken.contents)
        after = config_file.load(root, environment, FileSet(tuple(wanted)).contents)
        if isinstance(before, ConfigFile) and isinstance(after, ConfigFile):
            changes = compare_files(before, after)
        elif isinstance(after, ConfigError):
            unusable = f"what was kept cannot be used: {after}"
        else:
            unusable = f"what is there now cannot be used: {before}"
    return RollbackPreview(files, appearing, vanishing, (*changes, *variables), unusable)


def _variables(now: FileCopy | None, then: FileCopy) -> Iterator[Change]:
    """The variables of an environment file that change, by name."""
    if then.role != "environment" or now is None:
        return
    if then.path.endswith((".yaml", ".yml")):
        # a compose file: what of it changes is seen when it is compared with the container
        yield Change("changed", "service", f"definition {then.path}", visible=False, note="recreates its container")
        return
    if then.path.endswith((".service", ".conf")):
        note = "systemd reads it anew before the restart"
        yield Change("changed", "service", f"unit file {then.path}", visible=False, note=note)
        return
    before, after = (_assignments(side.content or b"") for side in (now, then))
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            kind: ChangeKind = "added" if name not in before else "removed" if name not in after else "changed"
            text = f"changed {NOT_SHOWN}" if kind == "changed" else NOT_SHOWN
            sides = ("", text) if kind != "removed" else (text, "")
            yield Change(kind, "environment", name, *sides, visible=False, note=f"in {then.path}")


def _assignments(content: bytes) -> dict[str, str]:
    try:
        return parse_systemd(content)
    except ValueError:
        # a file that systemd refuses sets nothing
        return {}
