"""`litellm-tui rollback`: go back to files that were kept, and list them.

Exit status: 0 restored or listed, 2 refused before anything changed, 3 the disk holds files of two sets, 64 a wrong
command line, 66 no such backup. With --restart, once the files are there, that of `litellm-tui restart`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from litellm_tui.actions.rollback import Restored, Torn, go_back, missing
from litellm_tui.analysis.phrases import age, count
from litellm_tui.commands.one_of_several import say_which
from litellm_tui.logs.log_line import clean
from litellm_tui.model.failures import Failure
from litellm_tui.monitor.comparison import SIGNS, clock_time, environment
from litellm_tui.storage.backups import Backup, Backups
from litellm_tui.storage.backups.rollback_preview import RollbackPreview, digests_on_disk, preview_rollback
from litellm_tui.storage.backups.store import NOTHING_KEPT
from litellm_tui.target.profile import Options, Profile, may_change
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import SettingsError, load_settings

REFUSED: Final = 2
TORN: Final = 3
EX_NOINPUT: Final = 66
APPLY: Final = "what runs is not changed by this: a restart applies it"


class _Print(NamedTuple):
    """How to say it: `narrow` is for a terminal without Unicode."""

    json: bool
    narrow: bool
    utc: bool

    def lines(self, lines: Iterator[str]) -> None:
        for line in lines if not self.json else ():
            shown = clean(line)
            print(shown.replace("→", "->").encode("ascii", "replace").decode() if self.narrow else shown)

    def document(self, document: Any) -> None:
        if self.json:
            print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def run(
    options: Options, listing: bool = False, to: int = 0, yes: bool = False, json: bool = False, restart: bool = False
) -> int:
    """List what is kept, or go back to the set `to` or to the last good one, and with `restart` apply it."""
    if restart and (json or listing):
        raise SettingsError(f"rollback: --restart does not go with {'--list' if listing else '--json'}")
    settings = load_settings()
    profile = resolve(options, settings)
    say = _Print(json, settings.draws_ascii or "utf" not in (sys.stdout.encoding or "").lower(), settings.utc)
    backups = Backups(profile.url.value, profile.unit.value if profile.unit else "")
    backups.load()
    if listing:
        say_which(profile)
        say.lines(_listed(backups, say.utc))
        say.document([_described(backup, backups) for backup in reversed(backups.records())])
        return 0
    may_change(profile, "rollback")
    if not yes and not sys.stdin.isatty():
        raise SettingsError("rollback: there is no terminal to ask on: give --yes, or --list to look first")
    chosen = backups.get(to) if to else last_good(backups, profile.config.value if profile.config else "")
    if chosen is None:
        missed = f"there is no backup {to}" if to else "no other version is kept that is known to have run well"
        why = f" ({backups.failure})" if backups.failure else ""
        print(f"litellm-tui: {missed}{why}: see litellm-tui rollback --list", file=sys.stderr)
        return EX_NOINPUT
    status = _go_back(backups, chosen, profile, say, yes=yes)
    if status or not restart:
        return status
    # only now: looking at the gateway costs what going back does not
    from litellm_tui.commands.restart import run as apply

    return apply(options, yes=yes)


def last_good(backups: Backups, root: str) -> Backup | None:
    """The newest set of this configuration that ran well and that is not what is on the disk now."""
    good = [b for b in reversed(backups.records()) if b.good and (not root or b.root == root)]
    return next((backup for backup in good if missing(backups, backup.id)), None)


def _go_back(backups: Backups, chosen: Backup, profile: Profile, say: _Print, *, yes: bool) -> int:
    held = backups.copies(chosen.id)
    if isinstance(held, Failure):
        print(f"litellm-tui: nothing was changed: {held.why}", file=sys.stderr)
        return REFUSED
    found = preview_rollback(held, profile.config.value if profile.config else chosen.root, environment(profile))
    say.lines(_difference(chosen, found, say.utc))
    if found.files and not yes and not _agreed():
        print("nothing was changed", file=sys.stderr)
        return REFUSED
    done = go_back(profile, backups, chosen.id)
    if isinstance(done, Failure):
        print(f"litellm-tui: {done.why}", file=sys.stderr)
        return TORN if isinstance(done, Torn) else REFUSED
    say.lines(_done(done))
    say.document(
        {
            "restored": done.backup.id,
            "before": done.before.id if done.before else None,
            "files": done.written,
            "changes": msgspec.to_builtins(found.changes),
            "needs_restart": bool(done.written),
        }
    )
    return 0


def _agreed() -> bool:
    print("Restore this? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _listed(backups: Backups, utc: bool) -> Iterator[str]:
    if backups.failure:
        yield backups.failure
    if not backups.records():
        yield NOTHING_KEPT
        return
    now, disk = time.time(), digests_on_disk(kept.path for b in backups.records() for kept in b.files)
    yield f"in {backups.folder}, the newest first; one of them is meant by its number: litellm-tui rollback --to NUMBER"
    for backup in reversed(backups.records()):
        when = f"{clock_time(backup.at, utc)} {age(now - backup.at) + ' ago':>16}"
        yield f"{backup.id}  {when}  {backup.why:<17}  {backup.litellm_version or '-':<9}  {_words(backup)}"
        yield f"{'':12}{backup.digest[:12]}  {compared(backup, disk)}"


def compared(backup: Backup, disk: dict[str, str]) -> str:
    """How the set stands to what is on the disk, in words."""
    differing = backup.differing(disk)
    text = f"{', '.join(differing)} would change" if differing else "as the files are now"
    return f"{text}; without {', '.join(backup.unread)}" if backup.unread else text


def _words(backup: Backup) -> str:
    return f"{backup.result}{', good' if backup.good else ''}" if backup.result else "-"


def _described(backup: Backup, backups: Backups) -> dict[str, Any]:
    differing = missing(backups, backup.id)
    return {
        **msgspec.to_builtins(backup),
        "folder": str(backups.folder),
        "differing": [] if isinstance(differing, Failure) else list(differing),
    }


def _difference(chosen: Backup, found: RollbackPreview, utc: bool) -> Iterator[str]:
    yield f"backup {chosen.id}, {chosen.why} at {clock_time(chosen.at, utc)}: {_words(chosen)}"
    for path in found.files:
        made = "would be made again" if path in found.appearing else "would be changed"
        yield f"  {path} {'would be removed' if path in found.vanishing else made}"
    if found.unusable:
        yield f"  {found.unusable}"
    for change in found.changes:
        yield f"{SIGNS[change.kind]} {change.what} {change.words}" + (f"   [{change.note}]" if change.note else "")
    if found.files:
        yield f"{count(len(found.files), 'file')} and {count(len(found.changes), 'difference')}"


def _done(done: Restored) -> Iterator[str]:
    yield from done.how
    if not done.written:
        yield f"the files are as in backup {done.backup.id} already: nothing was written"
        return
    if done.before:
        yield f"what was there before is backup {done.before.id}: litellm-tui rollback --to {done.before.id}"
    yield APPLY
