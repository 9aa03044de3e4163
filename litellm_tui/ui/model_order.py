"""In which order deployments are listed, and which of them a filter keeps. Members of a group stay together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from litellm_tui.analysis.latest import latest
from litellm_tui.model.diagnosis import Deployment, Severity

_LOUDNESS: Final[dict[Severity, int]] = {"bad": 0, "warn": 1}
_CALM: Final = 2


def _trouble(row: Deployment) -> tuple[Any, ...]:
    # what is well keeps the order of the file: only what is wrong moves
    return (_LOUDNESS.get(row.verdict.severity, _CALM) if not row.verdict.pending else _CALM,)


def _requests(row: Deployment) -> tuple[Any, ...]:
    return (-((row.ok or 0) + (row.failed or 0)),)


def _latency(row: Deployment) -> tuple[Any, ...]:
    return (-(row.probe.took if row.probe and row.probe.ok else -1.0),)


ORDERS: Final[dict[str, Callable[[Deployment], tuple[Any, ...]]]] = {
    "trouble": _trouble,
    "name": lambda row: (row.group.casefold(), row.model.casefold()),
    "requests": _requests,
    "errors": lambda row: (-(row.failed or 0),),
    "latency": _latency,
}
"""By what rows are ordered; the first is what one begins with."""


def next_order(order: str) -> str:
    """The order after this one."""
    names = list(ORDERS)
    return names[(names.index(order) + 1) % len(names)]


@latest
def in_order(deployments: Sequence[Deployment], order: str, words: str) -> tuple[Deployment, ...]:
    """The deployments that have all these words, each group at the place of its foremost member."""
    key = ORDERS[order]
    kept = [row for row in deployments if _has(row, words)] if words.strip() else deployments
    groups: dict[str, list[Deployment]] = {}
    for row in kept:
        groups.setdefault(row.group, []).append(row)
    members = [sorted(rows, key=key) for rows in groups.values()]
    return tuple(row for rows in sorted(members, key=lambda rows: key(rows[0])) for row in rows)


def _has(row: Deployment, words: str) -> bool:
    text = " ".join((row.group, row.model, row.api_base or "", row.verdict.state, row.verdict.brief)).casefold()
    return all(word in text for word in words.casefold().split())
