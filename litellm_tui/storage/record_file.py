"""What is under way, in a file that is on the disk before each step: whoever comes after a crash finds it there."""

from __future__ import annotations

from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec

from litellm_tui.host.atomic import replace, sync_folder
from litellm_tui.host.bounded import MEDIUM, read_bytes
from litellm_tui.model.failures import Failure


class _Formed(Protocol):
    @property
    def form(self) -> int: ...


_Record = TypeVar("_Record", bound=_Formed)


class RecordFile(Generic[_Record]):
    """One JSON document of a `kind` that says its `form`. `advice` is what to do where it cannot be understood."""

    def __init__(self, path: Path, kind: type[_Record], form: int, advice: str) -> None:
        self.path = path
        self._kind, self._form, self._advice = kind, form, advice

    def load(self) -> _Record | Failure | None:
        """What nobody has ended; None where there is nothing."""
        try:
            record = msgspec.json.decode(read_bytes(self.path, MEDIUM), type=self._kind)
        except FileNotFoundError:
            return None
        except OSError as error:
            return Failure(f"{self.path}: {error.strerror}")
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Failure(f"{self.path}: {error}; {self._advice}, then remove this file")
        if record.form > self._form:
            return Failure(f"{self.path} was written by a later litellm-tui: use that one")
        return record

    def write(self, record: _Record) -> Failure | None:
        """Note where it stands; on the disk when this returns."""
        try:
            replace(self.path, msgspec.json.encode(record))
        except OSError as error:
            return Failure(f"{self.path}: {error.strerror}")
        return None

    def remove(self) -> Failure | None:
        """It is over, one way or the other."""
        try:
            self.path.unlink(missing_ok=True)
            sync_folder(self.path.parent)
        except OSError as error:
            return Failure(f"{self.path}: {error.strerror}")
        return None
