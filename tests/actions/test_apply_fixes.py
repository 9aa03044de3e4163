"""Fixes of an audit, carried out on files: all that needs no decision, and not a byte besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from litellm_tui.actions.apply_fixes import ROUNDS, Mended, mend, mend_one, write
from litellm_tui.actions.rewrite import Written
from litellm_tui.collectors.config import config_file
from litellm_tui.model.audit import Audit, Finding
from litellm_tui.model.configuration import Mark
from litellm_tui.model.edits import Edit, Fix, Remove, SetValue
from litellm_tui.model.failures import Failure
from litellm_tui.monitor.auditor import Auditor
from litellm_tui.storage.backups import Backups

MODELS = (
    "# the gateway of the house\r\nmodel_list:\r\n"
    "- {model_name: a, litellm_params: {model: openai/a, api_key: os.environ/KEY}} # first\r\n"
    "- {model_name: b, litellm_params: {model: openai/b, api_key: os.environ/KEY}}\r\n"
)


def _real(path: Path) -> Callable[[Mapping[str, bytes]], Audit]:
    """The audit of this file for one LiteLLM."""
    auditor = Auditor(None, {}, "1.106.2")
    return lambda instead: auditor.audit(config_file.load(str(path), {}, instead), None)


def _file(folder: Path, text: str, name: str = "config.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def _finding(path: Path, edit: Edit, text: str = "it is wrong", decision: str = "") -> Finding:
    fix = Fix(str(path), (edit,), "mend it", decision)
    return Finding("some-rule", "error", "Something", text, Mark(str(path), 1), fix=fix)


def _rules(audit: Audit) -> set[str]:
    return {finding.rule for finding in audit.findings}


def test_a_fix_brings_to_light_what_another_one_settles(tmp_path: Path) -> None:
    path = _file(tmp_path, MODELS + "router_settings:\r\n  num_retries: 1 # once\r\n  fallbacks:\r\n  - a: 'a, b'\r\n")
    mended = mend(_real(path))
    assert [finding.rule for finding in mended.applied] == ["fallback-not-a-list", "fallback-to-itself"]
    after = MODELS + "router_settings:\r\n  num_retries: 1 # once\r\n  fallbacks:\r\n  - a:\r\n    - 'b'\r\n"
    assert mended.after == {str(path): after.encode()}
    assert mended.before == {str(path): path.read_bytes()}
    assert mended.left == ()
    assert not {"fallback-not-a-list", "fallback-to-itself"} & _rules(mended.audit)


def test_two_fixes_of_one_list_leave_each_others_places_right(tmp_path: Path) -> None:
    fallbacks = "  fallbacks:\r\n  - a: [a, b] # of a\r\n  - b: [b]\r\n"
    path = _file(tmp_path, f"{MODELS}router_settings:\r\n{fallbacks}")
    mended = mend(_real(path))
    assert [finding.rule for finding in mended.applied] == ["fallback-to-itself"] * 2
    assert mended.after[str(path)].decode() == f"{MODELS}router_settings:\r\n  fallbacks:\r\n  - a: [b] # of a\r\n"


def test_what_needs_a_decision_is_left_alone(tmp_path: Path) -> None:
    path = _file(tmp_path, MODELS + "router_settings:\r\n  fallbacks:\r\n  - a: [ghost]\r\n")
    mended = mend(_real(path))
    assert (mended.before, mended.after, mended.applied, mended.left) == ({}, {}, (), ())
    (ghost,) = [finding for finding in mended.audit.findings if finding.rule == "ghost-fallback"]
    assert ghost.fix is not None
    assert ghost.fix.decision
    one = mend_one(ghost.fix)
    assert isinstance(one, Mended)
    assert one.after == {str(path): MODELS.encode()}


def test_each_file_is_changed_by_itself(tmp_path: Path) -> None:
    more = _file(tmp_path, "# more\nrouter_settings:\n  fallbacks: [{a: b}] # beside\n", "more.yaml")
    path = _file(tmp_path, "litellm_settings: {context_window_fallbacks: [{b: a}]}\ninclude: [more.yaml]\n" + MODELS)
    mended = mend(_real(path))
    assert len(mended.applied) == 2
    assert mended.after == {
        str(path): path.read_bytes().replace(b"{b: a}", b"{b: [a]}"),
        str(more): more.read_bytes().replace(b"{a: b}", b"{a: [b]}"),
    }
    outcomes = write(mended, Backups("", "", tmp_path))
    assert {outcome.path for outcome in outcomes if isinstance(outcome, Written)} == {str(path), str(more)}
    assert {name: Path(name).read_bytes() for name in mended.after} == mended.after
    again = mend(_real(path))
    assert again.applied == ()


def test_a_fix_that_cannot_be_carried_out_is_left_with_its_reason(tmp_path: Path) -> None:
    path = _file(tmp_path, "x: &x [a]\ny: *x\nz: 1\n")
    shared = _finding(path, SetValue(("x", 0), "b"))
    other = _finding(path, SetValue(("z",), 2), "another thing")
    mended = mend(lambda instead: Audit(str(path), "", "", (shared,) if instead else (shared, other)))
    assert mended.applied == (other,)
    ((finding, why),) = mended.left
    assert finding is shared
    assert "used elsewhere as *x" in why
    assert mended.after == {str(path): b"x: &x [a]\ny: *x\nz: 2\n"}


def test_a_fix_that_settles_nothing_is_not_tried_for_ever(tmp_path: Path) -> None:
    path = _file(tmp_path, "n: 0\n")
    asked: list[Mapping[str, bytes]] = []

    def audit(instead: Mapping[str, bytes]) -> Audit:
        asked.append(dict(instead))
        return Audit(str(path), "", "", (_finding(path, SetValue(("n",), len(asked))),))

    mended = mend(audit)
    assert len(asked) == ROUNDS + 1
    assert mended.after == {str(path): f"n: {ROUNDS}\n".encode()} == asked[-1]
    assert path.read_bytes() == b"n: 0\n"


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    finding = _finding(tmp_path / "gone.yaml", Remove(("a",)))
    with pytest.raises(FileNotFoundError):
        mend(lambda _: Audit("", "", "", (finding,)))
    assert finding.fix is not None
    refused = mend_one(finding.fix)
    assert isinstance(refused, Failure)
    assert refused.why == f"{tmp_path}/gone.yaml: No such file or directory"


def test_one_fix_alone_is_carried_out_or_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, "a: 1 # one\nb: 2\n")
    done = mend_one(Fix(str(path), (SetValue(("a",), 3),), "", "whether 3 is meant"))
    assert isinstance(done, Mended)
    assert (done.before, done.after) == ({str(path): b"a: 1 # one\nb: 2\n"}, {str(path): b"a: 3 # one\nb: 2\n"})
    refused = mend_one(Fix(str(path), (SetValue(("b",), 3), Remove(("c",))), ""))
    assert isinstance(refused, Failure)
    assert "there is no c in the file" in refused.why
    assert path.read_bytes() == b"a: 1 # one\nb: 2\n"


def test_what_was_there_before_lies_in_the_backups(tmp_path: Path) -> None:
    path = _file(tmp_path, "a: 1\n")
    path.chmod(0o640)
    done = mend_one(Fix(str(path), (SetValue(("a",), 2),), ""))
    assert isinstance(done, Mended)
    backups = Backups("", "", tmp_path)
    (written,) = write(done, backups)
    assert isinstance(written, Written)
    assert (path.read_bytes(), Path(written.backup).read_bytes()) == (b"a: 2\n", b"a: 1\n")
    assert Path(written.backup).parent == backups.folder
    (kept,) = backups.load()
    assert (kept.why, kept.files[0].path, kept.files[0].mode) == ("before a fix", str(path), 0o640)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_file_that_was_changed_meanwhile_is_not_written(tmp_path: Path) -> None:
    one, two = _file(tmp_path, "a: 1\n"), _file(tmp_path, "b: 1\n", "more.yaml")
    findings = (_finding(one, SetValue(("a",), 2)), _finding(two, SetValue(("b",), 2), "there too"))
    mended = mend(lambda instead: Audit(str(one), "", "", () if instead else findings))
    one.write_bytes(b"a: 5 # by hand\n")
    backups = Backups("", "", tmp_path)
    refused, written = write(mended, backups)
    assert isinstance(refused, Failure)
    assert "changed by somebody else" in refused.why
    assert one.read_bytes() == b"a: 5 # by hand\n"
    assert isinstance(written, Written)
    assert two.read_bytes() == b"b: 2\n"
    (kept,) = backups.load()
    assert backups.content(kept.id) == {str(two): b"b: 1\n"}


def test_without_a_backup_nothing_is_written(tmp_path: Path) -> None:
    path = _file(tmp_path, "a: 1\n")
    done = mend_one(Fix(str(path), (SetValue(("a",), 2),), ""))
    assert isinstance(done, Mended)
    (tmp_path / "state").write_text("a file where the folder should be")
    (refused,) = write(done, Backups("", "", tmp_path / "state"))
    assert isinstance(refused, Failure)
    assert "nothing was written" in refused.why
    assert path.read_bytes() == b"a: 1\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[{a: 'b'}]", "[{a: ['b']}]"),
        ('[{a: "b"}]', '[{a: ["b"]}]'),
        ("[{a: b}]", "[{a: [b]}]"),
        ('[{"a": "b"}]', '[{"a": ["b"]}]'),
    ],
)
def test_a_fallback_that_becomes_a_list_keeps_its_quotes(tmp_path: Path, before: str, after: str) -> None:
    path = _file(tmp_path, MODELS + f"router_settings: {{num_retries: 1, fallbacks: {before}}}\r\n")
    [content] = mend(_real(path)).after.values()
    assert content.decode() == MODELS + f"router_settings: {{num_retries: 1, fallbacks: {after}}}\r\n"


def test_a_budget_moves_by_no_fix_of_its_own(tmp_path: Path) -> None:
    path = _file(tmp_path, MODELS + "general_settings:\r\n  max_budget: 100\r\n  budget_duration: 30d\r\n")
    mended = mend(_real(path))
    assert mended.after == {}
    [finding] = [f for f in mended.audit.findings if f.path == ("general_settings", "max_budget")]
    assert finding.fix is not None
    moved = mend_one(finding.fix)
    assert isinstance(moved, Mended)
    [content] = moved.after.values()
    assert b"litellm_settings:\r\n  max_budget: 100\r\n  budget_duration: 30d\r\n" in content


def test_verbose_logging_is_taken_out(tmp_path: Path) -> None:
    path = _file(tmp_path, MODELS + "litellm_settings:\r\n  set_verbose: true\r\n  drop_params: true\r\n")
    [content] = mend(_real(path)).after.values()
    assert content.decode() == MODELS + "litellm_settings:\r\n  drop_params: true\r\n"
