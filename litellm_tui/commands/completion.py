"""`litellm-tui completion SHELL`: the script for a shell, and what it asks at each Tab.

The scripts only hand over the words; what fits is found here, so that all shells say the same and no script grows old.
No gateway is asked and no program started: values come from the settings file, LiteLLM's configuration file and what is
shipped. An answer takes about as long as `litellm-tui --version`.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from litellm_tui.commands.command_line import (
    COMMANDS,
    build_parser,
    chosen_parser,
    options_of,
    positionals_of,
    subparsers_of,
)
from litellm_tui.host.bounded import read_text
from litellm_tui.logs.log_line import clean
from litellm_tui.target.profile import Options
from litellm_tui.target.settings import ProfileSettings, Settings, SettingsError, load_settings

# the answer's last line where the shell is to complete a file's name
FILES: Final = ":files"
_MOST: Final = 1000
_LONGEST_CONFIGURATION: Final = 4 << 20
_UNIT_FOLDERS: Final = ("/etc/systemd/system", "/usr/lib/systemd/system", "/etc/systemd/user", "~/.config/systemd/user")

Value = tuple[str, str]


def run(options: Options, shell: str) -> int:
    """Print the script."""
    print(script(shell), end="")
    return 0


def script(shell: str) -> str:
    """The script that makes `bash`, `zsh` or `fish` complete."""
    return files("litellm_tui.commands").joinpath("completions", f"litellm-tui.{shell}").read_text(encoding="utf-8")


def answer(words: Sequence[str]) -> int:
    """Print what can stand in place of the last word: a value and a description a line, with a tab between.

    `--line LINE` gives the line up to the cursor, in place of its words.
    """
    if words[:1] == ["--line"]:
        words = _split(" ".join(words[1:]))
    for value, about in _shown(fitting(words[1:] or [""])):
        print(f"{value}\t{about}" if about else value)
    return 0


def fitting(words: Sequence[str]) -> Iterator[Value]:
    """What can stand in place of the last of the words, which follow the program's name."""
    *before, last = words
    top = build_parser()
    parser = chosen_parser(top, before)
    options = options_of(parser)
    expecting = options.get(before[-1]) if before else None
    if expecting is not None and expecting.nargs != 0:
        yield from _values(expecting, parser, before, last, "")
    elif last.startswith("--") and "=" in last:
        name, _, begun = last.partition("=")
        if (action := options.get(name)) is not None and action.nargs != 0:
            yield from _values(action, parser, before, begun, f"{name}=")
    elif last.startswith("-"):
        yield from (
            (name, _line(action))
            for name, action in options.items()
            if name.startswith(last) and (name not in before or isinstance(action, argparse._AppendAction))
        )
    elif verbs := subparsers_of(parser):
        lines = {name: line for name, (_, line) in COMMANDS.items()} if parser is top else {}
        yield from ((name, lines.get(name, verbs[name].description or "")) for name in verbs if name.startswith(last))
    else:
        takes = positionals_of(parser)
        given = _words_for(parser, before)
        if len(given) < len(takes) or (takes and takes[-1].nargs == "*"):
            yield from _values(takes[min(len(given), len(takes) - 1)], parser, before, last, "")


def _words_for(parser: argparse.ArgumentParser, before: Sequence[str]) -> list[str]:
    """The words among those that stand before which are no option, no value of one, and no command or verb."""
    options, found, value = options_of(parser), [], False
    names = parser.prog.split()[1:]
    for word in before:
        if value:
            value = False
        elif word.startswith("-"):
            value = (action := options.get(word)) is not None and action.nargs != 0
        elif names and word == names[0]:
            names.pop(0)
        else:
            found.append(word)
    return found


def _values(
    action: argparse.Action, parser: argparse.ArgumentParser, before: Sequence[str], begun: str, prefix: str
) -> Iterator[Value]:
    if action.choices is not None:
        names: Iterable[str] = [str(choice) for choice in action.choices]
    elif action.metavar in ("FILE", "PATH"):
        yield FILES, ""
        return
    else:
        names = _source(action, parser)(before)
    yield from ((f"{prefix}{name}", "") for name in names if name.startswith(begun))


