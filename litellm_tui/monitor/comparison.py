"""The file compared with what runs, or with a version that was applied: for `litellm-tui diff` and the console."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from litellm_tui.analysis.change.difference import Change, changes_to_running, compare_files
from litellm_tui.analysis.health.phases import UNREACHABLE
from litellm_tui.analysis.phrases import count
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.storage.starts import Applied, History, run_of
from litellm_tui.target.profile import Profile

SIGNS: Final = {"added": "+", "removed": "-", "changed": "~"}


class Compared(NamedTuple):
    """What was found. `against` says in words what the file was compared with, and `remark` what is to be known of it.

    `unusable` says why nothing was compared, `unreachable` that what runs is not known, `waiting` that what differs
    does not run.
    """

    changes: tuple[Change, ...]
    against: str
    remark: str = ""
    unusable: str = ""
    unreachable: bool = False
    waiting: bool = False


def with_running(
    snapshot: Snapshot, diagnosis: Diagnosis, history: History | None, profile: Profile, utc: bool = False
) -> Compared:
    """The file against the running proxy. What the proxy does not show is compared with the version it started with."""
    start = history.at_start_of(run_of(snapshot.service.value)) if history else None
    down = diagnosis.gateway.state in UNREACHABLE or snapshot.gateway.deployments.value is None
    configuration = snapshot.configuration
    if configuration.error is not None:
        return Compared((), "nothing", unusable=f"the file cannot be used: {configuration.error}", unreachable=down)
    file = configuration.current
    if file is None:
        why = configuration.why_unwatched or "no configuration file is known here"
        return Compared((), "nothing", unusable=why, unreachable=down)
    if down:
        because = f"what runs is not known: {diagnosis.gateway.reason or 'the gateway shows no deployments'}"
        if start is None and history:
            start = next((v for v in reversed(history.versions()) if v.result.startswith("loaded")), None)
        known = _content(start, history, profile)
        if start is None or not isinstance(known, ConfigFile):
            return Compared((), "nothing", unusable=because, unreachable=True)
        return Compared(compare_files(known, file), told(start, utc), because, unreachable=True)
    known = _content(start, history, profile)
    remark = ""
    if not isinstance(known, ConfigFile):
        why = known.problem if known else "the file it was started with is not known"
        remark = (
            "what the proxy does not show (general_settings, keys, callbacks, most of litellm_settings) is not "
            f"compared: {why}"
        )
    changes = changes_to_running(
        file, diagnosis.deployments, snapshot.gateway.router.value, known if isinstance(known, ConfigFile) else None
    )
    against = f"the running proxy, up since {moment(start.at, utc)}" if start else "the running proxy"
    return Compared(changes, against, remark, waiting=True)


def with_version(
    file: ConfigFile | ConfigError, start: Applied, history: History, profile: Profile, utc: bool = False
) -> Compared:
    """The file against a version that was applied."""
    before = _content(start, history, profile)
    for side in (before, file):
        if isinstance(side, ConfigError):
            return Compared((), told(start, utc), unusable=f"cannot be used: {side}")
    assert isinstance(before, ConfigFile)
    assert isinstance(file, ConfigFile)
    return Compared(compare_files(before, file), told(start, utc))


def environment(profile: Profile) -> Mapping[str, str]:
    """What stands for `os.environ/NAME` in the file."""
    return {name: variable.value for name, variable in profile.environment.items()}


def told(start: Applied, utc: bool = False) -> str:
    """A version in words."""
    return f"the version applied at {moment(start.at, utc)} ({start.digest[:12]}, {start.result})"


def moment(at: float, utc: bool = False) -> str:
    """A time of the past, in this machine's zone where it is not to be UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at) if utc else time.localtime(at))


def summary(found: Compared) -> str:
    """In one line how much differs, and what becomes of it."""
    number = len(found.changes)
    if found.unusable:
        return found.unusable
    if not number:
        return "no difference"
    waiting = sum(change.needs_restart for change in found.changes)
    unseen = sum(not change.visible for change in found.changes)
    words = [count(number, "difference")]
    if found.waiting:
        them = f"{waiting} of them" if waiting != number else "it" if number == 1 else "them"
        words.append(f"a restart applies {them}")
    if unseen:
        words.append(f"{unseen} of them cannot be seen from outside")
    return "; ".join(words)


def lines(found: Compared) -> Iterator[str]:
    """What was found, as text."""
    yield f"compared with {found.against}"
    for remark in filter(None, (found.remark, found.unusable)):
        yield f"  {remark}"
    for change in found.changes:
        place = f"   [{change.mark.file}:{change.mark.line}]" if change.mark else ""
        yield f"{SIGNS[change.kind]} {change.what} {change.words}{place}"
        if change.note:
            yield f"    {change.note}"
    if not found.unusable:
        yield summary(found)


def _content(start: Applied | None, history: History | None, profile: Profile) -> ConfigFile | ConfigError | None:
    return history.as_config(start.digest, environment(profile)) if start and history else None
