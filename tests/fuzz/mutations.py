"""Documents that differ from a recorded one in one place, and values that no parser expects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

# as they are written in JSON: what no JSON library would write is among them
HOSTILE = (
    "null", "true", "[]", "{}", '""', "-1", "0.5", "1e999", "-1e999", "NaN", "Infinity", "1" + "0" * 400, "1" * 5000,
    '"\\ud800"', '"\\u0000\\u001b[2J"', '"None"', '"1e400"', '"' + "9" * 5000 + '"', '"' + "x" * 70000 + '"', '"١٢"',
    '"²"',
    "[" * 300 + "]" * 300, "[" * 990 + "]" * 990, "[" * 100000, '{"a":' * 600 + "1" + "}" * 600, "[[], {}, null, 1]",
    '{"": null, "id": [], "keys": {}}', '"[\\"torn"', '"{\\"message\\": 1}"', "[1, [2], {}]",
)  # fmt: skip
_MARK = "@@HOSTILE@@"
Path = tuple[str | int, ...]


def paths(document: Any, path: Path = ()) -> Iterator[Path]:
    """Where a document holds a value: of a list the first and the last entry stand for all."""
    yield path
    if isinstance(document, dict):
        for key, value in document.items():
            yield from paths(value, (*path, key))
    elif isinstance(document, list) and document:
        for number in {0, len(document) - 1}:
            yield from paths(document[number], (*path, number))


def mutated(content: bytes, most: int = 10**9, seed: int = 0) -> Iterator[bytes]:
    """The document with each hostile value in each place, and without each key; at most `most`, spread evenly."""
    document = json.loads(content)
    places = list(paths(document))
    every = [(place, value) for place in places for value in (*HOSTILE, None)]
    step = max(1, len(every) // most)
    for place, value in every[seed % step :: step]:
        yield changed(document, place, value)


def changed(document: Any, place: Path, value: str | None) -> bytes:
    """The document with this JSON text in one place; None leaves the key out."""
    if not place:
        return b"" if value is None else value.encode("utf-8", "surrogatepass")
    copy = json.loads(json.dumps(document))
    holder = copy
    for key in place[:-1]:
        holder = holder[key]
    if value is None:
        del holder[place[-1]]
        return json.dumps(copy).encode()
    holder[place[-1]] = _MARK
    return json.dumps(copy).replace(f'"{_MARK}"', value).encode("utf-8", "surrogatepass")


def torn(content: bytes) -> Iterator[bytes]:
    """What is no text, not whole, or of another encoding."""
    for cut in (0, 1, len(content) // 3, len(content) // 2, len(content) - 1):
        yield content[:cut]
    for odd in (b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[2J", b"\r\n\r\n", b"\t"):
        yield odd + content
        yield content[: len(content) // 2] + odd + content[len(content) // 2 :]
    yield content.decode(errors="replace").encode("utf-16")
    yield content[: len(content) // 2] + bytes(range(256)) + content[len(content) // 2 :]
    yield content * 3
    yield b"[" * 50000
    yield b'{"a":' * 50000
    yield b"<html>" + b"x" * 100000
