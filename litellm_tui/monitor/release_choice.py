"""Which release of LiteLLM to go to: their order, and what is known against each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from litellm_tui.audit.advisories.images import floats, tag_of, version_of_image
from litellm_tui.audit.advisories.matching import affecting
from litellm_tui.audit.advisories.versions import is_final, release_key, version_key
from litellm_tui.collectors.litellm_source.advisories import shipped_advisories
from litellm_tui.model.release import Advisory, AdvisoryKind

__all__ = ["floats", "held_against", "is_final", "is_newer", "newer", "newest_first", "offered", "same_release",
           "tag_of", "tag_with", "version_of_image"]  # fmt: skip

# a release that has one of these is never offered by itself
_NEVER: frozenset[AdvisoryKind] = frozenset({"compromised", "exploited", "yanked"})


def newest_first(versions: Iterable[str]) -> tuple[str, ...]:
    """The versions in Python's order, the newest first; without what is no version."""
    keyed = [(key, text) for text in versions if (key := version_key(text)) is not None]
    return tuple(text for _, text in sorted(keyed, key=lambda one: one[0], reverse=True))


def newer(versions: Iterable[str], than: str) -> tuple[str, ...]:
    """Those that are newer than this one, the newest first; all of them where it is not known."""
    own = release_key(than)
    return tuple(one for one in newest_first(versions) if own is None or _above(one, own))


def _above(version: str, own: object) -> bool:
    key = release_key(version)
    return key is not None and key > own  # type: ignore[operator]  # both are keys of versions


def is_newer(version: str, than: str) -> bool:
    """Whether one release comes after another; False where one of them is no version."""
    one, other = release_key(version), release_key(than)
    return one is not None and other is not None and one > other


def same_release(one: str, other: str) -> bool:
    """Whether two versions, or tags, name the same release."""
    return one == other or (release_key(one) is not None and release_key(one) == release_key(other))


def held_against(version: str, table: Sequence[Advisory] | None = None) -> tuple[Advisory, ...]:
    """The advisories that concern a release, the worst first."""
    return affecting(shipped_advisories() if table is None else table, version)


def offered(versions: Iterable[str]) -> str:
    """The newest final release against which nothing is known that would forbid it; empty where there is none."""
    for one in newest_first(versions):
        if is_final(one) and not any(known.kind in _NEVER for known in held_against(one)):
            return one
    return ""


def tag_with(image: str, version: str) -> str:
    """The image with the tag of another release, written as its own tag is; empty where its tag names no release.

    A build behind the number (`-stable.patch.2`) belongs to that release alone and is left out.
    """
    tag, own = tag_of(image), version_of_image(image)
    if not tag or not own:
        return ""
    number = own.partition(".post")[0]
    before, found, after = tag.partition(number)
    if not found:
        return ""
    after = after.partition(".patch")[0].partition("-patch")[0]
    return f"{image[: -len(tag)]}{before}{version}{after}"
