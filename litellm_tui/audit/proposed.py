"""What a configuration would lead to: after the edits that a finding proposes, and in an environment with nothing set.

Only refusals to start are looked at, by the rules that know one, over plain data: nothing is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

import msgspec

from litellm_tui.audit.rule import Hit, Rule
from litellm_tui.audit.subject import Subject, reference
from litellm_tui.model.edits import Edit, Insert, Move, Path, Remove, Rename, SetValue

# of a long list of deployments that no edit touches, so many are enough
_ENTRIES: Final = 50
# how many proposals of one audit are looked at; a file with more has graver trouble
_MOST: Final = 30
# rules whose own severity is lower, and that find a refusal in some versions or values
_SUBJECTS: Final = frozenset({"fallbacks", "router", "cache", "callbacks", "general", "litellm"})
_VARIABLE: Final = re.compile(r"\b[A-Z][A-Z0-9]{1,40}(?:_[A-Z0-9]{1,40}){1,8}\b")


class Proposals:
    """Judges what findings propose for one subject."""

    def __init__(self, subject: Subject, rules: Iterable[Rule]) -> None:
        self._subject = subject
        self._rules = [one for one in rules if knows_refusals(one) and subject.runs(one.since, one.until)]
        self._looked = 0

    def refusal(self, edits: tuple[Edit, ...]) -> str:
        """The first refusal to start that the edits would lead to; "" where there is none that was not there before.

        An edit below `model_list` is not looked at: rules about deployments say themselves what to write.
        """
        touched = {str(path[0]) for edit in edits for path in _paths(edit) if path}
        if not touched or "model_list" in touched or self._looked == _MOST:
            return ""
        self._looked += 1
        data = edited(self._shortened, edits)
        if data is None:
            return ""
        after = refusals(_with(self._subject, data), self._rules)
        return next((hit.text for _, hit in after if hit.text not in self._before), "")

    @cached_property
    def _shortened(self) -> dict[str, Any]:
        listed = self._subject.data.get("model_list")
        return self._subject.data | ({"model_list": listed[:_ENTRIES]} if isinstance(listed, list) else {})

    @cached_property
    def _before(self) -> frozenset[str]:
        return frozenset(hit.text for _, hit in refusals(_with(self._subject, self._shortened), self._rules))


def knows_refusals(one: Rule) -> bool:
    """Whether a rule may find that LiteLLM does not start."""
    return one.severity == "fatal" or one.subject in _SUBJECTS or one.subject.startswith("start")


def refusals(subject: Subject, rules: Iterable[Rule]) -> Iterator[tuple[Rule, Hit]]:
    """What would end the start. A rule that fails on this subject is passed over: the audit itself says that of it."""
    for one in rules:
        try:
            said = tuple(one.check(subject))
        except Exception:  # noqa: BLE001  # the same rule on data that nobody has written; its verdict is only left out
            continue
        yield from ((one, hit) for hit in said if isinstance(hit, Hit) and (hit.severity or one.severity) == "fatal")


def needed_variables(subject: Subject, rules: Iterable[Rule]) -> tuple[str, ...]:
    """The variables without which LiteLLM does not start with this file, where its environment is not known."""
    if subject.environment is not None:
        return ()
    able = [one for one in rules if knows_refusals(one) and subject.runs(one.since, one.until)]
    known = {(one.id, hit.path) for one, hit in refusals(subject, able)}
    bare = Subject(subject.file, subject.catalogue, subject.spans, {}, subject.runtime)
    names: dict[str, None] = {}
    for one, hit in refusals(bare, able):
        if (one.id, hit.path) not in known and (name := _named(subject.data, one, hit)):
            names[name] = None
    return tuple(names)


def _named(data: Mapping[str, Any], one: Rule, hit: Hit) -> str:
    """The variable that a finding is about: the one referred to at its place, else the first that its texts name."""
    value: Any = data
    for part in hit.path:
        value = value.get(part) if isinstance(value, dict) else _item(value, part)
    if name := reference(value):
        return name
    found = _VARIABLE.search(f"{hit.text} {hit.do} {one.fix}"[:2000])
    return found[0] if found else ""


def _item(value: Any, part: str | int) -> Any:
    return value[part] if isinstance(value, list) and isinstance(part, int) and part < len(value) else None


def _with(subject: Subject, data: dict[str, Any]) -> Subject:
    file = msgspec.structs.replace(subject.file, data=data, duplicates=(), ignores=())
    return Subject(
        file, subject.catalogue, subject.spans, subject.environment, subject.runtime, withheld=subject.withheld
    )


def _paths(edit: Edit) -> tuple[Path, ...]:
    return (edit.path, edit.to) if isinstance(edit, Move) else (edit.path,)


def edited(data: dict[str, Any], edits: Iterable[Edit]) -> dict[str, Any] | None:
    """A copy of the data with the edits made; None where one of them finds no place."""
    try:
        for edit in edits:
            match edit:
                case SetValue(path, value) | Insert(path, value):
                    data = _put(data, path, value)
                case Rename(path, name):
                    data = _put(_without(data, path), (*path[:-1], name), _at(data, path))
                case Remove(path):
                    data = _without(data, path)
                case Move(path, to):
                    data = _put(_without(data, path), to, _at(data, path))
    except (LookupError, TypeError):
        return None
    return data


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _put(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    part, rest = path[0], path[1:]
    if isinstance(part, int):
        items = list(value or ())
        if part == len(items):
            return [*items, _put(None, rest, new)]
        items[part] = _put(items[part], rest, new)
        return items
    return {**(value or {}), part: _put((value or {}).get(part), rest, new)}


def _without(value: Any, path: Path) -> Any:
    part, rest = path[0], path[1:]
    if rest:
        return _put(value, (part,), _without(value[part], rest))
    if isinstance(value, list):
        return [item for place, item in enumerate(value) if place != part]
    return {key: item for key, item in value.items() if key != part}
