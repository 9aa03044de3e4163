"""Carries out edits one after the other, each checked against what was meant."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from itertools import pairwise

from litellm_tui.actions.splice import expected_tree
from litellm_tui.actions.splice.content import Content, Data
from litellm_tui.actions.splice.locate import find, places, reach, refuse_referenced, shown
from litellm_tui.actions.splice.move import after_removal, lifted
from litellm_tui.actions.splice.remove import with_emptied
from litellm_tui.actions.splice.replace import Change
from litellm_tui.actions.splice.text import style_of
from litellm_tui.actions.splice.tree import CannotEdit, Document
from litellm_tui.actions.splice.ways import insertions, ways_of
from litellm_tui.model.edits import Edit, Insert, Move, Path, Remove, Rename, SetValue

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def splice(content: bytes, edits: Sequence[Edit]) -> bytes:
    """The file with the edits made, one after the other: a path leads into the file as the edits before it left it.

    Raises `CannotEdit`, with a place where it has one, for an edit that cannot be made alone: through an alias or a
    merge key, of an anchored value that is used elsewhere, to a path that does not exist, in a file that is not one
    YAML document in UTF-8; and for a result that would not parse to what was meant.
    """
    if content.startswith(_WIDE):
        raise CannotEdit("the file is written in UTF-16: save it as UTF-8 first", 1, 1)
    mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    try:
        document = Document(content[len(mark) :].decode())
        pending = list(edits)
        while pending:
            if isinstance(first := pending[0], Move):
                document = _moved(document, first)
                del pending[0]
                continue
            batch = _independent(document, pending)
            document = _carried_out(document, batch)
            del pending[: len(batch)]
    except UnicodeDecodeError as error:
        before = content[: len(mark) + error.start]
        raise CannotEdit("a byte that is not UTF-8", before.count(b"\n") + 1) from error
    except RecursionError as error:
        raise CannotEdit("nested too deeply to be edited") from error
    return mark + document.text.encode()


def _independent(document: Document, edits: Sequence[Edit]) -> list[Edit]:
    """The first edits, as many as touch no place that another of them touches: these are made at once."""
    taken: set[Path] = set()
    above: set[Path] = set()
    batch: list[Edit] = []
    for edit in edits:
        if isinstance(edit, Move):
            break
        if isinstance(edit, Remove) and edit.emptied:
            try:
                edit = with_emptied(document, edit)
            except CannotEdit:
                # what an edit before it makes is waited for; what nothing makes is refused when its turn comes
                if batch:
                    break
                raise
        zone = _zone(document, edit)
        prefixes = {zone[:length] for length in range(len(zone) + 1)}
        if zone in above or prefixes & taken:
            break
        taken.add(zone)
        above |= prefixes
        batch.append(edit)
    return batch or [edits[0]]


def _zone(document: Document, edit: Edit) -> Path:
    path = edit.path
    if isinstance(edit, Insert):
        try:
            path = path[: len(path) - len(reach(document, path)[1])]
        except CannotEdit:
            path = ()
    elif not isinstance(edit, SetValue):
        path = path[:-1]
    return tuple(str(part) for part in path)


def _carried_out(document: Document, edits: Sequence[Edit]) -> Document:
    if len(edits) > 1:
        style = style_of(document)
        ways = [next(ways_of(document, edit, style)) for edit in edits]
        changes = sorted(change for _, changes in ways for change in changes)
        if all(a[1] <= b[0] and a[0] < b[0] for a, b in pairwise(changes)):
            after = _parsed(document, changes)
            for edit, (content, _) in zip(edits, ways, strict=True):
                _mean(document, edit, content)
            if after is not None and expected_tree.same(document.root, after.root):
                return after
            document = Document(document.text)
        for edit in edits:
            document = _carried_out(document, [edit])
        return document
    return _one(document, edits[0], list(ways_of(document, edits[0], style_of(document))))


def _one(document: Document, edit: Edit, ways: list[tuple[Content | None, list[Change]]]) -> Document:
    """The first way that leads to what was meant. The tree is not to be used any more."""
    places = [document.error("", min(changes)[0]) for _, changes in ways if changes]
    parsed = [(content, _parsed(document, changes)) for content, changes in ways]
    root = document.root
    for content, after in parsed:
        if after is None:
            continue
        before = Document(document.text) if len(ways) > 1 else document
        _mean(before, edit, content)
        if expected_tree.same(before.root, after.root):
            return after
    line, column = (places[0].line, places[0].column) if places else (0, 0)
    what = shown(edit.path)
    raise (
        CannotEdit(f"{what} cannot be changed here without changing something else", line, column)
        if root
        else CannotEdit(f"{what} cannot be written into this file", line, column)
    )


def _parsed(document: Document, changes: list[Change]) -> Document | None:
    parts: list[str] = []
    at = 0
    for start, end, new in sorted(changes):
        parts += (document.text[at:start], new)
        at = end
    try:
        return Document("".join((*parts, document.text[at:])))
    except CannotEdit:
        return None


def _moved(document: Document, edit: Move) -> Document:
    """Taken out, and put down in what is left."""
    path, to = edit.path, edit.to
    if not path or not to or to[: len(path)] == path:
        raise CannotEdit(f"{shown(path)} cannot be moved to {shown(to)}", 1, 1)
    if to[:-1] == path[:-1] and isinstance(to[-1], str):
        return _carried_out(document, [Rename(path, to[-1])])
    spot = find(document, path)
    refuse_referenced(document, spot.value)
    if spot.key is not None and len(places(spot.parent, spot.key.value)) > 1:
        raise document.error(f"{spot.key.value} stands here more than once: remove the others first", spot.key.start)
    contents: list[Content] = [lifted(document, spot)]
    try:
        data = expected_tree.data_of(spot.value)
        contents.append(Data(data, expected_tree.tree_of(data)))
    except CannotEdit as why:
        # only its own bytes will do
        unwritable: CannotEdit | None = why
    else:
        unwritable = None
    text = document.text
    left = _carried_out(document, [Remove(path)]).text
    failure = unwritable
    for content in contents:
        document = Document(left)
        try:
            insert = Insert(after_removal(path, to), None)
            return _one(document, insert, list(insertions(document, insert.path, content, style_of(Document(text)))))
        except CannotEdit as error:
            failure = failure or error
    assert failure is not None
    raise failure


def _mean(document: Document, edit: Edit, content: Content | None) -> None:
    """Make the edit in the tree."""
    match edit:
        case SetValue(path):
            assert content is not None
            expected_tree.set_value(find(document, path), content)
        case Rename(path, name):
            expected_tree.rename(find(document, path), name)
        case Remove(path, occurrence):
            expected_tree.remove(find(document, path, occurrence))
        case Insert(path):
            assert content is not None
            expected_tree.insert(document, path, content.node)
