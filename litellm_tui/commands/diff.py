"""`litellm-tui diff`: what a restart would change, or what has changed since a version that was applied.

Exit status: 0 no difference, 1 differences or a file that cannot be used, 3 the gateway cannot be reached, 64 a wrong
command line or no such version.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from litellm_tui.analysis.difference import Change, compare, running
from litellm_tui.analysis.phases import UNREACHABLE
from litellm_tui.analysis.phrases import count
from litellm_tui.applied import Applied, History, run_of
from litellm_tui.collectors import config_file
from litellm_tui.collectors.logline import clean
from litellm_tui.commands.look import history_of, look
from litellm_tui.profile import Options, Profile, resolve
from litellm_tui.settings import SettingsError, load_settings
from litellm_tui.snapshot import ConfigError

UNREACHABLE_STATUS: Final = 3
_SIGNS: Final = {"added": "+", "removed": "-", "changed": "~"}
_SHORTEST_DIGEST: Final = 4


class Compared(NamedTuple):
    """What was found. `against` says in words what the file was compared with, `remark` what is to be known of it, and
    `waiting` that what differs does not run.
    """

    changes: tuple[Change, ...]
    against: str
    status: int
    remark: str = ""
    waiting: bool = False


def run(options: Options, version: str = "", history: bool = False, json: bool = False) -> int:
    """Compare, or list the versions, and say by the exit status whether there is a difference."""
    settings = load_settings()
    profile = resolve(options, settings)
    kept = history_of(profile)
    kept.load()
    if history:
        document: Any = [_described(number, start) for number, start in _numbered(kept)]
        text = list(_listed(kept))
        status = 0
    else:
        found = _with_version(profile, kept, version) if version else _with_running(profile, kept)
        document = {
            "against": found.against,
            "remark": found.remark,
            "exit_status": found.status,
            "changes": msgspec.to_builtins(found.changes),
        }
        text, status = list(lines(found)), found.status
    if json:
        print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
        return status
    narrow = "utf" not in (sys.stdout.encoding or "").lower()
    for line in text:
        shown = clean(line)
        print(shown.replace("→", "->").encode("ascii", "replace").decode() if narrow or settings.ascii else shown)
    return status


def chosen(versions: Sequence[Applied], wanted: str) -> Applied | None:
    """The version that is meant by its number (1 is the newest), by the beginning of its digest, or by a time at which
    it ran (ISO 8601, of this machine's zone when it names none).
    """
    if wanted.isdecimal() and len(wanted) < _SHORTEST_DIGEST:
        return versions[-int(wanted)] if 1 <= int(wanted) <= len(versions) else None
    try:
        moment = datetime.fromisoformat(wanted).timestamp()
    except (ValueError, OverflowError):
        begins = wanted.lower()
        long_enough = len(begins) >= _SHORTEST_DIGEST
        return next((v for v in reversed(versions) if long_enough and v.digest.startswith(begins)), None)
    return next((v for v in reversed(versions) if v.at <= moment), None)


def lines(found: Compared) -> Iterator[str]:
    """What was found, as text."""
    yield f"compared with {found.against}"
    if found.remark:
        yield f"  {found.remark}"
    for change in found.changes:
        place = f"   [{change.mark.file}:{change.mark.line}]" if change.mark else ""
        yield f"{_SIGNS[change.kind]} {change.what} {change.words}{place}"
        if change.note:
            yield f"    {change.note}"
    if not found.changes:
        if found.status == 0:
            yield "no difference"
        return
    number = len(found.changes)
    waiting = sum(change.needs_restart for change in found.changes)
    unseen = sum(not change.visible for change in found.changes)
    words = [count(number, "difference")]
    if found.waiting:
        words.append(
            f"a restart applies {'it' if number == 1 else 'them' if waiting == number else f'{waiting} of them'}"
        )
    if unseen:
        words.append(f"{unseen} of them cannot be seen from outside")
    yield "; ".join(words)


def _with_running(profile: Profile, kept: History) -> Compared:
    if profile.config is None:
        raise SettingsError("diff: no configuration file was found; name it with --config")
    seen = look(profile, remembers=False)
    kept.see(seen.snapshot)
    snapshot, diagnosis = seen.snapshot, seen.diagnosis
    configuration = snapshot.configuration
    start = kept.at_start_of(run_of(snapshot.service.value))
    down = diagnosis.gateway.state in UNREACHABLE or snapshot.gateway.deployments.value is None
    if down and start is None:
        start = next((v for v in reversed(kept.versions()) if v.result.startswith("loaded")), None)
    applied = kept.as_config(start.digest, _environment(profile)) if start else None
    if configuration.error is not None:
        return Compared(
            (), "nothing", UNREACHABLE_STATUS if down else 1, f"the file cannot be used: {configuration.error}"
        )
    file = configuration.current
    if file is None:
        return Compared((), "nothing", 1, configuration.why_unwatched or "the file could not be read")
    known = None if isinstance(applied, ConfigError) else applied
    if down:
        because = f"what runs is not known: {diagnosis.gateway.reason or 'the gateway shows no deployments'}"
        if start is None or known is None:
            return Compared((), "nothing", UNREACHABLE_STATUS, because)
        return Compared(compare(known, file), _told(start), UNREACHABLE_STATUS, because)
    changes = running(file, diagnosis.deployments, snapshot.gateway.router.value, known)
    remark = "" if known else (
        f"what the proxy does not show (general_settings, keys, callbacks, most of litellm_settings) is not compared: "
        f"{applied.problem if isinstance(applied, ConfigError) else 'the file it was started with is not known'}"
    )  # fmt: skip
    against = f"the running proxy, up since {_moment(start.at)}" if start else "the running proxy"
    return Compared(changes, against, int(bool(changes)), remark, waiting=True)


def _with_version(profile: Profile, kept: History, version: str) -> Compared:
    if profile.config is None:
        raise SettingsError("diff: no configuration file was found; name it with --config")
    start = chosen(kept.versions(), version)
    if start is None:
        listed = f"there are {count(len(kept.versions()), 'version')}: see litellm-tui diff --history"
        raise SettingsError(f"diff: no applied version is meant by {version!r}; {listed}")
    environment = _environment(profile)
    before, file = kept.as_config(start.digest, environment), config_file.load(profile.config.value, environment)
    for unusable in (before, file):
        if isinstance(unusable, ConfigError):
            return Compared((), _told(start), 1, f"cannot be used: {unusable}")
    assert not isinstance(before, ConfigError)
    assert not isinstance(file, ConfigError)
    changes = compare(before, file)
    return Compared(changes, _told(start), int(bool(changes)))


def _environment(profile: Profile) -> Mapping[str, str]:
    return {name: variable.value for name, variable in profile.environment.items()}


def _numbered(kept: History) -> list[tuple[int, Applied]]:
    return list(enumerate(reversed(kept.versions()), 1))


def _listed(kept: History) -> Iterator[str]:
    if kept.failure:
        yield kept.failure
    for number, start in _numbered(kept):
        version = start.litellm_version or "-"
        yield f"{number:>3}  {_moment(start.at)}  {start.digest[:12]}  {version:<9}  {start.result}"
    if not kept.versions():
        yield "no applied version is known yet: a start is noted when the console or litellm-tui status sees it"


def _described(number: int, start: Applied) -> dict[str, Any]:
    return {"number": number, **msgspec.to_builtins(start)}


def _told(start: Applied) -> str:
    return f"the version applied at {_moment(start.at)} ({start.digest[:12]}, {start.result})"


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
