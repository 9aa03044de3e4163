"""`litellm-tui audit` on files alone: what it prints, how it ends, and what `--fix` leaves of a file."""

from __future__ import annotations

import base64
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


# --- files of other kinds -------------------------------------------------------------------------------------------

MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: birds}
data:
  config.yaml: |
"""
POD = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: proxy}
spec:
  replicas: 2
  template:
    spec:
      containers:
        - image: ghcr.io/berriai/litellm:v1.106.2
          args: [--config, /etc/config.yaml, --num_workers, "2"]
          env: [{name: LITELLM_MASTER_KEY, value: sk-of-the-pod-1}]
          livenessProbe: {httpGet: {path: /health}}
      volumes: [{configMap: {name: birds}}]
"""


def _indented(text: str = TEXT) -> str:
    return "".join(f"    {line}" for line in text.splitlines(keepends=True))


def test_a_manifest_is_named_and_the_configuration_in_it_is_audited(capsys: pytest.CaptureFixture[str]) -> None:
    Path("map.yaml").write_text(MANIFEST + _indented() + POD, encoding="utf-8")
    assert main(["audit", "map.yaml", "--format", "json"]) == 1
    (audited,) = json.loads(capsys.readouterr().out)
    assert audited["kind"] == (
        "a Kubernetes manifest of 2 objects: the configuration is data.config.yaml of ConfigMap birds, run by "
        "Deployment proxy (2 replicas, 2 workers each)"
    )
    # the version is that of the image
    assert audited["version"] == "1.106.2"
    places = {one["rule"]: (one["mark"]["line"], one["mark"]["column"]) for one in audited["findings"]}
    assert places["unknown-router-key"] == (11, 7)
    assert places["unset-reference"] == (9, _indented().splitlines()[3].index("api_key:") + 1)
    assert places["probe-asks-health"] == (27, 43)
    assert {Path(one["mark"]["file"]).name for one in audited["findings"]} == {"map.yaml"}
    assert "unsafe-master-key" not in places
    assert any("each GET /health makes 1 call" in said for said in audited["costs"])


def test_the_image_of_a_manifest_is_judged_by_its_tag(capsys: pytest.CaptureFixture[str]) -> None:
    for tag, rule in (("main-latest", "floating-image"), ("main-v1.82.7", "release-compromised")):
        pod = POD.replace("v1.106.2", tag)
        Path("map.yaml").write_text(MANIFEST + _indented() + pod, encoding="utf-8")
        main(["audit", "map.yaml", "--format", "json"])
        (audited,) = json.loads(capsys.readouterr().out)
        assert rule in {one["rule"] for one in audited["findings"]}, tag


def test_a_fix_of_a_manifest_changes_one_line_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    path, text = Path("map.yaml"), MANIFEST + _indented() + POD
    path.write_text(text, encoding="utf-8")
    main(["audit", "map.yaml", "--fix", "--fail-on", "never"])
    assert path.read_text(encoding="utf-8") == text.replace("enable_pre_call_check:", "enable_pre_call_checks:")
    assert "+      enable_pre_call_checks: true" in capsys.readouterr().out


def test_a_secret_is_shown_as_text_and_keeps_its_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    inner = TEXT.replace("os.environ/LITELLM_MASTER_KEY", "sk-never-be-seen-1")
    coded = base64.b64encode(inner.encode()).decode()
    path = Path("secret.yaml")
    path.write_text(f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\ndata:\n  c.yaml: {coded}\n")
    main(["audit", "secret.yaml", "--fix", "--fail-on", "never"])
    said = capsys.readouterr()
    assert "enable_pre_call_checks" in said.out
    assert "sk-never-be-seen-1" not in said.out + said.err
    assert coded[:40] not in said.out + said.err
    assert "secret.yaml:5:11: " in said.out
    assert "enable_pre_call_checks" in base64.b64decode(path.read_text().split()[-1]).decode()


def test_a_file_without_a_configuration_ends_with_2_and_no_score(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pod.yaml").write_text(POD, encoding="utf-8")
    assert _audit("pod.yaml", "--fail-on", "never") == 2
    said = capsys.readouterr()
    assert "a Kubernetes Deployment without a configuration of LiteLLM: it names birds, which is not in it" in said.err
    assert "asks /health every 10 s" in said.err
    assert "score" not in said.out
    # the others are audited all the same
    assert _audit("pod.yaml", str(file), "--fail-on", "never") == 2
    assert "score" in capsys.readouterr().out


def test_the_file_that_compose_names_is_audited_with_its_variables(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("llm.env").write_text("export SMALL_KEY='sk-small-1'\n", encoding="utf-8")
    Path("compose.yaml").write_text(
        "services:\n  llm:\n    image: litellm/litellm\n    command: [--config, /app/config.yaml]\n"
        "    volumes: ['./config.yaml:/app/config.yaml']\n    env_file: llm.env\n"
        "    environment: {LITELLM_MASTER_KEY: sk-of-compose-1}\n"
        "    healthcheck: {test: curl -f localhost:4000/health}\n",
        encoding="utf-8",
    )
    assert main(["audit", "compose.yaml", "--fail-on", "never", "--format", "json"]) == 0
    (audited,) = json.loads(capsys.readouterr().out)
    assert audited["path"] == str(file)
    assert audited["kind"].startswith("compose.yaml is a Compose file, whose service llm reads this file")
    (probe,) = (one for one in audited["findings"] if one["rule"] == "probe-asks-health")
    assert (probe["mark"]["file"], probe["mark"]["line"]) == (str(Path("compose.yaml").absolute()), 8)
    # Compose takes the line with `export`
    assert "unset-reference" not in {one["rule"] for one in audited["findings"]}


def test_a_broken_configuration_in_a_manifest_is_fatal_at_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    Path("map.yaml").write_text(MANIFEST + "    model_list:\n    \t- {}\n", encoding="utf-8")
    assert _audit("map.yaml") == 1
    assert "map.yaml:7:5: fatal unusable-file: a tab in the indentation" in capsys.readouterr().out


@pytest.mark.parametrize("backwards", [False, True])
def test_a_file_that_another_one_includes_is_audited_once(
    file: Path, backwards: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    first = file.with_name("first.yaml")
    first.write_text("include: [config.yaml]\n", encoding="utf-8")
    files = [str(first), str(file)]
    assert _audit(*(reversed(files) if backwards else files), "--format", "json") == 0
    said = capsys.readouterr()
    (only,) = json.loads(said.out)
    assert only["path"] == str(first)
    assert [found["mark"]["line"] for found in only["findings"] if found["rule"] == "unknown-router-key"] == [6]
    assert "config.yaml is included by " in said.err
