"""Every form in which LiteLLM and what runs it begin a record, what belongs to it, and what is of no known form."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.health.coverage import blind_spots, source_coverage, unread_lines
from litellm_tui.logs.log_line import parse
from litellm_tui.model.log import Log
from litellm_tui.model.snapshot import Snapshot
from tests.logs.made import NOW, TakenLog
from tests.recorded import VERSIONS, entries

FORMS = {
    "gunicorn": ("[2026-11-21 04:05:06 +0000] [42] [ERROR] Exception in ASGI application", "ERROR", "gunicorn"),
    "gunicorn, a worker": (
        "[2026-11-21 04:05:06 +0000] [7] [CRITICAL] WORKER TIMEOUT (pid:42)",
        "CRITICAL",
        "gunicorn",
    ),
    "gunicorn, out of memory": (
        "[2026-11-21 04:05:06 +0000] [7] [ERROR] Worker (pid:42) was sent SIGKILL! Perhaps out of memory?",
        "ERROR",
        "gunicorn",
    ),
    "gunicorn, booting": ("[2026-11-21 04:05:06 +0000] [42] [INFO] Booting worker with pid: 42", "INFO", "gunicorn"),
    "hypercorn": ("[2026-11-21 04:05:06 +0000] [9] [INFO] Running on http://0.0.0.0:4000", "INFO", "hypercorn"),
    "granian": ("[INFO] Listening at: http://0.0.0.0:4000", "INFO", "granian"),
    "granian, a worker": ("[ERROR] Unexpected exit from worker-1", "ERROR", "granian"),
    "uvicorn, a worker": ("INFO:     Child process [4711] died", "INFO", "uvicorn"),
    "litellm_proxy_extras": ("2026-11-21 04:05:06,101 - litellm_proxy_extras - ERROR - no", "ERROR", "migrations"),
    "LiteLLM's logger": ("2026-11-21 04:05:06,101 - LiteLLM Proxy - ERROR - no", "ERROR", "proxy"),
    "dashes": (
        "2026-11-21 04:05:06,101 - apscheduler.executors - WARNING - missed",
        "WARNING",
        "apscheduler.executors",
    ),
    "basicConfig": ("ERROR:asyncio:Task exception was never retrieved", "ERROR", "asyncio"),
    "loguru": ("2026-11-21 04:05:06.101 | WARNING  | module.sub:run:12 - slow", "WARNING", "module.sub"),
    "dated": ("2026-11-21 04:05:06,101 ERROR something.else: no", "ERROR", "stdout"),
    "warnings": ("/app/lib/python3.13/site-packages/a/b.py:81: UserWarning: old", "WARNING", "python"),
    "prisma": ("Error: P1001: Can't reach database server at `db`:`5432`", "ERROR", "prisma"),
    "prisma, in peace": ("Prisma schema loaded from schema.prisma", "INFO", "prisma"),
    "prisma's engine": ("prisma:error Invalid invocation", "ERROR", "prisma"),
    "a refused start": (
        "LiteLLM Proxy: Database setup failed after multiple retries. The proxy cannot start safely.",
        "ERROR",
        "stdout",
    ),
    "a command line": ("Error: No such option: --prot", "ERROR", "stdout"),
    "a shell": ("/bin/sh: 1: litellm: not found", "ERROR", "stdout"),
    "an interpreter": ("/usr/bin/python3: can't open file '/app/x.py': [Errno 2] No such file", "ERROR", "stdout"),
    "a runtime": ('exec: "litellm": executable file not found in $PATH', "ERROR", "stdout"),
    "a crash": ("Fatal Python error: Segmentation fault", "ERROR", "stdout"),
    "killed": ("Killed", "ERROR", "stdout"),
    "supervisord": ("2026-11-21 04:05:06,101 CRIT Supervisor is running as root", "CRITICAL", "stdout"),
    "compose, an end": ("gateway-1 exited with code 137", "ERROR", "compose"),
    "compose, an ordered end": ("gateway-1 exited with code 143", "INFO", "stdout"),
    "compose": ("Attaching to db-1, gateway-1", "INFO", "stdout"),
    "a print": ("LiteLLM: Proxy initialized with Config, Set models:", "INFO", "stdout"),
    "advice": (
        "LiteLLM Proxy: --max_requests_before_restart_jitter has no effect without --max_requests_before_restart",
        "INFO",
        "stdout",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_form_tells_level_and_source(name: str) -> None:
    text, level, source = FORMS[name]
    for message in (text, f"\x1b[1;31m{text}\x1b[0m"):
        line = parse(message)
        assert (line.level, line.source) == (level, source)
        assert line.shape != "loose"
        assert not line.continues
    assert TakenLog([text]).log().unknown == 0


ACCESS = {
    "uvicorn under gunicorn": '10.0.0.7:51842 - "POST /v1/chat/completions HTTP/1.1" 503',
    "gunicorn": '10.0.0.7 - - [21/Nov/2026:04:05:06 +0000] "POST /v1/chat/completions HTTP/1.1" 503 157 "-" "curl/8"',
    "gunicorn with a user": '10.0.0.7 - bob [21/Nov/2026:04:05:06 +0000] "POST /v1/chat/completions HTTP/1.1" 503 -',
    "hypercorn": '[2026-11-21 04:05:06 +0000] [9] [INFO] 10.0.0.7:51842 - - [21/Nov/2026:04:05:06 +0000] '
    '"POST /v1/chat/completions 1.1" 503 21 "-" "curl"',
    "hypercorn, http/2": '10.0.0.7:51842 - - [21/Nov/2026:04:05:06 +0000] "POST /v1/chat/completions 2" 503 21 "-" "x"',
    "granian": '[2026-11-21 04:05:06 +0000] 10.0.0.7 - "POST /v1/chat/completions HTTP/1.1" 503 12.345',
    "uvicorn": 'INFO:     10.0.0.7:51842 - "POST /v1/chat/completions HTTP/1.1" 503 Service Unavailable',
}  # fmt: skip


@pytest.mark.parametrize("name", ACCESS)
def test_an_access_line_of_every_server(name: str) -> None:
    line = parse(ACCESS[name])
    assert (line.source, line.status, line.path) == ("access", 503, "/v1/chat/completions")
    assert line.text == "POST /v1/chat/completions 503  10.0.0.7"
    taken = TakenLog([ACCESS[name]])
    assert taken.traffic.traffic(taken.records[0].time, taken.store.get).refused == 1


def _parts(log: str) -> list[str]:
    """The records of a log, each with all of its lines."""
    return [f"{record.text}\n{record.stack}".strip() for record in TakenLog(log).records]


MESSAGES = {
    "the second line of an error": """
