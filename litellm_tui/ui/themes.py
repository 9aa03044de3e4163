"""Themes are files, one each: those of the package and those of the user's `themes` folder beside the settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml
from textual.app import App
from textual.color import Color, ColorParseError
from textual.theme import Theme

from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.target.settings import AUTO, SettingsError, settings_folder
from litellm_tui.ui.contrast import FRAME, SYSTEMS, TEXT, painted, readable, readable_ground
from litellm_tui.ui.palette import CURSOR_SHAPE, REVERSE

# where the terminal does not say how its background is
DARK: Final = "dark"
# the variables that console.tcss draws states with; every theme gives all of them
STATES: Final = ("strong", "quiet", "ok", "warn", "bad", "unknown", "mark", "frame", "focus", "cursor")
# what is written with, of the states and of the colours
WRITTEN: Final = ("strong", "quiet", "ok", "warn", "bad", "unknown", "mark", "focus")
COLORED: Final = ("foreground", "primary", "secondary", "accent", "success", "warning", "error")


class _Colors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    background: str
    surface: str
    panel: str
    foreground: str
    primary: str
    secondary: str
    accent: str
    success: str
    warning: str
    error: str


class _ThemeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    dark: bool
    colors: _Colors
    states: dict[str, str]


def packaged_folder() -> Path:
    """Where the project's own themes lie: inside the package when installed, beside it in a checkout."""
    inside = Path(__file__).parents[1] / "themes"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "themes"


def load_themes(own: Path | None = None) -> list[Theme]:
    """All themes; one of the user's replaces a packaged one of the same name.

    Raises `SettingsError` for a file that is not a theme, naming it and the key.
    """
    found: dict[str, Theme] = {}
    for path in (*_files(packaged_folder()), *_files(own or settings_folder() / "themes")):
        theme = load_theme(path)
        found[theme.name] = theme
    return list(found.values())


def install(app: App[Any], chosen: str) -> str:
    """Give an app these themes in place of Textual's, and the chosen one; why it is another, or empty."""
    for name in list(app.available_themes):
        app.unregister_theme(name)
    themes = load_themes()
    for theme in themes:
        app.register_theme(fitted(theme, app.console.color_system or ""))
    names = [theme.name for theme in themes]
    chosen = DARK if chosen == AUTO else chosen
    app.theme = chosen if chosen in names else names[0]
    return "" if chosen in names else f"no theme is called {chosen!r}; there are {', '.join(names)}"


def load_theme(path: Path) -> Theme:
    """One theme file; raises `SettingsError` when it is not one."""
    try:
        file = msgspec.convert(yaml.safe_load(read_text(path, SMALL)), _ThemeFile)
    except (OSError, yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        # msgspec's error and an undecodable file are ValueErrors; the last three are PyYAML's on odd values
        raise SettingsError(f"{path}: {' '.join(str(error).split())}") from error
    if not re.fullmatch(r"[\w-]+", file.name):
        raise SettingsError(f"{path}: name: {file.name!r}: only letters, digits, - and _ are taken")
    colors = msgspec.structs.asdict(file.colors)
    if missing := [name for name in STATES if name not in file.states]:
        raise SettingsError(f"{path}: states: missing {', '.join(missing)}")
    for name, value in (*colors.items(), *file.states.items()):
        try:
            Color.parse(value)
        except ColorParseError as error:
            raise SettingsError(f"{path}: {name}: {value!r} is not a colour") from error
    return Theme(name=file.name, dark=file.dark, variables=_variables(file.states, file.colors.background), **colors)


def fitted(theme: Theme, color_system: str) -> Theme:
    """The theme in the colours that a terminal of this system has, in Rich's word; itself where it has all.

    In 16 colours there is no ground on which each of them can be read: `CURSOR_SHAPE` is `reverse` there.
    """
    if (system := SYSTEMS.get(color_system)) is None:
        return theme
    parsed = {name: Color.parse(value) for name, value in _colors_of(theme).items()}
    back = painted(parsed["background"], system)
    texts = {name: readable(parsed[name], [back], TEXT, system) for name in (*WRITTEN, *COLORED)}
    grounds = {name: readable_ground(parsed[name], list(texts.values()), TEXT, system) for name in ("panel", "cursor")}
    found = texts | grounds | {"background": back, "surface": painted(parsed["surface"], system)}
    found["frame"] = readable(parsed["frame"], [back], FRAME, system)
    colors: dict[str, Any] = {name: found[name].hex for name in (*COLORED, "background", "surface", "panel")}
    variables = _variables({name: found[name].hex for name in STATES}, colors["background"])
    if color_system == "standard":
        variables[CURSOR_SHAPE] = REVERSE
    return Theme(name=theme.name, dark=theme.dark, variables=variables, **colors)


def _colors_of(theme: Theme) -> dict[str, str]:
    states = {name: theme.variables[f"state-{name}"] for name in STATES}
    return states | {name: getattr(theme, name) for name in (*COLORED, "background", "surface", "panel")}


def _variables(states: Mapping[str, str], background: str) -> dict[str, str]:
    return {f"state-{name}": states[name] for name in STATES} | {
        CURSOR_SHAPE: "ground",
        "scrollbar": states["frame"],
        "scrollbar-hover": states["quiet"],
        "scrollbar-active": states["focus"],
        "scrollbar-background": background,
        "scrollbar-background-hover": background,
        "scrollbar-background-active": background,
        "scrollbar-corner-color": background,
    }


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob("*.yaml"))
