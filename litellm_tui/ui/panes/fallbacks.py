"""Each group's chain in order, every target with its state; ghosts and cycles stand out; aliases below.

What if: groups marked down here show where their requests would go. A mark is a question, and changes nothing real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple

from rich.cells import cell_len
from textual import on

from litellm_tui.analysis.latest import latest
from litellm_tui.analysis.routing.route import Route
from litellm_tui.analysis.routing.table import FallbackKind, alias_target, routing_of_file
from litellm_tui.analysis.routing.what_if import OutageSimulation, current_routing, find_cover, simulate_outage
from litellm_tui.model.diagnosis import SEVERITY, Chain, Deployment, Group, Severity, Target
from litellm_tui.ui.detail import Paragraph, chain_paragraphs, to_rows
from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.paint_pace import Pace
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.panes.registry import PaneEntry
from litellm_tui.ui.shortened import shortened
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.chain_lines import ChainLines
from litellm_tui.ui.widgets.header import SEVERITY_STYLES, STYLES
from litellm_tui.ui.widgets.lines import Lines, Row, Span, cell

_TITLES = {
    "context window": "when the context is too long",
    "content policy": "when the content is refused",
    "default": "when nothing else is configured",
    "alias": "aliases",
}
# a group that is asked about does not look like one that fails
MARKED: Final = "▼"
_LEAST_OF_NAME: Final = 12
# groups that are named in the general answer, and lines from which there is room to say what the rows are
_NAMED: Final = 3
_HIGH: Final = 16


class _Made(NamedTuple):
    """What the rows are made of."""

    of: tuple[object, ...]
    router: object
    marked: tuple[str, ...]
    signs: object
    width: int

    def is_still(self, other: _Made) -> bool:
        """Whether the other is made of the same objects."""
        same = all(one is another for one, another in zip(self.of, other.of, strict=True))
        rest = (self.marked, self.width) == (other.marked, other.width)
        return same and rest and self.router is other.router and self.signs is other.signs


@latest
def _groups(deployments: Sequence[Deployment]) -> frozenset[str]:
    return frozenset(deployment.group for deployment in deployments)


class Fallbacks(Pane):
    """Where a request goes when its group fails, and where it would go."""

    headed = True

    def __init__(self, entry: PaneEntry, pace: Pace | None = None) -> None:
        super().__init__(entry, pace)
        self.marked: tuple[str, ...] = ()
        self._view: View | None = None
        self._made: _Made | None = None
        self._rows: tuple[Row, ...] = ()
        self._problems: tuple[str, ...] = ()

    def make_lines(self) -> Lines:
        return ChainLines(id="fallbacks-lines")

    def freshness(self, view: View) -> tuple[str, bool]:
        return view.freshness(view.snapshot.gateway.router)

    def draw(self, view: View) -> None:
        self._view = view
        super().draw(view)

    def head(self, view: View, width: int) -> Sequence[Row]:
        """Whether every request finds an answer, above each group's own; where there is room, what the rows say."""
        answer = _general_answer(view, width)
        names = Row((("   group", "head"), (f" {view.signs.arrow} where its requests go next, in order", "head")))
        return [*answer, *([names] if self.size.height >= _HIGH else ())]

    def concerned(self, view: View) -> Sequence[Deployment]:
        group = group_of(self.lines.selected, view)
        return [row for row in view.diagnosis.deployments if row.group == group]

    def sheet(self, key: str, view: View) -> tuple[str, Callable[[], Iterable[Paragraph]]] | None:
        kind, _, name = key.partition(":")
        marked = self.marked
        title = f"{'any group' if name == '*' else name} · {kind}"
        return title, lambda: fallback_paragraphs(key, view, marked)

    @on(ChainLines.Marked)
    def _mark(self, event: ChainLines.Marked) -> None:
        event.stop()
        if self._view is None:
            return
        group = group_of(event.key, self._view)
        if not event.key:
            self.marked = ()
        elif group in self.marked:
            self.marked = tuple(other for other in self.marked if other != group)
        elif group:
            self.marked = (*self.marked, group)
        if isinstance(self.lines, ChainLines):
            self.lines.clearable = bool(self.marked)
        self.draw(self._view)

    def rows(self, view: View, width: int) -> Sequence[Row]:
        # a group that is gone from the models cannot be asked about any more
        present = _groups(view.diagnosis.deployments)
        self.marked = tuple(group for group in self.marked if group in present)
        snapshot, diagnosis = view.snapshot, view.diagnosis
        problems = tuple(problem.key for problem in diagnosis.problems if problem.severity in ("warn", "bad"))
        if problems != self._problems:
            self._problems = problems
        file = snapshot.configuration.current
        of = (diagnosis.deployments, diagnosis.chains, diagnosis.groups, file, self._problems)
        made = _Made(of, snapshot.gateway.router.value, self.marked, view.signs, width)
        if self._made is None or not self._made.is_still(made):
            # by far most snapshots change nothing here, and to break so many chains into lines takes time
            self._made, self._rows = made, tuple(self._all_rows(view, width))
        return self._rows

    def _all_rows(self, view: View, width: int) -> list[Row]:
        outlook = (
            simulate_outage(view.snapshot, view.diagnosis.deployments, view.diagnosis.groups, self.marked)
            if self.marked
            else OutageSimulation({})
        )
        rows = [*_banner(self.marked, outlook, view, width), *_malformed(view, width)]
        chains = view.diagnosis.chains
        if not chains:
            known = view.snapshot.configuration.current or view.snapshot.gateway.router.value is not None
            text = "none: a group that fails fails its callers" if known else "not known yet"
            rows.append(Row(((f" {text}", "quiet"),)))
        title = ""
        for chain in chains:
            if (wanted := _TITLES.get(chain.kind, "")) != title:
                title = wanted
                rows.append(Row(((f" {title}", "head"),)))
            rows.extend(_chain(chain, view, width, self.marked))
            rows.extend(_outcome(outlook.routes.get(_asked(chain.key)), width))
        if alone := _chainless(view):
            rows.append(Row(((" without a chain of their own", "head"),)))
        for group in alone:
            target = Target(group.name, group.verdict.state)  # type: ignore[arg-type]  # groups use the words of State
            spans = _fitting(target, view, group.name, self.marked, True, width - 3)
            rows.append(Row((("   ", ""), *spans), f"group:{group.name}"))
            rows.extend(_outcome(outlook.routes.get(("general", group.name)), width))
        return rows


