"""Whatever stands in a line, what comes out of the intake is bounded, can move no terminal, and nothing is raised."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.intake import LONGEST_TEXT, LogIntake
from litellm_tui.logs.journal_line import decode_lines
from litellm_tui.logs.pump import PartialLine
from litellm_tui.logs.store import LONGEST_STACK, LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.log import LogRecord

SECRET = "hunter22hunter"
# C0 but for the newline, DEL, C1, and what turns or hides text without being seen (Unicode's bidi controls among them)
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
LONGEST_RECORD = LONGEST_TEXT + LONGEST_STACK + LONGEST_TEXT + 2000

PIECES = st.sampled_from(
    [
        "[bold red]", "[/]", "[@click=app.quit]x[/]", "[link=file:///etc/passwd]", "\\[", "\x1b[2J", "\x1b[31m",
        "\x1b]0;title\x07", "\x1b]52;c;aGk=\x1b\\", "\x1b]8;;http://x\x1b\\", "\x1bP1$q\x1b\\", "\x1b_x",
        "\x1b", "\x1b[", "\x9b2J", "\x9d0;t\x9c", "\x00", "\x07", "\x08\x08", "\r", "\r\n", "\n", "\t", "\x7f",
        "\x0b\x0c", "\u202e", "\u2066", "\u200f", "\u200b", "\ufeff", "\u2028", "\u061c", "e\u0301" * 30,
        "\u0336" * 50, "漢字", "👩‍👩‍👧‍👦", "\ufe0f", "العربية", "\U000e0041", "\ud800", "\udfff", "\uffff",
        "x" * 5000, SECRET, f"sk-{'a' * 40}", "://u:p@h", "Bearer abcdefgh1234", "Traceback (most recent call last):",
        "  File x", "ValueError: no", '{"', '"}', "[" * 2000, '{"a":' * 600, "1" * 500, "1e999", "-0", "NaN",
        "(model=", ") 200 OK", "litellm.acompletion(model=a) Exception x", "Received Model Group=g",
        "model group 'g' failed", 'INFO:     1.2.3.4:5 - "GET /x HTTP/1.1" 200',
        "12:00:00 - LiteLLM Router:ERROR: router.py:1 - ", "Cooldown Deployments=[('i', {'timestamp': 1.0, ",
        "No deployments available. Try again in 9 seconds", "Suppressed 3 messages from x",
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=12).map("".join)
BYTES = st.one_of(st.binary(max_size=200), TEXTS.map(lambda text: text.encode(errors="surrogatepass")))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)
NAMES = (
    "level",
    "component",
    "logger",
    "stacktrace",
    "litellm_call_id",
    "model",
    "model_group",
    "timestamp",
)
ANY = st.one_of(TEXTS, TEXTS, VALUES)
OBJECTS = st.fixed_dictionaries({"message": ANY}, optional=dict.fromkeys(NAMES, ANY)).map(json.dumps)
FIELDS = st.dictionaries(
    st.sampled_from(
        ["MESSAGE", "PRIORITY", "_PID", "SYSLOG_IDENTIFIER", "MESSAGE_ID", "__REALTIME_TIMESTAMP", "__CURSOR"]
    ),
    st.one_of(VALUES, OBJECTS, BYTES.map(list)),
)


def _taken(entries: list[Entry]) -> list[LogRecord]:
    store = LogStore(most_records=200, most_bytes=1 << 20)
    intake = LogIntake(store, Redactor([SECRET]), TrafficCounter())
    intake.add_entries(entries)
    intake.log(1.8e9)
    return list(store.since(store.first))


def judge(records: list[LogRecord]) -> None:
    for record in records:
        for shown in (record.text, record.stack, record.source, record.call_id, record.model, record.logger):
            found = UNSAFE.search(shown)
            assert found is None, f"{unicodedata.name(found[0], hex(ord(found[0])))} in {shown[:200]!r}"
            assert SECRET not in shown
            # it can be written anywhere
            shown.encode()
        assert "\n" not in record.source + record.call_id + record.model + record.logger
        assert len(record.text) + len(record.stack) <= LONGEST_RECORD


@settings(max_examples=300)
@given(st.lists(st.one_of(TEXTS, OBJECTS), max_size=6), st.integers(0, 7), st.sampled_from(["litellm", "systemd", ""]))
def test_any_text(messages: list[str], priority: int, identifier: str) -> None:
    judge(_taken([Entry(1.8e9, message, priority, 1, identifier) for message in messages]))


@given(st.lists(FIELDS, max_size=4))
def test_any_fields_that_journalctl_may_print(lines: list[dict[str, object]]) -> None:
    entries, _ = decode_lines("\n".join(json.dumps(line) for line in lines).encode())
    judge(_taken(entries))


@given(st.lists(BYTES, max_size=6))
def test_any_bytes_in_place_of_journalctls_lines(chunks: list[bytes]) -> None:
    rest = PartialLine()
    for chunk in [*chunks, b""]:
        entries, _ = decode_lines(rest.add(chunk)[0])
        judge(_taken(entries))


@given(st.lists(BYTES, max_size=6))
def test_any_bytes_in_a_file(lines: list[bytes]) -> None:
    judge(_taken([Entry(1.8e9, line.decode(errors="replace"), 6, 0, "") for line in lines]))


@pytest.mark.parametrize(
    "message",
    [
        "x" * (1 << 20),
        "\x1b]0;" + "x" * (1 << 20),
        "\x1b[" * (1 << 19),
        "e" + "\u0301" * (1 << 19),
        "\u202e" * (1 << 19),
        f"{SECRET} " * 70_000,
        "x" * (LONGEST_TEXT + 4090) + SECRET,
        "x" * (LONGEST_TEXT - 5) + SECRET + "y" * 9000,
        "{" * (1 << 19),
        '{"message":' * 50_000,
        '{"message": "a", "message": "b", "level": "ERROR", "level": "INFO"}',
        '{"message": ' + "9" * 100_000 + "}",
        '{"message": "x", "stacktrace": "' + "s" * (1 << 20) + '", "litellm_call_id": "' + "c" * 100_000 + '"}',
        '{"message": ' + "[" * 900 + "]" * 900 + ', "level": "ERROR"}',
        "(model=" * 100_000,
        "Received Model Group=" * 50_000,
        "litellm.acompletion(model=" + "m" * (1 << 20) + ") 200 OK",
        "No deployments available" * 40_000,
    ],
    ids=lambda message: repr(message[:20]),
)
def test_one_line_that_is_out_of_all_measure(message: str) -> None:
    entries = [Entry(1.8e9, message, 6, 1, "litellm"), Entry(1.8e9, f"12:00:00 - LiteLLM:ERROR: {message}", 3, 1, "")]
    judge(_taken(entries))


def test_a_traceback_of_hostile_lines_stays_bounded() -> None:
    lines = ["12:00:00 - LiteLLM:ERROR: it failed", "Traceback (most recent call last):"]
    records = _taken([Entry(1.8e9, line, 6, 1, "") for line in [*lines, *["  " + "\u202ex" * 20_000] * 50]])
    judge(records)
    assert len(records) > 1, "what is beyond the bound stands by itself"
