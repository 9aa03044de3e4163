"""Named log filters, kept in the user's state folder and shared by all gateways.

A file that cannot be read or written stops nothing: the filters stay in memory for this run, and `failure` says why.
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

# a file of a later form is neither read nor overwritten
_FORM: Final = 1


class _FilterFile(msgspec.Struct, frozen=True):
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
        """The filters of the state folder, loaded."""
        saved = cls(state_folder() / "filters.json")
        saved.load()
        return saved

    def load(self) -> None:
        """Read the file; another console may have changed it."""
        if self.path is None:
            return
        try:
            kept = msgspec.json.decode(read_bytes(self.path, MEDIUM), type=_FilterFile)
        except FileNotFoundError:
            self.failure, self._unusable = "", False
            return
        except OSError as error:
            # a file that cannot be read is not overwritten
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
        """Keep this filter; one of the same name is replaced."""
        self._change(lambda: self.filters.update({name: typed}))

    def delete(self, name: str) -> None:
        """Delete this filter."""
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
                atomic.replace(self.path, msgspec.json.encode(_FilterFile(filters=self.filters)), durable=False)
        except OSError as error:
            # the change counts for this run; a change that was already made can be made again without harm
            change()
            self.failure = f"{self.path}: {error.strerror}"
        else:
            self.failure = ""
