"""docs/rules.md and docs/advisories.md are what the rules and the table say; `LITELLM_TUI_WRITE_DOCS=1` writes them."""

from __future__ import annotations

import os
from pathlib import Path

from litellm_tui.audit.page import advisories_page, rules_page
from litellm_tui.audit.rule import all_rules
from litellm_tui.collectors.litellm_source.advisories import shipped_advisories

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
ADVISORIES = PAGE.with_name("advisories.md")


def test_the_page_is_made_from_the_rules() -> None:
    page = rules_page(all_rules())
    if os.environ.get("LITELLM_TUI_WRITE_DOCS"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


def test_the_page_of_advisories_is_made_from_the_table() -> None:
    page = advisories_page(shipped_advisories())
    if os.environ.get("LITELLM_TUI_WRITE_DOCS"):
        ADVISORIES.write_text(page, encoding="utf-8")
    assert ADVISORIES.read_text(encoding="utf-8") == page


def test_every_rule_says_why_where_from_and_what_to_do() -> None:
    for rule in all_rules().values():
        assert rule.title, rule.id
        assert rule.why.endswith("."), rule.id
        assert len(rule.source) > 10, rule.id
        assert rule.fix, rule.id
        assert rule.id == rule.id.lower().replace("_", "-"), rule.id
