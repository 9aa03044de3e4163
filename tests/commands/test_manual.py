"""Man pages, docs/settings.md, docs/exit-codes.md and the schema of the settings are what the source says.

`LITELLM_TUI_WRITE_DOCS=1` writes them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from litellm_tui.commands import manual
from litellm_tui.commands.command_line import COMMANDS, build_parser, subparsers_of
from litellm_tui.commands.documents import DOCUMENTS, schema_of
from litellm_tui.commands.options import usage
from litellm_tui.target import settings_words

ROOT = Path(__file__).parents[2]


def _pretty(schema: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


@pytest.mark.parametrize(
    ("file", "made"),
    [
        ("man/litellm-tui.1", manual.command_page),
        ("man/litellm-tui-config.5", manual.settings_page),
        ("docs/settings.md", settings_words.page),
        ("docs/exit-codes.md", usage.page),
        ("docs/schema/settings.json", lambda: _pretty(settings_words.schema())),
        *(
            (f"docs/schema/{name}.json", lambda record=record: _pretty(schema_of(record)))
            for name, record in DOCUMENTS.items()
        ),
    ],
)
def test_the_page_is_made_from_the_source(file: str, made: Callable[[], str]) -> None:
    page = made()
    if os.environ.get("LITELLM_TUI_WRITE_DOCS"):
        (ROOT / file).write_text(page, encoding="utf-8")
    assert (ROOT / file).read_text(encoding="utf-8") == page


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
@pytest.mark.parametrize("page", [manual.command_page, manual.settings_page])
def test_groff_finds_nothing_wrong(page: Callable[[], str]) -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z"], input=page(), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_shows_the_pages() -> None:
    shown = {}
    for file in ("man/litellm-tui.1", "man/litellm-tui-config.5"):
        done = subprocess.run(
            ["man", "--warnings", "-l", str(ROOT / file)],
            capture_output=True, text=True, timeout=60,
            env={**os.environ, "MANWIDTH": "120", "MAN_KEEP_FORMATTING": "", "LC_ALL": "C.UTF-8", "PAGER": "cat"},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        shown[file] = done.stdout
    for name, (_, line) in COMMANDS.items():
        assert name in shown["man/litellm-tui.1"]
        assert line[1:20] in shown["man/litellm-tui.1"]
    for words in ("health_url", "once_in_minutes", "SETTINGS OF profiles.HOME.process"):
        assert words in shown["man/litellm-tui-config.5"]


def test_every_command_and_verb_has_exit_statuses_and_an_example() -> None:
    for name, parser in subparsers_of(build_parser()).items():
        for whole, one in {name: parser, **{f"{name} {v}": p for v, p in subparsers_of(parser).items()}}.items():
            helped = one.format_help()
            assert "exit status:" in helped, whole
            assert f"\n  litellm-tui {whole}" in helped, whole
            assert "0" in helped.partition("exit status:")[2]


def test_every_example_is_a_command_line_that_is_taken() -> None:
    import shlex

    for name, example in usage.EXAMPLES.items():
        words = shlex.split(example.partition(" ||")[0].partition(" >")[0])
        chosen = build_parser().parse_args(words[1:])
        assert name.split()[:1] == ([chosen.command] if name else []), name


def test_every_setting_says_what_it_is_for() -> None:
    for section in settings_words.sections():
        assert section.words
        for one in section.settings:
            assert one.words.endswith("."), f"{section.title} {one.key}"
