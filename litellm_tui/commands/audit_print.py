"""The forms in which an audit is printed: text for people and editors, Markdown, SARIF for code hosts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote

from litellm_tui import __version__
from litellm_tui.analysis.audit_phrases import arithmetic, summary
from litellm_tui.audit.rule import all_rules
from litellm_tui.logs.log_line import clean
from litellm_tui.model.audit import Audit, Finding, Severity
from litellm_tui.model.configuration import Mark

_LEVELS: Final[dict[Severity, str]] = {"fatal": "error", "error": "error", "warning": "warning", "advice": "note"}


def text(result: Audit) -> Iterator[str]:
    """`FILE:LINE:COLUMN: SEVERITY RULE: …`, as compilers write it, what to do below it; then the rest."""
    for line in _text(result):
        yield clean(line)


def _text(result: Audit) -> Iterator[str]:
    told: set[str] = set()
    if result.kind:
        yield f"{_shown(result.path)}: {result.kind}"
    for finding in result.findings:
        yield f"{place(finding.mark)}: {finding.severity} {finding.rule}: {finding.text}"
        if finding.do:
            offered = "" if finding.fix is None else " (--fix does it)" if not finding.fix.decision else ""
            yield f"    do       {finding.do}{offered}"
        if finding.fix is not None and finding.fix.decision:
            yield f"    decide   {finding.fix.decision}"
        if finding.rule not in told:
            told.add(finding.rule)
            yield f"    because  {finding.why}"
            yield f"    source   {finding.source}"
    if result.findings:
        yield ""
    yield from _section("what is right", (strength.text for strength in result.right))
    yield from _section("what health checks cost", result.costs)
    yield from _section("silenced", (f"{place(f.mark)}: {f.rule}: {f.silenced}" for f in result.silenced))
    yield from _section("not looked at", result.unknown)
    yield f"{_shown(result.path)}: {summary(result)}"
    yield f"score {arithmetic(result.score)}, for LiteLLM {result.version}" + (
        f" ({result.basis})" if result.basis else ""
    )


def place(mark: Mark) -> str:
    """The place as an editor takes it, with the path from here where that is shorter."""
    return f"{_shown(mark.file)}:{mark.line}:{mark.column}"


def _shown(path: str) -> str:
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else path


def _section(title: str, items: Any) -> Iterator[str]:
    found = list(items)
    if found:
        yield title
        yield from (f"  {item}" for item in found)
        yield ""


def markdown(result: Audit) -> str:
    """A report for a ticket or a pull request."""
    rows = [f"## Audit of `{_shown(result.path)}`", ""]
    rows += [f"{_cell(result.kind)}.", ""] if result.kind else []
    rows += [f"{summary(result)}. Score {arithmetic(result.score)}. LiteLLM {result.version} ({result.basis}).", ""]
    if result.findings:
        rows += ["| severity | rule | where | what | do |", "|---|---|---|---|---|"]
        rows += [
            f"| {f.severity} | `{f.rule}` | {_shown(f.mark.file)}:{f.mark.line} | {_cell(f.text)} | {_cell(f.do)} |"
            for f in result.findings
        ]
        rows.append("")
    for title, items in (
        ("Right", [strength.text for strength in result.right]),
        ("What health checks cost", list(result.costs)),
        ("Silenced", [f"`{f.rule}`, line {f.mark.line}: {f.silenced}" for f in result.silenced]),
        ("Not looked at", list(result.unknown)),
    ):
        if items:
            rows += [f"### {title}", "", *(f"- {_cell(item)}" for item in items), ""]
    return "\n".join(rows).rstrip("\n")


def _cell(value: str) -> str:
    return clean(value).replace("\n", " ").replace("|", "\\|").replace("<", "&lt;")


def sarif(audits: Sequence[Audit]) -> dict[str, Any]:
    """One SARIF 2.1.0 log with a run for all files (docs.oasis-open.org/sarif/sarif/v2.1.0)."""
    known = all_rules()
    findings = [finding for result in audits for finding in (*result.findings, *result.silenced)]
    used = sorted({finding.rule: finding for finding in findings}.items())
    places = {rule: number for number, (rule, _) in enumerate(used)}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "litellm-tui",
                        "semanticVersion": __version__,
                        "rules": [
                            {
                                "id": rule,
                                "shortDescription": {"text": finding.title},
                                "fullDescription": {"text": finding.why},
                                "help": {
                                    "text": f"{known[rule].fix if rule in known else finding.do}\n{finding.source}"
                                },
                                "defaultConfiguration": {
                                    "level": _LEVELS[known[rule].severity if rule in known else finding.severity]
                                },
                            }
                            for rule, finding in used
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(finding, places) for finding in findings],
            }
        ],
    }


def _sarif_result(finding: Finding, places: dict[str, int]) -> dict[str, Any]:
    shown = _shown(finding.mark.file)
    uri = quote(shown) if not os.path.isabs(shown) else f"file://{quote(shown)}"
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": places[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": clean(f"{finding.text}. {finding.do}" if finding.do else finding.text)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri},
                    "region": {"startLine": finding.mark.line, "startColumn": finding.mark.column},
                }
            }
        ],
        "properties": {"severity": finding.severity},
    }
    if finding.silenced is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": clean(finding.silenced)}]
    return result
