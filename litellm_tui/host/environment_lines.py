"""Lines of environment files that a program takes in another way than they are meant, by the program that reads them.

systemd: systemd.exec(5), src/basic/env-file.c. `docker run --env-file`: docker/cli, pkg/kvfile: a name with a blank in
it makes it refuse the whole file, and quotes belong to the value. A shell keeps a carriage return in the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from litellm_tui.analysis.phrases import first_of
from litellm_tui.host.bounded import MEDIUM, read_bytes
from litellm_tui.model.configuration import Mark
from litellm_tui.model.environment_lines import EnvironmentLine

Runner = Literal["systemd", ""]
_LINE: Final = re.compile(
    r"(?P<indent>[ \t]{0,80})(?P<export>export[ \t]{1,80})?(?P<name>[A-Za-z_]\w{0,200})(?P<before>[ \t]{0,80})="
    r"(?P<after>[ \t]{0,80})(?P<value>[^\n]{0,4000})"
)
_QUOTED: Final = re.compile(r"""(["'])[^"']{0,4000}\1""")
_COMMENT: Final = re.compile(r"""(?:["']|[^\s#"'])[ \t]{1,80}#""")
_MOST: Final = 200


def lines_not_taken(paths: Iterable[str], runner: Runner = "") -> tuple[EnvironmentLine, ...]:
    """What is to be said of the lines of these files; `runner` is what reads them, empty where that is not known.

    A file that cannot be read has no lines: its reader says why.
    """
    found: list[EnvironmentLine] = []
    for path in paths:
        try:
            text = read_bytes(path, MEDIUM).decode(errors="replace")
        except OSError:
            continue
        lines = [(number, line, _LINE.match(line[:5000])) for number, line in enumerate(text.split("\n"), 1)]
        told = [(Mark(path, number, match.start("name") + 1), line, match) for number, line, match in lines if match]
        found += [one for mark, line, match in told for one in _judged(match, mark, runner)]
        if not runner:
            found += _together(told)
    return tuple(found[:_MOST])


def _judged(found: re.Match[str], mark: Mark, runner: Runner) -> Iterator[EnvironmentLine]:
    name = found["name"]
    if found["export"]:
        others = "" if runner else ", and docker --env-file refuses the file"
        text = f"systemd leaves {name} out: its line begins with export{others}"
        yield EnvironmentLine(mark, (name,), text, "error")
    elif found["before"] and not runner:
        text = f"docker --env-file refuses the file, and a shell runs {name} as a command: a blank stands before the ="
        yield EnvironmentLine(mark, (name,), text, "warning")
    if _COMMENT.search(found["value"]):
        who = "systemd takes" if runner else "systemd and docker --env-file take"
        text = f"{who} what stands behind # for a part of the value of {name}"
        yield EnvironmentLine(mark, (name,), text, "error")


def _together(told: list[tuple[Mark, str, re.Match[str]]]) -> Iterator[EnvironmentLine]:
    """What a file has in all its lines or in none is said once, at the first of them."""
    quoted = [(mark, match["name"]) for mark, _, match in told if _QUOTED.match(match["value"])]
    ended = [(mark, match["name"]) for mark, line, match in told if line.endswith("\r")]
    for lines, text in (
        (quoted, "docker --env-file keeps the quotes in the value of {}; systemd and Compose take them off"),
        (ended, "a shell that reads the file keeps the carriage return at the end of {}"),
    ):
        if lines:
            names = tuple(name for _, name in lines)
            yield EnvironmentLine(lines[0][0], names, text.format(first_of(names)), "warning")
