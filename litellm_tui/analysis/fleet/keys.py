"""A configuration as values by their dotted keys, and where those of several machines differ.

A value is told as text without secrets, and as a digest that is keyed by whoever asks: two secrets can be told apart
by it, and nobody who sees one digest can try secrets against it without that key.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from litellm_tui.analysis.change.values import secret_text, value_text
from litellm_tui.analysis.fleet.content_digest import plain_value
from litellm_tui.analysis.phrases import first_of
from litellm_tui.analysis.redaction.secret_names import may_carry_a_secret
from litellm_tui.model.fleet import KeyDifference, KeySide, KeyValue

# no configuration that LiteLLM reads has more
MOST_KEYS: Final = 200_000
_LONGEST_KEY: Final = 300
_DEEPEST: Final = 12
_DIGITS: Final = 16
_MODELS: Final = "model_list"
ABSENT_WORDS: Final = "not set"


def values_by_key(data: Mapping[Any, Any], asked_with: str) -> dict[str, KeyValue]:
    """Every value of the merged configuration. `asked_with` is the key of the digests.

    A list is one value, but for `model_list`: its entries go by group and model, whatever their order.
    """
    found: dict[str, KeyValue] = {}
    for path, value in _leaves(data):
        if len(found) >= MOST_KEYS:
            break
        key = ".".join(path)[:_LONGEST_KEY]
        secret = any(may_carry_a_secret(part) for part in path)
        text = secret_text(value) if secret else value_text(value)
        found[key] = KeyValue(text or '""', _digest(value, asked_with))
    return found


def _leaves(data: Mapping[Any, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for section, value in data.items():
        if section == _MODELS and isinstance(value, list):
            for name, entry in _named_entries(value):
                yield from _below((_MODELS, name), entry)
        else:
            yield from _below((str(section),), value)


def _named_entries(entries: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    counted: dict[str, int] = {}
    for entry in entries:
        name = "?"
        if isinstance(entry, dict):
            parameters = entry.get("litellm_params")
            model = parameters.get("model") if isinstance(parameters, dict) else None
            name = f"{value_text(entry.get('model_name'))} ({value_text(model)})"
        counted[name] = counted.get(name, 0) + 1
        yield name if counted[name] == 1 else f"{name} #{counted[name]}", entry


def _below(place: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    pending = [(place, value)]
    while pending:
        path, found = pending.pop()
        if isinstance(found, dict) and found and len(path) < _DEEPEST:
            pending += [((*path, str(key)), item) for key, item in reversed(found.items())]
        else:
            yield path, found


def _digest(value: Any, key: str) -> str:
    text = json.dumps(plain_value(value), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()[:_DIGITS]


def key_differences(group: str, told: Mapping[str, Mapping[str, KeyValue]]) -> tuple[KeyDifference, ...]:
    """The keys whose values differ, in the order of the configurations; `told` are the values by member."""
    names = dict.fromkeys(key for values in told.values() for key in values)
    found = []
    for key in names:
        by_digest: dict[str, list[str]] = {}
        for member, values in told.items():
            by_digest.setdefault(values[key].digest if key in values else "", []).append(member)
        if len(by_digest) < 2:
            continue
        ordered = sorted(by_digest.items(), key=lambda side: -len(side[1]))
        sides = [KeySide(told[members[0]][key].text if digest else "", tuple(members)) for digest, members in ordered]
        found.append(KeyDifference(group, key, tuple(sides)))
    return tuple(found)


def key_words(one: KeyDifference) -> str:
    """`router_settings.num_retries: 2 on a and b; 3 on c`."""
    seen: set[str] = set()
    parts = []
    for side in one.sides:
        text = side.text or ABSENT_WORDS
        # two secrets, or two texts that are equal as far as they are shown
        parts.append(f"{'another value, ' if text in seen else ''}{text} on {first_of(side.members)}")
        seen.add(text)
    return f"{one.key}: {'; '.join(parts)}"
