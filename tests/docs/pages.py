"""The pages for people, and the blocks of code in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = tuple(sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]))
_PART: Final = re.compile(
    r"^(?P<indent> *)```(?P<kind>\w+)[^\n]*\n(?P<text>.*?)^ *```$|<!-- simulation: (?P<step>.*?) -->", re.M | re.S
)
_COMMENT: Final = re.compile(r"\s+#(?: |$).*")


class Block(NamedTuple):
    """A block of this kind of code on a page, with the number of its first line."""

    page: Path
    line: int
    kind: str
    text: str

    @property
    def id(self) -> str:
        """Where it stands, for the name of a test."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


class Step(NamedTuple):
    """What happens on the simulated gateway between two blocks: a method of `Simulation`, and its argument."""

    verb: str
    argument: str


class Command(NamedTuple):
    """A command of a console block, with what it prints there; nothing where the page does not say it."""

    line: str
    output: tuple[str, ...]


def parts(page: Path) -> list[Block | Step]:
    """The blocks of code on a page, and what happens between them, in order."""
    text = page.read_text(encoding="utf-8")
    found: list[Block | Step] = []
    for part in _PART.finditer(text):
        if part["step"]:
            verb, _, argument = part["step"].partition(" ")
            found.append(Step(verb, argument))
        else:
            indent = len(part["indent"])
            body = "\n".join(line[indent:] for line in part["text"].splitlines())
            found.append(Block(page, text.count("\n", 0, part.start()) + 2, part["kind"], body))
    return found


def blocks(kind: str) -> list[Block]:
    """Every block of this kind of code."""
    return [part for page in PAGES for part in parts(page) if isinstance(part, Block) and part.kind == kind]


def commands(block: Block) -> list[Command]:
    """The commands of a console block: lines that begin with `$`, or all where none does; comments are left out."""
    lines = block.text.splitlines()
    if not any(line.startswith("$ ") for line in lines):
        lines = [f"$ {line}" for line in lines]
    found: list[Command] = []
    for line in lines:
        if found and found[-1].line.endswith("\\"):
            found[-1] = Command(found[-1].line[:-1].rstrip() + " " + line.strip(), ())
        elif line.startswith("$ "):
            found.append(Command(_COMMENT.sub("", line[2:]), ()))
        elif found:
            found[-1] = found[-1]._replace(output=(*found[-1].output, line))
    return [command._replace(output=_trimmed(command.output)) for command in found if command.line]


def _trimmed(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("\n".join(lines).strip("\n").splitlines())


def is_as_written(written: tuple[str, ...], printed: str) -> str:
    """Nothing when this was printed, else what differs. `…` stands for any words of a line, alone for any lines."""
    pattern = "".join(_line(line, number == len(written) - 1) for number, line in enumerate(written))
    if re.fullmatch(pattern, printed.rstrip("\n")):
        return ""
    wanted = [line for line in written if line != "…"]
    missing = [line for line in wanted if not re.search(f"(?m)^{_words(line)}$", printed)]
    return f"printed:\n{printed}\nnot in it, or in another order: {missing or wanted}"


def _line(line: str, last: bool) -> str:
    if line == "…":
        # with the line's end, unless it is the last one, which may also stand for nothing
        return r"(?s:(?:\n?.*)?)" if last else r"(?:.*\n)*?"
    return _words(line) + ("" if last else r"\n?")


def _words(line: str) -> str:
    return ".*?".join(re.escape(part) for part in line.split("…"))