def chain_key(chain: Chain) -> str:
    """What tells a chain from the others, whatever is added above it."""
    return chain.key


def group_of(key: str, view: View) -> str | None:
    """The group that a row is about: an alias is about the one it stands for, the default chain about none."""
    name = key.partition(":")[2]
    groups = _groups(view.diagnosis.deployments)
    if name in groups:
        return name
    routing = current_routing(view.snapshot)
    target = alias_target(routing.aliases.get(name)) if routing else None
    return target if target in groups else None


def fallback_paragraphs(key: str, view: View, marked: Sequence[str] = ()) -> Iterator[Paragraph]:
    """All that is known of one row: its chain, and where its requests go hop by hop."""
    of = view.diagnosis
    route = simulate_outage(view.snapshot, of.deployments, of.groups, marked).routes.get(_asked(key))
    when = f"with {', '.join(marked)} down" if marked else "a request now"
    if route is not None:
        # what one wants to know stands first, and how it comes about below
        answer = f"answered by {route.served_by}" if route.served_by else f"no answer: {route.reason}"
        yield "answer", f"{when}: {answer}", "strong" if route.served_by else "bad"
    if chain := next((chain for chain in of.chains if chain.key == key), None):
        yield from chain_paragraphs(chain, view)
    if route is None:
        return
    yield "", "", ""
    yield when, "", "head"
    for number, hop in enumerate(route.hops, start=1):
        alias = f" ({hop.group})" if hop.group not in ("", hop.name) else ""
        yield f"{number}.", f"{hop.name}{alias}: {hop.why}", "ok"
    if route.served_by:
        yield f"{len(route.hops) + 1}.", f"{route.served_by} answers", "strong"
    else:
        yield "result", f"no answer: {route.reason}", "bad"


