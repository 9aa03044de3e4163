"""When a service that only commands know was started, as far as it was seen not to run."""

from __future__ import annotations

import time
from pathlib import Path

from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Custom, Tools
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.registry import driver


async def test_what_was_seen_not_to_run_was_started_after_that(tmp_path: Path) -> None:
    state = tmp_path / "state"
    settings = Custom(("sh", "-c", f"exit $(cat {state})"))
    looked = driver(ServiceTarget("gw", Tools(), settings=settings))

    async def look(status: int) -> Service:
        state.write_text(str(status))
        seen = await looked.look()
        assert isinstance(seen, Service)
        return seen

    # it may have run for long
    assert (await look(0)).started_after is None
    # that says nothing of the process: its command may have failed on its own account
    assert (await look(255)).started_after is None
    assert (await look(0)).started_after is None
    before = time.time()
    assert (await look(3)).active_state == "inactive"
    stood = time.time()
    after = (await look(0)).started_after
    assert after is not None
    assert before <= after <= stood
    assert (await look(0)).started_after == after
    assert (await look(0)).started_at is None
