"""Loads a configuration that stands in a file of another kind, and translates places of it into those of that file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import msgspec

from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.includes import include_entries
from litellm_tui.model.audit import Audit, Finding
from litellm_tui.model.configuration import ConfigError, ConfigFile, Mark
from litellm_tui.model.edits import Fix
from litellm_tui.model.embedded import Piece


def load_piece(piece: Piece, environment: Mapping[str, str]) -> ConfigFile | ConfigError:
    """As `config_file.load`; the marks have the names of pieces, their lines are those of the outer file.

    An included file that the outer file does not hold counts as empty: `not_held` names it.
    """
    parts = (piece, *piece.beside)
    instead = {part.name: part.text.encode("utf-8", "surrogatepass") for part in parts}
    for _, place in _lacking(piece):
        instead[place] = b"{}\n"
    inside = {part.name: part.inside for part in parts if part.inside}
    loaded = config_file.load(piece.name, environment, instead, inside)
    if isinstance(loaded, ConfigError):
        return loaded
    ignores = tuple(found for found in loaded.ignores if _within(found.mark, parts))
    data = dict(loaded.data)
    for section, settings in piece.defaults.items():
        known = data.get(section)
        if section not in data or isinstance(known, dict):
            data[section] = {**settings, **(known or {})}
    return msgspec.structs.replace(loaded, data=data, ignores=ignores)


def not_held(piece: Piece) -> tuple[str, ...]:
    """The files that the configuration includes and the outer file does not hold."""
    return tuple(name for name, _ in _lacking(piece))


def _lacking(piece: Piece) -> Iterator[tuple[str, str]]:
    held = {part.name for part in (piece, *piece.beside)}
    if piece.inside:
        return
    folder = os.path.dirname(piece.name)
    for part in (piece, *piece.beside):
        for entry, _, _ in include_entries(part.text):
            place = os.path.abspath(os.path.join(folder, entry))
            if place not in held:
                held.add(place)
                yield entry, place


def _within(mark: Mark, parts: tuple[Piece, ...]) -> bool:
    part = next((part for part in parts if part.name == mark.file), None)
    return part is None or part.form != "text" or part.lines[0] <= mark.line <= part.lines[1]


def outer_error(error: ConfigError, piece: Piece, path: str) -> ConfigError:
    """The error with its place in the outer file."""
    mark = _outer(Mark(error.file, error.line or piece.lines[0], error.column or 1), piece, path)
    return msgspec.structs.replace(error, file=path, line=mark.line, column=mark.column)


def outer_audit(result: Audit, piece: Piece, path: str) -> Audit:
    """The audit of a piece with every place in the outer file, and fixes that lead there."""

    def translated(finding: Finding) -> Finding:
        fix = finding.fix
        if fix is not None:
            fix = None if piece.unfixable else _outer_fix(fix, piece, path)
        return msgspec.structs.replace(finding, mark=_outer(finding.mark, piece, path), fix=fix)

    right = tuple(
        msgspec.structs.replace(good, mark=_outer(good.mark, piece, path)) if good.mark else good
        for good in result.right
    )
    unknown = list(result.unknown)
    unknown += [f"{name}, which it includes and this file does not hold" for name in not_held(piece)]
    if piece.unfixable and any(finding.fix for finding in result.findings):
        unknown.append(f"fixes: {piece.unfixable}")
    return msgspec.structs.replace(
        result,
        path=path,
        findings=tuple(map(translated, result.findings)),
        silenced=tuple(map(translated, result.silenced)),
        right=right,
        unknown=tuple(unknown),
    )


def _outer_fix(fix: Fix, piece: Piece, path: str) -> Fix:
    names = {part.name for part in (piece, *piece.beside)}
    return msgspec.structs.replace(fix, file=path, within=fix.file) if fix.file in names else fix


def _outer(mark: Mark, piece: Piece, path: str) -> Mark:
    part = next((part for part in (piece, *piece.beside) if part.name == mark.file), None)
    if part is None:
        return mark
    if part.form == "text":
        # a place that nothing in the text has, such as that of an empty document
        return Mark(path, *((mark.line, mark.column) if mark.line >= part.lines[0] else (part.lines[0], 1)))
    line, column = part.places[min(mark.line, len(part.places)) - 1]
    return Mark(path, line, column + mark.column - 1 if part.form == "quoted" else column)
