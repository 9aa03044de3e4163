"""`litellm-tui diff`: what a restart would change, or what has changed since a version that was applied.

Exit status: 0 no difference, 1 differences or a file that cannot be used, 3 the gateway cannot be reached, 64 a wrong
command line or no such version.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from litellm_tui.analysis.phrases import count
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.saved import load_saved
from litellm_tui.commands.keys import tell_keys
from litellm_tui.commands.look import history_of, look
from litellm_tui.commands.one_of_several import say_which
from litellm_tui.logs.log_line import clean
from litellm_tui.monitor.comparison import Comparison, clock_time, environment, lines, with_running, with_version
from litellm_tui.storage.starts import Start, StartHistory
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import SettingsError, load_settings

UNREACHABLE_STATUS: Final = 3
_SHORTEST_DIGEST: Final = 4


def run(
    options: Options,
    version: str = "",
    history: bool = False,
    json: bool = False,
    keys: bool = False,
    asked_with: str = "",
) -> int:
    """Compare, or list the versions, and say by the exit status whether there is a difference."""
    settings = load_settings()
    if keys:
        if not json or version or history:
            raise SettingsError("diff: --keys goes with --json alone")
        return tell_keys(resolve(options, settings), asked_with)
    profile = say_which(resolve(options, settings))
    kept = history_of(profile)
    kept.load()
    if history:
        document: Any = [_described(number, start) for number, start in _numbered(kept)]
        text = list(_listed(kept, settings.utc))
        status = 0
    elif profile.config is None:
        raise SettingsError("diff: no configuration file was found; name it with --config")
    else:
        path = profile.config.value
        found = _with(path, profile, kept, version, settings.utc)
        status = _status(found)
        document = {
            "against": found.against,
            "remark": found.remark or found.unusable,
            "exit_status": status,
            "changes": msgspec.to_builtins(found.changes),
        }
        text = list(lines(found))
    if json:
        print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
        return status
    narrow = "utf" not in (sys.stdout.encoding or "").lower()
    for line in text:
        shown = clean(line)
        print(shown.replace("→", "->").encode("ascii", "replace").decode() if narrow or settings.draws_ascii else shown)
    return status


def chosen(versions: Sequence[Start], wanted: str) -> Start | None:
    """The version that is meant by its number (1 is the newest), by the beginning of its digest, or by a time at which
    it ran (ISO 8601, of this machine's zone when it names none).
    """
    if wanted.isdecimal() and len(wanted) < _SHORTEST_DIGEST:
        return versions[-int(wanted)] if 1 <= int(wanted) <= len(versions) else None
    try:
        clock_time = datetime.fromisoformat(wanted).timestamp()
    except (ValueError, OverflowError):
        begins = wanted.lower()
        long_enough = len(begins) >= _SHORTEST_DIGEST
        return next((v for v in reversed(versions) if long_enough and v.digest.startswith(begins)), None)
    return next((v for v in reversed(versions) if v.at <= clock_time), None)


def _with(path: str, profile: Profile, kept: StartHistory, version: str, utc: bool) -> Comparison:
    if not version:
        seen = look(profile, remembers=False)
        kept.record_snapshot(seen.snapshot)
        return with_running(seen.snapshot, seen.diagnosis, kept, profile, utc)
    start = chosen(kept.versions(), version)
    if start is None:
        listed = f"there are {count(len(kept.versions()), 'version')}: see litellm-tui diff --history"
        raise SettingsError(f"diff: no applied version is meant by {version!r}; {listed}")
    known = environment(profile)
    return with_version(load_saved(path, lambda: config_file.load(path, known)), start, kept, profile, utc)


def _status(found: Comparison) -> int:
    if found.unreachable:
        return UNREACHABLE_STATUS
    return int(bool(found.changes or found.unusable))


def _numbered(kept: StartHistory) -> list[tuple[int, Start]]:
    return list(enumerate(reversed(kept.versions()), 1))


def _listed(kept: StartHistory, utc: bool) -> Iterator[str]:
    if kept.failure:
        yield kept.failure
    for number, start in _numbered(kept):
        version = start.litellm_version or "-"
        yield f"{number:>3}  {clock_time(start.at, utc)}  {start.digest[:12]}  {version:<9}  {start.result}"
    if not kept.versions():
        yield "no applied version is known yet: a start is noted when the console or litellm-tui status sees it"


def _described(number: int, start: Start) -> dict[str, Any]:
    return {"number": number, **msgspec.to_builtins(start)}
