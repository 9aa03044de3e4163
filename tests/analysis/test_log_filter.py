"""The filter of the log: what each term lets through, and that every combination means what it says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from litellm_tui.analysis.log_filter.log_filter import HELP, LogFilter
from litellm_tui.model.log import LogRecord

NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC).timestamp()
RECORD = LogRecord(
    sequence=1,
    time=NOW - 60,
    level="WARNING",
    source="router",
    text="Timeout of api.openai.com: No healthy deployment (model group 'qwen')",
    stack="File x.py\nOpenAIError: boom",
    pid=31,
    call_id="0198-ABcd",
    status=503,
    model="openai/Qwen2.5-Coder",
    logger="router.py:4023",
)
ACCESS = LogRecord(
    sequence=2, time=NOW - 3600, level="INFO", source="access", text="POST /v1/chat/completions 200", status=200
)


def _lets_through(typed: str, record: LogRecord = RECORD) -> bool:
    return LogFilter(typed, NOW, UTC).matches(record)


@pytest.mark.parametrize(
    "typed",
    [
        "", "   ", "timeout", "TIMEOUT healthy", "boom", "ROUTER", '"no healthy deployment"', '"No healthy',
        "/time.?out/", "/x\\.py/", "~healthy (deployment|host)", "~group 'q.*n'", "x/y|timeout", "/v1/chat|timeout",
        "model:qwen", "MODEL:coder", 'model:"qwen2.5"', "status:503", "status:5xx", "status:50x", "status:>=400",
        "status:>502", "status:<=503", "status:=503", "logger:router", "logger:4023", "level:warning", "level:warn",
        "level:>=warning", "level:>=info", "level:<error", "call_id:0198-abCD", "call_id:abcd", "pid:31",
        "since:10m", "since:02:14", "until:02:29:30", "until:2026-11-21T02:29", "last:5m", "-status:429", "!access",
        "-\"all is well\"", "-/^ok$/", "-~ok.*", "nobody|timeout", "nobody | timeout", "status:200|status:503 -access",
        "timeout -", "timeout |", "| timeout", "timeout !", "-nobody|-timeout", "call_id:", "since:", "status:",
    ],
)  # fmt: skip
def test_a_filter_that_lets_it_through(typed: str) -> None:
    assert _lets_through(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "nobody", "timeout nobody", '"healthy no"', "/^healthy/", "~^healthy", "-timeout", "!router", "-/time/",
        "-~time", "model:claude", "status:429", "status:4xx", "status:<400", "status:>503", "logger:access",
        "level:error", "level:info", "level:>warning", "call_id:0199", "pid:3", "since:10s", "until:1h", "last:30s",
        "-status:5xx", "status:200|status:429", "timeout|healthy nobody", "-model:qwen", "/v1/chat",
    ],
)  # fmt: skip
def test_a_filter_that_does_not(typed: str) -> None:
    assert not _lets_through(typed)


def test_what_a_record_does_not_have_is_never_compared() -> None:
    plain = replace(RECORD, status=0, model="", call_id="")
    for typed in ("status:<400", "status:>=100", "status:5xx", "model:qwen", "call_id:0198"):
        assert not _lets_through(typed, plain), typed
        assert _lets_through(f"-{typed}", plain), typed


def test_a_call_is_found_where_only_the_text_names_it() -> None:
    named = replace(RECORD, call_id="", text="Exception occured - litellm_call_id=0198-ABcd - boom")
    assert _lets_through("call_id:0198-abcd", named)
    assert not _lets_through("call_id:boom", named)


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("status:abc", "status: 429, 5xx or >=400"),
        ("status:5", "status: 429, 5xx or >=400"),
        ("level:loud", "level: error, or >=warning"),
        ("pid:x", "pid: a number"),
        ("since:tomorrow", "since: 10m, 02:14 or 2026-11-21T02:20"),
        ("until:", "until: 10m, 02:14 or 2026-11-21T02:20"),
        ("last:02:14", "last: 90s, 10m, 3h or 2d"),
        ("model:", "model: a part of its name"),
        ("/(/", "missing ), unterminated subpattern at position 0"),
    ],
)
def test_a_term_that_is_wrong_is_told_and_the_others_hold(typed: str, error: str) -> None:
    for line in (typed, f"timeout {typed}", f"{typed} timeout"):
        assert LogFilter(line, NOW, UTC).error == error
    if not typed.startswith("/"):
        assert _lets_through(f"timeout {typed}")
        assert not _lets_through(f"nobody {typed}")


def test_a_broken_regex_is_taken_as_text() -> None:
    found = LogFilter("/(model/")
    assert found.error
    assert not found.has_regex
    assert found.matches(RECORD)
    assert not found.matches(ACCESS)


def test_plainly_no_regex_is_used() -> None:
    assert LogFilter("~(a+)+$").has_regex
    plain = LogFilter("~(a+)+$", plainly=True)
    assert not plain.has_regex
    assert not plain.matches(RECORD)
    assert plain.matches(replace(RECORD, text="holds (a+)+$ itself"))


def test_a_path_is_a_word_and_an_unknown_field_too() -> None:
    assert _lets_through("/v1/chat/completions", ACCESS)
    assert _lets_through("/v1", ACCESS)
    assert _lets_through("http://x", replace(ACCESS, text="GET http://x/"))


def test_every_example_of_the_help_is_a_filter_without_error() -> None:
    for term, _ in HELP:
        for typed in term.split() if term.startswith("-") else [term]:
            found = LogFilter(typed, NOW, UTC)
            assert found, typed
            assert not found.error, typed


# --- against a plain reading -------------------------------------------------------------------------------------

WORDS = ("alpha", "beta", "gamma", "a.b", "x:y")
RECORDS = st.builds(
    LogRecord,
    sequence=st.just(0),
    time=st.floats(NOW - 1000, NOW),
    level=st.sampled_from(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]),
    source=st.sampled_from(["proxy", "access", "alpha"]),
    text=st.lists(st.sampled_from(WORDS)).map(" ".join),
    stack=st.lists(st.sampled_from(WORDS), max_size=2).map("\n".join),
    pid=st.sampled_from([1, 2]),
    call_id=st.sampled_from(["", "c-1", "c-2"]),
    status=st.sampled_from([0, 200, 404, 429, 500, 503]),
    model=st.sampled_from(["", "openai/alpha", "beta"]),
    logger=st.sampled_from(["", "router.py:1"]),
)
RANK = {"debug": 0, "info": 1, "warning": 2, "error": 3, "critical": 4}
# what is typed, and what it asks for in plain words
TERMS = (
    *((word, lambda r, w=word: w in f"{r.text}\0{r.source}\0{r.stack}") for word in ("alpha", "beta", "a.b", "x:y")),
    ('"alpha beta"', lambda r: "alpha beta" in f"{r.text}\0{r.source}\0{r.stack}"),
    # each text by itself: joined by any character, the end of one and the beginning of the next would match
    ("/a.b/", lambda r: any(re.search("a.b", part) for part in (r.text, r.source, r.stack))),
    ("status:429", lambda r: r.status == 429),
    ("status:5xx", lambda r: 500 <= r.status < 600),
    ("status:>=404", lambda r: r.status >= 404),
    ("status:<404", lambda r: 0 < r.status < 404),
    ("level:error", lambda r: r.level == "ERROR"),
    ("level:>=warning", lambda r: RANK[r.level.lower()] >= 2),
    ("level:<info", lambda r: RANK[r.level.lower()] < 1),
    ("model:alpha", lambda r: "alpha" in r.model),
    ("logger:router", lambda r: "router" in r.logger),
    ("logger:proxy", lambda r: r.source == "proxy"),
    ("call_id:c-1", lambda r: r.call_id == "c-1"),
    ("pid:1", lambda r: r.pid == 1),
    ("since:500s", lambda r: r.time >= NOW - 500),
    ("until:500s", lambda r: r.time <= NOW - 500),
    ("last:5m", lambda r: r.time >= NOW - 300),
)
TERM = st.tuples(st.sampled_from(TERMS), st.sampled_from(["", "-", "!"]))


def test_no_term_matches_across_two_texts_of_a_record() -> None:
    record = replace(RECORD, text="gamma alpha", source="access", stack="beta")
    for typed in ("/a.b/", "alphabeta", '"alpha beta"', "/a.access/"):
        assert not LogFilter(typed, NOW, UTC).matches(record), typed


@given(st.lists(st.lists(TERM, min_size=1, max_size=3), max_size=4), st.sampled_from(["|", " | "]), RECORDS)
def test_any_combination_means_what_a_plain_reading_of_it_says(
    groups: list[Any], either: str, record: LogRecord
) -> None:
    typed = " ".join(either.join(sign + term for (term, _), sign in group) for group in groups)
    meant = all(any(asks(record) != bool(sign) for (_, asks), sign in group) for group in groups)
    found = LogFilter(typed, NOW, UTC)
    assert found.error == ""
    assert found.matches(record) is meant


@given(st.text(alphabet=st.sampled_from('ab0 |-!~/"\\:()[]*+?<>=.xX\n\x00ſé') | st.characters(), max_size=60), RECORDS)
def test_nothing_that_is_typed_raises(typed: str, record: LogRecord) -> None:
    for plainly in (False, True):
        assert isinstance(LogFilter(typed, NOW, UTC, plainly=plainly).matches(record), bool)


@given(
    st.sampled_from([f"{name}:" for name in ("status", "level", "pid", "since", "until", "last")]), st.text(max_size=12)
)
def test_no_value_of_a_field_raises(field: str, value: str) -> None:
    assert isinstance(LogFilter(field + value, NOW, UTC).matches(RECORD), bool)
