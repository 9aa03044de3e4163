"""Texts about the rules: the page docs/rules.md, and `litellm-tui audit --explain`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from litellm_tui.audit.rule import SUBJECTS, Rule
from litellm_tui.model.release import Advisory

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
    "headers": "Headers that carry a secret",
    "start_modules": "Python modules",
    "start_guardrails": "Guardrails",
    "start_mcp": "MCP servers",
    "start_sections": "Other sections that are loaded at the start",
    "start_deployments": "Deployments that are checked at the start",
    "start_settings": "Settings that are loaded at the start",
    "start_values": "Values that are checked at the start",
    "start_json": "Settings that are taken over as JSON",
    "start_code": "Code and patterns",
    "start_packages": "Packages",
    "unit": "The unit",
    "release": "The release",
    "hardening": "Hardening",
}
_INTRODUCTION: Final = """\
# The rules of the audit

`litellm-tui audit`, the key `a` in the console. This page is made from the rules themselves.

- **fatal**: LiteLLM does not start. **error**: requests or a feature fail. **warning**: something is not as it was
  meant, or will bite. **advice**: it works, and could be better.
- Every rule above advice is proved by a test that starts the real LiteLLM with such a configuration; advice cites its
  page, and what is known against a release its advisory. Versions are those of LiteLLM.
- Leave a finding alone with a comment on its line, or alone on the line above:
  `# litellm-tui: ignore RULE reason`; everywhere with `audit: {ignore: {RULE: reason}}` in the settings file.
- A file that LiteLLM cannot load at all is `unusable-file`, a comment that silences nothing is `idle-ignore`."""


_ADVISORIES: Final = """\
# Advisories

The releases of LiteLLM that are compromised, have known holes or were withdrawn, as this version of litellm-tui ships
them. This page is made from the table itself. Each entry was held against the source that it names, and is as true as
that was on 2026-11-30; `audit --advisories FILE` takes newer records in OSV's form (one, a list, a folder or a zip, as
OSV exports them) beside it.

- An *exploited* hole and a *compromised* release put a gateway AT RISK, in the header and among the problems.
- Versions are compared as Python compares them: 1.83.7rc1 comes before 1.83.7 and does not hold its mends.
- A file with (?) counts only beside another sign: honest software has that name too.
- Left out, since which releases it concerns could not be verified: CVE-2026-114612 (GHSA-7hp6-4w63-5g45, critical,
  2026-10-22, an administrator's rights by the reuse of the salt key).
- Releases that end their own start with a newer package are in the rule `companion-breaks-start`, those that want the
  internet to start in `cost-map-at-start` ([rules.md](rules.md))."""


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


def advisories_page(table: Iterable[Advisory]) -> str:
    """The page docs/advisories.md, as Markdown."""
    lines = [_ADVISORIES, "", "| advisory | kind | releases | date | what | source |", "|---|---|---|---|---|---|"]
    for one in table:
        more = "; ".join(filter(None, (one.summary, one.exploited, *_needs(one), *_left(one), one.note)))
        names = ", ".join((one.known_as, *sorted(one.names - {one.known_as})))
        lines.append(f"| {names} | {one.kind} | {_releases(one)} | {one.published} | {more} | {one.source} |")
    return "\n".join(lines) + "\n"


def _needs(one: Advisory) -> Iterator[str]:
    for path, value in one.needs.items():
        yield f"only with {path}: {str(value).lower()}"


def _left(one: Advisory) -> Iterator[str]:
    if one.files:
        places = {"packages": "", "home": "~/", "temporary": "/tmp/"}
        files = (f"{places[file.place]}{file.name}" + ("" if file.certain else " (?)") for file in one.files)
        yield f"leaves {', '.join(files)}"


def _releases(one: Advisory) -> str:
    spans = []
    for span in one.ranges:
        begin = "" if span.introduced == "0" else f"{span.introduced} "
        spans.append(f"{begin}before {span.fixed}" if span.fixed else f"{begin}to {span.last_affected or 'the newest'}")
    return ", ".join((*one.versions, *spans))


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
