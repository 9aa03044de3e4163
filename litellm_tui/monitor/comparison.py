"""Compares the file with the running proxy or with an applied version, for `litellm-tui diff` and the console."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from litellm_tui.analysis.change.difference import Change, changes_to_running, compare_files
from litellm_tui.analysis.change.service_drift import drift_changes, not_compared
from litellm_tui.analysis.health.phases import UNREACHABLE
from litellm_tui.analysis.phrases import count
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.storage.starts import Start, StartHistory, run_of
from litellm_tui.target.profile import Profile

SIGNS: Final = {"added": "+", "removed": "-", "changed": "~"}


class Comparison(NamedTuple):
    """The result. `against` describes what the file was compared with, `remark` adds a limit of the comparison.

    `unusable` says why nothing was compared. `unreachable` means that the running configuration is unknown, `waiting`
    that the changes do not run yet.
    """

    changes: tuple[Change, ...]
    against: str
    remark: str = ""
    unusable: str = ""
    unreachable: bool = False
    waiting: bool = False


def with_running(
    snapshot: Snapshot, diagnosis: Diagnosis, history: StartHistory | None, profile: Profile, utc: bool = False
) -> Comparison:
    """Compare the file with the running proxy, and the service with what is written for it.

    What the proxy does not show is compared with the version of the file that it started with.
    """
    found = _file_with_running(snapshot, diagnosis, history, profile, utc)
    reading = snapshot.service_drift
    service = tuple(drift_changes(reading.value)) if reading.failure is None else ()
    remark = "; ".join(filter(None, (found.remark, not_compared(reading))))
    return found._replace(changes=(*found.changes, *service), remark=remark, waiting=found.waiting or bool(service))


def _file_with_running(
    snapshot: Snapshot, diagnosis: Diagnosis, history: StartHistory | None, profile: Profile, utc: bool
) -> Comparison:
    start = history.start_of_run(run_of(snapshot.service.value)) if history else None
    down = diagnosis.gateway.state in UNREACHABLE or snapshot.gateway.deployments.value is None
    configuration = snapshot.configuration
    if configuration.error is not None:
        return Comparison((), "nothing", unusable=f"the file cannot be used: {configuration.error}", unreachable=down)
    file = configuration.current
    if file is None:
        why = configuration.why_unwatched or "no configuration file is known here"
        return Comparison((), "nothing", unusable=why, unreachable=down)
    if down:
        because = f"what runs is not known: {diagnosis.gateway.reason or 'the gateway shows no deployments'}"
        if start is None and history:
            start = next((v for v in reversed(history.versions()) if v.result.startswith("loaded")), None)
        known = _content(start, history, profile)
        if start is None or not isinstance(known, ConfigFile):
            return Comparison((), "nothing", unusable=because, unreachable=True)
        return Comparison(compare_files(known, file), version_text(start, utc), because, unreachable=True)
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
    against = f"the running proxy, up since {clock_time(start.at, utc)}" if start else "the running proxy"
    return Comparison(changes, against, remark, waiting=True)


def with_version(
    file: ConfigFile | ConfigError, start: Start, history: StartHistory, profile: Profile, utc: bool = False
) -> Comparison:
    """Compare the file with an applied version."""
    before = _content(start, history, profile)
    for side in (before, file):
        if isinstance(side, ConfigError):
            return Comparison((), version_text(start, utc), unusable=f"cannot be used: {side}")
    assert isinstance(before, ConfigFile)
    assert isinstance(file, ConfigFile)
    return Comparison(compare_files(before, file), version_text(start, utc))


def environment(profile: Profile) -> Mapping[str, str]:
    """The variables for `os.environ/NAME` in the file."""
    return {name: variable.value for name, variable in profile.environment.items()}


def version_text(start: Start, utc: bool = False) -> str:
    """A description of a version."""
    return f"the version applied at {clock_time(start.at, utc)} ({start.digest[:12]}, {start.result})"


def clock_time(at: float, utc: bool = False) -> str:
    """A time in seconds since the epoch as date and clock time, in the local zone or in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at) if utc else time.localtime(at))


def summary(found: Comparison) -> str:
    """One line with the number of differences and what a restart does with them."""
    number = len(found.changes)
    if not number:
        return found.unusable or "no difference"
    waiting = sum(change.needs_restart for change in found.changes)
    unseen = sum(not change.visible for change in found.changes)
    words = [count(number, "difference")]
    if found.waiting:
        them = f"{waiting} of them" if waiting != number else "it" if number == 1 else "them"
        order = next((change.order for change in found.changes if change.order), "")
        restart = f"a restart applies {them}" if waiting else "a restart applies none of them"
        words.append(f"R applies {them}: {order}, and not a restart" if order else restart)
    if unseen:
        words.append(f"{unseen} of them cannot be seen from outside")
    return "; ".join(words)


def lines(found: Comparison) -> Iterator[str]:
    """The lines of the result, as text."""
    yield f"compared with {found.against}"
    for remark in filter(None, (found.remark, found.unusable)):
        yield f"  {remark}"
    for change in found.changes:
        place = f"   [{change.mark.file}:{change.mark.line}]" if change.mark else ""
        yield f"{SIGNS[change.kind]} {change.what} {change.words}{place}"
        for note in filter(None, (change.breaks, change.note)):
            yield f"    {note}"
    if found.changes or not found.unusable:
        yield summary(found)


def _content(start: Start | None, history: StartHistory | None, profile: Profile) -> ConfigFile | ConfigError | None:
    return history.as_config(start.digest, environment(profile)) if start and history else None
