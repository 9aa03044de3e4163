"""The plan of an upgrade as paragraphs: what stands against it comes first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, get_args

from litellm_tui.analysis.phrases import count
from litellm_tui.model.release import CHANGE_TITLES, ChangeKind, ReleaseComparison
from litellm_tui.model.upgrade import UpgradePlan
from litellm_tui.ui.detail import Paragraph

_MOST_PACKAGES: Final = 40
_MOST_KNOWN: Final = 6
_GRAVE: Final = frozenset({"fatal", "worse", "opened"})


def plan_paragraphs(plan: UpgradePlan) -> Iterator[Paragraph]:
    """What is there, what it would become, what stands against that, and what changes."""
    where = f" in {plan.path}" if plan.path else ""
    python = f", Python {plan.python}" if plan.python else ""
    before = f"LiteLLM {plan.before}" if plan.before else "LiteLLM of a version that is not known"
    yield "installed", f"{before}, {plan.how}{where}{python}", "ok"
    yield "runs", f"LiteLLM {plan.running}" if plan.running else "", "ok"
    staged = f", made ready as {plan.staged}" if plan.staged and plan.path != plan.staged else ""
    yield "to", f"LiteLLM {plan.after}{staged}" if plan.after else "no release", "strong"
    yield from _each("refused", plan.refusals, "bad")
    yield from _each("note", plan.notes, "warn")
    yield "database", plan.database, "warn"
    if plan.available:
        yield "to be had", f"{', '.join(plan.available)} ({plan.source})", "quiet"
    else:
        yield "to be had", plan.source, "quiet"
    yield from _known("known of", plan.before, plan.held_before, "ok")
    yield from _known("known of", plan.after, plan.held_after, "bad")
    if plan.comparison is not None:
        yield "", "", ""
        yield from _compared(plan.comparison)
    if plan.packages is not None:
        yield "", "", ""
        yield "packages", f"{count(len(plan.packages), 'other package')} in another version", "ok"
        yield from _each("", tuple(map(str, plan.packages[:_MOST_PACKAGES])), "quiet")
        if len(plan.packages) > _MOST_PACKAGES:
            yield " ", f"and {len(plan.packages) - _MOST_PACKAGES} more: litellm-tui upgrade --json has all", "quiet"


def _compared(comparison: ReleaseComparison) -> Iterator[Paragraph]:
    yield "this file", f"from LiteLLM {comparison.before} to {comparison.after}", "head"
    for kind in get_args(ChangeKind):
        style = "bad" if kind in _GRAVE else "ok"
        for number, change in enumerate(comparison.of(kind)):
            if not number:
                yield " ", f"{CHANGE_TITLES[kind]}:", style
            where = f"line {change.mark.line}: " if change.mark else ""
            do = f" ({change.do})" if change.do else ""
            yield " ", f"{where}{change.text}{do}", style
    if not comparison.changes:
        yield " ", "nothing that is known here changes for it", "quiet"
    yield from _each("not compared", comparison.unknown, "quiet")


def _known(name: str, version: str, held: tuple[str, ...], style: str) -> Iterator[Paragraph]:
    for number, text in enumerate(held[:_MOST_KNOWN]):
        yield name if name and not number else " ", f"{version}: {text}", style
    if len(held) > _MOST_KNOWN:
        yield " ", f"{version}: and {len(held) - _MOST_KNOWN} more, less grave: a shows them", style


def _each(name: str, texts: tuple[str, ...], style: str) -> Iterator[Paragraph]:
    for number, text in enumerate(texts):
        yield name if name and not number else " ", text, style
