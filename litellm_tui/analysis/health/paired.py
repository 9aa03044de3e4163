"""The deployments of the file paired with those that run, and the parts of a row that depend on these two alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from litellm_tui.analysis.change.drift import deployment_differences, match_deployments
from litellm_tui.analysis.latest import latest
from litellm_tui.analysis.redaction.secret_shapes import mask_shapes
from litellm_tui.model.configuration import ConfigFile, FileDeployment
from litellm_tui.model.gateway import LoadedDeployment


class Pair(NamedTuple):
    """A deployment in the file and in the router, with the parts of its row that depend on these two alone."""

    entry: FileDeployment | None
    running: LoadedDeployment | None
    key: str
    address: str | None
    differences: tuple[str, ...]

    @property
    def shown(self) -> FileDeployment | LoadedDeployment:
        found = self.entry or self.running
        assert found is not None
        return found


class Pairs:
    """All pairs; `positions` maps (`deployment`, `model` or `group`, name) to their positions in `rows`."""

    def __init__(self, rows: tuple[Pair, ...]) -> None:
        self.rows = rows
        self.positions: dict[tuple[str, str], list[int]] = {}
        for place, row in enumerate(rows):
            if running := row.running:
                for name in (("deployment", running.id), ("model", running.model), ("group", running.group)):
                    self.positions.setdefault(name, []).append(place)


@latest
def pair_deployments(file: ConfigFile | None, loaded: tuple[LoadedDeployment, ...]) -> Pairs:
    """Each deployment of the file with its running one, in the file's order; those that only run are last."""
    seen: Counter[str] = Counter()
    rows = []
    for entry, running in match_deployments(file.deployments if file else (), loaded):
        shown = entry or running
        assert shown is not None
        # the key is printed and stored too, so its address is masked
        address = mask_shapes(shown.api_base)[0] if shown.api_base else shown.api_base
        base = f"{shown.group}|{shown.model}|{address}"
        seen[base] += 1
        differences = deployment_differences(entry, running) if entry and running else ()
        rows.append(Pair(entry, running, f"{base}|{seen[base]}", address, differences))
    return Pairs(tuple(rows))


@latest
def under_group_names(
    deployments: tuple[LoadedDeployment, ...] | None, aliases: frozenset[str]
) -> tuple[LoadedDeployment, ...]:
    """The deployments, each under the name of its group instead of an alias."""
    return tuple(_under_its_own_name(deployment, aliases) for deployment in deployments or ())


@latest
def all_aliases(file: ConfigFile | None, router: Mapping[str, Any] | None) -> frozenset[str]:
    """Every alias of the file and of the router."""
    found: set[str] = set()
    for settings in (router or {}, file.section("router_settings") if file else {}):
        alias = settings.get("model_group_alias")
        found |= {str(name) for name in alias} if isinstance(alias, dict) else set()
    return frozenset(found)


def _under_its_own_name(loaded: LoadedDeployment, aliases: frozenset[str]) -> LoadedDeployment:
    """The proxy lists a deployment under its aliases too; 1.77 puts them before the group."""
    own = next((name for name in loaded.names if name not in aliases), loaded.group)
    return loaded if own == loaded.group else msgspec.structs.replace(loaded, group=own)
