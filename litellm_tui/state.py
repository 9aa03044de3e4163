"""What is kept from one run to the next, in the user's state folder (XDG_STATE_HOME): problems seen, marks made.

One file per gateway. It holds no secret: its texts were masked before they became problems. A file that cannot be read
or written is no reason to stop looking: the run goes on without memory, and `failure` says why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from litellm_tui import atomic
from litellm_tui.analysis.changes import Glance
from litellm_tui.analysis.memory import Memory, Remembered
from litellm_tui.collectors.bounded import read_bytes
from litellm_tui.identity import gateway_label, gateway_name
from litellm_tui.settings import NAME

# of a later form, nothing is read
FORM: Final = 1


class Kept(msgspec.Struct, frozen=True):
    """The content of the file. `expected_down` maps a deployment's key or a group's name to the operator's note,
    `last` is what the last look found, `incidents_looked_at` when the incidents were last shown.
    """

    form: int = FORM
    gateway: str = ""
    memory: dict[str, Remembered] = {}
    expected_down: dict[str, str] = {}
    last: Glance | None = None
    incidents_looked_at: float = 0.0


class StateFile:
    """The memory of one gateway, by its address and unit."""

    def __init__(self, url: str, unit: str, folder: Path | None = None) -> None:
        self.gateway = gateway_label(url, unit)
        self.path = (folder or state_folder()) / f"{gateway_name(url, unit)}.json"
        self.failure = ""
        self.incidents_looked_at = 0.0
        self._written = b""

    def load(self) -> Kept:
        """What was kept, or nothing."""
        try:
            content = read_bytes(self.path)
        except FileNotFoundError:
            return Kept()
        except OSError as error:
            self.failure = f"{self.path}: {error.strerror}"
            return Kept()
        try:
            kept = msgspec.json.decode(content, type=Kept)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            self.failure = f"{self.path}: {error}; what it held is forgotten"
            return Kept()
        self._written = content
        if kept.form != FORM:
            return Kept()
        self.incidents_looked_at = kept.incidents_looked_at
        return kept

    def save(self, memory: Memory, expected_down: dict[str, str], last: Glance | None) -> None:
        """Keep this, unless it is what the file holds already; by rename, so that no reader meets half a file."""
        kept = Kept(FORM, self.gateway, dict(memory), expected_down, last, self.incidents_looked_at)
        content = msgspec.json.encode(kept)
        if content == self._written:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            atomic.replace(self.path, content, durable=False)
        except OSError as error:
            self.failure = f"{self.path}: {error.strerror}"
            return
        self._written = content
        self.failure = ""


def state_folder() -> Path:
    """Where the files lie."""
    from platformdirs import user_state_path

    return user_state_path(NAME)
