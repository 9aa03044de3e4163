"""`litellm-tui config`: the settings file; where it is, what is wrong in it, an example, its schema.

The exit statuses stand in `commands.options.usage`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.actions.edit import editor
from litellm_tui.analysis.phrases import count
from litellm_tui.host import atomic
from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.logs.log_line import clean
from litellm_tui.model.failures import Failure
from litellm_tui.target.profile import Options
from litellm_tui.target.settings import Settings, SettingsError, place, read_settings, settings_file

USAGE_ERROR: Final = 64
EDITOR_FAILED: Final = 2


def run(options: Options, way: str = "check") -> int:
    """Check the file; with `way` open it in an editor first, or print the example or the schema."""
    if way in ("example", "schema"):
        # they walk all records of the settings
        from litellm_tui.target.settings_words import example, schema

        print(
            example() if way == "example" else msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode(),
            end="" if way == "example" else "\n",
        )
        return 0
    file = settings_file()
    if way == "edit" and (why := _edit(file)):
        print(f"litellm-tui: {why}", file=sys.stderr)
        return EDITOR_FAILED
    return _check(file)


def _check(file: Path) -> int:
    try:
        text = read_text(file, SMALL)
    except FileNotFoundError:
        print(f"{file}: there is none, and none is needed; litellm-tui config --edit makes one")
        return 0
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error
    settings, wrong = read_settings(text)
    for mistake in wrong:
        print(clean(f"{place(file, mistake)}: {mistake.words}"))
    if settings is None:
        return USAGE_ERROR
    # the names of all keys are loaded for it
    from litellm_tui.ui.keymap import bound_by

    bound_by(settings)
    for line in _said(file, settings):
        print(clean(line))
    return 0


def _said(file: Path, settings: Settings) -> list[str]:
    lines = [f"{file}: can be used"]
    names = [f"{name} (ssh: {one.ssh})" if one.ssh else name for name, one in settings.profiles.items()]
    if names:
        lines.append(f"  {count(len(names), 'profile')}: {', '.join(names)}")
    if settings.profile is not None:
        known = settings.profile in settings.profiles
        lines.append(f"  used when none is named: {settings.profile}{'' if known else ', which is no profile here'}")
    if settings.notify is not None:
        lines.append(f"  told of problems: {', '.join(settings.notify.receivers)}")
    return lines


def _edit(file: Path) -> str:
    """Open the file in the user's editor, the example where there is none; why that failed, or an empty text."""
    words = editor(os.environ)
    if isinstance(words, Failure):
        return words.why
    if not sys.stdin.isatty():
        return f"config --edit: an editor needs a terminal; the file is {file}"
    if not file.exists():
        from litellm_tui.target.settings_words import example

        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            atomic.replace(file, example().encode(), mode=0o600)
        except OSError as error:
            return atomic.failure_of(str(file), error).why
    try:
        status = subprocess.run([*words, str(file)], check=False).returncode
    except OSError as error:
        return f"{words[0]}: {error.strerror}; set VISUAL or EDITOR"
    return f"{words[0]} ended with {status}" if status else ""
