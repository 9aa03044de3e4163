"""Why LiteLLM cannot read a file as YAML, in plain words where PyYAML's own say something else."""

from __future__ import annotations

import codecs
from typing import Final

import yaml

# the marks that begin UTF-16; those of UTF-32 begin in the same way, or with two zeros
_WIDE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def is_wide(content: bytes) -> bool:
    """Whether a file is in UTF-16 or UTF-32, which PyYAML reads by itself, but LiteLLM's `open` as UTF-8 does not."""
    return content.startswith(_WIDE) or b"\0" in content[:4]


def yaml_problem(error: yaml.MarkedYAMLError, content: bytes) -> tuple[str, int, int]:
    """What is wrong, with its line and column, from 1; 0 where the error has no place."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    if error.problem and "another document" in error.problem:
        return "a second YAML document begins here (---): LiteLLM reads a file of one document only", line, column
    text = content.splitlines()[line - 1 : line] if line else []
    margin = text[0][: len(text[0]) - len(text[0].lstrip(b" \t"))] if text else b""
    if b"\t" in margin:
        return "a tab in the indentation: YAML takes spaces only", line, margin.index(b"\t") + 1
    return " ".join(part for part in (error.problem, error.context) if part), line, column
