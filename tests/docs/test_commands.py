"""Every command on the pages can be given, and what a page says that it prints, it prints.

Those whose output is written are run on the simulated gateway, one for a page, from the first to the last.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from litellm_tui.cli import main
from litellm_tui.commands import look
from litellm_tui.commands.command_line import build_parser
from litellm_tui.demo import Simulation
from litellm_tui.target import resolution
from tests.docs.pages import PAGES, ROOT, Block, Step, blocks, commands, is_as_written, parts
from tests.waiting import DEADLINE

# programs of others, named where one installs or looks at something
OTHERS = {"uv", "uvx", "pipx", "pip", "docker", "pre-commit", "kubectl", "journalctl", "curl", "ssh", "helm"}
_VARIABLES = re.compile(r"^(?:[A-Z_]+=\S* +)+")


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.id)
def test_a_command_can_be_given(block: Block) -> None:
    """Its options are known to the command line, its module or script is there."""
    for command in commands(block):
        for line in re.split(r" (?:\||&&|>) ", command.line):
            program, *words = shlex.split(_VARIABLES.sub("", line).replace("…", "x"))
            if program == "litellm-tui":
                _parse(words)
            elif program.startswith("./"):
                assert os.access(ROOT / program, os.X_OK), f"{block.id}: {program} is no program"
            elif program in ("python", "python3") and words[:1] == ["-m"]:
                assert importlib.util.find_spec(words[1]), f"{block.id}: there is no module {words[1]}"
            else:
                assert program in OTHERS, f"{block.id}: {program} is not known"


_parser = cache(build_parser)


def _parse(words: list[str]) -> None:
    try:
        _parser().parse_args(words)
    except SystemExit as end:
        assert end.code == 0, words  # noqa: PT017  # argparse ends so also for --help


def _has_output(page: Path) -> bool:
    shown = [part for part in parts(page) if isinstance(part, Block) and part.kind == "console"]
    return any(
        command.output for block in shown for command in commands(block) if command.line.startswith("litellm-tui")
    )


# these show what other gateways print; what they print is held by the tests that are named
ELSEWHERE = {
    "fleet.md": "tests/commands/test_fleet.py",
    "configuration-checks.md": "tests/commands/test_audit.py",
    "kubernetes.md": "tests/lab/",
    "serve.md": "tests/browser/test_chromium.py",
}


@pytest.mark.parametrize("page", [page for page in PAGES if _has_output(page)], ids=lambda page: page.name)
def test_the_pages_commands_print_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if page.name in ELSEWHERE:
        assert (ROOT / ELSEWHERE[page.name]).exists()
        return
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(look, "PATIENCE_SECONDS", DEADLINE)
    with Simulation(tmp_path / "gateway", scripted=False, speed=20) as simulation:
        monkeypatch.setattr(resolution, "Tools", lambda: simulation.tools)
        monkeypatch.chdir(simulation.folder)
        for part in parts(page):
            if isinstance(part, Step):
                getattr(simulation, part.verb)(part.argument)
            elif part.kind == "console":
                for command in commands(part):
                    if command.output and command.line.startswith("litellm-tui"):
                        main(shlex.split(command.line)[1:])
                        told = is_as_written(command.output, capsys.readouterr().out)
                        assert not told, f"{part.id}: {command.line}\n{told}"


@pytest.mark.parametrize(
    ("written", "printed", "same"),
    [
        (("a", "…", "c"), "a\nb\nb\nc\n", True),
        (("a", "…", "c"), "a\nc\n", True),
        (("a … c",), "a b c\n", True),
        (("…", "b", "…"), "a\nb\n", True),
        (("a", "…"), "a\nb\nc\n", True),
        (("a",), "a\nb\n", False),
        (("a", "b"), "a\nx\nb\n", False),
        (("a … c",), "a b\nc\n", False),
        (("b", "…", "a"), "a\nb\n", False),
    ],
)
def test_output_is_compared_line_by_line(written: tuple[str, ...], printed: str, same: bool) -> None:
    assert (is_as_written(written, printed) == "") is same
