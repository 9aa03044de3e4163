"""Which keys are bound: the console's own, those of a preset, and what the settings say of them (`keys:`).

    keys:
      preset: vim                        # default, vim or k9s
      everywhere.restart: ctrl+r         # in place of its keys
      everywhere.problems: [f8, "!"]     # several
      everywhere.help: +f1               # besides its keys
      everywhere.upgrade: []             # none

Nothing here loads Textual, so that settings are checked without it.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple

from litellm_tui.target.settings import CommandSettings, Keys, Settings, SettingsError
from litellm_tui.target.settings_line import line_of
from litellm_tui.ui.keys import KEYS, PLACES, Key, Place, ScreenPlace
from litellm_tui.ui.screen_keys import BASES, SCREEN_KEYS, SCREENS

DEFAULT: Final = "default"
PRESETS: Final[dict[str, dict[str, str]]] = {
    DEFAULT: {},
    "vim": {
        "lists.page-down": "pagedown,space,ctrl+f,ctrl+d",
        "lists.page-up": "pageup,ctrl+b,ctrl+u",
        "lists.bottom": "end,G,greater_than_sign",
        "everywhere.fleet": "ctrl+g",
        "everywhere.next-pane": "tab,ctrl+w",
    },
    "k9s": {
        "lists.open": "enter,d",
        "lists.bottom": "end,G,greater_than_sign",
        "lists.page-down": "pagedown,space,ctrl+f",
        "lists.page-up": "pageup,ctrl+b",
        "everywhere.difference": "equals_sign",
        "everywhere.fleet": "ctrl+g",
        "everywhere.pane-logs": "2,l",
        "everywhere.look": "f5,ctrl+r",
        "everywhere.command-palette": "colon,ctrl+p,ctrl+a",
        "fleet.compare": "D",
        "views.look": "f5,ctrl+r",
    },
}
"""By its name what a preset binds otherwise: the id of a binding, and its keys by Textual's names."""

NOWHERE: Final = "no-key"
"""What Textual is told of a binding without keys: no terminal sends it."""
_MODIFIERS: Final = ("ctrl", "shift", "alt", "super", "hyper", "meta")
_NAMED: Final = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn", "home": "Home",
    "end": "End", "enter": "Enter", "escape": "Esc", "tab": "Tab", "space": "Space", "delete": "Del",
    "backspace": "Backspace", "insert": "Ins", **{f"f{number}": f"F{number}" for number in range(1, 25)},
}  # fmt: skip
_SIGNS: Final = {
    unicodedata.name(sign).lower().replace(" ", "_").replace("-", "_"): sign for sign in string.punctuation
} | {"slash": "/", "backslash": "\\", "at": "@", "minus": "-", "plus": "+", "underscore": "_"}  # fmt: skip
# Textual's own short names; the long ones are never sent
_LONG: Final = {"solidus", "reverse_solidus", "commercial_at", "hyphen_minus", "plus_sign", "low_line"}
_BY_SIGN: Final = {sign: name for name, sign in _SIGNS.items() if name not in _LONG}
# what a terminal sends for these with Ctrl
_SAME: Final = {"i": "tab", "m": "enter", "left_square_bracket": "escape"}
_EXPECTED: Final = "expected one such as x, !, f8, pgdn, ctrl+r"
_COMMAND_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")


class WrongKeys(ValueError):
    """What the settings say of keys cannot be done; `path` leads to it in the settings file."""

    def __init__(self, why: str, *path: str | int) -> None:
        super().__init__(why)
        self.path = path


class Bound(NamedTuple):
    """The keys as they are bound, and what Textual is told of those that are not the console's own."""

    keys: tuple[Key, ...]
    """Those of the console, and those of the operator's commands."""
    screens: tuple[Key, ...]
    changed: Mapping[str, str]
    """By the id of a binding its keys."""
    commands: tuple[CommandSettings, ...] = ()
    """What is run, by the number in the action `run_command(number)`."""

    def shown(self, id: str) -> str:
        """One key of this binding as a person reads it; empty where it has none."""
        return next((key.first for key in (*self.keys, *self.screens) if key.id == id and key.keys), "")


PLAIN: Final = Bound(KEYS, SCREEN_KEYS, {})


