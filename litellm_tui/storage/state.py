"""The state of one gateway from run to run: problems seen, marks made; a file in the user's state folder.

The folder is that of XDG_STATE_HOME, with one file per gateway. The file holds no secret: its texts were masked before
they became problems. Several consoles and commands may use it at once: each writes only what it has changed itself. A
file that cannot be read or written stops nothing: the run goes on without memory, and `failure` says why.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from litellm_tui.analysis.change.changes import LookSummary
from litellm_tui.analysis.health.memory import Memory, Remembered, merge_remembered
from litellm_tui.host import atomic
from litellm_tui.host.bounded import read_bytes
from litellm_tui.model.probe import ProbeResult
from litellm_tui.storage import shared_file
from litellm_tui.storage.identity import gateway_label, gateway_name
from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import NAME

T = TypeVar("T")

# a file of a later form is neither read nor overwritten
FORM: Final = 1
# probes that are kept, and how much older than the newest one they may be
MOST_PROBES: Final = 500
PROBES_KEPT_SECONDS: Final = 3600.0
LONGEST_ERROR: Final = 2000


class SavedState(msgspec.Struct, frozen=True):
    """The content of the file. `expected_down` maps a deployment's key or a group's name to the operator's note.

    `last` is what the last look found. `incidents_looked_at` is when the incidents were last shown, in seconds since
    the epoch. `probes` holds the last probe of each deployment by its id, whoever made it: when it was asked tells
    which process of the gateway answered.
    """

    form: int = FORM
    gateway: str = ""
    memory: dict[str, Remembered] = {}
    expected_down: dict[str, str] = {}
    last: LookSummary | None = None
    incidents_looked_at: float = 0.0
    probes: dict[str, ProbeResult] = {}


def state_of(profile: Profile) -> StateFile:
    """The state file of this profile's gateway."""
    return StateFile(profile.url.value, profile.unit.value if profile.unit else "")


class _Unusable(Exception):
    """The file must not be overwritten."""


