"""On a wide screen, in full height: all about the selected deployment, beside the list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from textual import on

from litellm_tui.analysis.bars import braille
from litellm_tui.analysis.failures.causes import first_words
from litellm_tui.analysis.health.timeline import by_minute
from litellm_tui.logs.log_line import clean
from litellm_tui.model.diagnosis import Chain, Deployment
from litellm_tui.model.traffic import HOUR, FailedOnce
from litellm_tui.ui.detail import (
    Paragraph,
    chain_words,
    deployment_paragraphs,
    further_paragraphs,
    state_paragraphs,
    to_rows,
)
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.following_lines import FollowingLines
from litellm_tui.ui.widgets.lines import Lines, Row

REQUESTS: Final = 3
FAILURES: Final = 2
_TICK: Final = 15
# of each of the last errors
_LINES: Final = 2


class Detail(Pane):
    """Follows the cursor of the models."""

    key = ""

    def make_lines(self) -> Lines:
        return FollowingLines(id="detail-lines")

    def draw(self, view: View) -> None:
        chosen = self._chosen(view)
        self._title(" · ".join((self.entry.label, chosen.group, chosen.model)) if chosen else self.entry.label)
        super().draw(view)
        # whether it has room is known when its lines are made
        self._subtitle(self.freshness(view)[0])

    def freshness(self, view: View) -> tuple[str, bool]:
        more = "Tab, then ↑↓ scroll it · " if self._overflows else ""
        return f"{more}Enter opens it", not view.answering

    @property
    def _overflows(self) -> bool:
        return self.lines.height_of_all > self.lines.size.height > 0

    def follow(self, key: str) -> None:
        if key != self.key:
            self.key = key
            self.lines.scroll_to(y=0, animate=False, force=True)

    @property
    def opens(self) -> bool:
        return bool(self.key)

    @on(FollowingLines.Wanted)
    def _open(self, event: FollowingLines.Wanted) -> None:
        event.stop()
        if self.key:
            self.post_message(Lines.Opened(self.lines, self.key))

    def sheet(self, key: str, view: View) -> tuple[str, Callable[[], Iterable[Paragraph]]] | None:
        chosen = self._chosen(view)
        return (f"{chosen.group} · {chosen.model}", lambda: deployment_paragraphs(chosen, view)) if chosen else None

    def rows(self, view: View, width: int) -> Sequence[Row]:
        chosen = self._chosen(view)
        if chosen is None:
            return []
        return [
            *to_rows(state_paragraphs(chosen, view), width),
            *_chart(chosen, view, width),
            *_chains(chosen, view, width),
            *_errors(chosen.errors, view, width),
            Row((("", ""),)),
            *to_rows(further_paragraphs(chosen, view), width),
        ]

    def _chosen(self, view: View) -> Deployment | None:
        return next((d for d in view.diagnosis.deployments if d.key == self.key), None)


def _chart(deployment: Deployment, view: View, width: int) -> Iterator[Row]:
    """Requests and failures of the last hour, minute by minute."""
    yield Row((("", ""),))
    if not deployment.hour:
        unseen = deployment.ok is None and deployment.failed is None
        words = "the log does not tell of them by deployment" if unseen else "none was seen"
        yield Row(((" requests, last hour", "head"), (f" {words}", "quiet")))
        return
    answered, lost = (by_minute(deployment.hour, view.now, place) for place in (1, 2))
    asked = [sum(both) for both in zip(answered, lost, strict=True)]
    wide = width > HOUR
    yield Row(((" requests, last hour", "head"), (f" {sum(asked):,}, up to {max(asked):,} a minute", "quiet")))
    yield from (Row(((f" {line}", "ok"),)) for line in braille(asked, REQUESTS, wide=wide))
    # what is not counted against it is grey
    style = "bad" if deployment.verdict.severity in ("warn", "bad") else "quiet"
    if any(lost):
        yield Row(((" of these failed", "head"), (f" {sum(lost):,}, up to {max(lost):,} a minute", style)))
        yield from (Row(((f" {line}", style),)) for line in braille(lost, FAILURES, wide=wide))
    yield Row(((" " + _axis(view, 1 if wide else 2), "quiet"),))


def _axis(view: View, minutes: int) -> str:
    """The time of the clock below every quarter of an hour; so many minutes share a cell."""
    first = int(view.now // 60) - HOUR + 1
    line = [" "] * (HOUR // minutes)
    for place in range(HOUR):
        column = place // minutes
        if (first + place) % _TICK == 0 and column + 5 <= len(line):
            line[column : column + 5] = view.clock((first + place) * 60.0)[:5]
    return "".join(line)


def _chains(deployment: Deployment, view: View, width: int) -> Iterator[Row]:
    """Where its requests go when it fails."""
    chains = view.diagnosis.chains
    own = [chain for chain in chains if chain.source.name == deployment.group and chain.kind != "alias"]
    if not any(chain.kind == "general" for chain in own):
        own += [chain for chain in chains if chain.kind == "default"]
    yield Row((("", ""),))
    if not own:
        yield Row(((" fallbacks", "head"), (" none: who asks it when it fails gets the error", "quiet")))
        return
    yield Row(((" fallbacks", "head"),))
    yield from to_rows((_chain(chain, view) for chain in own), width)


def _chain(chain: Chain, view: View) -> Paragraph:
    flawed = any(target.flaw for target in chain.targets)
    counts = any(
        problem.key == f"chain:{chain.key}" and problem.severity in ("warn", "bad")
        for problem in view.diagnosis.problems
    )
    words = chain_words(chain, view) + ("" if chain.applied is not False else ", saved, not applied")
    return chain.kind, words, "bad" if flawed and counts else "mark" if chain.applied is False else "ok"


def _errors(errors: Sequence[FailedOnce], view: View, width: int) -> Iterator[Row]:
    """The last three failures, the newest first."""
    if not errors:
        return
    yield Row((("", ""),))
    yield Row(((" last errors", "head"),))
    for error in reversed(errors):
        # a line is broken at blanks, and seldom full
        words = first_words(view.redact(clean(error.words)), max(40, _LINES * (width - 22)))
        yield from to_rows([(view.clock(error.time), words, "bad")], width)[:_LINES]
