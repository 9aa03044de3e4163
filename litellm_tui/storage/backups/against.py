"""What going back to a set would change: which files, and in words what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from litellm_tui.analysis.change.difference import Change, ChangeKind, compare_files
from litellm_tui.analysis.change.values import NOT_SHOWN
from litellm_tui.collectors.config import config_file
from litellm_tui.host.environment_file import parse_systemd
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.failures import Failure
from litellm_tui.storage.backups.records import Held, Taken, sha256_of
from litellm_tui.storage.backups.taking import take

UNREADABLE = "?"
"""Stands for the SHA-256 of a file that cannot be read."""


class Against(msgspec.Struct, frozen=True):
    """A set held against what is on the disk now. `files` have another content there, or are not there, or should not
    be; of these `appearing` are not there and `vanishing` should not be.

    `changes` are what differs between the configurations, from what is there to what would be, and the names of the
    environment variables. `unusable` says why nothing can be said about the configuration.
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


def on_disk(paths: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of each file as it is now; empty where there is none."""
    found: dict[str, str] = {}
    for path in dict.fromkeys(paths):
        taken = take([(path, "config")], patience=0.0)
        found[path] = UNREADABLE if isinstance(taken, Failure) else sha256_of(taken.held[0].content)
    return found


def against_disk(wanted: Sequence[Held], root: str, environment: Mapping[str, str]) -> Against:
    """Hold the files of a set against what is there now. `root` is the configuration that LiteLLM reads; `environment`
    stands for `os.environ/NAME` on both sides, so that no value of a variable is in a change.
    """
    taken = take((held.path, held.role) for held in wanted)
    if isinstance(taken, Failure):
        return Against((), unusable=taken.why)
    now = {held.path: held for held in taken.held}
    differing = [held for held in wanted if held.path not in now or now[held.path].content != held.content]
    variables = [change for held in differing for change in _variables(now.get(held.path), held)]
    files = tuple(held.path for held in differing)
    appearing = tuple(h.path for h in differing if h.path in now and now[h.path].content is None)
    vanishing = tuple(h.path for h in differing if h.content is None)
    changes: tuple[Change, ...] = ()
    unusable = ""
    if any(held.role == "config" for held in differing):
        before = config_file.load(root, environment, taken.contents)
        after = config_file.load(root, environment, Taken(tuple(wanted)).contents)
        if isinstance(before, ConfigFile) and isinstance(after, ConfigFile):
            changes = compare_files(before, after)
        elif isinstance(after, ConfigError):
            unusable = f"what was kept cannot be used: {after}"
        else:
            unusable = f"what is there now cannot be used: {before}"
    return Against(files, appearing, vanishing, (*changes, *variables), unusable)


def _variables(now: Held | None, then: Held) -> Iterator[Change]:
    """The names of the variables of an environment file that would be others."""
    if then.role != "environment" or now is None:
        return
    before, after = (_set_by(side.content or b"") for side in (now, then))
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            kind: ChangeKind = "added" if name not in before else "removed" if name not in after else "changed"
            text = f"changed {NOT_SHOWN}" if kind == "changed" else NOT_SHOWN
            sides = ("", text) if kind != "removed" else (text, "")
            yield Change(kind, "environment", name, *sides, visible=False, note=f"in {then.path}")


def _set_by(content: bytes) -> dict[str, str]:
    try:
        return parse_systemd(content)
    except ValueError:
        # a file that systemd refuses sets nothing
        return {}
