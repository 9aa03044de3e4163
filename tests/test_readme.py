"""What the README and the pages behind it say is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_imports import ROOMS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
# lines of a terminal of the usual height, and how often one turns the page
SCREEN, SCREENS = 40, 2


def test_the_readme_is_two_screens_and_begins_with_the_two_commands() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= SCREENS * SCREEN
    first = lines[: SCREEN // 2]
    assert [line.split()[0] for line in first if line.startswith("./")] == ["./run", "./test"]


def test_the_layout_has_a_line_for_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)(?:/|\.py)` \| \S", page, re.MULTILINE) == list(ROOMS)
