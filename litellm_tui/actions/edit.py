"""The configuration in the operator's own editor, on a terminal that was handed over."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from litellm_tui.host.atomic import create, failure_of
from litellm_tui.host.bounded import MEDIUM, read_bytes
from litellm_tui.host.copies import cluster_origin, not_editable
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
    if cluster_origin(path) is not None:
        return _edit_in_cluster(path, words, variables)
    command = [*words, path]
    if not os.access(path, os.W_OK) and os.path.exists(path) and shutil.which("sudo", path=variables.get("PATH")):
        print(f"\n{path} is not yours to write. Running: sudo --edit {path}\n", flush=True)
        command = ["sudo", "--edit", "--", path]
        variables = {**variables, "SUDO_EDITOR": shlex.join(words)}
    return _run(command, variables)


def _edit_in_cluster(path: str, words: Sequence[str], variables: Mapping[str, str]) -> Failure | None:
    """A key of a ConfigMap or Secret: what was saved becomes a new version of the object."""
    from litellm_tui.actions.rewrite import rewrite

    folder = Path(tempfile.mkdtemp(prefix="litellm-tui-"))
    edited, before = folder / os.path.basename(path), folder / "before"
    try:
        content = read_bytes(path, MEDIUM)
        for place in (edited, before):
            create(place, content, durable=False)
        failure = _run([*words, str(edited)], variables)
        saved = read_bytes(edited, MEDIUM)
        if failure is None and saved != content and isinstance(done := rewrite(path, content, saved, before), Failure):
            return Failure(f"{done.why}; what you saved is in {edited}")
    except OSError as error:
        return failure_of(f"{path} was not changed", error)
    shutil.rmtree(folder, ignore_errors=True)
    return failure


def _run(command: Sequence[str], variables: Mapping[str, str]) -> Failure | None:
    try:
        status = subprocess.run(command, env=dict(variables), check=False).returncode
    except OSError as error:
        return NotAvailable(f"{command[0]}: {error.strerror}; set VISUAL or EDITOR")
    if status:
        print(f"\n{command[0]} ended with {status}. Enter goes back to the console.", flush=True)
        sys.stdin.readline()
        return Failure(f"{command[0]} ended with {status}")
    return None
