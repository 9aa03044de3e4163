"""Edits of a configuration that stands in a file of another kind: all else in that file stays byte for byte."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

import msgspec

from litellm_tui.actions.splice import CannotEdit, splice
from litellm_tui.collectors.config.embedded import unwrap
from litellm_tui.model.edits import Edit, Move, Path
from litellm_tui.model.embedded import Piece


def splice_within(content: bytes, edits: Sequence[Edit], path: str, name: str) -> bytes:
    """The outer file with the edits made in the configuration of this name; without a name the file itself is edited.

    Raises `CannotEdit` as `splice` does, where nothing can be written into it, and where the outer file would not hold
    what was meant.
    """
    if not name:
        return splice(content, edits)
    piece = _piece(content, path, name)
    if piece.unfixable:
        raise CannotEdit(piece.unfixable, piece.lines[0], 1)
    text = content.decode()
    inside = piece.inside
    moved = [_below(edit, inside) for edit in edits] if inside else edits
    if piece.form == "text":
        written = meant = splice(text[piece.start : piece.end].encode(), moved).decode()
    else:
        meant = splice(piece.text.encode(), moved).decode()
        written = _encoded(text[piece.start : piece.end], meant, piece.form)
    result = (text[: piece.start] + written + text[piece.end :]).encode()
    after = _piece(result, path, name)
    found = result.decode()[after.start : after.end] if piece.form == "text" else after.text
    if found != meant:
        raise CannotEdit("the file around it would not hold what is meant", piece.lines[0], 1)
    return result


def readable(content: bytes, path: str) -> bytes:
    """The outer file with what stands in base64 decoded, for a diff: nobody reads the other, and it hides secrets."""
    wrapped = unwrap(content, path)
    coded = [piece for piece in wrapped.pieces if piece.form == "base64"] if wrapped else []
    text = content.decode() if coded else ""
    for piece in sorted(coded, key=lambda piece: piece.start, reverse=True):
        text = f"{text[: piece.start]}|\n{piece.text}{text[piece.end :]}"
    return text.encode() if coded else content


def _piece(content: bytes, path: str, name: str) -> Piece:
    wrapped = unwrap(content, path)
    for piece in wrapped.pieces if wrapped else ():
        for part in (piece, *piece.beside):
            if part.name == name:
                return part
    raise CannotEdit("the configuration that stood in it is gone", 1, 1)


def _below(edit: Edit, path: Path) -> Edit:
    edit = msgspec.structs.replace(edit, path=(*path, *edit.path))
    return msgspec.structs.replace(edit, to=(*path, *edit.to)) if isinstance(edit, Move) else edit


def _encoded(before: str, text: str, form: str) -> str:
    """The text as it stood there: base64 with the quotes that it had, or a scalar in double quotes."""
    if form == "quoted":
        return json.dumps(text, ensure_ascii=False)
    quote = before[:1] if before[:1] in ("'", '"') else ""
    return f"{quote}{base64.b64encode(text.encode()).decode()}{quote}"
