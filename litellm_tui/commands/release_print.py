"""The forms in which a comparison of two releases is printed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import get_args

from litellm_tui.commands.audit_print import place
from litellm_tui.logs.log_line import clean
from litellm_tui.model.release import CHANGE_TITLES, ChangeKind, ReleaseComparison


def text(comparison: ReleaseComparison) -> Iterator[str]:
    """The comparison for a terminal: what gets worse first, each with its place, what to do, and its source."""
    for line in _text(comparison):
        yield clean(line)


def _text(comparison: ReleaseComparison) -> Iterator[str]:
    yield f"{_shown(comparison.path)}: from LiteLLM {comparison.before} to {comparison.after}"
    for kind in get_args(ChangeKind):
        changes = comparison.of(kind)
        if changes:
            yield ""
            yield CHANGE_TITLES[kind]
        for change in changes:
            yield f"  {place(change.mark)}: {change.text}" if change.mark else f"  {change.text}"
            if change.do:
                yield f"    do       {change.do}"
            if change.source:
                yield f"    source   {change.source}"
    if not comparison.changes:
        yield ""
        yield "nothing that is known here changes for this file"
    if comparison.unknown:
        yield ""
        yield "not compared"
        yield from (f"  {line}" for line in comparison.unknown)


def _shown(path: str) -> str:
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else path


def markdown(comparison: ReleaseComparison) -> str:
    """The comparison as a table, for a ticket or a pull request."""
    rows = [f"## `{_shown(comparison.path)}`: from LiteLLM {comparison.before} to {comparison.after}", ""]
    if comparison.changes:
        rows += ["| change | where | what | do | source |", "|---|---|---|---|---|"]
    for change in comparison.changes:
        where = place(change.mark) if change.mark else ""
        cells = (CHANGE_TITLES[change.kind], where, change.text, change.do, change.source)
        rows.append(f"| {' | '.join(map(_cell, cells))} |")
    if not comparison.changes:
        rows.append("Nothing that is known here changes for this file.")
    if comparison.unknown:
        rows += ["", "### Not compared", "", *(f"- {_cell(line)}" for line in comparison.unknown)]
    return "\n".join(rows)


def _cell(value: str) -> str:
    return clean(value).replace("\n", " ").replace("|", "\\|").replace("<", "&lt;")
