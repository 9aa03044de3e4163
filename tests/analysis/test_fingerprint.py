"""The words of a failure without what changes from one time to the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.analysis.failures.fingerprint import LONGEST, fingerprint

SAME = [
    ("timeout after 3.5 seconds", "timeout after 12 seconds"),
    ("call 66eed064-71ab-4cfa-b06b-fc86c97e3bf5 failed", "call 1a8eda8c-b3c8-4d0a-9d3c-0be8f9b8a8a2 failed"),
    ("chatcmpl-9AbC12 was lost", "chatcmpl-77zZ was lost"),
    ("cannot reach 10.0.0.7:8000", "cannot reach 192.168.4.12:9000"),
    ("cannot reach gpu-a.lan:8000", "cannot reach gpu-b.lan:8001"),
    ("at [::1]:4000 it ended", "at [fe80::2]:4001 it ended"),
    ("2026-11-21T01:16:23.123Z it ended", "2026-11-22 03:00:00 it ended"),
    ("object at 0x7f12ab34 is gone", "object at 0x55cd is gone"),
    ("bad input 'hello, how are you?'", "bad input 'what is the weather like'"),
    ('bad input "hello, how are you?"', 'bad input "what, 17?"'),
    ("two\n  lines", "two lines"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_changes_from_time_to_time_is_left_out(one: str, other: str) -> None:
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("KeyError: 'choices'", "KeyError: 'usage'"),
        ("connection refused", "connection reset"),
        ("the database is locked", "the disk is full"),
    ],
)
def test_what_names_the_fault_stays(one: str, other: str) -> None:
    assert fingerprint(one) != fingerprint(other)


@given(st.text())
def test_any_text_has_one_and_it_is_short(text: str) -> None:
    assert len(fingerprint(text)) <= LONGEST
    assert "\n" not in fingerprint(text)


@pytest.mark.parametrize("text", ["a-" * 500_000, "'" * 500_000, "a1" * 500_000, "x:" * 500_000, "[" * 500_000])
def test_of_a_huge_line_only_the_beginning_is_read(text: str) -> None:
    assert len(fingerprint(text)) <= LONGEST
