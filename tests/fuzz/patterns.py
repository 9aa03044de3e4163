"""Every pattern of the package, texts that it matches, and texts made of them that are meant to do harm.

All of it is deterministic: the same patterns give the same texts.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from types import ModuleType
from typing import Any, Final, NamedTuple

import litellm_tui

# typeshed knows nothing of the parser's tree
_parser: Any = importlib.import_module("re._parser")

_DEPTH: Final = 4
_MOST_REPEATS: Final = 3
_TRIES: Final = 60
# of each category its ASCII members, and of digits also some of another script: `\d` takes them, float() too
_CATEGORIES: Final = {
    "CATEGORY_DIGIT": "0123456789٣",
    "CATEGORY_SPACE": " \t\n\u00a0",
    "CATEGORY_WORD": "aZ_09é",
    "CATEGORY_NOT_DIGIT": "a .",
    "CATEGORY_NOT_SPACE": "a1./",
    "CATEGORY_NOT_WORD": " .:'",
}
_ANY: Final = "aZ0 ._-/:'\"[({=,"
# what stands in place of a number, and between the words of a form
NUMBERS: Final = (".", "1.", ".5", "1.2.3", "9" * 400, "9" * 5000, "٣", "²", "1e999", "-1", "nan", "inf", "0x1", "")
FILLS: Final = (" ", "a", "1", ".", "\n", "'", "\\", ":", "a-", "1.", "a ", "(", "\u00e9")
_NUMBER: Final = re.compile(r"[0-9][0-9.]*")


class Found(NamedTuple):
    """A pattern, and where it stands."""

    place: str
    pattern: re.Pattern[str]


@cache
def modules() -> tuple[ModuleType, ...]:
    """Every module of the package."""
    names = [info.name for info in pkgutil.walk_packages(litellm_tui.__path__, "litellm_tui.")]
    return tuple(importlib.import_module(name) for name in names if not name.endswith("__main__"))


@cache
def patterns() -> tuple[Found, ...]:
    """Every compiled pattern in the modules' globals, each once; those of bytes as patterns of text."""
    found: dict[tuple[str, int], Found] = {}
    for module in modules():
        for place, value in _values(module):
            pattern = _as_text(value)
            found.setdefault((pattern.pattern, pattern.flags), Found(place, pattern))
    return tuple(found.values())


@cache
def words() -> tuple[str, ...]:
    """The constant words that modules look for with plain searches, alone and in tables."""
    found = {
        text
        for module in map(importlib.import_module, SEARCHING)
        for name, value in vars(module).items()
        if not name.startswith("__")
        for text in _texts(value, _DEPTH)
        if 2 <= len(text) <= 100
    }
    return tuple(sorted(found))


SEARCHING: Final = (
    "litellm_tui.logs.call_line",
    "litellm_tui.logs.failure_line",
    "litellm_tui.logs.intake",
    "litellm_tui.logs.journal",
    "litellm_tui.logs.line_forms",
    "litellm_tui.logs.line_prefix",
    "litellm_tui.logs.log_line",
    "litellm_tui.logs.prefix_reader",
    "litellm_tui.logs.start_watch",
    "litellm_tui.logs.store",
    "litellm_tui.analysis.redaction.secret_shapes",
    "litellm_tui.services.systemd.unit_exits",
)


def matching(pattern: re.Pattern[str], count: int, seed: int = 0) -> list[str]:
    """At most `count` texts in which the pattern finds something; none where chance alone finds none."""
    chance = random.Random(f"{pattern.pattern} {seed}")
    tree = _parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    found: list[str] = []
    for _ in range(_TRIES * count):
        text = _made(tree, chance, {})
        if text and text not in found and pattern.search(text):
            found.append(text)
            if len(found) == count:
                break
    return found


def seeds() -> list[str]:
    """Texts that the patterns match, and the words that are searched for."""
    return [*(text for found in patterns() for text in matching(found.pattern, 2)), *words()]


def without_numbers(text: str) -> Iterator[str]:
    """The text with each kind of false number in place of its numbers."""
    if _NUMBER.search(text):
        for number in NUMBERS:
            yield _NUMBER.sub(lambda _, number=number: number, text)  # type: ignore[misc]  # bound at once


def hostile(texts: Sequence[str], chance: random.Random, count: int) -> Iterator[str]:
    """Short texts made of others: joined, nested, cut off, with false numbers, with what is no text between them."""
    odd = ("\x00", "\ud800", "\udfff", "\u202e", "\x1b[", "\n", "\r", "\t", "•••", *NUMBERS[:6])
    for _ in range(count):
        parts = [chance.choice(texts) for _ in range(chance.randint(1, 4))]
        for number, part in enumerate(parts):
            match chance.randrange(6):
                case 0:
                    parts[number] = part[: chance.randint(0, len(part))]
                case 1:
                    at = chance.randint(0, len(part))
                    parts[number] = part[:at] + chance.choice(odd) + part[at:]
                case 2:
                    at = chance.randint(0, len(part))
                    parts[number] = part[:at] + chance.choice(texts) + part[at:]
                case 3:
                    parts[number] = _NUMBER.sub(lambda _: chance.choice(NUMBERS), part)
        yield chance.choice(("", " ", "\n", "=")).join(parts)


