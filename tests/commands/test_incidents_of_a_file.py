"""`litellm-tui incidents` of a log file that something else has written: every form, with every prefix."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.cli import main

REFUSED = """\
{clock} - LiteLLM Proxy:ERROR: auth_exception_handler.py:157 - litellm.proxy.proxy_server.user_api_key_auth(): \
Exception occured - Budget has been exceeded! Team=green-4 Current cost: 12.5, Max budget: 12.0
Requester IP Address:10.4.0.9
Key Identity: key_alias=nightly team_id=green-4
INFO:     10.4.0.9:40112 - "POST /v1/chat/completions HTTP/1.1" 429 Too Many Requests
{clock} - LiteLLM Proxy:ERROR: auth_exception_handler.py:157 - litellm.proxy.proxy_server.user_api_key_auth(): \
Exception occured - Budget has been exceeded! Team=green-4 Current cost: 12.5, Max budget: 12.0
Requester IP Address:10.4.0.9
INFO:     10.4.0.9:40113 - "POST /v1/chat/completions HTTP/1.1" 429 Too Many Requests
"""
HEALTHY = """\
INFO:     Started server process [1]
INFO:     Waiting for application startup.
INFO:     Application startup complete.
INFO:     10.4.0.9:40113 - "POST /v1/chat/completions HTTP/1.1" 200 OK
"""
PREFIXES = {
    "none": "",
    "compose": "litellm-1  | ",
    "compose of another name": "gw  | ",
    "docker": "{stamp}.123456789Z ",
    "syslog": "{month} edge litellm[77]: ",
    "kubectl": "[pod/litellm-5d8-a1/litellm] ",
    "ts": "{month} ",
}


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    folder = tmp_path / "config" / "litellm-tui"
    folder.mkdir(parents=True)
    # nothing listens at port 9
    profile = f'url: http://127.0.0.1:9\n    custom: {{status: ["true"], log_file: {tmp_path / "log"}}}\n'
    (folder / "config.yaml").write_text(f"profiles:\n  made:\n    {profile}", encoding="utf-8")


def _found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, prefix: str = ""
) -> tuple[int, dict[str, Any], str]:
    """The exit status, the document and the text of `incidents` for a log that was written a moment ago."""
    now = time.time() - 2
    values = {
        "stamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)),
        "month": time.strftime("%b %e %H:%M:%S", time.localtime(now)),
        "clock": time.strftime("%H:%M:%S", time.localtime(now)),
    }
    before = prefix.format(**values)
    lines = text.replace("{clock}", values["clock"]).splitlines()
    (tmp_path / "log").write_text("".join(f"{before}{line}\n" for line in lines), encoding="utf-8")
    status = main(["incidents", "--profile", "made", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert main(["incidents", "--profile", "made"]) == status
    return status, document, capsys.readouterr().out


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_same_incidents_whatever_stands_before_the_lines(
    prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, bare, _ = _found(tmp_path, capsys, REFUSED)
    (one,) = bare["incidents"]
    again, prefixed, said = _found(tmp_path, capsys, REFUSED, PREFIXES[prefix])
    (other,) = prefixed["incidents"]
    assert (again, status) == (2, 2)
    same = ("key", "cause", "subject", "words", "count", "callers", "means", "do")
    assert [one[name] for name in same] == [other[name] for name in same]
    assert (other["count"], other["callers"]) == (2, [["10.4.0.9", 2]])
    assert (prefixed["lines_unknown"], prefixed["unknown_example"]) == (0, None)
    assert "unknown form" not in said


@pytest.mark.parametrize("prefix", PREFIXES)
def test_nothing_failed_is_said_where_all_was_understood(
    prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, document, said = _found(tmp_path, capsys, HEALTHY, PREFIXES[prefix])
    assert (status, document["incidents"], document["lines"], document["lines_unknown"]) == (0, [], 4, 0)
    assert said.startswith("no incident")


def test_lines_of_an_unknown_form_are_said_and_no_all_clear_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = "~~ 17 lvl=3 something went wrong\n"
    status, document, said = _found(tmp_path, capsys, HEALTHY + unknown)
    assert (status, document["lines"], document["lines_unknown"]) == (0, 5, 1)
    assert document["unknown_example"] == unknown.strip()
    assert "1 of 5 lines is of an unknown form" in said
    assert unknown.strip() in said
    assert "no incident" not in said
    # a log that is of no known form as a whole is as good as unread
    status, document, said = _found(tmp_path, capsys, unknown * 1200)
    assert (status, document["lines_unknown"]) == (3, 1200)
    assert "1,200 of 1,200 lines are of an unknown form" in said
    assert "no incident" not in said


def test_an_empty_log_is_no_all_clear(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, document, said = _found(tmp_path, capsys, "")
    assert document["lines"] == 0
    assert "no line of the log was read" in said
    assert "no incident" not in said


def test_a_refused_start_and_its_last_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = """\
INFO:     Started server process [1]
INFO:     Waiting for application startup.
ERROR:    Traceback (most recent call last):
  File "/app/litellm/proxy/types_utils/utils.py", line 32, in get_instance_fn
    spec.loader.exec_module(module)
