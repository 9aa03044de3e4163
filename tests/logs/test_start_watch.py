"""A start that does not complete is an incident of its own, with the last words of its process."""

from __future__ import annotations

import pytest

from litellm_tui.logs.start_watch import CAUSE, LAST_SECONDS, SILENT_SECONDS
from tests.logs.made import NOW, TakenLog

BEGUN = ["INFO:     Started server process [7]", "INFO:     Waiting for application startup."]
DONE = "INFO:     Application startup complete."
FAILED = "ERROR:    Application startup failed. Exiting."
BROKEN = [
    "ERROR:    Traceback (most recent call last):",
    '  File "/app/a.py", line 1, in lifespan',
    "FileNotFoundError: [Errno 2] No such file or directory: '/etc/litellm/my_hooks.py'",
    "",
]
ANSWER = 'INFO:     10.0.0.7:51842 - "GET / HTTP/1.1" 200 OK'
BARE = ["Traceback (most recent call last):", '  File "/app/a.py", line 1, in <module>', "ImportError: no name 'b'"]


def _starts(lines: list[str], now: float = NOW + 1) -> list[str]:
    taken = TakenLog(lines)
    return [tally.words for tally in taken.failures(now) if tally.cause == CAUSE for _ in range(tally.counts[0][1])]


def test_a_refused_start_is_told_at_once_with_its_error() -> None:
    taken = TakenLog([*BEGUN, *BROKEN, FAILED])
    told = {tally.cause: tally for tally in taken.failures(NOW)}
    assert "No such file or directory: '/etc/litellm/my_hooks.py'" in told[CAUSE].words
    assert (told[CAUSE].kind, told[CAUSE].counts[0][1]) == ("service", 1)
    # the error itself is one, and the sentence of its end is none
    assert len(told) == 2
    assert not any("Application startup failed" in tally.words for tally in told.values())
    record = taken.store.get(told[CAUSE].sequence)
    assert record is not None
    assert record.text == "Application startup failed. Exiting."


def test_a_start_that_completes_is_none() -> None:
    assert _starts([*BEGUN, DONE, ANSWER], NOW + 9999) == []


def test_a_start_whose_beginning_was_not_read_is_told_with_the_errors_before() -> None:
    lines = ["04:05:06 - LiteLLM Proxy:ERROR: utils.py:1 - Failed to import it: No module named 'x'", FAILED]
    assert _starts(lines) == ["Failed to import it: No module named 'x'"]


def test_the_end_of_an_earlier_life_is_no_word_of_this_start() -> None:
    taken = TakenLog([*BEGUN, DONE, *BROKEN, ANSWER, *BEGUN, FAILED])
    (tally,) = [tally for tally in taken.failures(NOW) if tally.cause == CAUSE]
    assert tally.words == "Application startup failed. Exiting."


def test_a_log_that_ends_in_a_start_is_told_when_nothing_follows() -> None:
    assert _starts(BEGUN, NOW + SILENT_SECONDS - 1) == []
    assert _starts(BEGUN, NOW + SILENT_SECONDS + 1) == ["Waiting for application startup."]
    # once
    taken = TakenLog(BEGUN)
    taken.failures(NOW + SILENT_SECONDS + 1)
    assert [tally.counts[0][1] for tally in taken.failures(NOW + 9999)] == [1]


@pytest.mark.parametrize(
    "lines",
    [BARE, ["LiteLLM Proxy: Database setup failed after multiple retries."], ["/bin/sh: 1: litellm: not found"]],
)
def test_a_log_that_ends_in_bare_words_before_the_server_ran_is_told(lines: list[str]) -> None:
    last = lines[-1]
    assert _starts(lines, NOW + LAST_SECONDS - 1) == []
    assert _starts(lines, NOW + LAST_SECONDS + 1) == [last]
    assert _starts(["   ██╗", *lines], NOW + LAST_SECONDS + 1) == [last]


