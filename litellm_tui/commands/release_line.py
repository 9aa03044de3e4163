"""The release of LiteLLM in one line: which it is, and what is known against it."""

from __future__ import annotations

from collections.abc import Callable

from litellm_tui.analysis.phrases import count, first_of
from litellm_tui.audit.advisories.images import floats, version_of_image
from litellm_tui.audit.advisories.matching import affecting, refuge
from litellm_tui.collectors.litellm_source.advisories import shipped_advisories
from litellm_tui.collectors.litellm_source.catalogues import library_folders, shipped
from litellm_tui.collectors.litellm_source.installed_release import release_of
from litellm_tui.model.release import Release
from litellm_tui.monitor.auditor import environment_of
from litellm_tui.monitor.release_choice import same_release
from litellm_tui.target.profile import Profile

_WORST = ("compromised", "exploited")


def release_line(profile: Profile, running: Callable[[], str] = str) -> tuple[str, str] | None:
    """The release by its files or its image, and the place that says so; None where neither can be looked at.

    `running` asks the gateway for its own; where it is another one, both are named.
    """
    unit = profile.found_unit
    if unit is None:
        return None
    folders = library_folders(unit.interpreter) if unit.interpreter else ()
    table, environment = shipped_advisories(), environment_of(profile)
    release = release_of(folders, table, environment=environment, root=unit.root, image=unit.image)
    version = release.installed or version_of_image(release.image)
    if not version and not release.image:
        return None
    runs = running() if release.installed else ""
    other = (
        f"; installed {version}, runs {runs} until the next restart" if runs and not same_release(runs, version) else ""
    )
    return (
        f"{_version(release, version)}{other}{_against(release, version)}",
        release.metadata or "the container's image",
    )


def _version(release: Release, version: str) -> str:
    words = f"LiteLLM {version}" if version else "LiteLLM of a version that is not known"
    floating = floats(release.image) if release.image else ""
    return f"{words}, {release.image}: {floating}" if floating else words


def _against(release: Release, version: str) -> str:
    table = shipped_advisories()
    known = affecting(table, version)
    told = [f"{one.known_as} ({one.kind})" for one in known if one.kind in _WORST]
    rest = len(known) - len(told)
    words = [*told, *([count(rest, "other known hole")] if rest else [])]
    planted = [f"PLANTED {file.path}" for file in release.planted]
    if not words and not planted:
        return ""
    clean = refuge(table, version, shipped().releases) if words else ""
    return f" - {first_of([*planted, *words])}" + (f"; mended in {clean}" if clean else "")
