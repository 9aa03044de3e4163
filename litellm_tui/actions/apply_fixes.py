"""Applies fixes of an audit: to the contents of files first, to the files only when all of it is known to be good."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from litellm_tui.actions.in_place import changed_meanwhile, recover
from litellm_tui.actions.rewrite import Written, rewrite
from litellm_tui.actions.splice import CannotEdit
from litellm_tui.actions.splice_within import splice_within
from litellm_tui.host.bounded import read_bytes
from litellm_tui.model.audit import Audit, Finding
from litellm_tui.model.edits import Edit, Fix, Rename, SetValue
from litellm_tui.model.failures import Failure
from litellm_tui.storage.backups import Backups, FileSet, copy_files

# a fix can bring a finding to light that another one hid, and two fixes of one list wait for each other
ROUNDS: Final = 8


class Mended(msgspec.Struct, frozen=True):
    """What fixing came to, before anything is written: `before` and `after` map each changed file to its content.

    `applied` are the findings that were settled, `left` those whose fix could not be carried out, with the reason.
    `audit` is the audit of what is to be written.
    """

    before: dict[str, bytes]
    after: dict[str, bytes]
    applied: tuple[Finding, ...]
    left: tuple[tuple[Finding, str], ...]
    audit: Audit


def mend(audit: Callable[[Mapping[str, bytes]], Audit]) -> Mended:
    """Apply every fix that needs no decision. `audit` audits the files as if these contents were on disk.

    Raises OSError when a file that a fix is for cannot be read.
    """
    files = _Files()
    applied: list[Finding] = []
    left: dict[tuple[str, str], tuple[Finding, str]] = {}
    result = audit(files.after)
    for _ in range(ROUNDS):
        waiting = [f for f in result.findings if f.fix and not f.fix.decision and _identity(f) not in left]
        if not waiting:
            break
        done, refused = files.fix(waiting)
        applied += done
        left |= {_identity(finding): (finding, why) for finding, why in refused}
        result = audit(files.after)
    changed = {name: content for name, content in files.after.items() if content != files.before[name]}
    before = {name: files.before[name] for name in changed}
    return Mended(before, changed, tuple(applied), tuple(left.values()), result)


class _Files:
    """The contents of the files that fixes are for, as they were and as they are to be."""

    def __init__(self) -> None:
        self.before: dict[str, bytes] = {}
        self.after: dict[str, bytes] = {}

    def fix(self, findings: list[Finding]) -> tuple[list[Finding], list[tuple[Finding, str]]]:
        """Carry out these fixes: those that were, and those that cannot be, with the reason.

        What only renames or sets values goes together. Of the rest, one that meets a file which another one has just
        changed may have to wait for the next audit: it is in neither list.
        """
        done: list[Finding] = []
        refused: list[tuple[Finding, str]] = []
        by_file: dict[tuple[str, str], list[Finding]] = {}
        for finding in findings:
            if finding.fix is not None:
                by_file.setdefault((finding.fix.file, finding.fix.within), []).append(finding)
        for (name, within), waiting in by_file.items():
            if name not in self.before:
                self.before[name] = self.after[name] = read_bytes(name)
            together = [f for f in waiting if all(isinstance(edit, SetValue | Rename) for edit in _edits(f))]
            if len(together) > 1 and self._splice(name, [edit for f in together for edit in _edits(f)], within) is None:
                done += together
                continue
            fresh = True
            # from the end of the file to its beginning: what is removed from a list moves only what stands behind it
            for finding in sorted(waiting, key=lambda f: (f.mark.line, f.mark.column), reverse=True):
                why = self._splice(name, _edits(finding), within)
                if why is None:
                    done.append(finding)
                    fresh = False
                elif fresh:
                    refused.append((finding, why))
        return done, refused

    def _splice(self, name: str, edits: Sequence[Edit], within: str) -> str | None:
        try:
            self.after[name] = splice_within(self.after[name], edits, name, within)
        except CannotEdit as refusal:
            return str(refusal)
        return None


def _edits(finding: Finding) -> tuple[Edit, ...]:
    return finding.fix.edits if finding.fix else ()


def mend_one(fix: Fix) -> Mended | Failure:
    """One fix alone, decided by the operator."""
    try:
        content = read_bytes(fix.file)
        return Mended(
            {fix.file: content},
            {fix.file: splice_within(content, fix.edits, fix.file, fix.within)},
            (),
            (),
            Audit(fix.file, "", ""),
        )
    except CannotEdit as refusal:
        return Failure(str(refusal))
    except OSError as error:
        return Failure(f"{fix.file}: {error.strerror or error}")


def write(mended: Mended, backups: Backups) -> list[Written | Failure]:
    """Write what was mended, after a backup of all of it; a file that has changed meanwhile is left as it is."""
    if whole := [found.text for found in recover(backups.folder) if found.whole and found.path in mended.after]:
        return [Failure(f"nothing was written: {'; '.join(whole)}; look at it again, then repeat the edit")]
    taken = copy_files((name, "config") for name in mended.after)
    if isinstance(taken, Failure):
        return [taken]
    same = FileSet(tuple(held for held in taken.copies if held.content == mended.before[held.path]))
    kept = backups.keep(same, "before a fix") if same.copies else None
    if isinstance(kept, Failure):
        return [Failure(f"nothing was written: {kept.why}")]
    outcomes: list[Written | Failure] = []
    for name, content in mended.after.items():
        copy = backups.copy(kept, name) if kept else None
        outcomes.append(rewrite(name, mended.before[name], content, copy) if copy else changed_meanwhile(name))
    return outcomes


def _identity(finding: Finding) -> tuple[str, str]:
    return finding.rule, finding.text
