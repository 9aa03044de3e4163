"""The rules about the release itself."""

from __future__ import annotations

import pytest

from litellm_tui.collectors.litellm_source.advisories import shipped_advisories
from litellm_tui.model.audit import Audit
from litellm_tui.model.release import PlantedFile, Release
from tests.audit.reading import audited, found

TABLE = shipped_advisories()
PLAIN = "model_list: []\n"
METADATA = "/opt/e/lib/python3.11/site-packages/litellm-{}.dist-info/METADATA"


def said(release: Release | None, text: str = PLAIN, version: str = "1.106.2") -> Audit:
    return audited(text, version=version, release=release, advisories=TABLE)


def installed(version: str, running: str = "") -> Release:
    return Release(installed=version, metadata=METADATA.format(version), running=running, looked=("/opt/e",))


def rules(result: Audit) -> set[str]:
    ours = ("release-", "planted-", "floating-", "companion-")
    return {finding.rule for finding in result.findings if finding.rule.startswith(ours)}


def test_a_release_without_an_advisory_is_left_alone_and_said_to_be_right() -> None:
    result = said(installed("1.106.2"))
    assert rules(result) == set()
    right = [strength.text for strength in result.right]
    assert any(text.startswith("no advisory of the table") and "concerns LiteLLM 1.106.2" in text for text in right)
    assert any("known compromised release" in text for text in right)


@pytest.mark.parametrize("version", ["1.82.7", "1.82.8", "1.107.0"])
def test_a_compromised_release_is_an_error_with_its_day_and_source(version: str) -> None:
    (finding, *_) = found(said(installed(version)), "release-compromised")
    assert finding.severity == "error"
    assert f"LiteLLM {version} is compromised (2026-" in finding.text
    assert "do not start its python" in finding.do.lower()
    assert finding.mark.file == METADATA.format(version)


def test_a_hole_that_is_exploited_names_the_release_that_mends_it() -> None:
    findings = found(said(installed("1.83.3")), "release-exploited")
    assert len(findings) == 3
    sql = next(finding for finding in findings if "CVE-2026-42208" in finding.text)
    assert "CISA" in sql.text
    assert "2026-04-24" in sql.text
    assert sql.do.startswith("upgrade to 1.84.0 or later (the first without an exploited or critical hole")
    assert "1.83.7 mends this one" in sql.do
    assert "disable_error_logs" in sql.do


def test_other_holes_go_by_their_severity() -> None:
    severities = {f.severity for f in found(said(installed("1.83.7")), "release-vulnerable")}
    assert severities == {"error", "warning", "advice"}


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (PLAIN, "advice"),
        ("general_settings: {enable_jwt_auth: false}\n", "advice"),
        ("general_settings: {enable_jwt_auth: true}\n", "error"),
        ("general_settings: {enable_jwt_auth: os.environ/JWT}\n", "error"),
    ],
)
def test_a_hole_that_a_setting_opens_is_no_error_without_it(text: str, severity: str) -> None:
    (finding,) = [f for f in found(said(installed("1.82.6"), text), "release-vulnerable") if "CVE-2026-35030" in f.text]
    assert finding.severity == severity
    assert ("not open here" in finding.text) == (severity == "advice")


def test_what_runs_and_what_is_installed_are_told_apart() -> None:
    result = said(installed("1.106.2", running="1.83.3"))
    exploited = found(result, "release-exploited")
    assert all("the running LiteLLM 1.83.3" in finding.text for finding in exploited)
    assert all("restart: the installed 1.106.2 does not have it" in finding.do for finding in exploited)
    (other,) = found(result, "release-not-running")
    assert other.text == "installed 1.106.2, runs 1.83.3 until the next restart"
    assert "--litellm 1.83.3 --against 1.106.2" in other.do


@pytest.mark.parametrize("running", ["", "1.106.2", "1.106.2+local"])
def test_one_release_is_one(running: str) -> None:
    assert rules(said(installed("1.106.2", running=running))) == set()