def test_a_bare_traceback_of_a_process_that_serves_is_no_start() -> None:
    assert _starts([*BEGUN, DONE, ANSWER, *BARE], NOW + 9999) == []
    assert _starts([ANSWER, *BARE], NOW + 9999) == []
    assert _starts([*BARE, *BEGUN, DONE], NOW + 9999) == []


def test_a_bare_traceback_of_a_thread_is_no_start() -> None:
    # 1.77.7 with json_logs writes no access lines: nothing else tells that this process serves
    thread = ["Traceback (most recent call last):", '  File "/lib/threading.py", line 1, in run', "ValueError: no"]
    assert _starts(thread, NOW + 9999) == []
    assert _starts(["MemoryError"], NOW + 9999) == []


def test_a_worker_that_was_lost_in_its_start_is_none_while_others_serve() -> None:
    assert _starts([*BEGUN, *BEGUN, DONE, ANSWER], NOW + 9999) == []


def test_a_bare_traceback_after_the_end_of_the_server_is_a_start() -> None:
    ended = [
        "INFO:     Shutting down",
        "INFO:     Application shutdown complete.",
        "INFO:     Finished server process [7]",
    ]
    assert _starts([*BEGUN, DONE, ANSWER, *ended, *BARE], NOW + 9999) == ["ImportError: no name 'b'"]


def test_the_workers_of_a_service_start_together() -> None:
    assert _starts([*BEGUN, *BEGUN, *BEGUN, DONE, DONE, DONE], NOW + 9999) == []
    assert len(_starts([*BEGUN, *BEGUN, DONE], NOW + 9999)) == 1
    # the end of a worker is told by its own line
    assert _starts([*BEGUN, *BEGUN, DONE, "INFO:     Child process [7] died"], NOW + 9999) == []


def test_each_service_of_a_log_has_its_own_starts() -> None:
    lines = [f"gateway-{number} | {line}" for line in BEGUN for number in (1, 2)] + [f"gateway-1 | {DONE}"]
    assert len(_starts(lines, NOW + 9999)) == 1


def test_a_crash_loop_counts_each_start() -> None:
    assert len(_starts([*BEGUN, *BROKEN, FAILED] * 5)) == 5


STAMP = "[2026-11-21 04:05:06 +0000]"


def test_an_end_that_was_asked_for_is_no_failure() -> None:
    taken = TakenLog(
        [
            f"{STAMP} [1] [INFO] Handling signal: term",
            f"{STAMP} [1] [ERROR] Worker (pid:42) was sent SIGTERM!",
            f"{STAMP} [1] [ERROR] Worker (pid:43) was sent SIGINT!",
        ]
    )
    assert taken.told() == []
    taken = TakenLog([f"{STAMP} [1] [ERROR] Worker (pid:42) was sent SIGKILL! Perhaps out of memory?"])
    assert len(taken.told()) == 1


def test_the_death_of_a_worker_that_has_answered_all_it_may_is_none_that_matters() -> None:
    watch = TakenLog([]).intake._starts
    ended, died, other = TakenLog(
        [
            "INFO:     Finished server process [4711]",
            "INFO:     Child process [4711] died",
            "INFO:     Child process [4712] died",
        ]
    ).records
    assert watch.is_failure("finished", ended)
    assert not watch.is_failure("died", died)
    assert watch.is_failure("died", other)
    # a later worker may have the same number
    assert watch.is_failure("died", died)


def test_granian_and_gunicorn_refuse_starts_too() -> None:
    stamp = "[2026-11-21 04:05:06 +0000]"
    assert len(_starts(["[INFO] Spawning worker-1 with PID: 8", "[ERROR] ASGI lifespan startup failed"])) == 1
    assert len(_starts([f"{stamp} [1] [ERROR] Worker failed to boot."])) == 1
    assert _starts(["[INFO] Spawning worker-1 with PID: 8", "[INFO] Started worker-1"], NOW + 9999) == []
