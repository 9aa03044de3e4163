"""What stands before LiteLLM's lines in a file: it is taken off, and gives the time, the process and the service."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from litellm_tui.logs.line_prefix import MOST_PARTS, read
from tests.logs.made import NOW, TakenLog

MOMENT = datetime(2026, 11, 21, 4, 5, 6, tzinfo=UTC)
LOCAL = MOMENT.astimezone()
NANO = "2026-11-21T04:05:06.250000000Z"
TAI = f"@{(1 << 62) + 10 + int(MOMENT.timestamp()):016x}{0:08x}"
BSD = f"{LOCAL:%b} {LOCAL.day:>2} {LOCAL:%H:%M:%S}"

# what is before the line, and what it gives: seconds after MOMENT or none, the process, the name
PREFIXES: dict[str, tuple[str, float | None, int, str]] = {
    "compose": ("gateway-1  | ", None, 0, "gateway-1"),
    "compose with colours": ("\x1b[36mgateway-1  | \x1b[0m", None, 0, "gateway-1"),
    "compose of version 1": ("gateway_1      | ", None, 0, "gateway_1"),
    "compose with stamps": (f"gateway-1  | {NANO} ", 0.25, 0, "gateway-1"),
    "compose with a container's name": ("my-litellm  | ", None, 0, "my-litellm"),
    "syslog without a process": (f"{BSD} edge litellm: ", 0.0, 0, "litellm"),
    "swarm": ("llm_gateway.1.x8s2k4@node-7    | ", None, 0, "llm_gateway.1.x8s2k4@node-7"),
    "docker with stamps": (f"{NANO} ", 0.25, 0, ""),
    "a stamp with a zone": ("2026-11-21T06:05:06.5+02:00 ", 0.5, 0, ""),
    "syslog": (f"{BSD} edge litellm[4711]: ", 0.0, 4711, "litellm"),
    "syslog with a priority": (f"<30>{BSD} edge litellm[4711]: ", 0.0, 4711, "litellm"),
    "rsyslog with whole stamps": ("2026-11-21T04:05:06.125+00:00 edge litellm[4711]: ", 0.125, 4711, "litellm"),
    "RFC 5424": ("<134>1 2026-11-21T04:05:06Z edge litellm 4711 - - ", 0.0, 4711, "litellm"),
    "journalctl, precise": (f"{BSD}.750000 edge litellm[4711]: ", 0.75, 4711, "litellm"),
    "journalctl, full": (f"{LOCAL:%a} 2026-11-21 04:05:06 UTC edge litellm[4711]: ", 0.0, 4711, "litellm"),
    "journalctl, unix": (f"{MOMENT.timestamp():.6f} edge litellm[4711]: ", 0.0, 4711, "litellm"),
    "journalctl, monotonic": ("[  812.331200] edge litellm[4711]: ", None, 4711, "litellm"),
    "ts": (f"{BSD} ", 0.0, 0, ""),
    "ts with a form": (f"{LOCAL:%Y-%m-%d %H:%M:%S} ", 0.0, 0, ""),
    "ts in brackets": (f"[{LOCAL:%Y-%m-%d %H:%M:%S}] ", 0.0, 0, ""),
    "ts since the start": ("00:04:11 ", None, 0, ""),
    "ts of unix": (f"{MOMENT.timestamp():.6f} ", 0.0, 0, ""),
    "kubectl": ("[pod/gateway-7d9f5-x2x4z/litellm] ", None, 0, "gateway-7d9f5-x2x4z/litellm"),
    "kubectl with stamps": (f"[pod/gateway-7d9f5-x2x4z/litellm] {NANO} ", 0.25, 0, "gateway-7d9f5-x2x4z/litellm"),
    "the container runtime": (f"{NANO} stderr F ", 0.25, 0, ""),
    "TAI64N": (f"{TAI} ", 0.0, 0, ""),
    "runit": ("2026-11-21_04:05:06.50000 edge litellm[4711]: ", None, 4711, "litellm"),
    "PM2": ("0|gateway  | ", None, 0, "gateway"),
    "PM2 with stamps": ("0|gateway  | 2026-11-21T04:05:06: ", None, 0, "gateway"),
    "foreman": ("04:05:06 web.1     | ", None, 0, "web.1"),
    "podman-compose": ("[gateway] | ", None, 0, "gateway"),
}
LINES = (
    "04:05:06 - LiteLLM Proxy:ERROR: auth_exception_handler.py:157 - it failed",
    "Requester IP Address:10.1.2.3",
    'INFO:     10.1.2.3:50112 - "POST /v1/chat/completions HTTP/1.1" 429 Too Many Requests',
    '{"message": "x", "level": "ERROR"}',
    "[2026-11-21 04:05:06 +0000] [42] [ERROR] Exception in ASGI application",
    "2026-11-21 04:05:06,101 - litellm_proxy_extras - ERROR - it failed",
    "2026-11-21 04:05:06,101 - LiteLLM Proxy - ERROR - it failed",
    'Traceback (most recent call last):',
    '  File "/app/x.py", line 1, in f',
    "    f()",
    "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)",
    "",
)  # fmt: skip


@pytest.mark.parametrize("name", PREFIXES)
def test_a_line_is_what_follows_its_prefix(name: str) -> None:
    before, *_ = PREFIXES[name]
    for line in LINES:
        assert (before + line)[read(before + line, NOW).end :] == line
    # a blank at the end of an empty line may be gone
    bare = before.rstrip()
    assert bare[read(bare, NOW).end :] == ""


@pytest.mark.parametrize("name", PREFIXES)
def test_a_prefix_gives_time_process_and_service(name: str) -> None:
    before, after, pid, service = PREFIXES[name]
    found = read(f"{before}INFO:     Started server process [1]", NOW)
    assert (found.pid, found.name) == (pid, service)
    if after is not None:
        assert found.time == pytest.approx(MOMENT.timestamp() + after, abs=0.01)


@pytest.mark.parametrize("line", [*LINES, "12:13:14 - LiteLLM:INFO: x", "a | b", "[pod/", "| x", "@40000000"])
def test_a_line_without_a_prefix_stays_whole(line: str) -> None:
    assert read(line, NOW).end == 0


def test_a_date_without_its_year_is_the_last_one() -> None:
    for day, year in (("Nov 27", 2026), ("Dec 31", 2025), ("Feb 29", 2024)):
        found = read(f"{day} 12:00:00 edge litellm[1]: x", datetime(2026, 11, 28, tzinfo=UTC).timestamp())
        assert found.time is not None
        assert datetime.fromtimestamp(found.time).year == year


@pytest.mark.parametrize("stamp", ["2026-13-41T25:61:61Z ", "Nov 99 12:00:00 ", f"@{'f' * 24} ", "9999999999.5 "])
def test_digits_that_are_no_time_raise_nothing(stamp: str) -> None:
    taken = TakenLog([f"{stamp}INFO:     Started server process [1]"])
    assert taken.log().unread == 0
    assert 0 <= taken.records[0].time <= NOW + 60


def test_no_more_than_some_parts_are_taken_off() -> None:
    found = read("a-1 | " * 50 + "x", NOW)
    assert found.end == MOST_PARTS * len("a-1 | ")


def _log(prefix: str = "") -> list[str]:
    return [
        prefix + line
        for line in (
            "INFO:     Started server process [1]",
            "INFO:     Waiting for application startup.",
            "LiteLLM: Proxy initialized with Config, Set models:",
            "    small",
            "INFO:     Application startup complete.",
            "04:05:06 - LiteLLM Proxy:ERROR: a.py:1 - litellm.proxy.proxy_server.user_api_key_auth(): "
            "Exception occured - No connected db.",
            "Requester IP Address:10.1.2.3",
            "Traceback (most recent call last):",
            '  File "/app/x.py", line 1, in f',
            "    raise ProxyException(",
            "litellm.proxy._types.ProxyException",
            'INFO:     10.1.2.3:50112 - "POST /v1/chat/completions HTTP/1.1" 400 Bad Request',
            "04:05:07 - LiteLLM Router:ERROR: router.py:7 - litellm.router.py::async_function_with_fallbacks() - Error "
            "occurred while trying to do fallbacks - litellm.RateLimitError: slow down",
            "LiteLLM: model group 'small' failed with the error above and no fallback model group was found for it",
        )
    ]


@pytest.mark.parametrize("name", PREFIXES)
def test_the_same_fails_with_any_prefix(name: str) -> None:
    bare, prefixed = TakenLog(_log()), TakenLog(_log(PREFIXES[name][0]))
    assert prefixed.told() == bare.told()
    assert len(prefixed.told()) == 2
    assert [(r.level, r.source, r.text, r.stack, r.status) for r in prefixed.records] == [
        (r.level, r.source, r.text, r.stack, r.status) for r in bare.records
    ]
    assert prefixed.log().unknown == 0
    assert [t.callers for t in prefixed.failures()] == [t.callers for t in bare.failures()]


@pytest.mark.parametrize(
    "prefix",
    ["gateway  | ", f"{BSD} edge gateway: ", "edge/gateway> ", "<<gateway>> ", "llm-pod-a gateway ", "gw: "],
)
def test_a_prefix_of_another_form_is_learnt(prefix: str) -> None:
    bare, prefixed = TakenLog(_log()), TakenLog(_log(prefix))
    assert prefixed.told() == bare.told()
    assert prefixed.log().unknown == 0
    assert len(prefixed.records) == len(bare.records)


@pytest.mark.parametrize("prefix", ["gateway  | ", f"{BSD} edge gateway: "])
def test_a_name_is_learnt_where_no_record_stands_behind_it(prefix: str) -> None:
    lines = ["Traceback (most recent call last):", '  File "/app/a.py", line 1, in <module>', "Broken: no file x"]
    bare, prefixed = TakenLog(lines), TakenLog([prefix + line for line in lines])
    assert prefixed.told() == bare.told() != []
    assert prefixed.log().unknown == 0


def test_what_an_error_begins_with_is_not_learnt_as_a_prefix() -> None:
    line = "litellm.BadRequestError: ERROR:    x"
    taken = TakenLog([line, line, line, "litellm.BadRequestError: y"])
    assert [record.text for record in taken.records][-1].endswith("litellm.BadRequestError: y")


def test_the_lines_of_each_service_belong_together() -> None:
    one, other = _log("gateway-1  | "), _log("gateway-2  | ")
    mixed = [line for pair in zip(one, other, strict=True) for line in pair]
    bare, taken = TakenLog(_log()), TakenLog(mixed)
    assert [(cause, words, 2 * number) for cause, words, number in bare.told()] == taken.told()
    errors = [record for record in taken.records if record.level == "ERROR"]
    assert sorted(record.service for record in errors) == ["gateway-1", "gateway-1", "gateway-2", "gateway-2"]
    assert {record.process for record in errors} == {"gateway-1", "gateway-2"}
    assert all("Requester IP" in r.stack and "ProxyException" in r.stack for r in errors if "connected db" in r.text)


def test_lines_of_other_programs_are_shown_and_judged_by_nobody() -> None:
    foreign = [
        "db-1       | 2026-11-21 04:05:06.100 UTC [31] ERROR:  deadlock detected",
        'proxy-1    | 10.9.9.9 - - [21/Nov/2026:04:05:06 +0000] "POST /v1/chat/completions HTTP/1.1" 502 157 "-" "x"',
        "db-1       | ERROR:    INFO:     x",
    ]
    taken = TakenLog([*_log("gateway-1  | "), *foreign])
    assert taken.told() == TakenLog(_log()).told()
    assert taken.log().unknown == 0
    assert [(r.source, r.service) for r in taken.records[-3:]] == [(name, name) for name in ("db-1", "proxy-1", "db-1")]
    assert taken.traffic.traffic(NOW, taken.store.get).requests == 1


@pytest.mark.parametrize("prefix", ["{}     | ", BSD + " edge {}: "])
def test_lines_of_other_programs_are_known_behind_a_learnt_prefix(prefix: str) -> None:
    lines = [prefix.format("gateway") + line for line in _log()]
    taken = TakenLog([*lines, prefix.format("db") + "LOG:  checkpoint starting", f"{prefix.format('db')}  of time"])
    assert taken.told() == TakenLog(_log()).told()
    assert taken.log().unknown == 0


def test_pieces_of_lines_that_are_read_back_are_not_joined_to_new_ones() -> None:
    from litellm_tui.logs.entry import Entry

    taken = TakenLog([f"{NANO} stderr P INFO:     one "])
    (older,) = taken.intake.older_records([Entry(NOW - 9, f"{NANO} stderr F INFO:     older", 6, 0, "")])
    taken.add([f"{NANO} stderr F two"])
    assert older.text == "older"
    assert [record.text for record in taken.records] == ["one two"]


def test_a_line_that_the_runtime_has_cut_is_joined() -> None:
    line = _log()[5]
    pieces = [f"{NANO} stderr P {line[:40]}", f"{NANO} stderr P {line[40:60]}", f"{NANO} stderr F {line[60:]}"]
    assert TakenLog(pieces).told() == TakenLog([line]).told()


def test_dockers_own_files_are_read() -> None:
    lines = [
        json.dumps({"log": f"{line}\n", "stream": "stderr", "time": "2026-11-21T04:05:06.5Z"}, separators=(",", ":"))
        for line in _log()
    ]
    taken = TakenLog(lines)
    assert taken.told() == TakenLog(_log()).told()
    assert {record.time for record in taken.records} == {MOMENT.timestamp() + 0.5}
    long = [json.dumps({"log": part, "time": "2026-11-21T04:05:06Z"}) for part in ("INFO:     Sta", "rted\n")]
    assert [record.text for record in TakenLog(long).records] == ["Started"]


def test_what_rsyslog_has_escaped_is_read() -> None:
    prefix = f"{BSD} edge litellm[4711]: "
    taken = TakenLog([f"{prefix}#033[92m04:05:06 - LiteLLM Proxy:ERROR#033[0m: a.py:1 - one#012two"])
    assert [(r.level, r.source, r.text, r.pid) for r in taken.records] == [("ERROR", "proxy", "one\ntwo", 4711)]


def test_a_stamp_is_the_time_of_a_line_only_where_the_source_has_none() -> None:
    from litellm_tui.logs.entry import Entry

    taken = TakenLog([f"{NANO} INFO:     x"])
    taken.intake.add_entries([Entry(NOW, f"{NANO} INFO:     x", 6, 1, "litellm")])
    assert [record.time for record in taken.records] == [MOMENT.timestamp() + 0.25, NOW]


def test_a_stamp_of_the_future_is_none() -> None:
    taken = TakenLog(["2199-01-01T00:00:00Z INFO:     x"])
    assert taken.records[0].time == NOW + 60
