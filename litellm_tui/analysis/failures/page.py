"""The page docs/errors.md: whose failure the console says an error is, and every cause that it names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from litellm_tui.analysis.failures.causes import MEANINGS, NEXT_STEPS
from litellm_tui.analysis.failures.explanations import explain_cause
from litellm_tui.model.traffic import Subject

_SUBJECTS: Final[tuple[tuple[Subject, str], ...]] = (
    ("upstream", "a provider, or what stands before it; only these count against a deployment"),
    ("gateway", "LiteLLM refuses by itself, or fails in its own code"),
    ("caller", "the caller's key, or the request itself"),
    ("database", "Postgres, and Prisma between LiteLLM and it"),
    ("cache", "Redis, and the other caches"),
    ("mcp", "an MCP server"),
    ("side service", "where logs, traces, alerts and spend go, and who signs tokens"),
    ("start-up", "what ended a start"),
    ("worker", "a process that died or hung"),
    ("machine", "memory, disk, file descriptors"),
)
_HEAD: Final = """# What LiteLLM says when something fails

This page is made from the console's own tables. For each failure in the log the console decides first *whose* it is,
by the words and by the place in LiteLLM that reports it, and only then looks for a cause. Where the evidence names no
cause, LiteLLM's own words stand.

## How much of it is understood

Every error that LiteLLM's source raises, or logs at WARNING and above, where a request or a start leads to it: its
subject as a person judged it by its place, against what the console says. *Unexplained* means that the console says
nothing of it; *words alone* is a log without the names of LiteLLM's files and without tracebacks. Endpoints for
administrators are left out, and the library below the proxy, whose errors a provider's exception wraps.

That table judges by the place and by what an error says of itself, and is kinder than a person who reads the source.
A line that only passes on another error is left out of it: that error is judged by its own words. Samples of 240 errors
(120 of 1.106.2 and 120 of 1.109.3, `tests/collectors/error_sample.py`) were judged one by one in LiteLLM's source, each
drawn after what the one before it had shown was mended by its kind: lines of the files for MCP servers about callers,
stores, guardrails and settings, errors that the router raises in a provider's class, answers of 400, the places of
caches, hooks of the request among the callbacks.

| sample | right | unexplained | wrong |
|---|---|---|---|
| `third` | 208 | 7 | 25 |
| `fifth` | 221 | 9 | 10 |
| `sixth` | 232 | 1 | 7 |
| `seventh` | 229 | 1 | 10 |
| `eighth` | 232 | 2 | 6 |
| `ninth` | 228 | 3 | 9 |

Of the last four 96 % are right, and 3 % wrong in their subject; what was wrong in the ninth is mended since.

| LiteLLM | area | errors | right | unexplained | wrong | right by words alone | wrong by words alone |
|---|---|---|---|---|---|---|---|
"""


class Coverage(NamedTuple):
    """How many errors of an area of one LiteLLM get the right subject, none, or a wrong one; and by words alone."""

    version: str
    area: str
    right: int
    unexplained: int
    wrong: int
    right_by_words: int
    wrong_by_words: int


def errors_page(coverage: Sequence[Coverage]) -> str:
    """The page, as Markdown, with these rows of coverage."""
    return _HEAD + "\n".join(_row(row) for row in coverage) + "\n\n" + "\n".join(_causes()) + "\n"


def _row(row: Coverage) -> str:
    total = row.right + row.unexplained + row.wrong
    share = f" ({row.right / total:.1%})" if row.area == "all" else ""
    numbers = (
        f"{total:,}",
        f"{row.right:,}{share}",
        row.unexplained,
        row.wrong,
        f"{row.right_by_words:,}",
        row.wrong_by_words,
    )
    return f"| {row.version} | {row.area} | " + " | ".join(map(str, numbers)) + " |"


def _causes() -> list[str]:
    lines = ["## The causes"]
    for subject, about in _SUBJECTS:
        lines += ["", f"### {subject}", "", f"{about[0].upper()}{about[1:]}.", ""]
        lines += ["| cause | means | next step |", "|---|---|---|"]
        names = {name: None for of, name in MEANINGS if of == subject}
        if subject == "upstream":
            names |= dict.fromkeys(NEXT_STEPS)
        for name in names:
            known = explain_cause(name, subject)
            lines.append(f"| {name} | {known.means} | {known.do} |")
    return lines