def _source(action: argparse.Action, parser: argparse.ArgumentParser) -> Callable[[Sequence[str]], Iterable[str]]:
    """Where the values of an option, or of a word, come from."""
    command = " ".join(parser.prog.split()[1:])
    match action.dest, command:
        case "profile", _:
            return lambda _: sorted(_settings().profiles)
        case "unit", _:
            return _units
        case "group", name if name.startswith("fleet"):
            return lambda _: sorted({one.group for one in _settings().profiles.values() if one.group})
        case ("group" | "probes", _) | ("names", "probe"):
            return _groups
        case "explain", _:
            return _rules
        case ("litellm" | "against" | "program", _) | ("version", "upgrade" | "fleet upgrade" | "turn"):
            return _versions
        case "host", _:
            return lambda _: sorted({one.ssh for one in _settings().profiles.values() if one.ssh})
    return lambda _: ()


def _settings() -> Settings:
    try:
        return load_settings()
    except SettingsError:
        # nothing may be said while a line is typed: the command itself says it
        return Settings()


def _profile(before: Sequence[str]) -> ProfileSettings | None:
    settings = _settings()
    name = _given(before, "--profile") or os.environ.get("LITELLM_TUI_PROFILE") or settings.profile
    return settings.profiles.get(name) if name else None


def _given(before: Sequence[str], option: str) -> str | None:
    for number, word in enumerate(before):
        if word == option and number + 1 < len(before):
            return before[number + 1]
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None


def _units(_: Sequence[str]) -> Iterable[str]:
    """The units of the profiles, and those whose files have LiteLLM in their names."""
    found = {one.unit for one in _settings().profiles.values() if one.unit}
    for folder in _UNIT_FOLDERS:
        try:
            found |= {name for name in os.listdir(os.path.expanduser(folder))
                      if "litellm" in name and name.endswith(".service")}  # fmt: skip
        except OSError:
            continue
    return sorted(found)


def _groups(before: Sequence[str]) -> Iterable[str]:
    """The model groups of the configuration that the line, its profile or the environment names."""
    chosen = _profile(before)
    path = _given(before, "--config") or (chosen.config if chosen else None) or os.environ.get("CONFIG_FILE_PATH")
    import yaml

    try:
        text = read_text(Path(path or "config.yaml").expanduser(), _LONGEST_CONFIGURATION)
        data: Any = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        names = {entry["model_name"] for entry in data["model_list"]}
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError, yaml.YAMLError):
        return ()
    return sorted(name for name in names if isinstance(name, str))


def _rules(_: Sequence[str]) -> Iterable[str]:
    from litellm_tui.audit.rule import all_rules

    return sorted(all_rules())


def _versions(_: Sequence[str]) -> Iterable[str]:
    """The releases of which is known what they read, the newest first."""
    from litellm_tui.collectors.litellm_source.catalogues import shipped

    return reversed(shipped().releases)


def _line(action: argparse.Action) -> str:
    return " ".join((action.help or "").split())


def _shown(found: Iterable[Value]) -> Iterator[Value]:
    """Values as lines: without what a terminal or a shell's list would trip over, each once."""
    seen: set[str] = set()
    for value, about in found:
        if value in seen or len(seen) >= _MOST or clean(value) != value or "\t" in value:
            continue
        seen.add(value)
        yield value, clean(about)


def _split(line: str) -> list[str]:
    """The words of an unfinished line; the last one is empty after a blank."""
    for ending in ("", "'", '"'):
        try:
            words = shlex.split(line + ending)
        except ValueError:
            continue
        return [*words, ""] if line[-1:].isspace() and not ending else words
    return line.split()


if __name__ == "__main__":
    sys.exit(answer(sys.argv[1:]))
