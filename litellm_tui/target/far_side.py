"""Profiles of gateways on other hosts: whether one is chosen, and what litellm-tui there is to be called with."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final

from litellm_tui.model.fleet import Member
from litellm_tui.target.profile import Options
from litellm_tui.target.settings import ProfileSettings, Settings

# they are about this machine whatever profile is chosen
_HERE: Final = ("fleet", "host", "demo", "serve", "tour", "config", "completion")


def chosen_far(
    command: str,
    options: Options,
    given: Mapping[str, object],
    settings: Settings,
    environ: Mapping[str, str] = os.environ,
) -> tuple[str, ProfileSettings] | None:
    """Name and settings of the profile where the command is to run on another host; None where it runs here."""
    # a file, or a rule, is no gateway's: the profile that is used when none is named says nothing of it
    alone = command == "audit" and (given.get("files") or given.get("explain")) and options.profile is None
    if command in _HERE or alone:
        return None
    name = options.profile or environ.get("LITELLM_TUI_PROFILE") or settings.profile
    found = settings.profiles.get(name) if name is not None else None
    return (name, found) if name is not None and found is not None and found.ssh else None


def far_words(chosen: ProfileSettings, arguments: Sequence[str] = (), options: Options | None = None) -> list[str]:
    """The command line for the other side: what the profile says as options, then the arguments that were given here
    without `--profile`. What the command line says of the gateway goes before what the profile says.
    """
    given = options or Options()
    words: list[str] = []
    for option, value in (
        ("--profile", chosen.profile),
        ("--url", chosen.url),
        ("--config", chosen.config),
        ("--unit", chosen.unit),
        ("--key-env", chosen.key_env),
        ("--key-file", chosen.key_file),
    ):
        if value is not None and (option == "--profile" or getattr(given, option[2:].replace("-", "_")) is None):
            # one word: a value may begin with a dash
            words.append(f"{option}={value}")
    if chosen.scope is not None and given.scope is None and given.kind is None:
        words.append(f"--{chosen.scope}")
    if chosen.read_only and not given.read_only:
        words.append("--read-only")
    return [*words, *without_profile(arguments)]


def option_words(options: Options) -> list[str]:
    """The options that choose a gateway, as words of a command line."""
    words: list[str] = []
    for name in Options.__struct_fields__:
        value = getattr(options, name)
        if name == "scope" and value is not None:
            words.append(f"--{value}")
        elif name == "read_only":
            words += ["--read-only"] if value else []
        elif value is not None:
            # one word: a value may begin with a dash
            words.append(f"--{name.replace('_', '-')}={value}")
    return words


def without_profile(arguments: Sequence[str]) -> list[str]:
    """The arguments without those of this host, `--profile` and `--log-file`, in any form that argparse takes."""
    kept: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*kept, word, *rest]
        name, equals, _ = word.partition("=")
        # an abbreviation that means another option too was refused before
        if (name.startswith("--pro") and "--profile".startswith(name) and name != "--probe") or (
            name.startswith("--log") and "--log-file".startswith(name)
        ):
            if not equals and rest:
                rest.pop(0)
            continue
        kept.append(word)
    return kept


def members(settings: Settings) -> tuple[Member, ...]:
    """Every profile as a member of the fleet, in the order of the settings file."""
    return tuple(Member(name, one.ssh or "", one.group or "") for name, one in settings.profiles.items())


def member_words(member: Member, settings: Settings, *command: str) -> list[str]:
    """The command line with which litellm-tui is asked about a member, there or here."""
    chosen = settings.profiles[member.name]
    return far_words(chosen, command) if chosen.ssh else [f"--profile={member.name}", *command]
