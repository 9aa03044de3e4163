"""The worked examples of docs/extending.md: each block of code is run, and each test in it passes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.audit.rule import RULES, all_rules
from tests.docs.pages import ROOT, Block, parts

PAGE = ROOT / "docs" / "extending.md"
_FILE = re.compile(r"# (?P<path>\S+\.py)\n")


def _examples() -> list[tuple[Block, Block]]:
    """The code and its test, as they follow each other on the page."""
    found = [part for part in parts(PAGE) if isinstance(part, Block) and part.kind == "python"]
    return list(zip(found[::2], found[1::2], strict=True))


@pytest.fixture(autouse=True)
def _rules_stay() -> Iterator[None]:
    """The example of a rule leaves none behind."""
    before = dict(all_rules())
    yield
    RULES.clear()
    RULES.update(before)


def _run(block: Block, names: dict[str, Any]) -> None:
    file = _FILE.match(block.text)
    assert file, f"{block.id}: the block does not begin with the path of its file"
    names["__name__"] = file["path"].removesuffix(".py").replace("/", ".")
    exec(compile(block.text, f"{PAGE}:{block.line}", "exec"), names)


@pytest.mark.parametrize(
    ("code", "test"), _examples(), ids=lambda block: block.text.split("\n", 1)[0].rpartition("/")[2]
)
def test_a_worked_example(code: Block, test: Block, tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    _run(code, names)
    _run(test, names)
    tests = [found for name, found in names.items() if name.startswith("test_")]
    assert tests, f"{test.id}: no test"
    for found in tests:
        found(**({"tmp_path": tmp_path} if "tmp_path" in inspect.signature(found).parameters else {}))


def test_each_of_the_four_has_an_example() -> None:
    assert [_FILE.match(code.text)["path"].split("/")[1] for code, _ in _examples()] == [  # type: ignore[index]
        "audit", "analysis", "ui", "services",
    ]  # fmt: skip
