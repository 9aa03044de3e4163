"""Environment files by the grammar of their reader, held against what the real readers made of the same files."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.host.compose_env_file import parse_compose
from litellm_tui.host.environment_file import parse_dotenv, parse_systemd, secrets_of
from tests.environment_files import FILES, OUTSIDE, PEM, ask_dotenv, recorded

RECORDED = recorded()


def reading(program: str, content: bytes) -> dict[str, str] | None:
    try:
        if program == "systemd":
            return parse_systemd(content)
        if program == "compose":
            return parse_compose(content, OUTSIDE)
        # what is set already stays as it is
        return {name: value for name, value in parse_dotenv(content, OUTSIDE).items() if name not in OUTSIDE}
    except ValueError:
        return None


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("program", ["systemd", "compose"])
def test_a_file_is_read_as_its_program_reads_it(program: str, name: str) -> None:
    assert reading(program, FILES[name]) == RECORDED[program][name]


@pytest.mark.parametrize("name", [name for name in FILES if b"\0" not in FILES[name]])
def test_a_dotenv_is_read_as_the_library_loads_it(name: str) -> None:
    assert reading("dotenv", FILES[name]) == RECORDED["dotenv"][name]


def test_the_recording_is_that_of_the_library_that_is_installed(tmp_path: Path) -> None:
    for name in ("comment behind a value", "export", "references", "several lines in double quotes", "CRLF"):
        assert ask_dotenv(tmp_path, FILES[name]) == RECORDED["dotenv"][name]


SECRETS = {
    "comment behind a value": b"A_KEY=sk-abcdef # prod\n",
    "export": b"export A_KEY=sk-abcdef\n",
    "quotes that do not end": b"A_KEY='sk-abcdef\nB=2\n",
    "continued": b"A_KEY=sk-\\\nabcdef\n",
    "quoted in pieces": b"A_KEY='sk-'\"abcdef\"\n",
    "CRLF": b"A_KEY=sk-abcdef\r\n",
    "BOM": b"\xef\xbb\xbfA_KEY=sk-abcdef\n",
    "beside what is not UTF-8": b"A_KEY=sk-abcdef\nB=\xe9\n",
    "by reference": b"X=abcdef\nA_KEY=sk-${X}\n",
    "a name twice": b"A_KEY=sk-abcdef\nA_KEY=\n",
    "YAML's sign": b"A_KEY: sk-abcdef\n",
    "a name that is none": b"A.B-KEY=sk-abcdef\n",
    "behind a NUL": b"N=\0\nA_KEY=sk-abcdef\n",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_known_in_whichever_grammar_it_stands(name: str) -> None:
    assert "sk-abcdef" in secrets_of(SECRETS[name])


@pytest.mark.parametrize("quote", ["'", '"'])
def test_each_line_of_a_value_of_several_lines_is_a_secret_of_its_own(quote: str) -> None:
    found = secrets_of(f"GOOGLE_KEY={quote}{PEM}{quote}\n".encode())
    assert {PEM, "c2VjcmV0LWxpbmUtb25l", "c2VjcmV0LWxpbmUtdHdv"} <= found


def test_a_reference_that_doubles_a_value_again_and_again_is_given_up() -> None:
    doubling = b"A0=xxxxxxxx\n" + b"".join(f"A{n + 1}=${{A{n}}}${{A{n}}}\n".encode() for n in range(64))
    for parse in (parse_dotenv, parse_compose):
        with pytest.raises(ValueError, match="once interpolated: not read"):
            parse(doubling, {})


def test_a_deep_nest_of_references_is_given_up() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_compose(b"A=" + b"${B:-" * 5000 + b"}" * 5000, {})


def test_a_default_may_hold_a_reference() -> None:
    content = b'A=${X:-${Y-${OUTER}}}\nB="${OUTER:+set}"\nC=${EMPTY_OUTER:+set}.${EMPTY_OUTER+set}\nD=${NONE:?must}\n'
    assert parse_compose(content.rsplit(b"\n", 2)[0], OUTSIDE) == {"A": "from outside", "B": "set", "C": ".set"}
    with pytest.raises(ValueError, match="requires"):
        parse_compose(content, OUTSIDE)
