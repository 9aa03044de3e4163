"""The names that a request can ask for, from the configuration alone: groups, wildcards, aliases, ids, chains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from litellm_tui.analysis.nested import python_text
from litellm_tui.analysis.routing.router_simulation import (
    DeploymentIndex,
    IndexedDeployment,
    RequestSimulation,
    rules_for,
)
from litellm_tui.analysis.routing.table import Routing
from litellm_tui.audit.catalogue.nearest import nearest
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


class RoutableNames:
    """Which names exist. `routing` holds the well-formed chains and aliases only."""

    def __init__(self, subject: Subject) -> None:
        self._models = subject.catalogue.models
        self._database = bool(subject.section("general_settings").get("store_model_in_db"))
        self.rules = rules_for(subject.catalogue.version)
        self.chains = tuple(chains(subject))
        tables: dict[str, list[Any]] = {}
        for chain in self.chains:
            names = [name for _, name in chain.targets]
            tables.setdefault(chain.key, []).append(names if chain.key == DEFAULT else {chain.source: names})
        default = tables.pop(DEFAULT, [[]])[0]
        limit = effective_setting(subject, "max_fallbacks", falsy=True)[1]
        settings = {**tables, DEFAULT: default, "max_fallbacks": limit, "model_group_alias": aliases(subject)}
        self.routing = Routing(settings, {})
        members = (
            IndexedDeployment(str(e.index), e.name, e.model, _text(e.info.get("id"))) for e in subject.entries if e.name
        )
        self.index = DeploymentIndex(members)
        # a name that does not exist may be answered by a default fallback: here that counts as not existing
        plain = self.rules._replace(default_for_unknown=False, list_alias_is_fatal=False)
        self._simulation = RequestSimulation(self.routing, self.index, {}, "", plain)
        extra: list[Any] = [e.info.get("team_public_model_name") for e in subject.entries]
        groups = subject.section("router_settings").get("routing_groups")
        if "routing_groups" in subject.catalogue.router and isinstance(groups, list):
            extra += [group.get("group_name") for group in groups if isinstance(group, dict)]
        self._extra = frozenset(name for name in extra if isinstance(name, str))
        self._guesses = 0

    @property
    def may_have_more(self) -> bool:
        """Whether a group may exist that the file does not show: in the database, or because the file has none."""
        return not self.index.groups or self._database

    def exists(self, name: str) -> bool:
        """Whether a request for this name finds a deployment. True also where a wildcard may match: LiteLLM finds the
        provider of a model that it knows (`gpt-4o` goes to `openai/*`)."""
        if name in self._extra or self._simulation.resolve(name):
            return True
        return bool(self.index.patterns) and "/" not in name and name in self._models

    def group(self, name: str) -> bool:
        """Whether this is a model group, not an alias."""
        return name in self.index.groups

    def suggest(self, name: str) -> str:
        """The one group or alias with a similar name; empty when there is none, or more than one."""
        self._guesses += 1
        if self._guesses > _MOST_GUESSES:
            return ""
        found = nearest(name, frozenset(self.index.groups) | frozenset(self.routing.aliases))
        return found[0] if len(found) == 1 else ""


_CACHED: Final[WeakKeyDictionary[Subject, RoutableNames]] = WeakKeyDictionary()


def routable_names(subject: Subject) -> RoutableNames:
    """The names of a subject; built once for all rules."""
    found = _CACHED.get(subject)
    if found is None:
        found = _CACHED[subject] = RoutableNames(subject)
    return found


def effective_setting(subject: Subject, key: str, *, falsy: bool = False) -> tuple[str, Any]:
    """The section and value that the router uses. One in router_settings replaces that in litellm_settings, without
    merging (litellm/router.py, Router.__init__). With `falsy`, any value but None counts, otherwise only a true one."""
    for section in ("router_settings", "litellm_settings"):
        value = subject.section(section).get(key)
        if value is not None and (falsy or value):
            return section, value
    return "router_settings", None


def chains(subject: Subject) -> Iterator[Chain]:
    """Every well-formed chain that the router reads."""
    for key in TABLES:
        section, value = effective_setting(subject, key)
        for number, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict) and item:
                source, targets = next(iter(item.items()))
                if isinstance(source, str) and isinstance(targets, list):
                    path = (section, key, number, source)
                    yield Chain(key, path, source, tuple(_targets(path, targets)))
    section, value = effective_setting(subject, DEFAULT)
    if isinstance(value, list):
        yield Chain(DEFAULT, (section, DEFAULT), "*", tuple(_targets((section, DEFAULT), value)))


def aliases(subject: Subject) -> dict[str, str]:
    """The aliases that lead to a single name."""
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
    return python_text(value) if isinstance(value, str | int) else ""
