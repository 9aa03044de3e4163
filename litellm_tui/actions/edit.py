"""The configuration in the operator's own editor, on a terminal that was handed over."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

from litellm_tui.host.copies import not_editable
from litellm_tui.model.failures import Failure, NotAvailable

# where neither VISUAL nor EDITOR is set: Debian's choice first, then what is nearly everywhere
_KNOWN: Final = ("sensible-editor", "nano", "vim", "vi")


def editor(environment: Mapping[str, str]) -> tuple[str, ...] | Failure:
    """The words of the command: VISUAL, else EDITOR, else an editor that is there."""
    for name in ("VISUAL", "EDITOR"):
        if given := environment.get(name, "").strip():
            try:
                return tuple(shlex.split(given))
            except ValueError as error:
                return NotAvailable(f"{name} is {given!r}: {error}")
    found = next((path for name in _KNOWN if (path := shutil.which(name, path=environment.get("PATH")))), None)
    return (found,) if found else NotAvailable("no editor is known: set VISUAL or EDITOR")


def edit(path: str, environment: Mapping[str, str] | None = None) -> Failure | None:
    """Run the editor in the foreground and wait; None when it ended well. Call it only while the console is suspended.

    A file that may not be written by this user is edited through `sudo --edit`, which writes it back with its owner.
    """
    variables = os.environ if environment is None else environment
    if why := not_editable(path):
        return NotAvailable(why)
    words = editor(variables)
    if isinstance(words, Failure):
        return words
    command = [*words, path]
    if not os.access(path, os.W_OK) and os.path.exists(path) and shutil.which("sudo", path=variables.get("PATH")):
        print(f"\n{path} is not yours to write. Running: sudo --edit {path}\n", flush=True)
        command = ["sudo", "--edit", "--", path]
        variables = {**variables, "SUDO_EDITOR": shlex.join(words)}
    try:
        status = subprocess.run(command, env=dict(variables), check=False).returncode
    except OSError as error:
        return NotAvailable(f"{command[0]}: {error.strerror}; set VISUAL or EDITOR")
    if status:
        print(f"\n{command[0]} ended with {status}. Enter goes back to the console.", flush=True)
        sys.stdin.readline()
        return Failure(f"{command[0]} ended with {status}")
    return None
