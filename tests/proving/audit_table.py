"""docs/audit.md: how the audit does against the corpus, by the version of LiteLLM and the section of the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from tests.proving.trial import Tried

HEAD: Final = """# How the audit does

`litellm-tui audit` must let nothing through that ends a start, and call nothing fatal that starts. It is held against
a corpus of configurations that is made from LiteLLM's own source (`tests/proving/corpus*.py`): for each section the
keys that this version reads, with values of every kind, its guardrails, callbacks, caches, MCP servers, secret managers
and whatever else its lists may hold, refused and starting ones of each. Each configuration is started for real, up to
the end of LiteLLM's start-up.

This page is made by `tests/proving/test_corpus.py` (`LITELLM_TUI_WRITE_DOCS=1` writes it anew; the rows of a LiteLLM
that is not installed stay), which fails when a row is not what it says.

- **tried**: how many things of the section were tried. What the audit calls fatal is started alone (of the values of
  one key that one rule refuses, one); what it lets through is started many to a file.
- **refused**: configurations of the section that LiteLLM did not start with; **found**: those called fatal.
- **missed**: refused, and not called fatal; **false**: called fatal, and started.
- **left out**: deployments and guardrails that LiteLLM starts without; **named**: those that are named as an error.
- **fixed**: configurations that `audit --fix` changes. Each is started again: it starts where it did, with all that it
  had, and lets through what it let through.
"""
TAIL: Final = """
## What the audit cannot know

A start also asks what is not in the file. Where it is not known, the audit says so as advice, and never as fatal:

- a Redis cluster or Qdrant that does not answer while LiteLLM starts (`cache-asked-at-start`): fatal where it refuses
  connections here now, which is looked at for a gateway of this machine and for an address of this machine;
- a database that does not answer, or whose migrations fail;
- an OpenAPI description of an MCP server that is fetched from a URL (a file that is missing is `start-file-missing`:
  fatal, but a warning for an absolute path in a file alone, which may be meant for another machine);
- what a Python module of yours raises when it is imported: it is read, and not run.
"""
COLUMNS: Final = ("section", "tried", "refused", "found", "missed", "false", "left out", "named", "fixed")


class Row(msgspec.Struct, frozen=True):
    """The counts of one section."""

    tried: int
    refused: int = 0
    found: int = 0
    missed: int = 0
    false: int = 0
    left_out: int = 0
    named: int = 0
    fixed: int = 0


def rows_of(tried: Iterable[Tried], asked: Mapping[str, int]) -> dict[str, Row]:
    """The rows by section; `asked` is how many things of each were tried.

    A file of several sections counts where its first thing is of, an entry that is left out where it is of itself.
    """
    found: dict[str, dict[str, int]] = {section: {} for section in asked}

    def count(section: str, name: str, number: int) -> None:
        found[section][name] = found[section].get(name, 0) + number

    for one in tried:
        section = one.pack.fragments[0].section
        count(section, "refused", int(one.look.refused))
        count(section, "found", int(one.look.refused and bool(one.fatal)))
        count(section, "missed", int(one.missed))
        count(section, "false", int(one.false))
        count(section, "fixed", int(one.mended is not None))
        for key, gone, named in (
            ("model_list", one.dropped, one.named),
            ("guardrails", one.unprotected, one.named_guardrails),
        ):
            for entry in gone:
                count(one.section_of(key, entry), "left_out", 1)
                count(one.section_of(key, entry), "named", int(entry in named))
    return {section: Row(number, **found[section]) for section, number in asked.items()}


def block(version: str, rows: Mapping[str, Row], started: int) -> str:
    """The part of the page about one version."""
    lines = [f"## LiteLLM {version}", "", f"{started} starts.", ""]
    table = [COLUMNS, *((section, *map(str, msgspec.structs.astuple(row))) for section, row in rows.items())]
    totals = [sum(column) for column in zip(*(msgspec.structs.astuple(row) for row in rows.values()), strict=True)]
    table.append(("**all**", *map(str, totals)))
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    for number, cells in enumerate(table):
        padded = [
            cells[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)),
        ]
        lines.append(f"| {' | '.join(padded)} |")
        if number == 0:
            lines.append(f"| {'-' * widths[0]} | {' | '.join('-' * (width - 1) + ':' for width in widths[1:])} |")
    return "\n".join(lines) + "\n"


def with_block(page: str, version: str, text: str) -> str:
    """The page with the part about this version in its place, newest first."""
    kept = blocks(page) | {version: text}
    ordered = sorted(kept, key=lambda name: [int(part) for part in name.split(".")], reverse=True)
    return f"{HEAD}\n{chr(10).join(kept[name] for name in ordered)}{TAIL}"


def blocks(page: str) -> dict[str, str]:
    """The parts of a page by their versions."""
    found = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    named = {part.partition("\n")[0]: part for part in found}
    return {
        name.removeprefix("LiteLLM "): f"## {part.rstrip()}\n"
        for name, part in named.items()
        if name.startswith("LiteLLM ")
    }
