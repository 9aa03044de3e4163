"""The lines of a plan of an upgrade, and of its steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from litellm_tui.actions.transaction.events import Step
from litellm_tui.analysis.phrases import count
from litellm_tui.commands import release_print
from litellm_tui.model.upgrade import UpgradePlan

_MOST_PACKAGES: Final = 40
_MOST_KNOWN: Final = 6


def plan_lines(plan: UpgradePlan, *, applies: bool = True) -> Iterator[str]:
    """The plan: what is there, what it would become, what changes, and what stands against it."""
    where = f" in {plan.path}" if plan.path else ""
    python = f", Python {plan.python}" if plan.python else ""
    yield f"installed  LiteLLM {plan.before or 'of a version that is not known'}, {plan.how}{where}{python}"
    if plan.running:
        yield f"runs       LiteLLM {plan.running}"
    yield f"to         {f'LiteLLM {plan.after}' if plan.after else 'no release'}" + (
        f", made ready as {plan.staged}" if plan.staged and plan.path != plan.staged else ""
    )
    if plan.available:
        yield f"to be had  {', '.join(plan.available)}   [{plan.source}]"
    if plan.requirement:
        beside = f" beside {', '.join(plan.beside)}" if plan.beside else ""
        yield f"asked for  {plan.requirement}{beside}"
    yield from _known(f"known against {plan.before}", plan.held_before)
    yield from _known(f"known against {plan.after}", plan.held_after)
    if plan.packages is not None:
        yield ""
        yield f"{count(len(plan.packages), 'other package')} in another version"
        yield from (f"  {one}" for one in plan.packages[:_MOST_PACKAGES])
        if len(plan.packages) > _MOST_PACKAGES:
            yield f"  and {len(plan.packages) - _MOST_PACKAGES} more: --json has all"
    if plan.comparison is not None:
        yield ""
        yield from release_print.text(plan.comparison)
    if plan.database:
        yield ""
        yield f"database   {plan.database}"
    for note in plan.notes:
        yield ""
        yield f"note       {note}"
    for refusal in plan.refusals:
        yield ""
        yield f"{'refused' if applies else 'cannot':<10} {refusal}"


def _known(title: str, held: tuple[str, ...]) -> Iterator[str]:
    if held:
        yield ""
        yield title
        yield from (f"  {one}" for one in held[:_MOST_KNOWN])
        if len(held) > _MOST_KNOWN:
            yield f"  and {len(held) - _MOST_KNOWN} more, less grave: litellm-tui audit"


def step_lines(step: Step) -> Iterator[str]:
    """A step that has ended, with what is to be known of it."""
    yield f"{'ok  ' if step.ok else 'FAIL'}  {step.name:<14} {step.took or 0.0:6.1f} s  {step.detail}".rstrip()
    yield from (f"        {note}" for note in step.notes)
