"""Fallbacks and aliases in the settings of the file or of the running router."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from litellm_tui.analysis.latest import latest
from litellm_tui.analysis.nested import python_text
from litellm_tui.model.configuration import ConfigFile

FallbackKind = Literal["general", "context window", "content policy"]
"""Why a request continues with another group; each kind has its own table."""

FALLBACK_KINDS: Final[tuple[tuple[str, FallbackKind], ...]] = (
    ("fallbacks", "general"),
    ("context_window_fallbacks", "context window"),
    ("content_policy_fallbacks", "content policy"),
)
MAX_FALLBACKS: Final = 5
"""`max_fallbacks` where it is not set (`ROUTER_MAX_FALLBACKS` of LiteLLM)."""


class Step(NamedTuple):
    """One target. `own` identifies a target with parameters of its own; `bare` means a plain name."""

    name: str
    own: str = ""
    bare: bool = True


class Table:
    """The chains of one kind, `(group, its steps)` in the router's order, and by group."""

    def __init__(self, entries: Iterable[tuple[str, tuple[Step, ...]]]) -> None:
        self.entries = tuple(entries)
        self.last = dict(self.entries)
        self.first = dict(reversed(self.entries))


class Routing:
    """The routing settings of the file or of the running router, in any shape.

    `tables` are the router's tables in its order, with `*` among the general ones; `chains` are the same by group, for
    display. `own` are the kinds with a table of their own, even an empty one. `malformed` describes what LiteLLM does
    not accept.
    """

    def __init__(self, settings: Mapping[str, Any], otherwise: Mapping[str, Any]) -> None:
        # router_settings win entirely over litellm_settings, there is no merging (litellm/router.py)
        values = {kind: settings.get(key) or otherwise.get(key) for key, kind in FALLBACK_KINDS}
        tables = {
            kind: [(source, _steps(targets)) for source, targets in _entries(value)] for kind, value in values.items()
        }
        # an empty list in litellm_settings counts as set: it keeps such requests from the general fallbacks
        self.own = frozenset(kind for kind, value in values.items() if value is not None)
        default = settings.get("default_fallbacks") or otherwise.get("default_fallbacks")
        if default:
            # LiteLLM keeps default_fallbacks as the fallbacks of "*", behind all others (litellm/router.py)
            tables["general"].append(("*", _steps(default)))
        self.tables: dict[FallbackKind, Table] = {kind: Table(entries) for kind, entries in tables.items()}
        self.chains: dict[FallbackKind, dict[str, list[str]]] = {kind: {} for _, kind in FALLBACK_KINDS}
        for kind, value in values.items():
            for source, targets in _entries(value):
                self.chains[kind].setdefault(source, _names(targets))
        self.chains["general"].pop("*", None)
        general = self.tables["general"].entries
        self.default = [step.name for source, steps in general if source == "*" for step in steps]
        if default:
            self.default = _names(default)
        alias = settings.get("model_group_alias")
        self.aliases: dict[str, Any] = {str(k): v for k, v in alias.items()} if isinstance(alias, dict) else {}
        limit = next((s["max_fallbacks"] for s in (settings, otherwise) if s.get("max_fallbacks") is not None), None)
        self.max_fallbacks = limit if isinstance(limit, int) and not isinstance(limit, bool) else MAX_FALLBACKS
        self.malformed = tuple(words for key, kind in FALLBACK_KINDS for words in _malformed(key, values[kind]))

    @classmethod
    def of_file(cls, file: ConfigFile) -> Routing:
        """The routing after a restart with this file."""
        return cls(file.section("router_settings"), file.section("litellm_settings"))

    @classmethod
    def of_router(cls, router: Mapping[str, Any], file: ConfigFile | None = None) -> Routing:
        """The routing of the running router.

        The router shows neither content-policy fallbacks nor the hop limit: a `file` supplies these.
        """
        if file is None:
            return cls(router, router)
        unseen = ("content_policy_fallbacks", "max_fallbacks")
        sections = (file.section("router_settings"), file.section("litellm_settings"))
        hidden = [{key: section[key] for key in unseen if key in section} for section in sections]
        return cls({**router, **hidden[0]}, {**router, **hidden[1]})


@latest
def routing_of_file(file: ConfigFile) -> Routing:
    """The routing after a restart with this file; cached."""
    return Routing.of_file(file)


@latest
def routing_of_router(router: Mapping[str, Any], file: ConfigFile | None = None) -> Routing:
    """The routing of the running router; cached."""
    return Routing.of_router(router, file)


def alias_target(value: Any) -> str | None:
    """The group an alias stands for; None for a list or anything else that LiteLLM cannot resolve."""
    if isinstance(value, dict):
        value = value.get("model")
    return value if isinstance(value, str) and value else None


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """`[{group: targets}, …]`; of a mapping in that list only the first key is ever read."""
    if isinstance(value, dict):
        yield from ((str(source), targets) for source, targets in value.items())
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict) and item:
            source, targets = next(iter(item.items()))
            yield str(source), targets


def _steps(value: Any) -> tuple[Step, ...]:
    """The targets in the router's order; the router reads a text instead of a list letter by letter."""
    if not isinstance(value, list | str):
        return ()
    return tuple(_step(item) for item in value)


def _step(item: Any) -> Step:
    if not isinstance(item, dict):
        return Step(python_text(item))
    name = python_text(item.get("model", item))
    own = (
        "" if set(item) == {"model"} else python_text(dict(sorted(item.items(), key=lambda pair: python_text(pair[0]))))
    )
    return Step(name, own, bare=False)


def _names(value: Any) -> list[str]:
    """The names of targets; a target can be a mapping with its own parameters (`{model: NAME, …}`)."""
    return [value] if isinstance(value, str) else [step.name for step in _steps(value)]


def _malformed(key: str, value: Any) -> Iterator[str]:
    """What LiteLLM does not accept. The first two prevent its start, except in the context-window table."""
    refusal = "" if key.startswith("context") else ": LiteLLM does not start with it"
    if value and not isinstance(value, list):
        yield f"{key} is a {type(value).__name__}, not a list{refusal}"
    for item in value if isinstance(value, list) else ():
        if not isinstance(item, dict) or len(item) != 1:
            yield f"{key}: every entry is one group with its list{refusal}"
        elif isinstance(targets := next(iter(item.values())), str):
            yield f"{key}: {next(iter(item))} has a text, not a list: each letter is taken for a group ({targets})"
