"""The words in which both faces of the fleet tell of a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from litellm_tui.analysis.health.request_counts import rate_of
from litellm_tui.analysis.phrases import age, count
from litellm_tui.model.fleet import FleetRow

NO_PROFILES: Final = (
    "the settings file has no profiles: litellm-tui where --write NAME keeps the gateway of this machine as one, "
    "and NAME: {ssh: HOST} below profiles: names one of another host"
)


def facts(row: FleetRow) -> Iterator[tuple[str, str]]:
    """Name and text of all that is known of it besides its state."""
    yield "where", row.where + (f", group {row.group}" if row.group else "")
    if row.problems is not None:
        yield "problems", count(row.problems, "problem")
    if row.errors_per_minute is not None:
        yield "errors", f"{rate_of('error', row.errors_per_minute)}/min"
    if row.version:
        yield "version", f"LiteLLM {row.version}"
    if row.digest:
        yield "config", f"config {row.digest}"
    if row.age is not None:
        yield "seen", f"seen {age(row.age)} ago"
    if row.differs:
        yield "differs", f"differs: {', '.join(row.differs)}"
