"""Deployments whose group has another name and which are the same otherwise, and what still names the old one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from litellm_tui.analysis.phrases import count
from litellm_tui.analysis.routing.table import alias_target, routing_of_file
from litellm_tui.model.configuration import ConfigFile, FileDeployment
from litellm_tui.model.gateway import LoadedDeployment

Running = TypeVar("Running", FileDeployment, LoadedDeployment)


def renamed(new: Iterable[FileDeployment], gone: Iterable[Running]) -> dict[int, Running]:
    """By the index of a deployment that no group had before: the one that it was, with the same model and address.

    Where more than one group has lost or got such a deployment, which became which cannot be known.
    """
    was: defaultdict[tuple[str, str], list[Running]] = defaultdict(list)
    for old in gone:
        was[_identity(old)].append(old)
    now: defaultdict[tuple[str, str], list[FileDeployment]] = defaultdict(list)
    for entry in new:
        now[_identity(entry)].append(entry)
    found: dict[int, Running] = {}
    for identity, entries in now.items():
        before = was[identity]
        if len({entry.group for entry in before}) == 1 == len({entry.group for entry in entries}):
            found.update((entry.index, old) for entry, old in zip(entries, before, strict=False))
    return found


def _identity(entry: FileDeployment | LoadedDeployment) -> tuple[str, str]:
    return entry.model, (entry.api_base or "").rstrip("/")


def still_named(old: str, file: ConfigFile) -> str:
    """What the file still names a group by that it has not any more; empty where nothing does, or an alias keeps it."""
    routing = routing_of_file(file)
    if any(entry.group == old for entry in file.deployments) or old in routing.aliases:
        return ""
    chains = defaults = 0
    for table in routing.tables.values():
        for source, steps in table.entries:
            named = source == old or any(step.name == old for step in steps)
            if source == "*":
                defaults += named
            else:
                chains += named
    aliases = sum(alias_target(value) == old for value in routing.aliases.values())
    words = [count(chains, "fallback")] if chains else []
    words += ["the default"] if defaults else []
    words += [count(aliases, "alias", "aliases")] if aliases else []
    if not words:
        return ""
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    verb = "names" if chains + defaults + aliases == 1 else "name"
    return f"{listed} still {verb} the old one: {old}"
