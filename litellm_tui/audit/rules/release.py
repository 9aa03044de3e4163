"""Rules about the LiteLLM itself: releases that are compromised or have known holes, and images without a release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from litellm_tui.audit.advisories.companions import BREAKERS, breaks
from litellm_tui.audit.advisories.images import floats, version_of_image
from litellm_tui.audit.advisories.matching import affecting, mended_in, refuge
from litellm_tui.audit.advisories.versions import release_key
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import Subject
from litellm_tui.model.audit import Severity
from litellm_tui.model.configuration import Mark
from litellm_tui.model.release import COMPROMISED, EXPLOITED, NOT_RUNNING, PLANTED, Advisory, AdvisoryKind

_TABLE: Final = (
    "docs/advisories.md: the advisories with their dates and sources, as shipped; --advisories takes newer ones"
)
_SEVERITIES: Final[dict[AdvisoryKind, Severity]] = {
    "critical": "error",
    "high": "warning",
    "unrated": "warning",
    "moderate": "advice",
    "low": "advice",
}
_CLEAN_UP: Final = (
    "stop it, take every key, token and password that it could read for stolen and change them, and look at the "
    "machine; then install a clean release into a new environment. Do not start its Python to look"
)


class Known(NamedTuple):
    """One version of LiteLLM that is here, in words, with the place that says so."""

    version: str
    words: str
    mark: Mark | None


def versions(subject: Subject) -> tuple[Known, ...]:
    """The versions that are known to be here: what is installed, what runs, and else what the image or the file's
    audit is about.
    """
    release, found = subject.release, []
    if release is not None:
        if release.installed:
            found.append(Known(release.installed, f"LiteLLM {release.installed}", Mark(release.metadata, 1)))
        if release.running and not _same(release.running, release.installed):
            words = f"the running LiteLLM {release.running}" if release.installed else f"LiteLLM {release.running}"
            found.append(Known(release.running, words, None))
        tagged = version_of_image(release.image)
        if tagged and not found:
            found.append(Known(tagged, f"LiteLLM {tagged} of the image {release.image}", None))
    if not found and subject.catalogue.source != "newest":
        version = subject.catalogue.asked or subject.catalogue.version
        found.append(Known(version, f"LiteLLM {version}", None))
    return tuple(found)


def _same(one: str, other: str) -> bool:
    return one == other or (release_key(one) is not None and release_key(one) == release_key(other))


def _of(subject: Subject, *kinds: AdvisoryKind) -> Iterator[tuple[Known, Advisory]]:
    for known in versions(subject):
        for one in affecting(subject.advisories, known.version):
            if one.kind in kinds:
                yield known, one


def _what(known: Known, one: Advisory) -> str:
    dated = f" ({one.published})" if one.published else ""
    attacked = f"; {one.exploited}" if one.exploited else ""
    return f"{known.words} has {one.known_as}{dated}: {one.summary}{attacked} [{one.source}]"


def _upgrade(subject: Subject, known: Known, one: Advisory) -> str:
    mended = mended_in(one, known.version)
    clean = refuge(subject.advisories, known.version, subject.spans.releases)
    installed = subject.release.installed if subject.release else ""
    if known.mark is None and installed and one not in affecting(subject.advisories, installed):
        step = f"restart: the installed {installed} does not have it"
    elif clean:
        why = f", {mended} mends this one" if mended and mended != clean else ""
        step = f"upgrade to {clean} or later (the first without an exploited or critical hole known here{why})"
    else:
        step = (
            f"upgrade to {mended} or later" if mended else "no release that mends it is known here: ask its maintainers"
        )
    return f"{step}; {one.note}" if one.note else step


@rule(
    COMPROMISED,
    "error",
    "A release that holds somebody else's code",
    why="It was published by an attacker and removed from the index; copies live on in caches, mirrors and images. Its "
    "code runs when LiteLLM, or any Python of its environment, starts.",
    source=_TABLE,
    fix=_CLEAN_UP,
)
def release_compromised(subject: Subject) -> Iterator[Hit]:
    for known, one in _of(subject, "compromised"):
        clean = refuge(subject.advisories, known.version, subject.spans.releases)
        step = _CLEAN_UP.replace("a clean release", f"{clean} or later") if clean else _CLEAN_UP
        dated = f" ({one.published})" if one.published else ""
        yield Hit(
            f"{known.words} is compromised{dated}: {one.summary} [{one.source}]",
            do=f"{step}; {one.note}" if one.note else step,
            mark=known.mark,
        )


@rule(
    PLANTED,
    "error",
    "A file that a compromised release leaves",
    why="A path file with code, or sitecustomize, runs whenever that Python starts, whoever starts it. No clean "
    "release of LiteLLM that was read brings one.",
    source=_TABLE,
    fix=_CLEAN_UP,
)
def planted_file(subject: Subject) -> Iterator[Hit | Right]:
    release = subject.release
    if release is None:
        return
    for file in release.planted:
        of = f", as {', '.join(file.advisories)} says" if file.advisories else ", and LiteLLM's own list names it"
        yield Hit(f"{file.path} is there{of}", do=_CLEAN_UP, mark=Mark(file.path, 1))
    if release.looked and not release.planted and subject.advisories:
        yield Right("no file that a known compromised release brings lies beside the installed LiteLLM")


@rule(
    EXPLOITED,
    "error",
    "A hole that is used in attacks",
    why="The hole is in a catalogue of those that attackers use. A gateway holds the keys of all its providers.",
    source=_TABLE,
    fix="upgrade to a release that mends it",
)
def release_exploited(subject: Subject) -> Iterator[Hit]:
    for known, one in _of(subject, "exploited"):
        yield Hit(_what(known, one), do=_upgrade(subject, known, one), mark=known.mark)


@rule(
    "release-vulnerable",
    "error",
    "A release with known holes",
    why="The hole is published with its way in. Critical ones are errors, high ones warnings, the others advice.",
    source=_TABLE,
    fix="upgrade to a release that mends it",
)
def release_vulnerable(subject: Subject) -> Iterator[Hit | Right]:
    for known, one in _of(subject, *_SEVERITIES):
        shut = _shut(subject, one)
        severity: Severity = "advice" if shut else _SEVERITIES[one.kind]
        text = f"{_what(known, one)}; not open here while {shut}" if shut else _what(known, one)
        yield Hit(text, do=_upgrade(subject, known, one), mark=known.mark, severity=severity)
    if subject.advisories:
        for known in versions(subject):
            if release_key(known.version) and not affecting(subject.advisories, known.version):
                newest = max(one.published for one in subject.advisories)
                yield Right(f"no advisory of the table, the newest of which is of {newest}, concerns {known.words}")


def _shut(subject: Subject, one: Advisory) -> str:
    """The setting without which a hole is not open, where this file leaves it so; "" where it may be open."""
    for path, value in one.needs.items():
        *parents, last = path.split(".")
        data: Any = subject.data
        for name in parents:
            data = data.get(name) if isinstance(data, dict) else None
        told = data.get(last) if isinstance(data, dict) else None
        if told is None or told is (not value):
            return f"{path} is not {str(value).lower()}"
    return ""


@rule(
    "companion-breaks-start",
    "fatal",
    "A package with which this release does not start",
    why="What LiteLLM wants of its packages is open upwards: an installer takes the newest, which may lack what this "
    "release imports.",
    source="; ".join(breaker.source for breaker in BREAKERS),
    fix="install the version before, or a LiteLLM that does without",
)
def companion_breaks_start(subject: Subject) -> Iterator[Hit]:
    release = subject.release
    for breaker in BREAKERS if release is not None and release.installed else ():
        version = release.companions.get(breaker.package, "") if release is not None else ""
        if release is not None and breaks(breaker, release.installed, version):
            yield Hit(
                f"LiteLLM {release.installed} does not start with {breaker.package} {version}: {breaker.why}",
                do=f"install {breaker.package}<{breaker.since} beside it, or LiteLLM {breaker.mended} or later",
                mark=Mark(release.metadata, 1),
            )


@rule(
    "release-yanked",
    "warning",
    "A release that was withdrawn",
    why="Its publisher took it back: installers do not choose it any more, and it gets no mends.",
    source=_TABLE,
    fix="upgrade to a release that stands",
)
def release_yanked(subject: Subject) -> Iterator[Hit]:
    for known, one in _of(subject, "yanked"):
        yield Hit(f"{known.words} was withdrawn: {one.summary} [{one.source}]", mark=known.mark)


@rule(
    NOT_RUNNING,
    "advice",
    "Another release runs than is installed",
    why="What runs was read into memory at its start. A restart starts what is installed now, with other keys, "
    "defaults and faults.",
    source="the metadata of the installed LiteLLM, and what the gateway reports",
    fix="see `litellm-tui audit --litellm RUNNING --against INSTALLED` before a restart",
)
def release_not_running(subject: Subject) -> Iterator[Hit]:
    release = subject.release
    if release is None or not release.installed or not release.running or _same(release.installed, release.running):
        return
    yield Hit(
        f"installed {release.installed}, runs {release.running} until the next restart",
        do=f"`litellm-tui audit --litellm {release.running} --against {release.installed}` says what that changes",
        mark=Mark(release.metadata, 1),
    )


@rule(
    "floating-image",
    "warning",
    "An image without a release",
    why="The name leads to another release from one day to the next: two machines, or two starts, run different ones, "
    "and a compromised release comes by itself.",
    source="docs.docker.com/build/building/best-practices, Pin base image versions; docs.litellm.ai/docs/proxy/deploy",
    fix="name a release, such as ghcr.io/berriai/litellm:v1.106.2, or the image's digest",
)
def floating_image(subject: Subject) -> Iterator[Hit | Right]:
    image = subject.release.image if subject.release else ""
    if not image:
        return
    if why := floats(image):
        yield Hit(f"the image is {image}: {why}")
    elif version_of_image(image) or "@" in image:
        yield Right(f"the image {image} names its release")