FileNotFoundError: [Errno 2] No such file or directory: '/etc/litellm/my_hooks.py'

ERROR:    Application startup failed. Exiting.
"""
    status, document, said = _found(tmp_path, capsys, log)
    assert status == 2
    # an incident of its own, or what became of the one that names the cause
    (start,) = [
        one
        for one in document["incidents"]
        if any(words.startswith("start did not complete") for words in (one["cause"], *one["also"]))
    ]
    assert start["count"] == 1
    assert "/etc/litellm/my_hooks.py" in start["words"]
    assert start["place"]["kind"] == "service"
    assert "start did not complete" in said


@pytest.mark.parametrize(
    ("answer", "silent"), [("500 Internal Server Error", 1), ("503 Service Unavailable", 1), ("200 OK", 0)]
)
def test_a_request_that_failed_without_a_line_of_its_own_is_an_incident(
    answer: str, silent: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lone = f'INFO:     10.4.0.12:40114 - "POST /v1/chat/completions HTTP/1.1" {answer}\n'
    status, document, said = _found(tmp_path, capsys, HEALTHY + lone + HEALTHY.splitlines(keepends=True)[-1])
    assert status == (2 if silent else 0)
    assert [one["count"] for one in document["incidents"]] == [1] * silent
    assert ("answered with 5xx, and no line says why" in said) == bool(silent)
    assert ("10.4.0.12 (1)" in said) == bool(silent)


def test_a_request_whose_error_is_in_the_log_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = (
        "{clock} - LiteLLM Proxy:ERROR: common_request_processing.py:1401 - "
        "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - litellm.InternalServerError: "
        "InternalServerError: OpenAIException - Connection error.. Received Model Group=small\n"
        'INFO:     10.4.0.12:40114 - "POST /v1/chat/completions HTTP/1.1" 500 Internal Server Error\n'
    )
    _, document, _ = _found(tmp_path, capsys, HEALTHY + error)
    assert [(one["subject"], one["count"]) for one in document["incidents"]] == [("small", 1)]


def test_an_mcp_server_that_litellm_only_warns_of_is_an_incident(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    warned = (
        "{clock} - LiteLLM:WARNING: mcp_server_manager.py:5512 - Error listing tools from clock: UnsupportedProtocol\n"
        "{clock} - LiteLLM:WARNING: stdio_gate.py:28 - MCP server 'files' will not start: stdio MCP servers are "
        "disabled on this proxy. Set LITELLM_ENABLE_MCP_STDIO=true on the proxy and restart to enable them\n"
    )
    _, document, _ = _found(tmp_path, capsys, HEALTHY + warned)
    found = {(one["failure_of"], one["subject"], one["cause"]) for one in document["incidents"]}
    assert found == {
        ("mcp", "clock", "MCP server without address"),
        ("mcp", "files", "MCP programs switched off"),
    }


def test_refused_requests_without_a_line_are_an_incident_of_their_route(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lone = 'INFO:     10.4.0.12:40114 - "POST /v1/chat/completions HTTP/1.1" 401 Unauthorized\n'
    status, document, said = _found(tmp_path, capsys, HEALTHY + 2 * lone)
    assert status == 2
    (one,) = document["incidents"]
    assert (one["subject"], one["count"], one["statuses"]) == ("POST /v1/chat/completions", 2, [[401, 2]])
    assert (one["callers"], one["failure_of"]) == ([["10.4.0.12", 2]], "")
    assert "refused with 4xx, and no line says why: POST /v1/chat/completions" in said
    assert "answered  401 (2)" in said
