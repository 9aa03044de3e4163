"""A rule is a generator over a `Subject` with a decorator that describes it.

    @rule(
        "unknown-section", "warning", "A section that LiteLLM does not read",
        why="Only known top-level keys are read; others are ignored without a line in the log.",
        source="litellm/proxy/proxy_server.py, ProxyConfig.load_config (1.106.2)",
    )
    def unknown_section(subject: Subject) -> Iterator[Hit | Right]:
        ...
        yield Hit("'server_settings' is not read", path=("server_settings",))

A rule needs a proof: a test on a real LiteLLM of each version it covers, or, for advice, a citation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Final

import msgspec

from litellm_tui.model.audit import Severity
from litellm_tui.model.configuration import Mark
from litellm_tui.model.edits import Edit, Path

if TYPE_CHECKING:
    from litellm_tui.audit.subject import Subject

SUBJECTS: Final = (
    "file",
    "deployments",
    "models",
    "params",
    "fallbacks",
    "aliases",
    "router",
    "litellm",
    "cache",
    "callbacks",
    "general",
    "costs",
    "environment",
    "lost",
    "headers",
    "start_modules",
    "start_guardrails",
    "start_mcp",
    "start_sections",
    "start_deployments",
    "start_settings",
    "start_values",
    "start_json",
    "start_code",
    "start_packages",
    "unit",
    "release",
    "hardening",
)
"""The modules of `rules`, in the order in which docs/rules.md shows them."""


class Hit(msgspec.Struct, frozen=True):
    """Something that a rule found. `path` leads into the merged configuration; `mark` is for what has no path there.

    `text` is about this place, in one line. `edits` resolve it, with paths into the merged configuration. `decision`
    says what the operator must decide before the edits apply. `severity` overrides the rule's. `proposes` are the edits
    that `do` describes where none are offered: what they would lead to is looked at before it is advised.
    """

    text: str
    path: Path = ()
    do: str = ""
    edits: tuple[Edit, ...] = ()
    decision: str = ""
    severity: Severity | None = None
    mark: Mark | None = None
    proposes: tuple[Edit, ...] = ()


class Right(msgspec.Struct, frozen=True):
    """Something that the rule checked and found right; never a guess."""

    text: str
    path: Path = ()


RuleCheck = Callable[["Subject"], Iterator[Hit | Right]]


class Rule(msgspec.Struct, frozen=True):
    """A rule: `since` and `until` are the first and last LiteLLM version it covers, empty without a limit.

    `why` says what LiteLLM does, in a sentence or two; `source` is the place in its code or documentation, with the
    version it was read in; `fix` says in general what to do.
    """

    id: str
    severity: Severity
    title: str
    why: str
    source: str
    fix: str
    check: RuleCheck
    subject: str
    since: str = ""
    until: str = ""


RULES: dict[str, Rule] = {}


def rule(
    id: str, severity: Severity, title: str, *, why: str, source: str, fix: str, since: str = "", until: str = ""
) -> Callable[[RuleCheck], RuleCheck]:
    """Register the decorated function as a rule of its module's subject."""

    def register(check: RuleCheck) -> RuleCheck:
        assert id not in RULES, f"two rules are called {id}"
        subject = check.__module__.rpartition(".")[2]
        RULES[id] = Rule(id, severity, title, why, source, fix, check, subject, since, until)
        return check

    return register


def all_rules() -> dict[str, Rule]:
    """Every rule by its id, in the order of the subjects."""
    for name in SUBJECTS:
        import_module(f"litellm_tui.audit.rules.{name}")
    return dict(sorted(RULES.items(), key=lambda item: SUBJECTS.index(item[1].subject)))