def bound(keys: Keys, commands: Sequence[CommandSettings] = ()) -> Bound:
    """The keys as the settings bind them; raises `WrongKeys`."""
    if not keys and not commands:
        return PLAIN
    preset = keys.get("preset") or DEFAULT
    if not isinstance(preset, str) or preset not in PRESETS:
        raise WrongKeys(f"no preset is called {preset}: expected one of {', '.join(PRESETS)}", "keys", "preset")
    own = {key.id: key for key in (*KEYS, *SCREEN_KEYS)}
    wanted = dict(PRESETS[preset])
    for id, given in keys.items():
        if id == "preset":
            continue
        if id not in own:
            raise WrongKeys(f"no binding is called {id}{meant(id, own)}; docs/keys.md lists them", "keys", id)
        before = wanted.get(id, own[id].keys)
        wanted[id] = ",".join(_named(given, before, id))
    mine = tuple(_command(number, one) for number, one in enumerate(commands))
    names = [one.name for one in commands]
    if twice := next((place for place, name in enumerate(names) if name in names[:place]), 0):
        raise WrongKeys(f"name: {names[twice]} is the name of another one already", "commands", twice)
    found = Bound(_rebound(KEYS, wanted) + mine, _rebound(SCREEN_KEYS, wanted), {}, tuple(commands))
    found = found._replace(screens=tuple(_following(found)))
    usual = Bound(_rebound(KEYS, PRESETS[preset]), _rebound(SCREEN_KEYS, PRESETS[preset]), {})
    _check(found, keys, set(_clashes(usual._replace(screens=tuple(_following(usual))))))
    changed = {
        key.id: key.keys or NOWHERE
        for key in (*found.keys, *found.screens)
        if key.id in own and key.keys != own[key.id].keys
    }
    return found._replace(changed=changed)


def bound_by(settings: Settings) -> Bound:
    """The keys as the settings bind them; raises `SettingsError` with the place in the file."""
    try:
        return bound(settings.keys, settings.commands)
    except WrongKeys as error:
        where = ".".join(str(part) for part in error.path)
        raise SettingsError(f"{line_of(error.path)}: {where}: {error}") from error


def meant(given: str, known: Iterable[str]) -> str:
    """What was probably meant by a name that is not known, as words behind it; empty where nothing is near."""
    names = list(known)
    tails = {name.rpartition(".")[2]: name for name in reversed(names)}
    by_tail = [tails[tail] for tail in get_close_matches(given.rpartition(".")[2], tails, 1, 0.7)]
    whole = get_close_matches(given, names, 1, 0.6)
    # a name without its place is meant by its end
    near = (whole or by_tail) if "." in given else (by_tail or whole)
    return f": did you mean {near[0]}?" if near else ""


# --- keys ----------------------------------------------------------------------------------------------------------


def _named(given: object, before: str, id: str) -> Iterator[str]:
    """Keys of the settings by Textual's names, each once; a + before one adds it to those that there are."""
    names = [given] if isinstance(given, str) else list(given) if isinstance(given, list | tuple) else []
    names = [part for name in names for part in ([name] if len(name) == 1 else name.split(","))]
    added = [name.strip()[1:] for name in names if _adds(name)]
    if added and len(added) != len(names):
        raise WrongKeys("+ adds a key to those that there are: expected it before each key or before none", "keys", id)
    seen = before.split(",") if added and before else []
    yield from seen
    for name in added or names:
        key = key_name(name.strip())
        if key is None:
            raise WrongKeys(f"no key is called {name.strip() or 'nothing'}: {_EXPECTED}", "keys", id)
        if key not in seen:
            seen.append(key)
            yield key


def _adds(name: str) -> bool:
    return len(name.strip()) > 1 and name.strip().startswith("+")


def key_name(given: str) -> str | None:
    """Textual's name of a key as a person writes it (`!`, `F5`, `Ctrl+R`, `PgDn`); None for none."""
    if len(given) == 1:
        return _BY_SIGN.get(given) or (given if given.isalnum() else "space" if given == " " else None)
    *modifiers, last = given.split("+") if not given.endswith("++") else (*given[:-2].split("+"), "+")
    modifiers = [one.lower() for one in modifiers]
    if any(one not in _MODIFIERS for one in modifiers) or len(set(modifiers)) != len(modifiers):
        return None
    short = {shown.lower(): name for name, shown in _NAMED.items()} | {"esc": "escape", "del": "delete"}
    lowered = last.lower()
    key = lowered if lowered in _NAMED or lowered in _SIGNS else short.get(lowered)
    if key is None and len(last) == 1:
        key = _BY_SIGN.get(last) or (last if last.isalnum() else None)
        # a terminal sends the same for both
        key = key.lower() if key and "ctrl" in modifiers else key
    if key is None:
        return None
    if modifiers == ["shift"] and len(key) == 1 and key.isalpha():
        return key.upper()
    if modifiers == ["ctrl"] and key in _SAME:
        return _SAME[key]
    return "+".join((*(one for one in _MODIFIERS if one in modifiers), key))


