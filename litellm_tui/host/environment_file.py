"""Parses files of NAME=VALUE lines by the grammar of the program that reads them: systemd or python-dotenv.

Compose's grammar is in `compose_env_file`. The three differ in comments, quotes, escapes, `export` and interpolation.
Each parser raises ValueError with a short reason where its program refuses the whole file.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from litellm_tui.analysis.redaction.secret_names import secret_parts
from litellm_tui.host.bounded import MEDIUM, read_bytes, size
from litellm_tui.host.compose_env_file import parse_compose

# python-dotenv finds comments and references in quadratic time, and each reference can double a value
_LONGEST_BLANK: Final = 200
_LONGEST_REFERRING: Final = 1 << 16
_MOST_REFERENCES: Final = 1000
MOST_INTERPOLATED: Final = 1 << 20

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BLANKS: Final = " \t\n\r"
_LINE_ENDS: Final = "\n\r"
# what is not itself between double quotes
_QUOTED: Final = re.compile(r'(["\\`$])')
_BACKSLASHED: Final = r"\\\1"


def parse_systemd(content: bytes) -> dict[str, str]:
    """An EnvironmentFile as systemd 252 reads it (systemd.exec(5), src/basic/env-file.c): the last of a name wins.

    systemd refuses a file with a NUL byte and one with an assignment that is not UTF-8. It leaves out what is no
    variable's name, as in `export NAME=`.
    """
    if b"\0" in content:
        raise ValueError("systemd refuses it: it holds a NUL byte")
    values: dict[str, str] = {}
    for name, value in _assignments(content.decode("utf-8", "surrogateescape")):
        try:
            (name + value).encode()
        except UnicodeEncodeError:
            raise ValueError("systemd refuses it: it is not UTF-8") from None
        if _NAME.fullmatch(name):
            values[name] = value
    return values


def systemd_lines(variables: Mapping[str, str]) -> str:
    """An EnvironmentFile that `parse_systemd`, and so systemd, reads as these variables.

    What cannot be in such a file is left out: a name that is none, and a value that is not UTF-8 or holds a NUL byte.
    """
    lines = []
    for name, value in variables.items():
        if _NAME.fullmatch(name) and "\0" not in value and value == value.encode(errors="replace").decode():
            lines.append(f'{name}="{_QUOTED.sub(_BACKSLASHED, value)}"\n')
    return "".join(lines)


# the character that ends a run of ordinary ones, by the state of the parser
_BEFORE_SIGN: Final = re.compile(r"[^=\n\r]*")
_ORDINARY: Final = {
    "value": re.compile(r"[^\n\r\\]+"),
    "'": re.compile(r"[^']+"),
    '"': re.compile(r'[^"\\]+'),
    "comment": re.compile(r"[^\n\r\\]+"),
}


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    """Every assignment, as systemd's state machine finds it."""
    at, end = 0, len(text)
    while at < end:
        if text[at] in _BLANKS:
            at += 1
        elif text[at] in "#;":
            at = _after_comment(text, at)
        else:
            match = _BEFORE_SIGN.match(text, at)
            assert match is not None
            name, at = match[0].rstrip(_BLANKS), match.end()
            if at < end and text[at] == "=":
                value, at = _value(text, at + 1)
                yield name, value


def _after_comment(text: str, at: int) -> int:
    """A backslash makes the character behind it part of the comment, a line end too."""
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] in _LINE_ENDS:
            return at + 1
        elif match := _ORDINARY["comment"].match(text, at):
            at = match.end()
    return at


