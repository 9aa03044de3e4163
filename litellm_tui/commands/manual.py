"""The man pages litellm-tui(1) and litellm-tui-config(5), from the parser and the records of the settings.

They are kept in `man/` for the package; a test writes and compares them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Final

from litellm_tui import __version__
from litellm_tui.commands.command_line import (
    COMMANDS,
    build_parser,
    options_of,
    positionals_of,
    subparsers_of,
)
from litellm_tui.commands.options.usage import EVERYWHERE, EXAMPLES, EXIT_CODES, Codes
from litellm_tui.target.settings_words import Section, flow, sections

_ENVIRONMENT: Final = (
    ("LITELLM_PROXY_URL", "address of the gateway, as --url"),
    ("LITELLM_PROXY_API_KEY, LITELLM_MASTER_KEY", "the gateway's key"),
    ("CONFIG_FILE_PATH", "LiteLLM's configuration file, as --config"),
    ("LITELLM_TUI_UNIT", "the unit, as --unit"),
    ("LITELLM_TUI_PROFILE", "the profile, as --profile"),
    ("NO_COLOR", "where it is set and not empty, nothing is coloured"),
    ("CLICOLOR_FORCE", "where it is set and not 0, status is coloured also without a terminal"),
    ("VISUAL, EDITOR", "the editor of config --edit and of the console"),
)


def command_page() -> str:
    """litellm-tui(1) as roff."""
    return "\n".join([*_head("litellm-tui", 1), *_command_page()]) + "\n"


def settings_page() -> str:
    """litellm-tui-config(5) as roff."""
    return "\n".join([*_head("litellm-tui-config", 5), *_settings_page()]) + "\n"


def _head(name: str, section: int) -> list[str]:
    # without a date: the page of a version is always the same
    return [
        '.\\" made from the source by tests/commands/test_manual.py (LITELLM_TUI_WRITE_DOCS=1)',
        f'.TH "{_text(name.upper())}" "{section}" "" "litellm\\-tui {__version__}" "litellm\\-tui"',
        ".nh",
        ".ad l",
    ]


def _command_page() -> Iterator[str]:
    parser = build_parser()
    yield from _section("NAME", _text("litellm-tui - operator console for a LiteLLM gateway"))
    yield from _section("SYNOPSIS")
    yield f"{_bold('litellm-tui')} [{_italic('OPTION')}]... [{_italic('COMMAND')} [{_italic('ARGUMENT')}]...]"
    yield from _section("DESCRIPTION")
    yield _text(
        "Says what of a LiteLLM gateway is broken, since when and why, and restarts it so that a restart is safe. "
        "Without a command the console starts. What is not given is found by itself: the command line goes before the "
        "environment, that before the settings file, see litellm-tui-config(5), and that before what is found on this "
        "machine."
    )
    yield from _section("OPTIONS", _text("Every command takes those that choose a gateway."))
    yield from _options(parser)
    yield from _section("COMMANDS")
    everywhere = set(options_of(parser)) | {"--quiet"}
    verbs = subparsers_of(parser)
    for name, (_, line) in COMMANDS.items():
        yield from _command(name, line, verbs[name], everywhere)
        for verb, inner in subparsers_of(verbs[name]).items():
            yield from _command(f"{name} {verb}", inner.description or "", inner, set())
    yield from _section("EXIT STATUS", _text("Of every command, beside its own:"))
    yield from _codes(EVERYWHERE)
    yield from _section("ENVIRONMENT")
    for variable, words in _ENVIRONMENT:
        yield from _tagged(_bold(variable), words)
    yield from _section("FILES")
    for path, words in (
        ("~/.config/litellm-tui/config.yaml", "the settings, see litellm-tui-config(5)"),
        ("~/.local/state/litellm-tui/", "what is kept: problems seen, backups, the record; no secrets"),
    ):
        yield from _tagged(_italic(path), words)
    yield from _section("SEE ALSO", ".BR litellm\\-tui\\-config (5)")


def _command(name: str, line: str, parser: argparse.ArgumentParser, known: set[str]) -> Iterator[str]:
    words = " ".join(_shown(action) for action in positionals_of(parser))
    yield f'.SS "{_text(name)}{" " if words else ""}{_text(words)}"'
    yield _text(line[:1].upper() + line[1:] + ".")
    for action in positionals_of(parser):
        yield from _tagged(_italic(_shown(action)), action.help or "")
    yield from _options(parser, known)
    if name in EXIT_CODES:
        codes = "; ".join(f"{code} {words}" for code, words in EXIT_CODES[name].items())
        yield from _tagged(_bold("Exit status"), codes)
    if name in EXAMPLES:
        yield from _example(EXAMPLES[name])


def _example(text: str) -> Iterator[str]:
    yield ".PP\n.RS 4\n.nf"
    yield _text(text)
    yield ".fi\n.RE"


def _options(parser: argparse.ArgumentParser, known: set[str] | frozenset[str] = frozenset()) -> Iterator[str]:
    for name, action in options_of(parser).items():
        if name in known or name == "--help":
            continue
        value = "" if action.nargs == 0 else f" {_italic(_shown(action))}"
        yield from _tagged(f"{_bold(name)}{value}", action.help or "")


def _shown(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        name = action.metavar
    else:
        name = "|".join(map(str, action.choices)) if action.choices is not None else action.dest.upper()
    return {"?": f"[{name}]", "*": f"[{name}...]"}.get(str(action.nargs), name)


def _codes(codes: Codes) -> Iterator[str]:
    for code, words in codes.items():
        yield from _tagged(_bold(str(code)), words)


def _settings_page() -> Iterator[str]:
    yield from _section("NAME", _text("litellm-tui-config - settings of litellm-tui"))
    yield from _section("SYNOPSIS", _italic("~/.config/litellm-tui/config.yaml"))
    yield from _section("DESCRIPTION")
    yield _text(
        "A file in YAML; everything in it is optional. `litellm-tui config` says where it is and what is wrong in it, "
        "by line and key, `litellm-tui config --edit` opens it in your editor, `--example` prints a file with every "
        "setting, `--schema` its JSON schema."
    )
    for section in sections():
        yield from _settings(section)
    yield from _section("SEE ALSO", ".BR litellm\\-tui (1)")


def _settings(section: Section) -> Iterator[str]:
    yield from _section(f"SETTINGS OF {section.title}" if section.path else "SETTINGS", _text(section.words))
    for one in section.settings:
        default = f" Default: {one.default}." if one.default else ""
        example = f" Example: {one.key}: {flow(one.example)}" if one.example is not None else ""
        yield from _tagged(f"{_bold(one.key)}: {_italic(one.expects)}", f"{one.words}{default}{example}")


def _section(title: str, *lines: str) -> Iterator[str]:
    yield f'.SH "{_text(title)}"'
    yield from lines


def _tagged(tag: str, words: str) -> Iterator[str]:
    yield ".TP"
    yield tag
    yield _text(words)


def _bold(text: str) -> str:
    return f"\\fB{_text(text)}\\fR"


def _italic(text: str) -> str:
    return f"\\fI{_text(text)}\\fR"


def _text(text: str) -> str:
    """A text in which nothing is a request of roff."""
    plain = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("~", "\\(ti")
    plain = plain.replace("'", "\\(aq").replace("^", "\\(ha").replace("`", "\\(ga").replace("…", "...")
    return f"\\&{plain}" if plain.startswith(".") else plain
