"""The cache pane: what is shown beside its state belongs to that state."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from litellm_tui.model.failures import Unreachable
from litellm_tui.model.reading import Reading
from tests.ui import frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen
from tests.waiting import eventually


@pytest.mark.parametrize(("down", "pings"), [(False, True), (True, False)])
async def test_the_time_of_a_ping_of_before_does_not_stand_beside_down(tmp_path: Path, down: bool, pings: bool) -> None:
    snapshot = frozen.healthy(tmp_path)
    if down:
        refused = Unreachable("refused", kind="refused")
        snapshot = replace(
            snapshot, redis_answer=Reading(failure=refused, failing_since=frozen.NOW, tried_at=frozen.NOW)
        )
    app = Frozen(snapshot)
    async with app.run_test(size=(120, 40)):
        await eventually(lambda: f"redis 7.0.15 {'down' if down else 'healthy'}" in Drawn(app).text)
        assert ("· ping" in Drawn(app).text) is pings
