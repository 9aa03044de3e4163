"""A gateway with 46 deployments, of which some are in trouble, far down in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.model.gateway import Readiness
from litellm_tui.model.log import Log
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Tally, Traffic
from tests import large
from tests.ui.frozen import steps

COUNT: Final = 46
NOW: Final = large.NOW
ERROR: Final = "litellm.InternalServerError: OpenAIException - [Errno 111] Connect call failed ('10.0.0.1', 8000)"
# the numbers of the deployments whose requests all fail
DEAD: Final = (20, 43, 37)


def crowd(folder: Path) -> Snapshot:
    """Every deployment is asked, the later ones more; three of them fail."""
    found = large.snapshot(folder, COUNT, red=0.0)
    tallies = []
    for number in range(COUNT):
        name, asked = f"openai/model-{number:05d}", 5 + 2 * number
        if number in DEAD:
            tallies.append(
                Tally("model", name, 0, asked, None, NOW - 4, NOW - 200, asked, ERROR, steps=steps(0, asked))
            )
        else:
            tallies.append(Tally("model", name, asked, last_ok=NOW - 3, steps=steps(asked, 0)))
    info = Reading(value=Readiness("healthy", "Not connected", "1.106.2", None, "INFO"), seen_at=NOW, interval=10.0)
    return msgspec.structs.replace(
        found,
        gateway=msgspec.structs.replace(found.gateway, readiness=info),
        log=Log(source="journalctl --user -u litellm.service", state="following", first=0, last=11, last_at=NOW - 3),
        traffic=Traffic(tallies=tuple(tallies), per_model=True, since=NOW - 900),
    )