def test_only_what_the_gateway_reports_is_known() -> None:
    assert rules(said(Release(running="1.83.3"))) >= {"release-exploited"}


def test_the_image_says_the_release_where_nothing_else_does() -> None:
    result = said(Release(image="ghcr.io/berriai/litellm:v1.83.3-stable"))
    assert "of the image ghcr.io/berriai/litellm:v1.83.3-stable" in found(result, "release-exploited")[0].text
    assert "names its release" in str(result.right)


def test_a_version_that_was_asked_for_is_held_against_the_table_itself() -> None:
    # 1.83.3 is none of the releases that were scanned: the nearest is, and has other holes
    assert len(found(said(None, version="1.83.3"), "release-exploited")) == 3
    assert found(said(None, version="1.83.12"), "release-exploited") == []


@pytest.mark.parametrize("version", ["v1.83.3", "v1.83.3-stable", "main-v1.83.3"])
def test_a_tag_is_as_good_as_its_version(version: str) -> None:
    assert len(found(said(None, version=version), "release-exploited")) == 3


def test_the_package_of_the_proxy_beside_litellm_is_said_not_to_have_been_read() -> None:
    release = Release("1.110.2", METADATA.format("1.110.2"), companions={"litellm_proxy": "1.110.2"})
    assert any("litellm-proxy 1.110.2" in line for line in said(release, version="1.110.2").unknown)


def test_without_a_version_nothing_is_said() -> None:
    assert rules(said(None, version="")) == set()


def test_a_planted_file_is_an_error_at_its_own_place() -> None:
    path = "/opt/e/lib/python3.11/site-packages/litellm_init.pth"
    release = Release("1.106.2", METADATA.format("1.106.2"), planted=(PlantedFile(path, ("PYSEC-2026-2",)),))
    (finding,) = found(said(release), "planted-file")
    assert (finding.severity, finding.mark.file) == ("error", path)
    assert "PYSEC-2026-2" in finding.text


def test_what_could_not_be_looked_at_is_said() -> None:
    result = said(Release(running="1.106.2", unseen=("what a compromised release leaves behind: no right",)))
    assert any("no right" in line for line in result.unknown)


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ("ghcr.io/berriai/litellm:main-latest", True),
        ("ghcr.io/berriai/litellm", True),
        ("ghcr.io/berriai/litellm:v1.106.2-stable", False),
        ("registry.local/litellm:ours", False),
    ],
)
def test_an_image_that_floats_is_a_warning(image: str, told: bool) -> None:
    findings = found(said(Release("1.106.2", METADATA.format("1.106.2"), image=image)), "floating-image")
    assert [finding.severity for finding in findings] == ["warning"] * told


def test_a_release_that_was_withdrawn_is_a_warning() -> None:
    (finding,) = found(said(installed("0.1.7713")), "release-yanked")
    assert finding.severity == "warning"


def test_a_package_that_ends_the_start_is_fatal() -> None:
    release = Release("1.96.2", METADATA.format("1.96.2"), companions={"fastapi": "0.141.1"})
    (finding,) = found(said(release), "companion-breaks-start")
    assert finding.severity == "fatal"
    assert "fastapi<0.140.7" in finding.do
    other = Release("1.106.2", METADATA.format("1.106.2"), companions={"fastapi": "0.141.1"})
    assert found(said(other), "companion-breaks-start") == []


def test_a_release_newer_than_all_that_were_read_says_what_is_not_known() -> None:
    result = said(None, version="9.1.0")
    assert any("LiteLLM 9.1.0 is newer than" in line for line in result.unknown)
    assert not any("is newer than" in line for line in said(None, version="1.100.0").unknown)


def test_a_text_that_is_no_version_is_held_against_nothing() -> None:
    assert rules(said(Release(running="unknown"))) == set()
