"""docs/changes.md: what each change of a gateway cost its users, written by the tests that make these changes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "changes.md"
WANTED: Final = "LITELLM_TUI_WRITE_DOCS"
_Table = Literal["changes", "warmed"]
_HEADS: Final[dict[_Table, str]] = {
    "changes": """\
# What a change costs

Each row is one change of a real LiteLLM by the command that an operator would use, made by a test of the lab. *Without
an answer* is measured from outside while it is made: `/health/liveliness` is asked ten times a second. *Load* is the
average number of processes that wanted one of the machine's two processors in the minute before its end: a start takes
longest where it is high, so two rows compare only where their loads do, and an answer may come too late to count.

To make this page anew, or the rows of one of its tests, one after another, so that they are no load to each other:

```console
$ LITELLM_TUI_WRITE_DOCS=1 ./test --long -n 1 tests/lab/test_restart.py tests/lab/test_rehearsal.py \\
    tests/lab/test_rehearsal_files.py tests/lab/test_docker_rehearsal.py tests/lab/test_upgrade.py \\
    tests/lab/test_docker_upgrade.py
```

| service | change | LiteLLM | result | took | without an answer | load |
|---|---|---|---|---|---|---|
""",
    "warmed": """\

## What a rehearsal warms

A gateway that has run for long is restarted from files that the memory no longer holds. Before each of both restarts
the files of LiteLLM were taken out of the page cache; the rehearsal reads them while the gateway serves, the restart
finds them there. *Read* is what the new process then read from the disk, which does not depend on the load; a ratio
below 1 is a shorter time without an answer, and means something only where both loads are alike. Bytecode was there in
both.

| service | LiteLLM | not rehearsed | rehearsed | ratio |
|---|---|---|---|---|
""",
}
# as many first cells tell one row from another
_KEYS: Final[dict[_Table, int]] = {"changes": 3, "warmed": 2}


def note(service: str, change: str, version: str, outcome: Mapping[str, Any], document: Path = DOCUMENT) -> None:
    """Put the row of this change into the document, in the place of an earlier one, where that is wanted.

    `outcome` has the `result`, `took` and `downtime` that the command's JSON has.
    """
    cells = (
        service,
        change,
        version,
        str(outcome["result"]),
        f"{outcome['took']:.1f} s",
        _seconds(outcome["downtime"]),
    )
    _put("changes", (*cells, f"{os.getloadavg()[0]:.0f}"), document)


class Restarted(NamedTuple):
    """A restart: the time without an answer in seconds, what its process read from the disk in bytes, and the load."""

    down: float
    read: int
    load: float

    def __str__(self) -> str:
        return f"{self.down:.1f} s, {self.read / 1e6:.0f} MB read, load {self.load:.0f}"


def note_warmed(service: str, version: str, cold: Restarted, warm: Restarted, document: Path = DOCUMENT) -> None:
    """Put in a restart that was not rehearsed, and one that was."""
    ratio = f"{warm.down / cold.down:.2f}" if cold.down else ""
    _put("warmed", (service, version, str(cold), str(warm), ratio), document)


def _seconds(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1f} s"


def _put(table: _Table, cells: tuple[str, ...], document: Path) -> None:
    if not os.environ.get(WANTED):
        return
    with open(document, "a+", encoding="utf-8") as file:
        # several tests run beside each other
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        first, _, second = file.read().partition("\n## ")
        rows: dict[_Table, list[str]] = {"changes": _rows(first), "warmed": _rows(second)}
        key = f"| {' | '.join(cells[: _KEYS[table]])} |"
        rows[table] = sorted([*(row for row in rows[table] if not row.startswith(key)), f"| {' | '.join(cells)} |"])
        file.truncate(0)
        for name, head in _HEADS.items():
            if rows[name] or name == "changes":
                file.write(head + "".join(f"{row}\n" for row in rows[name]))


def _rows(part: str) -> list[str]:
    """Those of a table, without its head."""
    _, _, table = part.partition("|---|")
    return [line for line in table.splitlines()[1:] if line.startswith("| ")]
