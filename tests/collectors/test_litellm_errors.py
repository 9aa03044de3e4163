"""What LiteLLM says when something fails, read from its source, and whose failure the console takes it to be.

`LITELLM_TUI_WRITE_DOCS=1` writes docs/errors.md anew; rows of a LiteLLM that is not installed stay.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from litellm_tui.analysis.failures.litellm_files import FILES
from litellm_tui.analysis.failures.page import Coverage, errors_page
from litellm_tui.analysis.failures.places import subject_of_path
from litellm_tui.collectors.litellm_source.litellm_errors import Said, errors_said
from litellm_tui.collectors.litellm_source.litellm_package import Package
from tests.collectors.error_subjects import TABLE, as_reported, expected
from tests.lab.environments import VARIABLE, Environment, environments, newest_environments

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
# of these only the source is read
INSTALLED = [*newest_environments(), *environments()]
REACHED = tuple(prefix for prefix, row in TABLE if row.area)
ROW = re.compile(r"\| ([\d.]+) \| ([\w -]+) \| [\d,]+ \| ([\d,]+)[^|]*\| (\d+) \| (\d+) \| ([\d,]+) \| (\d+) \|")

SOURCE = """
async def check(self, key):
    if not key:
        raise ProxyException(message="No key was given", type="auth", code=401)
    told = f"Key={key} has used up its budget. " + "Max budget: {}".format(key.max)
    raise litellm.BudgetExceededError(current_cost=1, message=told)

class Cache:
    def get(self):
        verbose_logger.warning("cache of %s fails: %.2f s", self.name, 1.0)
        verbose_proxy_logger.exception(f"cannot read {self.name}")
        self.catalog.error("a log, as far as its name goes")
        raise HTTPException(status_code=400, detail={"error": "Content of %s was blocked" % self.name})
        raise

def other():
    verbose_logger.debug("not a failure")
    verbose_logger.log(logging.ERROR, "lost %s", 1)
"""


def test_errors_are_read_with_class_place_and_constant_words(tmp_path: Path) -> None:
    (tmp_path / "proxy").mkdir()
    (tmp_path / "proxy" / "checks.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "broken.py").write_text("def (", encoding="utf-8")
    found = {(said.kind, said.function): said.words for said in errors_said(Package(tmp_path))}
    assert found == {
        ("ProxyException", "check"): "No key was given",
        ("BudgetExceededError", "check"): "Key={} has used up its budget. Max budget: {}",
        ("WARNING", "get"): "cache of {} fails: {} s",
        ("ERROR", "get"): "a log, as far as its name goes",
        ("HTTPException", "get"): "{'error': 'Content of {} was blocked'}",
        ("ERROR", "other"): "lost {}",
    }
    assert {said.place for said in errors_said(Package(tmp_path))} == {"proxy/checks.py"}
    assert errors_said(Package(tmp_path), within=("caching/",)) == ()


def test_only_errors_with_words_of_their_own_can_be_told() -> None:
    def said(words: str) -> Said:
        return Said("a.py", 1, "raised", "Exception", "f", words)

    assert said("Key={} is blocked").telling
    assert not said("{}").telling
    assert not said("{}: Error {}").telling


@cache
def _reached(environment: Environment) -> tuple[Said, ...]:
    said = errors_said(Package(environment.packages / "litellm"), REACHED)
    return tuple(one for one in said if one.telling and expected(one) is not None)


@cache
def _outcome(said: Said, files: bool) -> str:
    row, found = expected(said), as_reported(said, files=files)
    assert row is not None
    return "unexplained" if not found else "right" if found in row.subjects else "wrong"


@cache
def _coverage(environment: Environment) -> tuple[Coverage, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    for said in _reached(environment):
        row = expected(said)
        assert row is not None
        for area in (row.area, "all"):
            counts[area, _outcome(said, True)] += 1
            counts[area, f"{_outcome(said, False)} by words"] += 1
    areas = sorted({area for area, _ in counts}, key=lambda area: (area == "all", area))
    kinds = ("right", "unexplained", "wrong", "right by words", "wrong by words")
    return tuple(Coverage(environment.version, area, *(counts[area, kind] for kind in kinds)) for area in areas)


@pytest.mark.skipif(not INSTALLED, reason=f"{VARIABLE} names no LiteLLM")
@pytest.mark.parametrize("environment", INSTALLED, ids=lambda environment: environment.version)
def test_nearly_every_error_that_can_be_reached_gets_its_subject_and_none_a_wrong_one(environment: Environment) -> None:
    rows = _coverage(environment)
    for row in rows:
        print(" ".join(f"{value!s:>18}" for value in row))
    wrong = [(said.place, said.words[:100], as_reported(said)) for said in _reached(environment)
             if _outcome(said, True) == "wrong"]  # fmt: skip
    assert wrong == []
    every = rows[-1]
    total = every.right + every.unexplained
    assert total > 800
    assert every.right / total >= 0.95
    assert every.wrong_by_words / total < 0.01
    assert {row.area for row in rows} >= {"check of the key", "cache", "database", "guardrails", "router", "callbacks"}


@pytest.mark.skipif(not INSTALLED, reason=f"{VARIABLE} names no LiteLLM")
@pytest.mark.parametrize("environment", INSTALLED, ids=lambda environment: environment.version)
def test_the_files_known_by_name_stand_where_their_subject_says(environment: Environment) -> None:
    folder = environment.packages / "litellm"
    told: dict[str, set[str]] = {}
    for path in folder.rglob("*.py"):
        told.setdefault(path.name, set()).add(subject_of_path(path.relative_to(folder).as_posix()))
    assert {name: told[name] for name, subject in FILES.items() if told.get(name, {subject}) != {subject}} == {}


def _noted() -> dict[str, list[Coverage]]:
    """The rows of the page as it is, by version."""
    found: dict[str, list[Coverage]] = {}
    for match in ROW.finditer(PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""):
        numbers = (int(number.replace(",", "")) for number in match.groups()[2:])
        found.setdefault(match[1], []).append(Coverage(match[1], match[2], *numbers))
    return found


def test_the_page_says_what_the_tables_say_and_what_was_measured() -> None:
    rows = _noted() | {environment.version: list(_coverage(environment)) for environment in INSTALLED}
    newest_last = sorted(rows, key=lambda version: tuple(map(int, version.split("."))))
    page = errors_page([row for version in newest_last for row in rows[version]])
    if os.environ.get("LITELLM_TUI_WRITE_DOCS"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page
    assert {"1.77.7", "1.106.2", "1.109.3", "1.110.2"} <= set(_noted())