def _value(text: str, at: int) -> tuple[str, int]:
    parts: list[str] = []
    # blanks before a value and after a quote are skipped, those after a value cut off
    kept, started = 0, False
    while at < len(text):
        letter = text[at]
        if letter in _LINE_ENDS:
            at += 1
            break
        if letter == "\\":
            started = True
            if at + 1 < len(text) and text[at + 1] not in _LINE_ENDS:
                parts.append(text[at + 1])
            kept = len(parts)
            at += 2
        elif not started and letter in "'\"":
            quoted, at = _quoted(text, at)
            parts += quoted
            kept = len(parts)
        elif not started and letter in _BLANKS:
            at += 1
        else:
            match = _ORDINARY["value"].match(text, at)
            assert match is not None
            started, run, at = True, match[0], match.end()
            bare = run.rstrip(_BLANKS)
            if bare:
                parts += [bare, run[len(bare) :]]
                kept = len(parts) - 1
            else:
                parts.append(run)
    return "".join(parts[:kept]), at


def _quoted(text: str, at: int) -> tuple[list[str], int]:
    quote, parts = text[at], list[str]()
    at += 1
    while at < len(text) and text[at] != quote:
        if match := _ORDINARY[quote].match(text, at):
            parts.append(match[0])
            at = match.end()
        else:
            # a backslash in double quotes: like a shell, it escapes what a shell needs escaped
            escaped = text[at + 1 : at + 2]
            if escaped and escaped != "\n":
                parts.append(escaped if escaped in '"\\`$' else f"\\{escaped}")
            at += 2
    return parts, at + 1


def parse_dotenv(content: bytes, environment: Mapping[str, str]) -> dict[str, str]:
    """A `.env` as LiteLLM reads it: by python-dotenv, with `${NAME}` interpolated from the file and the environment.

    In a reference the environment comes before the file. The result also has variables that the environment already
    sets: python-dotenv leaves those unchanged.
    """
    from dotenv.parser import parse_stream

    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8").read()
    if re.search(rf"[^\S\n]{{{_LONGEST_BLANK + 1}}}", text):
        raise ValueError(f"a run of more than {_LONGEST_BLANK} blanks: not read")
    values: dict[str, str] = {}
    with _quietly():
        for binding in parse_stream(io.StringIO(text)):
            if binding.key is not None and binding.value is not None:
                values[binding.key] = _interpolated(binding.value, values, environment)
    return values


def _interpolated(value: str, values: Mapping[str, str], environment: Mapping[str, str]) -> str:
    from dotenv.variables import parse_variables

    if "${" not in value:
        return value
    if len(value) > _LONGEST_REFERRING or value.count("${") > _MOST_REFERENCES:
        raise ValueError(f"a value of more than {_MOST_REFERENCES} references or {size(_LONGEST_REFERRING)}: not read")
    known: dict[str, str | None] = {**values, **environment}
    parts: list[str] = []
    length = 0
    for atom in parse_variables(value):
        parts.append(atom.resolve(known))
        length += len(parts[-1])
        if length > MOST_INTERPOLATED:
            raise ValueError(f"a value of more than {size(MOST_INTERPOLATED)} once interpolated: not read")
    return "".join(parts)


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence python-dotenv: it logs lines that it cannot parse, and the log would appear on the screen."""
    logger = logging.getLogger("dotenv.main")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def secrets_of(content: bytes) -> set[str]:
    """Every secret in the file by any of the grammars, including those of lines that a program leaves out."""
    readings: list[tuple[str, str]] = list(_assignments(content.decode("utf-8", "replace")))
    for read in (parse_dotenv, parse_compose):
        try:
            readings += read(content, {}).items()
        except ValueError:
            continue
    for line in content.decode("utf-8", "replace").splitlines():
        name, _, value = line.strip().removeprefix("export ").partition("=")
        value = value.strip()
        readings += [(name, value), (name, value.strip("'\"")), (name, value.partition(" #")[0].strip(" '\""))]
    return {part for name, value in readings for part in secret_parts(name, value) if part}


def secrets_in_file(path: str) -> set[str]:
    """As `secrets_of`, for a file; an unreadable file has none."""
    try:
        return secrets_of(read_bytes(path, MEDIUM))
    except OSError:
        return set()
