"""docs/rules.md says what the rules say. `LITELLM_TUI_WRITE_DOCS=1` writes it anew."""

from __future__ import annotations

import os
from pathlib import Path

from litellm_tui.audit.page import rules_page
from litellm_tui.audit.rule import all_rules

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_page_is_made_from_the_rules() -> None:
    page = rules_page(all_rules())
    if os.environ.get("LITELLM_TUI_WRITE_DOCS"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


def test_every_rule_says_why_where_from_and_what_to_do() -> None:
    for rule in all_rules().values():
        assert rule.title, rule.id
        assert rule.why.endswith("."), rule.id
        assert len(rule.source) > 10, rule.id
        assert rule.fix, rule.id
        assert rule.id == rule.id.lower().replace("_", "-"), rule.id
