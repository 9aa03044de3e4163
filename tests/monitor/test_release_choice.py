"""Which release is offered, and the tag of an image that names another one."""

from __future__ import annotations

import pytest

from litellm_tui.monitor.release_choice import newer, newest_first, offered, tag_with


def test_releases_are_ordered_and_the_newer_ones_told() -> None:
    listed = ["1.9.0", "1.77.7", "1.106.2", "1.107.0", "1.110.0rc1", "no version"]
    assert newest_first(listed) == ("1.110.0rc1", "1.107.0", "1.106.2", "1.77.7", "1.9.0")
    assert newer(listed, "1.77.7") == ("1.110.0rc1", "1.107.0", "1.106.2")
    assert newer(listed, "") == newest_first(listed)
    # a candidate and a compromised release are offered to nobody
    assert offered(listed) == "1.106.2"
    assert offered(["1.82.8"]) == ""


@pytest.mark.parametrize(
    ("image", "version", "wanted"),
    [
        ("ghcr.io/berriai/litellm:main-v1.77.7-stable", "1.83.7", "ghcr.io/berriai/litellm:main-v1.83.7-stable"),
        ("registry:5000/litellm:v1.77.7", "1.83.7", "registry:5000/litellm:v1.83.7"),
        ("litellm:1.77.7-stable.patch.2", "1.83.7", "litellm:1.83.7-stable"),
        ("litellm:main-latest", "1.83.7", ""),
        ("litellm", "1.83.7", ""),
        ("litellm@sha256:abc", "1.83.7", ""),
        ("litellm:v1.83", "1.84.0", ""),
    ],
)
def test_a_tag_keeps_its_form(image: str, version: str, wanted: str) -> None:
    assert tag_with(image, version) == wanted
