"""How runs of a unit ended, from systemd's own lines (recorded with systemd 252, the unit's description shortened)."""

from __future__ import annotations

from litellm_tui.analysis.exits import describe_exit, frequency, was_unwanted
from litellm_tui.services.systemd.unit_exits import UnitMessage, exits

STARTED = "Started litellm.service - LiteLLM proxy."
STOPPING = "Stopping litellm.service - LiteLLM proxy..."
STOPPED = "Stopped litellm.service - LiteLLM proxy."
KILLED = "litellm.service: Main process exited, code=killed, status=9/KILL"
EXITED = "litellm.service: Main process exited, code=exited, status=1/FAILURE"
ENDED = "litellm.service: Deactivated successfully."
SCHEDULED = "litellm.service: Scheduled restart job, restart counter is at 1."


def _result(word: str) -> str:
    return f"litellm.service: Failed with result '{word}'."


def _lines(*lines: tuple[float, str], boot: str = "b1") -> list[UnitMessage]:
    return [UnitMessage(at, boot, text) for at, text in lines]


def test_killed_and_started_again() -> None:
    (end,) = exits(_lines((100, STARTED), (160, KILLED), (160, _result("signal")), (162, SCHEDULED), (162, STOPPED),
                          (162.1, STARTED)))  # fmt: skip
    assert (end.at, end.began, end.again, end.given_up) == (160, 100, True, False)
    assert describe_exit(end) == "killed by SIGKILL after 1 min; started again by systemd"
    assert was_unwanted(end)


def test_stopped_by_order() -> None:
    (end,) = exits(_lines((100, STARTED), (3700, STOPPING), (3701, ENDED), (3701, STOPPED)))
    assert (end.at, end.by) == (3701, "order")
    assert describe_exit(end) == "stopped by order after 1 h"
    assert not was_unwanted(end)


def test_one_that_would_not_stop_in_time_was_killed() -> None:
    (end,) = exits(_lines((0, STARTED), (9, STOPPING), (24, KILLED), (24, _result("timeout")), (24, STOPPED)))
    assert describe_exit(end) == "stopped by order, had to be killed (SIGKILL) after 24 s"


def test_a_crash_loop_ends_in_giving_up_once() -> None:
    loop = [
        (at + step, text)
        for at in (0.0, 3.0)
        for step, text in ((0, STARTED), (1, EXITED), (1, _result("exit-code")), (2.9, SCHEDULED), (2.9, STOPPED))
    ]
    over = [(6, "litellm.service: Start request repeated too quickly."), (6, _result("exit-code")),
            (6, "Failed to start litellm.service - LiteLLM proxy.")]  # fmt: skip
    found = exits(_lines(*loop, *over))
    assert [describe_exit(end) for end in found] == [
        "ended with status 1 after 1 s; started again by systemd",
        "ended with status 1 after 1 s; systemd gave up: too many starts in a short time",
    ]


def test_a_lack_of_memory_is_told_and_not_its_signal() -> None:
    killer = "litellm.service: A process of this unit has been killed by the OOM killer."
    (end,) = exits(_lines((0, STARTED), (50, killer), (50, KILLED), (50, _result("oom-kill"))))
    assert describe_exit(end) == "out of memory: killed by the kernel after 50 s"
    assert was_unwanted(end)


def test_one_that_ended_by_itself_and_one_that_still_runs() -> None:
    (end,) = exits(_lines((0, STARTED), (50, ENDED), (60, STARTED)))
    assert describe_exit(end) == "ended by itself after 50 s"


def test_a_machine_that_was_restarted_took_it_along() -> None:
    found = exits([*_lines((0, STARTED), (10, "something else")), *_lines((500, STARTED), boot="b2")])
    assert [(end.by, end.at) for end in found] == [("reboot", 10)]
    assert not was_unwanted(found[0])


def test_what_began_before_the_journal_is_told_without_its_length() -> None:
    (end,) = exits(_lines((50, EXITED), (50, _result("exit-code"))))
    assert describe_exit(end) == "ended with status 1"
    assert exits([]) == ()


def test_how_often_it_ended_by_itself() -> None:
    now = 10_000_000.0
    ends = exits(
        [
            line
            for back in (5 * 86400, 7200, 600, 60)
            for line in _lines((now - back - 5, STARTED), (now - back, KILLED), (now - back, SCHEDULED))
        ]
    )
    assert frequency(ends, now) == "2 times in the last hour, 3 in the last day, 4 in the last week"
    assert frequency(ends, now + 8 * 86400) == ""
