"""The operator's own editor: which it is, and what it does to the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.actions.edit import edit, editor
from litellm_tui.model.failures import Failure


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"VISUAL": "code --wait", "EDITOR": "nano"}, ("code", "--wait")),
        ({"EDITOR": "emacs -nw"}, ("emacs", "-nw")),
        ({"VISUAL": " ", "EDITOR": "'my editor' -x"}, ("my editor", "-x")),
    ],
)
def test_visual_comes_before_editor(variables: dict[str, str], words: tuple[str, ...]) -> None:
    assert editor(variables) == words


def test_without_either_it_is_one_that_is_there(tmp_path: Path) -> None:
    assert isinstance(editor({"PATH": str(tmp_path)}), Failure)
    program = tmp_path / "vi"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert editor({"PATH": str(tmp_path)}) == (str(program),)


def test_words_that_cannot_be_taken_apart_are_told() -> None:
    found = editor({"EDITOR": "nano '"})
    assert isinstance(found, Failure)
    assert "EDITOR" in found.why


def test_what_it_saves_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config file; rm.yaml"
    path.write_text("a: 1\n")
    assert edit(str(path), {"EDITOR": "sed -i s/1/2/", "PATH": "/usr/bin:/bin"}) is None
    assert path.read_text() == "a: 2\n"


def test_an_editor_that_is_not_there_is_told(tmp_path: Path) -> None:
    found = edit(str(tmp_path / "config.yaml"), {"EDITOR": "no-such-editor", "PATH": "/usr/bin:/bin"})
    assert isinstance(found, Failure)
    assert "no-such-editor" in found.why
    assert "VISUAL" in found.why
