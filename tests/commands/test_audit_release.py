"""`litellm-tui audit` on releases: planted files, newer advisories, and what another release changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from litellm_tui.cli import main
from tests.collectors.environments import environment
from tests.collectors.small_litellm import write

TEXT = """\
model_list:
  - model_name: small
    litellm_params: {model: openai/small, api_base: 'http://127.0.0.1:9/v1', api_key: sk-planted-secret}
general_settings: {master_key: sk-1234, by_get: sk-other-secret}
"""
NEWER = {
    "id": "GHSA-zzzz-zzzz-zzzz",
    "aliases": ["CVE-2027-1"],
    "summary": "A hole of tomorrow",
    "published": "2027-01-02T00:00:00Z",
    "database_specific": {"severity": "CRITICAL"},
    "affected": [
        {
            "package": {"name": "litellm", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.100.0"}, {"fixed": "1.200.0"}]}],
        }
    ],
}


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine: settings, state, cache and folder of the test's own."""
    for name in ("STATE", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


def test_a_planted_file_of_a_named_environment_is_told_at_its_place(
    tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = environment(tmp_path / "e", "1.99.1")
    packages = folder / "lib/python3.11/site-packages"
    write(packages)
    (packages / "litellm_init.pth").write_text("import os\n")
    assert main(["audit", file, "--litellm", str(folder)]) == 1
    assert "site-packages/litellm_init.pth:1:1: error planted-file: " in capsys.readouterr().out


def test_an_environment_without_litellm_is_a_mistake_of_the_command_line(
    tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", file, "--litellm", str(tmp_path)]) == 64
    assert "no litellm package" in capsys.readouterr().err
    assert main(["audit", file, "--against", "nonsense"]) == 64
    assert "'nonsense' is no version" in capsys.readouterr().err


def test_newer_advisories_are_taken_beside_the_shipped_ones(
    tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "osv.json"
    given.write_text(json.dumps(NEWER))
    main(["audit", file, "--litellm", "1.106.2", "--advisories", str(given)])
    said = capsys.readouterr().out
    assert "error release-vulnerable: LiteLLM 1.106.2 has CVE-2027-1 (2027-01-02): A hole of tomorrow" in said
    assert "upgrade to 1.200.0 or later" in said
    main(["audit", file, "--litellm", "1.106.2"])
    assert "CVE-2027-1" not in capsys.readouterr().out


def test_advisories_that_cannot_be_read_end_the_command(
    tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "osv.json"
    given.write_text("[]")
    assert main(["audit", file, "--advisories", str(given)]) == 64
    assert "no record about litellm" in capsys.readouterr().err


def test_another_release_is_told_in_words_with_places_and_sources(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", file, "--litellm", "1.77.7", "--against", "1.106.2"]) == 1
    said = capsys.readouterr().out
    assert "config.yaml: from LiteLLM 1.77.7 to 1.106.2" in said
    start, _, rest = said.partition("ends the start\n")[2].partition("\n\n")
    assert "config.yaml:4:" in start
    assert "source" in start
    assert "closes a known hole\n  CVE-2026-42271 (exploited" in rest
    assert "sk-planted-secret" not in said
    assert "sk-other-secret" not in said


def test_a_way_without_a_loss_ends_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plain.yaml").write_text("model_list: []\n")
    assert main(["audit", "plain.yaml", "--litellm", "1.106.2", "--against", "1.106.2"]) == 0
    assert "nothing that is known here changes for this file" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["json", "markdown"])
def test_the_comparison_comes_in_other_forms(file: str, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["audit", file, "--litellm", "1.77.7", "--against", "1.106.2", "--format", form])
    said = capsys.readouterr().out
    if form == "json":
        (result,) = json.loads(said)
        assert (result["before"], result["after"], result["changes"][0]["kind"]) == ("1.77.7", "1.106.2", "fatal")
    else:
        assert said.startswith("## `config.yaml`: from LiteLLM 1.77.7 to 1.106.2")
        assert "| ends the start | config.yaml:4:" in said


def test_environments_are_compared_by_their_own_source_and_price_maps(
    tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = []
    for name, model in (("old", "openai/small"), ("new", "openai/large")):
        folder = environment(tmp_path / name, "1.99.1")
        packages = folder / "lib/python3.11/site-packages"
        write(packages)
        (packages / "litellm/model_prices_and_context_window_backup.json").write_text(json.dumps({model: {}}))
        folders.append(str(folder))
    main(["audit", file, "--litellm", folders[0], "--against", folders[1]])
    said = capsys.readouterr().out
    assert "openai/small of small is not in the price map of LiteLLM 1.99.1" in said


def test_a_file_that_cannot_be_loaded_is_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.yaml").write_text("model_list: [")
    assert main(["audit", "broken.yaml", "--against", "1.106.2"]) == 65


MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: litellm}
data:
  config.yaml: |
    model_list: []
    general_settings:
      master_key: sk-1234
"""


def test_a_configuration_inside_another_file_is_compared_at_its_outer_places(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "map.yaml").write_text(MANIFEST)
    assert main(["audit", "map.yaml", "--litellm", "1.77.7", "--against", "1.106.2"]) == 1
    said = capsys.readouterr().out
    assert "map.yaml: from LiteLLM 1.77.7 to 1.106.2" in said
    assert "map.yaml:8:" in said


def test_an_image_that_floats_is_told_of_a_compose_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yaml").write_text("model_list: []\n")
    (tmp_path / "compose.yaml").write_text(
        "services:\n  litellm:\n    image: ghcr.io/berriai/litellm:main-latest\n"
        "    command: [--config, /app/config.yaml]\n    volumes: ['./config.yaml:/app/config.yaml']\n"
    )
    main(["audit", "compose.yaml"])
    assert "floating-image: the image is ghcr.io/berriai/litellm:main-latest" in capsys.readouterr().out


def test_a_file_that_another_one_includes_is_compared_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "whole.yaml").write_text("include: [part.yaml]\nmodel_list: []\n")
    (tmp_path / "part.yaml").write_text("litellm_settings:\n  default_fallbacks: a\n")
    (tmp_path / "other.yaml").write_text("litellm_settings:\n  default_fallbacks: a\n")
    names = ["whole.yaml", "part.yaml", "other.yaml"]
    assert main(["audit", *names, "--litellm", "1.77.7", "--against", "1.109.3"]) == 1
    said = capsys.readouterr()
    assert said.out.count("default_fallbacks is the text 'a'") == 2
    assert "part.yaml:2:3: LiteLLM 1.109.3 does not start with it" in said.out
    assert "part.yaml: from LiteLLM" not in said.out
    assert "part.yaml is included by" in said.err
