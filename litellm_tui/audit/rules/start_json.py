"""Settings that LiteLLM takes over as JSON, and variables that it exports: what is neither ends the start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from litellm_tui.audit import surroundings
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.shapes import kind_of
from litellm_tui.audit.subject import Subject
from litellm_tui.model.edits import Path

_PROXY: Final = "litellm/proxy/proxy_server.py"
_SECTIONS: Final = ("general_settings", "litellm_settings", "router_settings", "environment_variables")
# deeper than anybody writes by hand
_DEPTH: Final = 40
_MOST: Final = 5


@rule(
    "setting-not-json",
    "fatal",
    "A setting that is no JSON",
    why="LiteLLM checks the settings against what JSON can hold before it reads any of them, and ends at a key that is "
    "no text (5, on, nothing), at a date and at a value that holds itself. Its log names no line of the file.",
    source=f"{_PROXY}, _as_settings_mapping (1.106.2, 1.109.3)",
    fix="write the key or the value in quotes",
    since="1.106",
)
def setting_not_json(subject: Subject) -> Iterator[Hit | Right]:
    seen: set[int] = set()
    for section in _SECTIONS:
        value = subject.data.get(section)
        if isinstance(value, dict):
            for told, hit in enumerate(_faults(value, (section,), (), seen)):
                if told == _MOST:
                    break
                yield hit


def _faults(value: Any, path: Path, around: tuple[int, ...], seen: set[int]) -> Iterator[Hit]:
    if not isinstance(value, dict | list):
        if isinstance(value, date):
            yield Hit(f"{_place(path)} is a date: write it in quotes", path)
        return
    if id(value) in around:
        yield Hit(f"{_place(path)} holds itself", path)
        return
    # what anchors share is looked at once: a few of them can make more places than anybody has time for
    if len(path) > _DEPTH or id(value) in seen:
        return
    seen.add(id(value))
    around = (*around, id(value))
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, (*path, index), around, seen)
        return
    for key, item in value.items():
        if isinstance(key, str | bytes):
            yield from _faults(item, (*path, str(key)), around, seen)
        else:
            named = f"the key {key!r}"[:80]
            yield Hit(f"{named} of {_place(path)} is {kind_of(key)}, not a text: write it in quotes", path)


@rule(
    "variable-refused",
    "fatal",
    "A variable that cannot be exported",
    why="LiteLLM exports environment_variables at its start. The system takes no name that is empty or holds a =, and "
    "no value with a NUL in it, and the start ends.",
    source=f"{_PROXY}, ProxyConfig._load_environment_variables (1.77.7, 1.106.2)",
    fix="write a name of letters, digits and underscores, and a plain value",
)
def variable_refused(subject: Subject) -> Iterator[Hit | Right]:
    for name, value in surroundings.exported_variables(subject).items():
        path: Path = ("environment_variables", name)
        if not name or "=" in name or "\0" in name:
            yield Hit(f"{name!r} is no name of a variable"[:200], path)
        elif isinstance(value, str) and "\0" in value:
            yield Hit(f"the value of {name} has a NUL in it", path)


def _place(path: Path) -> str:
    return ".".join(str(part) for part in path)[:200]
