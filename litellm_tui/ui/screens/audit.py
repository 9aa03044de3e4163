"""The audit of the configuration: findings worst first, all about the selected one below, its fix as a diff."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.binding import BindingType

from litellm_tui.analysis.audit_phrases import arithmetic, summary
from litellm_tui.model.audit import Audit, Finding, Severity
from litellm_tui.model.diagnosis import Place
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.screens.live import LiveList
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.header import SEVERITY_STYLES
from litellm_tui.ui.widgets.lines import Row, cell

_SIGNS: Final[dict[Severity, str]] = {"fatal": "failing", "error": "failing", "warning": "degraded", "advice": "idle"}


class AuditScreen(LiveList[None, Finding]):
    """Enter shows the fix of the selected finding."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("audit")
    NAME, WHAT, OFFERS, COMMAND = "audit", "Audit", (("lists.open", "fix"),), ("audit",)
    ORDERS: ClassVar[Mapping[str, Callable[[Finding], object]]] = {
        "line": lambda finding: (finding.mark.file, finding.mark.line),
        "rule": lambda finding: (finding.rule, finding.mark.line),
    }

    def __init__(self, view: View, on_fix: Callable[[Finding], None]) -> None:
        super().__init__(view)
        self._on_fix = on_fix

    def rows(self, width: int) -> Iterator[Row]:
        return audit_rows(self._view, width)

    def head(self, width: int) -> Row | None:
        return audit_head(self._view.diagnosis.audit, width)

    def items(self) -> Iterator[tuple[str, Finding]]:
        audit = self._view.diagnosis.audit
        return ((key_of(finding), finding) for finding in ((*audit.findings, *audit.silenced) if audit else ()))

    def paragraphs(self, item: Finding) -> Iterator[Paragraph]:
        return finding_paragraphs(item)

    def opened(self, item: Finding) -> None:
        self._on_fix(item)


def key_of(finding: Finding) -> str:
    """What tells one finding from the others while the file is edited around it."""
    return f"{finding.rule}:{'.'.join(map(str, finding.path))}:{finding.text}"


def audit_rows(view: View, width: int) -> Iterator[Row]:
    """The findings; then what is right, what was silenced, what was not looked at, and the score."""
    audit = view.diagnosis.audit
    for problem in view.diagnosis.problems:
        if problem.place == Place("reading", "audit") and problem.solved_at is None:
            yield from to_rows([("", f" {problem.reason}", "unknown")], width)
    if audit is None:
        why = "no configuration file is known here" if view.profile.config is None else "reading"
        yield Row(((f" {why}", "unknown"),))
        return
    yield from to_rows([("", f" {summary(audit)}, for LiteLLM {audit.version}, {audit.basis}", "quiet")], width)
    room, rules = _columns(audit, width)
    for finding in audit.findings:
        yield _row(finding, audit, view, room, rules, width)
    yield Row((("", ""),))
    yield from to_rows([("", f" score {arithmetic(audit.score)}", "strong")], width)
    yield from _section("right", ((praise.text, "ok") for praise in audit.right), width)
    if audit.silenced:
        yield Row(((" silenced", "head"),))
        for finding in audit.silenced:
            yield _row(finding, audit, view, room, rules, width)
    yield from _section("what health checks cost", ((text, "quiet") for text in audit.costs), width)
    yield from _section("not looked at", ((text, "unknown") for text in audit.unknown), width)


def _columns(audit: Audit, width: int) -> tuple[int, int]:
    """Cells of the place in the file, and of the rule."""
    places = [_place(finding, audit) for finding in (*audit.findings, *audit.silenced)]
    room = min(max((cell_len(place) for place in places), default=0), max(6, width // 4))
    rules = min(max((cell_len(f.rule) for f in audit.findings), default=0), max(12, width // 4)) if width >= 116 else 0
    return max(4, room), rules


def audit_head(audit: Audit | None, width: int) -> Row | None:
    """The names of the columns; None where there is no finding."""
    if audit is None or not (audit.findings or audit.silenced):
        return None
    places, rules = _columns(audit, width)
    names = (
        f"   {cell('how bad', 8)}{cell('line', places, right=True)} {cell('rule', rules) + ' ' if rules else ''}what"
    )
    return Row(((cell(names, width), "head"),))


def finding_paragraphs(finding: Finding) -> Iterator[Paragraph]:
    """One finding in full."""
    yield finding.severity, finding.text, SEVERITY_STYLES[finding.severity]
    yield "do", finding.do, "strong"
    if finding.fix is not None:
        yield "decide", finding.fix.decision, "warn"
        if not finding.fix.decision:
            yield "fix", "Enter shows it as a diff", "ok"
    yield "because", finding.why, "ok"
    yield "silenced", finding.silenced or "", "mark"
    yield "where", str(finding.mark), "quiet"
    yield "rule", f"{finding.rule} · {finding.source}", "quiet"


def _place(finding: Finding, audit: Audit) -> str:
    mark = finding.mark
    return str(mark.line) if mark.file == audit.path else f"{os.path.basename(mark.file)}:{mark.line}"


def _row(finding: Finding, audit: Audit, view: View, places: int, rules: int, width: int) -> Row:
    silenced = finding.silenced is not None
    style = "quiet" if silenced else SEVERITY_STYLES[finding.severity]
    spans = [
        (f" {view.signs.states[_SIGNS[finding.severity]]} ", style),
        (cell(finding.severity, 8), style),
        (cell(_place(finding, audit), places, right=True) + " ", "quiet"),
    ]
    if rules:
        spans.append((cell(finding.rule, rules) + " ", "quiet"))
    fixable = "fix" if finding.fix is not None and not silenced else ""
    rest = width - 11 - places - 1 - (rules + 1 if rules else 0) - 4
    spans.append((cell(finding.text, rest), "quiet" if silenced or finding.severity == "advice" else "ok"))
    spans.append((cell(fixable, 4, right=True), "mark"))
    return Row(tuple(spans), key_of(finding))


def _section(title: str, items: Iterator[tuple[str, str]], width: int) -> Iterator[Row]:
    found = list(items)
    if found:
        yield Row(((f" {title}", "head"),))
        for text, style in found:
            yield from to_rows([("", f" {text}", style)], width)
