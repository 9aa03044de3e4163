"""What the name of a container image says of the release in it."""

from __future__ import annotations

import re
from typing import Final

from litellm_tui.audit.advisories.versions import LONGEST, version_of_tag

_WORDS: Final = re.compile(
    r"(?:main|latest|stable|nightly|dev|edge|rc)(?:[-_.](?:main|latest|stable|nightly|dev|edge|rc)){0,3}"
)
_PART: Final = re.compile(r"(?:main[-_])?v?\d{1,6}(?:\.\d{1,6})?(?:[-_](?:stable|latest))?")


def tag_of(image: str) -> str | None:
    """The tag of an image; "" without one, None where a digest names the image itself."""
    if len(image) > 2 * LONGEST or "@" in image:
        return None
    # a registry's port stands before the first slash
    name = image.rpartition("/")[2]
    return name.partition(":")[2]


def floats(image: str) -> str:
    """Why the image names no release, in words; "" where it names one, or where its tag is one of its owner's.

    A tag that is moved on from release to release is `latest`, `main-latest`, `main-stable`, a series (`v1.83`), and
    what is meant by no tag at all.
    """
    tag = tag_of(image) if image else None
    if tag is None:
        return ""
    if not tag:
        return "it has no tag, which means latest"
    if _WORDS.fullmatch(tag.lower()):
        return f"the tag {tag} moves on from release to release"
    if _PART.fullmatch(tag.lower()) and not version_of_tag(tag):
        return f"the tag {tag} moves on within its series"
    return ""


def version_of_image(image: str) -> str:
    """The version that the tag of an image names; "" for one that names none."""
    return version_of_tag(tag_of(image) or "")