def _asked(key: str) -> tuple[FallbackKind, str]:
    """The route that a row is about: rows of aliases and of groups are about ordinary requests."""
    kind, _, name = key.partition(":")
    return (kind if kind in ("context window", "content policy") else "general"), name  # type: ignore[return-value]  # a Kind by then


def _general_answer(view: View, width: int) -> list[Row]:
    """Who gets no answer now, and for whom nobody would take over; nothing where that is not known."""
    found = find_cover(view.snapshot, view.diagnosis.deployments, view.diagnosis.groups) if view.answering else None
    if found is None or not view.diagnosis.deployments:
        return []
    dot = f" {view.signs.dot} "
    if found.none:
        now: Span = (f" no answer now: {_some(found.none)}", "bad")
    else:
        now = (" all are answered now", "ok")
    # how many is said first, for the names may be cut off
    then = f"nobody behind {len(found.alone)}: {_some(found.alone)}" if found.alone else "each has somebody behind it"
    rest = width - cell_len(now[0])
    return [
        Row(
            (
                (cell(now[0], min(width, cell_len(now[0]))), now[1]),
                (cell(dot + then, rest) if rest > 3 else "", "quiet"),
            )
        )
    ]


def _some(names: Sequence[str]) -> str:
    """The first of these, and how many more."""
    more = len(names) - _NAMED
    named = ", ".join(shortened(drawable(name), 2 * _LEAST_OF_NAME) for name in names[:_NAMED])
    return f"{named} and {more} more" if more > 0 else named


# --- what if -----------------------------------------------------------------------------------------------------


def _banner(marked: Sequence[str], outlook: OutageSimulation, view: View, width: int) -> Iterator[Row]:
    if not marked:
        return
    yield Row(((f" what if: {len(marked)} marked down {view.signs.dot} Esc clears ", "word-warn"),))
    if outlook.through:
        yield from to_rows([("", f"would be left without an answer: {', '.join(outlook.through)}", "bad")], width)
    else:
        yield Row(((" every request that is answered now would still find an answer", "quiet"),))


def _outcome(route: Route | None, width: int) -> Sequence[Row]:
    """Where its requests would go, below a row; nothing while its own group answers."""
    if route is None or (route.served_by and not route.hops):
        return []
    if route.served_by:
        return _below(f"= answered by {route.served_by}", "strong", width)
    return _below(f"= NO ANSWER: {route.reason}", "bad", width)


def _below(text: str, style: str, width: int) -> list[Row]:
    """A sentence below a row, indented; not to be selected."""
    indent: Span = ("   ", "")
    return [Row((indent, *row.spans)) for row in to_rows([("", text, style)], width - 3)]


# --- the chains --------------------------------------------------------------------------------------------------


def _chainless(view: View) -> list[Group]:
    """The groups that no general chain starts from; they too can be marked."""
    sources = {chain.source.name for chain in view.diagnosis.chains if chain.kind == "general"}
    return [group for group in view.diagnosis.groups if group.name not in sources]


def _malformed(view: View, width: int) -> Iterator[Row]:
    file = view.snapshot.configuration.current
    for words in routing_of_file(file).malformed if file else ():
        yield from to_rows([("", words, "bad")], width)


