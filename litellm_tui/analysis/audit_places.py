"""Adds findings to the deployment, the chain or the cache that they are about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from litellm_tui.analysis.latest import latest
from litellm_tui.model.audit import Audit, Finding
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.diagnosis import Chain, ChainKind, Deployment

_CHAINS: Final[dict[str | int, ChainKind]] = {
    "fallbacks": "general",
    "context_window_fallbacks": "context window",
    "content_policy_fallbacks": "content policy",
    "default_fallbacks": "default",
    "model_group_alias": "alias",
}
_CACHE: Final = (("litellm_settings", "cache"), ("litellm_settings", "cache_params"))


@latest
def on_deployments(deployments: Iterable[Deployment], audit: Audit | None) -> tuple[Deployment, ...]:
    """The deployments with the findings about their entries in `model_list`, without advice."""
    found: defaultdict[Any, list[Finding]] = defaultdict(list)
    for finding in _serious(audit):
        if finding.path[:1] == ("model_list",) and len(finding.path) > 1:
            found[finding.path[1]].append(finding)
    if not found:
        return tuple(deployments)
    return tuple(
        msgspec.structs.replace(row, findings=tuple(found[row.file.index]))
        if row.file and row.file.index in found
        else row
        for row in deployments
    )


@latest
def on_chains(chains: Iterable[Chain], audit: Audit | None, file: ConfigFile | None) -> tuple[Chain, ...]:
    """The chains with the findings about them, without advice."""
    found: defaultdict[tuple[ChainKind, str], list[Finding]] = defaultdict(list)
    for finding in _serious(audit):
        if len(finding.path) > 1 and (kind := _CHAINS.get(finding.path[1])) is not None and file is not None:
            found[kind, _source(kind, finding, file)].append(finding)
    if not found:
        return tuple(chains)
    return tuple(
        msgspec.structs.replace(chain, findings=tuple(found[chain.kind, chain.source.name]))
        if (chain.kind, chain.source.name) in found
        else chain
        for chain in chains
    )


def on_cache(audit: Audit | None) -> tuple[Finding, ...]:
    """The findings about the cache, without advice."""
    return tuple(finding for finding in _serious(audit) if finding.path[:2] in _CACHE)


def _serious(audit: Audit | None) -> Iterable[Finding]:
    return (finding for finding in audit.findings if finding.severity != "advice") if audit else ()


def _source(kind: ChainKind, finding: Finding, file: ConfigFile) -> str:
    """The source group of the chain: `(section, "fallbacks", 3, GROUP, …)`, or the only key of that item."""
    path = finding.path
    if kind == "default":
        return "*"
    if kind == "alias":
        return str(path[2]) if len(path) > 2 else ""
    if len(path) > 3:
        return str(path[3])
    value: Any = file.section(str(path[0])).get(str(path[1]))
    if len(path) > 2 and isinstance(value, list) and isinstance(path[2], int) and path[2] < len(value):
        value = value[path[2]]
        return str(next(iter(value), "")) if isinstance(value, dict) else ""
    return str(path[2]) if len(path) > 2 else ""
