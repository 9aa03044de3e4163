"""Which advisories concern a version of LiteLLM, and which release has none of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from litellm_tui.audit.advisories.versions import VersionKey, public, release_key, version_key
from litellm_tui.model.release import KIND_RANK, Advisory, AdvisoryKind, AffectedRange

# a release that has one of these is no release to go to
_NO_REFUGE: Final[frozenset[AdvisoryKind]] = frozenset({"compromised", "exploited", "critical", "yanked"})


def affecting(advisories: Iterable[Advisory], version: str) -> tuple[Advisory, ...]:
    """The advisories that concern this version, worst first; none for a text that is no version."""
    key = release_key(version)
    if key is None:
        return ()
    found = [one for one in advisories if _affects(one, key)]
    return tuple(sorted(found, key=lambda one: (KIND_RANK[one.kind], one.published, one.id)))


def mended_in(advisory: Advisory, version: str) -> str:
    """The release that mends it for this version; "" where none is known."""
    key = release_key(version)
    ends = [span.fixed for span in advisory.ranges if key and span.fixed and _within(span, key)]
    return max(ends, key=_key, default="")


def refuge(advisories: Sequence[Advisory], version: str, releases: Iterable[str] = ()) -> str:
    """The first release above this version that no compromise, exploited or critical hole of the table concerns.

    It is one of `releases`, or of those that the table names as mending something; "" where none of them is clean.
    """
    own = release_key(version)
    named = {*releases, *(span.fixed for one in advisories for span in one.ranges if span.fixed)}
    above = sorted((text for text in named if own and _key(text) > own), key=_key)
    for text in above:
        if not any(one.kind in _NO_REFUGE for one in affecting(advisories, text)):
            return text
    return ""


def _key(text: str) -> VersionKey:
    found = version_key(text)
    lowest = version_key("0.dev0")
    assert lowest is not None
    return public(found) if found is not None else lowest


def _affects(one: Advisory, key: VersionKey) -> bool:
    if any((listed := version_key(text)) is not None and public(listed) == key for text in one.versions):
        return True
    return any(_within(span, key) for span in one.ranges)


def _within(span: AffectedRange, key: VersionKey) -> bool:
    if span.introduced != "0" and key < _key(span.introduced):
        return False
    if span.fixed:
        return key < _key(span.fixed)
    return not span.last_affected or key <= _key(span.last_affected)
