"""docs/changes.md: what each change of a gateway cost its users, written by the tests that make these changes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "changes.md"
WANTED: Final = "LITELLM_TUI_WRITE_DOCS"
_HEAD: Final = """\
# What a change costs

Made by `tests/lab/test_restart.py`, `test_rehearsal.py` and `test_upgrade.py` (`LITELLM_TUI_WRITE_DOCS=1` writes the
rows of what is run anew). Each row is one change of a real LiteLLM by the command that an operator would use. *Without
an answer* is measured from outside while it is made: `/health/liveliness` is asked ten times a second. *Load* is the
average number of processes that wanted one of the machine's two processors in the minute before its end: a start takes
longest where it is high.

| service | change | LiteLLM | result | took | without an answer | load |
|---|---|---|---|---|---|---|
"""


def note(service: str, change: str, version: str, outcome: Mapping[str, Any], document: Path = DOCUMENT) -> None:
    """Put the row of this change into the document, in the place of an earlier one, where that is wanted.

    `outcome` has the `result`, `took` and `downtime` that the command's JSON has.
    """
    if not os.environ.get(WANTED):
        return
    down = outcome["downtime"]
    row = (
        f"| {service} | {change} | {version} | {outcome['result']} | {outcome['took']:.1f} s "
        f"| {'not measured' if down is None else f'{down:.1f} s'} | {os.getloadavg()[0]:.0f} |"
    )
    with open(document, "a+", encoding="utf-8") as file:
        # several tests run beside each other
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        _, _, table = file.read().partition("|---|---|---|---|---|---|---|\n")
        kept = [line for line in table.splitlines() if line and not line.startswith(f"| {service} | {change} |")]
        file.truncate(0)
        file.write(_HEAD + "\n".join(sorted([*kept, row])) + "\n")
