"""The names that a request can go to, as the configuration alone tells: groups, wildcards, aliases, ids, chains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from litellm_tui.analysis.nested import written
from litellm_tui.analysis.routing.router_simulation import Fleet, Member, Walk, rules_of
from litellm_tui.analysis.routing.table import Routing
from litellm_tui.audit.nearest_facade import nearest
from litellm_tui.audit.subject import Subject
from litellm_tui.model.edits import Path

TABLES: Final = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
DEFAULT: Final = "default_fallbacks"
# comparing names costs; a file with more mistakes than this needs no more guesses
_MOST_GUESSES: Final = 20


class Chain(NamedTuple):
    """One well-formed chain. `path` leads to its key, `targets` hold the path and name of each target that has one."""

    key: str
    path: Path
    source: str
    targets: tuple[tuple[Path, str], ...]


class Names:
    """Who answers to a name. `routing` holds the well-formed chains and aliases only; `open` says that there may be
    more groups than the file shows: in the database, or none are in it at all."""

    def __init__(self, subject: Subject) -> None:
        self._models = subject.catalogue.models
        self._database = bool(subject.section("general_settings").get("store_model_in_db"))
        self.rules = rules_of(subject.catalogue.version)
        self.chains = tuple(chains(subject))
        tables: dict[str, list[Any]] = {}
        for chain in self.chains:
            names = [name for _, name in chain.targets]
            tables.setdefault(chain.key, []).append(names if chain.key == DEFAULT else {chain.source: names})
        default = tables.pop(DEFAULT, [[]])[0]
        limit = effective(subject, "max_fallbacks", falsy=True)[1]
        settings = {**tables, DEFAULT: default, "max_fallbacks": limit, "model_group_alias": aliases(subject)}
        self.routing = Routing(settings, {})
        members = (Member(str(e.index), e.name, e.model, _text(e.info.get("id"))) for e in subject.entries if e.name)
        self.fleet = Fleet(members)
        # a name that does not exist may be answered by a default fallback: here that counts as not existing
        plain = self.rules._replace(replaces=False, lists_kill=False)
        self._walk = Walk(self.routing, self.fleet, {}, "", plain)
        extra: list[Any] = [e.info.get("team_public_model_name") for e in subject.entries]
        groups = subject.section("router_settings").get("routing_groups")
        if "routing_groups" in subject.catalogue.router and isinstance(groups, list):
            extra += [group.get("group_name") for group in groups if isinstance(group, dict)]
        self._extra = frozenset(name for name in extra if isinstance(name, str))
        self._guesses = 0

    @property
    def open(self) -> bool:
        """Whether a group may exist that the file does not show."""
        return not self.fleet.groups or self._database

    def exists(self, name: str) -> bool:
        """Whether a request for this name finds a deployment. Taken to do so where a wildcard may catch it: LiteLLM
        finds the provider of a model that it knows (`gpt-4o` goes to `openai/*`)."""
        if name in self._extra or self._walk.resolve(name):
            return True
        return bool(self.fleet.patterns) and "/" not in name and name in self._models

    def group(self, name: str) -> bool:
        """Whether this is a model group or a wildcard's, without any alias."""
        return name in self.fleet.groups

    def near(self, name: str) -> str:
        """The group or alias that was most likely meant; empty when none is near, or several are."""
        self._guesses += 1
        if self._guesses > _MOST_GUESSES:
            return ""
        found = nearest(name, frozenset(self.fleet.groups) | frozenset(self.routing.aliases))
        return found[0] if len(found) == 1 else ""


_KNOWN: Final[WeakKeyDictionary[Subject, Names]] = WeakKeyDictionary()


def names_of(subject: Subject) -> Names:
    """The names of a subject; made once for all the rules that ask."""
    found = _KNOWN.get(subject)
    if found is None:
        found = _KNOWN[subject] = Names(subject)
    return found


def effective(subject: Subject, key: str, *, falsy: bool = False) -> tuple[str, Any]:
    """The section and value that the router uses: router_settings win over litellm_settings as a whole, without merging
    (litellm/router.py, Router.__init__). With `falsy` any value that is set counts, else a true one only."""
    for section in ("router_settings", "litellm_settings"):
        value = subject.section(section).get(key)
        if value is not None and (falsy or value):
            return section, value
    return "router_settings", None


def chains(subject: Subject) -> Iterator[Chain]:
    """Every chain that the router reads, but for what it cannot."""
    for key in TABLES:
        section, value = effective(subject, key)
        for number, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict) and item:
                source, targets = next(iter(item.items()))
                if isinstance(source, str) and isinstance(targets, list):
                    path = (section, key, number, source)
                    yield Chain(key, path, source, tuple(_targets(path, targets)))
    section, value = effective(subject, DEFAULT)
    if isinstance(value, list):
        yield Chain(DEFAULT, (section, DEFAULT), "*", tuple(_targets((section, DEFAULT), value)))


def aliases(subject: Subject) -> dict[str, str]:
    """The aliases that stand for one name."""
    found = {}
    for name, value in subject.aliases.items():
        target = value.get("model") if isinstance(value, dict) else value
        if isinstance(name, str) and isinstance(target, str) and target:
            found[name] = target
    return found


def _targets(path: Path, targets: list[Any]) -> Iterator[tuple[Path, str]]:
    for place, target in enumerate(targets):
        if isinstance(target, str):
            yield (*path, place), target
        elif isinstance(target, dict) and isinstance(name := target.get("model"), str):
            yield (*path, place, "model"), name


def _text(value: Any) -> str:
    return written(value) if isinstance(value, str | int) else ""
