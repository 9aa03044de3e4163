"""A file of syslog in which the kernel and the service manager say how LiteLLM ended."""

from __future__ import annotations

from tests.logs.made import LATER, TakenLog

HEALTHY = "Nov 21 04:05:06 edge litellm[77]: INFO:     Started server process [77]\n"
KILLED = "Nov 21 04:05:07 edge kernel: Out of memory: Killed process 77 (litellm) total-vm:2097152kB, anon-rss:9000kB\n"
ENDED = "Nov 21 04:05:08 edge systemd[1]: litellm-gw.service: Failed with result 'oom-kill'.\n"


def _told(lines: str) -> set[tuple[str, str]]:
    return {(tally.subject, tally.cause) for tally in TakenLog(lines).failures(LATER)}


def test_memory_that_ran_out_is_the_machines() -> None:
    assert ("machine", "out of memory") in _told(HEALTHY + KILLED)
    assert ("machine", "out of memory") in _told(KILLED.replace("Out of memory", "Memory cgroup out of memory"))


def test_the_service_managers_word_of_an_end_is_its_own() -> None:
    found = TakenLog(HEALTHY + ENDED).failures(LATER)
    assert [tally.kind for tally in found if tally.cause == "service ended"] == ["service"]


def test_other_units_and_other_words_of_the_kernel_are_not_the_gateways() -> None:
    other = "Nov 21 04:05:08 edge systemd[1]: cron.service: Failed with result 'exit-code'.\n"
    usb = "Nov 21 04:05:09 edge kernel: usb 1-1: error: device descriptor read failed\n"
    assert _told(HEALTHY + other + usb) == _told(HEALTHY)
