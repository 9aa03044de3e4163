"""Python's stack traces, folded to the frames that matter: own code, and LiteLLM's last frames."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from litellm_tui.analysis.phrases import count

# LiteLLM's own code that the error came through, at the end of each trace
_KEPT: Final = 2
_FRAME: Final = re.compile(r'^\s*(?:\|\s*)*File "([^"]+)", line \d+')
_INSTALLED: Final = re.compile(r"[/\\](?:site|dist)-packages[/\\]([^/\\]+)")
_PLACE: Final = re.compile(r'(?<=File ")[^"]*[/\\](?:site|dist)-packages[/\\]')
_PYTHON: Final = re.compile(r"[/\\]lib[/\\]python\d[\d.]*[/\\]|^<frozen ")


def fold_stack_trace(stack: str) -> list[str]:
    """The lines of a stack trace, with frames of installed packages and of Python itself as one line with their count.

    Other lines stay: headings, exceptions, text. The last two frames of LiteLLM in each trace stay too.
    """
    lines: list[str] = []
    trace: list[list[str]] = []
    for line in stack.split("\n"):
        if _FRAME.match(line):
            trace.append([line])
        elif trace and line.startswith("    "):
            # the line of code and the marks below it
            trace[-1].append(line)
        else:
            lines += _of_trace(trace)
            trace = []
            lines.append(line)
    return [*lines, *_of_trace(trace)]


def _of_trace(frames: list[list[str]]) -> Iterator[str]:
    packages = [_package(frame[0]) for frame in frames]
    own = [number for number, package in enumerate(packages) if package == "litellm"][-_KEPT:]
    kept = {number for number, package in enumerate(packages) if not package} | set(own)
    hidden: list[str] = []
    for number, frame in enumerate(frames):
        if number in kept:
            yield from _fold(hidden)
            hidden = []
            # the folder of installation is long and always the same
            yield _PLACE.sub("…/", frame[0], count=1)
            yield from frame[1:]
        else:
            hidden.append(packages[number])
    yield from _fold(hidden)


def _fold(packages: list[str]) -> Iterator[str]:
    if packages:
        names = ", ".join(f"{name} {number}" for name, number in Counter(packages).most_common())
        yield f"  … {count(len(packages), 'frame')}: {names}"


def _package(line: str) -> str:
    """The package of a frame; empty for code that is neither installed nor Python's own."""
    found = _FRAME.match(line)
    path = found[1] if found else ""
    if installed := _INSTALLED.search(path):
        return installed[1].removesuffix(".py")
    return "Python" if _PYTHON.search(path) else ""
