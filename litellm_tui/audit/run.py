"""Runs the rules over a subject, adds place and fix to their findings, and separates the silenced ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from litellm_tui.analysis.phrases import first_of
from litellm_tui.audit.advisories.companions import PROXY
from litellm_tui.audit.catalogue.records import Catalogue, parse_version
from litellm_tui.audit.health_costs import sentences
from litellm_tui.audit.proposed import Proposals, needed_variables
from litellm_tui.audit.rule import Hit, Right, Rule, all_rules
from litellm_tui.audit.subject import Subject
from litellm_tui.model.audit import RANK, Audit, Deduction, Finding, Score, Severity, Strength
from litellm_tui.model.configuration import ConfigError, ConfigFile, Ignore, Mark
from litellm_tui.model.edits import Edit, Fix, Move

# points taken by each rule of a severity, and the most that all of them take
_WEIGHTS: Final[dict[Severity, tuple[float, float]]] = {
    "fatal": (10.0, 10.0),
    "error": (2.0, 8.0),
    "warning": (0.5, 4.0),
    "advice": (0.1, 1.0),
}
_BASIS: Final = {
    "installed": "read from the installed source",
    "shipped": "from the shipped catalogue",
    "newest": "the newest that is known here: which one runs is not known",
}
UNUSABLE: Final = "unusable-file"


def run_audit(subject: Subject, silenced: Mapping[str, str] = {}) -> Audit:
    """The audit by every rule that covers the version. `silenced` maps rules to the operator's reasons."""
    findings: list[Finding] = []
    right: list[Strength] = []
    rules = all_rules()
    stumbled: list[str] = []
    proposals = Proposals(subject, rules.values())
    for one in rules.values():
        if not subject.runs(one.since, one.until):
            continue
        try:
            said = tuple(one.check(subject))
        except Exception as error:  # noqa: BLE001  # a rule that fails must not take the others, or the console, along
            stumbled.append(f"{one.id}: the rule itself failed ({type(error).__name__}), please report it")
            continue
        findings += [_finding(one, hit, subject, proposals) for hit in said if isinstance(hit, Hit)]
        right += [
            Strength(good.text, subject.file.mark(good.path) if good.path else None)
            for good in said
            if isinstance(good, Right)
        ]
    findings += _idle_ignores(subject.file.ignores, rules, findings)
    judged = [_silence(finding, subject.file.ignores, silenced) for finding in findings]
    judged.sort(key=lambda finding: _order(finding, subject.file))
    open_ones = tuple(finding for finding in judged if finding.silenced is None)
    needs = needed_variables(subject, rules.values())
    score = score_findings(open_ones)
    if needs and not any(finding.severity == "fatal" for finding in open_ones):
        score = msgspec.structs.replace(score, waits_for=needs)
    return Audit(
        path=subject.file.path,
        version=subject.catalogue.version,
        basis=_basis(subject.catalogue),
        findings=open_ones,
        silenced=tuple(finding for finding in judged if finding.silenced is not None),
        right=tuple(right),
        unknown=(*_unknown(subject, needs), *stumbled),
        score=score,
        costs=tuple(sentences(subject)),
    )


def _basis(catalogue: Catalogue) -> str:
    """Where it is known from what this version reads, and whether it is only the nearest one."""
    if catalogue.asked:
        return f"the nearest to {catalogue.asked} that the shipped catalogue has: what that one reads may differ"
    return _BASIS[catalogue.source]


def audit_unusable_file(
    error: ConfigError, version: str, around: Subject | None = None, silenced: Mapping[str, str] = {}
) -> Audit:
    """The audit of a file that LiteLLM cannot load at all; of what is `around` it only the release is looked at."""
    finding = Finding(
        rule=UNUSABLE,
        severity="fatal",
        title="LiteLLM cannot load the file",
        text=error.problem,
        mark=Mark(error.file, error.line or 1, error.column or 1),
        do="mend the file; a restart now would end with a gateway that does not start",
        why="LiteLLM reads the file with PyYAML, and ends when that fails.",
        source="litellm/proxy/proxy_server.py, ProxyConfig._get_config_from_file",
    )
    if around is None:
        return Audit(error.file, version, "", (finding,), score=score_findings((finding,)))
    rules = [one for one in all_rules().values() if one.subject == "release"]
    bare = Proposals(around, ())
    found = [_finding(one, hit, around, bare) for one in rules for hit in one.check(around) if isinstance(hit, Hit)]
    judged = [_silence(one, (), silenced) for one in found]
    open_ones = (finding, *(one for one in judged if one.silenced is None))
    return Audit(
        error.file,
        version,
        _basis(around.catalogue),
        open_ones,
        silenced=tuple(one for one in judged if one.silenced is not None),
        score=score_findings(open_ones),
    )


def score_findings(findings: Iterable[Finding]) -> Score:
    """10, less the points of each rule with a finding, by its severity."""
    rules: dict[str, Severity] = {}
    for finding in findings:
        before = rules.get(finding.rule)
        if before is None or RANK[finding.severity] < RANK[before]:
            rules[finding.rule] = finding.severity
    deductions = []
    for severity, (each, limit) in _WEIGHTS.items():
        if count := sum(found == severity for found in rules.values()):
            deductions.append(Deduction(severity, count, each, min(each * count, limit)))
    return Score(max(0.0, round(10.0 - sum(d.points for d in deductions), 1)), tuple(deductions))


