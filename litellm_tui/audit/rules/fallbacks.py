"""Fallbacks: their shape, whether they lead anywhere, and whether they are ever followed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from litellm_tui.analysis.routing.route import never_asked
from litellm_tui.analysis.routing.router_simulation import DeploymentIndex, IndexedDeployment
from litellm_tui.analysis.routing.table import Routing, Table
from litellm_tui.audit.names import DEFAULT, TABLES, Chain, RoutableNames, effective_setting, routable_names
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import Subject
from litellm_tui.model.audit import Severity
from litellm_tui.model.edits import Insert, Path, Remove, Rename, SetValue

# how far a chain is followed to find out whether it is too long
_FAR: Final = 25
# how many chains are simulated; a file with more has reports on these only
_MOST_WALKS: Final = 40
# keys of a form that LiteLLM never had, found in public configurations
# from here on LiteLLM ends its start over what it took letter by letter before
_ENDS: Final = "1.108"
# keys that LiteLLMParamsTypedDict has: {model: x} passes for a fallback in the form of a request
_REQUEST: Final = frozenset(
    {
        *("model", "custom_llm_provider", "tpm", "rpm", "itpm", "otpm", "order", "weight"),
        *("max_parallel_requests", "api_key", "api_base", "api_version", "timeout", "stream_timeout"),
        *("max_retries", "organization", "drop_params", "region_name", "vertex_project", "vertex_location"),
        *("aws_access_key_id", "aws_secret_access_key", "aws_region_name", "watsonx_region_name"),
        *("input_cost_per_token", "output_cost_per_token", "num_retries", "litellm_credential_name"),
        *("index_name", "embedding_model", "mock_response", "tags", "tag_regex", "max_budget"),
        *("budget_duration", "cooldown_time", "use_in_pass_through"),
    }
)
# what stands between names rather than in one
_BETWEEN: Final = re.compile(r"[,:]\s|,|\s")
_SOURCES: Final = ("model", "model_name", "primary")
_TARGETS: Final = ("fallback_models", "fallbacks", "fallback")


@rule(
    "fallbacks-shape",
    "fatal",
    "Fallbacks that are not a list of single groups",
    why="LiteLLM wants a list with one mapping of one key for each group, and ends with a ValueError where it is not. "
    "It does not check context_window_fallbacks: there, all but the first key of a mapping is never read.",
    source="litellm/router.py, Router.validate_fallbacks; litellm/router_utils/fallback_event_handlers.py, "
    "get_fallback_model_group (1.77.7, 1.106.2)",
    fix="write it as a list: `- GROUP: [OTHER, …]`",
)
def fallbacks_shape(subject: Subject) -> Iterator[Hit | Right]:
    for key in TABLES:
        section, value = effective_setting(subject, key)
        if not value:
            continue
        path = (section, key)
        severity: Severity | None = "error" if key == "context_window_fallbacks" else None
        edits: tuple[SetValue, ...] = ()
        if (mended := _mended(value)) is not None:
            edits = (SetValue(path, mended),)
        if not isinstance(value, list):
            yield Hit(f"{key} is a {type(value).__name__}, not a list", path, edits=edits, severity=severity)
            continue
        for number, item in enumerate(value):
            if isinstance(item, dict) and len(item) == 1:
                continue
            if isinstance(item, str) and severity:
                # a bare name in this table is a fallback of every group
                continue
            said = f"has {len(item)} keys" if isinstance(item, dict) else f"is a {type(item).__name__}"
            # one edit repairs the whole list
            yield Hit(f"entry {number + 1} of {key} {said}", (*path, number), edits=edits, severity=severity)
            edits = ()


def _mended(value: Any) -> list[dict[str, Any]] | None:
    """The intended list; None where it is not certain."""
    entries: list[dict[str, Any]] = []
    for item in value if isinstance(value, list) else (value,):
        if not isinstance(item, dict):
            return None
        parts = _spelt_out(item) or item
        for source, targets in parts.items():
            if not isinstance(source, str) or not isinstance(targets, list) or not _all_text(targets):
                return None
            entries.append({source: targets})
    return entries


def _spelt_out(item: Mapping[Any, Any]) -> dict[str, Any] | None:
    """`{model: a, fallback_models: [b]}` as `{a: [b]}`."""
    source = next((item[key] for key in _SOURCES if key in item), None)
    targets = next((item[key] for key in _TARGETS if key in item), None)
    if len(item) == 2 and isinstance(source, str) and isinstance(targets, list):
        return {source: targets}
    return None


def _all_text(targets: list[Any]) -> bool:
    return all(isinstance(target, str) for target in targets)


@rule(
    "fallback-not-a-list",
    "error",
    "A fallback that is not a list of names",
    why="What stands after a group is gone through item by item: a text letter by letter, each taken for a group. "
    "From 1.108 on LiteLLM ends its start instead, but for context_window_fallbacks.",
    source="litellm/router_utils/fallback_event_handlers.py, run_async_fallback (1.77.7, 1.106.2); "
    "litellm/router_python_core.py, PythonCore.validate_fallbacks (1.109.3)",
    fix="write the names as a list: `[NAME]`",
)
def fallback_not_a_list(subject: Subject) -> Iterator[Hit | Right]:
    for key in TABLES:
        section, value = effective_setting(subject, key)
        for number, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict) and len(item) == 1:
                source, targets = next(iter(item.items()))
                if isinstance(source, str):
                    path, what = (section, key, number, source), f"the fallback of {source!r}"
                    # an entry with a parameter of a request as its key passes for one in another form
                    ends = subject.runs(since=_ENDS) and key != "context_window_fallbacks" and source not in _REQUEST
                    yield from _not_a_list(subject, path, what, targets, ends=ends)
    section, value = effective_setting(subject, DEFAULT)
    if value:
        ends = subject.runs(since=_ENDS) and isinstance(value, str)
        yield from _not_a_list(subject, (section, DEFAULT), DEFAULT, value, ends=ends)


def _not_a_list(subject: Subject, path: Path, what: str, targets: Any, *, ends: bool) -> Iterator[Hit]:
    worst: Severity | None = "fatal" if ends else None
    if isinstance(targets, list):
        for place, item in enumerate(targets):
            if not isinstance(item, str) and not (isinstance(item, dict) and isinstance(item.get("model"), str)):
                shape = "empty" if item is None else f"a {type(item).__name__}"
                yield Hit(
                    f"item {place + 1} of {what} is {shape}, not a name",
                    (*path, place),
                    do="write a model group's name",
                )
    elif isinstance(targets, str) and targets:
        names = _meant(subject, targets)
        edits = (SetValue(path, names),) if names else ()
        yield Hit(f"{what} is the text {targets!r}", path, edits=edits, severity=worst)
    elif isinstance(targets, dict) and isinstance(targets.get("model"), str):
        yield Hit(f"{what} is a mapping", path, edits=(SetValue(path, [targets]),), severity=worst)
    elif targets is None:
        do = "name what it is to fall back to, or take it out"
        yield Hit(f"{what} is empty", path, do=do, severity=worst or "warning")
    else:
        yield Hit(f"{what} is a {type(targets).__name__}", path, severity=worst)


def _meant(subject: Subject, text: str) -> list[str]:
    """The names in a text: itself, or its parts between commas where each is a group; nothing where that is a guess."""
    names = [name.strip() for name in text.split(",")]
    exists = routable_names(subject).exists
    if exists(text) or not _BETWEEN.search(text):
        return [text]
    return names if all(name and exists(name) for name in names) else []


@rule(
    "ghost-fallback",
    "error",
    "A fallback to a group that does not exist",
    why="When the group fails, LiteLLM asks for the other by its name, finds no deployment, and the hop fails.",
    source="litellm/router.py, Router._common_checks_available_deployment (1.77.7, 1.106.2)",
    fix="name a model_name of model_list, an alias, or what a wildcard matches",
)
def ghost_fallback(subject: Subject) -> Iterator[Hit | Right]:
    names = routable_names(subject)
    ghosts = 0
    for chain in names.chains:
        for path, name in chain.targets:
            # an alias that leads nowhere is found by its own rule
            if names.exists(name) or name in subject.aliases:
                continue
            ghosts += 1
            yield _ghost(subject, names, chain, path, name)
    if names.chains and not ghosts and not names.may_have_more and subject.entries:
        yield Right(f"every fallback leads to a group that exists ({len(names.chains)})", names.chains[0].path[:2])


def _left_out(subject: Subject, path: Path) -> Remove:
    """The removal of what is at the path and of all that it leaves empty: a group with an empty list would not even
    get the default fallbacks. What would let another value be read that this one hides stays, empty."""
    section, key = str(path[0]), str(path[1])
    if len(path) > 2 and len(subject.section(section)[key]) > 1:
        return Remove(path, emptied=True)
    # an empty table of router_settings is passed over for the other one (litellm/router.py, Router.__init__)
    hides = section == "router_settings" and bool(subject.section("litellm_settings").get(key))
    if len(subject.section(section)) == 1:
        hides = hides or any(origin.overrides for origin in subject.file.origins.get(section, ()))
    return Remove(path, emptied=not hides)


def _ghost(subject: Subject, names: RoutableNames, chain: Chain, path: Path, name: str) -> Hit:
    near = names.suggest(name)
    item = path[:-1] if path[-1] == "model" else path
    who = "every group" if chain.source == "*" else repr(chain.source)
    return Hit(
        f"{who} falls back to {name!r}, which is no model group" + (f": {near}?" if near else ""),
        path,
        edits=(SetValue(path, near),) if near else (_left_out(subject, item),),
        decision=f"whether {near} was meant" if near else f"whether {name} is left out, or added to model_list",
        # a name that does not exist goes on to the default fallbacks
        severity="advice"
        if names.may_have_more
        else "warning"
        if any(map(names.exists, names.routing.default))
        else None,
    )


@rule(
    "idle-fallback",
    "warning",
    "A fallback of a group that does not exist",
    why="Fallbacks are looked up by the name that a request asks for, but for a provider before it: no "
    "request asks for this one. `default` has no meaning of its own, and a pattern such as `openai/*` is not matched.",
    source="litellm/router_utils/fallback_event_handlers.py, get_fallback_model_group (1.77.7, 1.106.2)",
    fix='name a model group, or `"*"` for all that have no fallback of their own',
)
def idle_fallback(subject: Subject) -> Iterator[Hit | Right]:
    names = routable_names(subject)
    if names.may_have_more:
        return
    bare = {group.partition("/")[2] for group in names.index.groups}
    sources = {chain.source for chain in names.chains}
    for chain in names.chains:
        source = chain.source
        provider, _, group = source.partition("/")
        pattern = "*" in source
        if source == "*" or source in subject.aliases:
            continue
        # where there is a wildcard, a request may ask for any name
        if not pattern and (names.index.patterns or source in bare or names.exists(source)):
            continue
        if provider in names.index.providers and names.group(group):
            continue
        if source == "default" and chain.key == "fallbacks":
            alone = not sources & {"*"}
            edits: tuple[Rename, ...] = (Rename(chain.path, "*"),)
            decision = "" if alone else "whether it is to replace the fallback of all groups that there is"
            yield Hit("'default' is taken for a group's name", chain.path, edits=edits, decision=decision)
            continue
        near = names.suggest(source)
        text = "is a pattern: no request asks for it by this name" if pattern else "is no model group"
        yield Hit(
            f"{chain.key}: {source!r} {text}" + (f": {near}?" if near else ""),
            chain.path,
            edits=(Rename(chain.path, near),) if near else (_left_out(subject, chain.path[:-1]),),
            decision=f"whether {near} was meant" if near else "whether it can go",
        )


@rule(
    "repeated-fallback",
    "warning",
    "Two fallbacks of one group",
    why='Only the first entry of a group is read, of `"*"` only the last (default_fallbacks count as its last one).',
    source="litellm/router_utils/fallback_event_handlers.py, get_fallback_model_group (1.77.7, 1.106.2)",
    fix="put the names into one list",
)
def repeated_fallback(subject: Subject) -> Iterator[Hit | Right]:
    seen: dict[tuple[str, str], Chain] = {}
    for chain in routable_names(subject).chains:
        table = "fallbacks" if chain.key == DEFAULT else chain.key
        before = seen.setdefault((table, chain.source), chain)
        if before is chain:
            continue
        if chain.source == "*":
            seen[table, "*"] = chain
            idle, line = before, subject.file.mark(chain.path).line
        else:
            idle, line = chain, subject.file.mark(before.path).line
        yield Hit(
            f"{chain.source!r} is in {table} twice: line {line} is read, this one is not",
            idle.path,
            edits=(_left_out(subject, idle.path[:-1]),),
            decision="whether its names are to go into the other list",
        )


@rule(
    "fallbacks-in-two-places",
    "warning",
    "Fallbacks in router_settings and in litellm_settings",
    why="Those of router_settings win as a whole: the two are not put together.",
    source="litellm/router.py, Router.__init__ (1.77.7, 1.106.2)",
    fix="keep all of them in router_settings",
)
def fallbacks_in_two_places(subject: Subject) -> Iterator[Hit | Right]:
    router, other = subject.section("router_settings"), subject.section("litellm_settings")
    for key in (*TABLES, DEFAULT):
        if router.get(key) and other.get(key):
            path = ("litellm_settings", key)
            yield Hit(
                f"{key} of litellm_settings is not read: router_settings has its own",
                path,
                edits=(_left_out(subject, path),),
                decision="whether what only stands here is to be kept",
            )


@rule(
    "alias-without-fallback",
    "warning",
    "An alias that does not get its group's fallbacks",
    why="Fallbacks are looked up by the name that was asked for, never by the group that an alias stands for.",
    source="litellm/router_utils/fallback_event_handlers.py, get_fallback_model_group (1.77.7, 1.106.2)",
    fix="add an entry for the alias, with the same names",
)
def alias_without_fallback(subject: Subject) -> Iterator[Hit | Right]:
    names = routable_names(subject) if subject.aliases else None
    if names is None:
        return
    for key in TABLES:
        mine = {chain.source: chain for chain in names.chains if chain.key == key}
        default = "*" in mine or (key == "fallbacks" and DEFAULT in {chain.key for chain in names.chains})
        section, value = effective_setting(subject, key)
        for alias, target in names.routing.aliases.items():
            if target not in mine or alias in mine or target == alias:
                continue
            targets = [name for _, name in mine[target].targets if name != alias]
            entry = Insert((section, key, len(value)), {alias: targets})
            yield Hit(
                f"{alias!r} does not get the {key} of {target!r}" + (", only the default ones" if default else ""),
                ("router_settings", "model_group_alias", alias),
                edits=(entry,),
                decision=f"whether requests for {alias} are to fall back too",
                severity="advice" if default else None,
            )


@rule(
    "fallback-to-itself",
    "advice",
    "A fallback to the group itself",
    why="LiteLLM passes over a target that is the group which has just failed.",
    source="litellm/router_utils/fallback_event_handlers.py, run_async_fallback (1.77.7, 1.106.2)",
    fix="take it out; num_retries asks a group again",
)
def fallback_to_itself(subject: Subject) -> Iterator[Hit | Right]:
    chains = routable_names(subject).chains
    for chain in chains:
        for path, name in chain.targets:
            if name == chain.source and name != "*" and path[-1] != "model":
                edit = Remove(path) if _stands_in(chain, chains) else _left_out(subject, path)
                yield Hit(f"{name!r} falls back to itself", path, edits=(edit,))


def _stands_in(chain: Chain, chains: Iterable[Chain]) -> bool:
    """Whether something else answers for the group when this chain goes, where with an empty one nothing does: another
    chain of its table, or for the errors that have a table of their own the general one."""
    names = {"*", chain.source, chain.source.partition("/")[2]}
    others = (one for one in chains if one is not chain and one.key in (chain.key, "fallbacks", DEFAULT))
    return any(one.source in names for one in others)


@rule(
    "long-fallback-chain",
    "warning",
    "A fallback that is never reached",
    why="A group that is asked after max_fallbacks attempts, 5 by default, is not followed further when it fails.",
    source="litellm/constants.py, ROUTER_MAX_FALLBACKS; litellm/router_utils/fallback_event_handlers.py, "
    "run_async_fallback (1.77.7, 1.106.2)",
    fix="shorten the chain, or raise router_settings.max_fallbacks",
)
def long_fallback_chain(subject: Subject) -> Iterator[Hit | Right]:
    names = routable_names(subject)
    table = names.routing.tables["general"]
    limit = names.routing.max_fallbacks
    walks = 0
    for chain in names.chains:
        reach = _reach(table, chain.source)
        if chain.key != "fallbacks" or chain.source == "*" or len(reach) - 1 <= limit or walks == _MOST_WALKS:
            continue
        walks += 1
        near = Routing({"fallbacks": [{name: [*reach[name]]} for name in reach], "max_fallbacks": limit}, {})
        index = DeploymentIndex(IndexedDeployment(name, name) for name in reach if names.exists(name))
        if lost := never_asked(near, index, chain.source, names.rules):
            shown = ", ".join(lost[:4]) + (f" and {len(lost) - 4} more" if len(lost) > 4 else "")
            yield Hit(f"{chain.source!r} gives up after {limit} hops: {shown} never asked", chain.path)


def _reach(table: Table, source: str) -> dict[str, tuple[str, ...]]:
    """The groups that a request may come by, at most so many, each with those it falls back to."""
    reach: dict[str, tuple[str, ...]] = {}
    pending = [source]
    while pending and len(reach) < _FAR:
        name = pending.pop()
        if name not in reach:
            steps = table.first.get(name, table.last.get("*", ()))
            reach[name] = tuple(dict.fromkeys(step.name for step in steps))
            pending += reversed(reach[name])
    return reach
