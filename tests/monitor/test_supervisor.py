"""What is made of an exception, and how a job that fails is begun again."""

from __future__ import annotations

import asyncio

import pytest

from litellm_tui.model.failures import Crashed
from litellm_tui.monitor.supervisor import Pace, Supervisor, crashed, guarded, guarded_async
from tests.waiting import eventually

SECRET = "sk-abcdefghijklmnop1234567890"
QUICK = Pace(first=0.001, longest=0.004, settled=0.05)


def _deep(depth: int) -> int:
    return _deep(depth + 1) + 1


def test_an_exception_is_named_by_class_and_place_without_its_text() -> None:
    def fail() -> None:
        raise ValueError(f"could not read {SECRET}")

    found = guarded(fail)
    assert isinstance(found, Crashed)
    assert found.error == "ValueError"
    assert found.place.startswith("test_supervisor.py:")
    assert found.place.endswith(" in fail")
    assert SECRET not in found.why


def test_what_the_package_called_is_placed_in_the_package() -> None:
    from litellm_tui.collectors.config import config_file

    found = guarded(lambda: config_file.load(3, {}))  # type: ignore[arg-type]  # that is the fault
    assert isinstance(found, Crashed)
    assert found.place.startswith(("host/", "collectors/", "analysis/"))


def test_of_a_group_the_first_counts_and_a_deep_one_has_a_place() -> None:
    group = ExceptionGroup("several", [ExceptionGroup("more", [KeyError("a")]), ValueError("b")])
    assert crashed(group).error == "KeyError"
    found = guarded(lambda: _deep(0))
    assert isinstance(found, Crashed)
    assert found.error == "RecursionError"


def test_the_name_of_a_class_is_masked_as_well() -> None:
    kind = type(SECRET, (Exception,), {})
    assert SECRET not in crashed(kind()).why


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
async def test_what_ends_the_process_or_the_task_goes_through(error: type[BaseException]) -> None:
    def fail() -> None:
        raise error

    async def fail_later() -> None:
        raise error

    with pytest.raises(error):
        guarded(fail)
    with pytest.raises(error):
        await guarded_async(fail_later())


class Jobs:
    """A supervisor and a job that fails as often as it is told to."""

    def __init__(self, pace: Pace = QUICK) -> None:
        self.changes = 0
        self.runs = 0
        self.fails = 0
        self.told: list[Crashed] = []
        self.supervisor = Supervisor(str, self._changed, pace)

    def _changed(self) -> None:
        self.changes += 1

    async def job(self) -> None:
        self.runs += 1
        if self.fails:
            self.fails -= 1
            raise KeyError("a")
        await asyncio.Event().wait()


async def test_a_job_that_fails_is_begun_again_until_it_lives() -> None:
    jobs = Jobs()
    jobs.fails = 5
    task = asyncio.create_task(jobs.supervisor.supervise("log", jobs.job, jobs.told.append))
    await eventually(lambda: jobs.runs == 6)
    (crash,) = jobs.supervisor.crashes
    assert (crash.source, crash.times, crash.failure.error) == ("log", 5, "KeyError")
    assert len(jobs.told) == 5
    await eventually(lambda: not jobs.supervisor.crashes, "it has lived for a while")
    assert jobs.changes == 6
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_is_told_of_a_failure_may_fail_too() -> None:
    jobs = Jobs()
    jobs.fails = 2

    def fail(_: Crashed) -> None:
        raise ValueError

    task = asyncio.create_task(jobs.supervisor.supervise("log", jobs.job, fail))
    await eventually(lambda: jobs.runs == 3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_job_that_ends_by_itself_is_not_begun_again() -> None:
    jobs = Jobs()

    async def job() -> None:
        jobs.runs += 1

    await jobs.supervisor.supervise("log", job)
    assert (jobs.runs, jobs.supervisor.crashes) == (1, ())


async def test_a_cancellation_that_nobody_ordered_is_a_failure() -> None:
    jobs = Jobs()

    async def job() -> None:
        jobs.runs += 1
        if jobs.runs == 1:
            raise asyncio.CancelledError
        await asyncio.Event().wait()

    task = asyncio.create_task(jobs.supervisor.supervise("log", job))
    await eventually(lambda: jobs.runs == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_the_pauses_grow_and_are_bounded() -> None:
    pace = Pace(first=0.5, longest=60.0)
    assert 0.4 <= pace.pause(1) <= 0.6
    assert 1.6 <= pace.pause(3) <= 2.4
    for failures in (8, 20, 10_000):
        assert 48.0 <= pace.pause(failures) <= 72.0
    assert len({pace.pause(5) for _ in range(50)}) > 1


async def test_a_job_that_lived_for_a_while_fails_for_the_first_time_again() -> None:
    jobs = Jobs(Pace(first=0.001, longest=1000.0, settled=0.01))

    async def job() -> None:
        jobs.runs += 1
        await asyncio.sleep(0.03)
        raise KeyError("a")

    task = asyncio.create_task(jobs.supervisor.supervise("log", job))
    # with pauses that double this would take an hour
    await eventually(lambda: jobs.runs >= 25)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
