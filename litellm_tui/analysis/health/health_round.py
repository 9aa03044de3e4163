"""The age of LiteLLM's health report, its entries by deployment, and for whom its check does not fit.

LiteLLM does not say when it checked (neither 1.77.7 nor 1.106.2 has a time in GET /health): the loop of
`_run_background_health_check` in litellm/proxy/proxy_server.py checks all deployments when the process starts, waits
`health_check_interval` seconds and begins again. A report is therefore as old as that interval and the time of one
round, unless the process is younger, or the report was seen to change.
"""

from __future__ import annotations

import re
from typing import Final

from litellm_tui.analysis.phrases import age
from litellm_tui.model.gateway import HealthEntry, HealthReport, LoadedDeployment
from litellm_tui.model.snapshot import Snapshot

# a round of health checks is as slow as its slowest check
ROUND_SECONDS: Final = 15.0
# `DEFAULT_HEALTH_CHECK_INTERVAL` of litellm/constants.py
DEFAULT_INTERVAL: Final = 300.0
# a check that may be older proves nothing of the present
CURRENT_SECONDS: Final = 330.0
# the age of a younger report need not be told
_TOLD_FROM: Final = 60.0
# names of models that answer no chat request, with which LiteLLM checks every model without a mode
_NO_CHAT: Final = re.compile(
    r"embed|rerank|\bbge\b|bge-|\be5-|\bgte-|voyage|whisper|\btts\b|dall-e|moderation|imagen|sora", re.IGNORECASE
)
_REASONS: Final = re.compile(r"\bo[134]\b|gpt-5|-r1\b|reason|think", re.IGNORECASE)


class HealthRound:
    """When LiteLLM last asked its deployments, at the latest reading of its report.

    `read_at` is that reading, `lag` the largest age that a report can have, `asked_at` the earliest time at which the
    round of this report can have begun; all in seconds. `current` is False where it may be too old to count.
    """

    def __init__(self, snapshot: Snapshot, started_at: float) -> None:
        reading = snapshot.gateway.health
        self.read_at = reading.seen_at or 0.0
        self.lag = _interval(snapshot) + ROUND_SECONDS
        renewed = (reading.value.renewed_at if reading.value else None) or 0.0
        self.asked_at = max(self.read_at - self.lag, started_at, renewed - ROUND_SECONDS)
        oldest = self.read_at - self.asked_at
        self.current = oldest <= CURRENT_SECONDS
        self.age = f"asked up to {age(oldest)} before" if oldest >= _TOLD_FROM else ""
        self.ago = f"up to {age(oldest)} ago" if oldest >= _TOLD_FROM else "lately"


def _interval(snapshot: Snapshot) -> float:
    file = snapshot.configuration.current
    given = file.section("general_settings").get("health_check_interval") if file else None
    return float(given) if isinstance(given, int | float) and not isinstance(given, bool) else DEFAULT_INTERVAL


class HealthReportIndex:
    """The health report by deployment: by id where the version gives it, else by model and api_base."""

    def __init__(self, report: HealthReport | None) -> None:
        self._by_id: dict[str, tuple[HealthEntry, bool]] = {}
        self._by_address: dict[tuple[str, str], tuple[HealthEntry, bool]] = {}
        for entries, healthy in ((report.healthy, True), (report.unhealthy, False)) if report else ():
            for entry in entries:
                if entry.model_id:
                    self._by_id[entry.model_id] = (entry, healthy)
                else:
                    self._by_address[entry.model, (entry.api_base or "").rstrip("/")] = (entry, healthy)

    def entry(self, loaded: LoadedDeployment) -> tuple[HealthEntry | None, bool]:
        """Its entry and whether that is among the healthy ones."""
        address = (loaded.model, (loaded.api_base or "").rstrip("/"))
        return self._by_id.get(loaded.id) or self._by_address.get(address) or (None, False)


def why_check_unfit(loaded: LoadedDeployment) -> str:
    """Why LiteLLM's health check does not fit this deployment; empty when it may fit."""
    if loaded.mode is None and _NO_CHAT.search(f"{loaded.model} {loaded.group}"):
        return "LiteLLM checks it with a chat request, and by its name it is no chat model: set model_info.mode"
    if loaded.mode in (None, "chat") and _REASONS.search(loaded.model) and loaded.params.get("max_tokens") is None:
        return "a reasoning model may have spent the few tokens of LiteLLM's check before it answers"
    return ""
