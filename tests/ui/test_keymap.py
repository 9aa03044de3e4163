"""Keys as the settings bind them: presets, several keys, none, what clashes, and what a mistake is answered with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.keys import _character_to_key

from litellm_tui.target.settings import CommandSettings
from litellm_tui.target.settings_line import line_of
from litellm_tui.ui.keymap import NOWHERE, PLAIN, PRESETS, Bound, WrongKeys, bound, key_name, shown_key
from litellm_tui.ui.keys import KEYS, hints, keys_of, tabs, unanswered
from litellm_tui.ui.screen_keys import BASES, SCREEN_KEYS, SCREENS
from litellm_tui.ui.sharing import filled

CARD = CommandSettings("card", "f9", ("ollama", "show", "{model}"))


def _keys(found: Bound, id: str) -> str:
    return next(key.keys for key in (*found.keys, *found.screens) if key.id == id)


def test_every_binding_has_an_id_of_its_own() -> None:
    ids = [key.id for key in (*KEYS, *SCREEN_KEYS)]
    assert len(set(ids)) == len(ids)
    assert all(key.follows in ids for key in SCREEN_KEYS if key.follows)
    assert {key.place for key in SCREEN_KEYS} == set(SCREENS)
    assert set(BASES) <= set(SCREENS)


def test_without_settings_nothing_is_changed() -> None:
    assert bound({}) is PLAIN
    assert bound({"preset": "default"}).changed == {}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_binds_what_is_there_and_nothing_twice_in_one_place(preset: str) -> None:
    found = bound({"preset": preset})
    assert set(PRESETS[preset]) <= {key.id for key in (*KEYS, *SCREEN_KEYS)}
    for place in {key.place for key in (*found.keys, *found.screens)}:
        names = [name for k in (*found.keys, *found.screens) if k.place == place for name in k.keys.split(",") if name]
        assert sorted(set(names)) == sorted(names), place
    # nothing that changes the world comes to a key that is sent by accident
    acting = {name for key in found.keys if key.acts for name in key.keys.split(",")}
    assert not acting & {"enter", "space", "escape", "tab", "up", "down", "left", "right"}


def test_keys_are_put_in_place_added_and_taken_away() -> None:
    found = bound({
        "everywhere.restart": "Ctrl+R", "everywhere.problems": ["f8", "!"], "everywhere.help": "+f1",
        "everywhere.upgrade": [], "everywhere.bundle": None, "everywhere.pane-logs": "0",
    })  # fmt: skip
    assert _keys(found, "everywhere.restart") == "ctrl+r"
    assert _keys(found, "everywhere.problems") == "f8,exclamation_mark"
    assert _keys(found, "everywhere.help") == "question_mark,f1"
    assert found.changed["everywhere.upgrade"] == found.changed["everywhere.bundle"] == NOWHERE
    assert found.shown("everywhere.help") == "?"
    # what closes a screen by the key that opened it follows
    assert _keys(found, "problems.close") == "f8,exclamation_mark"
    assert found.changed["problems.close"] == "f8,exclamation_mark"
    # and so does what is told of keys
    assert ("Ctrl+R", "restart") in hints("models", False, found.keys)
    assert ("0", "Logs") in [(key, title) for _, key, title in tabs(found.keys)]
    assert "everywhere.upgrade" not in {key.id for key in keys_of("everywhere", False, found.keys)}
    assert unanswered("m", "models", False, keys=found.keys) == "m belongs to the log (0)"
    assert unanswered("R", "models", False, keys=found.keys) == "R does nothing; ? lists the keys"


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"preset": "emacs"}, "no preset is called emacs: expected one of default, vim, k9s"),
        ({"everywhere.restrt": "x"}, "did you mean everywhere.restart?"),
        ({"restart": "x"}, "did you mean everywhere.restart?"),
        ({"everywhere.restart": "ctlr+r"}, "no key is called ctlr+r: expected one such as"),
        ({"everywhere.restart": "a"}, "a is bound to everywhere.audit and to everywhere.restart"),
        ({"everywhere.restart": "m"}, "m is bound to everywhere.restart and to logs.mark"),
        ({"everywhere.restart": "ctrl+i"}, "Tab is bound to everywhere.next-pane"),
        ({"incidents.place": "y"}, "y is bound to"),
        ({"everywhere.help": ["+f1", "f2"]}, "+ adds a key to those that there are"),
    ],
)
def test_a_mistake_is_told_with_its_place(keys: dict[str, Any], why: str) -> None:
    with pytest.raises(WrongKeys) as raised:
        bound(keys)
    assert why in str(raised.value)
    assert raised.value.path == ("keys", next(iter(keys)))


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (CommandSettings("card", "f9", ("show", "{modle}")), "{modle} stands for nothing: expected {group}, {model}"),
        (CommandSettings("card", "f9", ()), "expected the words of a command"),
        (CommandSettings("card", "nokey", ("show",)), "no key is called nokey"),
        (CommandSettings("My Card", "f9", ("show",)), "expected small letters"),
        (CommandSettings("card", "a", ("show",)), "a is bound to everywhere.audit and to everywhere.command-card"),
    ],
)
def test_a_command_that_cannot_be_is_told(command: CommandSettings, why: str) -> None:
    with pytest.raises(WrongKeys) as raised:
        bound({}, [command])
    assert why in str(raised.value)
    assert raised.value.path[0] == "commands"


def test_a_command_stands_in_help_and_palette_and_acts() -> None:
    (key,) = (key for key in bound({}, [CARD]).keys if key.id == "everywhere.command-card")
    assert (key.shown, key.help, key.acts, key.palette) == ("F9", "ollama show {model}", True, True)


def test_a_value_stays_in_its_word_and_is_no_option() -> None:
    words = ("tool", "--title", "x {line}", "{model}")
    assert filled(words, {"line": "a b; rm -rf / $(x)", "model": "m"}) == [
        "tool", "--title", "x a b; rm -rf / $(x)", "m",
    ]  # fmt: skip
    # what a value has in braces is not looked at again
    assert filled(("{line}",), {"line": "{model}", "model": "m"}) == ["{model}"]
    assert filled(("{model}",), {"model": "--delete"}) == "--delete would be an option of the command, and is none"
    assert filled(("{model}",), {"model": ""}) == "nothing is selected that has a model"


def test_names_of_keys_are_those_of_textual() -> None:
    for sign in r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~""":
        assert key_name(sign) == _character_to_key(sign)
        assert shown_key(key_name(sign) or "") == sign
    written = ("F5", "Esc", "PgDn", "ctrl+R", "shift+r", "Ctrl+i", " ", "alt+x", "ctrl++")
    assert [key_name(name) for name in written] == [
        "f5", "escape", "pagedown", "ctrl+r", "R", "tab", "space", "alt+x", "ctrl+plus",
    ]  # fmt: skip
    assert [key_name(name) for name in ("", "ctrl", "foo", "hyperr+x", "ctrl+ctrl+x")] == [None] * 5


def test_the_line_of_the_settings_file_is_found(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "theme: light\nkeys:\n  preset: vim\n  everywhere.restrt: x\ncommands:\n- name: a\n  key: b\n- name: c\n"
    )
    assert line_of(("keys", "everywhere.restrt"), file) == f"{file}:4:3"
    assert line_of(("keys", "not.there"), file) == f"{file}:2:1"
    assert line_of(("commands", 1), file) == f"{file}:8:3"
    assert line_of(("nothing",), file) == f"{file}:1:1"
    assert line_of(("keys",), tmp_path / "none.yaml") == str(tmp_path / "none.yaml")
