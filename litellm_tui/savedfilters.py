"""Filters of the log, kept by name in the user's state folder, for every gateway: they say how one reads, not what.

A file that cannot be read or written is no reason to stop: what is known stays known for this run, `failure` says why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from litellm_tui import atomic
from litellm_tui.collectors.bounded import MEDIUM, read_bytes
from litellm_tui.state import state_folder

# of a later form, nothing is read, and nothing is written over it
_FORM: Final = 1


class _Kept(msgspec.Struct, frozen=True):
    form: int = _FORM
    filters: dict[str, str] = {}


class SavedFilters:
    """`filters` maps a name to a filter as it is typed. Without a `path` they live as long as this object."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.filters: dict[str, str] = {}
        self.failure = ""
        self._later = False

    @classmethod
    def of_user(cls) -> SavedFilters:
        """Those in the state folder, loaded."""
        saved = cls(state_folder() / "filters.json")
        saved.load()
        return saved

    def load(self) -> None:
        """Read what was kept, also by another console."""
        if self.path is None:
            return
        try:
            kept = msgspec.json.decode(read_bytes(self.path, MEDIUM), type=_Kept)
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
            self.failure = f"{self.path}: {error}"
            return
        self.failure = ""
        self._later = kept.form != _FORM
        if self._later:
            self.failure = f"{self.path} was written by a later litellm-tui, and is left as it is"
        else:
            self.filters = dict(kept.filters)

    def keep(self, name: str, typed: str) -> None:
        """Keep this filter, in place of one of the same name."""
        self.load()
        self.filters[name] = typed
        self._save()

    def delete(self, name: str) -> None:
        """Forget this filter."""
        self.load()
        self.filters.pop(name, None)
        self._save()

    def _save(self) -> None:
        if self.path is None or self._later:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            atomic.replace(self.path, msgspec.json.encode(_Kept(filters=self.filters)), durable=False)
        except OSError as error:
            self.failure = f"{self.path}: {error.strerror}"
        else:
            self.failure = ""
