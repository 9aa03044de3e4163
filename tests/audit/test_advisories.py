"""The table of advisories: which releases it concerns, and how a newer one is taken in."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from litellm_tui.audit.advisories import osv
from litellm_tui.audit.advisories.companions import BREAKERS, breaks
from litellm_tui.audit.advisories.cvss import base_score
from litellm_tui.audit.advisories.images import floats, version_of_image
from litellm_tui.audit.advisories.matching import affecting, mended_in, refuge
from litellm_tui.collectors.litellm_source.advisories import shipped_advisories
from litellm_tui.model.release import Advisory, AffectedRange

TABLE = shipped_advisories()


def record(name: str, events: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    """An OSV record about LiteLLM as GitHub writes them."""
    package = {"name": "litellm", "ecosystem": "PyPI"}
    return {"id": name, "affected": [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}], **more}


def decoded(*records: dict[str, Any]) -> list[Advisory]:
    return osv.decode(msgspec.json.encode(list(records)))


def known(version: str) -> set[str]:
    return {one.known_as for one in affecting(TABLE, version)}


@pytest.mark.parametrize(
    ("version", "exploited"),
    [
        ("1.74.1", set()),
        ("1.74.2", {"CVE-2026-42271"}),
        ("1.77.7", {"CVE-2026-42271"}),
        ("1.81.7", {"CVE-2026-42271"}),
        ("1.81.8", {"CVE-2026-42271", "CVE-2026-40217"}),
        ("1.81.15", {"CVE-2026-42271", "CVE-2026-40217"}),
        ("1.81.16", {"CVE-2026-42271", "CVE-2026-40217", "CVE-2026-42208"}),
        ("1.83.6", {"CVE-2026-42271", "CVE-2026-40217", "CVE-2026-42208"}),
        ("1.83.7rc1", {"CVE-2026-42271", "CVE-2026-40217", "CVE-2026-42208"}),
        ("1.83.7", {"CVE-2026-40217"}),
        ("1.83.9", {"CVE-2026-40217"}),
        ("1.83.10", set()),
        ("1.106.2", set()),
        ("1.110.2", set()),
    ],
)
def test_each_exploited_hole_is_true_to_its_range(version: str, exploited: set[str]) -> None:
    assert {one.known_as for one in affecting(TABLE, version) if one.kind == "exploited"} == exploited


@pytest.mark.parametrize(
    ("version", "compromised"),
    [
        ("1.82.6", False),
        ("1.82.7", True),
        ("1.82.8", True),
        ("1.83.0", False),
        ("1.107.0", True),
        ("1.107.0rc1", False),
        ("1.107.0rc2", False),
        ("1.107.0.dev3", False),
        ("1.107.0+rebuilt", True),
        ("1.108.0", False),
    ],
)
def test_a_compromised_release_is_that_release_alone(version: str, compromised: bool) -> None:
    assert any(one.kind == "compromised" for one in affecting(TABLE, version)) == compromised


@pytest.mark.parametrize(
    ("version", "open_"), [("1.38.10", True), ("1.44.7", True), ("1.44.8", False), ("1.77.7", False)]
)
def test_a_key_is_sent_anywhere_until_its_release(version: str, open_: bool) -> None:
    assert any(one.known_as == "CVE-2024-6587" for one in affecting(TABLE, version)) == open_


def test_every_entry_says_when_and_from_where() -> None:
    assert len(TABLE) > 15
    for one in TABLE:
        # an index does not say when a release was withdrawn, only that it is
        seen = one.source.partition("as of ")[2] if one.kind == "yanked" else one.published
        assert seen.count("-") == 2, one.id
        assert one.source, one.id
        assert one.summary, one.id
        assert bool(one.exploited) == (one.kind == "exploited"), one.id
        assert one.ranges or one.versions, one.id


def test_the_release_to_go_to_has_no_hole_that_is_exploited_or_critical() -> None:
    assert refuge(TABLE, "1.77.7") == "1.84.0"
    assert refuge(TABLE, "1.82.8") == "1.84.0"
    assert refuge(TABLE, "1.107.0") == ""
    assert refuge(TABLE, "1.107.0", ["1.106.12", "1.107.0", "1.108.14", "1.109.3"]) == "1.108.14"
    hole = next(one for one in TABLE if one.known_as == "CVE-2026-42208")
    assert mended_in(hole, "1.82.0") == "1.83.7"


def test_what_is_no_version_has_no_advisories() -> None:
    assert affecting(TABLE, "") == ()
    assert affecting(TABLE, "main-latest") == ()


def test_ranges_open_at_either_end() -> None:
    since = Advisory("A", "high", "", ranges=(AffectedRange("1.5"),))
    until = Advisory("B", "high", "", ranges=(AffectedRange("0", last_affected="1.5"),))
    told = {version: [one.id for one in affecting((since, until), version)] for version in ("0.1.dev1", "1.5", "1.5.1")}
    assert told == {"0.1.dev1": ["B"], "1.5": ["A", "B"], "1.5.1": ["A"]}


def test_a_single_record_a_list_and_a_wrapped_list_are_read() -> None:
    one = record("GHSA-aaaa-bbbb-cccc", [{"introduced": "1.2"}, {"fixed": "1.4"}])
    for document in (one, [one], {"vulns": [one]}):
        (found,) = osv.decode(msgspec.json.encode(document))
        assert (found.id, found.ranges) == ("GHSA-aaaa-bbbb-cccc", (AffectedRange("1.2", "1.4"),))


def test_records_of_other_packages_and_ranges_of_commits_are_left_out() -> None:
    other = record("GHSA-1", [{"introduced": "0"}])
    other["affected"][0]["package"]["name"] = "litellm-proxy-extras"
    commits = record("GHSA-2", [{"introduced": "0"}])
    commits["affected"][0]["ranges"][0]["type"] = "GIT"
    assert [(one.id, one.ranges) for one in decoded(other, commits)] == [("GHSA-2", ())]


def test_a_hole_that_came_back_has_two_ranges() -> None:
    events = [{"introduced": "2.0"}, {"fixed": "1.4"}, {"introduced": "1.2"}, {"last_affected": "2.3"}]
    (found,) = decoded(record("GHSA-1", events))
    assert found.ranges == (AffectedRange("1.2", "1.4"), AffectedRange("2.0", last_affected="2.3"))


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"database_specific": {"severity": "CRITICAL"}}, "critical"),
        ({"database_specific": {"severity": "MODERATE"}}, "moderate"),
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}, "critical"),
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:L/A:L"}]}, "moderate"),
        ({"severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N"}]}, "unrated"),
        ({"aliases": ["MAL-2026-1"]}, "compromised"),
        ({}, "unrated"),
    ],
)
def test_the_severity_is_the_databases_or_that_of_the_score(more: dict[str, Any], kind: str) -> None:
    (found,) = decoded(record("GHSA-1", [{"introduced": "0"}], **more))
    assert found.kind == kind


@pytest.mark.parametrize(
    ("vector", "score"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9),
        ("CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
        ("CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", 7.2),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N", None),
        ("CVSS:3.1/AV:N", None),
        ("", None),
    ],
)
def test_a_score_is_that_of_its_vector(vector: str, score: float | None) -> None:
    assert base_score(vector) == score


def test_a_newer_record_moves_the_range_and_keeps_what_only_this_table_knows() -> None:
    newer = decoded(
        record("GHSA-r75f-5x8p-qvmc", [{"introduced": "1.81.16"}, {"fixed": "1.83.9"}], aliases=["CVE-2026-42208"])
    )
    table = osv.merge(TABLE, newer)
    assert len(table) == len(TABLE)
    assert "CVE-2026-42208" in {one.known_as for one in affecting(table, "1.83.8") if one.kind == "exploited"}
    hole = next(one for one in table if one.known_as == "CVE-2026-42208")
    assert (hole.exploited != "", mended_in(hole, "1.83.8")) == (True, "1.83.9")


def test_records_about_one_hole_become_one_and_the_maintainers_range_counts() -> None:
    events = [{"introduced": "0"}, {"fixed": "1.120.0"}]
    mine = record("GHSA-9", [{"introduced": "1.100.0"}, {"fixed": "1.120.0"}], aliases=["CVE-2027-1"])
    theirs = record("PYSEC-2027-1", events, aliases=["CVE-2027-1", "GHSA-9"])
    table = osv.merge(TABLE, decoded(theirs, mine))
    new = [one for one in table if "CVE-2027-1" in one.names]
    assert [(one.id, one.ranges[0].introduced) for one in new] == [("GHSA-9", "1.100.0")]


def test_what_was_withdrawn_is_left_out() -> None:
    gone = decoded(record("GHSA-4xpc-pv4p-pm3w", [{"introduced": "0"}], withdrawn="2027-01-01T00:00:00Z"))
    assert "CVE-2026-49468" in known("1.83.14")
    assert not any("CVE-2026-49468" in one.names for one in osv.merge(TABLE, gone))


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"summary": "x"}', b"null", b'{"id": 1}', b"[" * 100_000])
def test_what_is_no_osv_says_so(content: bytes) -> None:
    with pytest.raises(ValueError, match="no OSV record"):
        osv.decode(content)


@pytest.mark.parametrize(
    "image",
    [
        "ghcr.io/berriai/litellm",
        "localhost:5000/litellm",
        "ghcr.io/berriai/litellm:main-latest",
        "ghcr.io/berriai/litellm:main-stable",
        "docker.io/litellm/litellm:latest",
        "litellm/litellm:v1.83",
        "litellm/litellm:v1",
        "litellm/litellm:stable",
        "litellm/litellm-database:main-v1.83-stable",
    ],
)
def test_a_tag_that_moves_on_is_told(image: str) -> None:
    assert floats(image)
    assert version_of_image(image) == ""


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("ghcr.io/berriai/litellm:v1.83.7-stable", "1.83.7"),
        ("ghcr.io/berriai/litellm-database:main-v1.82.3", "1.82.3"),
        ("localhost:5000/litellm:1.106.2", "1.106.2"),
        ("ghcr.io/berriai/litellm:main-latest@sha256:0123", ""),
        ("registry.local/ai/litellm:prod-2026-11", ""),
        ("registry.local/ai/litellm:4f2a91c", ""),
        ("", ""),
    ],
)
def test_a_tag_that_stays_is_left_alone(image: str, version: str) -> None:
    assert floats(image) == ""
    assert version_of_image(image) == version


@pytest.mark.parametrize(
    ("litellm", "fastapi", "ends"),
    [
        ("1.94.3", "0.140.7", False),
        ("1.95.0", "0.140.6", False),
        ("1.95.0", "0.140.7", True),
        ("1.97.0", "0.165.0", True),
        ("1.98.0", "0.165.0", False),
        ("1.97.0", "", False),
    ],
)
def test_a_package_that_ends_the_start_does_so_in_its_range(litellm: str, fastapi: str, ends: bool) -> None:
    (breaker,) = BREAKERS
    assert breaks(breaker, litellm, fastapi) == ends