def _chain(chain: Chain, view: View, width: int, marked: Sequence[str]) -> Iterator[Row]:
    """The chain over as many lines as it needs, broken between targets and indented below its first target."""
    key = chain.key
    if chain.kind == "alias" and any(target.name in marked for target in chain.targets):
        # what it stands for is down, and so is it
        marked = (*marked, chain.source.name)
    arrow = f" {view.signs.arrow} "
    lead = "any group" if chain.source.name == "*" and chain.kind == "default" else chain.source.name
    mark: list[Span] = [(f" {view.signs.changed} ", "mark")] if chain.applied is False else [("   ", "")]
    counts = _counts(chain, view)
    # a name takes no line of its own width, and leaves room for what is said of it
    spans = [*mark, *_fitting(chain.source, view, lead, marked, counts, width - 3)]
    used = sum(cell_len(text) for text, _ in spans)
    indent = min(used, 4 + width // 4)
    for target in chain.targets:
        room = width - indent - cell_len(arrow)
        piece: list[Span] = [(arrow, "quiet"), *_fitting(target, view, target.name, marked, counts, room)]
        length = sum(cell_len(text) for text, _ in piece)
        if used + length > width and used > indent:
            yield Row(tuple(spans), key)
            spans, used, key = [(" " * indent, "")], indent, ""
        spans += piece
        used += length
    if not chain.targets:
        spans.append((f"{arrow}nothing", "bad"))
    yield Row(tuple(spans), key)
    if note := chain.note or ("saved, not applied" if chain.applied is False else ""):
        trapped = chain.kind == "alias" and not any(target.flaw for target in chain.targets)
        style = "mark" if chain.applied is False else "warn" if trapped else "bad" if counts else "quiet"
        yield from _below(note, style, width)
    elif chain.findings and not chain.source.flaw and not any(target.flaw for target in chain.targets):
        worst = chain.findings[0]
        yield from _below(f"{view.signs.finding} {worst.text}", SEVERITY_STYLES[worst.severity], width)


def _fitting(target: Target, view: View, words: str, marked: Sequence[str], counts: bool, room: int) -> list[Span]:
    """One step of a chain in `room` cells: where it takes more, its name is cut in the middle."""
    spans = list(_target(target, view, words, marked, counts))
    over = sum(cell_len(text) for text, _ in spans) - room
    if over <= 0:
        return spans
    (name, style), *rest = spans
    return [(shortened(name, max(_LEAST_OF_NAME, cell_len(name) - over)), style), *rest]


@latest
def _severities(groups: Sequence[Group]) -> dict[str, Severity]:
    return {group.name: group.verdict.severity for group in groups}


def _severity(target: Target, view: View) -> Severity:
    """As its group is judged: what fails by its callers' own doing is grey here too."""
    return _severities(view.diagnosis.groups).get(target.alias_of or target.name, SEVERITY[target.state])


def _counts(chain: Chain, view: View) -> bool:
    """Whether what is wrong with the chain is a problem, and not only worth knowing."""
    keys = (f"chain:{chain.key}", f"alias:{chain.source.name}")
    return any(problem.key in keys and problem.severity in ("warn", "bad") for problem in view.diagnosis.problems)


def _target(target: Target, view: View, words: str, marked: Sequence[str], counts: bool = True) -> Iterator[Span]:
    """One step of a chain; `counts` says whether its flaw is a problem."""
    words = drawable(words)
    if words == "any group":
        yield words, "ok"
        return
    style = STYLES[_severity(target, view)]
    if target.flaw in ("ghost", "malformed"):
        flaw = "bad" if counts else "quiet"
        yield words, flaw
        yield f" NO SUCH GROUP{_meant(target, view)}" if target.flaw == "ghost" else " NOT A NAME", flaw
        return
    if target.name in marked or target.alias_of in marked:
        yield words, "mark"
        yield f" {MARKED} MARKED", "mark"
    else:
        yield words, "strong" if style in ("warn", "bad") else "ok"
        yield f" {view.signs.states[target.state]}", style
    if target.alias_of:
        yield f" ({shortened(target.alias_of, 2 * _LEAST_OF_NAME)})", "quiet"
    elif target.state == "not in file":
        yield f" GONE with a restart{_meant(target, view)}", "mark"
    if target.flaw == "cycle":
        yield " CYCLE", "bad" if counts else "quiet"


def _meant(target: Target, view: View) -> str:
    """The nearest name of a group that will be there, as a question; empty where none is near."""
    there = [group.name for group in view.diagnosis.groups if group.verdict.state != "not in file"]
    near = get_close_matches(target.name, there, 1, 0.7)
    return f", {shortened(near[0], 2 * _LEAST_OF_NAME)}?" if near and near[0] != target.name else ""
