"""Workers that are gone between two looks at one run of the service."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from litellm_tui.model.service import Service, Worker
from litellm_tui.monitor.service_poller import MOST_LOST, lost_workers

A, B, C = Worker(8, 100, 1.0), Worker(9, 100, 1.0), Worker(10, 100, 50.0)
RUNS = Service("litellm.service", "user", "loaded", "active", "running", main_pid=7, invocation="one", workers=(A, B))


def _lost(now: Service, before: Service | None = RUNS, **more: Any) -> tuple[float, ...]:
    return lost_workers(before, replace(now, **more), 60.0)


def test_one_that_is_gone_is_counted_and_one_that_grows_is_not() -> None:
    assert _lost(RUNS, workers=(A, C)) == (60.0,)
    assert _lost(RUNS, workers=(C,)) == (60.0, 60.0)
    assert _lost(RUNS, workers=(replace(A, memory=900), B, C)) == ()
    # the kernel gives the number of one that is gone to another
    assert _lost(RUNS, workers=(A, replace(B, started_at=40.0))) == (60.0,)


def test_what_was_counted_before_stays_and_is_bounded() -> None:
    assert lost_workers(replace(RUNS, lost=(20.0,)), replace(RUNS, workers=(A,)), 60.0) == (20.0, 60.0)
    many = replace(RUNS, lost=(20.0,) * MOST_LOST)
    assert len(lost_workers(many, replace(RUNS, workers=()), 60.0)) == MOST_LOST


def test_another_run_and_a_gateway_that_ends_its_workers_itself_lose_none() -> None:
    assert _lost(RUNS, workers=(), invocation="two") == ()
    assert _lost(RUNS, workers=(), main_pid=70) == ()
    assert _lost(RUNS, workers=(A,), recycles=True) == ()
    assert _lost(RUNS, before=None) == ()


def test_the_start_of_a_process_that_is_reckoned_a_little_otherwise_is_no_other_process() -> None:
    later = tuple(replace(worker, started_at=worker.started_at + 0.02) for worker in RUNS.workers)
    assert lost_workers(RUNS, replace(RUNS, workers=later), 60.0) == ()
    # a number that was given to another process
    other = tuple(replace(worker, started_at=worker.started_at + 5.0) for worker in RUNS.workers)
    assert lost_workers(RUNS, replace(RUNS, workers=other), 60.0) == (60.0,) * len(other)
