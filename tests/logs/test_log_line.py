"""What LiteLLM wrote, taken apart; and what somebody else may have written into its log."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.logs import log_line
from litellm_tui.logs.log_line import clean, parse
from tests.recorded import FOLDER, VERSIONS, entries

JOURNALS = sorted(f"{path.parent.name}/{path.stem}" for path in FOLDER.glob("*/journal*.jsonl"))


def _lines(name: str) -> list[log_line.Line]:
    version, _, journal = name.partition("/")
    return [parse(entry.message, entry.priority, entry.identifier) for entry in entries(version, journal)]


def _harmless(text: str) -> bool:
    return not any(
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in "\n\u00ad"
        for character in text
    )


@pytest.mark.parametrize("name", JOURNALS)
def test_no_recorded_line_moves_the_terminal(name: str) -> None:
    for line in _lines(name):
        assert _harmless(line.text)
        assert _harmless(line.stack)


@pytest.mark.parametrize("name", JOURNALS)
def test_every_recorded_access_line_has_its_status(name: str) -> None:
    version, _, journal = name.partition("/")
    seen = 0
    for entry in entries(version, journal):
        if ' HTTP/1.1\\" ' in entry.message or ' HTTP/1.1" ' in entry.message:
            if "uvicorn.access" not in entry.message and entry.message.startswith("{"):
                continue
            line = parse(entry.message, entry.priority, entry.identifier)
            assert line.source == "access"
            assert line.status in (200, 400, 401, 404, 500, 503)
            assert line.path.startswith("/")
            assert line.text.startswith(("GET /", "POST /"))
            assert line.text.endswith("  127.0.0.1")
            seen += 1
    # 1.77 writes no access lines of its own with json_logs
    assert seen or (version == "1.77.7" and journal != "journal-plain")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_json_lines_have_level_source_and_stack(version: str) -> None:
    lines = _lines(f"{version}/journal")
    errors = [line for line in lines if line.level == "ERROR"]
    assert errors
    # 1.77 names no component
    assert {line.source for line in errors} >= ({"router", "proxy"} if version == "1.106.2" else {"stdout"})
    assert any("Traceback (most recent call last)" in line.stack for line in errors)
    assert not any(line.text.startswith("{") for line in lines)
    assert not any(line.continues for line in errors)


def test_1_106_gives_the_id_of_the_call() -> None:
    assert any(len(line.call_id) == 36 for line in _lines("1.106.2/journal"))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_plain_lines_have_level_and_source(version: str) -> None:
    lines = _lines(f"{version}/journal-plain")
    routed = [line for line in lines if line.source == "router"]
    assert [line.level for line in routed] == ["ERROR"]
    assert routed[0].text.startswith("litellm.router.py::async_function_with_fallbacks() - Error occurred")
    assert [line.level for line in lines if line.source == "proxy"][-1] == "ERROR"
    assert [line.text for line in lines if line.source == "uvicorn"][:1] == [lines[1].text]
    assert lines[1].level == "INFO"
    assert lines[0].source == "systemd"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_banner_and_the_models_are_plain_output(version: str) -> None:
    lines = _lines(f"{version}/journal-plain")
    banner = [line for line in lines if "█" in line.text or "╚" in line.text]
    assert len(banner) == 6
    assert {line.source for line in banner} == {"stdout"}
    assert {"    llama3.1:latest", "    nomic-embed-text"} <= {line.text for line in lines}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_lines_below_a_failure_belong_to_it(version: str) -> None:
    lines = _lines(f"{version}/journal-plain")
    begin = next(n for n, line in enumerate(lines) if line.source == "router")
    rest = [line for line in lines[begin:] if line.source == "stdout"]
    assert len(rest) > 40
    assert [line.text for line in rest if not line.continues] == []


def test_the_group_that_failed_is_below_the_failure_in_the_plain_log_of_1_106() -> None:
    named = [line for line in _lines("1.106.2/journal-plain") if line.text.startswith("LiteLLM: model group '")]
    assert len(named) == 3
    assert all(line.continues for line in named)
    start = next(line for line in _lines("1.106.2/journal-plain") if "Proxy initialized" in line.text)
    assert not start.continues


def test_the_access_form_of_plain_logs() -> None:
    line = parse('INFO:     10.0.0.7:51842 - "POST /v1/chat/completions HTTP/1.1" 500 Internal Server Error')
    assert (line.level, line.source, line.status) == ("INFO", "access", 500)
    assert (line.path, line.text) == ("/v1/chat/completions", "POST /v1/chat/completions 500  10.0.0.7")


def test_the_access_form_of_json_logs() -> None:
    line = parse(
        '{"message": "[::1]:9 - \\"GET /v1/models?a=b HTTP/1.1\\" 200", "level": "INFO", "component": "uvicorn.access"}'
    )
    assert (line.status, line.path, line.text) == (200, "/v1/models?a=b", "GET /v1/models?a=b 200  [::1]")


@pytest.mark.parametrize(
    ("priority", "level"), [(0, "CRITICAL"), (3, "ERROR"), (4, "WARNING"), (5, "INFO"), (7, "DEBUG")]
)
def test_what_systemd_says_has_the_level_of_syslog(priority: int, level: str) -> None:
    line = parse("litellm.service: Main process exited, code=killed, status=9/KILL", priority, "systemd")
    assert (line.level, line.source) == (level, "systemd")


@pytest.mark.parametrize(
    "message",
    [
        "{broken",
        '{"message": "cut',
        '{"message": "x", "level": 7}',
        '{"level": null, "message": "x"}',
        "{" * 100_000,
        '{"message": ' * 5_000,
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        "{'python': 'repr'}",
        "{}",
        '{"unknown": "keys"}',
    ],
    ids=lambda text: text[:20],
)
def test_json_that_is_none_is_shown_as_it_is(message: str) -> None:
    line = parse(message)
    assert line.level == "INFO"
    assert line.source == "stdout"
    assert line.text == message.rstrip()


def test_json_values_of_other_types_are_shown_as_text() -> None:
    line = parse('{"message": {"a": [1, 2]}, "level": "ERROR", "stacktrace": ["x"], "litellm_call_id": 7}')
    assert (line.level, line.text, line.stack, line.call_id) == ("ERROR", "{'a': [1, 2]}", "['x']", "7")
    assert parse('{"message": "x", "level": "LOUD"}').level == "INFO"


HOSTILE = {
    "colours": ("\x1b[31mred\x1b[0m text", "red text"),
    "cursor": ("\x1b[2J\x1b[10;10Hmoved", "moved"),
    "title": ("a\x1b]0;title\x07b", "ab"),
    "title ended by ST": ("a\x1b]0;title\x1b\\b", "ab"),
    "clipboard": ("a\x1b]52;c;aGVsbG8=\x07b", "ab"),
    "link": ("\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\", "text"),
    "DCS": ("a\x1bP1$r0m\x1b\\b", "ab"),
    "charset": ("\x1b(0lqqk\x1b(B", "lqqk"),
    "reset": ("\x1bcgone", "gone"),
    "half an escape": ("end\x1b[", "end"),
    "escape at the end": ("end\x1b", "end"),
    "C1": ("\x9b31mred", "31mred"),
    "nul, bell, backspace": ("a\x00b\x07c\x08d", "abcd"),
    "carriage return": ("progress 1\rprogress 2", "progress 1progress 2"),
    "tab": ("a\tb", "a    b"),
    "bidi": ("abc\u202edef\u202c", "abcdef"),
    "bidi isolates": ("\u2066abc\u2069", "abc"),
    "arabic letter mark": ("a\u061cb", "ab"),
    "zero width": ("a\u200bb\ufeff", "ab"),
    "line separator": ("a\u2028b\u2029c", "abc"),
    "lone surrogate": ("a\ud800b", "ab"),
}


@pytest.mark.parametrize(("text", "left"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_harmless_in_every_form(text: str, left: str) -> None:
    assert clean(text) == left
    assert parse(text).text == left
    wrapped = json.dumps(
        {"message": text, "level": "ERROR", "component": text, "stacktrace": text, "litellm_call_id": text}
    )
    line = parse(wrapped)
    if "\ud800" not in text:  # half a character is no JSON: such a line is shown as it came
        assert (line.text, line.stack, line.call_id) == (left, left, left)
    assert _harmless(line.source)
    for line in (
        parse(f"12:00:00 - LiteLLM Router:ERROR: router.py:1 - {text}"),
        parse(f"ERROR:    {text}"),
        parse(f'INFO:     {text}:1 - "GET /{text} HTTP/1.1" 404 Not Found'),
        parse(text, 3, "systemd"),
    ):
        assert _harmless(line.text)
        assert _harmless(line.path)


@pytest.mark.parametrize(
    "message",
    [
        "x" * 1_000_000,
        "LiteLLM" + " " * 1_000_000 + "x",
        "LiteLLM " + "a " * 100_000,
        "INFO:     " + ":1" * 500_000,
        "INFO:" + " " * 1_000_000,
        "a." * 500_000,
        "\x1b]" * 500_000,
        "\x1b[" + "0;" * 500_000,
        "uvicorn" + "." * 1_000_000,
        "Error" * 200_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_a_line_of_a_megabyte_is_taken_in_one_pass(message: str) -> None:
    """Were a pattern to go back and forth over such a line, this would take hours."""
    parse(message)


@given(st.text())
def test_whatever_is_written_comes_out_harmless(text: str) -> None:
    line = parse(text)
    assert not any((ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in line.text + line.stack + line.source)
    assert clean(clean(text)) == clean(text)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"]), min_size=1))
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert clean(text) == text


def test_the_logger_of_refused_callers_since_1_109_is_the_proxys() -> None:
    said = "litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - Authentication Error, Malformed API Key"
    line = parse(f"21:21:37 - LiteLLM Proxy.stdout:WARNING: auth_exception_handler.py:212 - {said}")
    assert (line.level, line.source, line.logger) == ("WARNING", "proxy", "auth_exception_handler.py:212")
    assert line.text == said
