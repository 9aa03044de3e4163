"""Whether a gateway that was found is the one that was known, in a unit of another name."""

from __future__ import annotations

from litellm_tui.target.profile import Profile


def took_its_place(profile: Profile, found: Profile) -> bool:
    """Whether `found` is the gateway of `profile` in another unit.

    It is when it runs, alone, and listens at the same address or reads the same file.
    """
    if found.undecided or found.unit is None or profile.unit is None:
        return False
    if found.kind != profile.kind or found.unit.value == profile.unit.value:
        return False
    file = profile.config is not None and found.config is not None and profile.config.value == found.config.value
    runs = found.found_unit is not None and found.found_unit.active
    return runs and (file or found.url.value == profile.url.value)
