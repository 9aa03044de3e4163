"""Keys that LiteLLM does not read at their place: where or since when it reads them, or which key is similar."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.audit.catalogue.records import PLACES, CatalogueKind
from litellm_tui.audit.rule import Hit
from litellm_tui.audit.subject import Subject
from litellm_tui.model.edits import Move, Remove, Rename

SECTIONS: Final[Mapping[CatalogueKind, str]] = {
    "litellm": "litellm_settings",
    "router": "router_settings",
    "general": "general_settings",
}
# keys that can prevent the start or lock clients out when they take effect for the first time
# keys of which one without the other means something else, or ends the start
_TOGETHER: Final = (
    frozenset({"max_budget", "budget_duration", "budget_reset_time"}),
    frozenset({"cache", "cache_params"}),
    frozenset({"redis_host", "redis_port", "redis_password", "redis_url", "redis_db"}),
    frozenset({"background_health_checks", "health_check_interval"}),
    frozenset({"alerting", "alerting_threshold", "alerting_args", "alert_types"}),
)
# names of settings that decide which requests are answered, for whom, and how many; what was ignored so far becomes a
# limit, or opens one, when it takes effect
_GATES: Final = re.compile(
    r"budget|limit|parallel|allow(?!ed_fails)|block|bann|enforce|restrict|requir|deny|auth|_jwt|public|disable_(?!cool)"
    r"|guardrail|moderat|spend|_size|max_(?!retries|fallbacks)|rpm|tpm|tag_filter|_ip|role|permission|access"
)
GRAVE: Final = frozenset(
    {
        *("master_key", "custom_auth", "enable_jwt_auth", "allowed_ips", "enforced_params"),
        *("database_url", "store_model_in_db", "key_management_system"),
        *("cache", "callbacks", "success_callback", "failure_callback"),
    }
)


def find_unread_keys(subject: Subject, kind: CatalogueKind, known: Mapping[str, str] = {}) -> Iterator[Hit]:
    """A hit for each key of the section of `kind` that this version does not read.

    `known` has specific texts for keys that are often advised: "why it does nothing; what to do".
    """
    section = SECTIONS[kind]
    for key, value in subject.section(section).items():
        if isinstance(key, str) and key not in subject.catalogue.keys(kind):
            if key in known:
                text, _, do = known[key].partition("; ")
                yield Hit(f"{section}.{key}: {text}", (section, key), do)
            else:
                yield _hit(subject, kind, key, value)


def _hit(subject: Subject, kind: CatalogueKind, key: str, value: Any) -> Hit:
    catalogue, section = subject.catalogue, SECTIONS[kind]
    path = (section, key)
    begin = f"{section}.{key} is not read"
    targets = [name for other, name in SECTIONS.items() if other != kind and key in catalogue.keys(other)]
    if targets:
        return _move(subject, path, value, targets, begin)
    if places := [place for place in catalogue.elsewhere(key, kind) if place not in SECTIONS.values()]:
        return Hit(
            f"{begin}: it belongs to {' or '.join(places)}",
            path,
            f"write it there: {', '.join(places)}",
            proposes=(Move(path, (key,)),) if places == ["the top level"] else (),
        )
    if span := subject.spans.words(kind, key):
        return Hit(f"{begin} by LiteLLM {catalogue.version}: it is read {span}", path, "take it out")
    if near := catalogue.close(kind, key):
        return _rename(subject, path, near, value, begin)
    for other, name in SECTIONS.items():
        if other != kind and (close := catalogue.close(other, key)) and close[0] not in subject.section(name):
            return Hit(
                f"{begin}: did you mean {close[0]} in {name}?",
                path,
                f"write it as {name}.{close[0]}",
                (Move(path, (name, close[0])),),
                f"whether {close[0]} in {name} is what was meant",
            )
    spans = [f"{place} {span}" for other, place in PLACES.items() if (span := subject.spans.words(other, key))]
    if spans:
        return Hit(f"{begin} by LiteLLM {catalogue.version}; it is in {' and in '.join(spans)}", path, "take it out")
    return Hit(f"{begin}, here or anywhere", path, "take it out", (Remove(path),), "whether something is missed by it")


def _move(subject: Subject, path: tuple[str, str], value: Any, targets: list[str], begin: str) -> Hit:
    key, place = path[1], targets[0]
    text, do = f"{begin}: it is read in {' and in '.join(targets)}", f"move it to {place}"
    there = subject.data.get(place)
    if there is not None and not isinstance(there, dict):
        return Hit(text, path, do)
    if isinstance(there, dict) and key in there:
        text, do = f"{text}, where it stands as well", "take it out here"
        return Hit(text, path, do, (Remove(path),), "which of the two values is meant")
    more = _companions(subject, path[0], place, key)
    values = subject.section(path[0])
    decision = "" if all(_harmless(subject, name, values[name]) for name in (key, *more)) else _effect(key)
    if more:
        do += f", together with {' and '.join(more)}"
    moves = tuple(Move((path[0], name), (place, name)) for name in (key, *more))
    return Hit(text, path, do, moves, decision)


def _companions(subject: Subject, section: str, place: str, key: str) -> list[str]:
    """The keys beside this one that belong with it, and have to move to the same place."""
    group = next((names for names in _TOGETHER if key in names), frozenset())
    ours = next(kind for kind, name in SECTIONS.items() if name == section)
    theirs = next(kind for kind, name in SECTIONS.items() if name == place)
    return [
        name
        for name in subject.section(section)
        if name in group
        and name != key
        and name in subject.catalogue.keys(theirs)
        and name not in subject.catalogue.keys(ours)
        and name not in subject.section(place)
    ]


def _rename(subject: Subject, path: tuple[str, str], near: tuple[str, ...], value: Any, begin: str) -> Hit:
    text, do = f"{begin}: did you mean {' or '.join(near)}?", f"write {' or '.join(near)}"
    if near[0] in subject.section(path[0]):
        decision = f"which is meant, this or the {near[0]} that stands there as well"
        return Hit(text, path, do, (Remove(path),), decision)
    if near[1:]:
        return Hit(text, path, do, (Rename(path, near[0]),), f"which is meant: {', '.join(near)}")
    return Hit(text, path, do, (Rename(path, near[0]),), "" if _harmless(subject, near[0], value) else _effect(near[0]))


def is_gate(key: str) -> bool:
    """Whether a setting of this name may decide which requests are answered."""
    return _GATES.search(key) is not None


def _effect(key: str) -> str:
    return f"whether it is wanted: {key} would take effect for the first time"


def _harmless(subject: Subject, key: str, value: Any) -> bool:
    """Whether the value, where it is read, can neither prevent the start nor change which requests are answered."""
    if key in GRAVE or is_gate(key):
        return False
    if key == "routing_strategy":
        return value in subject.catalogue.strategies if isinstance(value, str) else False
    if key == "model_group_alias":
        return isinstance(value, dict) and all(isinstance(target, str) for target in value.values())
    if key in ("retry_policy", "allowed_fails_policy"):
        return isinstance(value, dict)
    if key == "service_callback":
        return isinstance(value, list)
    return isinstance(value, bool | int | float)
