"""Which deployments are meant by the names on a command line."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from litellm_tui.model.gateway import LoadedDeployment

# a shorter beginning of an id is more likely a mistyped name
SHORTEST_PREFIX = 4


class UnknownName(Exception):
    """A name that fits nothing, or too much; says what there is."""


def chosen_by(names: Sequence[str], deployments: Sequence[LoadedDeployment]) -> tuple[LoadedDeployment, ...]:
    """The deployments meant, in the gateway's order and each once; all of them without names.

    A name is a group or an alias, a deployment's id or the beginning of one, or a model as LiteLLM writes it. Raises
    `UnknownName`.
    """
    if not names:
        return tuple(deployments)
    wanted = {deployment.id for name in names for deployment in _meant(name, deployments)}
    return tuple(deployment for deployment in deployments if deployment.id in wanted)


def _meant(name: str, deployments: Sequence[LoadedDeployment]) -> list[LoadedDeployment]:
    exact = [deployment for deployment in deployments if deployment.id == name]
    grouped = [deployment for deployment in deployments if name in (deployment.group, *deployment.names)]
    modelled = [deployment for deployment in deployments if deployment.model == name]
    if found := exact or grouped or modelled:
        return found
    begun = [d for d in deployments if len(name) >= SHORTEST_PREFIX and d.id.startswith(name)]
    if len(begun) > 1:
        raise UnknownName(f"{name!r} begins {len(begun)} ids: give more of it. {_there(deployments)}")
    if not begun:
        raise UnknownName(f"no group, alias, deployment or model {name!r}. {_there(deployments)}")
    return begun


def _there(deployments: Sequence[LoadedDeployment]) -> str:
    if not deployments:
        return "The gateway has loaded no deployment"
    names = dict.fromkeys(name for deployment in deployments for name in (deployment.names or (deployment.group,)))
    models = dict.fromkeys(f"{deployment.model} ({deployment.id[:8]})" for deployment in deployments)
    return f"There are the groups {_listed(names)}, and the deployments {_listed(models)}"


def _listed(names: Collection[str]) -> str:
    """The first of them; 1.106 lists a wildcard as hundreds."""
    shown = ", ".join(list(names)[:30])
    return f"{shown} and {len(names) - 30} more" if len(names) > 30 else shown


def with_own_groups(deployments: Sequence[LoadedDeployment], aliases: Collection[str]) -> tuple[LoadedDeployment, ...]:
    """Each deployment under the group it belongs to: 1.77 names an alias before the group."""
    return tuple(
        replace(deployment, group=next((name for name in deployment.names if name not in aliases), deployment.group))
        for deployment in deployments
    )
