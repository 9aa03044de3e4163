"""Versions sort as Python's own order has them."""

from __future__ import annotations

import pytest
from packaging.version import InvalidVersion, Version

from litellm_tui.audit.advisories.versions import is_final, public, version_key, version_of_tag

WRITTEN = (
    *("0.1.7713", "1.0", "1.0.0", "1.0.dev1", "1.0a1.dev2", "1.0a1", "1.0a1.post2", "1.0b2", "1.0rc1", "1.0rc1.dev3"),
    *("1.0.post1", "1.0.post1.dev3", "1.0-1", "1.0.rev3", "1!0.1", "v1.0c3", "1.0alpha", "1.0_beta_2", "1.0.dev"),
    *("1.0+abc", "1.0+1", "1.0+abc.5", "1.74.9.post2", "1.81.9.dev1", "1.81.9", "1.82.6", "1.83.7rc1", "1.83.7"),
    *("1.83.10", "1.84.0.dev1", "1.84.0rc1", "1.84.0", "1.100.0rc1", "1.106.2", "1.107.0", "1.107.0rc2", "1.110.2"),
)


@pytest.mark.parametrize("one", WRITTEN)
def test_the_order_is_that_of_packaging(one: str) -> None:
    for other in WRITTEN:
        first, second = version_key(one), version_key(other)
        assert first is not None
        assert second is not None
        assert (first < second, first == second) == (Version(one) < Version(other), Version(one) == Version(other)), (
            other
        )


@pytest.mark.parametrize("text", ["", "latest", "main-v1.82.3", "1.83.7-stable", "1..2", "1.0+", "x" * 5000, "1" * 300])
def test_a_text_that_is_no_version_has_no_key(text: str) -> None:
    assert version_key(text) is None
    with pytest.raises(InvalidVersion):
        Version(text if len(text) < 300 else "?")


def test_a_build_of_a_release_is_the_release() -> None:
    built, plain = version_key("1.83.7+internal.3"), version_key("1.83.7")
    assert built is not None
    assert public(built) == plain


def test_only_a_release_is_final() -> None:
    told = {
        text: is_final(text)
        for text in ("1.83.7", "1.83.7.post1", "1.83.7rc1", "1.83.7.dev2", "1.83.7.post1.dev2", "x")
    }
    assert [text for text, final in told.items() if final] == ["1.83.7", "1.83.7.post1"]


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("v1.83.7-stable", "1.83.7"),
        ("main-v1.82.3", "1.82.3"),
        ("1.83.7", "1.83.7"),
        ("v1.83.7-stable.patch.1", "1.83.7.post1"),
        ("v1.81.3-rc.2", "1.81.3rc2"),
        ("v1.84.0.rc.1", "1.84.0rc1"),
        ("v1.80.0-nightly", "1.80.0.dev0"),
        ("v1.74.9.post2", "1.74.9.post2"),
        ("main-latest", ""),
        ("v1.83", ""),
        ("", ""),
    ],
)
def test_a_tag_names_a_version_or_none(tag: str, version: str) -> None:
    assert version_of_tag(tag) == version


def test_a_nightly_counts_as_before_its_release() -> None:
    nightly, candidate, stable = (
        version_key(version_of_tag(f"v1.83.7-{word}")) for word in ("nightly", "rc.1", "stable")
    )
    assert nightly is not None
    assert candidate is not None
    assert stable is not None
    assert nightly < candidate < stable
