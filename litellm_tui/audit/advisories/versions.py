"""Python's order of versions (packaging.python.org/specifications/version-specifiers, once PEP 440)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

LONGEST: Final = 200
# LiteLLM's tags have words that versions have not: `v1.83.7-stable`, `main-v1.82.3`, `v1.83.7-stable.patch.1`
_TAG: Final = re.compile(
    r"(?:main[-_])?v?(\d{1,6}(?:\.\d{1,6}){2})(?:[-.]?(rc|dev|a|b)\.?(\d{1,6}))?"
    r"(?:[-.](stable|nightly|latest))?(?:[-.]patch[-.]?(\d{1,6}))?(?:[-.]post\.?(\d{1,6}))?",
    re.IGNORECASE,
)
_VERSION: Final = re.compile(
    r"""v?(?:(?P<epoch>[0-9]{1,9})!)?
        (?P<release>[0-9]{1,18}(?:\.[0-9]{1,18}){0,20})
        (?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_number>[0-9]{1,18})?)?
        (?P<post>-(?P<post_implied>[0-9]{1,18})|[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>[0-9]{1,18})?)?
        (?P<dev>[-_.]?dev[-_.]?(?P<dev_number>[0-9]{1,18})?)?
        (?:\+(?P<local>[a-z0-9]{1,60}(?:[-_.][a-z0-9]{1,60}){0,10}))?""",
    re.VERBOSE | re.IGNORECASE,
)
_PRE: Final = {"alpha": 0, "a": 0, "beta": 1, "b": 1, "preview": 2, "pre": 2, "c": 2, "rc": 2}
# a development release of a release comes before its pre-releases, the release itself after them
_BEFORE_PRE, _AFTER_PRE = -1, 3


class VersionKey(NamedTuple):
    """A version in a form that sorts: epoch, release without trailing zeros, pre-, post- and development release, and
    the local part, in which numbers come after words.
    """

    epoch: int
    release: tuple[int, ...]
    pre: tuple[int, int]
    post: int
    dev: float
    local: tuple[tuple[int, int, str], ...]


def version_key(text: str) -> VersionKey | None:
    """The key of a version; None for a text that is none."""
    found = _VERSION.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if found is None:
        return None
    release = [int(part) for part in found["release"].split(".")]
    while release and release[-1] == 0:
        release.pop()
    post = -1 if found["post"] is None else int(found["post_implied"] or found["post_number"] or 0)
    dev = float("inf") if found["dev"] is None else float(int(found["dev_number"] or 0))
    if found["pre"]:
        pre = (_PRE[found["pre"].lower()], int(found["pre_number"] or 0))
    else:
        pre = (_BEFORE_PRE if found["dev"] is not None and found["post"] is None else _AFTER_PRE, 0)
    parts = re.split(r"[-_.]", found["local"].lower()) if found["local"] else []
    local = tuple((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts)
    return VersionKey(int(found["epoch"] or 0), tuple(release), pre, post, dev, local)


def release_key(text: str) -> VersionKey | None:
    """The key of a version, or of the version that a tag names (`v1.83.7-stable`), without a local part."""
    found = version_key(text) or version_key(version_of_tag(text))
    return None if found is None else public(found)


def public(key: VersionKey) -> VersionKey:
    """The version without its local part: a build of a release is as good as the release."""
    return key._replace(local=())


def is_final(text: str) -> bool:
    """Whether a version is a release, and no alpha, beta, candidate or development release."""
    key = version_key(text)
    return key is not None and key.pre == (_AFTER_PRE, 0) and key.dev == float("inf")


def version_of_tag(tag: str) -> str:
    """The version that the tag of an image names; "" for one that names none.

    A nightly build was made before the release of its number: it counts as a development release of it.
    """
    found = _TAG.fullmatch(tag) if len(tag) <= LONGEST else None
    if found is None:
        return ""
    version = found[1]
    if found[2]:
        version += f".dev{found[3]}" if found[2].lower() == "dev" else f"{found[2].lower()}{found[3]}"
    elif (found[4] or "").lower() == "nightly":
        version += ".dev0"
    later = found[5] or found[6]
    return f"{version}.post{later}" if later and not version.endswith(".dev0") else version
