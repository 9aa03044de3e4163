"""Filters of the log, kept by name in the user's state folder, for every gateway: they say how one reads, not what.

A file that cannot be read or written is no reason to stop: what is known stays known for this run, `failure` says why.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.host import atomic
from litellm_tui.host.bounded import MEDIUM, read_bytes
from litellm_tui.storage import shared_file
from litellm_tui.storage.state import state_folder

# of a later form, nothing is read, and nothing is written over it
_FORM: Final = 1


class _Kept(msgspec.Struct, frozen=True):
    form: int = _FORM
    filters: dict[str, str] = {}


class SavedFilters:
    """`filters` maps a name to a filter as it is typed. Without a `path` they live as long as this object.

    `load`, `keep` and `delete` block: a lock may be busy for seconds.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.filters: dict[str, str] = {}
        self.failure = ""
        self._unusable = False

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
            self.failure, self._unusable = "", False
            return
        except OSError as error:
            # what cannot be read is not written over
            self.failure, self._unusable = f"{self.path}: {error}", True
            return
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            self.failure, self._unusable = f"{self.path}: {error}", False
            return
        self.failure = ""
        self._unusable = kept.form != _FORM
        if self._unusable:
            self.failure = f"{self.path} was written by a later litellm-tui, and is left as it is"
        else:
            self.filters = dict(kept.filters)

    def keep(self, name: str, typed: str) -> None:
        """Keep this filter, in place of one of the same name."""
        self._change(lambda: self.filters.update({name: typed}))

    def delete(self, name: str) -> None:
        """Forget this filter."""
        self._change(lambda: self.filters.pop(name, None))

    def _change(self, change: Callable[[], object]) -> None:
        if self.path is None:
            change()
            return
        try:
            with shared_file.changing(self.path):
                self.load()
                change()
                if self._unusable:
                    return
                if self.failure:
                    shared_file.set_aside(self.path)
                atomic.replace(self.path, msgspec.json.encode(_Kept(filters=self.filters)), durable=False)
        except OSError as error:
            # for this run it is known all the same; to change it twice is no more than to change it once
            change()
            self.failure = f"{self.path}: {error.strerror}"
        else:
            self.failure = ""
