"""Every rule of the audit, held against the real LiteLLM: what the audit says of a configuration is what happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from litellm_tui.actions.apply_fixes import mend
from litellm_tui.audit.asked_at_start import opened_files
from litellm_tui.audit.catalogue.records import parse_version
from litellm_tui.audit.named_modules import named_modules
from litellm_tui.audit.rule import SUBJECTS, all_rules
from litellm_tui.audit.run import audit_unusable_file, run_audit
from litellm_tui.audit.subject import Runtime, Subject
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.litellm_source.catalogues import shipped
from litellm_tui.collectors.litellm_source.python_modules import find_modules
from litellm_tui.host.environment_lines import lines_not_taken
from litellm_tui.model.audit import Audit
from litellm_tui.model.configuration import ConfigError
from tests.lab.environments import environments
from tests.proving.case import Case, runs
from tests.proving.ground import KEY, Ground


def _cases() -> Iterator[Case]:
    for subject in SUBJECTS:
        name = f"tests.proving.cases_{subject}"
        if find_spec(name) is not None:
            yield from import_module(name).CASES


CASES = tuple(_cases())
# without --long one in so many is tried: those of one rule stand beside each other
SPREAD = 3


def test_every_rule_is_proved_or_cites_its_page() -> None:
    # what is known against a release is proved where its advisory says
    proved = {rule for case in CASES for rule in case.finds}
    rules = all_rules()
    unproved = {
        name
        for name, rule in rules.items()
        if name not in proved
        and rule.subject != "release"
        and not (rule.severity == "advice" and "docs.litellm.ai" in rule.source)
    }
    assert unproved == set()
    assert proved <= set(rules)


def test_no_two_cases_share_a_name() -> None:
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_the_audit_says_happens(case: Case, ground: Ground, tmp_path: Path, long: bool) -> None:
    if not (long or case.since or case.until or ground.environment == environments()[0]):
        pytest.skip("it is so in each version: ./test --long asks the older ones too")
    if not (long or CASES.index(case) % SPREAD == 0):
        pytest.skip("others of its kind are tried: ./test --long tries all")
    text = case.config.replace("{upstream}", ground.upstream)
    path = tmp_path / "config.yaml"
    for name, content in {**case.files, "config.yaml": text}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    environment = {**({} if case.bare else {"LITELLM_MASTER_KEY": KEY}), **case.env}
    runtime = case.runtime or (None if case.packages is None else Runtime("", packages=case.packages))
    look = partial(_audit, str(path), environment, ground, runtime)
    result = look({})
    assert not [said for said in result.unknown if "failed" in said]
    lines: dict[str, list[int]] = {}
    for finding in result.findings:
        lines.setdefault(finding.rule, []).append(finding.mark.line)
    holds = _holds(case, ground.version)
    if holds:
        missed = {rule: line for rule, line in case.finds.items() if line not in lines.get(rule, [])}
        assert not missed, f"found {lines}"
    else:
        assert not set(case.finds) & set(lines), f"it does not hold for {ground.version}, and is found"
    serious = {finding.rule for finding in result.findings if finding.severity in ("fatal", "error")}
    assert serious <= set(case.finds), "more than the case is about"

    proof = case.proof if holds else case.otherwise
    if proof is not None:
        with ground.start(text, env=case.env, files=case.files, bare=case.bare, cold=case.cold) as run:
            proof(run)
    fixable = {f.rule for f in result.findings if f.rule in case.finds and f.fix is not None and not f.fix.decision}
    if not holds or not fixable:
        assert case.fixed is None or not holds, "nothing is fixed here"
        return
    mended = mend(look)
    assert not fixable & {finding.rule for finding in mended.audit.findings}, "a fix does not settle its finding"
    contents = {Path(name).name: content for name, content in mended.after.items()}
    config = contents.pop("config.yaml", text.encode())
    with ground.start(config, env=case.env, files={**case.files, **contents}, bare=case.bare) as run:
        (case.fixed or runs)(run)


def _holds(case: Case, version: str) -> bool:
    numbers, last = parse_version(version), parse_version(case.until)
    return numbers >= parse_version(case.since) and (not last or numbers[: len(last)] <= last)


def _audit(
    path: str,
    environment: Mapping[str, str],
    ground: Ground,
    runtime: Runtime | None,
    instead: Mapping[str, bytes],
) -> Audit:
    loaded = config_file.load(path, environment, instead)
    if isinstance(loaded, ConfigError):
        return audit_unusable_file(loaded, ground.version)
    modules = find_modules([name for _, name in named_modules(loaded.data)], path, str(ground.environment.python))
    lines = lines_not_taken(map(str, Path(path).parent.glob("*.env")), "systemd")
    absent = {value for _, value in opened_files(loaded.data) if not (Path(path).parent / value).exists()}
    subject = Subject(
        loaded,
        shipped().at(ground.version),
        shipped(),
        environment,
        runtime,
        modules,
        lines=lines,
        absent_files=frozenset(absent),
    )
    return run_audit(subject)
