"""The history of the simulation, at whatever hour somebody looks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from litellm_tui.demo.past import Past

DAY = 86400.0


@pytest.mark.parametrize("hour", range(24))
def test_the_last_day_has_the_night_in_which_things_happened(hour: int) -> None:
    now = datetime(2026, 10, 14, hour, 25, tzinfo=UTC).timestamp()
    found = Past(now, UTC).events(now - DAY)
    assert {"rate limited (429)", "Redis refuses connections", "upstream refuses"} <= {event.cause for event in found}
    assert all((event.until or event.at) <= now for event in found)
