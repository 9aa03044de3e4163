"""What the README says is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_imports import ROOMS

README = Path(__file__).parents[1] / "README.md"


def test_the_layout_has_a_line_for_every_room() -> None:
    rows = re.findall(r"^\| `(\w+)(?:/|\.py)` \| \S", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == list(ROOMS)
