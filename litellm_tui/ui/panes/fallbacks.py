"""Each group's chain in order, every target with its state; ghosts and cycles stand out; aliases below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from litellm_tui.analysis.records import SEVERITY, Chain, Target
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.header import STYLES
from litellm_tui.ui.widgets.lines import Row, Span

_TITLES = {
    "context window": "when the context is too long",
    "content policy": "when the content is refused",
    "default": "when nothing else is configured",
    "alias": "aliases",
}


class Fallbacks(Pane):
    """Where a request goes when its group fails."""

    number, name_shown = 3, "Fallbacks"

    def freshness(self, view: View) -> tuple[str, bool]:
        return view.freshness(view.snapshot.gateway.router)

    def rows(self, view: View, width: int) -> Sequence[Row]:
        chains = view.diagnosis.chains
        if not chains:
            known = view.snapshot.configuration.current or view.snapshot.gateway.router.value is not None
            text = "none: a group that fails fails its callers" if known else "not known yet"
            return [Row(((f" {text}", "quiet"),))]
        rows: list[Row] = []
        title = ""
        for chain in chains:
            wanted = _TITLES.get(chain.kind, "")
            if wanted != title:
                title = wanted
                rows.append(Row(((f" {title}", "head"),)))
            rows.extend(_chain(chain, view, width, chain_key(chain)))
        return rows


def chain_key(chain: Chain) -> str:
    """What tells a chain from the others, whatever is added above it."""
    return f"{chain.kind}:{chain.source.name}"


def _chain(chain: Chain, view: View, width: int, key: str) -> Iterator[Row]:
    """The chain over as many lines as it needs, broken between targets and indented below its first target."""
    arrow = f" {view.signs.arrow} "
    lead = "any group" if chain.source.name == "*" else chain.source.name
    mark: list[Span] = [(view.signs.changed + " ", "mark")] if chain.applied is False else [("  ", "")]
    spans = [*mark, *_target(chain.source, view, lead)]
    used = sum(cell_len(text) for text, _ in spans)
    indent = min(used, 4 + width // 4)
    for target in chain.targets:
        piece: list[Span] = [(arrow, "quiet"), *_target(target, view, target.name)]
        length = sum(cell_len(text) for text, _ in piece)
        if used + length > width and used > indent:
            yield Row(tuple(spans), key)
            spans, used, key = [(" " * indent, "")], indent, ""
        spans += piece
        used += length
    if not chain.targets:
        spans.append((f"{arrow}nothing", "bad"))
    yield Row(tuple(spans), key)
    note = chain.note or ("saved, not applied" if chain.applied is False else "")
    if note:
        yield Row(((" " * 4 + note, "mark" if chain.applied is False else "bad"),))


def _target(target: Target, view: View, words: str) -> Iterator[Span]:
    if target.name == "*":
        yield words, "ok"
        return
    style = STYLES[SEVERITY[target.state]]
    if target.flaw in ("ghost", "malformed"):
        yield words, "bad"
        yield " GHOST" if target.flaw == "ghost" else " NOT A NAME", "bad"
        return
    yield words, "strong" if style in ("warn", "bad") else "ok"
    yield f" {view.signs.states[target.state]}", style
    if target.alias_of:
        yield f" ({target.alias_of})", "quiet"
    if target.flaw == "cycle":
        yield " CYCLE", "bad"
