"""`litellm-tui audit` on files alone: what it prints, how it ends, and what `--fix` leaves of a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from litellm_tui.cli import main
from litellm_tui.monitor.auditor import Auditor

# comments, quotes and order must outlive a fix
TEXT = """\
# the gateway
model_list:
  - model_name: "small"   # quoted
    litellm_params: {model: openai/small, api_base: 'http://127.0.0.1:9/v1', api_key: os.environ/SMALL_KEY}
router_settings:
  enable_pre_call_check: true   # as the documentation had it
  num_retries: 2
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine: settings, state and folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def _audit(*words: str) -> int:
    return main(["audit", "--litellm", "1.106.2", *words])


def test_a_finding_stands_as_a_compiler_writes_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _audit(str(file)) == 0
    said = capsys.readouterr().out
    assert "config.yaml:6:3: warning unknown-router-key: " in said
    assert "enable_pre_call_checks" in said
    assert "score " in said
    assert "not looked at" in said


@pytest.mark.parametrize(("limit", "status"), [("fatal", 0), ("error", 0), ("warning", 1), ("advice", 1), ("never", 0)])
def test_the_exit_status_follows_the_limit(file: Path, limit: str, status: int) -> None:
    assert _audit(str(file), "--fail-on", limit) == status


def test_a_fix_changes_the_key_and_nothing_else(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _audit(str(file), "--fix") == 0
    assert file.read_text(encoding="utf-8") == TEXT.replace("enable_pre_call_check:", "enable_pre_call_checks:")
    said = capsys.readouterr().out
    assert "+  enable_pre_call_checks: true" in said
    assert "unknown-router-key" not in said.partition("the file before is")[2]
    (backup,) = (path for path in Path("state").rglob("config.yaml.backup.*"))
    assert backup.read_text(encoding="utf-8") == TEXT


def test_a_dry_run_writes_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = file.stat()
    assert _audit(str(file), "--fix", "--dry-run") == 0
    assert "+  enable_pre_call_checks: true" in capsys.readouterr().out
    assert (file.read_text(encoding="utf-8"), file.stat().st_mtime_ns) == (TEXT, before.st_mtime_ns)
    assert not Path("state").exists()


def test_json_and_sarif_are_one_document_each(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _audit(str(file), "--format", "json") == 0
    (audit,) = json.loads(capsys.readouterr().out)
    assert audit["version"] == "1.106.2"
    assert any(finding["rule"] == "unknown-router-key" for finding in audit["findings"])
    assert _audit(str(file), "--format", "sarif") == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    result = next(result for result in run["results"] if result["ruleId"] == "unknown-router-key")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "unknown-router-key"
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "config.yaml"},
        "region": {"startLine": 6, "startColumn": 3},
    }


def test_a_silenced_finding_is_told_with_its_reason(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = TEXT.replace("# as the documentation had it", "# litellm-tui: ignore unknown-router-key being discussed")
    file.write_text(text, encoding="utf-8")
    assert _audit(str(file), "--fail-on", "warning") == 0
    assert "config.yaml:6:3: unknown-router-key: being discussed" in capsys.readouterr().out


def test_the_settings_file_silences_a_rule_everywhere(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Path("settings/litellm-tui/config.yaml")
    settings.parent.mkdir(parents=True)
    settings.write_text("audit:\n  ignore:\n    unknown-router-key: the team knows\n", encoding="utf-8")
    assert _audit(str(file), "--fail-on", "warning") == 0
    assert "the team knows" in capsys.readouterr().out


def test_a_file_that_does_not_parse_is_fatal(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("model_list: [\n", encoding="utf-8")
    assert _audit(str(file)) == 1
    assert "fatal unusable-file" in capsys.readouterr().out


def test_a_missing_file_and_a_folder_are_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _audit("nowhere.yaml") == 66
    assert "there is no such file" in capsys.readouterr().err
    assert _audit(str(tmp_path)) == 66
    assert "name the file in it" in capsys.readouterr().err


def test_a_variable_is_missed_only_where_the_environment_is_known(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _audit(str(file))
    assert "SMALL_KEY" not in capsys.readouterr().out
    (tmp_path / "litellm.env").write_text("LITELLM_MASTER_KEY=sk-long-enough\n", encoding="utf-8")
    _audit(str(file), "--env-file", "litellm.env")
    assert "SMALL_KEY" in capsys.readouterr().out


def test_a_rule_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--explain", "unknown-router-key"]) == 0
    assert "source" in capsys.readouterr().out
    assert main(["audit", "--explain", "unknown-router-kee"]) == 64
    assert "did you mean unknown-router-key" in capsys.readouterr().err


def test_no_secret_of_the_file_is_printed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(TEXT.replace("os.environ/SMALL_KEY", "sk-verysecretvalue12345"), encoding="utf-8")
    for form in ("text", "json", "sarif", "markdown"):
        _audit(str(file), "--format", form)
        said = capsys.readouterr()
        assert "verysecretvalue" not in said.out + said.err
    _audit(str(file), "--fix")
    said = capsys.readouterr()
    assert "verysecretvalue" not in said.out + said.err


def test_the_audit_is_made_without_what_the_reader_of_the_installed_litellm_raises(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: Auditor) -> bool:
        raise RecursionError("sk-this-must-never-be-seen-1234567890")

    monkeypatch.setattr(Auditor, "prepare", fails)
    assert main(["audit", str(file), "--format", "json"]) == 0
    said = capsys.readouterr()
    (audited,) = json.loads(said.out)
    assert any("RecursionError" in unknown for unknown in audited["unknown"])
    assert "never-be-seen" not in said.out + said.err


def test_a_line_of_an_environment_file_that_only_a_shell_takes_is_named(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("litellm.env").write_text("LITELLM_MASTER_KEY=sk-good-1\n  export SMALL_KEY=sk-small-1\nexported=1\n")
    _audit(str(file), "--env-file", "litellm.env")
    said = capsys.readouterr()
    assert "litellm.env:2:10: error environment-line-lost: systemd leaves SMALL_KEY out" in said.out
    assert said.out.count("error environment-line-lost") == 1
    assert "sk-small-1" not in said.err + said.out


def test_the_score_waits_for_an_environment_that_is_not_known(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _audit(str(file))
    said = capsys.readouterr().out
    assert "to start at all it needs LITELLM_MASTER_KEY" in said
    assert "score waits for the environment" in said
    Path("litellm.env").write_text("LITELLM_MASTER_KEY=sk-good-1\nSMALL_KEY=sk-small-1\n")
    _audit(str(file), "--env-file", "litellm.env")
    assert "of 10" in capsys.readouterr().out.rpartition("score ")[2]
