"""What the README says is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from litellm_tui.ui.keys import KEYS, markdown_table
from tests.test_imports import ROOMS

README = Path(__file__).parents[1] / "README.md"


def test_the_table_of_keys_is_made_from_the_keys() -> None:
    found = re.search(r"<!-- keys -->\n(.*?)\n?<!-- /keys -->", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found, "the README has no table between <!-- keys --> and <!-- /keys -->"
    assert found[1].strip() == markdown_table()


def test_the_table_has_every_key() -> None:
    assert len(markdown_table().splitlines()) == len(KEYS) + 2


def test_the_layout_has_a_line_for_every_room() -> None:
    rows = re.findall(r"^\| `(\w+)(?:/|\.py)` \| \S", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == list(ROOMS)
