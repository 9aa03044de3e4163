"""A rule's proof: a configuration, what the audit must say of it, and what the real LiteLLM must do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from litellm_tui.audit.subject import Runtime

if TYPE_CHECKING:
    from tests.proving.ground import Run

Proof = Callable[["Run"], None]
"""Looks at the real LiteLLM and asserts that the rule is right about it; it raises AssertionError where not."""


class Case(msgspec.Struct, frozen=True):
    """One configuration that shows one or more rules.

    `config` is YAML text; `{upstream}` in it becomes the address of an upstream that answers (`http://…/v1`).
    `finds` maps each rule to the line (1-based) that it must name. Whatever else of severity fatal or error the audit
    says is a failure: a case is clean but for what it shows. `proof` is asserted on the running (or refused) proxy.
    `fixed`, where the rule has a fix that is applied without asking, is asserted on the proxy after `--fix`'s edits; by
    default that it runs. `since` and `until` bound the versions in which this is so; in other versions `otherwise` is
    asserted, and the rules must be silent. `packages` are what the audit is told of the distributions beside LiteLLM,
    `runtime` what it is told of the unit.
    """

    id: str
    config: str
    finds: Mapping[str, int]
    proof: Proof
    env: Mapping[str, str] = {}
    files: Mapping[str, str] = {}
    fixed: Proof | None = None
    otherwise: Proof | None = None
    since: str = ""
    until: str = ""
    bare: bool = False
    cold: bool = False
    packages: frozenset[str] | None = None
    runtime: Runtime | None = None


def refused(*words: str) -> Proof:
    """LiteLLM does not start, and says these words; of several, each of another release, one of them."""

    def proof(run: Run) -> None:
        assert run.refused, f"it started\n{run.log[-2000:]}"
        assert any(one in run.log for one in words), run.log[-3000:]

    return proof


def runs(run: Run) -> None:
    """LiteLLM starts."""
    assert not run.refused, run.log[-3000:]


def logs(words: str) -> Proof:
    """LiteLLM starts, and writes these words to its log."""

    def proof(run: Run) -> None:
        runs(run)
        assert any(one in run.log for one in words), run.log[-3000:]

    return proof


def dropped(*names: str) -> Proof:
    """LiteLLM starts without these groups."""

    def proof(run: Run) -> None:
        runs(run)
        assert not set(names) & _loaded(run), _loaded(run)

    return proof


def serves(*names: str) -> Proof:
    """A request for each of these names is answered."""

    def proof(run: Run) -> None:
        runs(run)
        for name in names:
            status, body, _ = run.chat(name)
            assert status == 200, (name, status, body)

    return proof


def fails(name: str, words: str = "", status: int | None = None) -> Proof:
    """A request for this name fails, with these words in the answer or the log."""

    def proof(run: Run) -> None:
        runs(run)
        got, body, _ = run.chat(name)
        assert got >= 400, (got, body)
        assert status is None or got == status, (got, body)
        assert words in f"{body}{run.log}", (got, body, run.log[-2000:])

    return proof


def both(*proofs: Proof) -> Proof:
    """All of these, in their order."""

    def proof(run: Run) -> None:
        for one in proofs:
            one(run)

    return proof


def _loaded(run: Run) -> set[Any]:
    return {entry.get("model_name") for entry in run.models()}
