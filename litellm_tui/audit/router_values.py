"""Values of router_settings that the Router makes objects of, beyond what its strategies take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.audit import declared, shapes
from litellm_tui.audit.rule import Hit
from litellm_tui.audit.shapes import fits, kind_of
from litellm_tui.audit.subject import UNKNOWN, Subject
from litellm_tui.model.edits import Path

_SCHEMES: Final = ("redis://", "rediss://", "unix://")


def refused_values(subject: Subject, router: Mapping[str, Any]) -> Iterator[Hit]:
    """What ends the start (Router.__init__ in router.py of 1.106.2, router_python_core.py of 1.109.3)."""
    for key, check in _CHECKS.items():
        value = shapes.resolved(subject, router.get(key))
        if value is None or value is UNKNOWN or key not in subject.catalogue.router:
            continue
        yield from check(subject, value, ("router_settings", key))


def _staleness(_: Subject, value: Any, path: Path) -> Iterator[Hit]:
    if value and not fits(value, "number"):
        yield Hit(f"{path[1]} must be a number, and is {kind_of(value)}", path)


def _affinity(_: Subject, value: Any, path: Path) -> Iterator[Hit]:
    if not isinstance(value, dict):
        yield Hit(f"{path[1]} must be a mapping, and is {kind_of(value)}", path)
        return
    for group, flags in value.items():
        if not isinstance(flags, list | str | dict):
            yield Hit(f"{path[1]}.{group} must be a list of texts, and is {kind_of(flags)}", (*path, str(group)))


def _names(_: Subject, value: Any, path: Path) -> Iterator[Hit]:
    if isinstance(value, bool | int | float):
        yield Hit(f"{path[1]} must be a list of names, and is {kind_of(value)}", path)


def _redis_url(_: Subject, value: Any, path: Path) -> Iterator[Hit]:
    if not isinstance(value, str):
        yield Hit(f"redis_url must be a text, and is {kind_of(value)}", path)
    elif not value.startswith(_SCHEMES):
        yield Hit(f"redis_url must begin with one of {', '.join(_SCHEMES)}", path)


def _plugins(_: Subject, value: Any, path: Path) -> Iterator[Hit]:
    # what the names lead to is looked at with the other modules
    if isinstance(value, bool | int | float) and value:
        yield Hit(f"plugins must be a list of `module.instance`, and is {kind_of(value)}", path)
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if not isinstance(item, str):
            yield Hit(f"a plugin must be named as `module.instance`, and is {kind_of(item)}", (*path, index))


def _groups(subject: Subject, value: Any, path: Path) -> Iterator[Hit]:
    if not value:
        return
    faults = [
        Hit(f"{'.'.join(map(str, where[1:]))} {text}", where)
        for where, text in declared.faults(subject, value, [declared.GROUP], path)
    ]
    yield from faults
    if faults:
        return
    names: set[str] = set()
    owners: dict[str, str] = {}
    known = {item.get("model_name") for item in _listed(subject) if isinstance(item, dict)}
    for index, group in enumerate(value):
        where: Path = (*path, index)
        name, strategy = group["group_name"], group["routing_strategy"]
        if name in ("", "default"):
            yield Hit(f"a routing group may not be called {name!r}", (*where, "group_name"))
        if name in names:
            yield Hit(f"two routing groups are called {name!r}", (*where, "group_name"))
        names.add(name)
        if strategy != "priority" and strategy not in subject.catalogue.strategies:
            yield Hit(
                f"routing group {name!r}: there is no routing_strategy {strategy!r}", (*where, "routing_strategy")
            )
        for model in group["models"]:
            if known and model not in known:
                yield Hit(f"routing group {name!r} names {model!r}, which is no model group", (*where, "models"))
            first = name if strategy == "priority" else owners.setdefault(model, name)
            if first != name:
                yield Hit(f"{model!r} is in the routing groups {first!r} and {name!r}", (*where, "models"))
        yield from _priorities(group, name, where)


def _priorities(group: Mapping[str, Any], name: str, where: Path) -> Iterator[Hit]:
    priorities, models = group.get("model_priorities"), group["models"]
    if group["routing_strategy"] != "priority":
        if priorities:
            yield Hit(f"routing group {name!r}: model_priorities wants routing_strategy: priority", where)
    elif not models or len(models) != len(set(models)):
        yield Hit(f"routing group {name!r} must name its models, each once", (*where, "models"))
    elif not isinstance(priorities, dict) or set(priorities) != set(models):
        yield Hit(f"routing group {name!r}: model_priorities must have exactly its models", where)
    elif group.get("routing_strategy_args"):
        yield Hit(f"routing group {name!r}: with priorities there are no routing_strategy_args", where)


def _listed(subject: Subject) -> list[Any]:
    listed = subject.data.get("model_list")
    return listed if isinstance(listed, list) else []


_CHECKS: Final = {
    "health_check_staleness_threshold": _staleness,
    "model_group_affinity_config": _affinity,
    "background_health_check_model_groups": _names,
    "redis_url": _redis_url,
    "optional_pre_call_checks": _names,
    "plugins": _plugins,
    "routing_groups": _groups,
}
