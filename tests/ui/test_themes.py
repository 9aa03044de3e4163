"""Themes are files: readable in 16 colours, loud about their mistakes, and the person's own among them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from rich.color import ColorSystem
from textual.color import Color as Rgb
from textual.theme import Theme

from litellm_tui.target.settings import SettingsError
from litellm_tui.ui.contrast import contrast, painted, readable
from litellm_tui.ui.palette import CURSOR_SHAPE, REVERSE, palette
from litellm_tui.ui.themes import COLORED, STATES, WRITTEN, fitted, load_theme, load_themes, packaged_folder

PACKAGED = sorted(packaged_folder().glob("*.yaml"))
THEMES = [load_theme(path) for path in PACKAGED]
SYSTEMS = {"truecolor": None, "256": ColorSystem.EIGHT_BIT, "standard": ColorSystem.STANDARD}
ON_EACH = pytest.mark.parametrize("system", SYSTEMS)
OF_EACH = pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)


def _shown(theme: Theme, name: str, system: str) -> Rgb:
    """The colour that a terminal of this system shows, of a theme as it is used there."""
    used = fitted(theme, system)
    value = used.variables[f"state-{name}"] if name in STATES else getattr(used, name)
    return painted(Rgb.parse(value), SYSTEMS[system])


def test_the_measure_itself() -> None:
    black, white = Rgb.parse("#000000"), Rgb.parse("#ffffff")
    assert contrast(black, white) == pytest.approx(21)
    assert contrast(Rgb.parse("#767676"), white) == pytest.approx(4.54, abs=0.01)
    assert painted(Rgb.parse("#fefefe"), ColorSystem.STANDARD) == white
    assert painted(Rgb.parse("#00005f"), ColorSystem.EIGHT_BIT) == Rgb.parse("#00005f")


def test_there_is_a_dark_a_light_and_a_high_contrast_theme() -> None:
    assert {theme.name for theme in THEMES} == {"dark", "light", "high-contrast"}
    assert {theme.name: theme.dark for theme in THEMES} == {"dark": True, "light": False, "high-contrast": True}
    assert [path.stem for path in PACKAGED] == sorted(theme.name for theme in THEMES)


@OF_EACH
@ON_EACH
@pytest.mark.parametrize("name", [*WRITTEN, *COLORED])
def test_every_colour_is_readable_on_every_ground(theme: Theme, system: str, name: str) -> None:
    text = _shown(theme, name, system)
    for ground in ("background", "panel", "cursor"):
        if ground == "cursor" and fitted(theme, system).variables[CURSOR_SHAPE] == REVERSE:
            # text and background change places there, and what is between them stays
            continue
        assert contrast(text, _shown(theme, ground, system)) >= 4.5, ground


@OF_EACH
@ON_EACH
def test_frames_can_be_seen(theme: Theme, system: str) -> None:
    assert contrast(_shown(theme, "frame", system), _shown(theme, "background", system)) >= 3


@OF_EACH
@ON_EACH
def test_what_is_wrong_does_not_look_like_what_is_well(theme: Theme, system: str) -> None:
    colours = {name: _shown(theme, name, system) for name in ("ok", "warn", "bad", "mark")}
    assert len(set(colours.values())) == len(colours), colours


@OF_EACH
def test_the_line_under_the_cursor_has_another_ground_or_is_in_reverse(theme: Theme) -> None:
    for system in ("truecolor", "256"):
        assert fitted(theme, system).variables[CURSOR_SHAPE] != REVERSE
        assert _shown(theme, "cursor", system) != _shown(theme, "background", system)
    used = fitted(theme, "standard")
    assert palette(used.variables | {"background": "#000000"})["cursor"].reverse
    assert not palette(theme.variables | {"background": "#000000"})["cursor"].reverse


def test_where_nothing_can_be_read_a_colour_stays_as_it_is() -> None:
    black, white = Rgb.parse("#000000"), Rgb.parse("#ffffff")
    assert readable(white, [black, white], 4.5, ColorSystem.STANDARD) == white
    assert readable(Rgb.parse("#123456"), [black], 4.5, None) == Rgb.parse("#123456")


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