class Attack(NamedTuple):
    """A text of any length: `begin`, then `unit` again and again, then `end`."""

    begin: str
    unit: str
    end: str

    def of(self, length: int) -> str:
        """The text of about this length."""
        return self.begin + self.unit * max(1, length // len(self.unit)) + self.end


def attacks(text: str) -> Iterator[Attack]:
    """Texts made of one that a pattern matches: it, and each beginning of it, repeated; its gaps filled."""
    # where a pattern has a gap is not known here: the borders of its words are near it
    borders = sorted({match.start() for match in re.finditer(r"\b|(?<=\W)(?=\W)", text)} | {len(text)})
    chosen = borders[:: max(1, len(borders) // 4)][1:]
    for border in {*chosen, len(text)}:
        if text[:border]:
            yield Attack("", text[:border], "")
    for number, border in enumerate(chosen):
        fill = FILLS[(number + len(text)) % len(FILLS)]
        yield Attack(text[:border], fill, text[border:] if number % 2 else "")


def fills() -> Iterator[Attack]:
    """Nothing but one sign or two."""
    for fill in FILLS:
        yield Attack("", fill, "")
        yield Attack("'", fill, "")


def _values(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any]]]:
    for name, value in list(vars(module).items()):
        if inspect.isroutine(value) or hasattr(value, "cache_info"):
            # compiled when it is first needed
            if hasattr(value, "cache_info") and "re.Pattern" in str(
                getattr(value, "__annotations__", {}).get("return")
            ):
                value = value()
            else:
                continue
        for pattern in _within(value, _DEPTH):
            yield f"{module.__name__}.{name}", pattern


def _within(value: Any, depth: int) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, dict):
        for inner in [*value, *value.values()]:
            yield from _within(inner, depth - 1)
    elif depth and isinstance(value, tuple | list | set | frozenset):
        for inner in value:
            yield from _within(inner, depth - 1)


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, dict):
        yield from _texts([*value, *value.values()], depth - 1)
    elif depth and isinstance(value, tuple | list | set | frozenset):
        for inner in value:
            yield from _texts(inner, depth - 1)


def _as_text(pattern: re.Pattern[Any]) -> re.Pattern[str]:
    if isinstance(pattern.pattern, bytes):
        return re.compile(pattern.pattern.decode("latin-1"), pattern.flags)
    return pattern


def _made(tree: Iterable[Any], chance: random.Random, groups: dict[int, str]) -> str:
    return "".join(_part(code, argument, chance, groups) for code, argument in tree)


def _part(code: Any, argument: Any, chance: random.Random, groups: dict[int, str]) -> str:
    match str(code):
        case "LITERAL":
            return chr(argument)
        case "NOT_LITERAL":
            return chance.choice([letter for letter in _ANY if ord(letter) != argument])
        case "ANY":
            return chance.choice(_ANY)
        case "IN":
            return _one_of(argument, chance)
        case "BRANCH":
            return _made(chance.choice(argument[1]), chance, groups)
        case "SUBPATTERN":
            text = _made(argument[3], chance, groups)
            if argument[0] is not None:
                groups[argument[0]] = text
            return text
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = argument
            times = chance.randint(least, min(most, least + _MOST_REPEATS))
            return "".join(_made(inner, chance, groups) for _ in range(times))
        case "ASSERT":
            # what follows may be asked for once more behind it
            return _made(argument[1], chance, groups) if chance.random() < 0.5 else ""
        case "ATOMIC_GROUP":
            return _made(argument, chance, groups)
        case "GROUPREF":
            return groups.get(argument, "")
        case "GROUPREF_EXISTS":
            return _made(argument[1], chance, groups) if argument[0] in groups else ""
        case "AT" | "ASSERT_NOT":
            return ""
    raise NotImplementedError(str(code))


def _one_of(choices: Sequence[Any], chance: random.Random) -> str:
    if str(choices[0][0]) == "NEGATE":
        return chance.choice(
            [letter for letter in _ANY if not any(_holds(one, letter) for one in choices[1:])] or ["é"]
        )
    code, argument = chance.choice(choices)
    match str(code):
        case "LITERAL":
            return chr(argument)
        case "RANGE":
            return chr(chance.randint(*argument))
        case "CATEGORY":
            return chance.choice(_CATEGORIES[str(argument)])
    raise NotImplementedError(str(code))


def _holds(choice: tuple[Any, Any], letter: str) -> bool:
    code, argument = choice
    match str(code):
        case "LITERAL":
            return bool(chr(argument) == letter)
        case "RANGE":
            return bool(argument[0] <= ord(letter) <= argument[1])
        case "CATEGORY":
            return letter in _CATEGORIES[str(argument)]
    raise NotImplementedError(str(code))
