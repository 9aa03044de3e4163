"""A span of the record as commands read it: which one is meant, its events and its figures."""

from __future__ import annotations

from datetime import UTC, tzinfo

import msgspec

from litellm_tui.analysis.history.glance import Glance, glance_of
from litellm_tui.analysis.history.source import HistorySource
from litellm_tui.analysis.history.spans import Interval, last_night, span_words
from litellm_tui.analysis.phrases import age
from litellm_tui.commands.options.history import LAST_LOOK, NIGHT
from litellm_tui.storage.history.paths import history_path_of
from litellm_tui.storage.history.reader import HistoryReader
from litellm_tui.storage.state import state_of
from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import Settings, SettingsError


class Asked(msgspec.Struct, frozen=True):
    """A span that was asked for, and what it is called."""

    span: Interval
    words: str


def asked(since: str | float, profile: Profile, settings: Settings, now: float, command: str) -> Asked:
    """Which span is meant. Raises `SettingsError` where one looked last is not known."""
    if since == NIGHT:
        return Asked(last_night(now, zone_of(settings)), "last night, 20:00 to 08:00")
    if since == LAST_LOOK:
        last = state_of(profile).load().last
        if last is None:
            raise SettingsError(f"{command}: when you looked last is not known; give --since a time, such as 12h")
        return Asked((min(last.at, now - 1), now), f"since the last look, {age(now - last.at)} ago")
    assert not isinstance(since, str)
    return Asked((now - since, now), f"last {span_words(since)}")


def zone_of(settings: Settings) -> tzinfo | None:
    """The zone that times are shown in; None for the machine's own."""
    return UTC if settings.utc else None


def record_of(profile: Profile) -> HistorySource:
    """What is recorded of this gateway."""
    return profile.past or HistoryReader(history_path_of(profile))


def read_glance(profile: Profile, found: Asked) -> Glance:
    """The figures of a span, out of the record."""
    return glance_of(record_of(profile), *found.span)
