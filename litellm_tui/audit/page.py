"""Texts about the rules: the page docs/rules.md, and `litellm-tui audit --explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from litellm_tui.audit.rule import SUBJECTS, Rule

_TITLES: Final[Mapping[str, str]] = {
    "file": "The file",
    "deployments": "Deployments",
    "models": "Models and their addresses",
    "params": "Keys and credentials of deployments",
    "fallbacks": "Fallbacks",
    "aliases": "Aliases",
    "router": "router_settings",
    "litellm": "litellm_settings",
    "cache": "The cache",
    "callbacks": "Callbacks",
    "general": "general_settings",
    "costs": "What health checks cost",
    "environment": "The environment",
    "lost": "Secrets and callbacks that are lost",
    "start_modules": "Python modules",
    "start_guardrails": "Guardrails",
    "start_mcp": "MCP servers",
    "start_sections": "Other sections that are loaded at the start",
    "start_settings": "Settings that are loaded at the start",
    "start_values": "Values that are checked at the start",
    "start_packages": "Packages",
    "unit": "The unit",
    "hardening": "Hardening",
}
_INTRODUCTION: Final = """\
# The rules of the audit

`litellm-tui audit`, the key `a` in the console. This page is made from the rules themselves.

- **fatal**: LiteLLM does not start. **error**: requests or a feature fail. **warning**: something is not as it was
  meant, or will bite. **advice**: it works, and could be better.
- Every rule above advice is proved by a test that starts the real LiteLLM with such a configuration; advice cites its
  page. Versions are those of LiteLLM.
- Leave a finding alone with a comment on its line, or alone on the line above:
  `# litellm-tui: ignore RULE reason`; everywhere with `audit: {ignore: {RULE: reason}}` in the settings file.
- A file that LiteLLM cannot load at all is `unusable-file`, a comment that silences nothing is `idle-ignore`."""


def rules_page(rules: Mapping[str, Rule]) -> str:
    """The page docs/rules.md, as Markdown."""
    lines = [_INTRODUCTION]
    for subject in SUBJECTS:
        mine = [rule for rule in rules.values() if rule.subject == subject]
        if mine:
            lines += ["", f"## {_TITLES[subject]}"]
        for rule in mine:
            lines += ["", f"### {rule.id}", "", *_paragraphs(rule)]
    return "\n".join(lines) + "\n"


def explain_rule(rule: Rule) -> Iterator[str]:
    """The lines about one rule, for a terminal."""
    yield f"{rule.id} ({rule.severity}){_versions(rule)}: {rule.title}"
    yield f"  because  {rule.why}"
    yield f"  do       {rule.fix}"
    yield f"  source   {rule.source}"


def _paragraphs(rule: Rule) -> Iterator[str]:
    yield f"**{rule.severity}**{_versions(rule)} · {rule.title}."
    yield ""
    yield f"{rule.why}  "
    yield f"*Do:* {rule.fix}  "
    yield f"*Source:* {rule.source}"


def _versions(rule: Rule) -> str:
    if rule.since and rule.until:
        return f", {rule.since} to {rule.until}"
    return f", since {rule.since}" if rule.since else f", until {rule.until}" if rule.until else ""
