"""All that is known of one thing, as paragraphs: the detail screen and the wide layout's detail pane show them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.cells import cell_len, chop_cells

from litellm_tui.analysis.failures.stack_trace import fold_stack_trace
from litellm_tui.analysis.phrases import age, coarse_age, count
from litellm_tui.analysis.redaction.secret_names import names_a_secret
from litellm_tui.logs.log_line import clean
from litellm_tui.logs.store import RANK
from litellm_tui.model.diagnosis import Chain, Deployment, Verdict
from litellm_tui.model.log import LogRecord
from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.view import View, utc_clock
from litellm_tui.ui.widgets.header import SEVERITY_STYLES, STYLES
from litellm_tui.ui.widgets.lines import Row, Span

Paragraph = tuple[str, str, str]
"""`(name, text, style)`; a paragraph without a name takes the whole width and keeps its line breaks."""

_NAME_WIDTH = 13
# a record may hold a megabyte, and nobody scrolls through that
_LONGEST_SHOWN = 64_000
# of each line of a request
_LONGEST_LINE: Final = 300


def deployment_paragraphs(deployment: Deployment, view: View) -> Iterator[Paragraph]:
    """Everything known of a deployment, its last error in full at the end."""
    yield from state_paragraphs(deployment, view)
    yield from further_paragraphs(deployment, view)


def state_paragraphs(deployment: Deployment, view: View) -> Iterator[Paragraph]:
    """What it is in, why and since when, and what to do next."""
    verdict = deployment.verdict
    yield "state", verdict.state + _when(verdict.seen_at, view), STYLES[verdict.severity]
    yield "because", verdict.reason, "ok"
    yield "but", verdict.contradiction, "mark"
    yield "since", _when(verdict.since, view).strip(" ()"), "ok"
    yield "next", verdict.do, "strong"


def further_paragraphs(deployment: Deployment, view: View) -> Iterator[Paragraph]:
    """What that was made of, and what the file and the router say of it."""
    verdict = deployment.verdict
    if deployment.ok is not None and deployment.failed is not None:
        retried = ", each retry counted" if deployment.failed else ""
        yield "requests", f"{deployment.ok:,} answered, {deployment.failed:,} failed in 5 min{retried}", "quiet"
    yield from evidence_paragraphs(verdict, view)
    for number, finding in enumerate(deployment.findings):
        text = f"{finding.severity}, line {finding.mark.line}: {finding.text}"
        yield "audit" if not number else " ", text, SEVERITY_STYLES[finding.severity]
    yield "group", deployment.group, "ok"
    yield "model", deployment.model, "ok"
    yield "api_base", deployment.api_base or "", "ok"
    listed = {True: "yes", False: "no: /v1/models does not name its group", None: "not known"}[deployment.listed]
    yield "listed", listed, "bad" if deployment.listed is False else "quiet"
    yield "rpm / tpm", f"{deployment.rpm or 'none'} / {deployment.tpm or 'none'}", "quiet"
    yield "differs", "; ".join(deployment.differences) + " (running → file)" if deployment.differences else "", "mark"
    if deployment.file:
        yield "file", str(deployment.file.mark), "quiet"
        yield "unset", ", ".join(deployment.file.missing), "bad"
    if deployment.loaded:
        yield "id", deployment.loaded.id, "quiet"
        yield "mode", deployment.loaded.mode or "not set", "quiet"
        yield "from", "the database" if deployment.loaded.from_db else "the file", "quiet"
    params = deployment.file.params if deployment.file else deployment.loaded.params if deployment.loaded else {}
    for name, value in params.items():
        if name not in ("model", "api_base", "rpm", "tpm"):
            yield name, view.redact(_shown(name, value)), "quiet"
    if deployment.health and deployment.health.error:
        yield "", "", ""
        yield "last error", "", "head"
        yield "", view.redact(clean(deployment.health.error)), "ok"


def evidence_paragraphs(verdict: Verdict, view: View) -> Iterator[Paragraph]:
    """What was weighed, what speaks for it first."""
    styles = {"for": "ok", "against": "bad", "neither": "quiet"}
    for speaks, title in (("for", "for"), ("against", "against"), ("neither", "also")):
        for number, item in enumerate(e for e in verdict.evidence if e.speaks == speaks):
            text = f"{item.kind}: {clean(item.text)}{_when(item.seen_at, view)}"
            yield title if not number else " ", text, styles[speaks]


def _when(moment: float | None, view: View) -> str:
    if not moment:
        return ""
    # in steps, for it stands on the wide screen all day
    ago = coarse_age(view.now - moment)
    return f" ({'just now' if ago == 'now' else f'{ago} ago'}, {view.clock(moment)})"


def chain_words(chain: Chain, view: View) -> str:
    """The chain in one line, each target with its sign."""
    flaws = {"ghost": "NO SUCH GROUP", "cycle": "CYCLE", "malformed": "NOT A NAME"}
    any_group = chain.source.name == "*"
    targets = chain.targets if any_group else (chain.source, *chain.targets)
    steps = [f"{target.name} {flaws.get(target.flaw) or view.signs.states[target.state]}" for target in targets]
    return f" {view.signs.arrow} ".join(["any group", *steps] if any_group else steps)


def chain_paragraphs(chain: Chain, view: View) -> Iterator[Paragraph]:
    """One chain with every target in a line of its own."""
    yield "kind", chain.kind, "ok"
    yield "from", "any group" if chain.source.name == "*" else chain.source.name, "strong"
    for number, target in enumerate(chain.targets, start=1):
        flaw = {"ghost": ": no such model group", "cycle": ": leads back here", "malformed": ": not a name"}
        words = f"{target.name}, {target.state}{flaw.get(target.flaw, '')}"
        alias = f" (alias of {target.alias_of})" if target.alias_of else ""
        yield f"{number}.", words + alias, "bad" if target.flaw else "ok"
    applied = {True: "yes", False: "no: a restart applies it", None: "cannot be seen from outside"}[chain.applied]
    yield "runs", applied, "mark" if chain.applied is False else "quiet"
    yield "note", chain.note, "bad"


def record_paragraphs(record: LogRecord, view: View, *, full: bool = False) -> Iterator[Paragraph]:
    """One log record; its stack trace is folded to the frames that matter, unless it is wanted in full."""
    day = time.strftime(
        "%Y-%m-%d", time.gmtime(record.time) if view.clock is utc_clock else time.localtime(record.time)
    )
    yield "time", f"{day} {view.clock(record.time)} ({age(view.now - record.time)} ago)", "ok"
    yield "level", record.level, "bad" if record.level in ("ERROR", "CRITICAL") else "ok"
    logger = f" ({record.logger})" if record.logger else ""
    yield "source", f"{record.source}{logger}, process {record.process}", "quiet"
    yield "model", record.model, "ok"
    yield "status", str(record.status or ""), "ok"
    yield "call id", record.call_id, "quiet"
    yield "", "", ""
    yield "", _drawn(record.text, full), "strong"
    if record.stack:
        yield "", "", ""
        yield "stack trace", "", "head"
        yield "", _drawn(record.stack, full), "ok"


def request_paragraphs(lines: Sequence[LogRecord], view: View, *, full: bool = False) -> Iterator[Paragraph]:
    """A request by all of its lines, and the one that tells most in full: its worst, the last of several."""
    yield "lines", "", "head"
    for record in lines:
        style = "bad" if RANK[record.level] >= RANK["ERROR"] or record.status >= 500 else "ok"
        yield view.clock(record.time), drawable(record.text[:_LONGEST_LINE].strip().replace("\n", " ")), style
    yield "", "", ""
    telling = max(lines, key=lambda record: (RANK[record.level], record.sequence))
    yield from record_paragraphs(telling, view, full=full)


def _drawn(text: str, full: bool) -> str:
    shown, rest = text[:_LONGEST_SHOWN], len(text) - _LONGEST_SHOWN
    lines = shown.split("\n") if full else fold_stack_trace(shown)
    if rest > 0:
        lines.append(f"and {count(rest, 'more character')}: y copies all of it")
    return "\n".join(drawable(line) for line in lines)


def to_rows(paragraphs: Iterator[Paragraph] | Sequence[Paragraph], width: int) -> list[Row]:
    """Paragraphs broken to `width` cells; a named one without text is left out unless it is a heading."""
    rows: list[Row] = []
    for name, text, style in paragraphs:
        if name and not text:
            if style == "head":
                rows.append(Row(((f" {name}", "head"),)))
            continue
        room = max(10, width - (_NAME_WIDTH + 2 if name else 2))
        for number, line in enumerate(_broken(text, room)):
            lead: Span = (f" {name if not number else '':<{_NAME_WIDTH}} ", "quiet") if name else (" ", "")
            if name and cell_len(name) > _NAME_WIDTH and not number:
                lead = (f" {name} ", "quiet")
            rows.append(Row((lead, (line, style))))
    return rows


def _broken(text: str, room: int) -> Iterator[str]:
    for line in map(drawable, text.split("\n")):
        yield from _folded(line, room) if cell_len(line) > room else (line,)


def _folded(line: str, room: int) -> Iterator[str]:
    """Broken at blanks where there are any, else in the middle of a word; the indentation is kept."""
    indent = " " * min(len(line) - len(line.lstrip()), room // 2)
    current = ""
    for word in line.lstrip().split(" "):
        candidate = f"{current} {word}" if current else indent + word
        if cell_len(candidate) <= room:
            current = candidate
            continue
        if current.strip():
            yield current
        *full, rest = chop_cells(indent + word, room) or [""]
        yield from full
        current = rest
    yield current


def _shown(name: str, value: Any) -> str:
    if names_a_secret(name) and not str(value).startswith(("os.environ/", "•")):
        return "•••"
    return clean(str(value))
