"""The tables of docs/keys.md are what is bound; `LITELLM_TUI_WRITE_DOCS=1` writes them anew."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from litellm_tui.target.settings import load_settings
from litellm_tui.ui.keymap import PRESETS, bound
from litellm_tui.ui.keys import KEYS, PLACES, Key
from litellm_tui.ui.screen_keys import SCREEN_KEYS, SCREENS

PAGE = Path(__file__).parents[2] / "docs" / "keys.md"
MARKED = re.compile(r"(<!-- keys -->\n)(.*?)(<!-- /keys -->\n)", re.DOTALL)


def _tables() -> Iterator[str]:
    for place, title in (*PLACES.items(), *SCREENS.items()):
        found = [key for key in (*KEYS, *SCREEN_KEYS) if key.place == place]
        assert found, place
        yield f"\n## {title}\n\n| key | id | what it does |\n|---|---|---|"
        yield from (_row(key) for key in found)
    yield ""


def _row(key: Key) -> str:
    # a bar alone would end the cell
    words = [key.help, *(["follows " + f"`{key.follows}`"] if key.follows else [])]
    return f"| `{key.shown}` | `{key.id}` | {'; '.join(words)} |"


def test_the_tables_are_what_is_bound() -> None:
    text = PAGE.read_text(encoding="utf-8")
    made = "\n".join(_tables())
    if os.environ.get("LITELLM_TUI_WRITE_DOCS"):
        PAGE.write_text(MARKED.sub(lambda found: found[1] + made + found[3], text), encoding="utf-8")
        text = PAGE.read_text(encoding="utf-8")
    found = MARKED.search(text)
    assert found is not None
    assert found[2] == made


def test_the_examples_of_the_page_are_settings_that_hold(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        file = tmp_path / "config.yaml"
        file.write_text(example)
        settings = load_settings(file)
        found = bound(settings.keys, settings.commands)
        assert found.changed or found.commands or settings.columns.models


def test_the_page_names_every_preset() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"`{name}`" in text or name == "default" for name in PRESETS)