class StateFile:
    """The state file of one gateway, by its address and unit. Its methods block: a lock may be busy for seconds."""

    def __init__(self, url: str, unit: str, folder: Path | None = None) -> None:
        self.gateway = gateway_label(url, unit)
        self.path = (folder or state_folder()) / f"{gateway_name(url, unit)}.json"
        self.failure = ""
        self.incidents_looked_at = 0.0
        self.probes: dict[str, ProbeResult] = {}
        # the state as it was last read or written: a difference from it is a change made here
        self._base = SavedState()
        self._stamp: tuple[int, int, int] | None = None

    def load(self) -> SavedState:
        """The state of the file, empty where there is none."""
        self._base, self.failure = SavedState(), ""
        self._stamp = self._stamped()
        try:
            found = self._read()
        except _Unusable as error:
            self.failure = str(error)
            return SavedState()
        self._base = found or SavedState()
        self.incidents_looked_at, self.probes = self._base.incidents_looked_at, dict(self._base.probes)
        return self._base

    def add_probes(self, results: Iterable[ProbeResult]) -> str:
        """Keep these results for every face from now on; returns why that failed, or an empty text."""
        kept = self.load()
        if self.failure:
            return self.failure
        self.probes |= {result.deployment: bounded_probe(result) for result in results}
        self.save(kept.memory, kept.expected_down, kept.last)
        return self.failure

    def changed(self) -> bool:
        """Whether another process has written the file since it was read or written here."""
        return self._stamped() != self._stamp

    def adopt(self, memory: Memory, expected_down: Mapping[str, str], last: LookSummary | None) -> SavedState:
        """The file's state merged with the state given here. Nothing is written."""
        mine = self._mine(memory, expected_down, last)
        stamp = self._stamped()
        try:
            theirs = self._read()
        except _Unusable as error:
            self.failure = str(error)
            return mine
        if theirs is None:
            return mine
        found = merged(self._base, mine, theirs)
        self._base, self._stamp, self.failure = theirs, stamp, ""
        return found

    def save(self, memory: Memory, expected_down: Mapping[str, str], last: LookSummary | None) -> SavedState:
        """Write what was changed here since the last call; returns it merged with what other processes have written.

        Nothing is written where the file already holds all of it. After a failure the next call writes it.
        """
        mine = self._mine(memory, expected_down, last)
        try:
            with shared_file.changing(self.path):
                theirs = self._read()
                found = merged(self._base, mine, theirs if theirs is not None else self._base)
                if found != theirs:
                    atomic.replace(self.path, msgspec.json.encode(found), durable=False)
                self._stamp = self._stamped()
        except _Unusable as error:
            self.failure = str(error)
            return mine
        except OSError as error:
            self.failure = f"{self.path}: {error.strerror}"
            return mine
        self._base, self.failure = found, ""
        return found

    def _mine(self, memory: Memory, expected_down: Mapping[str, str], last: LookSummary | None) -> SavedState:
        return SavedState(
            FORM,
            self.gateway,
            dict(memory),
            dict(expected_down),
            last,
            self.incidents_looked_at,
            kept_probes(self.probes),
        )

    def _read(self) -> SavedState | None:
        """The file's state; None where there is no file, or a damaged one, which is renamed. Raises `_Unusable`."""
        try:
            content = read_bytes(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _Unusable(f"{self.path}: {error.strerror}") from error
        try:
            kept = msgspec.json.decode(content, type=SavedState)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            self._put_aside(error)
            return None
        if kept.form > FORM:
            raise _Unusable(f"{self.path} was written by a later litellm-tui, and is left as it is")
        return kept

    def _put_aside(self, why: Exception) -> None:
        try:
            aside = shared_file.set_aside(self.path)
        except OSError as error:
            raise _Unusable(f"{self.path}: {why}; it cannot be put aside: {error.strerror}") from error
        self.failure = f"{self.path}: {why}; what it held is forgotten, and is in {aside.name}"

    def _stamped(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def merged(base: SavedState, mine: SavedState, theirs: SavedState) -> SavedState:
    """The states of two processes merged; `base` is the one both began with. A change by only one side counts."""
    lasts = [last for last in (theirs.last, mine.last) if last is not None]
    return SavedState(
        FORM,
        mine.gateway,
        _merge(base.memory, mine.memory, theirs.memory, merge_remembered),
        _merge(base.expected_down, mine.expected_down, theirs.expected_down, lambda mine, _: mine),
        max(lasts, key=lambda last: last.at, default=None),
        max(mine.incidents_looked_at, theirs.incidents_looked_at),
        kept_probes(_merge(base.probes, mine.probes, theirs.probes, _newer)),
    )


def _newer(one: ProbeResult, other: ProbeResult) -> ProbeResult:
    return one if one.asked_at >= other.asked_at else other


def bounded_probe(result: ProbeResult) -> ProbeResult:
    """The result as it is kept: the beginning of its error says what counts."""
    if len(result.error) <= LONGEST_ERROR:
        return result
    return msgspec.structs.replace(result, error=result.error[:LONGEST_ERROR])


def kept_probes(probes: Mapping[str, ProbeResult]) -> dict[str, ProbeResult]:
    """The newest ones, so many and so old at most as may still count."""
    newest = sorted(probes.values(), key=lambda probe: -probe.asked_at)[:MOST_PROBES]
    return {
        probe.deployment: bounded_probe(probe)
        for probe in newest
        if newest[0].asked_at - probe.asked_at <= PROBES_KEPT_SECONDS
    }


def _merge(
    base: Mapping[str, T], mine: Mapping[str, T], theirs: Mapping[str, T], both: Callable[[T, T], T]
) -> dict[str, T]:
    found = {}
    for key in (*theirs, *(key for key in mine if key not in theirs)):
        before, here, there = base.get(key), mine.get(key), theirs.get(key)
        if here == before:
            value = there
        elif there == before:
            value = here
        elif here is None or there is None:
            # an entry that one side changed and the other deleted stays
            value = there if here is None else here
        else:
            value = both(here, there)
        if value is not None:
            found[key] = value
    return found


def state_folder() -> Path:
    """The folder of the state files."""
    from platformdirs import user_state_path

    return user_state_path(NAME)
