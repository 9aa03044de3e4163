"""The cause of an end, from exits as systemd 252 tells them and the lines before them."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_tui.analysis.end_causes import NOT_KNOWN, name_end
from litellm_tui.model.log import LogRecord
from litellm_tui.model.service import Obstacle, Service


def _service(**fields: Any) -> Service:
    known = {"unit": "litellm.service", "scope": "user", "load_state": "loaded", "active_state": "failed"}
    return Service(**(known | {"sub_state": "failed", "result": "exit-code", "exit_code": "exited"} | fields))


def _lines(*texts: str, source: str = "stdout", level: Any = "INFO") -> list[LogRecord]:
    return [LogRecord(n, float(n), level, source, text) for n, text in enumerate(texts)]


def test_what_the_start_fails_on_comes_before_everything_else() -> None:
    obstacle = Obstacle("EnvironmentFile missing", "/etc/a.env is not there", "put it back", "/etc/a.env")
    cause = name_end(_service(result="resources", obstacles=(obstacle,)), _lines("Error: something else"))
    assert cause == ("EnvironmentFile missing", "/etc/a.env is not there", "put it back")


@pytest.mark.parametrize(("status", "brief", "line"), [
    (200, "WorkingDirectory", "a.service: Changing to the requested working directory failed: No file or directory"),
    (203, "program not started", "a.service: Failed to locate executable /opt/bin/litellm: No such file or directory"),
    (217, "User missing", "litellm.service: Failed to determine user credentials: No such process"),
    (226, "file system view", "litellm.service: Failed to set up mount namespacing: /srv/a: No such file or directory"),
])  # fmt: skip
def test_a_status_of_systemds_own_says_what_it_could_not_do(status: int, brief: str, line: str) -> None:
    lines = _lines(
        line,
        "litellm.service: Failed at step SPAWNING spawning /opt/a/bin/litellm: No such file or directory",
        "litellm.service: Main process exited, code=exited",
        "litellm.service: Failed with result 'exit-code'.",
        source="systemd",
    )
    cause = name_end(_service(exit_status=status), lines)
    assert cause.brief == brief
    assert line.partition(": ")[2] in cause.text
    assert cause.do
    assert name_end(_service(exit_status=status), ()).brief == brief
    # a container's or a plain process's statuses are its own
    assert name_end(_service(exit_status=status, scope="compose"), ()) == NOT_KNOWN


def test_a_status_of_systemds_own_that_is_not_in_the_table_is_said_so() -> None:
    cause = name_end(_service(exit_status=231), ())
    assert "231" in cause.text


def test_lack_of_resources_is_told_in_systemds_words() -> None:
    lines = _lines(
        "litellm.service: Failed to load environment files: No such file or directory",
        "litellm.service: Failed to run 'start' task: No such file or directory",
        "litellm.service: Failed with result 'resources'.",
        "Failed to start litellm.service - LiteLLM proxy.",
        source="systemd",
    )
    cause = name_end(_service(result="resources", exit_code=""), lines)
    assert "Failed to" in cause.text
    assert "No such file" in cause.text


@pytest.mark.parametrize("fields", [
    {"result": "oom-kill", "exit_code": "killed", "exit_status": 9},
    {"result": "oom-kill", "exit_code": "exited", "exit_status": 137, "scope": "compose"},
    {"result": "signal", "exit_code": "killed", "exit_status": 9,
     "killed_for_memory": "Out of memory: Killed process 812 (litellm), 1900 MB resident"},
])  # fmt: skip
def test_a_lack_of_memory_is_named_where_the_kernel_says_so(fields: dict[str, Any]) -> None:
    cause = name_end(_service(**fields), ())
    assert cause.brief == "out of memory"
    assert "MemoryMax" in cause.do
    assert str(fields.get("killed_for_memory", "")) in cause.text


@pytest.mark.parametrize("fields", [
    {"result": "signal", "exit_code": "killed", "exit_status": 9},
    {"exit_status": 137, "scope": "compose"},
])  # fmt: skip
def test_a_sigkill_alone_is_not_called_a_lack_of_memory(fields: dict[str, Any]) -> None:
    cause = name_end(_service(**fields), ())
    assert cause.brief == ""
    assert "memory" in cause.do


@pytest.mark.parametrize(("words", "brief"), [
    ("ModuleNotFoundError: No module named 'prisma'", "Python package missing"),
    ("ModuleNotFoundError: No module named 'encodings'", "Python does not start"),
    ("ImportError: Could not import handler from hooks", "module file missing"),
    ("ImportError: Could not find module file /etc/litellm/hooks.py", "module file missing"),
    ("OSError: [Errno 28] No space left on device", "disk full"),
    ("OSError: [Errno 24] Too many open files", "too many open files"),
    ("yaml.scanner.ScannerError: mapping values are not allowed here", "configuration does not parse"),
    ("PermissionError: [Errno 13] Permission denied: '/etc/litellm/config.yaml'", "permission denied"),
    ("MemoryError", "out of memory"),
    ("ValueError: an MCP server's name may not hold '-'", ""),
    ("Exception: Invalid config", ""),
])  # fmt: skip
def test_the_last_words_of_the_process_stand_and_name_what_they_name(words: str, brief: str) -> None:
    trace = f'Traceback (most recent call last):\n  File "/opt/a/litellm/proxy/proxy_cli.py", line 9, in run\n{words}'
    before = _lines("LiteLLM: Proxy initialized", "INFO:     Started server process [7]")
    record = LogRecord(7, 7.0, "ERROR", "stdout", trace.partition("\n")[0], stack=trace)
    ends = _lines("litellm.service: Main process exited, code=exited, status=1/FAILURE", source="systemd")
    cause = name_end(_service(exit_status=1), [*before, record, *ends])
    assert cause.brief == brief
    assert words in cause.text


def test_a_plain_refusal_of_a_start_is_quoted() -> None:
    said = "Error: the master key is not set: refusing to start"
    assert said in name_end(_service(exit_status=3), _lines("\x20", said)).text


def test_an_end_without_words_is_not_explained() -> None:
    assert (
        name_end(_service(exit_status=1), _lines("INFO:     Shutting down", "Finished server process [7]")) == NOT_KNOWN
    )
    assert name_end(_service(exit_status=1), ()) == NOT_KNOWN
