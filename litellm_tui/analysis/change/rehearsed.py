"""What a rehearsal says: the place in the operator's own file that its failure names, and what differs. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from typing import Any, Final

from litellm_tui.analysis.change.values import value_text
from litellm_tui.model.configuration import ConfigFile, Mark
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.snapshot import Snapshot

Path = tuple[str | int, ...]

# what a message puts in quotes, and plain names in it
_QUOTED: Final = re.compile(r"'([^'\n]{2,200})'|\"([^\"\n]{2,200})\"|`([^`\n]{2,200})`")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_][\w.:/@-]{3,199}")
_NAME: Final = re.compile(r"\w[./_:-]\w")
_LONGEST: Final = 4000
_LONGEST_TRACE: Final = 64_000
_FRAME: Final = re.compile(r'File "[^"\n]{1,400}", line [0-9]{1,7}, in [^\n]{1,200}\n')
_EXCEPTION: Final = re.compile(r"(?m)^[A-Za-z_][\w.]{0,200}(?:Error|Exception)\b")
_KEY_ERROR: Final = re.compile(r"KeyError: '([^'\n]{1,100})'")
# the functions and files of LiteLLM that read a section at its start, the more particular first
_MODELS: Final = ("model_list",)
_SECTIONS: Final[tuple[tuple[str, Path], ...]] = (
    ("guardrail", ("guardrails",)),
    ("mcp_server", ("mcp_servers",)),
    ("pass_through", ("general_settings", "pass_through_endpoints")),
    ("init_prompts", ("prompts",)),
    ("vector_store", ("vector_store_registry",)),
    ("search_tool", ("search_tools",)),
    ("policy_engine", ("policies",)),
    ("in validate_fallbacks", ("router_settings", "fallbacks")),
    ("in validate_fallbacks", ("litellm_settings", "fallbacks")),
    ("in routing_strategy_init", ("router_settings", "routing_strategy")),
    ("in initialize_callbacks_on_proxy", ("litellm_settings", "callbacks")),
    ("litellm/caching/", ("litellm_settings", "cache_params")),
    ("in initialize_secret_manager", ("general_settings", "key_management_system")),
)
# what LiteLLM calls a setting whose value it does not say (ends before its log is set up come without a traceback)
_CALLED: Final[tuple[tuple[str, Path], ...]] = (
    ("Key Management System", ("general_settings", "key_management_system")),
)
# keys that only the entries of one list have, which the start reads itself
_ENTRIES: Final[dict[str, Path]] = {"custom_handler": ("litellm_settings", "custom_provider_map")}
_MOST_LEAVES: Final = 20_000
# words of Python and of its messages, which are no names of a file
_COMMON: Final = frozenset((
    "None", "True", "False", "str", "int", "float", "dict", "list", "tuple", "bool", "NoneType", "object", "module",
    "named", "file", "directory", "name", "type", "value", "error", "errors", "input", "should", "valid", "string",
    "litellm", "model", "models", "import", "from", "class", "function", "config", "yaml",
))  # fmt: skip


def place_of_end(file: ConfigFile, records: Sequence[str]) -> Mark | None:
    """The place of the file that ended a start, from the records of its log, oldest first; None where it is not clear.

    The last traceback counts: its frames name the part of LiteLLM that read the file, and so the section.
    """
    for text in reversed(records):
        found = [*_FRAME.finditer(text, 0, _LONGEST_TRACE)]
        if not found and not _EXCEPTION.search(text, 0, _LONGEST):
            continue
        frames = text[: found[-1].end()] if found else ""
        words = text[found[-1].end() :] if found else text
        section = next((path for word, path in _SECTIONS if word in frames and _has(file, path)), ())
        if missing := _KEY_ERROR.search(words, 0, _LONGEST):
            # it names what is not there; an entry of model_list is read by the start itself
            section = section or _ENTRIES.get(missing[1], ())
            return _lacking(file, words, section or _MODELS) or (file.mark(section) if section else None)
        if section:
            return place_named(file, words, section) or file.mark(section)
        return place_named(file, words)
    return None


def place_named(file: ConfigFile, words: str, section: Path = ()) -> Mark | None:
    """The one place, in this section, that these words of LiteLLM name; None where they name none, or several.

    A value counts before a key, and what stands in quotes before what does not. Of what stands in no quotes, only
    what can hardly be a word counts.
    """
    text = words[:_LONGEST]
    quoted = [next(filter(None, match.groups()), "") for match in _QUOTED.finditer(text)]
    plain = [word for word in (word.rstrip(".:,") for word in _PLAIN.findall(text)) if _NAME.search(word)]
    leaves = [(path, value) for path, value in _leaves(file.data, ()) if path[: len(section)] == section][:_MOST_LEAVES]
    for name in dict.fromkeys((*quoted, *plain)):
        if name in _COMMON or len(name) < 3:
            continue
        for matches in (_is_value, _is_module, _is_key):
            found = {path for path, value in leaves if matches(name, path[len(section) :], value)}
            if matches is _is_key:
                found = {path[: len(section) + _last(path[len(section) :], name) + 1] for path in found}
            if len(found) == 1:
                return file.mark(next(iter(found)))
            if found:
                # which of them is meant is not known
                break
    called = (path for words_of_it, path in _CALLED if words_of_it in text and path[: len(section)] == section)
    return next((file.mark(path) for path in called if _has(file, path)), None)


def _lacking(file: ConfigFile, words: str, section: Path) -> Mark | None:
    """The one entry of a list that lacks the key of a KeyError."""
    error = _KEY_ERROR.search(words, 0, _LONGEST)
    entries = _value(file, section)
    if error is None or not isinstance(entries, list):
        return None
    lacking = [number for number, entry in enumerate(entries) if isinstance(entry, dict) and error[1] not in entry]
    return file.mark((*section, lacking[0])) if len(lacking) == 1 else None


def _has(file: ConfigFile, path: Path) -> bool:
    return _value(file, path) not in (None, [], {})


def _value(file: ConfigFile, path: Path) -> Any:
    value: Any = file.data
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _is_value(name: str, path: Path, value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and str(value) == name


def _is_module(name: str, path: Path, value: Any) -> bool:
    """A module, or an object in it, that is named with its path: `custom_callbacks.handler`."""
    return isinstance(value, str) and "." in value and "/" not in value and (
        value.startswith((f"{name}.", f"{name.rpartition('/')[2].removesuffix('.py')}."))
        or value.endswith(f".{name}") or value == name.removesuffix(".py")
    )  # fmt: skip


def _is_key(name: str, path: Path, value: Any) -> bool:
    return name in path


def _last(path: Path, name: str) -> int:
    return max(place for place, part in enumerate(path) if part == name)


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    pending: list[tuple[Path, Any]] = [(path, value)]
    while pending:
        place, found = pending.pop()
        if isinstance(found, dict) and found:
            pending += [((*place, key), inner) for key, inner in reversed(found.items())]
        elif isinstance(found, list) and found:
            pending += [((*place, number), inner) for number, inner in reversed(list(enumerate(found)))]
        else:
            yield place, found


def differences(running: Snapshot, rehearsed: Snapshot) -> tuple[str, ...]:
    """What the rehearsed gateway has otherwise than the one that runs, as far as both show it."""
    return tuple(_differences(running, rehearsed))


def _differences(running: Snapshot, rehearsed: Snapshot) -> Iterator[str]:
    before, after = (snapshot.gateway.readiness.value for snapshot in (running, rehearsed))
    if before and after and before.version and after.version and before.version != after.version:
        yield f"LiteLLM {after.version}, and {before.version} runs"
    old, new = (_names(snapshot) for snapshot in (running, rehearsed))
    if old is not None and new is not None:
        yield from (f"added: {_times(name, number)}" for name, number in (new - old).items())
        yield from (f"removed: {_times(name, number)}" for name, number in (old - new).items())
        yield from _edited(running, rehearsed, {name for name in old if old[name] == new[name] == 1})
    set_before, set_after = (snapshot.gateway.router.value for snapshot in (running, rehearsed))
    if set_before is not None and set_after is not None:
        # what only one release shows is no difference of the two gateways
        for key in sorted(set_before.keys() & set_after.keys()):
            if set_before[key] != set_after[key]:
                yield f"router_settings.{key}: {value_text(set_before[key])} → {value_text(set_after[key])}"


def _edited(running: Snapshot, rehearsed: Snapshot, names: Set[str]) -> Iterator[str]:
    """Where and how far the deployments of these names are asked, as far as both show it."""
    old, new = ({_name(one): one for one in _of_file(snapshot) or ()} for snapshot in (running, rehearsed))
    for name in sorted(names):
        for key in ("api_base", "rpm", "tpm"):
            was, now = getattr(old[name], key), getattr(new[name], key)
            if was != now and None not in (was, now):
                yield f"{name}: {key} {value_text(was)} → {value_text(now)}"


def _times(name: str, number: int) -> str:
    return name if number == 1 else f"{name}, {number} times"


def _names(snapshot: Snapshot) -> Counter[str] | None:
    loaded = _of_file(snapshot)
    return None if loaded is None else Counter(map(_name, loaded))


def _name(deployment: LoadedDeployment) -> str:
    return f"{deployment.group} ({deployment.model})"


def _of_file(snapshot: Snapshot) -> list[LoadedDeployment] | None:
    """The deployments that the database does not give."""
    loaded = snapshot.gateway.deployments.value
    return None if loaded is None else [one for one in loaded if not one.from_db]
