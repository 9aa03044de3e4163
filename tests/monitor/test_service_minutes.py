"""What is kept of a service for its curves: a minute each, bounded, and where another run begins."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from litellm_tui.model.service import Service
from litellm_tui.model.service_minutes import ServiceMinute
from litellm_tui.monitor.service_minutes import KEPT_MINUTES, ServiceMinutes

AT = 6000.0
RUNS = Service(
    "litellm.service", "user", "loaded", "active", "running", main_pid=7, invocation="one", memory=100, cpu_percent=4.0
)


def _noted(*looks: tuple[float, dict[str, Any]]) -> tuple[ServiceMinute, ...]:
    minutes = ServiceMinutes()
    for at, more in looks:
        minutes.note(replace(RUNS, **more), AT + at)
    return minutes.kept


def test_a_minute_keeps_the_most_memory_and_the_mean_of_the_processor() -> None:
    looks: tuple[tuple[float, dict[str, Any]], ...] = (
        (0.0, {}),
        (6.0, {"memory": 300, "cpu_percent": 8.0}),
        (12.0, {"memory": 200, "cpu_percent": None}),
    )
    assert _noted(*looks) == (ServiceMinute(100, 300, 6.0),)
    assert _noted(*looks, (60.0, {})) == (ServiceMinute(100, 300, 6.0), ServiceMinute(101, 100, 4.0))


def test_what_is_not_known_is_kept_as_not_known() -> None:
    unknown = {"memory": None, "cpu_percent": None}
    assert _noted((0.0, unknown)) == (ServiceMinute(100),)
    # a unit that stands still has used nothing, and has not begun anew
    assert _noted((0.0, {}), (60.0, unknown | {"main_pid": 0, "active_state": "failed"}))[-1] == ServiceMinute(101)


def test_only_so_many_minutes_are_kept_however_often_it_is_looked_at() -> None:
    kept = _noted(*((2.0 * number, {}) for number in range(3000)))
    assert len(kept) == KEPT_MINUTES
    assert [m.minute for m in kept] == list(range(kept[-1].minute - KEPT_MINUTES + 1, kept[-1].minute + 1))


def test_another_run_is_seen_to_begin_also_over_a_time_without_any() -> None:
    dead = {"main_pid": 0, "active_state": "failed", "memory": None}
    again = {"invocation": "two", "main_pid": 9, "started_at": AT + 125.0}
    kept = _noted((0.0, {}), (60.0, dead), (130.0, again), (180.0, again))
    assert [m.began for m in kept] == [None, None, AT + 125.0, None]


def test_a_clock_that_is_set_back_adds_to_the_newest_minute() -> None:
    kept = _noted((60.0, {}), (0.0, {"memory": 900}))
    assert kept == (ServiceMinute(101, 900, 4.0),)
