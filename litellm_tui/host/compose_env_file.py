"""An `env_file` as Docker Compose 2.26 reads it (compose-go, dotenv and template)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from litellm_tui.host.bounded import size

MOST_INTERPOLATED: Final = 1 << 20
_DEEPEST: Final = 20
# Go's unicode.IsSpace, but the line end
_BLANKS: Final = "\t\v\f\r \x85\xa0"
_EXPORT: Final = re.compile(rf"export[{_BLANKS}]+")
_KEY: Final = re.compile(rf"[\w.\-\[\]{_BLANKS}]*")
_ESCAPE: Final = re.compile(r'\\(?:[abcfnrtv$"\\]|0\d{0,3})')
_ESCAPED: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\", "$": "$$",
}  # fmt: skip
_IN_QUOTES: Final = {"'": re.compile(r"[^'\\]+"), '"': re.compile(r'[^"\\]+')}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR: Final = re.compile(r":?[-+?]")
_BRACES: Final = re.compile(r"\$\{|\}")


def parse_compose(content: bytes, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of the file. Raises ValueError where Compose refuses the file.

    `environment` is that of `docker compose`; a reference uses it before the file.
    """
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\r\n", "\n")
    values: dict[str, str] = {}
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at >= len(text):
            return values
        if text[at] == "#":
            at = _end_of_line(text, at)
            continue
        if export := _EXPORT.match(text, at):
            at = export.end()
        match = _KEY.match(text, at)
        assert match is not None
        name, at = match[0].strip(_BLANKS), match.end()
        sign = text[at : at + 1]
        if sign not in ("=", ":", "\n", "") or " " in name:
            raise ValueError("Compose refuses it: a name of a variable holds what it may not")
        if sign in ("\n", ""):
            # a bare name gets its value from the environment; Compose drops one at the end of the file
            if sign and name in environment:
                values[name] = environment[name]
            continue
        at += 1
        while at < len(text) and text[at] in _BLANKS:
            at += 1
        values[name], at = _value(text, at, values, environment)


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _value(text: str, at: int, values: Mapping[str, str], environment: Mapping[str, str]) -> tuple[str, int]:
    known = (environment, values)
    quote = text[at : at + 1]
    if quote not in ("'", '"') or not quote:
        end = _end_of_line(text, at)
        return _substituted(text[at:end].partition(" #")[0].rstrip(), known), end
    parts: list[str] = []
    at += 1
    while at < len(text):
        if match := _IN_QUOTES[quote].match(text, at):
            parts.append(match[0])
            at = match.end()
        elif text[at] == quote:
            value = "".join(parts)
            return _substituted(_ESCAPE.sub(_unescaped, value), known) if quote == '"' else value, at + 1
        else:
            escaped = text[at + 1 : at + 2]
            parts.append(escaped if escaped == quote else f"\\{escaped}")
            at += 2
    raise ValueError("Compose refuses it: a quoted value does not end")


def _unescaped(match: re.Match[str]) -> str:
    letters = match[0][1:]
    if letters.startswith("0"):
        octal = letters[1:]
        return chr(int(octal, 8)) if len(octal) == 3 and octal.isascii() and not set(octal) & {"8", "9"} else match[0]
    return _ESCAPED.get(letters, match[0])


def _substituted(text: str, known: tuple[Mapping[str, str], ...], depth: int = 0) -> str:
    """The text with `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:+other}` and `$$` resolved."""
    if depth > _DEEPEST:
        raise ValueError("references nested too deeply: not read")
    parts: list[str] = []
    length = at = 0
    while (dollar := text.find("$", at)) >= 0:
        parts.append(text[at:dollar])
        following = text[dollar + 1 : dollar + 2]
        if following == "$":
            found, at = "$", dollar + 2
        elif following == "{":
            found, at = _braced(text, dollar, known, depth)
        elif name := _NAME.match(text, dollar + 1):
            found, at = _of(name[0], known) or "", name.end()
        else:
            raise ValueError("Compose refuses it: a dollar that begins no reference")
        parts.append(found)
        length += len(found)
        if length > MOST_INTERPOLATED:
            raise ValueError(f"a value of more than {size(MOST_INTERPOLATED)} once interpolated: not read")
    return "".join((*parts, text[at:]))


def _braced(text: str, dollar: int, known: tuple[Mapping[str, str], ...], depth: int) -> tuple[str, int]:
    name = _NAME.match(text, dollar + 2)
    level, end = 1, -1
    for brace in _BRACES.finditer(text, dollar + 2):
        level += 1 if brace[0] == "${" else -1
        if level == 0:
            end = brace.start()
            break
    if name is None or end < 0:
        raise ValueError("Compose refuses it: a reference that does not end, or has no name")
    value = _of(name[0], known)
    if name.end() == end:
        return value or "", end + 1
    operator = _OPERATOR.match(text, name.end())
    if operator is None:
        raise ValueError("Compose refuses it: a reference with a name that is none")
    there = value is not None and (bool(value) or ":" not in operator[0])
    other = text[operator.end() : end]
    if operator[0].endswith("+"):
        return _substituted(other, known, depth + 1) if there else "", end + 1
    if there:
        return value or "", end + 1
    if operator[0].endswith("?"):
        raise ValueError("Compose refuses it: a variable that it requires is not set")
    return _substituted(other, known, depth + 1), end + 1


def _of(name: str, known: tuple[Mapping[str, str], ...]) -> str | None:
    return next((values[name] for values in known if name in values), None)