def _finding(one: Rule, hit: Hit, subject: Subject, proposals: Proposals) -> Finding:
    do, fix = hit.do or one.fix, _fix(hit, one, subject.file)
    proposed = hit.edits or hit.proposes
    # what ends the start already cannot be made worse
    if proposed and (hit.severity or one.severity) != "fatal" and (refusal := proposals.refusal(proposed)):
        do, fix = f"{do}, but not as it stands: LiteLLM would then not start ({refusal})", None
    return Finding(
        rule=one.id,
        severity=hit.severity or one.severity,
        title=one.title,
        text=hit.text,
        mark=hit.mark or subject.file.mark(hit.path),
        path=hit.path,
        do=do,
        why=one.why,
        source=one.source,
        fix=fix,
    )


def _fix(hit: Hit, one: Rule, file: ConfigFile) -> Fix | None:
    """The edits with paths into the one file they belong to; None where they belong to two."""
    if not hit.edits:
        return None
    found: list[tuple[str, Edit]] = [_local(edit, file) for edit in hit.edits]
    names = {name for name, _ in found}
    if len(names) != 1 or "" in names:
        return None
    return Fix(names.pop(), tuple(edit for _, edit in found), hit.do or one.fix, hit.decision)


def _local(edit: Edit, file: ConfigFile) -> tuple[str, Edit]:
    name, path = file.local(edit.path)
    if isinstance(edit, Move):
        other, to = file.local(edit.to)
        return (name if other == name else ""), msgspec.structs.replace(edit, path=path, to=to)
    return name, msgspec.structs.replace(edit, path=path)


def _order(finding: Finding, file: ConfigFile) -> tuple[int, int, str, int, int]:
    place = file.files.index(finding.mark.file) if finding.mark.file in file.files else len(file.files)
    return (RANK[finding.severity], place, finding.mark.file, finding.mark.line, finding.mark.column)


def _silence(finding: Finding, ignores: Iterable[Ignore], silenced: Mapping[str, str]) -> Finding:
    reason = silenced.get(finding.rule)
    for ignore in ignores:
        here = (ignore.mark.file, ignore.line) == (finding.mark.file, finding.mark.line)
        if here and ignore.rule == finding.rule and ignore.reason:
            reason = ignore.reason
    return finding if reason is None else msgspec.structs.replace(finding, silenced=reason)


def _idle_ignores(
    ignores: Iterable[Ignore], rules: Mapping[str, Rule], findings: Iterable[Finding]
) -> Iterator[Finding]:
    found = {(finding.rule, finding.mark.file, finding.mark.line) for finding in findings}
    for ignore in ignores:
        if ignore.rule not in rules:
            text = f"{ignore.rule!r} is no rule" if ignore.rule else "it names no rule"
        elif not ignore.reason:
            text = f"{ignore.rule} is not silenced: a reason is wanted after the rule's name"
        elif (ignore.rule, ignore.mark.file, ignore.line) not in found:
            text = f"{ignore.rule} finds nothing on line {ignore.line}: the comment can go"
        else:
            continue
        yield Finding(
            rule="idle-ignore",
            severity="advice",
            title="A comment that silences nothing",
            text=text,
            mark=ignore.mark,
            do="write `# litellm-tui: ignore RULE reason`, or take the comment out",
            why="A finding is silenced on its own line, or by a comment alone on the line above.",
            source="litellm-tui",
        )


def _unknown(subject: Subject, needs: tuple[str, ...]) -> Iterator[str]:
    if subject.environment is None:
        more = f"; to start at all it needs {first_of(needs)}" if needs else ""
        yield f"the environment of LiteLLM: variables were taken as set{more}"
    elif subject.withheld.others:
        yield "variables that come from elsewhere: they were taken as set"
    if subject.runtime is None:
        yield "the service unit: no rule about it was asked"
    if subject.release is not None:
        yield from subject.release.unseen
        if beside := subject.release.companions.get(PROXY):
            yield f"what the package litellm-proxy {beside} beside LiteLLM reads: only LiteLLM's own source was read"
    yield from _newer(subject)


def _newer(subject: Subject) -> Iterator[str]:
    """What is not known of a release that came out after those that were read for this program."""
    known, version = subject.spans.releases[-1:], subject.catalogue.asked or subject.catalogue.version
    if not known or parse_version(version) <= parse_version(known[0]):
        return
    read = subject.catalogue.source == "installed"
    what = "which refusals came with it" if read else "which keys, values and refusals came with it"
    yield f"LiteLLM {version} is newer than {known[0]}, the newest that was read for this program: {what} is not known"
    if subject.catalogue.compiled:
        parts = first_of(subject.catalogue.compiled, 3)
        yield f"compiled parts of LiteLLM {version} ({parts}): only what its Python source reads was read"