04:05:06 - LiteLLM Proxy:ERROR: utils.py:8311 - LiteLLM Prisma Client Exception connect(): Can't reach it at `db`:`1`

Please make sure your database server is running at `db`:`1`.
""",
    "what the check of a key adds": """
04:05:06 - LiteLLM Proxy:ERROR: auth_exception_handler.py:157 - user_api_key_auth(): Exception occured - No db.
Requester IP Address:10.1.2.3
Key Identity: key_alias=bot team_id=blue
Traceback (most recent call last):
  File "/app/a.py", line 3, in b
    raise ProxyException(
litellm.proxy._types.ProxyException
""",
    "a chain of exceptions": """
ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "/app/a.py", line 3, in b
KeyError: 'model'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/a.py", line 9, in c
ValueError: no model

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/a.py", line 12, in d
my.own.Broken
""",
    "an exception group": """
[2026-11-21 04:05:06 +0000] [42] [ERROR] Exception in ASGI application
  + Exception Group Traceback (most recent call last):
  |   File "/app/a.py", line 76, in collapse_excgroups
  |     yield
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/b.py", line 41, in asgi
    | httpx.ConnectError: All connection attempts failed
    +------------------------------------
""",
    "a box of Prisma": """
04:05:06 - LiteLLM Proxy:ERROR: proxy_cli.py:7 - it failed: update available
┌─────────────────────────────────────────────────────────┐
│  Update available 5.17.0 -> 6.1.0                        │
└─────────────────────────────────────────────────────────┘
""",
    "a validation error of pydantic": """
04:05:06 - LiteLLM Proxy:ERROR: proxy_server.py:7 - 2 validation errors for DeploymentTypedDict
litellm_params.model
  Field required [type=missing, input_value={'api_base': 'x'}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.11/v/missing
litellm_params.rpm
  Input should be a valid integer
""",
    "a traceback of rich": """
ERROR:    it failed
╭─────────────────────────────── Traceback (most recent call last) ────────────────────────────────╮
│ /app/a.py:12 in b                                                                                │
╰──────────────────────────────────────────────────────────────────────────────────────────────────╯
ValueError: no
""",
    "an error of the migrations": """
2026-11-21 04:05:06,101 - litellm_proxy_extras - ERROR - prisma migrate deploy failed: Error: P1001

Can't reach database server at `db`:`5432`
Please make sure your database server is running at `db`:`5432`.
""",
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_one_message_is_one_record(name: str) -> None:
    log = MESSAGES[name]
    (whole,) = _parts(log)
    _, *rest = (line for line in log.strip().split("\n") if line)
    assert all(line.strip() in whole for line in rest)
    taken = TakenLog(log)
    assert taken.log().unknown == 0
    assert sum(number for *_, number in taken.told()) == 1
    # and what is written after it is another
    after = 'INFO:     10.0.0.7:51842 - "GET / HTTP/1.1" 200 OK'
    assert len(_parts(f"{log}{after}\n")) == 2


def test_a_bare_exception_group_is_an_error_named_by_what_it_holds() -> None:
    log = "\n".join(MESSAGES["an exception group"].strip().split("\n")[1:])
    (record,) = TakenLog(log).records
    assert record.level == "ERROR"
    assert record.text == "httpx.ConnectError: All connection attempts failed"


def test_a_line_long_after_a_message_is_another() -> None:
    taken = TakenLog("04:05:06 - LiteLLM:ERROR: a.py:1 - it failed")
    taken.add("printed by a module of the operator", at=taken.records[0].time + 5)
    assert [record.stack for record in taken.records] == ["", ""]
    assert (taken.log().unknown, taken.log().lines) == (1, 2)


def test_prints_after_a_message_below_warning_stay_records() -> None:
    taken = TakenLog("04:05:06 - LiteLLM:DEBUG: a.py:1 - \nRequest to litellm:\nwith these")
    assert [(record.level, record.text) for record in taken.records] == [
        ("DEBUG", "Request to litellm:"),
        ("INFO", "with these"),
    ]
    assert taken.log().unknown == 0


def test_prints_after_a_json_record_are_their_own() -> None:
    taken = TakenLog(['{"message": "it failed", "level": "ERROR"}', "called with 7 rows", "    indented"])
    assert [record.stack for record in taken.records][:2] == ["", ""]
    log = taken.log()
    assert (log.lines, log.unknown, log.unknown_example) == (3, 2, "called with 7 rows")


def test_lines_of_no_known_form_are_counted_with_an_example() -> None:
    taken = TakenLog(["10:11:12.001 <I> one of another kind", "", "10:11:13.002 <E> and another"])
    log = taken.log()
    assert (log.lines, log.unknown, log.unknown_example) == (2, 2, "<I> one of another kind")


@pytest.mark.parametrize("journal", ["journal", "journal-plain", "journal-info"])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_recorded_line_is_of_a_known_form(version: str, journal: str) -> None:
    taken = TakenLog([])
    taken.intake.add_entries(entries(version, journal))
    log = taken.log()
    assert log.lines > 10
    assert (log.unknown, log.unknown_example) == (0, "")


def test_what_is_not_understood_is_said_where_the_log_is_told_of() -> None:
    few, many = (
        Snapshot(taken_at=NOW, log=Log(lines=lines, unknown=412, unknown_example="<I> x")) for lines in (90_000, 9_000)
    )
    for snapshot, words in ((few, "412 of 90,000 lines are of"), (many, "412 of 9,000 lines are of an unknown form")):
        (told,) = [looked.text for looked in source_coverage(snapshot) if looked.what == "log"]
        assert words in told
    spots = [[spot for spot in blind_spots(one, NOW) if "unknown form" in spot.what] for one in (few, many)]
    assert [len(found) for found in spots] == [0, 1]
    assert "<I> x" in spots[1][0].mend
    assert unread_lines(Log(lines=9)) == ""
    assert unread_lines(Log(lines=9, unread=1, unknown=1)) == (
        "1 line could not be read; 1 of 9 lines is of an unknown form"
    )