def shown_key(name: str) -> str:
    """A key by Textual's name, as a person reads it."""
    *modifiers, last = name.split("+")
    words = _NAMED.get(last) or _SIGNS.get(last) or last
    words = words.upper() if modifiers and len(words) == 1 else words
    return "+".join((*(one.capitalize() for one in modifiers), words))


def _rebound(keys: Iterable[Key], wanted: Mapping[str, str]) -> tuple[Key, ...]:
    return tuple(
        key._replace(keys=wanted[key.id], shown=" ".join(map(shown_key, filter(None, wanted[key.id].split(",")))))
        if key.id in wanted and wanted[key.id] != key.keys
        else key
        for key in keys
    )


def _following(found: Bound) -> Iterator[Key]:
    """The screens' keys, those that follow another binding with its keys, as far as the screen has no use for them."""
    by_id = {key.id: key for key in found.keys}
    plain = {key.id: key for key in SCREEN_KEYS}
    for key in found.screens:
        other = by_id.get(key.follows)
        if other is None or key != plain[key.id] or other.keys == key.keys:
            yield key
            continue
        around = (key.place, *_bases(key.place))
        used = {
            name
            for one in (*found.keys, *found.screens)
            if one.id != key.id and one.place in around
            for name in one.keys.split(",")
        }
        names = [name for name in other.keys.split(",") if name and name not in used]
        yield key._replace(keys=",".join(names), shown=" ".join(map(shown_key, names)))


def _bases(place: Place | ScreenPlace) -> tuple[str, ...]:
    return next((bases for screen, bases in BASES.items() if screen == place), ())


def _check(found: Bound, given: Iterable[str], usual: set[tuple[str, str, str]]) -> None:
    """Raises `WrongKeys` where a key would do two things at once; `usual` are those that do so on purpose."""
    for key, first, second in _clashes(found):
        if (key, first, second) in usual:
            continue
        why = f"{shown_key(key)} is bound to {first} and to {second}: bind one of them to another key, or to none ([])"
        if asked := next((id for id in (second, first) if id in given), ""):
            raise WrongKeys(why, "keys", asked)
        raise WrongKeys(why, "commands")


def _clashes(found: Bound) -> Iterator[tuple[str, str, str]]:
    """`(key, id, id)` where two bindings that hold at the same place have the same key."""
    scopes: list[tuple[str, ...]] = [
        *((place, "lists", "everywhere") for place in PLACES if place not in ("lists", "everywhere")),
        *((screen, *BASES.get(screen, ())) for screen in SCREENS),
    ]
    keys = (*found.keys, *found.screens)
    for scope in scopes:
        taken: dict[str, str] = {}
        for one in keys:
            for name in filter(None, one.keys.split(",")) if one.place in scope else ():
                if name in taken:
                    yield name, taken[name], one.id
                taken.setdefault(name, one.id)


# --- commands of the operator's own --------------------------------------------------------------------------------


def _command(number: int, one: CommandSettings) -> Key:
    """The binding of a command of the operator's own."""
    path = ("commands", number)
    if not _COMMAND_NAME.fullmatch(one.name):
        raise WrongKeys(f"name: {one.name!r}: expected small letters, figures and -", *path)
    if not one.run or not all(one.run):
        raise WrongKeys("run: expected the words of a command, such as [ollama, show, '{model}']", *path)
    for word in one.run:
        if unknown := set(re.findall(r"\{(\w*)\}", word)) - set(PLACEHOLDERS):
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise WrongKeys(f"run: {{{sorted(unknown)[0]}}} stands for nothing: expected {known}", *path)
    if (key := key_name(one.key)) is None:
        raise WrongKeys(f"key: no key is called {one.key}: {_EXPECTED}", *path)
    title = one.title or " ".join(one.run)
    return Key(
        key, shown_key(key), f"run_command({number})", title + (" (asks first)" if one.ask else ""), palette=True,
        acts=True, name=f"command-{one.name}",
    )  # fmt: skip


PLACEHOLDERS: Final = ("group", "model", "line", "url", "profile")
"""What may stand in braces in a command of the operator's own."""
