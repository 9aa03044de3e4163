"""How the deployments of a group share its requests, by LiteLLM's shuffle (router_strategy/simple_shuffle.py)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from litellm_tui.audit.subject import Entry, Subject

WEIGHTS: Final = ("weight", "rpm", "tpm")
# up to this version of simple_shuffle.py the first deployment decides the key, and weights with a sum of 0 fail
FIRST_DECIDES: Final = "1.102"


def uses_shuffle(subject: Subject) -> bool:
    """Whether the default strategy, the shuffle, picks the deployment."""
    return subject.section("router_settings").get("routing_strategy") in (None, "simple-shuffle")


def deployments_by_group(subject: Subject) -> Mapping[str, Sequence[Entry]]:
    """The deployments of each group, in the order of the file."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in subject.entries:
        if entry.name:
            found[entry.name].append(entry)
    return found


def weight_key(group: Sequence[Entry], subject: Subject) -> str | None:
    """The parameter that the shuffle uses as weight in a group; None for none, or when a value is not a number."""
    for key in WEIGHTS:
        values = [entry.params.get(key) for entry in group]
        if any(value is not None and not isinstance(value, int | float) for value in values):
            return None
        if subject.runs(until=FIRST_DECIDES):
            if values[0] is not None:
                return key
        elif any(value is not None and value > 0 for value in values):
            return key
    return None


def has_other_selector(entry: Entry) -> bool:
    """Whether something other than weight selects among the group."""
    return any(key in entry.params for key in ("order", "tags", "tag_regex")) or "team_id" in entry.info
