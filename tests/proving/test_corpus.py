"""The audit held against a corpus that is started for real: what ends a start is fatal, and nothing else is.

`LITELLM_TUI_WRITE_DOCS=1` writes docs/audit.md anew.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.proving.audit_table import block, blocks, rows_of, with_block
from tests.proving.corpus_facts import facts_of
from tests.proving.corpus_fragments import fragments
from tests.proving.ground import Ground
from tests.proving.trial import Trial, Tried, text_of

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"


class Corpus(msgspec.Struct, frozen=True):
    version: str
    asked: dict[str, int]
    tried: list[Tried]


@pytest.fixture(scope="module")
def corpus(corpus_ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Every configuration of the corpus, started on one LiteLLM."""
    listed = list(fragments(facts_of(corpus_ground.environment)))
    tried, _ = Trial(corpus_ground, tmp_path_factory.mktemp("corpus")).take(listed)
    return Corpus(corpus_ground.version, dict(Counter(one.section for one in listed)), tried)


def _said(one: Tried) -> str:
    fatal = [f"{finding.rule}: {finding.text}" for finding in one.fatal]
    return f"{one.pack.fragments[0].section}, {one.pack.fragments[0].id}: {one.look.error[:300]} {fatal}"


def test_the_corpus_is_large_and_has_refused_and_starting_ones_of_each_kind(corpus: Corpus) -> None:
    assert sum(corpus.asked.values()) > 1000
    assert len(corpus.tried) >= 200
    assert sum(one.look.refused for one in corpus.tried) > 100
    assert not [one.said.unknown for one in corpus.tried if any("failed" in text for text in one.said.unknown)]


def test_a_refusal_is_fatal(corpus: Corpus) -> None:
    assert [_said(one) for one in corpus.tried if one.missed] == []


def test_what_starts_is_not_fatal(corpus: Corpus) -> None:
    assert [_said(one) for one in corpus.tried if one.false] == []


def test_what_is_left_out_is_named(corpus: Corpus) -> None:
    gone = [(one, "model_list", entry) for one in corpus.tried for entry in one.dropped - one.named]
    gone += [(one, "guardrails", entry) for one in corpus.tried for entry in one.unprotected - one.named_guardrails]
    assert sum(len(one.dropped) for one in corpus.tried) > 100
    assert sum(len(one.unprotected) for one in corpus.tried) > 100
    assert [one.pack.data[key][entry] for one, key, entry in gone if not isinstance(one.pack.data, str)] == []


def test_what_is_not_left_out_is_not_called_so(corpus: Corpus) -> None:
    called = [
        one.pack.data["guardrails"][int(finding.path[1])]
        for one in corpus.tried
        if not one.look.refused and not isinstance(one.pack.data, str)
        for finding in one.said.findings
        if (finding.rule, finding.severity) == ("guardrail-left-out", "error")
        and int(finding.path[1]) not in one.unprotected
    ]
    assert called == []


def test_a_fix_never_ends_a_start_nor_changes_what_is_let_through(corpus: Corpus) -> None:
    fixed = [one for one in corpus.tried if one.mended is not None]
    assert len(fixed) >= 3
    assert [(_said(one), one.fixes, wrong) for one in fixed if (wrong := _worse(one))] == []


def test_the_page_says_what_was_seen(corpus: Corpus) -> None:
    text = block(corpus.version, rows_of(corpus.tried, corpus.asked), len(corpus.tried))
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if os.environ.get("LITELLM_TUI_WRITE_DOCS"):
        PAGE.write_text(with_block(page, corpus.version, text), encoding="utf-8")
        return
    assert blocks(page).get(corpus.version) == text
    assert page == with_block(page, corpus.version, text)


def _worse(one: Tried) -> str:
    """What is worse after the fixes, or "" where nothing is."""
    before, after = one.look, one.mended
    assert after is not None
    if before.refused:
        return ""
    if after.refused:
        return f"it does not start: {after.error[:200]}\n{text_of(one.pack)[:500]}"
    lost = set(before.seen["deployments"]) - set(after.seen["deployments"])
    changed = {
        name: (before.seen[name], after.seen[name])
        for name in ("guardrails", "custom_auth")
        if before.seen[name] != after.seen[name]
    }
    changed |= _differences(before.seen["limits"], after.seen["limits"])
    return f"{lost} {changed}" if lost or changed else ""


def _differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    names = before.keys() | after.keys()
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}
