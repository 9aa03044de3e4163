"""model_group_alias: names that stand for a model group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from litellm_tui.audit.names import RoutableNames, aliases, routable_names
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import Subject
from litellm_tui.model.audit import Severity
from litellm_tui.model.edits import Insert, Path, Remove, SetValue

_AT: Final = ("router_settings", "model_group_alias")


@rule(
    "aliases-shape",
    "fatal",
    "model_group_alias is not a mapping",
    why="LiteLLM goes through it as a mapping of names while it starts, and ends when it is not one.",
    source="litellm/router.py, Router.get_model_list_from_model_alias (1.77.7, 1.106.2)",
    fix="write it as a mapping: `model_group_alias: {ALIAS: GROUP}`",
)
def aliases_shape(subject: Subject) -> Iterator[Hit | Right]:
    value = subject.section("router_settings").get("model_group_alias")
    if not value or isinstance(value, dict):
        return
    merged: dict[str, str] = {}
    for item in value if isinstance(value, list) else ():
        pairs = item.items() if isinstance(item, dict) else ()
        merged |= {name: target for name, target in pairs if isinstance(name, str) and isinstance(target, str)}
    whole = isinstance(value, list) and all(isinstance(item, dict) for item in value)
    whole = whole and sum(len(item) for item in value) == len(merged)
    edits = (SetValue(_AT, merged),) if merged and whole else ()
    yield Hit(f"model_group_alias is a {type(value).__name__}", _AT, edits=edits)


@rule(
    "alias-of-no-name",
    "error",
    "An alias that stands for no single group",
    why="An alias takes one name. With anything else every request of that name fails, and /v1/models leaves it out; "
    "LiteLLM 1.77 answers 500 `list indices must be integers or slices, not str`.",
    source="litellm/router.py, Router._get_model_from_alias (1.77.7); "
    "litellm/router_utils/common_utils.py, resolve_model_group_alias (1.106.2)",
    fix="name one group; to spread requests over several deployments, give them the same model_name",
)
def alias_of_no_name(subject: Subject) -> Iterator[Hit | Right]:
    names: RoutableNames | None = None
    for name, value in subject.aliases.items():
        if isinstance(name, str) and not isinstance(value, dict) and not (isinstance(value, str) and value):
            path = (*_AT, name)
            listed = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
            names = names or routable_names(subject)
            known = [item for item in listed if names.exists(item)]
            if len(known) == 1 == len(value):
                yield Hit(f"{name!r} is a list of one: {known[0]!r}", path, edits=(SetValue(path, known[0]),))
            elif known:
                yield Hit(
                    f"{name!r} is a list of {len(value)}",
                    path,
                    edits=(SetValue(path, known[0]),),
                    decision=f"which group {name} is to stand for: {', '.join(known[:4])}",
                )
            else:
                shape = "empty" if not value else f"a {type(value).__name__}"
                yield Hit(f"{name!r} is {shape}", path, edits=(Remove(path),), decision="whether the alias can go")


@rule(
    "alias-incomplete",
    "fatal",
    "An alias in long form without `model` or `hidden`",
    why="The long form needs both keys: LiteLLM reads them without asking while it starts, and ends with a KeyError.",
    source="litellm/router.py, Router.get_model_list_from_model_alias (1.77.7, 1.106.2)",
    fix="write both: `ALIAS: {model: GROUP, hidden: false}`",
)
def alias_incomplete(subject: Subject) -> Iterator[Hit | Right]:
    for name, value in subject.aliases.items():
        if not isinstance(name, str) or not isinstance(value, dict):
            continue
        path = (*_AT, name)
        if "hidden" not in value:
            fits = isinstance(value.get("model"), str)
            edits = (Insert((*path, "hidden"), False),) if fits else ()
            yield Hit(f"{name!r} has no `hidden`", path, edits=edits)
        elif "model" not in value:
            # a hidden one is passed over at the start, and trips over at the first request
            yield Hit(f"{name!r} has no `model`", path, severity="error" if value["hidden"] is True else None)
        elif not isinstance(value["model"], str):
            # 1.106 looks a list up and ends; before, the requests fail
            listed = isinstance(value["model"], list) and subject.runs(since="1.106") and value["hidden"] is not True
            yield Hit(
                f"`model` of {name!r} is a {type(value['model']).__name__}, not one name",
                (*path, "model"),
                severity=None if listed else "error",
            )


@rule(
    "ghost-alias",
    "error",
    "An alias of a group that does not exist",
    why="Every request of that name fails with `There are no healthy deployments for this model`, and /v1/models "
    "leaves it out; a fallback of the alias, or a default one, answers in its place.",
    source="litellm/router.py, Router._common_checks_available_deployment (1.77.7, 1.106.2)",
    fix="let the alias stand for a model_name of model_list",
)
def ghost_alias(subject: Subject) -> Iterator[Hit | Right]:
    found = aliases(subject)
    names = routable_names(subject) if found else None
    if names is None:
        return
    bad = 0
    for name, target in found.items():
        if names.exists(target) or target in found:
            continue
        bad += 1
        path = _place(subject, name)
        near = names.suggest(target)
        caught = names.routing.tables["general"].first
        severity: Severity | None = (
            "advice" if names.may_have_more else "warning" if {name, "*"} & caught.keys() else None
        )
        yield Hit(
            f"{name!r} stands for {target!r}, which is no model group",
            path,
            edits=(SetValue(path, near),) if near else (Remove((*_AT, name)),),
            decision=f"whether {near} was meant" if near else "whether the alias can go",
            severity=severity,
        )
    if not bad and not names.may_have_more:
        yield Right(f"every alias stands for a group that exists ({len(found)})", _AT)


@rule(
    "alias-of-alias",
    "error",
    "An alias of an alias",
    why="LiteLLM looks an alias up once: what it stands for is not looked up again, and the request fails.",
    source="litellm/router.py, Router._common_checks_available_deployment (1.77.7, 1.106.2)",
    fix="let the alias stand for the group itself",
)
def alias_of_alias(subject: Subject) -> Iterator[Hit | Right]:
    found = aliases(subject)
    chained = {name: target for name, target in found.items() if target in found}
    names = routable_names(subject) if chained else None
    for name, target in chained.items():
        if names is None or names.group(target):
            continue
        end, seen = target, {name}
        while end in found and end not in seen and not names.group(end):
            seen.add(end)
            end = found[end]
        path = _place(subject, name)
        fits = end not in seen and names.exists(end)
        yield Hit(
            f"{name!r} stands for {target!r}, itself an alias", path, edits=(SetValue(path, end),) if fits else ()
        )


@rule(
    "alias-hides-group",
    "warning",
    "An alias with the name of a model group",
    why="The alias is looked up first: the deployments of the group with this name get no request by it.",
    source="litellm/router.py, Router._common_checks_available_deployment (1.77.7, 1.106.2)",
    fix="give the alias another name, or take the group out",
)
def alias_hides_group(subject: Subject) -> Iterator[Hit | Right]:
    for name, target in aliases(subject).items():
        if name in subject.groups and target != name:
            path = (*_AT, name)
            yield Hit(
                f"{name!r} is a model group and an alias: all its requests go to {target!r}",
                path,
                edits=(Remove(path),),
                decision=f"whether requests for {name} are to go to its own deployments again",
            )


def _place(subject: Subject, name: str) -> Path:
    """The path of the name that an alias leads to."""
    value: Any = subject.aliases.get(name)
    return (*_AT, name, "model") if isinstance(value, dict) else (*_AT, name)
