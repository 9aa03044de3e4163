"""Themes are files: readable in 16 colours, loud about their mistakes, and the person's own among them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from rich.color import Color, ColorSystem
from textual.color import Color as Rgb
from textual.theme import Theme

from litellm_tui.target.settings import SettingsError
from litellm_tui.ui.themes import STATES, load_theme, load_themes, packaged_folder

PACKAGED = sorted(packaged_folder().glob("*.yaml"))
THEMES = [load_theme(path) for path in PACKAGED]
TEXT = [name for name in STATES if name not in ("frame", "cursor", "focus")]


def _standard(color: str) -> int | None:
    """The one of the 16 colours that Rich paints instead of it."""
    return Color.parse(Rgb.parse(color).hex.lower()).downgrade(ColorSystem.STANDARD).number


def _luminance(color: str) -> float:
    """Relative luminance by WCAG 2.1."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in Rgb.parse(color).normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _state(theme: Theme, name: str) -> str:
    return theme.variables[f"state-{name}"]


@pytest.fixture(autouse=True)
def _rich_palette() -> None:
    assert _standard("#000000") == 0, "the measure itself"
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)


def test_there_is_a_dark_a_light_and_a_high_contrast_theme() -> None:
    assert {theme.name for theme in THEMES} == {"dark", "light", "high-contrast"}
    assert {theme.name: theme.dark for theme in THEMES} == {"dark": True, "light": False, "high-contrast": True}
    assert [path.stem for path in PACKAGED] == sorted(theme.name for theme in THEMES)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", [name for name in STATES if name != "cursor"])
def test_a_state_stands_out_from_the_background_in_16_colours(theme: Theme, name: str) -> None:
    assert theme.background
    assert _standard(_state(theme, name)) != _standard(theme.background)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", TEXT)
def test_the_text_under_the_cursor_stands_out_in_16_colours(theme: Theme, name: str) -> None:
    assert _standard(_state(theme, name)) != _standard(_state(theme, "cursor"))


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", TEXT)
def test_text_is_readable_on_the_background(theme: Theme, name: str) -> None:
    assert theme.background
    assert _contrast(_state(theme, name), theme.background) >= 4.5


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", TEXT)
def test_text_is_readable_under_the_cursor(theme: Theme, name: str) -> None:
    # one line at a time, and the one that is looked at
    assert _contrast(_state(theme, name), _state(theme, "cursor")) >= 3


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", ["frame", "focus"])
def test_frames_can_be_seen(theme: Theme, name: str) -> None:
    assert theme.background
    assert _contrast(_state(theme, name), theme.background) >= 3


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_what_is_wrong_does_not_look_like_what_is_well(theme: Theme) -> None:
    colours = {name: _standard(_state(theme, name)) for name in ("ok", "warn", "bad")}
    assert len(set(colours.values())) == 3, colours


GOOD = {
    "name": "mine",
    "dark": True,
    "colors": dict.fromkeys(
        (
            "background",
            "surface",
            "panel",
            "foreground",
            "primary",
            "secondary",
            "accent",
            "success",
            "warning",
            "error",
        ),
        "#112233",
    ),
    "states": dict.fromkeys(STATES, "#ffffff"),
}


def _write(folder: Path, stem: str = "mine", /, **changed: object) -> Path:
    path = folder / f"{stem}.yaml"
    path.write_text(yaml.safe_dump(GOOD | changed), encoding="utf-8")
    return path


def test_a_persons_own_themes_are_read_and_replace_by_name(tmp_path: Path) -> None:
    _write(tmp_path)
    _write(tmp_path, "other", name="light")
    themes = {theme.name: theme for theme in load_themes(tmp_path)}
    assert set(themes) == {"dark", "light", "high-contrast", "mine"}
    assert themes["light"].background == "#112233"
    assert themes["dark"].background != "#112233"
    assert load_themes(tmp_path / "none")


def test_the_persons_folder_lies_beside_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "litellm-tui" / "themes"
    folder.mkdir(parents=True)
    _write(folder)
    assert "mine" in {theme.name for theme in load_themes()}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"states": {"ok": "#fff"}}, "states: missing strong, quiet, warn"),
        ({"states": dict.fromkeys(STATES, "nonsense")}, "'nonsense' is not a colour"),
        ({"colors": {**GOOD["colors"], "panel": "#12"}}, "panel: '#12' is not a colour"),  # type: ignore[dict-item]
        ({"colors": {"background": "#000"}}, "surface"),
        ({"dark": "very"}, "$.dark"),
        ({"extra": 1}, "extra"),
        ({"name": None}, "$.name"),
        ({"states": ["ok"]}, "$.states"),
    ],
)
def test_a_theme_with_a_mistake_is_named_with_its_key(tmp_path: Path, changed: dict[str, object], words: str) -> None:
    path = _write(tmp_path, **changed)
    with pytest.raises(SettingsError) as caught:
        load_theme(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a: [\n",
        b"text",
        b"\xff\xfe\x00",
        b"name: 2024-99-99",
        b"name: !!bool x",
        pytest.param(b"a: " + b"[" * 5000, id="deep"),
    ],
)
def test_a_file_that_is_no_theme_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"broken\.yaml"):
        load_theme(path)
    with pytest.raises(SettingsError, match=r"broken\.yaml"):
        load_themes(tmp_path)
